/*
 * citus.c: our tables where Citus has made them reference tables.
 *
 * What Citus' catalogs say of a relation is remembered until any relation
 * changes. They are found by name in pg_catalog, as all who write them must be
 * superusers.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "store/citus.h"

/* How Citus' connections between nodes begin their application_name. */
#define INTERNAL_NAME "citus_internal"

typedef struct Known
{
	Oid			relation;		/* the key */
	bool		kept;			/* by Citus */
	Oid			local;			/* the only shard, where there is one and this node holds it; else the relation */
} Known;

static HTAB *known;
static bool known_is_valid;

static void
forget(Datum arg, Oid relation)
{
	known_is_valid = false;
}

static HTAB *
known_relations(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(Known)};

	if (known == NULL)
		CacheRegisterRelcacheCallback(forget, (Datum) 0);
	else if (known_is_valid)
		return known;
	else
		hash_destroy(known);
	known = hash_create("model_predict citus", 16, &control, HASH_ELEM | HASH_BLOBS);
	known_is_valid = true;
	return known;
}

static Oid
citus_catalog(const char *name)
{
	return get_relname_relid(name, PG_CATALOG_NAMESPACE);
}

/* The only shard of a relation; 0: Citus does not keep it; -1: there are several. */
static int64
only_shard(Oid relation)
{
	Oid			catalog = citus_catalog("pg_dist_shard");
	Relation	shards;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int64		shard = 0;
	bool		isnull;

	if (!OidIsValid(catalog))
		return 0;
	shards = table_open(catalog, AccessShareLock);
	ScanKeyInit(&key, get_attnum(catalog, "logicalrelid"), BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relation));
	scan = systable_beginscan(shards, citus_catalog("pg_dist_shard_logical_relid_index"), true, NULL, 1, &key);
	while ((tuple = systable_getnext(scan)) != NULL)
		shard = shard != 0 ? -1 :
			DatumGetInt64(heap_getattr(tuple, get_attnum(catalog, "shardid"), RelationGetDescr(shards), &isnull));
	systable_endscan(scan);
	table_close(shards, AccessShareLock);
	return shard;
}

static const Known *
find(Oid relation)
{
	bool		found;
	Known	   *entry = hash_search(known_relations(), &relation, HASH_FIND, &found);
	int64		shard;
	Oid			local;

	if (found)
		return entry;
	shard = only_shard(relation);
	local = relation;
	if (shard > 0)
		local = get_relname_relid(psprintf("%s_" INT64_FORMAT, get_rel_name(relation), shard),
								  get_rel_namespace(relation));
	entry = hash_search(known_relations(), &relation, HASH_ENTER, &found);
	entry->kept = shard != 0;
	entry->local = local;
	return entry;
}

Oid
mp_citus_local(Oid table)
{
	Oid			local = find(table)->local;

	if (!OidIsValid(local))
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("this node has no copy of reference table \"%s\"", get_rel_name(table)),
				errhint("On the coordinator: SELECT replicate_reference_tables();"));
	return local;
}

bool
mp_citus_keeps(Oid relation)
{
	return find(relation)->kept;
}

/* 0: the coordinator */
static int32
local_group(void)
{
	Oid			catalog = citus_catalog("pg_dist_local_group");
	Relation	groups = table_open(catalog, AccessShareLock);
	SysScanDesc scan = systable_beginscan(groups, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple = systable_getnext(scan);
	bool		isnull = true;
	int32		group = 0;

	if (tuple != NULL)
		group = DatumGetInt32(heap_getattr(tuple, get_attnum(catalog, "groupid"), RelationGetDescr(groups), &isnull));
	systable_endscan(scan);
	table_close(groups, AccessShareLock);
	return isnull ? 0 : group;
}

void
mp_citus_check_coordinator(Oid table, const char *function)
{
	if (mp_citus_keeps(table) && local_group() != 0)
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("%s works on the coordinator only", function),
				errdetail("The models of this database are reference tables of Citus, and this is a worker."),
				errhint("Connect to the coordinator."));
}

bool
mp_citus_runs_part(Oid table)
{
	const char *name;

	if (!mp_citus_keeps(table))
		return false;
	name = GetConfigOption("application_name", true, false);
	return name != NULL && strncmp(name, INTERNAL_NAME, strlen(INTERNAL_NAME)) == 0;
}
