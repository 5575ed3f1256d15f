# pg_upgrade takes the models along, here to the same major version.

use strict;
use warnings;

use Cwd;
use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = new_server('old');
# roles that exist in this cluster alone before the others: oids would differ in a new one
$old->safe_psql('postgres', 'CREATE ROLE temporary; DROP ROLE temporary; CREATE ROLE ds LOGIN; CREATE ROLE bi LOGIN');
install_extension($old);
register_versions($old, 'm', 3);
$old->safe_psql('postgres', q{
	SELECT model_predict.set_owner('m', 'ds');
	SELECT model_predict.grant_predict('m', 'bi');
	SELECT model_predict.deploy('m', 2);
	GRANT EXECUTE ON FUNCTION model_predict.register, model_predict.rollback TO ds;
	CREATE TABLE customer AS SELECT 1.0::float8 AS x;
	CREATE VIEW scores AS SELECT predict('m', c.*) FROM customer c});
my $history = 'SELECT * FROM model_predict.history';
my $before = $old->safe_psql('postgres', $history);
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
chomp(my $bin = `pg_config --bindir`);
my @no_sync = `pg_upgrade --help` =~ /--no-sync/ ? '--no-sync' : ();
chdir $PostgreSQL::Test::Utils::tmp_check or die;
command_ok([ 'pg_upgrade', @no_sync, '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin,
	'-s', $new->host, '-p', $old->port, '-P', $new->port ], 'pg_upgrade');
$new->start;

is(ask($new, 'm'), 2, 'scores');
is($new->safe_psql('postgres', 'SELECT * FROM scores', extra_params => [ "-U", scalar getpwuid($<) ]), 2, 'through a view');
is($new->safe_psql('postgres', "SELECT predict('m', 1.0)", extra_params => [ '-U', $_ ]), 2, "scores for $_") for 'ds', 'bi';
is($new->safe_psql('postgres', $history), $before, 'the history came along');
is($new->safe_psql('postgres', "SELECT model_predict.rollback('m'); SELECT model_predict.register('m', constant_model(4))",
	extra_params => [ '-U', 'ds' ]), "1\n4", 'and goes on');
is($new->safe_psql('postgres', "SELECT model_predict.register('n', constant_model(4)); SELECT predict('n', 1.0)"), "1\n4",
	'with new models');
$new->stop;
done_testing();
