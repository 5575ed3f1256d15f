/*
 * shap.h: exact tree SHAP: what each feature adds to a row's margin.
 *
 * Contributions follow XGBoost's pred_contribs (path-dependent tree SHAP,
 * Lundberg, Erion & Lee 2018) and are on the margin scale; those of one output
 * sum to its margin.
 */
#ifndef MP_CORE_SHAP_H
#define MP_CORE_SHAP_H

#include "forest.h"

typedef struct MpShap MpShap;

/* Prepares a checked forest: mean value of every node, paths, scratch. The forest must outlive it. */
extern MpShap *mp_shap_open(MpAlloc *alloc, const MpForest *forest, MpError *error);

/* contribs[n_outputs][n_features + 1], bias last; calls alloc->poll per tree */
extern void mp_shap_contribs(MpShap *shap, const float *x, float *contribs);

/* interactions[n_outputs][n_features + 1][n_features + 1] */
extern bool mp_shap_interactions(MpShap *shap, const float *x, float *interactions, MpError *error);

#endif
