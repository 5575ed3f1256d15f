# Bad models on one live server: the ones that the core's own tests spoil by
# hand, with the messages that they expect; models cut off; and thousands with
# random bytes. No backend exits, nothing internal goes wrong, and what is
# taken can be scored.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use File::Copy;
use ModelPredict;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('hostile', "model_predict.max_model_size = '64MB'");
install_extension($node);

# tries every file of a folder in one backend; what came of it goes to table tried
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE tried (file text, pid int, state text, message text, expected text);
CREATE TABLE worked (file text, at int, bytes int, pid int, state text, message text);

CREATE PROCEDURE try_folder(folder text) LANGUAGE plpgsql AS $$
DECLARE
	file text;
	state text;
	message text;
BEGIN
	FOR file IN SELECT name FROM pg_ls_dir(folder) name WHERE name LIKE '%.model' ORDER BY 1 LOOP
		state := '00000';
		message := 'taken';
		BEGIN
			PERFORM model_predict.register('spoiled', pg_read_binary_file(folder || '/' || file),
				trees => 'all');
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
		END;
		INSERT INTO tried VALUES (file, pg_backend_pid(), state, message,
			pg_read_file(folder || '/' || replace(file, '.model', '.message')));
	END LOOP;
END $$;

-- registers the bytes; what is taken is scored, and then it was never there
CREATE PROCEDURE try_bytes(file text, at int, bytes bytea) LANGUAGE plpgsql AS $$
DECLARE
	state text := '00000';
	message text := 'taken and scored';
	registered int;
	width int;
BEGIN
	BEGIN
		registered := model_predict.register('damaged', bytes, trees => 'all');
		SELECT v.features INTO width FROM model_predict.versions v
		WHERE v.model = 'damaged' AND v.version = registered;
		PERFORM predict_margin('damaged', array_fill(x, ARRAY[width]))
		FROM unnest('{0,1,-1,0.5,3e38,NaN,NULL}'::real[]) x;
		PERFORM predict_leaf('damaged', array_fill(1::real, ARRAY[width]))
		FROM model_predict.versions v WHERE v.model = 'damaged' AND v.booster <> 'gblinear';
		RAISE EXCEPTION USING ERRCODE = '00001', MESSAGE = 'taken and scored';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
	END;
	INSERT INTO worked VALUES (file, at, length(bytes), pg_backend_pid(), state, message);
END $$;

CREATE PROCEDURE try_random(file text, original bytea, rounds int) LANGUAGE plpgsql AS $$
DECLARE
	bytes bytea;
	at int;
BEGIN
	FOR round IN 1 .. rounds LOOP
		bytes := original;
		FOR k IN 0 .. round % 4 LOOP
			at := floor(random() * length(bytes));
			bytes := set_byte(bytes, at, floor(random() * 256)::int);
		END LOOP;
		CALL try_bytes(file, at, bytes);
	END LOOP;
END $$;

CREATE PROCEDURE try_cut(file text, original bytea) LANGUAGE plpgsql AS $$
BEGIN
	FOR at IN 0 .. length(original) - 1 BY 64 LOOP
		CALL try_bytes(file, at, substr(original, 1, at));
	END LOOP;
END $$;
SQL

# the server's own log says what happened to its backends
sub log_is_quiet
{
	my ($name) = @_;
	my $log = slurp_file($node->logfile);

	unlike($log, qr/PANIC|terminated by signal|TRAP|server process .* exited/,
		"$name: no backend exited");
	return;
}

# --- spoiled by hand ---

my $unit = "$ENV{TESTDIR}/test/unit";
my $folder = PostgreSQL::Test::Utils::tempdir();
my $out = "OUT=$folder/build";
mkdir "$folder/spoiled" or die $!;
system_or_bail('make', '-s', '-C', $unit, $out, "$folder/build/plain/run");
{
	local $ENV{MP_KEEP_SPOILED} = "$folder/spoiled";
	local $ENV{MP_MODELS} = "$ENV{TESTDIR}/test/data/models";
	system_or_bail("$folder/build/plain/run", map { "hostile_$_" }
		qw(trees dart linear vectors circles other_files json ubjson trailing_bytes depth bloat
		   binary_fields));
}
$node->safe_psql('postgres', "CALL try_folder('$folder/spoiled')");
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM tried'), '>', 450, 'spoiled models');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT pid) FROM tried'), 1,
	'one backend tried all');
is($node->safe_psql('postgres', "SELECT string_agg(file || ' ' || message, E'\\n')
	FROM tried WHERE state IN ('00000', 'XX000', 'XX001')"), '',
	'all are refused, none as internal error');
is($node->safe_psql('postgres', "SELECT string_agg(concat_ws(' ', file, message, expected), E'\\n')
	FROM tried WHERE strpos(message, expected) = 0"), '', 'each with its own message');
is($node->safe_psql('postgres', "SELECT count(*) FROM model_predict.models"), 0,
	'nothing is left behind');
log_is_quiet('spoiled by hand');

# --- cut off, and random bytes ---

my %rounds = (
	'xgboost-3.4.1/zero-rounds' => 200,
	'xgboost-3.4.1/root-only' => 300,
	'xgboost-3.4.1/gblinear-multi' => 200,
	'xgboost-3.4.1/multi-target-vector-leaf' => 200,
	'xgboost-3.4.1/categorical-onehot' => 150,
	'xgboost-1.7.4/gblinear' => 200,
	'xgboost-1.7.4/root-only' => 250,
	'xgboost-1.0.2/dart' => 100,
);
$node->safe_psql('postgres', 'SELECT setseed(0.5)');
for my $case (sort keys %rounds)
{
	for my $format (qw(ubj json deprecated))
	{
		my $file = "$ENV{TESTDIR}/test/data/models/$case/model.$format";
		next unless -e $file;

		# the server's user may not be allowed into the sources
		copy($file, "$folder/original") or die $!;
		my $cut = $case =~ /root-only|zero-rounds/ ?
			"CALL try_cut('$case $format', pg_read_binary_file('$folder/original'));" : '';
		my ($status, $stdout, $stderr) = $node->psql('postgres', "SELECT setseed(0.25); $cut
			CALL try_random('$case $format', pg_read_binary_file('$folder/original'),
				$rounds{$case})");
		is($status, 0, "$case as $format: the session lives") or diag $stderr;
	}
}
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM worked'), '>', 3000, 'damaged models');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM worked WHERE state = '00001'"), '>', 100,
	'some could be taken, and were scored');
is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT state || ' ' || message, E'\\n')
	FROM worked WHERE state LIKE 'XX%' OR state IN ('53200', '57014')"), '', 'no internal error');
is($node->safe_psql('postgres', "SELECT string_agg(file || ' ' || at, ', ')
	FROM worked w WHERE at = bytes AND state = '00001'"), '', 'no part of a model was taken');
is($node->safe_psql('postgres', 'SELECT count(*) FROM model_predict.models'), 0,
	'nothing is left behind');
log_is_quiet('damaged models');

done_testing();
