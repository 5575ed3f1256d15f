/*
 * importance.h: how much each feature matters to a model as a whole, counted
 * as XGBoost's Booster.get_score counts it: over all trees, also those past
 * n_trees_used, in float32 and in its order, so the numbers are equal.
 */
#ifndef MP_CORE_IMPORTANCE_H
#define MP_CORE_IMPORTANCE_H

#include "core/forest/forest.h"

/*
 * All 0 for a feature that no split uses, which get_score leaves out. gain and
 * cover are means per split; NaN, as the totals, where the file holds none.
 * A linear model has only weight, its coefficient; NaN where there are several
 * (one per output: MP_SECTION_WEIGHTS has them).
 */
typedef struct MpImportance
{
	float		weight;			/* number of splits */
	float		gain;
	float		cover;
	float		total_gain;
	float		total_cover;
} MpImportance;

/* importance[n_features]; calls alloc->poll per tree */
extern bool mp_forest_importance(MpAlloc *alloc, const MpForest *forest,
								 MpImportance *importance, MpError *error);

#endif
