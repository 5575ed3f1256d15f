-- Scans that score in batches: the same answers, errors and rights as when each
-- row is scored by its call, and rows are read ahead only where all are asked for.
BEGIN;
\ir include/recorded.sql
SELECT no_plan();

SELECT model_predict.register('m', pg_temp.model('logistic.ubj'), trees => 'all') \g /dev/null
SELECT model_predict.register('careful', pg_temp.model('logistic.ubj'), trees => 'all', infinity => 'score') \g /dev/null
SELECT model_predict.register('classes', pg_temp.model('softprob.ubj'), trees => 'all', classes => '{low,middle,high}') \g /dev/null
SELECT model_predict.register('mixed', pg_temp.model('categories.json'), trees => 'all', unseen_category => 'null',
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Malmö", "O''Hare"]}') \g /dev/null

CREATE TEMP TABLE people AS
	SELECT 100 * g + n AS n, g, (p).age + g AS age, (p).income, NULLIF((p).visits, g) AS visits, (p).balance,
		repeat('x', (n * 100)::int) AS note
	FROM pg_temp.people('logistic'), generate_series(0, 119) AS g
	WHERE abs((p).income) < 'infinity' AND abs((p).balance) < 'infinity' AND abs((p).age) < 'infinity' AND abs((p).visits) < 'infinity';
CREATE TEMP TABLE part (LIKE people) PARTITION BY LIST (g);
CREATE TEMP TABLE few PARTITION OF part FOR VALUES IN (0, 1);
CREATE TEMP TABLE many (gone int, balance float8, n bigint, note text, g int, visits float8, age float8, income float8);
ALTER TABLE many DROP COLUMN gone;
ALTER TABLE part ATTACH PARTITION many DEFAULT;
INSERT INTO part SELECT * FROM people;
CREATE TEMP TABLE arrays AS SELECT n, ARRAY[age, income, visits, balance]::real[] AS x, to_jsonb(p) AS j FROM people p;
CREATE TEMP TABLE mixed AS
	SELECT 100 * g + n AS n, age + g AS age, income, visits, balance, CASE WHEN (n + g) % 4 > 0 THEN plan END AS plan,
		CASE WHEN (n + g) % 5 = 0 THEN 'nowhere' ELSE city END AS city
	FROM pg_temp.recorded('categories'), generate_series(0, 119) AS g,
		jsonb_to_record("row") AS r (age float8, income float8, visits float8, balance float8, plan int, city text);
CREATE INDEX ON people (n);
CREATE TEMP VIEW scored AS SELECT n, g, predict('m', p.*) AS score, predict_class('m', p.*) AS class FROM people p;
CREATE TEMP VIEW barrier WITH (security_barrier) AS SELECT * FROM people p WHERE predict('m', p.*) < 0.5;
ANALYZE people, part, arrays;
SELECT cmp_ok(count(*), '>', 2000::bigint, 'several batches') FROM people;

CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan;
END $$;

-- a query's answers, batched and not, as rows of a table that is as large as it says
CREATE FUNCTION pg_temp.answers(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS batched, plain;
	SET LOCAL model_predict.batch = always;
	EXECUTE 'CREATE TEMP TABLE batched AS ' || query;
	SET LOCAL model_predict.batch = off;
	EXECUTE 'CREATE TEMP TABLE plain AS ' || query;
	SET LOCAL model_predict.batch = auto;
	RETURN QUERY (SELECT 'only batched: ' || batched::text FROM batched EXCEPT ALL SELECT 'only batched: ' || plain::text FROM plain LIMIT 5)
		UNION ALL (SELECT 'only plain: ' || plain::text FROM plain EXCEPT ALL SELECT 'only plain: ' || batched::text FROM batched LIMIT 5);
END $$;

CREATE FUNCTION pg_temp.batches(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS off, TIMING off) ' || query LOOP
		IF line ~ 'Batches: ' THEN
			RETURN substring(line FROM 'Batches: (\d+)');
		END IF;
	END LOOP;
END $$;

CREATE TEMP TABLE queries (number int GENERATED ALWAYS AS IDENTITY, batches int, query text);
INSERT INTO queries (batches, query) VALUES
	(1, $$ SELECT n, predict('m', p.*) FROM people p $$),
	(1, $$ SELECT n, note, g, predict('m', age, income, visits, balance) FROM people $$),
	(1, $$ SELECT n, predict('m', ARRAY[age, income, visits, balance]) FROM people $$),
	(1, $$ SELECT n, predict('m', ROW(age, income, visits, balance)) FROM people $$),
	(1, $$ SELECT n, predict('m', age::numeric, income, visits::real, balance) FROM people $$),
	(1, $$ SELECT n, predict('m', x), predict_all('m', x), predict_margin('m', x), predict_proba('m', x) FROM arrays $$),
	(1, $$ SELECT n, predict('m', VARIADIC x) FROM arrays $$),
	(1, $$ SELECT n, predict('m', j), predict_json('m', j) FROM arrays $$),
	(1, $$ SELECT n, predict('m', a.x) IS NULL, x FROM (SELECT n, CASE WHEN n % 3 > 0 THEN x END AS x FROM arrays) a $$),
	(1, $$ SELECT n, predict_class('m', p.*), predict_proba_of('m', '1', p.*) FROM people p $$),
	(1, $$ SELECT n, predict_class('classes', x), predict_proba('classes', x), predict_proba_of('classes', 'high', x) FROM arrays $$),
	(1, $$ SELECT n, city, predict('mixed', x.*) FROM mixed x $$),
	(1, $$ SELECT n, predict('m', p.*) AS a, predict('careful', p.*) AS b FROM people p $$),
	(1, $$ SELECT n, p AS row, p.ctid AS place, tableoid AS source, predict('m', p.*) FROM people p $$),
	(1, $$ SELECT n FROM people p WHERE predict('m', p.*) > 0.5 $$),
	(1, $$ SELECT n, note FROM people p WHERE note < 'y' AND predict('m', p.*) > 0.5 AND predict('careful', p.*) < 0.9 AND g > 3 $$),
	(1, $$ SELECT n, predict('m', p.*) FROM people p WHERE predict('m', p.*) > 0.5 $$),
	(1, $$ SELECT n, predict('m', p.*) FROM people p WHERE n BETWEEN 200 AND 900 $$),
	(1, $$ SELECT n, round(predict('m', p.*)::numeric, 3), upper(predict_class('m', p.*)) FROM people p $$),
	(1, $$ SELECT sum(predict('m', p.*)), min(n) FROM people p $$),
	(1, $$ SELECT g, sum(predict('m', p.*)), max(note), count(*) FROM people p GROUP BY g $$),
	(1, $$ SELECT g, array_agg(predict('m', p.*) ORDER BY n), array_agg(n ORDER BY predict('m', p.*), n) AS ns FROM people p GROUP BY g HAVING avg(predict('m', p.*)) > 0 $$),
	(1, $$ SELECT g, count(DISTINCT predict('m', p.*)) FROM (SELECT * FROM people ORDER BY g OFFSET 0) p GROUP BY g $$),
	(1, $$ SELECT predict_class('m', p.*), count(*) FROM people p GROUP BY 1 $$),
	(1, $$ SELECT n, predict('m', p.*) AS score FROM people p ORDER BY score DESC LIMIT 10 $$),
	(1, $$ SELECT * FROM scored WHERE score > 0.3 $$),
	(0, $$ SELECT count(*) FROM scored $$),
	(1, $$ SELECT class, avg(score) FROM scored GROUP BY class $$),
	(1, $$ SELECT n, predict('m', b.*) FROM barrier b $$),
	(1, $$ SELECT n, predict('m', part.*) FROM part $$),
	(1, $$ SELECT g, sum(predict('m', part.*)) FROM part GROUP BY g $$),
	(1, $$ SELECT a.n, predict('m', a.age, b.income, a.visits, b.balance) FROM people a JOIN people b ON b.n = a.n + 1 $$),
	(1, $$ SELECT a.n, b.score FROM people a LEFT JOIN (SELECT n + 5 AS n, predict('m', p.*) AS score FROM people p) b USING (n) $$),
	(1, $$ SELECT n, predict('m', q.*) FROM (SELECT n, age + 1 AS age, coalesce(income, 1) AS income, visits, balance FROM people) q $$),
	(1, $$ SELECT n, predict('m', 0.5, x[1], predict('careful', x), x[2]) FROM arrays $$),
	(1, $$ SELECT g, (SELECT sum(predict('m', p.*)) FROM people p WHERE p.g = s.g) FROM generate_series(0, 3) AS s (g) $$),
	(1, $$ SELECT g, l.* FROM generate_series(0, 3) AS s (g), LATERAL (SELECT sum(predict('m', p.*)), max(p.g) FROM people p WHERE p.g <= s.g) l $$),
	(1, $$ SELECT g, (SELECT sum(predict('m', p.age + s.g, 1, 2, 3)) FROM people p) FROM generate_series(0, 3) AS s (g) $$),
	(1, $$ WITH c AS MATERIALIZED (SELECT *, 1 FROM people) SELECT n, predict('m', c.*) FROM c $$),
	(1, $$ SELECT n, predict('m', p.*) FROM people p WHERE g = 1 UNION ALL SELECT n, predict('careful', p.*) FROM people p WHERE g = 2 $$),
	(1, $$ SELECT n, (predict_all('m', p.*))[1], predict('m', p.*) IN (0.5, 0.6) AS is_in, predict('m', p.*) IS NULL AS is_null FROM people p $$),
	-- what is not done for every row is not done ahead
	(1, $$ SELECT n, CASE WHEN g > 3 THEN predict('m', p.*) END FROM people p $$),
	(0, $$ SELECT n, CASE WHEN 10 / g > 3 THEN predict('m', p.*) END FROM people p WHERE g > 0 $$),
	(0, $$ SELECT n, g > 3 AND predict('m', p.*) > 0.5 FROM people p $$),
	(0, $$ SELECT n, coalesce(g, predict('m', p.*)) FROM people p $$),
	(1, $$ SELECT sum(predict('m', p.*)) FILTER (WHERE g > 3) FROM people p $$),
	(1, $$ SELECT n, predict('m', p.*), random() < 2 FROM people p $$),
	(1, $$ SELECT n, predict(CASE WHEN g > 3 THEN 'm' ELSE 'careful' END, p.*) FROM people p $$),
	(0, $$ SELECT n, predict('m', (SELECT max(age) FROM people q WHERE q.g = p.g), 1, 2, 3) FROM people p $$),
	(1, $$ SELECT n, predict('m', p.*) FROM (SELECT * FROM people LIMIT 600) p LIMIT 500 $$),
	(0, $$ SELECT g FROM generate_series(0, 3) g WHERE EXISTS (SELECT FROM people p WHERE p.g = g AND predict('m', p.*) > 0.5) $$),
	(1, $$ SELECT count(*) FROM people p GROUP BY GROUPING SETS ((g), (predict('m', p.*))) $$);

SELECT is_empty(format('SELECT pg_temp.answers(%L)', query), query) FROM queries ORDER BY number;
SET LOCAL model_predict.batch = always;
SELECT is(pg_temp.plan(query) ~ 'ModelPredictBatch', batches > 0, format('batches %s: %s', batches, query)) FROM queries ORDER BY number;
SET LOCAL model_predict.batch = auto;
SELECT ok(pg_temp.plan('SELECT predict(''m'', p.*) FROM people p') ~ 'ModelPredictBatch', 'by default, where a plan expects many rows');
CREATE TEMP TABLE keyed (n int PRIMARY KEY, age float8, income float8, visits float8, balance float8);
SELECT ok(pg_temp.plan('SELECT predict(''m'', k.*) FROM keyed k WHERE n = 7') !~ 'ModelPredictBatch', 'and not where there is one row');

-- the same with no sorts in memory, no hashes, and in parallel
SET LOCAL parallel_setup_cost = 0;
SET LOCAL enable_hashagg = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL work_mem = '64kB';
SELECT is_empty(format('SELECT pg_temp.answers(%L)', query), 'sorted: ' || query) FROM queries ORDER BY number;
RESET enable_hashagg;
RESET enable_hashjoin;
RESET work_mem;

-- faults: the same errors, and none of rows that nobody asks for
INSERT INTO people SELECT n + 100000, g, age, 'infinity', visits, balance, note FROM people WHERE n = (SELECT max(n) FROM people);
SET LOCAL model_predict.batch = always;
SELECT throws_ok('SELECT sum(predict(''m'', p.*)) FROM people p', '22003', NULL, 'an infinity is found');
SELECT lives_ok('SELECT sum(predict(''careful'', p.*)) FROM people p', 'or scored');
SELECT throws_ok('CREATE TEMP TABLE t AS SELECT n, predict(''m'', p.*) FROM people p', '22003', NULL, 'by a scan, too');
SELECT lives_ok('CREATE TEMP TABLE t1 AS SELECT predict(''m'', p.*) FROM people p LIMIT 2200', 'LIMIT ends before it');
SELECT lives_ok('CREATE TEMP TABLE t2 AS SELECT CASE WHEN income < ''infinity'' THEN predict(''m'', p.*) END FROM people p', 'CASE spares it');
SELECT lives_ok('CREATE TEMP TABLE t3 AS SELECT n FROM people p WHERE income < ''infinity'' AND predict(''m'', p.*) > 0', 'a condition spares it');
SELECT lives_ok('CREATE TEMP TABLE t4 AS SELECT sum(predict(''m'', p.*)) FILTER (WHERE income < ''infinity'') FROM people p', 'so does FILTER');
DECLARE c CURSOR FOR SELECT predict('m', p.*) FROM people p;
SELECT lives_ok('FETCH 2200 FROM c', 'a cursor has not come to it');
SELECT throws_ok('FETCH ALL FROM c', '22003', NULL, 'until it has');
DECLARE d NO SCROLL CURSOR FOR SELECT predict('m', p.*) FROM people p;
SELECT lives_ok('FETCH 2200 FROM d', 'nor has one that only goes forward');
CLOSE d;
CREATE TEMP TABLE faulty AS SELECT * FROM people WHERE n < 110 UNION ALL SELECT * FROM people WHERE n > 100000;
CREATE FUNCTION pg_temp.first_score() RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	score float8;
BEGIN
	SELECT predict('m', f.*) INTO score FROM faulty f;
	RETURN score;
END $$;
SELECT lives_ok('SELECT pg_temp.first_score()', 'SELECT INTO asks for one row');
CREATE FUNCTION pg_temp.looks_at(rows int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	score float8;
	n int := 0;
BEGIN
	FOR score IN SELECT predict('m', p.*) FROM people p LOOP
		n := n + 1;
		EXIT WHEN n = rows;
	END LOOP;
	RETURN n;
END $$;
SELECT is(pg_temp.looks_at(300), 300, 'a loop that ends early');
-- who stops early: rows that nobody asks for are not scored, nor read
CREATE TEMP TABLE bad AS SELECT n % 1500 AS n, g, age, CASE WHEN n = 300 THEN 'infinity' ELSE income END AS income, visits, balance
	FROM (SELECT row_number() OVER ()::int AS n, g, age, income, visits, balance FROM people WHERE income < 'infinity' LIMIT 1200) p;
CREATE INDEX ON bad (n);
ANALYZE bad;
CREATE TEMP SEQUENCE ticks;
SET LOCAL enable_hashagg = off;
SELECT lives_ok($$ CREATE TEMP TABLE e1 AS SELECT n, array_agg(predict('m', b.*) ORDER BY g) FROM bad b GROUP BY n ORDER BY n LIMIT 2 $$, 'a grouped aggregate under LIMIT');
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_nestloop = off;
SELECT lives_ok($$ CREATE TEMP TABLE e2 AS SELECT * FROM (SELECT n, predict('m', b.*) FROM bad b ORDER BY n) q JOIN (VALUES (1), (2)) v (n) USING (n) $$, 'a merge join that ends early');
RESET enable_hashjoin;
SET LOCAL enable_mergejoin = off;
SELECT lives_ok($$ CREATE TEMP TABLE e3 AS SELECT b.n FROM (SELECT n, predict('m', c.*) AS s FROM bad c WHERE n > 298 OFFSET 0) b JOIN (SELECT n FROM bad WHERE n < 0) p USING (n) WHERE s > 0 $$,
	'a hash join whose inner side is empty');
RESET enable_mergejoin;
RESET enable_nestloop;
RESET enable_hashagg;
SELECT lives_ok($$ CREATE TEMP TABLE e4 AS SELECT (NULL::int[])[predict('m', b.*)::int] FROM bad b $$, 'no subscript of an array that is null');
SELECT lives_ok($$ CREATE TEMP TABLE e5 AS SELECT g FROM generate_series(1, 3) g WHERE EXISTS (SELECT FROM bad b WHERE b.n > 298 - g AND predict('m', b.*) >= 0) $$, 'EXISTS');
SELECT lives_ok($$ CREATE TEMP TABLE e6 AS SELECT predict('m', b.*) FROM bad b WHERE n < 10000 LIMIT 299 $$, 'LIMIT 299');
SELECT throws_ok($$ CREATE TEMP TABLE e7 AS SELECT predict('m', b.*) FROM bad b LIMIT 300 $$, '22003', NULL, 'not 300');
CREATE TEMP TABLE e8 AS SELECT nextval('ticks') AS tick, n FROM (SELECT nextval('ticks'), b.* FROM bad b OFFSET 0) b WHERE predict('careful', b.*) > 0 LIMIT 20;
SELECT results_eq('SELECT tick FROM e8', 'SELECT 2::bigint * generate_series(1, 20)', 'a volatile function below is called when its row is');
SELECT is(count(DISTINCT e), 100::bigint, 'one above, too') FROM (SELECT predict('careful', b.*) AS s, nextval('ticks') AS e FROM bad b LIMIT 100) q;
SELECT lives_ok($$ CREATE TEMP TABLE e9 AS SELECT g, max(predict('m', b.*)) FILTER (WHERE n <> 300) FROM bad b GROUP BY g $$, 'FILTER spares a row');

-- a plan's nodes have numbers of their own
CREATE FUNCTION pg_temp.rows_of_batches(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) ' || query INTO plan;
	RETURN (SELECT max((n->>'Actual Rows')::numeric * (n->>'Actual Loops')::numeric)
		FROM jsonb_path_query(plan, '$.** ? (@."Custom Plan Provider" == "ModelPredictBatch")') n);
END $$;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_indexscan = off;
SELECT is(pg_temp.rows_of_batches($$ SELECT predict('careful', b.*) FROM bad b WHERE n < 100 OR n BETWEEN 500 AND 599 $$), 199::bigint, 'below a BitmapOr');
RESET enable_seqscan;
RESET enable_indexscan;

-- a scan's memory goes with the scan
CREATE TEMP TABLE parts (LIKE bad) PARTITION BY LIST (g);
SELECT format('CREATE TEMP TABLE parts_%s PARTITION OF parts FOR VALUES IN (%s)', g, g) FROM generate_series(0, 119) g \gexec
INSERT INTO parts SELECT b.n, s.g, b.age, 1, b.visits, b.balance FROM bad b, generate_series(0, 119) s (g) WHERE b.n < 30;
CREATE FUNCTION pg_temp.scan_memory() RETURNS bigint LANGUAGE sql VOLATILE AS
	$$ SELECT coalesce(sum(used_bytes), 0)::bigint FROM pg_backend_memory_contexts WHERE name LIKE 'model_predict scan%' $$;
SELECT cmp_ok(max(m), '<', 2000000::bigint, 'of 120 partitions as of one') FROM (SELECT predict('m', p.*), pg_temp.scan_memory() AS m FROM parts p) q;

-- many references at one call site
SELECT model_predict.register('seg_' || i, pg_temp.model('logistic.ubj'), trees => CASE WHEN i % 2 = 0 THEN 'all' ELSE 'best' END) FROM generate_series(1, 70) i \g /dev/null
CREATE TEMP TABLE segments AS SELECT n, age, income, visits, balance, 1 + n % 70 AS seg FROM bad WHERE income < 'infinity';
SELECT is_empty($$ SELECT pg_temp.answers('SELECT n, predict(''seg_'' || seg, age, income, visits, balance) AS s FROM segments') $$, '70 models named by a column');
SET LOCAL model_predict.batch = always;
SELECT cmp_ok(pg_temp.batches('SELECT predict(''seg_'' || seg, age, income, visits, balance) FROM segments'), '>', 0, 'in batches');
SELECT is_empty($$ SELECT n FROM segments WHERE predict('seg_' || seg, age, income, visits, balance)
	IS DISTINCT FROM CASE WHEN seg % 2 = 0 THEN predict('seg_2', age, income, visits, balance) ELSE predict('seg_1', age, income, visits, balance) END $$, 'each by its own');
SELECT throws_ok($$ CREATE TEMP TABLE e10 AS SELECT predict('seg_' || seg + 1, age, income, visits, balance) FROM segments $$, '42704', NULL, 'one of them is not there');
SELECT lives_ok($$ CREATE TEMP TABLE e11 AS SELECT predict('seg_' || seg + 1, age, income, visits, balance) FROM (SELECT * FROM segments ORDER BY n % 70 LIMIT 1000) s LIMIT 10 $$, 'where nobody asks for it');

SELECT throws_ok('SELECT predict(''classes'', p.*) FROM people p WHERE g < 9', '42809', 'model "classes" version 1 gives 3 numbers for a row, not one', 'a model of three classes');
SELECT throws_ok('SELECT predict_proba_of(''classes'', ''no'', x) FROM arrays', '22023', 'model "classes" version 1 has no class "no"', 'a class that is none');
SELECT throws_ok('SELECT predict(''nobody'', p.*) FROM people p', '42704', NULL, 'a model that is none');
SELECT lives_ok('SELECT predict(''nobody'', p.*) FROM people p WHERE n < 0', 'is not asked for without rows');
SELECT throws_ok('SELECT predict(''m'', age, income) FROM people p', '21000', 'model "m" version 1 expects 4 features, not 2', 'too few values');

-- plans that are kept: other versions, other tables, other rights
PREPARE total AS SELECT sum(predict('m', p.*)) FROM people p WHERE g < $1;
PREPARE scores AS SELECT n, predict('m', p.*) AS score FROM people p WHERE g < $1;
CREATE FUNCTION pg_temp.prepared() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS batched;
	CREATE TEMP TABLE batched AS EXECUTE scores(5);
	RETURN QUERY SELECT format('%s: %s', n, score) FROM batched JOIN people p USING (n) WHERE score IS DISTINCT FROM predict('m', p.*);
END $$;
CREATE TEMP TABLE totals AS SELECT sum(predict('m', p.*)) AS first FROM people p WHERE g < 5;
SELECT results_eq('EXECUTE total(5)', 'SELECT first FROM totals', 'prepared'), is_empty('SELECT pg_temp.prepared()', 'prepared, each') FROM generate_series(1, 7);
SELECT isnt_empty('SELECT n FROM batched', 'some');
SELECT model_predict.register('m', pg_temp.model('logistic.ubj'), trees => 'best') \g /dev/null
SELECT model_predict.deploy('m', 2) \g /dev/null
SELECT results_eq('EXECUTE total(5)', 'SELECT sum(predict(''m@2'', p.*)) FROM people p WHERE g < 5', 'a version is deployed'),
	is_empty('SELECT pg_temp.prepared()', 'each');
ALTER TABLE people ADD extra int DEFAULT 1;
ALTER TABLE people DROP COLUMN note CASCADE;
SELECT results_eq('EXECUTE total(5)', 'SELECT sum(predict(''m@2'', p.*)) FROM people p WHERE g < 5', 'columns are added and dropped'),
	is_empty('SELECT pg_temp.prepared()', 'each');
SELECT is_empty(format('SELECT pg_temp.answers(%L)', query), query) FROM (VALUES
	($$ SELECT n, extra, predict('m', p.*) FROM people p WHERE g < 5 $$),
	($$ SELECT extra, avg(predict('m', p.*)) FROM people p WHERE g < 5 GROUP BY extra $$)) AS v (query);
CREATE ROLE regress_mp_batch;
GRANT SELECT ON people TO regress_mp_batch;
SET LOCAL ROLE regress_mp_batch;
SELECT throws_ok('SELECT sum(predict(''m'', p.*)) FROM people p WHERE g < 5', '42704', NULL, 'a model that is not granted');
RESET ROLE;
SELECT model_predict.grant_predict('m', 'regress_mp_batch') \g /dev/null
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM public', 'predict(text, "any")'::regprocedure) \gexec
SET LOCAL ROLE regress_mp_batch;
SELECT throws_ok('SELECT sum(predict(''m'', p.*)) FROM people p WHERE g < 5', '42501', 'permission denied for function predict', 'a function that is not granted');
RESET ROLE;

-- the model as a parameter
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE of_model AS SELECT n, predict_proba_of($1::varchar, $2, x) AS score FROM arrays;
SELECT ok(pg_temp.plan('EXECUTE of_model(''m'', ''1'')') ~ 'ModelPredictBatch', 'a parameter is the same for all rows');
CREATE TEMP TABLE by_parameter AS EXECUTE of_model('m', '1');
SELECT set_eq('SELECT n, score FROM by_parameter', 'SELECT n, predict_proba_of(''m'', ''1'', x) FROM arrays LIMIT 100000', 'and gives the same');
SELECT throws_ok('CREATE TEMP TABLE t AS EXECUTE of_model(NULL, ''1'')', '22004', 'the model must not be null', 'a model that is null');
CREATE TEMP TABLE without_class AS EXECUTE of_model('m', NULL);
SELECT is(count(*), count(*) FILTER (WHERE score IS NULL), 'a class that is null') FROM without_class;
SELECT set_eq('SELECT count(*) > 2200 FROM without_class', ARRAY[true], 'for each row');

-- what is kept of rows is bounded: 300 documents of 1 MB are no batch of their own
SET LOCAL model_predict.batch = always;
SELECT is(pg_temp.batches('SELECT predict(''m'', x), doc FROM (SELECT x, repeat(''x'', 10) AS doc FROM arrays LIMIT 300) s'), 1, 'short texts');
SELECT cmp_ok(pg_temp.batches('SELECT predict(''m'', x), doc FROM (SELECT x, repeat(''x'', 1000000) AS doc FROM arrays LIMIT 300) s'),
	'>', 20, 'long texts');

-- relations that are no tables
CREATE TEMP SEQUENCE numbers;
SELECT is_empty('SELECT pg_temp.answers($$ SELECT predict(''m'', last_value, log_cnt, 1, 2) FROM numbers $$)', 'a sequence');

-- counted like others
CREATE FUNCTION pg_temp.calls() RETURNS bigint LANGUAGE sql AS
	$$ SELECT coalesce(pg_stat_get_xact_function_calls('predict(text, "any")'::regprocedure), 0) $$;
SET LOCAL track_functions = 'all';
CREATE TEMP TABLE counted AS SELECT pg_temp.calls() AS before, (SELECT count(predict('m', p.*)) FROM people p WHERE income < 'infinity') AS scored;
SELECT is(pg_temp.calls() - before, scored, 'functions are counted as if each row had been a call'),
	cmp_ok(scored, '>', 2000::bigint, 'of many rows') FROM counted;
RESET track_functions;

SELECT * FROM finish();
ROLLBACK;
