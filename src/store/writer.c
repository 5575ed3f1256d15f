/*
 * writer.c: SQL on the extension's tables, run as their owner.
 *
 * Roles that manage models have no rights on the tables. Each managing
 * function checks what its caller may do and then runs SQL as the tables'
 * owner, who mostly is a superuser, so nothing of the caller's session may
 * decide what that SQL means: search_path is pinned for as long, beside every
 * table being qualified, since an operator could be found elsewhere too.
 *
 * User, SPI connection and settings are put back by an abort as they were when
 * the (sub)transaction began, so that errors may fly out from between.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "catalog/pg_class.h"

#include "store/catalog.h"
#include "store/citus.h"
#include "store/writer.h"

static Oid
owner_of(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
mp_writer_begin(MpWriter *writer, const char *function)
{
	Oid			table = mp_catalog_table("stored_model");
	Oid			owner = owner_of(table);

	mp_citus_check_coordinator(table, function);
	PreventCommandIfReadOnly(function);
	PreventCommandIfParallelMode(function);
	GetUserIdAndSecContext(&writer->user, &writer->sec_context);
	SetUserIdAndSecContext(owner, writer->sec_context | SECURITY_LOCAL_USERID_CHANGE);
	writer->guc_level = NewGUCNestLevel();
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
					  GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
mp_writer_end(const MpWriter *writer)
{
	Oid			aliases = mp_catalog_table("stored_alias");

	/* plans whose references were pinned when they were made */
	if (mp_citus_keeps(aliases))
		CacheInvalidateRelcacheByRelid(aliases);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(false, writer->guc_level);
	SetUserIdAndSecContext(writer->user, writer->sec_context);
}

uint64
mp_writer_execute(const char *sql, int nparams, const MpParam *params)
{
	ParamListInfo list = makeParamList(nparams);
	SPIExecuteOptions options = {.params = list};
	int			result;

	for (int i = 0; i < nparams; i++)
	{
		list->params[i].ptype = params[i].type;
		list->params[i].value = params[i].value;
		list->params[i].isnull = params[i].isnull;

		/* no PARAM_FLAG_CONST: the planner would copy the value, more than once, and it may be a model */
		list->params[i].pflags = 0;
	}
	result = SPI_execute_extended(sql, &options);
	if (result < 0)
		elog(ERROR, "SPI_execute_extended failed: %s: %s", SPI_result_code_string(result), sql);
	return SPI_processed;
}

Datum
mp_writer_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}
