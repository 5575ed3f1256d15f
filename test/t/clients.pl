# Real clients against a real server: each driver registers a model from a
# bytea parameter and scores by row, jsonb, array and values, prepared and not,
# with text and binary results; then pgbouncer in transaction mode. The Python
# client's reading of fitted pipelines is held against scikit-learn.
#
# A client in test/clients prints "ok WHAT" or "not ok WHAT", line by line.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = "$ENV{TESTDIR}/test/clients";
my $numeric = "$ENV{TESTDIR}/test/data/models/xgboost-3.4.1/binary-logistic-basescore";

# the first of the golden rows that has all its values, and its prediction
sub numeric_row
{
	my @rows = map { [ split /,/, $_, -1 ] } split /\r?\n/, slurp_file("$numeric/X.csv");
	my @expected = map { [ split /,/ ] } split /\r?\n/, slurp_file("$numeric/expected.csv");
	for my $i (1 .. $#rows)
	{
		next if grep { $_ eq '' || $_ == 0 || abs($_) > 100 } @{ $rows[$i] };
		my ($column) = grep { $expected[0][$_] eq 'pred_0' } 0 .. $#{ $expected[0] };
		return (join(',', @{ $rows[$i] }), $expected[$i][$column]);
	}
	die "no row of $numeric will do";
}

sub run_client
{
	my ($name, @command) = @_;
	my ($out, $err) = ('', '');
	my $done = IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err);
	my $checks = 0;
	for (split /\n/, $out)
	{
		next if !/^(ok|not ok) (.*)/;
		ok($1 eq 'ok', "$name: $2");
		$checks++;
	}
	ok($done && $checks > 5, "$name came to its end") or diag($out, $err);
}

# node's module pg: of Debian's package, or fetched
sub install_node_pg
{
	return if IPC::Run::run([ 'node', '-e', "require('pg')" ], '>', '/dev/null', '2>', '/dev/null');
	my $prefix = "$ENV{TESTDIR}/tmp_check/node";
	mkdir $prefix;
	IPC::Run::run([ 'npm', 'install', '--silent', '--no-audit', '--prefix', $prefix, 'pg@8.8.0' ]);
	$ENV{NODE_PATH} = "$prefix/node_modules";
}

my $node = PostgreSQL::Test::Cluster->new('clients');
# psycopg 3 gives bytes for the text of an encoding that it does not know
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "fsync = off\nlisten_addresses = '127.0.0.1'\n");
$node->append_conf('pg_hba.conf', "host all all 127.0.0.1/32 trust\n");
$node->start;

chdir "$ENV{TESTDIR}/test/data/demo" or die $!;
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', 'schema.sql', $node->connstr('postgres') ],
	'the table is loaded');
$node->safe_psql('postgres', 'CREATE EXTENSION model_predict');

my $examples = slurp_file('examples.json');
my $first = decode_json($examples)->[0];
my @columns = split /\n/, $node->safe_psql('postgres',
	"SELECT attname FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attnum BETWEEN 2 AND 20 ORDER BY attnum");
($ENV{MP_ARRAY}, $ENV{MP_NUMERIC_SCORE}) = numeric_row();
$ENV{MP_CHURN} = "$ENV{TESTDIR}/test/data/demo/churn.ubj";
$ENV{MP_EXAMPLES} = "$ENV{TESTDIR}/test/data/demo/examples.json";
$ENV{MP_NUMERIC} = "$numeric/model.ubj";
$ENV{MP_JSON} = encode_json($first->{row});
$ENV{MP_VALUES} = join '|', @{ $first->{row} }{@columns};
$ENV{MP_CHURN_SCORE} = $first->{predict_all}[0];
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
$ENV{PGUSER} = $node->safe_psql('postgres', 'SELECT current_user');
$ENV{PGDATABASE} = 'postgres';
$ENV{PYTHONDONTWRITEBYTECODE} = 1;

# Debian's Python: it has the packages, whatever other is first in the path
run_client('psycopg 2', '/usr/bin/python3', "$clients/psycopg2_client.py");
run_client('psycopg 3', '/usr/bin/python3', "$clients/psycopg3_client.py");
run_client('JDBC', 'java', '-cp', '/usr/share/java/postgresql.jar', "$clients/JdbcClient.java");
run_client('describe', '/usr/bin/python3', "$clients/describe_client.py");
run_client('push by psycopg 2', '/usr/bin/python3', "$clients/push_client.py", 'psycopg2');
run_client('push by psycopg 3', '/usr/bin/python3', "$clients/push_client.py", 'psycopg');
install_node_pg();
run_client('node-pg', 'node', "$clients/node_client.js");

# psql: variables, and its own way to prepare
$node->safe_psql('postgres', "SELECT model_predict.register('psql', pg_read_binary_file('$ENV{MP_CHURN}'), trees => 'best')");
is( $node->safe_psql('postgres',
		"\\set model psql\n\\set json '$ENV{MP_JSON}'\nSELECT predict(:'model', :'json'::jsonb)::real"),
	$ENV{MP_CHURN_SCORE},
	'psql: variables');
is( $node->safe_psql('postgres',
		"PREPARE p (text, int) AS SELECT predict(\$1, c.*)::real FROM customers c WHERE id = \$2;"
		  . join '', map { "EXECUTE p ('psql', 1);" } 1 .. 7),
	join("\n", ($ENV{MP_CHURN_SCORE}) x 7),
	'psql: a prepared statement, past the change to a generic plan');
is( $node->safe_psql('postgres',
		"BEGIN; DECLARE c CURSOR FOR SELECT predict('psql', c.*)::real FROM customers c ORDER BY id; FETCH 1 FROM c; COMMIT"),
	$ENV{MP_CHURN_SCORE},
	'psql: a cursor');

# pgbouncer: eight clients share three server connections, transaction by transaction
my $pool = PostgreSQL::Test::Cluster::get_free_port();
my $directory = $node->basedir;
append_to_file("$directory/users.txt", qq{"$ENV{PGUSER}" ""\n});
append_to_file("$directory/pgbouncer.ini", <<INI);
[databases]
postgres = host=127.0.0.1 port=$ENV{PGPORT} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pool
unix_socket_dir =
auth_type = trust
auth_file = $directory/users.txt
pool_mode = transaction
default_pool_size = 3
pidfile = $directory/pgbouncer.pid
logfile = $directory/pgbouncer.log
INI
system_or_bail('/usr/sbin/pgbouncer', '-q', '-d', "$directory/pgbouncer.ini");
my $through = "host=127.0.0.1 port=$pool user=$ENV{PGUSER} dbname=postgres";
# -d returns before the port is open
for (1 .. 100)
{
	last if ($node->psql('postgres', 'SELECT', connstr => $through))[0] == 0;
	select undef, undef, undef, 0.1;
}

append_to_file("$directory/score.sql", <<SQL);
\\set id random(1, 7043)
SELECT 1 / (predict('psql', c.*) BETWEEN 0 AND 1)::int FROM customers c WHERE id = :id;
SELECT 1 / (predict('psql', c.*)::real = '$ENV{MP_CHURN_SCORE}'::real)::int FROM customers c WHERE id = 1;
SQL
$node->command_ok(
	[ 'pgbench', '-n', '-c', '8', '-j', '2', '-t', '50', '-f', "$directory/score.sql", $through ],
	'pgbouncer: eight clients score over three connections');
is( $node->safe_psql('postgres', "SELECT model_predict.register('pooled', pg_read_binary_file('$ENV{MP_CHURN}'), trees => 'best');
		SELECT predict('pooled', c.*)::real FROM customers c WHERE id = 1", connstr => $through),
	"1\n$ENV{MP_CHURN_SCORE}",
	'pgbouncer: registers and scores');
is( $node->safe_psql('postgres', "SELECT model_predict.register('pooled', pg_read_binary_file('$ENV{MP_CHURN}'), trees => 'all');
		SELECT model_predict.deploy('pooled', 2)", connstr => $through) =~ s/\n.*//sr,
	'2', 'pgbouncer: deploys');
my %seen;
$seen{ $node->safe_psql('postgres', "SELECT predict('pooled', c.*)::real FROM customers c WHERE id = 1", connstr => $through) }++
  for 1 .. 12;
is(join(' ', keys %seen), '0.8050536', 'pgbouncer: every connection serves what was deployed');
kill 'TERM', slurp_file("$directory/pgbouncer.pid") + 0;

$node->stop;
done_testing();
