# Models from a client's files, by a role that is no superuser and has no file
# on the server: a large object, a variable of psql, a table of models; large
# ones too, and back to a file.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('loading');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmodel_predict.max_model_size = '32MB'\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION model_predict;
CREATE ROLE scientist LOGIN;
GRANT EXECUTE ON FUNCTION model_predict.register TO scientist;
GRANT CREATE ON SCHEMA public TO scientist;
SQL
my $golden = "$ENV{TESTDIR}/test/data/models/xgboost-3.4.1/reg-squarederror";
my $files = PostgreSQL::Test::Utils::tempdir();
chdir $files or die $!;

# a session of psql on the client's side, in the directory of the files
sub client
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') . ' user=scientist' ],
		'<', \$sql, '>', \$out, '2>', \$err);
	chomp $out;
	return ($out, $err);
}

# a model of many trees, the first of a golden one over and over
sub write_large
{
	my ($path, $bytes) = @_;
	my $json = JSON::PP->new->canonical;
	my $model = $json->decode(slurp_file("$golden/model.json"));
	my $booster = $model->{learner}{gradient_booster}{model};
	my ($head, $tail) = split /"id":0/, $json->encode($booster->{trees}[0]);
	my $trees = int($bytes / length("$head$tail"));
	$booster->{gbtree_model_param}{num_trees} = "$trees";
	$booster->{tree_info} = [ (0) x $trees ];
	$booster->{iteration_indptr} = [ 0 .. $trees ];
	$booster->{trees} = [];
	my ($before, $after) = split /"trees":\[\]/, $json->encode($model);
	open my $file, '>', $path or die $!;
	print $file "$before\"trees\":[", join(',', map { qq($head"id":$_$tail) } 0 .. $trees - 1), "]$after";
	close $file;
	return $trees;
}

my $trees = write_large('large.json', 24_000_000);
write_large('larger.json', 36_000_000);
link "$golden/model.ubj", 'model.ubj' or system_or_bail('cp', "$golden/model.ubj", 'model.ubj');

# a large object
my ($out, $err) = client(<<'SQL');
\lo_import model.ubj
\set file :LASTOID
SELECT model_predict.register('object', lo_get(:file));
\lo_unlink :file
SELECT model_predict.register('object', NULL);
SQL
is($out, '1', 'a large object: registered by a role of no other right');
like($err, qr/the model's bytes must not be null/, 'a large object: an error is told');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_largeobject_metadata'), '0', 'a large object: unlinked');

# a variable of psql
($out, $err) = client(<<'SQL');
\set content `base64 -w0 model.ubj`
SELECT model_predict.register('variable', decode(:'content', 'base64'));
SQL
is($out, '1', 'a variable: registered') or diag($err);

# a table of models
my $hex = unpack('H*', slurp_file('model.ubj'));
append_to_file('models.csv', "one,\\x$hex\ntwo,\\x$hex\n");
($out, $err) = client(<<'SQL');
CREATE TEMP TABLE models (name text, content bytea);
\copy models FROM models.csv WITH (FORMAT csv)
SELECT name, model_predict.register(name, content) FROM models ORDER BY name;
SQL
is($out, "one|1\ntwo|1", 'a table of models: registered by one statement') or diag($err);

# each has the bytes of the file, and back
is($node->safe_psql('postgres', "SELECT string_agg(model, ',' ORDER BY model), count(DISTINCT sha256) FROM model_predict.versions"),
	'object,one,two,variable|1', 'all are the same bytes');
($out, $err) = client(<<'SQL');
SELECT lo_from_bytea(0, model_predict.export('variable')) AS file \gset
\lo_export :file exported.ubj
\lo_unlink :file
SQL
ok(slurp_file('exported.ubj') eq slurp_file('model.ubj'), 'exported to the same file') or diag($err);

# large ones, both ways
for my $way ('\lo_import large.json' . "\n" . '\set file :LASTOID' . "\nSELECT model_predict.register('large', lo_get(:file));\n\\lo_unlink :file",
	"\\set content `base64 -w0 large.json`\nSELECT model_predict.register('large again', decode(:'content', 'base64'));")
{
	($out, $err) = client($way);
	is($out, '1', 'a large file, by ' . ($way =~ /lo_/ ? 'large object' : 'variable')) or diag($err);
}
is($node->safe_psql('postgres', "SELECT DISTINCT trees FROM model_predict.versions WHERE model LIKE 'large%'"), $trees, 'all of its trees');
is($node->safe_psql('postgres', "SELECT cardinality(predict_leaf('large', array_fill(1::real, array[features]))) FROM model_predict.versions WHERE model = 'large'"),
	$trees, 'and it scores');
for my $way ('\lo_import larger.json' . "\n" . '\set file :LASTOID' . "\nSELECT model_predict.register('larger', lo_get(:file));",
	"\\set content `base64 -w0 larger.json`\nSELECT model_predict.register('larger', decode(:'content', 'base64'));")
{
	($out, $err) = client($way);
	like($err, qr/ERROR:  the model is too large: \d+ bytes\nDETAIL:  The limit is 32768 kB\.\nHINT:  A superuser can raise model_predict\.max_model_size\./,
		'past the limit, by ' . ($way =~ /lo_/ ? 'large object' : 'variable'));
}

# who may not
$node->safe_psql('postgres', 'REVOKE EXECUTE ON FUNCTION model_predict.register FROM scientist');
($out, $err) = client("\\set content `base64 -w0 model.ubj`\nSELECT model_predict.register('mine', decode(:'content', 'base64'));");
like($err, qr/permission denied for function register/, 'without the right to register');

$node->stop;
done_testing();
