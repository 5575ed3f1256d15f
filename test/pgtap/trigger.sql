-- model_predict.score(): the rows that a trigger scores have the very answers
-- that Python gave, and are scored when they must be and only then.
BEGIN;
\ir include/recorded.sql
SELECT no_plan();

SELECT model_predict.register('m', pg_temp.model('logistic.ubj'), trees => 'all', classes => '{stays,goes}') \g /dev/null
SELECT model_predict.register('three', pg_temp.model('softprob.ubj'), trees => 'all', classes => '{red,green,blue}') \g /dev/null
SELECT model_predict.register('city', pg_temp.model('categories.json'), unseen_category => 'null',
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Malmö", "O''Hare"]}') \g /dev/null
CREATE TEMP TABLE people AS SELECT n, (p).* FROM pg_temp.people('logistic');
CREATE TEMP TABLE truth AS SELECT n, (answer ->> 'predict')::real AS score FROM pg_temp.recorded('logistic');

-- a table whose columns lie otherwise than the model's features, with dropped and generated ones between
CREATE TABLE scored (gone text, balance numeric, note text DEFAULT 'as it was', n int PRIMARY KEY, old int, score float8,
	doubled float8 GENERATED ALWAYS AS (age * 2) STORED, "VISITS" real, income float8, class text, p numeric(5,4),
	version bigint, flag boolean, age float8);
ALTER TABLE scored DROP gone, DROP old;
CREATE TRIGGER score BEFORE INSERT OR UPDATE ON scored FOR EACH ROW EXECUTE FUNCTION
	model_predict.score('m', 'score', 'class', 'class', 'proba_of:stays', 'p', 'version', 'version');
CREATE FUNCTION pg_temp.all_right(what text, relation text DEFAULT 'scored') RETURNS text LANGUAGE sql AS
	$$ SELECT is_empty(format('SELECT n FROM truth t LEFT JOIN %s s USING (n) WHERE s.score::real IS DISTINCT FROM t.score', relation), what) $$;
INSERT INTO scored (n, age, income, "VISITS", balance) SELECT n, age, income, visits, balance FROM people;
SELECT pg_temp.all_right('INSERT ... SELECT');
SELECT is_empty($$ SELECT n FROM scored WHERE class <> predict_class('m', age, income, "VISITS", balance)
	OR p <> predict_proba_of('m', 'stays', age, income, "VISITS", balance)::numeric(5,4) OR version <> 1
	OR doubled <> age * 2 OR note <> 'as it was' $$, 'every column of the row');
UPDATE scored SET age = age + 1, note = repeat('x', 10000);
SELECT isnt_empty('SELECT n FROM truth JOIN scored s USING (n) WHERE s.score::real <> truth.score', 'UPDATE changes scores');
UPDATE scored SET age = (SELECT age FROM people p WHERE p.n = scored.n);
SELECT pg_temp.all_right('UPDATE');
SELECT is((SELECT count(*) FROM scored WHERE note = repeat('x', 10000) AND doubled = age * 2), 20::bigint, 'other columns are kept, long ones too');
INSERT INTO scored (n, age, income, "VISITS", balance) SELECT n, 0, 0, 0, 0 FROM people
	ON CONFLICT (n) DO UPDATE SET age = 9, note = 'conflict';
SELECT is_empty($$ SELECT n FROM scored WHERE score <> predict('m', 9, income, "VISITS", balance) $$, 'ON CONFLICT DO UPDATE');
\if :has_merge
MERGE INTO scored USING people p ON scored.n = p.n WHEN MATCHED THEN UPDATE SET age = p.age;
\else
UPDATE scored SET age = p.age FROM people p WHERE scored.n = p.n;
\endif
SELECT pg_temp.all_right('MERGE, where there is one');
DO $$ BEGIN FOR i IN 1 .. 20 LOOP UPDATE scored SET score = 0.5, class = 'who', version = 7 WHERE n = i; END LOOP; END $$;
SELECT pg_temp.all_right('what a statement writes into a target column is written over');
SELECT is((SELECT count(DISTINCT version) FROM scored WHERE class IN ('stays', 'goes')), 1::bigint, 'in the others too');

-- values go by assignment: labels into an enum or a boolean, scores into a domain
CREATE TYPE pg_temp.colour AS ENUM ('blue', 'green', 'red');
CREATE DOMAIN pg_temp.percent AS numeric(4,1) CHECK (VALUE <= 60);
CREATE TABLE coloured (n int, age float8, income float8, visits float8, balance float8, colour pg_temp.colour, green pg_temp.percent);
CREATE TRIGGER score BEFORE INSERT ON coloured FOR EACH ROW EXECUTE FUNCTION model_predict.score('three', 'class', 'colour', 'proba_of:green', 'green');
INSERT INTO coloured SELECT * FROM people;
SELECT is_empty($$ SELECT c.n FROM coloured c JOIN pg_temp.recorded('softprob') r ON r.n = c.n
	WHERE colour::text <> ('{red,green,blue}'::text[])[(answer ->> 'index')::real + 1]
	OR green <> (answer #>> '{predict,1}')::numeric(4,1) $$, 'several classes, in an enum and a domain');
TRUNCATE coloured;
ALTER DOMAIN pg_temp.percent ADD CONSTRAINT low CHECK (VALUE < 0.2);
SELECT throws_ok('INSERT INTO coloured SELECT * FROM people', '23514', NULL, 'a domain''s constraint holds');

-- reasons, as predict_reasons gives them
CREATE TABLE told (score float8, balance numeric, age float8, why text, x text, visits int, income real, why_one text);
ALTER TABLE told DROP x;
CREATE TRIGGER score BEFORE INSERT ON told FOR EACH ROW EXECUTE FUNCTION
	model_predict.score('m', 'score', 'reasons', 'why', 'reasons:1', 'why_one');
INSERT INTO told SELECT NULL, balance, age, NULL, visits, income FROM people;
SELECT is((SELECT count(*) FROM told WHERE why = predict_reasons('m', 3, told.*) AND why_one = predict_reasons('m', 1, told.*)
	AND score = predict('m', told.*)), 20::bigint, 'reasons');

-- a target is no feature, even of a model that has one of its name
SELECT model_predict.register('free', pg_temp.model('logistic.ubj'), trees => 'all', absent_feature => 'missing') \g /dev/null
CREATE TABLE own AS SELECT * FROM people LIMIT 0;
CREATE TRIGGER score BEFORE INSERT OR UPDATE ON own FOR EACH ROW EXECUTE FUNCTION model_predict.score('free', 'balance');
INSERT INTO own SELECT * FROM people;
SELECT is((SELECT count(*) FROM own WHERE balance = predict('m', age, income, visits, NULL)), 20::bigint, 'a target is no feature');

-- partitions whose columns lie otherwise, and the way from one to the other
CREATE TABLE part (n int, half int, age float8, income float8, visits float8, balance float8, score float8) PARTITION BY LIST (half);
CREATE TABLE part_0 (score float8, half int, x text, balance float8, visits float8, n int, income float8, age float8);
ALTER TABLE part_0 DROP x;
ALTER TABLE part ATTACH PARTITION part_0 FOR VALUES IN (0);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TRIGGER score BEFORE INSERT OR UPDATE ON part FOR EACH ROW EXECUTE FUNCTION model_predict.score('m', 'score');
INSERT INTO part SELECT n, n % 2, age, income, visits, balance FROM people;
SELECT pg_temp.all_right('partitions', 'part');
UPDATE part SET half = 1 - half, score = NULL;
SELECT pg_temp.all_right('rows that move to another partition', 'part');

-- NULL answers: an unseen category of a version that says so
CREATE TABLE lived (n int, age float8, income float8, visits float8, balance float8, plan int, city text, score float8, version int);
CREATE TRIGGER score BEFORE INSERT OR UPDATE ON lived FOR EACH ROW EXECUTE FUNCTION model_predict.score('city', 'score', 'version', 'version');
INSERT INTO lived SELECT n, r.* FROM pg_temp.recorded('categories'),
	jsonb_to_record("row") AS r (age float8, income float8, visits float8, balance float8, plan int, city text);
SELECT is_empty($$ SELECT n FROM lived JOIN pg_temp.recorded('categories') r USING (n)
	WHERE score::real IS DISTINCT FROM (answer ->> 'predict')::real $$, 'categories');
UPDATE lived SET city = 'Oslo';
SELECT is_empty('SELECT n FROM lived WHERE score IS NOT NULL OR version <> 1', 'NULL, by version 1');

-- only_if_changed: what is kept is shown by a score that no model gives
CREATE TABLE lazy (n int, note text, age float8, income float8, visits float8, balance numeric, score float8, version smallint);
INSERT INTO lazy SELECT n, repeat('y', 5000), age, income, visits, balance, 77, 1 FROM people;
CREATE TRIGGER score BEFORE INSERT OR UPDATE ON lazy FOR EACH ROW EXECUTE FUNCTION
	model_predict.score('m', 'score', 'version', 'version', 'only_if_changed', 'true');
CREATE FUNCTION pg_temp.kept(change text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	score float8;
BEGIN
	EXECUTE format('UPDATE lazy SET %s WHERE n = 1 RETURNING score', change) INTO score;
	RAISE EXCEPTION '%', score = 77;
EXCEPTION WHEN raise_exception THEN
	RETURN sqlerrm::bool;
END $$;
SELECT is(pg_temp.kept(change), kept, format('only_if_changed: %s is %s', change, CASE WHEN kept THEN 'kept' ELSE 'scored' END))
FROM (VALUES ('note = 1', true), ('note = NULL, n = 2', true), ('age = age', true), ('balance = balance + 0', true),
	('age = age + 1', false), ('age = NULL', false), ('balance = 5, note = 1', false), ('score = 0.5', false),
	('score = NULL', false), ('version = NULL', false), ('version = 3', false)) AS v (change, kept);
ALTER TABLE lazy DISABLE TRIGGER score;
UPDATE lazy SET score = NULL WHERE n = 1;
ALTER TABLE lazy ENABLE TRIGGER score;
SELECT is(pg_temp.kept('note = 1'), false, 'only_if_changed: a row without a score is scored');
ALTER TABLE lazy DISABLE TRIGGER score;
UPDATE lazy SET score = 77 WHERE n = 1;
ALTER TABLE lazy ENABLE TRIGGER score;
SELECT model_predict.register('m', pg_temp.model('logistic.ubj'), trees => 'all', classes => '{stays,goes}') \g /dev/null
SELECT is(pg_temp.kept('note = 1'), true, 'only_if_changed: a version that is not deployed changes nothing');
SELECT model_predict.deploy('m', 2) \g /dev/null
SELECT is(pg_temp.kept('note = 1'), false, 'only_if_changed: after a deploy a row is scored where the version is kept');
CREATE OR REPLACE TRIGGER score BEFORE INSERT OR UPDATE ON lazy FOR EACH ROW EXECUTE FUNCTION
	model_predict.score('m', 'score', 'only_if_changed', 'true');
SELECT is(pg_temp.kept('note = 1'), true, 'only_if_changed: where no version is kept, it is not');
SELECT model_predict.rollback('m') \g /dev/null

-- rights are those of the role that writes
CREATE ROLE regress_mp_stranger;
CREATE ROLE regress_mp_writer;
GRANT ALL ON scored, people TO regress_mp_writer;
SELECT lives_ok('UPDATE scored SET age = 1', 'the owner');
SET LOCAL ROLE regress_mp_writer;
SELECT throws_ok('UPDATE scored SET age = 1', '42704', NULL, 'a role that may write the table, but not use the model');
RESET ROLE;
SELECT model_predict.grant_predict('m', 'regress_mp_writer') \g /dev/null
SET LOCAL ROLE regress_mp_writer;
SELECT lives_ok('UPDATE scored SET age = 1', 'and one that may');
RESET ROLE;
SELECT throws_ok($$ INSERT INTO scored (n, note) SELECT i, CASE WHEN i = 103 THEN set_config('role', 'regress_mp_stranger', true) END
	FROM generate_series(101, 105) i $$, '42704', NULL,
	'a role that changes within the statement');

-- a savepoint's deploy ends with it, within one statement too: the function deploys and takes it back between two rows
CREATE FUNCTION pg_temp.to_and_fro(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	PERFORM model_predict.deploy('m', 2);
	RAISE EXCEPTION 'back';
EXCEPTION WHEN raise_exception THEN
	RETURN n;
END $$;
UPDATE scored SET age = pg_temp.to_and_fro(n);
SELECT is((SELECT string_agg(DISTINCT version::text, ',') FROM scored), '1', 'a deploy that was taken back was never seen');
SAVEPOINT a;
SELECT model_predict.deploy('m', 2) \g /dev/null
UPDATE scored SET age = 1 WHERE n = 1;
SELECT is((SELECT version FROM scored WHERE n = 1), 2::bigint, 'a deploy of this transaction is seen at once');
ROLLBACK TO a;
UPDATE scored SET age = 1 WHERE n = 1;
SELECT is((SELECT version FROM scored WHERE n = 1), 1::bigint, 'and not after it is rolled back');

SELECT finish();
ROLLBACK;
