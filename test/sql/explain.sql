/* Why a score is what it is, as people see it. The numbers are held against XGBoost's elsewhere. */
\set VERBOSITY terse
\set srcdir `echo "$PG_ABS_SRCDIR"`
\set model :srcdir '/data/demo/churn.ubj'
\set rows :srcdir '/data/demo/customers.csv'
CREATE EXTENSION model_predict;
CREATE TABLE customers (
  id integer PRIMARY KEY, female integer, senior_citizen integer, partner integer, dependents integer,
  tenure integer, phone_service integer, multiple_lines text, internet_service text, online_security text,
  online_backup text, device_protection text, tech_support text, streaming_tv text, streaming_movies text,
  contract text, paperless_billing integer, payment_method text,
  monthly_charges double precision, total_charges double precision, churn text
);
COPY customers FROM :'rows' WITH (FORMAT csv, HEADER);
SELECT model_predict.register('churn', pg_read_binary_file(:'model'), classes => '{No,Yes}', trees => 'best');

SELECT id, predict_class('churn', c.*), predict_reasons('churn', 3, c.*) FROM customers c WHERE id <= 4 ORDER BY id;
SELECT feature, value, round(contribution::numeric, 3) FROM customers c, predict_explain('churn', c.*) WHERE id = 1;
SELECT feature, value, round(contribution::numeric, 3) FROM customers c, predict_explain_class('churn', 'No', c.*) WHERE id = 1 LIMIT 2;
SELECT jsonb_pretty(predict_reasons_json('churn', 1, c.*) - '{margin,bias,rest,probability,base_probability}'::text[])
FROM customers c WHERE id = 1;
SELECT id, predict_reasons('churn', 1, to_jsonb(c) || '{"tenure": null}') FROM customers c WHERE id = 1;
SELECT name, type, round(gain), weight, round(total_cover) FROM model_predict.features WHERE weight > 60 ORDER BY gain DESC;
SELECT count(DISTINCT tree) AS trees, count(*) AS splits, max(depth) FROM model_predict.trees('churn') WHERE feature = 'contract';
SELECT regexp_replace(line, '(gain|cover)=[^,]*', '\1', 'g') AS line
FROM regexp_split_to_table(model_predict.tree('churn', 0), E'\n') AS line LIMIT 3;
SELECT line FROM regexp_split_to_table(model_predict.tree('churn', 0, 'dot'), E'\n') AS line LIMIT 4;

/* the README's picture is this one */
\set picture :srcdir '/../docs/reasons.svg'
SELECT rtrim(pg_read_file(:'picture'), E'\n') = predict_explain_svg('churn', c.*) AS same FROM customers c WHERE id = 1;

/* a row in a report is explained as it stands there, by every plan the same */
SELECT count(*) FROM customers c, LATERAL (SELECT array_agg(contribution ORDER BY position NULLS LAST) AS numbers
  FROM predict_explain('churn', c.*) LEFT JOIN model_predict.features ON name = feature) e
WHERE id % 100 = 0 AND numbers IS DISTINCT FROM predict_contribs('churn', c.*);
CREATE TABLE alone AS SELECT id, predict_contribs('churn', c.*), predict_reasons('churn', 5, c.*) FROM customers c;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;
SELECT line FROM plan_of($$ SELECT count(predict_reasons('churn', 5, c.*)) FROM customers c $$) AS line;
SELECT count(*) FROM customers c JOIN alone a USING (id)
WHERE (a.predict_contribs, a.predict_reasons) IS DISTINCT FROM (predict_contribs('churn', c.*), predict_reasons('churn', 5, c.*));

/* errors */
SELECT predict_explain_class('churn', 'Maybe', c.*) FROM customers c;
SELECT predict_reasons('churn', -1, c.*) FROM customers c;
SELECT predict_explain('lost', c.*) FROM customers c;
SELECT model_predict.tree('churn', 1000);
SELECT model_predict.tree('churn', 0, 'png');
SELECT model_predict.importance_svg('churn', 'beauty');

/* all of them say what they do, and promise what the planner may use */
SELECT p.oid::regproc, provolatile, proparallel, proisstrict, obj_description(p.oid, 'pg_proc') IS NOT NULL AS commented
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND extname = 'model_predict'
WHERE proname ~ 'contribs|interactions|explain|reasons|importance|^trees?$' ORDER BY 1;

DROP FUNCTION plan_of;
DROP TABLE customers, alone;
DROP EXTENSION model_predict CASCADE;
