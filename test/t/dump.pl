# Dumps and what comes back from them: models, rights, history, numbers.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('dump');
my $files = PostgreSQL::Test::Utils::tempdir();
install_extension($node);
$node->safe_psql('postgres', q{
	CREATE ROLE ds LOGIN;
	CREATE ROLE "Bi; -- x" LOGIN;
	CREATE ROLE gone;
	CREATE ROLE dumper LOGIN IN ROLE pg_read_all_data;
	GRANT EXECUTE ON FUNCTION model_predict.register, model_predict.deploy TO ds;
	SELECT model_predict.register('m', constant_model(v), description => 'it''s "odd" \ ' || v, tags => '{"a": null}',
		missing => -1, threshold => 0.25) FROM generate_series(1, 3) v;
	SELECT model_predict.set_owner('m', 'ds');
	SELECT model_predict.grant_predict('m', 'Bi; -- x');
	SELECT model_predict.grant_predict('m', 'gone');
	SELECT model_predict.deploy('m', 2, E'two\nlines');
	SELECT model_predict.deploy('m', 3);
	SELECT model_predict.rollback('m');
	SELECT model_predict.set_alias('m', 'champion', 3);
	SELECT model_predict.register('dropped', constant_model(5));
	SELECT model_predict.register('dropped', constant_model(6));
	SELECT model_predict.drop_model('dropped');
	DROP ROLE gone;
	CREATE SCHEMA app;
	CREATE TABLE app.customer AS SELECT 1.0::float8 AS x;
	CREATE VIEW app.scores AS SELECT predict('m', x) FROM app.customer;
	CREATE MATERIALIZED VIEW app.scored AS SELECT predict('m', x) FROM app.customer;
	GRANT USAGE ON SCHEMA app TO dumper;
});

# models that are nothing without their options
my $models = "$ENV{TESTDIR}/test/data/models/rules";
$node->safe_psql('postgres', qq{
	SELECT model_predict.register('plans', pg_read_binary_file('$models/categories.json'), classes => '{stays,leaves}',
		categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Turku", "O''Hare"]}', unseen_category => 'null', threshold => 0.02,
		examples => '[{"row": {"age": 1.0050431489944458, "income": -0.08284411579370499, "visits": -0.4286458492279053,
			"balance": 0.5711160898208618, "plan": null, "city": "Turku"}, "predict_all": 0.9039156}]');
	SELECT model_predict.register('early', pg_read_binary_file('$models/early.ubj'), trees => t) FROM unnest('{all,best}'::text[]) t;
	SELECT model_predict.register('sparse', pg_read_binary_file('$models/sparse.ubj'), trees => 'all', missing => 0,
		infinity => 'missing', absent_feature => 'missing');
	SELECT model_predict.register('prepared', pg_read_binary_file('$models/logistic.ubj'), trees => 'all', metrics => '{"roc_auc": 0.75}',
		preprocessing => '{"format": 1, "inputs": [{"name": "plan", "type": "category"}, {"name": "age", "type": "number"}],
			"steps": [{"op": "one_hot", "in": ["plan"], "out": ["a", "b"], "labels": [["Aarhus"], ["Turku"]], "unknown": "zero"},
				{"op": "scale", "in": ["age"], "out": ["years"], "subtract": [0.1], "divide": [0.7]}],
			"features": ["years", "a", "b", "age"]}');
	-- as many words as may be
	SELECT model_predict.register('words', pg_read_binary_file('$models/sparse.ubj'), trees => 'all', description => repeat('\\', 65536),
		tags => to_jsonb(repeat(E'\\t', 149000)));
	SELECT model_predict.register('words', pg_read_binary_file('$models/sparse.ubj'), trees => 'all');
	SELECT model_predict.deploy('words', 2, repeat(E'\\\\', 65536))});
my $answers = q{
	SELECT predict('plans', a, 0, 1, -1, p, c), predict_class('plans', a, 0, 1, -1, p, c), predict('early@1', a, 0, 1, -1),
		predict('early@2', a, 0, 1, -1), predict('sparse', jsonb_build_object('AGE', a, 'visits', 'Infinity'::float8 > 0)), predict('prepared', c, a)
	FROM generate_series(-1, 1) a, unnest('{10,45}'::int[]) p, unnest('{Aarhus,Turku,Oslo}'::text[]) c};
my $answered = $node->safe_psql('postgres', $answers);
like($answered, qr/^0\.\d+\|$_\|/m, "answers: $_") for 'stays', 'leaves';
like($answered, qr/^\|\|/m, 'answers: null');

# all that a database holds of models, apart from their compiled forms
sub content
{
	my ($database) = @_;
	return $node->safe_psql($database, join '; ',
		(map { "SELECT to_jsonb(t) FROM (SELECT * FROM model_predict.$_) t ORDER BY to_jsonb(t)::text COLLATE \"C\"" }
			qw(stored_model stored_version stored_alias stored_permission stored_feature stored_event stored_baseline stored_input stored_metrics
				models versions aliases features inputs metrics history)),
		'SELECT last_value, is_called FROM model_predict.stored_model_id_seq',
		'SELECT last_value, is_called FROM model_predict.stored_event_id_seq',
		"SELECT proname, proacl FROM pg_proc WHERE pronamespace = 'model_predict'::regnamespace ORDER BY 1");
}

sub restored_well
{
	my ($database, $how) = @_;

	subtest $how => sub {
		is(content($database), content('postgres'), 'the same content');
		is(ask($node, 'm', $database), 2, 'scores');
		is($node->safe_psql($database, $answers), $answered, 'answers the same from the bytes and their options');
		is($node->safe_psql($database, 'SELECT predict(\'m\', 1.0)', extra_params => [ '-U', $_ ]), 2, "scores for $_")
		  for 'ds', 'Bi; -- x';
		fails($node, 'dumper', "SELECT predict('m', 1.0)", qr/does not exist, or role/, 'not for others', $database);
		is($node->safe_psql($database, "SELECT count(*) FROM model_predict.stored_forest; SELECT model_predict.recompile('m');
			SELECT count(*) FROM model_predict.stored_forest; SELECT predict('m', 1.0)"), "0\n\n1\n2", 'compiles anew');
		is($node->safe_psql($database, "SELECT model_predict.register('m', constant_model(4));
			SELECT model_predict.deploy('m', 4)", extra_params => [ '-U', 'ds' ]), "4\n", 'registration goes on');
		is($node->safe_psql($database, "SELECT model_predict.rollback('m'), model_predict.rollback('m')"), '2|1',
			'so does the history');
		is($node->safe_psql($database, "SELECT model_predict.register('dropped', constant_model(7))"), 3,
			'numbers of dropped models are not used again');
	};
	return;
}

sub database
{
	my ($name) = @_;
	$node->safe_psql('postgres', qq{CREATE DATABASE "$name" TEMPLATE template0});
	return $name;
}

my $hostile = database('hostile');
$node->safe_psql($hostile, q{
	CREATE SCHEMA evil;
	CREATE FUNCTION evil.trap(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
	CREATE OPERATOR evil.= (FUNCTION = evil.trap, LEFTARG = bigint, RIGHTARG = bigint);
	CREATE FUNCTION evil.predict(text, float8) RETURNS float8 LANGUAGE sql AS 'SELECT -1.0::float8';
	CREATE TABLE evil.model (id int);
	ALTER DATABASE hostile SET search_path = evil, pg_catalog, public;
});

$node->command_ok([ 'pg_dump', '-f', "$files/plain.sql", 'postgres' ], 'plain dump');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', database('plain'), '-f', "$files/plain.sql" ], 'restored');
restored_well('plain', 'plain');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $hostile, '-f', "$files/plain.sql" ], 'restored');
$node->safe_psql($hostile, 'DROP SCHEMA evil CASCADE; ALTER DATABASE hostile RESET search_path');
restored_well($hostile, 'plain, into a hostile search_path');

$node->command_ok([ 'pg_dump', '-Fc', '-f', "$files/custom", 'postgres' ], 'custom dump');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', database('custom'), "$files/custom" ], 'restored');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$files/custom2", 'custom' ], 'dumped again');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-1', '-d', database('again'), "$files/custom2" ], 'restored again');
restored_well('again', 'custom, twice over');

$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$files/directory", 'postgres' ], 'directory dump, 2 jobs');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-j2', '-d', database('directory'), "$files/directory" ], 'restored, 2 jobs');
restored_well('directory', 'directory');

$node->command_ok([ 'pg_dump', '-U', 'dumper', '--quote-all-identifiers', '--inserts', '-f', "$files/role.sql", 'postgres',
	'-N', 'app' ], 'dump as a role that may read, with INSERTs and quoted identifiers');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', database('role'), '-f', "$files/role.sql" ], 'restored');
restored_well('role', 'by a role that is no superuser');

# a schema alone takes no models, unless the extension is asked for
$node->command_ok([ 'pg_dump', '-n', 'app', '-f', "$files/app.sql", 'postgres' ], 'dump of a schema');
unlike(slurp_file("$files/app.sql"), qr/model_predict\.|EXTENSION/, 'without the models');
$node->command_ok([ 'pg_dump', '-U', 'ds', '-n', 'public', '-f', "$files/public.sql", 'postgres' ],
	'dump of a schema by a role that may not read models');
$node->command_ok([ 'pg_dump', '-n', 'app', '-e', 'model_predict', '-f', "$files/both.sql", 'postgres' ], 'with -e');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', database('both'), '-f', "$files/both.sql" ], 'restored');
is(ask($node, 'm', 'both'), 2, 'scores');
is($node->safe_psql('both', 'SELECT * FROM app.scores, app.scored'), '2|2', 'and so do the schema\'s views');

# into a database that is in use: same ids, other bytes
$node->safe_psql('directory', "SELECT model_predict.drop_model('m')");
$node->safe_psql('plain', "SELECT model_predict.deploy('m', 4)");
my $session = session($node, 'plain');
is($session->("SELECT predict('m', 1.0)"), 4, 'a session before');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--clean', '-d', 'plain', "$files/custom" ], 'restored over it');
is($session->("SELECT predict('m', 1.0)"), 2, 'the session sees what was restored');
$node->safe_psql('plain', "TRUNCATE model_predict.stored_model, model_predict.stored_version, model_predict.stored_alias,
	model_predict.stored_permission, model_predict.stored_feature, model_predict.stored_forest, model_predict.stored_event,
	model_predict.stored_baseline, model_predict.stored_input, model_predict.stored_metrics");
is($session->("SELECT predict('m', 1.0)"), '42704', 'nothing');
$node->command_ok([ 'pg_restore', '--exit-on-error', '--data-only', '-n', 'model_predict', '-d', 'plain', "$files/custom" ],
	'data alone');
is($session->("SELECT predict('m', 1.0)"), 2, 'the session sees the data');
$session->(undef);

# roles that the other cluster does not have: nobody, and no failure
my $other = new_server('other');
my $err;
$other->safe_psql('postgres', 'CREATE ROLE ds LOGIN');
$other->psql('postgres', slurp_file("$files/plain.sql"), stderr => \$err, on_error_stop => 0);
like($err, qr/WARNING:  role "Bi; -- x" does not exist, nobody is put in its place/, 'a warning names the role');
is(join(', ', sort grep { !/GRANT|role "(Bi; -- x|dumper)" does not exist$/ } $err =~ /ERROR:  (.*)/g), '', 'no error but of GRANTs');
is($other->safe_psql('postgres', 'SELECT string_agg(grantee::text, \', \') FROM model_predict.stored_permission'), '-, -', 'nobody');
is($other->safe_psql('postgres', "SELECT predict('m', 1.0)", extra_params => [ '-U', 'ds' ]), 2, 'who is known has the rights');
is($other->safe_psql('postgres', "CREATE ROLE \"Bi; -- x\" LOGIN; SELECT model_predict.grant_predict('m', 'Bi; -- x');
	SELECT count(*) FROM model_predict.stored_permission"), "\n1", 'granting again cleans up');
$other->stop;

$node->stop;
done_testing();
