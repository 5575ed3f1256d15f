/*
 * tree.c: the parts of a plan's node. PostgreSQL's planner has such a walk, but
 * keeps it to itself.
 */
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"

#include "glue/compat.h"
#include "plan/tree.h"

static List *
with_join(const Join *join, List *expressions)
{
	return lappend(expressions, join->joinqual);
}

static List *
with_scan(const Plan *plan, List *expressions)
{
	ListCell   *cell;

	switch (nodeTag(plan))
	{
		case T_SampleScan:
			return lappend(expressions, ((const SampleScan *) plan)->tablesample);
		case T_IndexScan:
			expressions = lappend(expressions, ((const IndexScan *) plan)->indexqual);
			return lappend(expressions, ((const IndexScan *) plan)->indexorderby);
		case T_IndexOnlyScan:
			expressions = lappend(expressions, ((const IndexOnlyScan *) plan)->indexqual);
			return lappend(expressions, ((const IndexOnlyScan *) plan)->indexorderby);
		case T_BitmapIndexScan:
			return lappend(expressions, ((const BitmapIndexScan *) plan)->indexqual);
		case T_BitmapHeapScan:
			return lappend(expressions, ((const BitmapHeapScan *) plan)->bitmapqualorig);
		case T_TidScan:
			return lappend(expressions, ((const TidScan *) plan)->tidquals);
		case T_TidRangeScan:
			return lappend(expressions, ((const TidRangeScan *) plan)->tidrangequals);
		case T_FunctionScan:
			foreach(cell, ((const FunctionScan *) plan)->functions)
				expressions = lappend(expressions, lfirst_node(RangeTblFunction, cell)->funcexpr);
			return expressions;
		case T_TableFuncScan:
			return lappend(expressions, ((const TableFuncScan *) plan)->tablefunc);
		case T_ValuesScan:
			return list_concat(expressions, ((const ValuesScan *) plan)->values_lists);
		case T_ForeignScan:
			expressions = lappend(expressions, ((const ForeignScan *) plan)->fdw_exprs);
			return lappend(expressions, ((const ForeignScan *) plan)->fdw_recheck_quals);
		case T_CustomScan:
			return lappend(expressions, ((const CustomScan *) plan)->custom_exprs);
		default:
			return expressions;
	}
}

static List *
with_changes(const ModifyTable *modify, List *expressions)
{
	expressions = lappend(expressions, modify->withCheckOptionLists);
	expressions = lappend(expressions, modify->returningLists);
	expressions = lappend(expressions, modify->onConflictSet);
	expressions = lappend(expressions, modify->onConflictWhere);
	return lappend(expressions, mp_merge_actions(modify));
}

List *
mp_plan_expressions(const Plan *plan, bool *complete)
{
	List	   *expressions = list_make2(plan->targetlist, plan->qual);

	*complete = true;
	switch (nodeTag(plan))
	{
		case T_Result:
			return lappend(expressions, ((const Result *) plan)->resconstantqual);
		case T_ModifyTable:
			return with_changes((const ModifyTable *) plan, expressions);
		case T_Limit:
			expressions = lappend(expressions, ((const Limit *) plan)->limitOffset);
			return lappend(expressions, ((const Limit *) plan)->limitCount);
		case T_WindowAgg:
			expressions = lappend(expressions, ((const WindowAgg *) plan)->startOffset);
			return lappend(expressions, ((const WindowAgg *) plan)->endOffset);
		case T_HashJoin:
			expressions = lappend(expressions, ((const HashJoin *) plan)->hashclauses);
			return with_join((const Join *) plan, expressions);
		case T_MergeJoin:
			expressions = lappend(expressions, ((const MergeJoin *) plan)->mergeclauses);
			return with_join((const Join *) plan, expressions);
		case T_NestLoop:
			return with_join((const Join *) plan, expressions);
		case T_ProjectSet:
		case T_Append:
		case T_MergeAppend:
		case T_RecursiveUnion:
		case T_BitmapAnd:
		case T_BitmapOr:
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapIndexScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_SubqueryScan:
		case T_FunctionScan:
		case T_TableFuncScan:
		case T_ValuesScan:
		case T_CteScan:
		case T_NamedTuplestoreScan:
		case T_WorkTableScan:
		case T_ForeignScan:
			return with_scan(plan, expressions);
		case T_Material:
		case T_Memoize:
		case T_Sort:
		case T_IncrementalSort:
		case T_Group:
		case T_Agg:
		case T_Unique:
		case T_SetOp:
		case T_LockRows:
		case T_Hash:
		case T_Gather:
		case T_GatherMerge:
			return expressions;
		default:
			*complete = false;
			return with_scan(plan, expressions);
	}
}

List *
mp_plan_members(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Append:
			return ((const Append *) plan)->appendplans;
		case T_MergeAppend:
			return ((const MergeAppend *) plan)->mergeplans;
		case T_BitmapAnd:
			return ((const BitmapAnd *) plan)->bitmapplans;
		case T_BitmapOr:
			return ((const BitmapOr *) plan)->bitmapplans;
		case T_CustomScan:
			return ((const CustomScan *) plan)->custom_plans;
		case T_SubqueryScan:
			return list_make1(((const SubqueryScan *) plan)->subplan);
		default:
			return NIL;
	}
}

static Bitmapset *
with_columns(Bitmapset *numbers, int n, const AttrNumber *columns)
{
	for (int i = 0; i < n; i++)
		numbers = bms_add_member(numbers, columns[i]);
	return numbers;
}

void
mp_plan_input_columns(const Plan *plan, Bitmapset **numbers)
{
	if (IsA(plan, Agg))
	{
		const Agg  *agg = (const Agg *) plan;
		ListCell   *cell;

		*numbers = with_columns(*numbers, agg->numCols, agg->grpColIdx);
		foreach(cell, agg->chain)
			mp_plan_input_columns(lfirst(cell), numbers);
	}
	else if (IsA(plan, WindowAgg))
	{
		const WindowAgg *window = (const WindowAgg *) plan;

		*numbers = with_columns(*numbers, window->partNumCols, window->partColIdx);
		*numbers = with_columns(*numbers, window->ordNumCols, window->ordColIdx);
	}
}
