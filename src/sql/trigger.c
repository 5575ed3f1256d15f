/*
 * trigger.c: model_predict.score(), a BEFORE ROW trigger that fills columns
 * of a row with what a model says of the others.
 *
 * What the trigger needs is made at its first firing in a statement, where all
 * faults of its arguments and of the table are found, and lives as long as the
 * statement, in fn_extra: columns, casts, and which column holds which
 * input. The reference is resolved as in any call of predict(), under the
 * active snapshot and for the current user, and anew when the moment passes;
 * then only the features are looked up again. A row is read from its slot and
 * costs no catalog access.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

#include "score/score.h"
#include "sql/reasons.h"
#include "sql/target.h"
#include "store/lookup.h"

typedef struct TriggerSite
{
	TriggerData *fired;			/* now */
	TupleTableSlot *slot;		/* of the new row, now */
	MpCallSite *site;
	MpTargets  *targets;
	/* the row to be: of as many columns as the table has */
	Datum	   *values;
	bool	   *nulls;
	const MpInputMap *map;		/* which columns hold the inputs of the site's model */
	int			n_needed;		/* the columns up to the last that is an input or a target */
} TriggerSite;

static const char *
relation_name(const TriggerSite *t)
{
	return RelationGetRelationName(t->fired->tg_relation);
}

static void
name_trigger(void *arg)
{
	const TriggerSite *t = arg;
	const MpModel *model = t->site->model;

	if (model == NULL)
		errcontext("trigger \"%s\" on table \"%s\"", t->fired->tg_trigger->tgname, relation_name(t));
	else
		errcontext("trigger \"%s\" on table \"%s\", scoring a row with model \"%s\" version %d",
				   t->fired->tg_trigger->tgname, relation_name(t), model->name, model->version);
}

/* Inputs */

static void
check_generated(const TriggerSite *t, int input, Form_pg_attribute att)
{
	const MpModel *model = t->site->model;

	if (att->attgenerated)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("%s of model \"%s\" version %d is the generated column \"%s\", which a trigger cannot read",
					   mp_input_label(model, input), model->name, model->version, NameStr(att->attname)),
				errdetail("PostgreSQL computes generated columns after BEFORE triggers."),
				errhint("Make it a plain column, filled by a BEFORE trigger whose name sorts before \"%s\".",
						t->fired->tg_trigger->tgname));
}

/* Better than to say that the row lacks a column which the table has. */
static void
check_target_is_no_input(const MpModel *model, const char *column)
{
	for (int i = 0; i < model->n_inputs && model->has_names; i++)
		if (mp_string_is(mp_input_name(&model->inputs[i]), column))
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("column \"%s\" is a feature of model \"%s\" version %d and cannot hold its answer",
						   column, model->name, model->version),
					errhint("Create the trigger with another column."));
}

static void
check_targets(const TriggerSite *t)
{
	const MpModel *model = t->site->model;
	int			n = mp_forest_n_predictions(model->forest);

	for (int i = 0; i < t->targets->n; i++)
	{
		const MpTarget *target = &t->targets->targets[i];

		if (target->answer->id == MP_ANSWER_VALUE && n != 1)
			ereport(ERROR,
					errcode(ERRCODE_WRONG_OBJECT_TYPE),
					errmsg("model \"%s\" version %d gives %d numbers for a row, not one for column \"%s\"",
						   model->name, model->version, n, target->name),
					errhint("Create the trigger without that column and with pairs such as 'class', 'column' or 'proba_of:LABEL', 'column'."));
		if (model->options.absent_feature == MP_ABSENT_ERROR)
			check_target_is_no_input(model, target->name);
	}
}

/* What depends on the version: which columns hold its inputs, and its classes. */
static void
learn_model(TriggerSite *t)
{
	const MpModel *model = t->site->model;
	TupleDesc	desc = RelationGetDescr(t->fired->tg_relation);

	check_targets(t);
	mp_source_reset(t->site->source);
	t->map = mp_source_map(t->site->source, model);
	for (int i = 0; i < model->n_inputs; i++)
		if (t->map->places[i].column >= 0)
			check_generated(t, i, TupleDescAttr(desc, t->map->places[i].column));
	t->n_needed = t->map->n_columns;
	for (int i = 0; i < t->targets->n; i++)
	{
		t->targets->targets[i].class = -1;
		t->n_needed = Max(t->n_needed, t->targets->targets[i].column + 1);
	}
}

/* Answers */

static Datum
reasons_of(TriggerSite *t, int top)
{
	MpExplanation e = {.row = &t->site->row, .source = t->site->source};

	mp_explain_scored(NULL, &e);
	return PointerGetDatum(mp_reasons_line(&e, top));
}

static Datum
answer_of(TriggerSite *t, MpTarget *target)
{
	const MpAnswer *answer = target->answer;
	MpRow	   *row = &t->site->row;

	if (answer->give == NULL)
		return reasons_of(t, target->top);
	if (answer->needs == MP_NEEDS_CLASS && target->class < 0)
		target->class = mp_answer_class(answer, row->model, cstring_to_text(target->label));
	return answer->give(row, target->class);
}

/* The row with its answers: all NULL, but for the version, where it has none. */
static HeapTuple
fill_in(TriggerSite *t, HeapTuple tuple, bool scored)
{
	TupleDesc	desc = RelationGetDescr(t->fired->tg_relation);
	HeapTuple	filled;

	slot_getallattrs(t->slot);
	memcpy(t->values, t->slot->tts_values, sizeof(Datum) * desc->natts);
	memcpy(t->nulls, t->slot->tts_isnull, sizeof(bool) * desc->natts);
	for (int i = 0; i < t->targets->n; i++)
	{
		MpTarget   *target = &t->targets->targets[i];

		t->nulls[target->column] = !scored && (target->answer->id != MP_ANSWER_VERSION || t->site->model == NULL);
		if (!t->nulls[target->column])
			t->values[target->column] = answer_of(t, target);
		mp_target_cast(t->targets, target, &t->values[target->column], &t->nulls[target->column]);
	}
	filled = heap_form_tuple(desc, t->values, t->nulls);
	filled->t_data->t_ctid = tuple->t_data->t_ctid;
	filled->t_self = tuple->t_self;
	filled->t_tableOid = tuple->t_tableOid;
	return filled;
}

/* only_if_changed */

static bool
is_same(TupleTableSlot *old, TupleTableSlot *new, int column)
{
	Form_pg_attribute att = TupleDescAttr(new->tts_tupleDescriptor, column);

	if (old->tts_isnull[column] || new->tts_isnull[column])
		return old->tts_isnull[column] && new->tts_isnull[column];
	return datum_image_eq(old->tts_values[column], new->tts_values[column],
						  att->attbyval, att->attlen);
}

/* Whether the old row holds this model's version where it is kept. */
static bool
is_of_this_version(TriggerSite *t, MpTarget *target, TupleTableSlot *old)
{
	Form_pg_attribute att = TupleDescAttr(old->tts_tupleDescriptor, target->column);
	Datum		version = answer_of(t, target);
	bool		isnull = false;

	mp_target_cast(t->targets, target, &version, &isnull);
	return !old->tts_isnull[target->column] &&
		datum_image_eq(old->tts_values[target->column], version, att->attbyval, att->attlen);
}

/*
 * Whether an updated row may keep its answers: no feature has changed, nobody
 * has written over an answer, there is one, and the version that gave it,
 * where that is kept, is the one that would give it now.
 */
static bool
is_up_to_date(TriggerSite *t, TupleTableSlot *old)
{
	TupleTableSlot *new = t->slot;
	bool		answered = false;

	slot_getsomeattrs(old, t->n_needed);
	for (int i = 0; i < t->targets->n; i++)
	{
		MpTarget   *target = &t->targets->targets[i];

		if (!is_same(old, new, target->column))
			return false;
		if (target->answer->id != MP_ANSWER_VERSION)
			answered |= !old->tts_isnull[target->column];
		else if (!is_of_this_version(t, target, old))
			return false;
	}
	for (int i = 0; i < t->site->model->n_inputs; i++)
		if (t->map->places[i].column >= 0 && !is_same(old, new, t->map->places[i].column))
			return false;
	return answered;
}

/* The trigger */

pg_noreturn static void
refuse_kind(const TriggerData *fired)
{
	ereport(ERROR,
			errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			errmsg("trigger \"%s\" on table \"%s\" scores rows, so it must be fired BEFORE INSERT OR UPDATE, FOR EACH ROW",
				   fired->tg_trigger->tgname, RelationGetRelationName(fired->tg_relation)));
}

static void
check_call(FunctionCallInfo fcinfo)
{
	const TriggerData *fired = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("function model_predict.score() was not called as a trigger"));
	if (!TRIGGER_FIRED_BEFORE(fired->tg_event) || !TRIGGER_FIRED_FOR_ROW(fired->tg_event) ||
		!(TRIGGER_FIRED_BY_INSERT(fired->tg_event) || TRIGGER_FIRED_BY_UPDATE(fired->tg_event)))
		refuse_kind(fired);
}

/* The trigger's memory. */
static TriggerSite *
create_site(TriggerData *fired, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	TriggerSite *t = palloc0(sizeof(TriggerSite));

	t->fired = fired;
	t->site = mp_callsite_create(CurrentMemoryContext);
	MemoryContextSwitchTo(old);
	return t;
}

/* Reads the arguments and finds the columns. */
static void
open_site(TriggerSite *t, MemoryContext context)
{
	TupleDesc	desc = RelationGetDescr(t->fired->tg_relation);
	bool	   *hidden = palloc(sizeof(bool) * Max(desc->natts, 1));
	MemoryContext old = MemoryContextSwitchTo(context);

	t->targets = mp_targets_open(t->fired->tg_trigger, t->fired->tg_relation);
	for (int i = 0; i < desc->natts; i++)
		hidden[i] = mp_targets_have(t->targets, i);
	t->site->source = mp_source_of_columns(desc, hidden, CurrentMemoryContext);
	t->site->row.warn_of_faults = t->targets->null_on_error;
	t->values = palloc(sizeof(Datum) * desc->natts);
	t->nulls = palloc(sizeof(bool) * desc->natts);
	MemoryContextSwitchTo(old);
}

/* The new row, whose slot becomes t->slot. */
static HeapTuple
new_row(TriggerSite *t)
{
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(t->fired->tg_event);

	t->slot = is_update ? t->fired->tg_newslot : t->fired->tg_trigslot;
	return is_update ? t->fired->tg_newtuple : t->fired->tg_trigtuple;
}

/* With on_error, whether there is nothing to score with; a warning says so. A subscriber goes on replicating. */
static bool
lacks_model(const TriggerSite *t)
{
	const char *reference;

	if (!t->targets->null_on_error || t->site->model != NULL)
		return false;
	reference = pnstrdup(t->targets->reference, t->targets->reference_length);
	if (mp_lookup_is_there(reference, GetUserId(), mp_catalog_snapshot()))
		return false;
	ereport(WARNING,
			errcode(ERRCODE_UNDEFINED_OBJECT),
			errmsg("a row is not scored: \"%s\" names no version of a model that role \"%s\" may use",
				   reference, GetUserNameFromId(GetUserId(), false)));
	return true;
}

static HeapTuple
score_row(TriggerSite *t)
{
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(t->fired->tg_event);
	HeapTuple	tuple = new_row(t);
	bool		complete;

	slot_getsomeattrs(t->slot, t->n_needed);
	if (is_update && t->targets->only_if_changed && is_up_to_date(t, t->fired->tg_trigslot))
		return tuple;
	complete = mp_row_read_columns(t->site->source, t->slot->tts_values, t->slot->tts_isnull, &t->site->row);
	if (complete)
		mp_score_margin(&t->site->row);
	return fill_in(t, tuple, complete);
}

PG_FUNCTION_INFO_V1(mp_score);
Datum
mp_score(PG_FUNCTION_ARGS)
{
	TriggerSite *t = fcinfo->flinfo->fn_extra;
	ErrorContextCallback context;
	HeapTuple	result;

	if (t == NULL)
	{
		check_call(fcinfo);
		t = create_site((TriggerData *) fcinfo->context, fcinfo->flinfo->fn_mcxt);
	}
	t->fired = (TriggerData *) fcinfo->context;
	context.previous = error_context_stack;
	context.callback = name_trigger;
	context.arg = t;
	error_context_stack = &context;
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		open_site(t, fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = t;
	}
	if (lacks_model(t))
	{
		result = fill_in(t, new_row(t), false);
		error_context_stack = context.previous;
		return PointerGetDatum(result);
	}
	if (mp_callsite_resolve(t->site, t->targets->reference, t->targets->reference_length))
		learn_model(t);
	result = score_row(t);
	error_context_stack = context.previous;
	return PointerGetDatum(result);
}

/* Checking without a row */

/* All that the first row would find, for the current role. */
static void
check_trigger(TriggerData *fired, MemoryContext context)
{
	int16		type = fired->tg_trigger->tgtype;
	TriggerSite *t;

	if (fired->tg_trigger->tgenabled == TRIGGER_DISABLED)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("it is disabled"));
	if (!TRIGGER_FOR_BEFORE(type) || !TRIGGER_FOR_ROW(type) || TRIGGER_FOR_DELETE(type))
		refuse_kind(fired);
	t = create_site(fired, context);
	open_site(t, context);
	mp_callsite_resolve(t->site, t->targets->reference, t->targets->reference_length);
	learn_model(t);
	for (int i = 0; i < t->targets->n; i++)
	{
		const MpTarget *target = &t->targets->targets[i];

		if (target->answer->give != NULL && target->answer->needs == MP_NEEDS_CLASS)
			(void) mp_answer_class(target->answer, t->site->model, cstring_to_text(target->label));
	}
}

/* Its error's message, or NULL: there is none. */
static char *
problem_of(TriggerData *fired, MemoryContext result)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "model_predict check trigger",
												  ALLOCSET_SMALL_SIZES);
	ResourceOwner owner = CurrentResourceOwner;
	char	   *problem = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		check_trigger(fired, context);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(result);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		problem = error->message;
	}
	PG_END_TRY();
	CurrentResourceOwner = owner;
	MemoryContextSwitchTo(result);
	MemoryContextDelete(context);
	return problem;
}

PG_FUNCTION_INFO_V1(mp_check_triggers);
Datum
mp_check_triggers(PG_FUNCTION_ARGS)
{
	Oid			function = LookupFuncName(list_make2(makeString(MP_SCHEMA), makeString("score")), 0,
										  NULL, true);
	MemoryContext result = CurrentMemoryContext;
	ReturnSetInfo *rsinfo;
	Relation	rel;

	InitMaterializedSRF(fcinfo, 0);
	rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	rel = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	if (rel == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("there is no relation with OID %u", PG_GETARG_OID(0)));
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];
		TriggerData fired = {.type = T_TriggerData, .tg_relation = rel, .tg_trigger = trigger};
		Datum		values[2];
		bool		nulls[2] = {false};
		char	   *problem;

		if (trigger->tgfoid != function || (problem = problem_of(&fired, result)) == NULL)
			continue;
		values[0] = CStringGetTextDatum(trigger->tgname);
		values[1] = CStringGetTextDatum(problem);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	relation_close(rel, AccessShareLock);
	return (Datum) 0;
}
