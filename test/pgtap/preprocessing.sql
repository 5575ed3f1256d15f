-- Preprocessing: rows are matched by its inputs, every function speaks of them, and
-- answers are those of the same trees fed the features that SQL computes.
BEGIN;
\ir include/recorded.sql
SELECT no_plan();

CREATE FUNCTION pg_temp.steps(more text DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"format": 1,
	"inputs": [{"name": "years", "type": "number"}, {"name": "plan", "type": "category"}, {"name": "visits", "type": "number"},
		{"name": "joined", "type": "time"}],
	"steps": [{"op": "impute", "in": ["years"], "out": ["years~1"], "values": [40]},
		{"op": "scale", "in": ["years~1"], "out": ["age"], "subtract": [41.5], "divide": [12.25]},
		{"op": "one_hot", "in": ["plan"], "out": ["gold", "other"], "labels": [["gold"], ["silver", null]]},
		{"op": "date_part", "in": ["joined"], "out": ["month"], "part": "month", "time_zone": "UTC"},
		{"op": "scale", "in": ["month"], "out": ["balance"], "subtract": [6]}],
	"features": ["age", "gold", "visits", "balance"]}'::jsonb || more::jsonb $$;

SELECT model_predict.register('bare', pg_temp.model('logistic.ubj'), trees => 'all') \g /dev/null
SELECT model_predict.register('m', pg_temp.model('logistic.ubj'), trees => 'all', preprocessing => pg_temp.steps()) \g /dev/null

CREATE TABLE people AS
	SELECT n, CASE WHEN n % 7 > 0 THEN n * 1.37 END::float8 AS years, (array['gold', 'silver', NULL])[1 + n % 3] AS plan,
		(n % 11 - 5) / 3.0::float8 AS visits, CASE WHEN n % 13 > 0 THEN timestamp '2024-01-31' + n * interval '53 hours' END AS joined
	FROM generate_series(1, 400) n;
CREATE VIEW expected AS
	SELECT n, predict('bare', (coalesce(years, 40) - 41.5) / 12.25, (plan IS NOT DISTINCT FROM 'gold')::int, visits,
		date_part('month', joined) - 6) AS score FROM people;

CREATE FUNCTION pg_temp.all_right(sql text, what text) RETURNS text LANGUAGE sql AS
	$$ SELECT is_empty(format('SELECT p.n FROM people p JOIN expected e USING (n) WHERE (%s) IS DISTINCT FROM score', sql), what) $$;

SELECT isnt((SELECT count(DISTINCT score) FROM expected), 1::bigint, 'the scores differ');
SELECT pg_temp.all_right(call, call) FROM unnest(array[
	$$predict('m', p)$$, $$predict('m', p.*)$$, $$predict('m', to_jsonb(p))$$, $$predict('m', to_json(p))$$,
	$$predict('m', years, plan, visits, joined)$$, $$predict('m', ROW(years, plan, visits, joined))$$,
	$$predict('m', years::numeric, plan::varchar, visits, joined::timestamptz AT TIME ZONE 'UTC')$$,
	$$predict('m', (SELECT q FROM (SELECT p.joined, plan AS "PLAN", visits, years) q))$$,
	$$(predict_all('m', p))[1]$$, $$(predict_proba('m', p))[2]$$, $$predict_proba_of('m', '1', p)$$]) AS call;

-- many rows at once, and in parallel
SET LOCAL model_predict.batch = 'always';
SELECT pg_temp.all_right($$predict('m', p.*)$$, 'in batches');
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('debug_parallel_query', 'force_parallel_mode') \g /dev/null
SELECT pg_temp.all_right($$predict('m', p.*)$$, 'in a parallel worker');
SELECT set_config(name, 'off', true) FROM pg_settings WHERE name IN ('debug_parallel_query', 'force_parallel_mode') \g /dev/null
RESET model_predict.batch;

-- faults name inputs
SELECT throws_ok($$SELECT predict('m', q) FROM (SELECT 1 AS years) q$$, '42703',
	'the row lacks 3 features of model "m" version 1: "plan", "visits", "joined"', 'inputs that are absent');
SELECT throws_ok($$SELECT predict('m', 1, 'gold', 2)$$, '21000', 'model "m" version 1 expects 4 features, not 3', 'too few values');
SELECT throws_ok($$SELECT predict('m', 1, 'iron'::text, 2, now()::timestamp)$$, '22023',
	'feature "plan" of model "m" version 1 has no category "iron"', 'a label that is not known');
SELECT throws_ok($$SELECT predict('m', '1'::text, 'gold'::text, 2, now()::timestamp)$$, '42804', NULL, 'text for a number');
SELECT throws_ok($$SELECT predict('m', 1, 2, 2, now()::timestamp)$$, '42804', NULL, 'a number for text labels');
SELECT throws_ok($$SELECT predict('m', 1, 'gold'::text, 2, 3)$$, '42804', NULL, 'a number for a time');
SELECT throws_ok($$SELECT predict('m', now(), 'gold'::text, 2, now())$$, '42804', NULL, 'a time for a number');
SELECT throws_ok($$SELECT predict('m', 'Infinity'::float8, 'gold'::text, 2, now())$$, '22003', NULL, 'an infinity');
SELECT throws_ok($$SELECT predict('m', 1, 'gold'::text, 2, 'infinity'::timestamp)$$, '22008', NULL, 'an infinite time');
SELECT is(predict('m', NULL::people), NULL, 'a NULL row');
SELECT is(predict('m', '{"years": 3, "plan": "gold", "visits": 1, "joined": "2024-07-01T12:00:00"}'::jsonb),
	predict('m', 3, 'gold'::text, 1, date '2024-07-01'), 'times in JSON are ISO 8601');
SELECT is(predict('m', 3, 'gold'::text, 1, timestamptz '2024-07-01 01:00+02'), predict('m', 3, 'gold'::text, 1, date '2024-06-30'),
	'the time zone of the steps decides');
SELECT model_predict.revise('m', unseen_category => 'null', description => 'lenient') \g /dev/null
SELECT is(predict('m@2', 1, 'iron'::text, 2, now()), NULL, 'unseen_category null');
SELECT model_predict.revise('m', unseen_category => 'missing') \g /dev/null
SELECT is(predict('m@3', 1, 'iron'::text, 2, now()), predict('m', 1, NULL::text, 2, now()), 'unseen_category missing');
SELECT is((SELECT array_agg(row(unseen_category, description)::text ORDER BY version) FROM model_predict.versions WHERE model = 'm'),
	array['(error,)', '(null,lenient)', '(missing,)'], 'revise() changes what is given and keeps the rest');

-- reasons speak of inputs
SELECT is((SELECT array_agg(feature ORDER BY feature) FROM predict_explain('m', 3, 'gold'::text, 1, date '2024-07-01')),
	array['(bias)', 'joined', 'plan', 'visits', 'years'], 'reasons by input');
SELECT is((SELECT value FROM predict_explain('m', 3, NULL::text, 1, date '2024-07-01') WHERE feature = 'plan'), 'NULL', 'a missing value');
SELECT ok(abs((SELECT sum(contribution) FROM predict_explain('m', p)) - (predict_margin('m', p))[1]) < 1e-5, 'they add up')
	FROM people p WHERE n < 4;
SELECT matches(predict_reasons('m', 1, 30, 'gold'::text, 1, date '2024-07-01'), '^(years|plan|visits|joined) = ', 'a line of them');

-- several inputs in one feature
SELECT model_predict.register('made', pg_temp.model('logistic.ubj'), trees => 'all', preprocessing => '{"format": 1,
	"inputs": [{"name": "a", "type": "number"}, {"name": "b", "type": "number"}, {"name": "c", "type": "number"}, {"name": "d", "type": "number"}],
	"steps": [{"op": "product", "in": ["a", "b"], "out": ["ab"], "factors": [[0, 1]]},
		{"op": "linear", "in": ["a", "b", "c", "d"], "out": ["all", "more"], "matrix": [[1, 1, 1, 1], [0, 1, 2, 3]], "missing": "missing"}],
	"features": ["a", "ab", "all", "more"]}') \g /dev/null
SELECT is((SELECT array_agg(feature || ': ' || value ORDER BY feature) FROM predict_explain('made', 1, 2, 3, 4) WHERE feature <> '(bias)'),
	array['a: 1', 'a × b: 1 × 2', 'a × b × 2 more: 1 × 2 × 2 more'], 'names and values of several inputs');
SELECT is(predict('made', 1, 2, 3, 4), predict('bare', 1, 2, 10, 20), 'products and sums');
SELECT throws_ok($$SELECT predict('made', 1, NULL, 3, 4)$$, '22004',
	'feature "b" of model "made" version 1 is missing, and its preprocessing cannot do without', 'a missing factor');

-- the trigger
CREATE TABLE scored (LIKE people);
ALTER TABLE scored ADD score float8, ADD why text;
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON scored FOR EACH ROW
	EXECUTE FUNCTION model_predict.score('m', 'score', 'reasons:2', 'why', 'only_if_changed', 'true');
INSERT INTO scored SELECT * FROM people;
SELECT is_empty('SELECT n FROM scored s JOIN expected e USING (n) WHERE s.score IS DISTINCT FROM e.score', 'the trigger');
UPDATE scored SET score = NULL, n = -n;
SELECT is_empty('SELECT e.n FROM scored s JOIN expected e ON e.n = -s.n WHERE s.score IS DISTINCT FROM e.score', 'and on update');

-- steps on the prediction
SELECT model_predict.register('logs', pg_temp.model('squarederror.ubj'), trees => 'all') \g /dev/null
CREATE TEMP TABLE r AS SELECT (p).*, predict('logs', p) AS raw FROM pg_temp.people('squarederror') q, LATERAL (SELECT (q.p).*) p;
SELECT model_predict.register('target', pg_temp.model('squarederror.ubj'), trees => 'all', preprocessing => jsonb_build_object('format', 1,
	'inputs', (SELECT jsonb_agg(jsonb_build_object('name', name, 'type', 'number') ORDER BY position) FROM model_predict.inputs WHERE model = 'logs'),
	'steps', '[]'::jsonb, 'features', (SELECT jsonb_agg(name ORDER BY position) FROM model_predict.inputs WHERE model = 'logs'),
	'output', '[{"op": "scale", "multiply": [2.5], "add": [0.125]}, {"op": "square"}]'::jsonb)) \g /dev/null
SELECT is_empty($$SELECT FROM r WHERE predict('target', r) IS DISTINCT FROM (raw * 2.5 + 0.125) * (raw * 2.5 + 0.125)$$, 'a scaled and squared value');
SELECT is_empty($$SELECT FROM r WHERE predict_margin('target', r) IS DISTINCT FROM predict_margin('logs', r)$$, 'margins stay the model''s');
SELECT model_predict.revise('m', preprocessing => pg_temp.steps('{"output": [{"op": "sigmoid", "a": [-3.5], "b": [1.25]}]}')) \g /dev/null
SELECT is_empty($$SELECT FROM people p, LATERAL (SELECT predict('m@1', p) AS t, predict_proba('m@4', p) AS got) q
	WHERE abs(got[2] - 1 / (1 + exp(-3.5 * t + 1.25))) > 1e-15 OR got[1] <> 1 - got[2] OR predict('m@4', p) <> got[2]
		OR predict_class('m@4', p) <> (got[2] > got[1])::int::text$$, 'a calibrated probability');
SELECT throws_ok($$SELECT model_predict.revise('m', preprocessing => pg_temp.steps('{"output": [{"op": "exp"}]}'))$$, '22023', NULL,
	'a step for values on a model of classes');

-- what is registered is checked
SELECT throws_ok($$SELECT model_predict.revise('m', preprocessing => pg_temp.steps('{"features": ["age"]}'))$$, '22023',
	'preprocessing does not fit model "m": it makes 1 features, and the model has 4', 'too few features');
SELECT throws_ok($$SELECT model_predict.revise('m', preprocessing => pg_temp.steps('{"steps": [{"op": "fly"}]}'))$$, '22023',
	'the preprocessing of model "m" cannot be used: steps[0] (fly): unknown op "fly"', 'an unknown op');
SELECT throws_ok($$SELECT model_predict.revise('m@1', examples => '[{"row": {"years": 1, "plan": "gold", "visits": 1, "joined": "2024-01-01"}, "predict_all": [0.5]}]')$$,
	'22000', 'example 1 of model "m" does not give the expected prediction', 'examples are rows of inputs');

-- an example may say the class, and what a custom objective makes of margins is said once
SELECT lives_ok($$SELECT model_predict.revise('m@1', examples => jsonb_build_array(jsonb_build_object('row', to_jsonb(p),
	'predict_all', predict_all('m@1', p), 'class', predict_class('m@1', p)))) FROM people p WHERE n = 5$$, 'the class of an example');
SELECT throws_ok($$SELECT model_predict.revise('m@1', examples => jsonb_build_array(jsonb_build_object('row', to_jsonb(p),
	'predict_all', predict_all('m@1', p), 'class', 1 - predict_class('m@1', p)::int))) FROM people p WHERE n = 5$$, '22000', NULL, 'another class');
SELECT model_predict.register('custom', pg_temp.model('squarederror.ubj'), trees => 'all', link => 'logistic', classes => '{No,Yes}') \g /dev/null
SELECT model_predict.register('custom', pg_temp.model('squarederror.ubj'), trees => 'all', link => 'exp') \g /dev/null
SELECT is_empty($$SELECT FROM r WHERE abs(predict('custom@1', r) - 1 / (1 + exp(-raw))) > 1e-6 OR abs(predict('custom@2', r) / exp(raw) - 1) > 1e-6
	OR predict_class('custom@1', r) <> CASE WHEN raw > 0 THEN 'Yes' ELSE 'No' END$$, 'links of custom objectives');
SELECT throws_ok($$SELECT model_predict.register('custom', pg_temp.model('logistic.ubj'), trees => 'all', link => 'exp')$$, '22023', NULL,
	'a link for an objective that has one');

-- views, words and numbers
SELECT results_eq($$SELECT name, type, labels, features FROM model_predict.inputs WHERE model = 'm' AND version = 1 ORDER BY position$$,
	$$VALUES ('years', 'number', NULL::text[], array['age']), ('plan', 'category', array['gold', 'silver'], array['gold']),
		('visits', 'number', NULL, array['visits']), ('joined', 'time', NULL, array['balance'])$$, 'view inputs');
SELECT is((SELECT array_agg(name ORDER BY position) FROM model_predict.inputs WHERE model = 'bare'), array['age', 'income', 'visits', 'balance'],
	'inputs of a model without preprocessing are its features');
SELECT is((SELECT array_agg(name ORDER BY position) FROM model_predict.features WHERE model = 'm' AND version = 1),
	array['age', 'gold', 'visits', 'balance'], 'features are named by the document');
SELECT matches(model_predict.input_query('m', 'people'), 'SELECT\s+years AS "years",\s+plan AS "plan",\s+visits AS "visits",\s+joined AS "joined"\s+FROM',
	'input_query() is a plain list of columns');
SELECT is_empty($$SELECT * FROM model_predict.verify('m') WHERE differences > 0$$, 'verify() finds nothing');
SELECT model_predict.describe('m@1', tags => '{"team": "growth"}') \g /dev/null
SELECT model_predict.record_metrics('m@1', '{"roc_auc": 0.75}', 'holdout') \g /dev/null
SELECT results_eq($$SELECT description, tags FROM model_predict.versions WHERE model = 'm' AND version = 1$$,
	$$VALUES (NULL::text, '{"team": "growth"}'::jsonb)$$, 'describe()');
SELECT results_eq($$SELECT version, name, metrics FROM model_predict.metrics WHERE model = 'm'$$,
	$$VALUES (1, 'holdout', '{"roc_auc": 0.75}'::jsonb)$$, 'record_metrics()');
SELECT throws_ok($$SELECT model_predict.record_metrics('m', '[1]')$$, '22023', 'metrics must be a JSON object', 'metrics that are none');
SELECT model_predict.set_alias('m', 'champion', 3) \g /dev/null
SELECT is(model_predict.promote('m', 'champion'), 3, 'promote()');
SELECT is((SELECT default_version FROM model_predict.models WHERE model = 'm'), 3, 'it deploys');
SELECT is(model_predict.rollback('m'), 1, 'and can be rolled back');
SELECT throws_ok($$SELECT model_predict.promote('m', 'nobody')$$, '42704', NULL, 'an alias that is not there');

-- the stored program
UPDATE model_predict.stored_forest SET steps = overlay(steps PLACING '\xff'::bytea FROM 200);
SELECT pg_temp.all_right($$predict('m', p)$$, 'a damaged program is passed over');
SELECT model_predict.recompile('m') \g /dev/null
SELECT is((SELECT count(*) FROM model_predict.verify('m') WHERE test = 'stored' AND differences = 0), 1::bigint, 'recompile() mends it');

-- rights
CREATE ROLE regress_preprocessor;
SET LOCAL ROLE regress_preprocessor;
SELECT is_empty('SELECT FROM model_predict.inputs', 'inputs are seen by those who may score');
SELECT is_empty('SELECT FROM model_predict.metrics', 'and metrics');
SELECT throws_ok($$SELECT model_predict.revise('m')$$, '42501', NULL, 'revise() is granted to nobody');
SELECT throws_ok($$SELECT model_predict.describe('m', 'x')$$, '42501', NULL, 'nor describe()');
SELECT throws_ok($$SELECT model_predict.record_metrics('m', '{}')$$, '42501', NULL, 'nor record_metrics()');
SELECT throws_ok($$SELECT model_predict.promote('m', 'champion')$$, '42501', NULL, 'nor promote()');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
