/*
 * booster.c: makes a booster: a version ready to score.
 *
 * A booster owns one memory context with all that belongs to it. It is made in
 * the caller's context and moved under the cache's only when it is complete,
 * so an error or a cancel on the way leaves nothing.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/forest/eval.h"
#include "model/booster.h"

MpBooster *
mp_booster_begin(const char *name, int64 model, int32 version)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "model_predict booster",
												  ALLOCSET_SMALL_SIZES);
	MpBooster  *booster = MemoryContextAllocZero(context, sizeof(MpBooster));

	booster->context = context;
	booster->alloc = mp_alloc_context(context);
	booster->model = model;
	booster->version = version;
	booster->name = MemoryContextStrdup(context, name);
	booster->loaded = GetCurrentTimestamp();
	MemoryContextSetIdentifier(context, booster->name);
	return booster;
}

static void
copy_options(MpBooster *booster, const MpRowOptions *options)
{
	MemoryContext old = MemoryContextSwitchTo(booster->context);

	booster->options = *options;
	booster->options.classes = NULL;
	if (options->n_classes > 0)
	{
		booster->options.classes = palloc(sizeof(char *) * options->n_classes);
		for (int i = 0; i < options->n_classes; i++)
			booster->options.classes[i] = pstrdup(options->classes[i]);
	}
	MemoryContextSwitchTo(old);
}

/* Counts its memory anew: it may have grown. */
void
mp_booster_measure(MpBooster *booster)
{
	booster->bytes = MemoryContextMemAllocated(booster->context, true) + booster->shared_bytes +
		booster->xgboost_bytes;
}

/*
 * Completes a booster from a checked forest (the whole, or where a kernel image
 * serves the model just its head) and a kernel image or NULL, both allocated in
 * the booster's context.
 */
void
mp_booster_finish(MpBooster *booster, MpForest *forest, bool whole, void *kernel_image,
				  const MpRowOptions *options)
{
	MpError		error;
	char	   *label;

	mp_error_clear(&error);
	copy_options(booster, options);
	booster->forest = forest;
	booster->whole = whole;
	booster->task = mp_forest_task(forest, options->n_classes > 0);
	booster->kernel = mp_kernel_open(booster->alloc, kernel_image, forest, mp_kernel_setting, &error);
	if (booster->kernel == NULL)
		mp_throw(&error, booster->name, booster->version);
	booster->plain = !options->has_missing;
	for (int i = 0; i < forest->n_features; i++)
		if (mp_forest_features(forest)[i].type == MP_FEATURE_CATEGORICAL)
			booster->plain = false;
	booster->x = MemoryContextAlloc(booster->context, sizeof(float) * Max(forest->n_features, 1));
	booster->margin = MemoryContextAlloc(booster->context, sizeof(float) * (forest->n_outputs + 1));
	booster->prediction = MemoryContextAlloc(booster->context, sizeof(float) * (forest->n_outputs + 1));
	booster->categories = mp_categories_index(booster->context, forest);
	label = psprintf("%s@%d", booster->name, booster->version);
	booster->name = MemoryContextStrdup(booster->context, booster->name);
	MemoryContextSetIdentifier(booster->context, MemoryContextStrdup(booster->context, label));
	pfree(label);
	mp_booster_measure(booster);
}

/*
 * From a whole forest in the booster's context: keeps it all where no kernel
 * serves the model, else the head and the kernel image.
 */
void
mp_booster_from_forest(MpBooster *booster, MpForest *forest, const MpRowOptions *options)
{
	MpError		error;
	size_t		size;
	void	   *image = NULL;

	mp_error_clear(&error);
	if (mp_kernel_setting != MP_KERNEL_REFERENCE)
		image = mp_kernel_compile(booster->alloc, forest, &size, &error);
	if (image == NULL && error.code != MP_OK)
		mp_throw(&error, booster->name, booster->version);
	if (image != NULL)
	{
		MpForest   *head = MemoryContextAllocHuge(booster->context, forest->head_size);

		memcpy(head, forest, forest->head_size);
		pfree(forest);
		forest = head;
	}
	mp_booster_finish(booster, forest, image == NULL, image, options);
}

void
mp_booster_free(MpBooster *booster)
{
	MemoryContextDelete(booster->context);
}

void
mp_booster_pin(MpBooster *booster)
{
	booster->pins++;
}

void
mp_booster_unpin(MpBooster *booster)
{
	Assert(booster->pins > 0);
	if (--booster->pins == 0 && booster->stale)
		mp_booster_free(booster);
}
