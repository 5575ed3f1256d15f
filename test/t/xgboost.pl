# libxgboost is kept at arm's length: without it, with a broken or an old one,
# with a model that it must not see, and with the real one. The libraries that
# misbehave are made here, by the compiler, from a few lines.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $models = "$ENV{TESTDIR}/test/data/models";
my $dir = PostgreSQL::Test::Utils::tempdir();

my $node = PostgreSQL::Test::Cluster->new('xgboost');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nlog_min_messages = debug1\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION model_predict');

sub register
{
	my ($name, $file) = @_;
	$node->safe_psql('postgres',
		"SELECT model_predict.register('$name', pg_read_binary_file('$file'), trees => 'all')");
}

# what psql says on stderr; the settings and statements in one session
sub error_of
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', $sql, on_error_stop => 0);
	return $err;
}

my $row = "'{1,0,0.5,-0.5,2,0,0,0}'::real[]";
register('mine', "$models/xgboost-1.7.4/binary-logistic-basescore/model.ubj");
register('newer', "$models/xgboost-3.4.1/binary-logistic-basescore/model.ubj");
register('old', "$models/xgboost-1.3.3/dart/model.deprecated");
register('linear', "$models/xgboost-1.7.4/gblinear/model.json");
my $n = $node->safe_psql('postgres', "SELECT features FROM model_predict.versions WHERE model = 'mine'");
$row = "array_fill(0.5::real, array[$n])";

# no library

my $absent = "SET model_predict.xgboost_library = '$dir/absent.so'; SET client_min_messages = error;";
my $err = error_of("$absent SET model_predict.engine = xgboost; SELECT predict('mine', $row)");
like($err, qr/ERROR:  libxgboost could not be loaded from "[^"]*absent.so"/, 'a missing library is an error');
like($err, qr/HINT:  .*apt install libxgboost0/, 'that says how to install it');
like($node->safe_psql('postgres', "$absent SELECT predict('mine', $row)"), qr/^0\.\d+$/, 'the native engine does without');
like($node->safe_psql('postgres', "$absent SELECT test, differences, detail FROM model_predict.verify('mine')"),
	qr/reference\|0\|.*\nlibxgboost\|\|libxgboost could not be loaded/, 'so does verify()');
like($node->safe_psql('postgres', "SET model_predict.engine = native; SELECT detail FROM model_predict.verify('mine');
		SELECT pg_read_file('/proc/self/maps') LIKE '%libxgboost%'"),
	qr/engine is native.*\nf$/s, 'the native engine never loads it');
$node->safe_psql('postgres', 'CREATE ROLE nobody');
like(error_of("SELECT predict('mine', $row); SET ROLE nobody; SET model_predict.xgboost_library = 'x'"),
	qr/permission denied to set parameter/, 'who is no superuser does not choose the library');
like(error_of("SELECT predict('mine', $row); SET ROLE nobody; SET model_predict.engine = xgboost"), qr/permission denied to set parameter/, 'nor that it is used');
is($node->safe_psql('postgres', "SET ROLE nobody; SET model_predict.xgboost_library = 'x'; RESET ROLE;
		SELECT predict('mine', NULL::real[]); SHOW model_predict.xgboost_library"),
	"\nlibxgboost.so.0", 'not even before the extension is loaded');

# libraries that misbehave

my %defaults = (
	version => '1, 7, 4', load => 'return 0', save => 'return -1', said => 'no more');

sub library
{
	my ($name, %set) = @_;
	my %code = (%defaults, %set);
	my ($major, $minor, $patch) = split /, /, $code{version};
	open my $c, '>', "$dir/$name.c" or die;
	print $c <<C;
#include <stdint.h>
#include <stdio.h>
static void (*say)(const char *);
void XGBoostVersion(int *a, int *b, int *c) { *a = $major; *b = $minor; *c = $patch; }
const char *XGBGetLastError(void) { return "$code{said}"; }
int XGBRegisterLogCallback(void (*f)(const char *)) { say = f; return 0; }
int XGBoosterCreate(void *const *d, uint64_t n, void **out) { *out = &say; return 0; }
int XGBoosterFree(void *b) { return 0; }
int XGBoosterSetParam(void *b, const char *k, const char *v) { return 0; }
int XGBoosterLoadModelFromBuffer(void *b, const void *data, uint64_t size)
{
	FILE *seen = fopen("$dir/$name.seen", "w");
	fclose(seen);
	say("[10:11:12] /src/learner.cc:12: a warning\\nof two lines");
	$code{load};
}
int XGBoosterSaveModelToBuffer(void *b, const char *config, uint64_t *size, const char **data) { $code{save}; }
int XGBoosterPredictFromDense(void *b, const char *v, const char *c, void *m, const uint64_t **s, uint64_t *d, const float **r) { return -1; }
int XGBoosterPredictFromDMatrix(void *b, void *m, const char *c, const uint64_t **s, uint64_t *d, const float **r) { return -1; }
int XGDMatrixCreateFromMat(const float *x, uint64_t r, uint64_t c, float missing, void **out) { return -1; }
@{[ $code{without_free} ? '' : 'int XGDMatrixFree(void *m) { return 0; }' ]}
C
	close $c;
	system('cc', '-shared', '-fPIC', '-o', "$dir/$name.so", "$dir/$name.c") == 0 or die 'no compiler';
	chmod 0755, "$dir/$name.so";
	return "SET model_predict.xgboost_library = '$dir/$name.so'; SET model_predict.engine = xgboost;";
}
chmod 0777, $dir;

like(error_of(library('incomplete', without_free => 1) . "SELECT predict('mine', $row)"),
	qr/ERROR:  library "[^"]*incomplete.so" has no function XGDMatrixFree/, 'a library that lacks a function is named');
like(error_of(library('ancient', version => '1, 6, 2') . "SELECT predict('mine', $row)"),
	qr/ERROR:  libxgboost 1.6.2 in "[^"]*ancient.so" is too old/, 'one before 1.7 is refused');

my $stub = library('stub', load => 'return -1',
	said => '[10:11:12] ../src/common/json.cc:77: Check failed: \\x1b[31m ok\\nStack trace:\\n  [bt] (0) lib.so(+0x1234)');
$err = error_of("$stub SELECT predict('newer', $row)");
like($err, qr/ERROR:  libxgboost 1.7.4 cannot read model "newer" version 1: it was saved by XGBoost 3.4.1/,
	'a newer model is refused');
ok(!-e "$dir/stub.seen", 'and was not given to the library');
$err = error_of("$stub SELECT predict('mine', $row)");
ok(-e "$dir/stub.seen", 'one that it may read is');
like($err, qr/ERROR:  libxgboost 1.7.4 could not read model "mine" version 1\nDETAIL:  It says: Check failed: \?\[31m ok$/m,
	'what the library says is cut to a line and cleaned');
unlike($err, qr/Stack trace|json\.cc|\[bt\]/, 'without places and stack traces');
like($node->safe_psql('postgres', "$stub SELECT detail FROM model_predict.verify('mine') WHERE test = 'libxgboost'"),
	qr/^libxgboost 1.7.4 could not read/, 'verify() goes on without it');

# a library that reads something else than what is written
like(error_of(library('liar', save => 'static const char nothing[] = "{}"; *data = nothing; *size = 2; return 0') . "SELECT predict('mine', $row)"),
	qr/ERROR:  libxgboost 1.7.4 reads model "mine" version 1 otherwise than it is written/,
	'a library that does not understand the model does not score');
like(error_of(library('future', version => '3, 1, 0') . "SELECT predict('old', $row)"),
	qr/ERROR:  libxgboost 3.1.0 cannot read model "old" version 1: it is in the old binary format/,
	'the old binary format is not given to a library that has forgotten it');
like(error_of(library('other') . "SELECT predict('mine', $row); $stub SELECT predict('mine', $row)"),
	qr/ERROR:  library "[^"]*stub.so" cannot be loaded: this session has loaded libxgboost 1.7.4/,
	'a session keeps its library');

# a model that lies about its age
(my $lie = slurp_file("$models/xgboost-3.4.1/gblinear/model.json")) =~ s/"version":\[3,4,1\]/"version":[1,7,4]/ or die;
open my $f, '>', "$dir/lie.json" or die;
print $f $lie;
close $f;
my ($status, $out, $said) = $node->psql('postgres',
	"SELECT model_predict.register('lie', pg_read_binary_file('$dir/lie.json'), trees => 'all')");

my $log = slurp_file($node->logfile);
unlike($log, qr/Stack trace|of two lines|learner\.cc/, 'nothing of that is in the log');
like($log, qr/DEBUG:  libxgboost says: a warning$/m, 'but for who looks for it');

# the real one

SKIP:
{
	my $version = $node->safe_psql('postgres', "SELECT library FROM model_predict.verify('mine') WHERE test = 'libxgboost'");
	skip 'no libxgboost 1.7 is installed', 11 if $version !~ /^1\.7\./;

	my $size = -s $node->logfile;
	my $status_of = "substring(pg_read_file('/proc/self/status') FROM 'Threads:\\s+(\\d+)'),
		substring(pg_read_file('/proc/self/status') FROM 'SigBlk:\\s+(\\w+)')";
	my $calm = $node->safe_psql('postgres', "SELECT $status_of");
	for my $model (qw(mine old linear))
	{
		my $n = $node->safe_psql('postgres', "SELECT features FROM model_predict.versions WHERE model = '$model'");
		my $sql = "SELECT predict_margin('$model', array_fill(0.5::real, array[$n])), predict_all('$model', array_fill(NULL::real, array[$n]))";
		is($node->safe_psql('postgres', "SET model_predict.engine = xgboost; $sql"), $node->safe_psql('postgres', $sql),
			"$model: the same answers");
	}
	is($node->safe_psql('postgres', "SET model_predict.engine = xgboost; SELECT predict('mine', $row) > 0;
			SELECT pg_read_file('/proc/self/maps') LIKE '%libxgboost%'; SELECT $status_of"),
		"t\nt\n$calm", 'the backend stays at one thread, its signals as they were');
	like(error_of("SET model_predict.engine = xgboost; SELECT predict('newer', $row)"),
		qr/ERROR:  libxgboost \Q$version\E cannot read model "newer" version 1: it was saved by XGBoost 3.4.1/,
		'a newer model is refused whatever the caller asks');
	SKIP:
	{
		skip 'the reader refuses it', 1 if $status;
		like(error_of("SET model_predict.engine = xgboost; SELECT predict_margin('lie', array_fill(0.5::real, array[8]))"),
			qr/ERROR:  libxgboost \Q$version\E (reads|cannot read|could not read) model "lie"/,
			'so is one that lies about its age');
	}
	# 2 MB of bits in the library for each split on so high a code
	(my $sets = slurp_file("$models/xgboost-1.7.4/categorical-partition/model.json")) =~
		s/("categories":\[(?:\d+,)*)\d+\]/${1}16777215]/g or die;
	open my $wide, '>', "$dir/sets.json" or die;
	print $wide $sets;
	close $wide;
	register('sets', "$dir/sets.json");
	my $refused = qr/libxgboost \Q$version\E cannot read model "sets" version 1: the sets of its categories would take \d{8,} bytes there/;
	like(error_of("SET model_predict.engine = xgboost; SELECT predict('sets', array_fill(NULL::real, array[8]))"), $refused,
		'sets of categories that grow in the library are kept from it');
	like($node->safe_psql('postgres', "SELECT detail FROM model_predict.verify('sets')"), $refused, 'by verify() too');
	my $parallel = "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;";
	$node->safe_psql('postgres', "CREATE TABLE t AS SELECT (n % 100 / 10.0)::real AS x FROM generate_series(1, 20000) n;
		ALTER TABLE t SET (parallel_workers = 2); ANALYZE t");
	my $sum = "SELECT sum(predict('mine', array_fill(x, array[$n]))) FROM t";
	is($node->safe_psql('postgres', "$parallel SET model_predict.engine = xgboost; $sum"),
		$node->safe_psql('postgres', $sum), 'parallel workers load it too');

	# boosters come and go: what the library holds goes with them
	my $cycles = $node->safe_psql('postgres', <<SQL);
SET model_predict.engine = xgboost;
CREATE FUNCTION kb() RETURNS int LANGUAGE sql VOLATILE AS
	\$\$ SELECT substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\\s+(\\d+) kB')::int \$\$;
CREATE FUNCTION cycle(n int) RETURNS bigint LANGUAGE plpgsql AS \$\$
DECLARE
	loads timestamptz[] := '{}';
BEGIN
	FOR i IN 1 .. n LOOP
		PERFORM set_config('model_predict.kernel', CASE i % 2 WHEN 0 THEN 'reference' ELSE 'portable' END, false);
		PERFORM predict('mine', $row);
		loads := loads || (SELECT loaded FROM model_predict.cache);
	END LOOP;
	RETURN (SELECT count(DISTINCT l) FROM unnest(loads) AS l);
END \$\$;
SELECT cycle(40);
CREATE TEMP TABLE before AS SELECT kb() AS kb;
SELECT cycle(200) = 200;
SELECT kb() - kb < 1024 FROM before;
SQL
	like($cycles, qr/^t\nt$/m, 'memory does not grow while models come and go');
	my $new = substr(slurp_file($node->logfile), $size);
	unlike($new, qr/^(?!\d{4}-\d\d-\d\d |\t).*\S/m, 'the library writes nothing past us');
}

$node->stop;
done_testing();
