/*
 * lightgbm_tree.h: one tree of a LightGBM file.
 */
#ifndef MP_CORE_LIGHTGBM_TREE_H
#define MP_CORE_LIGHTGBM_TREE_H

#include "core/draft/draft.h"
#include "core/lightgbm/lines.h"

/* The arrays of one tree, as the file has them; kept from tree to tree for their room. */
typedef struct MpLightgbmTree
{
	MpVec		split_feature;	/* int32_t, one per split */
	MpVec		split_gain;		/* float */
	MpVec		threshold;		/* double; of a split by category, the number of its set */
	MpVec		decision_type;	/* int32_t */
	MpVec		left_child;		/* int32_t; ~c: leaf c */
	MpVec		right_child;
	MpVec		internal_count; /* double */
	MpVec		leaf_value;		/* double, one per leaf */
	MpVec		leaf_count;		/* double */
	MpVec		cat_boundaries; /* int32_t, num_cat + 1 */
	MpVec		cat_threshold;	/* uint32_t: bits */
	MpVec		leaf_const;		/* double: linear leaves */
	MpVec		num_features;	/* int32_t */
	MpVec		leaf_features;	/* int32_t */
	MpVec		leaf_coeff;		/* double */
	/* scratch */
	MpVec		parents;		/* int32_t: how often a split, then a leaf, is a child */
	MpVec		stack;			/* int32_t */
	MpVec		codes;			/* int32_t */
	int64_t		num_leaves;
	int64_t		num_cat;
	int64_t		is_linear;
	bool		has_largest;	/* some threshold of the model is DBL_MAX */
	uint64_t	seen;			/* bit i: field i of the table */
	size_t		offset;			/* of the tree in the file */
} MpLightgbmTree;

extern void mp_lightgbm_tree_init(MpLightgbmTree *tree, MpAlloc *alloc);
extern void mp_lightgbm_tree_release(MpLightgbmTree *tree);

/*
 * Reads the lines behind "Tree=" up to an empty one, checks them and appends
 * the tree, which adds to that output.
 */
extern bool mp_lightgbm_tree_read(MpLightgbmTree *tree, MpLines *lines, MpDraft *draft,
								  int32_t output);

#endif
