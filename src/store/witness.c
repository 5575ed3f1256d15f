/*
 * witness.c: the rows of our tables that decided something, and whether they
 * are still there.
 *
 * What was found once need not be searched for again: if the rows that decided
 * are visible in the same place, and are what they were, a search would find
 * them. That takes a page each instead of an index's pages and what it takes to
 * open it. Rows are fetched as any scan fetches them, under the snapshot and with
 * the checks of serializable transactions.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "store/citus.h"
#include "store/witness.h"

static MpWitnesses *recording = NULL;

static bool
is_known(Relation rel, HeapTuple tuple)
{
	for (int i = 0; i < recording->n; i++)
		if (recording->list[i].table == RelationGetRelid(rel) &&
			ItemPointerEquals(&recording->list[i].tuple->t_self, &tuple->t_self))
			return true;
	return false;
}

static void
record(const MpScan *scan, HeapTuple tuple)
{
	Relation	rel = scan->rel;
	MpWitness  *witness;
	MemoryContext old;

	if (recording->n > MP_WITNESSES || is_known(rel, tuple))
		return;
	if (recording->n == MP_WITNESSES || rel->rd_tableam != GetHeapamTableAmRoutine())
	{
		recording->n = MP_WITNESSES + 1;
		return;
	}
	witness = &recording->list[recording->n];
	old = MemoryContextSwitchTo(recording->context);
	witness->tuple = heap_copytuple(tuple);
	MemoryContextSwitchTo(old);
	witness->table = RelationGetRelid(rel);
	witness->file = mp_relation_file(rel);
	witness->recent = InvalidBuffer;
	witness->name = scan->table;
	recording->n++;
}

void
mp_witness_begin(MpWitnesses *witnesses, MemoryContext context)
{
	witnesses->n = 0;
	witnesses->context = context;
	recording = witnesses;
	mp_scan_found = record;
}

void
mp_witness_end(void)
{
	recording = NULL;
	mp_scan_found = NULL;
}

/* What a row holds; what is written into its header by those who change or lock it does not count. */
static bool
is_same(const HeapTupleData *a, const HeapTupleData *b)
{
	const HeapTupleHeader x = a->t_data;
	const HeapTupleHeader y = b->t_data;

	return a->t_len == b->t_len && x->t_hoff == y->t_hoff &&
		HeapTupleHeaderGetRawXmin(x) == HeapTupleHeaderGetRawXmin(y) &&
		HeapTupleHeaderGetNatts(x) == HeapTupleHeaderGetNatts(y) &&
		(x->t_infomask & HEAP_HASNULL) == (y->t_infomask & HEAP_HASNULL) &&
		memcmp(x->t_bits, y->t_bits, a->t_len - offsetof(HeapTupleHeaderData, t_bits)) == 0;
}

/* Whether the table has the page; a look at where it was before spares asking how long the file is. */
static bool
has_page(Relation rel, BlockNumber page, Buffer recent)
{
	if (BufferIsValid(recent) && ReadRecentBuffer(mp_relation_locator(rel), MAIN_FORKNUM, page, recent))
	{
		ReleaseBuffer(recent);
		return true;
	}
	return page < RelationGetNumberOfBlocks(rel);
}

static bool
is_there(MpWitness *witness, Relation rel, Snapshot snapshot)
{
	HeapTupleData tuple = {.t_self = witness->tuple->t_self};
	Buffer		buffer;
	bool		same;

	if (mp_relation_file(rel) != witness->file ||
		!has_page(rel, ItemPointerGetBlockNumber(&tuple.t_self), witness->recent) ||
		!mp_heap_fetch(rel, snapshot, &tuple, &buffer))
		return false;
	same = is_same(&tuple, witness->tuple);
	witness->recent = buffer;
	ReleaseBuffer(buffer);
	return same;
}

static bool
holds(MpWitness *witness, Oid schema, Snapshot snapshot)
{
	Relation	rel;
	bool		there;

	if (mp_citus_local(get_relname_relid(witness->name, schema)) != witness->table)
		return false;
	rel = table_open(witness->table, AccessShareLock);
	there = is_there(witness, rel, snapshot);
	table_close(rel, NoLock);
	return there;
}

bool
mp_witness_holds(MpWitnesses *witnesses, Snapshot snapshot)
{
	Oid			schema = mp_catalog_schema();

	if (witnesses->n > MP_WITNESSES)
		return false;
	for (int i = 0; i < witnesses->n; i++)
		if (!holds(&witnesses->list[i], schema, snapshot))
			return false;
	return true;
}

const MpWitness *
mp_witness_of(const MpWitnesses *witnesses, const char *table)
{
	for (int i = Min(witnesses->n, MP_WITNESSES) - 1; i >= 0; i--)
		if (strcmp(witnesses->list[i].name, table) == 0)
			return &witnesses->list[i];
	return NULL;
}

Datum
mp_witness_value(const MpWitness *witness, const char *column)
{
	Relation	rel = table_open(witness->table, AccessShareLock);
	bool		isnull;
	Datum		value = heap_getattr(witness->tuple, mp_catalog_column(rel, column), RelationGetDescr(rel), &isnull);

	table_close(rel, NoLock);
	if (isnull)
		elog(ERROR, "unexpected null in column \"%s\" of table \"%s\"", column, witness->name);
	return value;
}
