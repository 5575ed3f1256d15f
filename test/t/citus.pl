# Tables that Citus distributes, on a coordinator and two workers: models reach
# each node, and a statement sees one version on all of them. Needs a PostgreSQL
# that has Citus: PG_CONFIG chooses one, test/citus.sh runs this file alone.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

chomp(my $share = `@{[ $ENV{PG_CONFIG} || 'pg_config' ]} --sharedir`);
plan skip_all => "the PostgreSQL of $share has no Citus" unless -e "$share/extension/citus.control";

my $conf = "shared_preload_libraries = 'citus, model_predict'\nlisten_addresses = '127.0.0.1'\nmax_prepared_transactions = 50\n"
	. "citus.enable_statistics_collection = off\ncitus.shard_count = 8\nfsync = off\nmax_connections = 60\n";
my %node;

sub start_node
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	append_to_file($node->data_dir . '/pg_hba.conf', "host all all 127.0.0.1/32 trust\n");
	$node->append_conf('postgresql.conf', $conf);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION citus');
	return $node{$name} = $node;
}

my $coordinator = start_node('coordinator');
my @workers = map { start_node($_) } 'worker1', 'worker2';
my $sql = sub { $coordinator->safe_psql('postgres', $_[0]) };
sub error_of { my ($node, $query, %options) = @_; return ($node->psql('postgres', $query, %options))[2] }

# roles whose numbers differ between nodes
$workers[0]->safe_psql('postgres', 'SET citus.enable_ddl_propagation = off; CREATE ROLE filler1; CREATE ROLE filler2');
$sql->("SELECT citus_set_coordinator_host('127.0.0.1', @{[ $coordinator->port ]})");
$sql->("SELECT citus_add_node('127.0.0.1', @{[ $_->port ]})") for @workers;
$sql->('CREATE ROLE bi LOGIN; CREATE ROLE stranger LOGIN');
install_extension($coordinator);
is($_->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'model_predict'"), 1, 'the extension is on each node') for @workers;

my $rules = "$ENV{TESTDIR}/test/data/models/rules";
$sql->("SELECT model_predict.register('churn', pg_read_binary_file('$rules/logistic.ubj'), trees => 'all')");
register_versions($coordinator, 'm', 3);
$sql->('CREATE TABLE customer (id int PRIMARY KEY, kind text, age real, income real, visits real, balance real, x float8);
	SELECT create_distributed_table($$customer$$, $$id$$);
	INSERT INTO customer SELECT i, i % 3, i / 100.0, i % 7 - 3, i % 5 - 2, i % 11 - 5, i FROM generate_series(1, 1000) i;
	CREATE TABLE here AS SELECT * FROM customer;
	GRANT SELECT ON customer TO bi, stranger');

# one call
like(error_of($coordinator, "SELECT sum(predict('m', x)) FROM customer"), qr/model "m" does not exist|reached this node without/, 'at first models are on the coordinator alone');
like(error_of($coordinator, 'SELECT model_predict.distribute()', extra_params => [ '-U', 'bi' ]), qr/permission denied/, 'distribute() is for superusers');
$sql->('SELECT model_predict.distribute()');
$sql->('SELECT model_predict.distribute()');
is($_->safe_psql('postgres', "SELECT string_agg(model || versions, ' ' ORDER BY model) FROM model_predict.models"), 'churn1 m3', 'the models are on each node')
  for $coordinator, @workers;

# every form of a row gives what it gives on one node
for my $call ("predict('churn', age, income, visits, balance)", "predict('churn', t.*)", "predict('churn', t)", "predict('churn', to_jsonb(t))",
	"predict('churn', ARRAY[age, income, visits, balance])", "predict('churn\@1', t.*)", "length(predict_reasons('churn', 2, t.*))",
	"predict_proba_of('churn', '1', t.*)")
{
	my ($there, $here) = map { $sql->("SELECT id, $call FROM $_ t ORDER BY id") } 'customer', 'here';
	is($there, $here, $call);
}
for my $query ("SELECT kind, count(*) FROM %s t WHERE predict('churn', t.*) > 0.5 GROUP BY 1 ORDER BY 1",
	"SELECT id, predict('churn', q.*) FROM (SELECT id, balance, visits, income, age FROM %s) q ORDER BY id",
	"SELECT id, predict('churn', q.*) FROM (SELECT id, age, income + 0 AS income, visits, balance FROM %s OFFSET 0) q ORDER BY id",
	"WITH s AS MATERIALIZED (SELECT id, predict('churn', t.*) AS score FROM %s t) SELECT round(avg(score)::numeric, 12) FROM s",
	"WITH t AS MATERIALIZED (SELECT * FROM %s WHERE id < 20) SELECT sum(e.contribution) FROM t, predict_explain('churn', t.age, t.income, t.visits, t.balance) e")
{
	my ($there, $here) = map { $sql->(sprintf($query, $_)) } 'customer', 'here';
	is($there, $here, $query);
}

# rights, by the roles' names
$sql->("SELECT model_predict.grant_predict('churn', 'bi')");
is($coordinator->safe_psql('postgres', "SELECT count(predict('churn', c.*)) FROM customer c", extra_params => [ '-U', 'bi' ]), 1000, 'who was granted scores on all nodes');
is($workers[0]->safe_psql('postgres', 'SELECT string_agg(model, $$ $$) FROM model_predict.models', extra_params => [ '-U', 'bi' ]), 'churn', 'and sees the model there');
like(error_of($coordinator, "SELECT count(predict('churn', c.*)) FROM customer c", extra_params => [ '-U', 'stranger' ]),
	qr/model "churn" does not exist, or role "stranger" may not use it/, 'others do not');
$sql->("SELECT model_predict.revoke_predict('churn', 'bi')");
like(error_of($coordinator, "SELECT count(predict('churn', c.*)) FROM customer c", extra_params => [ '-U', 'bi' ]), qr/role "bi" may not use it/, 'nor does who was');

# managing is the coordinator's
like(error_of($workers[0], "SELECT model_predict.deploy('m', 2)"), qr/deploy\(\) works on the coordinator only/, 'a worker says where models are managed');

# references are pinned
like($sql->("EXPLAIN (VERBOSE) SELECT sum(predict('m', x)) FROM customer"), qr/predict\('m\@1'::text, x\)/, 'a reference is sent with its version');
my $ask = "SELECT string_agg(DISTINCT predict('m', x)::text, ' ') FROM customer";
is($sql->("PREPARE p AS $ask; EXECUTE p; SELECT model_predict.deploy('m', 2); EXECUTE p; SELECT model_predict.deploy('m', 3); EXECUTE p;
	SELECT model_predict.rollback('m'); EXECUTE p"), "1\n\n2\n\n3\n2\n2", 'prepared statements follow deploys');
my $session = session($coordinator);
$session->("SET plan_cache_mode = force_generic_plan; PREPARE p AS $ask");
is($session->('EXECUTE p'), 2, 'a plan of this session');
$sql->("SELECT model_predict.deploy('m', 3)");
is($session->('EXECUTE p'), 3, 'follows a deploy of another');
$session->(undef);
like(error_of($coordinator, "SELECT predict('m' || kind, x) FROM customer"), qr/must be a constant where Citus distributes the table/, 'one that differs by row is refused');
is($sql->("PREPARE q(text) AS SELECT string_agg(DISTINCT predict(\$1, x)::text, ' ') FROM customer; EXECUTE q('m\@2')"), 2, 'a parameter is not');
my $internal = { extra_params => [ '-d', 'dbname=postgres application_name=citus_internal' ] };
like(error_of($workers[0], "SELECT predict('m', 1.0)", %$internal), qr/reached this node without a version/, 'a node does not look up what another one should have');
is($workers[0]->safe_psql('postgres', "SELECT predict('m\@2', 1.0)", %$internal), 2, 'a version is served');
is($workers[0]->safe_psql('postgres', "SELECT predict('m', 1.0)"), 3, 'so is who asks a worker itself');

# many deploys: no statement mixes versions
my $file = $coordinator->basedir . '/deploys.sql';
append_to_file($file, join '', map { "SELECT model_predict.deploy('m', @{[ $_ % 3 + 1 ]});\nSELECT pg_sleep(0.02);\n" } 1 .. 10_000);
my $deploying = IPC::Run::start([ 'psql', '-Xqt', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $coordinator->connstr('postgres') ], '<', \undef, '>', \my $out, '2>', \my $err);
my %seen;
$session = session($coordinator);
$session->("PREPARE p AS $ask");
$seen{ $session->($_ % 2 ? $ask : 'EXECUTE p') }++ for 1 .. 300;
$session->(undef);
$deploying->signal('TERM');
$deploying->finish;
is(join(' ', sort keys %seen), '1 2 3', 'under deploys each statement sees one version, and all are seen');

# one commit for all nodes, or none
$sql->("SELECT model_predict.deploy('m', 1)") if $sql->($ask) ne '1';
$workers[1]->stop('immediate');
isnt(error_of($coordinator, "SELECT model_predict.deploy('m', 2)"), '', 'a deploy fails while a worker is down');
is($coordinator->safe_psql('postgres', "SELECT predict('m', 1.0), (SELECT max(at)::text LIKE '%' FROM model_predict.history)"), '1|t', 'and changes nothing');
$workers[1]->start;
is($sql->($ask), 1, 'nor is it half done when that is back');
$sql->("SELECT model_predict.deploy('m', 2)");
is($sql->($ask), 2, 'then it works');

# what Citus does to rows and writes
like(error_of($coordinator, "SELECT count(predict('churn', c.*)) FROM customer d LEFT JOIN customer c ON c.id = d.id"),
	qr/a whole row from the nullable side of an outer join/, 'a row of which Citus loses columns is refused');
is($sql->("SELECT count(*), count(score) FROM customer d LEFT JOIN (SELECT id, predict('churn', c.*) AS score FROM customer c WHERE id <= 10) s ON s.id = d.id"),
	'1000|10', 'scored in a subquery it can be joined');
is($sql->("CREATE TABLE score (id int, score float8); SELECT create_distributed_table('score', 'id');
	INSERT INTO score SELECT id, predict('churn', c.*) FROM customer c; SELECT count(*), count(score) FROM score") =~ s/^\n//r, '1000|1000', 'INSERT ... SELECT');
like(error_of($coordinator, "UPDATE customer c SET x = predict('churn', c.*)"), qr/STABLE functions/, 'Citus refuses to score in UPDATE');
$sql->("WITH s AS MATERIALIZED (SELECT id, predict('churn', c.*) AS score FROM customer c) UPDATE customer c SET x = s.score FROM s WHERE s.id = c.id");
is($sql->('SELECT count(*) FROM customer c JOIN score s USING (id) WHERE c.x = s.score'), 1000, 'with the scores made before, it works');

# a node that comes later
my $late = start_node('late');
$sql->("SELECT citus_add_node('127.0.0.1', @{[ $late->port ]}); SELECT replicate_reference_tables('block_writes')");
is($late->safe_psql('postgres', "SELECT predict('m', 1.0)"), 2, 'has the models too');
$sql->("SELECT model_predict.deploy('m', 3)");
is($late->safe_psql('postgres', "SELECT predict('m', 1.0)"), 3, 'and follows deploys');

$_->stop for values %node;
done_testing();
