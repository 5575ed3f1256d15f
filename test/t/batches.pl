# Whatever the query, however its rows are asked for: what scans that score in
# batches give, and what they do besides, is what calls give and do. Queries are
# made at random; each is run without batches, with them, and with as many as can
# be, and must succeed or fail, give values and call volatile functions alike.
#
# BATCH_QUERIES and BATCH_SEED make other ones: docs/hardening.md tells of more.

use strict;
use warnings;

use IO::Socket::UNIX;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $n_queries = $ENV{BATCH_QUERIES} // 500;
my $seed = $ENV{BATCH_SEED} // 1;
my $model = "$ENV{TESTDIR}/test/data/models/rules/logistic.ubj";
my $columns = 'age, income, visits, balance';

srand($seed);

# whether there are rows that cannot be scored; whether volatile functions are called
my ($faults, $volatile);

sub one_of { return $_[ int rand @_ ]; }
sub below { return int rand $_[0]; }

# a score as a number, of the row that the alias names
sub number
{
	my ($a) = @_;
	my @rows = ("$a.*", "$a.age, $a.income, $a.visits, $a.balance", "ARRAY[$a.age, $a.income, $a.visits, $a.balance]");
	push @rows, "$a.age, $a.income / ($a.g - 3), $a.visits, 1" if $faults && !below(4);
	return sprintf 'predict(%s, %s)', one_of("'m'", "'other'", "'m'", "CASE WHEN $a.g > 2 THEN 'm' ELSE 'other' END"),
		one_of(@rows);
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
	my $kind = $depth > 0 ? below($volatile ? 9 : 8) : 0;
	return "tick($a.n) > 0" if $kind == 8;
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
	my $kind = below($volatile ? 11 : 9);
	return answer($a) if $kind < 2;
	return number($a) if $kind == 2;
	return 'CASE WHEN ' . condition($a, 1) . ' THEN ' . number($a) . " ELSE $a.g END" if $kind == 3;
	return 'coalesce(' . number($a) . ", $a.age)" if $kind == 4;
	return '(' . number($a) . ' + ' . number($a) . ')' if $kind == 5;
	return "$a." . one_of('n', 'note', 'g', 'age') if $kind == 6;
	return $a if $kind == 7;
	return "nextval('ticks')" if $kind == 9;
	return "tick($a.n)" if $kind == 10;
	return "($a.note, " . number($a) . ')';
}

# what a FROM has, with the columns of people
sub source
{
	my ($a, $depth) = @_;
	my $kind = $depth > 0 ? below(9) : 0;
	my $all = "n, g, $columns, note";
	return one_of('faulty', 'faulty', 'faulty_parts', 'people') . " $a" if $kind < 3 && $faults;
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
	my $kind = below(12);
	my $from = source('a', 2);
	my $where = condition('a', 2);
	my $join = one_of('JOIN', 'LEFT JOIN', 'FULL JOIN');
	my $on = 'a.n = b.n' . ($join eq 'FULL JOIN' ? '' : ' AND ' . condition('b', 1));
	my $order = one_of('', '', ' ORDER BY a.n', ' ORDER BY a.g, a.n');
	my $limit = below(3) ? '' : ' LIMIT ' . below(1200) . (below(2) ? '' : ' OFFSET ' . below(400));
	return 'SELECT ' . expression('a') . ' AS e1, ' . expression('a') . " AS e2, a.n FROM $from WHERE $where$order$limit" if $kind < 4;
	return 'SELECT a.g, count(*), min(' . number('a') . '), max(' . number('a') . ") FILTER (WHERE $where) FROM $from GROUP BY "
		. one_of('a.g', 'a.g', 'ROLLUP (a.g)') . ' HAVING min(' . number('a') . ') < 0.9' if $kind == 4;
	return 'SELECT ' . expression('a') . ' AS e1, ' . expression('b') . " AS e2, a.n FROM $from $join " . source('b', 1) . " ON $on$limit" if $kind == 5;
	return 'SELECT a.n, rank() OVER (PARTITION BY a.g ORDER BY ' . number('a') . ', a.n), max(' . number('a')
		. ') OVER (PARTITION BY a.g ORDER BY a.n), ' . expression('a') . " AS e FROM $from$limit" if $kind == 6;
	return 'SELECT DISTINCT (' . expression('a') . ")::text AS e, a.g FROM $from WHERE $where" if $kind == 7;
	return "SELECT a.n, l.* FROM $from, LATERAL (SELECT max(" . number('b') . '), count(*) FROM people b WHERE b.n BETWEEN a.n AND a.n + 20'
		. " AND b.g >= a.g) l WHERE a.n % 50 = 0" if $kind == 8;
	return 'WITH c AS ' . one_of('', 'MATERIALIZED ') . '(SELECT a.n, a.g, ' . number('a') . " AS s FROM $from) SELECT c.s, d.s AS t FROM c "
		. one_of('JOIN', 'LEFT JOIN') . ' c d ON d.n = c.n + 1' . $limit if $kind == 9;
	return 'SELECT a.n, array_agg(' . number('a') . " ORDER BY a.g), EXISTS (SELECT FROM people e WHERE e.g = a.n % 7 AND " . number('e')
		. " > 0.6) AS e FROM $from GROUP BY a.n ORDER BY a.n$limit" if $kind == 10;
	return 'SELECT a.g, array_agg(' . number('a') . ' ORDER BY a.n), count(DISTINCT ' . number('a') . ") FROM $from GROUP BY a.g, a.n % 3";
}

sub settings
{
	my ($query) = @_;
	my @settings = map { "SET enable_$_ = " . (below(4) ? 'on' : 'off') }
		qw(hashagg hashjoin mergejoin nestloop sort indexscan seqscan bitmapscan material);
	# which rows come first is not the same in parallel
	my $workers = $query->{mode} ne 'all' || $query->{query} =~ / LIMIT \d+( OFFSET \d+)?$/ || below(3) ? 0 : 2;
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
-- rows that cannot be scored, here and there
CREATE TABLE faulty AS SELECT n, g, age, CASE WHEN n % 397 = 300 THEN 'infinity' ELSE income END AS income, visits, balance, note FROM people;
CREATE INDEX ON faulty (n);
CREATE TABLE faulty_parts (LIKE people) PARTITION BY RANGE (n);
CREATE TABLE faulty_part0 PARTITION OF faulty_parts FOR VALUES FROM (MINVALUE) TO (500);
CREATE TABLE faulty_part1 PARTITION OF faulty_parts DEFAULT;
INSERT INTO faulty_parts SELECT * FROM faulty;
ANALYZE people, parts, faulty, faulty_parts;
CREATE SEQUENCE ticks;
CREATE FUNCTION tick(n int) RETURNS bigint LANGUAGE plpgsql AS \$\$ BEGIN RETURN nextval('ticks'); END \$\$;
CREATE FUNCTION observe(mode text, query text, n int) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
	seen text := '';
	i int := 0;
	r record;
	c refcursor;
BEGIN
	PERFORM setval('ticks', 1);
	BEGIN
		IF mode = 'all' THEN
			DROP TABLE IF EXISTS observed;
			EXECUTE format('CREATE TEMP TABLE observed AS SELECT q::text AS row FROM (%s) q', query);
			SELECT count(*) || md5(string_agg(row, ',' ORDER BY row COLLATE "C")) INTO seen FROM observed;
		ELSIF mode = 'loop' THEN
			FOR r IN EXECUTE query LOOP
				seen := md5(seen || r::text);
				i := i + 1;
				EXIT WHEN i >= n;
			END LOOP;
		ELSIF mode = 'into' THEN
			EXECUTE query INTO r;
			seen := r::text;
		ELSIF mode = 'exists' THEN
			EXECUTE format('SELECT EXISTS (%s)', query) INTO seen;
		ELSE
			IF mode = 'scroll' THEN
				OPEN c SCROLL FOR EXECUTE query;
			ELSE
				OPEN c FOR EXECUTE query;
			END IF;
			FOR i IN 1 .. 3 LOOP
				MOVE FORWARD n FROM c;
				FETCH c INTO r;
				seen := md5(seen || coalesce(r::text, '')) || (SELECT last_value FROM ticks);
				EXIT WHEN NOT FOUND;
			END LOOP;
			IF mode = 'scroll' THEN
				MOVE BACKWARD n / 2 FROM c;
				FETCH c INTO r;
				seen := md5(seen || coalesce(r::text, ''));
			END IF;
			CLOSE c;
		END IF;
		seen := format('%s, %s', seen, (SELECT last_value FROM ticks));
	EXCEPTION WHEN OTHERS THEN
		seen := 'failed ' || SQLSTATE;
	END;
	RETURN seen;
END \$\$;
SQL

# what each query gives, for each setting
my @queries;
my $script = "LOAD 'model_predict';\n";
for my $i (0 .. $n_queries - 1)
{
	$faults = below(2);
	$volatile = !below(3);
	my $mode = one_of('all', 'all', 'all', 'loop', 'loop', 'fetch', 'fetch', 'scroll', 'into', 'exists');
	my $n = one_of(1, 2, 10, 60, 100, 300, 700);
	push @queries, { mode => $mode, n => $n, faults => $faults, volatile => $volatile, query => query() };
	$script .= settings($queries[$i]);
	for my $batch ('off', 'auto', 'always')
	{
		$script .= "SET model_predict.batch = $batch;\n"
			. "SELECT $i, '$batch', observe('$mode', \$q\$$queries[$i]{query}\$q\$, $n);\n";
	}
	$script .= "EXPLAIN $queries[$i]{query};\n";
}
my ($out, $err) = ('', '');
my $status = $node->psql('postgres', $script, stdout => \$out, stderr => \$err, on_error_stop => 1);
is($status, 0, "$n_queries queries, seed $seed") or diag($err);

my %seen;
my $n_batched = 0;
for my $line (split /\n/, $out)
{
	$seen{$1}{$2} = $3 if $line =~ /^(\d+)\|(off|auto|always)\|(.*)$/;
	$n_batched++ if $line =~ /^.{0,6}Custom Scan \(ModelPredictBatch/;
}

# which of two errors comes first is free
sub outcome { return $_[0] =~ /^failed/ ? 'failed' : $_[0]; }

my @different = grep {
	my $seen = $seen{$_};
	grep { outcome($seen->{$_} // 'nothing') ne outcome($seen->{off} // 'none') } 'auto', 'always'
} 0 .. $#queries;
is(scalar @different, 0, 'batched or not, the same') or diag(join "\n", map {
	"$queries[$_]{mode} $queries[$_]{n}: $queries[$_]{query}\n  off $seen{$_}{off}\n  auto $seen{$_}{auto}\n  always $seen{$_}{always}"
} @different[0 .. ($#different > 9 ? 9 : $#different)]);
my %states = map { $seen{$_}{off} =~ /^failed (.*)/ ? ($1 => ($_)) : () } 0 .. $#queries;
is(join(' ', grep { $_ !~ /^(22003|22012|42804)$/ } sort keys %states), '', 'faults are those of rows: infinities, as JSON has them, too, and division by zero')
	or diag(join "\n", map { "$_: $queries[$states{$_}]{query}" } keys %states);
my $n_failed = grep { $_->{off} =~ /^failed/ } values %seen;
cmp_ok($n_failed, '>', $n_queries / 10, 'some fail');
cmp_ok($n_failed, '<', $n_queries / 2, 'most do not');
cmp_ok(scalar(grep { $_->{off} !~ /^0/ } values %seen), '>', $n_queries / 2, 'and give rows');
cmp_ok($n_batched, '>', $n_queries / 4, 'and have batches');
note("$n_failed of $n_queries fail");

# drivers that ask for so many rows at a time, which only the protocol can say
sub message { my ($type, $body) = @_; return $type . pack('N', 4 + length $body) . $body; }

sub answers
{
	my ($socket) = @_;
	my ($got, $failed) = ('', 0);
	for (;;)
	{
		my ($head, $body) = ('', '');
		$socket->read($head, 5) == 5 or die 'the server is gone';
		my ($type, $length) = unpack 'a1 N', $head;
		$socket->read($body, $length - 4) if $length > 4;
		$failed = 1 if $type eq 'E';
		$got .= $body if $type eq 'D';
		return $failed ? 'failed' : $got if $type eq 'Z';
	}
}

my $socket = IO::Socket::UNIX->new($node->host . '/.s.PGSQL.' . $node->port) or die "cannot connect: $!";
my $user = $node->safe_psql('postgres', 'SELECT current_user');
my $start = pack('N', 196608) . "user\0$user\0database\0postgres\0\0";
$socket->print(pack('N', 4 + length $start) . $start);
$socket->flush;
answers($socket);
my @failed;
my $n_limited = 0;
for my $query (grep { $_->{mode} eq 'fetch' || $_->{mode} eq 'loop' } @queries)
{
	my %got;
	for my $batch ('off', 'auto', 'always')
	{
		$socket->print(message('Q', "SET model_predict.batch = $batch; SELECT setval('ticks', 1)\0"));
		answers($socket);
		# two portions, before the portal is closed
		$socket->print(message('P', "\0$query->{query}\0" . pack('n', 0)) . message('B', "\0\0" . pack('n3', 0, 0, 0))
			. message('E', "\0" . pack('N', $query->{n})) x 2 . message('S', ''));
		$socket->flush;
		$got{$batch} = answers($socket);
		next if $got{$batch} eq 'failed';
		$socket->print(message('Q', "SELECT last_value FROM ticks\0"));
		$socket->flush;
		$got{$batch} .= answers($socket);
	}
	$n_limited++;
	push @failed, "$query->{n}: $query->{query}" if $got{auto} ne $got{off} || $got{always} ne $got{off};
}
is(scalar @failed, 0, "$n_limited queries with the protocol's row limit") or diag(join "\n", @failed[0 .. ($#failed > 9 ? 9 : $#failed)]);
cmp_ok($n_limited, '>', $n_queries / 5, 'many');

$node->stop;
done_testing();
