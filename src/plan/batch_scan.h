/*
 * batch_scan.h: the plan node that scores rows in batches. Include after
 * postgres.h.
 */
#ifndef MP_BATCH_SCAN_H
#define MP_BATCH_SCAN_H

#include "nodes/plannodes.h"

#include "plan/calls.h"
#include "plan/reach.h"

typedef enum MpBatchSetting
{
	MP_BATCH_AUTO,				/* where there are enough rows */
	MP_BATCH_OFF,
	MP_BATCH_ALWAYS				/* however few they are: for tests */
} MpBatchSetting;

extern int	mp_batch_setting;	/* MpBatchSetting */
extern void mp_batch_scan_init(void);

/*
 * A node over `child`, whose rows are the child's columns, then an answer to each
 * of the calls, then whether there are answers. A row without answers has all of
 * the child's columns, others just those in `kept`, numbers from 1.
 *
 * The calls and guards are over the child's columns as OUTER_VAR; so is the
 * node's target list, which the caller sets, over INDEX_VAR.
 */
typedef struct MpBatchSpec
{
	Plan	   *child;
	const MpCalls *calls;
	Bitmapset  *kept;
	MpReach		reach;
	/*
	 * Instead of the target list and the conditions that the node has, in which
	 * calls are made: for rows with answers. NIL: the node's do for both.
	 */
	List	   *target;
	List	   *conditions;
} MpBatchSpec;

extern CustomScan *mp_batch_scan_make(const MpBatchSpec *spec);
extern bool mp_batch_scan_is(const Plan *plan);

#endif
