# Aggregates over scores: against scikit-learn and SciPy, in oracles/metrics.py;
# here what they refuse, what they need of memory, and that they can be cancelled.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('metrics');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION model_predict');

oracle($node, 'metrics.py', 100);

sub answers
{
	my ($sql, $want, $name) = @_;
	is($node->safe_psql('postgres', $sql), $want, $name);
}

sub refused
{
	my ($sql, $like, $name) = @_;
	my ($status, undef, $err) = $node->psql('postgres', $sql, on_error_stop => 1);
	isnt($status, 0, $name);
	like($err, $like, "$name: message");
}

# rows that are left out, and no rows
answers("SELECT (e).rows, (e).left_out, (e).roc_auc FROM (SELECT model_predict.evaluate_binary(o, s) e FROM (VALUES
	(true, 0.9), (false, 0.1), (NULL, 0.5), (true, NULL), (false, 'NaN'::float8)) t(o, s)) x", '2|3|1', 'NULL and NaN are left out');
answers("SELECT (e).rows, (e).left_out FROM (SELECT model_predict.evaluate_regression(a, p, w) e FROM (VALUES
	(1, 2, 1), (1, 2, NULL), (1, 'NaN'::float8, 1), (NULL, 1, 1)) t(a, p, w)) x", '1|3', 'of numbers and weights too');
answers('SELECT model_predict.roc_auc(true, 1) IS NULL, model_predict.roc_auc(o, 1) IS NULL, (model_predict.evaluate_binary(o, 1)).rows,
	(model_predict.evaluate_regression(1, 1)).rows, model_predict.roc_curve(o, 1) FROM (SELECT true o WHERE false) t', 't|t|0|0|{}', 'no rows');
answers('SELECT model_predict.roc_auc(o, s), model_predict.roc_auc(o, -s) FROM (SELECT i % 3 = 0 o, i % 3 = 0 s FROM generate_series(1, 9) i) t(o, b),
	LATERAL (SELECT b::int::float8) u(s)', '1|0', 'a perfect ranking, and its opposite');
answers("SELECT model_predict.roc_auc(i > 1, CASE i WHEN 1 THEN float8 '-Infinity' WHEN 2 THEN 3 ELSE 'Infinity' END) FROM generate_series(1, 3) i",
	'1', 'scores may be infinite');
answers('SELECT count(*), bool_and(auc IS NOT DISTINCT FROM (SELECT model_predict.roc_auc(j % 3 = 0, (j * 37 % 101) / 101.0) FROM generate_series(1, i) j))
	FROM (SELECT i, model_predict.roc_auc(i % 3 = 0, (i * 37 % 101) / 101.0) OVER (ORDER BY i) auc FROM generate_series(1, 50) i) x', '50|t', 'as a window function');
answers('SELECT (u).bucket, (u).rows, (u).positives, (u).captured FROM (SELECT unnest(model_predict.gains(i < 3, 1, 2)) u FROM generate_series(1, 5) i) x',
	"1|3|1.2|0.6\n2|2|0.8|1", 'ties across a cut are shared');

# bucket: MurmurHash3_x86_32's published vectors, seed 0; a salt comes first, then a zero byte
answers("SELECT model_predict.bucket(k) * 4294967296 FROM (VALUES (''), ('a'), ('abc'), ('Hello, world!'), ('ππππππππ')) t(k)",
	join("\n", map { murmur3("\0$_") } '', 'a', 'abc', 'Hello, world!', "\xcf\x80" x 8), 'bucket is murmur3 of a zero byte and the key');
answers("SELECT model_predict.bucket('42', 'churn-2026') * 4294967296", murmur3("churn-2026\x0042"), 'bucket with a salt');
is(murmur3(''), 0, 'murmur3 of nothing');
is(murmur3('test'), 0xba6bd213, 'murmur3, a published vector');
is(murmur3('Hello, world!'), 0xc0363e43, 'murmur3, another');
is(murmur3('The quick brown fox jumps over the lazy dog'), 0x2e4ff723, 'murmur3, a longer one');
answers("SELECT min(n) > 900, max(n) < 1100 FROM (SELECT count(*) n FROM generate_series(1, 10000) i GROUP BY floor(model_predict.bucket(i::text) * 10)) x",
	't|t', 'buckets are of similar size');
answers("SELECT model_predict.bucket(NULL) IS NULL, model_predict.bucket('a', NULL) IS NULL", 't|t', 'bucket of NULL');

# what is refused
refused('SELECT model_predict.log_loss(true, 1.5)', qr/score 1.5 is not a probability/, 'a loss of what is no probability');
refused('SELECT model_predict.calibration_curve(true, -1)', qr/calibration needs probabilities/, 'calibration of margins');
refused('SELECT model_predict.roc_auc(true, 1, -1)', qr/a weight must be finite and not negative, but is -1/, 'a negative weight');
refused('SELECT model_predict.evaluate_binary(true, 1, i) FROM generate_series(1, 2) i',
	qr/must be the same for all rows of a group, but is 1 and 2/, 'a threshold that changes');
refused('SELECT model_predict.gains(true, 1, NULL)', qr/must not be null/, 'an option that is NULL');
refused('SELECT model_predict.gains(true, 1, 0)', qr/number of buckets must be from 1 to 1000, but is 0/, 'no buckets');
refused('SELECT model_predict.roc_auc(1, 1)', qr/function model_predict.roc_auc\(integer, integer\) does not exist/, 'an outcome that is no boolean');

# pictures: well-formed, of the width asked for, and alike whatever the order of rows
for my $call (map({ "${_}_svg(i % 3 = 0, (i * 37 % 101) / 101.0" } qw(roc calibration gains)), 'histogram_svg((i * 37 % 101) / 101.0')
{
	my $svg = $node->safe_psql('postgres', "SELECT model_predict.$call) FROM generate_series(1, 500) i");
	is(IPC::Run::run([ '/usr/bin/python3', '-c', 'import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.read())' ], '<', \$svg), 1, "$call: well-formed");
	like($svg, qr/^<svg [^>]*width="760"/, "$call: its width");
	unlike($svg, qr/<script|href=|url\(|nan|inf/i, "$call: no script, nothing loaded");
	answers("SELECT model_predict.$call) FROM (SELECT i FROM generate_series(1, 500) i ORDER BY i DESC) x", $svg, "$call: the same backwards");
	like($node->safe_psql('postgres', "SELECT model_predict.$call, 380) FROM generate_series(1, 500) i"), qr/^<svg [^>]*width="380"/, "$call: narrow");
	like($node->safe_psql('postgres', "SELECT model_predict.$call) FROM generate_series(1, 0) i"), qr/^<svg /, "$call: no rows");
	refused("SELECT model_predict.$call, 10) FROM generate_series(1, 500) i", qr/a picture is 280 to 4000 pixels wide, not 10/, "$call: too narrow");
}
like($node->safe_psql('postgres', 'SELECT model_predict.roc_svg(true, 1)'), qr/Needs rows of both classes/, 'a ROC curve of one class');
like($node->safe_psql('postgres', q(SELECT model_predict.histogram_svg(x) FROM (VALUES (float8 '-Infinity'), (5), ('NaN'), (NULL), ('Infinity')) t(x))), qr/^<svg /, 'a histogram of infinite scores');

# memory: 4 bytes a row, and an error where it would be far too much
refused("SET work_mem = '64kB'; SELECT model_predict.roc_auc(i % 2 = 0, i) FROM generate_series(1, 1000000) i",
	qr/more than 16 times work_mem \* hash_mem_multiplier.*HINT:  Set work_mem to at least/s, 'far more than work_mem');
answers("SET work_mem = '256kB'; SET hash_mem_multiplier = 1; SELECT model_predict.roc_auc(i % 2 = 0, i::real) > 0.5 FROM generate_series(1, 500000) i",
	't', '500,000 rows need less than 4 MB');

# a cancel works while rows come and while they are sorted
my ($status, undef, $err) = $node->psql('postgres', "SET statement_timeout = '1s'; SET work_mem = '2GB';
	SELECT model_predict.evaluate_binary(i % 2 = 0, random()) FROM generate_series(1, 10000) i, generate_series(1, 100000) j");
like($err, qr/canceling statement due to statement timeout/, 'a cancel while rows come');

$node->stop;
done_testing();

# another way to compute it, for the test
sub murmur3
{
	my ($text) = @_;
	my $h = 0;
	my $rotate = sub { (($_[0] << $_[1]) | ($_[0] >> (32 - $_[1]))) & 0xffffffff };
	my $multiply = sub { use integer; my ($x, $y) = @_; ($x * ($y & 0xffff) + ((($x * ($y >> 16)) & 0xffff) << 16)) & 0xffffffff };
	my $mix = sub { $multiply->($rotate->($multiply->($_[0], 0xcc9e2d51), 15), 0x1b873593) };
	my $whole = length($text) - length($text) % 4;

	$h = ($multiply->($rotate->($h ^ $mix->($_), 13), 5) + 0xe6546b64) & 0xffffffff for unpack('V*', substr($text, 0, $whole));
	$h ^= $mix->(unpack('V', substr($text, $whole) . "\0" x 4));
	$h ^= length($text);
	$h = $multiply->($h ^ ($h >> 16), 0x85ebca6b);
	$h = $multiply->($h ^ ($h >> 13), 0xc2b2ae35);
	return $h ^ ($h >> 16);
}
