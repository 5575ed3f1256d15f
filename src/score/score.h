/*
 * score.h: from a row in booster->x to answers. Include after postgres.h.
 */
#ifndef MP_SCORE_H
#define MP_SCORE_H

#include "glue/model_predict.h"

extern void mp_score_margin(MpBooster *booster);	/* x -> margin */

/* The rest starts from booster->margin; each errors where the objective gives no such answer. */
extern float mp_score_value(MpBooster *booster);	/* the one number of Booster.predict */
extern int	mp_score_class(MpBooster *booster);	/* index of the answer */
extern int	mp_score_probabilities(MpBooster *booster); /* prediction[n]; returns n */
extern int	mp_score_find_class(const MpBooster *booster, text *label);
extern char *mp_score_label(const MpBooster *booster, int class);
extern int	mp_task_n_classes(MpTask task, const MpForest *forest);	/* 0: not classes */


/* in predict.c: the answer for booster->margin; `fcinfo` has the arguments before the row */
typedef Datum (*MpAnswerFunction) (MpBooster *booster, FunctionCallInfo fcinfo);

/* A function of SQL whose answers need nothing of a row but its margins. */
typedef struct MpScorer
{
	PGFunction	function;
	int			first;			/* argument where the row starts */
	MpAnswerFunction	answer;
} MpScorer;

extern const MpScorer *mp_scorer_of(PGFunction function);	/* NULL: none of them */

#endif
