\echo Use "CREATE EXTENSION model_predict" to load this file. \quit

/*
 * Scoring functions go to the schema that CREATE EXTENSION chooses; what
 * stores and manages goes to the schema model_predict. No OR REPLACE and no
 * IF NOT EXISTS: an object that is already there must stop the installation.
 */

CREATE SCHEMA model_predict;
GRANT USAGE ON SCHEMA model_predict TO PUBLIC;
COMMENT ON SCHEMA model_predict IS 'stored models: registering, deploying, rights, history';


/* Roles in tables: an oid that is written and read as the role's name */

CREATE TYPE model_predict.role;

CREATE FUNCTION model_predict.role_in(cstring) RETURNS model_predict.role
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_role_in';

CREATE FUNCTION model_predict.role_out(model_predict.role) RETURNS cstring
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_role_out';

CREATE TYPE model_predict.role (
  INPUT = model_predict.role_in,
  OUTPUT = model_predict.role_out,
  INTERNALLENGTH = 4,
  PASSEDBYVALUE,
  ALIGNMENT = int4
);
COMMENT ON FUNCTION model_predict.role_in(cstring) IS 'I/O';
COMMENT ON FUNCTION model_predict.role_out(model_predict.role) IS 'I/O';
COMMENT ON TYPE model_predict.role IS
  'a role, or public; survives a rename, and an unknown name is read as nobody with a warning';

CREATE CAST (model_predict.role AS oid) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (model_predict.role AS oid) IS 'for joins with the catalogs';


/* Names of columns, before their values, in place of a row */

CREATE DOMAIN model_predict.columns AS text[];
COMMENT ON DOMAIN model_predict.columns IS
  'names before values in a call of a scoring function: what the planner makes of a whole row, so that plans show, and send to other servers, which value is which column';


/*
 * Tables. No foreign keys and no triggers: they must work as replicated
 * reference tables and restore in any order. Readers take a missing partner
 * for a missing model. Those that scoring reads have no defaults: a session
 * that opens its first table with one must open two more system tables.
 */

CREATE SEQUENCE model_predict.stored_model_id_seq;

CREATE TABLE model_predict.stored_model (
  id bigint NOT NULL,
  name text COLLATE pg_catalog."C" NOT NULL,
  owner model_predict.role NOT NULL,
  last_version integer NOT NULL,
  created timestamptz NOT NULL,
  CONSTRAINT model_pkey PRIMARY KEY (id),
  CONSTRAINT model_name_key UNIQUE (name)
);
ALTER SEQUENCE model_predict.stored_model_id_seq OWNED BY model_predict.stored_model.id;
COMMENT ON SEQUENCE model_predict.stored_model_id_seq IS 'numbers models';

CREATE TABLE model_predict.stored_version (
  model bigint NOT NULL,
  version integer NOT NULL,
  sha256 bytea NOT NULL,
  trees text NOT NULL,
  classes text[],
  feature_names text[],
  categories jsonb,
  threshold double precision NOT NULL,
  missing real,
  absent_feature text NOT NULL,
  unseen_category text NOT NULL,
  infinity text NOT NULL,
  examples jsonb,
  description text,
  tags jsonb,
  preprocessing jsonb,
  link text,
  format text NOT NULL,
  library text NOT NULL,
  library_version text NOT NULL,
  objective text NOT NULL,
  task text NOT NULL,
  booster text NOT NULL,
  features integer NOT NULL,
  outputs integer NOT NULL,
  n_trees integer NOT NULL,
  rounds integer NOT NULL,
  rounds_used integer NOT NULL,
  max_depth integer NOT NULL,
  created timestamptz NOT NULL,
  created_by text NOT NULL,
  data bytea NOT NULL,
  CONSTRAINT version_pkey PRIMARY KEY (model, version)
);
ALTER TABLE model_predict.stored_version ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE model_predict.stored_alias (
  model bigint NOT NULL,
  alias text COLLATE pg_catalog."C" NOT NULL,
  version integer NOT NULL,
  CONSTRAINT alias_pkey PRIMARY KEY (model, alias)
);

/* grantees are no key: several that a restore does not know are all nobody */
CREATE TABLE model_predict.stored_permission (
  model bigint NOT NULL,
  number integer NOT NULL,
  grantee model_predict.role NOT NULL,
  CONSTRAINT permission_pkey PRIMARY KEY (model, number)
);

CREATE TABLE model_predict.stored_feature (
  model bigint NOT NULL,
  version integer NOT NULL,
  position integer NOT NULL,
  name text,
  type text NOT NULL,
  categories text[],
  gain real,
  weight real,
  cover real,
  total_gain real,
  total_cover real,
  CONSTRAINT feature_pkey PRIMARY KEY (model, version, position)
);

CREATE SEQUENCE model_predict.stored_event_id_seq;

/* roles as text: what was done stays readable when they are gone */
CREATE TABLE model_predict.stored_event (
  id bigint NOT NULL DEFAULT pg_catalog.nextval('model_predict.stored_event_id_seq'),
  model text COLLATE pg_catalog."C" NOT NULL,
  model_id bigint NOT NULL,
  owner model_predict.role NOT NULL,
  action text NOT NULL,
  alias text COLLATE pg_catalog."C",
  old_version integer,
  new_version integer,
  role text,
  who text NOT NULL,
  login text NOT NULL,
  at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  comment text,
  CONSTRAINT event_pkey PRIMARY KEY (id)
);
CREATE INDEX event_model_idx ON model_predict.stored_event (model, id);
ALTER SEQUENCE model_predict.stored_event_id_seq OWNED BY model_predict.stored_event.id;
COMMENT ON SEQUENCE model_predict.stored_event_id_seq IS 'orders events';

/* compiled from version.data; not dumped, made anew by recompile() */
CREATE TABLE model_predict.stored_forest (
  model bigint NOT NULL,
  version integer NOT NULL,
  fingerprint bytea NOT NULL,
  forest bytea NOT NULL,
  kernel bytea,
  steps bytea,
  CONSTRAINT forest_pkey PRIMARY KEY (model, version)
);
ALTER TABLE model_predict.stored_forest ALTER COLUMN forest SET STORAGE EXTERNAL;
ALTER TABLE model_predict.stored_forest ALTER COLUMN kernel SET STORAGE EXTERNAL;

/* what rows were like that a version was trained on; read by drift(), not by scoring */
CREATE TABLE model_predict.stored_baseline (
  model bigint NOT NULL,
  version integer NOT NULL,
  profile jsonb NOT NULL,
  created timestamptz NOT NULL,
  CONSTRAINT baseline_pkey PRIMARY KEY (model, version)
);

/* what rows must bring for versions with preprocessing; of others these are the features */
CREATE TABLE model_predict.stored_input (
  model bigint NOT NULL,
  version integer NOT NULL,
  position integer NOT NULL,
  name text NOT NULL,
  type text NOT NULL,
  labels text[],
  features text[] NOT NULL,
  CONSTRAINT input_pkey PRIMARY KEY (model, version, position)
);

CREATE TABLE model_predict.stored_metrics (
  model bigint NOT NULL,
  version integer NOT NULL,
  number integer NOT NULL,
  name text,
  metrics jsonb NOT NULL,
  recorded timestamptz NOT NULL,
  recorded_by text NOT NULL,
  CONSTRAINT metrics_pkey PRIMARY KEY (model, version, number)
);

SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_model', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_version', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_alias', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_permission', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_feature', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_baseline', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_input', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_metrics', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_event', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.stored_event_id_seq', '');

COMMENT ON TABLE model_predict.stored_model IS 'a model: a name, its owner, its versions';
COMMENT ON TABLE model_predict.stored_version IS 'a registered version: the file as it came, and its options';
COMMENT ON TABLE model_predict.stored_alias IS 'a movable name for one version of a model';
COMMENT ON TABLE model_predict.stored_permission IS 'who may score with a model besides its owner';
COMMENT ON TABLE model_predict.stored_feature IS 'the inputs of a version, in the order of the model';
COMMENT ON TABLE model_predict.stored_baseline IS 'the profile of the rows that a version was trained on';
COMMENT ON TABLE model_predict.stored_input IS 'the inputs of a version with preprocessing';
COMMENT ON TABLE model_predict.stored_metrics IS 'what was measured of a version';
COMMENT ON TABLE model_predict.stored_event IS 'what was done to models, when and by whom';
COMMENT ON TABLE model_predict.stored_forest IS 'compiled forms of versions, for a fast first prediction';


/* Scoring */

CREATE FUNCTION model_predict.planner_support(internal) RETURNS internal
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_planner_support';
COMMENT ON FUNCTION model_predict.planner_support(internal) IS
  'tells the planner what scoring costs, and expands whole rows into columns';

CREATE FUNCTION @extschema@.predict(model text, VARIADIC "row" "any") RETURNS double precision
LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT model_predict.planner_support
AS 'MODULE_PATHNAME', 'mp_predict';
COMMENT ON FUNCTION @extschema@.predict(text, VARIADIC "any") IS
  'what Booster.predict gives where that is one number: a value, the probability of the second of two classes, the class index of multi:softmax';

CREATE FUNCTION @extschema@.predict_class(model text, VARIADIC "row" "any") RETURNS text
LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT model_predict.planner_support
AS 'MODULE_PATHNAME', 'mp_predict_class';
COMMENT ON FUNCTION @extschema@.predict_class(text, VARIADIC "any") IS
  'label of the predicted class';

CREATE FUNCTION @extschema@.predict_proba(model text, VARIADIC "row" "any") RETURNS double precision[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT model_predict.planner_support
AS 'MODULE_PATHNAME', 'mp_predict_proba';
COMMENT ON FUNCTION @extschema@.predict_proba(text, VARIADIC "any") IS
  'probability of each class; element 1 is the first class, element 2 the second';

CREATE FUNCTION @extschema@.predict_all(model text, VARIADIC "row" "any") RETURNS double precision[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT model_predict.planner_support
AS 'MODULE_PATHNAME', 'mp_predict_all';
COMMENT ON FUNCTION @extschema@.predict_all(text, VARIADIC "any") IS
  'all that XGBoost''s Booster.predict gives for the row';

CREATE FUNCTION @extschema@.predict_margin(model text, VARIADIC "row" "any") RETURNS double precision[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT model_predict.planner_support
AS 'MODULE_PATHNAME', 'mp_predict_margin';
COMMENT ON FUNCTION @extschema@.predict_margin(text, VARIADIC "any") IS
  'the raw sums before the objective''s link, one per output';

CREATE FUNCTION @extschema@.predict_leaf(model text, VARIADIC "row" "any") RETURNS integer[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT model_predict.planner_support
AS 'MODULE_PATHNAME', 'mp_predict_leaf';
COMMENT ON FUNCTION @extschema@.predict_leaf(text, VARIADIC "any") IS
  'the leaf that the row reaches in each tree, by XGBoost''s node numbers';

CREATE FUNCTION @extschema@.predict_proba_of(model text, class text, VARIADIC "row" "any") RETURNS double precision
LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT model_predict.planner_support
AS 'MODULE_PATHNAME', 'mp_predict_proba_of';
COMMENT ON FUNCTION @extschema@.predict_proba_of(text, text, VARIADIC "any") IS
  'probability of one class';

CREATE FUNCTION @extschema@.predict_json(model text, features jsonb) RETURNS double precision
LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT model_predict.planner_support
AS 'MODULE_PATHNAME', 'mp_predict_json';
COMMENT ON FUNCTION @extschema@.predict_json(text, jsonb) IS
  'as predict, for drivers that send untyped parameters';


/* Explaining */

CREATE FUNCTION model_predict.planner_support_explain(internal) RETURNS internal
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_planner_support_explain';
COMMENT ON FUNCTION model_predict.planner_support_explain(internal) IS
  'planner_support for functions that explain, which take far longer';

CREATE FUNCTION @extschema@.predict_contribs(model text, VARIADIC "row" "any") RETURNS double precision[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 SUPPORT model_predict.planner_support_explain
AS 'MODULE_PATHNAME', 'mp_predict_contribs';
COMMENT ON FUNCTION @extschema@.predict_contribs(text, VARIADIC "any") IS
  'what each feature adds to the margin (SHAP), in the model''s order, the bias last; with several outputs one row of the array for each';

CREATE FUNCTION @extschema@.predict_interactions(model text, VARIADIC "row" "any") RETURNS double precision[]
LANGUAGE c STABLE PARALLEL SAFE COST 10000 SUPPORT model_predict.planner_support_explain
AS 'MODULE_PATHNAME', 'mp_predict_interactions';
COMMENT ON FUNCTION @extschema@.predict_interactions(text, VARIADIC "any") IS
  'predict_contribs taken apart by pairs of features: a symmetric matrix whose rows add up to the contributions; with several outputs one for each';

CREATE FUNCTION @extschema@.predict_explain(
  model text, VARIADIC "row" "any", OUT feature text, OUT value text, OUT contribution double precision
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 20 SUPPORT model_predict.planner_support_explain
AS 'MODULE_PATHNAME', 'mp_predict_explain';
COMMENT ON FUNCTION @extschema@.predict_explain(text, VARIADIC "any") IS
  'what each feature''s value adds to the margin, strongest first, the bias last; of two classes for the second, of several for the predicted one';

CREATE FUNCTION @extschema@.predict_explain_class(
  model text, class text, VARIADIC "row" "any", OUT feature text, OUT value text, OUT contribution double precision
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 20 SUPPORT model_predict.planner_support_explain
AS 'MODULE_PATHNAME', 'mp_predict_explain_class';
COMMENT ON FUNCTION @extschema@.predict_explain_class(text, text, VARIADIC "any") IS
  'as predict_explain, for one class; of a model with several outputs that are no classes, for one of them by its number from 0 on';

CREATE FUNCTION @extschema@.predict_reasons(model text, top integer, VARIADIC "row" "any") RETURNS text
LANGUAGE c STABLE PARALLEL SAFE COST 1000 SUPPORT model_predict.planner_support_explain
AS 'MODULE_PATHNAME', 'mp_predict_reasons';
COMMENT ON FUNCTION @extschema@.predict_reasons(text, integer, VARIADIC "any") IS
  'the strongest reasons of predict_explain in one line of text, with what they add to the margin';

CREATE FUNCTION @extschema@.predict_reasons(model text, "row" record) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'mp_predict_reasons_three';
COMMENT ON FUNCTION @extschema@.predict_reasons(text, record) IS
  'the three strongest reasons of a whole row in one line of text';

CREATE FUNCTION @extschema@.predict_reasons_array(model text, top integer, VARIADIC "row" "any") RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE COST 1000 SUPPORT model_predict.planner_support_explain
AS 'MODULE_PATHNAME', 'mp_predict_reasons_array';
COMMENT ON FUNCTION @extschema@.predict_reasons_array(text, integer, VARIADIC "any") IS
  'the names of the inputs with the strongest reasons, strongest first, for columns that reports group by';

CREATE FUNCTION @extschema@.predict_reasons_json(model text, top integer, VARIADIC "row" "any") RETURNS jsonb
LANGUAGE c STABLE PARALLEL SAFE COST 1000 SUPPORT model_predict.planner_support_explain
AS 'MODULE_PATHNAME', 'mp_predict_reasons_json';
COMMENT ON FUNCTION @extschema@.predict_reasons_json(text, integer, VARIADIC "any") IS
  'the strongest reasons of predict_explain with the prediction that they explain: as probabilities where it is one, and on the scale of the margin';

CREATE FUNCTION @extschema@.predict_explain_svg(model text, VARIADIC "row" "any") RETURNS text
LANGUAGE c STABLE PARALLEL SAFE COST 1000 SUPPORT model_predict.planner_support_explain
AS 'MODULE_PATHNAME', 'mp_predict_explain_svg';
COMMENT ON FUNCTION @extschema@.predict_explain_svg(text, VARIADIC "any") IS
  'predict_explain as a picture: an SVG document that stands alone or inside a page';

CREATE FUNCTION @extschema@.predict_explain_svg_styled(model text, top integer, width integer, theme text, VARIADIC "row" "any") RETURNS text
LANGUAGE c STABLE PARALLEL SAFE COST 1000 SUPPORT model_predict.planner_support_explain
AS 'MODULE_PATHNAME', 'mp_predict_explain_svg_styled';
COMMENT ON FUNCTION @extschema@.predict_explain_svg_styled(text, integer, integer, text, VARIADIC "any") IS
  'predict_explain_svg with this many reasons, this many pixels wide, in the theme auto, light or dark; NULL: as usual';

CREATE FUNCTION model_predict.importance_svg(
  reference text, kind text DEFAULT 'gain', top integer DEFAULT 12, width integer DEFAULT 760, theme text DEFAULT 'auto'
) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_importance_svg';
COMMENT ON FUNCTION model_predict.importance_svg(text, text, integer, integer, text) IS
  'how much each feature matters to a model, as a picture: by gain, weight, cover, total_gain or total_cover';

CREATE FUNCTION model_predict.tree(reference text, n integer, format text DEFAULT 'text') RETURNS text
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_tree';
COMMENT ON FUNCTION model_predict.tree(text, integer, text) IS
  'a tree of a model, counted from 0, as text or in Graphviz''s language dot; for the owner and pg_read_all_data only';

CREATE FUNCTION model_predict.trees(
  reference text,
  OUT tree integer, OUT used boolean, OUT output text, OUT weight real,
  OUT node integer, OUT parent integer, OUT depth integer,
  OUT "position" integer, OUT feature text, OUT threshold double precision, OUT categories text[],
  OUT yes integer, OUT no integer, OUT missing integer,
  OUT leaf double precision, OUT leaves double precision[], OUT gain real, OUT cover double precision
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE ROWS 10000 AS 'MODULE_PATHNAME', 'mp_trees';
COMMENT ON FUNCTION model_predict.trees(text) IS
  'the nodes of all trees of a model: a split goes to yes where the feature is less than the threshold (of other libraries than XGBoost: or equal), or in the categories; leaf n of LightGBM is node -1 - n; for the owner and pg_read_all_data only';


/* Registration */

CREATE FUNCTION model_predict.register(
  name text, model bytea,
  classes text[] DEFAULT NULL,
  feature_names text[] DEFAULT NULL,
  categories jsonb DEFAULT NULL,
  trees text DEFAULT 'auto',
  threshold double precision DEFAULT 0.5,
  missing real DEFAULT NULL,
  absent_feature text DEFAULT 'error',
  unseen_category text DEFAULT 'error',
  infinity text DEFAULT NULL,
  examples jsonb DEFAULT NULL,
  description text DEFAULT NULL,
  tags jsonb DEFAULT NULL,
  preprocessing jsonb DEFAULT NULL,
  link text DEFAULT NULL,
  metrics jsonb DEFAULT NULL
) RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_register';
COMMENT ON FUNCTION model_predict.register(text, bytea, text[], text[], jsonb, text, double precision, real, text, text, text, jsonb, text, jsonb, jsonb, text, jsonb) IS
  'stores a model file as a new version of a model and returns its number; the first version serves at once, later ones after deploy()';
REVOKE ALL ON FUNCTION model_predict.register(text, bytea, text[], text[], jsonb, text, double precision, real, text, text, text, jsonb, text, jsonb, jsonb, text, jsonb) FROM PUBLIC;

CREATE FUNCTION model_predict.revise(
  reference text,
  classes text[] DEFAULT NULL,
  feature_names text[] DEFAULT NULL,
  categories jsonb DEFAULT NULL,
  trees text DEFAULT NULL,
  threshold double precision DEFAULT NULL,
  missing real DEFAULT NULL,
  absent_feature text DEFAULT NULL,
  unseen_category text DEFAULT NULL,
  infinity text DEFAULT NULL,
  examples jsonb DEFAULT NULL,
  description text DEFAULT NULL,
  tags jsonb DEFAULT NULL,
  preprocessing jsonb DEFAULT NULL,
  link text DEFAULT NULL,
  metrics jsonb DEFAULT NULL
) RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_revise';
COMMENT ON FUNCTION model_predict.revise(text, text[], text[], jsonb, text, double precision, real, text, text, text, jsonb, text, jsonb, jsonb, text, jsonb) IS
  'registers a new version of the same bytes: the options that are given are changed, all others kept';
REVOKE ALL ON FUNCTION model_predict.revise(text, text[], text[], jsonb, text, double precision, real, text, text, text, jsonb, text, jsonb, jsonb, text, jsonb) FROM PUBLIC;

CREATE FUNCTION model_predict.describe(reference text, description text DEFAULT NULL, tags jsonb DEFAULT NULL) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_describe';
COMMENT ON FUNCTION model_predict.describe(text, text, jsonb) IS
  'changes the words about a version, which are all that may change; null keeps what there is';
REVOKE ALL ON FUNCTION model_predict.describe(text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION model_predict.record_metrics(reference text, metrics jsonb, name text DEFAULT NULL) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_record_metrics';
COMMENT ON FUNCTION model_predict.record_metrics(text, jsonb, text) IS
  'keeps what was measured of a version, for the view metrics; name says on which rows';
REVOKE ALL ON FUNCTION model_predict.record_metrics(text, jsonb, text) FROM PUBLIC;

CREATE FUNCTION model_predict.cached(
  OUT model text, OUT version integer, OUT bytes bigint, OUT kernel text,
  OUT loaded timestamptz, OUT load_time interval, OUT rows_scored bigint, OUT shared boolean
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_cached';
COMMENT ON FUNCTION model_predict.cached() IS 'what the view cache shows';

CREATE VIEW model_predict.cache AS SELECT * FROM model_predict.cached();
GRANT SELECT ON model_predict.cache TO PUBLIC;
COMMENT ON VIEW model_predict.cache IS 'the models that this session holds in memory';
COMMENT ON COLUMN model_predict.cache.model IS 'its name';
COMMENT ON COLUMN model_predict.cache.version IS 'its number';
COMMENT ON COLUMN model_predict.cache.bytes IS 'memory that it takes; cache_size bounds the sum';
COMMENT ON COLUMN model_predict.cache.kernel IS 'the evaluator that scores its rows';
COMMENT ON COLUMN model_predict.cache.loaded IS 'when it was loaded';
COMMENT ON COLUMN model_predict.cache.load_time IS 'how long that took';
COMMENT ON COLUMN model_predict.cache.rows_scored IS 'rows since it was loaded';
COMMENT ON COLUMN model_predict.cache.shared IS 'its trees lie in memory that all sessions share';


/* Management */

CREATE FUNCTION model_predict.deploy(
  name text, version integer, comment text DEFAULT NULL, allow_changes boolean DEFAULT false
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_deploy';
COMMENT ON FUNCTION model_predict.deploy(text, integer, text, boolean) IS
  'lets a version serve as the default; refuses changed classes, outputs or features unless allow_changes';

CREATE FUNCTION model_predict.promote(name text, alias text, comment text DEFAULT NULL) RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_promote';
COMMENT ON FUNCTION model_predict.promote(text, text, text) IS
  'deploys the version that an alias names, and returns it; refuses what deploy() refuses';
REVOKE ALL ON FUNCTION model_predict.promote(text, text, text) FROM PUBLIC;

CREATE FUNCTION model_predict.rollback(name text, comment text DEFAULT NULL) RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_rollback';
COMMENT ON FUNCTION model_predict.rollback(text, text) IS
  'lets the version serve that was deployed before the present one, and returns it; again: the one before that';

CREATE FUNCTION model_predict.set_alias(name text, alias text, version integer) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_set_alias';
COMMENT ON FUNCTION model_predict.set_alias(text, text, integer) IS
  'makes or moves an alias, by which name@alias means that version';

CREATE FUNCTION model_predict.drop_alias(name text, alias text) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_drop_alias';
COMMENT ON FUNCTION model_predict.drop_alias(text, text) IS 'forgets an alias; its version stays';

CREATE FUNCTION model_predict.drop_version(name text, version integer) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_drop_version';
COMMENT ON FUNCTION model_predict.drop_version(text, integer) IS
  'deletes a version that no alias names; its number is not used again';

CREATE FUNCTION model_predict.drop_model(name text) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_drop_model';
COMMENT ON FUNCTION model_predict.drop_model(text) IS
  'deletes a model with all its versions, aliases and grants; its history stays';

CREATE FUNCTION model_predict.recompile(reference text) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_recompile';
COMMENT ON FUNCTION model_predict.recompile(text) IS
  'stores the compiled form of a version anew, as after a restore or an upgrade; without it sessions compile for themselves';

CREATE FUNCTION model_predict.grant_predict(name text, role name) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_grant_predict';
COMMENT ON FUNCTION model_predict.grant_predict(text, name) IS
  'lets a role, or public, score with a model and see its metadata, not its bytes';

CREATE FUNCTION model_predict.revoke_predict(name text, role name) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_revoke_predict';
COMMENT ON FUNCTION model_predict.revoke_predict(text, name) IS 'takes back what grant_predict() gave';

CREATE FUNCTION model_predict.set_owner(name text, role name) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_set_owner';
COMMENT ON FUNCTION model_predict.set_owner(text, name) IS
  'gives a model to another role, of which the caller must be a member';

REVOKE ALL ON FUNCTION model_predict.deploy(text, integer, text, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION model_predict.rollback(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION model_predict.set_alias(text, text, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION model_predict.drop_alias(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION model_predict.drop_version(text, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION model_predict.drop_model(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION model_predict.recompile(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION model_predict.grant_predict(text, name) FROM PUBLIC;
REVOKE ALL ON FUNCTION model_predict.revoke_predict(text, name) FROM PUBLIC;
REVOKE ALL ON FUNCTION model_predict.set_owner(text, name) FROM PUBLIC;

CREATE FUNCTION model_predict.export(reference text) RETURNS bytea
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_export';
COMMENT ON FUNCTION model_predict.export(text) IS
  'the file of a version as it was registered; for the owner and pg_read_all_data only';

CREATE FUNCTION model_predict.verify(
  reference text,
  OUT test text, OUT rows bigint, OUT differences bigint, OUT kernel text,
  OUT saved_by text, OUT library text, OUT elapsed interval, OUT detail text
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED COST 100000 ROWS 3 AS 'MODULE_PATHNAME', 'mp_verify';
COMMENT ON FUNCTION model_predict.verify(text) IS
  'tests a version: its examples, and rows at all of its thresholds by the kernel that serves, the plain evaluator and, where it can be had and reads the model, libxgboost; differences must be 0, null says that the test could not be made; run it in the transaction that registers a version, or before deploy()';


/* Scores in a column: the rights are those of the role that writes the row */

CREATE FUNCTION model_predict.score() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_score';
COMMENT ON FUNCTION model_predict.score() IS
  'trigger BEFORE INSERT OR UPDATE ... FOR EACH ROW EXECUTE FUNCTION model_predict.score(''model'', ''column''): fills columns with what a model says of the row; more pairs may follow: value, class, proba_of:LABEL, reasons or version with a column, on_error with null, only_if_changed with true';


CREATE FUNCTION model_predict.check_triggers(relation regclass, OUT trigger text, OUT problem text)
RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL UNSAFE ROWS 1 AS 'MODULE_PATHNAME', 'mp_check_triggers';
COMMENT ON FUNCTION model_predict.check_triggers(regclass) IS
  'what the first row would find wrong with the triggers of a table that score it, for the current role; no rows: nothing';


/* Which version serves, and served */

CREATE FUNCTION model_predict.version_of(reference text) RETURNS integer
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_version_of';
COMMENT ON FUNCTION model_predict.version_of(text) IS
  'the version that a reference names now';

CREATE FUNCTION model_predict.as_of(name text, at timestamptz, alias text DEFAULT 'default') RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_as_of';
COMMENT ON FUNCTION model_predict.as_of(text, timestamptz, text) IS
  'the reference, such as churn@3, of the version that an alias named at some time; null where it named none';


/* A draft of the query between a table and a model */

CREATE FUNCTION model_predict.input_query(reference text, "table" regclass) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_input_query';
COMMENT ON FUNCTION model_predict.input_query(text, regclass) IS
  'drafts the SELECT that feeds a model from a table: its features in order, with what the table has for them; look at what is marked with ?';


/*
 * Measures of scores: aggregates, truth first. Rows with a NULL or a NaN are
 * left out. The last argument of each may be a weight. What an aggregate is
 * made of can be called by nothing else: it takes or gives the type internal.
 */

CREATE FUNCTION model_predict.metrics_combine(internal, internal) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_metrics_combine';
COMMENT ON FUNCTION model_predict.metrics_combine(internal, internal) IS 'aggregate support';

CREATE FUNCTION model_predict.metrics_serialize(internal) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_metrics_serialize';
COMMENT ON FUNCTION model_predict.metrics_serialize(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.metrics_deserialize(bytea, internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_metrics_deserialize';
COMMENT ON FUNCTION model_predict.metrics_deserialize(bytea, internal) IS 'aggregate support';

CREATE TYPE model_predict.roc_point AS (
  threshold double precision,
  false_positive_rate double precision,
  true_positive_rate double precision
);
COMMENT ON TYPE model_predict.roc_point IS 'a point of a ROC curve: what a threshold at a score gives';

CREATE TYPE model_predict.precision_recall_point AS (
  threshold double precision,
  precision double precision,
  recall double precision
);
COMMENT ON TYPE model_predict.precision_recall_point IS 'a point of a precision-recall curve: what a threshold at a score gives';

CREATE TYPE model_predict.calibration_bin AS (
  bin integer,
  rows double precision,
  positives double precision,
  mean_score double precision,
  rate double precision
);
COMMENT ON TYPE model_predict.calibration_bin IS 'rows of similar scores: how many have the outcome, and how many the scores promise';

CREATE TYPE model_predict.gains_bucket AS (
  bucket integer,
  rows double precision,
  positives double precision,
  rate double precision,
  lift double precision,
  captured double precision,
  score_from double precision,
  score_to double precision
);
COMMENT ON TYPE model_predict.gains_bucket IS 'a bucket of rows, the first of the highest scores: how many have the outcome, against all rows';

CREATE TYPE model_predict.binary_evaluation AS (
  rows bigint,
  left_out bigint,
  positives double precision,
  roc_auc double precision,
  average_precision double precision,
  gini double precision,
  ks double precision,
  log_loss double precision,
  brier_score double precision,
  ece double precision,
  accuracy double precision,
  balanced_accuracy double precision,
  precision double precision,
  recall double precision,
  specificity double precision,
  f1 double precision,
  mcc double precision,
  tp double precision,
  fp double precision,
  tn double precision,
  fn double precision
);
COMMENT ON TYPE model_predict.binary_evaluation IS 'how well scores tell two classes apart';

CREATE TYPE model_predict.regression_evaluation AS (
  rows bigint,
  left_out bigint,
  rmse double precision,
  mae double precision,
  mape double precision,
  r2 double precision,
  bias double precision,
  explained_variance double precision
);
COMMENT ON TYPE model_predict.regression_evaluation IS 'how far predicted numbers are from actual ones';

CREATE TYPE model_predict.class_evaluation AS (
  rows bigint,
  left_out bigint,
  accuracy double precision,
  balanced_accuracy double precision,
  macro_precision double precision,
  macro_recall double precision,
  macro_f1 double precision,
  weighted_f1 double precision,
  mcc double precision,
  kappa double precision,
  confusion jsonb
);
COMMENT ON TYPE model_predict.class_evaluation IS 'how well classes are predicted';

CREATE TYPE model_predict.score_agreement AS (
  rows bigint,
  mean_difference double precision,
  mean_abs_difference double precision,
  max_abs_difference double precision,
  correlation double precision,
  rank_correlation double precision,
  changed_class double precision,
  psi double precision
);
COMMENT ON TYPE model_predict.score_agreement IS 'how two scores of the same rows differ';

CREATE FUNCTION model_predict.ranking_accum(internal, boolean, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_ranking_accum';
COMMENT ON FUNCTION model_predict.ranking_accum(internal, boolean, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.ranking_accum(internal, boolean, double precision, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_ranking_accum';
COMMENT ON FUNCTION model_predict.ranking_accum(internal, boolean, double precision, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.ranking_option_accum(internal, boolean, double precision, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_ranking_option_accum';
COMMENT ON FUNCTION model_predict.ranking_option_accum(internal, boolean, double precision, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.ranking_option_accum(internal, boolean, double precision, double precision, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_ranking_option_accum';
COMMENT ON FUNCTION model_predict.ranking_option_accum(internal, boolean, double precision, double precision, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.ranking_option_accum(internal, boolean, double precision, integer) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_ranking_option_accum';
COMMENT ON FUNCTION model_predict.ranking_option_accum(internal, boolean, double precision, integer) IS 'aggregate support';

CREATE FUNCTION model_predict.ranking_option_accum(internal, boolean, double precision, integer, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_ranking_option_accum';
COMMENT ON FUNCTION model_predict.ranking_option_accum(internal, boolean, double precision, integer, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.losses_accum(internal, boolean, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_losses_accum';
COMMENT ON FUNCTION model_predict.losses_accum(internal, boolean, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.losses_accum(internal, boolean, double precision, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_losses_accum';
COMMENT ON FUNCTION model_predict.losses_accum(internal, boolean, double precision, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.regression_accum(internal, double precision, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_regression_accum';
COMMENT ON FUNCTION model_predict.regression_accum(internal, double precision, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.regression_accum(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_regression_accum';
COMMENT ON FUNCTION model_predict.regression_accum(internal, double precision, double precision, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.classes_accum(internal, text, text) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_classes_accum';
COMMENT ON FUNCTION model_predict.classes_accum(internal, text, text) IS 'aggregate support';

CREATE FUNCTION model_predict.classes_accum(internal, text, text, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_classes_accum';
COMMENT ON FUNCTION model_predict.classes_accum(internal, text, text, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.agreement_accum(internal, double precision, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_agreement_accum';
COMMENT ON FUNCTION model_predict.agreement_accum(internal, double precision, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.agreement_accum(internal, double precision, double precision, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_agreement_accum';
COMMENT ON FUNCTION model_predict.agreement_accum(internal, double precision, double precision, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.agreement_accum(internal, double precision, double precision, double precision, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_agreement_accum';
COMMENT ON FUNCTION model_predict.agreement_accum(internal, double precision, double precision, double precision, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.roc_auc_final(internal) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_roc_auc_final';
COMMENT ON FUNCTION model_predict.roc_auc_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.average_precision_final(internal) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_average_precision_final';
COMMENT ON FUNCTION model_predict.average_precision_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.log_loss_final(internal) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_log_loss_final';
COMMENT ON FUNCTION model_predict.log_loss_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.brier_score_final(internal) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_brier_score_final';
COMMENT ON FUNCTION model_predict.brier_score_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.evaluate_binary_final(internal) RETURNS model_predict.binary_evaluation
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_evaluate_binary_final';
COMMENT ON FUNCTION model_predict.evaluate_binary_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.roc_curve_final(internal) RETURNS model_predict.roc_point[]
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_roc_curve_final';
COMMENT ON FUNCTION model_predict.roc_curve_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.precision_recall_curve_final(internal) RETURNS model_predict.precision_recall_point[]
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_precision_recall_curve_final';
COMMENT ON FUNCTION model_predict.precision_recall_curve_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.calibration_curve_final(internal) RETURNS model_predict.calibration_bin[]
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_calibration_curve_final';
COMMENT ON FUNCTION model_predict.calibration_curve_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.gains_final(internal) RETURNS model_predict.gains_bucket[]
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_gains_final';
COMMENT ON FUNCTION model_predict.gains_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.rmse_final(internal) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_rmse_final';
COMMENT ON FUNCTION model_predict.rmse_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.mae_final(internal) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_mae_final';
COMMENT ON FUNCTION model_predict.mae_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.mape_final(internal) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_mape_final';
COMMENT ON FUNCTION model_predict.mape_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.r2_final(internal) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_r2_final';
COMMENT ON FUNCTION model_predict.r2_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.evaluate_regression_final(internal) RETURNS model_predict.regression_evaluation
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_evaluate_regression_final';
COMMENT ON FUNCTION model_predict.evaluate_regression_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.evaluate_classes_final(internal) RETURNS model_predict.class_evaluation
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_evaluate_classes_final';
COMMENT ON FUNCTION model_predict.evaluate_classes_final(internal) IS 'aggregate support';

CREATE FUNCTION model_predict.agreement_final(internal) RETURNS model_predict.score_agreement
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_agreement_final';
COMMENT ON FUNCTION model_predict.agreement_final(internal) IS 'aggregate support';

CREATE AGGREGATE model_predict.roc_auc(outcome boolean, score double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.roc_auc_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.roc_auc(boolean, double precision) IS
  'area below the ROC curve: the probability that a row with the outcome has the higher score; null for one class';

CREATE AGGREGATE model_predict.roc_auc(outcome boolean, score double precision, weight double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.roc_auc_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.roc_auc(boolean, double precision, double precision) IS
  'area below the ROC curve: the probability that a row with the outcome has the higher score; null for one class; weighted';

CREATE AGGREGATE model_predict.average_precision(outcome boolean, score double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.average_precision_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.average_precision(boolean, double precision) IS
  'average precision of scores: the mean precision over steps of recall';

CREATE AGGREGATE model_predict.average_precision(outcome boolean, score double precision, weight double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.average_precision_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.average_precision(boolean, double precision, double precision) IS
  'average precision of scores: the mean precision over steps of recall; weighted';

CREATE AGGREGATE model_predict.log_loss(outcome boolean, score double precision) (
  SFUNC = model_predict.losses_accum, STYPE = internal, FINALFUNC = model_predict.log_loss_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.log_loss(boolean, double precision) IS
  'mean logarithmic loss of probabilities, computed in single precision if all are float32 values, as Python does for XGBoost';

CREATE AGGREGATE model_predict.log_loss(outcome boolean, score double precision, weight double precision) (
  SFUNC = model_predict.losses_accum, STYPE = internal, FINALFUNC = model_predict.log_loss_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.log_loss(boolean, double precision, double precision) IS
  'mean logarithmic loss of probabilities, computed in single precision if all are float32 values, as Python does for XGBoost; weighted';

CREATE AGGREGATE model_predict.brier_score(outcome boolean, score double precision) (
  SFUNC = model_predict.losses_accum, STYPE = internal, FINALFUNC = model_predict.brier_score_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.brier_score(boolean, double precision) IS
  'mean squared error of probabilities';

CREATE AGGREGATE model_predict.brier_score(outcome boolean, score double precision, weight double precision) (
  SFUNC = model_predict.losses_accum, STYPE = internal, FINALFUNC = model_predict.brier_score_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.brier_score(boolean, double precision, double precision) IS
  'mean squared error of probabilities; weighted';

CREATE AGGREGATE model_predict.evaluate_binary(outcome boolean, score double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.evaluate_binary_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.evaluate_binary(boolean, double precision) IS
  'all measures of scores for two classes, in one row; a score above 0.5 is a yes';

CREATE AGGREGATE model_predict.evaluate_binary(outcome boolean, score double precision, threshold double precision) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.evaluate_binary_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.evaluate_binary(boolean, double precision, double precision) IS
  'all measures of scores for two classes, in one row; a score above the threshold is a yes';

CREATE AGGREGATE model_predict.evaluate_binary(outcome boolean, score double precision, threshold double precision, weight double precision) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.evaluate_binary_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.evaluate_binary(boolean, double precision, double precision, double precision) IS
  'all measures of scores for two classes, in one row; a score above the threshold is a yes; weighted';

CREATE AGGREGATE model_predict.roc_curve(outcome boolean, score double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.roc_curve_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.roc_curve(boolean, double precision) IS
  'corners of the ROC curve, from the highest threshold on: all if they are at most 100 points, else those nearest to equal steps; for unnest()';

CREATE AGGREGATE model_predict.roc_curve(outcome boolean, score double precision, points integer) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.roc_curve_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.roc_curve(boolean, double precision, integer) IS
  'corners of the ROC curve, from the highest threshold on: all if they are at most that many, else those nearest to equal steps; for unnest()';

CREATE AGGREGATE model_predict.roc_curve(outcome boolean, score double precision, points integer, weight double precision) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.roc_curve_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.roc_curve(boolean, double precision, integer, double precision) IS
  'corners of the ROC curve, from the highest threshold on: all if they are at most that many, else those nearest to equal steps; for unnest(); weighted';

CREATE AGGREGATE model_predict.precision_recall_curve(outcome boolean, score double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.precision_recall_curve_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.precision_recall_curve(boolean, double precision) IS
  'corners of the precision-recall curve, from the lowest threshold on: all if they are at most 100 points, else those nearest to equal steps; for unnest()';

CREATE AGGREGATE model_predict.precision_recall_curve(outcome boolean, score double precision, points integer) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.precision_recall_curve_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.precision_recall_curve(boolean, double precision, integer) IS
  'corners of the precision-recall curve, from the lowest threshold on: all if they are at most that many, else those nearest to equal steps; for unnest()';

CREATE AGGREGATE model_predict.precision_recall_curve(outcome boolean, score double precision, points integer, weight double precision) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.precision_recall_curve_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.precision_recall_curve(boolean, double precision, integer, double precision) IS
  'corners of the precision-recall curve, from the lowest threshold on: all if they are at most that many, else those nearest to equal steps; for unnest(); weighted';

CREATE AGGREGATE model_predict.calibration_curve(outcome boolean, score double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.calibration_curve_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.calibration_curve(boolean, double precision) IS
  'rows by 10 equal ranges of their probability: what it promises, and what came; for unnest()';

CREATE AGGREGATE model_predict.calibration_curve(outcome boolean, score double precision, bins integer) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.calibration_curve_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.calibration_curve(boolean, double precision, integer) IS
  'rows by this many equal ranges of their probability: what it promises, and what came; for unnest()';

CREATE AGGREGATE model_predict.calibration_curve(outcome boolean, score double precision, bins integer, weight double precision) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.calibration_curve_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.calibration_curve(boolean, double precision, integer, double precision) IS
  'rows by this many equal ranges of their probability: what it promises, and what came; for unnest(); weighted';

CREATE AGGREGATE model_predict.gains(outcome boolean, score double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.gains_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.gains(boolean, double precision) IS
  'rows in 10 equal buckets by their score, the highest first: rate, lift and captured share of the outcome; for unnest()';

CREATE AGGREGATE model_predict.gains(outcome boolean, score double precision, buckets integer) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.gains_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.gains(boolean, double precision, integer) IS
  'rows in this many equal buckets by their score, the highest first: rate, lift and captured share of the outcome; for unnest()';

CREATE AGGREGATE model_predict.gains(outcome boolean, score double precision, buckets integer, weight double precision) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.gains_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.gains(boolean, double precision, integer, double precision) IS
  'rows in this many equal buckets by their score, the highest first: rate, lift and captured share of the outcome; for unnest(); weighted';

CREATE AGGREGATE model_predict.rmse(actual double precision, predicted double precision) (
  SFUNC = model_predict.regression_accum, STYPE = internal, FINALFUNC = model_predict.rmse_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.rmse(double precision, double precision) IS
  'root of the mean squared error of predicted numbers';

CREATE AGGREGATE model_predict.rmse(actual double precision, predicted double precision, weight double precision) (
  SFUNC = model_predict.regression_accum, STYPE = internal, FINALFUNC = model_predict.rmse_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.rmse(double precision, double precision, double precision) IS
  'root of the mean squared error of predicted numbers; weighted';

CREATE AGGREGATE model_predict.mae(actual double precision, predicted double precision) (
  SFUNC = model_predict.regression_accum, STYPE = internal, FINALFUNC = model_predict.mae_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.mae(double precision, double precision) IS
  'mean absolute error of predicted numbers';

CREATE AGGREGATE model_predict.mae(actual double precision, predicted double precision, weight double precision) (
  SFUNC = model_predict.regression_accum, STYPE = internal, FINALFUNC = model_predict.mae_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.mae(double precision, double precision, double precision) IS
  'mean absolute error of predicted numbers; weighted';

CREATE AGGREGATE model_predict.mape(actual double precision, predicted double precision) (
  SFUNC = model_predict.regression_accum, STYPE = internal, FINALFUNC = model_predict.mape_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.mape(double precision, double precision) IS
  'mean absolute error of predicted numbers, relative to the actual ones; 1 means 100 %';

CREATE AGGREGATE model_predict.mape(actual double precision, predicted double precision, weight double precision) (
  SFUNC = model_predict.regression_accum, STYPE = internal, FINALFUNC = model_predict.mape_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.mape(double precision, double precision, double precision) IS
  'mean absolute error of predicted numbers, relative to the actual ones; 1 means 100 %; weighted';

CREATE AGGREGATE model_predict.r2(actual double precision, predicted double precision) (
  SFUNC = model_predict.regression_accum, STYPE = internal, FINALFUNC = model_predict.r2_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.r2(double precision, double precision) IS
  'share of the variance of actual numbers that the predicted ones explain';

CREATE AGGREGATE model_predict.r2(actual double precision, predicted double precision, weight double precision) (
  SFUNC = model_predict.regression_accum, STYPE = internal, FINALFUNC = model_predict.r2_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.r2(double precision, double precision, double precision) IS
  'share of the variance of actual numbers that the predicted ones explain; weighted';

CREATE AGGREGATE model_predict.evaluate_regression(actual double precision, predicted double precision) (
  SFUNC = model_predict.regression_accum, STYPE = internal, FINALFUNC = model_predict.evaluate_regression_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.evaluate_regression(double precision, double precision) IS
  'all measures of predicted numbers, in one row';

CREATE AGGREGATE model_predict.evaluate_regression(actual double precision, predicted double precision, weight double precision) (
  SFUNC = model_predict.regression_accum, STYPE = internal, FINALFUNC = model_predict.evaluate_regression_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.evaluate_regression(double precision, double precision, double precision) IS
  'all measures of predicted numbers, in one row; weighted';

CREATE AGGREGATE model_predict.evaluate_classes(actual text, predicted text) (
  SFUNC = model_predict.classes_accum, STYPE = internal, FINALFUNC = model_predict.evaluate_classes_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.evaluate_classes(text, text) IS
  'all measures of predicted classes, in one row';

CREATE AGGREGATE model_predict.evaluate_classes(actual text, predicted text, weight double precision) (
  SFUNC = model_predict.classes_accum, STYPE = internal, FINALFUNC = model_predict.evaluate_classes_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.evaluate_classes(text, text, double precision) IS
  'all measures of predicted classes, in one row; weighted';

CREATE AGGREGATE model_predict.agreement(a double precision, b double precision) (
  SFUNC = model_predict.agreement_accum, STYPE = internal, FINALFUNC = model_predict.agreement_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.agreement(double precision, double precision) IS
  'how two scores of the same rows differ; changed_class is the share of rows with one of them above 0.5';

CREATE AGGREGATE model_predict.agreement(a double precision, b double precision, threshold double precision) (
  SFUNC = model_predict.agreement_accum, STYPE = internal, FINALFUNC = model_predict.agreement_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.agreement(double precision, double precision, double precision) IS
  'how two scores of the same rows differ; changed_class is the share of rows with one of them above the threshold';

CREATE AGGREGATE model_predict.agreement(a double precision, b double precision, threshold double precision, weight double precision) (
  SFUNC = model_predict.agreement_accum, STYPE = internal, FINALFUNC = model_predict.agreement_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.agreement(double precision, double precision, double precision, double precision) IS
  'how two scores of the same rows differ; changed_class is the share of rows with one of them above the threshold; weighted';

/* Pictures of measures */

CREATE FUNCTION model_predict.roc_svg_final(internal) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_roc_svg_final';
COMMENT ON FUNCTION model_predict.roc_svg_final(internal) IS 'aggregate support';

CREATE AGGREGATE model_predict.roc_svg(outcome boolean, score double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.roc_svg_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.roc_svg(boolean, double precision) IS
  'the ROC curve as a picture: an SVG document that stands alone or inside a page';

CREATE AGGREGATE model_predict.roc_svg(outcome boolean, score double precision, width integer) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.roc_svg_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.roc_svg(boolean, double precision, integer) IS
  'the ROC curve as a picture: an SVG document that stands alone or inside a page; so many pixels wide';

CREATE FUNCTION model_predict.calibration_svg_final(internal) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_calibration_svg_final';
COMMENT ON FUNCTION model_predict.calibration_svg_final(internal) IS 'aggregate support';

CREATE AGGREGATE model_predict.calibration_svg(outcome boolean, score double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.calibration_svg_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.calibration_svg(boolean, double precision) IS
  'what probabilities promise and what came, as a picture';

CREATE AGGREGATE model_predict.calibration_svg(outcome boolean, score double precision, width integer) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.calibration_svg_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.calibration_svg(boolean, double precision, integer) IS
  'what probabilities promise and what came, as a picture; so many pixels wide';

CREATE FUNCTION model_predict.gains_svg_final(internal) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_gains_svg_final';
COMMENT ON FUNCTION model_predict.gains_svg_final(internal) IS 'aggregate support';

CREATE AGGREGATE model_predict.gains_svg(outcome boolean, score double precision) (
  SFUNC = model_predict.ranking_accum, STYPE = internal, FINALFUNC = model_predict.gains_svg_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.gains_svg(boolean, double precision) IS
  'which share of the outcome the rows with the highest scores hold, as a picture';

CREATE AGGREGATE model_predict.gains_svg(outcome boolean, score double precision, width integer) (
  SFUNC = model_predict.ranking_option_accum, STYPE = internal, FINALFUNC = model_predict.gains_svg_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.gains_svg(boolean, double precision, integer) IS
  'which share of the outcome the rows with the highest scores hold, as a picture; so many pixels wide';

CREATE FUNCTION model_predict.scores_accum(internal, double precision) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_scores_accum';
COMMENT ON FUNCTION model_predict.scores_accum(internal, double precision) IS 'aggregate support';

CREATE FUNCTION model_predict.scores_accum(internal, double precision, integer) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_scores_accum';
COMMENT ON FUNCTION model_predict.scores_accum(internal, double precision, integer) IS 'aggregate support';

CREATE FUNCTION model_predict.histogram_svg_final(internal) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_histogram_svg_final';
COMMENT ON FUNCTION model_predict.histogram_svg_final(internal) IS 'aggregate support';

CREATE AGGREGATE model_predict.histogram_svg(score double precision) (
  SFUNC = model_predict.scores_accum, STYPE = internal, FINALFUNC = model_predict.histogram_svg_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.histogram_svg(double precision) IS
  'how many rows have which score, as a picture';

CREATE AGGREGATE model_predict.histogram_svg(score double precision, width integer) (
  SFUNC = model_predict.scores_accum, STYPE = internal, FINALFUNC = model_predict.histogram_svg_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.histogram_svg(double precision, integer) IS
  'how many rows have which score, as a picture; so many pixels wide';

/* What rows are like, and how far they are from a baseline */

CREATE FUNCTION model_predict.profile_accum(internal, text, VARIADIC "any") RETURNS internal
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'mp_profile_accum';
COMMENT ON FUNCTION model_predict.profile_accum(internal, text, VARIADIC "any") IS 'aggregate support';

CREATE FUNCTION model_predict.merge_profiles_accum(internal, jsonb) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_merge_profiles_accum';
COMMENT ON FUNCTION model_predict.merge_profiles_accum(internal, jsonb) IS 'aggregate support';

CREATE FUNCTION model_predict.profile_final(internal) RETURNS jsonb
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_profile_final';
COMMENT ON FUNCTION model_predict.profile_final(internal) IS 'aggregate support';

CREATE AGGREGATE model_predict.profile(model text, VARIADIC "row" "any") (
  SFUNC = model_predict.profile_accum, STYPE = internal, FINALFUNC = model_predict.profile_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.profile(text, VARIADIC "any") IS
  'what rows are like, as a model reads them: histograms of numbers, counts of labels and of what is missing, and the same of the scores; for drift(), and only for those who may see the rows';

CREATE AGGREGATE model_predict.merge_profiles(profile jsonb) (
  SFUNC = model_predict.merge_profiles_accum, STYPE = internal, FINALFUNC = model_predict.profile_final,
  COMBINEFUNC = model_predict.metrics_combine, SERIALFUNC = model_predict.metrics_serialize,
  DESERIALFUNC = model_predict.metrics_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE model_predict.merge_profiles(jsonb) IS
  'the profile of all rows of several profiles: those of days give a month''s';

CREATE FUNCTION model_predict.set_baseline(reference text, profile jsonb) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_set_baseline';
COMMENT ON FUNCTION model_predict.set_baseline(text, jsonb) IS
  'keeps a profile of the rows that a version was trained on, without what fewer than five rows have; null forgets it';
REVOKE ALL ON FUNCTION model_predict.set_baseline(text, jsonb) FROM PUBLIC;

CREATE FUNCTION model_predict.drift(
  profile jsonb, baseline jsonb,
  OUT input text, OUT kind text, OUT psi double precision, OUT js_distance double precision,
  OUT noise double precision, OUT rows bigint, OUT missing double precision,
  OUT baseline_missing double precision, OUT unseen double precision, OUT importance double precision,
  OUT verdict text
) RETURNS SETOF record
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'mp_drift_profiles';
COMMENT ON FUNCTION model_predict.drift(jsonb, jsonb) IS
  'how far the rows of a profile are from those of another one, by input: the score first, then the largest population stability index';

CREATE FUNCTION model_predict.drift(
  reference text, profile jsonb,
  OUT input text, OUT kind text, OUT psi double precision, OUT js_distance double precision,
  OUT noise double precision, OUT rows bigint, OUT missing double precision,
  OUT baseline_missing double precision, OUT unseen double precision, OUT importance double precision,
  OUT verdict text
) RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'mp_drift_reference';
COMMENT ON FUNCTION model_predict.drift(text, jsonb) IS
  'how far the rows of a profile are from those that a version was trained on, by input: the score first, then by importance times population stability index';

CREATE FUNCTION model_predict.drift_svg(
  reference text, profile jsonb, top integer DEFAULT 12, width integer DEFAULT 760, theme text DEFAULT 'auto'
) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_drift_svg';
COMMENT ON FUNCTION model_predict.drift_svg(text, jsonb, integer, integer, text) IS
  'how far the rows of a profile are from those that a version was trained on, as a picture: population stability indexes';

CREATE FUNCTION model_predict.bucket(key text, salt text DEFAULT '') RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mp_bucket';
COMMENT ON FUNCTION model_predict.bucket(text, text) IS
  'a number from 0 to 1 for a key, always the same: divides rows for canaries and samples; each salt divides in another way';


CREATE FUNCTION model_predict.distribute() RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_distribute';
REVOKE EXECUTE ON FUNCTION model_predict.distribute() FROM PUBLIC;
COMMENT ON FUNCTION model_predict.distribute() IS
  'on the coordinator of Citus, once, by a superuser: copies the models to every node, now and on nodes that come later';


/* Views: each role sees the models that it may use */

CREATE FUNCTION model_predict.visible_models(
  OUT id bigint, OUT name text, OUT owner model_predict.role, OUT created timestamptz
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_visible_models';
COMMENT ON FUNCTION model_predict.visible_models() IS 'for the views: the models that the current role may use';

CREATE FUNCTION model_predict.visible_versions(
  OUT model bigint, OUT version integer, OUT sha256 bytea, OUT trees text, OUT classes text[], OUT threshold double precision, OUT missing real,
  OUT absent_feature text, OUT unseen_category text, OUT infinity text, OUT examples integer, OUT description text, OUT tags jsonb,
  OUT format text, OUT library text, OUT library_version text, OUT objective text, OUT booster text, OUT features integer, OUT outputs integer, OUT n_trees integer,
  OUT rounds integer, OUT rounds_used integer, OUT created timestamptz, OUT created_by text, OUT bytes integer
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_visible_versions';
COMMENT ON FUNCTION model_predict.visible_versions() IS 'for the views: their versions, without the bytes and the examples but with how many there are';

CREATE FUNCTION model_predict.visible_aliases(
  OUT model bigint, OUT alias text, OUT version integer
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_visible_aliases';
COMMENT ON FUNCTION model_predict.visible_aliases() IS 'for the views: their aliases';

CREATE FUNCTION model_predict.visible_features(
  OUT model bigint, OUT version integer, OUT "position" integer, OUT name text, OUT type text, OUT categories text[],
  OUT gain real, OUT weight real, OUT cover real, OUT total_gain real, OUT total_cover real
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_visible_features';
COMMENT ON FUNCTION model_predict.visible_features() IS 'for the views: what is known of their features';

CREATE FUNCTION model_predict.visible_inputs(
  OUT model bigint, OUT version integer, OUT "position" integer, OUT name text, OUT type text, OUT labels text[], OUT features text[]
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_visible_inputs';
COMMENT ON FUNCTION model_predict.visible_inputs() IS 'for the views: inputs of versions with preprocessing';

CREATE FUNCTION model_predict.visible_metrics(
  OUT model bigint, OUT version integer, OUT number integer, OUT name text, OUT metrics jsonb, OUT recorded timestamptz, OUT recorded_by text
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_visible_metrics';
COMMENT ON FUNCTION model_predict.visible_metrics() IS 'for the views: what was measured of versions';

CREATE FUNCTION model_predict.visible_events(
  OUT id bigint, OUT model text, OUT model_id bigint, OUT action text, OUT alias text, OUT old_version integer, OUT new_version integer,
  OUT role text, OUT who text, OUT login text, OUT at timestamptz, OUT comment text
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_visible_events';
COMMENT ON FUNCTION model_predict.visible_events() IS 'for the views: their history; rights are told to those who manage a model, dropped models to those who did';

CREATE FUNCTION model_predict.visible_usage(
  OUT model bigint, OUT version integer, OUT statements bigint, OUT rows bigint, OUT loads bigint,
  OUT last_use timestamptz, OUT since timestamptz
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_visible_usage';
COMMENT ON FUNCTION model_predict.visible_usage() IS 'for the views: how often their versions are used';

CREATE VIEW model_predict.models AS
SELECT m.name AS model,
  COALESCE((SELECT r.rolname::pg_catalog.text FROM pg_catalog.pg_roles r
            WHERE r.oid OPERATOR(pg_catalog.=) m.owner), '-') AS owner,
  a.version AS default_version,
  COALESCE(v.versions, 0) AS versions,
  m.created
FROM model_predict.visible_models() m
LEFT JOIN (SELECT s.model, pg_catalog.count(*) AS versions FROM model_predict.visible_versions() s GROUP BY s.model) v
  ON v.model OPERATOR(pg_catalog.=) m.id
LEFT JOIN model_predict.visible_aliases() a
  ON a.model OPERATOR(pg_catalog.=) m.id AND a.alias OPERATOR(pg_catalog.=) 'default';
COMMENT ON VIEW model_predict.models IS 'the models that the current role may use';
COMMENT ON COLUMN model_predict.models.model IS 'name, as references begin';
COMMENT ON COLUMN model_predict.models.owner IS
  'the role that manages it; - where that was dropped';
COMMENT ON COLUMN model_predict.models.default_version IS 'the version that serves';
COMMENT ON COLUMN model_predict.models.versions IS 'how many there are';
COMMENT ON COLUMN model_predict.models.created IS 'when its first version was registered';

CREATE VIEW model_predict.versions AS
SELECT m.name AS model, v.version, v.library, v.library_version, v.format, v.objective, v.booster,
  v.features, v.outputs, v.classes, v.n_trees AS trees, v.rounds, v.rounds_used, v.trees AS trees_option,
  v.threshold, v.missing, v.absent_feature, v.unseen_category, v.infinity,
  COALESCE(v.examples, 0) AS examples, v.bytes, pg_catalog.encode(v.sha256, 'hex') AS sha256,
  v.created, v.created_by, v.description, v.tags
FROM model_predict.visible_versions() v
JOIN model_predict.visible_models() m ON m.id OPERATOR(pg_catalog.=) v.model;
COMMENT ON VIEW model_predict.versions IS 'the versions of the models that the current role may use';
COMMENT ON COLUMN model_predict.versions.model IS 'name of the model';
COMMENT ON COLUMN model_predict.versions.version IS 'number, never used again';
COMMENT ON COLUMN model_predict.versions.format IS 'of the file: ubj, json, deprecated (XGBoost''s old binary one) or text (LightGBM''s)';
COMMENT ON COLUMN model_predict.versions.library IS 'that trained the model: XGBoost, LightGBM or scikit-learn';
COMMENT ON COLUMN model_predict.versions.library_version IS 'that saved the file; of LightGBM, whose files do not say it, the version of their format';
COMMENT ON COLUMN model_predict.versions.objective IS
  'what the model was trained for, by the library''s name';
COMMENT ON COLUMN model_predict.versions.booster IS 'gbtree, dart or gblinear';
COMMENT ON COLUMN model_predict.versions.features IS 'how many inputs it has';
COMMENT ON COLUMN model_predict.versions.outputs IS 'margins for a row';
COMMENT ON COLUMN model_predict.versions.classes IS 'labels as registered, in class order';
COMMENT ON COLUMN model_predict.versions.trees IS 'in the file';
COMMENT ON COLUMN model_predict.versions.rounds IS 'of boosting, in the file';
COMMENT ON COLUMN model_predict.versions.rounds_used IS
  'of them by predictions: fewer after early stopping';
COMMENT ON COLUMN model_predict.versions.trees_option IS 'all, or best: up to early stopping''s best round';
COMMENT ON COLUMN model_predict.versions.threshold IS
  'above which predict_class answers the second of two classes';
COMMENT ON COLUMN model_predict.versions.missing IS
  'a value that means missing, beside NULL and NaN';
COMMENT ON COLUMN model_predict.versions.absent_feature IS
  'what a row without a feature is: an error, or missing there';
COMMENT ON COLUMN model_predict.versions.unseen_category IS
  'what a label that training has not seen is: an error, missing, or a null answer';
COMMENT ON COLUMN model_predict.versions.infinity IS
  'what an infinite value is: an error, scored, or missing';
COMMENT ON COLUMN model_predict.versions.examples IS
  'how many rows with known answers verify() runs';
COMMENT ON COLUMN model_predict.versions.bytes IS 'size of the file';
COMMENT ON COLUMN model_predict.versions.sha256 IS 'of the file, in hexadecimal';
COMMENT ON COLUMN model_predict.versions.created IS 'when it was registered';
COMMENT ON COLUMN model_predict.versions.created_by IS 'by which role';
COMMENT ON COLUMN model_predict.versions.description IS 'for people, as registered';
COMMENT ON COLUMN model_predict.versions.tags IS 'for tools, as registered';

CREATE VIEW model_predict.usage AS
SELECT m.name AS model, u.version, u.statements, u.rows, u.loads, u.last_use, u.since
FROM model_predict.visible_usage() u
JOIN model_predict.visible_models() m ON m.id OPERATOR(pg_catalog.=) u.model;
COMMENT ON VIEW model_predict.usage IS
  'how often versions are used by all sessions, since the server was started or reset_usage() was called';
COMMENT ON COLUMN model_predict.usage.model IS 'name of the model';
COMMENT ON COLUMN model_predict.usage.version IS 'number of the version';
COMMENT ON COLUMN model_predict.usage.statements IS 'of clients that scored rows with it; counted when their transactions end, committed or not';
COMMENT ON COLUMN model_predict.usage.rows IS 'that were scored';
COMMENT ON COLUMN model_predict.usage.loads IS 'how often a session loaded it';
COMMENT ON COLUMN model_predict.usage.last_use IS 'when the last of these transactions ended';
COMMENT ON COLUMN model_predict.usage.since IS 'when counting began';

CREATE FUNCTION model_predict.reset_usage(name text) RETURNS void
LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_reset_usage';
COMMENT ON FUNCTION model_predict.reset_usage(text) IS 'counts the use of a model''s versions anew';
REVOKE ALL ON FUNCTION model_predict.reset_usage(text) FROM PUBLIC;

CREATE VIEW model_predict.aliases AS
SELECT m.name AS model, a.alias, a.version
FROM model_predict.visible_aliases() a
JOIN model_predict.visible_models() m ON m.id OPERATOR(pg_catalog.=) a.model;
COMMENT ON VIEW model_predict.aliases IS 'which version each alias names';
COMMENT ON COLUMN model_predict.aliases.model IS 'name of the model';
COMMENT ON COLUMN model_predict.aliases.alias IS
  'as in model@alias; default is what the name alone means';
COMMENT ON COLUMN model_predict.aliases.version IS 'that it names';

/* features that have no name and that no tree uses have no row */
CREATE VIEW model_predict.features AS
SELECT m.name AS model, v.version, g."position", f.name, COALESCE(f.type, 'float') AS type, f.categories,
  CASE WHEN f.type IS NULL THEN 0 ELSE f.gain END AS gain,
  CASE WHEN f.type IS NULL THEN 0 ELSE f.weight END AS weight,
  CASE WHEN f.type IS NULL THEN 0 ELSE f.cover END AS cover,
  CASE WHEN f.type IS NULL THEN 0 ELSE f.total_gain END AS total_gain,
  CASE WHEN f.type IS NULL THEN 0 ELSE f.total_cover END AS total_cover
FROM model_predict.visible_versions() v
JOIN model_predict.visible_models() m ON m.id OPERATOR(pg_catalog.=) v.model
CROSS JOIN LATERAL pg_catalog.generate_series(1, v.features) AS g("position")
LEFT JOIN model_predict.visible_features() f ON f.model OPERATOR(pg_catalog.=) v.model
  AND f.version OPERATOR(pg_catalog.=) v.version AND f."position" OPERATOR(pg_catalog.=) g."position";
COMMENT ON VIEW model_predict.features IS
  'the inputs of each version, what is known of their categories, and how much the trees use them';
COMMENT ON COLUMN model_predict.features.model IS 'name of the model';
COMMENT ON COLUMN model_predict.features.version IS 'number of the version';
COMMENT ON COLUMN model_predict.features.position IS 'in a row without names, from 1';
COMMENT ON COLUMN model_predict.features.name IS
  'in a row with names; null where the model has none';
COMMENT ON COLUMN model_predict.features.type IS 'float, or category';
COMMENT ON COLUMN model_predict.features.categories IS
  'labels in the order of their codes, where they are known';
COMMENT ON COLUMN model_predict.features.gain IS 'what a split on it improves the loss, on average';
COMMENT ON COLUMN model_predict.features.weight IS
  'how many splits are on it; of a linear model its coefficient';
COMMENT ON COLUMN model_predict.features.cover IS
  'how much training data a split on it sees, on average';
COMMENT ON COLUMN model_predict.features.total_gain IS 'what all splits on it improve the loss';
COMMENT ON COLUMN model_predict.features.total_cover IS
  'how much training data all splits on it see';

CREATE VIEW model_predict.inputs AS
SELECT m.name AS model, i.version, i."position", i.name, i.type, i.labels, i.features
FROM model_predict.visible_inputs() i
JOIN model_predict.visible_models() m ON m.id OPERATOR(pg_catalog.=) i.model
UNION ALL
SELECT m.name, v.version, g."position", f.name,
  CASE WHEN f.type OPERATOR(pg_catalog.=) 'category' THEN 'category' ELSE 'number' END, f.categories,
  CASE WHEN f.name IS NULL THEN NULL ELSE ARRAY[f.name] END
FROM model_predict.visible_versions() v
JOIN model_predict.visible_models() m ON m.id OPERATOR(pg_catalog.=) v.model
CROSS JOIN LATERAL pg_catalog.generate_series(1, v.features) AS g("position")
LEFT JOIN model_predict.visible_features() f ON f.model OPERATOR(pg_catalog.=) v.model
  AND f.version OPERATOR(pg_catalog.=) v.version AND f."position" OPERATOR(pg_catalog.=) g."position"
WHERE NOT EXISTS (SELECT FROM model_predict.visible_inputs() i
  WHERE i.model OPERATOR(pg_catalog.=) v.model AND i.version OPERATOR(pg_catalog.=) v.version);
COMMENT ON VIEW model_predict.inputs IS
  'what a row must bring to each version, and what its preprocessing makes of it';
COMMENT ON COLUMN model_predict.inputs.model IS 'name of the model';
COMMENT ON COLUMN model_predict.inputs.version IS 'number of the version';
COMMENT ON COLUMN model_predict.inputs.position IS 'in a row without names, from 1';
COMMENT ON COLUMN model_predict.inputs.name IS 'in a row with names; null where the model has none';
COMMENT ON COLUMN model_predict.inputs.type IS 'number, category or time';
COMMENT ON COLUMN model_predict.inputs.labels IS 'that are known';
COMMENT ON COLUMN model_predict.inputs.features IS 'made from it';

CREATE VIEW model_predict.metrics AS
SELECT m.name AS model, s.version, s.name, s.metrics, s.recorded, s.recorded_by
FROM model_predict.visible_metrics() s
JOIN model_predict.visible_models() m ON m.id OPERATOR(pg_catalog.=) s.model
ORDER BY m.name, s.version, s.number;
COMMENT ON VIEW model_predict.metrics IS 'what was measured of versions: in training, and since';
COMMENT ON COLUMN model_predict.metrics.model IS 'name of the model';
COMMENT ON COLUMN model_predict.metrics.version IS 'number of the version';
COMMENT ON COLUMN model_predict.metrics.name IS 'on which rows; training: given at registration';
COMMENT ON COLUMN model_predict.metrics.metrics IS 'names and values';
COMMENT ON COLUMN model_predict.metrics.recorded IS 'when';
COMMENT ON COLUMN model_predict.metrics.recorded_by IS 'the current role then';

CREATE VIEW model_predict.history AS
SELECT e.model, e.action, e.alias, e.old_version, e.new_version, e.role, e.who, e.login, e.at, e.comment
FROM model_predict.visible_events() e
ORDER BY e.id;
COMMENT ON VIEW model_predict.history IS
  'what was done to the models that the current role may use; rights are told to those who manage them, dropped models to those who did';
COMMENT ON COLUMN model_predict.history.model IS 'name of the model';
COMMENT ON COLUMN model_predict.history.action IS 'the function that was called';
COMMENT ON COLUMN model_predict.history.alias IS 'that was made, moved or dropped';
COMMENT ON COLUMN model_predict.history.old_version IS 'that it named before';
COMMENT ON COLUMN model_predict.history.new_version IS
  'that it names since, or that was registered';
COMMENT ON COLUMN model_predict.history.role IS
  'whose right was granted or taken, or who is the new owner';
COMMENT ON COLUMN model_predict.history.who IS 'the current role';
COMMENT ON COLUMN model_predict.history.login IS 'the role that had logged in';
COMMENT ON COLUMN model_predict.history.at IS 'when';
COMMENT ON COLUMN model_predict.history.comment IS 'as given to the function';

GRANT SELECT ON model_predict.models, model_predict.usage, model_predict.versions, model_predict.aliases,
  model_predict.features, model_predict.inputs, model_predict.metrics, model_predict.history TO PUBLIC;


/* A page about a version, for people */

CREATE FUNCTION model_predict.model_card(reference text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'mp_model_card';
COMMENT ON FUNCTION model_predict.model_card(text) IS
  'an HTML page about a version that stands alone: what it is, how to call it, its inputs, metrics, baseline, use and history';
