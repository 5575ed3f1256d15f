-- The views: what a role sees of models, and that nothing tells it of the others.
BEGIN;
\ir include/golden.sql
SELECT no_plan();

CREATE ROLE regress_stranger;
CREATE ROLE regress_scorer;
CREATE ROLE regress_owner;
CREATE FUNCTION pg_temp.shown(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE) ' || query LOOP lines := lines || line || E'\n'; END LOOP;
	RETURN lines;
END $$;
CREATE FUNCTION pg_temp.all_shown() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(pg_temp.shown('SELECT * FROM model_predict.' || v || ' WHERE model = ''a'''), '')
	FROM unnest('{models,versions,aliases,features,history}'::text[]) v $$;
ANALYZE;
CREATE TEMP TABLE plans AS SELECT pg_temp.all_shown() AS plan;

SELECT pg_temp.golden('xgboost-3.4.1/multi-softprob', 'a') \g /dev/null
SELECT pg_temp.golden('xgboost-1.7.4/dart-multi', 'b') \g /dev/null
SELECT model_predict.set_owner('a', 'regress_owner') \g /dev/null
SELECT model_predict.grant_predict('a', 'regress_scorer') \g /dev/null
SELECT model_predict.register('gone', pg_read_binary_file(current_setting('test.models') || 'xgboost-1.7.4/gblinear/model.ubj'),
	description => 'd', tags => '{"t": 1}', examples => NULL) \g /dev/null
SELECT model_predict.drop_model('gone') \g /dev/null
ANALYZE;
SELECT is(pg_temp.all_shown(), (SELECT plan FROM plans), 'plans over the views are the same whatever models there are');

-- what each role sees
CREATE FUNCTION pg_temp.sees(role text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	seen text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	seen := format('%s %s %s %s %s', (SELECT string_agg(model, ',' ORDER BY model) FROM model_predict.models),
		(SELECT count(*) FROM model_predict.versions), (SELECT count(*) FROM model_predict.aliases),
		(SELECT string_agg(DISTINCT model, ',') FROM model_predict.features),
		(SELECT string_agg(model || ':' || action, ',' ORDER BY model, at, action) FROM model_predict.history));
	RESET ROLE;
	RETURN seen;
END $$;
SELECT is(pg_temp.sees('regress_stranger'), ' 0 0  ', 'a stranger sees nothing');
SELECT is(pg_temp.sees('regress_scorer'), 'a 1 1 a a:register', 'who may score sees the model, not who else may');
SELECT is(pg_temp.sees('regress_owner'), 'a 1 1 a a:register,a:set_owner,a:grant_predict', 'the owner sees its rights too');
SELECT is((SELECT string_agg(DISTINCT model, ',' ORDER BY model) FROM model_predict.history), 'a,b,gone', 'a superuser sees what is gone');
SET ROLE regress_stranger;
SELECT is((SELECT count(*) FROM model_predict.visible_models()) + (SELECT count(*) FROM model_predict.visible_versions())
	+ (SELECT count(*) FROM model_predict.visible_aliases()) + (SELECT count(*) FROM model_predict.visible_features())
	+ (SELECT count(*) FROM model_predict.visible_events()), 0::bigint, 'the functions behind the views tell a stranger nothing');
SELECT throws_ok('SELECT * FROM model_predict.stored_version', '42501', NULL, 'the tables are not for strangers');
RESET ROLE;
SELECT hasnt_column('model_predict', 'versions', 'data', 'no view has the bytes');
DROP ROLE regress_stranger;
DROP ROLE regress_owner;
SELECT is((SELECT owner FROM model_predict.models WHERE model = 'a'), '-', 'a dropped owner is shown as such');
SELECT is(pg_temp.sees('regress_scorer'), 'a 1 1 a a:register', 'and who may score still does');

-- absent and forbidden: the same error, after the same look-ups
CREATE ROLE regress_stranger;
CREATE FUNCTION pg_temp.scans() RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(relname || ' ' || pg_stat_get_xact_numscans(c.oid) ORDER BY relname)
	FROM pg_class c WHERE relnamespace = 'model_predict'::regnamespace AND relkind IN ('r', 'i') $$;
CREATE FUNCTION pg_temp.looked_up(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text[] := pg_temp.scans(); said text;
BEGIN
	SET LOCAL ROLE regress_stranger;
	BEGIN
		EXECUTE statement;
	EXCEPTION WHEN undefined_object THEN
		said := SQLERRM;
	END;
	RESET ROLE;
	RETURN said || ': ' || (SELECT string_agg(split_part(b, ' ', 1) || ' ' || split_part(b, ' ', 2)::int - split_part(a, ' ', 2)::int, ', ')
		FROM unnest(before) WITH ORDINALITY x (a, n) JOIN unnest(pg_temp.scans()) WITH ORDINALITY y (b, n) USING (n));
END $$;
SELECT is(replace(pg_temp.looked_up(format(s, 'x')), '"x"', '"b"'), pg_temp.looked_up(format(s, 'b')), 'absent and forbidden: ' || s)
	FROM unnest(ARRAY['SELECT predict(%L, 1)', 'SELECT model_predict.input_query(%L, ''pg_class'')', 'SELECT model_predict.export(%L)',
		'SELECT * FROM model_predict.trees(%L)', 'SELECT model_predict.importance_svg(%L)']) s;
SELECT matches(pg_temp.looked_up('SELECT predict(''b'', 1)'), 'may not use it: .*permission [1-9]', 'the look-up of rights is seen');
DROP ROLE regress_stranger;

-- features without a name that no tree uses are counted, not stored
SELECT model_predict.register('wide', convert_to('{"learner":{"attributes":{},"feature_names":[],"feature_types":[],'
	'"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"0"},"iteration_indptr":[0],"tree_info":[],"trees":[]},"name":"gbtree"},'
	'"learner_model_param":{"base_score":"5E-1","boost_from_average":"0","num_class":"0","num_feature":"500000","num_target":"1"},'
	'"objective":{"name":"reg:squarederror","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[2,1,4]}', 'UTF8')) \g /dev/null
SELECT is((SELECT count(*) FROM model_predict.stored_feature f JOIN model_predict.stored_model m ON m.id = f.model WHERE m.name = 'wide'), 0::bigint, 'none is stored');
SELECT results_eq($$ SELECT count(*), max(position), min(type), max(weight), max(gain), count(name) FROM model_predict.features WHERE model = 'wide' $$,
	$$ VALUES (500000::bigint, 500000, 'float', 0::real, 0::real, 0::bigint) $$, 'all are shown');
SELECT lives_ok($$ SELECT model_predict.register('wide', model_predict.export('wide')); SELECT model_predict.deploy('wide', 2) $$, 'and compared by deploy');

SELECT * FROM finish();
ROLLBACK;
