-- model_predict.input_query(): the drafted SELECT that feeds a model from a table
\set srcdir `echo "$PG_ABS_SRCDIR"`
\set rows :srcdir /data/rows/
\set logistic :srcdir /data/models/rules/logistic.ubj
CREATE EXTENSION model_predict;

-- a model without trees, of these features
CREATE FUNCTION constant_model(names text[]) RETURNS bytea LANGUAGE sql AS $$
	SELECT convert_to(format('{"learner":{"attributes":{},"feature_names":%s,"feature_types":[],'
		'"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"0"},'
		'"iteration_indptr":[0],"tree_info":[],"trees":[]},"name":"gbtree"},'
		'"learner_model_param":{"base_score":"5E-1","boost_from_average":"0","num_class":"0",'
		'"num_feature":"%s","num_target":"1"},"objective":{"name":"reg:squarederror",'
		'"reg_loss_param":{"scale_pos_weight":"1"}}},"version":[2,1,4]}',
		to_json(names), cardinality(names)), 'UTF8') $$;
CREATE FUNCTION draft(tab regclass, VARIADIC names text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	version int := model_predict.register('m', constant_model(names));
BEGIN
	RETURN model_predict.input_query('m@' || version, tab);
END $$;
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE customer (id int, tenure int, "Monthly Charges" numeric, contract text, contract_kind varchar(20), paperless boolean,
	plan smallint, mood mood, initial char(3), born date, gone int, "user" text, "a""b" real, half float8 GENERATED ALWAYS AS (tenure / 2.0) STORED);
ALTER TABLE customer DROP gone;
INSERT INTO customer VALUES (1, 24, 79.5, 'Two year', 'a*/b', true, 3, 'bad', 'x', '1980-01-01', 'O''Hare', 1.5);

-- columns: by name, quoted where they must be; of a type that cannot be read as it is; none
SELECT draft('customer', 'tenure', 'Monthly Charges', 'TENURE2', 'PLAN', 'contract', 'born', 'user', 'a"b', 'gone', 'half', 'income');
-- one-hot names: the longest column's name first
SELECT draft('customer', 'contract_Two year', 'contract_kind_a*/b', 'contract_kind', 'contract_nan', 'contract_', 'Contract=One year',
	'user_O''Hare', 'paperless_True', 'paperless_perhaps', 'plan_3', 'plan_3.0', 'plan_-1', 'plan_gold', 'mood_bad', 'initial_x', 'born_1980');
-- with the name of a step of scikit-learn's ColumnTransformer
SELECT draft('customer', 'num__tenure', 'cat__contract_Two year', 'cat__user_a\b', 'num__income');
-- rare labels of scikit-learn's encoder: all that have no column of their own
SELECT draft('customer', 'contract_One year', 'contract_O''k', 'contract_nan', 'contract_infrequent_sklearn', 'plan_1', 'plan_infrequent_sklearn',
	'mood_infrequent_sklearn');
-- names that would end a comment, a literal or an identifier, or are too long
SELECT draft('customer', 'x */ DROP TABLE customer; --', 'contract_x'' OR ''''='' */', '"; SELECT 1; --', E'two\nlines',
	repeat('é', 40), 'contract_' || repeat('l', 80));
-- a model without names, and other relations
SELECT model_predict.register('bare', decode(replace(encode(constant_model('{a,b,c}'), 'escape'), '["a","b","c"]', '[]'), 'escape'));
SELECT model_predict.input_query('bare@1', 'customer');
CREATE SCHEMA "Other place";
CREATE VIEW "Other place"."my view" AS SELECT tenure, 1 AS "Age", 2 AS "AGE" FROM customer;
SELECT draft('"Other place"."my view"', 'tenure', 'age');
SELECT draft('pg_class', 'relpages');

-- drafts run, and give the model what they say
SELECT format('SELECT predict(''m'', q.*), to_jsonb(q.*) FROM (%s) AS q',
	draft('customer', 'contract_Two year', 'contract_kind_a*/b', 'mood_bad', 'plan_3', 'user_O''Hare', 'paperless_True', 'contract_nan',
		'x */ DROP', 'a"b', 'initial_x', 'num__tenure', repeat('é', 40))) AS draft \gset
SELECT model_predict.deploy('m', max(version), allow_changes => true) FROM model_predict.versions WHERE model = 'm';
:draft;

-- Python's answers for a model whose encoder renamed rare labels
CREATE TABLE infrequent (city text, x double precision);
CREATE TABLE answers (n serial, python real);
\set file :rows onehot_infrequent.csv
COPY infrequent FROM :'file' (FORMAT csv, HEADER);
\set file :rows onehot_infrequent.expected.csv
COPY answers (python) FROM :'file' (FORMAT csv, HEADER);
\set file :rows onehot_infrequent.json
SELECT model_predict.register('infrequent', pg_read_binary_file(:'file'), trees => 'all');
SELECT model_predict.input_query('infrequent', 'infrequent') AS draft \gset
SELECT :'draft';
SELECT count(*), count(*) FILTER (WHERE score = python) AS same FROM answers
JOIN (SELECT row_number() OVER () AS n, predict('infrequent', q.*)::real AS score FROM (:draft) q) s USING (n);

-- raw columns for a model whose thresholds are those of scaled ones: known once ANALYZE has run, to those who may read the column
SELECT model_predict.register('scaled', pg_read_binary_file(:'logistic'), trees => 'all');
CREATE TABLE person (age int, income numeric, visits float8, balance bigint);
INSERT INTO person SELECT 18 + i % 70, 1000 * i, i / 100.0, i % 3 FROM generate_series(1, 300) i;
SELECT model_predict.input_query('scaled', 'person');
ANALYZE person;
SELECT model_predict.input_query('scaled', 'person');
CREATE ROLE regress_mp_reader;
SELECT model_predict.grant_predict('scaled', 'regress_mp_reader');
GRANT SELECT (income) ON person TO regress_mp_reader;
SET ROLE regress_mp_reader;
SELECT model_predict.input_query('scaled', 'person');
RESET ROLE;
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON person TO regress_mp_reader;
SET ROLE regress_mp_reader;
SELECT model_predict.input_query('scaled', 'person');
RESET ROLE;
DROP TABLE person, infrequent, answers;
DROP ROLE regress_mp_reader;

-- what it refuses
CREATE ROLE regress_mp_reader;
SET ROLE regress_mp_reader;
SELECT model_predict.input_query('m', 'customer');
RESET ROLE;
DROP ROLE regress_mp_reader;
SELECT model_predict.input_query('m@999', 'customer');
SELECT model_predict.input_query('m', 'nowhere');
SELECT model_predict.input_query('m', 0);
CREATE INDEX customer_id ON customer (id);
SELECT model_predict.input_query('m', 'customer_id');
SELECT model_predict.input_query('m', NULL) IS NULL;
SELECT draft('customer', VARIADIC array_agg('x' || i)) FROM generate_series(1, 1665) AS i;
SELECT length(draft('customer', VARIADIC array_agg('x' || i))) > 0 FROM generate_series(1, 1664) AS i;

DROP SCHEMA "Other place" CASCADE;
DROP TABLE customer;
DROP TYPE mood;
DROP FUNCTION draft, constant_model;
DROP EXTENSION model_predict;
