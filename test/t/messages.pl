# What tells a DBA what goes on: loads and evictions in the log at DEBUG1, and
# the context of errors, which names the model and version at work.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('messages', 'log_min_messages = debug1');
install_extension($node);
register_versions($node, 'm', 8);
# large enough that 40 of them are more than 1 MB
$node->safe_psql('postgres', qq{SELECT model_predict.register('large', pg_read_binary_file('$ENV{TESTDIR}/test/data/demo/churn.ubj'),
	trees => 'all') FROM generate_series(1, 40)});

# what a statement, in a session of its own, adds to the log; and to the client
sub logged
{
	my ($sql) = @_;
	my $start = -s $node->logfile;

	$node->psql('postgres', $sql);
	return substr(slurp_file($node->logfile), $start);
}

sub told
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', $sql);

	return $err;
}

my $log = logged(q{SELECT predict('m@7', x) FROM generate_series(1, 1000) x; SELECT predict('m@7', 1.0)});
is(() = $log =~ /DEBUG:  model_predict loaded "m" version 7 in [0-9.]+ ms, [0-9]+ bytes$/mg, 1, 'a load is told once');
unlike($log, qr/evicts/, 'nothing has to go');

my $many = join ';', map { "SELECT predict('large\@$_', NULL::customer)" } 1 .. 40;
$node->safe_psql('postgres', 'CREATE TABLE customer (x float8, score float8)');
$log = logged("SET model_predict.cache_size = '1MB'; $many; SELECT predict('large\@40', NULL::customer)");
is(() = $log =~ /model_predict loaded "large"/g, 40, 'every load is told');
my @evicted = $log =~ /DEBUG:  model_predict evicts "large" version ([0-9]+), [0-9]+ bytes\n/g;
is("@evicted", join(' ', 1 .. @evicted), 'the least recently used version goes first');
ok(@evicted > 0 && @evicted < 40, 'and the one in use stays');

$node->safe_psql('postgres', q{
	CREATE TRIGGER fill BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION model_predict.score('m@2', 'score')});
like(told(q{SELECT predict('m@2', 'infinity'::float8)}),
	qr/^CONTEXT:  reading a row for model "m" version 2$/m, 'an error of a row names its model');
like(told(q{INSERT INTO customer VALUES ('infinity')}),
	qr/^CONTEXT:  trigger "fill" on table "customer", scoring a row with model "m" version 2$/m, 'and in a trigger the trigger');
unlike(told(q{SELECT predict('m@2', 1.0), 1 / 0}), qr/model "m"/, 'an error of something else does not');

$node->safe_psql('postgres', q{DELETE FROM model_predict.stored_forest; UPDATE model_predict.stored_version SET data = '\x00' WHERE version = 3});
like(told(q{SELECT predict('m@3', 1.0)}), qr/^CONTEXT:  loading model "m" version 3$/m, 'an error of a load');

$node->stop;
done_testing();
