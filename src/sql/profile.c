/*
 * profile.c: what rows are like, and how far they are from a baseline.
 *
 * profile() reads rows as scoring does, by the rules of the version, and counts
 * its inputs and its score; the core has the counting (profile.c) and the
 * comparison (drift.c). A profile is UTF-8 in the core, jsonb in SQL.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "core/metrics/drift.h"
#include "core/metrics/keys.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "score/callsite.h"
#include "score/score.h"
#include "sql/manage.h"
#include "sql/metrics.h"
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

static char *
from_core(const char *data, Size size)
{
	char	   *text = pnstrdup(data, size);

	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
		text = pg_any_to_server(text, size, PG_UTF8);
	return text;
}

static Jsonb *
profile_to_jsonb(MpProfile *profile)
{
	MpVec		json = {mp_alloc_context(CurrentMemoryContext)};

	mp_metrics_complete(mp_profile_write(profile, &json));
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(from_core(json.data, json.size))));
}

static void
profile_from_jsonb(MpProfile *profile, Jsonb *jsonb, MpAlloc *alloc)
{
	char	   *json = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	MpError		error;

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

static void
count_inputs(MpProfile *profile, MpCallSite *site)
{
	const MpModel *model = site->model;

	for (int i = 0; i < model->n_inputs; i++)
	{
		MpProfileInput *input = mp_vec_at(&profile->inputs, MpProfileInput, i);
		float		x = site->row.x[i];
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
	profile_from_jsonb(&profile, PG_GETARG_JSONB_P(1), mp_alloc_context(CurrentMemoryContext));
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
	PG_RETURN_JSONB_P(profile_to_jsonb(&metrics->of.profile));
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
		profile_from_jsonb(&profile, PG_GETARG_JSONB_P(1), mp_alloc_context(CurrentMemoryContext));
		mp_metrics_complete(mp_profile_pool(&profile));
		pooled = profile_to_jsonb(&profile);
	}
	mp_writer_begin(&writer, "set_baseline()");
	mp_manage_lock(&writer, ref.name, &model);
	PushActiveSnapshot(GetTransactionSnapshot());
	version = mp_lookup_version(&ref, model.id, GetActiveSnapshot());
	PopActiveSnapshot();
	mp_writer_run("DELETE FROM model_predict.baseline WHERE model = $1 AND version = $2",
				  mp_int8(model.id), mp_int4(version));
	if (pooled != NULL)
		mp_writer_run("INSERT INTO model_predict.baseline (model, version, profile, created)"
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

/* An input's drift, and what it is sorted by. */
typedef struct DriftRow
{
	char	   *name;			/* NULL: the score */
	MpProfileKind kind;
	MpDrift		drift;
	double		importance;		/* NAN: not known */
} DriftRow;

static double
weight_of(const DriftRow *row)
{
	double		psi = isnan(row->drift.psi) ? 0 : row->drift.psi;

	return row->name == NULL ? INFINITY : isnan(row->importance) ? psi : psi * row->importance;
}

static int
compare_rows(const void *a, const void *b)
{
	const DriftRow *x = a;
	const DriftRow *y = b;
	double		difference = weight_of(y) - weight_of(x);

	if (weight_of(x) != weight_of(y))
		return difference > 0 ? 1 : -1;
	return x->name == NULL || y->name == NULL ? 0 : strcmp(x->name, y->name);
}

static int
compare_profiles(MpProfile *profile, MpProfile *baseline, DriftRow *rows)
{
	int			n = 0;

	if (profile->has_score)
	{
		rows[n] = (DriftRow) {NULL, profile->score.kind, {0}, NAN};
		mp_metrics_complete(mp_drift(&profile->score, baseline->has_score ? &baseline->score : NULL,
									 &rows[n++].drift));
	}
	for (uint32 i = 0; i < mp_names_count(&profile->names); i++)
	{
		const MpProfileInput *input = mp_vec_at(&profile->inputs, MpProfileInput, i);
		const MpProfileInput *other = NULL;
		MpString	name = mp_names_at(&profile->names, i);
		uint32_t	n_before = mp_names_count(&baseline->names);
		uint32_t	number;

		mp_metrics_complete(mp_names_find(&baseline->names, name, &number));
		if (number < n_before && number < mp_vec_count(&baseline->inputs, MpProfileInput))
			other = mp_vec_at(&baseline->inputs, MpProfileInput, number);
		rows[n] = (DriftRow) {from_core(name.data, name.length), input->kind, {0}, NAN};
		mp_metrics_complete(mp_drift(input, other, &rows[n++].drift));
	}
	return n;
}

static void
put_number(Datum *values, bool *nulls, int column, double number)
{
	values[column] = Float8GetDatum(number);
	nulls[column] = isnan(number);
}

static void
return_rows(FunctionCallInfo fcinfo, DriftRow *rows, int n)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	qsort(rows, n, sizeof(DriftRow), compare_rows);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		const DriftRow *row = &rows[i];
		Datum		values[11];
		bool		nulls[11] = {false};

		values[0] = CStringGetTextDatum(row->name ? row->name : "score");
		values[1] = CStringGetTextDatum(row->name == NULL ? "score" :
										row->kind == MP_PROFILE_NUMBER ? "number" : "category");
		put_number(values, nulls, 2, row->drift.psi);
		put_number(values, nulls, 3, row->drift.js_distance);
		put_number(values, nulls, 4, row->drift.noise);
		values[5] = Int64GetDatum(row->drift.rows);
		put_number(values, nulls, 6, row->drift.missing);
		put_number(values, nulls, 7, row->drift.baseline_missing);
		put_number(values, nulls, 8, row->drift.unseen);
		put_number(values, nulls, 9, row->importance);
		values[10] = CStringGetTextDatum(mp_verdict_name(row->drift.verdict));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

static DriftRow *
make_rows(const MpProfile *profile)
{
	return palloc(sizeof(DriftRow) * (mp_names_count(&profile->names) + 1));
}

PG_FUNCTION_INFO_V1(mp_drift_profiles);
Datum
mp_drift_profiles(PG_FUNCTION_ARGS)
{
	MpAlloc    *alloc = mp_alloc_context(CurrentMemoryContext);
	MpProfile	profile;
	MpProfile	baseline;
	DriftRow   *rows;

	profile_from_jsonb(&profile, PG_GETARG_JSONB_P(0), alloc);
	profile_from_jsonb(&baseline, PG_GETARG_JSONB_P(1), alloc);
	rows = make_rows(&profile);
	return_rows(fcinfo, rows, compare_profiles(&profile, &baseline, rows));
	return (Datum) 0;
}

static void
read_baseline(const MpFound *found, Snapshot snapshot, MpProfile *baseline)
{
	MpScan		scan;
	HeapTuple	tuple;
	Jsonb	   *profile = NULL;

	mp_scan_begin(&scan, "baseline", snapshot);
	mp_scan_key_int8(&scan, "model", found->model);
	mp_scan_key_int4(&scan, "version", found->version);
	tuple = mp_scan_next(&scan);
	if (tuple != NULL)
		profile = DatumGetJsonbPCopy(mp_scan_value_not_null(&scan, tuple, "profile"));
	mp_scan_end(&scan);
	if (profile == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("model \"%s\" version %d has no baseline", found->name, found->version),
				errhint("Its owner can set one: SELECT model_predict.set_baseline('%s@%d', model_predict.profile('%s@%d', t.*)) FROM training_rows t.",
						found->name, found->version, found->name, found->version));
	profile_from_jsonb(baseline, profile, mp_alloc_context(CurrentMemoryContext));
}

/* By gain, or where the model does not tell it, by weight. */
static void
read_importances(const MpFound *found, Snapshot snapshot, DriftRow *rows, int n)
{
	MpScan		scan;
	HeapTuple	tuple;

	mp_scan_begin(&scan, "feature", snapshot);
	mp_scan_key_int8(&scan, "model", found->model);
	mp_scan_key_int4(&scan, "version", found->version);
	while ((tuple = mp_scan_next(&scan)) != NULL)
	{
		bool		no_gain;
		bool		no_weight;
		bool		no_name;
		Datum		gain = mp_scan_value(&scan, tuple, "gain", &no_gain);
		Datum		weight = mp_scan_value(&scan, tuple, "weight", &no_weight);
		Datum		name = mp_scan_value(&scan, tuple, "name", &no_name);
		int			position = DatumGetInt32(mp_scan_value_not_null(&scan, tuple, "position"));
		char	   *title = no_name ? psprintf("f%d", position - 1) : TextDatumGetCString(name);

		for (int i = 0; i < n; i++)
			if (rows[i].name != NULL && strcmp(rows[i].name, title) == 0 && !(no_gain && no_weight))
				rows[i].importance = fabs(DatumGetFloat4(no_gain ? weight : gain));
	}
	mp_scan_end(&scan);
}

PG_FUNCTION_INFO_V1(mp_drift_reference);
Datum
mp_drift_reference(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	MpProfile	profile;
	MpProfile	baseline;
	MpFound		found = mp_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)), MP_RIGHT_SEE,
								  GetUserId(), snapshot);
	DriftRow   *rows;
	int			n;

	profile_from_jsonb(&profile, PG_GETARG_JSONB_P(1), mp_alloc_context(CurrentMemoryContext));
	read_baseline(&found, snapshot, &baseline);
	rows = make_rows(&profile);
	n = compare_profiles(&profile, &baseline, rows);
	read_importances(&found, snapshot, rows, n);
	return_rows(fcinfo, rows, n);
	return (Datum) 0;
}
