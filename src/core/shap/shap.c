/*
 * shap.c: contributions of one row: prepare it, walk the trees, add up.
 *
 * shap_tree.h has the formula and the layout. The walk has no branch that
 * depends on the row: a mispredicted one would cost more than a split.
 */
#include "core/shap/shap.h"

#include "core/forest/eval.h"
#include "core/shap/shap_compile.h"
#include "core/shap/shap_tree.h"
#include "core/shap/shap_wide.h"

#include <math.h>
#include <string.h>

static MP_SHAP_INLINE MpShapLanes
all_lanes(float x)
{
	return (MpShapLanes) {x, x, x, x};
}

void
mp_shap_load_row(struct MpShap *shap, const float *x)
{
	const MpShapSlot *slots = shap->slots.data;
	size_t		n_slots = mp_vec_count(&shap->slots, MpShapSlot);

	for (size_t i = 0; i < n_slots; i++)
	{
		float		value = x[slots[i].feature];

		switch ((MpShapSlotKind) slots[i].kind)
		{
			case MP_SHAP_SLOT_RIGHT:
				break;
			case MP_SHAP_SLOT_LEFT:
				value = isnan(value) ? -INFINITY : value;
				break;
			case MP_SHAP_SLOT_DECIDED:
				value = mp_node_goes_left(shap->forest, slots[i].node, value) ? -1 : 1;
				break;
		}
		shap->row[i * MP_SHAP_LANES] = value;
	}
}

/*
 * One tree's parts, with what the walk reads and writes. Copied into local
 * restrict pointers by each pass: else the compiler loads them anew after
 * every store.
 */
typedef struct Walk
{
	const MpShapTree *tree;
	const MpShapInner *inner;
	const MpShapTwig *twigs;
	const MpShapLaterTwig *later_twigs;
	const float *leaves;
	const float *points;
	const float *row;
	float	   *phi;
	float	   *above;
	float	   *below;
	uint32_t   *chosen;
	uint32_t   *points_used;
	uint32_t   *went;
} Walk;

/* Sides are computed and used as indexes, never asked: 0 is left, 1 right. */
static MP_SHAP_INLINE size_t
side_of(const float *row, uint32_t slot, float threshold)
{
	return !(row[slot] < threshold);
}

static MP_SHAP_INLINE const MpShapPoints *
points_at(const float *points, size_t floats)
{
	return (const MpShapPoints *) (points + floats);
}

/* n is n_vectors: a constant in the calls that matter, as `keep` */
static MP_SHAP_INLINE void
pass_down(const Walk *w, size_t n)
{
	const MpShapInner *restrict inner = w->inner;
	const float *restrict points = w->points;
	const float *restrict row = w->row;
	float	   *restrict above = w->above;
	uint32_t   *restrict chosen = w->chosen;
	uint32_t   *restrict points_used = w->points_used;
	uint32_t   *restrict went = w->went;
	size_t		n_inner = w->tree->n_inner;

	for (size_t i = 0; i < n_inner; i++, inner++)
	{
		size_t		side = side_of(row, inner->slot, inner->threshold);
		uint32_t	open = went[inner->earlier];
		uint32_t	used = inner->points & open;	/* else MP_SHAP_POINTS_NONE */
		const MpShapPoints *p = points_at(points, used);
		MpShapLanes *all = mp_shap_at(above, i * n * MP_SHAP_LANES);
		MpShapLanes *to = mp_shap_at(above, inner->child[side]);
		MpShapLanes *other = mp_shap_at(above, inner->child[side ^ 1]);

		went[2 + 2 * i + side] = open;
		went[2 + 2 * i + (side ^ 1)] = 0;
		chosen[i] = inner->child[side];
		points_used[i] = used;
		for (size_t v = 0; v < n; v++)
		{
			MpShapLanes known = all[v] * p[v].known;
			MpShapLanes unknown = all[v] - known;

			to[v] = unknown * all_lanes(inner->share[side]) + known;
			other[v] = unknown * all_lanes(inner->share[side ^ 1]);
		}
	}
}

static MP_SHAP_INLINE void
pass_leaves(const Walk *w, size_t n)
{
	size_t		first = (size_t) w->tree->n_inner + w->tree->n_twigs + w->tree->n_later_twigs;
	MpShapLanes *restrict below = mp_shap_at(w->below, first * n * MP_SHAP_LANES);
	const float *restrict leaves = w->leaves;
	size_t		n_leaves = w->tree->n_leaves;

	for (size_t i = 0; i < n_leaves; i++)
	{
		for (size_t v = 0; v < n; v++)
			below[i * n + v] = all_lanes(leaves[i]);
	}
}

static MP_SHAP_INLINE void
pass_twigs(const Walk *w, size_t n, bool keep)
{
	size_t		first = w->tree->n_inner;
	const MpShapTwig *restrict twig = w->twigs;
	const MpShapPoints *restrict p = points_at(w->points, MP_SHAP_POINTS_FIRST(n));
	const float *restrict row = w->row;
	MpShapLanes *restrict above = mp_shap_at(w->above, first * n * MP_SHAP_LANES);
	MpShapLanes *restrict below = mp_shap_at(w->below, first * n * MP_SHAP_LANES);
	float	   *restrict phi = w->phi;
	size_t		n_twigs = w->tree->n_twigs;

	for (size_t i = 0; i < n_twigs; i++, twig++)
	{
		MpShapLanes change = all_lanes(twig->change[side_of(row, twig->slot, twig->threshold)]);
		MpShapLanes *sum = mp_shap_at(phi, twig->slot);

		for (size_t v = 0; v < n; v++)
		{
			MpShapLanes gain = above[i * n + v] * change;

			below[i * n + v] = all_lanes(twig->mean) + p[v].known * change;
			if (keep)
				above[i * n + v] = gain;
			*sum += gain;
		}
	}
}

static MP_SHAP_INLINE void
pass_later_twigs(const Walk *w, size_t n, bool keep)
{
	size_t		first = (size_t) w->tree->n_inner + w->tree->n_twigs;
	const MpShapLaterTwig *restrict later = w->later_twigs;
	const float *restrict points = w->points;
	const uint32_t *restrict went = w->went;
	const float *restrict row = w->row;
	MpShapLanes *restrict above = mp_shap_at(w->above, first * n * MP_SHAP_LANES);
	MpShapLanes *restrict below = mp_shap_at(w->below, first * n * MP_SHAP_LANES);
	float	   *restrict phi = w->phi;
	size_t		n_later_twigs = w->tree->n_later_twigs;

	for (size_t i = 0; i < n_later_twigs; i++, later++)
	{
		const MpShapTwig *twig = &later->twig;
		const MpShapPoints *p = points_at(points, later->points & went[later->earlier]);
		MpShapLanes change = all_lanes(twig->change[side_of(row, twig->slot, twig->threshold)]);
		MpShapLanes *sum = mp_shap_at(phi, twig->slot);

		for (size_t v = 0; v < n; v++)
		{
			MpShapLanes gain = above[i * n + v] * p[v].gain * change;

			below[i * n + v] = all_lanes(twig->mean) + p[v].known * change;
			if (keep)
				above[i * n + v] = gain;
			*sum += gain;
		}
	}
}

static MP_SHAP_INLINE void
pass_up(const Walk *w, size_t n, bool keep)
{
	const MpShapInner *restrict first = w->inner;
	const float *restrict points = w->points;
	const uint32_t *restrict chosen = w->chosen;
	const uint32_t *restrict points_used = w->points_used;
	MpShapLanes *restrict above = mp_shap_at(w->above, 0);
	float	   *restrict below = w->below;
	float	   *restrict phi = w->phi;

	for (size_t i = w->tree->n_inner; i-- > 0;)
	{
		const MpShapInner *inner = &first[i];
		const MpShapPoints *p = points_at(points, points_used[i]);
		const MpShapLanes *left = mp_shap_at(below, inner->child[0]);
		const MpShapLanes *right = mp_shap_at(below, inner->child[1]);
		const MpShapLanes *known = mp_shap_at(below, chosen[i]);
		MpShapLanes *value = mp_shap_at(below, i * n * MP_SHAP_LANES);
		MpShapLanes *sum = mp_shap_at(phi, inner->slot);

		for (size_t v = 0; v < n; v++)
		{
			MpShapLanes mean = all_lanes(inner->share[0]) * left[v] +
				all_lanes(inner->share[1]) * right[v];
			MpShapLanes change = known[v] - mean;
			MpShapLanes gain = above[i * n + v] * p[v].gain * change;

			value[v] = mean + p[v].known * change;
			if (keep)
				above[i * n + v] = gain;
			*sum += gain;
		}
	}
}

static MP_SHAP_INLINE void
walk(const Walk *w, size_t n, bool keep)
{
	pass_down(w, n);
	pass_leaves(w, n);
	pass_twigs(w, n, keep);
	pass_later_twigs(w, n, keep);
	pass_up(w, n, keep);
}

void
mp_shap_walk(struct MpShap *shap, const MpShapTree *tree, bool keep)
{
	uint32_t	n = tree->n_vectors;
	Walk		w = {
		.tree = tree,
		.inner = mp_vec_at(&shap->inner, const MpShapInner, tree->first_inner),
		.twigs = mp_vec_at(&shap->twigs, const MpShapTwig, tree->first_twig),
		.later_twigs = mp_vec_at(&shap->later_twigs, const MpShapLaterTwig, tree->first_later_twig),
		.leaves = mp_vec_at(&shap->leaves, const float, tree->first_leaf),
		.points = (const float *) mp_vec_at(&shap->points, const MpShapPoints, tree->first_points),
		.row = shap->row,
		.phi = shap->phi,
		.above = shap->above,
		.below = shap->below,
		.chosen = shap->chosen,
		.points_used = shap->points_used,
		.went = shap->went
	};

	for (uint32_t v = 0; v < n; v++)
		*mp_shap_at(w.above, v * MP_SHAP_LANES) = shap->weights[n][v] * all_lanes(tree->weight);

	if (keep)
		walk(&w, n, true);
	else if (n == 1)
		walk(&w, 1, false);
	else if (n == 2)
		walk(&w, 2, false);
	else
		walk(&w, n, false);
}

double
mp_shap_bias(const MpShap *shap, int output)
{
	const MpForest *forest = shap->forest;
	const float *weights = MP_SECTION(forest, MP_SECTION_WEIGHTS, float);

	if (shap->wide != NULL)
		return mp_shap_wide_bias(shap->wide, output);
	if (forest->booster != MP_BOOSTER_GBLINEAR)
		return (float) shap->bias[output];
	return weights[(size_t) forest->n_features * forest->n_outputs + output] +
		mp_forest_base(forest)[0];
}

static void
linear_contribs(const struct MpShap *shap, const float *x, int output, float *contribs)
{
	const MpForest *forest = shap->forest;
	const float *weights = MP_SECTION(forest, MP_SECTION_WEIGHTS, float) + output;

	for (int i = 0; i < forest->n_features; i++)
		contribs[i] = isnan(x[i]) ? 0 : x[i] * weights[(size_t) i * forest->n_outputs];
	contribs[forest->n_features] = mp_shap_bias(shap, output);
}

void
mp_shap_begin_output(struct MpShap *shap)
{
	memset(shap->phi, 0, mp_vec_count(&shap->slots, MpShapSlot) * sizeof(MpShapLanes));
}

/* contribs[n_features + 1] */
void
mp_shap_end_output(const struct MpShap *shap, int output, float *contribs)
{
	const MpShapSlot *slots = shap->slots.data;
	size_t		n_slots = mp_vec_count(&shap->slots, MpShapSlot);
	int			n_features = shap->forest->n_features;

	memset(contribs, 0, n_features * sizeof(float));
	for (size_t i = 0; i < n_slots; i++)
		contribs[slots[i].feature] += mp_shap_sum(*mp_shap_at(shap->phi, i * MP_SHAP_LANES));
	contribs[n_features] = (float) shap->bias[output];
}

/* The output's first tree. */
static size_t
first_tree(const struct MpShap *shap, int output)
{
	const MpShapTree *trees = shap->trees.data;
	size_t		low = 0;
	size_t		high = mp_vec_count(&shap->trees, MpShapTree);

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (trees[middle].output < output)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The row is loaded. */
static void
tree_contribs(struct MpShap *shap, int output, float *contribs)
{
	const MpShapTree *trees = shap->trees.data;
	size_t		n_trees = mp_vec_count(&shap->trees, MpShapTree);

	mp_shap_begin_output(shap);
	for (size_t t = first_tree(shap, output); t < n_trees && trees[t].output == output; t++)
	{
		mp_alloc_poll(shap->alloc);
		mp_shap_walk(shap, &trees[t], false);
	}
	mp_shap_end_output(shap, output, contribs);
}

static void
contribs_of(struct MpShap *shap, const float *x, int output, float *contribs)
{
	if (shap->forest->booster == MP_BOOSTER_GBLINEAR)
		linear_contribs(shap, x, output, contribs);
	else
		tree_contribs(shap, output, contribs);
}

void
mp_shap_contribs_of(MpShap *shap, const float *x, int output, float *contribs)
{
	mp_shap_load_row(shap, x);
	contribs_of(shap, x, output, contribs);
}

void
mp_shap_contribs(MpShap *shap, const float *x, float *contribs)
{
	size_t		width = (size_t) shap->forest->n_features + 1;

	mp_shap_load_row(shap, x);
	for (int k = 0; k < shap->forest->n_outputs; k++)
		contribs_of(shap, x, k, contribs + k * width);
}

void
mp_shap_contribs_of_wide(MpShap *shap, const double *x, int output, double *contribs)
{
	mp_shap_wide_contribs(shap->wide, x, output, contribs);
}

void
mp_shap_contribs_wide(MpShap *shap, const double *x, double *contribs)
{
	size_t		width = (size_t) shap->forest->n_features + 1;

	for (int k = 0; k < shap->forest->n_outputs; k++)
		mp_shap_wide_contribs(shap->wide, x, k, contribs + k * width);
}

/* The parts of the scratch, one after the other from `at`; returns the end. */
static size_t
lay_scratch(struct MpShap *shap, char *at)
{
	size_t		n_slots = mp_vec_count(&shap->slots, MpShapSlot);
	size_t		n_inner = 0;
	size_t		n_vectors = 0;
	size_t		end = 0;

	for (size_t t = 0; t < mp_vec_count(&shap->trees, MpShapTree); t++)
	{
		const MpShapTree *tree = mp_vec_at(&shap->trees, MpShapTree, t);
		size_t		n_places = (size_t) tree->n_inner + tree->n_twigs + tree->n_later_twigs +
			tree->n_leaves;

		if (tree->n_inner > n_inner)
			n_inner = tree->n_inner;
		if (n_places * tree->n_vectors > n_vectors)
			n_vectors = n_places * tree->n_vectors;
	}

#define LAY(field, type, count) \
	do { \
		if (at != NULL) \
			shap->field = (type *) (at + end); \
		end += ((count) * sizeof(type) + 63) / 64 * 64; \
	} while (0)
	LAY(phi, float, n_slots * MP_SHAP_LANES);
	LAY(row, float, n_slots * MP_SHAP_LANES);
	LAY(above, float, n_vectors * MP_SHAP_LANES);
	LAY(below, float, n_vectors * MP_SHAP_LANES);
	LAY(chosen, uint32_t, n_inner);
	LAY(points_used, uint32_t, n_inner);
	LAY(went, uint32_t, 2 + 2 * n_inner);
#undef LAY
	return end;
}

static bool
open_scratch(struct MpShap *shap, MpError *error)
{
	size_t		size = lay_scratch(shap, NULL) + 63;

	shap->scratch = mp_alloc_zero(shap->alloc, size);
	if (shap->scratch == NULL)
		return mp_fail_memory(error, size);
	lay_scratch(shap, (char *) (((uintptr_t) shap->scratch + 63) / 64 * 64));
	shap->went[0] = UINT32_MAX;	/* what splits without an earlier one look at */
	return true;
}

static bool
has_splits(const MpForest *forest)
{
	for (int t = 0; t < forest->n_trees_used; t++)
	{
		if (mp_forest_nodes(forest, &mp_forest_trees(forest)[t])->left != 0)
			return true;
	}
	return false;
}

static bool
open_trees(struct MpShap *shap, MpError *error)
{
	const MpForest *forest = shap->forest;
	size_t		size = forest->n_outputs * sizeof(double);

	shap->bias = mp_alloc_get(shap->alloc, size);
	if (shap->bias == NULL)
		return mp_fail_memory(error, size);
	for (int k = 0; k < forest->n_outputs; k++)
		shap->bias[k] = mp_forest_base(forest)[k];
	return mp_shap_compile(shap, error) && open_scratch(shap, error);
}

static bool
open_wide(struct MpShap *shap, MpError *error)
{
	shap->wide = mp_shap_wide_open(shap->alloc, shap->forest, error);
	return shap->wide != NULL;
}

MpShap *
mp_shap_open(MpAlloc *alloc, const MpForest *forest, MpError *error)
{
	struct MpShap *shap;

	mp_error_clear(error);
	if (!forest->has_stats && has_splits(forest))
	{
		mp_fail(error, MP_ERROR_UNSUPPORTED,
				"the model does not hold the cover of its nodes, which contributions need");
		if (forest->library == MP_LIBRARY_XGBOOST)
			mp_error_detail(error,
							"XGBoost before 3.0 does not save it for trees with vector leaves.");
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
	shap->trees.alloc = alloc;
	shap->inner.alloc = alloc;
	shap->twigs.alloc = alloc;
	shap->later_twigs.alloc = alloc;
	shap->leaves.alloc = alloc;
	shap->points.alloc = alloc;
	shap->slots.alloc = alloc;
	if (!(forest->precision == MP_PRECISION_DOUBLE ? open_wide(shap, error) :
		  forest->booster == MP_BOOSTER_GBLINEAR || open_trees(shap, error)))
	{
		mp_shap_close(shap);
		return NULL;
	}
	return shap;
}

void
mp_shap_close(MpShap *shap)
{
	MpAlloc    *alloc = shap->alloc;

	mp_vec_release(&shap->trees);
	mp_vec_release(&shap->inner);
	mp_vec_release(&shap->twigs);
	mp_vec_release(&shap->later_twigs);
	mp_vec_release(&shap->leaves);
	mp_vec_release(&shap->points);
	mp_vec_release(&shap->slots);
	for (int i = 0; i <= MP_SHAP_MAX_VECTORS; i++)
		mp_alloc_release(alloc, shap->weights[i]);
	if (shap->wide != NULL)
		mp_shap_wide_close(shap->wide);
	mp_alloc_release(alloc, shap->bias);
	mp_alloc_release(alloc, shap->scratch);
	if (shap->pairs != NULL)
		shap->release_pairs(shap);
	mp_alloc_release(alloc, shap);
}
