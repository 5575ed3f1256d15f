-- What CREATE EXTENSION makes, and where.
CREATE SCHEMA scoring;
CREATE EXTENSION model_predict SCHEMA scoring;
SELECT DISTINCT n.nspname AS schema, p.proname AS name, pg_get_function_result(p.oid) AS returns,
	p.provolatile AS volatile, p.proparallel AS parallel, has_function_privilege('public', p.oid, 'EXECUTE') AS public
FROM pg_depend d JOIN pg_proc p ON d.objid = p.oid JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'model_predict')
ORDER BY 1, 2;
SELECT c.relname AS name, c.relkind AS kind, has_table_privilege('public', c.oid, 'SELECT') AS public
FROM pg_depend d JOIN pg_class c ON d.objid = c.oid
WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e' AND c.relkind IN ('r', 'v', 'S')
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'model_predict')
ORDER BY 2, 1;

-- every object that people meet has a comment: not types that PostgreSQL makes by itself
SELECT pg_describe_object(d.classid, d.objid, 0) COLLATE "C" AS uncommented
FROM pg_depend d
WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'model_predict')
	AND NOT (d.classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type WHERE oid = d.objid AND (typrelid <> 0 OR typcategory = 'A')))
	AND obj_description(d.objid, d.classid::regclass::name) IS NULL
ORDER BY 1;
SELECT attrelid::regclass || '.' || attname AS uncommented
FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
WHERE relnamespace = 'model_predict'::regnamespace AND relkind = 'v' AND attnum > 0
	AND col_description(attrelid, attnum) IS NULL
ORDER BY 1;

-- settings
SELECT name, setting, unit, context, vartype, max_val FROM pg_settings WHERE name LIKE 'model\_predict.%' ORDER BY name;
SELECT name FROM pg_settings WHERE name LIKE 'model\_predict.%' AND short_desc = '';

-- it moves nowhere, and not into its own schema
ALTER EXTENSION model_predict SET SCHEMA public;
DROP EXTENSION model_predict;
DROP SCHEMA scoring;
SELECT nspname FROM pg_namespace WHERE nspname = 'model_predict';
CREATE EXTENSION model_predict SCHEMA model_predict;
\set SHOW_CONTEXT never
CREATE SCHEMA model_predict;
CREATE EXTENSION model_predict;
DROP SCHEMA model_predict;
