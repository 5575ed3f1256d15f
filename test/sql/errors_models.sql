-- What a person sees for a file that is no model or a model that does not fit,
-- and that nothing half-registered is left behind.
\set srcdir `echo "$PG_ABS_SRCDIR"`
\set rules :srcdir /data/models/rules/
\set logistic :rules logistic.ubj
\set early :rules early.ubj
\set softprob :rules softprob.ubj
\set squarederror :rules squarederror.ubj
\set categories :rules categories.json
CREATE EXTENSION model_predict;

-- what it looks like instead
SELECT model_predict.register('m', '');
SELECT model_predict.register('m', '\x00');
SELECT model_predict.register('m', 'hello');
SELECT model_predict.register('m', '\x80049500000000000000008c1c78676f6f73742e736b6c6561726e948c0d584742436c6173736966696572949394');
SELECT model_predict.register('m', E'tree\\012version=v4\\012num_class=1\\012num_tree_per_iteration=1\\012'::bytea);
SELECT model_predict.register('m', '\x080712077079746f7263681a05312e31332e30');
SELECT model_predict.register('m', '\x1f8b0800000000000003');
SELECT model_predict.register('m', '\x504b0304140000000800');
SELECT model_predict.register('m', '\x894844460d0a1a0a');
SELECT model_predict.register('m', '<!DOCTYPE html><html><body>404</body></html>');
SELECT model_predict.register('m', 'CBM1 catboost');
SELECT model_predict.register('m', 'booster[0]:0:[f0<1.5] yes=1,no=2,missing=1');
SELECT model_predict.register('m', '/home/user/churn.ubj');
SELECT model_predict.register('m', '{}');
SELECT model_predict.register('m', '{"learner": 1}');
SELECT model_predict.register('m', '[1, 2, 3]');
SELECT model_predict.register('m', '{"a": ');
\echo :LAST_ERROR_SQLSTATE

-- damaged, newer, unknown
SELECT pg_read_binary_file(:'logistic') AS logistic, convert_from(pg_read_binary_file(:'categories'), 'UTF8') AS categories \gset
SELECT model_predict.register('m', substring(:'logistic'::bytea FOR 5000));
SELECT model_predict.register('m', :'logistic'::bytea || '\x00');
SELECT model_predict.register('m', replace(:'categories', '"binary:logistic"', '"binary:quantum"')::bytea);
\echo :LAST_ERROR_SQLSTATE
SELECT model_predict.register('m', replace(:'categories', '"gbtree"', '"gbforest"')::bytea);
SELECT model_predict.register('m', replace(:'categories', '"left_children":[', '"left_children":[7,')::bytea);

-- options that do not fit
SELECT model_predict.register('m', pg_read_binary_file(:'early'));
SELECT model_predict.register('m', :'logistic', trees => 'some');
SELECT model_predict.register('m', :'logistic', trees => NULL);
SELECT model_predict.register('m', :'logistic', threshold => 2);
SELECT model_predict.register('m', :'logistic', absent_feature => 'ignore');
SELECT model_predict.register('m', :'logistic', unseen_category => 'ignore');
SELECT model_predict.register('m', :'logistic', infinity => 'ignore');
SELECT model_predict.register('m', :'logistic', trees => 'all', classes => '{a,b,c}');
SELECT model_predict.register('m', :'logistic', trees => 'all', classes => '{a,NULL}');
SELECT model_predict.register('m', pg_read_binary_file(:'squarederror'), trees => 'all', classes => '{a,b}');
SELECT model_predict.register('m', :'logistic', trees => 'all', feature_names => '{a,b,c}');
SELECT model_predict.register('m', :'logistic', trees => 'all', feature_names => '{a,b,c,a}');
SELECT model_predict.register('m', :'logistic', trees => 'all', feature_names => '{a,b,c,d}');
SELECT model_predict.register('m', :'logistic', trees => 'all', categories => '{"age": ["a", "b"]}');
SELECT model_predict.register('m', :'categories'::bytea, trees => 'all', categories => '{"town": ["a", "b"]}');
SELECT model_predict.register('m', :'categories'::bytea, trees => 'all', categories => '[]');

-- integer categories that the file does not hold: their numbers are not their codes
\set file :srcdir /data/rows/cat_int_unlabelled.json
BEGIN;
SELECT model_predict.register('brand', pg_read_binary_file(:'file'), trees => 'all');
SELECT model_predict.register('brand', pg_read_binary_file(:'file'), trees => 'all', categories => '{"brand": [10, 20, 30]}');
ROLLBACK;

-- examples
SELECT model_predict.register('m', :'logistic', trees => 'all', examples => '{}');
SELECT model_predict.register('m', :'logistic', trees => 'all', examples => '[{"row": {"age": 1}}]');
SELECT model_predict.register('m', :'logistic', trees => 'all', examples => '[{"row": {"age": 1}, "predict_all": [0.5]}]');
SELECT model_predict.register('m', :'logistic', trees => 'all',
	examples => '[{"row": {"age": 1, "income": 2, "visits": 3, "balance": 4}, "predict_all": [0.25]}]');
\echo :LAST_ERROR_SQLSTATE
SELECT model_predict.register('m', :'logistic', trees => 'all',
	examples => '[{"row": {"age": 1, "income": 2, "visits": 3, "balance": 4}, "predict_all": [0.25, 0.75]}]');
SELECT model_predict.register('m', :'logistic', trees => 'all',
	examples => '[{"row": {"age": -0.021076813340187073, "income": 0.14549507200717926, "visits": -2.0786850452423096, "balance": -1.4088233709335327}, "predict_all": [0.30809572]},
	{"row": {"age": "old", "income": 2, "visits": 3, "balance": 4}, "predict_all": [0.25]}]');
BEGIN;
SELECT model_predict.register('m', :'logistic', trees => 'all');
SELECT model_predict.drop_model('m');
SELECT model_predict.register('m', :'logistic', trees => 'all', examples => '[{"row": {"age": 1}, "predict_all": [0.5]}]');
ROLLBACK;

-- names
SELECT model_predict.register(NULL, :'logistic');
SELECT model_predict.register('', :'logistic');
SELECT model_predict.register('a@b', :'logistic');
SELECT model_predict.register('m', NULL);
CREATE FUNCTION refused(name text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM predict(name, 1);
	RETURN false;
EXCEPTION WHEN invalid_name THEN
	RETURN true;
END $$;
-- letters that are not seen, or that turn others around: bidi marks, zero width, a soft hyphen, a filler, a tag
SELECT count(*) FROM (VALUES (U&'m\200E'), (U&'m\202En'), (U&'m\2066'), (U&'m\200Bn'), (U&'m\FEFF'), (U&'m\00AD'), (U&'m\0085'), (U&'m\3164'),
	(U&'m\2060'), (U&'m\+0E0041')) AS names (name) WHERE refused(name);
SELECT model_predict.register(U&'m\202En', :'logistic');
SELECT predict(U&'m\200B', 1);
SELECT predict(U&'m@\200B', 1);
DROP FUNCTION refused;

-- texts that a dump could not bear: what counts is their length as text, and a short number may have many digits
SELECT model_predict.register('m', :'logistic', trees => 'all', description => repeat('x', 65537));
SELECT model_predict.register('m', :'logistic', trees => 'all', tags => to_jsonb(repeat('x', 1048575)));
SELECT model_predict.register('m', :'logistic', trees => 'all', tags => to_jsonb(repeat(E'\t', 149797)));
SELECT model_predict.register('m', :'logistic', trees => 'all', tags => to_jsonb(array_fill(1e131071, ARRAY[8])));
SELECT model_predict.register('m', :'logistic', trees => 'all', examples => to_jsonb(array_fill(1e131071, ARRAY[128])));
SELECT model_predict.register('m', :'logistic', trees => 'all', classes => ARRAY['a', repeat('x', 4200000)]);
SELECT model_predict.register('m', :'logistic', trees => 'all', feature_names => ARRAY['a', repeat('x', 16800000)]);
SELECT model_predict.register('m', :'logistic', trees => 'all', categories => to_jsonb(array_fill(1e131071, ARRAY[513])));
SELECT model_predict.deploy('m', 1, repeat('x', 65537));
SELECT model_predict.rollback('m', repeat('x', 65537));

-- nothing is left
SELECT count(*) FROM model_predict.models;
SELECT count(*) FROM model_predict.versions;
SELECT model_predict.register('m', :'logistic', trees => 'all');
DROP EXTENSION model_predict;
