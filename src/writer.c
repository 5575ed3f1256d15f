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
#include "utils/syscache.h"
#include "catalog/pg_class.h"

#include "model_predict.h"
#include "writer.h"

#define MAX_PARAMS 40

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
	Oid			owner = owner_of(mp_catalog_table("model"));

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
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(false, writer->guc_level);
	SetUserIdAndSecContext(writer->user, writer->sec_context);
}

uint64
mp_writer_execute(const char *sql, int nparams, const MpParam *params)
{
	Oid			types[MAX_PARAMS];
	Datum		values[MAX_PARAMS];
	char		nulls[MAX_PARAMS] = {0};
	int			result;

	Assert(nparams <= MAX_PARAMS);
	for (int i = 0; i < nparams; i++)
	{
		types[i] = params[i].type;
		values[i] = params[i].value;
		nulls[i] = params[i].isnull ? 'n' : ' ';
	}
	result = SPI_execute_with_args(sql, nparams, types, values, nulls, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s: %s", SPI_result_code_string(result), sql);
	return SPI_processed;
}

Datum
mp_writer_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}
