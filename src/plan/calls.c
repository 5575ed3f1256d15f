/*
 * calls.c: finds calls of scoring functions in a plan's expressions.
 *
 * What counts is which calls are made for every row: only those are scored
 * ahead, so that no row is scored, and no argument evaluated, in vain.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

#include "plan/calls.h"
#include "plan/planner.h"

int
mp_list_index(const List *list, const Node *node)
{
	ListCell   *cell;

	foreach(cell, list)
		if (equal(lfirst(cell), node))
			return foreach_current_index(cell);
	return -1;
}

/* Whether the value is the same for all rows of a statement. */
static bool
is_constant(const Node *node)
{
	while (IsA(node, RelabelType))
		node = (const Node *) ((const RelabelType *) node)->arg;
	if (IsA(node, Param))
		return ((const Param *) node)->paramkind == PARAM_EXTERN;
	return IsA(node, Const);
}

/* What has a value only where it stands. */
static bool
depends_on_place(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_CaseTestExpr:
		case T_CoerceToDomainValue:
		case T_SubPlan:
		case T_AlternativeSubPlan:
		case T_CurrentOfExpr:
		case T_NextValueExpr:
			return true;
		default:
			return expression_tree_walker(node, depends_on_place, context);
	}
}

bool
mp_call_can_batch(const FuncExpr *expr)
{
	const MpAnswer *answer;

	if (expr->funcretset || list_length(expr->args) < 2 ||
		exprType(linitial(expr->args)) != TEXTOID)
		return false;
	answer = mp_planner_answer(expr->funcid);
	if (answer == NULL || list_length(expr->args) <= mp_answer_first(answer))
		return false;
	for (int i = 1; i < mp_answer_first(answer); i++)
		if (!is_constant(list_nth(expr->args, i)))
			return false;
	return !contain_volatile_functions((Node *) expr->args) &&
		!depends_on_place((Node *) expr->args, NULL);
}

/* What a walk over an expression knows. */
typedef struct Walk
{
	MpCalls    *calls;
	Node	   *guard;			/* of where it is; NULL: evaluated for every row */
} Walk;

static bool find_calls(Node *node, void *walk);

static void
add_call(FuncExpr *call, Walk *walk)
{
	MpCalls    *calls = walk->calls;
	int			i = mp_list_index(calls->calls, (Node *) call);

	if (walk->guard != NULL && mp_expression_may_fail((Node *) call->args))
		return;
	if (i < 0)
	{
		calls->calls = lappend(calls->calls, call);
		calls->guards = lappend(calls->guards, walk->guard);
	}
	else
	{
		ListCell   *cell = list_nth_cell(calls->guards, i);

		if (walk->guard == NULL)
			lfirst(cell) = NULL;
		else if (lfirst(cell) != NULL && !equal(lfirst(cell), walk->guard))
			lfirst(cell) = makeBoolExpr(OR_EXPR, list_make2(lfirst(cell), walk->guard), -1);
	}
}

static bool
is_guard(Node *condition)
{
	return !depends_on_place(condition, NULL) && !contain_volatile_functions(condition) &&
		!mp_expression_may_fail(condition);
}

/* What is only evaluated where the condition is true. */
static bool
find_behind(Node *node, Node *condition, Walk *walk)
{
	Walk		inner = {walk->calls, condition};

	/* one guard is enough */
	if (walk->guard != NULL)
		return find_calls(node, walk);
	return is_guard(condition) && find_calls(node, &inner);
}

static bool
find_in_first(List *list, void *walk)
{
	return list != NIL && find_calls(linitial(list), walk);
}

static bool
find_in_case(CaseExpr *expr, Walk *walk)
{
	CaseWhen   *first = linitial_node(CaseWhen, expr->args);
	CaseWhen   *last = llast_node(CaseWhen, expr->args);
	ListCell   *cell;

	if (expr->arg != NULL)
		return find_calls((Node *) expr->arg, walk);
	find_calls((Node *) first->expr, walk);
	foreach(cell, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, cell);

		find_behind((Node *) when->result, (Node *) when->expr, walk);
	}
	if (expr->defresult != NULL)
	{
		BooleanTest *otherwise = makeNode(BooleanTest);

		otherwise->arg = last->expr;
		otherwise->booltesttype = IS_NOT_TRUE;
		otherwise->location = -1;
		find_behind((Node *) expr->defresult, (Node *) otherwise, walk);
	}
	return false;
}

/* A walker that goes where evaluation always goes, or where a guard can tell. */
static bool
find_calls(Node *node, void *walk)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			if (mp_call_can_batch((FuncExpr *) node))
			{
				add_call((FuncExpr *) node, walk);
				return false;
			}
			break;
		case T_BoolExpr:
			/* of NOT it is the only one */
			return find_in_first(((BoolExpr *) node)->args, walk);
		case T_CaseExpr:
			return find_in_case((CaseExpr *) node, walk);
		case T_CoalesceExpr:
			return find_in_first(((CoalesceExpr *) node)->args, walk);
		case T_SubscriptingRef:
			/* of a null array no subscript is evaluated */
			return find_calls((Node *) ((SubscriptingRef *) node)->refexpr, walk);
		case T_RowCompareExpr:
			return find_in_first(((RowCompareExpr *) node)->largs, walk) ||
				find_in_first(((RowCompareExpr *) node)->rargs, walk);
		case T_ArrayCoerceExpr:
			return find_calls((Node *) ((ArrayCoerceExpr *) node)->arg, walk);
		case T_List:
		case T_TargetEntry:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_MinMaxExpr:
		case T_RelabelType:
		case T_CollateExpr:
		case T_CoerceViaIO:
		case T_CoerceToDomain:
		case T_ConvertRowtypeExpr:
		case T_FieldSelect:
		case T_NullTest:
		case T_BooleanTest:
		case T_ArrayExpr:
		case T_RowExpr:
			break;
		default:
			return false;
	}
	return expression_tree_walker(node, find_calls, walk);
}

void
mp_calls_find(Node *expression, MpCalls *calls)
{
	Walk		walk = {calls, NULL};

	find_calls(expression, &walk);
}

/* Arguments and filter of an aggregate; those of a window function may be evaluated for some rows only. */
static void
find_in_aggregate(List *args, Expr *filter, bool every_row, MpCalls *calls)
{
	/* a guard that says nothing, but asks for arguments that cannot fail */
	Walk		walk = {calls, every_row ? NULL : makeBoolConst(true, false)};

	find_calls((Node *) filter, &walk);
	if (filter == NULL)
		find_calls((Node *) args, &walk);
	else
		find_behind((Node *) args, (Node *) filter, &walk);
}

static bool
find_in_arguments(Node *node, void *calls)
{
	if (node == NULL)
		return false;
	if (IsA(node, Aggref))
	{
		find_in_aggregate(((Aggref *) node)->args, ((Aggref *) node)->aggfilter, true, calls);
		return false;
	}
	if (IsA(node, WindowFunc))
	{
		find_in_aggregate(((WindowFunc *) node)->args, ((WindowFunc *) node)->aggfilter, false, calls);
		return false;
	}
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcretset)
	{
		mp_calls_find((Node *) ((FuncExpr *) node)->args, calls);
		return false;
	}
	if (IsA(node, OpExpr) && ((OpExpr *) node)->opretset)
	{
		mp_calls_find((Node *) ((OpExpr *) node)->args, calls);
		return false;
	}
	return expression_tree_walker(node, find_in_arguments, calls);
}

void
mp_calls_find_in_arguments(Node *expression, MpCalls *calls)
{
	find_in_arguments(expression, calls);
}

static bool
is_not_leakproof(Oid function, void *context)
{
	return !get_func_leakproof(function);
}

/* Functions that are leakproof fail for no value; nor do values put together to rows and arrays. */
static bool
may_fail(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_List:
		case T_Var:
		case T_Const:
		case T_Param:
		case T_ArrayExpr:
		case T_RowExpr:
		case T_RelabelType:
		case T_CollateExpr:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
			break;
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
			if (check_functions_in_node(node, is_not_leakproof, NULL))
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, may_fail, context);
}

bool
mp_expression_may_fail(Node *expression)
{
	return may_fail(expression, NULL);
}
