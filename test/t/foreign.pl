# Rows of foreign tables: postgres_fdw sends no STABLE function, so they come here
# and are scored here; a view there that holds the call scores there.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use Test::More;

my $node = new_server('foreign');
plan skip_all => 'no postgres_fdw is installed here'
  if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'}) eq '0';
$node->safe_psql('postgres', 'CREATE DATABASE there');
for my $database ('postgres', 'there')
{
	install_extension($node, $database);
	$node->safe_psql($database, "SELECT model_predict.register('churn', pg_read_binary_file('$ENV{TESTDIR}/test/data/models/rules/logistic.ubj'), trees => 'all')");
}
$node->safe_psql('there', q{
	CREATE TABLE customer AS SELECT i AS id, i % 7 - 3::real AS income, i / 100.0::real AS age, i % 5 - 2::real AS visits, i % 11 - 5::real AS balance
	FROM generate_series(1, 3000) i;
	CREATE VIEW score AS SELECT id, predict('churn', c.*) AS score FROM customer c});
my ($host, $port) = ($node->host, $node->port);
$node->safe_psql('postgres', qq{
	CREATE EXTENSION postgres_fdw;
	CREATE SERVER there FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'there');
	CREATE USER MAPPING FOR CURRENT_USER SERVER there;
	IMPORT FOREIGN SCHEMA public LIMIT TO (customer, score) FROM SERVER there INTO public});
my $there = $node->safe_psql('there', 'SELECT id, score FROM score ORDER BY id');
for my $query ("SELECT id, predict('churn', c.*) FROM customer c ORDER BY id", 'SELECT id, score FROM score ORDER BY id',
	"SELECT id, predict('churn', q.*) FROM (SELECT id, balance, visits, age, income FROM customer) q ORDER BY id",
	"SELECT a.id, predict('churn', a.*) FROM customer a JOIN customer b USING (id) WHERE predict('churn', a.*) >= 0 ORDER BY 1")
{
	is($node->safe_psql('postgres', $query), $there, $query);
}
unlike($node->safe_psql('postgres', "EXPLAIN (VERBOSE) SELECT id FROM customer c WHERE predict('churn', c.*) > 0.5"), qr/Remote SQL:.*predict/, 'the call is not sent');

$node->stop;
done_testing();
