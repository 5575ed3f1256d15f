-- verify(): examples and the plain evaluator. The native engine alone, so that
-- the answers do not depend on a libxgboost: test/t/xgboost.pl has that one.
\set srcdir `echo "$PG_ABS_SRCDIR"`
\set rules :srcdir /data/models/rules/
\set logistic :rules logistic.ubj
\set categories :rules categories.json
\set linear :srcdir /data/models/xgboost-1.7.4/gblinear/model.ubj
\set empty :srcdir /data/models/xgboost-1.7.4/zero-rounds/model.ubj
CREATE EXTENSION model_predict;
SET model_predict.engine = native;
\pset null null

-- in the transaction that registers a version: that it fails takes it back
BEGIN;
SELECT model_predict.register('churn', pg_read_binary_file(:'logistic'), trees => 'all', examples =>
	'[{"row": {"age": -0.021076813340187073, "income": 0.14549507200717926, "visits": -2.0786850452423096, "balance": -1.4088233709335327}, "predict_all": [0.30809572]}]');
SELECT test, rows, differences, saved_by, library, elapsed >= '0', detail FROM model_predict.verify('churn');
ROLLBACK;
SELECT test FROM model_predict.verify('churn');
SELECT model_predict.register('churn', pg_read_binary_file(:'logistic'), trees => 'all', examples =>
	'[{"row": {"age": -0.021076813340187073, "income": 0.14549507200717926, "visits": -2.0786850452423096, "balance": -1.4088233709335327}, "predict_all": [0.30809572]},
	  {"row": {"age": 1.0215044021606445, "income": -0.30253100395202637, "visits": 1.771536111831665, "balance": 1.7612838745117188}, "predict_all": 0.9529373}]');
SELECT model_predict.register('plans', pg_read_binary_file(:'categories'), trees => 'all');
SELECT model_predict.register('linear', pg_read_binary_file(:'linear'), trees => 'all');
SELECT model_predict.register('empty', pg_read_binary_file(:'empty'), trees => 'all');
SELECT model, test, rows, differences, detail
FROM unnest('{churn,churn@default,churn@1,plans,linear,empty}'::text[]) model, model_predict.verify(model);

-- answers that were changed behind its back
UPDATE model_predict.stored_version SET examples = jsonb_set(examples, '{1,predict_all}', '0.5');
SELECT test, rows, differences, detail FROM model_predict.verify('churn') WHERE test = 'examples';
UPDATE model_predict.stored_version SET examples = '[{"row": {"age": 1}, "predict_all": 1}]';
SELECT test, rows, differences, detail FROM model_predict.verify('churn') WHERE test = 'examples';
UPDATE model_predict.stored_version SET examples = '{}';
SELECT test, rows, differences, detail FROM model_predict.verify('churn') WHERE test = 'examples';

-- every kernel
UPDATE model_predict.stored_version SET examples = NULL;
CREATE FUNCTION verify_by(kernel text, model text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('model_predict.kernel', kernel, false);
	RETURN (SELECT differences FROM model_predict.verify(model) WHERE test = 'reference');
END $$;
SELECT kernel, model, verify_by(kernel, model)
FROM unnest('{reference,portable,baseline,avx2,avx512,auto}'::text[]) kernel, unnest('{churn,plans,linear,empty}'::text[]) model;

-- rights, and what is no reference
CREATE ROLE regress_model_scorer;
GRANT EXECUTE ON FUNCTION model_predict.verify(text) TO regress_model_scorer;
SELECT model_predict.grant_predict('churn', 'regress_model_scorer');
SET ROLE regress_model_scorer;
SELECT test FROM model_predict.verify('churn');
SELECT test FROM model_predict.verify('plans');
SELECT test FROM model_predict.verify('absent');
RESET ROLE;
SELECT test FROM model_predict.verify(NULL);
SELECT test FROM model_predict.verify('churn@2');
SELECT test FROM model_predict.verify('churn@nobody');
SELECT test FROM model_predict.verify('@');
SET model_predict.engine = 'quantum';
DROP FUNCTION verify_by;
DROP EXTENSION model_predict CASCADE;
DROP ROLE regress_model_scorer;
