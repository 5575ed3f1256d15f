-- The planner turns whole rows of tables into their columns: wherever a row
-- stands in a query, its score must be that of its jsonb. And what the planner
-- asks of a model must never be why a query fails.
BEGIN;
\ir include/recorded.sql
SELECT no_plan();

SELECT model_predict.register('m', pg_temp.model('logistic.ubj'), trees => 'all') \g /dev/null
CREATE TEMP TABLE people AS SELECT n, (p).* FROM pg_temp.people('logistic');
CREATE TEMP TABLE child (note text, balance float8, visits float8, n bigint, gone bytea, income float8, age float8);
ALTER TABLE child DROP COLUMN gone;
ALTER TABLE child INHERIT people;
INSERT INTO child (note, n, age, income, visits, balance) SELECT 'x', n + 100, income, age, balance, visits FROM people;
CREATE TEMP TABLE part (n bigint, age float8, income float8, visits float8, balance float8) PARTITION BY RANGE (n);
CREATE TEMP TABLE part1 (balance float8, gone int, visits float8, income float8, age float8, n bigint);
ALTER TABLE part1 DROP COLUMN gone;
ALTER TABLE part ATTACH PARTITION part1 FOR VALUES FROM (0) TO (100);
CREATE TEMP TABLE part2 PARTITION OF part FOR VALUES FROM (100) TO (1000);
INSERT INTO part SELECT * FROM people;
CREATE TEMP TABLE copy (n bigint PRIMARY KEY, age float8, income float8, visits float8, balance float8, score float8);
CREATE TEMP TABLE truth AS SELECT n, predict('m', to_jsonb(p)) AS score FROM people p;
CREATE TEMP VIEW barrier WITH (security_barrier) AS SELECT * FROM people WHERE n > 0;
CREATE TEMP VIEW scored AS SELECT n, predict('m', p.*) AS score FROM people p;
CREATE FUNCTION pg_temp.inlined(p people) RETURNS float8 LANGUAGE sql STABLE AS $$ SELECT predict('m', p.*) $$;
CREATE FUNCTION pg_temp.all_people() RETURNS SETOF people LANGUAGE sql STABLE AS 'SELECT * FROM people';

-- each query gives numbers and scores: all of them, and nulls for numbers that are nobody's
SELECT results_eq(format('SELECT n::bigint, score FROM (%s) AS q (n, score) ORDER BY n', query),
	format('SELECT n::bigint, score FROM (%s) AS q (n, ignored) LEFT JOIN truth USING (n) ORDER BY n', query), query)
FROM unnest(array[
	$$ SELECT n, predict('m', p.*) FROM people p $$,
	$$ SELECT n, predict('m', p.*) FROM ONLY people p $$,
	$$ SELECT n, predict('m', child.*) FROM child $$,
	$$ SELECT n, predict('m', child::people) FROM child $$,
	$$ SELECT n, predict('m', part.*) FROM part $$,
	$$ SELECT n, predict('m', s.part) FROM (SELECT n, part FROM part OFFSET 0) s $$,
	$$ SELECT n, predict('m', b.*) FROM barrier b WHERE predict('m', b) >= 0 $$,
	$$ SELECT * FROM scored $$,
	$$ SELECT n, pg_temp.inlined(p) FROM people p $$,
	$$ SELECT n, predict('m', a.*) FROM pg_temp.all_people() a $$,
	$$ SELECT p.n, l.score FROM people p, LATERAL (SELECT predict('m', p.*)) l (score) $$,
	$$ SELECT p.n, l.score FROM people p, LATERAL (SELECT predict('m', p.*) OFFSET 0) l (score) $$,
	$$ SELECT p.n, f FROM people p, predict('m', p.*) f $$,
	$$ SELECT n, (SELECT predict('m', p.*)) FROM people p $$,
	$$ SELECT g, predict('m', p.*) FROM generate_series(1, 130) g LEFT JOIN people p ON p.n = g $$,
	$$ SELECT g, predict('m', p.*) FROM people p RIGHT JOIN generate_series(1, 130) g ON p.n = g $$,
	$$ SELECT coalesce(n, g), predict('m', p.*) FROM people p FULL JOIN generate_series(10, 130) g ON p.n = g $$,
	$$ SELECT g, q.score FROM generate_series(1, 130) g LEFT JOIN (SELECT n, predict('m', p.*) AS score FROM people p) q ON q.n = g $$,
	$$ SELECT g, predict('m', q.p) FROM generate_series(1, 130) g LEFT JOIN (SELECT n, p FROM people p) q ON q.n = g $$,
	$$ SELECT g, q.f FROM generate_series(1, 130) g LEFT JOIN (SELECT n, f FROM people p, predict('m', p.*) f) q ON q.n = g $$,
	$$ SELECT n, predict('m', j.*) FROM (people p JOIN generate_series(1, 130) g ON g = p.n) j $$,
	$$ SELECT n, predict('m', q.p) FROM (SELECT n, p FROM ONLY people p UNION ALL SELECT n, c::people FROM child c) q $$,
	$$ SELECT max(n), predict('m', p.*) FROM people p GROUP BY n, p $$,
	$$ SELECT n, max(predict('m', p.*)) FILTER (WHERE predict('m', p.*) >= 0) FROM people p GROUP BY n $$,
	$$ SELECT n, predict('m', p.*) FROM people p GROUP BY GROUPING SETS ((n, p), ()) $$,
	$$ SELECT n, first_value(predict('m', p.*)) OVER (PARTITION BY n ORDER BY predict('m', p.*)) FROM people p $$,
	$$ SELECT DISTINCT ON (predict('m', p.*), n) n, predict('m', p.*) FROM people p $$,
	$$ SELECT n, predict('m', p.*) FROM people p WHERE NOT EXISTS (SELECT FROM people q WHERE q.n = p.n AND predict('m', q.*) <> predict('m', p.*)) $$,
	$$ SELECT n, CASE WHEN EXISTS (SELECT FROM generate_series(1, 1) JOIN people q ON true WHERE q.n = p.n AND predict('m', q.*) >= 0) THEN predict('m', p.*) END FROM people p $$,
	$$ SELECT n, CASE WHEN NOT EXISTS (SELECT FROM people r LEFT JOIN people q ON q.n = -r.n WHERE r.n = p.n AND predict('m', q.*) >= 0) THEN predict('m', p.*) END FROM people p JOIN people o USING (n) $$,
	$$ SELECT a.n, predict('m', b.*) FROM people a JOIN people b ON a.n = b.n AND predict('m', a.*) = predict('m', b.*) $$]) AS query;

-- writing
CREATE TEMP TABLE got (how text, n bigint, score float8);
INSERT INTO copy SELECT * FROM people;
UPDATE copy SET score = predict('m', copy.*);
INSERT INTO got SELECT 'UPDATE', n, score FROM copy;
UPDATE copy SET score = predict('m', p.*) FROM people p WHERE p.n = copy.n % 20 + 1;
INSERT INTO got SELECT 'UPDATE FROM', n % 20 + 1, score FROM copy WHERE n <= 20;
WITH changed AS (UPDATE part SET n = (n + 100) % 200 RETURNING n - 100 AS n, predict('m', part.*) AS score)
INSERT INTO got SELECT 'RETURNING of rows that change partitions', n, score FROM changed WHERE n > 0;
WITH changed AS (UPDATE part SET n = (n + 100) % 200 RETURNING part)
INSERT INTO got SELECT 'RETURNING whole rows', (part).n, predict('m', part) FROM changed;
WITH changed AS (INSERT INTO copy SELECT *, 0 FROM people ON CONFLICT (n) DO UPDATE SET score = predict('m', excluded.*) RETURNING n, score)
INSERT INTO got SELECT 'ON CONFLICT, excluded', n, score FROM changed;
WITH changed AS (INSERT INTO copy SELECT n, 1, 1, 1, 1 FROM people
	ON CONFLICT (n) DO UPDATE SET score = 0 WHERE predict('m', copy.*) = copy.score RETURNING n, predict('m', copy.*) AS score)
INSERT INTO got SELECT 'ON CONFLICT, what is there', n, score FROM changed;
\if :has_merge
MERGE INTO copy USING people p ON p.n = copy.n
	WHEN MATCHED AND predict('m', copy.*) = predict('m', p.*) THEN UPDATE SET score = predict('m', p.*);
INSERT INTO got SELECT 'MERGE', n, score FROM copy;
\endif
WITH gone AS (DELETE FROM part USING people p WHERE p.n = part.n AND predict('m', part.*) = predict('m', p.*)
	RETURNING part.n, predict('m', part.*) AS score)
INSERT INTO got SELECT 'DELETE', n, score FROM gone;
SELECT is_empty(format('SELECT n, score FROM got WHERE how = %L EXCEPT SELECT * FROM truth', how), how),
	isnt(count(DISTINCT n), 0::bigint, how || ': some') FROM got GROUP BY how ORDER BY how;
SELECT is(count(DISTINCT how), 7::bigint + :'has_merge'::boolean::int, 'all ways of writing') FROM got;

-- where a row is expanded, and where it must not be
CREATE FUNCTION pg_temp.is_expanded(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	plan text;
BEGIN
	EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) ' || query INTO plan;
	RETURN plan ~ '::model_predict.columns, ';
END $$;
SELECT is(pg_temp.is_expanded(query), expanded, query) FROM (VALUES
	(true, $$ SELECT predict('m', p.*) FROM people p $$),
	(true, $$ SELECT predict_proba_of('m', '1', p.*) FROM people p $$),
	(true, $$ SELECT q.n FROM people p LEFT JOIN people q ON q.n = p.n WHERE predict('m', p.*) > 0.5 $$),
	(true, $$ SELECT * FROM scored $$),
	(true, $$ SELECT EXISTS (SELECT FROM truth t WHERE t.n = p.n), predict('m', p.*) FROM people p $$),
	(true, $$ SELECT n, max(predict('m', p.*)) FROM people p GROUP BY ROLLUP (n) $$),
	(false, $$ SELECT predict('m', q.*) FROM people p LEFT JOIN people q ON q.n = p.n $$),
	(false, $$ SELECT predict('m', p.*) FROM people p FULL JOIN truth t ON t.n = p.n $$),
	(true, $$ SELECT predict('m', q.*) FROM (SELECT n, age, income, visits, balance FROM people) q $$),
	(true, $$ SELECT predict('m', q.*) FROM (SELECT n, age, income, visits, balance FROM people OFFSET 0) q $$),
	(false, $$ SELECT predict('m', ROW(age, income, visits, balance)) FROM people $$),
	(false, $$ SELECT predict('m', q.*) FROM people p LEFT JOIN (SELECT n, age, income, visits, balance FROM people) q ON q.n = p.n $$),
	(false, $$ SELECT predict('m', v.*) FROM (VALUES (1, 2, 3, 4)) v (age, income, visits, balance) $$)) AS v (expanded, query);
SELECT matches(pg_get_viewdef('scored'::regclass), 'predict\(''m''::text, p\.\*\) AS score', 'a view keeps what was written');
SELECT throws_ok($$ SELECT predict('m', NULL::people, 1, 1, 2, 3, 4) $$, '42804', 'a row cannot be mixed with other arguments',
	'a null of a row type is no such expansion');
-- what the planner writes means the same where somebody else writes it, or a server that a plan is sent to
SELECT is(predict('m', '{balance,income,visits,age}'::model_predict.columns, balance, income, visits, age), predict('m', people.*),
	'names before values, in any order') FROM people LIMIT 5;
SELECT throws_ok($$ SELECT predict('m', '{age,income}'::model_predict.columns, 1, 2, 3, 4) $$, '22023', '2 names of columns are followed by 4 values', 'names without values');
SELECT throws_ok($$ SELECT predict('m', ARRAY[n::text, 'age']::model_predict.columns, 1, 2) FROM people $$, '22023',
	'the names of columns must be a constant', 'names that vary');
SELECT is_empty($$ SELECT n FROM people p, LATERAL (SELECT predict('m', q.*) AS score FROM (SELECT p.balance AS age, p.age AS balance, p.income, p.visits) q) l
	WHERE score IS DISTINCT FROM predict('m', p.balance, p.income, p.visits, p.age) $$, 'a subquery''s row goes by its names');

-- plans follow the table
PREPARE scores AS SELECT n, predict('m', copy.*) FROM copy WHERE n < 100 ORDER BY n;
SELECT results_eq('scores', 'SELECT n, score FROM truth WHERE n < 100 ORDER BY n', 'prepared');
ALTER TABLE copy DROP COLUMN score;
ALTER TABLE copy ADD extra int DEFAULT 1;
SELECT results_eq('scores', 'SELECT n, score FROM truth WHERE n < 100 ORDER BY n', 'prepared, columns dropped and added');
ALTER TABLE copy ALTER age TYPE numeric;
ALTER TABLE copy RENAME age TO years;
ALTER TABLE copy RENAME extra TO age;
SELECT results_eq('scores', $$ SELECT n, predict('m', 1, income, visits, balance) FROM copy WHERE n < 100 ORDER BY n $$,
	'prepared, columns renamed');

-- planning calls nothing that may fail
SELECT lives_ok($$ SELECT CASE WHEN current_setting('test.no_such', true) IS NOT NULL
	THEN predict(current_setting('test.no_such'), 1, 2, 3, 4) END $$, 'a reference that cannot be had is not asked for before it is needed');
SELECT lives_ok(format('EXPLAIN SELECT predict(%s, 1, 2, 3, 4)', m), 'planned with ' || m)
FROM unnest(array['''nobody''', '''m@9''', '''@@''', '''''', 'NULL::text', '(SELECT NULL::text)']) AS m;
SELECT lives_ok('SELECT predict(''nobody'', p.*) FROM people p LIMIT 0', 'a query without rows asks for no model');

-- where predict() must not stand: refused by PostgreSQL, or what docs/scoring.md warns of
SELECT throws_ok('CREATE INDEX ON copy (predict(''m'', age, income, visits, balance))', '42P17', NULL, 'no index expression');
SELECT throws_ok('ALTER TABLE copy ADD g float8 GENERATED ALWAYS AS (predict(''m'', age, 1, 2, 3)) STORED', '42P17', NULL, 'no generated column');
CREATE STATISTICS pg_temp.spread ON (predict('m', age, income, visits, balance)) FROM copy;
SELECT lives_ok('ANALYZE copy', 'statistics of scores are made');
SELECT model_predict.drop_model('m') \g /dev/null
SELECT throws_ok('ANALYZE copy', '42704', NULL, 'and are in the way when the model is gone');

SELECT * FROM finish();
ROLLBACK;
