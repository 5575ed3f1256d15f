-- versions, the default, aliases and the history of a model
CREATE EXTENSION model_predict;
CREATE ROLE regress_mp_dba SUPERUSER;
SET ROLE regress_mp_dba;
CREATE FUNCTION constant_model(score int, objective text DEFAULT 'reg:squarederror', classes int DEFAULT 0,
  names text DEFAULT '"x"', types text DEFAULT '"float"', features int DEFAULT NULL) RETURNS bytea LANGUAGE sql AS $$
  SELECT convert_to(format('{"learner":{"attributes":{},"feature_names":[%s],"feature_types":[%s],'
    '"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"0"},'
    '"iteration_indptr":[0],"tree_info":[],"trees":[]},"name":"gbtree"},'
    '"learner_model_param":{"base_score":"%sE-1","boost_from_average":"0","num_class":"%s",'
    '"num_feature":"%s","num_target":"1"},"objective":{"name":"%s",%s}},"version":[2,1,4]}',
    names, types, score, classes, coalesce(features, array_length(string_to_array(names, ','), 1)), objective,
    CASE WHEN classes > 0 THEN '"softmax_multiclass_param":{"num_class":"' || classes || '"}'
      ELSE '"reg_loss_param":{"scale_pos_weight":"1"}' END), 'UTF8') $$;

-- the first version serves at once, later ones when they are deployed
SELECT model_predict.register('m', constant_model(10));
SELECT model_predict.register('m', constant_model(20));
SELECT model_predict.register('m', constant_model(30));
SELECT predict('m', 1.0), predict('m@2', 1.0), predict('m@default', 1.0);
SELECT model_predict.deploy('m', 2, 'better');
SELECT model_predict.deploy('m', 3);
SELECT model_predict.deploy('m', 3);
SELECT predict('m', 1.0);

-- back is back, not to and fro; a deploy goes on from where one is
SELECT model_predict.rollback('m', 'worse');
SELECT model_predict.rollback('m');
SELECT model_predict.rollback('m');
SELECT model_predict.deploy('m', 3);
SELECT model_predict.deploy('m', 2);
SELECT model_predict.deploy('m', 3);
SELECT model_predict.deploy('m', 1);
SELECT model_predict.rollback('m');
SELECT model_predict.drop_version('m', 2);
SELECT model_predict.rollback('m');
SELECT model_predict.rollback('m');
SELECT action, alias, old_version, new_version, comment FROM model_predict.history;

-- versions that are not there, or not to go
SELECT model_predict.deploy('m', 2);
SELECT model_predict.deploy('m', 0);
SELECT model_predict.deploy('m', -1);
SELECT model_predict.deploy('m', NULL);
SELECT model_predict.deploy(NULL, 1);
SELECT model_predict.deploy('nonesuch', 1);
SELECT model_predict.deploy('m@1', 1);
SELECT model_predict.rollback('nonesuch');
SELECT model_predict.drop_version('m', 1);
SELECT model_predict.drop_version('m', 2);
SELECT predict('m@2', 1.0);

-- aliases
SELECT model_predict.set_alias('m', 'champion', 3);
SELECT model_predict.set_alias('m', 'a b-é''"', 3);
SELECT predict('m@champion', 1.0), predict('m@a b-é''"', 1.0);
SELECT model_predict.drop_version('m', 3);
SELECT model_predict.set_alias('m', 'champion', 1);
SELECT model, alias, version FROM model_predict.aliases ORDER BY alias;
SELECT model_predict.drop_alias('m', 'champion');
SELECT model_predict.drop_alias('m', 'champion');
SELECT model_predict.drop_alias('m', 'default');
SELECT model_predict.set_alias('m', 'default', 3);
SELECT model_predict.set_alias('m', 'latest', 3);
SELECT model_predict.set_alias('m', 'x', 9);
SELECT model_predict.set_alias('m', NULL, 3);
SELECT model_predict.set_alias('m', '', 3);
SELECT model_predict.set_alias('m', '3', 3);
SELECT model_predict.set_alias('m', '-03', 3);
SELECT model_predict.set_alias('m', '1e3', 3);
SELECT model_predict.set_alias('m', 'a@b', 3);
SELECT model_predict.set_alias('m', E'a\nb', 3);
SELECT model_predict.set_alias('m', repeat('é', 32), 3);
SELECT model_predict.register('a@b', constant_model(1));
SELECT model_predict.register('', constant_model(1));
SELECT model_predict.register(repeat('x', 64), constant_model(1));

-- what would change for those who call the model
SELECT model_predict.register('c', constant_model(5, 'binary:logistic', names => '"a","b"', types => '"float","int"'));
SELECT model_predict.register('c', constant_model(5, 'binary:logistic', names => '"b","a"', types => '"float","float"'));
SELECT model_predict.deploy('c', 2);
SELECT model_predict.register('c', constant_model(5, 'binary:logistic', names => '"a","C"', types => '"float","float"'));
SELECT model_predict.deploy('c', 3);
SELECT model_predict.register('c', constant_model(5, 'binary:logistic', names => '"a","b"', types => '"c","float"'));
SELECT model_predict.deploy('c', 4);
SELECT model_predict.register('c', constant_model(5, 'binary:logistic', names => '"a","b"', types => '"float","float"'),
  classes => '{no,yes}');
SELECT model_predict.deploy('c', 5);
SELECT model_predict.register('c', constant_model(5, 'binary:logitraw', names => '"a","b"', types => '"float","float"'));
SELECT model_predict.deploy('c', 6);
SELECT model_predict.register('c', constant_model(5, 'multi:softprob', 3, '"a"', '"float"'));
SELECT model_predict.deploy('c', 7);
SELECT model_predict.deploy('c', 7, allow_changes => true);
SELECT model_predict.rollback('c');

SELECT model_predict.register('k', constant_model(5, names => '"a"', types => '"c"'), categories => '{"a": ["x", "y"]}');
SELECT model_predict.register('k', constant_model(5, names => '"a"', types => '"c"'), categories => '{"a": ["y", "x"]}');
SELECT model_predict.deploy('k', 2);
SELECT model_predict.register('k', constant_model(5, names => '"a"', types => '"c"'), categories => '{"a": ["z", "x"]}');
SELECT model_predict.deploy('k', 3);
SELECT model_predict.register('k', constant_model(5, names => '', types => '"c"', features => 1));
SELECT model_predict.deploy('k', 4);
SELECT model_predict.register('k', constant_model(5, names => '', types => '"float","float"', features => 2));
SELECT model_predict.deploy('k', 4, NULL, true);
SELECT model_predict.deploy('k', 5);

-- the compiled form is made anew from the bytes, which must be those that came
DELETE FROM model_predict.stored_forest;
SELECT model_predict.recompile(model || '@' || version) FROM model_predict.versions WHERE model = 'm' ORDER BY version;
SELECT model_predict.recompile('m');
SELECT model_predict.recompile('m@champion');
SELECT model_predict.recompile('m@2');
SELECT version, forest IS NOT NULL AS forest FROM model_predict.stored_forest ORDER BY version;
SELECT predict('m', 1.0);
UPDATE model_predict.stored_version SET data = constant_model(50) WHERE version = 3 AND model = (SELECT min(id) FROM model_predict.stored_model);
SELECT model_predict.recompile('m@3');
SELECT predict('m@3', 1.0);

-- numbers are not used again, and the history stays
SELECT model_predict.drop_model('m');
SELECT model_predict.drop_model('m');
SELECT predict('m', 1.0);
SELECT model_predict.register('m', constant_model(40));
SELECT model, default_version, versions FROM model_predict.models;
SELECT count(*) FROM model_predict.history WHERE model = 'm';
SELECT model_predict.rollback('m');

RESET ROLE;
DROP FUNCTION constant_model;
DROP EXTENSION model_predict;
DROP ROLE regress_mp_dba;
