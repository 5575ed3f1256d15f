# What BI tools send to a view with scores, as a role with no other right: the
# shapes of their SQL are those that the tools' own query logs show.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('bi');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;
my $demo = "$ENV{TESTDIR}/test/data/demo";
chdir $demo or die $!;
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', 'schema.sql', $node->connstr('postgres') ], 'the table is loaded');

# the view can be made, and probed, before there is a model
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION model_predict;
CREATE VIEW scored_customers AS
	SELECT c.id, c.contract, c.tenure, c.monthly_charges, predict('churn', c.*) AS churn_score,
		predict_class('churn', c.*) AS churn_class, predict_proba_of('churn', 'No', c.*) AS stay_score,
		predict_reasons('churn', 3, c.*) AS churn_reasons
	FROM customers c;
CREATE ROLE bi LOGIN;
GRANT SELECT ON scored_customers TO bi;
SQL

my @bi = (connstr => $node->connstr('postgres') . ' user=bi');
my $probe = 'SELECT * FROM (SELECT * FROM scored_customers) "Custom SQL Query" LIMIT 0';

sub answers
{
	my ($sql, $pattern, $what) = @_;
	my ($status, $out, $err) = $node->psql('postgres', $sql, @bi);
	is($status, 0, $what) or diag($err);
	like($out, $pattern, "$what: the answer");
}

answers($probe, qr/^$/, 'a probe with LIMIT 0, before there is a model');
answers("SELECT count(*) FROM scored_customers", qr/^7043$/, 'no score is asked for, so none is needed');

$node->safe_psql('postgres', "SELECT model_predict.register('churn', pg_read_binary_file('$demo/churn.ubj'),
	classes => '{No,Yes}', trees => 'best')");

# without the right to score, nothing says whether there is a model
my ($status, undef, $forbidden) = $node->psql('postgres', 'SELECT churn_score FROM scored_customers', @bi);
isnt($status, 0, 'a reader of the view needs the right to score');
like($forbidden, qr/model "churn" does not exist, or role "bi" may not use it/, 'and is told so');
$node->safe_psql('postgres', "SELECT model_predict.grant_predict('churn', 'bi')");

answers($probe, qr/^$/, 'a probe with LIMIT 0');
answers("$probe; SELECT count(*) FROM model_predict.cache", qr/^0$/, 'a probe loads no model');
answers("SELECT sum(tenure) FROM scored_customers; SELECT count(*) FROM model_predict.cache", qr/^\d+\n0$/,
	'columns that are not asked for are not computed');

# Tableau: quoted names, sums by group, a cursor, pass-through expressions
answers('SELECT "scored_customers"."contract" AS "contract", SUM("scored_customers"."churn_score") AS "sum:churn_score:ok"
	FROM "public"."scored_customers" "scored_customers" GROUP BY 1', qr/^Month-to-month\|\d+\.\d+$/m, 'Tableau: a sum by group');
answers('BEGIN; declare "SQL_CUR0x7f" cursor with hold for SELECT "id", "churn_score" FROM (SELECT * FROM scored_customers) "Custom SQL Query"
	WHERE "churn_score" > 0.9; COMMIT; fetch 3 in "SQL_CUR0x7f"; close "SQL_CUR0x7f"', qr/^(\d+\|0\.9\d+\n?){3}$/, 'Tableau: a held cursor');

# Power BI: a query of columns over an alias $Table, then the same folded again
answers('select "$Table"."id" as "id", "$Table"."churn_class" as "churn_class" from "public"."scored_customers" "$Table" limit 1000',
	qr/^1\|Yes$/m, 'Power BI: a preview');
answers('select "_"."contract" as "contract", avg("_"."churn_score") as "a0" from (select "$Table".* from "public"."scored_customers" "$Table") "_"
	group by "contract" order by "a0" desc limit 1001', qr/^Month-to-month\|0\.\d+/, 'Power BI: a folded aggregate');

# Metabase: the question as "source", fingerprints of text columns
answers('SELECT "source"."churn_class" AS "churn_class", count(*) AS "count" FROM (SELECT * FROM scored_customers) AS "source"
	GROUP BY "source"."churn_class" ORDER BY "source"."churn_class" ASC LIMIT 2000', qr/^No\|\d+\nYes\|\d+$/, 'Metabase: a nested question');
answers('SELECT SUBSTRING("public"."scored_customers"."churn_reasons", 1, 1234) AS "substring" FROM "public"."scored_customers" LIMIT 10',
	qr/\(\+\d/, 'Metabase: a fingerprint of text');

# Grafana and Superset
answers('SELECT to_timestamp(floor(extract(epoch from now()) / 60) * 60) IS NOT NULL AS "time", avg(churn_score) AS "score" FROM scored_customers
	GROUP BY 1 ORDER BY 1', qr/^t\|0\.\d+$/, 'Grafana: a time series');
answers('SELECT contract AS contract, AVG(churn_score) AS "AVG(churn_score)" FROM (SELECT * FROM scored_customers) AS virtual_table
	WHERE churn_score >= 0.5 GROUP BY contract ORDER BY "AVG(churn_score)" DESC LIMIT 10000', qr/^Month-to-month\|0\.\d+/, 'Superset: a virtual table');
answers('EXPLAIN SELECT churn_score FROM scored_customers', qr/Seq Scan on customers/, 'Superset: an estimate of the cost');
answers('EXPLAIN (VERBOSE, COSTS off) SELECT churn_score FROM scored_customers', qr/Output: \(?predict\('churn'::text/, 'a plan reads well');

# what they read of the catalog: scalar types only, and comments
answers("SELECT string_agg(DISTINCT data_type, ', ' ORDER BY data_type) FROM information_schema.columns WHERE table_name = 'scored_customers'",
	qr/^double precision, integer, text$/, 'information_schema shows scalar columns');
answers("SELECT table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_name LIKE 'scored%'",
	qr/^scored_customers$/, 'information_schema lists the view');
answers('SELECT model, version FROM model_predict.versions', qr/^churn\|1$/, 'the reader sees which model it is');

# one value of a calculated field: Tableau's RAWSQL_REAL fills in %1 and %2
$node->safe_psql('postgres', "SELECT model_predict.register('what if', pg_read_binary_file('$demo/churn.ubj'), trees => 'best',
	absent_feature => 'missing'); SELECT model_predict.grant_predict('what if', 'bi')");
answers(q{SELECT SUM(predict_json('what if', jsonb_build_object('tenure', ("scored_customers"."tenure"), 'contract', ("scored_customers"."contract"))))
	FROM "public"."scored_customers" "scored_customers"}, qr/^\d+\.\d+$/, 'Tableau: RAWSQL_REAL');

# and what it may not
for my $sql ('SELECT * FROM customers', 'SELECT * FROM model_predict.stored_version', "SELECT model_predict.export('churn')",
	"SELECT model_predict.drop_model('churn')", "SELECT model_predict.deploy('churn', 1)")
{
	isnt($node->psql('postgres', $sql, @bi), 0, "refused: $sql");
}

$node->stop;
done_testing();
