/*
 * lookup.c: which version a reference names, and whether a role has the right
 * to it.
 *
 * Rights are rows: the owner in the model's, grantees in permission's. A grant
 * gives scoring and the sight of a model's metadata, never its bytes. A model
 * that a role may not use is to it as if there were none: the same tables are
 * looked at, and the same error is given.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "glue/error.h"
#include "glue/similar.h"
#include "store/citus.h"
#include "store/lookup.h"
#include "store/roles.h"

bool
mp_lookup_model(const char *name, Snapshot snapshot, MpModelRow *row)
{
	MpScan		scan;
	HeapTuple	tuple;

	mp_scan_begin(&scan, "stored_model", snapshot);
	mp_scan_key_text(&scan, "name", name);
	tuple = mp_scan_next(&scan);
	if (tuple != NULL)
	{
		row->id = DatumGetInt64(mp_scan_value_not_null(&scan, tuple, "id"));
		row->owner = DatumGetObjectId(mp_scan_value_not_null(&scan, tuple, "owner"));
		row->last_version = DatumGetInt32(mp_scan_value_not_null(&scan, tuple, "last_version"));
	}
	else
		*row = (MpModelRow) {.owner = MP_ROLE_NOBODY};
	mp_scan_end(&scan);
	return tuple != NULL;
}

bool
mp_lookup_alias(int64 model, const char *alias, Snapshot snapshot, int32 *version)
{
	MpScan		scan;
	HeapTuple	tuple;

	mp_scan_begin(&scan, "stored_alias", snapshot);
	mp_scan_key_int8(&scan, "model", model);
	mp_scan_key_text(&scan, "alias", alias);
	tuple = mp_scan_next(&scan);
	if (tuple != NULL)
		*version = DatumGetInt32(mp_scan_value_not_null(&scan, tuple, "version"));
	mp_scan_end(&scan);
	return tuple != NULL;
}

/* Whether the role, or one that it belongs to, or public, was granted the model. */
bool
mp_lookup_permitted(int64 model, Oid role, Snapshot snapshot)
{
	MpScan		scan;
	HeapTuple	tuple;
	bool		permitted = false;

	if (!mp_role_is(role, role))
		return false;
	mp_scan_begin(&scan, "stored_permission", snapshot);
	mp_scan_key_int8(&scan, "model", model);
	while (!permitted && (tuple = mp_scan_next(&scan)) != NULL)
	{
		Oid			grantee = DatumGetObjectId(mp_scan_value_not_null(&scan, tuple, "grantee"));

		if (grantee == MP_ROLE_PUBLIC)
			permitted = true;
		else if (grantee != MP_ROLE_NOBODY)
			permitted = mp_role_is(role, grantee);
	}
	mp_scan_end(&scan);
	return permitted;
}

bool
mp_lookup_may_manage(const MpModelRow *row, Oid role)
{
	if (superuser_arg(role))
		return true;
	return row->owner != MP_ROLE_NOBODY && row->owner != MP_ROLE_PUBLIC &&
		mp_role_is(role, row->owner);
}

/* The model that the role sees whose name is closest. */
static const char *
similar_model(const char *name, Oid role)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	MpSimilar	similar = mp_similar_to(name);
	MpScan		scan;
	HeapTuple	tuple;

	mp_scan_begin(&scan, "stored_model", snapshot);
	while ((tuple = mp_scan_next(&scan)) != NULL)
	{
		char	   *other = TextDatumGetCString(mp_scan_value_not_null(&scan, tuple, "name"));
		MpModelRow	model = {
			.id = DatumGetInt64(mp_scan_value_not_null(&scan, tuple, "id")),
			.owner = DatumGetObjectId(mp_scan_value_not_null(&scan, tuple, "owner"))
		};

		CHECK_FOR_INTERRUPTS();
		/* the name itself is forbidden if it is there: nothing is to depend on that */
		if (strcmp(other, name) != 0 && mp_similar_is_closer(&similar, other, strlen(other)) &&
			mp_lookup_has_right(&model, MP_RIGHT_SEE, role, snapshot))
			mp_similar_offer(&similar, other, strlen(other));
	}
	mp_scan_end(&scan);
	return mp_similar_hint(&similar);
}

/* One error for both, so that names do not leak; to a superuser nothing is forbidden. */
void
mp_lookup_refuse(const char *name, Oid role)
{
	const char *role_name = GetUserNameFromId(role, true);
	const char *similar = similar_model(name, role);

	if (superuser_arg(role))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("model \"%s\" does not exist", name),
				errhint("%sThe view model_predict.models lists the models.", similar));
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_OBJECT),
			errmsg("model \"%s\" does not exist, or role \"%s\" may not use it",
				   name, role_name ? role_name : "-"),
			errhint("%sThe view model_predict.models lists the models that this role may use; an owner grants one by model_predict.grant_predict().",
					similar));
}

static bool
reads_all(Oid role)
{
	return mp_role_is(role, ROLE_PG_READ_ALL_DATA);
}

bool
mp_lookup_has_right(const MpModelRow *model, MpRight right, Oid role, Snapshot snapshot)
{
	bool		manages = mp_lookup_may_manage(model, role);

	switch (right)
	{
		case MP_RIGHT_PREDICT:
			return manages || mp_lookup_permitted(model->id, role, snapshot);
		case MP_RIGHT_SEE:
			return manages || reads_all(role) || mp_lookup_permitted(model->id, role, snapshot);
		case MP_RIGHT_READ_TREES:
		case MP_RIGHT_READ_BYTES:
			return manages || reads_all(role);
		case MP_RIGHT_MANAGE:
			return manages;
	}
	return false;
}

/* To who may use the model, but has not that right. */
pg_noreturn static void
deny(const char *name, MpRight right)
{
	if (right == MP_RIGHT_MANAGE)
		ereport(ERROR,
				errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("must be owner of model \"%s\"", name));
	ereport(ERROR,
			errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			errmsg("permission denied for the %s of model \"%s\"",
				   right == MP_RIGHT_READ_TREES ? "trees" : "bytes", name),
			errdetail("The right to predict does not include them; the owner and members of \"pg_read_all_data\" may see them."));
}

void
mp_lookup_check(const char *name, const MpModelRow *model, MpRight right, Oid role, Snapshot snapshot)
{
	/* whatever the right, and be there a model or not, both are looked for */
	bool		uses = mp_lookup_has_right(model, MP_RIGHT_PREDICT, role, snapshot);
	bool		has_right = right == MP_RIGHT_PREDICT ? uses :
		mp_lookup_has_right(model, right, role, snapshot);

	if (model->id == 0 || (!uses && !has_right))
		mp_lookup_refuse(name, role);
	if (!has_right)
		deny(name, right);
}

void
mp_lookup_no_version(const char *name, int32 version)
{
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_OBJECT),
			errmsg("model \"%s\" has no version %d", name, version),
			errhint("The view model_predict.versions lists the versions of a model."));
}

void
mp_lookup_no_alias(const char *name, const char *alias)
{
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_OBJECT),
			errmsg("model \"%s\" has no alias \"%s\"", name, mp_shown(alias)),
			errhint("The view model_predict.aliases lists the aliases of a model."));
}

static bool
has_version(int64 model, int32 version, Snapshot snapshot)
{
	MpScan		scan;
	bool		found;

	mp_scan_begin(&scan, "stored_version", snapshot);
	mp_scan_key_int8(&scan, "model", model);
	mp_scan_key_int4(&scan, "version", version);
	found = mp_scan_next(&scan) != NULL;
	mp_scan_end(&scan);
	return found;
}

int32
mp_lookup_version(const MpReference *ref, int64 model, Snapshot snapshot)
{
	int32		version = ref->version;

	if (ref->alias != NULL && mp_citus_runs_part(mp_catalog_table("stored_model")))
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("reference \"%s@%s\" reached this node without a version", ref->name, ref->alias),
				errdetail("Nodes that look it up for themselves may find different versions."),
				errhint("Preload model_predict after citus on the coordinator, or write the version: '%s@3'.", ref->name));
	if (ref->alias != NULL && !mp_lookup_alias(model, ref->alias, snapshot, &version))
		mp_lookup_no_alias(ref->name, ref->alias);
	if (!has_version(model, version, snapshot))
		mp_lookup_no_version(ref->name, version);
	return version;
}

/* Whether there is a model of that name that the role may use. */
bool
mp_lookup_find(const char *name, Oid role, Snapshot snapshot, MpModelRow *model)
{
	bool		exists = mp_lookup_model(name, snapshot, model);

	return mp_lookup_has_right(model, MP_RIGHT_PREDICT, role, snapshot) && exists;
}

bool
mp_lookup_is_there(const char *reference, Oid role, Snapshot snapshot)
{
	MpReference ref;
	MpModelRow	model;
	int32		version;

	if (!mp_reference_try_parse(reference, &ref) || !mp_lookup_find(ref.name, role, snapshot, &model))
		return false;
	version = ref.version;
	return (ref.alias == NULL || mp_lookup_alias(model.id, ref.alias, snapshot, &version)) &&
		has_version(model.id, version, snapshot);
}

MpFound
mp_lookup(const char *reference, MpRight right, Oid role, Snapshot snapshot)
{
	MpReference ref = mp_reference_parse(reference);
	MpFound		found = {.name = ref.name};
	MpModelRow	model;

	mp_lookup_model(ref.name, snapshot, &model);
	mp_lookup_check(ref.name, &model, right, role, snapshot);
	found.model = model.id;
	found.version = mp_lookup_version(&ref, model.id, snapshot);
	return found;
}

/* A model that is gone is nobody's: only those who may see everything do. */
bool
mp_lookup_may_see(int64 id)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	MpModelRow	model = {.id = id, .owner = MP_ROLE_NOBODY};
	MpScan		scan;
	HeapTuple	tuple;

	mp_scan_begin(&scan, "stored_model", snapshot);
	mp_scan_key_int8(&scan, "id", id);
	tuple = mp_scan_next(&scan);
	if (tuple != NULL)
		model.owner = DatumGetObjectId(mp_scan_value_not_null(&scan, tuple, "owner"));
	mp_scan_end(&scan);
	return mp_lookup_has_right(&model, MP_RIGHT_SEE, GetUserId(), snapshot);
}
