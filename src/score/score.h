/*
 * score.h: from the features of a row to answers. Include after postgres.h.
 */
#ifndef MP_SCORE_H
#define MP_SCORE_H

#include "row/row.h"

extern void mp_score_margin(MpRow *row);	/* x -> margin */

/* The rest starts from row->margin; each errors where the objective gives no such answer. */
extern double mp_score_value(MpRow *row);	/* the one number of Booster.predict */
extern int	mp_score_class(MpRow *row);	/* index of the answer */
extern int	mp_score_probabilities(MpRow *row); /* answer[n]; returns n */
extern int	mp_score_all(MpRow *row);	/* the same: what Booster.predict gives */
extern void mp_score_check_probabilities(const MpModel *model);	/* errors where it gives none */
extern int	mp_score_find_class(const MpModel *model, text *label);
extern char *mp_score_label(const MpModel *model, int class);
extern int	mp_task_n_classes(MpTask task, const MpForest *forest);	/* 0: not classes */

/* Sums the margin of a row into row->narrow in place of the kernel; NULL: none does. */
typedef void (*MpMarginFunction) (MpRow *row);
extern MpMarginFunction mp_score_other_engine;

#endif
