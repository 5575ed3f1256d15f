/*
 * shap_compile.c: from a forest's trees to what shap.c walks (shap_tree.h).
 *
 * Each tree is read three times: down every path, to find which splits repeat
 * a feature and what share they know before; breadth first, to number the
 * splits so that parents come before children; and once more to write them.
 */
#include "core/shap/gauss.h"
#include "core/shap/shap_compile.h"

#include <math.h>
#include <string.h>

#define NO_EDGE (-1)

typedef enum NodeKind
{
	LEAF,
	TWIG,
	LATER_TWIG,
	INNER
} NodeKind;

/* What is known of a node of the tree at hand. */
typedef struct NodeInfo
{
	int32_t		earlier;		/* edge (2 * node + side) of the last split on its feature */
	uint32_t	number;			/* within its kind */
	double		share;			/* z of the earlier conditions on its feature */
	double		mean;
	uint8_t		kind;
} NodeInfo;

typedef struct Compiler
{
	struct MpShap *shap;
	const MpForest *forest;
	const MpTree *tree;
	const MpNode *nodes;
	const float *cover;
	int			output;			/* which column of vector leaves */

	NodeInfo   *infos;			/* [most nodes of a tree] */
	int32_t    *order;			/* the same; breadth first */
	int32_t    *stack;			/* the same + 1 */
	int32_t    *last_edge;		/* [n_features] on the path at hand */
	int32_t    *slot_of;		/* [n_features][2]: slot by default direction */
	int			n_order;
	int			n_features_of_path; /* the most on any path */
	uint32_t	counts[INNER + 1];
	MpShapLoose *t[MP_SHAP_MAX_VECTORS + 1];
} Compiler;

/* Nodes and weights, rounded to float. */
static void
write_rule(int n, float *t, float *weight)
{
	double		wide_t[MP_SHAP_MAX_VECTORS * MP_SHAP_LANES];
	double		wide_weight[MP_SHAP_MAX_VECTORS * MP_SHAP_LANES];

	mp_gauss_legendre(n, wide_t, wide_weight);
	for (int i = 0; i < n; i++)
	{
		t[i] = (float) wide_t[i];
		weight[i] = (float) wide_weight[i];
	}
}

static bool
need_rule(Compiler *c, int n_vectors, MpError *error)
{
	size_t		size = n_vectors * sizeof(MpShapLoose);

	if (c->t[n_vectors] != NULL)
		return true;
	c->shap->weights[n_vectors] = mp_alloc_get(c->shap->alloc, size);
	c->t[n_vectors] = mp_alloc_get(c->shap->alloc, size);
	if (c->shap->weights[n_vectors] == NULL || c->t[n_vectors] == NULL)
		return mp_fail_memory(error, size);
	write_rule(n_vectors * MP_SHAP_LANES, (float *) c->t[n_vectors],
			   (float *) c->shap->weights[n_vectors]);
	return true;
}

static bool
is_leaf(const Compiler *c, int node)
{
	return c->nodes[node].left == 0;
}

static uint32_t
feature_of(const Compiler *c, int node)
{
	return c->nodes[node].feature & MP_NODE_FEATURE_MASK;
}

static double
leaf_value(const Compiler *c, int node)
{
	const MpNode *leaf = &c->nodes[node];

	if (!c->forest->vector_leaf)
		return leaf->value;
	return MP_SECTION(c->forest, MP_SECTION_LEAVES, float)
		[(size_t) leaf->value_bits * c->forest->n_outputs + c->output];
}

/*
 * The share of the node's cover that goes to a side. A cover of 0, which
 * refreshed models can have, gives both sides the same.
 */
static double
share_of(const Compiler *c, int node, int side)
{
	double		whole = c->cover[node];
	double		part = c->cover[c->nodes[node].left + side];

	if (!(whole > 0) || !isfinite(whole) || !(part >= 0) || !isfinite(part))
		return 0.5;
	return part / whole;
}

/*
 * Down every path: for each split the last edge above on the same feature, and
 * the share that the edges above on it let through.
 */
static void
find_repeats(Compiler *c)
{
	int			depth = 0;
	int			n_distinct = 0;

	/* entries are 3 * node + how many of its sides have been taken */
	c->stack[0] = 0;
	c->n_features_of_path = 0;
	while (depth >= 0)
	{
		int			node = c->stack[depth] / 3;
		int			taken = c->stack[depth] % 3;
		NodeInfo   *info = &c->infos[node];
		int32_t    *last;

		if (is_leaf(c, node))
		{
			depth--;
			continue;
		}
		last = &c->last_edge[feature_of(c, node)];
		if (taken == 0)
		{
			info->earlier = *last;
			info->share = 1;
			if (*last != NO_EDGE)
				info->share = c->infos[*last / 2].share * share_of(c, *last / 2, *last % 2);
			else if (++n_distinct > c->n_features_of_path)
				c->n_features_of_path = n_distinct;
		}
		if (taken == 2)
		{
			*last = info->earlier;
			n_distinct -= info->earlier == NO_EDGE;
			depth--;
			continue;
		}
		*last = 2 * node + taken;
		c->stack[depth]++;
		c->stack[++depth] = 3 * (c->nodes[node].left + taken);
	}
}

static NodeKind
kind_of(const Compiler *c, int node)
{
	int			left = c->nodes[node].left;

	if (is_leaf(c, node))
		return LEAF;
	if (!is_leaf(c, left) || !is_leaf(c, left + 1))
		return INNER;
	return c->infos[node].earlier == NO_EDGE ? TWIG : LATER_TWIG;
}

/* Breadth first: kinds, numbers, and from the last to the first the means. */
static void
number_nodes(Compiler *c)
{
	memset(c->counts, 0, sizeof(c->counts));
	c->order[0] = 0;
	c->n_order = 1;
	for (int i = 0; i < c->n_order; i++)
	{
		int			node = c->order[i];
		NodeInfo   *info = &c->infos[node];

		info->kind = kind_of(c, node);
		if (info->kind != LEAF)
		{
			c->order[c->n_order++] = c->nodes[node].left;
			c->order[c->n_order++] = c->nodes[node].left + 1;
		}
		if (info->kind == INNER)
		{
			/* only leaves on inner splits have numbers: count them from their parent */
			info->number = c->counts[INNER]++;
			for (int side = 0; side < 2; side++)
			{
				int			child = c->nodes[node].left + side;

				if (is_leaf(c, child))
					c->infos[child].number = c->counts[LEAF]++;
			}
		}
		else if (info->kind != LEAF)
			info->number = c->counts[info->kind]++;
	}
	for (int i = c->n_order - 1; i >= 0; i--)
	{
		int			node = c->order[i];
		int			left = c->nodes[node].left;

		if (is_leaf(c, node))
			c->infos[node].mean = leaf_value(c, node);
		else
			c->infos[node].mean = share_of(c, node, 0) * c->infos[left].mean +
				share_of(c, node, 1) * c->infos[left + 1].mean;
	}
}

/* A child's place in the order inner, twigs, later twigs, leaves. */
static uint32_t
place_of(const Compiler *c, int node)
{
	uint32_t	place = c->infos[node].number;

	switch ((NodeKind) c->infos[node].kind)
	{
		case LEAF:
			place += c->counts[LATER_TWIG];
			/* fall through */
		case LATER_TWIG:
			place += c->counts[TWIG];
			/* fall through */
		case TWIG:
			place += c->counts[INNER];
			/* fall through */
		case INNER:
			break;
	}
	return place;
}

static bool
add_slot(Compiler *c, const MpNode *node, MpShapSlotKind kind, uint32_t *slot, MpError *error)
{
	MpShapSlot *added = mp_vec_add(&c->shap->slots, sizeof(MpShapSlot));

	if (added == NULL)
		return mp_fail_memory(error, sizeof(MpShapSlot));
	added->feature = node->feature & MP_NODE_FEATURE_MASK;
	added->kind = kind;
	added->node = node;
	*slot = (uint32_t) (mp_vec_count(&c->shap->slots, MpShapSlot) - 1) * MP_SHAP_LANES;
	return true;
}

/*
 * Slot and threshold of a split, so that `row[slot] < threshold` means left.
 * A threshold of -Infinity cannot tell a missing value that goes left.
 */
static bool
set_condition(Compiler *c, int id, float *threshold, uint32_t *slot, MpError *error)
{
	const MpNode *node = &c->nodes[id];
	bool		left = (node->feature & MP_NODE_DEFAULT_LEFT) != 0;
	int32_t    *known = &c->slot_of[2 * (size_t) feature_of(c, id) + left];

	if ((node->feature & MP_NODE_CATEGORICAL) || (left && node->value == -INFINITY))
	{
		*threshold = 0;
		return add_slot(c, node, MP_SHAP_SLOT_DECIDED, slot, error);
	}

	*threshold = node->value;
	if (*known < 0)
	{
		if (!add_slot(c, node, left ? MP_SHAP_SLOT_LEFT : MP_SHAP_SLOT_RIGHT, slot, error))
			return false;
		*known = (int32_t) *slot;
	}
	*slot = (uint32_t) *known;
	return true;
}

/* The points for a share z known before; z = 1 gives those of a first split. */
static bool
add_points(Compiler *c, int n_vectors, double z, bool none, MpError *error)
{
	size_t		size = n_vectors * sizeof(MpShapPoints);
	MpShapPoints *points = mp_vec_add(&c->shap->points, size);

	if (points == NULL)
		return mp_fail_memory(error, size);
	memset(points, 0, size);
	for (int v = 0; v < n_vectors && !none; v++)
	{
		for (int i = 0; i < MP_SHAP_LANES; i++)
		{
			double		t = c->t[n_vectors][v][i];
			double		factor = t + (1 - t) * z;

			points[v].known[i] = (float) (t / factor);
			points[v].gain[i] = (float) (z / (factor * factor));
		}
	}
	return true;
}

/* Which points a split uses, and which entry of `went` says whether it may. */
static bool
set_points(Compiler *c, const MpShapTree *tree, int node, uint32_t *points,
		   uint32_t *earlier, MpError *error)
{
	const NodeInfo *info = &c->infos[node];

	*points = MP_SHAP_POINTS_FIRST(tree->n_vectors);
	*earlier = 0;
	if (info->earlier == NO_EDGE)
		return true;

	*points = (uint32_t) ((mp_vec_count(&c->shap->points, MpShapPoints) - tree->first_points) *
						  sizeof(MpShapPoints) / sizeof(float));
	*earlier = 2 + 2 * c->infos[info->earlier / 2].number + info->earlier % 2;
	return add_points(c, tree->n_vectors, info->share, false, error);
}

static bool
set_twig(Compiler *c, int node, MpShapTwig *twig, MpError *error)
{
	double		mean = c->infos[node].mean;
	int			left = c->nodes[node].left;

	twig->mean = (float) mean;
	twig->change[0] = (float) (c->infos[left].mean - mean);
	twig->change[1] = (float) (c->infos[left + 1].mean - mean);
	return set_condition(c, node, &twig->threshold, &twig->slot, error);
}

static bool
write_twig(Compiler *c, const MpShapTree *tree, int node, MpError *error)
{
	MpShapTwig *twig;
	MpShapLaterTwig *later;

	if (c->infos[node].kind == TWIG)
	{
		twig = mp_vec_add(&c->shap->twigs, sizeof(MpShapTwig));
		return twig != NULL ? set_twig(c, node, twig, error) :
			mp_fail_memory(error, sizeof(MpShapTwig));
	}
	later = mp_vec_add(&c->shap->later_twigs, sizeof(MpShapLaterTwig));
	if (later == NULL)
		return mp_fail_memory(error, sizeof(MpShapLaterTwig));
	return set_twig(c, node, &later->twig, error) &&
		set_points(c, tree, node, &later->points, &later->earlier, error);
}

static bool
write_inner(Compiler *c, const MpShapTree *tree, int node, MpError *error)
{
	MpShapInner *inner = mp_vec_add(&c->shap->inner, sizeof(MpShapInner));
	int			left = c->nodes[node].left;

	if (inner == NULL)
		return mp_fail_memory(error, sizeof(MpShapInner));
	for (int side = 0; side < 2; side++)
	{
		float	   *value;

		inner->share[side] = (float) share_of(c, node, side);
		inner->child[side] = place_of(c, left + side) * tree->n_vectors * MP_SHAP_LANES;
		if (!is_leaf(c, left + side))
			continue;
		value = mp_vec_add(&c->shap->leaves, sizeof(float));
		if (value == NULL)
			return mp_fail_memory(error, sizeof(float));
		*value = (float) c->infos[left + side].mean;
	}
	return set_condition(c, node, &inner->threshold, &inner->slot, error) &&
		set_points(c, tree, node, &inner->points, &inner->earlier, error);
}

/* Everything numbered: the tree's parts, appended in the order of their numbers. */
static bool
write_tree(Compiler *c, MpError *error)
{
	struct MpShap *shap = c->shap;
	int			n_points = (c->n_features_of_path + 1) / 2;
	int			n_vectors = (n_points + MP_SHAP_LANES - 1) / MP_SHAP_LANES;
	MpShapTree *tree = mp_vec_add(&shap->trees, sizeof(MpShapTree));
	MpShapTree	now;

	if (tree == NULL)
		return mp_fail_memory(error, sizeof(MpShapTree));
	if (n_vectors > MP_SHAP_MAX_VECTORS)
		n_vectors = MP_SHAP_MAX_VECTORS;
	tree->output = c->output;
	tree->weight = c->tree->weight;
	tree->n_vectors = n_vectors;
	tree->n_inner = c->counts[INNER];
	tree->n_twigs = c->counts[TWIG];
	tree->n_later_twigs = c->counts[LATER_TWIG];
	tree->n_leaves = c->counts[LEAF];
	tree->first_inner = mp_vec_count(&shap->inner, MpShapInner);
	tree->first_twig = mp_vec_count(&shap->twigs, MpShapTwig);
	tree->first_later_twig = mp_vec_count(&shap->later_twigs, MpShapLaterTwig);
	tree->first_leaf = mp_vec_count(&shap->leaves, float);
	tree->first_points = mp_vec_count(&shap->points, MpShapPoints);
	now = *tree;

	if (!need_rule(c, n_vectors, error) ||
		!add_points(c, n_vectors, 1, true, error) ||
		!add_points(c, n_vectors, 1, false, error))
		return false;
	for (int i = 0; i < c->n_order; i++)
	{
		int			node = c->order[i];

		if (c->infos[node].kind == INNER && !write_inner(c, &now, node, error))
			return false;
		if ((c->infos[node].kind == TWIG || c->infos[node].kind == LATER_TWIG) &&
			!write_twig(c, &now, node, error))
			return false;
	}
	return true;
}

static bool
compile_tree(Compiler *c, const MpTree *tree, int output, MpError *error)
{
	mp_alloc_poll(c->shap->alloc);
	c->tree = tree;
	c->output = output;
	c->nodes = mp_forest_nodes(c->forest, tree);
	c->cover = MP_SECTION(c->forest, MP_SECTION_COVER, float) + tree->first;
	find_repeats(c);
	number_nodes(c);
	c->shap->bias[output] += tree->weight * c->infos[0].mean;
	/* a tree of one leaf adds to the bias only */
	return is_leaf(c, 0) || write_tree(c, error);
}

/*
 * The trees by output. XGBoost's own order within each: it decides in which
 * order contributions are added up.
 */
static bool
compile_scalar(Compiler *c, MpError *error)
{
	const MpTree *trees = mp_forest_trees(c->forest);
	int			n_outputs = c->forest->n_outputs;
	int			n_trees = c->forest->n_trees_used;
	int32_t    *next = mp_alloc_zero(c->shap->alloc, (n_outputs + 1) * sizeof(int32_t));
	int32_t    *sorted = mp_alloc_get(c->shap->alloc, n_trees * sizeof(int32_t));
	bool		ok = true;

	if (next == NULL || sorted == NULL)
		ok = mp_fail_memory(error, n_trees * sizeof(int32_t));
	for (int t = 0; ok && t < n_trees; t++)
		next[trees[t].output + 1]++;
	for (int k = 0; ok && k < n_outputs; k++)
		next[k + 1] += next[k];
	for (int t = 0; ok && t < n_trees; t++)
		sorted[next[trees[t].output]++] = t;
	for (int i = 0; ok && i < n_trees; i++)
		ok = compile_tree(c, &trees[sorted[i]], trees[sorted[i]].output, error);

	mp_alloc_release(c->shap->alloc, next);
	mp_alloc_release(c->shap->alloc, sorted);
	return ok;
}

static bool
compile_vector(Compiler *c, MpError *error)
{
	const MpTree *trees = mp_forest_trees(c->forest);

	for (int k = 0; k < c->forest->n_outputs; k++)
	{
		for (int t = 0; t < c->forest->n_trees_used; t++)
		{
			if (!compile_tree(c, &trees[t], k, error))
				return false;
		}
	}
	return true;
}

static bool
open_compiler(Compiler *c, MpError *error)
{
	MpAlloc    *alloc = c->shap->alloc;
	const MpTree *trees = mp_forest_trees(c->forest);
	size_t		n_features = c->forest->n_features;
	size_t		n_nodes = 1;

	for (int t = 0; t < c->forest->n_trees_used; t++)
	{
		if (trees[t].n_nodes > n_nodes)
			n_nodes = trees[t].n_nodes;
	}
	c->infos = mp_alloc_get(alloc, n_nodes * sizeof(NodeInfo));
	c->order = mp_alloc_get(alloc, n_nodes * sizeof(int32_t));
	c->stack = mp_alloc_get(alloc, (n_nodes + 1) * sizeof(int32_t));
	c->last_edge = mp_alloc_get(alloc, n_features * sizeof(int32_t));
	c->slot_of = mp_alloc_get(alloc, 2 * n_features * sizeof(int32_t));
	if (c->infos == NULL || c->order == NULL || c->stack == NULL || c->last_edge == NULL ||
		c->slot_of == NULL)
		return mp_fail_memory(error, n_nodes * sizeof(NodeInfo));
	memset(c->last_edge, 0xff, n_features * sizeof(int32_t));	/* NO_EDGE */
	memset(c->slot_of, 0xff, 2 * n_features * sizeof(int32_t));
	return true;
}

static void
close_compiler(Compiler *c)
{
	MpAlloc    *alloc = c->shap->alloc;

	mp_alloc_release(alloc, c->infos);
	mp_alloc_release(alloc, c->order);
	mp_alloc_release(alloc, c->stack);
	mp_alloc_release(alloc, c->last_edge);
	mp_alloc_release(alloc, c->slot_of);
	for (int i = 0; i <= MP_SHAP_MAX_VECTORS; i++)
		mp_alloc_release(alloc, c->t[i]);
}

/* Gives back the room that the vector grew beyond its use. */
static bool
trim(MpVec *vec, MpError *error)
{
	void	   *data;

	if (vec->size == 0 || vec->size == vec->room)
		return true;
	data = vec->alloc->resize(vec->alloc, vec->data, vec->size);
	if (data == NULL)
		return mp_fail_memory(error, vec->size);
	vec->data = data;
	vec->room = vec->size;
	return true;
}

bool
mp_shap_compile(struct MpShap *shap, MpError *error)
{
	Compiler	c = {.shap = shap, .forest = shap->forest};
	bool		ok = open_compiler(&c, error);

	if (ok)
		ok = shap->forest->vector_leaf ? compile_vector(&c, error) : compile_scalar(&c, error);
	close_compiler(&c);
	return ok && trim(&shap->trees, error) && trim(&shap->inner, error) &&
		trim(&shap->twigs, error) && trim(&shap->later_twigs, error) &&
		trim(&shap->leaves, error) && trim(&shap->points, error) && trim(&shap->slots, error);
}
