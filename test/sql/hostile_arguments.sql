-- Every function, every argument: null, empty, huge, of the wrong shape. None may
-- be an internal error, name no cause, or throw back what it was given whole.
\set srcdir `echo "$PG_ABS_SRCDIR"`
\set rules :srcdir /data/models/rules/
\set logistic :rules logistic.ubj
CREATE EXTENSION model_predict;
SET client_min_messages = error;
SELECT model_predict.register('churn', pg_read_binary_file(:'logistic'), trees => 'all');
CREATE TABLE model AS SELECT pg_read_binary_file(:'logistic') AS bytes;

-- what an argument is when another one is tried
CREATE TABLE usual (name text, value text);
INSERT INTO usual VALUES ('name', '''churn'''), ('model', '''churn'''), ('version', '1'), ('alias', '''champion'''),
	('allow_changes', 'false'), ('role', '''pg_monitor'''), ('kind', '''gain'''), ('table', '''pg_class'''), ('owner', '''public'''),
	('n', '0'), ('format', '''dot'''), ('class', '''1'''), ('top', '2'), ('trees', '''all'''), ('threshold', '0.5'),
	('row', '''{"age":1,"income":1,"visits":1,"balance":1}''::jsonb'), ('features', '''{"age":1,"income":1,"visits":1,"balance":1}'''),
	('absent_feature', '''error'''), ('unseen_category', '''error'''), ('infinity', '''error''');

CREATE TABLE hostile (type text, value text);
INSERT INTO hostile SELECT 'text', unnest(ARRAY['NULL', '''''', 'repeat(''x'', 1000000)', 'repeat(''churn@'', 1000)', '''@''',
	'''churn@0''', '''churn@-1''', '''churn@99999999999''', 'E''\x01''', '''%s%n%1$s''', ''''''';--''', '''churn ''', '''absent''',
	'repeat(U&''\00e4'', 999)']);
INSERT INTO hostile SELECT 'integer', unnest(ARRAY['NULL', '0', '-1', '2147483647', '-2147483648']);
INSERT INTO hostile SELECT 'real', unnest(ARRAY['NULL', '''NaN''', '''Infinity''', '-1', '2', '-0.0', '3.4e38']);
INSERT INTO hostile SELECT 'double precision', unnest(ARRAY['NULL', '''NaN''', '''Infinity''', '-1', '2', '-0.0', '1e308']);
INSERT INTO hostile SELECT 'timestamp with time zone', unnest(ARRAY['NULL', '''infinity''', '''-infinity''']);
INSERT INTO hostile SELECT 'boolean', unnest(ARRAY['NULL', 'true']);
INSERT INTO hostile SELECT 'text[]', unnest(ARRAY['NULL', '''{}''', '''{NULL}''', '''{{a,b},{c,d}}''', 'array_fill(''x''::text, array[100000])',
	'''{a,a,b,c}''', '''{a,a}''', '''{"","","",""}''', '''[7:8]={a,b}''', 'ARRAY[repeat(''x'', 1000000), repeat(''x'', 1000000)]']);
INSERT INTO hostile SELECT 'jsonb', unnest(ARRAY['NULL', '''null''', '''1''', '''"x"''', '''true''', '''[]''', '''{}''', '''[1]''', '''[[]]''', '''[{}]''',
	'''[null]''', '''[{"row":1,"predict_all":1}]''', '''[{"row":{},"predict_all":1}]''',
	'''[{"row":{"age":1,"income":1,"visits":1,"balance":1},"predict_all":"x"}]''', '''[{"row":{"age":1,"income":1,"visits":1,"balance":1},"predict_all":[]}]''',
	'''[{"row":{"age":1,"income":1,"visits":1,"balance":1},"predict_all":[[1]]}]''', '''[{"row":{"age":1,"income":1,"visits":1,"balance":1},"predict_all":[1e999]}]''',
	'''{"age":["a"]}''', '''{"age":[]}''', '''{"age":[[]]}''', '''{"age":[{}]}''', '''{"age":{"a":["b"]}}''', '''{"age":["a","a"]}''', '''{"age":[1,1.0]}''',
	'''{"age":[null]}''', '''{"age":[true]}''', '''{"age":[1e400]}''', '''{"":[""]}''', '(''{"age":'' || repeat(''['', 5000) || repeat('']'', 5000) || ''}'')',
	'(SELECT jsonb_object_agg(''k'' || i, i) FROM generate_series(1, 10000) i)', '(SELECT jsonb_object_agg(''k'' || i, ''["a"]''::jsonb) FROM generate_series(1, 10000) i)',
	'jsonb_build_object(repeat(''x'', 1000000), 1)']);
INSERT INTO hostile SELECT 'bytea', unnest(ARRAY['NULL', '''''', '''\x00''', '''{}''', '''\x7b''', '''null''', '''binf''', 'repeat(''['', 3000000)::bytea',
	'repeat(''{"a":'', 300000)::bytea', 'repeat(''{"learner":'', 300000)::bytea', 'decode(repeat(''00'', 100000), ''hex'')']);
INSERT INTO hostile SELECT 'record', unnest(ARRAY['NULL', 'ROW()', 'ROW(1)', 'ROW(ROW(ROW(1)))']);
INSERT INTO hostile SELECT 'name', unnest(ARRAY['NULL', '''''', '''nobody_at_all''', '''none''', '''PUBLIC''']);
INSERT INTO hostile SELECT 'regclass', unnest(ARRAY['NULL', '0', '''pg_class_oid_index''', '999999']);
INSERT INTO hostile SELECT 'bigint', unnest(ARRAY['NULL', '0', '-9223372036854775808']);
INSERT INTO hostile SELECT 'model_predict.role', unnest(ARRAY['NULL', '''-''', '''nobody_at_all''']);
INSERT INTO hostile SELECT '"any"', unnest(ARRAY['NULL', '1', '''x''::text', 'now()', 'VARIADIC NULL::real[]', 'VARIADIC ''{1,2}''::real[]', 'NULL::jsonb',
	'repeat(''x'', 1000000)', '(''{"'' || repeat(''x'', 1000000) || ''":1}'')::jsonb', 'repeat(''x'', 1000000)::"char"', 'ROW(ROW(ROW(1)))']);

-- how long the parts of a message are that may be
CREATE FUNCTION attempt(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	BEGIN
		EXECUTE sql;
		RAISE EXCEPTION USING ERRCODE = 'ZZ000';
	EXCEPTION
		WHEN SQLSTATE 'ZZ000' THEN
			RETURN 'done';
		WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	END;
	RETURN state || CASE WHEN length(message) > 300 OR length(detail) > 800 OR length(hint) > 400
		THEN format(' too long (%s, %s, %s): ', length(message), length(detail), length(hint)) ELSE ' ' END || left(message, 80);
END $$;

CREATE TABLE functions AS
SELECT p.oid::regprocedure::text AS signature, p.oid::regproc::text AS function, p.prokind = 'a' AS is_aggregate, p.proargnames AS names, p.pronargs AS n,
	ARRAY(SELECT format_type(type, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u (type, i) ORDER BY i) AS types
FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'model_predict')
	AND p.prorettype <> 'trigger'::regtype AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT 'cstring'::regtype = ANY (p.proargtypes);

CREATE TABLE results AS
SELECT f.signature, f.is_aggregate, f.names[a] AS argument, h.value, attempt(call.sql) AS result
FROM functions f, generate_series(1, f.n) a, hostile h,
	LATERAL (SELECT format('SELECT * FROM (SELECT %s(%s)) q', f.function, string_agg(CASE
		WHEN i = a THEN h.value || CASE WHEN h.type = '"any"' THEN '' ELSE '::' || h.type END
		WHEN f.types[i] = 'bytea' THEN '(SELECT bytes FROM model)'
		ELSE coalesce((SELECT value FROM usual WHERE name = f.names[i]), 'NULL') || CASE WHEN f.types[i] = '"any"' THEN '' ELSE '::' || f.types[i] END
		END, ', ' ORDER BY i)) AS sql FROM generate_series(1, f.n) i) call
WHERE h.type = f.types[a];

-- arguments that nothing hostile was found for
SELECT f.signature, t.type FROM functions f, unnest(f.types) t (type) WHERE type NOT IN (SELECT type FROM hostile);
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE result = 'done') < count(*) / 3 AS few_pass FROM results WHERE NOT is_aggregate;
SELECT signature, argument, left(value, 40) AS value, result FROM results
WHERE result ~ '^(XX|ZZ|42601|42883)' OR result LIKE '% too long %' ORDER BY 1, 2, 3;

-- what register() makes of them
SELECT argument, result, count(*), min(left(value, 40) COLLATE "C") AS value FROM results
WHERE signature LIKE '%register(%' AND argument NOT IN ('name', 'model', 'absent_feature', 'unseen_category', 'infinity', 'description', 'tags')
GROUP BY argument, result ORDER BY argument, result COLLATE "C";
SELECT count(*) FROM model_predict.versions;
DROP TABLE results, functions, hostile, usual, model;
DROP FUNCTION attempt;
DROP EXTENSION model_predict;
