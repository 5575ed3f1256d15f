/*
 * importance.c: sums of gain and cover by feature.
 */
#include "core/forest/importance.h"

#include <math.h>
#include <string.h>

static void
linear_importance(const MpForest *forest, MpImportance *importance)
{
	const float *weights = MP_SECTION(forest, MP_SECTION_WEIGHTS, float);

	for (int i = 0; i < forest->n_features; i++)
	{
		importance[i] = (MpImportance) {NAN, NAN, NAN, NAN, NAN};
		if (forest->n_outputs == 1)
			importance[i].weight = weights[i];
	}
}

/*
 * The right subtree before the left, as XGBoost walks: float32 sums depend on
 * the order. stack has room for the tree's nodes.
 */
static void
add_tree(const MpForest *forest, const MpTree *tree, int32_t *stack,
		 uint32_t *counts, MpImportance *importance)
{
	const MpNode *nodes = mp_forest_nodes(forest, tree);
	const float *gain = MP_SECTION(forest, MP_SECTION_GAIN, float) + tree->first;
	int			depth = 0;

	stack[depth++] = 0;
	while (depth > 0)
	{
		int32_t		i = stack[--depth];
		uint32_t	feature = nodes[i].feature & MP_NODE_FEATURE_MASK;

		if (nodes[i].left == 0)
			continue;
		/* LightGBM leaves splits without a gain out, which a refit can make */
		if (forest->library != MP_LIBRARY_LIGHTGBM || gain[i] > 0 || !forest->has_stats)
		{
			counts[feature]++;
			importance[feature].total_gain += gain[i];
			importance[feature].total_cover +=
				(float) mp_forest_real(forest, MP_SECTION_COVER, tree->first + (uint32_t) i);
		}
		stack[depth++] = nodes[i].left;
		stack[depth++] = nodes[i].left + 1;
	}
}

static void
finish(const MpForest *forest, const uint32_t *counts, MpImportance *importance)
{
	for (int i = 0; i < forest->n_features; i++)
	{
		MpImportance *one = &importance[i];

		if (counts[i] == 0)
			continue;
		one->weight = (float) counts[i];
		if (!forest->has_stats)
		{
			one->total_gain = NAN;
			one->total_cover = NAN;
		}
		one->gain = one->total_gain / one->weight;
		one->cover = one->total_cover / one->weight;
	}
}

bool
mp_forest_importance(MpAlloc *alloc, const MpForest *forest,
					 MpImportance *importance, MpError *error)
{
	const MpTree *trees = mp_forest_trees(forest);
	size_t		n_nodes = 1;
	uint32_t   *counts;
	int32_t    *stack;
	bool		ok;

	if (forest->booster == MP_BOOSTER_GBLINEAR)
	{
		linear_importance(forest, importance);
		return true;
	}

	for (int t = 0; t < forest->n_trees; t++)
	{
		if (trees[t].n_nodes > n_nodes)
			n_nodes = trees[t].n_nodes;
	}
	counts = mp_alloc_zero(alloc, forest->n_features * sizeof(uint32_t));
	stack = mp_alloc_get(alloc, n_nodes * sizeof(int32_t));
	ok = counts != NULL && stack != NULL;
	if (ok)
	{
		memset(importance, 0, forest->n_features * sizeof(MpImportance));
		for (int t = 0; t < forest->n_trees; t++)
		{
			mp_alloc_poll(alloc);
			add_tree(forest, &trees[t], stack, counts, importance);
		}
		finish(forest, counts, importance);
	}
	mp_alloc_release(alloc, counts);
	mp_alloc_release(alloc, stack);
	return ok || mp_fail_memory(error, n_nodes * sizeof(int32_t));
}
