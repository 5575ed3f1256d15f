/*
 * draft_finish.c: makes the forest of a draft.
 */
#include "core/draft/draft_finish.h"
#include "core/draft/draft_features.h"

#include <string.h>

static void
finish_head(MpDraft *draft)
{
	MpForest   *head = &draft->head;

	head->n_features = (int32_t) draft->n_features;
	head->n_trees = (int32_t) mp_vec_count(&draft->trees, MpTree);
	head->best_iteration = (int32_t) draft->best_iteration;
	head->has_stats = !draft->lacks_stats && head->booster != MP_BOOSTER_GBLINEAR;
	head->n_feature_names = (uint32_t) mp_vec_count(&draft->names, MpSpan);
}

/* Moves the vectors to their sections; the nodes are there already. */
static void
fill_sections(MpDraft *draft, MpForest *forest)
{
	if (draft->lacks_stats)
	{
		memset(draft->gain.data, 0, draft->gain.size);
		memset(draft->cover.data, 0, draft->cover.size);
	}
	for (int id = 0; id < MP_SECTION_COUNT; id++)
	{
		MpVec	   *vec = &draft->vectors[id];

		if (vec->size > 0)
			memcpy((char *) forest + forest->sections[id].offset, vec->data, vec->size);
		mp_vec_release(vec);
	}
}

bool
mp_draft_finish(MpDraft *draft, MpForest **forest)
{
	uint64_t	sizes[MP_SECTION_COUNT];

	if (!mp_draft_settle_features(draft))
		return false;
	finish_head(draft);
	for (int id = 0; id < MP_SECTION_COUNT; id++)
		sizes[id] = draft->vectors[id].size;
	sizes[MP_SECTION_FEATURES] = (uint64_t) draft->n_features * sizeof(MpFeature);
	*forest = mp_forest_new(&draft->nodes, &draft->head, sizes, draft->error);
	if (*forest == NULL || !mp_draft_write_features(draft, *forest))
		return false;
	fill_sections(draft, *forest);
	return true;
}
