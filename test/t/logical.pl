# The tables work as replicated reference tables: a second server scores with
# what was registered on the first.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
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
	CREATE PUBLICATION models FOR TABLE model_predict.stored_model, model_predict.stored_version, model_predict.stored_alias,
		model_predict.stored_permission, model_predict.stored_feature, model_predict.stored_forest, model_predict.stored_event});
my $connection = $first->connstr . ' dbname=postgres';
$second->safe_psql('postgres', "CREATE SUBSCRIPTION models CONNECTION '$connection' PUBLICATION models");
$second->wait_for_subscription_sync($first, 'models');

my $session = session($second);
is($session->("SELECT predict('m', 1.0)"), 1, 'the second server scores');
is($session->('SELECT owner FROM model_predict.models'), 'owner', 'the owner comes by name');
is($session->('SELECT string_agg(grantee::text, \', \' ORDER BY number) FROM model_predict.stored_permission'), 'bi, -',
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
$replicated->("DELETE FROM model_predict.stored_forest");
is($session->("SELECT predict('m', 1.0)"), 2, 'without the compiled form');
$replicated->("SELECT model_predict.drop_model('m')");
is($session->("SELECT predict('m', 1.0)"), '42704', 'and a drop');
is($session->("SELECT count(*) FROM model_predict.history WHERE action = 'drop_model'"), 1, 'the history goes along');
$replicated->("SELECT model_predict.register('m', constant_model(9))");
is($session->("SELECT predict('m', 1.0), default_version FROM model_predict.models"), '9|4', 'and what comes after');
$replicated->("TRUNCATE model_predict.stored_model, model_predict.stored_version, model_predict.stored_alias, model_predict.stored_feature, model_predict.stored_forest");
is($session->("SELECT predict('m', 1.0)"), '42704', 'and a TRUNCATE');
if ($second->safe_psql('postgres', 'SHOW server_version_num') >= 150000)
{
	is($second->safe_psql('postgres', "SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats"), 0,
		'replication met no error');
}
else
{
	unlike(slurp_file($second->logfile), qr/logical replication .* exited with exit code/, 'no worker of replication failed');
}
$session->(undef);

# rows that replication brings are scored where the trigger is one that fires for it: the first copy, then each change
$replicated->("SELECT model_predict.register('t', constant_model(n)) FROM generate_series(1, 2) n");
$first->safe_psql('postgres', 'CREATE TABLE customer (id int PRIMARY KEY, x float8, note text);
	INSERT INTO customer SELECT i, i FROM generate_series(1, 3) i; CREATE PUBLICATION customers FOR TABLE customer');
$second->safe_psql('postgres', q{CREATE TABLE customer (score float8, note text, version int, x float8, id int PRIMARY KEY);
	CREATE TRIGGER score BEFORE INSERT OR UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION
		model_predict.score('t', 'score', 'version', 'version', 'only_if_changed', 'true');
	ALTER TABLE customer ENABLE ALWAYS TRIGGER score});
$second->safe_psql('postgres', "CREATE SUBSCRIPTION customers CONNECTION '$connection' PUBLICATION customers");
$second->wait_for_subscription_sync($first, 'customers');
my $rows = sub { $second->safe_psql('postgres', "SELECT string_agg(concat_ws(':', id, score, version), ' ' ORDER BY id) FROM customer") };
my $change = sub { $first->safe_psql('postgres', $_[0]); $first->wait_for_catchup('customers'); $rows->() };
is($rows->(), '1:1:1 2:1:1 3:1:1', 'a trigger scores the rows of the first copy');
is($change->('INSERT INTO customer VALUES (4, 4)'), '1:1:1 2:1:1 3:1:1 4:1:1', 'and each that comes');
$replicated->("SELECT model_predict.deploy('t', 2)");
is($change->('UPDATE customer SET x = 9 WHERE id = 2'), '1:1:1 2:2:2 3:1:1 4:1:1', 'an update by the version deployed meanwhile');
is($change->("UPDATE customer SET id = 5, note = repeat('n', 3000) WHERE id = 3; UPDATE customer SET x = 1 WHERE id = 5"),
	'1:1:1 2:2:2 4:1:1 5:2:2', 'of the key too, and past a long column');
$second->safe_psql('postgres', 'ALTER TABLE customer ENABLE TRIGGER score');
is($change->('INSERT INTO customer VALUES (6, 6)'), '1:1:1 2:2:2 4:1:1 5:2:2 6', 'an ordinary trigger does not fire there');

$second->stop;
$first->stop;
done_testing();
