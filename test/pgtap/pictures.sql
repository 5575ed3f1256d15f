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
-- and one of each in the legend
SELECT is(pg_temp.bars(p, 'mp-up') + pg_temp.bars(p, 'mp-down') - 2, (SELECT count(*) FROM predict_explain('categorical-text', t) WHERE contribution <> 0 AND feature <> '(bias)'),
	'a bar for each reason'),
	is(pg_temp.bars(p, 'mp-up') - 1, (SELECT count(*) FROM predict_explain('categorical-text', t) WHERE contribution > 0 AND feature <> '(bias)'), 'those that add'),
	alike(array_to_string(pg_temp.texts(p, 'mp-title'), ''), format('%% %s, %s%%', 'class ' || predict_class('categorical-text', t),
		round(100 * greatest(predict('categorical-text', t), 1 - predict('categorical-text', t))::numeric, 1)), 'the title says what is predicted, and how surely'),
	alike(array_to_string(pg_temp.texts(p), '|'), '%|raises|lowers|average|%|this row|%|log-odds|%|probability|%50\%%', 'both ends and both scales')
FROM (SELECT t, predict_explain_svg('categorical-text', t) AS p FROM "categorical-text" t WHERE _row = 2) AS s;
SELECT is(pg_temp.bars(model_predict.importance_svg('categorical-text', 'weight'), 'mp-bar'),
	(SELECT count(*) FROM model_predict.features WHERE model = 'categorical-text' AND weight > 0), 'a bar for each feature that a split uses');
SELECT model_predict.register('many', pg_temp.linear(array_agg('x' || i), array_agg(i::numeric))) FROM generate_series(1, 30) AS i \g /dev/null
SELECT alike(array_to_string(pg_temp.texts(p), '|'), '%|x30| = 1|+30|%|18 others|+171%', 'of many the strongest, and the sum of the others')
FROM predict_explain_svg('many', array_fill(1, array[30])) AS p;
SELECT alike(array_to_string(pg_temp.texts(predict_explain_svg('count-poisson', t)), '|'), '%of the prediction, which on average is %|prediction|%', 'an average and a scale of predictions')
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

-- how they are to look
SELECT is(pg_temp.bars(predict_explain_svg_styled('many', 5, NULL, NULL, array_fill(1, array[30])), 'mp-up'), 5 + 1 + 1::bigint, 'so many bars, the others, the legend'),
	alike(predict_explain_svg_styled('many', 5, 380, 'dark', array_fill(1, array[30])), '%width="380"%', 'so wide'),
	alike(predict_explain_svg_styled('many', 5, 380, 'dark', array_fill(1, array[30])), '%.mp-back{fill:#15181e}%', 'dark'),
	unalike(predict_explain_svg_styled('many', 5, 380, 'light', array_fill(1, array[30])), '%prefers-color-scheme%', 'light alone'),
	alike(model_predict.importance_svg('many', 'weight', 3, 500, 'auto'), '%width="500"%27 others%', 'importances'),
	is(predict_explain_svg_styled('many', NULL, NULL, NULL, array_fill(1, array[30])), predict_explain_svg('many', array_fill(1, array[30])), 'nothing said'),
	is(predict_explain_svg_styled('many', 5, 380, 'dark', NULL::real[]), NULL, 'no row, no picture');
SELECT throws_ok(format('SELECT model_predict.importance_svg(''many'', ''weight'', %s)', arguments), '22023', NULL, arguments)
FROM unnest('{0,101,"5, 100","5, 5000","5, 500, ''red''"}'::text[]) AS arguments;

-- and what there is no picture of
SELECT throws_ok($$ SELECT model_predict.importance_svg('odd-names', 'shap') $$, '22023', NULL, 'an unknown kind');
SELECT throws_ok($$ SELECT model_predict.importance_svg('many', 'gain') $$, '0A000', NULL, 'a linear model has no gain');
SELECT is(model_predict.importance_svg('odd-names', NULL), NULL, 'no kind, no picture');

SELECT * FROM finish();
ROLLBACK;
