/*
 * tree.h: the arrays of one tree, as XGBoost's files have them.
 */
#ifndef MP_CORE_XGBOOST_TREE_H
#define MP_CORE_XGBOOST_TREE_H

#include "core/xgboost/file.h"

/*
 * The arrays of one tree, as documents hold them. mp_xgboost_tree_add checks them and
 * appends the tree; gain and cover were appended to the draft already.
 */
typedef struct MpTreeParts
{
	MpVec		left;			/* int32_t, like the next three */
	MpVec		right;
	MpVec		parent;
	MpVec		feature;
	MpVec		condition;		/* float */
	MpVec		default_left;	/* uint8_t */
	MpVec		split_type;		/* uint8_t; empty: all numeric */
	MpVec		node_vectors;	/* float: base_weights, where they are the leaves */
	MpVec		leaf_vectors;	/* float: leaf_weights */
	MpVec		categories;		/* int32_t */
	MpVec		cat_nodes;		/* int32_t */
	MpVec		cat_starts;		/* int64_t */
	MpVec		cat_sizes;		/* int64_t */
	MpVec	   *gain;			/* of the draft; the document's reader fills them */
	MpVec	   *cover;
	int64_t		num_nodes;
	int64_t		num_feature;
	int64_t		num_deleted;	/* -1: not said */
	int64_t		leaf_size;
	int64_t		id;				/* -1: not said */
	bool		has_split_type;
	bool		has_leaf_vectors;
	bool		has_gain;
	bool		has_cover;
	size_t		offset;			/* of the tree in the file */
	size_t		weights_pos;	/* of the value of base_weights; 0: not there */
} MpTreeParts;

extern void mp_xgboost_tree_parts_init(MpTreeParts *parts, MpAlloc *alloc);
extern void mp_xgboost_tree_parts_clear(MpTreeParts *parts);	/* for the next tree */
extern void mp_xgboost_tree_parts_release(MpTreeParts *parts);
extern bool mp_xgboost_tree_add(MpXgboostFile *file, MpTreeParts *parts);

#endif
