/*
 * cache.c: the models of this session.
 *
 * One model per version, found by model id and version number and trusted only
 * while the version's row, as the caller's snapshot sees it, is the very one
 * that it was loaded from: the same tuple in the same file, or, after a rewrite
 * of the table, one with the same fingerprint. So no invalidation is needed: a
 * snapshot that sees other contents loads a model of its own.
 *
 * An entry is in the table while it may be found, and in the list while it may
 * be evicted, too: those in use are pinned and not in the list. One that was
 * replaced while pinned is freed at its last unpin. Entries live in their
 * model's memory context.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "glue/error.h"
#include "glue/memory.h"
#include "model/cache.h"
#include "model/usage.h"
#include "model/version.h"
#include "store/lookup.h"

typedef struct CacheKey
{
	int64		model;
	int64		version;		/* int32; wide so that the key has no padding */
} CacheKey;

typedef struct CacheEntry
{
	const MpModel *model;
	MpModelState state;			/* stale: no longer in the table */
	int			pins;
	dlist_node	node;			/* of the list, where in the table and not pinned */
	/* the tuple it was loaded from */
	Oid			file;
	ItemPointerData tid;
	TransactionId xmin;
	CommandId	cid;			/* a TRUNCATE may give file and place to another tuple of the transaction */
	uint64		fingerprint;
	/* what the view says of it */
	TimestampTz loaded;
	double		load_ms;
	Size		bytes;
	Size		shared_bytes;	/* of these, in memory that all sessions share */
	/* made when first asked for; NULL: not yet */
	const MpForest *trees;
	MpShap	   *shap;
	MpBatch    *batch;
	bool		no_batch;		/* there is none */
	MpAttachment attachment;
} CacheEntry;

typedef struct CacheSlot
{
	CacheKey	key;
	CacheEntry *entry;
} CacheSlot;

static int	mp_cache_size = 256 * 1024; /* kB */

static HTAB *slots;
static MemoryContext cache_context;
static dlist_head unpinned;		/* the last used first */
static Size total_bytes;		/* of all in the table */
static uint64 losses;			/* of entries from the table */

static const struct config_enum_entry kernel_options[] = {
	{"auto", MP_KERNEL_AUTO, false},
	{"reference", MP_KERNEL_REFERENCE, false},
	{"portable", MP_KERNEL_PORTABLE, false},
	{"baseline", MP_KERNEL_BASELINE, false},
	{"avx2", MP_KERNEL_AVX2, false},
	{"avx512", MP_KERNEL_AVX512, false},
	{NULL, 0, false}
};

/* Only of models that the cache gave. */
static CacheEntry *
entry_of(const MpModel *model)
{
	Assert(model->id != 0);
	return (CacheEntry *) ((char *) model->state - offsetof(CacheEntry, state));
}

static void
set_bytes(CacheEntry *entry, Size bytes)
{
	if (!entry->state.stale)
		total_bytes += bytes - entry->bytes;
	entry->bytes = bytes;
}

static void
measure(CacheEntry *entry)
{
	set_bytes(entry, MemoryContextMemAllocated(entry->model->context, true) + entry->shared_bytes +
			  entry->attachment.bytes);
}

void
mp_cache_measure(const MpModel *model)
{
	measure(entry_of(model));
}

/* Takes the entry out of the table; it goes now or at its last unpin. */
static void
forget(CacheEntry *entry)
{
	CacheKey	key = {entry->model->id, entry->model->version};

	losses++;
	hash_search(slots, &key, HASH_REMOVE, NULL);
	total_bytes -= entry->bytes;
	entry->state.stale = true;
	if (entry->pins > 0)
		return;
	dlist_delete(&entry->node);
	mp_usage_unloaded(entry->model);
	mp_model_free(entry->model);
}

/* From the least recently used on, but not `keep`; none is looked at that does not go. */
static void
evict(const CacheEntry *keep)
{
	while (total_bytes > (Size) mp_cache_size * 1024 && !dlist_is_empty(&unpinned))
	{
		CacheEntry *oldest = dlist_tail_element(CacheEntry, node, &unpinned);

		if (oldest == keep)
			return;
		CHECK_FOR_INTERRUPTS();
		ereport(DEBUG1,
				errmsg_internal("model_predict evicts \"%s\" version %d, %zu bytes",
								oldest->model->name, oldest->model->version, oldest->bytes));
		forget(oldest);
	}
}

void
mp_cache_pin(const MpModel *model)
{
	CacheEntry *entry = entry_of(model);

	if (entry->pins++ == 0 && !entry->state.stale)
		dlist_delete(&entry->node);
}

void
mp_cache_unpin(const MpModel *model)
{
	CacheEntry *entry = entry_of(model);

	Assert(entry->pins > 0);
	if (--entry->pins > 0)
		return;
	if (entry->state.stale)
	{
		mp_usage_unloaded(model);
		mp_model_free(model);
	}
	else
		dlist_push_head(&unpinned, &entry->node);
}

/* Models in use go on; the others are loaded anew with the new kernel. */
static void
assign_kernel(int newval, void *extra)
{
	HASH_SEQ_STATUS status;
	CacheSlot  *slot;

	if (newval == mp_kernel_setting || slots == NULL)
		return;
	hash_seq_init(&status, slots);
	while ((slot = hash_seq_search(&status)) != NULL)
		forget(slot->entry);
}

void
mp_cache_init(void)
{
	DefineCustomIntVariable("model_predict.cache_size",
							"Memory that a session's loaded models may take.",
							"Least recently used models are forgotten first; one in use never is.",
							&mp_cache_size, 256 * 1024, 1024, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomEnumVariable("model_predict.kernel",
							 "Evaluator that scores rows; all give the same bits.",
							 "One that the processor or the model does not allow falls back to the next.",
							 &mp_kernel_setting, MP_KERNEL_AUTO, kernel_options,
							 PGC_USERSET, 0, NULL, assign_kernel, NULL);
}

static void
ensure_cache(void)
{
	HASHCTL		ctl;

	if (slots != NULL)
		return;
	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(TopMemoryContext, "model_predict cache",
											  ALLOCSET_SMALL_SIZES);
	ctl.keysize = sizeof(CacheKey);
	ctl.entrysize = sizeof(CacheSlot);
	ctl.hcxt = cache_context;
	dlist_init(&unpinned);
	slots = hash_create("model_predict models", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static bool
is_from(CacheEntry *entry, Oid file, HeapTuple tuple)
{
	return entry->file == file && entry->xmin == HeapTupleHeaderGetRawXmin(tuple->t_data) &&
		entry->cid == HeapTupleHeaderGetRawCommandId(tuple->t_data) &&
		ItemPointerEquals(&entry->tid, &tuple->t_self);
}

/* Whether the entry was loaded from this very tuple, or from one with the same contents. */
static bool
is_current(CacheEntry *entry, MpScan *scan, HeapTuple tuple)
{
	if (is_from(entry, mp_relation_file(scan->rel), tuple))
		return true;
	if (entry->fingerprint != mp_version_fingerprint(scan, tuple))
		return false;
	entry->file = mp_relation_file(scan->rel);
	entry->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	entry->cid = HeapTupleHeaderGetRawCommandId(tuple->t_data);
	entry->tid = tuple->t_self;
	return true;
}

/* Not in the table yet. */
static CacheEntry *
load(const MpFound *found, MpScan *scan, HeapTuple tuple)
{
	uint64		fingerprint = mp_version_fingerprint(scan, tuple);
	instr_time	start;
	instr_time	end;
	Size		shared_bytes;
	MpModel    *model;
	CacheEntry *entry;

	INSTR_TIME_SET_CURRENT(start);
	model = mp_version_load(found->name, found->model, found->version, scan, tuple, &shared_bytes);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	entry = MemoryContextAllocZero(model->context, sizeof(CacheEntry));
	entry->model = model;
	model->state = &entry->state;
	entry->file = mp_relation_file(scan->rel);
	entry->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	entry->cid = HeapTupleHeaderGetRawCommandId(tuple->t_data);
	entry->tid = tuple->t_self;
	entry->fingerprint = fingerprint;
	entry->loaded = GetCurrentTimestamp();
	entry->load_ms = INSTR_TIME_GET_MILLISEC(end);
	entry->shared_bytes = shared_bytes;
	entry->state.stale = true;	/* until it is in the table */
	measure(entry);
	ereport(DEBUG1,
			errmsg_internal("model_predict loaded \"%s\" version %d in %.3f ms, %zu bytes",
							found->name, found->version, entry->load_ms, entry->bytes));
	mp_usage_loaded(model);
	return entry;
}

static void
put(CacheEntry *entry)
{
	CacheKey	key = {entry->model->id, entry->model->version};
	CacheSlot  *slot = hash_search(slots, &key, HASH_ENTER, NULL);

	slot->entry = entry;
	MemoryContextSetParent(entry->model->context, cache_context);
	entry->state.stale = false;
	total_bytes += entry->bytes;
	dlist_push_head(&unpinned, &entry->node);
}

const MpModel *
mp_cache_get(const MpFound *found, Snapshot snapshot)
{
	CacheKey	key = {found->model, found->version};
	MpScan		scan;
	HeapTuple	tuple = mp_version_scan(&scan, found->name, found->model, found->version, snapshot);
	CacheSlot  *slot;
	CacheEntry *entry;

	ensure_cache();
	slot = hash_search(slots, &key, HASH_FIND, NULL);
	entry = slot != NULL ? slot->entry : NULL;
	if (entry == NULL || strcmp(entry->model->name, found->name) != 0 || !is_current(entry, &scan, tuple))
	{
		CacheEntry *new = load(found, &scan, tuple);

		if (entry != NULL)
			forget(entry);
		entry = new;
		put(entry);
	}
	else if (entry->pins == 0)
		dlist_move_head(&unpinned, &entry->node);
	/* not just after a load: models grow when they explain, and the limit may have been lowered */
	evict(entry);
	mp_scan_end(&scan);
	return entry->model;
}

const MpModel *
mp_cache_find(const MpFound *found, Oid file, HeapTuple tuple)
{
	CacheKey	key = {found->model, found->version};
	CacheSlot  *slot;

	ensure_cache();
	slot = hash_search(slots, &key, HASH_FIND, NULL);
	if (slot == NULL || strcmp(slot->entry->model->name, found->name) != 0 || !is_from(slot->entry, file, tuple))
		return NULL;
	if (slot->entry->pins == 0)
		dlist_move_head(&unpinned, &slot->entry->node);
	evict(slot->entry);
	return slot->entry->model;
}

uint64
mp_cache_losses(void)
{
	return losses;
}

/* What is made in a context of its own until it is complete: an error must not leave half of it in the model's. */
static void
adopt(CacheEntry *entry, MemoryContext part)
{
	MemoryContextSetParent(part, entry->model->context);
	measure(entry);
}

const MpForest *
mp_cache_trees(const MpModel *model, Snapshot snapshot)
{
	CacheEntry *entry = entry_of(model);
	MemoryContext context;

	if (model->whole)
		return model->forest;
	if (entry->trees == NULL)
	{
		context = AllocSetContextCreate(CurrentMemoryContext, "model_predict trees", ALLOCSET_SMALL_SIZES);
		entry->trees = mp_version_trees(model, snapshot, context);
		adopt(entry, context);
	}
	return entry->trees;
}

MpBatch *
mp_cache_batch(const MpModel *model)
{
	CacheEntry *entry = entry_of(model);
	MemoryContext context;
	MpBatch    *batch;
	MpError		error;

	if (entry->batch != NULL || entry->no_batch)
		return entry->batch;
	context = AllocSetContextCreate(CurrentMemoryContext, "model_predict batch", ALLOCSET_SMALL_SIZES);
	mp_error_clear(&error);
	batch = mp_batch_open(mp_alloc_context(context), model->kernel, &error);
	if (batch == NULL && error.code != MP_OK)
		mp_throw(&error, model->name, model->version);
	entry->batch = batch;
	entry->no_batch = batch == NULL;
	if (batch != NULL)
		adopt(entry, context);
	else
		MemoryContextDelete(context);
	return batch;
}

MpShap *
mp_cache_shap(const MpModel *model, Snapshot snapshot)
{
	CacheEntry *entry = entry_of(model);
	const MpForest *forest;
	MemoryContext context;
	MpShap	   *shap;
	MpError		error;

	if (entry->shap != NULL)
		return entry->shap;
	forest = mp_cache_trees(model, snapshot);
	context = AllocSetContextCreate(CurrentMemoryContext, "model_predict shap", ALLOCSET_SMALL_SIZES);
	shap = mp_shap_open(mp_alloc_context(context), forest, &error);
	if (shap == NULL)
		mp_throw_unexplained(&error, model->name, model->version);
	entry->shap = shap;
	adopt(entry, context);
	return shap;
}

MpAttachment *
mp_cache_attachment(const MpModel *model)
{
	return &entry_of(model)->attachment;
}

PG_FUNCTION_INFO_V1(mp_cached);
Datum
mp_cached(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	HASH_SEQ_STATUS status;
	CacheSlot  *slot;

	InitMaterializedSRF(fcinfo, 0);
	if (slots == NULL)
		return (Datum) 0;
	hash_seq_init(&status, slots);
	while ((slot = hash_seq_search(&status)) != NULL)
	{
		const CacheEntry *entry = slot->entry;
		const MpModel *model = entry->model;
		Datum		values[8];
		bool		nulls[8] = {0};
		Interval	load_time = {0};

		/* SET ROLE may have brought another role than the one that scored */
		if (!mp_lookup_may_see(model->id))
			continue;
		load_time.time = (TimeOffset) (entry->load_ms * 1000);
		values[0] = CStringGetTextDatum(model->name);
		values[1] = Int32GetDatum(model->version);
		values[2] = Int64GetDatum(entry->bytes);
		values[3] = CStringGetTextDatum(mp_kernel_kind_name(mp_kernel_kind(model->kernel)));
		values[4] = TimestampTzGetDatum(entry->loaded);
		values[5] = IntervalPGetDatum(&load_time);
		values[6] = Int64GetDatum(entry->state.rows);
		values[7] = BoolGetDatum(entry->shared_bytes > 0);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
