\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset linestyle unicode
\pset pager off
SET client_min_messages = warning;
\ir schema.sql

\echo :head '1. A table of 7,043 customers, and a model that XGBoost 3.4.1 trained on it' :tail
\set ECHO queries
CREATE EXTENSION model_predict;

\set ECHO none
\echo
\echo 'The model file goes into the database with one call. The examples are rows with'
\echo 'the answers that Python gave: a model that answers otherwise here is refused.'
\echo
\echo '\\lo_import churn.ubj'
\echo '\\set file :LASTOID'
\echo '\\set examples `cat examples.json`'
\echo 'SELECT model_predict.register(''churn'', lo_get(:file), classes => ''{No,Yes}'','
\echo '                              trees => ''best'', examples => :''examples'') AS version;'
\lo_import churn.ubj
\set file :LASTOID
\set examples `cat examples.json`
SELECT model_predict.register('churn', lo_get(:file), classes => '{No,Yes}',
                              trees => 'best', examples => :'examples') AS version;
\set ECHO queries
SELECT model, version, xgboost_version, objective, features, trees FROM model_predict.versions;

\set ECHO none
\lo_unlink :file
\echo :head '2. Who is going to leave? A whole row goes in, columns are found by their names' :tail
\set ECHO queries
SELECT id, contract, tenure, monthly_charges,
       round(predict('churn', c.*)::numeric, 3) AS score,
       predict_class('churn', c.*) AS leaves
FROM customers c ORDER BY predict('churn', c.*) DESC, id LIMIT 5;

\set ECHO none
\echo :head '3. And why?' :tail
\set ECHO queries
SELECT id, predict_reasons('churn', 3, c.*) AS reasons
FROM customers c WHERE predict('churn', c.*) > 0.9 ORDER BY id LIMIT 5;

\set ECHO none
\echo :head '4. A score is a number like any other: filter, group, sum' :tail
\set ECHO queries
SELECT contract, count(*) AS customers,
       count(*) FILTER (WHERE predict('churn', c.*) > 0.5) AS at_risk,
       round(sum(predict('churn', c.*) * monthly_charges)::numeric) AS revenue_at_risk
FROM customers c GROUP BY contract ORDER BY revenue_at_risk DESC;

\set ECHO none
\echo :head '5. One row from an application, as jsonb' :tail
\set ECHO queries
SELECT predict('churn', jsonb_set(to_jsonb(c), '{contract}', '"Two year"')) AS if_two_years,
       predict('churn', to_jsonb(c)) AS as_it_is
FROM customers c WHERE id = 6;

\set ECHO none
\echo :head '6. New rows are scored as they come in' :tail
\set ECHO queries
ALTER TABLE customers ADD churn_score real;
CREATE TRIGGER score BEFORE INSERT OR UPDATE ON customers
	FOR EACH ROW EXECUTE FUNCTION model_predict.score('churn', 'churn_score');
INSERT INTO customers (id, female, senior_citizen, partner, dependents, tenure, phone_service,
	multiple_lines, internet_service, online_security, online_backup, device_protection,
	tech_support, streaming_tv, streaming_movies, contract, paperless_billing, payment_method,
	monthly_charges, total_charges)
VALUES (7044, 0, 0, 0, 0, 2, 1, 'No', 'Fiber optic', 'No', 'No', 'No', 'No', 'Yes', 'Yes',
	'Month-to-month', 1, 'Electronic check', 89.5, 179)
RETURNING id, churn_score;

\set ECHO none
\echo :head '7. Is it still good, and are these still its customers?' :tail
\set ECHO queries
SELECT contract, count(*), round(model_predict.roc_auc(churn = 'Yes', predict('churn', c.*))::numeric, 3) AS roc_auc
FROM customers c GROUP BY contract ORDER BY contract;
SELECT model_predict.set_baseline('churn', model_predict.profile('churn', c.*)) FROM customers c;
SELECT input, round(psi::numeric, 2) AS psi, verdict
FROM model_predict.drift('churn', (SELECT model_predict.profile('churn', c.*) FROM customers c WHERE tenure < 6)) LIMIT 4;

\set ECHO none
\echo :head '8. All of them, timed' :tail
\set ECHO queries
\timing on
SELECT count(*), avg(predict('churn', c.*)) FROM customers c;
\timing off
