# The tables work as replicated reference tables: a second server scores with
# what was registered on the first.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use Test::More;

my $first = new_server('first', 'wal_level = logical');
my $second = new_server('second');
install_extension($_) for $first, $second;
$_->safe_psql('postgres', 'CREATE ROLE bi LOGIN') for $first, $second;
$second->safe_psql('postgres', 'CREATE ROLE temporary');   # other oids than the first has
$_->safe_psql('postgres', 'CREATE ROLE owner LOGIN') for $second, $first;
$first->safe_psql('postgres', 'CREATE ROLE local LOGIN');
register_versions($first, 'm', 2);
$first->safe_psql('postgres', q{
	SELECT model_predict.set_owner('m', 'owner');
	SELECT model_predict.grant_predict('m', r) FROM unnest('{bi,local}'::name[]) r;
	CREATE PUBLICATION models FOR TABLE model_predict.model, model_predict.version, model_predict.alias,
		model_predict.permission, model_predict.feature, model_predict.forest, model_predict.event});
my $connection = $first->connstr . ' dbname=postgres';
$second->safe_psql('postgres', "CREATE SUBSCRIPTION models CONNECTION '$connection' PUBLICATION models");
$second->wait_for_subscription_sync($first, 'models');

my $session = session($second);
is($session->("SELECT predict('m', 1.0)"), 1, 'the second server scores');
is($session->('SELECT owner FROM model_predict.models'), 'owner', 'the owner comes by name');
is($session->('SELECT string_agg(grantee::text, \', \' ORDER BY number) FROM model_predict.permission'), 'bi, -',
	'grants too; who is not there is nobody');
is($second->safe_psql('postgres', "SELECT predict('m', 1.0)", extra_params => [ '-U', $_ ]), 1, "scores for $_") for 'bi', 'owner';

my $replicated = sub { $first->safe_psql('postgres', $_[0]); $first->wait_for_catchup('models') };
$replicated->("SELECT model_predict.deploy('m', 2)");
is($session->("SELECT predict('m', 1.0)"), 2, 'sees a deploy');
$replicated->("SELECT model_predict.register('m', constant_model(3)); SELECT model_predict.deploy('m', 3)");
is($session->("SELECT predict('m', 1.0)"), 3, 'and a new version');
$replicated->("SELECT model_predict.rollback('m')");
is($session->("SELECT predict('m', 1.0)"), 2, 'and a rollback');
$replicated->("SELECT model_predict.revoke_predict('m', 'bi')");
fails($second, 'bi', "SELECT predict('m', 1.0)", qr/does not exist, or role "bi"/);
$replicated->("DELETE FROM model_predict.forest");
is($session->("SELECT predict('m', 1.0)"), 2, 'without the compiled form');
$replicated->("SELECT model_predict.drop_model('m')");
is($session->("SELECT predict('m', 1.0)"), '42704', 'and a drop');
is($session->("SELECT count(*) FROM model_predict.history WHERE action = 'drop_model'"), 1, 'the history goes along');
$replicated->("SELECT model_predict.register('m', constant_model(9))");
is($session->("SELECT predict('m', 1.0), default_version FROM model_predict.models"), '9|4', 'and what comes after');
$replicated->("TRUNCATE model_predict.model, model_predict.version, model_predict.alias, model_predict.feature, model_predict.forest");
is($session->("SELECT predict('m', 1.0)"), '42704', 'and a TRUNCATE');
is($second->safe_psql('postgres', "SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats"), 0,
	'replication met no error');
$session->(undef);

$second->stop;
$first->stop;
done_testing();
