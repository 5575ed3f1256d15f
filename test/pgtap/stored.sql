-- The compiled form of a model that is stored beside its bytes: one that does
-- not fit is passed over, and recompile puts the right one in its place.
BEGIN;
\ir include/golden.sql
SELECT no_plan();

SELECT pg_temp.golden('xgboost-3.4.1/reg-squarederror', 'm') \g /dev/null
CREATE TEMP TABLE expected AS SELECT _row, predict('m', m) FROM m;
CREATE TEMP TABLE original AS SELECT fingerprint, forest, kernel FROM model_predict.stored_forest;
SELECT ok(kernel IS NOT NULL, 'there is one') FROM original;
SELECT model_predict.register('other', pg_temp.linear(array['a'], array[1])) \g /dev/null
CREATE TEMP TABLE other AS SELECT f.fingerprint, f.forest, f.kernel FROM model_predict.stored_forest f
	JOIN model_predict.stored_model m ON m.id = f.model AND m.name = 'other';

-- models of the same bytes that nobody has loaded yet, each with a stored form of its own
CREATE FUNCTION pg_temp.scores(number int, change text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM model_predict.register('m' || number, pg_read_binary_file(current_setting('test.models') || 'xgboost-3.4.1/reg-squarederror/model.ubj'));
	EXECUTE 'UPDATE model_predict.stored_forest f SET ' || change
		|| ' FROM model_predict.stored_model m WHERE m.id = f.model AND m.name = ' || quote_literal('m' || number);
	RETURN NEXT is((SELECT count(*) FROM m JOIN expected e USING (_row) WHERE predict('m' || number, m) = e.predict),
		(SELECT count(*) FROM expected), change);
	PERFORM model_predict.recompile('m' || number);
	RETURN NEXT results_eq(format('SELECT f.fingerprint, f.forest, f.kernel FROM model_predict.stored_forest f JOIN model_predict.stored_model m'
		|| ' ON m.id = f.model WHERE m.name = %L', 'm' || number), 'SELECT * FROM original', 'recompiled');
END $$;

SELECT pg_temp.scores(1, $$(fingerprint, forest, kernel) = (SELECT * FROM other)$$);
SELECT pg_temp.scores(2, $$kernel = set_byte(kernel, 4, get_byte(kernel, 4) - 1)$$);	-- an older format
SELECT pg_temp.scores(3, $$kernel = set_byte(kernel, 8, get_byte(kernel, 8) + 1)$$);	-- another processor's bytes
SELECT pg_temp.scores(4, $$kernel = overlay(kernel PLACING decode(repeat('ff', 64), 'hex') FROM length(kernel) / 2)$$);
SELECT pg_temp.scores(5, $$kernel = substr(kernel, 1, length(kernel) / 2)$$);
SELECT pg_temp.scores(6, $$kernel = '\x'$$);
SELECT pg_temp.scores(7, $$kernel = NULL$$);
SELECT pg_temp.scores(8, $$forest = set_byte(forest, 0, 0)$$);
SELECT pg_temp.scores(9, $$forest = '\x'$$);
SELECT pg_temp.scores(10, $$(forest, kernel) = (SELECT forest, kernel FROM other)$$);	-- sound, of another version

-- verify() finds what differs, without libxgboost
CREATE FUNCTION pg_temp.differs(number int, change text, expected text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM model_predict.register('v' || number, pg_read_binary_file(current_setting('test.models') || 'xgboost-3.4.1/reg-squarederror/model.ubj'));
	RETURN NEXT is((SELECT differences FROM model_predict.verify('v' || number) WHERE test = 'stored'), 0::bigint, 'as stored');
	EXECUTE 'UPDATE model_predict.stored_forest f SET ' || change
		|| ' FROM model_predict.stored_model m WHERE m.id = f.model AND m.name = ' || quote_literal('v' || number);
	RETURN NEXT results_eq(format('SELECT differences, detail FROM model_predict.verify(%L) WHERE test = %L', 'v' || number, 'stored'),
		format('SELECT 1::bigint, %L', expected || '; model_predict.recompile() stores it anew'), change);
END $$;
SELECT pg_temp.differs(1, '(forest, kernel) = (SELECT forest, kernel FROM other)', 'the stored forest is not what the version''s bytes and options give');
SELECT pg_temp.differs(2, 'kernel = (SELECT kernel FROM other)', 'the stored kernel is not what the version''s bytes and options give');
SELECT pg_temp.differs(3, 'fingerprint = (SELECT fingerprint FROM other)', 'the stored fingerprint is not that of the version''s bytes and options');
SELECT pg_temp.differs(4, 'model = -4', 'nothing is stored');

-- nor is it exported, compiled or verified where a byte has changed
SELECT model_predict.register('damaged', pg_read_binary_file(current_setting('test.models') || 'xgboost-3.4.1/reg-squarederror/model.ubj')) \g /dev/null
UPDATE model_predict.stored_version v SET data = set_byte(data, length(data) / 3, 255 - get_byte(data, length(data) / 3))
	FROM model_predict.stored_model m WHERE m.id = v.model AND m.name = 'damaged';
SELECT throws_ok(s, 'XX001', 'model "damaged" version 1 is damaged', s)
	FROM unnest('{SELECT model_predict.export(''damaged''),SELECT model_predict.recompile(''damaged''),SELECT * FROM model_predict.verify(''damaged'')}'::text[]) s;

-- it is read wherever and however it lies: the model's bytes are damaged where only those see it who read them all
CREATE FUNCTION pg_temp.is_read(name text, storage text, packed bool) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	id bigint;
BEGIN
	EXECUTE format('ALTER TABLE model_predict.stored_forest ALTER forest SET STORAGE %s, ALTER kernel SET STORAGE %1$s', storage);
	PERFORM model_predict.register(name, pg_read_binary_file(current_setting('test.models') || 'xgboost-3.4.1/reg-quantile/model.ubj'), trees => 'all');
	id := (SELECT m.id FROM model_predict.stored_model m WHERE m.name = is_read.name);
	UPDATE model_predict.stored_version SET data = set_byte(data, length(data) / 4, 255 - get_byte(data, length(data) / 4)) WHERE model = id;
	RETURN NEXT is((SELECT pg_column_size(forest) < length(forest) FROM model_predict.stored_forest WHERE model = id), packed, storage || ': packed');
	RETURN NEXT ok((SELECT count(predict_all(name, q)) = count(*) FROM q), storage || ': read');
	UPDATE model_predict.stored_version SET data = set_byte(data, 500, 255 - get_byte(data, 500)) WHERE model = id;
	RETURN NEXT throws_like(format('SELECT predict_all(%L, q) FROM q LIMIT 1', name), '%is damaged', storage || ': not that of other bytes');
END $$;

SELECT pg_temp.golden('xgboost-3.4.1/reg-quantile', 'q') \g /dev/null
SELECT pg_temp.is_read('external', 'EXTERNAL', false);
SELECT pg_temp.is_read('extended', 'EXTENDED', true);
SELECT pg_temp.is_read('main', 'MAIN', true);

SELECT * FROM finish();
ROLLBACK;
