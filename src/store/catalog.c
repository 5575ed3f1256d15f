/*
 * catalog.c: reads the extension's tables from C.
 *
 * Tables are found by schema and name, columns by name, indexes through the
 * relcache, and rows by the caller's snapshot with the lock that a SELECT
 * takes, so that what is found is what a query in the caller's place would
 * find. No right on the tables is needed and no search_path is used; who may
 * do what is decided here, from the owner and the permissions in the tables.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "store/catalog.h"
#include "store/citus.h"

bool
mp_catalog_installed(void)
{
	return OidIsValid(get_namespace_oid(MP_SCHEMA, true));
}

Oid
mp_catalog_schema(void)
{
	Oid			schema = get_namespace_oid(MP_SCHEMA, true);

	if (!OidIsValid(schema))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_SCHEMA),
				errmsg("extension \"model_predict\" is not installed in this database"),
				errhint("Run CREATE EXTENSION model_predict."));
	return schema;
}

Oid
mp_catalog_table(const char *name)
{
	Oid			table = get_relname_relid(name, mp_catalog_schema());

	if (!OidIsValid(table))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("table \"%s.%s\" does not exist", MP_SCHEMA, name),
				errhint("Run ALTER EXTENSION model_predict UPDATE, or create the extension anew."));
	return table;
}

AttrNumber
mp_catalog_column(Relation rel, const char *name)
{
	int			i;

	for (i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return att->attnum;
	}
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_COLUMN),
			errmsg("table \"%s.%s\" has no column \"%s\"", MP_SCHEMA, RelationGetRelationName(rel), name),
			errhint("Run ALTER EXTENSION model_predict UPDATE."));
}

/* Whether a search for our keys, whose text is ordered by bytes, finds all that the snapshot sees. */
static bool
is_usable(Relation index)
{
	Form_pg_index form = index->rd_index;

	if (!form->indisvalid || index->rd_rel->relam != BTREE_AM_OID || RelationGetIndexPredicate(index) != NIL)
		return false;
	/* made after rows had changed in their place: older snapshots would miss those */
	if (form->indcheckxmin &&
		!TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin))
		return false;
	for (int k = 0; k < form->indnkeyatts; k++)
		if (OidIsValid(index->rd_indcollation[k]) && index->rd_indcollation[k] != C_COLLATION_OID)
			return false;
	return true;
}

/* A usable index whose leading columns are the scan's, in any order; or InvalidOid. */
static Oid
index_for(Relation rel, int nkeys, const ScanKeyData *keys)
{
	List	   *indexes = RelationGetIndexList(rel);
	Oid			found = InvalidOid;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		Form_pg_index form = index->rd_index;
		int			matched = 0;

		if (form->indnkeyatts >= nkeys && is_usable(index))
			for (int k = 0; k < nkeys; k++)
				for (int i = 0; i < nkeys; i++)
					if (form->indkey.values[k] == keys[i].sk_attno)
						matched++;
		index_close(index, NoLock);
		if (matched == nkeys)
		{
			found = lfirst_oid(cell);
			break;
		}
	}
	list_free(indexes);
	return found;
}

/*
 * Whether to read the table without an index, as the planner would. A session
 * that has not used the index yet would spend more on getting to know it than
 * on reading the page.
 */
static bool
is_tiny(Relation rel)
{
	return RelationGetNumberOfBlocks(rel) <= 1;
}

void
mp_scan_begin(MpScan *scan, const char *table, Snapshot snapshot)
{
	scan->rel = table_open(mp_citus_local(mp_catalog_table(table)), AccessShareLock);
	scan->table = table;
	scan->snapshot = snapshot;
	scan->nkeys = 0;
	scan->scan = NULL;
}

void
mp_scan_key_int8(MpScan *scan, const char *column, int64 value)
{
	ScanKeyInit(&scan->keys[scan->nkeys++], mp_catalog_column(scan->rel, column),
				BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(value));
}

void
mp_scan_key_int4(MpScan *scan, const char *column, int32 value)
{
	ScanKeyInit(&scan->keys[scan->nkeys++], mp_catalog_column(scan->rel, column),
				BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(value));
}

void
mp_scan_key_text(MpScan *scan, const char *column, const char *value)
{
	/* the columns are COLLATE "C", which is also what ScanKeyInit sets */
	ScanKeyInit(&scan->keys[scan->nkeys++], mp_catalog_column(scan->rel, column),
				BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(value));
}

void		(*mp_scan_found) (const MpScan *scan, HeapTuple tuple) = NULL;

HeapTuple
mp_scan_next(MpScan *scan)
{
	HeapTuple	tuple;

	if (scan->scan == NULL)
	{
		Oid			index = InvalidOid;

		if (!is_tiny(scan->rel))
			index = index_for(scan->rel, scan->nkeys, scan->keys);

		scan->scan = systable_beginscan(scan->rel, index, OidIsValid(index),
										scan->snapshot, scan->nkeys, scan->keys);
	}
	tuple = systable_getnext(scan->scan);
	if (mp_scan_found != NULL && tuple != NULL)
		mp_scan_found(scan, tuple);
	return tuple;
}

/* A column of the tuple last found. */
Datum
mp_scan_value(MpScan *scan, HeapTuple tuple, const char *column, bool *isnull)
{
	return heap_getattr(tuple, mp_catalog_column(scan->rel, column),
						RelationGetDescr(scan->rel), isnull);
}

Datum
mp_scan_value_not_null(MpScan *scan, HeapTuple tuple, const char *column)
{
	bool		isnull;
	Datum		value = mp_scan_value(scan, tuple, column, &isnull);

	if (isnull)
		ereport(ERROR,
				errcode(ERRCODE_DATA_CORRUPTED),
				errmsg("unexpected null in column \"%s\" of table \"%s.%s\"",
					   column, MP_SCHEMA, RelationGetRelationName(scan->rel)));
	return value;
}

void
mp_scan_end(MpScan *scan)
{
	if (scan->scan != NULL)
		systable_endscan(scan->scan);
	table_close(scan->rel, NoLock); /* the lock stays to the end, as SELECT's does */
}

/*
 * There may be none: procedures lose theirs when they commit, and a domain's
 * constraint on a variable of theirs can be what comes next.
 */
Snapshot
mp_catalog_snapshot(void)
{
	EnsurePortalSnapshotExists();
	return GetActiveSnapshot();
}
