/*
 * version.c: from a version's row to a model: the options in it, the compiled
 * form stored beside it, or the model's bytes where that does not serve.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "common/hashfn.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/load/load.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "glue/sha256.h"
#include "model/image.h"
#include "model/preprocessing.h"
#include "model/version.h"
#include "store/lookup.h"
#include "store/options.h"

HeapTuple
mp_version_scan(MpScan *scan, const char *name, int64 id, int32 version, Snapshot snapshot)
{
	HeapTuple	tuple;

	mp_scan_begin(scan, "stored_version", snapshot);
	mp_scan_key_int8(scan, "model", id);
	mp_scan_key_int4(scan, "version", version);
	tuple = mp_scan_next(scan);
	if (tuple == NULL)
		mp_lookup_no_version(name, version);
	return tuple;
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

uint64
mp_version_fingerprint(MpScan *scan, HeapTuple tuple)
{
	static const char *const columns[] = {
		"sha256", "trees", "classes", "feature_names", "categories", "threshold",
		"missing", "absent_feature", "unseen_category", "infinity", "preprocessing", "link"
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
	row->threshold = DatumGetFloat8(mp_scan_value_not_null(scan, tuple, "threshold"));
	row->absent_feature = mp_option_absent(TextDatumGetCString(mp_scan_value_not_null(scan, tuple, "absent_feature")));
	row->unseen_category = mp_option_unseen(TextDatumGetCString(mp_scan_value_not_null(scan, tuple, "unseen_category")));
	row->infinity = mp_option_infinity(TextDatumGetCString(mp_scan_value_not_null(scan, tuple, "infinity")));
	value = mp_scan_value(scan, tuple, "missing", &isnull);
	row->has_missing = !isnull;
	row->missing = isnull ? 0 : DatumGetFloat4(value);
	value = mp_scan_value(scan, tuple, "link", &isnull);
	if (!isnull)
		load->link = mp_option_link(TextDatumGetCString(value));
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
checked_blob(const char *name, int32 version, MpScan *scan, HeapTuple tuple)
{
	bytea	   *data = DatumGetByteaPP(mp_scan_value_not_null(scan, tuple, "data"));
	bytea	   *sha256 = DatumGetByteaPP(mp_scan_value_not_null(scan, tuple, "sha256"));
	bytea	   *actual = mp_sha256(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data));

	if (VARSIZE_ANY_EXHDR(sha256) != VARSIZE_ANY_EXHDR(actual) ||
		memcmp(VARDATA_ANY(sha256), VARDATA_ANY(actual), VARSIZE_ANY_EXHDR(actual)) != 0)
		ereport(ERROR,
				errcode(ERRCODE_DATA_CORRUPTED),
				errmsg("model \"%s\" version %d is damaged", name, version),
				errdetail("Its bytes are not those that were registered: their SHA-256 differs."),
				errhint("Register the model again from its file, or restore table model_predict.stored_version from a backup."));
	return data;
}

/* The forest of a version from the model's bytes. */
static MpForest *
forest_from_blob(const MpModel *model, MpScan *scan, HeapTuple tuple, const MpLoadOptions *options,
				 MpAlloc *alloc)
{
	bytea	   *data = checked_blob(model->name, model->version, scan, tuple);
	MpForest   *forest;
	MpError		error;

	mp_error_clear(&error);
	if (!mp_model_load(alloc, VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), options, &forest, NULL, &error))
		mp_throw(&error, model->name, model->version);
	if ((Pointer) data != DatumGetPointer(mp_scan_value_not_null(scan, tuple, "data")))
		pfree(data);
	return forest;
}

static MpImageSource
image_source(const MpModel *model, MpScan *scan, HeapTuple tuple, const MpLoadOptions *load)
{
	MpImageSource source = {.model = model->id, .version = model->version, .load = load};

	source.data = mp_scan_value_not_null(scan, tuple, "data");
	source.sha256 = DatumGetByteaPP(mp_scan_value_not_null(scan, tuple, "sha256"));
	source.xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	return source;
}

static void
name_loading(void *arg)
{
	const MpModel *model = arg;

	errcontext("loading model \"%s\" version %d", model->name, model->version);
}

static void
load_steps(MpModel *model, MpScan *scan, HeapTuple tuple)
{
	Jsonb	   *document = mp_preprocessing_of(scan, tuple);

	if (document != NULL)
		mp_model_set_steps(model, mp_preprocessing_load(document, model->name, model->id, model->version,
														scan->snapshot, model->alloc));
}

/* Makes the model in a short-lived context first, so that what loading leaves behind goes at once. */
MpModel *
mp_version_load(const char *name, int64 id, int32 version, MpScan *scan, HeapTuple tuple,
				Size *shared_bytes)
{
	MemoryContext target = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(target, "model_predict load", ALLOCSET_DEFAULT_SIZES);
	MpModel    *model;
	ErrorContextCallback context = {error_context_stack, name_loading, NULL};
	MpRowOptions row;
	MpLoadOptions load;
	MpImageSource source;
	MpImage		image;

	MemoryContextSwitchTo(work);
	model = mp_model_begin(name, id, version);
	context.arg = model;
	error_context_stack = &context;
	read_options(scan, tuple, &row, &load);
	load_steps(model, scan, tuple);
	source = image_source(model, scan, tuple, &load);
	if (mp_image_load(&source, scan->snapshot, mp_kernel_setting == MP_KERNEL_REFERENCE,
					  model->context, model->alloc, &image))
		mp_model_finish(model, image.forest, image.whole, image.kernel, &row);
	else
		mp_model_from_forest(model, forest_from_blob(model, scan, tuple, &load, model->alloc), &row);
	*shared_bytes = image.shared_bytes;
	MemoryContextSwitchTo(target);
	MemoryContextSetParent(model->context, target);
	MemoryContextDelete(work);
	error_context_stack = context.previous;
	return model;
}

const MpForest *
mp_version_trees(const MpModel *model, Snapshot snapshot, MemoryContext context)
{
	MpAlloc    *alloc = mp_alloc_context(context);
	MpScan		scan;
	HeapTuple	tuple = mp_version_scan(&scan, model->name, model->id, model->version, snapshot);
	MpRowOptions row;
	MpLoadOptions load;
	MpImageSource source;
	MpImage		image;

	read_options(&scan, tuple, &row, &load);
	source = image_source(model, &scan, tuple, &load);
	if (!mp_image_load(&source, snapshot, true, context, alloc, &image))
		image.forest = forest_from_blob(model, &scan, tuple, &load, alloc);
	mp_scan_end(&scan);
	return image.forest;
}

/* What is compiled from the version's bytes, in the context of `model`. */
static void
compile(MpModel *model, MpScan *scan, HeapTuple tuple, MpLoadOptions *load, MpImage *image)
{
	Jsonb	   *document = mp_preprocessing_of(scan, tuple);
	MpRowOptions row;
	MpError		error;

	read_options(scan, tuple, &row, load);
	if (document != NULL)
		image->steps = mp_preprocessing_pack(document, mp_preprocessing_compile(document, model->name, model->version, model->alloc));
	image->whole = true;
	image->forest = forest_from_blob(model, scan, tuple, load, model->alloc);
	mp_error_clear(&error);
	image->kernel = mp_kernel_compile(model->alloc, image->forest, &image->kernel_size, &error);
	if (image->kernel == NULL && error.code != MP_OK)
		mp_throw(&error, model->name, model->version);
}

const char *
mp_version_compare(const char *name, int64 id, int32 version, Snapshot snapshot)
{
	MpModel    *model = mp_model_begin(name, id, version);
	MpScan		scan;
	HeapTuple	tuple = mp_version_scan(&scan, name, id, version, snapshot);
	MpLoadOptions load;
	MpImageSource source;
	MpImage		image = {0};
	const char *difference;

	compile(model, &scan, tuple, &load, &image);
	source = image_source(model, &scan, tuple, &load);
	difference = mp_image_compare(&source, snapshot, &image);
	mp_scan_end(&scan);
	mp_model_free(model);
	return difference;
}

void
mp_version_recompile(const char *name, int64 id, int32 version, Snapshot snapshot)
{
	MpModel    *model = mp_model_begin(name, id, version);
	MpScan		scan;
	HeapTuple	tuple = mp_version_scan(&scan, name, id, version, snapshot);
	MpLoadOptions load;
	MpImageSource source;
	MpImage		image = {0};

	compile(model, &scan, tuple, &load, &image);
	source = image_source(model, &scan, tuple, &load);
	mp_image_store(&source, &image);
	mp_scan_end(&scan);
	mp_model_free(model);
}

bytea *
mp_version_blob(const char *name, int64 id, int32 version, Snapshot snapshot)
{
	MpScan		scan;
	HeapTuple	tuple = mp_version_scan(&scan, name, id, version, snapshot);
	bytea	   *data = checked_blob(name, version, &scan, tuple);

	if ((Pointer) data == DatumGetPointer(mp_scan_value_not_null(&scan, tuple, "data")))
		data = DatumGetByteaPCopy(PointerGetDatum(data));
	mp_scan_end(&scan);
	return data;
}
