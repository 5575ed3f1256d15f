/*
 * load.c: from the bytes of a model file to a forest.
 *
 * Nothing in the file is trusted. It is read once, from front to back, by a
 * reader that holds every length against the bytes that remain (doc.h); each
 * tree is checked when it is complete; what refers to something else is checked
 * at the end; and the finished forest once more as
 * if it came from elsewhere (forest.c). Memory is bounded by an allocator of
 * our own that counts.
 */
#include "core/load/load.h"
#include "core/draft/draft.h"
#include "core/draft/draft_finish.h"
#include "core/lightgbm/load_lightgbm.h"
#include "core/load/sniff.h"
#include "core/sklearn/load_sklearn.h"
#include "core/xgboost/load_xgboost.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_PER_BYTE 4
#define MEMORY_FREE ((size_t) 16 * 1024 * 1024)

/* blocks know their size; the header keeps malloc's alignment */
#define BLOCK_HEADER 16

/* The caller's allocator with an upper limit. */
typedef struct Budget
{
	MpAlloc		alloc;
	MpAlloc    *outer;
	size_t		held;
	size_t		limit;
	bool		exceeded;
} Budget;

static void *
budget_resize(MpAlloc *alloc, void *block, size_t size)
{
	Budget	   *budget = (Budget *) alloc;
	char	   *old = block != NULL ? (char *) block - BLOCK_HEADER : NULL;
	size_t		old_size = 0;
	char	   *new;

	if (old != NULL)
		memcpy(&old_size, old, sizeof(old_size));
	if (size > budget->limit || budget->held - old_size > budget->limit - size)
	{
		budget->exceeded = true;
		return NULL;
	}
	new = budget->outer->resize(budget->outer, old, size + BLOCK_HEADER);
	if (new == NULL)
		return NULL;
	budget->held += size - old_size;
	memcpy(new, &size, sizeof(size));
	return new + BLOCK_HEADER;
}

static void
budget_release(MpAlloc *alloc, void *block)
{
	Budget	   *budget = (Budget *) alloc;
	char	   *old = (char *) block - BLOCK_HEADER;
	size_t		old_size;

	memcpy(&old_size, old, sizeof(old_size));
	budget->held -= old_size;
	budget->outer->release(budget->outer, old);
}

static void
budget_poll(MpAlloc *alloc)
{
	mp_alloc_poll(((Budget *) alloc)->outer);
}

static bool
read_file(MpDraft *draft, MpFormat format, const void *data, size_t size)
{
	switch (mp_sniff_library(data, size, format))
	{
		case MP_LIBRARY_XGBOOST:
			return mp_load_xgboost(draft, format, data, size);
		case MP_LIBRARY_LIGHTGBM:
			return mp_load_lightgbm(draft, data, size);
		case MP_LIBRARY_SKLEARN:
			return mp_load_sklearn(draft, data, size);
	}
	return false;
}

/* The forest as a block of the caller's own: what the budget gave has a header. */
static bool
hand_over(Budget *budget, MpForest *forest, size_t forest_size, MpForest **result, MpError *error)
{
	char	   *block = (char *) forest - BLOCK_HEADER;

	memmove(block, forest, forest_size);
	*result = budget->outer->resize(budget->outer, block, forest_size);
	if (*result == NULL)
	{
		budget->outer->release(budget->outer, block);
		return mp_fail_memory(error, forest_size);
	}
	return true;
}

bool
mp_model_load(MpAlloc *alloc, const void *data, size_t size, const MpLoadOptions *options,
			  MpForest **forest, MpModelInfo *info, MpError *error)
{
	static const MpLoadOptions no_options;
	Budget		budget = {{budget_resize, budget_release, budget_poll}, alloc, 0, 0, false};
	MpDraft		draft;
	MpForest   *built = NULL;
	MpFormat	format;
	bool		fine;

	*forest = NULL;
	if (info != NULL)
		memset(info, 0, sizeof(*info));
	if (size > MP_MAX_MODEL_SIZE)
		return mp_fail(error, MP_ERROR_INVALID, "a model of %zu bytes, where %d are the most",
					   size, MP_MAX_MODEL_SIZE);
	budget.limit = size * MEMORY_PER_BYTE + MEMORY_FREE;
	mp_draft_init(&draft, &budget.alloc, options != NULL ? options : &no_options, error);
	fine = mp_sniff(data, size, &format, error) &&
		read_file(&draft, format, data, size) &&
		mp_draft_finish(&draft, &built);
	mp_draft_release(&draft);
	if (info != NULL)
		*info = draft.info;
	if (fine && mp_forest_check_content(&budget.alloc, built, false, error))
	{
		mp_forest_seal(built);
		return hand_over(&budget, built, built->size, forest, error);
	}

	mp_alloc_release(&budget.alloc, built);
	if (error->code == MP_ERROR_MEMORY && budget.exceeded)
	{
		mp_fail(error, MP_ERROR_INVALID, "a model of %zu bytes that would need more than %zu bytes "
				"of memory", size, budget.limit);
		mp_error_detail(error, "A sound model needs less than %d times its size.", MEMORY_PER_BYTE);
	}
	return false;
}
