/*
 * batch_scan.c: a plan node that scores the rows of its child in batches.
 *
 * A function scores a row when it is called. This node reads up to 512 rows
 * ahead, takes their features in the way the function does (callsite.c, source.c),
 * scores them all at once (core/batch: several times faster), and then gives
 * out one row after the other with its answers.
 *
 * It begins with rows as they are, in which the functions are called as if the
 * node were not there: a scan of a few rows costs no more with it, and the first
 * row is all that it may read (see reach.c). It goes on like that where it must
 * not read ahead (see rows_ahead), and for a row that cannot be scored: such a
 * row ends the batch, and the function's own call tells what is wrong with it,
 * if it is called at all.
 *
 * A batch's rows are sorted by the models that they name. What batches need is
 * allocated with the first one, and released when the child has no more rows.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "common/int.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"

#include "core/batch/batch.h"
#include "glue/compat.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "model/cache.h"
#include "plan/batch_scan.h"
#include "plan/run.h"
#include "score/answer.h"
#include "score/callsite.h"
#include "store/lookup.h"
#include "score/score.h"

#define SCAN_NAME "ModelPredictBatch"

/* Rows of a scan, before the first that is read ahead: fewer gain nothing, see below. */
#define LONE_ROWS 256
/*
 * As many rows a session scores one by one with a model, before the kernel for
 * batches is set up: by then it would have saved about what that takes (measured: 700
 * to 1,700 rows).
 */
#define FIRST_ROWS 1024
/*
 * Fewer rows at a scan's end are faster one by one: measured, 80 to 170. A batch
 * costs the same however few it has.
 */
#define LEAST_ROWS 128
/* Bytes of features in a batch, beyond which it has fewer rows. */
#define MOST_FEATURE_BYTES (8 * 1024 * 1024)
/* Rows of a batch for each model that it has, where they are more than one kernel takes, and of all. */
#define ROWS_PER_MODEL 256
#define MOST_ROWS 16384
/* Bytes of columns that are kept, beyond which a batch ends: they may hold documents. */
#define MOST_KEPT_BYTES (8 * 1024 * 1024)

/* Bytes of values that a batch may have without being slower. */
#define CACHED_BYTES (256 * 1024)
/* Pages of a batch that are pinned, instead of copying their rows. */
#define MOST_PAGES 128

/* What custom_private holds. */
enum
{
	PRIVATE_KEPT,				/* numbers of columns */
	PRIVATE_SURE,				/* MpReach */
	PRIVATE_LIMITS,
	PRIVATE_GUARDS,				/* of each call */
	PRIVATE_TARGET,				/* MpBatchSpec */
	PRIVATE_CONDITIONS
};

/* Where an argument of a call comes from: a column, an expression, or neither: a constant. */
typedef struct BatchArgument
{
	int			column;			/* of the child, from 1; 0: none */
	ExprState  *expression;
} BatchArgument;

/* Rows of a batch that one model scores. */
typedef struct BatchGroup
{
	const MpModel *model;		/* pinned */
	int			n;
	int			room;
	char	   *features;		/* [room][n_features]: floats, or where the model is wide doubles */
	double	   *margins;		/* [room][n_outputs] */
	double	   *final;			/* of one row, as the next two */
	float	   *narrow;
	MpSlot	   *slots;
} BatchGroup;

/* Where a row of the batch is. */
typedef struct BatchPlace
{
	BatchGroup *group;			/* NULL: the answer is null */
	int			number;			/* in the group */
} BatchPlace;

typedef struct BatchCall
{
	const MpAnswer *answer;
	FmgrInfo	function;
	FunctionCallInfo fcinfo;
	BatchArgument *arguments;
	ExprState  *guard;			/* NULL: the call is made for every row */
	BatchPlace *places;			/* [room] */
	bool		names_one;			/* the reference is the same for all rows */
	MemoryContext context;		/* of what follows: the batch's, or kept for the next one */
	int			n_groups;
	BatchGroup **groups;
	int			group_room;
	BatchGroup *recent[64];		/* by their models' addresses: where to look first */
} BatchCall;

typedef struct BatchColumn
{
	int			number;			/* from 1 */
	int16		length;
	bool		by_value;
} BatchColumn;

/* What is needed to read ahead, while a scan lasts. */
typedef struct Ahead
{
	MemoryContext context;		/* of all this */
	int			n_calls;
	BatchCall  *calls;
	int			n_kept;
	BatchColumn *kept;
	ExprContext *reading;		/* its memory is that of one row's arguments */
	MemoryContext rows;			/* values of kept columns of a batch, or else */
	int			n_pages;
	Buffer		pages[MOST_PAGES];	/* that hold them, pinned */
	int			width;			/* columns of the node's rows */
	Datum	   *values;			/* [room][width]: the slot that gives a row out points here */
	bool	   *nulls;
	int			room;			/* for rows; grows where the batch is to be larger */
	int			most;			/* rows in this batch, as it looks so far */
	bool		own_expressions;	/* which need no column that is not kept to be null */
	int			last_column;
	int			n;				/* of this batch */
	int			next;			/* to give out */
	enum
	{
		ELSEWHERE,
		RESOLVING,
		READING_ROW
	}			place;			/* of an error */
} Ahead;

typedef struct BatchScan
{
	CustomScanState custom;
	bool		forward;		/* the scan is never asked to go back */
	int			n_columns;		/* of the child */
	int			last_column;	/* that anything needs */
	int			sure;			/* MP_REACH_... */
	int64		limit;			/* rows that are sure in any case; -1: not known yet */
	uint64		run;			/* number of the executor's last run */
	int64		given_before;	/* rows in runs before that one */
	int64		given;			/* rows since the scan began */
	TupleTableSlot *pending;	/* a row of the child that is not in the batch; NULL: none */
	bool		done;			/* the child has no more */
	Datum	   *values;			/* of the slot for rows as they are */
	bool	   *nulls;
	/* made with the first batch, however many scans there are */
	ExprContext *reading;		/* NULL: not yet */
	ExprState  *conditions;		/* for rows with answers */
	ProjectionInfo *projection;
	Ahead	   *ahead;			/* NULL: nothing was read ahead */
} BatchScan;

static const CustomScan *
plan_of(const BatchScan *scan)
{
	return (const CustomScan *) scan->custom.ss.ps.plan;
}

static void *
private_of(const BatchScan *scan, int item)
{
	return list_nth(plan_of(scan)->custom_private, item);
}

static void
find_kept(Ahead *ahead, List *numbers, TupleDesc desc)
{
	ListCell   *cell;

	ahead->kept = palloc(sizeof(BatchColumn) * Max(list_length(numbers), 1));
	foreach(cell, numbers)
	{
		BatchColumn *column = &ahead->kept[ahead->n_kept++];

		column->number = lfirst_int(cell);
		column->length = TupleDescAttr(desc, column->number - 1)->attlen;
		column->by_value = TupleDescAttr(desc, column->number - 1)->attbyval;
	}
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

static bool
contains_column(Node *node, void *context)
{
	return node != NULL && (IsA(node, Var) || expression_tree_walker(node, contains_column, context));
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

/* As the executor does it for a call of a function; it has checked the right to it where the call is. */
static void
init_call(BatchScan *scan, BatchCall *call, FuncExpr *expr, Expr *guard)
{
	int			n = list_length(expr->args);
	ListCell   *cell;

	fmgr_info(expr->funcid, &call->function);
	fmgr_info_set_expr((Node *) expr, &call->function);
	call->answer = mp_answer_of(call->function.fn_addr);
	if (call->answer == NULL)
		elog(ERROR, "function %u does not score rows", expr->funcid);
	call->fcinfo = palloc0(SizeForFunctionCallInfo(n));
	InitFunctionCallInfoData(*call->fcinfo, &call->function, n, expr->inputcollid, NULL, NULL);
	call->arguments = palloc0(sizeof(BatchArgument) * n);
	foreach(cell, expr->args)
		init_argument(scan, call, foreach_current_index(cell), lfirst(cell));
	call->names_one = call->arguments[0].column == 0 &&
		!contains_column(linitial(expr->args), NULL);
	if (guard != NULL)
		call->guard = ExecInitQual(list_make1(guard), &scan->custom.ss.ps);
	call->places = palloc(sizeof(BatchPlace) * MP_BATCH_ROWS);
	call->context = AllocSetContextCreate(CurrentMemoryContext, "model_predict features",
										  ALLOCSET_DEFAULT_SIZES);
}

/* Whether it makes the rows that its place in the plan asks for, which may have no column, or hands answers up. */
static bool
has_own_expressions(const BatchScan *scan)
{
	return private_of(scan, PRIVATE_TARGET) != NIL || private_of(scan, PRIVATE_CONDITIONS) != NIL;
}

/* What may refer to subplans, which the query knows of, must live as long as it. */
static void
init_expressions(BatchScan *scan)
{
	CustomScanState *node = &scan->custom;
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	List	   *target = private_of(scan, PRIVATE_TARGET);

	scan->conditions = node->ss.ps.qual;
	scan->projection = node->ss.ps.ps_ProjInfo;
	if (has_own_expressions(scan))
	{
		scan->conditions = ExecInitQual(private_of(scan, PRIVATE_CONDITIONS), &node->ss.ps);
		scan->projection = ExecBuildProjectionInfo(target, node->ss.ps.ps_ExprContext,
												   node->ss.ps.ps_ResultTupleSlot, &node->ss.ps,
												   node->ss.ss_ScanTupleSlot->tts_tupleDescriptor);
	}
	scan->reading = CreateExprContext(node->ss.ps.state);
	MemoryContextSwitchTo(old);
}

/* What lasts as long as the scan. */
static void
begin_ahead(BatchScan *scan)
{
	CustomScanState *node = &scan->custom;
	const CustomScan *plan = plan_of(scan);
	EState	   *estate = node->ss.ps.state;
	MemoryContext context = AllocSetContextCreate(estate->es_query_cxt, "model_predict scan",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Ahead	   *ahead = palloc0(sizeof(Ahead));
	ListCell   *call;
	ListCell   *guard;

	if (scan->reading == NULL)
		init_expressions(scan);
	ahead->context = context;
	find_kept(ahead, private_of(scan, PRIVATE_KEPT), ExecGetResultType(outerPlanState(node)));
	ahead->calls = palloc0(sizeof(BatchCall) * list_length(plan->custom_exprs));
	forboth(call, plan->custom_exprs, guard, private_of(scan, PRIVATE_GUARDS))
		init_call(scan, &ahead->calls[ahead->n_calls++], castNode(FuncExpr, lfirst(call)), lfirst(guard));
	ahead->room = MP_BATCH_ROWS;
	ahead->width = scan->n_columns + ahead->n_calls + 1;
	ahead->values = MemoryContextAllocHuge(context, sizeof(Datum) * ahead->width * ahead->room);
	ahead->nulls = MemoryContextAllocHuge(context, sizeof(bool) * ahead->width * ahead->room);
	ahead->own_expressions = has_own_expressions(scan);
	ahead->last_column = scan->last_column;
	ahead->rows = AllocSetContextCreate(context, "model_predict rows", ALLOCSET_DEFAULT_SIZES);
	ahead->reading = scan->reading;
	MemoryContextSwitchTo(old);
	scan->ahead = ahead;
}

static void
unpin_pages(Ahead *ahead)
{
	while (ahead->n_pages > 0)
		ReleaseBuffer(ahead->pages[--ahead->n_pages]);
}

static void
end_ahead(BatchScan *scan)
{
	if (scan->ahead == NULL)
		return;
	unpin_pages(scan->ahead);
	/* whoever has the slot must find nothing there */
	ExecClearTuple(scan->custom.ss.ss_ScanTupleSlot);
	scan->custom.ss.ss_ScanTupleSlot->tts_values = scan->values;
	scan->custom.ss.ss_ScanTupleSlot->tts_isnull = scan->nulls;
	MemoryContextDelete(scan->ahead->context);
	scan->ahead = NULL;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	BatchScan  *scan = (BatchScan *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	List	   *kept = private_of(scan, PRIVATE_KEPT);

	outerPlanState(node) = ExecInitNode(outerPlan(plan), estate, eflags);
	scan->forward = (eflags & (EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK)) == 0;
	scan->n_columns = list_length(outerPlan(plan)->targetlist);
	find_last_column((Node *) plan->custom_exprs, &scan->last_column);
	if (kept != NIL)
		scan->last_column = Max(scan->last_column, llast_int(kept));
	scan->sure = intVal(private_of(scan, PRIVATE_SURE));
	scan->limit = -1;
	scan->values = node->ss.ss_ScanTupleSlot->tts_values;
	scan->nulls = node->ss.ss_ScanTupleSlot->tts_isnull;
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

static BatchGroup *
add_group(BatchCall *call, const MpModel *model)
{
	MemoryContext old = MemoryContextSwitchTo(call->context);
	BatchGroup *group = palloc0(sizeof(BatchGroup));

	hold(call, model);
	group->model = model;
	group->narrow = palloc(sizeof(float) * (model->forest->n_outputs + 1));
	group->final = palloc(sizeof(double) * (model->forest->n_outputs + 1));
	if (model->steps != NULL)
		group->slots = MemoryContextAllocHuge(call->context, sizeof(MpSlot) * model->steps->n_slots);
	if (call->n_groups == call->group_room)
	{
		call->group_room = Max(2 * call->group_room, 8);
		call->groups = call->groups == NULL ? palloc(sizeof(BatchGroup *) * call->group_room) :
			repalloc(call->groups, sizeof(BatchGroup *) * call->group_room);
	}
	call->groups[call->n_groups++] = group;
	MemoryContextSwitchTo(old);
	return group;
}

static BatchGroup *
group_of(BatchCall *call, const MpModel *model)
{
	BatchGroup **recent = &call->recent[((uintptr_t) model >> 6) % lengthof(call->recent)];

	if (*recent != NULL && (*recent)->model == model)
		return *recent;
	for (int i = call->n_groups - 1; i >= 0; i--)
		if (call->groups[i]->model == model)
			return *recent = call->groups[i];
	return *recent = add_group(call, model);
}

/* Bytes of the features of a row. */
static Size
feature_bytes(const MpModel *model)
{
	return (model->wide ? sizeof(double) : sizeof(float)) * model->forest->n_features;
}

static int
rows_that_fit(const MpModel *model)
{
	Size		row = feature_bytes(model) + sizeof(double) * model->forest->n_outputs;

	return Max(1, Min(MOST_ROWS, MOST_FEATURE_BYTES / Max(row, 1)));
}

static void *
enlarge(void *old, MemoryContext context, Size size)
{
	if (old != NULL)
		return repalloc_huge(old, size);
	return MemoryContextAllocHuge(context, size);
}

static void
make_room(BatchCall *call, BatchGroup *group)
{
	const MpForest *forest = group->model->forest;

	if (group->n < group->room)
		return;
	if (group->room == 0)
		group->room = call->names_one ? Min(MP_BATCH_ROWS, rows_that_fit(group->model)) : 64;
	else
		group->room *= 2;
	group->features = enlarge(group->features, call->context, group->room * Max(feature_bytes(group->model), 1));
	group->margins = enlarge(group->margins, call->context, sizeof(double) * group->room * forest->n_outputs);
}

/* Room for another row of the batch. */
static void
make_row_room(Ahead *ahead)
{
	if (ahead->n < ahead->room)
		return;
	ahead->values = repalloc_huge(ahead->values, sizeof(Datum) * ahead->width * ahead->room * 2);
	ahead->nulls = repalloc_huge(ahead->nulls, sizeof(bool) * ahead->width * ahead->room * 2);
	for (int i = 0; i < ahead->n_calls; i++)
		ahead->calls[i].places = repalloc_huge(ahead->calls[i].places, sizeof(BatchPlace) * ahead->room * 2);
	ahead->room *= 2;
}

/* Whether the row's values will stay where they are: on a page that is pinned until the next batch. */
static bool
pin_page(Ahead *ahead, TupleTableSlot *slot)
{
	Buffer		page;

	if (!TTS_IS_BUFFERTUPLE(slot))
		return false;
	page = ((BufferHeapTupleTableSlot *) slot)->buffer;
	if (!BufferIsValid(page))
		return false;
	if (ahead->n_pages > 0 && ahead->pages[ahead->n_pages - 1] == page)
		return true;
	if (ahead->n_pages >= Min(MOST_PAGES, NBuffers / MaxBackends / 2))
		return false;
	IncrBufferRefCount(page);
	ahead->pages[ahead->n_pages++] = page;
	return true;
}

static void
copy_columns(Ahead *ahead, TupleTableSlot *slot, Datum *values, bool *nulls, bool stays)
{
	MemoryContext old = MemoryContextSwitchTo(ahead->rows);

	/* columns that are not kept are null, whoever copies the row */
	memset(nulls, true, ahead->width);
	for (int i = 0; i < ahead->n_kept; i++)
	{
		const BatchColumn *column = &ahead->kept[i];
		int			at = column->number - 1;

		nulls[at] = slot->tts_isnull[at];
		values[at] = nulls[at] || column->by_value || stays ? slot->tts_values[at] :
			datumCopy(slot->tts_values[at], false, column->length);
	}
	MemoryContextSwitchTo(old);
}

static void
keep_columns(Ahead *ahead, TupleTableSlot *slot, int row)
{
	Datum	   *values = ahead->values + (Size) row * ahead->width;
	bool	   *nulls = ahead->nulls + (Size) row * ahead->width;
	bool		stays = ahead->n_kept > 0 && pin_page(ahead, slot);

	if (!stays || !ahead->own_expressions)
	{
		copy_columns(ahead, slot, values, nulls, stays);
		return;
	}
	memcpy(values, slot->tts_values, sizeof(Datum) * ahead->last_column);
	memcpy(nulls, slot->tts_isnull, sizeof(bool) * ahead->last_column);
}

static void
set_arguments(Ahead *ahead, BatchCall *call, const TupleTableSlot *slot)
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
			value->value = ExecEvalExpr(argument->expression, ahead->reading, &value->isnull);
	}
}

/* A row of a group, whose vectors lie in the group's. */
static MpRow
row_of(const BatchGroup *group, int number)
{
	char	   *features = group->features + number * feature_bytes(group->model);

	return (MpRow) {
		.model = group->model,
		.x = (float *) features,
		.wide = (double *) features,
		.margin = group->margins + (Size) number * group->model->forest->n_outputs,
		.answer = group->final,
		.narrow = group->narrow,
		.slots = group->slots
	};
}

/* What its rows may take, and how many are worth reading for its models. */
static void
limit_batch(Ahead *ahead, const BatchCall *call, const BatchGroup *group)
{
	ahead->most = Max(ahead->most, Min(ROWS_PER_MODEL * call->n_groups, MOST_ROWS));
	ahead->most = Min(ahead->most, rows_that_fit(group->model));
}

static void
forget_groups(BatchCall *call)
{
	call->n_groups = 0;
	call->group_room = 0;
	call->groups = NULL;
	memset(call->recent, 0, sizeof(call->recent));
	MemoryContextReset(call->context);
}

static BatchGroup *
resolve(Ahead *ahead, BatchCall *call)
{
	MpCallSite *site;
	BatchGroup *group;

	/* the model that a batch begins with goes on */
	if (call->names_one && call->n_groups > 0 && call->groups[0]->n > 0)
	{
		make_room(call, call->groups[0]);
		return call->groups[0];
	}
	ahead->place = RESOLVING;
	site = mp_callsite_get(call->fcinfo, mp_answer_first(call->answer));
	ahead->place = ELSEWHERE;
	if (call->names_one && call->n_groups > 0 && call->groups[0]->model != site->model)
		forget_groups(call);
	group = group_of(call, site->model);
	make_room(call, group);
	limit_batch(ahead, call, group);
	return group;
}

static bool
read_features(Ahead *ahead, BatchCall *call, MpRow *row)
{
	MpCallSite *site = call->function.fn_extra;
	PgStat_FunctionCallUsage usage;
	bool		complete;

	pgstat_init_function_usage(call->fcinfo, &usage);
	ahead->place = READING_ROW;
	complete = mp_row_read(site->source, call->fcinfo, row);
	ahead->place = ELSEWHERE;
	pgstat_end_function_usage(&usage, false);
	return complete;
}

static void
read_call(Ahead *ahead, BatchCall *call, const TupleTableSlot *slot)
{
	BatchPlace *place = &call->places[ahead->n];
	BatchGroup *group;
	MpRow		row;

	place->group = NULL;
	if (call->guard != NULL && !ExecQual(call->guard, ahead->reading))
		return;
	set_arguments(ahead, call, slot);
	group = resolve(ahead, call);
	row = row_of(group, group->n);
	if (!read_features(ahead, call, &row))
		return;
	place->group = group;
	place->number = group->n++;
}

/* The next row of the batch. */
static void
read_row(Ahead *ahead, TupleTableSlot *slot)
{
	MemoryContext old;

	make_row_room(ahead);
	keep_columns(ahead, slot, ahead->n);
	ResetExprContext(ahead->reading);
	ahead->reading->ecxt_outertuple = slot;
	old = MemoryContextSwitchTo(ahead->reading->ecxt_per_tuple_memory);
	for (int i = 0; i < ahead->n_calls; i++)
		read_call(ahead, &ahead->calls[i], slot);
	MemoryContextSwitchTo(old);
}

/* The batch's kernel, where it is faster to score these rows at once. */
static MpBatch *
batch_for(const BatchGroup *group)
{
	if (mp_score_other_engine != NULL)
		return NULL;
	if (mp_batch_setting != MP_BATCH_ALWAYS &&
		(group->n < LEAST_ROWS || group->model->state->rows < FIRST_ROWS))
		return NULL;
	return mp_cache_batch(group->model);
}

/* Margins of n rows from that one on; single ones go where they can be widened in place. */
static void
score_chunk(BatchGroup *group, MpBatch *batch, int first, int n)
{
	Size		numbers = (Size) n * group->model->forest->n_outputs;
	double	   *margins = group->margins + (Size) first * group->model->forest->n_outputs;
	char	   *features = group->features + first * feature_bytes(group->model);

	if (group->model->wide)
		mp_batch_margin(batch, features, n, margins);
	else
	{
		mp_batch_margin(batch, features, n, (float *) margins + numbers);
		mp_row_widen(margins, numbers);
	}
}

static void
score_group(BatchGroup *group)
{
	MpBatch    *batch = batch_for(group);

	for (int done = 0; batch != NULL && done < group->n; done += MP_BATCH_ROWS)
	{
		score_chunk(group, batch, done, Min(group->n - done, MP_BATCH_ROWS));
		CHECK_FOR_INTERRUPTS();
	}
	for (int number = 0; batch == NULL && number < group->n; number++)
	{
		MpRow		row = row_of(group, number);

		mp_score_margin(&row);
	}
	if (batch != NULL)
		group->model->state->rows += group->n;
}

/* Whether the error that was just caught is of one row: in its values, or in what it names as its model. */
static bool
is_of_row(const Ahead *ahead, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ErrorData  *error = CopyErrorData();
	bool		ours = error->elevel == ERROR && error->domain != NULL && strcmp(error->domain, TEXTDOMAIN) == 0;
	bool		unknown = error->sqlerrcode == ERRCODE_UNDEFINED_OBJECT ||
		error->sqlerrcode == ERRCODE_NULL_VALUE_NOT_ALLOWED || error->sqlerrcode == ERRCODE_INVALID_NAME;

	FreeErrorData(error);
	MemoryContextSwitchTo(old);
	return ours && (ahead->place == READING_ROW || (ahead->place == RESOLVING && unknown));
}

/* What the batch's rows take beside their features. */
static Size
bytes_of(const Ahead *ahead)
{
	return MemoryContextMemAllocated(ahead->rows, false);
}

/*
 * Reads rows into the batch until it is full or a row cannot be read, which is
 * then pending. Our own errors while a row's values are read, and those of a model
 * that is not there, hold nothing that would have to be released.
 */
static void
read_rows(BatchScan *scan, int64 most)
{
	Ahead	   *ahead = scan->ahead;
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		do
		{
			TupleTableSlot *slot = ExecProcNode(outerPlanState(scan));

			scan->done = TupIsNull(slot);
			if (scan->done)
				break;
			slot_getsomeattrs(slot, scan->last_column);
			scan->pending = slot;
			read_row(ahead, slot);
			scan->pending = NULL;
			ahead->n++;
		} while (ahead->n < ahead->most && ahead->n < most && bytes_of(ahead) < MOST_KEPT_BYTES);
	}
	PG_CATCH();
	{
		if (ahead->place == ELSEWHERE || !is_of_row(ahead, context))
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		ahead->place = ELSEWHERE;
	}
	PG_END_TRY();
}

/* Lets the last batch's rows and models go. */
static void
start_batch(Ahead *ahead)
{
	ahead->n = 0;
	ahead->next = 0;
	/* rows that leave the cache before they are given out are slower than calls */
	ahead->most = Max(LEAST_ROWS, Min(MP_BATCH_ROWS, CACHED_BYTES / (ahead->width * 9)));
	unpin_pages(ahead);
	MemoryContextReset(ahead->rows);
	for (int i = 0; i < ahead->n_calls; i++)
	{
		BatchCall  *call = &ahead->calls[i];

		if (call->names_one && call->n_groups > 0)
			call->groups[0]->n = 0;
		else
			forget_groups(call);
	}
}

/* The next batch; it is empty where the next row is pending, or the child is at its end. */
static void
fill(BatchScan *scan, int64 most)
{
	Ahead	   *ahead;

	if (scan->ahead == NULL)
		begin_ahead(scan);
	ahead = scan->ahead;
	start_batch(ahead);
	read_rows(scan, most);
	if (ahead->n == 0)
		return;
	for (int i = 0; i < ahead->n_calls; i++)
		for (int j = 0; j < ahead->calls[i].n_groups; j++)
			score_group(ahead->calls[i].groups[j]);
	InstrCountTuples2(scan, 1);
}

static Datum
answer(BatchCall *call, int number, bool *isnull)
{
	const BatchPlace *place = &call->places[number];
	PgStat_FunctionCallUsage usage;
	MpRow		row;
	Datum		value;

	*isnull = true;
	if (place->group == NULL)
		return (Datum) 0;
	row = row_of(place->group, place->number);
	pgstat_init_function_usage(call->fcinfo, &usage);
	call->fcinfo->isnull = false;
	value = mp_answer_call(call->answer, &row, call->fcinfo);
	*isnull = call->fcinfo->isnull;
	pgstat_end_function_usage(&usage, true);
	return value;
}

/* The next row of the batch, with answers. */
static TupleTableSlot *
answered_row(BatchScan *scan)
{
	Ahead	   *ahead = scan->ahead;
	int			row = ahead->next++;
	TupleTableSlot *slot = scan->custom.ss.ss_ScanTupleSlot;
	MemoryContext old;

	ExecClearTuple(slot);
	slot->tts_values = ahead->values + (Size) row * ahead->width;
	slot->tts_isnull = ahead->nulls + (Size) row * ahead->width;
	old = MemoryContextSwitchTo(scan->custom.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
	for (int i = 0; i < ahead->n_calls; i++)
		slot->tts_values[scan->n_columns + i] =
			answer(&ahead->calls[i], row, &slot->tts_isnull[scan->n_columns + i]);
	MemoryContextSwitchTo(old);
	slot->tts_values[scan->n_columns + ahead->n_calls] = BoolGetDatum(true);
	slot->tts_isnull[scan->n_columns + ahead->n_calls] = false;
	return ExecStoreVirtualTuple(slot);
}

/* A row of the child as it is, in which the functions are to be called. */
static TupleTableSlot *
plain_row(BatchScan *scan, TupleTableSlot *row)
{
	TupleTableSlot *slot = scan->custom.ss.ss_ScanTupleSlot;
	int			n_calls = list_length(plan_of(scan)->custom_exprs);

	slot_getsomeattrs(row, scan->last_column);
	/* the node's own expressions find the columns there; other nodes want the answers' columns, too */
	if (has_own_expressions(scan))
		return row;
	ExecClearTuple(slot);
	slot->tts_values = scan->values;
	slot->tts_isnull = scan->nulls;
	memset(slot->tts_isnull, true, scan->n_columns + n_calls);
	memcpy(slot->tts_values, row->tts_values, sizeof(Datum) * scan->last_column);
	memcpy(slot->tts_isnull, row->tts_isnull, sizeof(bool) * scan->last_column);
	slot->tts_values[scan->n_columns + n_calls] = BoolGetDatum(false);
	slot->tts_isnull[scan->n_columns + n_calls] = false;
	return ExecStoreVirtualTuple(slot);
}

static int64
value_of_limit(Expr *expression, BatchScan *scan, bool *isnull)
{
	*isnull = expression == NULL;
	if (expression == NULL)
		return 0;
	return DatumGetInt64(ExecEvalExprSwitchContext(ExecInitExpr(expression, &scan->custom.ss.ps),
												   scan->custom.ss.ps.ps_ExprContext, isnull));
}

/* The least that a LIMIT above lets through. */
static int64
find_limit(BatchScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(scan->custom.ss.ps.state->es_query_cxt);
	int64		least = PG_INT64_MAX;
	ListCell   *cell;

	foreach(cell, private_of(scan, PRIVATE_LIMITS))
	{
		bool		isnull;
		int64		count = value_of_limit(linitial(lfirst(cell)), scan, &isnull);
		bool		no_offset;
		int64		offset = value_of_limit(lsecond(lfirst(cell)), scan, &no_offset);
		int64		rows;

		/* a wrong value is an error of the LIMIT's */
		if (isnull || pg_add_s64_overflow(Max(count, 0), no_offset ? 0 : Max(offset, 0), &rows))
			continue;
		least = Min(least, rows);
	}
	MemoryContextSwitchTo(old);
	return least;
}

/* How many rows are sure to be asked for now; 1: just the next one. */
static int64
rows_ahead(BatchScan *scan)
{
	MpRun		run;
	int64		rows;

	if (!scan->forward || !mp_run_get(scan->custom.ss.ps.state, &run))
		return 1;
	if (run.number != scan->run)
	{
		scan->run = run.number;
		scan->given_before = scan->given;
	}
	if (mp_batch_setting == MP_BATCH_OFF ||
		scan->given < (mp_batch_setting == MP_BATCH_ALWAYS ? 1 : LONE_ROWS))
		return 1;
	if ((scan->sure & MP_REACH_ALL) || ((scan->sure & MP_REACH_TO_END) && run.count == 0))
		rows = PG_INT64_MAX;
	else if ((scan->sure & MP_REACH_BY_ROW) && run.count > 0)
		rows = (int64) Min(run.count, PG_INT64_MAX) - (scan->given - scan->given_before);
	else
		return 1;
	if (scan->limit < 0)
		scan->limit = find_limit(scan);
	return Min(rows, scan->limit - scan->given);
}

/* The next row, and whether it has answers; NULL: there is none. */
static TupleTableSlot *
next_row(BatchScan *scan, bool *answered)
{
	TupleTableSlot *row = NULL;
	int64		most = 0;

	*answered = scan->ahead != NULL && scan->ahead->next < scan->ahead->n;
	if (!*answered && scan->pending == NULL && !scan->done)
	{
		most = rows_ahead(scan);
		if (most > 1)
		{
			fill(scan, most);
			*answered = scan->ahead->n > 0;
		}
		else
			row = ExecProcNode(outerPlanState(scan));
	}
	if (*answered)
	{
		scan->given++;
		return answered_row(scan);
	}
	if (scan->pending != NULL)
		row = scan->pending;
	scan->pending = NULL;
	if (TupIsNull(row))
	{
		end_ahead(scan);
		return NULL;
	}
	scan->given++;
	return plain_row(scan, row);
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	BatchScan  *scan = (BatchScan *) node;
	ExprContext *context = node->ss.ps.ps_ExprContext;

	for (;;)
	{
		bool		answered;
		ExprState  *conditions = node->ss.ps.qual;
		ProjectionInfo *projection = node->ss.ps.ps_ProjInfo;

		ResetExprContext(context);
		context->ecxt_scantuple = next_row(scan, &answered);
		if (context->ecxt_scantuple == NULL)
			return ExecClearTuple(projection != NULL ? projection->pi_state.resultslot : node->ss.ss_ScanTupleSlot);
		if (answered)
		{
			conditions = scan->conditions;
			projection = scan->projection;
		}
		if (ExecQual(conditions, context))
			return projection != NULL ? ExecProject(projection) : context->ecxt_scantuple;
		InstrCountFiltered1(node, 1);
	}
}

static void
end_scan(CustomScanState *node)
{
	end_ahead((BatchScan *) node);
	ExecEndNode(outerPlanState(node));
}

static void
rescan(CustomScanState *node)
{
	BatchScan  *scan = (BatchScan *) node;

	end_ahead(scan);
	scan->given = 0;
	scan->given_before = 0;
	scan->pending = NULL;
	scan->done = false;
	ExecClearTuple(node->ss.ss_ScanTupleSlot);
	/* a child whose parameters have changed is started again at its next row */
	if (outerPlanState(node)->chgParam == NULL)
		ExecReScan(outerPlanState(node));
}

/* The version that a reference names for who asks; 0: none, or none that the role may use. */
static int32
version_of(const char *reference)
{
	MpReference ref;
	MpModelRow	model;
	int32		version;

	if (!ActiveSnapshotSet() || !mp_reference_try_parse(reference, &ref) ||
		!mp_lookup_find(ref.name, GetUserId(), GetActiveSnapshot(), &model))
		return 0;
	version = ref.version;
	if (ref.alias != NULL && !mp_lookup_alias(model.id, ref.alias, GetActiveSnapshot(), &version))
		return 0;
	return version;
}

static char *
describe_reference(Node *reference, List *context)
{
	char	   *shown = deparse_expression(reference, context, false, false);
	int32		version = 0;

	if (IsA(reference, Const) && !((Const *) reference)->constisnull)
		version = version_of(TextDatumGetCString(((Const *) reference)->constvalue));
	return version == 0 ? shown : psprintf("%s (version %d)", shown, version);
}

static void
explain_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	const CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);
	List	   *models = NIL;
	ListCell   *cell;

	foreach(cell, plan->custom_exprs)
		models = lappend(models, describe_reference(linitial(((FuncExpr *) lfirst(cell))->args), context));
	ExplainPropertyList("Models", models, es);
	/* those of parallel workers are counted in */
	if (es->analyze && node->ss.ps.instrument != NULL)
		ExplainPropertyUInteger("Batches", NULL, (uint64) node->ss.ps.instrument->ntuples2, es);
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

bool
mp_batch_scan_is(const Plan *plan)
{
	return IsA(plan, CustomScan) && ((const CustomScan *) plan)->methods == &scan_methods;
}

/* The columns that the node gives, of which some are null: see batch_scan.h. */
static List *
columns_given(const MpBatchSpec *spec)
{
	List	   *columns = NIL;
	ListCell   *cell;

	foreach(cell, spec->child->targetlist)
	{
		TargetEntry *entry = lfirst(cell);

		columns = lappend(columns, makeTargetEntry((Expr *) makeVarFromTargetEntry(OUTER_VAR, entry),
												   list_length(columns) + 1, entry->resname, false));
	}
	foreach(cell, spec->calls->calls)
		columns = lappend(columns, makeTargetEntry(lfirst(cell), list_length(columns) + 1, NULL, false));
	return lappend(columns, makeTargetEntry((Expr *) makeBoolConst(true, false), list_length(columns) + 1,
											"scored", false));
}

CustomScan *
mp_batch_scan_make(const MpBatchSpec *spec)
{
	CustomScan *node = makeNode(CustomScan);
	List	   *kept = NIL;

	for (int number = -1; (number = bms_next_member(spec->kept, number)) >= 0;)
		kept = lappend_int(kept, number);
	node->scan.plan.lefttree = spec->child;
	node->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	if (ExecSupportsBackwardScan(spec->child))
		node->flags |= CUSTOMPATH_SUPPORT_BACKWARD_SCAN;
	mp_plan_count_disabled(node, spec->child);
	node->custom_exprs = spec->calls->calls;
	node->custom_private = list_make5(kept, makeInteger(spec->reach.sure), spec->reach.limits,
									  spec->calls->guards, spec->target);
	node->custom_private = lappend(node->custom_private, spec->conditions);
	node->custom_scan_tlist = columns_given(spec);
	node->methods = &scan_methods;
	return node;
}
