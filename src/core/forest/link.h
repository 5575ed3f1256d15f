/*
 * link.h: from margins to predictions, and what they answer.
 *
 * Links of single forests are computed in float32 with the operations, and in
 * the order, of XGBoost's own PredTransform, so the bits agree; those of double
 * forests in double.
 */
#ifndef MP_CORE_LINK_H
#define MP_CORE_LINK_H

#include "core/forest/forest.h"

#define MP_XGBOOST_EPSILON 1e-6f	/* XGBoost's kRtEps */

/* classes are given for a model of probabilities that are not said to be of classes */
extern MpTask mp_forest_task(const MpForest *forest, bool has_classes);

/* What tables call it: "value", "two_classes", ...; mp_task_find: false where it is none. */
extern const char *mp_task_word(MpTask task);
extern bool mp_task_find(MpString word, MpTask *task);

/* Numbers that a row's prediction has: 1 for MP_LINK_ARGMAX, else n_outputs. */
extern int	mp_forest_n_predictions(const MpForest *forest);

/* margin[n_outputs] -> prediction[n_predictions]; may be the same array */
extern void mp_predict_from_margin(const MpForest *forest, const float *margin, float *prediction);
extern void mp_predict_from_margin_double(const MpForest *forest, const double *margin,
										  double *prediction);

extern float mp_sigmoid(float x);
extern void mp_softmax(float *x, int n);
extern double mp_sigmoid_double(double x);
extern void mp_softmax_double(double *x, int n);

#endif
