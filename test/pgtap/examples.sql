-- Examples that fail at registration: the error names what makes all of them agree.
BEGIN;
\ir include/golden.sql
SELECT no_plan();

SELECT set_config('test.rows', :'srcdir' || '/data/rows/', false) \g /dev/null
CREATE FUNCTION pg_temp.rules(name text) RETURNS bytea LANGUAGE sql AS
	$$ SELECT pg_read_binary_file(current_setting('test.models') || 'rules/' || name) $$;
CREATE FUNCTION pg_temp.hint(model bytea, examples jsonb, trees text = 'all') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	PERFORM model_predict.register('m', model, trees => trees, examples => examples);
	RETURN 'registered';
EXCEPTION WHEN data_exception THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
-- what Python answered for rows of a table
CREATE TEMP TABLE sparse (n serial, k_0 float8, k_1 float8, k_2 float8, k_3 float8, num float8);
CREATE TEMP TABLE answers (n serial, python real);
SELECT format('COPY sparse (k_0, k_1, k_2, k_3, num) FROM %L (FORMAT csv, HEADER)', current_setting('test.rows') || 'sparse_zero.csv') \gexec
SELECT format('COPY answers (python) FROM %L (FORMAT csv, HEADER)', current_setting('test.rows') || 'sparse_zero.expected.csv') \gexec
SELECT is(pg_temp.hint(pg_read_binary_file(current_setting('test.rows') || 'sparse_zero.json'),
	jsonb_agg(jsonb_build_object('row', to_jsonb(s) - 'n', 'predict_all', python))),
	'Register it with missing => 0: its training data was sparse, and XGBoost took each 0 for missing.', 'sparse training data')
FROM sparse s JOIN answers USING (n);

-- the rest by answers of a version that is right, changed
CREATE TEMP TABLE person AS SELECT x / 3.0 - 1 AS age, x % 5 - 2.5 AS income, x / 7.0 AS visits, 1 - x / 4.0 AS balance FROM generate_series(0, 9) x;
SELECT model_predict.register(name, pg_temp.rules(name || '.ubj'), trees => 'all') FROM unnest('{logistic,early,softprob}'::text[]) AS name \g /dev/null
SELECT model_predict.register('early', pg_temp.rules('early.ubj'), trees => 'best') \g /dev/null
CREATE FUNCTION pg_temp.examples(model text, change text = 'a') RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	examples jsonb;
BEGIN
	EXECUTE format('SELECT jsonb_agg(jsonb_build_object(''row'', to_jsonb(p), ''predict_all'', %s)) FROM person p, predict_all(%L, p) AS a', change, model) INTO examples;
	RETURN examples;
END $$;
SELECT is(pg_temp.hint(pg_temp.rules(file), pg_temp.examples(model, change), trees), expected, expected)
FROM (VALUES
	('early.ubj', 'early@2', 'a', 'all', 'Register it with trees => ''best'': the answers are those of these trees.'),
	('early.ubj', 'early@1', 'a', 'best', 'Register it with trees => ''all'': the answers are those of these trees.'),
	('early.ubj', 'early@1', 'a', 'all', 'registered'),
	('logistic.ubj', 'logistic', 'ARRAY[1 - a[1], a[1]]', 'all', 'Give one number, the probability of the second class: predict_proba(X)[:, 1].'),
	('logistic.ubj', 'logistic', 'ARRAY[1 - a[1]]', 'all', 'Give the probability of the second class, predict_proba(X)[:, 1]: these are the first''s.'),
	('logistic.ubj', 'logistic', 'a || a || a', 'all', 'Give 1 number for a row, as Booster.predict does, not 3.'),
	('softprob.ubj', 'softprob', 'ARRAY[a[2], a[3], a[1]]', 'all', 'Give the numbers in the order of the model''s classes: they are the same in another order.'),
	('logistic.ubj', 'logistic', 'round(a[1]::numeric, 3)', 'all', 'Give the answers with all their digits: these are rounded to 3 after the point.'),
	('softprob.ubj', 'softprob', 'ARRAY[round(a[1]::numeric, 2), round(a[2]::numeric, 2), round(a[3]::numeric, 2)]', 'all', 'Give the answers with all their digits: these are rounded to 2 after the point.'),
	('logistic.ubj', 'logistic', 'ARRAY[a[1] / 2 + 0.4]', 'all', 'Look for another order of features, a value that means missing, another set of trees (best_iteration), or a step that was done outside the model.')
) AS c (file, model, change, trees, expected);

SELECT * FROM finish();
ROLLBACK;
