\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset linestyle unicode
\pset border 1
\pset null '-'
\pset pager off
SET client_min_messages = warning;
\ir schema.sql

\echo :head '1. A model arrives: the pipeline that scikit-learn and XGBoost 1.7 made of 7,043 customers' :tail
\echo '   Its steps (one-hot, scaling) come along, and so do rows with the answers that Python'
\echo '   gave: a model that answers anything else here is refused. In Python all of this is'
\echo '   model_predict.push(connection, ''churn'', pipeline, X). In psql:'
\echo
CREATE EXTENSION model_predict;
\echo '\\lo_import pipeline.ubj'
\echo '\\set file :LASTOID'
\echo '\\set given `cat pipeline.json`'
\echo 'SELECT model_predict.register(''churn'', lo_get(:file), classes => ''{No,Yes}'', trees => ''all'','
\echo '    preprocessing => :''given''::jsonb -> ''preprocessing'', examples => :''given''::jsonb -> ''examples'') AS version;'
\lo_import pipeline.ubj
\set file :LASTOID
\set given `cat pipeline.json`
SELECT model_predict.register('churn', lo_get(:file), classes => '{No,Yes}', trees => 'all',
    preprocessing => :'given'::jsonb -> 'preprocessing', examples => :'given'::jsonb -> 'examples') AS version;
\lo_unlink :file

\echo :head '2. Score: a whole row goes in, columns are found by their names' :tail
\set ECHO queries
SELECT id, contract, tenure, round(predict('churn', c.*)::numeric, 3) AS score, predict_class('churn', c.*) AS leaves
FROM customers c ORDER BY predict('churn', c.*) DESC, id LIMIT 3;

SELECT contract, count(*) FILTER (WHERE predict('churn', c.*) > 0.5) AS at_risk,
       round(sum(predict('churn', c.*) * monthly_charges)::numeric) AS revenue_at_risk
FROM customers c GROUP BY contract ORDER BY revenue_at_risk DESC;

\set ECHO none
\echo :head '3. Ask why: in a line, and as a picture' :tail
\set ECHO queries
SELECT id, predict_reasons('churn', 3, c.*) AS reasons
FROM customers c WHERE predict('churn', c.*) > 0.9 ORDER BY id LIMIT 3;
\set ECHO none
\echo
\echo 'SELECT predict_explain_svg(''churn'', c.*) FROM customers c WHERE id = 1'
\pset tuples_only on
\pset format unaligned
SELECT predict_explain_svg('churn', c.*) FROM customers c WHERE id = 1 \g :picture
\pset format aligned
\pset tuples_only off
\echo '   written to' :picture

\echo :head '4. A second version arrives, of XGBoost 3.4, and is compared' :tail
\lo_import churn.ubj
\set file :LASTOID
\set examples `cat examples.json`
\echo 'SELECT model_predict.register(''churn'', lo_get(:file), classes => ''{No,Yes}'', trees => ''best'', examples => :''examples'');'
SELECT model_predict.register('churn', lo_get(:file), classes => '{No,Yes}', trees => 'best', examples => :'examples') AS version;
\lo_unlink :file
\set ECHO queries
SELECT model_predict.set_alias('churn', 'challenger', 2);
SELECT round(model_predict.roc_auc(churn = 'Yes', predict('churn', c.*))::numeric, 4) AS serving,
       round(model_predict.roc_auc(churn = 'Yes', predict('churn@challenger', c.*))::numeric, 4) AS challenger,
       count(*) FILTER (WHERE predict_class('churn', c.*) <> predict_class('churn@challenger', c.*)) AS other_class
FROM customers c;

\set ECHO none
\echo :head '5. Promote it, and go back: each in a transaction' :tail
\set ECHO queries
SELECT model_predict.promote('churn', 'challenger', comment => 'trained anew');
SELECT model_predict.rollback('churn', comment => 'a first look');
SELECT action, alias, old_version, new_version, comment FROM model_predict.history WHERE action IN ('promote', 'rollback');

\set ECHO none
\echo :head '6. Watch it: are today''s rows like those that it was trained on?' :tail
\set ECHO queries
SELECT model_predict.set_baseline('churn', model_predict.profile('churn', c.*)) FROM customers c;
SELECT input, round(psi::numeric, 3) AS psi, verdict
FROM model_predict.drift('churn', (SELECT model_predict.profile('churn', c.*) FROM customers c WHERE tenure < 12)) LIMIT 4;

\set ECHO none
\echo :head '7. Keep scores in a column: new rows are scored as they come in' :tail
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
\echo :head '8. What is where' :tail
\set ECHO queries
SELECT model, version, library, library_version, objective, features, trees FROM model_predict.versions ORDER BY version;
SELECT model, version, pg_size_pretty(bytes) AS memory, rows_scored FROM model_predict.cache ORDER BY version;
\set ECHO none
\echo
\echo '   \\df predict*            the scoring functions'
\echo '   \\dv model_predict.*     models, versions, features, history, ...'
\echo
\echo '   All 7,043 customers, timed:'
\timing on
SELECT count(*), avg(predict('churn', c.*)) FROM customers c;
\timing off
