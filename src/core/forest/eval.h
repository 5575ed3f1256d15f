/*
 * eval.h: the plain evaluator, the reference that every faster one must match
 * bit for bit.
 *
 * x is one row: float[n_features] (double for a double forest, prepared by
 * mp_forest_prepare), NaN where missing, category codes for categorical
 * features. Sums are taken in the forest's precision, base first, then tree
 * after tree, as the libraries do.
 */
#ifndef MP_CORE_EVAL_H
#define MP_CORE_EVAL_H

#include "core/forest/forest.h"

/* margin[n_outputs] */
extern void mp_eval_margin(const MpForest *forest, const float *x, float *margin);
extern void mp_eval_margin_double(const MpForest *forest, const double *x, double *margin);

/* leaf[n_trees_used]: the library's node numbers; not for gblinear */
extern void mp_eval_leaf(const MpForest *forest, const float *x, int32_t *leaf);
extern void mp_eval_leaf_double(const MpForest *forest, const double *x, int32_t *leaf);

/* Where a split sends the value of its feature. */
extern bool mp_node_goes_left(const MpForest *forest, const MpNode *node, float x);
extern bool mp_node_goes_left_double(const MpForest *forest, const MpTree *tree, int32_t node,
									 double x);

/* The leaf that x reaches in a tree, by its place among the tree's nodes. */
extern int32_t mp_tree_leaf(const MpForest *forest, const MpTree *tree, const float *x);
extern int32_t mp_tree_leaf_double(const MpForest *forest, const MpTree *tree, const double *x);

/* What the leaf at that place adds to output `k`, before the tree's weight, in a double forest. */
extern double mp_leaf_value_double(const MpForest *forest, const MpTree *tree, int32_t leaf, int k,
								   const double *x);

#endif
