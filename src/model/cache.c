/*
 * cache.c: the boosters of this backend.
 *
 * One booster per version, found by model id and version number and trusted
 * only while the version's row, as the caller's snapshot sees it, is the very
 * one that it was loaded from: the same tuple in the same file, or, after a
 * rewrite of the table, one with the same fingerprint. So no invalidation is
 * needed: a snapshot that sees other contents loads a booster of its own.
 *
 * Boosters that a call site has pinned are never freed; one that was replaced
 * or evicted while pinned is freed at its last unpin.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "model/booster.h"
#include "store/catalog.h"
#include "model/image.h"
#include "store/options.h"

typedef struct CacheKey
{
	int64		model;
	int64		version;		/* int32; wide so that the key has no padding */
} CacheKey;

typedef struct CacheEntry
{
	CacheKey	key;
	/* the tuple it was loaded from */
	Oid			file;
	ItemPointerData tid;
	TransactionId xmin;
	CommandId	cid;			/* a TRUNCATE may give file and place to another tuple of the transaction */
	uint64		fingerprint;
	uint64		loads;
	uint64		used;			/* tick of the last look-up */
	MpBooster  *booster;		/* NULL: evicted; the entry keeps counting loads */
} CacheEntry;

static int	mp_cache_size = 256 * 1024; /* kB */
int			mp_kernel_setting = MP_KERNEL_AUTO;

static HTAB *entries;
static MemoryContext cache_context;
static uint64 tick;

static const struct config_enum_entry kernel_options[] = {
	{"auto", MP_KERNEL_AUTO, false},
	{"reference", MP_KERNEL_REFERENCE, false},
	{"portable", MP_KERNEL_PORTABLE, false},
	{"baseline", MP_KERNEL_BASELINE, false},
	{"avx2", MP_KERNEL_AVX2, false},
	{"avx512", MP_KERNEL_AVX512, false},
	{NULL, 0, false}
};

/* Boosters in use go on; the others are loaded anew with the new kernel. */
static void
forget_unpinned(void)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	if (entries == NULL)
		return;
	hash_seq_init(&status, entries);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->booster == NULL)
			continue;
		if (entry->booster->pins > 0)
			entry->booster->stale = true;
		else
			mp_booster_free(entry->booster);
		entry->booster = NULL;
	}
}

static void
assign_kernel(int newval, void *extra)
{
	if (newval != mp_kernel_setting)
		forget_unpinned();
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

	if (entries != NULL)
		return;
	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(TopMemoryContext, "model_predict cache",
											  ALLOCSET_SMALL_SIZES);
	ctl.keysize = sizeof(CacheKey);
	ctl.entrysize = sizeof(CacheEntry);
	ctl.hcxt = cache_context;
	entries = hash_create("model_predict boosters", 32, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* A hash of the bytes of a column that decides what a version answers. */
static uint64
hash_column(uint64 seed, MpScan *scan, HeapTuple tuple, const char *column)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(scan->rel),
										  mp_catalog_column(scan->rel, column) - 1);
	bool		isnull;
	Datum		value = mp_scan_value(scan, tuple, column, &isnull);
	struct varlena *plain;

	if (isnull)
		return hash_bytes_uint32_extended(0, seed + 1);
	if (att->attlen > 0)
		return hash_bytes_extended((const unsigned char *) &value, sizeof(Datum), seed);
	plain = PG_DETOAST_DATUM_PACKED(value);
	seed = hash_bytes_extended((const unsigned char *) VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain), seed);
	if ((Pointer) plain != DatumGetPointer(value))
		pfree(plain);
	return seed;
}

/* Where the model's bytes lie, or, where they are short, the bytes: TOAST values are never changed in place. */
static uint64
hash_data(uint64 seed, MpScan *scan, HeapTuple tuple)
{
	Datum		value = mp_scan_value_not_null(scan, tuple, "data");
	struct varlena *data = (struct varlena *) DatumGetPointer(value);

	if (VARATT_IS_EXTERNAL_ONDISK(data))
	{
		struct varatt_external pointer;

		VARATT_EXTERNAL_GET_POINTER(pointer, data);
		return hash_combine64(seed, ((uint64) pointer.va_valueid << 32) | (uint32) pointer.va_rawsize);
	}
	return hash_bytes_extended((const unsigned char *) VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), seed);
}

static uint64
fingerprint_of(MpScan *scan, HeapTuple tuple)
{
	static const char *const columns[] = {
		"sha256", "trees", "classes", "feature_names", "categories", "threshold",
		"missing", "absent_feature", "unseen_category", "infinity"
	};
	uint64		hash = 0;

	for (int i = 0; i < lengthof(columns); i++)
		hash = hash_column(hash, scan, tuple, columns[i]);
	return hash_data(hash, scan, tuple);
}

static void
read_options(MpScan *scan, HeapTuple tuple, MpRowOptions *row, MpLoadOptions *load)
{
	bool		isnull;
	Datum		value;

	memset(row, 0, sizeof(*row));
	memset(load, 0, sizeof(*load));
	load->trees = mp_option_trees(TextDatumGetCString(mp_scan_value_not_null(scan, tuple, "trees")));
	row->threshold = DatumGetFloat4(mp_scan_value_not_null(scan, tuple, "threshold"));
	row->absent_feature = mp_option_absent(TextDatumGetCString(mp_scan_value_not_null(scan, tuple, "absent_feature")));
	row->unseen_category = mp_option_unseen(TextDatumGetCString(mp_scan_value_not_null(scan, tuple, "unseen_category")));
	row->infinity = mp_option_infinity(TextDatumGetCString(mp_scan_value_not_null(scan, tuple, "infinity")));
	value = mp_scan_value(scan, tuple, "missing", &isnull);
	row->has_missing = !isnull;
	row->missing = isnull ? 0 : DatumGetFloat4(value);
	value = mp_scan_value(scan, tuple, "classes", &isnull);
	if (!isnull)
		mp_option_classes(DatumGetArrayTypePCopy(value), row);
	value = mp_scan_value(scan, tuple, "feature_names", &isnull);
	if (!isnull)
		load->feature_names = mp_option_strings("feature_names", DatumGetArrayTypePCopy(value),
												&load->n_feature_names);
	value = mp_scan_value(scan, tuple, "categories", &isnull);
	if (!isnull)
		load->categories = mp_option_categories(DatumGetJsonbPCopy(value), &load->n_categories);
}

/* The model's bytes, which must be those that were registered. */
static bytea *
checked_blob(const MpBooster *booster, MpScan *scan, HeapTuple tuple)
{
	bytea	   *data = DatumGetByteaPP(mp_scan_value_not_null(scan, tuple, "data"));
	bytea	   *sha256 = DatumGetByteaPP(mp_scan_value_not_null(scan, tuple, "sha256"));
	bytea	   *actual = mp_sha256(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data));

	if (VARSIZE_ANY_EXHDR(sha256) != VARSIZE_ANY_EXHDR(actual) ||
		memcmp(VARDATA_ANY(sha256), VARDATA_ANY(actual), VARSIZE_ANY_EXHDR(actual)) != 0)
		ereport(ERROR,
				errcode(ERRCODE_DATA_CORRUPTED),
				errmsg("model \"%s\" version %d is damaged", booster->name, booster->version),
				errdetail("Its bytes are not those that were registered: their SHA-256 differs."),
				errhint("Register the model again from its file, or restore table model_predict.version from a backup."));
	return data;
}

/* The forest of a version from the model's bytes. */
static MpForest *
forest_from_blob(const MpBooster *booster, MpScan *scan, HeapTuple tuple, const MpLoadOptions *options,
				 MpAlloc *alloc)
{
	bytea	   *data = checked_blob(booster, scan, tuple);
	MpForest   *forest;
	MpError		error;

	mp_error_clear(&error);
	if (!mp_model_load(alloc, VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), options, &forest, NULL, &error))
		mp_throw(&error, booster->name, booster->version);
	if ((Pointer) data != DatumGetPointer(mp_scan_value_not_null(scan, tuple, "data")))
		pfree(data);
	return forest;
}

static MpImageSource
image_source(const MpBooster *booster, MpScan *scan, HeapTuple tuple, const MpLoadOptions *load)
{
	MpImageSource source = {.model = booster->model, .version = booster->version, .load = load};

	source.data = mp_scan_value_not_null(scan, tuple, "data");
	source.sha256 = DatumGetByteaPP(mp_scan_value_not_null(scan, tuple, "sha256"));
	source.xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	return source;
}

static void
name_loading(void *arg)
{
	const MpBooster *booster = arg;

	errcontext("loading model \"%s\" version %d", booster->name, booster->version);
}

/* Makes the booster in a short-lived context first, so that what loading leaves behind goes at once. */
static MpBooster *
load_booster(const char *name, int64 model, int32 version, MpScan *scan, HeapTuple tuple)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "model_predict load",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);
	MpBooster  *booster = mp_booster_begin(name, model, version);
	ErrorContextCallback context = {error_context_stack, name_loading, booster};
	MpRowOptions row;
	MpLoadOptions load;
	MpImageSource source;
	MpImage		image;
	instr_time	start,
				end;

	error_context_stack = &context;
	INSTR_TIME_SET_CURRENT(start);
	read_options(scan, tuple, &row, &load);
	source = image_source(booster, scan, tuple, &load);
	if (mp_image_load(&source, scan->snapshot, mp_kernel_setting == MP_KERNEL_REFERENCE,
					  booster->context, booster->alloc, &image))
	{
		booster->shared_bytes = image.shared_bytes;
		mp_booster_finish(booster, image.forest, image.whole, image.kernel, &row);
	}
	else
		mp_booster_from_forest(booster, forest_from_blob(booster, scan, tuple, &load, booster->alloc), &row);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	booster->load_ms = INSTR_TIME_GET_MILLISEC(end);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(booster->context, cache_context);
	MemoryContextDelete(work);
	error_context_stack = context.previous;
	ereport(DEBUG1,
			errmsg_internal("model_predict loaded \"%s\" version %d in %.3f ms, %zu bytes",
							name, version, booster->load_ms, booster->bytes));
	return booster;
}

static void
drop_booster(CacheEntry *entry)
{
	MpBooster  *booster = entry->booster;

	entry->booster = NULL;
	if (booster->pins > 0)
		booster->stale = true;
	else
		mp_booster_free(booster);
}

static void
evict(const CacheEntry *keep)
{
	for (;;)
	{
		HASH_SEQ_STATUS status;
		CacheEntry *entry;
		CacheEntry *oldest = NULL;
		Size		total = 0;

		hash_seq_init(&status, entries);
		while ((entry = hash_seq_search(&status)) != NULL)
		{
			if (entry->booster == NULL)
				continue;
			total += entry->booster->bytes;
			if (entry != keep && entry->booster->pins == 0 &&
				(oldest == NULL || entry->used < oldest->used))
				oldest = entry;
		}
		if (oldest == NULL || total <= (Size) mp_cache_size * 1024)
			return;
		ereport(DEBUG1,
				errmsg_internal("model_predict evicts \"%s\" version %d, %zu bytes",
								oldest->booster->name, oldest->booster->version, oldest->booster->bytes));
		drop_booster(oldest);
	}
}

/* A version's entry, be it one without a booster. */
static CacheEntry *
entry_of(int64 model, int32 version)
{
	CacheKey	key = {model, version};
	bool		found;
	CacheEntry *entry = hash_search(entries, &key, HASH_ENTER, &found);

	if (!found)
	{
		entry->loads = 0;
		entry->booster = NULL;
	}
	return entry;
}

/* Whether the entry was loaded from this very tuple, or from one with the same contents. */
static bool
entry_is_current(CacheEntry *entry, MpScan *scan, HeapTuple tuple)
{
	Oid			file = mp_relation_file(scan->rel);
	TransactionId xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	CommandId	cid = HeapTupleHeaderGetRawCommandId(tuple->t_data);

	if (entry->file == file && entry->xmin == xmin && entry->cid == cid &&
		ItemPointerEquals(&entry->tid, &tuple->t_self))
		return true;
	if (entry->fingerprint != fingerprint_of(scan, tuple))
		return false;
	entry->file = file;
	entry->xmin = xmin;
	entry->cid = cid;
	entry->tid = tuple->t_self;
	return true;
}

/* The booster of a version as the snapshot sees it; the version must be there. */
MpBooster *
mp_cache_get(const char *name, int64 model, int32 version, Snapshot snapshot)
{
	CacheEntry *entry;
	MpScan		scan;
	HeapTuple	tuple;
	MpBooster  *booster;

	ensure_cache();
	mp_scan_begin(&scan, "version", snapshot);
	mp_scan_key_int8(&scan, "model", model);
	mp_scan_key_int4(&scan, "version", version);
	tuple = mp_scan_next(&scan);
	if (tuple == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("model \"%s\" has no version %d", name, version),
				errhint("The view model_predict.versions lists the versions of a model."));
	entry = entry_of(model, version);
	if (entry->booster == NULL || strcmp(entry->booster->name, name) != 0 ||
		!entry_is_current(entry, &scan, tuple))
	{
		uint64		fingerprint = fingerprint_of(&scan, tuple);
		Oid			file = mp_relation_file(scan.rel);
		TransactionId xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
		CommandId	cid = HeapTupleHeaderGetRawCommandId(tuple->t_data);
		ItemPointerData tid = tuple->t_self;

		booster = load_booster(name, model, version, &scan, tuple);
		if (entry->booster != NULL)
			drop_booster(entry);
		entry->file = file;
		entry->xmin = xmin;
		entry->cid = cid;
		entry->tid = tid;
		entry->fingerprint = fingerprint;
		entry->booster = booster;
		booster->loads = ++entry->loads;
	}
	entry->used = ++tick;
	/* not just after a load: boosters grow when they explain, and the limit may have been lowered */
	evict(entry);
	mp_scan_end(&scan);
	return entry->booster;
}

/* The version's row as the snapshot sees it. */
static HeapTuple
scan_version(MpScan *scan, const MpBooster *booster, Snapshot snapshot)
{
	HeapTuple	tuple;

	mp_scan_begin(scan, "version", snapshot);
	mp_scan_key_int8(scan, "model", booster->model);
	mp_scan_key_int4(scan, "version", booster->version);
	tuple = mp_scan_next(scan);
	if (tuple == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("model \"%s\" has no version %d", booster->name, booster->version));
	return tuple;
}

/* The forest with its trees; loaded when first asked for where scoring does without. */
const MpForest *
mp_booster_forest(MpBooster *booster, Snapshot snapshot)
{
	MpScan		scan;
	HeapTuple	tuple;
	MpRowOptions row;
	MpLoadOptions load;
	MpImageSource source;
	MpImage		image;
	MemoryContext context;
	MpAlloc    *alloc;

	if (booster->whole)
		return booster->forest;
	if (booster->trees != NULL)
		return booster->trees;
	/* of its own, until it is complete: an error must not leave half of it in the booster's */
	context = AllocSetContextCreate(CurrentMemoryContext, "model_predict trees", ALLOCSET_SMALL_SIZES);
	alloc = mp_alloc_context(context);
	tuple = scan_version(&scan, booster, snapshot);
	read_options(&scan, tuple, &row, &load);
	source = image_source(booster, &scan, tuple, &load);
	if (!mp_image_load(&source, snapshot, true, context, alloc, &image))
		image.forest = forest_from_blob(booster, &scan, tuple, &load, alloc);
	mp_scan_end(&scan);
	MemoryContextSetParent(context, booster->context);
	booster->trees = image.forest;
	mp_booster_measure(booster);
	return booster->trees;
}

/* Reads the version's bytes and stores what is compiled from them. */
void
mp_version_recompile(const char *name, int64 model, int32 version, Snapshot snapshot)
{
	MpBooster  *booster = mp_booster_begin(name, model, version);
	MpScan		scan;
	HeapTuple	tuple = scan_version(&scan, booster, snapshot);
	MpRowOptions row;
	MpLoadOptions load;
	MpImageSource source;
	MpImage		image = {.whole = true};
	MpError		error;

	read_options(&scan, tuple, &row, &load);
	image.forest = forest_from_blob(booster, &scan, tuple, &load, booster->alloc);
	mp_error_clear(&error);
	image.kernel = mp_kernel_compile(booster->alloc, image.forest, &image.kernel_size, &error);
	if (image.kernel == NULL && error.code != MP_OK)
		mp_throw(&error, name, version);
	source = image_source(booster, &scan, tuple, &load);
	mp_image_store(&source, &image);
	mp_scan_end(&scan);
	mp_booster_free(booster);
}

/* The model's bytes, copied. */
bytea *
mp_booster_blob(const MpBooster *booster, Snapshot snapshot)
{
	MpScan		scan;
	HeapTuple	tuple = scan_version(&scan, booster, snapshot);
	bytea	   *data = checked_blob(booster, &scan, tuple);

	if ((Pointer) data == DatumGetPointer(mp_scan_value_not_null(&scan, tuple, "data")))
		data = DatumGetByteaPCopy(PointerGetDatum(data));
	mp_scan_end(&scan);
	return data;
}

PG_FUNCTION_INFO_V1(mp_cached);
Datum
mp_cached(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	InitMaterializedSRF(fcinfo, 0);
	if (entries == NULL)
		return (Datum) 0;
	hash_seq_init(&status, entries);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		MpBooster  *booster = entry->booster;
		Datum		values[9];
		bool		nulls[9] = {0};
		Interval	load_time = {0};

		/* SET ROLE may have brought another role than the one that scored */
		if (booster == NULL || !mp_rights_may_see(entry->key.model))
			continue;
		load_time.time = (TimeOffset) (booster->load_ms * 1000);
		values[0] = CStringGetTextDatum(booster->name);
		values[1] = Int32GetDatum(booster->version);
		values[2] = Int64GetDatum(booster->bytes);
		values[3] = CStringGetTextDatum(mp_kernel_kind_name(mp_kernel_kind(booster->kernel)));
		values[4] = TimestampTzGetDatum(booster->loaded);
		values[5] = IntervalPGetDatum(&load_time);
		values[6] = Int64GetDatum(entry->loads);
		values[7] = Int64GetDatum(booster->rows);
		values[8] = BoolGetDatum(booster->shared_bytes > 0);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
