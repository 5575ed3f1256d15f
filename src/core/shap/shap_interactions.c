/*
 * shap_interactions.c: how pairs of features share in a row's margin.
 *
 * With the words of shap_tree.h, a leaf's interaction of i and j is
 *
 *     1/2 v (o_i - z_i) (o_j - z_j) Integral Prod[k not i, j] (t o_k + s z_k) dt.
 *
 * A split on j leaves in P U what its subtree adds to phi_j, with the factor
 * of every feature i above it in P. Exchanging that factor f_i = t o_i + s z_i
 * for o_i - z_i turns it into its part of the pair (i, j), so one walk down
 * the tree that carries (o_i - z_i) / f_i of each feature on the path meets
 * every pair: (1 - z) / (t + s z) where the row meets the conditions, else
 * -1 / s whatever z is.
 *
 * Scratch: the longest path of the model, once.
 */
#include "core/shap/shap_interactions.h"

#include "core/shap/shap_tree.h"

#include <string.h>

#define STEPS_PER_POLL 1024

/* A feature on the path; its exchange factors are in `exchange`. */
typedef struct OnPath
{
	uint32_t	feature;
	float		share;			/* z */
} OnPath;

typedef struct Frame
{
	uint32_t	place;
	uint32_t	sides_done;
	uint32_t	at;				/* where its feature is on the path */
	bool		repeats;		/* it was there before */
	float		share_before;
} Frame;

typedef struct MpShapPairs
{
	uint32_t	depth;			/* of the deepest inner split, from 1 */
	Frame	   *frames;			/* [depth] */
	OnPath	   *path;			/* [depth] */
	int32_t    *where;			/* [n_features]: on the path, or -1 */
	MpShapLoose *exchange;		/* [depth][n_vectors], along the path */
	MpShapLoose *before;		/* [depth][n_vectors], of frames that repeat */
	float	   *contribs;		/* [n_features + 1], of one output */
} MpShapPairs;

/* One output's matrix under work. */
typedef struct Walk
{
	struct MpShap *shap;
	const MpShapTree *tree;
	const MpShapInner *inner;
	const MpShapSlot *slots;
	const MpShapPoints *first_points;
	float	   *matrix;
	size_t		width;
	uint32_t	n_path;
} Walk;

static void
release(MpAlloc *alloc, MpShapPairs *pairs)
{
	mp_alloc_release(alloc, pairs->frames);
	mp_alloc_release(alloc, pairs->path);
	mp_alloc_release(alloc, pairs->where);
	mp_alloc_release(alloc, pairs->exchange);
	mp_alloc_release(alloc, pairs->before);
	mp_alloc_release(alloc, pairs->contribs);
	mp_alloc_release(alloc, pairs);
}

static void
release_pairs(struct MpShap *shap)
{
	release(shap->alloc, shap->pairs);
	shap->pairs = NULL;
}

/* Inner splits on the longest path of a tree; `depths` is scratch for as many. */
static uint32_t
inner_depth(const struct MpShap *shap, const MpShapTree *tree, uint32_t *depths)
{
	const MpShapInner *inner = mp_vec_at(&shap->inner, const MpShapInner, tree->first_inner);
	uint32_t	deepest = 0;

	for (uint32_t i = 0; i < tree->n_inner; i++)
	{
		if (i == 0)
			depths[i] = 1;
		for (int side = 0; side < 2; side++)
		{
			uint32_t	child = inner[i].child[side] / (tree->n_vectors * MP_SHAP_LANES);

			if (child < tree->n_inner)
				depths[child] = depths[i] + 1;
		}
		if (depths[i] > deepest)
			deepest = depths[i];
	}
	return deepest;
}

static bool
open_pairs(struct MpShap *shap, MpError *error)
{
	MpAlloc    *alloc = shap->alloc;
	size_t		n_features = shap->forest->n_features;
	size_t		lanes = 1;
	MpShapPairs *pairs;

	if (shap->pairs != NULL)
		return true;
	pairs = mp_alloc_zero(alloc, sizeof(*pairs));
	if (pairs == NULL)
		return mp_fail_memory(error, sizeof(*pairs));
	for (size_t t = 0; t < mp_vec_count(&shap->trees, MpShapTree); t++)
	{
		const MpShapTree *tree = mp_vec_at(&shap->trees, MpShapTree, t);
		uint32_t	depth = inner_depth(shap, tree, shap->chosen);

		if (depth > pairs->depth)
			pairs->depth = depth;
		if (depth * (size_t) tree->n_vectors > lanes)
			lanes = depth * (size_t) tree->n_vectors;
	}
	pairs->frames = mp_alloc_get(alloc, pairs->depth * sizeof(Frame));
	pairs->path = mp_alloc_get(alloc, pairs->depth * sizeof(OnPath));
	pairs->where = mp_alloc_get(alloc, n_features * sizeof(int32_t));
	pairs->exchange = mp_alloc_get(alloc, lanes * sizeof(MpShapLoose));
	pairs->before = mp_alloc_get(alloc, lanes * sizeof(MpShapLoose));
	pairs->contribs = mp_alloc_get(alloc, (n_features + 1) * sizeof(float));
	if (pairs->frames == NULL || pairs->path == NULL || pairs->where == NULL ||
		pairs->exchange == NULL || pairs->before == NULL || pairs->contribs == NULL)
	{
		release(alloc, pairs);
		return mp_fail_memory(error, lanes * sizeof(MpShapLoose));
	}
	shap->pairs = pairs;		/* only now: an allocator may not return */
	shap->release_pairs = release_pairs;
	return true;
}

/* The split at a place with every other feature above it. */
static void
pair_up(const Walk *w, uint32_t place, uint32_t slot)
{
	const MpShapPairs *pairs = w->shap->pairs;
	uint32_t	feature = w->slots[slot / MP_SHAP_LANES].feature;
	size_t		n = w->tree->n_vectors;
	const MpShapLanes *gain = mp_shap_at(w->shap->above, place * n * MP_SHAP_LANES);
	float	   *row = w->matrix + feature * w->width;

	for (uint32_t i = 0; i < w->n_path; i++)
	{
		const MpShapLoose *exchange = pairs->exchange + i * n;
		MpShapLanes sum = {0, 0, 0, 0};

		if (pairs->path[i].feature == feature)
			continue;
		for (size_t v = 0; v < n; v++)
			sum += gain[v] * exchange[v];
		row[pairs->path[i].feature] += mp_shap_sum(sum);
	}
}

/* (o - z) / (t o + s z) at every point */
static void
set_exchange(const Walk *w, MpShapLoose *exchange, float z, bool met)
{
	const MpShapLanes one = {1, 1, 1, 1};
	const MpShapLanes share = {z, z, z, z};

	for (size_t v = 0; v < w->tree->n_vectors; v++)
	{
		MpShapLanes t = w->first_points[v].known;

		if (met)
			exchange[v] = (one - share) / (t + (one - t) * share);
		else
			exchange[v] = -one / (one - t);
	}
}

static uint32_t
slot_at(const Walk *w, uint32_t place)
{
	const MpShapTree *tree = w->tree;

	if (place < tree->n_inner)
		return w->inner[place].slot;
	place -= tree->n_inner;
	if (place < tree->n_twigs)
		return mp_vec_at(&w->shap->twigs, MpShapTwig, tree->first_twig + place)->slot;
	place -= tree->n_twigs;
	return mp_vec_at(&w->shap->later_twigs, MpShapLaterTwig,
					 tree->first_later_twig + place)->twig.slot;
}

/* Puts an inner split's feature on the path, or takes note that it is there. */
static void
enter(Walk *w, Frame *frame, uint32_t depth, uint32_t place)
{
	MpShapPairs *pairs = w->shap->pairs;
	uint32_t	feature = w->slots[w->inner[place].slot / MP_SHAP_LANES].feature;
	size_t		n = w->tree->n_vectors;

	frame->place = place;
	frame->sides_done = 0;
	frame->repeats = pairs->where[feature] >= 0;
	if (frame->repeats)
	{
		frame->at = (uint32_t) pairs->where[feature];
		frame->share_before = pairs->path[frame->at].share;
		memcpy(pairs->before + depth * n, pairs->exchange + frame->at * n,
			   n * sizeof(MpShapLoose));
	}
	else
	{
		frame->at = w->n_path++;
		frame->share_before = 1;
		pairs->path[frame->at].feature = feature;
		pairs->where[feature] = (int32_t) frame->at;
	}
}

/* The path for what lies on one side of an inner split. */
static void
take_side(const Walk *w, const Frame *frame, uint32_t side)
{
	OnPath	   *on_path = &w->shap->pairs->path[frame->at];

	on_path->share = frame->share_before * w->inner[frame->place].share[side];
	set_exchange(w, w->shap->pairs->exchange + frame->at * w->tree->n_vectors,
				 on_path->share, w->shap->went[2 + 2 * frame->place + side] != 0);
}

static void
leave(Walk *w, const Frame *frame, uint32_t depth)
{
	MpShapPairs *pairs = w->shap->pairs;
	size_t		n = w->tree->n_vectors;

	if (frame->repeats)
	{
		pairs->path[frame->at].share = frame->share_before;
		memcpy(pairs->exchange + frame->at * n, pairs->before + depth * n,
			   n * sizeof(MpShapLoose));
		return;
	}
	pairs->where[pairs->path[frame->at].feature] = -1;
	w->n_path--;
}

/* Depth first over the splits of a tree that mp_shap_walk has just walked. */
static void
pair_tree(Walk *w)
{
	Frame	   *frames = w->shap->pairs->frames;
	uint32_t	n_splits = w->tree->n_inner + w->tree->n_twigs + w->tree->n_later_twigs;
	uint32_t	depth = 0;

	if (w->tree->n_inner == 0)
		return;
	w->n_path = 0;
	enter(w, &frames[0], 0, 0);
	for (uint32_t steps = 1;; steps++)
	{
		Frame	   *frame = &frames[depth];
		uint32_t	child;

		if (steps % STEPS_PER_POLL == 0)
			mp_alloc_poll(w->shap->alloc);
		if (frame->sides_done == 2)
		{
			leave(w, frame, depth);
			if (depth == 0)
				return;
			depth--;
			continue;
		}
		child = w->inner[frame->place].child[frame->sides_done] /
			(w->tree->n_vectors * MP_SHAP_LANES);
		take_side(w, frame, frame->sides_done++);
		if (child >= n_splits)
			continue;
		pair_up(w, child, slot_at(w, child));
		if (child < w->tree->n_inner)
		{
			depth++;
			enter(w, &frames[depth], depth, child);
		}
	}
}

/*
 * From what the trees gave (half in [i][j], half in [j][i]) to the matrix; the
 * diagonal is what each feature adds on its own.
 */
static void
finish_matrix(MpAlloc *alloc, float *matrix, const float *contribs, size_t width)
{
	for (size_t i = 0; i < width; i++)
	{
		mp_alloc_poll(alloc);
		for (size_t j = i + 1; j < width; j++)
		{
			float		mean = 0.5f * (matrix[i * width + j] + matrix[j * width + i]);

			matrix[i * width + j] = mean;
			matrix[j * width + i] = mean;
		}
	}
	for (size_t i = 0; i < width; i++)
	{
		double		own = contribs[i];

		mp_alloc_poll(alloc);
		for (size_t j = 0; j < width; j++)
			own -= j == i ? 0 : matrix[i * width + j];
		matrix[i * width + i] = (float) own;
	}
}

/* `t` is the output's first tree and moves behind its last. */
static void
tree_interactions(Walk *w, int output, size_t *t)
{
	struct MpShap *shap = w->shap;
	float	   *contribs = shap->pairs->contribs;
	size_t		n_trees = mp_vec_count(&shap->trees, MpShapTree);

	mp_shap_begin_output(shap);
	for (; *t < n_trees; (*t)++)
	{
		w->tree = mp_vec_at(&shap->trees, MpShapTree, *t);
		if (w->tree->output != output)
			break;
		w->inner = mp_vec_at(&shap->inner, MpShapInner, w->tree->first_inner);
		w->first_points = mp_vec_at(&shap->points, MpShapPoints, w->tree->first_points) +
			w->tree->n_vectors;	/* MP_SHAP_POINTS_FIRST */
		mp_alloc_poll(shap->alloc);
		mp_shap_walk(shap, w->tree, true);
		pair_tree(w);
	}
	mp_shap_end_output(shap, output, contribs);
	finish_matrix(shap->alloc, w->matrix, contribs, w->width);
}

static void
linear_interactions(Walk *w, const float *x, int output)
{
	float	   *contribs = w->shap->pairs->contribs;

	mp_shap_contribs_of(w->shap, x, output, contribs);
	for (size_t i = 0; i < w->width; i++)
		w->matrix[i * w->width + i] = contribs[i];
}

bool
mp_shap_interactions(MpShap *shap, const float *x, float *interactions, MpError *error)
{
	const MpForest *forest = shap->forest;
	size_t		width = (size_t) forest->n_features + 1;
	Walk		w = {.shap = shap, .slots = shap->slots.data, .width = width};
	size_t		t = 0;

	if (shap->wide != NULL)
		return mp_fail(error, MP_ERROR_UNSUPPORTED, "interactions are known of XGBoost's models only");
	if (!open_pairs(shap, error))
		return false;
	/* a call that was interrupted leaves its path there */
	memset(shap->pairs->where, 0xff, forest->n_features * sizeof(int32_t));
	mp_shap_load_row(shap, x);
	for (int k = 0; k < forest->n_outputs; k++)
	{
		w.matrix = interactions + k * width * width;
		memset(w.matrix, 0, width * width * sizeof(float));
		if (forest->booster == MP_BOOSTER_GBLINEAR)
			linear_interactions(&w, x, k);
		else
			tree_interactions(&w, k, &t);
	}
	return true;
}
