-- Contributions, interactions and importances against what XGBoost recorded,
-- and against each other. (Each model's contributions: test/t/golden.pl.)
BEGIN;
\ir include/golden.sql
SELECT no_plan();

SELECT pg_temp.golden('xgboost-1.7.4/' || name, name)
FROM unnest('{binary-logistic-basescore,categorical-onehot,categorical-partition,dart-multi,forest,gblinear,multi-target,root-only,sklearn-classifier}'::text[]) AS name \g /dev/null
SELECT pg_temp.golden('xgboost-3.4.1/' || name, name)
FROM unnest('{multi-softprob,gblinear-multi,multi-target-vector-leaf,one-feature,zero-rounds,no-names}'::text[]) AS name \g /dev/null

-- the row's numbers, whatever the array's dimensions, and the largest
CREATE FUNCTION pg_temp.largest(float8[]) RETURNS float8 LANGUAGE sql AS
	$$ SELECT max(abs(v)) FROM unnest($1) AS v $$;
CREATE FUNCTION pg_temp.near(got float8[], expected float8[]) RETURNS boolean LANGUAGE sql AS
	$$ SELECT array_length(expected, 1) = count(*) AND bool_and(abs(g - e) <= 1e-4 * pg_temp.largest(expected) + 1e-5)
	   FROM ROWS FROM (unnest(got), unnest(expected)) AS v (g, e) $$;
-- rows where the condition on m, the model's name, and t, its row, does not hold
CREATE FUNCTION pg_temp.failing(m text, condition text) RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT _row FROM %I AS t, (SELECT %1$L::text AS m) AS m WHERE (%s) IS NOT TRUE', m, condition);
END $$;
CREATE TEMP VIEW registered AS SELECT v.model AS m, v.outputs AS k, v.features AS f, v.booster FROM model_predict.versions v;

-- shapes
SELECT is_empty(format('SELECT pg_temp.failing(%L, %L)', m, format('array_dims(predict_contribs(m, t)) = %L', one)), m || ': dimensions of contributions'),
	is_empty(format('SELECT pg_temp.failing(%L, %L)', m, format('array_dims(predict_interactions(m, t)) = %L', two)), m || ': dimensions of interactions')
FROM (SELECT m, CASE WHEN k > 1 THEN format('[1:%s]', k) ELSE '' END || format('[1:%s]', f + 1) AS one,
	CASE WHEN k > 1 THEN format('[1:%s]', k) ELSE '' END || format('[1:%s][1:%1$s]', f + 1) AS two FROM registered) AS r;

-- what adds up: contributions to the margin, rows of interactions to contributions
CREATE FUNCTION pg_temp.sums(numbers float8[], width int) RETURNS float8[] LANGUAGE sql AS
	$$ SELECT array_agg(s ORDER BY i) FROM (SELECT (o - 1) / width AS i, sum(v) AS s
	   FROM unnest(numbers) WITH ORDINALITY AS u (v, o) GROUP BY 1) AS g $$;
CREATE FUNCTION pg_temp.flat(numbers float8[]) RETURNS float8[] LANGUAGE sql AS
	$$ SELECT array_agg(v ORDER BY o) FROM unnest(numbers) WITH ORDINALITY AS u (v, o) $$;
SELECT is_empty(format('SELECT pg_temp.failing(%L, %L)', m,
		format('pg_temp.near(pg_temp.sums(predict_contribs(m, t), %s), predict_margin(m, t))', f + 1)), m || ': contributions add up to the margin'),
	is_empty(format('SELECT pg_temp.failing(%L, %L)', m,
		format('pg_temp.near(pg_temp.sums(predict_interactions(m, t), %s), pg_temp.flat(predict_contribs(m, t)))', f + 1)),
		m || ': interactions add up to the contributions')
FROM registered;
SELECT is((SELECT (predict_interactions('forest', t))[i][j] FROM forest t WHERE _row = 3),
	(SELECT (predict_interactions('forest', t))[j][i] FROM forest t WHERE _row = 3), format('interactions are symmetric: %s, %s', i, j))
FROM (VALUES (1, 2), (3, 9), (5, 6)) AS v (i, j);

-- interactions as XGBoost gave them
SELECT ok(pg_temp.near(predict_interactions, ('{' || line || '}')::float8[]), format('%s: interactions, row %s', m, n))
FROM (
	SELECT 'forest' AS m, _row, predict_interactions('forest', t) FROM forest t
	UNION ALL SELECT 'multi-target', _row, predict_interactions('multi-target', t) FROM "multi-target" t
	UNION ALL SELECT 'dart-multi', _row, predict_interactions('dart-multi', t) FROM "dart-multi" t
	UNION ALL SELECT 'categorical-partition', _row, predict_interactions('categorical-partition', t) FROM "categorical-partition" t
) AS got, pg_temp.lines('xgboost-1.7.4/' || m || '/interactions.csv') WHERE _row = n;

-- importances are those of get_score, which leaves out features without a split
CREATE FUNCTION pg_temp.importance(m text) RETURNS TABLE ("position" int, weight real, gain real, cover real, total_gain real, total_cover real)
LANGUAGE sql AS
	$$ SELECT v[1]::int + 1, v[2]::real, v[3]::real, v[4]::real, v[5]::real, v[6]::real
	   FROM (SELECT string_to_array(line, ',') AS v FROM pg_temp.lines('xgboost-1.7.4/' || m || '/importance.csv') WHERE n > 1) AS l $$;
SELECT results_eq(format('SELECT position, weight, gain, cover, total_gain, total_cover FROM model_predict.features
		WHERE model = %L AND weight <> 0 ORDER BY 1', m),
	format('SELECT * FROM pg_temp.importance(%L) ORDER BY 1', m), m || ': importances')
FROM unnest('{binary-logistic-basescore,categorical-onehot,categorical-partition,dart-multi,forest,gblinear,multi-target,root-only,sklearn-classifier}'::text[]) AS m;
SELECT is_empty($$ SELECT name FROM model_predict.features WHERE model = 'root-only'
	AND (weight, gain, cover, total_gain, total_cover) IS DISTINCT FROM (0, 0, 0, 0, 0) $$, 'features without a split have importance 0');
SELECT isnt_empty($$ SELECT name FROM model_predict.features WHERE model = 'gblinear' AND weight <> 0 AND gain IS NULL $$,
	'a linear model has coefficients and no gain');

-- what cannot be explained
SELECT pg_temp.golden('xgboost-2.1.4/multi-target-vector-leaf', 'no cover') \g /dev/null
SELECT throws_like($$ SELECT predict_contribs('no cover', t) FROM "no cover" t $$,
	'model "no cover" version 1 cannot be explained: %cover%', 'a model without covers');
SELECT is_empty($$ SELECT name FROM model_predict.features WHERE model = 'no cover' AND gain IS NOT NULL AND weight <> 0 $$, 'and without gains');

-- NULLs
SELECT is(predict_contribs('forest', NULL::forest), NULL, 'a NULL row has no contributions'),
	is(predict_interactions('forest', NULL::jsonb), NULL, 'nor interactions');
SELECT throws_ok($$ SELECT predict_contribs(NULL, 1, 2) $$, '22004', NULL, 'a NULL model');

SELECT * FROM finish();
ROLLBACK;
