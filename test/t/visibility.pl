# What other sessions deploy is seen at once, and nothing is loaded needlessly.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use Test::More;

my $node = new_server('visibility', 'max_parallel_workers_per_gather = 2');
install_extension($node);
register_versions($node, 'm', 2);

# 10,000 deploys by another session, each followed by a prediction at one call
# site of plpgsql; commits in between keep the model's row from growing long
$node->safe_psql('postgres', 'CREATE EXTENSION dblink');
my $connection = "host=" . $node->host . " port=" . $node->port . " dbname=postgres user=" . getpwuid($<);
is($node->safe_psql('postgres', qq{
	SET client_min_messages = warning;
	CREATE TABLE result (stale int);
	DO \$\$
	DECLARE
		stale int := 0;
		want int;
		x float8 := 1;
	BEGIN
		PERFORM dblink_connect('other', '$connection');
		PERFORM dblink_exec('other', 'SET client_min_messages = warning');
		FOR i IN 1 .. 10000 LOOP
			want := 1 + i % 2;
			PERFORM * FROM dblink('other', format('SELECT model_predict.deploy(''m'', %s)::text', want)) AS t(v text);
			IF predict('m', x) <> want THEN
				stale := stale + 1;
			END IF;
			IF i % 50 = 0 THEN
				COMMIT;
			END IF;
		END LOOP;
		INSERT INTO result VALUES (stale);
	END \$\$;
	SELECT stale FROM result}), 0, 'none of 10,000 predictions is stale');
is($node->safe_psql('postgres', "SELECT count(*) >= 9999 FROM model_predict.history WHERE action = 'deploy'"),
	't', 'each deploy is in the history');

# the model stays through everything that does not change the model
$node->safe_psql('postgres', "SELECT model_predict.deploy('m', 2)");
my $one = session($node);
my $loads = "SELECT max(loaded) FROM model_predict.cache";
is($one->("SELECT predict('m', 1.0)"), 2, 'one session');
my $before = $one->($loads);
for my $maintenance ('VACUUM', 'ANALYZE', 'VACUUM FULL', 'REINDEX TABLE',
	map { "CLUSTER model_predict.stored_$_ USING ${_}_pkey; --" } qw(model version alias forest feature))
{
	my @tables = $maintenance =~ /^CLUSTER/ ? ('') : map { "model_predict.stored_$_" } qw(model version alias permission forest feature event);
	$node->safe_psql('postgres', "$maintenance $_") for @tables;
	is($one->("SELECT predict('m', 1.0)"), 2, 'same answer after ' . $maintenance =~ s/;.*//r);
}
is($one->($loads), $before, 'and no load');
$node->safe_psql('postgres', "SELECT model_predict.set_alias('m', 'x', 1); SELECT model_predict.grant_predict('m', 'public')");
is($one->("SELECT predict('m', 1.0)"), 2, 'same answer after other changes');
is($one->($loads), $before, 'and no load');

# forgetting all there is to forget in a session
is($one->('DISCARD ALL'), '', 'DISCARD ALL');
is($one->("SELECT predict('m', 1.0)"), 2, 'scores after DISCARD ALL');
$one->(q{PREPARE p AS SELECT predict('m', $1::float8)});
is($one->('EXECUTE p (1)'), 2, 'prepared') for 1 .. 7;
$node->safe_psql('postgres', "SELECT model_predict.rollback('m')");
is($one->('EXECUTE p (1)'), 1, 'a generic plan holds no version');
$node->safe_psql('postgres', "SELECT model_predict.drop_model('m')");
is($one->('EXECUTE p (1)'), '42704', 'nor a dropped model');
register_versions($node, 'm', 1);
is($one->('EXECUTE p (1)'), 1, 'the model that came after is another one');
is($one->("SELECT version FROM model_predict.versions"), 3, 'whose numbers go on');

# the extension itself may go and come back under a session
$node->safe_psql('postgres', 'DROP EXTENSION model_predict');
is($one->('EXECUTE p (1)'), '42883', 'no extension');
is($one->("SELECT predict('m', 1.0)"), '42883', 'no extension');
$node->safe_psql('postgres', 'CREATE EXTENSION model_predict');
is($one->("SELECT predict('m', 1.0)"), '42704', 'no model');
$node->safe_psql('postgres', "SELECT model_predict.register('m', constant_model(7))");
is($one->("SELECT predict('m', 1.0)"), 7, 'same id, same version, other bytes');

# workers see what their leader sees
$node->safe_psql('postgres', "SELECT model_predict.register('m', constant_model(8));
	CREATE TABLE big AS SELECT x::float8 FROM generate_series(1, 20000) x; ANALYZE big;
	ALTER TABLE big SET (parallel_workers = 2)");
$one->("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET client_min_messages = error");
my $sum = "SELECT min(predict('m', x)), max(predict('m', x)) FROM big";
like($one->("EXPLAIN $sum"), qr/Workers Planned: 2/, 'a parallel plan');
is($one->($sum), '7|7', 'in workers');
$one->("BEGIN");
$one->("SELECT model_predict.deploy('m', 2)");
is($one->($sum), '8|8', 'workers see what the transaction did');
$one->("SAVEPOINT a");
$one->("SELECT model_predict.register('m', constant_model(9)); SELECT model_predict.deploy('m', 3)");
is($one->($sum), '9|9', 'and a version registered in it');
$one->("ROLLBACK TO a");
is($one->($sum), '8|8', 'and not what it took back');
$one->("ROLLBACK");
is($one->($sum), '7|7', 'and so on');
$one->("BEGIN ISOLATION LEVEL REPEATABLE READ");
is($one->($sum), '7|7', 'REPEATABLE READ in workers');
$node->safe_psql('postgres', "SELECT model_predict.deploy('m', 2)");
is($one->($sum), '7|7', 'keeps its version');
$one->("COMMIT");
is($one->($sum), '8|8', 'until it ends');
$one->(undef);

# a transaction that is prepared, and settled by another session
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\n");
$node->restart;
$one = session($node);
is($one->("SELECT predict('m', 1.0)"), 8, 'after a restart');
$one->("BEGIN; SELECT model_predict.deploy('m', 1); PREPARE TRANSACTION 't'");
is($one->("SELECT predict('m', 1.0)"), 8, 'prepared, not committed');
$node->safe_psql('postgres', "COMMIT PREPARED 't'");
is($one->("SELECT predict('m', 1.0)"), 7, 'committed by another session');
$one->(undef);

$node->stop;
done_testing();
