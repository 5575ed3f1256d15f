-- What a person sees for a wrong row: message, detail, hint and SQLSTATE.
\set srcdir `echo "$PG_ABS_SRCDIR"`
\set rules :srcdir /data/models/rules/
\set logistic :rules logistic.ubj
\set categories :rules categories.json
\set softprob :rules softprob.ubj
\set infinity :rules infinity.ubj
CREATE EXTENSION model_predict;
SELECT model_predict.register('churn', pg_read_binary_file(:'logistic'), trees => 'all');
SELECT model_predict.register('plans', pg_read_binary_file(:'categories'),
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Malmö", "O''Hare"]}', trees => 'all');
SELECT model_predict.register('codes', pg_read_binary_file(:'categories'), trees => 'all');
SELECT model_predict.register('levels', pg_read_binary_file(:'softprob'), classes => '{low,mid,high}', trees => 'all');
CREATE TABLE people (age real, income real, visits real, balance real, name text, born date);
INSERT INTO people VALUES (1, 2, 3, 4, 'abc', '2000-01-01');

-- references
SELECT predict('chrun', p) FROM people p;
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn@champion', p) FROM people p;
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn@2', p) FROM people p;
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn@', p) FROM people p;
\echo :LAST_ERROR_SQLSTATE
SELECT predict('', p) FROM people p;
\echo :LAST_ERROR_SQLSTATE
SELECT predict(NULL, p) FROM people p;
\echo :LAST_ERROR_SQLSTATE
CREATE ROLE regress_model_reader;
SET ROLE regress_model_reader;
SELECT predict('churn', 1, 2, 3, 4);
SELECT predict('chrun', 1, 2, 3, 4);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;

-- the form of the row
SELECT predict('churn', 1, 2, 3);
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', '{1,2,3,4,5}'::real[]);
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', p, 1) FROM people p;
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', '{{1,2},{3,4}}'::real[]);
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', '{"age": 1}');
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', '[1, 2, 3, 4]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn');
\echo :LAST_ERROR_SQLSTATE
PREPARE p AS SELECT predict('churn', $1);
\echo :LAST_ERROR_SQLSTATE

-- names
SELECT predict('churn', q) FROM (SELECT age, name FROM people) q;
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', '{"age": 1, "income": 2, "visits": 3}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', q) FROM (SELECT age, income, visits, balance AS "Balance", balance AS "BALANCE" FROM people) q;
\echo :LAST_ERROR_SQLSTATE

-- types and values
SELECT predict('churn', 1, 2, 3, born) FROM people;
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', q) FROM (SELECT name AS age, income, visits, balance FROM people) q;
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', q) FROM (SELECT born AS age, income, visits, balance FROM people) q;
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', 1, 2, 3, 'four');
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', 1, 2, 3, 'Infinity'::float8);
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', 1, 2, 1e39::numeric, 4);
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', '{"age": {"years": 1}, "income": 2, "visits": 3, "balance": 4}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT predict('churn', '{"age": "old", "income": 2, "visits": 3, "balance": 4}'::jsonb);
\echo :LAST_ERROR_SQLSTATE

-- categories
SELECT predict('plans', 1, 2, 3, 4, 10, 'Oslo');
\echo :LAST_ERROR_SQLSTATE
SELECT predict('plans', 1, 2, 3, 4, 15, 'Malmö');
\echo :LAST_ERROR_SQLSTATE
SELECT predict('plans', 1, 2, 3, 4, 10, 7);
\echo :LAST_ERROR_SQLSTATE
SELECT predict('codes', 1, 2, 3, 4, 0, 'Malmö');
\echo :LAST_ERROR_SQLSTATE
SELECT predict('codes', 1, 2, 3, 4, 0, 0.5);
\echo :LAST_ERROR_SQLSTATE

-- what the model cannot answer
SELECT predict('levels', p) FROM people p;
\echo :LAST_ERROR_SQLSTATE
SELECT predict_proba_of('levels', 'huge', p) FROM people p;
\echo :LAST_ERROR_SQLSTATE
SELECT predict_proba_of('levels', NULL, p) FROM people p;
\echo :LAST_ERROR_SQLSTATE

DROP TABLE people;
DROP EXTENSION model_predict;
DROP ROLE regress_model_reader;
