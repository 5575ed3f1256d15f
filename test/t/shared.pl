# One copy of a large model for all sessions: found by those that see the contents
# that it was made of, by no others, bounded, and never in the way of a query.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'reads /proc and looks for segments as Linux shows them' if $^O ne 'linux';

my $node = new_server('shared', 'wal_level = replica', 'restart_after_crash = on', 'dynamic_shared_memory_type = posix',
	'max_connections = 20');
install_extension($node);
# version v predicts some v thousand
$node->safe_psql('postgres', q{
	SELECT model_predict.register('m', large_model(10000, v), trees => 'all') FROM generate_series(1, 3) v;
	SELECT model_predict.register('small', large_model(10, 1), trees => 'all')});
my $shared = 'SELECT bool_and(shared) FROM model_predict.cache';
my %all;						# segments that were seen
my @sessions;

sub score
{
	my ($version) = @_;
	return "SELECT round(predict('m\@$version', 0, 0) / 1000)";
}

# the models' segments that a process maps: they are those that it cannot write
sub segments_of
{
	my ($pid) = @_;
	my @found = slurp_file("/proc/$pid/maps") =~ m!^\S+ r--s .*/dev/shm/(PostgreSQL\.\d+)!mg;
	@all{@found} = ();
	return join ' ', sort @found;
}

# a session, its answer, and what it maps
sub open_session
{
	my ($version, $server, @before) = @_;
	my $session = session($server // $node);
	push @sessions, $session;
	my $pid = $session->('SELECT pg_backend_pid()');
	$session->($_) for @before;
	my $answer = $session->(score($version));
	return ($session, $answer, segments_of($pid), $pid);
}

# a session that is busy with a statement
sub background
{
	my ($sql) = @_;
	my ($in, %session) = ("SELECT pg_backend_pid();\n$sql;\n");
	$session{out} = '';
	$session{psql} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', '-' ], '<', \$in, '>', \$session{out},
		'2>', \$session{err}, IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default));
	$session{psql}->pump until $session{out} =~ /^(\d+)$/m;
	$session{pid} = $1;
	return \%session;
}

sub close_sessions
{
	# until they are gone, lest they still map what they mapped
	$_->(undef) for @sessions;
	@sessions = ();
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'})
	  or die 'sessions stay';
	return;
}

sub set_limit
{
	my ($limit) = @_;
	$node->safe_psql('postgres', "LOAD 'model_predict'; ALTER SYSTEM SET model_predict.shared_cache_size = '$limit'");
	$node->reload;
	$node->poll_query_until('postgres', 'SHOW model_predict.shared_cache_size', $limit) or die 'no reload';
	return;
}

# two sessions
my ($first, $first_score, $first_segment, $first_pid) = open_session(1);
my ($second, $second_score, $second_segment) = open_session(1);
is($first_score, 1, 'the first session scores');
is($second_score, 1, 'the second one, too');
is($first->($shared), 't', 'what the first one loaded is shared');
is($second->($shared), 't', 'and the second one says so');
like($first_segment, qr/^PostgreSQL\.\d+$/, 'it is one segment, read-only');
is($second_segment, $first_segment, 'the same one');
my $bits = q{SELECT md5(string_agg(float8send(predict('m@1', x / 8.0, y / 8.0))::text, '')) FROM generate_series(0, 8) x, generate_series(0, 8) y};
is($second->($bits), $first->("SET model_predict.kernel = 'reference'; $bits"), 'the bits of the reference');
is($first->($shared) . segments_of($first_pid), 'f', 'which has trees of its own, and lets go of those');
is($first->("RESET model_predict.kernel; $bits; $shared") =~ s/.*\n//r, 't', 'and goes back to what is shared');
my $cursor = q{DECLARE c CURSOR FOR SELECT round(predict('m@1', 0, 0 * x) / 1000) FROM generate_series(1, 2) x; FETCH c};
is($first->("BEGIN; $cursor; SET LOCAL model_predict.kernel = 'reference'; SET LOCAL model_predict.kernel = 'auto';" . score(1)), "1\n1",
	'loaded anew while in use');
is($first->('FETCH c; CLOSE c; ' . score(1)), "1\n1", 'each stays as long as it is needed');
is($first->('COMMIT;' . score(1)) . ' ' . segments_of($first_pid), "1 $first_segment", 'mapped once');
my $size = $second->('SELECT bytes FROM model_predict.cache');
cmp_ok($size, '>', 300_000, 'it has some size');
# what a session has of its own, a kernel's working memory, depends on the processor
my $segment_size = -s "/dev/shm/$first_segment";
cmp_ok($second->(q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'model\_predict%'}), '<', $segment_size / 2,
	'which is not of the session');
is($second->("SELECT predict('small', 0, 0) IS NULL; SELECT shared FROM model_predict.cache WHERE model = 'small'"), "f\nf",
	'a small model is not shared');

# other contents of the same version: each session has what it sees
my ($old) = open_session(2, $node, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM model_predict.models');
is($old->(score(2)), 2, 'version 2');
my $forge = sub {
	my ($other) = @_;
	return map { "UPDATE model_predict.$_->[0] f SET ($_->[1]) = (SELECT $_->[1] FROM model_predict.$_->[0] g WHERE g.version = $other"
		. " AND g.model = f.model) WHERE version = 1 AND model = (SELECT model FROM model_predict.stored_forest WHERE version = 2)" }
		['stored_forest', 'fingerprint, forest, kernel'], ['stored_version', 'data, sha256'];
};
$node->safe_psql('postgres', 'CREATE TABLE originals AS SELECT data, sha256 FROM model_predict.stored_version WHERE version = 1
	AND model = (SELECT model FROM model_predict.stored_forest WHERE version = 2)');
my ($writer, $wrote, $own) = open_session(1, $node, 'BEGIN', $forge->(2));
is($wrote, 2, 'who changed what is stored has the change');
isnt($own, $first_segment, 'in another segment');
$writer->('ROLLBACK');
my (undef, $after, $again) = open_session(1);
is($after, 1, 'rolled back, it is not there');
isnt($again, $own, 'nor is its segment used');
$node->safe_psql('postgres', join ';', $forge->(3));
(undef, $after, $again) = open_session(1);
is($after, 3, 'changed for all');
isnt($again, $first_segment, 'the old segment is not used');
is($old->(score(1)), 1, 'an older snapshot has the old contents');
is(segments_of($old->('SELECT pg_backend_pid()')) =~ /\Q$again\E/ ? 1 : 0, 0, 'not the new segment');
is($second->(score(1)), 3, 'a session that had the old one too');
$node->safe_psql('postgres', "UPDATE model_predict.stored_version SET (data, sha256) = (SELECT data, sha256 FROM originals) WHERE version = 1
	AND model = (SELECT model FROM model_predict.stored_forest WHERE version = 2); SELECT model_predict.recompile('m\@1')");
(undef, $after, my $recompiled) = open_session(1);
is($after, 1, 'recompiled');
isnt($recompiled, $again, 'the segment of before is not used');
($writer, $wrote) = open_session(1, $node, 'BEGIN', 'UPDATE model_predict.stored_version v SET data = w.data FROM model_predict.stored_version w'
	. ' WHERE v.version = 1 AND w.version = 2 AND v.model = w.model');
is($wrote, 'XX001', 'nor is it where the file is no longer that of before');
$writer->('ROLLBACK');
(undef, $after, $again) = open_session(1);
is("$after $again", "1 $recompiled", 'and is again when that is back');
$node->safe_psql('postgres', "DELETE FROM model_predict.stored_forest");
(my $bare, $after, $again) = open_session(1);
is($after, 1, 'without an image, read from the file');
is("$again " . $bare->($shared), ' f', 'and not shared');
$node->safe_psql('postgres', "SELECT model_predict.recompile(model || '\@' || version) FROM model_predict.versions");
close_sessions();

is((grep { -e "/dev/shm/$_" } keys %all), 2, 'of two versions the last contents are kept');

# at the same time: both look for it before either has it, for both wait for an index of the pieces
my $lock = session($node);
$lock->('BEGIN');
$lock->('REINDEX TABLE ' . $lock->("SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 'model_predict.stored_forest'::regclass"));
my @loading = map { background(score(2) . ";\n$shared;\nSELECT pg_sleep(600)") } 1 .. 2;
$node->poll_query_until('postgres', "SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event_type = 'Lock'") or die 'nobody waits';
$lock->('COMMIT');
my @same;
for my $session (@loading)
{
	$session->{psql}->pump until $session->{out} =~ /^2\nt\n/m;
	push @same, segments_of($session->{pid});
}
for my $session (@loading)
{
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($session->{pid})");
	$session->{psql}->finish;
}
like($same[0], qr/^PostgreSQL\.\d+$/, 'loaded at the same time');
is($same[1], $same[0], 'it is there once');
$lock->(undef);

# parallel workers
is($node->safe_psql('postgres', q{
	CREATE TABLE row_of_x AS SELECT 0::real AS x FROM generate_series(1, 10000);
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
	SET parallel_leader_participation = off;
	SELECT min(score), max(score), bool_and(maps ~ 'r--s .*/dev/shm/PostgreSQL')
	FROM (SELECT round(predict('m@2', x, x) / 1000) AS score, CASE WHEN x IS NOT NULL THEN pg_read_file('/proc/self/maps') END AS maps FROM row_of_x) q}), '2|2|t', 'parallel workers');

# bounds
set_limit('0');
my ($private, $answer, $mapped) = open_session(1);
is("$answer $mapped " . $private->($shared), '1  f', 'with a limit of 0 nothing is shared');
my $slack = $private->('SELECT bytes FROM model_predict.cache');
cmp_ok(abs($slack - $size), '<', 70_000, 'and takes as much, of the session');
close_sessions();
set_limit(int($segment_size * 1.5 / 1024) . 'kB');
my ($one, $one_score, $one_segment, $one_pid) = open_session(1);
my ($two, $two_score, $two_segment) = open_session(2);
is("$one_score $two_score", '1 2', 'where there is room for one, both score');
is($one->($shared) . $two->($shared), 'tt', 'both from a segment');
my (undef, undef, $two_again) = open_session(2);
is($two_again, $two_segment, 'the last one is found');
is($one->("$bits") , $one->("SET model_predict.kernel = 'reference'; $bits"), 'the other one is whole for who has it');
$one->('RESET model_predict.kernel; ' . score(1));
my (undef, undef, $one_again) = open_session(1);
isnt($one_again, $one_segment, 'but not found any more');
close_sessions();
is((grep { -e "/dev/shm/$_" } keys %all), 1, 'one is left when all sessions have ended');
set_limit('100kB');
my ($large, $large_score) = open_session(1);
is("$large_score " . $large->($shared), '1 f', 'what is larger than the limit is not shared');
close_sessions();
is((grep { -e "/dev/shm/$_" } keys %all), 0, 'and the lowered limit holds for what was');
set_limit('256MB');

# the system has no room; its files are limited as a small /dev/shm would be
SKIP:
{
	skip 'no prlimit here', 2 if system('prlimit --version >/dev/null 2>&1') != 0;
	my $poor = session($node);
	push @sessions, $poor;
	my $pid = $poor->('SELECT pg_backend_pid()');
	system("prlimit --pid $pid --fsize=65536:");
	$poor->('SET client_min_messages = debug1');
	is($poor->(score(1)) . $poor->($shared), '1f', 'no room in /dev/shm: the session has a copy of its own');
	is($poor->(score(2)) . $poor->($shared), '2f', 'of all that it loads');
	close_sessions();
}
(undef, undef, my $gone) = open_session(3);
close_sessions();
unlink "/dev/shm/$gone" or die $gone;
my ($robbed, $robbed_score) = open_session(3);
is("$robbed_score " . $robbed->($shared), '3 f', 'somebody has removed the segment: the session has a copy of its own');
close_sessions();

# the model made anew under the same numbers
my ($known, $known_score, $known_segment) = open_session(1);
my $ids = $known->("SELECT model, version FROM model_predict.stored_forest ORDER BY 1, 2");
close_sessions();
my $new = $node->safe_psql('postgres', q{DROP EXTENSION model_predict; CREATE EXTENSION model_predict;
	SELECT model_predict.register('m', large_model(10000, 4 - v), trees => 'all') IS NULL FROM generate_series(1, 3) v;
	SELECT model_predict.register('small', large_model(10, 1), trees => 'all') IS NULL;
	SELECT model, version FROM model_predict.stored_forest ORDER BY 1, 2}) =~ s/^f\n//mgr;
is($new, $ids, 'other models, of the same numbers');
(my $anew, $answer, my $new_segment) = open_session(1);
is("$answer " . $anew->($shared), '3 t', 'score as they do');
isnt($new_segment, $known_segment, 'from another segment');
close_sessions();

# a standby has its own
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('shared_standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
my ($s1, $s1_score, $s1_segment) = open_session(2, $standby);
my ($s2, $s2_score, $s2_segment) = open_session(2, $standby);
is("$s1_score $s2_score", '2 2', 'a standby scores');
is($s2_segment, $s1_segment, 'and shares');
like($s2_segment, qr/^PostgreSQL\.\d+$/, 'one segment');
isnt($s2_segment, $new_segment, 'of its own');
$_->(undef) for splice @sessions, 0;
$standby->stop;

# killed while it scores: the server starts anew
($known, undef, $known_segment) = open_session(1);
my $victim = background("SELECT count(predict('m\@1', x % 2, 0)) FROM generate_series(1, 100000000) x");
$node->poll_query_until('postgres', "SELECT pg_read_file('/proc/$victim->{pid}/maps') ~ '$known_segment'") or die 'it does not score';
kill 'KILL', $victim->{pid};
$victim->{psql}->finish;
$_->(undef) for splice @sessions, 0;
$node->poll_query_until('postgres', 'SELECT true') or die 'it does not come back';
(my $reborn, $answer, my $segment) = open_session(1);
is("$answer " . $reborn->($shared), '3 t', 'after a crash it is shared anew');
isnt($segment, $known_segment, 'in another segment');
ok(!-e "/dev/shm/$known_segment", 'that of before is gone');
close_sessions();

# the library loaded by the server, and segments in the main shared memory
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'model_predict'\nmin_dynamic_shared_memory = '2MB'");
set_limit(int($segment_size * 1.5 / 1024) . 'kB');
$node->restart;
my $main = session($node);
push @sessions, $main;
my $main_pid = $main->('SELECT pg_backend_pid()');
# the places of old segments are used again, by the session that had sealed those
for my $version (1, 2, 3, 3, 2, 1)
{
	is($main->("SET model_predict.kernel = 'portable'; SET model_predict.kernel = 'auto'; " . score($version)), 4 - $version,
		"version $version in the main shared memory");
	is($main->($shared) . ' ' . segments_of($main_pid), 't ', 'shared, and nowhere else');
}

# what a model shares counts with it, before and after it explains
my $explains = session($node);
push @sessions, $explains;
my $elsewhere = q{SELECT (SELECT sum(bytes) FROM model_predict.cache) - sum(total_bytes) FROM pg_backend_memory_contexts
	WHERE name IN ('model_predict model', 'model_predict trees', 'model_predict shap')};
$explains->(score(1));
is($explains->($shared), 't', 'a model in shared memory');
my $counted = $explains->($elsewhere);
cmp_ok($counted, '>', 100000, 'counts with what it shares');
$explains->("SELECT predict_contribs('m\@1', 0, 0), predict_interactions('m\@1', 0, 0)");
is($explains->($elsewhere), $counted, 'and does after it has explained a row');
close_sessions();

$node->stop;
is(join(' ', grep { -e "/dev/shm/$_" } keys %all), '', 'nothing is left in /dev/shm');
my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|TRAP:|WARNING:  (?!terminating)/, 'nothing to complain of');

done_testing();
