/*
 * profile.c: what rows are like, and the baselines of versions.
 *
 * profile() reads rows as scoring does, by the rules of the version, and counts
 * its inputs and its score; the core has the counting. A profile is UTF-8 in the
 * core, jsonb in SQL.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"

#include "core/metrics/keys.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "row/features.h"
#include "score/callsite.h"
#include "score/score.h"
#include "sql/manage.h"
#include "sql/metrics.h"
#include "sql/profile.h"
#include "store/limits.h"
#include "store/lookup.h"

/* As the core has it. SQL_ASCII says nothing of what bytes mean. */
static MpString
to_core(MpString text)
{
	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
	{
		text.data = pg_server_to_any(pnstrdup(text.data, text.length), text.length, PG_UTF8);
		text.length = strlen(text.data);
	}
	return text;
}

static MpString
string_of(const char *text)
{
	return to_core((MpString) {text, strlen(text)});
}

char *
mp_profile_text(const char *data, Size size)
{
	char	   *text = pnstrdup(data, size);

	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
		text = pg_any_to_server(text, size, PG_UTF8);
	return text;
}

static Jsonb *
to_jsonb_of(MpProfile *profile)
{
	MpVec		json = {mp_alloc_context(CurrentMemoryContext)};

	mp_metrics_complete(mp_profile_write(profile, &json));
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(mp_profile_text(json.data, json.size))));
}

void
mp_profile_from_jsonb(MpProfile *profile, Jsonb *jsonb, MpAlloc *alloc)
{
	char	   *json;
	MpError		error;

	mp_limit_size("the profile", JSONBOID, JsonbPGetDatum(jsonb), MP_MAX_PROFILE);
	json = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	mp_profile_begin(profile, alloc);
	if (!mp_profile_read(profile, string_of(json), &error))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("this is no profile: %s", error.message),
				errhint("A profile is what the aggregates model_predict.profile() and model_predict.merge_profiles() return."));
}

/* What is counted of the score: its value, its class, or nothing where it has several. */
static bool
score_kind(const MpModel *model, MpProfileKind *kind)
{
	switch (model->task)
	{
		case MP_TASK_VALUE:
		case MP_TASK_TWO_CLASSES:
		case MP_TASK_TWO_CLASSES_RAW:
		case MP_TASK_HINGE:
			*kind = MP_PROFILE_NUMBER;
			return true;
		case MP_TASK_CLASS:
		case MP_TASK_CLASSES:
			*kind = MP_PROFILE_CATEGORY;
			return true;
		case MP_TASK_VALUES:
			break;
	}
	return false;
}

static void
begin_profile(MpProfile *profile, const MpModel *model)
{
	MpProfileKind kind;

	mp_metrics_complete(mp_profile_model(profile, string_of(model->name), model->version));
	for (int i = 0; i < model->n_inputs; i++)
		mp_metrics_complete(mp_profile_add_input(profile, string_of(mp_input_title(model, i)),
												 mp_input_is_category(&model->inputs[i]) ?
												 MP_PROFILE_CATEGORY : MP_PROFILE_NUMBER) != NULL);
	if (score_kind(model, &kind))
		mp_profile_add_score(profile, kind);
}

static void
check_same_version(const MpProfile *profile, const MpModel *model)
{
	MpString	name = string_of(model->name);

	if (profile->version != model->version || profile->model.size != name.length ||
		memcmp(profile->model.data, name.data, name.length) != 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a profile is of one version, but the rows of a group name several"),
				errhint("Group by the reference."));
}

static void
count_number(MpProfileInput *input, float x)
{
	if (isnan(x))
		input->missing++;
	else
		mp_metrics_complete(mp_histogram_add(&input->histogram, mp_key_of_float(x), 1));
}

static void
count_label(MpProfileInput *input, MpString label)
{
	mp_metrics_complete(mp_profile_add_label(input, to_core(label), 1));
}

/* A code's label, or the code itself where none is known. */
static void
count_code(MpProfileInput *input, const MpInput *model_input, float code)
{
	if (model_input->categories != NULL)
		count_label(input, mp_category_label(model_input->categories, (uint32) code));
	else
		count_label(input, string_of(psprintf("%.0f", code)));
}

static MpString
label_of_code(const MpSteps *steps, const MpStepsInput *input, uint32 code)
{
	const MpStepsLabel *label = MP_STEPS_SECTION(steps, MP_STEPS_LABELS, MpStepsLabel) + input->first_label + code - 1;

	if (label->length == MP_LABEL_IS_NUMBER)
		return string_of(psprintf("%.15g", MP_STEPS_SECTION(steps, MP_STEPS_NUMBERS, double)[label->at]));
	return mp_steps_string(steps, label->at, label->length);
}

/* An input of preprocessing; a time in days. */
static void
count_slot(MpProfileInput *input, const MpRow *row, int i, bool given)
{
	const MpStepsInput *labels = row->model->inputs[i].labels;
	const MpSlot *slot = &row->slots[i];

	if (mp_slot_is_missing(row, i))
	{
		if (given && labels->kind == MP_STEPS_LABEL)
			input->unseen++;
		else
			input->missing++;
	}
	else if (labels->kind == MP_STEPS_NUMBER)
		count_number(input, (float) slot->number);
	else if (labels->kind == MP_STEPS_TIME)
		count_number(input, (float) (slot->time / 86400e6));
	else if (slot->label <= labels->n_labels)
		count_label(input, label_of_code(row->model->steps, labels, slot->label));
	else
		input->unseen++;
}

static void
count_slots(MpProfile *profile, MpCallSite *site)
{
	for (int i = 0; i < site->model->n_inputs; i++)
	{
		MpValueType type;
		Datum		value;

		count_slot(mp_vec_at(&profile->inputs, MpProfileInput, i), &site->row, i,
				   mp_source_value(site->source, site->model, i, &type, &value));
	}
}

static void
count_inputs(MpProfile *profile, MpCallSite *site)
{
	const MpModel *model = site->model;

	if (model->steps != NULL)
	{
		count_slots(profile, site);
		return;
	}
	for (int i = 0; i < model->n_inputs; i++)
	{
		MpProfileInput *input = mp_vec_at(&profile->inputs, MpProfileInput, i);
		double		x = mp_row_feature(&site->row, i);
		MpValueType type;
		Datum		value;

		if (input->kind == MP_PROFILE_NUMBER)
			count_number(input, x);
		else if (!isnan(x))
			count_code(input, &model->inputs[i], x);
		else if (!model->options.has_missing &&
				 mp_source_value(site->source, model, i, &type, &value))
			input->unseen++;
		else
			input->missing++;
	}
}

static void
count_score(MpProfileInput *score, MpRow *row)
{
	mp_score_margin(row);
	if (score->kind == MP_PROFILE_NUMBER)
		count_number(score, mp_score_value(row));
	else
		count_label(score, string_of(mp_score_label(row->model, mp_score_class(row))));
}

/* (state, model, row...); a null row counts nowhere */
PG_FUNCTION_INFO_V1(mp_profile_accum);
Datum
mp_profile_accum(PG_FUNCTION_ARGS)
{
	MpCallSite *site = mp_callsite_get_at(fcinfo, 1, 2);
	MpRow	   *row = &site->row;
	MpMetrics  *metrics = mp_metrics_state(fcinfo, MP_METRICS_PROFILE, 0, 0);
	MpProfile  *profile = &metrics->of.profile;
	bool		complete = mp_row_read(site->source, fcinfo, row);

	if (!complete && PG_NARGS() == 3 && PG_ARGISNULL(2))
		PG_RETURN_POINTER(metrics);
	if (profile->version == 0)
		begin_profile(profile, site->model);
	else
		check_same_version(profile, site->model);
	profile->rows++;
	count_inputs(profile, site);
	if (profile->has_score && complete)
		count_score(&profile->score, row);
	else if (profile->has_score)
		profile->score.missing++;
	/* labels may be many, where the model knows none */
	if (profile->rows % 65536 == 0)
		mp_metrics_added(metrics, true, 1024 * 1024 + profile->rows);
	PG_RETURN_POINTER(metrics);
}

/* (state, profile) */
PG_FUNCTION_INFO_V1(mp_merge_profiles_accum);
Datum
mp_merge_profiles_accum(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_state(fcinfo, MP_METRICS_PROFILE, 0, 0);
	MpProfile	profile;
	MpError		error = {MP_OK};

	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(metrics);
	mp_profile_from_jsonb(&profile, PG_GETARG_JSONB_P(1), mp_alloc_context(CurrentMemoryContext));
	if (!mp_profile_merge(&metrics->of.profile, &profile, &error))
		ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", error.message));
	PG_RETURN_POINTER(metrics);
}

PG_FUNCTION_INFO_V1(mp_profile_final);
Datum
mp_profile_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_PROFILE);

	if (metrics->of.profile.inputs.size == 0)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(to_jsonb_of(&metrics->of.profile));
}

PG_FUNCTION_INFO_V1(mp_set_baseline);
Datum
mp_set_baseline(PG_FUNCTION_ARGS)
{
	MpReference ref = mp_reference_parse(mp_manage_text(fcinfo, 0, "reference to a model"));
	int32		version;
	MpWriter	writer;
	MpModelRow	model;
	MpProfile	profile;
	Jsonb	   *pooled = NULL;

	if (!PG_ARGISNULL(1))
	{
		mp_profile_from_jsonb(&profile, PG_GETARG_JSONB_P(1), mp_alloc_context(CurrentMemoryContext));
		mp_metrics_complete(mp_profile_pool(&profile));
		pooled = to_jsonb_of(&profile);
	}
	mp_writer_begin(&writer, "set_baseline()");
	mp_manage_lock(&writer, ref.name, &model);
	PushActiveSnapshot(GetTransactionSnapshot());
	version = mp_lookup_version(&ref, model.id, GetActiveSnapshot());
	PopActiveSnapshot();
	mp_writer_run("DELETE FROM model_predict.stored_baseline WHERE model = $1 AND version = $2",
				  mp_int8(model.id), mp_int4(version));
	if (pooled != NULL)
		mp_writer_run("INSERT INTO model_predict.stored_baseline (model, version, profile, created)"
					  " VALUES ($1, $2, $3, pg_catalog.clock_timestamp())",
					  mp_int8(model.id), mp_int4(version),
					  (MpParam) {JSONBOID, JsonbPGetDatum(pooled), false});
	mp_manage_log(&writer, &(MpEvent){.model = ref.name,
									  .model_id = model.id,
									  .owner = model.owner,
									  .action = "set_baseline",
									  .new_version = version});
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}

bool
mp_profile_baseline(const MpFound *found, Snapshot snapshot, MpProfile *baseline)
{
	MpScan		scan;
	HeapTuple	tuple;
	Jsonb	   *profile = NULL;

	mp_scan_begin(&scan, "stored_baseline", snapshot);
	mp_scan_key_int8(&scan, "model", found->model);
	mp_scan_key_int4(&scan, "version", found->version);
	tuple = mp_scan_next(&scan);
	if (tuple != NULL)
		profile = DatumGetJsonbPCopy(mp_scan_value_not_null(&scan, tuple, "profile"));
	mp_scan_end(&scan);
	if (profile == NULL)
		return false;
	mp_profile_from_jsonb(baseline, profile, mp_alloc_context(CurrentMemoryContext));
	return true;
}
