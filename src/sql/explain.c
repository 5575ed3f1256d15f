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
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "glue/compat.h"
#include "glue/error.h"
#include "model/cache.h"
#include "score/score.h"
#include "sql/contribs.h"
#include "sql/explain.h"

#define BIAS_NAME "(bias)"

/* Of a model with several outputs that are no classes: numbered from 0, as XGBoost does. */
static int
find_output(const MpModel *model, text *number)
{
	int			n = model->forest->n_outputs;
	char	   *given = text_to_cstring(number);

	for (int i = 0; i < n; i++)
		if (strcmp(psprintf("%d", i), given) == 0)
			return i;
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("model \"%s\" version %d has no output \"%s\"",
				   model->name, model->version, given),
			errdetail("Its outputs are numbered from 0 to %d.", n - 1));
}

static void
choose_output(MpExplanation *e, text *class)
{
	const MpModel *model = e->row->model;

	e->output = 0;
	e->class = -1;
	e->negated = false;
	switch (model->task)
	{
		case MP_TASK_TWO_CLASSES:
		case MP_TASK_TWO_CLASSES_RAW:
		case MP_TASK_HINGE:
			e->class = class ? mp_score_find_class(model, class) : 1;
			e->negated = e->class == 0;
			return;
		case MP_TASK_CLASS:
		case MP_TASK_CLASSES:
			e->class = class ? mp_score_find_class(model, class) : mp_score_class(e->row);
			e->output = e->class;
			return;
		case MP_TASK_VALUE:
			if (class)
				ereport(ERROR,
						errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("model \"%s\" version %d has no classes: its objective is \"%s\"",
							   model->name, model->version,
							   mp_objective_name(model->forest)),
						errhint("Use predict_explain()."));
			return;
		case MP_TASK_VALUES:
			if (!class)
				ereport(ERROR,
						errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("model \"%s\" version %d gives %d numbers for a row: which one to explain must be said",
							   model->name, model->version, model->forest->n_outputs),
						errhint("Use predict_explain_class() with the number of the output, from '0' on, or predict_contribs() for all of them."));
			e->output = find_output(model, class);
			return;
	}
}

/* A total order: what is not a number comes last. */
static int
compare_strength(const void *a, const void *b, void *arg)
{
	const double *contribs = arg;
	int			i = *(const int *) a;
	int			j = *(const int *) b;
	double		x = isnan(contribs[i]) ? -1 : fabs(contribs[i]);
	double		y = isnan(contribs[j]) ? -1 : fabs(contribs[j]);

	if (x != y)
		return x > y ? -1 : 1;
	return i - j;
}

static void
sort_reasons(MpExplanation *e)
{
	e->order = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * Max(e->n, 1));
	for (int i = 0; i < e->n; i++)
		e->order[i] = i;
	qsort_arg(e->order, e->n, sizeof(int), compare_strength, e->contribs);
}

/* Groups of features that derive from no input, which are constant, come first if there are any: they have no reason. */
static int
n_constant(const MpSteps *steps)
{
	return steps->n_groups > 0 && mp_steps_groups(steps)[0].n == 0;
}

/* What the features of each group add together. */
static void
add_up_groups(MpExplanation *e, const double *contribs)
{
	const MpSteps *steps = e->row->model->steps;
	int			constant = n_constant(steps);

	e->n = steps->n_groups - constant;
	e->contribs = MemoryContextAllocZero(CurrentMemoryContext, sizeof(double) * Max(e->n, 1));
	for (uint32 i = 0; i < steps->n_features; i++)
	{
		int			group = (int) mp_steps_features(steps)[i].group - constant;

		if (group < 0)
			e->bias += contribs[i];
		else
			e->contribs[group] += contribs[i];
	}
}

void
mp_explain_scored(text *class, MpExplanation *e)
{
	const MpModel *model = e->row->model;
	int			n = model->forest->n_features;
	MpShap	   *shap = mp_cache_shap(model, GetActiveSnapshot());
	double	   *contribs = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * (n + 1));

	choose_output(e, class);
	if (model->wide)
		mp_shap_contribs_of_wide(shap, e->row->wide, e->output, contribs);
	else
	{
		mp_shap_contribs_of(shap, e->row->x, e->output, (float *) contribs + n + 1);
		mp_row_widen(contribs, n + 1);
	}
	if (e->negated)
		for (int i = 0; i <= n; i++)
			contribs[i] = 0 - contribs[i];	/* no -0 */
	e->bias = contribs[n];
	e->margin = e->row->margin[e->output];
	if (e->negated)
		e->margin = 0.0 - e->margin;
	if (model->steps != NULL)
		add_up_groups(e, contribs);
	else
	{
		e->n = n;
		e->contribs = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * Max(n, 1));
		for (int i = 0; i < n; i++)
			e->contribs[i] = contribs[i];
	}
	pfree(contribs);
	sort_reasons(e);
}

bool
mp_explain_row(FunctionCallInfo fcinfo, int first, text *class, MpExplanation *e)
{
	MpCallSite *site = mp_contribs_read(fcinfo, first);

	if (site == NULL)
		return false;
	e->source = site->source;
	e->row = &site->row;
	mp_score_margin(e->row);
	mp_explain_scored(class, e);
	return true;
}

/* The inputs of a reason, of which more than three are counted. */
#define MOST_INPUTS 3
#define TIMES " \303\227 "		/* the sign of multiplication, in UTF-8 */

static const uint32 *
inputs_of(const MpExplanation *e, int reason, uint32 *n)
{
	const MpSteps *steps = e->row->model->steps;
	const MpStepsGroup *group = mp_steps_groups(steps) + reason + n_constant(steps);

	*n = group->n;
	return mp_steps_words(steps) + group->first;
}

/* "a x b", or "a x b x 28 more" */
static char *
join_inputs(const MpExplanation *e, int reason, char *(*say) (const MpExplanation *e, int input))
{
	const char *times = GetDatabaseEncoding() == PG_UTF8 ? TIMES : " * ";
	StringInfoData joined;
	uint32		n;
	const uint32 *inputs = inputs_of(e, reason, &n);
	uint32		said = n > MOST_INPUTS ? 2 : n;

	if (n == 1)
		return say(e, inputs[0]);
	initStringInfo(&joined);
	for (uint32 i = 0; i < said; i++)
		appendStringInfo(&joined, "%s%s", i > 0 ? times : "", say(e, inputs[i]));
	if (said < n)
		appendStringInfo(&joined, "%s%u more", times, n - said);
	return joined.data;
}

static char *
title_of(const MpExplanation *e, int input)
{
	return mp_input_title(e->row->model, input);
}

char *
mp_explain_feature(const MpExplanation *e, int reason)
{
	if (e->row->model->steps != NULL)
		return join_inputs(e, reason, title_of);
	return mp_input_title(e->row->model, reason);
}

/* More digits than a float32 has are the traces of sums in double: 0.30000000000000004 is 0.3. */
static char *
value_text(MpValueType input, Datum value)
{
	char	   *given = mp_value_text(input, value);
	double		number;

	if (strspn(given, "-.0123456789") <= 12 || strchr(given, '.') == NULL)
		return given;
	if (input.kind == MP_VALUE_FLOAT8)
		number = DatumGetFloat8(value);
	else if (input.kind == MP_VALUE_NUMERIC)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	else
		return given;
	return DatumGetCString(DirectFunctionCall1(float4out, Float4GetDatum((float) number)));
}

/* NULL: the row has none. */
static char *
given_value(const MpExplanation *e, int input)
{
	MpValueType type;
	Datum		value;
	char	   *given;

	if (!mp_source_value(e->source, e->row->model, input, &type, &value))
		return NULL;
	given = value_text(type, value);
	return strcmp(given, "NaN") == 0 ? NULL : given;
}

static char *
value_of(const MpExplanation *e, int input)
{
	char	   *given = given_value(e, input);

	return given != NULL ? given : pstrdup("NULL");
}

char *
mp_explain_value(const MpExplanation *e, int reason)
{
	char	   *given;

	if (e->row->model->steps != NULL)
		return join_inputs(e, reason, value_of);
	given = given_value(e, reason);
	if (given == NULL)
		return pstrdup("missing");
	return isnan(mp_row_feature(e->row, reason)) ? psprintf("%s (as missing)", given) : given;
}

int
mp_explain_count(const MpExplanation *e, int top)
{
	int			n = 0;

	top = Min(top, e->n);
	while (n < top && e->contribs[e->order[n]] != 0)
		n++;
	return n;
}

/* What the margins of a row say of what is explained. */
static double
outcome_of(const MpExplanation *e, MpRow *row, bool is_probability)
{
	if (is_probability)
	{
		mp_score_probabilities(row);
		return row->answer[e->class];
	}
	mp_score_all(row);
	return row->answer[e->output];
}

bool
mp_explain_outcome(const MpExplanation *e, MpOutcome *outcome)
{
	const MpModel *model = e->row->model;
	int			n = model->forest->n_outputs;
	MpShap	   *shap = mp_cache_shap(model, GetActiveSnapshot());
	MpRow		base = *e->row;

	if (model->task == MP_TASK_HINGE)
		return false;
	outcome->is_probability = e->class >= 0;
	outcome->row = outcome_of(e, e->row, outcome->is_probability);
	base.margin = palloc(sizeof(double) * n);
	for (int k = 0; k < n; k++)
		base.margin[k] = mp_shap_bias(shap, k);
	outcome->base = outcome_of(e, &base, outcome->is_probability);
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
	for (int i = 0; i < e.n; i++)
	{
		int			reason = e.order[i];

		CHECK_FOR_INTERRUPTS();
		put_reason(rsinfo, mp_explain_feature(&e, reason), mp_explain_value(&e, reason),
				   e.contribs[reason]);
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
