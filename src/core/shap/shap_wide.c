/*
 * shap_wide.c: tree SHAP of double forests, leaf by leaf.
 *
 * The formula is that of shap_tree.h: for one leaf of value v, with z_j the
 * share of the training data (by cover) that meets the path's conditions on
 * feature j, and o_j 1 if the row meets them, else 0,
 *
 *     phi_i = v (o_i - z_i) Integral[0..1] Prod[j != i] (t o_j + (1 - t) z_j) dt.
 *
 * Here it is computed as it stands, in double, for each leaf on its own: the
 * path is found by the parents, the products without one factor from those of
 * the factors before and behind it, so nothing is divided.
 */
#include "core/shap/shap_wide.h"
#include "core/forest/eval.h"
#include "core/shap/gauss.h"

#include <math.h>
#include <string.h>

#define MAX_POINTS 128			/* exact up to 256 features on one path */

/* What a path says of one feature. */
typedef struct Condition
{
	uint32_t	feature;
	bool		met;			/* by the row */
	double		share;			/* of the training data */
	double		sum;			/* of the integral */
} Condition;

struct MpShapWide
{
	MpAlloc    *alloc;
	const MpForest *forest;
	double	   *bias;			/* [n_outputs] */
	int32_t    *parents;		/* [nodes of the largest tree]; -1: nothing leads there */
	uint8_t    *left;			/* the same: the row goes left */
	uint32_t   *place;			/* [n_features]: 1 + its condition on the path at hand; 0: none */
	Condition  *path;			/* [conditions of the longest path] */
	double	   *before;			/* the same + 1: product of the factors up to there */
	double	   *points;			/* [2 * MAX_POINTS] of the rule at hand */
	int			n_points;		/* of that rule */
};

static void
find_parents(MpShapWide *shap, const MpTree *tree)
{
	const MpNode *nodes = mp_forest_nodes(shap->forest, tree);

	for (uint32_t i = 0; i < tree->n_nodes; i++)
		shap->parents[i] = -1;
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(shap->alloc);
		if (nodes[i].left == 0)
			continue;
		shap->parents[nodes[i].left] = (int32_t) i;
		shap->parents[nodes[i].left + 1] = (int32_t) i;
	}
}

/* Whether the root leads to this leaf: others were deleted. */
static bool
is_used_leaf(const MpShapWide *shap, const MpNode *nodes, uint32_t i)
{
	return nodes[i].left == 0 && (i == 0 || shap->parents[i] >= 0);
}

static double
share_of(const MpForest *forest, const MpTree *tree, int32_t child, int32_t parent)
{
	double		whole = mp_forest_real(forest, MP_SECTION_COVER, tree->first + (uint32_t) parent);

	return whole > 0 ?
		mp_forest_real(forest, MP_SECTION_COVER, tree->first + (uint32_t) child) / whole : 0;
}

/* The conditions on the way to a leaf, one per feature; returns how many. */
static int
find_path(MpShapWide *shap, const MpTree *tree, int32_t leaf)
{
	const MpNode *nodes = mp_forest_nodes(shap->forest, tree);
	int			n = 0;

	for (int32_t i = leaf; i != 0; i = shap->parents[i])
	{
		int32_t		parent = shap->parents[i];
		uint32_t	feature = nodes[parent].feature & MP_NODE_FEATURE_MASK;
		bool		met = shap->left[parent] == (i == nodes[parent].left);
		Condition  *condition;

		if (shap->place[feature] == 0)
		{
			shap->path[n] = (Condition) {feature, true, 1, 0};
			shap->place[feature] = (uint32_t) ++n;
		}
		condition = &shap->path[shap->place[feature] - 1];
		condition->met &= met;
		condition->share *= share_of(shap->forest, tree, i, parent);
	}
	for (int i = 0; i < n; i++)
		shap->place[shap->path[i].feature] = 0;
	return n;
}

static double
factor_of(const Condition *condition, double t)
{
	return (condition->met ? t : 0) + (1 - t) * condition->share;
}

/* Adds to each condition's sum the product of the others' factors at t. */
static void
add_point(MpShapWide *shap, int n, double t, double weight)
{
	double		behind = weight;

	shap->before[0] = 1;
	for (int i = 0; i < n; i++)
		shap->before[i + 1] = shap->before[i] * factor_of(&shap->path[i], t);
	for (int i = n - 1; i >= 0; i--)
	{
		shap->path[i].sum += shap->before[i] * behind;
		behind *= factor_of(&shap->path[i], t);
	}
}

static void
set_rule(MpShapWide *shap, int n_points)
{
	if (n_points == shap->n_points)
		return;
	mp_gauss_legendre(n_points, shap->points, shap->points + MAX_POINTS);
	shap->n_points = n_points;
}

static void
add_leaf(MpShapWide *shap, const MpTree *tree, int32_t leaf, double value, double *contribs)
{
	int			n = find_path(shap, tree, leaf);
	int			n_points = (n + 1) / 2 < MAX_POINTS ? (n + 1) / 2 : MAX_POINTS;

	if (n == 0)
		return;
	set_rule(shap, n_points);
	for (int k = 0; k < n_points; k++)
		add_point(shap, n, shap->points[k], shap->points[MAX_POINTS + k]);
	for (int i = 0; i < n; i++)
		contribs[shap->path[i].feature] +=
			value * ((shap->path[i].met ? 1 : 0) - shap->path[i].share) * shap->path[i].sum;
}

static bool
adds_to(const MpForest *forest, const MpTree *tree, int output)
{
	return forest->vector_leaf || tree->output == output;
}

static void
add_tree(MpShapWide *shap, const MpTree *tree, const double *x, int output, double *contribs)
{
	const MpNode *nodes = mp_forest_nodes(shap->forest, tree);

	find_parents(shap, tree);
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		if (nodes[i].left != 0)
			shap->left[i] = mp_node_goes_left_double(shap->forest, tree, (int32_t) i,
													 x[nodes[i].feature & MP_NODE_FEATURE_MASK]);
	}
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		if (i % 256 == 255)
			mp_alloc_poll(shap->alloc);
		if (is_used_leaf(shap, nodes, i))
			add_leaf(shap, tree, (int32_t) i, tree->weight *
					 mp_leaf_value_double(shap->forest, tree, (int32_t) i, output, x), contribs);
	}
}

/* What a mean of the trees divides by. */
static double
divisor_of(const MpForest *forest)
{
	return mp_forest_margins_are_means(forest) ? forest->divisor : 1;
}

void
mp_shap_wide_contribs(MpShapWide *shap, const double *x, int output, double *contribs)
{
	const MpForest *forest = shap->forest;

	memset(contribs, 0, (size_t) forest->n_features * sizeof(double));
	memset(shap->place, 0, (size_t) forest->n_features * sizeof(uint32_t));
	for (int t = 0; t < forest->n_trees_used; t++)
	{
		mp_alloc_poll(shap->alloc);
		if (adds_to(forest, &mp_forest_trees(forest)[t], output))
			add_tree(shap, &mp_forest_trees(forest)[t], x, output, contribs);
	}
	for (int i = 0; i < forest->n_features; i++)
		contribs[i] /= divisor_of(forest);
	contribs[forest->n_features] = shap->bias[output];
}

double
mp_shap_wide_bias(const MpShapWide *shap, int output)
{
	return shap->bias[output];
}

/* The mean of a tree over the training data. */
static double
mean_of(MpShapWide *shap, const MpTree *tree, int output)
{
	const MpForest *forest = shap->forest;
	const MpNode *nodes = mp_forest_nodes(forest, tree);
	double		mean = 0;

	if (nodes[0].left == 0)
		return mp_leaf_value_double(forest, tree, 0, output, NULL);
	find_parents(shap, tree);
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		if (is_used_leaf(shap, nodes, i))
			mean += share_of(forest, tree, (int32_t) i, 0) *
				mp_leaf_value_double(forest, tree, (int32_t) i, output, NULL);
	}
	return mean;
}

static void
find_biases(MpShapWide *shap)
{
	const MpForest *forest = shap->forest;

	for (int k = 0; k < forest->n_outputs; k++)
	{
		shap->bias[k] = mp_forest_real(forest, MP_SECTION_BASE, (size_t) k);
		for (int t = 0; t < forest->n_trees_used; t++)
		{
			const MpTree *tree = &mp_forest_trees(forest)[t];

			mp_alloc_poll(shap->alloc);
			if (adds_to(forest, tree, k))
				shap->bias[k] += tree->weight * mean_of(shap, tree, k);
		}
		shap->bias[k] /= divisor_of(forest);
	}
}

static bool
make_room(MpShapWide *shap, MpError *error)
{
	const MpForest *forest = shap->forest;
	const MpTree *trees = mp_forest_trees(forest);
	size_t		n_nodes = 1;
	size_t		n_features = (size_t) forest->n_features;
	size_t		longest;

	for (int t = 0; t < forest->n_trees_used; t++)
	{
		if (trees[t].n_nodes > n_nodes)
			n_nodes = trees[t].n_nodes;
	}
	longest = n_nodes < n_features ? n_nodes : n_features;
	shap->bias = mp_alloc_zero(shap->alloc, (size_t) forest->n_outputs * sizeof(double));
	shap->parents = mp_alloc_get(shap->alloc, n_nodes * sizeof(int32_t));
	shap->left = mp_alloc_zero(shap->alloc, n_nodes);
	shap->place = mp_alloc_zero(shap->alloc, n_features * sizeof(uint32_t));
	shap->path = mp_alloc_get(shap->alloc, longest * sizeof(Condition));
	shap->before = mp_alloc_get(shap->alloc, (longest + 1) * sizeof(double));
	shap->points = mp_alloc_get(shap->alloc, 2 * MAX_POINTS * sizeof(double));
	return (shap->bias != NULL && shap->parents != NULL && shap->left != NULL &&
			shap->place != NULL && shap->path != NULL && shap->before != NULL &&
			shap->points != NULL) ||
		mp_fail_memory(error, n_nodes * sizeof(int32_t));
}

MpShapWide *
mp_shap_wide_open(MpAlloc *alloc, const MpForest *forest, MpError *error)
{
	MpShapWide *shap;

	mp_error_clear(error);
	if (forest->linear_leaf)
	{
		mp_fail(error, MP_ERROR_UNSUPPORTED,
				"the leaves of the model are linear, and contributions are of constants");
		mp_error_detail(error, "LightGBM gives none for such models either.");
		return NULL;
	}
	shap = mp_alloc_zero(alloc, sizeof(*shap));
	if (shap == NULL)
	{
		mp_fail_memory(error, sizeof(*shap));
		return NULL;
	}
	shap->alloc = alloc;
	shap->forest = forest;
	if (!make_room(shap, error))
	{
		mp_shap_wide_close(shap);
		return NULL;
	}
	find_biases(shap);
	return shap;
}

void
mp_shap_wide_close(MpShapWide *shap)
{
	MpAlloc    *alloc = shap->alloc;

	mp_alloc_release(alloc, shap->bias);
	mp_alloc_release(alloc, shap->parents);
	mp_alloc_release(alloc, shap->left);
	mp_alloc_release(alloc, shap->place);
	mp_alloc_release(alloc, shap->path);
	mp_alloc_release(alloc, shap->before);
	mp_alloc_release(alloc, shap->points);
	mp_alloc_release(alloc, shap);
}
