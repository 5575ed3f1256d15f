# A million rows in one statement: memory stays where it was after the first,
# in batches and row by row, and a parallel plan gives the same scores.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = 1_000_000;
my $model = "$ENV{TESTDIR}/test/data/models/rules/logistic.ubj";
my $node = PostgreSQL::Test::Cluster->new('volume');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmax_wal_size = 4GB\n");
$node->start;

$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION model_predict;
SELECT model_predict.register('m', pg_read_binary_file('$model'), trees => 'all');
CREATE TABLE people AS
	SELECT n AS id, sin(n)::real AS age, cos(n)::real AS income, CASE WHEN n % 7 > 0 THEN tan(n)::real END AS visits,
		(n % 1000 / 500.0 - 1)::real AS balance
	FROM generate_series(1, $rows) n;
VACUUM ANALYZE people;
-- of this backend, without shared memory
CREATE FUNCTION private_kb() RETURNS int LANGUAGE sql VOLATILE AS
	\$\$ SELECT substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\\s+(\\d+) kB')::int \$\$;
SQL

my %forms = (
	'a whole row' => "predict('m', p)",
	'columns' => "predict('m', age, income, visits, balance)",
	'an array' => "predict('m', array[age, income, visits, balance])",
	'jsonb' => "predict('m', to_jsonb(p))",
	'a result array' => "(predict_all('m', p))[1]",
	'a class' => "length(predict_class('m', p))");
for my $form (sort keys %forms)
{
	# the function of memory runs beside the predictions, in the same statement
	my %queries = (
		'row by row' => "SELECT id, $forms{$form} AS score, CASE WHEN id % 50000 = 0 THEN private_kb() END AS kb FROM people p OFFSET 0",
		'in batches' => "SELECT id, score, CASE WHEN id % 50000 = 0 THEN private_kb() END AS kb
			FROM (SELECT id, $forms{$form} AS score FROM people p OFFSET 0) s OFFSET 0");
	for my $how (sort keys %queries)
	{
		my $query = "SELECT max(kb) FILTER (WHERE id > $rows / 10) - max(kb) FILTER (WHERE id <= $rows / 10), count(score) FROM ($queries{$how}) q";
		my $settings = "SET max_parallel_workers_per_gather = 0; SET jit = off;" . ($how eq 'in batches' ? '' : 'SET model_predict.batch = off;');
		my ($kb, $count) = split /\|/, $node->safe_psql('postgres', "$settings $query");
		is($count, $rows, "$form, $how: $rows scores");
		cmp_ok($kb, '<', 1024, "$form, $how: memory does not grow");
		is($node->safe_psql('postgres', "$settings EXPLAIN $query") =~ /ModelPredictBatch/ ? 'in batches' : 'row by row', $how, "$form: $how");
	}
}

# every score of every row goes into the sum, whatever the order
my $digest = "SELECT count(*), bit_xor(hashint8extended(id, 0) # hashfloat8extended(predict('m', p), 1)),
	bit_xor(hashint8extended(id, 0) # hashtextextended(predict_margin('m', p)::text, 2)) FROM people p";
my $parallel = "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET debug_parallel_query = off;";
$parallel =~ s/SET debug_parallel_query = off;// if $node->safe_psql('postgres', 'SHOW server_version_num') < 160000;
my $serial = $node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; $digest");
like($serial, qr/^$rows\|/, 'all rows, one process');
is($node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; SET model_predict.batch = off; $digest"), $serial, 'and row by row');
like($node->safe_psql('postgres', "$parallel EXPLAIN $digest"), qr/ModelPredictBatch.*Parallel Seq Scan/s, 'the other plan has batches in workers');
like($node->safe_psql('postgres', "$parallel EXPLAIN $digest"), qr/Gather.*Parallel Seq Scan/s, 'the other plan is parallel');
like($node->safe_psql('postgres', "$parallel EXPLAIN (ANALYZE, COSTS off, TIMING off) $digest"),
	qr/Workers Launched: [12]/, 'and workers take part');
is($node->safe_psql('postgres', "$parallel $digest"), $serial, 'a parallel plan gives the same scores');
is( $node->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0;
	SET jit_optimize_above_cost = 0; $digest"), $serial, 'and so does compiled code');

$node->stop;
done_testing();
