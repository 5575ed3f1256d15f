# Through pgbouncer in transaction mode, where consecutive transactions of a
# client meet different backends.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
plan skip_all => 'pgbouncer is not installed' if !$pgbouncer;

my $node = new_server('pooling');
install_extension($node);
register_versions($node, 'm', 2);
my $user = getpwuid($<);
$node->safe_psql('postgres', q{
	CREATE ROLE bi LOGIN; CREATE ROLE stranger LOGIN;
	SELECT model_predict.grant_predict('m', 'bi');
	CREATE TABLE customer AS SELECT x::float8, NULL::float8 AS score FROM generate_series(1, 5) x;
	GRANT ALL ON customer TO bi;
	CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN NEW.score := predict('m', NEW.x); RETURN NEW; END$$;
	CREATE TRIGGER fill BEFORE INSERT ON customer FOR EACH ROW EXECUTE FUNCTION fill()});

my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $port = PostgreSQL::Test::Cluster::get_free_port();
my ($host, $server_port) = ($node->host, $node->port);
append_to_file("$directory/users", join '', map { qq{"$_" ""\n} } $user, 'bi', 'stranger');
append_to_file("$directory/ini", <<"INI");
[databases]
* = host=$host port=$server_port
[pgbouncer]
listen_port = $port
unix_socket_dir = $directory
pool_mode = transaction
default_pool_size = 2
auth_type = trust
auth_file = $directory/users
server_idle_timeout = 600
logfile = $directory/log
pidfile = $directory/pid
INI
my $pool = IPC::Run::start([ $pgbouncer, "$directory/ini" ], '>', \my $log, '2>&1');
my $connect = sub { "host=$directory port=$port dbname=postgres user=$_[0]" };
my $up;
for (1 .. 300)
{
	$up = !system_log('psql', '-Xqd', $connect->('bi'), '-c', 'SELECT 1') and last;
	select undef, undef, undef, 0.1;
}
ok($up, 'pgbouncer runs');

sub through
{
	my ($role, @sql) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'psql', '-XqAt', '-d', $connect->($role), map { ('-c', $_) } @sql ], '>', \$out, '2>', \$err);
	chomp $out;
	return $out . ($err =~ /(ERROR: .*)/ ? $1 : '');
}

is(through('bi', "SELECT $_->[0]"), $_->[1], $_->[0])
  for [ "predict('m', 1.0)", 1 ], [ "predict('m', ROW(1.0))", 1 ], [ q(predict('m', '{"x": 1}'::jsonb)), 1 ],
	[ q(predict_json('m@2', '{"x": 1}')), 2 ], [ "predict_all('m', 1.0)", '{1}' ], [ "predict_margin('m\@2', 1.0)", '{2}' ],
	[ "predict_leaf('m', 1.0)", '{}' ], [ "sum(predict('m', c.x)) FROM customer c", 5 ],
	[ "count(*) FROM model_predict.models", 1 ];
like(through('stranger', "SELECT predict('m', 1.0)"), qr/does not exist, or role "stranger"/, 'each role by its own right');
is(through('bi', 'INSERT INTO customer VALUES (7)', 'SELECT score FROM customer WHERE x = 7'), 1, 'a trigger');

# clients in turns, so that they change backends; a deploy through the pool in between
my %pids;
for my $round (1 .. 3)
{
	for my $version (2, 1)
	{
		through($user, "SELECT model_predict.deploy('m', $version)");
		my @clients;
		for (1 .. 4)
		{
			my $out;
			push @clients, IPC::Run::start([ 'psql', '-XqAt', '-d', $connect->('bi'), map { ('-c', 'BEGIN', '-c',
				"SELECT predict('m', 1.0), pg_backend_pid(), pg_sleep(0.005)", '-c', 'COMMIT') } 1 .. 5 ],
				'>', \$out, '2>&1'), \$out;
		}
		my %seen;
		while (my ($client, $out) = splice @clients, 0, 2)
		{
			$client->finish;
			$seen{ (split /\|/)[0] }++, $pids{ (split /\|/)[1] }++ for split /\n/, $$out;
		}
		is_deeply(\%seen, { $version => 20 }, "version $version for all clients");
	}
}
cmp_ok(scalar(keys %pids), '>', 1, 'several backends served them');
like(through('bi', 'SELECT 1', "SELECT predict('m', 1.0)"), qr/1$/, 'no state of a session is needed');

$pool->signal('INT');
$pool->finish;
$node->stop;
done_testing();
