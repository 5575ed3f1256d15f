-- Pictures are valid XML, hold what they shall show, and nothing that a name smuggles in.
BEGIN;
\ir include/golden.sql
SELECT no_plan();

SELECT pg_temp.golden('xgboost-3.4.1/' || name, name)
FROM unnest('{categorical-text,multi-softprob,odd-names,root-only,reg-squarederror,count-poisson,zero-rounds}'::text[]) AS name \g /dev/null
CREATE FUNCTION pg_temp.texts(picture text, class text DEFAULT NULL) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(t::text) FROM unnest(xpath('//s:text' || coalesce('[@class="' || class || '"]', '') || '/descendant::text()[not(parent::s:title)]',
		picture::xml, '{{s,http://www.w3.org/2000/svg}}')) AS t $$;
CREATE FUNCTION pg_temp.bars(picture text, class text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM unnest(xpath('//s:rect[starts-with(@class, "' || class || '")]', picture::xml, '{{s,http://www.w3.org/2000/svg}}')) $$;

SELECT ok(xml_is_well_formed_document(p), 'a waterfall of ' || m)
FROM (SELECT 'categorical-text' AS m, predict_explain_svg('categorical-text', t) AS p FROM "categorical-text" t WHERE _row = 1
	UNION ALL SELECT 'multi-softprob' AS m, predict_explain_svg('multi-softprob', t) AS p FROM "multi-softprob" t WHERE _row = 1
	UNION ALL SELECT 'odd-names', predict_explain_svg('odd-names', t) FROM "odd-names" t WHERE _row = 3
	UNION ALL SELECT 'root-only', predict_explain_svg('root-only', t) FROM "root-only" t WHERE _row = 1
	UNION ALL SELECT 'zero-rounds', predict_explain_svg('zero-rounds', t) FROM "zero-rounds" t WHERE _row = 1) AS s;
SELECT ok(xml_is_well_formed_document(model_predict.importance_svg(m, kind)), format('bars of %s by %s', m, kind))
FROM unnest('{categorical-text,odd-names,root-only}'::text[]) AS m, unnest('{gain,weight,cover,total_gain,total_cover}'::text[]) AS kind;

-- what is shown
SELECT is(pg_temp.bars(p, 'mp-up') + pg_temp.bars(p, 'mp-down'), (SELECT count(*) FROM predict_explain('categorical-text', t) WHERE contribution <> 0 AND feature <> '(bias)'),
	'a bar for each reason'),
	is(pg_temp.bars(p, 'mp-up'), (SELECT count(*) FROM predict_explain('categorical-text', t) WHERE contribution > 0 AND feature <> '(bias)'), 'those that add'),
	alike(array_to_string(pg_temp.texts(p, 'mp-title'), ''), format('%% class 1, probability %s', round(predict('categorical-text', t)::numeric, 3)), 'the title'),
	alike(array_to_string(pg_temp.texts(p), ''), '%log-odds%average%this row%', 'the scale and both ends')
FROM (SELECT t, predict_explain_svg('categorical-text', t) AS p FROM "categorical-text" t WHERE _row = 2) AS s;
SELECT is(pg_temp.bars(model_predict.importance_svg('categorical-text', 'weight'), 'mp-bar'),
	(SELECT count(*) FROM model_predict.features WHERE model = 'categorical-text' AND weight > 0), 'a bar for each feature that a split uses');
SELECT model_predict.register('many', pg_temp.linear(array_agg('x' || i), array_agg(i::numeric))) FROM generate_series(1, 30) AS i \g /dev/null
SELECT alike(array_to_string(pg_temp.texts(p), '|'), '%|x30| = 1|+30|%|18 others|+171%', 'of many the strongest, and the sum of the others')
FROM predict_explain_svg('many', array_fill(1, array[30])) AS p;
SELECT alike(array_to_string(pg_temp.texts(predict_explain_svg('count-poisson', t)), '|'), '%a prediction of %', 'an average on the scale of the prediction')
FROM "count-poisson" t WHERE _row = 1;
SELECT alike(array_to_string(pg_temp.texts(predict_explain_svg('reg-squarederror', t)), '|'), '%adds to the prediction.%', 'a margin that is the prediction')
FROM "reg-squarederror" t WHERE _row = 1;

-- names and values are text, whatever they hold
SELECT model_predict.register('<b>&"''', pg_temp.linear(array['</text><script>alert(1)</script>', 'a & "b" ''c''', E'\u0001\u000b]]>', 'é' || repeat('中', 100)], '{4,3,2,1}'),
	absent_feature => 'missing') \g /dev/null
SELECT ok(xml_is_well_formed_document(p), 'hostile names'), unalike(p, '%<script%', 'no script'),
	alike((xpath('//s:text[@class="mp-title"]/text()', p::xml, '{{s,http://www.w3.org/2000/svg}}'))[1]::text, '&lt;b&gt;&amp;"''%', 'the model''s name'),
	is(cardinality(xpath('//s:*[local-name() != "svg" and local-name() != "title" and local-name() != "style" and local-name() != "rect"
		and local-name() != "text" and local-name() != "tspan" and local-name() != "line"]', p::xml, '{{s,http://www.w3.org/2000/svg}}')), 0, 'nothing but shapes and text'),
	is(cardinality(xpath('//@href | //@onload | //@onclick', p::xml)), 0, 'no links')
FROM (SELECT predict_explain_svg('<b>&"''', 1, 2, 3, 4) UNION ALL SELECT model_predict.importance_svg('<b>&"''', 'weight')) AS s (p);
SELECT model_predict.register('cat', pg_read_binary_file(current_setting('test.models') || 'rules/categories.json'), unseen_category => 'missing',
	categories => '{"plan": [10, 20, 30, 45], "city": ["Aarhus", "Turku", "Oslo"]}') \g /dev/null
SELECT ok(xml_is_well_formed_document(predict_explain_svg('cat', 1, 1, 1, 1, 20, value)), 'a hostile value: ' || left(quote_literal(value), 20))
FROM unnest(array['<&>', E'\u0001', repeat('x', 100000), ']]>', '&amp;']) AS value;

-- and what there is no picture of
SELECT throws_ok($$ SELECT model_predict.importance_svg('odd-names', 'shap') $$, '22023', NULL, 'an unknown kind');
SELECT throws_ok($$ SELECT model_predict.importance_svg('many', 'gain') $$, '0A000', NULL, 'a linear model has no gain');
SELECT is(model_predict.importance_svg('odd-names', NULL), NULL, 'no kind, no picture');

SELECT * FROM finish();
ROLLBACK;
