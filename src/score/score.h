/*
 * score.h: from the features of a row to answers. Include after postgres.h.
 */
#ifndef MP_SCORE_H
#define MP_SCORE_H

#include "row/row.h"

extern void mp_score_margin(MpRow *row);	/* x -> margin */

/* The rest starts from row->margin; each errors where the objective gives no such answer. */
extern float mp_score_value(MpRow *row);	/* the one number of Booster.predict */
extern int	mp_score_class(MpRow *row);	/* index of the answer */
extern int	mp_score_probabilities(MpRow *row); /* prediction[n]; returns n */
extern int	mp_score_find_class(const MpModel *model, text *label);
extern char *mp_score_label(const MpModel *model, int class);
extern int	mp_task_n_classes(MpTask task, const MpForest *forest);	/* 0: not classes */

/* Sums the margin of a row in place of the kernel; NULL: none does. */
typedef void (*MpMarginFunction) (MpRow *row);
extern MpMarginFunction mp_score_other_engine;

/* in predict.c: the answer for row->margin; `fcinfo` has the arguments before the row */
typedef Datum (*MpAnswerFunction) (MpRow *row, FunctionCallInfo fcinfo);

/* A function of SQL whose answers need nothing of a row but its margins. */
typedef struct MpScorer
{
	PGFunction	function;
	int			first;			/* argument where the row starts */
	MpAnswerFunction	answer;
} MpScorer;

extern const MpScorer *mp_scorer_of(PGFunction function);	/* NULL: none of them */

#endif
