/*
 * distribute.c: model_predict.distribute(): our tables become reference tables
 * of Citus, so that each node has all models, written in one two-phase commit.
 */
#include "postgres.h"

#include "catalog/pg_namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "store/catalog.h"
#include "store/citus.h"

static void
run(const char *sql, int expected)
{
	int			result = SPI_execute(sql, false, 0);

	if (result != expected)
		elog(ERROR, "%s: %s", sql, SPI_result_code_string(result));
}

/* Else references would be pinned after Citus has planned, or not at all in a session's first statement. */
static void
check_preloaded(void)
{
	const char *libraries = GetConfigOption("shared_preload_libraries", false, false);
	const char *citus = strstr(libraries, "citus");

	if (citus == NULL || strstr(citus, "model_predict") == NULL)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("model_predict must be preloaded after citus"),
				errhint("Set shared_preload_libraries = 'citus, model_predict' on each node and restart it."));
}

static void
check_coordinator(void)
{
	mp_citus_check_coordinator(mp_catalog_table("stored_model"), "distribute()");
	run("SELECT FROM pg_catalog.pg_dist_local_group WHERE groupid = 0", SPI_OK_SELECT);
	if (SPI_processed == 0)
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("distribute() works on the coordinator only"),
				errhint("Connect to the coordinator."));
	run("SELECT FROM pg_catalog.pg_dist_node WHERE groupid = 0", SPI_OK_SELECT);
	if (SPI_processed == 0)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("the coordinator does not know itself as a node of Citus"),
				errhint("SELECT citus_set_coordinator_host('its name or address', its port);"));
}

PG_FUNCTION_INFO_V1(mp_distribute);
Datum
mp_distribute(PG_FUNCTION_ARGS)
{
	if (!superuser())
		ereport(ERROR,
				errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("must be superuser to distribute the models"));
	if (!OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE)))
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("extension \"citus\" is not installed in this database"),
				errdetail("Without Citus, standbys and logical replication carry the models along."));
	check_preloaded();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	check_coordinator();
	/* all tables of ours that are dumped with the data, and those that are compiled from them */
	run("SELECT pg_catalog.create_reference_table(c.oid::pg_catalog.regclass)"
		" FROM (SELECT oid, relname FROM pg_catalog.pg_class"
		"       WHERE relnamespace = 'model_predict'::pg_catalog.regnamespace AND relkind = 'r'"
		"         AND oid NOT IN (SELECT logicalrelid FROM pg_catalog.pg_dist_partition)"
		"         AND relname !~ '_[0-9]+$' ORDER BY relname) c", SPI_OK_SELECT);
	run("SELECT pg_catalog.truncate_local_data_after_distributing_table(logicalrelid)"
		" FROM pg_catalog.pg_dist_partition p JOIN pg_catalog.pg_class c ON c.oid = p.logicalrelid"
		" WHERE c.relnamespace = 'model_predict'::pg_catalog.regnamespace", SPI_OK_SELECT);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PG_RETURN_VOID();
}
