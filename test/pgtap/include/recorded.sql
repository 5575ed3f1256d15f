-- What test/data/models/rules recorded of Python's answers, as functions; included by the tests, inside their transaction.
\set ECHO none
\set QUIET on
\pset tuples_only on
\pset format unaligned
\pset fieldsep '\n'
\set ON_ERROR_ROLLBACK off
\set ON_ERROR_STOP on
\set srcdir `echo "$PG_ABS_SRCDIR"`

SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
SET client_min_messages = warning;
SELECT set_config('test.rules', :'srcdir' || '/data/models/rules/', false) \g /dev/null

CREATE FUNCTION pg_temp.model(file text) RETURNS bytea LANGUAGE sql AS
	$$ SELECT pg_read_binary_file(current_setting('test.rules') || file) $$;

CREATE FUNCTION pg_temp.recorded(name text) RETURNS TABLE (n bigint, "row" jsonb, answer jsonb) LANGUAGE sql AS
	$$ SELECT ordinality, value -> 'row', value
	   FROM jsonb_array_elements(pg_read_file(current_setting('test.rules') || name || '.rows.json')::jsonb)
	   WITH ORDINALITY $$;

CREATE TYPE pg_temp.person AS (age double precision, income double precision, visits double precision, balance double precision);

-- the recorded rows as rows of SQL: jsonb has no infinities
CREATE FUNCTION pg_temp.people(name text) RETURNS TABLE (n bigint, p pg_temp.person, answer jsonb) LANGUAGE sql AS
	$$ SELECT n, jsonb_populate_record(NULL::pg_temp.person, "row"), answer FROM pg_temp.recorded(name) $$;

-- rows whose prediction is not the very float32 that Python gave
CREATE FUNCTION pg_temp.wrong(model text, name text, call text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT format('row %s: %s, not %s', n, predict(model, p)::real, answer ->> call)
	   FROM pg_temp.people(name)
	   WHERE predict(model, p)::real IS DISTINCT FROM (answer ->> call)::real $$;

