/*
 * explain.c: why a row has its score, as a table: features with the row's
 * values and what they add, strongest first, the bias last.
 *
 * A contribution is on the scale of the margin, where they add up; what the
 * objective makes of the margin does not split into parts. Of two classes the
 * margin speaks for the second; the first one's is its negative.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "sql/explain.h"
#include "score/score.h"

#define BIAS_NAME "(bias)"

/* Of a model with several outputs that are no classes: numbered from 0, as XGBoost does. */
static int
find_output(const MpBooster *booster, text *number)
{
	int			n = booster->forest->n_outputs;
	char	   *given = text_to_cstring(number);

	for (int i = 0; i < n; i++)
		if (strcmp(psprintf("%d", i), given) == 0)
			return i;
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("model \"%s\" version %d has no output \"%s\"",
				   booster->name, booster->version, given),
			errdetail("Its outputs are numbered from 0 to %d.", n - 1));
}

static void
choose_output(MpExplanation *e, text *class)
{
	const MpBooster *booster = e->booster;

	e->output = 0;
	e->class = -1;
	e->negated = false;
	switch (booster->task)
	{
		case MP_TASK_TWO_CLASSES:
		case MP_TASK_TWO_CLASSES_RAW:
		case MP_TASK_HINGE:
			e->class = class ? mp_score_find_class(booster, class) : 1;
			e->negated = e->class == 0;
			return;
		case MP_TASK_CLASS:
		case MP_TASK_CLASSES:
			e->class = class ? mp_score_find_class(booster, class) : mp_score_class(e->booster);
			e->output = e->class;
			return;
		case MP_TASK_VALUE:
			if (class)
				ereport(ERROR,
						errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("model \"%s\" version %d has no classes: its objective is \"%s\"",
							   booster->name, booster->version,
							   mp_objective_name(booster->forest->objective)),
						errhint("Use predict_explain()."));
			return;
		case MP_TASK_VALUES:
			if (!class)
				ereport(ERROR,
						errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("model \"%s\" version %d gives %d numbers for a row: which one to explain must be said",
							   booster->name, booster->version, booster->forest->n_outputs),
						errhint("Use predict_explain_class() with the number of the output, from '0' on, or predict_contribs() for all of them."));
			e->output = find_output(booster, class);
			return;
	}
}

/* A total order: what is not a number comes last. */
static int
compare_strength(const void *a, const void *b, void *arg)
{
	const float *contribs = arg;
	int			i = *(const int *) a;
	int			j = *(const int *) b;
	float		x = isnan(contribs[i]) ? -1 : fabsf(contribs[i]);
	float		y = isnan(contribs[j]) ? -1 : fabsf(contribs[j]);

	if (x != y)
		return x > y ? -1 : 1;
	return i - j;
}

static void
sort_features(MpExplanation *e)
{
	int			n = e->booster->forest->n_features;

	e->order = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * Max(n, 1));
	for (int i = 0; i < n; i++)
		e->order[i] = i;
	qsort_arg(e->order, n, sizeof(int), compare_strength, e->contribs);
}

void
mp_explain_scored(text *class, MpExplanation *e)
{
	int			n = e->booster->forest->n_features;
	MpShap	   *shap = mp_contribs_open(e->booster);

	choose_output(e, class);
	e->contribs = palloc(sizeof(float) * (n + 1));
	mp_shap_contribs_of(shap, e->booster->x, e->output, e->contribs);
	if (e->negated)
		for (int i = 0; i <= n; i++)
			e->contribs[i] = 0.0f - e->contribs[i]; /* no -0 */
	e->bias = e->contribs[n];
	e->margin = e->booster->margin[e->output];
	if (e->negated)
		e->margin = 0.0 - e->margin;
	sort_features(e);
}

/* Of the arguments of a call. */
static bool
value_of_call(void *row, const MpBooster *booster, int feature, MpInput *input, Datum *value)
{
	FunctionCallInfo fcinfo = row;
	MpCallSite *site = fcinfo->flinfo->fn_extra;

	return mp_row_value(site->form, fcinfo, booster, feature, input, value);
}

bool
mp_explain_row(FunctionCallInfo fcinfo, int first, text *class, MpExplanation *e)
{
	MpCallSite *site = mp_contribs_read(fcinfo, first);

	if (site == NULL)
		return false;
	e->value_of = value_of_call;
	e->row = fcinfo;
	e->booster = site->booster;
	mp_score_margin(e->booster);
	mp_explain_scored(class, e);
	return true;
}

char *
mp_explain_feature(const MpExplanation *e, int feature)
{
	const MpForest *forest = e->booster->forest;
	const MpFeature *f = mp_forest_features(forest) + feature;
	MpString	name = mp_forest_string(forest, f->name, f->name_length);

	if (forest->n_feature_names == 0)
		return psprintf("f%d", feature);
	return pnstrdup(name.data, name.length);
}

char *
mp_explain_value(const MpExplanation *e, int feature)
{
	MpInput		input;
	Datum		value;
	char	   *given = NULL;

	if (e->value_of(e->row, e->booster, feature, &input, &value))
		given = mp_value_text(input, value);
	if (given == NULL || strcmp(given, "NaN") == 0)
		return pstrdup("missing");
	return isnan(e->booster->x[feature]) ? psprintf("%s (as missing)", given) : given;
}

int
mp_explain_count(const MpExplanation *e, int top)
{
	int			n = 0;

	top = Min(top, e->booster->forest->n_features);
	while (n < top && e->contribs[e->order[n]] != 0)
		n++;
	return n;
}

/* From booster->margin. */
static float
outcome_of_margins(const MpExplanation *e, bool is_probability)
{
	MpBooster  *booster = e->booster;

	if (is_probability)
	{
		mp_score_probabilities(booster);
		return booster->prediction[e->class];
	}
	mp_predict_from_margin(booster->forest, booster->margin, booster->prediction);
	return booster->prediction[e->output];
}

bool
mp_explain_outcome(const MpExplanation *e, MpOutcome *outcome)
{
	MpBooster  *booster = e->booster;
	int			n = booster->forest->n_outputs;
	float	   *margins;

	if (booster->task == MP_TASK_HINGE)
		return false;
	outcome->is_probability = e->class >= 0;
	outcome->row = outcome_of_margins(e, outcome->is_probability);
	margins = palloc(sizeof(float) * n);
	memcpy(margins, booster->margin, sizeof(float) * n);
	for (int k = 0; k < n; k++)
		booster->margin[k] = mp_shap_bias(booster->shap, k);
	outcome->base = outcome_of_margins(e, outcome->is_probability);
	memcpy(booster->margin, margins, sizeof(float) * n);
	return true;
}

static void
put_reason(ReturnSetInfo *rsinfo, const char *feature, const char *value, double contribution)
{
	Datum		values[3] = {CStringGetTextDatum(feature), (Datum) 0, Float8GetDatum(contribution)};
	bool		nulls[3] = {false, value == NULL, false};

	if (value != NULL)
		values[1] = CStringGetTextDatum(value);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
explain_as_table(FunctionCallInfo fcinfo, int first, text *class)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MpExplanation e;

	if (!mp_explain_row(fcinfo, first, class, &e))
		return;
	for (int i = 0; i < e.booster->forest->n_features; i++)
	{
		int			feature = e.order[i];

		CHECK_FOR_INTERRUPTS();
		put_reason(rsinfo, mp_explain_feature(&e, feature), mp_explain_value(&e, feature),
				   e.contribs[feature]);
	}
	put_reason(rsinfo, BIAS_NAME, NULL, e.bias);
}

PG_FUNCTION_INFO_V1(mp_predict_explain);
Datum
mp_predict_explain(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	explain_as_table(fcinfo, 1, NULL);
	return (Datum) 0;
}

/* No class asks for no row, as predict_proba_of then gives NULL. */
PG_FUNCTION_INFO_V1(mp_predict_explain_class);
Datum
mp_predict_explain_class(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (!PG_ARGISNULL(1))
		explain_as_table(fcinfo, 2, PG_GETARG_TEXT_PP(1));
	return (Datum) 0;
}
