/*
 * shap_wide.h: tree SHAP of double forests, in double.
 */
#ifndef MP_CORE_SHAP_WIDE_H
#define MP_CORE_SHAP_WIDE_H

#include "core/forest/forest.h"

typedef struct MpShapWide MpShapWide;

/* Prepares a checked double forest, which must outlive it. */
extern MpShapWide *mp_shap_wide_open(MpAlloc *alloc, const MpForest *forest, MpError *error);
extern void mp_shap_wide_close(MpShapWide *shap);

/* contribs[n_features + 1] of one output, bias last; x as mp_forest_prepare leaves it */
extern void mp_shap_wide_contribs(MpShapWide *shap, const double *x, int output, double *contribs);

/* The bias of an output, which is the same for every row. */
extern double mp_shap_wide_bias(const MpShapWide *shap, int output);

#endif
