-- Options that decide what a model file does not tell: trees, missing, infinity.
-- The expected scores are Python's, recorded in test/data/models/rules.
BEGIN;
\ir include/recorded.sql
SELECT no_plan();

-- trees
SELECT throws_ok($$ SELECT model_predict.register('m', pg_temp.model('early.ubj')) $$, '22023', NULL,
	'trees: auto refuses to guess between early stopping''s best round and all');
SELECT is(model_predict.register('early best', pg_temp.model('early.ubj'), trees => 'best'), 1, 'trees: best registers');
SELECT is(model_predict.register('early all', pg_temp.model('early.ubj'), trees => 'all'), 1, 'trees: all registers');
SELECT is(model_predict.register('early auto', pg_temp.model('early_sklearn.ubj')), 1, 'trees: auto registers a scikit-learn model');
SELECT is_empty($$ SELECT pg_temp.wrong('early best', 'early', 'best') $$, 'trees: best is what scikit-learn predicts');
SELECT is_empty($$ SELECT pg_temp.wrong('early all', 'early', 'all') $$, 'trees: all is what the booster predicts');
SELECT is_empty($$ SELECT pg_temp.wrong('early auto', 'early', 'best') $$, 'trees: auto is best for a scikit-learn model');
SELECT isnt_empty($$ SELECT pg_temp.wrong('early all', 'early', 'best') $$, 'trees: it makes a difference');
SELECT ok((SELECT rounds_used < rounds FROM model_predict.versions WHERE model = 'early best'), 'trees: versions shows the rounds used');
SELECT ok((SELECT rounds_used = rounds FROM model_predict.versions WHERE model = 'early all'), 'trees: versions shows all used');
SELECT is(cardinality(predict_leaf('early best', p)),
		  (SELECT rounds_used FROM model_predict.versions WHERE model = 'early best'), 'trees: leaves are of the used trees')
FROM pg_temp.people('early') WHERE n = 1;
SELECT throws_ok($$ SELECT model_predict.register('m', pg_temp.model('early.ubj'), trees => 'some') $$, '22023', NULL, 'trees: an unknown choice');

-- missing
SELECT is(model_predict.register('sentinel', pg_temp.model('sentinel.ubj'), missing => -999), 1, 'missing: registers');
SELECT is(model_predict.register('sentinel number', pg_temp.model('sentinel.ubj')), 1, 'missing: registers without');
SELECT is_empty($$ SELECT pg_temp.wrong('sentinel', 'sentinel', 'predict') $$, 'missing: the value is missing, and so are NULL and NaN');
SELECT is_empty($$ SELECT pg_temp.wrong('sentinel number', 'sentinel', 'as_numbers') $$, 'missing: without it the value is a number');
SELECT isnt_empty($$ SELECT pg_temp.wrong('sentinel number', 'sentinel', 'predict') $$, 'missing: it makes a difference');
SELECT is(model_predict.register('sentinel auto', pg_temp.model('sentinel_sklearn.ubj')), 1, 'missing: registers a scikit-learn model');
SELECT is_empty($$ SELECT pg_temp.wrong('sentinel auto', 'sentinel', 'predict') $$, 'missing: what the file''s scikit-learn attribute says counts');
SELECT is(model_predict.register('sparse', pg_temp.model('sparse.ubj'), missing => 0), 1, 'missing: zero registers');
SELECT is(model_predict.register('dense', pg_temp.model('sparse.ubj')), 1, 'missing: the same model for dense rows');
SELECT is_empty($$ SELECT pg_temp.wrong('sparse', 'sparse', 'predict') $$, 'missing: zero, for a model trained on sparse data');
SELECT is_empty($$ SELECT pg_temp.wrong('dense', 'sparse', 'dense') $$, 'missing: zero is a number otherwise');
SELECT isnt_empty($$ SELECT pg_temp.wrong('dense', 'sparse', 'predict') $$, 'missing: zero makes a difference');
SELECT is(predict('sparse', p), predict('sparse', jsonb_build_object('age', (p).age, 'income', -0.0::float8, 'visits', NULL, 'balance', 0)),
	'missing: minus zero, too, also in jsonb')
FROM (SELECT ROW(0.5, 0, 0, 0)::pg_temp.person) AS r (p);

-- infinity
SELECT is(model_predict.register('infinity', pg_temp.model('infinity.ubj')), 1, 'infinity: registers');
SELECT throws_ok(format('SELECT predict(''infinity'', %L::pg_temp.person)', p), '22003', NULL,
	format('infinity: an error by default, row %s', n))
FROM pg_temp.people('infinity');
SELECT is(model_predict.register('infinity score', pg_temp.model('infinity.ubj'), infinity => 'score'), 1, 'infinity: registers to score');
SELECT is(model_predict.register('infinity missing', pg_temp.model('infinity.ubj'), infinity => 'missing'), 1, 'infinity: registers as missing');
SELECT is_empty($$ SELECT pg_temp.wrong('infinity score', 'infinity', 'score') $$, 'infinity: scored, as scikit-learn does');
SELECT is_empty($$ SELECT pg_temp.wrong('infinity missing', 'infinity', 'missing') $$, 'infinity: missing');


-- an infinity as the value that means missing: DMatrix then takes the other one as it is
SELECT model_predict.register('infinite', pg_temp.model('infinity.ubj'), missing => 'infinity') \g /dev/null
SELECT model_predict.register('scored', pg_temp.model('infinity.ubj'), infinity => 'score') \g /dev/null
SELECT is(predict('infinite', x, y, 1, 1), predict('scored', nullif(x, 'infinity'), nullif(y, 'infinity'), 1, 1), format('missing infinity: %s, %s', x, y))
FROM unnest('{infinity,-infinity,1}'::float8[]) AS x, unnest('{infinity,-infinity,1}'::float8[]) AS y;

-- pg_dump must be able to read what is stored of a profile
CREATE FUNCTION pg_temp.long_profile() RETURNS jsonb LANGUAGE sql AS
	$$ SELECT jsonb_build_object('format', 1, 'rows', 10, 'inputs', array[jsonb_build_object('name', repeat(E'\x01', 20000000), 'kind', 'number', 'counts', '{}'::int[])]) $$;
SELECT throws_ok(format($$ SELECT model_predict.%s $$, call), '54000', 'the profile is too long', call)
FROM (VALUES ('set_baseline(''early best'', pg_temp.long_profile())'), ('merge_profiles(pg_temp.long_profile())'),
	('drift(pg_temp.long_profile(), pg_temp.long_profile())')) AS v (call);

SELECT * FROM finish();
ROLLBACK;
