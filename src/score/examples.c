/*
 * examples.c: rows with the answers that Python gave, scored as any jsonb row
 * is: the one check that finds a wrong feature order, a sentinel for missing,
 * or a step that was left outside the model.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "glue/compat.h"
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

static float
json_float(const JsonbValue *v, int number)
{
	if (v->type == jbvNumeric)
		return (float) DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
														  NumericGetDatum(v->val.numeric)));
	if (v->type == jbvNull)
		return NAN;				/* JSON has no NaN */
	bad_example(number, "has an answer that is no number");
}

/* The answers: an array of numbers, or one number alone. */
static float *
expected_of(JsonbValue *v, int number, int *n)
{
	float	   *expected;

	if (v->type == jbvNumeric)
	{
		expected = palloc(sizeof(float));
		expected[0] = json_float(v, number);
		*n = 1;
		return expected;
	}
	if (v->type != jbvBinary || !JsonContainerIsArray(v->val.binary.data))
		bad_example(number, "has a \"predict_all\" that is no array of numbers");
	*n = JsonContainerSize(v->val.binary.data);
	expected = palloc(sizeof(float) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
		expected[i] = json_float(getIthJsonbValueFromContainer(v->val.binary.data, i), number);
	return expected;
}

static bool
close_enough(float expected, float got)
{
	if (isnan(expected) || isnan(got))
		return isnan(expected) && isnan(got);
	if (expected == got)
		return true;
	if (isinf(expected) || isinf(got))
		return false;
	return fabs((double) expected - got) <= MP_EXAMPLE_TOLERANCE * Max(fabs((double) expected), fabs((double) got));
}

static char *
numbers_text(const float *values, int n)
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

/* Scores an example: how its answer differs from ours, or NULL. */
static char *
score_example(MpSource *source, MpRow *row, JsonbValue *example, int number)
{
	JsonbValue	given;
	JsonbValue	answer;
	Jsonb	   *object;
	float	   *expected;
	int			n;
	int			n_expected;
	bool		same;

	if (example->type != jbvBinary || !JsonContainerIsObject(example->val.binary.data))
		bad_example(number, "is no object");
	given = member(example->val.binary.data, "row", number);
	answer = member(example->val.binary.data, "predict_all", number);
	if (given.type != jbvBinary || !JsonContainerIsObject(given.val.binary.data))
		bad_example(number, "has a \"row\" that is no object");
	expected = expected_of(&answer, number, &n_expected);
	object = JsonbValueToJsonb(&given);
	if (!read_row(source, object, row, number))
		bad_example(number, "has an unseen category, so its answer is null");
	mp_score_margin(row);
	n = mp_score_all(row);
	same = n == n_expected;
	for (int i = 0; same && i < n; i++)
		same = close_enough(expected[i], row->prediction[i]);
	if (same)
		return NULL;
	return psprintf("Expected %s, got %s, for row %s.", numbers_text(expected, n_expected),
					numbers_text(row->prediction, n),
					JsonbToCString(NULL, &object->root, VARSIZE(object)));
}

/* How many there are. */
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

int
mp_examples_check(const MpModel *model, Jsonb *examples)
{
	int			n = count_examples(examples);
	MpSource   *source = mp_source_of_jsonb(CurrentMemoryContext);
	MpRow		row = {0};

	mp_row_prepare(&row, model, CurrentMemoryContext);
	for (int i = 0; i < n; i++)
	{
		char	   *difference = score_example(source, &row, getIthJsonbValueFromContainer(&examples->root, i), i + 1);

		if (difference != NULL)
			ereport(ERROR,
					errcode(ERRCODE_DATA_EXCEPTION),
					errmsg("example %d of model \"%s\" scores otherwise than it says", i + 1, model->name),
					errdetail_internal("%s", difference),
					errhint("Look for another order of features, a value that means missing, another set of trees (best_iteration), or a step that was done outside the model."));
	}
	return n;
}

int
mp_examples_count_different(const MpModel *model, Jsonb *examples, int *n, char **first)
{
	int			different = 0;
	MpSource   *source = mp_source_of_jsonb(CurrentMemoryContext);
	MpRow		row = {0};

	mp_row_prepare(&row, model, CurrentMemoryContext);
	*n = count_examples(examples);
	*first = NULL;
	for (int i = 0; i < *n; i++)
	{
		char	   *difference = score_example(source, &row, getIthJsonbValueFromContainer(&examples->root, i), i + 1);

		if (difference != NULL && different++ == 0)
			*first = psprintf("Example %d: %s", i + 1, difference);
	}
	return different;
}
