# What loading and registering leave behind: nothing, whatever ends them. After a
# thousand loads and evictions, a thousand failed registrations, cancels at all
# stages and a lack of memory at all stages, a session holds what it held before,
# and the next call works.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $models = "$ENV{TESTDIR}/test/data/models";
my $node = new_server('memory', 'jit = off');
install_extension($node);
$node->safe_psql('postgres', <<SQL);
CREATE TABLE file AS
	SELECT 'multi' AS name, pg_read_binary_file('$models/xgboost-3.4.1/multi-softprob/model.json') AS bytes
	UNION ALL SELECT 'categories', pg_read_binary_file('$models/xgboost-1.7.4/categorical-partition/model.ubj')
	UNION ALL SELECT 'old', pg_read_binary_file('$models/xgboost-1.3.3/boosted-forest/model.deprecated');
INSERT INTO file SELECT 'large', large_model(10000, 1);
SELECT model_predict.register(name, bytes, trees => 'all') FROM file;

CREATE VIEW held AS SELECT
	(SELECT sum(total_bytes) FROM pg_backend_memory_contexts)::int / 1024 AS contexts,
	substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\\s+(\\d+) kB')::int AS process;
CREATE FUNCTION score_all() RETURNS float8 LANGUAGE sql AS
	\$\$ SELECT sum((predict_margin(model, array_fill(1::real, ARRAY[features])))[1]) FROM model_predict.versions WHERE model <> 'large' \$\$;
-- the other kernel: all are loaded anew
CREATE FUNCTION forget(i int) RETURNS text LANGUAGE sql AS
	\$\$ SELECT set_config('model_predict.kernel', CASE i % 2 WHEN 0 THEN 'reference' ELSE 'portable' END, false) \$\$;
CREATE FUNCTION reload(n int) RETURNS int LANGUAGE plpgsql AS \$\$
BEGIN
	FOR i IN 1 .. n LOOP
		PERFORM forget(i), score_all();
	END LOOP;
	RETURN n;
END \$\$;
-- there is room for the large one or for the others: each use evicts
CREATE FUNCTION evict(n int) RETURNS bigint LANGUAGE plpgsql AS \$\$
DECLARE
	evicted bigint := 0;
BEGIN
	PERFORM set_config('model_predict.cache_size', '1MB', false), forget(2);
	FOR i IN 1 .. n LOOP
		PERFORM predict('large', 1, 2);
		evicted := evicted + (SELECT (string_agg(model, ' ') = 'large')::int FROM model_predict.cached());
		PERFORM score_all();
	END LOOP;
	RETURN evicted;
END \$\$;
-- each truncation, each wrong option: refused
CREATE FUNCTION refuse(n int) RETURNS int LANGUAGE plpgsql AS \$\$
DECLARE
	refused int := 0;
BEGIN
	FOR i IN 1 .. n LOOP
		BEGIN
			PERFORM model_predict.register(name, CASE i % 3 WHEN 0 THEN bytes ELSE substr(bytes, 1, (length(bytes) * (i::real / n))::int - 1) END,
				trees => 'all', classes => CASE i % 6 WHEN 0 THEN '{a,b,c,d,e,f}'::text[] END,
				examples => CASE i % 6 WHEN 3 THEN '[{"row":{},"predict_all":1}]'::jsonb END) FROM file WHERE name <> 'large' OFFSET i % 3 LIMIT 1;
		EXCEPTION WHEN OTHERS THEN
			refused := refused + 1;
		END;
	END LOOP;
	RETURN refused;
END \$\$;
SQL

sub growth_of
{
	my ($what, $warm_up) = @_;
	my ($contexts, $process, $result) = split /\|/, $node->safe_psql('postgres', <<SQL) =~ s/.*\n//sr;
SET client_min_messages = error;
SELECT score_all() IS NULL;
$warm_up;
CREATE TEMP TABLE before AS SELECT * FROM held;
CREATE TEMP TABLE result AS SELECT $what AS value;
SELECT forget(0), score_all();
SELECT held.contexts - before.contexts, held.process - before.process, value FROM held, before, result;
SQL
	return ($contexts, $process, $result);
}

my ($contexts, $process, $result) = growth_of('reload(1000)', 'SELECT reload(100)');
cmp_ok($contexts, '<', 1024, 'a thousand times three loads: memory contexts');
cmp_ok($process, '<', 1024, 'and the process');
($contexts, $process, $result) = growth_of('evict(1000)', 'SELECT evict(100)');
cmp_ok($result, '>=', 1000, 'a thousand evictions of each');
cmp_ok($contexts, '<', 1024, 'memory contexts');
cmp_ok($process, '<', 1024, 'and the process');
($contexts, $process, $result) = growth_of('refuse(1000)', 'SELECT refuse(100)');
is($result, 1000, 'a thousand failed registrations');
cmp_ok($contexts, '<', 1024, 'memory contexts');
cmp_ok($process, '<', 1024, 'and the process');

# while it is registered, with the file itself
my ($room, $size) = split /\|/, $node->safe_psql('postgres', <<'SQL') =~ s/.*\n//sr;
SET client_min_messages = error;
CREATE FUNCTION process(item text) RETURNS bigint LANGUAGE sql AS
	$$ SELECT 1024 * substring(pg_read_file('/proc/self/status') FROM item || ':\s+(\d+) kB')::bigint $$;
SELECT model_predict.register('warm up', bytes, trees => 'all') FROM file WHERE name = 'multi';
CREATE TEMP TABLE before AS SELECT process('VmPeak');
SELECT model_predict.register('again', bytes, trees => 'all') FROM file WHERE name = 'large';
SELECT process('VmPeak') - before.process, length(bytes) FROM before, file WHERE name = 'large';
SQL
cmp_ok($size, '>', 5_000_000, 'a file of some size');
# the limit is four times and 16 MB, but the trees of JSON are smaller than its text
cmp_ok($room, '<', 3 * $size, 'is registered within three times its size');

# cancels: a limit that doubles until it is long enough, on what takes a while
my $session = session($node);
my $held = q{SELECT string_agg(name || ' ' || coalesce(ident, ''), ', ' ORDER BY name, ident) FROM pg_backend_memory_contexts
	WHERE name LIKE 'model\_predict%' AND name NOT IN ('model_predict cache', 'model_predict models', 'model_predict citus',
		'model_predict reference', 'model_predict usage')};
my %slow = (
	'registering' => q{BEGIN; SELECT model_predict.register('again', bytes, trees => 'all') FROM file WHERE name = 'large'},
	'loading' => q{SELECT forget(2), predict('large', 1, 2)},
	'loading trees' => q{SELECT forget(1), predict('large', 1, 2), predict_leaf('large', 1, 2) IS NULL},
	'verifying' => q{SELECT forget(1), count(*) FROM model_predict.verify('large')});
for my $what (sort keys %slow)
{
	my $cancelled = 0;
	my $left = '';
	my $loaded = $session->("SELECT forget(1), forget(2); $held");
	for (my $limit = 1; $limit < 600_000; $limit *= 2)
	{
		my $state = $session->("SET statement_timeout = $limit; $slow{$what}");
		$session->('ROLLBACK; RESET statement_timeout');
		last if $state ne '57014';
		$cancelled++;
		$left = $session->("SELECT forget(1), forget(2); $held");
		last if $left ne $loaded;
	}
	# a load may be too short for that
	cmp_ok($cancelled, '>', 0, "$what: cancelled $cancelled times") if $what !~ /loading/;
	is($left, $loaded, "$what: nothing stays");
}
is($session->(q{SELECT predict('large', 1, 2) IS NULL}), 'f', 'and the next call works');

# terminated in the middle: the session ends, the server does not
my $pid = $session->('SELECT pg_backend_pid()');
{
	my ($in, $out) = ("SELECT pg_backend_pid();\nSELECT reload(1000000);\n", '');
	my $psql = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', '-' ], '<', \$in, '>', \$out, '2>', \my $err,
		IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default));
	$psql->pump until $out =~ /^(\d+)$/m;
	is($session->("SELECT pg_terminate_backend($1, 60000)"), 't', 'a session that loads is terminated');
	$psql->finish;
	like($err, qr/terminating connection due to administrator command/, 'and ends');
	is($session->('SELECT pg_backend_pid()'), $pid, 'others go on');
}

# a lack of memory: each new session may take a little more, until it is enough.
# Its stack is grown before, for it could not be then.
SKIP:
{
	skip 'no prlimit here', 6 if system('prlimit --version >/dev/null 2>&1') != 0;
	for my $what ('loading from the file', 'loading the image')
	{
		$session->($what =~ /file/ ? 'DELETE FROM model_predict.stored_forest' : 'SELECT model_predict.recompile(model) FROM model_predict.models');
		my ($lacked, $state, @other, @left) = (0, '');
		for (my $more = 0; $state ne 't'; $more += $what =~ /file/ ? 262_144 : 32_768)
		{
			my $poor = session($node);
			my $pid = $poor->("SELECT pg_backend_pid() FROM model_predict.cached() RIGHT JOIN (SELECT (repeat('[', 5000) || repeat(']', 5000))::json) q ON true");
			my $empty = $poor->($held);
			my ($size) = slurp_file("/proc/$pid/status") =~ /VmSize:\s+(\d+) kB/;
			system("prlimit --pid $pid --as=" . ($size * 1024 + $more) . ':');
			$state = $poor->(q{SELECT predict('large', 1, 2) IS NOT NULL});
			system("prlimit --pid $pid --as=unlimited:");
			if ($state ne 't')
			{
				$state eq '53200' ? $lacked++ : push @other, $state;
				my $after = $poor->($held);
				push @left, $after if $after ne $empty;
				push @other, 'then' if $poor->(q{SELECT predict('large', 1, 2) IS NOT NULL}) ne 't';
			}
			$poor->(undef);
			last if @other > 3;
		}
		cmp_ok($lacked, '>', 10, "$what: lacked memory $lacked times");
		is("@other", '', "$what: no other error, and then it works");
		is("@left", '', "$what: nothing stays");
	}
}
is($session->('SELECT score_all() IS NULL'), 'f', 'and the next call works');
$session->(undef);
unlike(slurp_file($node->logfile), qr/PANIC|was terminated by signal|TRAP:/, 'no backend has died');

$node->stop;
done_testing();
