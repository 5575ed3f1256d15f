-- predict_explain and its family: which output, in which order, with which
-- values. Contributions themselves: contribs.sql.
BEGIN;
\ir include/golden.sql
SELECT no_plan();

SELECT pg_temp.golden('xgboost-3.4.1/' || name, name)
FROM unnest('{categorical-text,categorical-multi,multi-softmax,multi-target,count-poisson}'::text[]) AS name \g /dev/null

-- the table holds the contributions, strongest first, equally strong ones by position, the bias last
CREATE FUNCTION pg_temp.expected(model text, numbers float8[]) RETURNS TABLE (feature text, contribution float8) LANGUAGE sql AS $$
	SELECT coalesce(name, '(bias)'), c FROM unnest(numbers) WITH ORDINALITY AS v (c, i)
	LEFT JOIN model_predict.features f ON f.model = $1 AND position = i
	ORDER BY name IS NULL, abs(c) DESC, i $$;
SELECT results_eq(format($$ SELECT feature, contribution FROM "categorical-text" t, predict_explain('categorical-text', t) WHERE _row = %s $$, r),
	format($$ SELECT e.* FROM "categorical-text" t, pg_temp.expected('categorical-text', predict_contribs('categorical-text', t)) e WHERE _row = %s $$, r),
	'the contributions in order, row ' || r)
FROM generate_series(1, 6) AS r;
SELECT is((SELECT value FROM "categorical-text" t, predict_explain('categorical-text', t) WHERE _row = 1 AND feature = '(bias)'), NULL, 'the bias has no value');
SELECT is_empty($$ SELECT _row, feature FROM "categorical-text" t, predict_explain('categorical-text', t), to_json(t) AS j
	WHERE feature <> '(bias)' AND value IS DISTINCT FROM coalesce(j ->> feature, 'missing') $$, 'values are those of the row');

-- which output: of several classes the predicted one, of two the second
CREATE FUNCTION pg_temp.row_of(numbers float8[], k int) RETURNS float8[] LANGUAGE sql AS
	$$ SELECT array_agg(v) FROM unnest(numbers[k:k][:]) AS v $$;
SELECT results_eq(format($$ SELECT feature, contribution FROM %I t, predict_explain(%1$L, t) WHERE _row = %s $$, m, r),
	format($$ SELECT e.* FROM %I t, pg_temp.expected(%1$L, pg_temp.row_of(predict_contribs(%1$L, t), predict_class(%1$L, t)::int + 1)) e WHERE _row = %s $$, m, r),
	format('%s explains the predicted class, row %s', m, r))
FROM unnest('{categorical-multi,multi-softmax}'::text[]) AS m, generate_series(2, 4) AS r;
SELECT results_eq(format($$ SELECT feature, contribution FROM "categorical-multi" t, predict_explain_class('categorical-multi', %L, t) WHERE _row = 3 $$, c),
	format($$ SELECT e.* FROM "categorical-multi" t, pg_temp.expected('categorical-multi', pg_temp.row_of(predict_contribs('categorical-multi', t), %s + 1)) e WHERE _row = 3 $$, c),
	'class ' || c)
FROM generate_series(0, 2) AS c;
SELECT results_eq($$ SELECT feature, value, contribution FROM "categorical-text" t, predict_explain('categorical-text', t) WHERE _row = 4 $$,
	$$ SELECT feature, value, contribution FROM "categorical-text" t, predict_explain_class('categorical-text', '1', t) WHERE _row = 4 $$,
	'of two classes the second is explained');
SELECT results_eq($$ SELECT feature, value, 0 - contribution FROM "categorical-text" t, predict_explain('categorical-text', t) WHERE _row = 4 $$,
	$$ SELECT feature, value, contribution FROM "categorical-text" t, predict_explain_class('categorical-text', '0', t) WHERE _row = 4 $$,
	'the first is its opposite');
SELECT results_eq(format($$ SELECT feature, contribution FROM "multi-target" t, predict_explain_class('multi-target', %L, t) WHERE _row = 3 $$, k),
	format($$ SELECT e.* FROM "multi-target" t, pg_temp.expected('multi-target', pg_temp.row_of(predict_contribs('multi-target', t), %s + 1)) e WHERE _row = 3 $$, k),
	'output ' || k)
FROM generate_series(0, 2) AS k;
SELECT throws_ok(format('SELECT e FROM %I t, %s e', m, format(call, m)), state, NULL, m || ': ' || call)
FROM (VALUES ('multi-target', 'predict_explain(%L, t)', '42809'), ('multi-target', 'predict_reasons(%L, 1, t)', '42809'),
	('multi-target', 'predict_explain_class(%L, ''3'', t)', '22023'), ('multi-target', 'predict_explain_class(%L, ''00'', t)', '22023'),
	('categorical-multi', 'predict_explain_class(%L, ''x'', t)', '22023'), ('categorical-text', 'predict_explain_class(%L, ''2'', t)', '22023'),
	('count-poisson', 'predict_explain_class(%L, ''1'', t)', '42809')) AS v (m, call, state);
SELECT is_empty($$ SELECT e FROM "categorical-text" t, predict_explain_class('categorical-text', NULL, t) e $$, 'no class, no rows'),
	is_empty($$ SELECT e FROM predict_explain('categorical-text', NULL::"categorical-text") e $$, 'a NULL row, no rows'),
	is(predict_reasons('categorical-text', 2, NULL::"categorical-text"), NULL, 'and no reasons'),
	is(predict_reasons_json('categorical-text', NULL, t), NULL, 'nor for no number of them'),
	is(predict_explain_svg('categorical-text', NULL::jsonb), NULL, 'and no picture')
FROM "categorical-text" t WHERE _row = 1;

-- values as the row gives them, in whatever form it comes
CREATE TYPE pg_temp.town AS ENUM ('Oslo', 'Turku');
CREATE DOMAIN pg_temp.amount AS numeric;
SELECT model_predict.register('lin', pg_temp.linear('{a,b,c,d,e,f}', '{6,5,4,3,2,1}'), missing => -999, absent_feature => 'missing', infinity => 'missing') \g /dev/null
CREATE FUNCTION pg_temp.given(call text, source text DEFAULT '(SELECT) s') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format('SELECT string_agg(feature || ''='' || value, '' '' ORDER BY feature) FROM %s, predict_explain(''lin'', %s)', source, call) INTO answer;
	RETURN answer;
END $$;
SELECT is(pg_temp.given(call, source), expected, format('%s FROM %s', call, source))
FROM (VALUES
	('1, 2.50, NULL, true, -999, 1e3', '(SELECT) s', 'a=1 b=2.50 c=missing d=true e=-999 (as missing) f=1000'),
	('3::real, 0.1::real, 0.1::float8, 5000000000, 2::smallint, 7.10::pg_temp.amount', '(SELECT) s', 'a=3 b=0.1 c=0.1 d=5000000000 e=2 f=7.10'),
	('s', '(SELECT 16777217 AS a, 2.50 AS "B", false AS c, NULL::real AS e, ''NaN''::float8 AS f) s',
		'a=16777217 b=2.50 c=false d=missing e=missing f=missing'),
	('s', '(SELECT jsonb ''{"a": 1.0, "b": true, "c": null, "d": 4e2, "e": 5, "f": -999}'') AS t (s)', 'a=1.0 b=true c=missing d=400 e=5 f=-999 (as missing)'),
	('s', '(SELECT json ''{"F": 6, "a": 12}'') AS t (s)', 'a=12 b=missing c=missing d=missing e=missing f=6'),
	('array[1, NULL, 3.5, 4, 5, 6]', '(SELECT) s', 'a=1 b=missing c=3.5 d=4 e=5 f=6'),
	('VARIADIC array[1, 2, 3, 4, 5, ''Infinity'']::float8[]', '(SELECT) s', 'a=1 b=2 c=3 d=4 e=5 f=Infinity (as missing)'),
	('ROW(1, 2, 3, 4, 5, 6)', '(SELECT) s', 'a=1 b=2 c=3 d=4 e=5 f=6')) AS v (call, source, expected);
CREATE TEMP TABLE wide (f int, dropped text, a int, "E" numeric, b int, c int, d int);
ALTER TABLE wide DROP COLUMN dropped;
INSERT INTO wide VALUES (6, 1, 5.00, 2, 3, NULL);
SELECT is(pg_temp.given('s.*', 'wide s'), 'a=1 b=2 c=3 d=missing e=5.00 f=6', 'a table''s row'),
	is(pg_temp.given('s', '(SELECT w AS s FROM wide w OFFSET 0) x'), 'a=1 b=2 c=3 d=missing e=5.00 f=6', 'a table''s row as a value'),
	is(pg_temp.given('s', '(VALUES (1)) AS v (n) LEFT JOIN wide s ON false'), NULL, 'a row that an outer join left null');
SELECT model_predict.register('cat', pg_read_binary_file(current_setting('test.models') || 'rules/categories.json'), unseen_category => 'missing',
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Turku", "Oslo"]}') \g /dev/null
SELECT is((SELECT string_agg(value, ', ' ORDER BY feature) FROM predict_explain('cat', row) WHERE feature IN ('plan', 'city')), expected, expected)
FROM (SELECT jsonb '{"age": 1, "income": 1, "visits": 1, "balance": 1}' AS base) AS b, LATERAL (VALUES
	(base || '{"city": "Oslo", "plan": 45.0}', 'Oslo, 45.0'), (base || '{"city": "Moss", "plan": 46}', 'Moss (as missing), 46 (as missing)'),
	(base || '{"city": null, "plan": "10"}', 'missing, 10')) AS v (row, expected);
SELECT is((SELECT string_agg(value, ', ' ORDER BY feature) FROM predict_explain('cat', 1, 1, 1, 1, 20, city) WHERE feature IN ('plan', 'city')), 'Turku, 20', what)
FROM (VALUES ('Turku'::pg_temp.town, 'an enum')) AS v (city, what);
SELECT is((SELECT string_agg(value, ', ' ORDER BY feature) FROM predict_explain('cat', 1, 1, 1, 1, 20, 'Turku'::char(9)) WHERE feature IN ('plan', 'city')), 'Turku, 20', 'padding is no part of a value'),
	is((SELECT string_agg(value, ', ' ORDER BY feature) FROM predict_explain('cat', 1, 1, 1, 1, 20, 'Oslo') WHERE feature IN ('plan', 'city')), 'Oslo, 20', 'a literal');
CREATE FUNCTION pg_temp.looped() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT 1 AS a, 2 AS b UNION ALL SELECT 3, 4 LOOP
		RETURN NEXT (SELECT string_agg(value, ' ' ORDER BY feature) FROM predict_explain('lin', r) WHERE feature IN ('a', 'b'));
	END LOOP;
	FOR r IN SELECT 'x'::text AS x, 5 AS b, 6 AS a LOOP
		RETURN NEXT (SELECT string_agg(value, ' ' ORDER BY feature) FROM predict_explain('lin', r) WHERE feature IN ('a', 'b'));
	END LOOP;
END $$;
SELECT results_eq('SELECT pg_temp.looped()', $$VALUES ('1 2'), ('3 4'), ('6 5')$$, 'records of two shapes');

-- rights are those of predict
CREATE ROLE mp_test_reader;
SET LOCAL ROLE mp_test_reader;
SELECT throws_like(format('SELECT %s', call), 'model "lin" does not exist, or role "mp_test_reader" may not use it', call)
FROM unnest(array['predict_explain(''lin'', 1, 2, 3, 4, 5, 6)', 'predict_reasons(''lin'', 1, 1, 2, 3, 4, 5, 6)', 'predict_contribs(''lin'', 1, 2, 3, 4, 5, 6)',
	'predict_explain_svg(''lin'', 1, 2, 3, 4, 5, 6)', 'model_predict.importance_svg(''lin'')', 'model_predict.tree(''lin'', 0)', 'model_predict.trees(''lin'')']) AS call;
RESET ROLE;
SELECT model_predict.grant_predict('lin', 'mp_test_reader') \g /dev/null
SET LOCAL ROLE mp_test_reader;
SELECT is(predict_reasons('lin', 1, 1, 2, 3, 4, 5, 6), 'c = 3 (+12.00)', 'who may predict may ask why');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
