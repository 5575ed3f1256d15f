/*
 * eval.h: the plain evaluator, the reference that every faster one must match
 * bit for bit.
 *
 * x is one row: float[n_features], NaN where missing, category codes for
 * categorical features. Sums are taken in float32, base first, then tree after
 * tree, as XGBoost does.
 */
#ifndef MP_CORE_EVAL_H
#define MP_CORE_EVAL_H

#include "core/forest/forest.h"

/* margin[n_outputs] */
extern void mp_eval_margin(const MpForest *forest, const float *x, float *margin);

/* leaf[n_trees_used]: XGBoost's node numbers; not for gblinear */
extern void mp_eval_leaf(const MpForest *forest, const float *x, int32_t *leaf);

/* Where a split sends the value of its feature. */
extern bool mp_node_goes_left(const MpForest *forest, const MpNode *node, float x);

/* The leaf that x reaches in a tree. */
extern int32_t mp_tree_leaf(const MpForest *forest, const MpTree *tree, const float *x);

#endif
