-- From a file to scores, as a person sees it in psql.
\set srcdir `echo "$PG_ABS_SRCDIR"`
\set directory :srcdir /data/demo
\cd :directory
CREATE EXTENSION model_predict;
\ir ../demo/schema.sql
\lo_import churn.ubj
\set file :LASTOID
\set examples `cat examples.json`
SELECT model_predict.register('churn', lo_get(:file), classes => '{No,Yes}', trees => 'best', examples => :'examples');
\lo_unlink :file
SELECT id, contract, predict('churn', c.*), predict_class('churn', c.*) FROM customers c ORDER BY id LIMIT 4;
SELECT predict_proba('churn', c.*), predict_margin('churn', c.*), predict_all('churn', c.*) FROM customers c WHERE id = 1;
SELECT predict_proba_of('churn', 'Yes', c.*), predict_proba_of('churn', 'No', c.*) FROM customers c WHERE id = 1;
SELECT cardinality(predict_leaf('churn', c.*)) FROM customers c WHERE id = 1;
SELECT contract, count(*), round(avg(predict('churn', c.*))::numeric, 6) AS score FROM customers c GROUP BY contract ORDER BY contract;
SELECT count(*) FROM customers c WHERE predict('churn', c.*) > 0.8;
SELECT predict('churn', to_jsonb(c) || '{"contract": "Two year"}') FROM customers c WHERE id = 1;
EXPLAIN (VERBOSE, COSTS off) SELECT id FROM customers c WHERE predict('churn', c.*) > 0.8;
SELECT model, version, library, library_version, format, objective, booster, features, outputs, classes, trees, rounds, rounds_used FROM model_predict.versions;
SELECT position, name, type, categories FROM model_predict.features ORDER BY position;
SELECT model, version, rows_scored > 7043 AS scored FROM model_predict.cache;

-- a second version serves after its deploy
\set content `base64 -w0 churn.ubj`
SELECT model_predict.register('churn', decode(:'content', 'base64'), classes => '{No,Yes}', trees => 'all', description => 'all trees');
SELECT predict('churn', c.*), predict('churn@2', c.*) FROM customers c WHERE id = 1;
SELECT model_predict.deploy('churn', 2);
SELECT predict('churn', c.*) FROM customers c WHERE id = 1;
SELECT model, alias, version FROM model_predict.aliases;
SELECT sha256 = encode(sha256(model_predict.export('churn@1')), 'hex') AS exported FROM model_predict.versions WHERE version = 1;
DROP TABLE customers;
DROP EXTENSION model_predict;
