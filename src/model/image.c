/*
 * image.c: the compiled forms of a version in table model_predict.stored_forest.
 *
 * They spare a new backend the reading of the model's bytes. A row there is
 * only ever a copy of what the version's row says: it carries a fingerprint of
 * the bytes and the options that it was made from and of the formats that it
 * is in, and is passed over where that is not the one expected, or where its
 * checksums or indexes do not hold. Nothing here writes while scoring.
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/forest/importance.h"
#include "core/kernel/kernel.h"
#include "glue/memory.h"
#include "model/image.h"
#include "model/shared.h"
#include "store/writer.h"

#define HEAD_GUESS (16 * 1024)	/* bytes; most heads are within */
#define IMAGE_ALIGN 64
#define PIECES 3				/* of the model's bytes, that the fingerprint covers */
#define PIECE_SIZE 1024
#define SHARED_LEAST (128 * 1024)	/* bytes; smaller kernels are read as fast as mapped */

static void
append_strings(StringInfo buffer, const MpString *strings, size_t n)
{
	appendBinaryStringInfo(buffer, (const char *) &n, sizeof(n));
	for (size_t i = 0; i < n; i++)
	{
		appendBinaryStringInfo(buffer, (const char *) &strings[i].length, sizeof(strings[i].length));
		appendBinaryStringInfo(buffer, strings[i].data, strings[i].length);
	}
}

/*
 * A few pieces of the model's bytes. Their SHA-256 stands beside them in the
 * version's row, but reading all of them at each load to see whether it is
 * still theirs would cost what the image saves; pieces tell when somebody has
 * put another model in their place.
 */
static void
append_pieces(StringInfo buffer, Datum data)
{
	int64		size = toast_raw_datum_size(data) - VARHDRSZ;

	appendBinaryStringInfo(buffer, (const char *) &size, sizeof(size));
	for (int i = 0; i < PIECES; i++)
	{
		int32		offset = Max(size - PIECE_SIZE, 0) * i / (PIECES - 1);
		struct varlena *piece = detoast_attr_slice((struct varlena *) DatumGetPointer(data), offset, PIECE_SIZE);

		appendBinaryStringInfo(buffer, VARDATA_ANY(piece), VARSIZE_ANY_EXHDR(piece));
		if ((Pointer) piece != DatumGetPointer(data))
			pfree(piece);
	}
}

/* 128 bits: who can write the tables can write scores, so none need withstand forgery. */
static bytea *
hash_of(const char *data, Size size)
{
	bytea	   *result = palloc(VARHDRSZ + MP_FINGERPRINT_SIZE);
	uint64		words[MP_FINGERPRINT_SIZE / sizeof(uint64)];

	for (int i = 0; i < lengthof(words); i++)
		words[i] = hash_bytes_extended((const unsigned char *) data, size, i);
	SET_VARSIZE(result, VARHDRSZ + MP_FINGERPRINT_SIZE);
	memcpy(VARDATA(result), words, MP_FINGERPRINT_SIZE);
	return result;
}

/* Of the options that shape a forest and of the SHA-256 in the row, and of pieces of the bytes. */
static bytea *
hash_of_source(const MpImageSource *source, bool with_pieces)
{
	const MpLoadOptions *load = source->load;
	StringInfoData buffer;
	uint32		formats[] = {MP_FOREST_FORMAT, MP_KERNEL_FORMAT, load->trees, load->link};

	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, (const char *) formats, sizeof(formats));
	appendBinaryStringInfo(&buffer, VARDATA_ANY(source->sha256), VARSIZE_ANY_EXHDR(source->sha256));
	if (with_pieces)
		append_pieces(&buffer, source->data);
	append_strings(&buffer, load->feature_names, load->n_feature_names);
	for (size_t i = 0; i < load->n_categories; i++)
	{
		const MpGivenCategories *given = &load->categories[i];

		append_strings(&buffer, &given->feature, 1);
		append_strings(&buffer, given->labels, given->n_labels);
		appendStringInfoChar(&buffer, given->numbers != NULL);
	}
	return hash_of(buffer.data, buffer.len);
}

/*
 * Of the model's bytes, of the options that shape a forest, and of the forest,
 * whose checksums the kernel image names too: each is known to be the other's. Not
 * a SHA-256: OpenSSL takes longer to get ready, in each session, than all else here.
 */
static bytea *
fingerprint(const MpImageSource *source, const MpForest *forest)
{
	struct
	{
		char		source[MP_FINGERPRINT_SIZE];
		uint32		checksums[2];
	}			both = {.checksums = {forest->head_checksum, forest->checksum}};

	memcpy(both.source, VARDATA(hash_of_source(source, true)), MP_FINGERPRINT_SIZE);
	return hash_of((const char *) &both, sizeof(both));
}

static bool
is_fingerprint(const bytea *stored, const MpImageSource *source, const MpForest *forest)
{
	bytea	   *expected = fingerprint(source, forest);

	return VARSIZE_ANY_EXHDR(stored) == VARSIZE_ANY_EXHDR(expected) &&
		memcmp(VARDATA_ANY(stored), VARDATA_ANY(expected), VARSIZE_ANY_EXHDR(expected)) == 0;
}

static bytea *
bytea_of(const void *data, Size size)
{
	bytea	   *result = MemoryContextAllocHuge(CurrentMemoryContext, VARHDRSZ + size);

	SET_VARSIZE(result, VARHDRSZ + size);
	memcpy(VARDATA(result), data, size);
	return result;
}

/* An image that no bytea can hold is not stored: it is built whenever it is needed. */
static bool
fits(const MpImage *image)
{
	return image->forest->size < MaxAllocSize - VARHDRSZ && image->kernel_size < MaxAllocSize - VARHDRSZ;
}

void
mp_image_store(const MpImageSource *source, const MpImage *image)
{
	bytea	   *forest;
	bytea	   *kernel = NULL;
	MpLoadOptions resolved = *source->load;
	MpImageSource as_stored = *source;

	if (!fits(image))
		return;
	resolved.trees = image->forest->n_rounds_used < image->forest->n_rounds ? MP_TREES_BEST : MP_TREES_ALL;
	if (source->load->trees != MP_TREES_AUTO)
		resolved.trees = source->load->trees;
	as_stored.load = &resolved;
	forest = bytea_of(image->forest, image->forest->size);
	if (image->kernel != NULL)
		kernel = bytea_of(image->kernel, image->kernel_size);
	mp_writer_run("DELETE FROM model_predict.stored_forest WHERE model = $1 AND version = $2",
				  mp_int8(source->model), mp_int4(source->version));
	mp_writer_run("INSERT INTO model_predict.stored_forest (model, version, fingerprint, forest, kernel, steps)"
				  " VALUES ($1, $2, $3, $4, $5, $6)",
				  mp_int8(source->model), mp_int4(source->version),
				  (MpParam) {BYTEAOID, PointerGetDatum(fingerprint(&as_stored, image->forest)), false},
				  (MpParam) {BYTEAOID, PointerGetDatum(forest), false},
				  (MpParam) {BYTEAOID, PointerGetDatum(kernel), kernel == NULL},
				  (MpParam) {BYTEAOID, PointerGetDatum(image->steps), image->steps == NULL});
	pfree(forest);
	if (kernel != NULL)
		pfree(kernel);
}

static Datum
labels_of(const MpForest *forest, const MpFeature *feature)
{
	Datum	   *labels = palloc(sizeof(Datum) * feature->n_categories);

	for (uint32 i = 0; i < feature->n_categories; i++)
	{
		const MpCategory *c = mp_forest_categories(forest, feature) + i;
		MpString	label = mp_forest_string(forest, c->label, c->label_length);

		labels[i] = PointerGetDatum(cstring_to_text_with_len(label.data, label.length));
	}
	return PointerGetDatum(construct_array(labels, feature->n_categories, TEXTOID, -1, false, TYPALIGN_INT));
}

static const char *
type_word(const MpFeature *feature)
{
	switch ((MpFeatureType) feature->type)
	{
		case MP_FEATURE_FLOAT:
			return "float";
		case MP_FEATURE_INTEGER:
			return "int";
		case MP_FEATURE_INDICATOR:
			return "indicator";
		case MP_FEATURE_CATEGORICAL:
			return "category";
	}
	return "float";
}

/* Whether nothing can be said of the feature but that the model has it. */
static bool
is_plain(const MpForest *forest, const MpFeature *f, const MpImportance *importance)
{
	return forest->n_feature_names == 0 && f->type == MP_FEATURE_FLOAT && f->n_categories == 0 &&
		importance->weight == 0;
}

static MpImportance *
importance_of(const MpForest *forest)
{
	Size		size = sizeof(MpImportance) * Max(forest->n_features, 1);
	MpImportance *importance = MemoryContextAllocHuge(CurrentMemoryContext, size);
	MpError		error;

	mp_error_clear(&error);
	if (!mp_forest_importance(mp_alloc_context(CurrentMemoryContext), forest, importance, &error))
		ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("%s", error.message));
	return importance;
}

/* NaN stands for what the model does not tell. */
static void
importance_values(const MpImportance *importance, Datum *values, char *nulls)
{
	float		numbers[] = {
		importance->gain, importance->weight, importance->cover,
		importance->total_gain, importance->total_cover
	};

	for (int i = 0; i < lengthof(numbers); i++)
	{
		values[i] = Float4GetDatum(numbers[i]);
		nulls[i] = isnan(numbers[i]) ? 'n' : ' ';
	}
}

void
mp_image_insert_features(int64 model, int32 version, const MpForest *forest, const MpSteps *steps)
{
	Oid			types[] = {INT8OID, INT4OID, INT4OID, TEXTOID, TEXTOID, TEXTARRAYOID,
	FLOAT4OID, FLOAT4OID, FLOAT4OID, FLOAT4OID, FLOAT4OID};
	SPIPlanPtr	plan = SPI_prepare("INSERT INTO model_predict.stored_feature (model, version, position, name, type, categories,"
								   " gain, weight, cover, total_gain, total_cover)"
								   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", lengthof(types), types);
	MpImportance *importance = importance_of(forest);
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "model_predict features",
											   ALLOCSET_DEFAULT_SIZES);

	for (int i = 0; i < forest->n_features; i++)
	{
		MemoryContext old;
		const MpFeature *f = mp_forest_features(forest) + i;
		bool		has_name = steps != NULL || forest->n_feature_names > 0;
		MpString	name = mp_forest_string(forest, f->name, f->name_length);
		Datum		values[lengthof(types)];
		char		nulls[lengthof(types)];

		CHECK_FOR_INTERRUPTS();
		/* a file of 1 kB may have 500,000 of them */
		if (steps == NULL && is_plain(forest, f, &importance[i]))
			continue;
		if (steps != NULL)
			name = mp_steps_string(steps, mp_steps_features(steps)[i].name, mp_steps_features(steps)[i].name_length);
		old = MemoryContextSwitchTo(work);
		memset(nulls, ' ', sizeof(nulls));
		values[0] = Int64GetDatum(model);
		values[1] = Int32GetDatum(version);
		values[2] = Int32GetDatum(i + 1);
		nulls[3] = has_name ? ' ' : 'n';
		values[3] = has_name ?
			PointerGetDatum(cstring_to_text_with_len(name.data, name.length)) : (Datum) 0;
		values[4] = CStringGetTextDatum(type_word(f));
		nulls[5] = f->n_categories > 0 ? ' ' : 'n';
		values[5] = f->n_categories > 0 ? labels_of(forest, f) : (Datum) 0;
		importance_values(&importance[i], &values[6], &nulls[6]);
		if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
			elog(ERROR, "could not insert a feature: %s", SPI_result_code_string(SPI_result));
		MemoryContextSwitchTo(old);
		MemoryContextReset(work);
	}
	MemoryContextDelete(work);
}

static Size
stored_size(Datum value)
{
	return toast_raw_datum_size(value) - VARHDRSZ;
}

/* The first `size` bytes of a value that lies in pieces in a TOAST table, uncompressed. */
static void
fetch_pieces(struct varatt_external pointer, Size size, char *to)
{
	Relation	pieces = table_open(pointer.va_toastrelid, AccessShareLock);
	struct varlena *result = (struct varlena *) (to - VARHDRSZ);

	SET_VARSIZE(result, VARHDRSZ + size);
	table_relation_fetch_toast_slice(pieces, pointer.va_valueid, VARATT_EXTERNAL_GET_EXTSIZE(pointer),
									 0, size, result);
	table_close(pieces, AccessShareLock);
}

/* Whether it lies so; images are stored uncompressed and most are large. */
static bool
is_in_pieces(Datum value, struct varatt_external *pointer)
{
	if (!VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)))
		return false;
	VARATT_EXTERNAL_GET_POINTER(*pointer, DatumGetPointer(value));
	return !VARATT_EXTERNAL_IS_COMPRESSED(*pointer);
}

/* The first `size` bytes of a stored bytea, which has that many, aligned for the core. */
static void *
fetch(Datum value, Size size, MemoryContext context)
{
	struct varlena *stored = (struct varlena *) DatumGetPointer(value);
	struct varlena *slice;
	struct varatt_external pointer;
	char	   *block = MemoryContextAllocHuge(context, VARHDRSZ + size + IMAGE_ALIGN);
	char	   *to = (char *) TYPEALIGN(IMAGE_ALIGN, block + VARHDRSZ);

	if (is_in_pieces(value, &pointer))
	{
		/* straight to where it stays */
		mp_memory_populate(to, size);
		fetch_pieces(pointer, size, to);
		return to;
	}
	slice = detoast_attr_slice(stored, 0, size);
	if (VARSIZE_ANY_EXHDR(slice) != size)
		ereport(ERROR,
				errcode(ERRCODE_DATA_CORRUPTED),
				errmsg_internal("a stored image has %zu bytes, expected %zu",
								(Size) VARSIZE_ANY_EXHDR(slice), size));
	memcpy(to, VARDATA_ANY(slice), size);
	if (slice != stored)
		pfree(slice);
	return to;
}

/* The head, or with `whole` everything; NULL where it does not hold. */
static MpForest *
fetch_forest(Datum value, bool whole, MemoryContext context, MpAlloc *alloc)
{
	Size		stored = stored_size(value);
	Size		size = whole ? stored : Min(stored, HEAD_GUESS);
	MpForest   *forest = fetch(value, size, context);
	MpError		error;

	if (size < sizeof(MpForest))
		return NULL;
	if (!whole && forest->head_size > size && forest->head_size <= stored)
	{
		size = forest->head_size;
		forest = fetch(value, size, context);
	}
	mp_error_clear(&error);
	if (!mp_forest_check(alloc, forest, size, !whole, &error))
	{
		ereport(DEBUG1, errmsg_internal("model_predict passes over a stored forest: %s", error.message));
		return NULL;
	}
	return forest;
}

/* Checks the image, too. */
static bool
is_kernel(const void *kernel, Size size, const MpForest *head)
{
	MpError		error;

	mp_error_clear(&error);
	if (mp_kernel_check(kernel, size, head, &error))
		return true;
	ereport(DEBUG1, errmsg_internal("model_predict passes over a stored kernel: %s", error.message));
	return false;
}

/* What all sessions share begins with this; then come the forest's head and the kernel image. */
typedef struct SharedImage
{
	Size		kernel;			/* offset */
	Size		kernel_size;
} SharedImage;

#define SHARED_HEAD TYPEALIGN(IMAGE_ALIGN, sizeof(SharedImage))

/*
 * Whether the image is one to be shared, and what it is known by. The pieces of
 * the model's bytes need not be looked at: whoever published it has found that
 * this fingerprint is theirs.
 */
static bool
is_shareable(const MpImageSource *source, HeapTuple tuple, Datum forest, Datum kernel,
			 const bytea *fingerprint, MpSharedKey *key)
{
	struct varatt_external data_pieces;
	struct varatt_external forest_pieces;
	struct varatt_external kernel_pieces;

	if (!VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(source->data)) ||
		!is_in_pieces(forest, &forest_pieces) || !is_in_pieces(kernel, &kernel_pieces) ||
		stored_size(kernel) < SHARED_LEAST || VARSIZE_ANY_EXHDR(fingerprint) != MP_FINGERPRINT_SIZE)
		return false;
	VARATT_EXTERNAL_GET_POINTER(data_pieces, DatumGetPointer(source->data));
	key->database = MyDatabaseId;
	key->version = source->version;
	key->model = source->model;
	key->version_xmin = source->xmin;
	key->data = data_pieces.va_valueid;
	key->image_xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	key->pieces = kernel_pieces.va_toastrelid;
	key->forest = forest_pieces.va_valueid;
	key->kernel = kernel_pieces.va_valueid;
	memcpy(key->fingerprint, VARDATA_ANY(fingerprint), MP_FINGERPRINT_SIZE);
	memcpy(key->source, VARDATA(hash_of_source(source, false)), MP_FINGERPRINT_SIZE);
	return true;
}

/*
 * Copies the head and reads the kernel into memory to be shared. NULL: there is
 * none, or the kernel does not hold.
 */
static MpShared *
share(const MpForest *head, Datum kernel, const MpSharedKey *key, MemoryContext context)
{
	struct varatt_external pieces;
	Size		size = stored_size(kernel);
	Size		offset = TYPEALIGN(IMAGE_ALIGN, SHARED_HEAD + head->head_size + VARHDRSZ);
	MpShared   *shared = mp_shared_create(offset + size, context);

	if (shared == NULL)
		return NULL;
	mp_memory_populate(shared->data, shared->size);
	memcpy(shared->data, &(SharedImage) {offset, size}, sizeof(SharedImage));
	memcpy(shared->data + SHARED_HEAD, head, head->head_size);
	VARATT_EXTERNAL_GET_POINTER(pieces, DatumGetPointer(kernel));
	fetch_pieces(pieces, size, shared->data + offset);
	if (!is_kernel(shared->data + offset, size, head))
	{
		mp_shared_release(shared);
		return NULL;
	}
	mp_shared_publish(shared, key);
	return shared;
}

static void
use_shared(const MpShared *shared, MpImage *image)
{
	const SharedImage *layout = (const SharedImage *) shared->data;

	image->forest = (MpForest *) (shared->data + SHARED_HEAD);
	image->kernel = shared->data + layout->kernel;
	image->kernel_size = layout->kernel_size;
	image->shared_bytes = shared->size;
}

/* The head and the kernel image, into memory of their own or, with a key, to be shared. */
static bool
load_kernel(const MpImageSource *source, const bytea *stored, Datum forest, Datum kernel,
			const MpSharedKey *key, MemoryContext context, MpAlloc *alloc, MpImage *image)
{
	MpForest   *head = fetch_forest(forest, false, key != NULL ? CurrentMemoryContext : context, alloc);
	MpShared   *shared;

	if (head == NULL || !is_fingerprint(stored, source, head))
		return false;
	shared = key != NULL ? share(head, kernel, key, context) : NULL;
	if (shared != NULL)
	{
		use_shared(shared, image);
		return true;
	}
	if (key != NULL)
		head = fetch_forest(forest, false, context, alloc);
	image->forest = head;
	image->kernel_size = stored_size(kernel);
	image->kernel = fetch(kernel, image->kernel_size, context);
	return is_kernel(image->kernel, image->kernel_size, image->forest);
}

/* From the row of an image. */
static bool
load_row(const MpImageSource *source, MpScan *scan, HeapTuple tuple, bool whole,
		 MemoryContext context, MpAlloc *alloc, MpImage *image)
{
	bytea	   *stored = DatumGetByteaPP(mp_scan_value_not_null(scan, tuple, "fingerprint"));
	Datum		forest = mp_scan_value_not_null(scan, tuple, "forest");
	bool		no_kernel;
	Datum		kernel = mp_scan_value(scan, tuple, "kernel", &no_kernel);
	MpSharedKey key;
	bool		shareable;
	MpShared   *shared;

	image->whole = whole || no_kernel;
	shareable = !image->whole && is_shareable(source, tuple, forest, kernel, stored, &key);
	shared = shareable ? mp_shared_find(&key, context) : NULL;
	if (shared != NULL)
	{
		use_shared(shared, image);
		return true;
	}
	if (!image->whole)
		return load_kernel(source, stored, forest, kernel, shareable ? &key : NULL, context, alloc,
						   image);
	image->forest = fetch_forest(forest, true, context, alloc);
	return image->forest != NULL && is_fingerprint(stored, source, image->forest);
}

bool
mp_image_load(const MpImageSource *source, Snapshot snapshot, bool whole, MemoryContext context,
			  MpAlloc *alloc, MpImage *image)
{
	MpScan		scan;
	HeapTuple	tuple;
	bool		ok;

	memset(image, 0, sizeof(*image));
	mp_scan_begin(&scan, "stored_forest", snapshot);
	mp_scan_key_int8(&scan, "model", source->model);
	mp_scan_key_int4(&scan, "version", source->version);
	tuple = mp_scan_next(&scan);
	ok = tuple != NULL && load_row(source, &scan, tuple, whole, context, alloc, image);
	mp_scan_end(&scan);
	return ok;
}

static bool
is_same(Datum stored, bool isnull, const void *data, Size size)
{
	bytea	   *bytes;
	bool		same;

	if (isnull || data == NULL)
		return isnull && data == NULL;
	if (stored_size(stored) != size)
		return false;
	bytes = DatumGetByteaPP(stored);
	same = memcmp(VARDATA_ANY(bytes), data, size) == 0;
	if ((Pointer) bytes != DatumGetPointer(stored))
		pfree(bytes);
	return same;
}

static const char *
compare_row(const MpImageSource *source, MpScan *scan, HeapTuple tuple, const MpImage *image)
{
	bytea	   *stored = DatumGetByteaPP(mp_scan_value_not_null(scan, tuple, "fingerprint"));
	bool		no_kernel;
	Datum		kernel = mp_scan_value(scan, tuple, "kernel", &no_kernel);
	Datum		value;
	bool		isnull;

	if (!is_same(mp_scan_value_not_null(scan, tuple, "forest"), false, image->forest, image->forest->size))
		return "the stored forest is not what the version's bytes and options give";
	if (!is_same(kernel, no_kernel, image->kernel, image->kernel_size))
		return "the stored kernel is not what the version's bytes and options give";
	value = mp_scan_value(scan, tuple, "steps", &isnull);
	if (!is_same(value, isnull, image->steps != NULL ? VARDATA(image->steps) : NULL,
				 image->steps != NULL ? VARSIZE(image->steps) - VARHDRSZ : 0))
		return "the stored preprocessing is not what the version's document gives";
	if (!is_fingerprint(stored, source, image->forest))
		return "the stored fingerprint is not that of the version's bytes and options";
	return NULL;
}

const char *
mp_image_compare(const MpImageSource *source, Snapshot snapshot, const MpImage *image)
{
	const char *difference = "nothing is stored";
	MpScan		scan;
	HeapTuple	tuple;

	if (!fits(image))
		return NULL;
	mp_scan_begin(&scan, "stored_forest", snapshot);
	mp_scan_key_int8(&scan, "model", source->model);
	mp_scan_key_int4(&scan, "version", source->version);
	tuple = mp_scan_next(&scan);
	if (tuple != NULL)
		difference = compare_row(source, &scan, tuple, image);
	mp_scan_end(&scan);
	return difference;
}
