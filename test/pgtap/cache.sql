-- What a session holds in memory: never more than cache_size where it can be
-- helped, and under the names that the models have.
BEGIN;
\ir include/golden.sql
SELECT no_plan();

-- models of nearly 1 MB each: two of them are too many for the smallest cache
CREATE FUNCTION pg_temp.wide(bias numeric) RETURNS bytea LANGUAGE sql AS
	$$ SELECT pg_temp.linear(array_agg('feature_' || i), array_agg(i::numeric), bias) FROM generate_series(1, 12000) i $$;
SELECT model_predict.register('wide', pg_temp.wide(n), absent_feature => 'missing') FROM generate_series(1, 4) AS n \g /dev/null
CREATE FUNCTION pg_temp.cached() RETURNS text LANGUAGE sql AS
	$$ SELECT coalesce(string_agg(version::text, ' ' ORDER BY version), '') FROM model_predict.cache WHERE model = 'wide' $$;

SELECT is(predict('wide@' || n, '{"feature_7": 1}'::jsonb), 7::float8 + n, 'version ' || n) FROM generate_series(1, 4) AS n;
SELECT is(pg_temp.cached(), '1 2 3 4', 'all are kept while there is room');
SET model_predict.cache_size = '1MB';
SELECT is(predict('wide@2', '{"feature_7": 1}'::jsonb), 9::float8, 'a limit that is lowered');
SELECT ok(sum(bytes) <= 1048576 AND bool_or(version = 2), 'holds from the next look-up on') FROM model_predict.cache;
RESET model_predict.cache_size;

-- a model dropped and made anew may come by the same number
SELECT is(predict('wide@1', '{}'::jsonb), 1::float8, 'under its name');
UPDATE model_predict.stored_model SET name = 'broad' WHERE name = 'wide';
SELECT is(predict('broad@1', '{}'::jsonb), 1::float8, 'under another name');
SELECT is(array_agg(model), '{broad}', 'the cache says so') FROM model_predict.cache WHERE version = 1;
SELECT throws_ok($$ SELECT predict('broad@1', 1, 2) $$, '21000', 'model "broad" version 1 expects 12000 features, not 2', 'and messages');

-- a version that was evicted costs nothing any more, however many there were
CREATE FUNCTION pg_temp.table_bytes() RETURNS bigint LANGUAGE sql AS
	$$ SELECT total_bytes FROM pg_backend_memory_contexts WHERE name = 'model_predict models' $$;
SELECT model_predict.register('small', pg_temp.linear('{x}', '{1}', n)) FROM generate_series(1, 600) AS n \g /dev/null
SET model_predict.cache_size = '1MB';
SELECT is(sum(predict('small@' || n, 1)), 20300::float8, 'some versions') FROM generate_series(1, 200) AS n;
SELECT pg_temp.table_bytes() AS bytes \gset
SELECT is(sum(predict('small@' || n, 1)), 160600::float8, 'and three times as many') FROM generate_series(201, 600) AS n;
SELECT is(pg_temp.table_bytes(), :bytes::bigint, 'which the table has no place for any more');
SELECT is(min(version), 601 - count(*)::int, 'the last ones are kept') FROM model_predict.cache WHERE model = 'small';

-- what a role found once is proved in later statements by the rows themselves, without a scan
CREATE FUNCTION pg_temp.scans(role name, statements int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	before numeric;
	x float8;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	SELECT sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0)) INTO before FROM pg_stat_xact_all_tables WHERE schemaname = 'model_predict';
	FOR i IN 1 .. statements LOOP
		EXECUTE 'SELECT predict(''small'', 1)' INTO x;
	END LOOP;
	RETURN (SELECT sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0)) - before FROM pg_stat_xact_all_tables WHERE schemaname = 'model_predict');
END $$;
SELECT current_user AS superuser \gset
CREATE ROLE mp_test_owner;
CREATE ROLE mp_test_reader;
SELECT model_predict.grant_predict('small', 'mp_test_reader') \g /dev/null
SELECT model_predict.set_owner('small', 'mp_test_owner') \g /dev/null
SELECT cmp_ok(pg_temp.scans(role, 100), '<', 50::numeric, role) FROM unnest(array[:'superuser', 'mp_test_owner', 'mp_test_reader']) AS role;

SELECT * FROM finish();
ROLLBACK;
