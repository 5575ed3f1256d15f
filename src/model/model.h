/*
 * model.h: a version in memory, ready to score. Include after postgres.h.
 *
 * A model does not change once it is made: any number of call sites share it,
 * each with a row of its own (row/row.h). It knows two vectors: the inputs are
 * what a row must bring, the features what the trees compare. They are the same
 * unless the version has preprocessing, whose steps make one of the other.
 */
#ifndef MP_MODEL_H
#define MP_MODEL_H

#include "core/forest/link.h"
#include "core/kernel/kernel.h"
#include "core/steps/steps.h"
#include "model/categories.h"
#include "store/options.h"

/* What a row must bring. */
typedef struct MpInput
{
	const char *name;			/* not terminated */
	uint32		name_length;
	MpFeatureType type;
	bool		is_time;
	const MpCategoryIndex *categories;	/* NULL: none are known */
	const MpStepsInput *labels; /* with preprocessing: which ones its steps know; NULL without */
} MpInput;

/* What a session counts of a model while others use it. */
typedef struct MpModelState
{
	uint64		rows;			/* scored */
	bool		stale;			/* no longer what the cache would give: resolve anew */
} MpModelState;

typedef struct MpModel
{
	/* identity, and what messages and views say of it */
	int64		id;				/* model_predict.stored_model.id; 0: it is just being registered */
	int32		version;
	const char *name;			/* of the model when it was loaded */
	/* what a row must bring, and how it is read */
	int			n_inputs;
	const MpInput *inputs;
	bool		has_names;		/* the inputs have; else they are read by position only */
	bool		wide;			/* numbers are doubles, not float32 */
	bool		plain;			/* no categories, no steps, no value that means missing: numbers as they are */
	const MpSteps *steps;		/* NULL: the inputs are the features */
	MpRowOptions options;
	/* what scores it */
	const MpForest *forest;		/* all of it, or where the kernel serves just the head */
	bool		whole;			/* it is all of it */
	MpTask		task;
	MpKernel   *kernel;
	MpModelState *state;		/* the cache's; it alone changes */
	MemoryContext context;		/* of all this */
	MpAlloc    *alloc;			/* from that context */
} MpModel;

static inline MpString
mp_input_name(const MpInput *input)
{
	return (MpString) {input->name, input->name_length};
}

static inline bool
mp_input_is_category(const MpInput *input)
{
	return input->type == MP_FEATURE_CATEGORICAL;
}

/* Whether only labels will do: the categories are known and do not read as numbers. */
static inline bool
mp_input_wants_label(const MpInput *input)
{
	if (input->labels != NULL)
		return mp_input_is_category(input) && input->labels->n_texts == input->labels->n_labels;
	return mp_input_is_category(input) && input->categories != NULL &&
		!mp_categories_are_numbers(input->categories);
}

/* Whether a boolean can be one of its categories. */
static inline bool
mp_input_knows_booleans(const MpInput *input)
{
	if (input->labels != NULL)
		return mp_input_is_category(input);
	return input->categories != NULL && (mp_category_by_boolean(input->categories, true) >= 0 ||
										 mp_category_by_boolean(input->categories, false) >= 0);
}

/* `input "tenure"` is said as `feature "tenure"`, or `feature 3` where the model has no names; counted from 1 */
extern char *mp_input_label(const MpModel *model, int input);

/* Its name, or f0, f1, ... where it has none. */
extern char *mp_input_title(const MpModel *model, int input);

/* An empty one, in a context of its own below the current one. */
extern MpModel *mp_model_begin(const char *name, int64 id, int32 version);

/*
 * Gives it preprocessing, whose program is allocated in its context; before it
 * is completed. Errors there where the features are not as many as the forest's.
 */
extern void mp_model_set_steps(MpModel *model, MpSteps *steps);

/* A feature's name, or f0, f1, ... where it has none. */
extern char *mp_feature_title(const MpModel *model, int feature);

/*
 * Completes it from a checked forest (the whole, or where a kernel image serves
 * the model just its head) and a kernel image or NULL, both allocated in its
 * context.
 */
extern void mp_model_finish(MpModel *model, MpForest *forest, bool whole, void *kernel_image,
							const MpRowOptions *options);

/* From a whole forest in its context: keeps just the head where a kernel serves the model. */
extern void mp_model_from_forest(MpModel *model, MpForest *forest, const MpRowOptions *options);
extern void mp_model_free(const MpModel *model);

extern int	mp_kernel_setting;	/* MpKernelKind: which one new models get */

#endif
