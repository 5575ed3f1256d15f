-- All ways to pass a row, and how columns find their features: each way must
-- give the very score that Python gave for the values.
BEGIN;
\ir include/recorded.sql
SELECT no_plan();

SELECT model_predict.register('m', pg_temp.model('logistic.ubj'), trees => 'all') \g /dev/null
SELECT model_predict.register('free', pg_temp.model('logistic.ubj'), trees => 'all', absent_feature => 'missing') \g /dev/null
CREATE TEMP TABLE people AS SELECT n, (p).*, (answer ->> 'predict')::real AS score FROM pg_temp.people('logistic');
CREATE FUNCTION pg_temp.all_right(sql text, what text) RETURNS text LANGUAGE sql AS
	$$ SELECT is_empty(format('SELECT n FROM people p WHERE (%s)::real IS DISTINCT FROM score', sql), what) $$;

-- ways
SELECT pg_temp.all_right(call, call) FROM unnest(array[
	$$predict('m', p)$$, $$predict('m', p.*)$$, $$predict('m', (SELECT q FROM (SELECT p.*, 1 AS extra) q))$$,
	$$predict('m', to_jsonb(p))$$, $$predict('m', to_json(p))$$, $$predict_json('m', to_jsonb(p))$$,
	$$predict('m', age, income, visits, balance)$$, $$predict('m', ROW(age, income, visits, balance))$$,
	$$predict('m', array[age, income, visits, balance])$$, $$predict('m', VARIADIC array[age, income, visits, balance])$$,
	$$predict('m', array[age, income, visits, balance]::real[])$$, $$predict('m', array[age, income, visits, balance]::numeric[])$$,
	$$predict('m', ROW(age, income, visits, balance)::pg_temp.person)$$, $$predict('m@default', p)$$, $$predict('m@1', p)$$,
	$$predict('m', age::real, income::numeric, visits, balance)$$,
	$$predict('m', (SELECT q FROM (SELECT balance AS "BALANCE", visits AS "Visits", income AS "INCOME", age) q))$$]) AS call;
SELECT is_empty($$ SELECT p.n FROM people p, LATERAL (SELECT p.*, now() AS at, NULL::xml AS x) q
	WHERE predict('m', q)::real <> q.score $$, 'a subquery''s row with columns of any type beside the features');
SELECT is_empty($$ SELECT score FROM (SELECT balance, age, score, visits, income FROM people) q
	WHERE predict('m', q)::real <> score $$, 'columns in another order');
SELECT is((SELECT count(*) FROM (SELECT predict('m', u.p)::real AS got, u.score FROM
		(SELECT ROW(age, income, visits, balance)::pg_temp.person AS p, score FROM people) u) v WHERE got = score), 20::bigint,
	'a column of a composite type');
CREATE FUNCTION pg_temp.looped() RETURNS SETOF real LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT balance, income, age, visits FROM people ORDER BY n LOOP
		RETURN NEXT predict('m', r)::real;
	END LOOP;
	FOR r IN SELECT age, visits, 'x'::text AS extra, income, balance FROM people ORDER BY n LOOP
		RETURN NEXT predict('m', r)::real;
	END LOOP;
END $$;
SELECT results_eq('SELECT pg_temp.looped()', 'SELECT score FROM (SELECT 1, n, score FROM people UNION ALL SELECT 2, n, score FROM people ORDER BY 1, 2) u',
	'plpgsql''s records of two shapes at one call');
SELECT results_eq($$ SELECT predict('m', r)::real FROM (SELECT 1 AS o, n, ROW(p.*)::people AS r FROM people p
		UNION ALL SELECT 2, n, ROW(p.*)::people FROM people p) u ORDER BY o, n $$,
	'SELECT score FROM (SELECT 1, n, score FROM people UNION ALL SELECT 2, n, score FROM people ORDER BY 1, 2) u', 'UNION ALL of rows');
SELECT results_eq($$ SELECT predict(name, p)::real FROM people p, (VALUES ('m'), ('m@1'), ('free')) AS v (name) WHERE n = 1 $$,
	'SELECT score FROM people, generate_series(1, 3) WHERE n = 1', 'the model may be a column');

-- types of features: what C's casts to float32 make of them
CREATE DOMAIN pg_temp.amount AS numeric CHECK (value > -1e9);
SELECT is(predict('m', v, v, v, v), predict('m', v::real, v::real, v::real, v::real), 'numeric ' || v)
FROM unnest('{0.1,16777217,-2.5,0.30000001192092896,123456789012345678901234567890}'::numeric[]) AS v;
SELECT is(predict('m', 1::smallint, 2::integer, 3::bigint, 4.5::pg_temp.amount), predict('m', 1::real, 2::real, 3::real, 4.5::real), 'whole numbers and a domain');
SELECT is(predict('m', true, false, NULL::boolean, true), predict('m', 1, 0, NULL, 1), 'booleans');
SELECT is(predict('m', '{"age": true, "income": false, "visits": null, "balance": 1}'::jsonb), predict('m', 1, 0, NULL, 1), 'booleans in jsonb');
SELECT is(predict('m', 9007199254740993, 16777217, 33554435, 0), predict('m', 9007199254740992::real, 16777216::real, 33554436::real, 0), 'bigints round once');
SELECT is(predict('m', 'NaN'::float8, 'NaN'::numeric, NULL, 'NaN'::real), predict('m', NULL, NULL, NULL, NULL), 'NaN is missing');
SELECT throws_ok(format('SELECT predict(''m'', 1, 2, 3, %s)', v), '42804', NULL, 'no feature: ' || v)
FROM unnest(array['now()', 'current_date', '''1 day''::interval', '''a''::bytea', '''{1}''::int[]', '''x''::text', '''{}''::jsonb', 'point(1, 1)']) AS v;
SELECT throws_ok(format('SELECT predict(''m'', %s)', v), '42804', NULL, 'no row: ' || v)
FROM unnest(array['now()', '''{a,b,c,d}''::text[]', '''\x00''::bytea']) AS v;

-- NULLs
SELECT is(predict('m', NULL::people), NULL, 'a NULL row'), is(predict('m', NULL::jsonb), NULL, 'a NULL jsonb'),
	is(predict('m', NULL::real[]), NULL, 'a NULL array'), is(predict_class('m', NULL::people), NULL, 'no class of a NULL row'),
	is(predict_all('m', NULL::people), NULL, 'no outputs of a NULL row');
SELECT isnt(predict('m', ROW(NULL, NULL, NULL, NULL)), NULL, 'a row of NULLs is scored');
SELECT throws_ok('SELECT predict(NULL, 1, 2, 3, 4)', '22004', NULL, 'a NULL model');
SELECT is((SELECT count(predict('m', b)) FROM people a LEFT JOIN people b ON b.n = a.n AND b.n < 6), 5::bigint, 'the nullable side of an outer join');

-- names
SELECT throws_ok($$ SELECT predict('m', q) FROM (SELECT age, income FROM people) q $$, '42703', NULL, 'absent features');
SELECT throws_like($$ SELECT predict('m', q) FROM (SELECT age, income FROM people) q $$, '%"visits", "balance"%', 'all absent features are listed');
SELECT is(predict('free', q), predict('m', q.age, q.income, NULL, NULL), 'absent_feature => missing') FROM (SELECT age, income FROM people WHERE n = 3) q;
SELECT is(predict('free', '{"age": 1}'::jsonb), predict('m', 1, NULL, NULL, NULL), 'absent_feature => missing, jsonb');
SELECT is(predict('free', '{}'::jsonb), predict('m', NULL, NULL, NULL, NULL), 'absent_feature => missing, an empty object');
SELECT throws_ok($$ SELECT predict('m', q) FROM (SELECT age, income, visits, 1 AS "Balance", 2 AS "BALANCE" FROM people) q $$, '42702', NULL, 'two candidates');
SELECT is(predict('m', q), predict('m', q.age, q.income, q.visits, q.balance), 'an exact name wins')
FROM (SELECT *, 7 AS "BALANCE" FROM people WHERE n = 1) q;
ALTER TABLE people ADD COLUMN "Age" int DEFAULT 5;
ALTER TABLE people DROP COLUMN age;
SELECT is(predict('m', p), predict('m', 5, income, visits, balance), 'a dropped column is none, an added one counts') FROM people p WHERE n = 2;

-- positions
SELECT throws_ok(format('SELECT predict(''m'', %s)', v), '21000', NULL, 'a wrong count: ' || v)
FROM unnest(array['1, 2, 3', '1, 2, 3, 4, 5', 'ROW(1, 2, 3)', 'array[1, 2, 3]', 'array[1, 2, 3, 4, 5]', '''{}''::real[]', 'VARIADIC ''{1}''::int[]']) AS v;
SELECT throws_like('SELECT predict(''m'', 1, 2, 3)', '%"m" version 1 expects 4 features, not 3%', 'the count is told');
SELECT throws_ok('SELECT predict(''m'', ''{{1,2},{3,4}}''::real[])', '2202E', NULL, 'an array of two dimensions');
SELECT throws_ok('SELECT predict(''m'', p, 1) FROM people p', '42804', NULL, 'a row mixed with scalars');
SELECT is(predict('m', '[2:5]={1,2,3,4}'::int[]), predict('m', 1, 2, 3, 4), 'an array with other bounds');
SELECT throws_ok(format('SELECT predict(''m'', %L)', v), '42P18', NULL, 'an untyped literal: ' || v)
FROM unnest(array['{"age": 1}', '[1,2]', '{1,2,3,4}']) AS v;
SELECT throws_ok(format('SELECT predict(''m'', %L::jsonb)', v), NULL, NULL, 'jsonb that is no row: ' || v)
FROM unnest(array['1', '"a"', '[1,2,3,4]', '{"age": {"a": 1}, "income": 1, "visits": 1, "balance": 1}', '{"age": "1", "income": 1, "visits": 1, "balance": 1}']) AS v;

SELECT * FROM finish();
ROLLBACK;
