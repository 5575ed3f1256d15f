# The view usage: what all sessions count together, in many databases, of many
# models, with workers, small caches and rollbacks, and after a crash.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('usage', 'restart_after_crash = on');
install_extension($node);
register_versions($node, 'm', 2);
my $usage = "SELECT version, statements, rows, loads FROM model_predict.usage WHERE model = 'm' ORDER BY version";

sub counts
{
	my ($want, $name) = @_;
	is($node->safe_psql('postgres', $usage), $want, $name);
	return;
}

counts('', 'nothing is used, nothing is there');
$node->safe_psql('postgres', 'CREATE TABLE t AS SELECT i::real AS x FROM generate_series(1, 1000) i');
$node->safe_psql('postgres', "SELECT predict('m', x) FROM t; SELECT sum(predict('m', x)) + sum(predict('m\@1', x)) FROM t");
counts('1|2|3000|1', 'a statement counts once, its rows as often as they are scored');
$node->safe_psql('postgres', "BEGIN; SELECT predict('m\@2', x) FROM t; ROLLBACK");
counts("1|2|3000|1\n2|1|1000|1", 'rolled back or not');
$node->psql('postgres', "SELECT predict('m', x), 1 / (x - 500)::int FROM t");
is($node->safe_psql('postgres', "SELECT statements, rows BETWEEN 3400 AND 4000 FROM model_predict.usage WHERE version = 1"), '3|t', 'and where it fails');
$node->safe_psql('postgres', "SELECT model_predict.reset_usage('m')");
counts("1|0|0|0\n2|0|0|0", 'anew');
$node->safe_psql('postgres', "DO \$\$ BEGIN FOR i IN 1 .. 10 LOOP PERFORM predict('m', i); END LOOP; END \$\$; PREPARE p AS SELECT predict('m', \$1::real); EXECUTE p(1); EXECUTE p(2)");
counts("1|3|12|1\n2|0|0|0", 'a loop is one statement of the client, an EXECUTE another');
$node->safe_psql('postgres', "SET model_predict.cache_size = 0; SELECT predict('m', x), predict('m\@2', x) FROM t LIMIT 5; SELECT predict('m\@2', x) FROM t LIMIT 1");
like($node->safe_psql('postgres', $usage), qr/^1\|4\|17\|\d+\n2\|2\|6\|\d+$/, 'models that are forgotten at once are counted');

# workers add rows, not statements
$node->safe_psql('postgres', "SELECT model_predict.reset_usage('m'); INSERT INTO t SELECT i FROM generate_series(1, 20000) i; ANALYZE t; ALTER TABLE t SET (parallel_workers = 2)");
$node->safe_psql('postgres', "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SELECT sum(predict('m', x)) FROM t");
like($node->safe_psql('postgres', $usage), qr/^1\|1\|21000\|[123]\n/, 'a parallel statement');

# many sessions at once
$node->safe_psql('postgres', "SELECT model_predict.reset_usage('m')");
my $script = $node->basedir . '/usage.sql';
append_to_file($script, "SELECT predict('m', x) FROM t WHERE x <= 50 LIMIT 50;\n");
$node->command_ok([ 'pgbench', '-n', '-c', '8', '-t', '100', '-f', $script, $node->connstr('postgres') ], 'eight sessions score');
counts("1|800|40000|8\n2|0|0|0", 'none of their counts is lost');

# many databases, whose models have the same numbers
for my $i (1 .. 3)
{
	$node->safe_psql('postgres', "CREATE DATABASE d$i");
	install_extension($node, "d$i");
	register_versions($node, 'other', 1, "d$i");
	$node->safe_psql("d$i", "SELECT predict('other', g) FROM generate_series(1, 10 * $i) g");
}
is($node->safe_psql("d$_", 'SELECT model, version, statements, rows FROM model_predict.usage'), "other|1|1|" . 10 * $_, "database d$_ by itself") for 1 .. 3;
counts("1|800|40000|8\n2|0|0|0", 'and the first one');

# a thousand models
$node->safe_psql('postgres', "SELECT model_predict.register('many ' || i, constant_model(1)) FROM generate_series(1, 1000) i");
$node->safe_psql('postgres', "DO \$\$ BEGIN FOR i IN 1 .. 1000 LOOP PERFORM predict('many ' || i, 1.0); END LOOP; END \$\$");
is($node->safe_psql('postgres', "SELECT count(*), sum(statements), sum(rows) FROM model_predict.usage WHERE model LIKE 'many %'"), '1000|1000|1000', 'a thousand models');

# who may
$node->safe_psql('postgres', "CREATE ROLE owner; CREATE ROLE scorer; CREATE ROLE stranger; SELECT model_predict.set_owner('m', 'owner'); SELECT model_predict.grant_predict('m', 'scorer');
	GRANT EXECUTE ON FUNCTION model_predict.reset_usage TO PUBLIC");
is($node->safe_psql('postgres', "SET ROLE stranger; SELECT count(*) FROM model_predict.usage"), '0', 'who may not score sees nothing');
is($node->safe_psql('postgres', "SET ROLE scorer; SELECT count(*) FROM model_predict.usage"), '2', 'who may score sees its use');
for my $role (qw(scorer stranger))
{
	my ($status, undef, $err) = $node->psql('postgres', "SET ROLE $role; SELECT model_predict.reset_usage('m')", on_error_stop => 1);
	isnt($status, 0, "$role may not reset it");
	like($err, qr/owner|may not use it/, "$role is told");
}
counts("1|800|40000|8\n2|0|0|0", 'nothing was reset');
is($node->safe_psql('postgres', "SET ROLE owner; SELECT model_predict.reset_usage('m'); SELECT sum(statements) FROM model_predict.usage"), "\n0", 'the owner may');

# a session dies while it scores: all begin anew, and go on
my $session = session($node);
my $pid = $session->('SELECT pg_backend_pid()');
$session->("BEGIN; SELECT count(predict('m', x)) FROM t");
kill 'KILL', $pid;
$session->(undef);
$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
counts('', 'after a crash nothing is known');
is($node->safe_psql('postgres', "SELECT predict('m', 1.0); SELECT predict('m', 2.0)"), "1\n1", 'and scoring goes on');
like($node->safe_psql('postgres', $usage), qr/^1\|2\|2\|1$/, 'counted');
$node->safe_psql('postgres', "SELECT model_predict.drop_model('m')");
is($node->safe_psql('postgres', 'SELECT count(*) FROM model_predict.usage'), '0', 'a model that is dropped is not shown');

$node->stop;
done_testing();
