# A hot standby scores, follows deploys, refuses to register, and goes on as
# primary.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use Test::More;

my $primary = new_server('primary', 'wal_level = replica');
install_extension($primary);
register_versions($primary, 'm', 2);
$primary->safe_psql('postgres', 'CREATE ROLE bi LOGIN; CREATE TABLE customer AS SELECT x::float8 FROM generate_series(1, 10) x');
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
my $replayed = sub { $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert')) };
$replayed->();

my $session = session($standby);
is($session->("SELECT predict('m', 1.0)"), 1, 'scores');
is($session->("SELECT sum(predict('m', x)) FROM customer"), 10, 'a table');
is($session->("SELECT count(*) FROM model_predict.versions"), 2, 'shows the views');
is($session->("SELECT length(model_predict.export('m')) > 100"), 't', 'exports');
$session->('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($session->("SELECT predict('m', 1.0)"), 1, 'REPEATABLE READ');
$primary->safe_psql('postgres', "SELECT model_predict.deploy('m', 2)");
$replayed->();
is($session->("SELECT predict('m', 1.0)"), 1, 'keeps its version');
$session->('COMMIT');
is($session->("SELECT predict('m', 1.0)"), 2, 'sees a deploy after replay');
fails($standby, 'bi', "SELECT predict('m', 1.0)", qr/does not exist, or role "bi"/);
$primary->safe_psql('postgres', "SELECT model_predict.grant_predict('m', 'bi')");
$replayed->();
is($standby->safe_psql('postgres', "SELECT predict('m', 1.0)", extra_params => [ '-U', 'bi' ]), 2, 'sees a grant');

fails($standby, scalar getpwuid($<), "SELECT model_predict.$_->[0]",
	qr/ERROR:  cannot execute $_->[1]\(\) in a read-only transaction/)
  for [ "register('m', constant_model(3))", 'register' ], [ "deploy('m', 1)", 'deploy' ],
	[ "rollback('m')", 'rollback' ], [ "drop_model('m')", 'drop_model' ];
is($session->("BEGIN; SELECT predict('m', 1.0); SELECT pg_last_wal_replay_lsn() IS NOT NULL; COMMIT"), "2\nt", 'and lives on');
is($primary->safe_psql('postgres', "BEGIN; SELECT predict('m', 1.0); SELECT pg_current_xact_id_if_assigned() IS NULL; COMMIT"),
	"2\nt", 'scoring assigns no transaction id');

$standby->promote;
is($session->("SELECT predict('m', 1.0)"), 2, 'the same session scores after promotion');
is($session->("SELECT model_predict.register('m', constant_model(3))"), 3, 'registers');
$session->("SELECT model_predict.deploy('m', 3)");
is($session->("SELECT predict('m', 1.0)"), 3, 'and deploys');
is(ask($primary, 'm'), 2, 'the old primary knows nothing of it');
$session->(undef);

$standby->stop;
$primary->stop;
done_testing();
