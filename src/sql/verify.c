/*
 * verify.c: model_predict.verify(): is this version scored as it should be?
 *
 * Three tests, a row of the answer each: the stored examples against what
 * Python answered; rows made from the model's own thresholds and categories
 * (see core/probe.h), bit by bit, the kernel that serves against the plain
 * evaluator; and the same rows against libxgboost, margins and predictions,
 * where the library can be had and can read the model. What cannot be done
 * says why, and differs in nothing: differences is null then.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "store/catalog.h"
#include "core/forest/depth.h"
#include "core/forest/eval.h"
#include "core/forest/input.h"
#include "core/forest/probe.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "libxgboost/engine.h"
#include "model/cache.h"
#include "model/version.h"
#include "score/examples.h"
#include "sql/manage.h"
#include "store/lookup.h"

#define MAX_TARGETS 20000		/* thresholds and categories that are tried */
#define MAX_VALUES 100000000	/* features, or outputs, of all targets: fewer for wide models */
#define BATCH_VALUES 262144		/* and of the rows given to libxgboost at once */
#define BATCH_STEPS 16000000	/* splits on their ways: it cannot be interrupted, and takes about 0.2 s */

typedef struct Test
{
	const char *name;
	int64		rows;
	int64		differences;	/* -1: could not be made */
	instr_time	elapsed;
	char	   *detail;
} Test;

typedef struct Verifier
{
	const MpModel *model;
	const MpForest *forest;
	bool		library;		/* compare with it */
	int			n_predictions;
	int			n;				/* rows of the batch */
	int			room;
	float	   *x;				/* [room][n_features] */
	float	   *margins;		/* [room][n_outputs], ours */
	float	   *theirs;			/* [room][n_outputs] */
	float	   *plain;			/* [n_outputs], of one row by the plain evaluator */
	float	   *predictions;	/* [n_predictions], of one row */
	Test		reference;
	Test		libxgboost;
} Verifier;

static bool
same_bits(const float *a, const float *b, int n)
{
	for (int i = 0; i < n; i++)
		if (memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(isnan(a[i]) && isnan(b[i])))
			return false;
	return true;
}

static char *
show(const float *values, int n)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < n && i < 20; i++)
		appendStringInfo(&text, "%s%.9g", i ? "," : "{", values[i]);
	appendStringInfoString(&text, n > 20 ? ",...}" : "}");
	return text.data;
}

static void
count_difference(const Verifier *v, Test *test, const float *x, const char *what,
				 const float *ours, const float *theirs, int n)
{
	if (test->differences++ == 0)
		test->detail = psprintf("The %s of row %s are %s, not %s.", what,
								show(x, v->forest->n_features), show(ours, n), show(theirs, n));
}

static void
start(instr_time *t)
{
	INSTR_TIME_SET_CURRENT(*t);
}

static void
stop(Test *test, const instr_time *since)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_ACCUM_DIFF(test->elapsed, now, *since);
}

/* One row by the kernel and by the plain evaluator. */
static void
compare_with_reference(Verifier *v, const float *x, float *margin)
{
	instr_time	since;

	start(&since);
	mp_kernel_margin(v->model->kernel, x, margin);
	mp_eval_margin(v->forest, x, v->plain);
	v->reference.rows++;
	if (!same_bits(margin, v->plain, v->forest->n_outputs))
		count_difference(v, &v->reference, x, "margins", margin, v->plain, v->forest->n_outputs);
	stop(&v->reference, &since);
}

static char *
fault_text(const MpXgboostFault *fault)
{
	if (fault->detail == NULL)
		return fault->message;
	return psprintf("%s. %s", fault->message, fault->detail);
}

/*
 * Whether the library makes predictions of margins as the XGBoost does that
 * saved the model: later ones came to sort quantiles, those of 1.x all agree.
 */
static bool
same_links(const Verifier *v)
{
	return mp_xgboost_compare_version(2, 0, 0) < 0 || mp_engine_same_minor(v->model);
}

/* The batch by libxgboost: margins, then predictions of the rows whose margins agree. */
static void
compare_with_library(Verifier *v)
{
	int			n_outputs = v->forest->n_outputs;
	bool	   *counted = palloc0(sizeof(bool) * v->n);
	MpXgboostFault fault;
	instr_time	since;

	start(&since);
	for (int margin = 1; margin >= (same_links(v) ? 0 : 1); margin--)
	{
		int			n = margin ? n_outputs : v->n_predictions;

		if (!mp_engine_predict(v->model, v->x, v->n, margin, v->theirs, &fault))
		{
			v->library = false;
			v->libxgboost.differences = -1;
			v->libxgboost.detail = fault_text(&fault);
			break;
		}
		for (int i = 0; i < v->n; i++)
		{
			const float *ours = v->margins + (size_t) i * n_outputs;
			const float *theirs = v->theirs + (size_t) i * n;

			if (!margin)
			{
				mp_predict_from_margin(v->forest, ours, v->predictions);
				ours = v->predictions;
			}
			if (counted[i] || same_bits(ours, theirs, n))
				continue;
			counted[i] = true;
			count_difference(v, &v->libxgboost, v->x + (size_t) i * v->forest->n_features,
							 margin ? "margins" : "predictions", ours, theirs, n);
		}
	}
	stop(&v->libxgboost, &since);
	if (v->library)
		v->libxgboost.rows += v->n;
	pfree(counted);
}

static void
flush_batch(Verifier *v)
{
	CHECK_FOR_INTERRUPTS();
	if (v->library && v->n > 0)
		compare_with_library(v);
	v->n = 0;
}

static void
open_library(Verifier *v, Snapshot snapshot)
{
	MpXgboostFault fault;
	instr_time	since;

	v->libxgboost.name = "libxgboost";
	start(&since);
	if (mp_engine_setting == MP_ENGINE_NATIVE)
	{
		v->libxgboost.differences = -1;
		v->libxgboost.detail = "model_predict.engine is native: libxgboost is not loaded";
	}
	else if (mp_engine_open(v->model, snapshot, &fault))
		v->library = true;
	else
	{
		v->libxgboost.differences = -1;
		v->libxgboost.detail = fault_text(&fault);
	}
	stop(&v->libxgboost, &since);
}

/* The rows that the model itself gives. */
static void
run_probe(Verifier *v)
{
	int			width = Max(Max(v->forest->n_features, v->forest->n_outputs), 1);
	uint64		limit = Max(1, Min(MAX_TARGETS, MAX_VALUES / width));
	MpAlloc    *alloc = mp_alloc_context(CurrentMemoryContext);
	int64		steps = Max((int64) v->forest->n_trees_used * mp_forest_depth(alloc, v->forest), 1);
	MpError		error;
	MpProbe    *probe;
	char	   *tried;

	v->reference.name = "reference";
	v->room = Max(1, Min(BATCH_VALUES / width, BATCH_STEPS / steps));
	v->n_predictions = mp_forest_n_predictions(v->forest);
	v->x = palloc(sizeof(float) * v->room * width);
	v->margins = palloc(sizeof(float) * v->room * width);
	v->theirs = palloc(sizeof(float) * v->room * width);
	v->plain = palloc(sizeof(float) * width);
	v->predictions = palloc(sizeof(float) * width);
	probe = mp_probe_open(alloc, v->forest, limit, &error);
	if (probe == NULL)
		mp_throw(&error, v->model->name, v->model->version);
	while (mp_probe_next(probe, v->x + (size_t) v->n * v->forest->n_features))
	{
		compare_with_reference(v, v->x + (size_t) v->n * v->forest->n_features,
							   v->margins + (size_t) v->n * v->forest->n_outputs);
		if (++v->n == v->room)
			flush_batch(v);
	}
	flush_batch(v);
	tried = psprintf(UINT64_FORMAT " of " UINT64_FORMAT " thresholds and categories",
					 mp_probe_targets_tried(probe), mp_probe_targets(probe));
	if (v->reference.detail == NULL)
		v->reference.detail = tried;
	if (v->libxgboost.detail == NULL)
		v->libxgboost.detail = tried;
	mp_probe_close(probe);
}

/* A row of doubles by the kernel and by the plain evaluator. */
static void
compare_doubles(Verifier *v, double *x, double *ours, double *plain)
{
	CHECK_FOR_INTERRUPTS();
	mp_forest_prepare(v->forest, x);
	mp_kernel_margin(v->model->kernel, x, ours);
	mp_eval_margin_double(v->forest, x, plain);
	v->reference.rows++;
	for (int i = 0; i < v->forest->n_outputs; i++)
	{
		if (memcmp(&ours[i], &plain[i], sizeof(double)) == 0 || (isnan(ours[i]) && isnan(plain[i])))
			continue;
		if (v->reference.differences++ == 0)
			v->reference.detail = psprintf("Margin %d of row " INT64_FORMAT " is %.17g, not %.17g.", i + 1,
										   v->reference.rows, ours[i], plain[i]);
		break;
	}
}

/*
 * Rows about each threshold of a forest of doubles: one value changes from row to
 * row, to the threshold, to its neighbors, and to missing. libxgboost knows
 * none of these models.
 */
static void
run_doubles(Verifier *v)
{
	const MpForest *forest = v->forest;
	int			width = Max(forest->n_features, 1);
	double	   *x = palloc0(sizeof(double) * width);
	double	   *ours = palloc(sizeof(double) * forest->n_outputs);
	double	   *plain = palloc(sizeof(double) * forest->n_outputs);
	int64		limit = Max(1, Min(MAX_TARGETS, MAX_VALUES / width));
	int64		targets = 0;
	instr_time	since;

	v->reference.name = "reference";
	v->libxgboost.name = "libxgboost";
	v->libxgboost.differences = -1;
	v->libxgboost.detail = "the model is not XGBoost's";
	start(&since);
	compare_doubles(v, x, ours, plain);
	for (int i = 0; i < forest->n_trees_used; i++)
	{
		const MpTree *tree = mp_forest_trees(forest) + i;
		const MpNode *nodes = mp_forest_nodes(forest, tree);

		for (uint32 k = 0; k < tree->n_nodes && targets < limit; k++)
		{
			double	   *value = &x[nodes[k].feature & MP_NODE_FEATURE_MASK];
			double		threshold;

			if (nodes[k].left == 0)
				continue;
			targets++;
			threshold = nodes[k].feature & MP_NODE_CATEGORICAL ? targets % 64 : mp_forest_value(forest, tree, k);
			*value = nextafter(threshold, -INFINITY);
			compare_doubles(v, x, ours, plain);
			*value = threshold;
			compare_doubles(v, x, ours, plain);
			if (targets % 4 == 0)
			{
				*value = targets % 8 == 0 ? NAN : nextafter(threshold, INFINITY);
				compare_doubles(v, x, ours, plain);
			}
		}
	}
	stop(&v->reference, &since);
	if (v->reference.detail == NULL)
		v->reference.detail = psprintf(INT64_FORMAT " thresholds and categories", targets);
}

/* The stored examples, by the engine that the session has chosen. */
static void
run_examples(Test *test, const MpModel *model, Snapshot snapshot)
{
	MpScan		scan;
	HeapTuple	tuple;
	Datum		examples;
	bool		isnull;
	int			n = 0;
	instr_time	since;

	test->name = "examples";
	mp_scan_begin(&scan, "stored_version", snapshot);
	mp_scan_key_int8(&scan, "model", model->id);
	mp_scan_key_int4(&scan, "version", model->version);
	tuple = mp_scan_next(&scan);
	if (tuple == NULL)
		mp_lookup_no_version(model->name, model->version);
	examples = mp_scan_value(&scan, tuple, "examples", &isnull);
	start(&since);
	if (!isnull)
		test->differences = mp_examples_count_different(model, DatumGetJsonbPCopy(examples), &n,
														&test->detail);
	stop(test, &since);
	mp_scan_end(&scan);
	test->rows = n;
	if (n == 0)
	{
		test->differences = -1;
		test->detail = "the version was registered without examples";
	}
}

/* What is stored of the version against its bytes and options. */
static void
run_stored(Test *test, const MpModel *model, Snapshot snapshot)
{
	instr_time	since;

	test->name = "stored";
	test->rows = 1;
	start(&since);
	test->detail = unconstify(char *, mp_version_compare(model->name, model->id, model->version, snapshot));
	stop(test, &since);
	test->differences = test->detail != NULL;
	if (test->detail != NULL)
		test->detail = psprintf("%s; model_predict.recompile() stores it anew", test->detail);
}

static void
put(ReturnSetInfo *rsinfo, const MpModel *model, const Test *test, const char *library)
{
	const int32 *v = model->forest->version;
	Interval	elapsed = {0};
	Datum		values[8];
	bool		nulls[8] = {0};

	elapsed.time = INSTR_TIME_GET_MICROSEC(test->elapsed);
	values[0] = CStringGetTextDatum(test->name);
	values[1] = Int64GetDatum(test->rows);
	nulls[2] = test->differences < 0;
	values[2] = Int64GetDatum(test->differences);
	values[3] = CStringGetTextDatum(mp_kernel_kind_name(mp_kernel_kind(model->kernel)));
	values[4] = CStringGetTextDatum(psprintf("%d.%d.%d", v[0], v[1], v[2]));
	nulls[5] = library == NULL;
	values[5] = library ? CStringGetTextDatum(library) : (Datum) 0;
	values[6] = IntervalPGetDatum(&elapsed);
	nulls[7] = test->detail == NULL;
	values[7] = test->detail ? CStringGetTextDatum(test->detail) : (Datum) 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(mp_verify);
Datum
mp_verify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Snapshot	snapshot = mp_catalog_snapshot();
	Verifier	v = {0};
	Test		stored = {0};
	Test		examples = {0};
	MpFound		found;

	InitMaterializedSRF(fcinfo, 0);
	found = mp_lookup(mp_manage_text(fcinfo, 0, "reference to a model"), MP_RIGHT_READ_TREES,
					  GetUserId(), snapshot);
	/* nothing below loads another model, so that the model stays without a pin */
	v.model = mp_cache_get(&found, snapshot);
	v.forest = mp_cache_trees(v.model, snapshot);
	run_stored(&stored, v.model, snapshot);
	run_examples(&examples, v.model, snapshot);
	if (v.model->wide)
		run_doubles(&v);
	else
	{
		open_library(&v, snapshot);
		run_probe(&v);
	}
	put(rsinfo, v.model, &stored, NULL);
	put(rsinfo, v.model, &examples, NULL);
	put(rsinfo, v.model, &v.reference, NULL);
	put(rsinfo, v.model, &v.libxgboost, mp_xgboost_version());
	return (Datum) 0;
}
