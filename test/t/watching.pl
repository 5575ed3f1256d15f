# Profiles, baselines and drift: against NumPy, in oracles/drift.py; here what
# they count, what they hide, and who may.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ModelPredict;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('watching');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION model_predict');

sub answers
{
	my ($sql, $want, $name) = @_;
	is($node->safe_psql('postgres', $sql), $want, $name);
}

sub refused
{
	my ($sql, $like, $name) = @_;
	my ($status, undef, $err) = $node->psql('postgres', $sql, on_error_stop => 1);
	isnt($status, 0, $name);
	like($err, $like, "$name: message");
}

oracle($node, 'drift.py', 60);

# the demo's rows, with categories
my $demo = "$ENV{TESTDIR}/test/data/demo";
chdir $demo or die $!;
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', 'schema.sql', $node->connstr('postgres') ], 'the table is loaded');
for my $unseen (qw(error missing null))
{
	$node->safe_psql('postgres', "SELECT model_predict.register('churn $unseen', pg_read_binary_file('$demo/churn.ubj'),
		classes => '{No,Yes}', trees => 'best', unseen_category => '$unseen')");
}
my $input = "(SELECT i FROM jsonb_array_elements(p->'inputs') i WHERE i->>'name' = 'contract')";
answers("SELECT p->>'rows', $input->'counts', $input->>'missing', $input->>'unseen', p->>'model', p->>'version'
	FROM (SELECT model_predict.profile('churn error', c.*) p FROM customers c) x",
	join('|', 7043, '[' . join(', ', split /\n/, $node->safe_psql('postgres', 'SELECT count(*) FROM customers GROUP BY contract ORDER BY contract')) . ']', 0, 0, 'churn error', 1),
	'labels are counted');
for my $form ("to_jsonb(c)", "c.*", "ROW(c.*)::customers")
{
	answers("SELECT model_predict.profile('churn error', $form) = (SELECT model_predict.profile('churn error', c.*) FROM customers c) FROM customers c", 't', "a row as $form");
}
answers("SELECT p->>'rows' || ' ' || ($input->>'unseen') || ' ' || ($input->>'missing') || ' ' || (p->'score'->>'missing') FROM (SELECT model_predict.profile('churn missing', r) p FROM
	(SELECT to_jsonb(c) || CASE WHEN id < 4 THEN '{\"contract\": \"new\"}'::jsonb WHEN id < 6 THEN '{\"contract\": null}' ELSE '{}' END r FROM customers c) x) y",
	'7043 3 2 0', 'labels that the model does not know, taken as missing');
answers("SELECT p->>'rows' || ' ' || ($input->>'unseen') || ' ' || (p->'score'->>'missing') FROM (SELECT model_predict.profile('churn null', r) p FROM
	(SELECT to_jsonb(c) || CASE WHEN id < 4 THEN '{\"contract\": \"new\"}'::jsonb ELSE '{}' END r FROM customers c) x) y",
	'7043 3 3', 'and where they give no answer');
refused("SELECT model_predict.profile('churn error', to_jsonb(c) || '{\"contract\": \"new\"}') FROM customers c", qr/"new"/, 'and where they are an error');
answers("SELECT model_predict.profile('churn error', r)->>'rows' FROM (SELECT c r FROM customers c WHERE id < 4 UNION ALL SELECT NULL) x", '3', 'a null row counts nowhere');
answers("SELECT model_predict.profile('churn error', c.*) IS NULL FROM customers c WHERE false", 't', 'no rows, no profile');
refused("SELECT model_predict.profile('churn ' || CASE WHEN id % 2 = 0 THEN 'error' ELSE 'null' END, c.*) FROM customers c WHERE id < 9",
	qr/a profile is of one version/, 'two models in a group');
answers("SELECT count(*), min((p->>'rows')::int) > 3000 FROM (SELECT model_predict.profile('churn ' || CASE WHEN id % 2 = 0 THEN 'error' ELSE 'null' END, c.*) p
	FROM customers c GROUP BY id % 2) x", '2|t', 'one in each group');
answers("SELECT p->'version', p->'model' FROM (SELECT model_predict.merge_profiles(p) p FROM (SELECT model_predict.profile('churn ' || CASE WHEN id % 2 = 0 THEN 'error' ELSE 'null' END, c.*) p
	FROM customers c GROUP BY id % 2) x) y", '|', 'a profile of two models names none');

# drift: what is new is its own bin, and the verdict
answers("WITH p AS (SELECT model_predict.profile('churn missing', to_jsonb(c) || CASE WHEN id % 3 = 0 THEN '{\"contract\": \"new\"}' ELSE '{}' END::jsonb) p FROM customers c),
	b AS (SELECT model_predict.profile('churn missing', c.*) b FROM customers c)
	SELECT input, round(unseen::numeric, 3), verdict, importance IS NULL FROM p, b, model_predict.drift(p, b) WHERE input IN ('contract', 'tenure') ORDER BY psi DESC",
	"contract|0.333|significant|t\ntenure|0.000|none|t", 'new labels');
answers("SELECT input, verdict FROM model_predict.drift((SELECT model_predict.profile('churn error', c.*) FROM customers c WHERE id < 20),
	(SELECT model_predict.profile('churn error', c.*) FROM customers c)) WHERE input IN ('contract', 'score') ORDER BY 1",
	"contract|too few rows\nscore|too few rows", 'too few rows');
refused("SELECT * FROM model_predict.drift('churn error', (SELECT model_predict.profile('churn error', c.*) FROM customers c))",
	qr/model "churn error" version 1 has no baseline.*HINT:.*set_baseline/s, 'no baseline yet');
$node->safe_psql('postgres', "SELECT model_predict.set_baseline('churn error', model_predict.profile('churn error', c.*)) FROM customers c");
answers("SELECT string_agg(input, ',' ORDER BY n), bool_and(verdict = 'none') FROM (SELECT row_number() OVER () n, * FROM model_predict.drift('churn error',
	(SELECT model_predict.profile('churn error', to_jsonb(c) || '{\"female\": true}') FROM customers c WHERE contract <> 'Two year'))) d
	WHERE n <= 3 OR verdict = 'none' AND input = 'churn'", 'score,contract,female|f', 'sorted by importance times index');

like($node->safe_psql('postgres', "SELECT model_predict.drift_svg('churn error', (SELECT model_predict.profile('churn error', c.*) FROM customers c WHERE contract <> 'Two year'), 5, 380)"),
	qr/^<svg [^>]*width="380".*churn error version 1: drift.*contract.*significant/s, 'drift as a picture');
refused("SELECT model_predict.drift_svg('churn null', (SELECT model_predict.profile('churn error', c.*) FROM customers c))", qr/has no baseline/, 'needs a baseline');
answers("SELECT model_predict.drift_svg('churn error', NULL) IS NULL", 't', 'of nothing');

# with preprocessing the inputs are profiled, and an input matters as much as what is made of it
$node->safe_psql('postgres', <<SQL);
CREATE TABLE raw AS SELECT i AS f0, i % 7 AS f1, 1 AS f2, 2 AS f3, 3 AS f4, 4 AS f5, (ARRAY['x', 'y', 'z', NULL])[i % 4 + 1] AS b FROM generate_series(1, 4000) i;
SELECT model_predict.register('steps', pg_read_binary_file('$ENV{TESTDIR}/test/data/models/xgboost-3.4.1/binary-logistic-basescore/model.ubj'),
	preprocessing => jsonb_build_object('format', 1, 'features', '["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"]'::jsonb,
		'steps', '[{"op": "one_hot", "in": ["b"], "out": ["f6", "f7"], "labels": [["x"], ["y"]], "unknown": "zero"}]'::jsonb, 'inputs',
		(SELECT jsonb_agg(jsonb_build_object('name', 'f' || i, 'type', 'number')) FROM generate_series(0, 5) i) || '{"name": "b", "type": "category"}'));
SELECT model_predict.set_baseline('steps', model_predict.profile('steps', r.*)) FROM raw r;
SQL
answers("SELECT i->'labels', i->'counts', i->>'missing', i->>'unseen' FROM model_predict.stored_baseline, jsonb_array_elements(profile->'inputs') i WHERE i->>'name' = 'b'",
	'["x", "y"]|[1000, 1000]|1000|1000', 'labels before they are encoded');
answers("SELECT input, verdict, round(importance::numeric, 3) = round((SELECT sum(gain) FROM model_predict.features WHERE model = 'steps' AND name IN ('f6', 'f7'))::numeric, 3)
	FROM model_predict.drift('steps', (SELECT model_predict.profile('steps', r.*) FROM raw r WHERE b = 'x')) WHERE input IN ('b', 'f2') ORDER BY 1",
	"b|significant|t\nf2|none|f", 'drift of inputs');

# what few rows have is hidden in a baseline
$node->safe_psql('postgres', "SELECT model_predict.set_baseline('churn missing', model_predict.profile('churn missing', r)) FROM
	(SELECT c r FROM customers c WHERE contract <> 'Two year' UNION ALL (SELECT c FROM customers c WHERE contract = 'Two year' LIMIT 4)) x");
answers("SELECT i->'labels', i->'truncated' FROM model_predict.stored_baseline b JOIN model_predict.stored_model m ON m.id = b.model, jsonb_array_elements(profile->'inputs') i
	WHERE m.name = 'churn missing' AND i->>'name' = 'contract'", '["Month-to-month", "One year"]|4', 'labels of fewer than 5 rows are hidden');
$node->safe_psql('postgres', "SELECT model_predict.drop_model('steps')");
answers("SELECT bool_and(n::int >= 5) FROM model_predict.stored_baseline, jsonb_array_elements(profile->'inputs' || (profile->'score')) i, jsonb_array_elements_text(i->'counts') n", 't', 'and bins');

# who may
$node->safe_psql('postgres', "CREATE ROLE ds; CREATE ROLE analyst; CREATE ROLE stranger; GRANT SELECT ON customers TO PUBLIC;
	SELECT model_predict.set_owner('churn error', 'ds'); SELECT model_predict.grant_predict('churn error', 'analyst');
	GRANT EXECUTE ON FUNCTION model_predict.set_baseline TO PUBLIC; CREATE TABLE p AS SELECT model_predict.profile('churn error', c.*) p FROM customers c; GRANT SELECT ON p TO PUBLIC");
answers("SET ROLE analyst; SELECT (model_predict.profile('churn error', c.*)->>'rows')::int > 0 FROM customers c; SELECT count(*) FROM p, model_predict.drift('churn error', p)", "t\n20", 'who may score may profile and see drift');
my $no = qr/model "churn error" does not exist, or role "stranger" may not use it/;
refused("SET ROLE stranger; SELECT model_predict.profile('churn error', c.*) FROM customers c", $no, 'who may not score may not profile');
refused("SET ROLE stranger; SELECT * FROM p, model_predict.drift('churn error', p)", $no, 'nor see drift');
refused("SET ROLE stranger; SELECT model_predict.drift_svg('churn error', p) FROM p", $no, 'nor a picture of it');
refused("SET ROLE stranger; SELECT model_predict.set_baseline('churn error', p) FROM p", $no, 'nor set a baseline');
refused("SET ROLE analyst; SELECT model_predict.set_baseline('churn error', p) FROM p", qr/must be|may not|owner/, 'nor may who may just score');
refused('SET ROLE analyst; SELECT * FROM model_predict.stored_baseline', qr/permission denied/, 'nobody reads baselines directly');
answers("SET ROLE ds; SELECT model_predict.set_baseline('churn error\@1', p) FROM p; SELECT model_predict.set_baseline('churn error', NULL);
	SELECT action, who FROM model_predict.history ORDER BY at DESC LIMIT 1", "\n\nset_baseline|ds", 'the owner may, and forget it');
refused("SELECT * FROM p, model_predict.drift('churn error', p)", qr/has no baseline/, 'it is forgotten');
$node->safe_psql('postgres', "SELECT model_predict.drop_model('churn missing')");
answers("SELECT count(*) FROM model_predict.stored_baseline", '1', 'a baseline goes with its model');

# which version serves, and served
$node->safe_psql('postgres', "SELECT model_predict.register('served', pg_read_binary_file('$demo/churn.ubj'), trees => 'best') FROM generate_series(1, 3)");
my @moves = ("SELECT model_predict.deploy('served', 2)", "SELECT model_predict.deploy('served', 3)", "SELECT model_predict.set_alias('served', 'next', 2)",
	"SELECT model_predict.rollback('served')", "SELECT model_predict.set_alias('served', 'next', 3)", "SELECT model_predict.drop_alias('served', 'next')");
my @served = ([ 'served@1', '' ], [ 'served@2', '' ], [ 'served@3', '' ], [ 'served@3', 'served@2' ], [ 'served@2', 'served@2' ], [ 'served@2', 'served@3' ], [ 'served@2', '' ]);
my @times = map { my $time = $node->safe_psql('postgres', 'SELECT clock_timestamp()'); $node->safe_psql('postgres', $_) if $_; $time } @moves, '';
for my $i (0 .. $#times)
{
	answers("SELECT model_predict.as_of('served', '$times[$i]'), model_predict.as_of('served', '$times[$i]', 'next')", join('|', @{ $served[$i] }), "as_of, before move $i");
}
answers("SELECT model_predict.as_of('served', '2000-01-01') IS NULL, model_predict.as_of('served', now() + '1 day', 'none') IS NULL, model_predict.as_of('served', 'infinity')", 't|t|served@2', 'before all, and ever');
answers("SELECT model_predict.version_of('served'), model_predict.version_of('served\@3'), model_predict.version_of('served\@default')", '2|3|2', 'version_of');
answers("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT model_predict.version_of('served'); SELECT pg_sleep(0); COMMIT", "2\n", 'in any transaction');
answers("BEGIN; SELECT model_predict.deploy('served', 1); SELECT model_predict.version_of('served'), model_predict.as_of('served', clock_timestamp()); ROLLBACK; SELECT model_predict.version_of('served')",
	"\n1|served\@1\n2", 'a deploy counts for itself, and not when it is rolled back');
refused("SET ROLE stranger; SELECT model_predict.version_of('served')", qr/model "served" does not exist, or role "stranger" may not use it/, 'version_of what one may not see');
refused("SET ROLE stranger; SELECT model_predict.as_of('served', now())", qr/model "served" does not exist, or role "stranger" may not use it/, 'as_of what one may not see');
refused("SELECT model_predict.as_of('absent', now())", qr/model "absent" does not exist/, 'as_of what is not there');
answers("SET ROLE analyst; SELECT model_predict.version_of('churn error'), model_predict.as_of('churn error', now())", '1|churn error@1', 'who may score may ask');

# triggers that score
$node->safe_psql('postgres', "CREATE TABLE scored (LIKE customers); ALTER TABLE scored ADD score double precision, ADD class text, ADD wrong point");
my %triggers = (
	a_good => [ "BEFORE INSERT OR UPDATE", "'churn error', 'score', 'class', 'class'", undef ],
	b_model => [ "BEFORE INSERT", "'absent', 'score'", qr/model "absent" does not exist/ ],
	c_column => [ "BEFORE INSERT", "'churn error', 'nowhere'", qr/nowhere/ ],
	d_type => [ "BEFORE INSERT", "'churn error', 'wrong'", qr/wrong/ ],
	e_after => [ "AFTER INSERT", "'churn error', 'score'", qr/must be fired BEFORE/ ],
	f_label => [ "BEFORE INSERT", "'churn error', 'score', 'proba_of:Maybe', 'score'", qr/Maybe|score/ ],
	g_label => [ "BEFORE INSERT", "'churn error', 'proba_of:Maybe', 'score'", qr/Maybe|proba_of/ ],
	h_off => [ "BEFORE INSERT", "'churn error', 'score'", qr/disabled/ ]);
$node->safe_psql('postgres', join '', map { "CREATE TRIGGER $_ $triggers{$_}[0] ON scored FOR EACH ROW EXECUTE FUNCTION model_predict.score($triggers{$_}[1]);" } sort keys %triggers);
$node->safe_psql('postgres', 'ALTER TABLE scored DISABLE TRIGGER h_off; ALTER TABLE scored DROP COLUMN wrong, ADD wrong point');
my %problems = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('postgres', "SELECT * FROM model_predict.check_triggers('scored')");
for my $trigger (sort keys %triggers)
{
	my $want = $triggers{$trigger}[2];
	$want ? like($problems{$trigger}, $want, "check_triggers: $trigger") : is($problems{$trigger}, undef, "check_triggers: $trigger has no fault");
}
answers("SELECT count(*) FROM model_predict.check_triggers('customers')", '0', 'a table without triggers');
like($node->safe_psql('postgres', "GRANT SELECT ON scored TO stranger; SET ROLE stranger; SELECT problem FROM model_predict.check_triggers('scored') WHERE trigger = 'a_good'"),
	qr/role "stranger" may not use it/, 'for the current role');
answers("DROP TRIGGER a_good ON scored; SELECT count(*) FROM model_predict.check_triggers('scored')", '7', 'nothing is left open by faults');

# what is no profile
for my $json ('{}', '[]', 'null', '1', '"x"', '{"format": 2, "rows": 1, "inputs": []}', '{"format": 1, "rows": -1, "inputs": []}', '{"format": 1, "rows": 1}',
	'{"format": 1, "rows": 1, "inputs": {}}', '{"format": 1, "rows": 1, "inputs": [1]}', '{"format": 1, "rows": 1, "inputs": [], "more": 1}',
	map { qq({"format": 1, "rows": 1, "inputs": [{"name": "x", $_}]}) } '"kind": "number"', '"kind": "other", "counts": []', '"kind": "number", "counts": [1]',
	'"kind": "number", "keys": [1], "counts": [0]', '"kind": "number", "keys": [1], "counts": [-1]', '"kind": "number", "keys": [1], "counts": [1.5]',
	'"kind": "number", "keys": [2, 1], "counts": [1, 1]', '"kind": "number", "keys": [4294967296], "counts": [1]', '"kind": "number", "shift": 31, "keys": [2], "counts": [1]',
	'"kind": "number", "shift": 32, "keys": [], "counts": []', '"kind": "number", "keys": [1], "counts": [9223372036854775807]', '"kind": "number", "keys": [' . join(',', 1 .. 1025) . '], "counts": [' . join(',', (1) x 1025) . ']',
	'"kind": "category", "labels": ["a"], "counts": []', '"kind": "category", "labels": ["a", "a"], "counts": [1, 1]', '"kind": "category", "labels": [1], "counts": [1]', '"kind": "category", "missing": -1, "labels": [], "counts": []')
{
	refused("SELECT model_predict.merge_profiles('$json')", qr/this is no profile: /, 'no profile: ' . substr($json, 0, 90));
}
refused(q(SELECT model_predict.merge_profiles(p) FROM (VALUES ('{"format": 1, "rows": 1, "inputs": [{"name": "x", "kind": "number", "keys": [], "counts": []}]}'::jsonb),
	('{"format": 1, "rows": 1, "inputs": [{"name": "x", "kind": "category", "labels": [], "counts": []}]}')) t(p)), qr/"x" is a number in one profile and a category in another/, 'profiles that do not fit');
answers(q(SELECT model_predict.merge_profiles(p)->'inputs' FROM (VALUES ('{"format": 1, "rows": 1, "inputs": [{"name": "x", "kind": "category", "labels": ["a\"\\\\\\t"], "counts": [1]}]}'::jsonb),
	('{"format": 1, "rows": 1, "inputs": [{"name": "x", "kind": "category", "labels": ["a\"\\\\\\t", "é"], "counts": [2, 1]}]}')) t(p)),
	q([{"kind": "category", "name": "x", "counts": [3, 1], "labels": ["a\"\\\\\\t", "é"], "unseen": 0, "missing": 0, "truncated": 0}]), 'labels with quotes');

$node->stop;
done_testing();
