/*
 * reach.h: how far a node of a plan may read ahead. Include after postgres.h.
 */
#ifndef MP_REACH_H
#define MP_REACH_H

#include "nodes/plannodes.h"

/* Once the node was asked for a second row, it is asked for all, whatever is asked of the statement. */
#define MP_REACH_ALL 1
/* The same, where the statement runs to its end. */
#define MP_REACH_TO_END 2
/* Each row of the statement's result takes one of the node's rows, or more. */
#define MP_REACH_BY_ROW 4

/*
 * What is sure of the rows that a node will be asked for. `limits`, of Limit
 * nodes: no more is sure than what each of them lets through.
 */
typedef struct MpReach
{
	int			sure;			/* MP_REACH_..., 0: nothing, not even a second row */
	List	   *limits;			/* of lists: count, offset; NULL: none */
} MpReach;

/* Of the plan of a statement. */
extern MpReach mp_reach_of_statement(void);

/* Of the plans that the node reads, of its outer and of its inner one. */
extern MpReach mp_reach_outer(const Plan *plan, MpReach above);
extern MpReach mp_reach_inner(const Plan *plan, MpReach above);

/* Of the plan of a subquery that an expression refers to. */
extern MpReach mp_reach_subplan(const SubPlan *subplan);

/* Of a plan that several nodes read, each as far as its own reach says. */
extern MpReach mp_reach_common(MpReach a, MpReach b);

#endif
