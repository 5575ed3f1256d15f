-- Trees for people: as a table that scores like the model, as text and graph,
-- and only for those who may see the model. (Text against get_dump: test/unit.)
BEGIN;
\ir include/golden.sql
SELECT no_plan();

SELECT pg_temp.golden('xgboost-' || folder, folder)
FROM unnest('{3.4.1/categorical-text,1.7.4/categorical-partition,1.7.4/categorical-onehot,3.4.1/multi-softprob,1.7.4/dart-multi,3.4.1/early-stopping-best,3.4.1/multi-target-vector-leaf,3.4.1/odd-names}'::text[]) AS folder \g /dev/null

-- a walk through the table of nodes ends in the leaves that predict_leaf names
CREATE FUNCTION pg_temp.leaves(m text) RETURNS TABLE (_row int, leaves int[], sums float8[]) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE nodes AS SELECT * FROM model_predict.trees(m) WHERE used;
	CREATE INDEX ON nodes (tree, node);
	EXECUTE format('CREATE TEMP TABLE cells AS SELECT _row AS r, key, value FROM %I t, jsonb_each_text(to_jsonb(t) - ''_row'')', m);
	CREATE INDEX ON cells (r, key);
	ANALYZE nodes, cells;
	RETURN QUERY
	WITH RECURSIVE walk AS (
		SELECT r, tree, 0 AS node FROM (SELECT DISTINCT r FROM cells) c, (SELECT DISTINCT tree FROM nodes) t
		UNION ALL
		SELECT w.r, w.tree, CASE WHEN c.value IS NULL THEN n.missing
			WHEN CASE WHEN n.categories IS NOT NULL THEN c.value = ANY (n.categories) ELSE c.value::real < n.threshold END THEN n.yes ELSE n.no END
		FROM walk w JOIN nodes n USING (tree, node) JOIN cells c ON c.r = w.r AND c.key = n.feature
	)
	SELECT r, array_agg(node ORDER BY tree), array_agg(DISTINCT s) FROM (
		SELECT w.r, w.tree, w.node, sum(n.leaf::float8 * n.weight) OVER (PARTITION BY w.r, n.output) AS s
		FROM walk w JOIN nodes n USING (tree, node) WHERE n.feature IS NULL) AS reached
	GROUP BY r;
	DROP TABLE nodes, cells;
END $$;
CREATE FUNCTION pg_temp.wrong_leaves(m text) RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT _row FROM %I t FULL JOIN pg_temp.leaves(%1$L) l USING (_row) WHERE l.leaves IS DISTINCT FROM predict_leaf(%1$L, t)', m);
END $$;
SELECT is_empty(format('SELECT pg_temp.wrong_leaves(%L)', m), m || ': walked in SQL')
FROM unnest('{3.4.1/categorical-text,1.7.4/categorical-onehot,1.7.4/categorical-partition,3.4.1/multi-softprob,1.7.4/dart-multi,3.4.1/early-stopping-best,3.4.1/multi-target-vector-leaf}'::text[]) AS m;
SELECT ok(max(d) - min(d) < 1e-5 AND count(*) > 50, 'leaves are what a margin is made of')
FROM (SELECT (predict_margin('3.4.1/categorical-text', t))[1] - sums[1] AS d
	FROM "3.4.1/categorical-text" t JOIN pg_temp.leaves('3.4.1/categorical-text') USING (_row)) AS s;

-- the table's columns
CREATE FUNCTION pg_temp.count(m text, condition text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM model_predict.trees(%L) WHERE (%s) IS NOT TRUE', m, condition) INTO n;
	RETURN n;
END $$;
SELECT is(pg_temp.count(m, condition), 0::bigint, m || ': ' || condition)
FROM unnest('{3.4.1/categorical-text,3.4.1/multi-softprob,1.7.4/dart-multi}'::text[]) AS m, unnest(array[
	'(parent IS NULL) = (node = 0) AND (depth = 0) = (node = 0)',
	'num_nulls(feature, position, yes, no, missing, gain) IN (0, 6) AND (feature IS NULL) = (leaf IS NOT NULL)',
	'num_nonnulls(threshold, categories, leaf) = 1 AND leaves IS NULL AND cover >= 0',
	'missing IS NULL OR missing IN (yes, no) AND yes <> no AND least(yes, no) > node']) AS condition;
SELECT is(pg_temp.count('3.4.1/multi-target-vector-leaf', 'output IS NULL AND leaf IS NULL AND (cardinality(leaves) = 3 OR feature IS NOT NULL)'), 0::bigint, 'leaves of several outputs');
SELECT results_eq($$ SELECT DISTINCT tree, output FROM model_predict.trees('3.4.1/multi-softprob') WHERE tree < 6 ORDER BY 1 $$,
	$$ SELECT i, (i % 3)::text FROM generate_series(0, 5) AS i $$, 'trees take turns with the classes');
SELECT is((SELECT count(DISTINCT tree) FROM model_predict.trees('3.4.1/early-stopping-best')),
	(SELECT trees::bigint FROM model_predict.versions WHERE model = '3.4.1/early-stopping-best'), 'trees past the best round are there');
SELECT isnt_empty($$ SELECT tree FROM model_predict.trees('3.4.1/early-stopping-best') WHERE NOT used $$, 'and said to be unused');
SELECT is_empty($$ SELECT feature, weight, gain, total_gain FROM (SELECT feature, count(*)::real AS n, sum(gain)::float8 AS g FROM model_predict.trees('3.4.1/categorical-text')
	WHERE feature IS NOT NULL GROUP BY 1) t FULL JOIN (SELECT * FROM model_predict.features WHERE model = '3.4.1/categorical-text') f ON name = feature
	WHERE n IS DISTINCT FROM weight OR abs(g - total_gain) > 1e-3 * g OR abs(gain * n - g) > 1e-3 * g $$, 'importances are what the trees say');

-- one tree
SELECT is((SELECT count(*) FROM regexp_split_to_table(rtrim(model_predict.tree('3.4.1/categorical-text', 2), E'\n'), E'\n')),
	(SELECT count(*) FROM model_predict.trees('3.4.1/categorical-text') WHERE tree = 2), 'a line for each node');
SELECT alike(model_predict.tree('3.4.1/odd-names', 0, 'dot'), '%digraph%{%->%}%', 'a graph for Graphviz');
SELECT unalike(model_predict.tree('3.4.1/odd-names', n, 'dot'), '%say "hi"%', 'names are escaped in graphs'),
	alike(string_agg(model_predict.tree('3.4.1/odd-names', n), '') OVER (), '%say "hi"%', 'and not in text')
FROM generate_series(0, 4) AS n;
SELECT throws_ok(format('SELECT model_predict.tree(%s)', arguments), state, NULL, arguments)
FROM (VALUES ('''3.4.1/odd-names'', -1', '22023'), ('''3.4.1/odd-names'', 100000', '22023'), ('''3.4.1/odd-names'', 0, ''png''', '22023'),
	('NULL, 0', '22004'), ('''none'', 0', '42704'), ('''3.4.1/odd-names@9'', 0', '42704')) AS v (arguments, state);
SELECT is(model_predict.tree('3.4.1/odd-names', NULL), NULL, 'no number, no tree');
SELECT model_predict.register('lin', pg_temp.linear('{a,b}', '{2,1}')) \g /dev/null
SELECT throws_ok(format('SELECT %s', call), '0A000', NULL, 'a linear model has no trees: ' || call)
FROM unnest(array['model_predict.tree(''lin'', 0)', 'model_predict.trees(''lin'')']) AS call;

-- for whom: the owner and readers of all data, not for those who may only predict
CREATE ROLE mp_test_scorer;
CREATE ROLE mp_test_auditor IN ROLE pg_read_all_data;
SELECT model_predict.grant_predict('3.4.1/odd-names', 'mp_test_scorer') \g /dev/null
SET LOCAL ROLE mp_test_scorer;
SELECT throws_ok(format('SELECT %s', call), '42501', 'permission denied for the trees of model "3.4.1/odd-names"', call)
FROM unnest(array['model_predict.tree(''3.4.1/odd-names'', 0)', 'model_predict.trees(''3.4.1/odd-names'')']) AS call;
SELECT alike(model_predict.importance_svg('3.4.1/odd-names'), '<svg%', 'importances are for all who see the features');
SET LOCAL ROLE mp_test_auditor;
SELECT alike(model_predict.tree('3.4.1/odd-names', 0), '0:%', 'a reader of all data sees trees'),
	alike(model_predict.importance_svg('3.4.1/odd-names'), '<svg%', 'and importances');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
