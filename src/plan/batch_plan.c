/*
 * batch_plan.c: where plans score in batches.
 *
 * Once a statement is planned, its plan gets nodes that score in batches
 * (batch_scan.c) in two places:
 *
 *     over a node whose target list or conditions call scoring functions: the node
 *     below then gives the columns that are needed, and the batch node does the
 *     rest;
 *
 *     under a node that calls them in arguments of aggregates, of window functions
 *     and of functions that return sets. There each call becomes
 *     CASE WHEN there is an answer THEN the answer ELSE the call END.
 *
 * A node is only placed where it may read ahead (reach.c) and where what lies
 * below calls no volatile function, which would be called too early.
 *
 * The library may be loaded by the planner's question about a first call, too late
 * for its planner hook. The plan that is being made then gets its nodes in a copy
 * when the executor starts; plans that were prepared before are made anew.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "parser/parsetree.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "glue/compat.h"
#include "plan/batch_plan.h"
#include "plan/batch_scan.h"
#include "plan/pin.h"
#include "plan/planner.h"
#include "plan/tree.h"

int			mp_batch_setting = MP_BATCH_AUTO;

static const struct config_enum_entry batch_options[] = {
	{"auto", MP_BATCH_AUTO, false},
	{"off", MP_BATCH_OFF, false},
	{"always", MP_BATCH_ALWAYS, false},
	{NULL, 0, false}
};

static planner_hook_type previous_planner = NULL;
static ExecutorStart_hook_type previous_start = NULL;

/* The library was loaded in this transaction: plans may be from before. */
static bool may_be_late = false;

/* What is known of the plan of a subquery. */
typedef struct Subplan
{
	bool		referred;
	MpReach		reach;			/* where referred */
	enum
	{
		NOT_ASKED,
		QUIET,
		VOLATILE
	}			calls;
} Subplan;

typedef struct Placement
{
	PlannedStmt *stmt;
	Subplan    *subplans;
	int			last_id;		/* of the plan's nodes: new ones need others */
} Placement;

/* How expressions over a node's input become expressions over the batch node's columns. */
typedef struct Rewrite
{
	const List *columns;		/* of the child, as the expressions have them */
	const List *calls;			/* whose answers come after the columns */
	int			varno;			/* of the result: OUTER_VAR or INDEX_VAR */
	bool		keep_calls;		/* else the answers take their place */
	bool		by_case;		/* both, depending on whether there is an answer */
} Rewrite;

/* The number, from 1, of a column of the child; 0: none of them. */
static AttrNumber
column_number(const List *columns, const Node *node)
{
	/* whole tables come in their order */
	if (IsA(node, Var))
	{
		const Var  *var = (const Var *) node;

		if (var->varattno > 0 && var->varattno <= list_length(columns) &&
			equal(list_nth(columns, var->varattno - 1), var))
			return var->varattno;
	}
	return mp_list_index(columns, node) + 1;
}

static Node *
column_of(const Rewrite *rewrite, const Node *was, int number)
{
	return (Node *) makeVar(rewrite->varno, number, exprType(was), exprTypmod(was),
							exprCollation(was), 0);
}

static Node *
answer_or_call(const Rewrite *rewrite, Node *call, Node *answer)
{
	int			number = list_length(rewrite->columns) + list_length(rewrite->calls) + 1;
	CaseExpr   *either = makeNode(CaseExpr);
	CaseWhen   *when = makeNode(CaseWhen);

	when->expr = (Expr *) makeVar(rewrite->varno, number, BOOLOID, -1, InvalidOid, 0);
	when->result = (Expr *) answer;
	when->location = -1;
	either->casetype = exprType(call);
	either->casecollid = exprCollation(call);
	either->args = list_make1(when);
	either->defresult = (Expr *) call;
	either->location = -1;
	return (Node *) either;
}

static Node *
rewrite_node(Node *node, void *context)
{
	const Rewrite *rewrite = context;
	int			number;

	if (node == NULL)
		return NULL;
	if (IsA(node, FuncExpr) && !rewrite->keep_calls && (number = mp_list_index(rewrite->calls, node)) >= 0)
	{
		Node	   *answer = column_of(rewrite, node, list_length(rewrite->columns) + number + 1);

		return rewrite->by_case ? answer_or_call(rewrite, copyObject(node), answer) : answer;
	}
	if ((IsA(node, Var) || IsA(node, FuncExpr) || IsA(node, Aggref) || IsA(node, GroupingFunc) || IsA(node, WindowFunc)) &&
		!rewrite->by_case && (number = column_number(rewrite->columns, node)) > 0)
		return column_of(rewrite, node, number);
	return expression_tree_mutator(node, rewrite_node, context);
}

static List *
rewrite_list(List *expressions, Rewrite rewrite)
{
	return (List *) rewrite_node((Node *) expressions, &rewrite);
}

typedef struct Columns
{
	int			varno;
	int			last;
	Bitmapset  *numbers;
} Columns;

/* Numbers, up to the last one, of the columns of an input that an expression needs. */
static bool
find_columns(Node *node, void *columns)
{
	Columns    *found = columns;

	if (node == NULL)
		return false;
	if (IsA(node, Var) && ((Var *) node)->varno == found->varno &&
		((Var *) node)->varattno <= found->last)
		found->numbers = bms_add_member(found->numbers, ((Var *) node)->varattno);
	return expression_tree_walker(node, find_columns, columns);
}

/* Has the costs of the node that makes the calls, and its parameters. */
static CustomScan *
make_batch_node(Placement *p, const MpBatchSpec *spec, const Plan *user)
{
	CustomScan *node = mp_batch_scan_make(spec);
	Plan	   *plan = &node->scan.plan;
	Plan	   *child = spec->child;

	plan->startup_cost = child->startup_cost;
	plan->total_cost = child->total_cost;
	plan->plan_rows = child->plan_rows;
	plan->plan_width = child->plan_width;
	plan->parallel_safe = child->parallel_safe;
	plan->plan_node_id = ++p->last_id;
	plan->extParam = bms_copy(user->extParam);
	plan->allParam = bms_copy(user->allParam);
	/* its rows no longer go straight to an Append that could wait for several */
	child->async_capable = false;
	return node;
}

/* Under an aggregate and the like: a row of the child, as it is, and the answers behind it. */
static void
place_under(Plan *plan, MpReach reach, Placement *p)
{
	Plan	   *child = outerPlan(plan);
	List	   *expressions = list_make2(plan->targetlist, plan->qual);
	Columns		kept = {.varno = OUTER_VAR, .last = list_length(child->targetlist)};
	MpCalls		calls = {NIL, NIL};
	Rewrite		rewrite = {.varno = OUTER_VAR};
	MpBatchSpec spec = {.child = child, .calls = &calls, .reach = reach};
	CustomScan *node;
	ListCell   *cell;

	mp_calls_find_in_arguments((Node *) expressions, &calls);
	if (calls.calls == NIL)
		return;
	rewrite.calls = calls.calls;
	foreach(cell, child->targetlist)
		rewrite.columns = lappend((List *) rewrite.columns,
								  makeVarFromTargetEntry(OUTER_VAR, lfirst(cell)));
	find_columns((Node *) rewrite_list(expressions, rewrite), &kept);
	mp_plan_input_columns(plan, &kept.numbers);
	spec.kept = kept.numbers;
	rewrite.by_case = true;
	plan->targetlist = rewrite_list(plan->targetlist, rewrite);
	plan->qual = rewrite_list(plan->qual, rewrite);
	node = make_batch_node(p, &spec, plan);
	foreach(cell, node->custom_scan_tlist)
	{
		TargetEntry *entry = lfirst(cell);
		Expr	   *column = (Expr *) makeVarFromTargetEntry(INDEX_VAR, entry);

		node->scan.plan.targetlist = lappend(node->scan.plan.targetlist,
											 makeTargetEntry(column, entry->resno, entry->resname, false));
	}
	outerPlan(plan) = &node->scan.plan;
}

/* Of a scan of a table: what it reads, without which the node has nothing to project; NIL: not so easily. */
static List *
columns_of_table(const Plan *plan, const PlannedStmt *stmt)
{
	TupleDesc	desc;
	List	   *columns = NIL;
	Index		relation;
	Oid			type;

	if (!IsA(plan, SeqScan) && !IsA(plan, SampleScan) && !IsA(plan, IndexScan) &&
		!IsA(plan, BitmapHeapScan))
		return NIL;
	relation = ((const Scan *) plan)->scanrelid;
	type = get_rel_type_id(rt_fetch(relation, stmt->rtable)->relid);
	/* sequences have none */
	if (!OidIsValid(type))
		return NIL;
	desc = lookup_rowtype_tupdesc(type, -1);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
		{
			columns = NIL;
			break;
		}
		columns = lappend(columns, makeVar(relation, i + 1, att->atttypid, att->atttypmod, att->attcollation, 0));
	}
	ReleaseTupleDesc(desc);
	return columns;
}

/* What a walk over expressions needs of a node. */
typedef struct Needs
{
	const List *calls;			/* whose answers the node has */
	List	   *columns;
} Needs;

static bool
find_needs(Node *node, void *context)
{
	Needs	   *needs = context;

	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, Aggref) || IsA(node, GroupingFunc) || IsA(node, WindowFunc) ||
		(IsA(node, FuncExpr) && mp_list_index(needs->calls, node) >= 0))
	{
		if (column_number(needs->columns, node) == 0)
			needs->columns = lappend(needs->columns, node);
		return false;
	}
	return expression_tree_walker(node, find_needs, context);
}

/* All columns in the expressions, or all of the table. */
static List *
columns_needed(const Plan *plan, List *expressions, const PlannedStmt *stmt)
{
	Needs		needs = {NIL, NIL};
	List	   *table = columns_of_table(plan, stmt);
	ListCell   *cell;

	find_needs((Node *) expressions, &needs);
	foreach(cell, needs.columns)
		if (table == NIL || column_number(table, lfirst(cell)) == 0)
			return needs.columns;
	return table;
}

static List *
as_target_list(const List *expressions)
{
	List	   *target = NIL;
	ListCell   *cell;

	foreach(cell, expressions)
		target = lappend(target, makeTargetEntry(copyObject(lfirst(cell)), list_length(target) + 1, NULL, false));
	return target;
}

/* What is to be done over a node, in the order in which it is done. */
typedef struct Work
{
	List	   *conditions;
	List	   *target;
} Work;

/* The calls of the first condition, or, where there are no conditions, of the target list, but for those known. */
static MpCalls
next_calls(const Work *work, const List *known)
{
	Node	   *first = work->conditions != NIL ? linitial(work->conditions) : (Node *) work->target;
	MpCalls		found = {NIL, NIL};
	MpCalls		calls = {NIL, NIL};
	ListCell   *call;
	ListCell   *guard;

	mp_calls_find(first, &found);
	forboth(call, found.calls, guard, found.guards)
		if (mp_list_index(known, lfirst(call)) < 0)
		{
			calls.calls = lappend(calls.calls, lfirst(call));
			calls.guards = lappend(calls.guards, lfirst(guard));
		}
	return calls;
}

static bool
has_other_calls(Node *expression, const List *known)
{
	MpCalls		calls = {NIL, NIL};

	mp_calls_find(expression, &calls);
	return list_difference(calls.calls, known) != NIL;
}

/* Moves the first condition, and those after it that make no other calls, out of the work. */
static List *
take_conditions(Work *work, const List *known)
{
	List	   *taken = NIL;

	while (work->conditions != NIL &&
		   (taken == NIL || !has_other_calls(linitial(work->conditions), known)))
	{
		taken = lappend(taken, linitial(work->conditions));
		work->conditions = list_copy_tail(work->conditions, 1);
	}
	return taken;
}

static bool are_quiet(List *expressions, Placement *p);

/* A batch node over `child`, whose columns are these, that makes the calls and does some of the work. */
static CustomScan *
add_node(Plan *child, List *columns, const MpCalls *calls, Work *work, List **given,
		 MpReach reach, Placement *p)
{
	Rewrite		to_call = {.columns = columns, .varno = OUTER_VAR, .keep_calls = true};
	Rewrite		by_row = {.columns = columns, .varno = INDEX_VAR, .keep_calls = true};
	Rewrite		by_answer = {.columns = columns, .calls = calls->calls, .varno = INDEX_VAR};
	MpCalls		outer_calls = {rewrite_list(calls->calls, to_call), rewrite_list(calls->guards, to_call)};
	List	   *known = list_concat_copy(columns, calls->calls);
	List	   *conditions = take_conditions(work, known);
	List	   *target = work->target;
	Columns		kept = {.varno = INDEX_VAR, .last = list_length(columns)};
	MpBatchSpec spec = {.child = child, .calls = &outer_calls, .reach = reach};
	CustomScan *node;

	*given = NIL;
	/* a node above this one would call volatile functions too early */
	if (!are_quiet(conditions, p))
	{
		conditions = list_concat(conditions, work->conditions);
		work->conditions = NIL;
	}
	else if (work->conditions != NIL || has_other_calls((Node *) target, known))
	{
		Needs		needs = {known, NIL};

		find_needs((Node *) list_make2(work->conditions, target), &needs);
		*given = needs.columns;
		target = as_target_list(needs.columns);
	}
	spec.target = rewrite_list(target, by_answer);
	spec.conditions = rewrite_list(conditions, by_answer);
	find_columns((Node *) list_make2(spec.target, spec.conditions), &kept);
	spec.kept = kept.numbers;
	node = make_batch_node(p, &spec, child);
	node->scan.plan.targetlist = rewrite_list(target, by_row);
	node->scan.plan.qual = rewrite_list(conditions, by_row);
	return node;
}

/*
 * Over a node that keeps the conditions before the first one with calls. All from
 * that one on stay in their order, which may matter for security, and calls that
 * come after a condition are made for the rows that fulfill it: by a node of
 * their own.
 */
static void
place_over(Plan **link, int before, MpReach reach, Placement *p)
{
	Plan	   *plan = *link;
	Work		work = {list_copy_tail(plan->qual, before), plan->targetlist};
	List	   *columns = columns_needed(plan, list_make2(work.conditions, work.target), p->stmt);

	plan->qual = list_truncate(list_copy(plan->qual), before);
	plan->targetlist = as_target_list(columns);
	do
	{
		MpCalls		calls = next_calls(&work, columns);

		plan = &add_node(plan, columns, &calls, &work, &columns, reach, p)->scan.plan;
	} while (columns != NIL);
	*link = plan;
}

/* How many conditions come before the first one with calls; all: none has any. */
static int
conditions_before(const Plan *plan)
{
	int			before = 0;

	for (; before < list_length(plan->qual); before++)
	{
		MpCalls		calls = {NIL, NIL};

		mp_calls_find(list_nth(plan->qual, before), &calls);
		if (calls.calls != NIL)
			break;
	}
	return before;
}

/* Whether the index finds one row at most: nothing to read ahead. */
static bool
is_unique(Oid index, const List *conditions)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	ListCell   *cell;
	bool		unique;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	unique = form->indisunique && form->indimmediate && list_length(conditions) == form->indnkeyatts;
	ReleaseSysCache(tuple);
	foreach(cell, conditions)
	{
		const OpExpr *condition = lfirst(cell);

		if (!IsA(condition, OpExpr) || !op_mergejoinable(condition->opno, exprType(linitial(condition->args))))
			return false;
	}
	return unique;
}

static bool
gives_one_row(const Plan *plan)
{
	if (IsA(plan, IndexScan))
		return is_unique(((const IndexScan *) plan)->indexid, ((const IndexScan *) plan)->indexqual);
	if (IsA(plan, IndexOnlyScan))
		return is_unique(((const IndexOnlyScan *) plan)->indexid, ((const IndexOnlyScan *) plan)->indexqual);
	return IsA(plan, Agg) && ((const Agg *) plan)->numCols == 0 && ((const Agg *) plan)->groupingSets == NIL;
}

/* Whether what the node does for a row can be done by one over it. */
static bool
can_give_up_target(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_ForeignScan:
			return ((const ForeignScan *) plan)->operation == CMD_SELECT;
		case T_Result:
			return outerPlan(plan) != NULL;
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
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
		case T_NestLoop:
		case T_HashJoin:
		case T_MergeJoin:
		case T_Agg:
		case T_Group:
		case T_WindowAgg:
		case T_Gather:
		case T_GatherMerge:
			return true;
		default:
			return false;
	}
}

static bool is_quiet(Plan *plan, Placement *p);

static bool
is_quiet_subplan(int plan_id, Placement *p)
{
	Subplan    *subplan = &p->subplans[plan_id - 1];

	if (subplan->calls == NOT_ASKED)
	{
		/* meanwhile, a recursive query may ask again */
		subplan->calls = QUIET;
		subplan->calls = is_quiet(list_nth(p->stmt->subplans, plan_id - 1), p) ? QUIET : VOLATILE;
	}
	return subplan->calls == QUIET;
}

static bool
refers_to_volatile_subplan(Node *node, void *placement)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan) && !is_quiet_subplan(((SubPlan *) node)->plan_id, placement))
		return true;
	return expression_tree_walker(node, refers_to_volatile_subplan, placement);
}

static bool
are_quiet(List *expressions, Placement *p)
{
	return !contain_volatile_functions((Node *) expressions) &&
		!refers_to_volatile_subplan((Node *) expressions, p);
}

/* Whether a node's children, and the plans that it reads like one, call no volatile function. */
static bool
has_quiet_children(Plan *plan, Placement *p)
{
	ListCell   *cell;

	if (IsA(plan, CteScan) && !is_quiet_subplan(((CteScan *) plan)->ctePlanId, p))
		return false;
	foreach(cell, mp_plan_members(plan))
		if (!is_quiet(lfirst(cell), p))
			return false;
	return are_quiet(plan->initPlan, p) && is_quiet(outerPlan(plan), p) && is_quiet(innerPlan(plan), p);
}

/* Whether a plan does nothing but read, so that it makes no difference when. */
static bool
is_quiet(Plan *plan, Placement *p)
{
	bool		complete;

	if (plan == NULL)
		return true;
	check_stack_depth();
	return !IsA(plan, ModifyTable) && are_quiet(mp_plan_expressions(plan, &complete), p) && complete &&
		has_quiet_children(plan, p);
}

/* The same without the target list, and with as many conditions. */
static bool
is_quiet_below(Plan *plan, int conditions, Placement *p)
{
	bool		complete;
	List	   *others = list_copy_tail(mp_plan_expressions(plan, &complete), 2);

	return complete && are_quiet(others, p) &&
		are_quiet(list_truncate(list_copy(plan->qual), conditions), p) && has_quiet_children(plan, p);
}

static void
consider_over(Plan **link, MpReach reach, Placement *p)
{
	Plan	   *plan = *link;
	MpCalls		calls = {NIL, NIL};
	int			before;

	if (reach.sure == 0 || !can_give_up_target(plan))
		return;
	before = IsA(plan, WindowAgg) ? list_length(plan->qual) : conditions_before(plan);
	if (before == list_length(plan->qual))
		mp_calls_find((Node *) plan->targetlist, &calls);
	if ((before == list_length(plan->qual) && calls.calls == NIL) || gives_one_row(plan) ||
		!is_quiet_below(plan, before, p))
		return;
	place_over(link, before, reach, p);
}

static void
consider_under(Plan *plan, MpReach reach, Placement *p)
{
	if (reach.sure != 0 && (IsA(plan, Agg) || IsA(plan, WindowAgg) || IsA(plan, ProjectSet)) &&
		!gives_one_row(outerPlan(plan)) && is_quiet(outerPlan(plan), p))
		place_under(plan, reach, p);
}

static void
refer(int plan_id, MpReach reach, Placement *p)
{
	Subplan    *subplan = &p->subplans[plan_id - 1];

	subplan->reach = subplan->referred ? mp_reach_common(subplan->reach, reach) : reach;
	subplan->referred = true;
}

/* What refers to subqueries other than by scanning them. */
static bool
find_subplans(Node *node, void *placement)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubPlan) && ((SubPlan *) node)->subLinkType != CTE_SUBLINK)
		refer(((SubPlan *) node)->plan_id, mp_reach_subplan((SubPlan *) node), placement);
	return expression_tree_walker(node, find_subplans, placement);
}

static void
place_in(Plan **link, MpReach reach, Placement *p)
{
	Plan	   *plan = *link;
	bool		complete;
	ListCell   *cell;

	if (plan == NULL)
		return;
	check_stack_depth();
	find_subplans((Node *) mp_plan_expressions(plan, &complete), p);
	find_subplans((Node *) plan->initPlan, p);
	if (IsA(plan, CteScan))
		refer(((CteScan *) plan)->ctePlanId, reach, p);
	place_in(&outerPlan(plan), mp_reach_outer(plan, reach), p);
	place_in(&innerPlan(plan), mp_reach_inner(plan, reach), p);
	if (IsA(plan, SubqueryScan))
		place_in(&((SubqueryScan *) plan)->subplan, mp_reach_outer(plan, reach), p);
	else
		foreach(cell, mp_plan_members(plan))
			place_in((Plan **) &lfirst(cell), mp_reach_outer(plan, reach), p);
	if (outerPlan(plan) != NULL)
		consider_under(plan, mp_reach_outer(plan, reach), p);
	consider_over(link, reach, p);
}

static int
largest_id(Plan *plan)
{
	int			largest;
	ListCell   *cell;

	if (plan == NULL)
		return 0;
	check_stack_depth();
	largest = Max(plan->plan_node_id, largest_id(outerPlan(plan)));
	largest = Max(largest, largest_id(innerPlan(plan)));
	foreach(cell, mp_plan_members(plan))
		largest = Max(largest, largest_id(lfirst(cell)));
	return largest;
}

/* From the last on: what refers to a common table expression comes after it. */
static void
place_in_statement(PlannedStmt *stmt)
{
	int			n = list_length(stmt->subplans);
	Placement	p = {.stmt = stmt, .subplans = palloc0(sizeof(Subplan) * Max(n, 1))};
	ListCell   *cell;

	mp_planner_forget();
	p.last_id = largest_id(stmt->planTree);
	foreach(cell, stmt->subplans)
		p.last_id = Max(p.last_id, largest_id(lfirst(cell)));
	place_in(&stmt->planTree, mp_reach_of_statement(), &p);
	for (int i = n - 1; i >= 0; i--)
	{
		cell = list_nth_cell(stmt->subplans, i);
		if (lfirst(cell) != NULL)
			place_in((Plan **) &lfirst(cell), p.subplans[i].reach, &p);
	}
}

static PlannedStmt *
plan_statement(MP_PLAN_PARAMETERS)
{
	uint64		questions = mp_planner_questions();
	PlannedStmt *stmt;
	bool		pinned;

	query = mp_pin_references(query, params, &pinned);
	if (previous_planner != NULL)
		stmt = previous_planner(MP_PLAN_ARGUMENTS);
	else
		stmt = standard_planner(MP_PLAN_ARGUMENTS);
	if (pinned)
		stmt->relationOids = lappend_oid(stmt->relationOids, mp_pin_table());
	if (mp_planner_questions() != questions && mp_batch_setting != MP_BATCH_OFF &&
		(options & CURSOR_OPT_SCROLL) == 0)
		place_in_statement(stmt);
	return stmt;
}

static bool
has_batches(Plan *plan)
{
	ListCell   *cell;

	if (plan == NULL)
		return false;
	check_stack_depth();
	if (mp_batch_scan_is(plan) || has_batches(outerPlan(plan)) || has_batches(innerPlan(plan)))
		return true;
	foreach(cell, mp_plan_members(plan))
		if (has_batches(lfirst(cell)))
			return true;
	return false;
}

/* A plan that was made before our planner hook was there: a copy, which lives as long as the query. */
static void
place_late(QueryDesc *query)
{
	MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(query));

	query->plannedstmt = copyObject(query->plannedstmt);
	place_in_statement(query->plannedstmt);
	MemoryContextSwitchTo(old);
}

static void
start_executor(QueryDesc *query, int eflags)
{
	if (unlikely(may_be_late) && mp_batch_setting != MP_BATCH_OFF &&
		(eflags & (EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK)) == 0 && !has_batches(query->plannedstmt->planTree))
		place_late(query);
	if (previous_start != NULL)
		previous_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

static void
end_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		may_be_late = false;
}

void
mp_batch_plan_init(void)
{
	DefineCustomEnumVariable("model_predict.batch",
							 "Scores the rows of scans in batches.",
							 "\"auto\" does where there are enough rows, \"always\" is for tests.",
							 &mp_batch_setting, MP_BATCH_AUTO, batch_options,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	previous_planner = planner_hook;
	planner_hook = plan_statement;
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;
	if (IsTransactionState())
	{
		may_be_late = true;
		RegisterXactCallback(end_transaction, NULL);
		ResetPlanCache();
	}
}
