/*
 * batch_plan.c: where plans score in batches.
 *
 * When an executor starts, a copy of its plan gets nodes that score in batches
 * (batch_scan.c) in two places:
 *
 *     over a scan or a join whose target list or conditions call scoring functions:
 *     the node below then gives the columns that are needed, and the batch node
 *     does the rest;
 *
 *     under an aggregate whose arguments call them.
 *
 * This happens at the start and not while planning, because then the library may
 * be there for the first statement of a session only too late, because plans that
 * are kept stay as they are, and because only now it is known whether all rows will
 * be asked for. Rows are read ahead only where all are: not under a LIMIT, for a
 * cursor, or for a function that takes the first rows. And a call is only scored
 * ahead where it would be made for every row: not in a CASE, behind an AND, or in
 * a condition that others come before.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "pgstat.h"
#include "tcop/pquery.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/typcache.h"

#include "glue/compat.h"
#include "plan/batch_scan.h"

/* A plan that expects fewer rows is left alone: it gains nothing, see batch_scan.c. */
#define LEAST_ROWS 2000
/* Operators that a call costs at least, see planner.c. */
#define LEAST_WORK 10

int			mp_batch_setting = MP_BATCH_AUTO;

static const struct config_enum_entry batch_options[] = {
	{"auto", MP_BATCH_AUTO, false},
	{"off", MP_BATCH_OFF, false},
	{"always", MP_BATCH_ALWAYS, false},
	{NULL, 0, false}
};

static ExecutorStart_hook_type previous_start = NULL;

typedef struct Placement
{
	PlannedStmt *stmt;
	bool		change;			/* else just looks */
	bool		found;
	int			last_id;		/* of the plan's nodes: new ones need others */
} Placement;

/* Which columns and calls of a node become columns of the batch node's input. */
typedef struct Rewrite
{
	List	   *columns;		/* target list of Vars, of the child */
	List	   *calls;
	int			varno;			/* OUTER_VAR or INDEX_VAR */
} Rewrite;

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

/* Whether this is a call whose answers can be had ahead. */
static bool
is_call(FuncExpr *expr)
{
	FmgrInfo	function;
	const MpScorer *scorer;

	if (expr->funcretset || list_length(expr->args) < 2 ||
		!is_constant(linitial(expr->args)) || exprType(linitial(expr->args)) != TEXTOID)
		return false;
	if (expr->funcresulttype != FLOAT8OID && expr->funcresulttype != TEXTOID &&
		expr->funcresulttype != FLOAT4ARRAYOID)
		return false;
	fmgr_info(expr->funcid, &function);
	scorer = mp_scorer_of(function.fn_addr);
	if (scorer == NULL || list_length(expr->args) <= scorer->first)
		return false;
	for (int i = 1; i < scorer->first; i++)
		if (!is_constant(list_nth(expr->args, i)))
			return false;
	return !contain_volatile_functions((Node *) expr->args) && !contain_subplans((Node *) expr->args);
}

/* Collects calls that are made whenever the expression is evaluated. */
static bool
find_calls(Node *node, void *calls)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_FuncExpr:
			if (is_call((FuncExpr *) node))
			{
				*(List **) calls = list_append_unique(*(List **) calls, node);
				return false;
			}
			break;
		case T_List:
		case T_TargetEntry:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_NullTest:
		case T_BooleanTest:
		case T_SubscriptingRef:
		case T_ArrayExpr:
		case T_RowExpr:
			break;
		default:
			return false;
	}
	return expression_tree_walker(node, find_calls, calls);
}

/* Those in the arguments of aggregates that take every row. */
static bool
find_aggregated_calls(Node *node, void *calls)
{
	if (node == NULL)
		return false;
	if (IsA(node, Aggref))
	{
		Aggref	   *aggref = (Aggref *) node;

		return aggref->aggfilter == NULL && find_calls((Node *) aggref->args, calls);
	}
	return expression_tree_walker(node, find_aggregated_calls, calls);
}

static int
index_of(const List *list, const Node *node)
{
	ListCell   *cell;

	foreach(cell, list)
		if (equal(lfirst(cell), node))
			return foreach_current_index(cell);
	return -1;
}

static bool
is_column(const TargetEntry *entry, const Var *var)
{
	const Var  *column = (const Var *) entry->expr;

	return column->varattno == var->varattno && column->varno == var->varno && equal(column, var);
}

/* The number, from 1, of a column among those of the child; 0: none of them. */
static AttrNumber
column_number(const List *columns, const Var *var)
{
	ListCell   *cell;

	/* whole tables come in their order */
	if (var->varattno > 0 && var->varattno <= list_length(columns) &&
		is_column(list_nth(columns, var->varattno - 1), var))
		return var->varattno;
	foreach(cell, columns)
		if (is_column(lfirst(cell), var))
			return foreach_current_index(cell) + 1;
	return 0;
}

static Node *
column_of(const Rewrite *rewrite, Node *was, int number)
{
	return (Node *) makeVar(rewrite->varno, number, exprType(was), exprTypmod(was),
							exprCollation(was), 0);
}

static Node *
rewrite_calls(Node *node, const Rewrite *rewrite)
{
	int			call = node != NULL && IsA(node, FuncExpr) ? index_of(rewrite->calls, node) : -1;

	return call < 0 ? NULL : column_of(rewrite, node, list_length(rewrite->columns) + call + 1);
}

/* Calls and columns become columns of the batch node's input. */
static Node *
rewrite_node(Node *node, void *rewrite)
{
	Node	   *column = rewrite_calls(node, rewrite);

	if (column != NULL || node == NULL)
		return column;
	if (IsA(node, Var))
		return column_of(rewrite, node, column_number(((Rewrite *) rewrite)->columns, (Var *) node));
	return expression_tree_mutator(node, rewrite_node, rewrite);
}

/* Calls in arguments of an aggregate become columns of its input. */
static Node *
rewrite_argument(Node *node, void *rewrite)
{
	Node	   *column = rewrite_calls(node, rewrite);

	if (column != NULL || node == NULL)
		return column;
	return expression_tree_mutator(node, rewrite_argument, rewrite);
}

static Node *
rewrite_aggregates(Node *node, void *rewrite)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Aggref))
	{
		Aggref	   *aggref = (Aggref *) node;

		if (aggref->aggfilter == NULL)
			aggref->args = (List *) rewrite_argument((Node *) aggref->args, rewrite);
		return node;
	}
	return expression_tree_mutator(node, rewrite_aggregates, rewrite);
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

/* Has the child's costs, which are those of the calls, too, and the parameters of whose calls they were. */
static CustomScan *
make_batch_node(Placement *p, Plan *child, const Plan *user, List *calls, Bitmapset *kept)
{
	CustomScan *node = mp_batch_scan_make(child, calls, kept);
	Plan	   *plan = &node->scan.plan;

	plan->startup_cost = child->startup_cost;
	plan->total_cost = child->total_cost;
	plan->plan_rows = child->plan_rows;
	plan->plan_width = child->plan_width;
	plan->parallel_safe = child->parallel_safe;
	plan->plan_node_id = ++p->last_id;
	plan->extParam = bms_copy(user->extParam);
	plan->allParam = bms_copy(user->allParam);
	return node;
}

static bool
enough_rows(const Plan *plan)
{
	return plan->plan_rows >= LEAST_ROWS || mp_batch_setting == MP_BATCH_ALWAYS;
}

/* Below an aggregate: a row of the child, as it is, and the calls behind it. */
static void
place_under_aggregate(Agg *agg, Placement *p)
{
	Plan	   *child = outerPlan(agg);
	Rewrite		rewrite = {.varno = OUTER_VAR};
	Columns		kept = {.varno = OUTER_VAR};
	CustomScan *node;
	ListCell   *cell;

	if (agg->chain != NIL || agg->groupingSets != NIL || child == NULL || !enough_rows(child))
		return;
	rewrite.columns = child->targetlist;
	find_aggregated_calls((Node *) agg->plan.targetlist, &rewrite.calls);
	find_aggregated_calls((Node *) agg->plan.qual, &rewrite.calls);
	if (rewrite.calls == NIL)
		return;
	p->found = true;
	if (!p->change)
		return;
	agg->plan.targetlist = (List *) rewrite_aggregates((Node *) agg->plan.targetlist, &rewrite);
	agg->plan.qual = (List *) rewrite_aggregates((Node *) agg->plan.qual, &rewrite);
	kept.last = list_length(child->targetlist);
	find_columns((Node *) agg->plan.targetlist, &kept);
	find_columns((Node *) agg->plan.qual, &kept);
	for (int i = 0; i < agg->numCols; i++)
		kept.numbers = bms_add_member(kept.numbers, agg->grpColIdx[i]);
	node = make_batch_node(p, child, &agg->plan, rewrite.calls, kept.numbers);
	foreach(cell, node->custom_scan_tlist)
	{
		TargetEntry *entry = lfirst(cell);
		Expr	   *column = (Expr *) makeVarFromTargetEntry(INDEX_VAR, entry);

		node->scan.plan.targetlist = lappend(node->scan.plan.targetlist,
											 makeTargetEntry(column, entry->resno, entry->resname, false));
	}
	outerPlan(agg) = &node->scan.plan;
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
		Var		   *var = makeVar(relation, i + 1, att->atttypid, att->atttypmod, att->attcollation, 0);

		if (att->attisdropped || att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
		{
			columns = NIL;
			break;
		}
		columns = lappend(columns, makeTargetEntry((Expr *) var, i + 1, NULL, false));
	}
	ReleaseTupleDesc(desc);
	return columns;
}

/* A target list of all columns in the expressions. */
static List *
columns_needed(const Plan *plan, List *expressions, const PlannedStmt *stmt)
{
	List	   *vars = pull_var_clause((Node *) expressions, 0);
	List	   *table = columns_of_table(plan, stmt);
	List	   *columns = NIL;
	ListCell   *cell;

	foreach(cell, vars)
	{
		Var		   *var = lfirst(cell);

		if (table != NIL && column_number(table, var) == 0)
			table = NIL;
		if (column_number(columns, var) == 0)
			columns = lappend(columns, makeTargetEntry((Expr *) var, list_length(columns) + 1, NULL, false));
	}
	return table != NIL ? table : columns;
}

/* A plan does not tell how many rows come to its conditions, only what checking them costs. */
static bool
enough_to_check(const Plan *plan, Node *condition)
{
	QualCost	cost;

	if (mp_batch_setting == MP_BATCH_ALWAYS)
		return true;
	/* which spares looking the model up for a few rows */
	if (plan->total_cost < LEAST_ROWS * LEAST_WORK * cpu_operator_cost)
		return false;
	cost_qual_eval_node(&cost, condition, NULL);
	return plan->total_cost >= LEAST_ROWS * cost.per_tuple;
}

/*
 * The calls of a node's first condition that has any, or else those of its target
 * list; `before`: how many conditions come before.
 */
static List *
calls_of(const Plan *plan, int *before)
{
	List	   *calls = NIL;

	for (*before = 0; *before < list_length(plan->qual); ++*before)
	{
		Node	   *condition = list_nth(plan->qual, *before);

		find_calls(condition, &calls);
		if (calls != NIL)
			return enough_to_check(plan, condition) ? calls : NIL;
	}
	if (enough_rows(plan))
		find_calls((Node *) plan->targetlist, &calls);
	return calls;
}

/*
 * Over a scan or a join, which keeps the conditions before the first one with
 * calls; all from that one on stay in their order, which may matter for security.
 */
static void
place_over(Plan **link, Placement *p)
{
	Plan	   *plan = *link;
	int			before;
	List	   *calls = calls_of(plan, &before);
	List	   *expressions = list_make2(plan->targetlist, list_copy_tail(plan->qual, before));
	Rewrite		rewrite = {.calls = calls};
	Columns		kept = {.varno = INDEX_VAR};
	List	   *outer_calls;
	CustomScan *node;

	if (calls == NIL || contain_volatile_functions((Node *) expressions) ||
		contain_subplans((Node *) expressions))
		return;
	p->found = true;
	if (!p->change)
		return;
	rewrite.columns = columns_needed(plan, expressions, p->stmt);
	rewrite.varno = INDEX_VAR;
	expressions = (List *) rewrite_node((Node *) expressions, &rewrite);
	kept.last = list_length(rewrite.columns);
	find_columns((Node *) expressions, &kept);
	rewrite.varno = OUTER_VAR;
	rewrite.calls = NIL;
	outer_calls = (List *) rewrite_node((Node *) calls, &rewrite);

	plan->targetlist = rewrite.columns;
	plan->qual = list_truncate(list_copy(plan->qual), before);
	node = make_batch_node(p, plan, plan, outer_calls, kept.numbers);
	node->scan.plan.targetlist = linitial(expressions);
	node->scan.plan.qual = lsecond(expressions);
	*link = &node->scan.plan;
}

static void place_in(Plan **link, bool all_rows, Placement *p);

static void
place_in_list(List *plans, bool all_rows, Placement *p)
{
	ListCell   *cell;

	foreach(cell, plans)
		place_in((Plan **) &lfirst(cell), all_rows, p);
}

/* `all_rows`: whether those of this plan are; returns whether those of its outer and inner child are. */
static void
ask_for_rows(const Plan *plan, bool all_rows, bool *outer, bool *inner)
{
	*outer = all_rows;
	*inner = false;
	switch (nodeTag(plan))
	{
		case T_Agg:
		case T_Sort:
		case T_Hash:
			*outer = true;
			break;
		case T_ModifyTable:
			*outer = ((const ModifyTable *) plan)->returningLists == NIL || all_rows;
			break;
		case T_HashJoin:
			*inner = all_rows;
			break;
		case T_NestLoop:
		case T_Material:
		case T_Gather:
		case T_GatherMerge:
		case T_Group:
		case T_IncrementalSort:
		case T_Unique:
		case T_Result:
			break;
		default:
			*outer = false;
	}
}

static void
place_in(Plan **link, bool all_rows, Placement *p)
{
	Plan	   *plan = *link;
	bool		outer;
	bool		inner;

	if (plan == NULL)
		return;
	p->last_id = Max(p->last_id, plan->plan_node_id);
	ask_for_rows(plan, all_rows, &outer, &inner);
	place_in(&outerPlan(plan), outer, p);
	place_in(&innerPlan(plan), inner, p);
	switch (nodeTag(plan))
	{
		case T_Append:
			place_in_list(((Append *) plan)->appendplans, all_rows, p);
			break;
		case T_MergeAppend:
			place_in_list(((MergeAppend *) plan)->mergeplans, all_rows, p);
			break;
		case T_Agg:
			place_under_aggregate((Agg *) plan, p);
			break;
		case T_SubqueryScan:
			place_in(&((SubqueryScan *) plan)->subplan, all_rows, p);
			/* FALLTHROUGH */
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_FunctionScan:
		case T_CteScan:
		case T_NestLoop:
		case T_HashJoin:
		case T_MergeJoin:
			if (all_rows)
				place_over(link, p);
			break;
		default:
			break;
	}
}

/* Plans of subqueries are asked for as many rows as it takes. */
static void
place_in_all(Placement *p, bool all_rows)
{
	place_in(&p->stmt->planTree, all_rows, p);
	place_in_list(p->stmt->subplans, false, p);
}

/* Whether the statement is one whose rows may be read ahead at all. */
static bool
may_batch(const QueryDesc *query, int eflags)
{
	const PlannedStmt *stmt = query->plannedstmt;

	return mp_batch_setting != MP_BATCH_OFF && !IsParallelWorker() &&
		(stmt->commandType == CMD_SELECT || stmt->commandType == CMD_INSERT) &&
		!stmt->hasModifyingCTE && stmt->rowMarks == NIL &&
		(eflags & (EXEC_FLAG_REWIND | EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK)) == 0 &&
		/* calls are not counted where they are not made */
		pgstat_track_functions != TRACK_FUNC_ALL;
}

/* Whether all rows will be asked for, without a pause: a cursor's and some functions' may not be. */
static bool
asks_for_all(const QueryDesc *query)
{
	if (query->dest != NULL &&
		(query->dest->mydest == DestSPI || query->dest->mydest == DestSQLFunction))
		return false;
	/* a portal that is just being started: this statement is what it runs */
	return ActivePortal == NULL || ActivePortal->status == PORTAL_ACTIVE ||
		ActivePortal->name[0] == '\0' || !ActivePortal->visible;
}

/* The statement's plan with batch nodes, in the context; NULL: there is no place for one. */
static PlannedStmt *
batched(PlannedStmt *stmt, bool all_rows, MemoryContext context)
{
	Placement	p = {.stmt = stmt};
	MemoryContext old = MemoryContextSwitchTo(context);

	place_in_all(&p, all_rows);
	if (p.found)
	{
		p.stmt = copyObject(stmt);
		p.change = true;
		place_in_all(&p, all_rows);
	}
	MemoryContextSwitchTo(old);
	return p.found ? p.stmt : NULL;
}

static void
start_executor(QueryDesc *query, int eflags)
{
	MemoryContext context = NULL;
	PlannedStmt *stmt = NULL;

	if (may_batch(query, eflags))
	{
		context = AllocSetContextCreate(CurrentMemoryContext, "model_predict plan",
										ALLOCSET_SMALL_SIZES);
		stmt = batched(query->plannedstmt, asks_for_all(query), context);
		if (stmt != NULL)
			query->plannedstmt = stmt;
	}
	if (previous_start != NULL)
		previous_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if (stmt != NULL)
		MemoryContextSetParent(context, query->estate->es_query_cxt);
	else if (context != NULL)
		MemoryContextDelete(context);
}

void
mp_batch_plan_init(void)
{
	DefineCustomEnumVariable("model_predict.batch",
							 "Scores the rows of scans in batches.",
							 "\"auto\" does where a plan expects enough rows, \"always\" is for tests.",
							 &mp_batch_setting, MP_BATCH_AUTO, batch_options,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;
}
