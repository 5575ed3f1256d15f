/*
 * batch_scan.h: the plan node that scores rows in batches. Include after
 * postgres.h.
 */
#ifndef MP_BATCH_SCAN_H
#define MP_BATCH_SCAN_H

#include "nodes/plannodes.h"

#include "score/score.h"

typedef enum MpBatchSetting
{
	MP_BATCH_AUTO,				/* where the plan expects enough rows */
	MP_BATCH_OFF,
	MP_BATCH_ALWAYS				/* however few they are: for tests */
} MpBatchSetting;

/* in batch_plan.c */
extern int	mp_batch_setting;	/* MpBatchSetting */
extern void mp_batch_plan_init(void);

/* in batch_scan.c */
extern void mp_batch_scan_init(void);

/*
 * A node over `child` whose rows are the child's, followed by what `calls` give:
 * calls of scoring functions over the child's columns (OUTER_VAR), the model and
 * what else stands before the row being constants. Of the child's columns just
 * those in `kept`, numbers from 1, are there; the others are null. The caller sets
 * costs, parameters, and a target list and conditions over INDEX_VAR.
 */
extern CustomScan *mp_batch_scan_make(Plan *child, List *calls, Bitmapset *kept);

#endif
