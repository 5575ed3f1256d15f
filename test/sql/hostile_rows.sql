-- Rows as strange as PostgreSQL allows: every type as a feature, arrays of all
-- shapes, nested and huge values. A score or an error that says why; never an
-- internal one.
\set srcdir `echo "$PG_ABS_SRCDIR"`
\set rules :srcdir /data/models/rules/
\set logistic :rules logistic.ubj
\set categories :rules categories.json
CREATE EXTENSION model_predict;
SELECT model_predict.register('churn', pg_read_binary_file(:'logistic'), trees => 'all');
SELECT model_predict.register('plans', pg_read_binary_file(:'categories'), trees => 'all',
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Malmö", "O''Hare"]}');
CREATE FUNCTION attempt(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE sql INTO result;
	RETURN coalesce(result, 'null');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || CASE WHEN length(SQLERRM) > 300 THEN ' (long)' ELSE '' END || ' ' || left(SQLERRM, 110);
END $$;
CREATE TYPE person AS (age real, income real, visits real, balance real);
CREATE TYPE nested AS (age person, income real, visits real, balance real);
CREATE TYPE mood AS ENUM ('Aarhus', 'sad');
CREATE DOMAIN person_domain AS person;
CREATE DOMAIN positive AS real CHECK (value > 0);
CREATE DOMAIN very_positive AS positive;
CREATE DOMAIN list AS real[];
CREATE DOMAIN document AS jsonb;

-- a value of each type that PostgreSQL ships, found by trying
CREATE TABLE samples AS SELECT * FROM unnest(ARRAY['1', 'a', '{}', '{1}', '(1,1)', '[1,2)', '2020-01-01', '08:00:2b:01:02:03', '10.0.0.0/8',
	'<a/>', '{"a":1}', '(0/0,1)', '((0,0),(1,1))', '<(0,0),1>', '1 day', '12:00', '11111111-1111-1111-1111-111111111111', 'pg_class', '1:1:', '1/1',
	'int4', '{[1,2)}', '[2020-01-01,2020-01-02)', '-', 'abs(int)', '{1,-1,0}', '$.a', 'english']) WITH ORDINALITY s (value, n);
SET client_min_messages = error;
CREATE FUNCTION sample_of(type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s text;
BEGIN
	FOR s IN SELECT value FROM samples ORDER BY n LOOP
		IF attempt(format('SELECT 1 FROM (SELECT %L::%s) q', s, type)) = '1' THEN
			RETURN s;
		END IF;
	END LOOP;
	RETURN NULL;
END $$;
CREATE TABLE types AS
SELECT type, coalesce(quote_literal(sample_of(type)), 'NULL') || '::' || type AS value
FROM (SELECT format_type(oid, -1) AS type FROM pg_type
	WHERE typtype IN ('b', 'r', 'm') AND typcategory <> 'A' AND oid < 16384 AND typname !~ '^pg_(toast|ndistinct|dependencies|mcv|brin|node)') t;
SELECT count(*) > 60 AS most FROM types;
CREATE TABLE results AS SELECT type,
	attempt(format('SELECT predict(''churn'', %s, 1, 1, 1)', value)) AS scalar,
	attempt(format('SELECT predict(''churn'', q) FROM (SELECT %s AS age, 1 AS income, 1 AS visits, 1 AS balance) q', value)) AS column,
	attempt(format('SELECT predict(''churn'', ARRAY[%s, %1$s, %1$s, %1$s])', value)) AS element,
	attempt(format('SELECT predict(''churn'', %s)', value)) AS lone,
	attempt(format('SELECT predict(''plans'', q) FROM (SELECT 1 AS age, 1 AS income, 1 AS visits, 1 AS balance, 10 AS plan, %s AS city) q', value)) AS category
FROM types;
-- who can be a number, and what becomes of the others
SELECT string_agg(type, ', ' ORDER BY type COLLATE "C") AS numbers FROM results WHERE scalar LIKE '0.%';
SELECT string_agg(type, ', ' ORDER BY type COLLATE "C") AS labels FROM results WHERE category LIKE '22P02%';
SELECT left(scalar, 5) AS scalar, left("column", 5) AS column, left(element, 5) AS element, left(lone, 5) AS lone, left(category, 5) AS category,
	count(*) > 1 AS several, min(type COLLATE "C") AS such_as
FROM (SELECT type, regexp_replace(scalar, '^0\..*', 'score') AS scalar, regexp_replace("column", '^0\..*', 'score') AS column,
	regexp_replace(element, '^0\..*', 'score') AS element, lone, category FROM results) r
GROUP BY 1, 2, 3, 4, 5 ORDER BY min(type COLLATE "C");
SELECT * FROM results r WHERE r::text ~ '(XX|\(long)';

SELECT row, attempt('SELECT predict(''churn'', ' || row || ')') AS result FROM unnest(ARRAY[
-- arrays
	'''{}''::real[]', '''{1,2,3}''::real[]', '''{{1,2},{3,4}}''::real[]', '''{{{{{{1,2,3,4}}}}}}''::real[]', 'array_fill(1::real, ARRAY[4, 1])',
	'''[5:8]={1,2,3,4}''::real[]', '''{1,NULL,NULL,4}''::real[]', '''{NULL,NULL,NULL,NULL}''::text[]', '''{t,f,t,f}''::boolean[]',
	'ARRAY[1,2,3,4]::numeric[]', 'ARRAY[1,2,3,4]::smallint[]', '''1 2 3 4''::int2vector', '''1 2 3 4''::oidvector', '''{1,2,3,4}''::list',
	'array_fill(1::real, ARRAY[4], ARRAY[-2147483648])', 'array_fill(1::real, ARRAY[1000000])', 'ARRAY[ROW(1, 2), ROW(3, 4)]', 'ARRAY[''{}''::jsonb]',
	'NULL::real[]', 'VARIADIC NULL::real[]', 'VARIADIC ''{1,2}''::real[]', 'VARIADIC ''{{1,2},{3,4}}''::int[]', 'VARIADIC ''{1,2,3,4}''::list', 'VARIADIC NULL',
	'VARIADIC ARRAY[ROW(1)]', 'VARIADIC ''{1,2,3,4}''',
-- composites
	'ROW()', 'ROW(1)', 'ROW(1, 2, 3, 4)', 'ROW(NULL, NULL, NULL, NULL)', 'ROW(ROW(1, 2), 2, 3, 4)', 'ROW(''a''::text, 2, 3, 4)', 'ROW(1, 2, 3, ARRAY[4])',
	'NULL::person', 'NULL::record', 'NULL::person_domain', 'ROW(1, 2, 3, 4)::person_domain', 'ROW(ROW(1, 2, 3, 4)::person, 2, 3, 4)::nested', 'ROW(NULL, 2, 3, 4)::nested',
	'1, 2, 3, NULL::person', '1, 2, 3, ROW(4)', '1::very_positive, 2::positive, 3, 4', '''sad''::mood, 2, 3, 4',
-- jsonb
	'''null''::jsonb', '''1''::jsonb', '''"x"''::jsonb', '''[]''::jsonb', '''{}''::jsonb', 'NULL::jsonb', '''{"age":1,"income":1,"visits":1,"balance":1}''::document',
	'''{"age":null,"income":null,"visits":null,"balance":null}''::jsonb', '''{"age":"1","income":1,"visits":1,"balance":1}''::jsonb',
	'''{"age":[1],"income":1,"visits":1,"balance":1}''::jsonb', '''{"age":{"x":{"y":1}},"income":1,"visits":1,"balance":1}''::jsonb',
	'''{"age":1,"income":1e400,"visits":1,"balance":1}''::jsonb', '''{"age":1e-400,"income":1,"visits":1,"balance":1}''::jsonb',
	'''{"AGE":1,"Age":2,"income":1,"visits":1,"balance":1}''::jsonb', '''{"age":1''::json', '''{"age":1,"age":{"x":[]},"income":1,"visits":1,"balance":1}''::json',
	'(SELECT jsonb_object_agg(''k'' || i, i) || ''{"age":1,"income":1,"visits":1,"balance":1}'' FROM generate_series(1, 10000) i)',
	'(SELECT jsonb_object_agg(''k'' || i, i) FROM generate_series(1, 10000) i)',
	'jsonb_build_object(repeat(''x'', 1000000), 1)', '(''{"age":'' || repeat(''['', 1000) || repeat('']'', 1000) || '',"income":1,"visits":1,"balance":1}'')::jsonb',
-- numbers
	'repeat(''9'', 10000)::numeric, 1, 1, 1', '(''-'' || repeat(''9'', 10000))::numeric, 1, 1, 1', '(''0.'' || repeat(''9'', 10000))::numeric, 1, 1, 1',
	'(''0.'' || repeat(''0'', 10000) || ''1'')::numeric, 1, 1, 1', '''NaN''::numeric, 1, 1, 1', '''Infinity''::numeric, 1, 1, 1',
	'''-Infinity''::float8, 1, 1, 1', '3.4028235e38::float8, 1, 1, 1', '3.4028236e38::float8, 1, 1, 1', '1e-320::float8, 1, 1, 1', '9223372036854775807, 1, 1, 1',
	'jsonb_build_object(''age'', repeat(''9'', 10000)::numeric, ''income'', 1, ''visits'', 1, ''balance'', 1)', '1, 2, 3, ''four''', '1, 2, 3, 4, 5',
	'repeat(''x'', 1000000)']) WITH ORDINALITY u (row, n) ORDER BY n;

-- categories: text of 100 MB, what looks like a label, what is one by accident
SELECT row, attempt('SELECT predict(''plans'', 1, 1, 1, 1, ' || row || ')') AS result FROM unnest(ARRAY['10, ''Aarhus''', '10, ''aarhus''', '10, ''Aarhus ''', '10, ''Aarhus ''::char(20)',
	'10, ''Aarhus''::mood', '10, ''sad''::mood', '10, ''''', '10, repeat(''x'', 100000000)', '10, repeat(U&''\00e4'', 1000000)', '''10'', ''Aarhus''',
	'10.0, ''Aarhus''', '10.5, ''Aarhus''', '''NaN''::real, ''Aarhus''', '''Infinity''::real, ''Aarhus''', 'repeat(''9'', 10000)::numeric, ''Aarhus''',
	'true, ''Aarhus''', '10, 0', '10, NULL', '10, ''Aarhus''::name', '10, ''A''::"char"', '10, ARRAY[''Aarhus'']']) WITH ORDINALITY u (row, n) ORDER BY n;

-- a table of 1,600 columns
DO $$ BEGIN
	EXECUTE (SELECT format('CREATE TABLE wide (%s)', string_agg('c' || i || ' int', ', ')) FROM generate_series(1, 1596) i);
END $$;
ALTER TABLE wide ADD age real, ADD income real, ADD visits real, ADD balance real;
INSERT INTO wide (age, income, visits, balance) VALUES (1, 1, 1, 1);
SELECT predict('churn', w) = predict('churn', 1, 1, 1, 1) AS same, predict('churn', w.*) = predict('churn', to_jsonb(w)) AS json FROM wide w;
ALTER TABLE wide DROP age;
SELECT predict('churn', w) FROM wide w;

-- no snapshot: a procedure has lost it by COMMIT, and all that comes next is a domain's constraint
CREATE DOMAIN scored AS int CHECK (predict('churn', value, 1, 1, 1) IS NOT NULL);
CREATE DOMAIN explained AS int CHECK (predict_reasons('churn', 1, value, 1, 1, 1) IS NOT NULL);
CREATE DOMAIN exported AS int CHECK (model_predict.export('churn') IS NOT NULL);
CREATE DOMAIN pictured AS int CHECK (model_predict.importance_svg('churn') IS NOT NULL);
CREATE DOMAIN shown AS int CHECK (model_predict.tree('churn', 0) IS NOT NULL);
CREATE DOMAIN drafted AS int CHECK (model_predict.input_query('churn', 'wide') IS NOT NULL);
CREATE DOMAIN deployed AS int CHECK (model_predict.deploy('churn', 1) IS NOT NULL);
CREATE DOMAIN registered AS int CHECK (model_predict.register('churn', model_predict.export('churn'), trees => 'all') > 0);
DO $$
DECLARE
	a scored; b explained; c exported; d pictured; e shown; f drafted; g deployed; h registered;
BEGIN
	COMMIT; GET DIAGNOSTICS a = ROW_COUNT; COMMIT; GET DIAGNOSTICS b = ROW_COUNT;
	COMMIT; GET DIAGNOSTICS c = ROW_COUNT; COMMIT; GET DIAGNOSTICS d = ROW_COUNT;
	COMMIT; GET DIAGNOSTICS e = ROW_COUNT; COMMIT; GET DIAGNOSTICS f = ROW_COUNT;
	COMMIT; GET DIAGNOSTICS g = ROW_COUNT; COMMIT; GET DIAGNOSTICS h = ROW_COUNT;
	RAISE INFO '% % % % % % % %', a, b, c, d, e, f, g, h;
END $$;
DROP DOMAIN scored, explained, exported, pictured, shown, drafted, deployed, registered;

DROP TABLE wide, results, types, samples;
DROP FUNCTION attempt, sample_of;
DROP DOMAIN person_domain, very_positive, positive, list, document;
DROP TYPE nested, person, mood;
DROP EXTENSION model_predict;
