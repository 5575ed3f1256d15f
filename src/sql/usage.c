/*
 * usage.c: what the view usage shows of the versions that one may see, and
 * counting anew.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "glue/compat.h"
#include "model/usage.h"
#include "sql/manage.h"
#include "store/lookup.h"

PG_FUNCTION_INFO_V1(mp_visible_usage);
Datum
mp_visible_usage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo;
	MpUsage    *list;
	int			n;
	int64		model = 0;
	bool		seen = false;

	InitMaterializedSRF(fcinfo, 0);
	rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	list = mp_usage_list(&n);
	for (int i = 0; i < n; i++)
	{
		Datum		values[7];
		bool		nulls[7] = {false};

		if (i == 0 || list[i].model != model)
		{
			model = list[i].model;
			seen = mp_lookup_may_see(model);
		}
		if (!seen)
			continue;
		values[0] = Int64GetDatum(model);
		values[1] = Int32GetDatum(list[i].version);
		values[2] = Int64GetDatum((int64) list[i].statements);
		values[3] = Int64GetDatum((int64) list[i].rows);
		values[4] = Int64GetDatum((int64) list[i].loads);
		values[5] = TimestampTzGetDatum(list[i].last_use);
		nulls[5] = list[i].last_use == 0;
		values[6] = TimestampTzGetDatum(list[i].since);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(mp_reset_usage);
Datum
mp_reset_usage(PG_FUNCTION_ARGS)
{
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	Snapshot	snapshot = mp_catalog_snapshot();
	MpModelRow	model;

	mp_check_name(name, "model");
	mp_lookup_model(name, snapshot, &model);
	mp_lookup_check(name, &model, MP_RIGHT_MANAGE, GetUserId(), snapshot);
	mp_usage_reset(model.id);
	PG_RETURN_VOID();
}
