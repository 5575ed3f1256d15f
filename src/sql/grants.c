/*
 * grants.c: who may use a model, and whose it is: granting, revoking, giving
 * away.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"

#include "sql/manage.h"

static char *
role_argument(FunctionCallInfo fcinfo, int arg)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("role must not be null"));
	return NameStr(*PG_GETARG_NAME(arg));
}

static MpParam
role_param(Oid role)
{
	return (MpParam){mp_role_type(), ObjectIdGetDatum(role), false};
}

/* Rights of dropped roles help nobody, and their oids may be given out again. */
static void
forget_dropped_roles(int64 model)
{
	/* found first: Citus allows no function that is not immutable in a DELETE */
	uint64		n = mp_writer_run("SELECT number FROM model_predict.stored_permission WHERE model = $1 AND grantee::text = '-'",
								  mp_int8(model));
	int32	   *numbers = palloc(sizeof(int32) * n);
	bool		isnull;

	for (uint64 i = 0; i < n; i++)
		numbers[i] = DatumGetInt32(mp_writer_value(i, 1, &isnull));
	for (uint64 i = 0; i < n; i++)
		mp_writer_run("DELETE FROM model_predict.stored_permission WHERE model = $1 AND number = $2",
					  mp_int8(model), mp_int4(numbers[i]));
	pfree(numbers);
}

static bool
is_granted(int64 model, Oid role)
{
	return mp_writer_run("SELECT FROM model_predict.stored_permission WHERE model = $1 AND grantee = $2",
						 mp_int8(model), role_param(role)) > 0;
}

static void
log_right(const MpWriter *writer, const char *name, const MpModelRow *model,
		  const char *action, Oid role)
{
	mp_manage_log(writer, &(MpEvent){.model = name,
									 .model_id = model->id,
									 .owner = model->owner,
									 .action = action,
									 .role = role});
}

PG_FUNCTION_INFO_V1(mp_grant_predict);
Datum
mp_grant_predict(PG_FUNCTION_ARGS)
{
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	Oid			role = mp_role_find(role_argument(fcinfo, 1));
	MpWriter	writer;
	MpModelRow	model;

	mp_writer_begin(&writer, "grant_predict()");
	mp_manage_lock(&writer, name, &model);
	forget_dropped_roles(model.id);
	if (!is_granted(model.id, role))
	{
		mp_writer_run("INSERT INTO model_predict.stored_permission (model, number, grantee)"
					  " SELECT $1, coalesce(max(number), 0) + 1, $2"
					  " FROM model_predict.stored_permission WHERE model = $1",
					  mp_int8(model.id), role_param(role));
		log_right(&writer, name, &model, "grant_predict", role);
	}
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(mp_revoke_predict);
Datum
mp_revoke_predict(PG_FUNCTION_ARGS)
{
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	char	   *role_name = role_argument(fcinfo, 1);
	Oid			role = mp_role_find(role_name);
	MpWriter	writer;
	MpModelRow	model;

	mp_writer_begin(&writer, "revoke_predict()");
	mp_manage_lock(&writer, name, &model);
	forget_dropped_roles(model.id);
	if (is_granted(model.id, role))
	{
		mp_writer_run("DELETE FROM model_predict.stored_permission WHERE model = $1 AND grantee = $2",
					  mp_int8(model.id), role_param(role));
		log_right(&writer, name, &model, "revoke_predict", role);
	}
	else
		ereport(NOTICE,
				errmsg("model \"%s\" was not granted to \"%s\"", name, role_name),
				errdetail("Its owner, roles that belong to a grantee, and superusers may use it without a grant."));
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}

/* As ALTER ... OWNER TO: one may give to roles that one belongs to. */
PG_FUNCTION_INFO_V1(mp_set_owner);
Datum
mp_set_owner(PG_FUNCTION_ARGS)
{
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	Oid			role = mp_role_find(role_argument(fcinfo, 1));
	MpWriter	writer;
	MpModelRow	model;

	if (role == MP_ROLE_PUBLIC)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a model cannot belong to public"),
				errhint("Let everybody use it by model_predict.grant_predict()."));
	mp_writer_begin(&writer, "set_owner()");
	mp_manage_lock(&writer, name, &model);
	check_can_set_role(writer.user, role);
	if (role != model.owner)
	{
		log_right(&writer, name, &model, "set_owner", role);
		mp_writer_run("UPDATE model_predict.stored_model SET owner = $2 WHERE id = $1",
					  mp_int8(model.id), role_param(role));
	}
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}
