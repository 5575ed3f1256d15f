-- model_predict.score(): what a trigger can be created with, and what is said at its first firing
CREATE EXTENSION model_predict;
\set srcdir `echo "$PG_ABS_SRCDIR"`
SELECT set_config('regress.rules', :'srcdir' || '/data/models/rules/', false) \g /dev/null
CREATE FUNCTION rules(file text) RETURNS bytea LANGUAGE sql AS
	$$ SELECT pg_read_binary_file(current_setting('regress.rules') || file) $$;
SELECT model_predict.register('m', rules('logistic.ubj'), trees => 'all', classes => '{stays,goes}');
SELECT model_predict.register('three', rules('softprob.ubj'), trees => 'all', classes => '{red,green,azure}');
SELECT model_predict.register('number', rules('squarederror.ubj'), trees => 'all');

CREATE TYPE mood AS ENUM ('stays', 'goes');
CREATE DOMAIN share AS real CHECK (VALUE < 0.5);
CREATE TABLE person (id serial, age float8, income float8, visits int, balance numeric,
	score float8, class text, version int, p real, whole int, short varchar(4), flag boolean, mood mood, share share,
	born date, doubled float8 GENERATED ALWAYS AS (age * 2) STORED);

-- :t('arguments') creates the trigger, :i fires it and shows what it filled in
\set t 'CREATE OR REPLACE TRIGGER t BEFORE INSERT OR UPDATE ON person FOR EACH ROW EXECUTE FUNCTION model_predict.score'
\set i 'INSERT INTO person AS o (age, income, balance) VALUES (0.4, -0.2, -0.25) RETURNING jsonb_strip_nulls(to_jsonb(o.*) - \'{id,age,income,balance,doubled}\'::text[]) AS filled;'

-- answers and the types of their columns
:t('m', 'score'); :i
:t('m', 'value', 'score'); :i
:t('m', 'score', 'class', 'class', 'version', 'version', 'proba_of:stays', 'p'); :i
:t('m@default', 'version', 'whole'); :i
:t('m@1', 'class', 'mood'); :i
:t('m', 'class', 'short'); :i
:t('three', 'class', 'class', 'proba_of:green', 'p'); :i
:t('number', 'score'); :i
:t('m', 'reasons:2', 'class'); :i

-- the arguments
:t(); :i
:t('m'); :i
:t('m', 'on_error', 'null'); :i
:t('m', 'score', 'class'); :i
:t('m', 'score', 'reasoning', 'class'); :i
:t('m', 'score', 'on_error', 'ignore'); :i
:t('m', 'score', 'only_if_changed', 'perhaps'); :i
:t('m', 'score', 'value', 'score'); :i
:t('m', 'reasons:0', 'class'); :i
:t('m', 'reasons:all', 'class'); :i
:t('m@9', 'score'); :i
:t('m@', 'score'); :i

-- the columns
:t('m', 'Score'); :i
:t('m', 'ctid'); :i
:t('m', 'whole'); :i
:t('m', 'born'); :i
:t('m', 'class', 'score'); :i
:t('m', 'version', 'class'); :i
:t('m', 'reasons', 'mood'); :i
:t('m', 'doubled'); :i
:t('m', 'age'); :i
:t('m', 'share'); :i
:t('three', 'class', 'short'); :i
:t('m', 'class', 'flag'); :i

-- answers that a model does not give
:t('three', 'score'); :i
:t('number', 'class', 'class'); :i
:t('number', 'proba_of:1', 'p'); :i
:t('m', 'proba_of:perhaps', 'p'); :i

-- kinds of triggers
CREATE OR REPLACE TRIGGER t AFTER INSERT ON person FOR EACH ROW EXECUTE FUNCTION model_predict.score('m', 'score'); :i
CREATE OR REPLACE TRIGGER t BEFORE INSERT ON person FOR EACH STATEMENT EXECUTE FUNCTION model_predict.score('m', 'score'); :i
DROP TRIGGER t ON person;
CREATE VIEW people AS SELECT age, income, visits, balance, score FROM person;
CREATE TRIGGER t INSTEAD OF INSERT ON people FOR EACH ROW EXECUTE FUNCTION model_predict.score('m', 'score');
INSERT INTO people VALUES (1, 2, 3, 4);
DROP VIEW people;
CREATE OR REPLACE TRIGGER t BEFORE DELETE ON person FOR EACH ROW EXECUTE FUNCTION model_predict.score('m', 'score');
DELETE FROM person;
DROP TRIGGER t ON person;
TRUNCATE person;
SELECT model_predict.score();

-- the features
ALTER TABLE person RENAME visits TO visit;
:t('m', 'score'); :i
ALTER TABLE person ADD visits float8 GENERATED ALWAYS AS (visit) STORED;
:i
ALTER TABLE person DROP visits, ADD visits text DEFAULT 'many';
:i
ALTER TABLE person ALTER visits DROP DEFAULT, ALTER visits TYPE timestamp USING now();
:i
ALTER TABLE person ALTER visits TYPE "char" USING 'x';
:i
ALTER TABLE person DROP visits;
ALTER TABLE person RENAME visit TO visits;
TRUNCATE person;

-- a fault of a row: where it is, and by which model; or a warning
CREATE OR REPLACE TRIGGER t BEFORE INSERT OR UPDATE ON person FOR EACH ROW
	EXECUTE FUNCTION model_predict.score('m', 'score', 'version', 'version');
COPY person (age, balance) FROM stdin;
1	1
infinity	2
\.
CREATE OR REPLACE TRIGGER t BEFORE INSERT OR UPDATE ON person FOR EACH ROW
	EXECUTE FUNCTION model_predict.score('m', 'score', 'version', 'version', 'on_error', 'null');
COPY person (age, balance) FROM stdin;
1	1
infinity	2
-infinity	1e39
4	4
\.
SELECT age, balance, score IS NOT NULL AS scored, version FROM person ORDER BY id;
SELECT predict('m', age, income, visits, balance) FROM person WHERE balance = 2;

-- who drops the model is told of the triggers that name it
CREATE TABLE "other person" (LIKE person) PARTITION BY LIST (id);
CREATE TABLE "other person 1" PARTITION OF "other person" DEFAULT;
CREATE TRIGGER "by alias" BEFORE INSERT ON "other person" FOR EACH ROW EXECUTE FUNCTION model_predict.score('m@champion', 'score');
CREATE TRIGGER another BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION model_predict.score('m2', 'score');
SELECT model_predict.drop_model('m');
-- and with on_error rows go on without it
DROP TRIGGER another ON person;
COPY person (age, balance) FROM stdin;
5	5
\.
SELECT age, score, version FROM person WHERE age = 5;
CREATE OR REPLACE TRIGGER t BEFORE INSERT OR UPDATE ON person FOR EACH ROW
	EXECUTE FUNCTION model_predict.score('m', 'score', 'version', 'version');
INSERT INTO person (age) VALUES (6);
DROP TABLE person, "other person";
DROP FUNCTION rules;
DROP TYPE mood;
DROP DOMAIN share;
DROP EXTENSION model_predict;
