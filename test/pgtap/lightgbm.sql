-- Models of LightGBM against what it answered: raw scores to the last bit of the
-- double, predictions within two units in the last place, SHAP values within 1e-9.
BEGIN;
\ir include/golden.sql
SELECT no_plan();

SELECT set_config('test.lightgbm', :'srcdir' || '/data/lightgbm/', false) \g /dev/null
-- the model and its rows under the name of the folder, with LightGBM's answers in a table NAME_expected
CREATE FUNCTION pg_temp.load(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	folder text := current_setting('test.lightgbm') || name || '/';
	meta jsonb := pg_read_file(folder || 'meta.json');
	head text[] := regexp_split_to_array(rtrim(split_part(pg_read_file(folder || 'X.csv'), E'\n', 1), E'\r'), ',');
	answers text[] := regexp_split_to_array(split_part(pg_read_file(folder || 'expected.csv'), E'\n', 1), ',');
BEGIN
	PERFORM model_predict.register(name, pg_read_binary_file(folder || 'model.txt'),
		categories => CASE WHEN meta ? 'pass_categories' THEN meta -> 'categories' END);
	EXECUTE format('CREATE TEMP TABLE %I (_row serial, %s)', name, (SELECT string_agg(format('%I %s', c,
		CASE WHEN jsonb_typeof(meta -> 'categories' -> c -> 0) = 'string' THEN 'text' ELSE 'double precision' END), ', ') FROM unnest(head) c));
	EXECUTE format('COPY %I (%s) FROM %L (FORMAT csv, HEADER)', name, (SELECT string_agg(quote_ident(c), ', ') FROM unnest(head) c), folder || 'X.csv');
	EXECUTE format('CREATE TEMP TABLE %I (_row serial, %s)', name || '_expected', (SELECT string_agg(c || ' double precision', ', ') FROM unnest(answers) c));
	EXECUTE format('COPY %I (%s) FROM %L (FORMAT csv, HEADER)', name || '_expected', array_to_string(answers, ', '), folder || 'expected.csv');
END $$;
-- rows of which an answer differs from LightGBM's columns of a kind by more than the tolerance, relative to 1 and more
CREATE FUNCTION pg_temp.differing(name text, call text, kind text, tolerance float8) RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT t._row FROM %I t JOIN %I e USING (_row), LATERAL (SELECT array_agg(v::float8 ORDER BY n) AS want
			FROM (SELECT key, value AS v, substring(key FROM ''\d+'')::int AS n FROM jsonb_each_text(to_jsonb(e))) j WHERE key LIKE %L) w,
			LATERAL (SELECT array_agg(x ORDER BY n) AS got FROM unnest(%s) WITH ORDINALITY AS u (x, n)) g
		WHERE cardinality(got) <> cardinality(want) OR EXISTS (SELECT FROM unnest(got, want) AS p (a, b)
			WHERE NOT (a = b OR abs(a - b) <= %s * greatest(abs(b), CASE WHEN %3$L = ''contrib_%%'' THEN 1 ELSE 0 END)))',
		name, name || '_expected', kind, call, tolerance);
END $$;

SELECT pg_temp.load(c) FROM unnest('{tiny,categorical,multiclass,zero-as-missing-binary}'::text[]) c \g /dev/null
SELECT is_empty(format('SELECT pg_temp.differing(%L, %L, %L, %L)', c, format(call, c), kind, tolerance), format('%s: %s', c, call))
FROM unnest('{tiny,categorical,multiclass,zero-as-missing-binary}'::text[]) c, (VALUES
	('predict_margin(%L, t)', 'raw_%', 0), ('predict_all(%L, t)', 'pred_%', 4.5e-16),
	('predict_contribs(%L, t)', 'contrib_%', 1e-9)) AS k (call, kind, tolerance);
SELECT results_eq('SELECT DISTINCT library, library_version FROM model_predict.versions', $$ VALUES ('LightGBM', 'v4') $$, 'versions tell the library, and the version of its format');
SELECT is((SELECT differences FROM model_predict.verify('tiny') WHERE test = 'stored'), 0::bigint, 'what is stored is what the file gives');

SELECT results_eq(format('SELECT differences, rows > 50 FROM model_predict.verify(%L) WHERE test = ''reference''', c), 'VALUES (0::bigint, true)', c || ': the kernel and the plain evaluator agree')
FROM unnest('{tiny,categorical,multiclass,zero-as-missing-binary}'::text[]) c;

SELECT * FROM finish();
ROLLBACK;
