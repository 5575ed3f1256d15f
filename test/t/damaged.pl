# More than 3,000 damaged models through register() on one live server, and those
# that still are models through scoring, by every evaluator and by libxgboost
# where that may read them. No backend ends, none hangs, no error is an internal
# one, no two evaluators differ. The damage is random, but always the same.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $models = "$ENV{TESTDIR}/test/data/models";
my @files = grep { -s $_ < 60_000 } sort glob("$models/xgboost-*/*/model.*");
my $times = int(3_000 / @files) + 1;

my $node = new_server('damaged');
install_extension($node);
$node->safe_psql('postgres', <<'SQL' . join '', map { "INSERT INTO original VALUES ('$_', pg_read_binary_file('$_'));" } @files);
CREATE TABLE original (file text, bytes bytea);
CREATE TABLE damaged (file text, bytes bytea, result text, message text, reference bigint, library bigint);

CREATE FUNCTION damage(model bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	n int := length(model);
	place int := floor(random() * n);
	size int := 1 + floor(random() * least(64, n - place));
	piece bytea := substr(model, 1 + floor(random() * n)::int, size);
	special bytea[] := ARRAY['\xffffffff', '\x7fffffff', '\x80000000', '\x00000000', '\x00000001', '\xffffffffffffffff',
		'\x7fffffffffffffff', '\x7fc00000', '\x7f800000', '[$]', '[', ']', '}', '-', 'e', ',', '"', '\\u', '\x00'];
	chosen bytea := special[1 + floor(random() * array_length(special, 1))];
BEGIN
	CASE floor(random() * 11)
	WHEN 0 THEN
		FOR i IN 1 .. 1 + floor(random() * 5) LOOP
			model := set_bit(model, floor(random() * n * 8)::bigint, floor(random() * 2)::int);
		END LOOP;
	WHEN 1, 2 THEN
		FOR i IN 1 .. 1 + floor(random() * 20) LOOP
			model := set_byte(model, floor(random() * n)::int, floor(random() * 256)::int);
		END LOOP;
	WHEN 3 THEN
		model := substr(model, 1, place);
	WHEN 4 THEN
		model := substr(model, 1, place) || substr(model, place + size + 1);
	WHEN 5 THEN
		model := substr(model, 1, place) || piece || substr(model, place + 1);
	WHEN 6 THEN
		model := overlay(model PLACING piece FROM place + 1);
	WHEN 7 THEN
		model := overlay(model PLACING chosen FROM place + 1);
	WHEN 8 THEN
		model := substr(model, 1, place) || chosen || substr(model, place + 1);
	ELSE
		-- one digit for another, or a small number of a binary format
		WHILE get_byte(model, place) NOT BETWEEN 48 AND 57 AND get_byte(model, place) >= 16 LOOP
			place := floor(random() * n);
		END LOOP;
		model := set_byte(model, place, CASE WHEN get_byte(model, place) < 16 THEN floor(random() * 16)::int
			ELSE 48 + floor(random() * 10)::int END);
	END CASE;
	RETURN model;
END $$;

CREATE FUNCTION attempt(bytes bytea, OUT result text, OUT message text, OUT reference bigint, OUT library bigint) LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	result := 'refused';
	PERFORM model_predict.register('damaged', bytes, trees => 'all');
	result := 'accepted';
	SELECT features INTO n FROM model_predict.versions WHERE model = 'damaged';
	BEGIN
		PERFORM predict_all('damaged', array_fill(i::real, ARRAY[n])), predict_margin('damaged', array_fill((i / 7.0)::real, ARRAY[n]))
		FROM generate_series(-5, 5) i;
		PERFORM predict_all('damaged', array_fill(NULL::real, ARRAY[n]));
	EXCEPTION WHEN invalid_parameter_value OR invalid_text_representation OR datatype_mismatch THEN
		NULL;	-- no category is such a number, or any
	END;
	SELECT differences INTO reference FROM model_predict.verify('damaged') WHERE test = 'reference';
	SELECT differences, detail INTO library, message FROM model_predict.verify('damaged') WHERE test = 'libxgboost';
	RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN NULL;
	WHEN OTHERS THEN
		result := result || ' ' || SQLSTATE;
		message := SQLERRM;
END $$;
SQL

# the time limit is for what hangs: a test machine is never that slow
my ($status, $out, $err) = $node->psql('postgres', <<SQL);
SET client_min_messages = error;
SET statement_timeout = '600s';
SELECT setseed(0.5);
INSERT INTO damaged SELECT file, b, (t).* FROM
	(SELECT file, b, attempt(b) AS t FROM
		(SELECT file, damage(bytes) AS b FROM original, generate_series(1, $times) OFFSET 0) q OFFSET 0) r;
SQL
is($status, 0, 'the session lives through all of it') or diag($err);

my $count = $node->safe_psql('postgres', 'SELECT count(*) FROM damaged');
cmp_ok($count, '>=', 3_000, "$count damaged models");
is($node->safe_psql('postgres', q{SELECT DISTINCT result FROM damaged
		WHERE result !~ '^refused (22000|22P03|0A000|22023)$' AND result <> 'accepted'}), '', 'refused for a known reason, or sound');
is($node->safe_psql('postgres', q{SELECT left(message, 400) FROM damaged WHERE length(message) > 300}), '', 'in few words');
is($node->safe_psql('postgres', 'SELECT count(*) FROM damaged WHERE reference <> 0'), 0, 'our evaluators agree on those that are sound');
is($node->safe_psql('postgres', 'SELECT count(*) FROM damaged WHERE library <> 0'), 0, 'and so does libxgboost');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM damaged WHERE result = 'accepted'}), '>', 100, 'some are sound');
note($node->safe_psql('postgres', 'SELECT result, count(*), count(library) AS by_libxgboost FROM damaged GROUP BY 1 ORDER BY 1'));
like(ask_after($node), qr/^0\.\d+$/, 'and the server still scores');
unlike(slurp_file($node->logfile), qr/PANIC|was terminated by signal|TRAP:/, 'no backend has died');

sub ask_after
{
	my ($node) = @_;
	return $node->safe_psql('postgres', "SELECT model_predict.register('sound', pg_read_binary_file('$models/rules/logistic.ubj'), trees => 'all') \\g /dev/null
		SELECT predict('sound', 1, 2, 3, 4)");
}

$node->stop;
done_testing();
