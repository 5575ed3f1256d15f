/*
 * calls.h: calls of scoring functions in a plan's expressions. Include after
 * postgres.h.
 */
#ifndef MP_CALLS_H
#define MP_CALLS_H

#include "nodes/primnodes.h"

#include "score/score.h"

/* Whether this is a call whose answers can be had ahead. */
extern bool mp_call_can_batch(const FuncExpr *expr);

/*
 * Calls that can be scored for each row of a node's input. A guard is a
 * condition, true for every row for which the call is made and maybe for others;
 * NULL: the call is made for every row. Guards, and arguments of calls that have
 * one, cannot fail.
 */
typedef struct MpCalls
{
	List	   *calls;			/* FuncExprs, none twice */
	List	   *guards;			/* of each */
} MpCalls;

extern void mp_calls_find(Node *expression, MpCalls *calls);

/* The same in arguments of aggregates, window functions and functions that return sets. */
extern void mp_calls_find_in_arguments(Node *expression, MpCalls *calls);

/* Whether evaluating it can fail for some row. */
extern bool mp_expression_may_fail(Node *expression);

/* The number of an equal node in the list, from 0, or -1. */
extern int	mp_list_index(const List *list, const Node *node);

#endif
