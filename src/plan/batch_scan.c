/*
 * batch_scan.c: a plan node that scores the rows of its child in batches.
 *
 * A function scores a row when it is called. This node reads up to 512 rows
 * ahead, takes their features in the way the function does (callsite.c, source.c),
 * scores them all at once (core/batch.c: several times faster), and then gives
 * out one row after the other, its answers shaped by the function's own code
 * (predict.c). What else is needed of a row is copied until then. Where the
 * kernel has no batches for the model, rows are scored one by one.
 *
 * References are resolved at each batch's first row, so that a scan without rows
 * loads no model. All memory is the query's.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"

#include "core/batch/batch.h"
#include "glue/compat.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "model/cache.h"
#include "plan/batch_scan.h"
#include "score/callsite.h"

#define SCAN_NAME "ModelPredictBatch"

/*
 * As many rows are scored one by one, before the kernel for batches is set up: by
 * then it would have saved about what that takes (measured: 700 to 1,700 rows).
 */
#define FIRST_ROWS 1024
/*
 * Fewer rows at a scan's end are faster one by one: measured, 80 to 170. A batch
 * costs the same however few it has.
 */
#define LEAST_ROWS 128
/* Bytes of features in a batch, beyond which it has fewer rows. */
#define MOST_FEATURE_BYTES (8 * 1024 * 1024)
/* Bytes of columns that are kept, beyond which a batch ends: they may hold documents. */
#define MOST_KEPT_BYTES (8 * 1024 * 1024)

/* Where an argument of a call comes from: a column, an expression, or neither: a constant. */
typedef struct BatchArgument
{
	int			column;			/* of the child, from 1; 0: none */
	ExprState  *expression;
} BatchArgument;

typedef struct BatchCall
{
	const MpScorer *scorer;
	FmgrInfo	function;
	FunctionCallInfo fcinfo;
	BatchArgument *arguments;
	const MpModel *model;		/* what follows is for this one; pinned */
	MemoryContext context;		/* of what follows */
	MpBatch    *batch;			/* NULL: none yet, or the model has none */
	bool		tried;			/* to have one */
	uint64		rows;			/* so far */
	float	   *x;				/* [room][n_features] */
	float	   *margins;		/* [room][n_outputs] */
	float	   *prediction;		/* of one row */
	bool	   *answered;		/* [room]; false: the answer is null */
} BatchCall;

typedef struct BatchColumn
{
	int			number;			/* from 1 */
	int16		length;
	bool		by_value;
} BatchColumn;

typedef struct BatchScan
{
	CustomScanState custom;
	int			n_calls;
	BatchCall  *calls;
	int			n_kept;
	BatchColumn *kept;
	int			last_column;	/* of the child that anything needs */
	ExprContext *reading;		/* its memory is that of one row's arguments */
	MemoryContext rows;			/* values of kept columns of a batch */
	Datum	   *values;			/* [MP_BATCH_ROWS][n_kept] */
	bool	   *nulls;
	int			room;			/* rows in a batch */
	int			n;				/* of this batch */
	int			next;			/* to give out */
	bool		done;			/* the child has no more */
	uint64		batches;
} BatchScan;

static void
find_kept(BatchScan *scan, List *numbers, TupleDesc desc)
{
	ListCell   *cell;

	scan->kept = palloc(sizeof(BatchColumn) * Max(list_length(numbers), 1));
	foreach(cell, numbers)
	{
		BatchColumn *column = &scan->kept[scan->n_kept++];

		column->number = lfirst_int(cell);
		column->length = TupleDescAttr(desc, column->number - 1)->attlen;
		column->by_value = TupleDescAttr(desc, column->number - 1)->attbyval;
		scan->last_column = Max(scan->last_column, column->number);
	}
	scan->values = palloc(sizeof(Datum) * Max(scan->n_kept, 1) * MP_BATCH_ROWS);
	scan->nulls = palloc(sizeof(bool) * Max(scan->n_kept, 1) * MP_BATCH_ROWS);
}

/* The last of the child's columns that an expression needs. */
static bool
find_last_column(Node *node, void *last)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) && ((Var *) node)->varno == OUTER_VAR)
		*(int *) last = Max(*(int *) last, ((Var *) node)->varattno);
	return expression_tree_walker(node, find_last_column, last);
}

static void
init_argument(BatchScan *scan, BatchCall *call, int i, Expr *argument)
{
	NullableDatum *value = &call->fcinfo->args[i];

	value->isnull = true;
	value->value = (Datum) 0;
	if (IsA(argument, Const))
	{
		value->value = ((Const *) argument)->constvalue;
		value->isnull = ((Const *) argument)->constisnull;
	}
	else if (IsA(argument, Var) && ((Var *) argument)->varno == OUTER_VAR)
		call->arguments[i].column = ((Var *) argument)->varattno;
	else
		call->arguments[i].expression = ExecInitExpr(argument, &scan->custom.ss.ps);
}

/* As the executor does it for a call of a function, rights included. */
static void
init_call(BatchScan *scan, BatchCall *call, FuncExpr *expr)
{
	int			n = list_length(expr->args);
	AclResult	right = object_aclcheck(ProcedureRelationId, expr->funcid, GetUserId(), ACL_EXECUTE);
	ListCell   *cell;

	if (right != ACLCHECK_OK)
		aclcheck_error(right, OBJECT_FUNCTION, get_func_name(expr->funcid));
	InvokeFunctionExecuteHook(expr->funcid);
	fmgr_info(expr->funcid, &call->function);
	fmgr_info_set_expr((Node *) expr, &call->function);
	call->scorer = mp_scorer_of(call->function.fn_addr);
	if (call->scorer == NULL)
		elog(ERROR, "function %u does not score rows", expr->funcid);
	call->fcinfo = palloc0(SizeForFunctionCallInfo(n));
	InitFunctionCallInfoData(*call->fcinfo, &call->function, n, expr->inputcollid, NULL, NULL);
	call->arguments = palloc0(sizeof(BatchArgument) * n);
	foreach(cell, expr->args)
		init_argument(scan, call, foreach_current_index(cell), lfirst(cell));
	find_last_column((Node *) expr, &scan->last_column);
	call->context = AllocSetContextCreate(CurrentMemoryContext, "model_predict batch",
										  ALLOCSET_SMALL_SIZES);
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	BatchScan  *scan = (BatchScan *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	PlanState  *child = ExecInitNode(outerPlan(plan), estate, eflags);
	ListCell   *cell;

	outerPlanState(node) = child;
	/* columns that are not kept stay null, whoever copies the row */
	memset(node->ss.ss_ScanTupleSlot->tts_isnull, true,
		   node->ss.ss_ScanTupleSlot->tts_tupleDescriptor->natts);
	find_kept(scan, linitial(plan->custom_private), ExecGetResultType(child));
	scan->calls = palloc0(sizeof(BatchCall) * list_length(plan->custom_exprs));
	foreach(cell, plan->custom_exprs)
		init_call(scan, &scan->calls[scan->n_calls++], castNode(FuncExpr, lfirst(cell)));
	scan->reading = CreateExprContext(estate);
	scan->rows = AllocSetContextCreate(CurrentMemoryContext, "model_predict rows",
									   ALLOCSET_DEFAULT_SIZES);
}

/* Rows that a batch of this model can have. */
static int
room_for(const MpModel *model)
{
	Size		row = sizeof(float) * Max(model->forest->n_features, model->forest->n_outputs);

	return Max(1, Min(MP_BATCH_ROWS, MOST_FEATURE_BYTES / Max(row, 1)));
}

static void
let_go(void *model)
{
	mp_cache_unpin(model);
}

/* Until the context is reset, whatever the call site holds meanwhile. */
static void
hold(BatchCall *call, const MpModel *model)
{
	MemoryContextCallback *callback = MemoryContextAlloc(call->context, sizeof(MemoryContextCallback));

	callback->func = let_go;
	callback->arg = unconstify(MpModel *, model);
	MemoryContextRegisterResetCallback(call->context, callback);
	mp_cache_pin(model);
}

static void
make_room(BatchCall *call, const MpModel *model)
{
	Size		n = room_for(model);

	call->model = NULL;
	call->batch = NULL;
	call->tried = false;
	call->rows = 0;
	MemoryContextReset(call->context);
	hold(call, model);
	call->x = MemoryContextAlloc(call->context, sizeof(float) * n * Max(model->forest->n_features, 1));
	call->margins = MemoryContextAlloc(call->context, sizeof(float) * n * model->forest->n_outputs);
	call->prediction = MemoryContextAlloc(call->context, sizeof(float) * (model->forest->n_outputs + 1));
	call->answered = MemoryContextAlloc(call->context, sizeof(bool) * n);
	call->model = model;
}

static void
keep_columns(BatchScan *scan, TupleTableSlot *slot, int row)
{
	Datum	   *values = scan->values + (Size) row * scan->n_kept;
	bool	   *nulls = scan->nulls + (Size) row * scan->n_kept;
	MemoryContext old = MemoryContextSwitchTo(scan->rows);

	for (int i = 0; i < scan->n_kept; i++)
	{
		const BatchColumn *column = &scan->kept[i];
		Datum		value = slot->tts_values[column->number - 1];

		nulls[i] = slot->tts_isnull[column->number - 1];
		values[i] = nulls[i] || column->by_value ? value : datumCopy(value, false, column->length);
	}
	MemoryContextSwitchTo(old);
}

static void
set_arguments(BatchScan *scan, BatchCall *call, const TupleTableSlot *slot)
{
	FunctionCallInfo fcinfo = call->fcinfo;

	for (int i = 0; i < fcinfo->nargs; i++)
	{
		const BatchArgument *argument = &call->arguments[i];
		NullableDatum *value = &fcinfo->args[i];

		if (argument->column > 0)
		{
			value->value = slot->tts_values[argument->column - 1];
			value->isnull = slot->tts_isnull[argument->column - 1];
		}
		else if (argument->expression != NULL)
			value->value = ExecEvalExpr(argument->expression, scan->reading, &value->isnull);
	}
}

/* Of a batch's first row: which version will score the batch. */
static void
resolve(BatchScan *scan, BatchCall *call)
{
	MpCallSite *site = mp_callsite_get(call->fcinfo, call->scorer->first);

	if (call->model != site->model)
		make_room(call, site->model);
	scan->room = Min(scan->room, room_for(call->model));
}

/* A row of the batch, whose vectors lie in the batch's. */
static MpRow
row_of(const BatchCall *call, int row)
{
	const MpForest *forest = call->model->forest;

	return (MpRow) {
		.model = call->model,
		.x = call->x + (Size) row * forest->n_features,
		.margin = call->margins + (Size) row * forest->n_outputs,
		.prediction = call->prediction
	};
}

static void
read_features(BatchScan *scan, BatchCall *call, const TupleTableSlot *slot, int number)
{
	MpCallSite *site;
	MpRow		row;

	set_arguments(scan, call, slot);
	if (number == 0)
		resolve(scan, call);
	site = call->function.fn_extra;
	row = row_of(call, number);
	call->answered[number] = mp_row_read(site->form, call->fcinfo, &row);
	if (!call->answered[number])
		memset(row.x, 0, sizeof(float) * call->model->forest->n_features);
}

static void
read_row(BatchScan *scan, TupleTableSlot *slot, int row)
{
	MemoryContext old;

	slot_getsomeattrs(slot, scan->last_column);
	if (row == 0)
		scan->room = MP_BATCH_ROWS;
	keep_columns(scan, slot, row);
	ResetExprContext(scan->reading);
	scan->reading->ecxt_outertuple = slot;
	old = MemoryContextSwitchTo(scan->reading->ecxt_per_tuple_memory);
	for (int i = 0; i < scan->n_calls; i++)
		read_features(scan, &scan->calls[i], slot, row);
	MemoryContextSwitchTo(old);
}

static void
open_batch(BatchCall *call)
{
	MpError		error;

	call->tried = true;
	call->batch = mp_batch_open(mp_alloc_context(call->context), call->model->kernel, &error);
	if (call->batch == NULL && error.code != MP_OK)
		mp_throw(&error, call->model->name, call->model->version);
}

static void
score_one_by_one(BatchCall *call, int n)
{
	for (int number = 0; number < n; number++)
	{
		MpRow		row = row_of(call, number);

		if (call->answered[number])
			mp_score_margin(&row);
	}
}

/* Whether it is faster to score these rows at once. */
static bool
is_worth_it(const BatchCall *call, int n)
{
	if (mp_score_other_engine != NULL)
		return false;
	if (mp_batch_setting == MP_BATCH_ALWAYS)
		return true;
	/* in plain C the kernel for one row is faster */
	return n >= LEAST_ROWS && call->rows >= FIRST_ROWS &&
		mp_kernel_kind(call->model->kernel) != MP_KERNEL_PORTABLE;
}

static void
score_rows(BatchCall *call, int n)
{
	bool		at_once = is_worth_it(call, n);

	call->rows += n;
	if (at_once && !call->tried)
		open_batch(call);
	if (!at_once || call->batch == NULL)
	{
		score_one_by_one(call, n);
		return;
	}
	mp_batch_margin(call->batch, call->x, n, call->margins);
	for (int row = 0; row < n; row++)
		call->model->state->rows += call->answered[row];
	CHECK_FOR_INTERRUPTS();
}

/* The next batch: one row or more, unless the child is at its end. */
static void
fill(BatchScan *scan)
{
	scan->n = 0;
	scan->next = 0;
	MemoryContextReset(scan->rows);
	do
	{
		TupleTableSlot *slot = ExecProcNode(outerPlanState(scan));

		scan->done = TupIsNull(slot);
		if (scan->done)
			break;
		read_row(scan, slot, scan->n++);
	} while (scan->n < scan->room && MemoryContextMemAllocated(scan->rows, false) < MOST_KEPT_BYTES);
	for (int i = 0; i < scan->n_calls && scan->n > 0; i++)
		score_rows(&scan->calls[i], scan->n);
	scan->batches += scan->n > 0;
}

static Datum
answer(BatchCall *call, int number, bool *isnull)
{
	MpRow		row = row_of(call, number);
	Datum		value;

	*isnull = true;
	if (!call->answered[number])
		return (Datum) 0;
	call->fcinfo->isnull = false;
	value = call->scorer->answer(&row, call->fcinfo);
	*isnull = call->fcinfo->isnull;
	return value;
}

/* The other columns of the slot stay null, as they were made. */
static void
give_row(BatchScan *scan, TupleTableSlot *slot, int row)
{
	Datum	   *values = scan->values + (Size) row * scan->n_kept;
	bool	   *nulls = scan->nulls + (Size) row * scan->n_kept;
	int			first = slot->tts_tupleDescriptor->natts - scan->n_calls;
	MemoryContext old;

	ExecClearTuple(slot);
	for (int i = 0; i < scan->n_kept; i++)
	{
		slot->tts_values[scan->kept[i].number - 1] = values[i];
		slot->tts_isnull[scan->kept[i].number - 1] = nulls[i];
	}
	old = MemoryContextSwitchTo(scan->custom.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
	for (int i = 0; i < scan->n_calls; i++)
		slot->tts_values[first + i] = answer(&scan->calls[i], row, &slot->tts_isnull[first + i]);
	MemoryContextSwitchTo(old);
	ExecStoreVirtualTuple(slot);
}

static TupleTableSlot *
next_row(ScanState *node)
{
	BatchScan  *scan = (BatchScan *) node;
	TupleTableSlot *slot = node->ss_ScanTupleSlot;

	if (scan->next == scan->n && !scan->done)
		fill(scan);
	if (scan->next == scan->n)
		return ExecClearTuple(slot);
	give_row(scan, slot, scan->next++);
	return slot;
}

/* Never asked: no such node is in a plan that checks rows again. */
static bool
recheck_row(ScanState *node, TupleTableSlot *slot)
{
	return true;
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	return ExecScan(&node->ss, next_row, recheck_row);
}

static void
end_scan(CustomScanState *node)
{
	ExecEndNode(outerPlanState(node));
}

static void
rescan(CustomScanState *node)
{
	BatchScan  *scan = (BatchScan *) node;

	scan->n = 0;
	scan->next = 0;
	scan->done = false;
	ExecScanReScan(&node->ss);
	/* a child whose parameters have changed is started again at its next row */
	if (outerPlanState(node)->chgParam == NULL)
		ExecReScan(outerPlanState(node));
}

static void
explain_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	BatchScan  *scan = (BatchScan *) node;
	const CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);
	List	   *models = NIL;
	ListCell   *cell;

	foreach(cell, plan->custom_exprs)
		models = lappend(models, deparse_expression(linitial(((FuncExpr *) lfirst(cell))->args),
													context, false, false));
	ExplainPropertyList("Models", models, es);
	if (es->analyze)
		ExplainPropertyUInteger("Batches", NULL, scan->batches, es);
}

static const CustomExecMethods exec_methods = {
	.CustomName = SCAN_NAME,
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain_scan
};

static Node *
create_state(CustomScan *plan)
{
	BatchScan  *scan = palloc0(sizeof(BatchScan));

	NodeSetTag(scan, T_CustomScanState);
	scan->custom.methods = &exec_methods;
	return (Node *) scan;
}

static const CustomScanMethods scan_methods = {SCAN_NAME, create_state};

/* Processes that share a plan know the node by its name. */
void
mp_batch_scan_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
}

CustomScan *
mp_batch_scan_make(Plan *child, List *calls, Bitmapset *kept)
{
	CustomScan *node = makeNode(CustomScan);
	List	   *columns = NIL;
	List	   *numbers = NIL;
	ListCell   *cell;

	foreach(cell, child->targetlist)
	{
		TargetEntry *entry = lfirst(cell);

		columns = lappend(columns, makeTargetEntry((Expr *) makeVarFromTargetEntry(OUTER_VAR, entry),
												   list_length(columns) + 1, entry->resname, false));
	}
	foreach(cell, calls)
		columns = lappend(columns, makeTargetEntry(lfirst(cell), list_length(columns) + 1, NULL, false));
	for (int number = -1; (number = bms_next_member(kept, number)) >= 0;)
		numbers = lappend_int(numbers, number);
	node->scan.plan.lefttree = child;
	node->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	node->custom_exprs = calls;
	node->custom_private = list_make1(numbers);
	node->custom_scan_tlist = columns;
	node->methods = &scan_methods;
	return node;
}
