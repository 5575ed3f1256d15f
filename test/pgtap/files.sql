-- What models and rows found in the wild need beside the file, against Python's answers: test/data/rows.
BEGIN;
\ir include/golden.sql
SELECT no_plan();

SELECT set_config('test.rows', :'srcdir' || '/data/rows/', false) \g /dev/null
CREATE FUNCTION pg_temp.model(name text) RETURNS bytea LANGUAGE sql AS
	$$ SELECT pg_read_binary_file(current_setting('test.rows') || name || '.json') $$;
-- the table of a model, with Python's answer beside
CREATE FUNCTION pg_temp.rows(name text, columns text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TEMP TABLE %I (n serial, %s)', name, columns);
	EXECUTE format('COPY %I (%s) FROM %L (FORMAT csv, HEADER)', name, regexp_replace(columns, '(\w) [^ ,]+', '\1', 'g'),
		current_setting('test.rows') || name || '.csv');
	CREATE TEMP TABLE answers (n serial, python real);
	EXECUTE format('COPY answers (python) FROM %L (FORMAT csv, HEADER)', current_setting('test.rows') || name || '.expected.csv');
	EXECUTE format('ALTER TABLE %I ADD python real', name);
	EXECUTE format('UPDATE %I t SET python = a.python FROM answers a WHERE a.n = t.n', name);
	DROP TABLE answers;
END $$;
SELECT pg_temp.rows('cat_int_unlabelled', 'brand int, x float8'), pg_temp.rows('cat_bool', 'b boolean, s text'),
	pg_temp.rows('sparse_zero', 'k_0 float8, k_1 float8, k_2 float8, k_3 float8, num float8') \g /dev/null

-- integer categories: their labels, not their codes
SELECT model_predict.register('brand', pg_temp.model('cat_int_unlabelled'), trees => 'all', categories => '{"brand": [10, 20, 30]}') \g /dev/null
SELECT is_empty($$ SELECT * FROM cat_int_unlabelled t WHERE predict('brand', t)::real <> python $$, 'integer categories');

-- booleans, however the labels are written and the row says them
SELECT model_predict.register('bool' || n, pg_temp.model('cat_bool'), trees => 'all', categories => format('{"b": %s, "s": ["u", "v"]}', labels)::jsonb)
FROM unnest('{"[false, true]","[\"False\", \"True\"]","[\"false\", \"true\"]","[0, 1]"}'::text[]) WITH ORDINALITY AS l (labels, n) \g /dev/null
SELECT is_empty(format($$ SELECT * FROM cat_bool t WHERE predict('bool%s', t)::real <> python $$, n), 'booleans: ' || n) FROM generate_series(1, 4) n;
SELECT is_empty(format($$ SELECT * FROM cat_bool t WHERE predict('bool%s', to_jsonb(t))::real <> python $$, n), 'booleans in jsonb: ' || n) FROM generate_series(1, 4) n;
SELECT throws_ok($$ SELECT predict('bool2', 'true'::text, 'u'::text) $$, '22P02', 'feature "b" of model "bool2" version 1 has no category "true"', 'text is taken as it is');
SELECT throws_ok($$ SELECT predict('bool1', true, true) $$, '42804', NULL, 'a boolean is no label of a feature without booleans');

-- trained on a sparse matrix: each 0 was missing
SELECT model_predict.register('sparse', pg_temp.model('sparse_zero'), trees => 'all', missing => 0) \g /dev/null
SELECT is_empty($$ SELECT * FROM sparse_zero t WHERE predict('sparse', t)::real <> python $$, 'sparse training data');

SELECT * FROM finish();
ROLLBACK;
