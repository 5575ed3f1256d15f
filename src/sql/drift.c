/*
 * drift.c: how far the rows of a profile are from those of another one, or of a
 * version's baseline; as rows and as a picture.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "core/metrics/drift.h"
#include "core/text/svg_bars.h"
#include "glue/compat.h"
#include "glue/memory.h"
#include "sql/metrics.h"
#include "sql/picture.h"
#include "sql/profile.h"

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
		rows[n] = (DriftRow) {mp_profile_text(name.data, name.length), input->kind, {0}, NAN};
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

	mp_profile_from_jsonb(&profile, PG_GETARG_JSONB_P(0), alloc);
	mp_profile_from_jsonb(&baseline, PG_GETARG_JSONB_P(1), alloc);
	rows = make_rows(&profile);
	return_rows(fcinfo, rows, compare_profiles(&profile, &baseline, rows));
	return (Datum) 0;
}

static void
add_importance(DriftRow *rows, int n, const char *input, double importance)
{
	for (int i = 0; i < n; i++)
		if (rows[i].name != NULL && strcmp(rows[i].name, input) == 0)
			rows[i].importance = (isnan(rows[i].importance) ? 0 : rows[i].importance) + importance;
}

/* What the inputs of preprocessing are made into: an input counts for its features. */
typedef struct Derived
{
	char	   *input;
	Datum	   *features;
	int			n;
} Derived;

static List *
read_derived(const MpFound *found, Snapshot snapshot)
{
	MpScan		scan;
	HeapTuple	tuple;
	List	   *inputs = NIL;

	mp_scan_begin(&scan, "stored_input", snapshot);
	mp_scan_key_int8(&scan, "model", found->model);
	mp_scan_key_int4(&scan, "version", found->version);
	while ((tuple = mp_scan_next(&scan)) != NULL)
	{
		Derived    *derived = palloc(sizeof(Derived));

		derived->input = TextDatumGetCString(mp_scan_value_not_null(&scan, tuple, "name"));
		deconstruct_array(DatumGetArrayTypePCopy(mp_scan_value_not_null(&scan, tuple, "features")),
						  TEXTOID, -1, false, TYPALIGN_INT, &derived->features, NULL, &derived->n);
		inputs = lappend(inputs, derived);
	}
	mp_scan_end(&scan);
	return inputs;
}

static void
add_derived(DriftRow *rows, int n, List *inputs, const char *feature, double importance)
{
	ListCell   *cell;

	foreach(cell, inputs)
	{
		const Derived *derived = lfirst(cell);

		for (int i = 0; i < derived->n; i++)
			if (strcmp(TextDatumGetCString(derived->features[i]), feature) == 0)
				add_importance(rows, n, derived->input, importance);
	}
}

/* By gain, or where the model does not tell it, by weight. */
static void
read_importances(const MpFound *found, Snapshot snapshot, DriftRow *rows, int n)
{
	List	   *inputs = read_derived(found, snapshot);
	MpScan		scan;
	HeapTuple	tuple;

	mp_scan_begin(&scan, "stored_feature", snapshot);
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
		double		importance;

		CHECK_FOR_INTERRUPTS();
		if (no_gain && no_weight)
			continue;
		importance = fabs(DatumGetFloat4(no_gain ? weight : gain));
		if (inputs == NIL)
			add_importance(rows, n, title, importance);
		else
			add_derived(rows, n, inputs, title, importance);
	}
	mp_scan_end(&scan);
}

/* The rows of a profile against the version's baseline. */
static DriftRow *
against_baseline(const MpFound *found, Snapshot snapshot, Jsonb *jsonb, int *n)
{
	MpProfile	profile;
	MpProfile	baseline;
	DriftRow   *rows;

	mp_profile_from_jsonb(&profile, jsonb, mp_alloc_context(CurrentMemoryContext));
	if (!mp_profile_baseline(found, snapshot, &baseline))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("model \"%s\" version %d has no baseline", found->name, found->version),
				errhint("Its owner can set one: SELECT model_predict.set_baseline('%s@%d', model_predict.profile('%s@%d', t.*)) FROM training_rows t.",
						found->name, found->version, found->name, found->version));
	rows = make_rows(&profile);
	*n = compare_profiles(&profile, &baseline, rows);
	read_importances(found, snapshot, rows, *n);
	return rows;
}

PG_FUNCTION_INFO_V1(mp_drift_reference);
Datum
mp_drift_reference(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	MpFound		found = mp_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)), MP_RIGHT_SEE,
								  GetUserId(), snapshot);
	int			n;
	DriftRow   *rows = against_baseline(&found, snapshot, PG_GETARG_JSONB_P(1), &n);

	return_rows(fcinfo, rows, n);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(mp_drift_svg);
Datum
mp_drift_svg(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	MpVec		out = {mp_alloc_context(CurrentMemoryContext)};
	MpSvgBars	chart = {0};
	MpFound		found;
	MpSvgBar   *bars;
	DriftRow   *rows;
	int			n;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	chart.style = mp_picture_style(fcinfo, 2);
	found = mp_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)), MP_RIGHT_SEE, GetUserId(), snapshot);
	rows = against_baseline(&found, snapshot, PG_GETARG_JSONB_P(1), &n);
	bars = palloc(sizeof(MpSvgBar) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (isnan(rows[i].drift.psi))
			continue;
		bars[chart.n_bars].label = mp_picture_string(rows[i].name ? rows[i].name : "score");
		bars[chart.n_bars].value = mp_picture_string(rows[i].drift.verdict == MP_DRIFT_NONE ? "" :
													 mp_verdict_name(rows[i].drift.verdict));
		bars[chart.n_bars++].amount = rows[i].drift.psi;
	}
	chart.bars = bars;
	chart.title = mp_picture_string(psprintf("%s version %d: drift", found.name, found.version));
	chart.caption = mp_picture_string("Population stability index against the rows of the baseline: moderate from 0.1, significant from 0.25.");
	PG_RETURN_TEXT_P(mp_picture_finish(mp_svg_bars(&chart, false, &out), &out));
}
