/*
 * reach.c: how far a node of a plan may read ahead, by what lies above it.
 *
 * A node that reads rows ahead may meet an error, take a lock or call a function
 * that would not have been met, taken or called if it had read them one by one:
 * a LIMIT, a merge join whose other side has ended, a cursor may never ask for
 * them. So it reads ahead only what is sure to be asked for. This follows from
 * the executor's code:
 *
 *     Sort, Hash, plain and hashed aggregates read all their input before they
 *     give their first row. Aggregates over sorted input do not.
 *
 *     A hash join may fetch one outer row, find its inner side empty and stop.
 *     From the second one on it reads all. (Hence "a second row" in reach.h.)
 *
 *     A merge join stops when either side ends, unless rows without a partner
 *     are part of the result.
 *
 *     The inner side of a nested loop is read to its end for each outer row,
 *     unless one partner is enough.
 *
 * Nodes that are not listed read what they like.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"

#include "glue/compat.h"
#include "plan/reach.h"

static const MpReach nothing = {0, NIL};
static const MpReach everything = {MP_REACH_ALL | MP_REACH_TO_END | MP_REACH_BY_ROW, NIL};

MpReach
mp_reach_of_statement(void)
{
	return (MpReach){MP_REACH_TO_END | MP_REACH_BY_ROW, NIL};
}

/* Below a node that reads as many rows as it likes for one of its own, but all in the end. */
static MpReach
to_end(MpReach above)
{
	if (above.limits != NIL)
		return nothing;
	above.sure &= MP_REACH_ALL | MP_REACH_TO_END;
	return above;
}

/* Below a node that may still have rows when the next ones are asked for. */
static MpReach
buffered(MpReach above)
{
	above.sure &= ~MP_REACH_BY_ROW;
	return above;
}

/* Whether a limit's value is known when the executor starts. */
static bool
is_known(Node *value)
{
	while (value != NULL && IsA(value, FuncExpr) && list_length(((FuncExpr *) value)->args) == 1 &&
		   !contain_volatile_functions(value))
		value = linitial(((FuncExpr *) value)->args);
	return value == NULL || IsA(value, Const) ||
		(IsA(value, Param) && ((Param *) value)->paramkind == PARAM_EXTERN);
}

static MpReach
below_limit(const Limit *limit, MpReach above)
{
	if (limit->limitCount == NULL)
		return above;
	if (!is_known(limit->limitCount) || !is_known(limit->limitOffset))
		return nothing;
	above.limits = lappend(list_copy(above.limits),
						   list_make2(limit->limitCount, limit->limitOffset));
	return above;
}

/* Whether a join gives at most one row for an outer one. */
static bool
takes_outer_rows(const Join *join)
{
	return join->inner_unique || join->jointype == JOIN_SEMI || join->jointype == JOIN_ANTI;
}

static MpReach
outer_of_merge(const Join *join, MpReach above)
{
	bool		fills = join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL;

	return fills ? to_end(above) : nothing;
}

MpReach
mp_reach_outer(const Plan *plan, MpReach above)
{
	switch (nodeTag(plan))
	{
		case T_Sort:
		case T_Hash:
			return everything;
		case T_Agg:
			{
				const Agg  *agg = (const Agg *) plan;
				bool		one_pass = agg->groupingSets == NIL && agg->chain == NIL;

				if (one_pass && (agg->aggstrategy == AGG_PLAIN || agg->aggstrategy == AGG_HASHED))
					return everything;
				return above;
			}
		case T_SetOp:
			if (((const SetOp *) plan)->strategy == SETOP_HASHED)
				return everything;
			return innerPlan(plan) != NULL ? nothing : above;
		case T_ModifyTable:
			return ((const ModifyTable *) plan)->returningLists == NIL ? everything : above;
		case T_WindowAgg:
			return mp_window_may_stop((const WindowAgg *) plan) ? nothing : buffered(above);
		case T_IncrementalSort:
			return buffered(above);
		case T_Append:
			return list_length(((const Append *) plan)->appendplans) > 1 ? to_end(above) : above;
		case T_Limit:
			return below_limit((const Limit *) plan, above);
		case T_NestLoop:
		case T_HashJoin:
			return takes_outer_rows((const Join *) plan) ? above : to_end(above);
		case T_MergeJoin:
			return outer_of_merge((const Join *) plan, above);
		case T_Gather:
		case T_GatherMerge:
		case T_RecursiveUnion:
		case T_MergeAppend:
			return to_end(above);
		case T_Result:
		case T_Group:
		case T_Unique:
		case T_LockRows:
		case T_Material:
		case T_SubqueryScan:
			return above;
		case T_ProjectSet:
			return to_end(above);
		default:
			return nothing;
	}
}

MpReach
mp_reach_inner(const Plan *plan, MpReach above)
{
	const Join *join = (const Join *) plan;

	switch (nodeTag(plan))
	{
		case T_HashJoin:
			return everything;	/* its Hash, which reads all when it is built */
		case T_NestLoop:
			if (join->inner_unique || (join->jointype != JOIN_INNER && join->jointype != JOIN_LEFT))
				return nothing;
			return to_end(above);
		case T_SetOp:
			return ((const SetOp *) plan)->strategy == SETOP_HASHED ? everything : nothing;
		case T_RecursiveUnion:
			return to_end(above);
		default:
			return nothing;		/* a merge join marks places in it, too */
	}
}

MpReach
mp_reach_subplan(const SubPlan *subplan)
{
	switch (subplan->subLinkType)
	{
		case ARRAY_SUBLINK:
			return everything;
		case ANY_SUBLINK:
			return subplan->useHashTable ? everything : nothing;
		default:
			return nothing;
	}
}

MpReach
mp_reach_common(MpReach a, MpReach b)
{
	if (a.limits != NIL || b.limits != NIL)
		return nothing;
	a.sure &= b.sure;
	a.sure &= MP_REACH_ALL | MP_REACH_TO_END;
	return a;
}
