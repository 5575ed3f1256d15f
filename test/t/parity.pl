# Two engines, one answer: more than a million pairs of a row and a model, over
# all models here that libxgboost 1.7 reads, scored by the native engine and by
# libxgboost. Not a bit of a margin may differ. The rows are put together from
# the columns of each model's own rows, which hold missing and extreme values
# and values equal to thresholds. XGBOOST_LIBRARY=/path/to/libxgboost.so in the
# environment takes another library, and all models that have numbers only.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $models = "$ENV{TESTDIR}/test/data/models";
my @versions = $ENV{XGBOOST_LIBRARY} ? '*' : qw(1.0.2 1.3.3 1.7.4);
my @cases = map { s{/X\.csv$}{}r } grep { is_numeric($_) } sort map { glob("$models/xgboost-$_/*/X.csv") } @versions;
my $pairs = 1_050_000 * ($ENV{XGBOOST_LIBRARY} ? 1.1 : 1);	# it may refuse some
my $rows = int($pairs / @cases) + 1;

sub is_numeric
{
	my ($head, $rows) = slurp_file($_[0]) =~ /^(.*?)\n(.*)/s;
	return $rows !~ /[a-df-zA-DF-Z]/;
}

# the rows of a file as SQL arrays, one for each column
sub columns_of
{
	my ($path) = @_;
	my @lines = split /\r?\n/, slurp_file($path);
	my @columns;
	for my $line (@lines[ 1 .. $#lines ])
	{
		my @fields = split /,/, $line, -1;
		push @{ $columns[$_] }, $fields[$_] =~ /^("")?$/ ? 'NULL' : $fields[$_] for 0 .. $#fields;
	}
	return map { "'{" . join(',', @$_) . "}'::real[]" } @columns;
}

my $node = PostgreSQL::Test::Cluster->new('parity');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmax_wal_size = 4GB\n");
$node->append_conf('postgresql.conf', "model_predict.xgboost_library = '$ENV{XGBOOST_LIBRARY}'\n") if $ENV{XGBOOST_LIBRARY};
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION model_predict');

sub file_of
{
	my ($case) = @_;
	my ($file) = grep { -e "$case/$_" } qw(model.ubj model.json);
	return $file;
}

$node->safe_psql('postgres',
	"SELECT model_predict.register('probe', pg_read_binary_file('$cases[0]/" . file_of($cases[0]) . "'), trees => 'all')");
if ($node->safe_psql('postgres', q{SELECT detail FROM model_predict.verify('probe') WHERE test = 'libxgboost'}) =~
	/could not be loaded/)
{
	$node->stop;
	plan skip_all => 'libxgboost is not installed';
}

my $total = 0;
for my $case (@cases)
{
	my $label = $case =~ s{^\Q$models\E/}{}r;
	my @columns = columns_of("$case/X.csv");
	my $values = join ', ', map { "(c.v$_)[1 + abs(hashint8extended(n, $_)) % array_length(c.v$_, 1)]" } 0 .. $#columns;
	my $arrays = join ', ', map { "$columns[$_] AS v$_" } 0 .. $#columns;
	my $file = "$case/" . file_of($case);
	my ($status, $result, $err) = $node->psql('postgres', <<SQL);
SET client_min_messages = error;
BEGIN;
SELECT model_predict.register('m', pg_read_binary_file('$file'), trees => 'all') AS version \\gset
CREATE TEMP TABLE rows AS
	SELECT n, ARRAY[$values] AS x FROM generate_series(1, $rows) n, (SELECT $arrays) c;
SET LOCAL model_predict.engine = native;
CREATE TEMP TABLE ours AS SELECT n, predict_margin('m', x) AS margin FROM rows;
SET LOCAL model_predict.engine = xgboost;
CREATE TEMP TABLE theirs AS SELECT n, predict_margin('m', x) AS margin FROM rows;
CREATE TEMP TABLE maps AS SELECT pg_read_file('/proc/self/maps') LIKE '%libxgboost%' AS loaded;
SELECT (SELECT loaded FROM maps), count(*), count(*) FILTER (WHERE ours.margin::text <> theirs.margin::text),
	count(DISTINCT ours.margin), (SELECT sum(differences) FROM model_predict.verify('m'))
FROM ours JOIN theirs USING (n);
ROLLBACK;
SQL
	# such as a model without trees, which 3.4 does not score
	if ($status && $err =~ /could not score a row of|cannot read model/ && $ENV{XGBOOST_LIBRARY})
	{
		note("$label: $err");
		next;
	}
	diag($err) if $status;
	my ($loaded, $count, $different, $distinct, $verified) = split /\|/, $result;
	is("$loaded $count", "t $rows", "$label: $rows rows by libxgboost too");
	is($different, 0, "$label: the same bits of $distinct margins");
	is($verified, 0, "$label: verify() finds no difference");
	$total += $count;
}
cmp_ok(scalar(@cases), '>=', 20, 'over twenty models and more');
cmp_ok($total, '>=', 1_000_000, 'a million pairs and more');

$node->stop;
done_testing();
