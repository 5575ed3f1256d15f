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
COMMENT ON TYPE model_predict.role IS
  'a role, or public; survives a rename, and an unknown name is read as nobody with a warning';

CREATE CAST (model_predict.role AS oid) WITHOUT FUNCTION AS IMPLICIT;


/*
 * Tables. No foreign keys and no triggers: they must work as replicated
 * reference tables and restore in any order. Readers take a missing partner
 * for a missing model.
 */

CREATE SEQUENCE model_predict.model_id_seq;

CREATE TABLE model_predict.model (
  id bigint NOT NULL DEFAULT pg_catalog.nextval('model_predict.model_id_seq'),
  name text COLLATE pg_catalog."C" NOT NULL,
  owner model_predict.role NOT NULL,
  last_version integer NOT NULL DEFAULT 0,
  created timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT model_pkey PRIMARY KEY (id),
  CONSTRAINT model_name_key UNIQUE (name)
);
ALTER SEQUENCE model_predict.model_id_seq OWNED BY model_predict.model.id;

CREATE TABLE model_predict.version (
  model bigint NOT NULL,
  version integer NOT NULL,
  sha256 bytea NOT NULL,
  trees text NOT NULL,
  classes text[],
  feature_names text[],
  categories jsonb,
  threshold real NOT NULL,
  missing real,
  absent_feature text NOT NULL,
  unseen_category text NOT NULL,
  infinity text NOT NULL,
  examples jsonb,
  description text,
  tags jsonb,
  format text NOT NULL,
  xgboost text NOT NULL,
  objective text NOT NULL,
  booster text NOT NULL,
  features integer NOT NULL,
  outputs integer NOT NULL,
  n_trees integer NOT NULL,
  rounds integer NOT NULL,
  rounds_used integer NOT NULL,
  created timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_by text NOT NULL,
  data bytea NOT NULL,
  CONSTRAINT version_pkey PRIMARY KEY (model, version)
);
ALTER TABLE model_predict.version ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE model_predict.alias (
  model bigint NOT NULL,
  alias text COLLATE pg_catalog."C" NOT NULL,
  version integer NOT NULL,
  CONSTRAINT alias_pkey PRIMARY KEY (model, alias)
);

CREATE TABLE model_predict.permission (
  model bigint NOT NULL,
  grantee model_predict.role NOT NULL,
  CONSTRAINT permission_pkey PRIMARY KEY (model, grantee)
);

CREATE TABLE model_predict.feature (
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

CREATE SEQUENCE model_predict.event_id_seq;

CREATE TABLE model_predict.event (
  id bigint NOT NULL DEFAULT pg_catalog.nextval('model_predict.event_id_seq'),
  model text COLLATE pg_catalog."C" NOT NULL,
  model_id bigint NOT NULL,
  action text NOT NULL,
  alias text COLLATE pg_catalog."C",
  old_version integer,
  new_version integer,
  who text NOT NULL,
  at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  comment text,
  CONSTRAINT event_pkey PRIMARY KEY (id)
);
ALTER SEQUENCE model_predict.event_id_seq OWNED BY model_predict.event.id;

/* compiled from version.data; not dumped, made anew by recompile() */
CREATE TABLE model_predict.forest (
  model bigint NOT NULL,
  version integer NOT NULL,
  fingerprint bytea NOT NULL,
  forest bytea NOT NULL,
  kernel bytea,
  CONSTRAINT forest_pkey PRIMARY KEY (model, version)
);
ALTER TABLE model_predict.forest ALTER COLUMN forest SET STORAGE EXTERNAL;
ALTER TABLE model_predict.forest ALTER COLUMN kernel SET STORAGE EXTERNAL;

SELECT pg_catalog.pg_extension_config_dump('model_predict.model', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.version', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.alias', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.permission', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.feature', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.event', '');
SELECT pg_catalog.pg_extension_config_dump('model_predict.event_id_seq', '');

COMMENT ON TABLE model_predict.model IS 'a model: a name, its owner, its versions';
COMMENT ON TABLE model_predict.version IS 'a registered version: the file as it came, and its options';
COMMENT ON TABLE model_predict.alias IS 'a movable name for one version of a model';
COMMENT ON TABLE model_predict.permission IS 'who may score with a model besides its owner';
COMMENT ON TABLE model_predict.feature IS 'the inputs of a version, in the order of the model';
COMMENT ON TABLE model_predict.event IS 'what was done to models, when and by whom';
COMMENT ON TABLE model_predict.forest IS 'compiled forms of versions, for a fast first prediction';


/* Scoring */

CREATE FUNCTION @extschema@.predict(model text, VARIADIC "row" "any") RETURNS double precision
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'mp_predict';
COMMENT ON FUNCTION @extschema@.predict(text, VARIADIC "any") IS
  'what Booster.predict gives where that is one number: a value, the probability of the second of two classes, the class index of multi:softmax';

CREATE FUNCTION @extschema@.predict_class(model text, VARIADIC "row" "any") RETURNS text
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'mp_predict_class';
COMMENT ON FUNCTION @extschema@.predict_class(text, VARIADIC "any") IS
  'label of the predicted class';

CREATE FUNCTION @extschema@.predict_proba(model text, VARIADIC "row" "any") RETURNS real[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'mp_predict_proba';
COMMENT ON FUNCTION @extschema@.predict_proba(text, VARIADIC "any") IS
  'probability of each class; element 1 is the first class, element 2 the second';

CREATE FUNCTION @extschema@.predict_all(model text, VARIADIC "row" "any") RETURNS real[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'mp_predict_all';
COMMENT ON FUNCTION @extschema@.predict_all(text, VARIADIC "any") IS
  'all that XGBoost''s Booster.predict gives for the row';

CREATE FUNCTION @extschema@.predict_margin(model text, VARIADIC "row" "any") RETURNS real[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'mp_predict_margin';
COMMENT ON FUNCTION @extschema@.predict_margin(text, VARIADIC "any") IS
  'the raw sums before the objective''s link, one per output';

CREATE FUNCTION @extschema@.predict_leaf(model text, VARIADIC "row" "any") RETURNS integer[]
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'mp_predict_leaf';
COMMENT ON FUNCTION @extschema@.predict_leaf(text, VARIADIC "any") IS
  'the leaf that the row reaches in each tree, by XGBoost''s node numbers';

CREATE FUNCTION @extschema@.predict_proba_of(model text, class text, VARIADIC "row" "any") RETURNS double precision
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'mp_predict_proba_of';
COMMENT ON FUNCTION @extschema@.predict_proba_of(text, text, VARIADIC "any") IS
  'probability of one class';

CREATE FUNCTION @extschema@.predict_json(model text, features jsonb) RETURNS double precision
LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'mp_predict_json';
COMMENT ON FUNCTION @extschema@.predict_json(text, jsonb) IS
  'as predict, for drivers that send untyped parameters';


/* Registration */

CREATE FUNCTION model_predict.register(
  name text, model bytea,
  classes text[] DEFAULT NULL,
  feature_names text[] DEFAULT NULL,
  categories jsonb DEFAULT NULL,
  trees text DEFAULT 'auto',
  threshold real DEFAULT 0.5,
  missing real DEFAULT NULL,
  absent_feature text DEFAULT 'error',
  unseen_category text DEFAULT 'error',
  infinity text DEFAULT 'error',
  examples jsonb DEFAULT NULL,
  description text DEFAULT NULL,
  tags jsonb DEFAULT NULL
) RETURNS integer
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mp_register';
COMMENT ON FUNCTION model_predict.register(text, bytea, text[], text[], jsonb, text, real, real, text, text, text, jsonb, text, jsonb) IS
  'stores a model file as a new version of a model and returns its number; the first version serves at once, later ones after deploy()';
REVOKE ALL ON FUNCTION model_predict.register(text, bytea, text[], text[], jsonb, text, real, real, text, text, text, jsonb, text, jsonb) FROM PUBLIC;

CREATE FUNCTION model_predict.cached(
  OUT model text, OUT version integer, OUT bytes bigint, OUT kernel text,
  OUT loaded timestamptz, OUT load_time interval, OUT loads bigint, OUT rows_scored bigint
) RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'mp_cached';
COMMENT ON FUNCTION model_predict.cached() IS 'what the view cache shows';

CREATE VIEW model_predict.cache AS SELECT * FROM model_predict.cached();
GRANT SELECT ON model_predict.cache TO PUBLIC;
COMMENT ON VIEW model_predict.cache IS 'the boosters that this session holds in memory';


/* Management */

