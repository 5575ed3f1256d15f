/*
 * objective.h: what each objective of XGBoost means once margins are known.
 *
 * Links are computed in float32 with the operations, and in the order, of
 * XGBoost's own PredTransform, so the bits agree.
 */
#ifndef MP_CORE_OBJECTIVE_H
#define MP_CORE_OBJECTIVE_H

#include "core/forest/forest.h"

/* What kind of answer a model gives: decides which SQL functions fit it. */
typedef enum MpTask
{
	MP_TASK_VALUE,				/* a number: regression, survival, counts, ranking */
	MP_TASK_VALUES,				/* several numbers: targets, quantiles, labels */
	MP_TASK_TWO_CLASSES,		/* prediction is the probability of the second class */
	MP_TASK_TWO_CLASSES_RAW,	/* prediction is the margin: binary:logitraw */
	MP_TASK_HINGE,				/* prediction is 0 or 1, no probability */
	MP_TASK_CLASS,				/* prediction is the index of the class: multi:softmax */
	MP_TASK_CLASSES				/* prediction is a probability each: multi:softprob */
} MpTask;

/* -1: no such objective */
extern int	mp_objective_find(MpString name);
extern const char *mp_objective_name(MpObjective objective);

/*
 * Base scores as a file has them, one for each output (a single one repeated
 * first) -> margins, in place, as the XGBoost of that version converts them;
 * false where it refuses them. version: major, minor, patch.
 */
extern bool mp_objective_base_margin(MpObjective objective, const int32_t *version,
									 float *scores, int n_scores, MpError *error);

/* classes are given for a reg:logistic model: pass has_classes */
extern MpTask mp_forest_task(const MpForest *forest, bool has_classes);

/* Numbers in Booster.predict's answer for one row: 1 for multi:softmax, else n_outputs. */
extern int	mp_forest_n_predictions(const MpForest *forest);

/* margin[n_outputs] -> prediction[n_predictions]; may be the same array */
extern void mp_predict_from_margin(const MpForest *forest, const float *margin, float *prediction);

extern float mp_sigmoid(float x);
extern void mp_softmax(float *x, int n);

#endif
