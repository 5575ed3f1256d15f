/*
 * examples.c: rows with the answers that Python gave, scored as any jsonb row
 * is: the one check that finds a wrong feature order, a sentinel for missing,
 * or a step that was left outside the model.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "glue/compat.h"
#include "glue/error.h"
#include "score/examples.h"
#include "row/source.h"
#include "score/score.h"

pg_noreturn static void
bad_example(int number, const char *what)
{
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("example %d %s", number, what),
			errhint("Examples are written as '[{\"row\": {\"feature\": value, ...}, \"predict_all\": [number, ...]}, ...]'."));
}

/* The member of an example, or an error. */
static JsonbValue
member(JsonbContainer *object, const char *key, int number)
{
	JsonbValue	v;

	if (getKeyJsonValueFromContainer(object, key, strlen(key), &v) == NULL)
		bad_example(number, psprintf("has no \"%s\"", key));
	return v;
}

static double
json_number(const JsonbValue *v, int number)
{
	if (v->type == jbvNumeric)
		return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												  NumericGetDatum(v->val.numeric)));
	if (v->type == jbvNull)
		return NAN;				/* JSON has no NaN */
	bad_example(number, "has an answer that is no number");
}

/* The answers: an array of numbers, or one number alone. */
static double *
expected_of(JsonbValue *v, int number, int *n)
{
	double	   *expected;

	if (v->type == jbvNumeric)
	{
		expected = palloc(sizeof(double));
		expected[0] = json_number(v, number);
		*n = 1;
		return expected;
	}
	if (v->type != jbvBinary || !JsonContainerIsArray(v->val.binary.data))
		bad_example(number, "has a \"predict_all\" that is no array of numbers");
	*n = JsonContainerSize(v->val.binary.data);
	expected = palloc(sizeof(double) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
		expected[i] = json_number(getIthJsonbValueFromContainer(v->val.binary.data, i), number);
	return expected;
}

static bool
close_enough(double expected, double got)
{
	if (isnan(expected) || isnan(got))
		return isnan(expected) && isnan(got);
	if (expected == got || (float) expected == (float) got)
		return true;
	if (isinf(expected) || isinf(got))
		return false;
	return fabs(expected - got) <= MP_EXAMPLE_TOLERANCE * Max(fabs(expected), fabs(got));
}

static char *
numbers_text(const double *values, int n)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < n && i < 8; i++)
		appendStringInfo(&text, "%s%.9g", i ? ", " : "", values[i]);
	if (n > 8)
		appendStringInfo(&text, ", and %d more", n - 8);
	return text.data;
}

typedef struct Example
{
	const MpModel *model;
	int			number;
} Example;

static void
name_example(void *arg)
{
	const Example *example = arg;

	errcontext("reading the row of example %d of model \"%s\"", example->number, example->model->name);
}

/* False: its answer is null. */
static bool
read_row(MpSource *source, Jsonb *object, MpRow *row, int number)
{
	Example		example = {row->model, number};
	ErrorContextCallback context = {error_context_stack, name_example, &example};
	bool		complete;

	error_context_stack = &context;
	complete = mp_row_read_jsonb(source, object, row);
	error_context_stack = context.previous;
	return complete;
}

/* What Python answered, and what a model does. */
typedef struct Outcome
{
	Jsonb	   *object;			/* the row */
	double	   *expected;
	int			n_expected;
	double	   *got;
	int			n_got;
	const char *class;			/* NULL: Python did not say it */
	const char *class_got;
} Outcome;

static bool
is_same(const Outcome *o)
{
	bool		same = o->n_got == o->n_expected;

	for (int i = 0; same && i < o->n_got; i++)
		same = close_enough(o->expected[i], o->got[i]);
	return same;
}

static bool
is_same_class(const Outcome *o)
{
	return o->class == NULL || strcmp(o->class, o->class_got) == 0;
}

/* The label that Python gave, which may be written as a number or a boolean; NULL: none. */
static const char *
class_of_example(JsonbContainer *example, int number)
{
	JsonbValue	v;

	if (getKeyJsonValueFromContainer(example, "class", strlen("class"), &v) == NULL || v.type == jbvNull)
		return NULL;
	switch (v.type)
	{
		case jbvString:
			return pnstrdup(v.val.string.val, v.val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v.val.numeric)));
		case jbvBool:
			return v.val.boolean ? "true" : "false";
		default:
			bad_example(number, "has a \"class\" that is no label");
	}
}

static Outcome
score_example(MpSource *source, MpRow *row, JsonbValue *example, int number)
{
	JsonbValue	given;
	JsonbValue	answer;
	Outcome		o;

	if (example->type != jbvBinary || !JsonContainerIsObject(example->val.binary.data))
		bad_example(number, "is no object");
	given = member(example->val.binary.data, "row", number);
	answer = member(example->val.binary.data, "predict_all", number);
	if (given.type != jbvBinary || !JsonContainerIsObject(given.val.binary.data))
		bad_example(number, "has a \"row\" that is no object");
	o.expected = expected_of(&answer, number, &o.n_expected);
	o.object = JsonbValueToJsonb(&given);
	if (!read_row(source, o.object, row, number))
		bad_example(number, "has an unseen category, so its answer is null");
	mp_score_margin(row);
	o.n_got = mp_score_all(row);
	o.got = palloc(sizeof(double) * Max(o.n_got, 1));
	memcpy(o.got, row->answer, sizeof(double) * o.n_got);
	o.class = class_of_example(example->val.binary.data, number);
	o.class_got = o.class != NULL ? mp_score_label(row->model, mp_score_class(row)) : NULL;
	return o;
}

static int
count_examples(Jsonb *examples)
{
	if (!JB_ROOT_IS_ARRAY(examples) || JB_ROOT_IS_SCALAR(examples))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"examples\" must be a JSON array"),
				errhint("Examples are written as '[{\"row\": {\"feature\": value, ...}, \"predict_all\": [number, ...]}, ...]'."));
	return JB_ROOT_COUNT(examples);
}

/* The outcomes of all examples with the model. */
static Outcome *
score_examples(const MpModel *model, Jsonb *examples, int *n)
{
	MpSource   *source = mp_source_of_jsonb(CurrentMemoryContext);
	MpRow		row = {0};
	Outcome    *outcomes;

	*n = count_examples(examples);
	outcomes = palloc(sizeof(Outcome) * Max(*n, 1));
	mp_row_prepare(&row, model, CurrentMemoryContext);
	for (int i = 0; i < *n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		outcomes[i] = score_example(source, &row, getIthJsonbValueFromContainer(&examples->root, i), i + 1);
	}
	return outcomes;
}

static int
count_different(const Outcome *outcomes, int n, int *first)
{
	int			different = 0;

	for (int i = 0; i < n; i++)
		if (!(is_same(&outcomes[i]) && is_same_class(&outcomes[i])) && different++ == 0)
			*first = i;
	return different;
}

static char *
difference_text(const Outcome *o)
{
	if (is_same(o))
		return psprintf("Expected the class \"%s\", got \"%s\", for row %s.", mp_shown(o->class), mp_shown(o->class_got),
						JsonbToCString(NULL, &o->object->root, VARSIZE(o->object)));
	return psprintf("Expected %s, got %s, for row %s.", numbers_text(o->expected, o->n_expected),
					numbers_text(o->got, o->n_got), JsonbToCString(NULL, &o->object->root, VARSIZE(o->object)));
}

/* Causes of differences */

static bool
agrees(const MpModel *model, Jsonb *examples)
{
	int			first;
	int			n;
	Outcome    *outcomes = score_examples(model, examples, &n);

	return count_different(outcomes, n, &first) == 0;
}

/* Whether XGBoost took each 0 for missing, as it does with sparse training data. */
static bool
agrees_without_zeros(const MpModel *model, Jsonb *examples)
{
	MpModel		sparse = *model;

	if (model->options.has_missing || model->forest->library != MP_LIBRARY_XGBOOST)
		return false;
	sparse.options.has_missing = true;
	sparse.options.missing = 0;
	sparse.plain = false;
	return agrees(&sparse, examples);
}

/* Digits after the point that all answers were rounded to, or -1. */
static int
rounded_to(const Outcome *outcomes, int n)
{
	for (int digits = 12; digits >= 1; digits--)
	{
		double		most = 0.5 * pow(10, -digits) * (1 + 1e-6);
		bool		all = true;

		for (int i = 0; all && i < n; i++)
			for (int k = 0; all && k < outcomes[i].n_got; k++)
				all = outcomes[i].n_got == outcomes[i].n_expected &&
					fabs(outcomes[i].expected[k] - outcomes[i].got[k]) <=
					most + MP_EXAMPLE_TOLERANCE * fabs(outcomes[i].got[k]);
		if (all)
			return digits;
	}
	return -1;
}

/* Whether each answer is, of those with two numbers, the second; of those with one, what it leaves to 1. */
static bool
all_of_two_classes(const Outcome *outcomes, int n, int n_expected)
{
	for (int i = 0; i < n; i++)
	{
		const Outcome *o = &outcomes[i];

		if (o->n_got != 1 || o->n_expected != n_expected ||
			!(n_expected == 2 ? close_enough(o->expected[1], o->got[0]) :
			  fabs(1.0 - o->expected[0] - o->got[0]) <= 1e-6))
			return false;
	}
	return true;
}

/* Whether in every example the same permutation of the classes makes the answers equal. */
static bool
all_permuted(const Outcome *outcomes, int n)
{
	int			k = outcomes[0].n_got;
	int		   *of = palloc(sizeof(int) * Max(k, 1));

	if (k < 2 || outcomes[0].n_expected != k)
		return false;
	for (int i = 0; i < k; i++)
	{
		of[i] = -1;
		for (int j = 0; j < k; j++)
			if (close_enough(outcomes[0].expected[i], outcomes[0].got[j]))
				of[i] = j;
		if (of[i] < 0)
			return false;
	}
	for (int e = 1; e < n; e++)
		for (int i = 0; i < k; i++)
			if (outcomes[e].n_expected != k || !close_enough(outcomes[e].expected[i], outcomes[e].got[of[i]]))
				return false;
	return true;
}

/* What makes all examples agree, or what their answers have in common. */
static const char *
find_cause(const MpModel *model, Jsonb *examples, const Outcome *outcomes, int n,
		   MpOtherTrees other_trees, void *arg)
{
	const char *option;
	const MpModel *other;
	int			digits;

	if (agrees_without_zeros(model, examples))
		return "Register it with missing => 0: its training data was sparse, and XGBoost took each 0 for missing.";
	other = other_trees != NULL ? other_trees(arg, &option) : NULL;
	if (other != NULL && agrees(other, examples))
		return psprintf("Register it with trees => '%s': the answers are those of these trees.", option);
	if (all_of_two_classes(outcomes, n, 2))
		return "Give one number, the probability of the second class: predict_proba(X)[:, 1].";
	if (outcomes[0].n_got != outcomes[0].n_expected)
		return psprintf("Give %d %s for a row, as Booster.predict does, not %d.", outcomes[0].n_got,
						outcomes[0].n_got == 1 ? "number" : "numbers", outcomes[0].n_expected);
	if (all_of_two_classes(outcomes, n, 1))
		return "Give the probability of the second class, predict_proba(X)[:, 1]: these are the first's.";
	if (all_permuted(outcomes, n))
		return "Give the numbers in the order of the model's classes: they are the same in another order.";
	digits = rounded_to(outcomes, n);
	if (digits >= 0)
		return psprintf("Give the answers with all their digits: these are rounded to %d after the point.", digits);
	return "Look for another order of features, a value that means missing, another set of trees (best_iteration), or a step that was done outside the model.";
}

int
mp_examples_check(const MpModel *model, Jsonb *examples, MpOtherTrees other_trees, void *arg)
{
	int			n;
	int			first;
	Outcome    *outcomes = score_examples(model, examples, &n);

	if (count_different(outcomes, n, &first) > 0)
		ereport(ERROR,
				errcode(ERRCODE_DATA_EXCEPTION),
				errmsg("example %d of model \"%s\" does not give the expected prediction", first + 1, model->name),
				errdetail_internal("%s", difference_text(&outcomes[first])),
				errhint("%s", is_same(&outcomes[first]) ?
						"The numbers agree: look for another threshold, or for labels in another order than the model's classes." :
						find_cause(model, examples, outcomes, n, other_trees, arg)));
	return n;
}

int
mp_examples_count_different(const MpModel *model, Jsonb *examples, int *n, char **first)
{
	int			number;
	Outcome    *outcomes = score_examples(model, examples, n);
	int			different = count_different(outcomes, *n, &number);

	*first = different > 0 ? psprintf("Example %d: %s", number + 1, difference_text(&outcomes[number])) : NULL;
	return different;
}
