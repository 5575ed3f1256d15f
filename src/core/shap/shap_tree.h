/*
 * shap_tree.h: what mp_shap_open makes of the trees, shared by the files of
 * SHAP only.
 *
 * The formula. For one leaf of value v, let z_j be the share of the training
 * data (by cover) that meets the path's conditions on feature j, and o_j 1 if
 * the row meets them, else 0. The Shapley weights are integrals over t, so
 *
 *     phi_i = v (o_i - z_i) Integral[0..1] Prod[j != i] (t o_j + s z_j) dt,
 *
 * with s = 1 - t: a polynomial in t, which Gauss-Legendre with half as many
 * points as the path has features integrates exactly. For one t the sum over
 * all leaves needs one pass down and one up. With B the value of a subtree
 * (factors of the features split on above it left out) and M its mean by cover:
 *
 *     M   = z_left B_left + z_right B_right     the feature is unknown
 *     U   = B_(where the row goes) - M          what knowing it changes
 *     B   = M + t U
 *     phi += P U                                P: the factors above, and the
 *                                               weight of t
 *
 * and the pass down multiplies P by s z + t on the row's side, s z on the
 * other. Where the path has split on the same feature before, t becomes
 * t / (t + s z) and phi's U gets the factor z / (t + s z)^2, with z the share
 * known before; both are 0 where the row failed those earlier conditions:
 * nothing new is learnt then. All factors are between 0 and 1 and nothing is
 * divided by a cover of 0, so float32 serves at any depth.
 *
 * The points of t are the lanes of a vector.
 */
#ifndef MP_CORE_SHAP_TREE_H
#define MP_CORE_SHAP_TREE_H

#include "core/forest/forest.h"

/* the walk is worth its own copy for each small number of vectors */
#define MP_SHAP_INLINE inline __attribute__((always_inline))

#define MP_SHAP_LANES 4
#define MP_SHAP_MAX_VECTORS 32	/* exact up to 256 features on one path */

/* four points of t; GCC's and clang's vectors, plain loops where there are none */
typedef float MpShapLanes __attribute__((vector_size(16), may_alias));

/* the same where nothing aligns it */
typedef float MpShapLoose __attribute__((vector_size(16), aligned(4), may_alias));

/* A vector of each: the factor for the row's side, and the one for phi. */
typedef struct MpShapPoints
{
	MpShapLoose known;			/* t, or t / (t + s z) */
	MpShapLoose gain;			/* 1, or z / (t + s z)^2 */
} MpShapPoints;

/*
 * The first two of each tree's points: for splits whose earlier conditions the
 * row did not meet, and for those without any.
 */
#define MP_SHAP_POINTS_NONE 0
#define MP_SHAP_POINTS_FIRST(n_vectors) ((n_vectors) * 2 * MP_SHAP_LANES)

/*
 * Where a row's value for a split comes from. NaN must fail or pass the
 * comparison, as the split's default direction says, so a feature has up to two
 * slots; a categorical split has one of its own, which says -1 for left.
 */
typedef enum MpShapSlotKind
{
	MP_SHAP_SLOT_RIGHT,			/* missing goes right: x as it is */
	MP_SHAP_SLOT_LEFT,			/* missing goes left: -Infinity for NaN */
	MP_SHAP_SLOT_DECIDED		/* -1: left; 1: right */
} MpShapSlotKind;

typedef struct MpShapSlot
{
	uint32_t	feature;
	uint32_t	kind;
	const MpNode *node;			/* of a decided slot */
} MpShapSlot;

/*
 * A split with at least one split below. Pairs are left, right. A tree's places
 * are its inner splits first (parents before children), then its twigs, its
 * later twigs, and the leaves that hang on inner splits. slot, child and points
 * count floats into the arrays they are for (MP_SHAP_LANES per slot, n_vectors
 * times that per place, twice that per points): an index less to multiply, of
 * many. earlier: the entry of `went` that says whether the row met all earlier
 * conditions on this feature; 0 if there are none.
 */
typedef struct MpShapInner
{
	float		threshold;
	uint32_t	slot;
	float		share[2];
	uint32_t	child[2];
	uint32_t	points;
	uint32_t	earlier;
} MpShapInner;

/* A split with two leaves: M and U are known beforehand. */
typedef struct MpShapTwig
{
	float		threshold;
	uint32_t	slot;
	float		mean;
	float		change[2];		/* U where the row goes left, right */
} MpShapTwig;

/* A twig on a feature that the path has split before. */
typedef struct MpShapLaterTwig
{
	MpShapTwig	twig;
	uint32_t	points;
	uint32_t	earlier;
} MpShapLaterTwig;

/* One tree for one output; counts, and where its parts begin. */
typedef struct MpShapTree
{
	int32_t		output;
	float		weight;
	uint32_t	n_vectors;		/* of MP_SHAP_LANES points */
	uint32_t	n_inner;
	uint32_t	n_twigs;
	uint32_t	n_later_twigs;
	uint32_t	n_leaves;
	size_t		first_inner;
	size_t		first_twig;
	size_t		first_later_twig;
	size_t		first_leaf;
	size_t		first_points;
} MpShapTree;

struct MpShap
{
	MpAlloc    *alloc;
	const MpForest *forest;
	struct MpShapWide *wide;	/* of a double forest, which needs nothing of what follows */
	MpVec		trees;			/* MpShapTree, output after output */
	MpVec		inner;			/* MpShapInner */
	MpVec		twigs;			/* MpShapTwig */
	MpVec		later_twigs;	/* MpShapLaterTwig */
	MpVec		leaves;			/* float */
	MpVec		points;			/* MpShapPoints[n_vectors] each */
	MpVec		slots;			/* MpShapSlot */
	double	   *bias;			/* [n_outputs]: base and mean of all trees */
	MpShapLoose *weights[MP_SHAP_MAX_VECTORS + 1];	/* of the points, by n_vectors */

	/* scratch, all in one block: for one row */
	void	   *scratch;
	float	   *phi;			/* [slots][MP_SHAP_LANES] */
	float	   *row;			/* the same, for the sake of the index; the first lane counts */

	/* ... and for one tree */
	float	   *above;			/* [places][n_vectors][MP_SHAP_LANES]: P; then of splits P U */
	float	   *below;			/* the same: B */
	uint32_t   *chosen;			/* [inner]: the child where the row goes */
	uint32_t   *points_used;	/* [inner] */
	uint32_t   *went;			/* [2 + 2 * inner]: left, right: all bits, or none where the row
								 * does not go there or failed earlier conditions */

	struct MpShapPairs *pairs;	/* of shap_interactions.c, made at its first use */
	void		(*release_pairs) (struct MpShap *shap);	/* set with it */
};

/* The vector at a multiple of MP_SHAP_LANES floats from the start of scratch. */
static inline MpShapLanes *
mp_shap_at(float *scratch, size_t floats)
{
	return (MpShapLanes *) (scratch + floats);
}

static inline float
mp_shap_sum(MpShapLanes v)
{
	return (v[0] + v[2]) + (v[1] + v[3]);
}

#endif
