/*
 * features.c: preprocessing of a row. Each input's value becomes a number, the
 * code of a label or a time in its slot; the steps then run over the slots, and
 * what they make is rounded once to the float32 that XGBoost's trees compare.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "core/forest/input.h"
#include "glue/error.h"
#include "row/features.h"

static int
fault_level(const MpRow *row)
{
	return row->warn_of_faults ? WARNING : ERROR;
}

void
mp_slot_missing(const MpRow *row, int input)
{
	const MpStepsInput *i = row->model->inputs[input].labels;

	switch ((MpStepsKind) i->kind)
	{
		case MP_STEPS_NUMBER:
			row->slots[input].number = NAN;
			break;
		case MP_STEPS_LABEL:
			row->slots[input].label = MP_LABEL_MISSING;
			break;
		case MP_STEPS_TIME:
			row->slots[input].time = row->slots[i->utc].time = MP_STEPS_NO_TIME;
			break;
	}
}

bool
mp_slot_is_missing(const MpRow *row, int input)
{
	const MpSlot *slot = &row->slots[input];

	switch ((MpStepsKind) row->model->inputs[input].labels->kind)
	{
		case MP_STEPS_NUMBER:
			return isnan(slot->number);
		case MP_STEPS_LABEL:
			return slot->label == MP_LABEL_MISSING;
		case MP_STEPS_TIME:
			return slot->time == MP_STEPS_NO_TIME;
	}
	return false;
}

static bool
infinite(const MpRow *row, const char *what, double *x)
{
	switch (row->model->options.infinity)
	{
		case MP_INFINITY_SCORE:
			return true;
		case MP_INFINITY_MISSING:
			*x = NAN;
			return true;
		case MP_INFINITY_ERROR:
			break;
	}
	ereport(fault_level(row),
			errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			errmsg("%s of model \"%s\" version %d is infinite as a float32",
				   what, row->model->name, row->model->version),
			errhint("Pass NULL for missing, or register the model with infinity => 'score' (as scikit-learn's predict does) or 'missing'."));
	return false;
}

bool
mp_slot_infinite(const MpRow *row, int input, double *x)
{
	return infinite(row, mp_input_label(row->model, input), x);
}

/* Labels */

static void
set_text(const MpRow *row, int input, const char *data, size_t length)
{
	row->slots[input].label = mp_steps_text_code(row->model->steps, input, (MpString) {data, length});
}

static void
set_enum(const MpRow *row, int input, Datum value)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, value);
	NameData	label;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for enum %u", DatumGetObjectId(value));
	label = ((Form_pg_enum) GETSTRUCT(tuple))->enumlabel;
	ReleaseSysCache(tuple);
	set_text(row, input, NameStr(label), strlen(NameStr(label)));
}

static bool
is_known(const MpRow *row, int input)
{
	return row->slots[input].label <= row->model->inputs[input].labels->n_labels;
}

/* 1 or 0 among numbers; else the word, as SQL, JSON or Python writes it. */
static void
set_boolean(const MpRow *row, int input, bool value)
{
	row->slots[input].label = mp_steps_number_code(row->model->steps, input, value);
	if (!is_known(row, input))
		set_text(row, input, value ? "true" : "false", value ? 4 : 5);
	if (!is_known(row, input))
		set_text(row, input, value ? "True" : "False", value ? 4 : 5);
}

static void
set_number_label(const MpRow *row, int input, MpValueType type, double number)
{
	if (mp_input_wants_label(&row->model->inputs[input]))
		mp_value_check_type(row->model, input, type, NULL);
	row->slots[input].label = mp_steps_number_code(row->model->steps, input, number);
}

/* Times */

static bool
set_time(const MpRow *row, int input, Timestamp local, Timestamp utc)
{
	const MpStepsInput *i = row->model->inputs[input].labels;

	if (TIMESTAMP_NOT_FINITE(local))
	{
		ereport(fault_level(row),
				errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				errmsg("%s of model \"%s\" version %d is an infinite time",
					   mp_input_label(row->model, input), row->model->name, row->model->version),
				errhint("Pass NULL for missing."));
		return false;
	}
	row->slots[input].time = local;
	row->slots[i->utc].time = utc;
	return true;
}

static bool
set_zoned(const MpRow *row, int input, TimestampTz utc)
{
	const MpStepsInput *i = row->model->inputs[input].labels;
	MpString	name = mp_steps_string(row->model->steps, i->zone, i->zone_length);
	Timestamp	local;

	if (TIMESTAMP_NOT_FINITE(utc))
		return set_time(row, input, utc, utc);
	local = DatumGetTimestamp(DirectFunctionCall2(timestamptz_zone,
												  PointerGetDatum(cstring_to_text_with_len(name.data, name.length)),
												  TimestampTzGetDatum(utc)));
	return set_time(row, input, local, utc);
}

/* A string in JSON, which has no times: ISO 8601, with an offset where the input has a time zone. */
static bool
set_json_time(const MpRow *row, int input, const char *data, size_t length)
{
	Datum		text = CStringGetDatum(pnstrdup(data, length));
	Timestamp	local;

	if (row->model->inputs[input].labels->zone_length > 0)
		return set_zoned(row, input, DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, text,
																			 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))));
	local = DatumGetTimestamp(DirectFunctionCall3(timestamp_in, text, ObjectIdGetDatum(InvalidOid),
												  Int32GetDatum(-1)));
	return set_time(row, input, local, local);
}

static bool
set_time_of(const MpRow *row, int input, MpValueType type, Datum value)
{
	const JsonbValue *string;
	Timestamp	local;

	switch (type.kind)
	{
		case MP_VALUE_DATE:
			local = date2timestamp_opt_overflow(DatumGetDateADT(value), NULL);
			return set_time(row, input, local, local);
		case MP_VALUE_TIMESTAMP:
			return set_time(row, input, DatumGetTimestamp(value), DatumGetTimestamp(value));
		case MP_VALUE_TIMESTAMPTZ:
			return set_zoned(row, input, DatumGetTimestampTz(value));
		case MP_VALUE_UNKNOWN:
			return set_json_time(row, input, DatumGetCString(value), strlen(DatumGetCString(value)));
		case MP_VALUE_JSON_STRING:
			string = (const JsonbValue *) DatumGetPointer(value);
			return set_json_time(row, input, string->val.string.val, string->val.string.len);
		default:
			mp_value_check_type(row->model, input, type, NULL);
			elog(ERROR, "a time was read from type %u", type.type);
	}
}

static void
set_label_of(const MpRow *row, int input, MpValueType type, Datum value)
{
	const JsonbValue *string;
	text	   *label;

	switch (type.kind)
	{
		case MP_VALUE_TEXT:
			label = DatumGetTextPP(value);
			set_text(row, input, VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label));
			break;
		case MP_VALUE_BPCHAR:
			label = DatumGetTextPP(value);
			set_text(row, input, VARDATA_ANY(label), bpchartruelen(VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label)));
			break;
		case MP_VALUE_ENUM:
			set_enum(row, input, value);
			break;
		case MP_VALUE_UNKNOWN:
			set_text(row, input, DatumGetCString(value), strlen(DatumGetCString(value)));
			break;
		case MP_VALUE_JSON_STRING:
			string = (const JsonbValue *) DatumGetPointer(value);
			set_text(row, input, string->val.string.val, string->val.string.len);
			break;
		case MP_VALUE_BOOL:
			set_boolean(row, input, DatumGetBool(value));
			break;
		case MP_VALUE_FLOAT4:
			set_number_label(row, input, type, DatumGetFloat4(value));
			break;
		case MP_VALUE_FLOAT8:
			set_number_label(row, input, type, DatumGetFloat8(value));
			break;
		case MP_VALUE_INT2:
			set_number_label(row, input, type, DatumGetInt16(value));
			break;
		case MP_VALUE_INT4:
			set_number_label(row, input, type, DatumGetInt32(value));
			break;
		case MP_VALUE_INT8:
			set_number_label(row, input, type, (double) DatumGetInt64(value));
			break;
		case MP_VALUE_NUMERIC:
			set_number_label(row, input, type, mp_value_numeric(value));
			break;
		case MP_VALUE_DATE:
		case MP_VALUE_TIMESTAMP:
		case MP_VALUE_TIMESTAMPTZ:
		case MP_VALUE_OTHER:
			mp_value_check_type(row->model, input, type, NULL);
	}
}

/* What is no plain number. */
bool
mp_slot_special(const MpRow *row, int input, MpValueType type, Datum value)
{
	switch ((MpStepsKind) row->model->inputs[input].labels->kind)
	{
		case MP_STEPS_LABEL:
			set_label_of(row, input, type, value);
			return true;
		case MP_STEPS_TIME:
			return set_time_of(row, input, type, value);
		case MP_STEPS_NUMBER:
			break;
	}
	if (type.kind != MP_VALUE_NUMERIC)
		mp_value_not_a_number(row->model, input, type, NULL);
	row->slots[input].number = mp_value_numeric(value);
	if (isinf(row->slots[input].number))
		return mp_slot_infinite(row, input, &row->slots[input].number);
	return true;
}

/* Faults of steps */

static bool *
sources_of(const MpModel *model, uint32 slot)
{
	bool	   *marks = palloc(model->steps->n_slots);
	bool	   *inputs = palloc(model->n_inputs);

	mp_steps_sources(model->steps, slot, marks, inputs);
	pfree(marks);
	return inputs;
}

int
mp_features_culprit(const MpModel *model, const MpStepsFault *fault)
{
	bool	   *inputs = sources_of(model, fault->slot);
	int			found = -1;

	for (int i = 0; i < model->n_inputs; i++)
	{
		if (!inputs[i])
			continue;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}

/* `input "a"`, or of a value that is made of several: what is made of "a", "b" */
static char *
fault_label(const MpModel *model, const MpStepsFault *fault, int culprit)
{
	StringInfoData list;
	bool	   *inputs;
	int			n = 0;

	if (culprit >= 0)
		return mp_input_label(model, culprit);
	inputs = sources_of(model, fault->slot);
	initStringInfo(&list);
	appendStringInfoString(&list, "what is made of features ");
	for (int i = 0; i < model->n_inputs && n <= 5; i++)
		if (inputs[i])
		{
			appendStringInfo(&list, "%s\"%s\"", n > 0 ? ", " : "", n == 5 ? "..." : mp_input_title(model, i));
			n++;
		}
	return list.data;
}

/* The first labels that an input has, for a detail. */
static char *
known_labels(const MpModel *model, int input)
{
	const MpSteps *steps = model->steps;
	const MpStepsInput *i = model->inputs[input].labels;
	const MpStepsLabel *labels = MP_STEPS_SECTION(steps, MP_STEPS_LABELS, MpStepsLabel) + i->first_label;
	StringInfoData known;

	initStringInfo(&known);
	for (uint32 k = 0; k < i->n_labels && k < 10; k++)
	{
		MpString	label = mp_steps_string(steps, labels[k].at, labels[k].length);

		appendStringInfoString(&known, k ? ", " : "");
		if (labels[k].length == MP_LABEL_IS_NUMBER)
			appendStringInfo(&known, "%.15g", MP_STEPS_SECTION(steps, MP_STEPS_NUMBERS, double)[labels[k].at]);
		else
			appendStringInfo(&known, "\"%.*s\"", pg_mbcliplen(label.data, label.length, 60), label.data);
	}
	if (i->n_labels > 10)
		appendStringInfo(&known, " and %u more", i->n_labels - 10);
	return known.data;
}

bool
mp_features_fault(const MpRow *row, const MpStepsFault *fault, int culprit, const char *value)
{
	const MpModel *model = row->model;
	const char *what = fault_label(model, fault, culprit);
	const MpStep *step = MP_STEPS_SECTION(model->steps, MP_STEPS_STEPS, MpStep) + fault->step;
	const char *op = mp_step_name((MpStepOp) step->op);

	switch (fault->kind)
	{
		case MP_STEPS_FINE:
			break;
		case MP_STEPS_MISSING:
			ereport(fault_level(row),
					errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("%s of model \"%s\" version %d is missing, and its preprocessing cannot do without",
						   what, model->name, model->version),
					errdetail("Step %u (%s) refuses missing values, as in Python.", fault->step, op));
			break;
		case MP_STEPS_UNKNOWN:
			ereport(fault_level(row),
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s of model \"%s\" version %d has no category %s", what, model->name, model->version,
						   value != NULL ? psprintf("\"%.*s\"", pg_mbcliplen(value, strlen(value), 60), value) : "like this"),
					culprit >= 0 && model->inputs[culprit].labels->n_labels > 0 ?
					errdetail("Its categories are %s.", known_labels(model, culprit)) :
					errdetail("Step %u (%s) does not know it.", fault->step, op),
					errhint("Register the model with unseen_category => 'missing' or 'null' if new categories are expected."));
			break;
		case MP_STEPS_NOT_POSITIVE:
			ereport(fault_level(row),
					errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					errmsg("%s of model \"%s\" version %d is not positive, which Box-Cox needs",
						   what, model->name, model->version));
			break;
	}
	return false;
}

/* Infinities, and the value that means missing. False: the row is at fault. */
static bool
check_feature(const MpRow *row, int feature, double *x)
{
	const MpModel *model = row->model;

	if (model->options.has_missing && *x == model->options.missing)
		*x = NAN;
	else if (unlikely(isinf(*x)))
		return infinite(row, psprintf("feature \"%s\"", mp_feature_title(model, feature)), x);
	return true;
}

static bool
check_features(const MpRow *row)
{
	for (int i = 0; i < row->model->forest->n_features; i++)
	{
		double		x = mp_row_feature(row, i);

		if (!check_feature(row, i, &x))
			return false;
		if (row->model->wide)
			row->wide[i] = x;
		else
			row->x[i] = (float) x;
	}
	return true;
}

bool
mp_features_prepare(const MpRow *row)
{
	const MpForest *forest = row->model->forest;

	for (int i = 0; (forest->input & MP_INPUT_NO_MISSING) && i < forest->n_features; i++)
		if (isnan(row->wide[i]))
		{
			ereport(fault_level(row),
					errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("feature \"%s\" of model \"%s\" version %d is missing",
						   mp_feature_title(row->model, i), row->model->name, row->model->version),
					errdetail("%s refuses missing values, as it was fitted without any.", mp_objective_name(forest)),
					errhint("Pass what training put in its place, such as COALESCE(x, 0)."));
			return false;
		}
	mp_forest_prepare(forest, row->wide);
	return true;
}

bool
mp_features_finish(const MpRow *row)
{
	if (!row->model->wide)
	{
		bool		infinite = mp_steps_gather_floats(row->model->steps, row->slots, row->x);

		return likely(!infinite && !row->model->options.has_missing) || check_features(row);
	}
	mp_steps_gather(row->model->steps, row->slots, row->wide);
	return check_features(row) && mp_features_prepare(row);
}
