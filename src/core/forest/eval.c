/*
 * eval.c: the plain evaluator: one row, one tree after the other.
 *
 * It is written to be read, not to be fast: every faster evaluator is held
 * against it. The order of the float32 operations is the contract; a sum taken
 * in another order is another score.
 */
#include "core/forest/eval.h"

#include <math.h>
#include <string.h>

/* Whether a category goes left: all that is no code, or a code outside the set. */
static bool
category_goes_left(const MpForest *forest, uint32_t set, float code)
{
	if (code < 0 || code >= MP_MAX_CATEGORY)
		return true;
	return !mp_catset_has(forest, set, (uint32_t) code);
}

bool
mp_node_goes_left(const MpForest *forest, const MpNode *node, float x)
{
	if (isnan(x))
		return (node->feature & MP_NODE_DEFAULT_LEFT) != 0;
	if (node->feature & MP_NODE_CATEGORICAL)
		return category_goes_left(forest, node->value_bits, x);
	return x < node->value;
}

int32_t
mp_tree_leaf(const MpForest *forest, const MpTree *tree, const float *x)
{
	const MpNode *nodes = mp_forest_nodes(forest, tree);
	int32_t		i = 0;

	while (nodes[i].left != 0)
	{
		const MpNode *node = &nodes[i];

		i = node->left +
			!mp_node_goes_left(forest, node, x[node->feature & MP_NODE_FEATURE_MASK]);
	}
	return i;
}

/*
 * XGBoost adds the first base score to every output of a linear model, also
 * where the file has one for each.
 */
static void
eval_linear(const MpForest *forest, const float *x, float *margin)
{
	const float *weights = MP_SECTION(forest, MP_SECTION_WEIGHTS, float);
	const float *bias = weights + (size_t) forest->n_features * forest->n_outputs;
	float		base = mp_forest_base(forest)[0];

	for (int k = 0; k < forest->n_outputs; k++)
	{
		float		sum = bias[k] + base;

		for (int i = 0; i < forest->n_features; i++)
		{
			if (!isnan(x[i]))
				sum += x[i] * weights[(size_t) i * forest->n_outputs + k];
		}
		margin[k] = sum;
	}
}

void
mp_eval_margin(const MpForest *forest, const float *x, float *margin)
{
	const MpTree *trees = mp_forest_trees(forest);
	const float *vectors = MP_SECTION(forest, MP_SECTION_LEAVES, float);
	int			n_outputs = forest->n_outputs;

	if (forest->booster == MP_BOOSTER_GBLINEAR)
	{
		eval_linear(forest, x, margin);
		return;
	}

	memcpy(margin, mp_forest_base(forest), n_outputs * sizeof(float));
	for (int t = 0; t < forest->n_trees_used; t++)
	{
		const MpTree *tree = &trees[t];
		const MpNode *leaf = mp_forest_nodes(forest, tree) + mp_tree_leaf(forest, tree, x);

		if (!forest->vector_leaf)
			margin[tree->output] += leaf->value * tree->weight;
		else
		{
			const float *vector = vectors + (size_t) leaf->value_bits * n_outputs;

			for (int k = 0; k < n_outputs; k++)
				margin[k] += vector[k] * tree->weight;
		}
	}
}

void
mp_eval_leaf(const MpForest *forest, const float *x, int32_t *leaf)
{
	const MpTree *trees = mp_forest_trees(forest);

	for (int t = 0; t < forest->n_trees_used; t++)
		leaf[t] = mp_tree_leaf(forest, &trees[t], x);
}
