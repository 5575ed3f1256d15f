/*
 * engine.c: which engine sums the margins, and which models libxgboost gets.
 *
 * The library trusts the files that it reads, misreads newer ones without a
 * word, and takes the process with it where it fails badly. So it is given
 * only what our own reader has passed, nothing that was saved by a newer
 * XGBoost, and it must first show what it has understood: the model that it
 * saves again has to have the same trees.
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "core/load/load.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "libxgboost/engine.h"
#include "model/cache.h"
#include "model/version.h"
#include "score/score.h"

/*
 * Bytes that the library is offered at most. It cannot be interrupted: on a
 * busy machine 1.7.4 takes 0.1 s for a MB of JSON, 0.015 s for one of UBJSON
 * and 0.001 s for one of the binary format; 8 MB of sets of categories take
 * 0.2 s to write and are in memory up to four times.
 */
#define MOST_JSON (8 * 1024 * 1024)
#define MOST_UBJSON (32 * 1024 * 1024)
#define MOST_BINARY (256 * 1024 * 1024)
#define MOST_CATEGORIES (8 * 1024 * 1024)

int			mp_engine_setting = MP_ENGINE_AUTO;

static const struct config_enum_entry engine_options[] = {
	{"auto", MP_ENGINE_AUTO, false},
	{"native", MP_ENGINE_NATIVE, false},
	{"xgboost", MP_ENGINE_XGBOOST, false},
	{NULL, 0, false}
};

static void assign_engine(int newval, void *extra);

void
mp_engine_init(void)
{
	DefineCustomEnumVariable("model_predict.engine",
							 "Engine that sums the margins of predictions.",
							 "\"auto\" is the native one, and lets verify() compare it with libxgboost; \"native\" never loads libxgboost.",
							 &mp_engine_setting, MP_ENGINE_AUTO, engine_options,
							 PGC_SUSET, 0, NULL, assign_engine, NULL);
}

/* Whether both have the same trees, or weights, and base scores. */
static bool
same_model(const MpForest *a, const MpForest *b)
{
	static const MpSectionId sections[] = {
		MP_SECTION_BASE, MP_SECTION_TREES, MP_SECTION_NODES, MP_SECTION_CATSETS,
		MP_SECTION_CATWORDS, MP_SECTION_LEAVES, MP_SECTION_WEIGHTS
	};

	if (a->booster != b->booster || a->n_features != b->n_features || a->n_outputs != b->n_outputs)
		return false;
	for (int i = 0; i < lengthof(sections); i++)
	{
		const MpSection *x = &a->sections[sections[i]];
		const MpSection *y = &b->sections[sections[i]];

		if (x->size != y->size ||
			memcmp((const char *) a + x->offset, (const char *) b + y->offset, x->size) != 0)
			return false;
	}
	return true;
}

/* What our own reader makes of a file. */
static bool
read_model(const void *data, Size size, MpForest **forest, MpError *error)
{
	MpLoadOptions options = {.trees = MP_TREES_ALL};

	mp_error_clear(error);
	return mp_model_load(mp_alloc_context(CurrentMemoryContext), data, size, &options, forest, NULL,
						 error);
}

/* Whether what the library saved is the model that it was given; `work` takes what it needs. */
static bool
same_file(const bytea *blob, const void *saved, Size size, MemoryContext work,
		  const MpModel *model)
{
	MemoryContext old = MemoryContextSwitchTo(work);
	MpForest   *ours;
	MpForest   *theirs;
	MpError		error;
	bool		same;

	if (!read_model(VARDATA_ANY(blob), VARSIZE_ANY_EXHDR(blob), &ours, &error))
		mp_throw(&error, model->name, model->version);
	same = read_model(saved, size, &theirs, &error) && same_model(ours, theirs);
	MemoryContextSwitchTo(old);
	return same;
}

/* Whether the library, when it saves what it has read, writes the same model. */
static bool
understands(MpXgboost *copy, const MpModel *model, const bytea *blob, MemoryContext work,
			MpXgboostFault *fault)
{
	const char *data;
	Size		size;

	if (!mp_xgboost_save(copy, model, &data, &size, fault))
		return false;
	if (same_file(blob, data, size, work, model))
		return true;
	return mp_xgboost_fail(fault, ERRCODE_FEATURE_NOT_SUPPORTED,
						   psprintf("libxgboost %s reads model \"%s\" version %d otherwise than it is written",
									mp_xgboost_version(), model->name, model->version),
						   pstrdup("What it saves after reading it is another model."),
						   pstrdup("Use the native engine."));
}

bool
mp_engine_same_minor(const MpModel *model)
{
	const int32 *v = model->forest->version;

	return mp_xgboost_compare_version(v[0], v[1], 0) >= 0 &&
		mp_xgboost_compare_version(v[0], v[1] + 1, 0) < 0;
}

/*
 * Bytes of the sets of categories as the library keeps them: a bit for each
 * code up to the highest in a split, however few there are.
 */
static uint64
category_bytes(const MpForest *forest)
{
	const MpCatSet *sets = MP_SECTION(forest, MP_SECTION_CATSETS, MpCatSet);
	const uint32 *words = MP_SECTION(forest, MP_SECTION_CATWORDS, uint32);
	uint64		n = MP_SECTION_LENGTH(forest, MP_SECTION_CATSETS, MpCatSet);
	uint64		bytes = 0;

	for (uint64 i = 0; i < n; i++)
	{
		const MpCatSet *set = &sets[i];

		if (set->length > 0)
			bytes += set->is_list ? words[set->first + set->length - 1] / 8 : set->length * 4;
	}
	return bytes;
}

/* Whether the library reads a file of this format and size without holding a cancel up. */
static bool
is_read_soon(MpFormat format, Size size)
{
	switch (format)
	{
		case MP_FORMAT_JSON:
			return size <= MOST_JSON;
		case MP_FORMAT_UBJSON:
			return size <= MOST_UBJSON;
		case MP_FORMAT_BINARY:
			return size <= MOST_BINARY;
		case MP_FORMAT_TEXT:
			break;
	}
	return false;
}

/* Why the library must not see the model, from what our reader found; NULL: it may. */
static const char *
objection(const MpModel *model, const bytea *blob, Snapshot snapshot)
{
	const MpForest *forest = model->forest;
	const int32 *v = forest->version;

	if (forest->library != MP_LIBRARY_XGBOOST)
		return "it is not XGBoost's";
	if (mp_xgboost_compare_version(v[0], v[1], v[2]) < 0)
		return psprintf("it was saved by XGBoost %d.%d.%d", v[0], v[1], v[2]);
	/* 3.4 crashes on those of 2.1, which have other fields */
	if (forest->vector_leaf && !mp_engine_same_minor(model))
		return psprintf("its vector leaves were saved by XGBoost %d.%d.%d", v[0], v[1], v[2]);
	if (!is_read_soon(forest->source, VARSIZE_ANY_EXHDR(blob)))
		return psprintf("a file of %zu bytes would hold up a cancel for too long", VARSIZE_ANY_EXHDR(blob));
	if (category_bytes(mp_cache_trees(model, snapshot)) > MOST_CATEGORIES)
		return psprintf("the sets of its categories would take " UINT64_FORMAT " bytes there",
						category_bytes(mp_cache_trees(model, snapshot)));
	if (forest->source == MP_FORMAT_BINARY)
		return mp_xgboost_compare_version(3, 1, 0) < 0 ? NULL : "it is in the old binary format";
	if (v[0] == 0)
		return "it does not say which XGBoost saved it";
	if (*(char *) VARDATA_ANY(blob) != '{')
		return "blanks precede it";
	return NULL;
}

static bool
may_read(const MpModel *model, const bytea *blob, Snapshot snapshot, MpXgboostFault *fault)
{
	const char *why = objection(model, blob, snapshot);

	if (why == NULL)
		return true;
	return mp_xgboost_fail(fault, ERRCODE_FEATURE_NOT_SUPPORTED,
						   psprintf("libxgboost %s cannot read model \"%s\" version %d: %s",
									mp_xgboost_version(), model->name, model->version, why),
						   NULL,
						   pstrdup("Use the native engine, or let a superuser name another libxgboost by model_predict.xgboost_library."));
}

/* The library's copy; NULL: it has none yet. */
static MpXgboost *
copy_of(const MpModel *model)
{
	return mp_cache_attachment(model)->data;
}

/* Loads the model into the library: once to see what it understands, then for good. */
static bool
admit(const MpModel *model, const bytea *blob, Snapshot snapshot, MemoryContext work,
	  MpXgboostFault *fault)
{
	MpXgboost  *trial = mp_xgboost_create(work);
	MpAttachment *attachment = mp_cache_attachment(model);

	if (!may_read(model, blob, snapshot, fault) ||
		!mp_xgboost_read(trial, model, blob, fault) ||
		!understands(trial, model, blob, work, fault))
		return false;
	/* what it has saved stays with the trial: the copy that is kept is another, without that */
	if (attachment->data == NULL)
		attachment->data = mp_xgboost_create(model->context);
	if (!mp_xgboost_read(attachment->data, model, blob, fault))
		return false;
	attachment->bytes = 2 * VARSIZE_ANY_EXHDR(blob);	/* a rule of thumb */
	mp_cache_measure(model);
	return true;
}

bool
mp_engine_open(const MpModel *model, Snapshot snapshot, MpXgboostFault *fault)
{
	MemoryContext work;
	MemoryContext old;
	bytea	   *blob;
	bool		ok;

	memset(fault, 0, sizeof(*fault));
	if (!mp_xgboost_load(fault))
		return false;
	if (mp_xgboost_is_read(copy_of(model)))
		return true;
	work = AllocSetContextCreate(CurrentMemoryContext, "model_predict libxgboost",
								 ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	blob = mp_version_blob(model->name, model->id, model->version, snapshot);
	MemoryContextSwitchTo(old);
	ok = admit(model, blob, snapshot, work, fault);
	MemoryContextDelete(work);
	return ok;
}

bool
mp_engine_predict(const MpModel *model, const float *x, uint64 n, bool margin, float *out,
				  MpXgboostFault *fault)
{
	return mp_xgboost_predict(copy_of(model), model, x, n, margin, out, fault);
}

/* In place of the kernel. */
static void
sum_margin(MpRow *row)
{
	const MpModel *model = row->model;
	MpXgboostFault fault;

	if ((mp_xgboost_is_read(copy_of(model)) || mp_engine_open(model, GetActiveSnapshot(), &fault)) &&
		mp_engine_predict(model, row->x, 1, true, row->narrow, &fault))
		return;
	ereport(ERROR,
			errcode(fault.sqlstate),
			errmsg("%s", fault.message),
			fault.detail ? errdetail("%s", fault.detail) : 0,
			fault.hint ? errhint("%s", fault.hint) : 0);
}

static void
assign_engine(int newval, void *extra)
{
	mp_score_other_engine = newval == MP_ENGINE_XGBOOST ? sum_margin : NULL;
}
