/*
 * shap.h: exact tree SHAP: what each feature adds to a row's margin.
 *
 * Contributions follow XGBoost's pred_contribs (path-dependent tree SHAP,
 * Lundberg, Erion & Lee 2018) and are on the margin scale; those of one output
 * sum to its margin. They honour n_trees_used and the weights of dart. A
 * linear model's are weight x value, 0 where missing.
 *
 * Memory of an MpShap: 32 bytes per split, and for a split on a feature that
 * its path has split before 32 more, times the path's distinct features / 8.
 * For vector leaves that for each output. Scratch: 44 bytes per split of the
 * largest tree (times the same), 64 per feature. Nothing is allocated per row
 * but one row of contributions for interactions.
 */
#ifndef MP_CORE_SHAP_H
#define MP_CORE_SHAP_H

#include "core/forest/forest.h"

typedef struct MpShap MpShap;

/*
 * Prepares a checked forest; it must outlive the MpShap. Fails with
 * MP_ERROR_UNSUPPORTED where the file holds no covers (vector leaves before
 * XGBoost 3), and where leaves are linear.
 */
extern MpShap *mp_shap_open(MpAlloc *alloc, const MpForest *forest, MpError *error);

/* For callers that do not drop the allocator's memory as a whole. */
extern void mp_shap_close(MpShap *shap);

/* contribs[n_outputs][n_features + 1], bias last; calls alloc->poll per tree */
extern void mp_shap_contribs(MpShap *shap, const float *x, float *contribs);

/* The same of one output: contribs[n_features + 1]. */
extern void mp_shap_contribs_of(MpShap *shap, const float *x, int output, float *contribs);

/* The same of a double forest: x as mp_forest_prepare leaves it. */
extern void mp_shap_contribs_wide(MpShap *shap, const double *x, double *contribs);
extern void mp_shap_contribs_of_wide(MpShap *shap, const double *x, int output, double *contribs);

/* The bias of an output, which is the same for every row. */
extern double mp_shap_bias(const MpShap *shap, int output);

/*
 * For shap_interactions.c: load a row; then for each output begin, walk its
 * trees, end. With `keep`, the vectors P U of the tree's splits are left in
 * `above` (shap_tree.h).
 */
struct MpShapTree;

extern void mp_shap_load_row(MpShap *shap, const float *x);
extern void mp_shap_begin_output(MpShap *shap);
extern void mp_shap_walk(MpShap *shap, const struct MpShapTree *tree, bool keep);
extern void mp_shap_end_output(const MpShap *shap, int output, float *contribs);

#endif
