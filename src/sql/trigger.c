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
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "sql/explain.h"
#include "row/match.h"
#include "score/score.h"
#include "sql/target.h"

typedef struct TriggerSite
{
	TriggerData *fired;			/* now */
	TupleTableSlot *slot;		/* of the new row, now */
	MpCallSite *site;
	MpTargets  *targets;
	/* the row to be: of as many columns as the table has */
	Datum	   *values;
	bool	   *nulls;
	/* which columns hold the features of the site's model */
	MemoryContext map_context;
	int		   *column_of;		/* of each feature; -1: absent, so missing */
	MpValueType    *inputs;			/* of each feature */
	int			n_needed;		/* the columns up to the last that is a feature or a target */
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

/* Features */

static void
check_feature(const TriggerSite *t, int feature, Form_pg_attribute att)
{
	const MpModel *model = t->site->model;

	if (att->attgenerated)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("%s of model \"%s\" version %d is the generated column \"%s\", which a trigger cannot read",
					   mp_input_label(model, feature), model->name, model->version,
					   NameStr(att->attname)),
				errdetail("PostgreSQL computes generated columns after BEFORE triggers."),
				errhint("Make it a plain column, filled by a BEFORE trigger whose name sorts before \"%s\".",
						t->fired->tg_trigger->tgname));
	mp_value_check_type(model, feature, t->inputs[feature], NameStr(att->attname));
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

		if (target->answer == MP_ANSWER_VALUE && n != 1)
			ereport(ERROR,
					errcode(ERRCODE_WRONG_OBJECT_TYPE),
					errmsg("model \"%s\" version %d gives %d numbers for a row, not one for column \"%s\"",
						   model->name, model->version, n, target->name),
					errhint("Create the trigger without that column and with pairs such as 'class', 'column' or 'proba_of:LABEL', 'column'."));
		if (model->options.absent_feature == MP_ABSENT_ERROR)
			check_target_is_no_input(model, target->name);
	}
}

/* What depends on the version: which columns hold its features, and its classes. */
static void
learn_model(TriggerSite *t)
{
	const MpModel *model = t->site->model;
	TupleDesc	desc = RelationGetDescr(t->fired->tg_relation);
	int			n_inputs = model->n_inputs;
	const char **names = palloc(sizeof(char *) * Max(desc->natts, 1));

	check_targets(t);
	MemoryContextReset(t->map_context);
	t->column_of = MemoryContextAlloc(t->map_context, sizeof(int) * Max(n_inputs, 1));
	t->inputs = MemoryContextAllocZero(t->map_context, sizeof(MpValueType) * Max(n_inputs, 1));
	t->n_needed = 0;
	for (int i = 0; i < desc->natts; i++)
		names[i] = TupleDescAttr(desc, i)->attisdropped || mp_targets_have(t->targets, i) ? NULL :
			NameStr(TupleDescAttr(desc, i)->attname);
	mp_match_columns(model, names, desc->natts, t->column_of);
	for (int i = 0; i < n_inputs; i++)
		if (t->column_of[i] >= 0)
		{
			Form_pg_attribute att = TupleDescAttr(desc, t->column_of[i]);

			t->inputs[i] = mp_value_type_of(att->atttypid);
			check_feature(t, i, att);
			t->n_needed = Max(t->n_needed, t->column_of[i] + 1);
		}
	for (int i = 0; i < t->targets->n; i++)
	{
		t->targets->targets[i].class = -1;
		t->n_needed = Max(t->n_needed, t->targets->targets[i].column + 1);
	}
}

/* False: the answers are NULL. */
static bool
read_row(TriggerSite *t)
{
	MpRow	   *row = &t->site->row;
	const TupleTableSlot *slot = t->slot;
	bool		complete = true;

	row->warn_of_faults = t->targets->null_on_error;
	for (int i = 0; i < row->model->n_inputs; i++)
	{
		int			column = t->column_of[i];

		if (column < 0 || slot->tts_isnull[column])
			row->x[i] = NAN;
		else if (!mp_value_read(row, i, t->inputs[i], slot->tts_values[column], &row->x[i]))
			complete = false;
	}
	return complete;
}

/* Answers */

/* Of the row that is being scored. */
static bool
value_of_row(void *source, const MpRow *row, int feature, MpValueType *input, Datum *value)
{
	const TriggerSite *t = source;
	int			column = t->column_of[feature];

	if (column < 0 || t->slot->tts_isnull[column])
		return false;
	*input = t->inputs[feature];
	*value = t->slot->tts_values[column];
	return true;
}

static Datum
reasons_of(TriggerSite *t, int top)
{
	MpExplanation e = {.row = &t->site->row, .value_of = value_of_row, .source = t};

	mp_explain_scored(NULL, &e);
	return PointerGetDatum(mp_reasons_line(&e, top));
}

static Datum
answer_of(TriggerSite *t, MpTarget *target)
{
	MpRow	   *row = &t->site->row;

	switch (target->answer)
	{
		case MP_ANSWER_VALUE:
			return Float8GetDatum((double) mp_score_value(row));
		case MP_ANSWER_CLASS:
			return CStringGetTextDatum(mp_score_label(row->model, mp_score_class(row)));
		case MP_ANSWER_PROBABILITY:
			mp_score_probabilities(row);
			if (target->class < 0)
				target->class = mp_score_find_class(row->model, cstring_to_text(target->label));
			return Float8GetDatum((double) row->prediction[target->class]);
		case MP_ANSWER_REASONS:
			return reasons_of(t, target->top);
		case MP_ANSWER_VERSION:
			return Int32GetDatum(row->model->version);
	}
	return (Datum) 0;
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

		t->nulls[target->column] = !scored && target->answer != MP_ANSWER_VERSION;
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
		if (target->answer != MP_ANSWER_VERSION)
			answered |= !old->tts_isnull[target->column];
		else if (!is_of_this_version(t, target, old))
			return false;
	}
	for (int i = 0; i < t->site->model->n_inputs; i++)
		if (t->column_of[i] >= 0 && !is_same(old, new, t->column_of[i]))
			return false;
	return answered;
}

/* The trigger */

static void
check_call(FunctionCallInfo fcinfo)
{
	TriggerData *fired = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("function model_predict.score() was not called as a trigger"));
	if (!TRIGGER_FIRED_BEFORE(fired->tg_event) || !TRIGGER_FIRED_FOR_ROW(fired->tg_event) ||
		!(TRIGGER_FIRED_BY_INSERT(fired->tg_event) || TRIGGER_FIRED_BY_UPDATE(fired->tg_event)))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("trigger \"%s\" on table \"%s\" scores rows, so it must be fired BEFORE INSERT OR UPDATE, FOR EACH ROW",
					   fired->tg_trigger->tgname, RelationGetRelationName(fired->tg_relation)));
}

/* The trigger's memory, with the arguments as written. */
static TriggerSite *
create_site(FunctionCallInfo fcinfo)
{
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	TriggerSite *t = palloc0(sizeof(TriggerSite));

	t->fired = (TriggerData *) fcinfo->context;
	t->site = mp_callsite_create(CurrentMemoryContext);
	t->map_context = AllocSetContextCreate(CurrentMemoryContext, "model_predict trigger",
										   ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(old);
	return t;
}

/* Reads the arguments and finds the columns; fn_extra is set when all of it is done. */
static void
open_site(TriggerSite *t, FunctionCallInfo fcinfo)
{
	int			natts = RelationGetDescr(t->fired->tg_relation)->natts;
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

	t->targets = mp_targets_open(t->fired->tg_trigger, t->fired->tg_relation);
	t->values = palloc(sizeof(Datum) * natts);
	t->nulls = palloc(sizeof(bool) * natts);
	MemoryContextSwitchTo(old);
	fcinfo->flinfo->fn_extra = t;
}

static HeapTuple
score_row(TriggerSite *t)
{
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(t->fired->tg_event);
	HeapTuple	tuple = is_update ? t->fired->tg_newtuple : t->fired->tg_trigtuple;
	bool		complete;

	t->slot = is_update ? t->fired->tg_newslot : t->fired->tg_trigslot;
	slot_getsomeattrs(t->slot, t->n_needed);
	if (is_update && t->targets->only_if_changed && is_up_to_date(t, t->fired->tg_trigslot))
		return tuple;
	complete = read_row(t);
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
		t = create_site(fcinfo);
	}
	t->fired = (TriggerData *) fcinfo->context;
	context.previous = error_context_stack;
	context.callback = name_trigger;
	context.arg = t;
	error_context_stack = &context;
	if (fcinfo->flinfo->fn_extra == NULL)
		open_site(t, fcinfo);
	if (mp_callsite_resolve(t->site, t->targets->reference, t->targets->reference_length))
		learn_model(t);
	result = score_row(t);
	error_context_stack = context.previous;
	return PointerGetDatum(result);
}
