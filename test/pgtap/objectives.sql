-- What prediction, class and probability mean for each objective, and ties,
-- against what Python answered.
BEGIN;
\ir include/recorded.sql
SELECT no_plan();

SELECT model_predict.register(name, pg_temp.model(name || '.ubj'), trees => 'all')
FROM unnest('{logistic,logitraw,hinge,reg_logistic,softmax,softprob,poisson,squarederror,tie_two,tie_three}'::text[]) AS name \g /dev/null
SELECT model_predict.register('reg_logistic classes', pg_temp.model('reg_logistic.ubj'), trees => 'all', classes => '{no,yes}') \g /dev/null
SELECT model_predict.register('softprob classes', pg_temp.model('softprob.ubj'), trees => 'all', classes => '{low,mid,high}') \g /dev/null

-- rows where the call's array is not the recorded answer, or number
CREATE FUNCTION pg_temp.differ(name text, key text, call text) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT n FROM pg_temp.people(%1$L)
		WHERE %3$s(%1$L, p)::real[] IS DISTINCT FROM
			(SELECT array_agg(v::real ORDER BY o) FROM jsonb_array_elements_text(
				CASE jsonb_typeof(answer -> %2$L) WHEN 'array' THEN answer -> %2$L ELSE jsonb_build_array(answer -> %2$L) END)
				WITH ORDINALITY AS e (v, o)) $q$, name, key, call);
END $$;

SELECT is_empty(format($$ SELECT pg_temp.differ(%L, 'predict', 'predict_all') $$, name), name || ': predict_all is Booster.predict'),
	is_empty(format($$ SELECT pg_temp.differ(%L, 'margin', 'predict_margin') $$, name), name || ': predict_margin is output_margin')
FROM unnest('{logistic,logitraw,hinge,reg_logistic,softmax,softprob,poisson,squarederror}'::text[]) AS name;
SELECT is_empty(format($$ SELECT pg_temp.wrong(%L, %L, 'predict') $$, name, name), name || ': predict is Booster.predict')
FROM unnest('{logistic,logitraw,hinge,reg_logistic,softmax,poisson,squarederror}'::text[]) AS name;
SELECT throws_ok($$ SELECT predict('softprob', p) FROM pg_temp.people('softprob') $$, '42809', NULL, 'softprob: predict has several outputs');
SELECT throws_like($$ SELECT predict('softprob', p) FROM pg_temp.people('softprob') $$, '%3%', 'softprob: the error counts the outputs');

-- XGBoost's numbers are float32: widened, and nothing else
SELECT is_empty(format($$ SELECT n FROM pg_temp.people(%L) WHERE predict_margin(%1$L, p) <> predict_margin(%1$L, p)::real[]::float8[]
	OR predict_all(%1$L, p) <> predict_all(%1$L, p)::real[]::float8[] $$, name), name || ': numbers are widened float32')
FROM unnest('{logistic,softprob}'::text[]) AS name;

-- probabilities
SELECT is_empty(format($$ SELECT pg_temp.differ(%L, 'proba', 'predict_proba') $$, name), name || ': predict_proba is softprob')
FROM unnest('{softmax,softprob}'::text[]) AS name;
SELECT is(predict_proba('logistic', p)::real[], array[1::real - (answer ->> 'predict')::real, (answer ->> 'predict')::real], 'logistic: predict_proba')
FROM pg_temp.people('logistic');
SELECT is((predict_proba('logitraw', p))[2]::real, (answer ->> 'p')::real, 'logitraw: predict_proba is the sigmoid')
FROM pg_temp.people('logitraw');
SELECT is(predict_proba_of('logistic', '1', p)::real, (answer ->> 'predict')::real, 'logistic: of the second class'),
	is(predict_proba_of('logistic', '0', p)::real, 1::real - (answer ->> 'predict')::real, 'logistic: of the first class')
FROM pg_temp.people('logistic') WHERE n <= 3;
SELECT is(predict_proba_of('softprob classes', 'mid', p)::real, (answer -> 'proba' ->> 1)::real, 'softprob: of a named class')
FROM pg_temp.people('softprob') WHERE n <= 3;
SELECT throws_ok($$ SELECT predict_proba_of('softprob classes', 'huge', p) FROM pg_temp.people('softprob') $$, '22023', NULL, 'an unknown class');
SELECT throws_like($$ SELECT predict_proba_of('softprob classes', 'huge', p) FROM pg_temp.people('softprob') $$, '%"huge"%', 'an unknown class is named');

-- classes
SELECT is(predict_class('logistic', p), ((answer ->> 'predict')::real > 0.5)::int::text, 'logistic: predict_class'),
	is(predict_class('hinge', h), (hinge ->> 'predict')::float8::int::text, 'hinge: predict_class'),
	is(predict_class('logitraw', r), ((raw ->> 'p')::real > 0.5)::int::text, 'logitraw: predict_class')
FROM pg_temp.people('logistic')
	JOIN pg_temp.people('hinge') AS h (n, h, hinge) USING (n)
	JOIN pg_temp.people('logitraw') AS r (n, r, raw) USING (n);
SELECT is(predict_class('softmax', p), (answer ->> 'index')::float8::int::text, 'softmax: predict_class'),
	is(predict_class('softprob classes', s), ('{low,mid,high}'::text[])[(soft ->> 'index')::float8::int + 1], 'softprob: labels')
FROM pg_temp.people('softmax') JOIN pg_temp.people('softprob') AS s (n, s, soft) USING (n);
SELECT is(predict_class('reg_logistic classes', p), CASE WHEN (answer ->> 'predict')::real > 0.5 THEN 'yes' ELSE 'no' END,
	'reg:logistic has classes where they are given')
FROM pg_temp.people('reg_logistic') WHERE n <= 5;

-- and where there are none
SELECT throws_ok(format($$ SELECT %s(%L, p) FROM pg_temp.people('logistic') $$, call, name), '42809', NULL, name || ': ' || call)
FROM unnest('{poisson,squarederror,reg_logistic}'::text[]) AS name, unnest('{predict_class,predict_proba}'::text[]) AS call;
SELECT throws_ok($$ SELECT predict_proba('hinge', p) FROM pg_temp.people('hinge') $$, '42809', NULL, 'hinge: no probability');
SELECT throws_ok($$ SELECT predict_proba_of('hinge', '1', p) FROM pg_temp.people('hinge') $$, '42809', NULL, 'hinge: no probability of one');

-- thresholds and ties
SELECT is(predict('tie_two', 1, 1, 1, 1), 0.5::float8, 'a tie of two classes');
SELECT is(predict_class('tie_two', 1, 1, 1, 1), '0', 'a tie of two goes to the first');
SELECT is(predict_class('tie_three', 1, 1, 1, 1), '0', 'a tie of three goes to the first');
SELECT model_predict.register('tie low', pg_temp.model('tie_two.ubj'), threshold => 0.49999997) \g /dev/null
SELECT is(predict_class('tie low', 1, 1, 1, 1), '1', 'the threshold is a float32');
SELECT model_predict.register('high', pg_temp.model('logistic.ubj'), trees => 'all', threshold => 0.8) \g /dev/null
SELECT is(predict_class('high', p), ((answer ->> 'predict')::real > 0.8::real)::int::text, 'threshold: row ' || n) FROM pg_temp.people('logistic');
SELECT throws_ok(format($$ SELECT model_predict.register('t', pg_temp.model('logistic.ubj'), trees => 'all', threshold => %L) $$, threshold),
	'22023', NULL, 'threshold => ' || threshold)
FROM unnest('{-0.1,1.1,NaN,Infinity}'::real[]) AS threshold;
SELECT throws_ok(format($$ SELECT model_predict.register('t', pg_temp.model(%L), trees => 'all', classes => %L) $$, file, classes),
	'22023', NULL, format('classes => %s for %s', classes, file))
FROM (VALUES ('logistic.ubj', '{a}'), ('logistic.ubj', '{a,b,c}'), ('logistic.ubj', '{a,a}'), ('softprob.ubj', '{a,b}'),
	('squarederror.ubj', '{a,b}'), ('poisson.ubj', '{a,b,c}')) AS v (file, classes);

SELECT * FROM finish();
ROLLBACK;
