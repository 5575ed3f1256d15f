-- Models and rows of test/data/models, as functions; included by the tests, inside their transaction.
\set ECHO none
\set QUIET on
\pset tuples_only on
\pset format unaligned
\pset fieldsep '\n'
\set ON_ERROR_ROLLBACK off
\set ON_ERROR_STOP on
\set srcdir `echo "$PG_ABS_SRCDIR"`

SET client_min_messages = warning;
SELECT set_config('test.models', :'srcdir' || '/data/models/', false) \g /dev/null

CREATE FUNCTION pg_temp.file(path text) RETURNS text LANGUAGE sql AS
	$$ SELECT pg_read_file(current_setting('test.models') || path) $$;

CREATE FUNCTION pg_temp.lines(path text) RETURNS TABLE (n bigint, line text) LANGUAGE sql AS
	$$ SELECT ordinality, value FROM regexp_split_to_table(rtrim(pg_temp.file(path), E'\r\n'), E'\r?\n') WITH ORDINALITY AS l (value) $$;

-- registers the model of a folder under the name, with the table of its rows, numbered, under the same name
CREATE FUNCTION pg_temp.golden(folder text, name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	meta jsonb := pg_temp.file(folder || '/meta.json');
	categories jsonb := CASE WHEN jsonb_typeof(meta -> 'categories') = 'object' THEN meta -> 'categories' END;
	head text[] := (SELECT array_agg(replace(coalesce(substring(c[1] from '^"(.*)"$'), c[1]), '""', '"'))
		FROM pg_temp.lines(folder || '/X.csv'), regexp_matches(line, '("(?:[^"]|"")*"|[^,]+)', 'g') AS c WHERE n = 1);
	columns text := (SELECT string_agg(format('%I', c), ', ') FROM unnest(head) AS c);
	types text := (SELECT string_agg(format('%I %s', c, CASE WHEN categories -> c ->> 0 ~ '\D' THEN 'text' ELSE 'real' END), ', ')
		FROM unnest(head) AS c);
BEGIN
	PERFORM model_predict.register(name, pg_read_binary_file(current_setting('test.models') || folder || '/model.ubj'),
		feature_names => CASE WHEN jsonb_typeof(meta -> 'feature_names') IS DISTINCT FROM 'array' THEN head END,
		categories => CASE WHEN folder !~ '^xgboost-3' THEN categories END,
		trees => CASE WHEN meta ? 'iteration_range' THEN 'best' WHEN meta -> 'attributes' ? 'best_iteration' THEN 'all' ELSE 'auto' END);
	EXECUTE format('CREATE TEMP TABLE %I (_row serial, %s)', name, types);
	EXECUTE format('COPY %I (%s) FROM %L WITH (FORMAT csv, HEADER, FORCE_NULL (%2$s))', name, columns,
		current_setting('test.models') || folder || '/X.csv');
END $$;

-- a linear model by hand: what a feature adds is its weight times its value
CREATE FUNCTION pg_temp.linear(names text[], weights numeric[], bias numeric DEFAULT 0, objective text DEFAULT 'reg:squarederror')
RETURNS bytea LANGUAGE sql AS $$
	SELECT convert_to(jsonb_build_object('version', array[3, 4, 1], 'learner', jsonb_build_object(
		'attributes', '{}'::jsonb, 'feature_names', names, 'feature_types', array_fill('float'::text, array[cardinality(names)]),
		'gradient_booster', jsonb_build_object('name', 'gblinear', 'model', jsonb_build_object('weights', weights || bias, 'boosted_rounds', 1)),
		'learner_model_param', jsonb_build_object('base_score', CASE objective WHEN 'reg:squarederror' THEN '[0]' ELSE '[5E-1]' END,
			'boost_from_average', '1', 'num_class', '0',
			'num_feature', cardinality(names)::text, 'num_target', '1'),
		'objective', jsonb_build_object('name', objective, 'reg_loss_param', jsonb_build_object('scale_pos_weight', '1'))))::text, 'UTF8')
$$;
