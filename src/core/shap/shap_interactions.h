/*
 * shap_interactions.h: how pairs of features share in a row's margin.
 */
#ifndef MP_CORE_SHAP_INTERACTIONS_H
#define MP_CORE_SHAP_INTERACTIONS_H

#include "core/shap/shap.h"

/*
 * interactions[n_outputs][n_features + 1][n_features + 1]: symmetric, each row
 * sums to that feature's contribution; the bias stands in the last corner. A
 * linear model has them on the diagonal only. Fails for want of memory only.
 */
extern bool mp_shap_interactions(MpShap *shap, const float *x, float *interactions, MpError *error);

#endif
