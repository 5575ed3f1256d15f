/*
 * eval.c: the plain evaluator: one row, one tree after the other.
 *
 * It is written to be read, not to be fast: every faster evaluator is held
 * against it. The order of the additions is the contract; a sum taken in
 * another order is another score.
 */
#include "core/forest/eval.h"

#include <math.h>
#include <string.h>

/* Whether a category goes left: all that is no code, or a code outside the set. */
static bool
category_goes_left(const MpForest *forest, uint32_t set, double code)
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

bool
mp_node_goes_left_double(const MpForest *forest, const MpTree *tree, int32_t node, double x)
{
	const MpNode *split = mp_forest_nodes(forest, tree) + node;
	double		value;

	if (isnan(x) || ((split->feature & MP_NODE_ZERO_MISSING) && x == 0))
		return (split->feature & MP_NODE_DEFAULT_LEFT) != 0;
	if (split->feature & MP_NODE_CATEGORICAL)
		return category_goes_left(forest, split->value_bits, x);
	value = mp_forest_value(forest, tree, (uint32_t) node);
	return x < value || (value == INFINITY && (forest->input & MP_INPUT_CLAMP));
}

int32_t
mp_tree_leaf_double(const MpForest *forest, const MpTree *tree, const double *x)
{
	const MpNode *nodes = mp_forest_nodes(forest, tree);
	int32_t		i = 0;

	while (nodes[i].left != 0)
		i = nodes[i].left + !mp_node_goes_left_double(forest, tree, i,
													  x[nodes[i].feature & MP_NODE_FEATURE_MASK]);
	return i;
}

/* The scalar value where a number of the sum is missing. */
static double
linear_value(const MpForest *forest, const MpTree *tree, int32_t leaf, const double *x)
{
	const MpLinearLeaf *linear = MP_SECTION(forest, MP_SECTION_LINEAR, MpLinearLeaf) +
		mp_forest_nodes(forest, tree)[leaf].value_bits;
	const MpLinearTerm *terms = MP_SECTION(forest, MP_SECTION_TERMS, MpLinearTerm) + linear->first;
	double		sum = linear->constant;

	for (uint32_t i = 0; i < linear->n_terms; i++)
	{
		if (isnan(x[terms[i].feature]))
			return mp_forest_value(forest, tree, (uint32_t) leaf);
		sum += terms[i].coefficient * x[terms[i].feature];
	}
	return sum;
}

double
mp_leaf_value_double(const MpForest *forest, const MpTree *tree, int32_t leaf, int k,
					 const double *x)
{
	if (forest->vector_leaf)
		return MP_SECTION(forest, MP_SECTION_LEAVES, double)[
			(size_t) mp_forest_nodes(forest, tree)[leaf].value_bits * forest->n_outputs + k];
	if (forest->linear_leaf)
		return linear_value(forest, tree, leaf, x);
	return mp_forest_value(forest, tree, (uint32_t) leaf);
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
mp_eval_margin_double(const MpForest *forest, const double *x, double *margin)
{
	memcpy(margin, MP_SECTION(forest, MP_SECTION_BASE, double), forest->n_outputs * sizeof(double));
	for (int t = 0; t < forest->n_trees_used; t++)
	{
		const MpTree *tree = mp_forest_trees(forest) + t;
		int32_t		leaf = mp_tree_leaf_double(forest, tree, x);
		int			first = forest->vector_leaf ? 0 : tree->output;
		int			last = forest->vector_leaf ? forest->n_outputs - 1 : tree->output;

		for (int k = first; k <= last; k++)
			margin[k] += mp_leaf_value_double(forest, tree, leaf, k, x) * tree->weight;
	}
	mp_forest_average(forest, 1, margin);
}

void
mp_eval_leaf(const MpForest *forest, const float *x, int32_t *leaf)
{
	const MpTree *trees = mp_forest_trees(forest);

	for (int t = 0; t < forest->n_trees_used; t++)
		leaf[t] = mp_forest_number(forest, &trees[t], mp_tree_leaf(forest, &trees[t], x));
}

void
mp_eval_leaf_double(const MpForest *forest, const double *x, int32_t *leaf)
{
	const MpTree *trees = mp_forest_trees(forest);

	for (int t = 0; t < forest->n_trees_used; t++)
		leaf[t] = mp_forest_number(forest, &trees[t], mp_tree_leaf_double(forest, &trees[t], x));
}
