-- predict_reasons and predict_reasons_json: how reasons are written, and on
-- which scales. What they are: explain.sql.
BEGIN;
\ir include/golden.sql
SELECT no_plan();

SELECT pg_temp.golden('xgboost-3.4.1/' || name, name)
FROM unnest('{categorical-multi,binary-hinge,binary-logitraw,count-poisson,root-only}'::text[]) AS name \g /dev/null
SELECT model_predict.register('lin', pg_temp.linear('{a,b,c,d,e,f}', '{6,5,4,3,2,1}')) \g /dev/null
SELECT model_predict.register('cat', pg_read_binary_file(current_setting('test.models') || 'rules/categories.json'), unseen_category => 'missing',
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Turku", "Oslo"]}') \g /dev/null

-- one line
SELECT is(predict_reasons('lin', top, 1, -1, 0.001, 0, 1000, 0.5), expected, 'top ' || top)
FROM (VALUES (1, 'e = 1000 (+2000)'), (3, 'e = 1000 (+2000), a = 1 (+6.00), b = -1 (-5.00)'),
	(100, 'e = 1000 (+2000), a = 1 (+6.00), b = -1 (-5.00), f = 0.5 (+0.50), c = 0.001 (+0.0040)')) AS v (top, expected);
SELECT is(predict_reasons('lin', 1, 0, 0, 0, 0, 0, x), expected, expected)
FROM (VALUES (0.25, 'f = 0.25 (+0.25)'), (99.994, 'f = 99.994 (+99.99)'), (1234.5, 'f = 1234.5 (+1234)'), (-0.012, 'f = -0.012 (-0.012)'),
	(0.00012, 'f = 0.00012 (+0.00012)'), (1e-9, 'f = 0.000000001 (+1.0e-09)'), (1e20, 'f = 100000000000000000000 (+1.0e+20)'), (0, '')) AS v (x, expected);
SELECT is(predict_reasons('root-only', 5, t), '', 'without a split there are no reasons') FROM "root-only" t WHERE _row = 1;
SELECT is(predict_reasons('lin', 5, 1, 1, 1, NULL, 1, 1), 'a = 1 (+6.00), b = 1 (+5.00), c = 1 (+4.00), e = 1 (+2.00), f = 1 (+1.00)', 'what adds nothing is no reason');
SELECT is(predict_reasons_array('lin', 2, 1, 1, 1, NULL, 1, 1), '{a,b}', 'names alone'),
	is(predict_reasons_array('lin', 9, 1, 0, 0, 0, 0, 0), '{a}', 'no more than there are'),
	is(predict_reasons_array('lin', 9, 0, 0, 0, 0, 0, 0), '{}', 'none'),
	is(predict_reasons_array('lin', NULL, 1, 1, 1, 1, 1, 1), NULL, 'so many is not said'),
	is(predict_reasons('lin', s), predict_reasons('lin', 3, s), 'three of a whole row'),
	is(predict_reasons('lin', ROW(1, 1, 1, 1, 1, 1)), 'a = 1 (+6.00), b = 1 (+5.00), c = 1 (+4.00)', 'of a nameless one, too')
FROM (SELECT 1 AS a, 1 AS b, 1 AS c, 1 AS d, 1 AS e, 1 AS f) AS s;
SELECT throws_ok('SELECT predict_reasons_array(''lin'', 0, 1, 2, 3, 4, 5, 6)', '22023', NULL, 'at least one name');
SELECT throws_ok('SELECT predict_reasons(''lin'', 0, 1, 2, 3, 4, 5, 6)', '22023', NULL, 'at least one reason');
SELECT model_predict.register('line', pg_temp.linear(array[E'two\nlines', 'tab' || E'\t' || 'bed'], '{2,1}')) \g /dev/null
SELECT is(predict_reasons('line', 2, 1, 1), 'two lines = 1 (+2.00), tab bed = 1 (+1.00)', 'one line whatever the names are');
SELECT is(predict_reasons('cat', 6, 1, 1, 1, 1, 20, repeat('é', 100)), r, 'long values are cut between characters')
FROM (SELECT replace(predict_reasons('cat', 6, 1, 1, 1, 1, 20, 'Moss'), 'Moss (as missing)', repeat('é', 30) || '...') AS r) AS s;

-- jsonb: what is explained on every scale that it has
SELECT model_predict.register('two', pg_temp.linear('{a,b,c}', '{1,-2,0.5}', 0.25, 'binary:logistic'), classes => '{no,yes}') \g /dev/null
SELECT is(predict_reasons_json('two', 2, 1, 1, 1), jsonb_build_object('model', 'two', 'version', 1, 'predicted_class', 'no', 'explained_class', 'yes',
	'probability', to_jsonb(predict('two', 1, 1, 1)::real), 'base_probability', to_jsonb(predict('two', 0, 0, 0)::real), 'margin', -0.25, 'bias', 0.25,
	'reasons', jsonb '[{"feature": "b", "value": "1", "contribution": -2}, {"feature": "a", "value": "1", "contribution": 1}]', 'rest', 0.5), 'two classes');
SELECT is(j ->> 'predicted_class', predict_class(m, t)), is(j ->> 'explained_class', predict_class(m, t)),
	is((j ->> 'probability')::real, predict_proba_of(m, predict_class(m, t), t)::real, 'the probability of the predicted class'),
	ok(abs((j ->> 'margin')::float8 - (j ->> 'bias')::float8 - (j ->> 'rest')::float8
		- (SELECT sum((r ->> 'contribution')::float8) FROM jsonb_array_elements(j -> 'reasons') AS r)) < 1e-4, 'the margin in parts'),
	ok(abs((j ->> 'base_probability')::float8 - (SELECT exp(b[k]) / sum(exp(v)) FROM unnest(b) AS v GROUP BY b[k])) < 1e-6, 'the softmax of the biases')
FROM (SELECT m, t, predict_reasons_json(m, 3, t) AS j, predict_class(m, t)::int + 1 AS k,
		(SELECT array_agg(c[i][array_upper(c, 2)]::float8 ORDER BY i) FROM generate_subscripts(c, 1) AS i) AS b
	FROM (SELECT 'categorical-multi' AS m, t, predict_contribs('categorical-multi', t) AS c FROM "categorical-multi" t WHERE _row IN (2, 5)) AS s) AS s;
SELECT is(j - 'reasons' - 'rest' - 'margin' - 'bias', jsonb_build_object('model', 'count-poisson', 'version', 1, 'prediction', to_jsonb(predict('count-poisson', t)::real),
	'base_prediction', to_jsonb(exp((j ->> 'bias')::float8)::real)), 'a count: predictions on its own scale')
FROM (SELECT t, predict_reasons_json('count-poisson', 2, t) AS j FROM "count-poisson" t WHERE _row = 7) AS s;
SELECT is(predict_reasons_json('binary-hinge', 1, t) - 'reasons' - 'rest' - 'margin' - 'bias',
	jsonb_build_object('model', 'binary-hinge', 'version', 1, 'predicted_class', predict_class('binary-hinge', t), 'explained_class', '1'), 'hinge has no probability')
FROM "binary-hinge" t WHERE _row = 2;
SELECT is((predict_reasons_json('binary-logitraw', 1, t) ->> 'probability')::real, (predict_proba('binary-logitraw', t))[2]::real, 'logitraw has one')
FROM "binary-logitraw" t WHERE _row = 2;
SELECT is(j -> 'margin', 'null', 'what is no number is null') FROM predict_reasons_json('lin', 1, 3e38, 3e38, 3e38, 3e38, 0, 0) AS j;

SELECT * FROM finish();
ROLLBACK;
