-- Categories by label and by number, seen and unseen, against what Python answered.
BEGIN;
\ir include/recorded.sql
SELECT no_plan();

SELECT model_predict.register('codes', pg_temp.model('categories.json')) \g /dev/null
SELECT model_predict.register('labels', pg_temp.model('categories.json'),
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Malmö", "O''Hare"]}') \g /dev/null
SELECT model_predict.register('text labels', pg_temp.model('categories.json'),
	categories => '{"plan": ["10", "20", "30", "45"], "city": ["Aarhus", "Malmö", "O''Hare"]}') \g /dev/null
SELECT model_predict.register('missing', pg_temp.model('categories.json'), unseen_category => 'missing',
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Malmö", "O''Hare"]}') \g /dev/null
SELECT model_predict.register('gone', pg_temp.model('categories.json'), unseen_category => 'null',
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Malmö", "O''Hare"]}') \g /dev/null

CREATE TYPE pg_temp.city AS ENUM ('Aarhus', 'Malmö', 'O''Hare', 'Oslo');
CREATE DOMAIN pg_temp.town AS varchar(20);

CREATE FUNCTION pg_temp.wrong_as(model text, plan_type text, city_type text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT format(''row %%s: %%s'', n, predict(%L, r)) FROM pg_temp.recorded(''categories''),
		jsonb_to_record("row") AS r (age float8, income float8, visits float8, balance float8, plan %s, city %s)
		WHERE predict(%L, r)::real IS DISTINCT FROM (answer ->> ''predict'')::real', model, plan_type, city_type, model);
END $$;

SELECT is_empty(format($$ SELECT pg_temp.wrong_as(%L, %L, %L) $$, model, plan, city),
	format('%s: plan as %s, city as %s', model, plan, city))
FROM unnest('{labels,text labels,missing,gone}'::text[]) AS model,
	unnest('{smallint,integer,bigint,real,double precision,numeric,text}'::text[]) AS plan,
	unnest('{text,varchar,char(9),pg_temp.city,pg_temp.town}'::text[]) AS city;
SELECT is_empty($$ SELECT n FROM pg_temp.recorded('categories')
	WHERE predict('labels', "row")::real IS DISTINCT FROM (answer ->> 'predict')::real $$, 'jsonb, by label and number');
SELECT is_empty($$ SELECT n FROM pg_temp.recorded('categories')
	WHERE predict('labels', "row" || jsonb_build_object('plan', ("row" ->> 'plan')))::real
		IS DISTINCT FROM (answer ->> 'predict')::real $$, 'jsonb, a number as text');

-- without labels a number is the code
SELECT is_empty($$ SELECT n FROM pg_temp.recorded('categories'), jsonb_to_record("row")
		AS r (age float8, income float8, visits float8, balance float8, plan int, city text)
	WHERE predict('codes', age, income, visits, balance, array_position('{10,20,30,45}', plan) - 1,
			array_position('{Aarhus,Malmö,O''Hare}', city) - 1)::real
		IS DISTINCT FROM (answer ->> 'predict')::real $$, 'codes, where no labels are known');
SELECT throws_ok($$ SELECT predict('codes', 0, 0, 0, 0, 'ten', 0) $$, '42804', NULL, 'text, where no labels are known');
SELECT throws_ok(format($$ SELECT predict('codes', 0, 0, 0, 0, %s, 0) $$, code), '22P02', NULL, format('%s is no code', code))
FROM unnest('{-1,0.5,16777216,1e300,-1e300}'::float8[]) AS code;

-- an unseen label
SELECT throws_ok(format($$ SELECT predict('labels', 0, 0, 0, 0, %s, %L) $$, plan, city), '22P02', NULL,
	format('unseen: plan %s, city %s', plan, city))
FROM (VALUES (11, 'Aarhus'), (-10, 'Aarhus'), (10, 'Oslo'), (10, ''), (10, 'aarhus'), (10, 'Aarhus '), (10, 'Aarhu')) AS v (plan, city);
SELECT throws_like($$ SELECT predict('labels', 0, 0, 0, 0, 10, 'Oslo') $$, '%"city"%"Oslo"%', 'unseen: the error names the feature and the value');
SELECT is(predict('missing', 0, 0, 0, 0, 11, 'Oslo'), predict('labels', 0, 0, 0, 0, NULL, NULL), 'unseen: missing');
SELECT is(predict('gone', 0, 0, 0, 0, 10, 'Oslo'), NULL, 'unseen: null, by text');
SELECT is(predict('gone', 0, 0, 0, 0, 11, 'Malmö'), NULL, 'unseen: null, by number');
SELECT isnt(predict('gone', 0, 0, 0, 0, 10, 'Malmö'), NULL, 'unseen: null is for this row only');
SELECT is(predict_all('gone', 0, 0, 0, 0, 10, 'Oslo'), NULL, 'unseen: null, all outputs');
SELECT is(predict_class('gone', 0, 0, 0, 0, 10, 'Oslo'), NULL, 'unseen: null, the class');

-- the wrong kind of value
SELECT throws_ok($$ SELECT predict('labels', 0, 0, 0, 0, 10, 1) $$, '42804', NULL, 'a number where the labels are text');
SELECT throws_ok($$ SELECT predict('labels', '{"age": 0, "income": 0, "visits": 0, "balance": 0, "plan": 10, "city": 1}'::jsonb) $$,
	'42804', NULL, 'a jsonb number where the labels are text');
SELECT throws_ok($$ SELECT predict('labels', 'old'::text, 0, 0, 0, 10, 'Oslo') $$, '42804', NULL, 'text where a number is needed');

-- what register refuses
SELECT throws_ok(format($$ SELECT model_predict.register('c', pg_temp.model('categories.json'), categories => %L) $$, categories),
	NULL, NULL, 'categories => ' || categories)
FROM unnest(array['[]', '1', '{"plan": 1}', '{"plan": {}}', '{"plan": [null]}', '{"plan": [[1]]}', '{"plan": [true]}',
	'{"plan": [1, 1]}', '{"plan": ["a", "a"]}', '{"nowhere": ["a"]}', '{"age": ["a"]}']) AS categories;

SELECT throws_ok($$ SELECT model_predict.register('c', pg_temp.model('categories.json'), categories => '{"plan": [10, 20, 30]}') $$, '22023',
	'model "c" cannot be registered: the categories given for feature "plan" end before code 3, which the trees use', 'too few labels');
SELECT lives_ok($$ SELECT model_predict.register('more', pg_temp.model('categories.json'), categories => '{"plan": [10, 20, 30, 45, 50]}') $$,
	'labels whose codes the trees do not know');

-- labels of a model that holds its own: those, or none
SELECT lives_ok(format($$ SELECT model_predict.register('own', pg_temp.model('../xgboost-3.4.1/%1$s/model.ubj'), categories =>
	pg_read_file(current_setting('test.rules') || '../xgboost-3.4.1/%1$s/meta.json')::jsonb -> 'categories') $$, folder),
	folder || ': its own categories given too') FROM unnest('{categorical-text,categorical-int-labels}'::text[]) AS folder;
SELECT throws_ok($$ SELECT model_predict.register('own', pg_temp.model('../xgboost-3.4.1/categorical-int-labels/model.ubj'),
	categories => '{"c0": [10, 30, 20]}') $$, '22023',
	'model "own" cannot be registered: the model holds other categories for feature "c0"', 'other categories than its own');

-- a value that means missing is held against the code, as XGBoost does, and may be given for a number
SELECT model_predict.register('zero', pg_temp.model('categories.json'), missing => 0,
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Malmö", "O''Hare"]}') \g /dev/null
SELECT model_predict.register('minus', pg_temp.model('categories.json'), missing => -1,
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Malmö", "O''Hare"]}') \g /dev/null
SELECT model_predict.register('minus codes', pg_temp.model('categories.json'), missing => -1) \g /dev/null
SELECT is(predict('zero', 1, 1, 1, 1, 10, 'Aarhus'), predict('labels', 1, 1, 1, 1, NULL, NULL), 'missing 0: the first category is');
SELECT is(predict('zero', 1, 1, 1, 1, 20, 'Malmö'), predict('labels', 1, 1, 1, 1, 20, 'Malmö'), 'missing 0: the second is not');
SELECT isnt(predict('labels', 1, 1, 1, 1, 10, 'Aarhus'), predict('labels', 1, 1, 1, 1, NULL, NULL), 'which makes a difference');
SELECT is(predict('minus', 1, 1, 1, 1, -1, 'Aarhus'), predict('labels', 1, 1, 1, 1, NULL, 'Aarhus'), 'missing -1, no category');
SELECT is(predict('minus codes', 1, 1, 1, 1, -1, 2), predict('codes', 1, 1, 1, 1, NULL, 2), 'missing -1, no code');

SELECT * FROM finish();
ROLLBACK;
