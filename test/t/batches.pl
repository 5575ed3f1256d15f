# Whatever the query, scans that score in batches give what calls give: queries
# made at random, each with and without batches, under plans of all kinds.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $n_queries = $ENV{BATCH_QUERIES} // 400;
my $seed = $ENV{BATCH_SEED} // 1;
my $model = "$ENV{TESTDIR}/test/data/models/rules/logistic.ubj";
my $columns = 'age, income, visits, balance';

srand($seed);

sub one_of { return $_[ int rand @_ ]; }
sub below { return int rand $_[0]; }

# a score as a number, of the row that the alias names
sub number
{
	my ($a) = @_;
	return sprintf 'predict(%s, %s)', one_of("'m'", "'other'"),
		one_of("$a.*", "$a.age, $a.income, $a.visits, $a.balance", "ARRAY[$a.age, $a.income, $a.visits, $a.balance]");
}

sub answer
{
	my ($a) = @_;
	my $function = one_of('predict_class(', 'predict_margin(', 'predict_all(', 'predict_proba(', "predict_proba_of(");
	my $row = one_of("$a.*", "to_jsonb($a)", "$a.age + 1, $a.income, abs($a.visits), $a.g", "ARRAY[$a.age, $a.income, 0, $a.balance]");
	my $model = one_of("'m'", "'other'") . ($function =~ /_of/ ? ", '1'" : '');
	return "$function$model, $row)";
}

sub condition
{
	my ($a, $depth) = @_;
	my $kind = $depth > 0 ? below(8) : 0;
	return number($a) . one_of(' > ', ' < ', ' >= ') . one_of(0.3, 0.5, 0.7) if $kind < 2;
	return "$a.g " . one_of('=', '>', '<') . ' ' . below(7) if $kind == 2;
	return '(' . condition($a, $depth - 1) . ' OR ' . condition($a, $depth - 1) . ')' if $kind == 3;
	return '(' . condition($a, $depth - 1) . ' AND ' . condition($a, $depth - 1) . ')' if $kind == 4;
	return 'NOT (' . condition($a, $depth - 1) . ')' if $kind == 5;
	return "$a.n BETWEEN " . below(700) . ' AND ' . (700 + below(800)) if $kind == 6;
	return "EXISTS (SELECT FROM people e WHERE e.n = $a.n + 1 AND " . number('e') . ' > 0.5)';
}

sub expression
{
	my ($a) = @_;
	my $kind = below(9);
	return answer($a) if $kind < 2;
	return number($a) if $kind == 2;
	return 'CASE WHEN ' . condition($a, 1) . ' THEN ' . number($a) . " ELSE $a.g END" if $kind == 3;
	return 'coalesce(' . number($a) . ", $a.age)" if $kind == 4;
	return '(' . number($a) . ' + ' . number($a) . ')' if $kind == 5;
	return "$a." . one_of('n', 'note', 'g', 'age') if $kind == 6;
	return $a if $kind == 7;
	return "($a.note, " . number($a) . ')';
}

# what a FROM has, with the columns of people
sub source
{
	my ($a, $depth) = @_;
	my $kind = $depth > 0 ? below(9) : 0;
	my $all = "n, g, $columns, note";
	return one_of('people', 'parts', 'people', 'scored') . " $a" if $kind < 3;
	return "(SELECT * FROM " . source("q$a", $depth - 1) . ' WHERE ' . condition("q$a", 2) . " OFFSET 0) $a" if $kind == 3;
	return "(SELECT * FROM people p WHERE " . condition('p', 1) . " UNION ALL SELECT * FROM parts) $a" if $kind == 4;
	return "(SELECT * FROM people ORDER BY " . number('people') . ', n LIMIT ' . (1 + below(900)) . ") $a" if $kind == 5;
	return "(SELECT $all FROM people WHERE g < " . below(7) . ") $a" if $kind == 6;
	return "(SELECT max(n) AS n, g, avg(age) AS age, max(income) AS income, max(visits) AS visits, min(balance) AS balance,"
		. " string_agg(note, '' ORDER BY n) AS note FROM people GROUP BY g, n / 10) $a" if $kind == 7;
	return "(SELECT n + 1 AS n, g, " . number('z') . " AS age, income, visits, balance, note FROM people z) $a";
}

sub query
{
	my $kind = below(8);
	my $from = source('a', 2);
	my $where = condition('a', 2);
	my $join = one_of('JOIN', 'LEFT JOIN', 'FULL JOIN');
	my $on = 'a.n = b.n' . ($join eq 'FULL JOIN' ? '' : ' AND ' . condition('b', 1));
	return 'SELECT ' . expression('a') . ' AS e1, ' . expression('a') . " AS e2, a.n FROM $from WHERE $where" if $kind < 2;
	return 'SELECT a.g, count(*), min(' . number('a') . '), max(' . number('a') . ") FILTER (WHERE $where) FROM $from GROUP BY a.g HAVING min("
		. number('a') . ') < 0.9' if $kind == 2;
	return 'SELECT ' . expression('a') . ' AS e1, ' . expression('b') . " AS e2, a.n FROM $from $join " . source('b', 1) . " ON $on" if $kind == 3;
	return 'SELECT a.n, rank() OVER (PARTITION BY a.g ORDER BY ' . number('a') . ", a.n) FROM $from" if $kind == 4;
	return 'SELECT DISTINCT (' . expression('a') . ")::text AS e, a.g FROM $from WHERE $where" if $kind == 5;
	return "SELECT a.n, l.* FROM $from, LATERAL (SELECT max(" . number('b') . '), count(*) FROM people b WHERE b.n BETWEEN a.n AND a.n + 20'
		. " AND b.g >= a.g) l WHERE a.n % 50 = 0" if $kind == 6;
	return 'SELECT a.g, array_agg(' . number('a') . ' ORDER BY a.n), count(DISTINCT ' . number('a') . ") FROM $from GROUP BY a.g, a.n % 3";
}

sub settings
{
	my @settings = map { "SET enable_$_ = " . (below(4) ? 'on' : 'off') }
		qw(hashagg hashjoin mergejoin nestloop sort indexscan seqscan bitmapscan);
	my $workers = below(3) ? 0 : 2;
	return join(';', @settings, 'SET work_mem = ' . one_of(64, 4096), "SET max_parallel_workers_per_gather = $workers") . ";\n";
}

my $node = PostgreSQL::Test::Cluster->new('batches');
$node->init;
$node->append_conf('postgresql.conf',
	"fsync = off\njit = off\nparallel_setup_cost = 0\nparallel_tuple_cost = 0\nmin_parallel_table_scan_size = 0\n");
$node->start;
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION model_predict;
SELECT model_predict.register('m', pg_read_binary_file('$model'), trees => 'all', absent_feature => 'missing'),
	model_predict.register('other', pg_read_binary_file('$model'), trees => 'best', absent_feature => 'missing');
CREATE TABLE people AS
	SELECT n, n % 7 AS g, (n % 97 / 50.0)::float8 AS age, sin(n)::real AS income, CASE WHEN n % 5 > 0 THEN cos(n) END AS visits,
		n % 13 AS balance, repeat('x', n % 50) AS note
	FROM generate_series(1, 1500) n;
CREATE INDEX ON people (n);
CREATE TABLE parts (LIKE people) PARTITION BY HASH (n);
CREATE TABLE part0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part1 (gone int, note text, n int, g int, age float8, income real, visits float8, balance int);
ALTER TABLE part1 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION part1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT * FROM people;
CREATE VIEW scored AS SELECT *, predict('m', age, income, visits, balance) AS score FROM people;
ANALYZE people, parts;
SQL

# a digest of the rows of each query, for each setting
my @queries = map { query() } 1 .. $n_queries;
my $script = "LOAD 'model_predict';\n";
for my $i (0 .. $#queries)
{
	$script .= settings();
	for my $batch ('off', 'always')
	{
		$script .= "SET model_predict.batch = $batch;\n"
			. "SELECT $i, '$batch', count(*), md5(string_agg(q::text, ',' ORDER BY q::text)) FROM ($queries[$i]) q;\n";
	}
	$script .= "EXPLAIN $queries[$i];\n";
}
my ($out, $err) = ('', '');
my $status = $node->psql('postgres', $script, stdout => \$out, stderr => \$err, on_error_stop => 1);
is($status, 0, "$n_queries queries, seed $seed, are answered") or diag($err);

my %digests;
my $n_batched = 0;
for my $line (split /\n/, $out)
{
	$digests{$1}{$2} = $3 if $line =~ /^(\d+)\|(off|always)\|(.*)$/;
	$n_batched++ if $line =~ /ModelPredictBatch/;
}
my @different = grep { ($digests{$_}{off} // 'none') ne ($digests{$_}{always} // 'nothing') } 0 .. $#queries;
is(scalar @different, 0, 'batched or not, the same') or diag(join "\n", map { $queries[$_] } @different);
cmp_ok(scalar(grep { $_->{off} !~ /^0\|/ } values %digests), '>', $n_queries / 2, 'most give rows');
cmp_ok($n_batched, '>', $n_queries / 2, 'and have batches');

$node->stop;
done_testing();
