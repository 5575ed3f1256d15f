/*
 * manage.c: models, versions and aliases as rows: finding, locking, numbering,
 * dropping, and the history of it all.
 *
 * Whoever changes anything of a model first updates its row, be it to the same
 * values: an update, unlike a row lock, is also noticed by a REPEATABLE READ
 * transaction whose snapshot is older. Each statement here has a snapshot of
 * its own, so that READ COMMITTED sees, after the wait, what the other did.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"

#include "glue/error.h"
#include "model/version.h"
#include "sql/manage.h"
#include "store/lookup.h"

/* NULL arguments are errors by name: the functions are not strict for the sake of comments. */
char *
mp_manage_text(FunctionCallInfo fcinfo, int arg, const char *what)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("%s must not be null", what));
	return text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

int32
mp_manage_number(FunctionCallInfo fcinfo, int arg, const char *what)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("%s must not be null", what));
	return PG_GETARG_INT32(arg);
}

/* History */

/* A role may be dropped while a session still acts as it. */
static const char *
name_of(Oid role)
{
	const char *name = GetUserNameFromId(role, true);

	return name ? name : "-";
}

void
mp_manage_log(const MpWriter *writer, const MpEvent *event)
{
	mp_writer_run("INSERT INTO model_predict.stored_event"
				  " (model, model_id, owner, action, alias, old_version, new_version,"
				  "  role, who, login, comment)"
				  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
				  mp_text(event->model), mp_int8(event->model_id),
				  (MpParam){mp_role_type(), ObjectIdGetDatum(event->owner), false},
				  mp_text(event->action), mp_text(event->alias),
				  mp_version(event->old_version), mp_version(event->new_version),
				  mp_text(event->role == MP_ROLE_NOBODY ? NULL :
						  event->role == MP_ROLE_PUBLIC ? "public" : name_of(event->role)),
				  mp_text(name_of(writer->user)),
				  mp_text(name_of(GetSessionUserId())),
				  mp_text(event->comment));
}

int32
mp_manage_highest_version(const char *name)
{
	/* newer than a REPEATABLE READ transaction's: numbers are to be unique, not consistent */
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	MpScan		scan;
	HeapTuple	tuple;
	int32		highest = 0;

	mp_scan_begin(&scan, "stored_event", snapshot);
	mp_scan_key_text(&scan, "model", name);
	while ((tuple = mp_scan_next(&scan)) != NULL)
	{
		bool		isnull;
		Datum		version = mp_scan_value(&scan, tuple, "new_version", &isnull);

		if (!isnull)
			highest = Max(highest, DatumGetInt32(version));
	}
	mp_scan_end(&scan);
	UnregisterSnapshot(snapshot);
	return highest;
}

/* Models */

static bool
find_model(const char *name, MpModelRow *model)
{
	bool		isnull;

	if (mp_writer_run("SELECT id, owner, last_version FROM model_predict.stored_model WHERE name = $1",
					  mp_text(name)) == 0)
		return false;
	model->id = DatumGetInt64(mp_writer_value(0, 1, &isnull));
	model->owner = DatumGetObjectId(mp_writer_value(0, 2, &isnull));
	model->last_version = DatumGetInt32(mp_writer_value(0, 3, &isnull));
	return true;
}

/* Updates the row as it is found after the wait; false: it was dropped. */
static bool
lock_row(MpModelRow *model, int32 more_versions)
{
	bool		isnull;

	if (mp_writer_run("UPDATE model_predict.stored_model SET last_version = last_version + $2"
					  " WHERE id = $1 RETURNING owner, last_version",
					  mp_int8(model->id), mp_int4(more_versions)) == 0)
		return false;
	model->owner = DatumGetObjectId(mp_writer_value(0, 1, &isnull));
	model->last_version = DatumGetInt32(mp_writer_value(0, 2, &isnull));
	return true;
}

static void
check_may_manage(const MpWriter *writer, const char *name, const MpModelRow *model)
{
	mp_lookup_check(name, model, MP_RIGHT_MANAGE, writer->user, GetActiveSnapshot());
}

/* Checked before the lock, lest anybody make others wait, and after it, for what is true then. */
void
mp_manage_lock(const MpWriter *writer, const char *name, MpModelRow *model)
{
	mp_check_name(name, "model");
	if (!find_model(name, model))
		*model = (MpModelRow) {.owner = MP_ROLE_NOBODY};
	check_may_manage(writer, name, model);
	if (!lock_row(model, 0))
		mp_lookup_refuse(name, writer->user);
	check_may_manage(writer, name, model);
}

/* That the name is taken cannot be hidden from who wants to take it. */
static void
check_may_register(const MpWriter *writer, const char *name, const MpModelRow *model)
{
	if (!mp_lookup_may_manage(model, writer->user))
		ereport(ERROR,
				errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("must be owner of model \"%s\"", name),
				errdetail("The name is taken by a model of another role."));
}

static bool
insert_model(const MpWriter *writer, const char *name, MpModelRow *model)
{
	bool		isnull;

	if (mp_writer_run("INSERT INTO model_predict.stored_model (id, name, owner, last_version, created)"
					  " VALUES (pg_catalog.nextval('model_predict.stored_model_id_seq'), $1, $2, 0, pg_catalog.now())"
					  " ON CONFLICT (name) DO NOTHING RETURNING id",
					  mp_text(name),
					  (MpParam){mp_role_type(), ObjectIdGetDatum(writer->user), false}) == 0)
		return false;
	model->id = DatumGetInt64(mp_writer_value(0, 1, &isnull));
	/* once the name is ours, nobody else can be adding versions to it */
	lock_row(model, mp_manage_highest_version(name));
	return true;
}

int32
mp_manage_next_version(const MpWriter *writer, const char *name, MpModelRow *model, bool *created)
{
	mp_check_name(name, "model");
	/* each turn means that another session made or dropped the model in between */
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		*created = false;
		if (!find_model(name, model))
		{
			*created = insert_model(writer, name, model);
			if (!*created)
				continue;
		}
		check_may_register(writer, name, model);
		if (model->last_version == PG_INT32_MAX)
			ereport(ERROR,
					errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
					errmsg("model \"%s\" has used up its version numbers", name));
		if (lock_row(model, 1))
			break;
	}
	check_may_register(writer, name, model);
	return model->last_version;
}

/* They will refuse rows from now on; another model of that name would serve them. */
static void
tell_of_triggers(const char *name)
{
	StringInfoData list;
	uint64		n = mp_writer_run(
		"WITH t AS (SELECT tgname, tgrelid,"
		"     substring(tgargs FROM 1 FOR position('\\x00'::bytea IN tgargs) - 1) AS reference"
		"   FROM pg_trigger WHERE tgfoid = 'model_predict.score()'::regprocedure AND tgparentid = 0"
		"     AND position('\\x00'::bytea IN tgargs) > 0)"
		" SELECT format('trigger \"%s\" on table %s', tgname, tgrelid::regclass) FROM t,"
		"   convert_to($1, getdatabaseencoding()) AS name"
		" WHERE reference = name OR substring(reference FROM 1 FOR length(name) + 1) = name || '@'::bytea"
		" ORDER BY 1", mp_text(name));
	bool		isnull;

	if (n == 0)
		return;
	initStringInfo(&list);
	for (uint64 i = 0; i < Min(n, 10); i++)
		appendStringInfo(&list, "%s%s", i ? ", " : "", TextDatumGetCString(mp_writer_value(i, 1, &isnull)));
	if (n > 10)
		appendStringInfo(&list, " and " UINT64_FORMAT " more", n - 10);
	ereport(NOTICE,
			errmsg("model \"%s\" is still named by triggers", name),
			errdetail("They are: %s.", list.data),
			errhint("Drop them: they refuse rows while there is no model of that name."));
}

PG_FUNCTION_INFO_V1(mp_drop_model);
Datum
mp_drop_model(PG_FUNCTION_ARGS)
{
	/* the model last: its row is the lock, and must not be gone while others are found */
	static const char *const statements[] = {
		"DELETE FROM model_predict.stored_alias WHERE model = $1",
		"DELETE FROM model_predict.stored_permission WHERE model = $1",
		"DELETE FROM model_predict.stored_forest WHERE model = $1",
		"DELETE FROM model_predict.stored_feature WHERE model = $1",
		"DELETE FROM model_predict.stored_baseline WHERE model = $1",
		"DELETE FROM model_predict.stored_input WHERE model = $1",
		"DELETE FROM model_predict.stored_metrics WHERE model = $1",
		"DELETE FROM model_predict.stored_version WHERE model = $1",
		"DELETE FROM model_predict.stored_model WHERE id = $1",
	};
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	MpWriter	writer;
	MpModelRow	model;
	int32		served;

	mp_writer_begin(&writer, "drop_model()");
	mp_manage_lock(&writer, name, &model);
	served = mp_manage_alias(model.id, MP_DEFAULT_ALIAS);
	for (int i = 0; i < lengthof(statements); i++)
		mp_writer_run(statements[i], mp_int8(model.id));
	mp_manage_log(&writer, &(MpEvent){.model = name,
									  .model_id = model.id,
									  .owner = model.owner,
									  .action = "drop_model",
									  .old_version = served});
	tell_of_triggers(name);
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}

/* Versions */

void
mp_manage_check_version(const char *name, int64 model, int32 version)
{
	if (!mp_manage_has_version(model, version))
		mp_lookup_no_version(name, version);
}

bool
mp_manage_has_version(int64 model, int32 version)
{
	return mp_writer_run("SELECT FROM model_predict.stored_version WHERE model = $1 AND version = $2",
						 mp_int8(model), mp_int4(version)) > 0;
}

static void
check_not_aliased(const char *name, const MpModelRow *model, int32 version)
{
	bool		isnull;
	Datum		names;
	char	   *aliases;

	mp_writer_run("SELECT string_agg('\"' || alias || '\"', ', ' ORDER BY alias)"
				  " FROM model_predict.stored_alias WHERE model = $1 AND version = $2",
				  mp_int8(model->id), mp_int4(version));
	names = mp_writer_value(0, 1, &isnull);
	if (isnull)
		return;
	aliases = TextDatumGetCString(names);
	ereport(ERROR,
			errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			errmsg("cannot drop version %d of model \"%s\" because an alias names it", version, name),
			errdetail("Aliases of the version: %s.", aliases),
			errhint("Move them first, by model_predict.deploy() or model_predict.set_alias(), or drop the whole model."));
}

PG_FUNCTION_INFO_V1(mp_drop_version);
Datum
mp_drop_version(PG_FUNCTION_ARGS)
{
	static const char *const statements[] = {
		"DELETE FROM model_predict.stored_forest WHERE model = $1 AND version = $2",
		"DELETE FROM model_predict.stored_feature WHERE model = $1 AND version = $2",
		"DELETE FROM model_predict.stored_baseline WHERE model = $1 AND version = $2",
		"DELETE FROM model_predict.stored_input WHERE model = $1 AND version = $2",
		"DELETE FROM model_predict.stored_metrics WHERE model = $1 AND version = $2",
		"DELETE FROM model_predict.stored_version WHERE model = $1 AND version = $2",
	};
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	int32		version = mp_manage_number(fcinfo, 1, "version");
	MpWriter	writer;
	MpModelRow	model;

	mp_writer_begin(&writer, "drop_version()");
	mp_manage_lock(&writer, name, &model);
	mp_manage_check_version(name, model.id, version);
	check_not_aliased(name, &model, version);
	for (int i = 0; i < lengthof(statements); i++)
		mp_writer_run(statements[i], mp_int8(model.id), mp_int4(version));
	mp_manage_log(&writer, &(MpEvent){.model = name,
									  .model_id = model.id,
									  .owner = model.owner,
									  .action = "drop_version",
									  .old_version = version});
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(mp_export);
Datum
mp_export(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	char	   *reference = mp_manage_text(fcinfo, 0, "reference to a model");
	MpFound		found = mp_lookup(reference, MP_RIGHT_READ_BYTES, GetUserId(), snapshot);

	PG_RETURN_BYTEA_P(mp_version_blob(found.name, found.model, found.version, snapshot));
}

PG_FUNCTION_INFO_V1(mp_recompile);
Datum
mp_recompile(PG_FUNCTION_ARGS)
{
	MpReference ref = mp_reference_parse(mp_manage_text(fcinfo, 0, "reference to a model"));
	MpWriter	writer;
	MpModelRow	model;
	Snapshot	snapshot;

	mp_writer_begin(&writer, "recompile()");
	mp_manage_lock(&writer, ref.name, &model);
	PushActiveSnapshot(GetTransactionSnapshot());
	snapshot = GetActiveSnapshot();
	mp_version_recompile(ref.name, model.id, mp_lookup_version(&ref, model.id, snapshot), snapshot);
	PopActiveSnapshot();
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}

/* Aliases */

int32
mp_manage_alias(int64 model, const char *alias)
{
	bool		isnull;

	if (mp_writer_run("SELECT version FROM model_predict.stored_alias WHERE model = $1 AND alias = $2",
					  mp_int8(model), mp_text(alias)) == 0)
		return 0;
	return DatumGetInt32(mp_writer_value(0, 1, &isnull));
}

int32
mp_manage_point(int64 model, const char *alias, int32 version)
{
	int32		old = mp_manage_alias(model, alias);

	mp_writer_run("INSERT INTO model_predict.stored_alias (model, alias, version) VALUES ($1, $2, $3)"
				  " ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version",
				  mp_int8(model), mp_text(alias), mp_int4(version));
	return old;
}

/* Numbers would read as versions, the words as aliases that move by themselves. */
static void
check_alias(const char *alias)
{
	static const char *const reserved[] = {
		"latest", "newest", "current", "previous", "all", "none"
	};

	mp_check_name(alias, "alias");
	if (pg_strcasecmp(alias, MP_DEFAULT_ALIAS) == 0)
		ereport(ERROR,
				errcode(ERRCODE_RESERVED_NAME),
				errmsg("alias \"%s\" is moved by deploying only", alias),
				errhint("Use model_predict.deploy() or model_predict.rollback()."));
	if (alias[strspn(alias, "0123456789+-.eE_ ")] == '\0' && strpbrk(alias, "0123456789") != NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_NAME),
				errmsg("invalid name of alias: \"%s\"", alias),
				errdetail("An alias must not look like a number, which names a version."));
	for (int i = 0; i < lengthof(reserved); i++)
		if (pg_strcasecmp(alias, reserved[i]) == 0)
			ereport(ERROR,
					errcode(ERRCODE_RESERVED_NAME),
					errmsg("alias name \"%s\" is reserved", alias),
					errdetail("It would seem to follow the versions, but an alias moves only when it is set."));
}

PG_FUNCTION_INFO_V1(mp_set_alias);
Datum
mp_set_alias(PG_FUNCTION_ARGS)
{
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	char	   *alias = mp_manage_text(fcinfo, 1, "name of alias");
	int32		version = mp_manage_number(fcinfo, 2, "version");
	MpWriter	writer;
	MpModelRow	model;
	int32		old;

	check_alias(alias);
	mp_writer_begin(&writer, "set_alias()");
	mp_manage_lock(&writer, name, &model);
	mp_manage_check_version(name, model.id, version);
	old = mp_manage_point(model.id, alias, version);
	mp_manage_log(&writer, &(MpEvent){.model = name,
									  .model_id = model.id,
									  .owner = model.owner,
									  .action = "set_alias",
									  .alias = alias,
									  .old_version = old,
									  .new_version = version});
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(mp_drop_alias);
Datum
mp_drop_alias(PG_FUNCTION_ARGS)
{
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	char	   *alias = mp_manage_text(fcinfo, 1, "name of alias");
	MpWriter	writer;
	MpModelRow	model;
	int32		old;

	mp_writer_begin(&writer, "drop_alias()");
	mp_manage_lock(&writer, name, &model);
	if (strcmp(alias, MP_DEFAULT_ALIAS) == 0)
		ereport(ERROR,
				errcode(ERRCODE_RESERVED_NAME),
				errmsg("alias \"%s\" cannot be dropped", alias),
				errdetail("Every model has it."));
	old = mp_manage_alias(model.id, alias);
	if (old == 0)
		mp_lookup_no_alias(name, alias);
	mp_writer_run("DELETE FROM model_predict.stored_alias WHERE model = $1 AND alias = $2",
				  mp_int8(model.id), mp_text(alias));
	mp_manage_log(&writer, &(MpEvent){.model = name,
									  .model_id = model.id,
									  .owner = model.owner,
									  .action = "drop_alias",
									  .alias = alias,
									  .old_version = old});
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}
