/*
 * reasons.c: why a row has its score, in one line for a report, and as jsonb
 * for tools.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "score/score.h"
#include "sql/reasons.h"

#define VALUE_BYTES 60			/* of a value in a line of text */

/* Text of one line: control characters become blanks. */
static void
append_in_line(StringInfo line, const char *text, int length)
{
	for (int i = 0; i < length; i++)
	{
		bool		control = (unsigned char) text[i] < ' ' || text[i] == 0x7f;

		appendStringInfoChar(line, control ? ' ' : text[i]);
	}
}

static void
append_value(StringInfo line, const char *value)
{
	int			length = strlen(value);
	int			shown = pg_mbcliplen(value, length, VALUE_BYTES);

	append_in_line(line, value, shown);
	if (shown < length)
		appendStringInfoString(line, "...");
}

/* Two decimals; more for small numbers, so that two digits tell, and none for large ones. */
static void
append_contribution(StringInfo line, double contribution)
{
	double		size = fabs(contribution);
	int			decimals = 2;

	if (size >= 1000)
		decimals = 0;
	else if (size < 0.1f && size >= 1e-7f)
		decimals = 1 - (int) floorf(log10f(size));
	if (size < 1e-7f || size >= 1e15f || !isfinite(size))
		appendStringInfo(line, " (%+.1e)", contribution);
	else
		appendStringInfo(line, " (%+.*f)", decimals, contribution);
}

/* The argument `top`; false: it is null. */
static bool
get_top(FunctionCallInfo fcinfo, int *top)
{
	if (PG_ARGISNULL(1))
		return false;
	*top = PG_GETARG_INT32(1);
	if (*top < 1)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the number of reasons must be at least 1, not %d", *top));
	return true;
}

text *
mp_reasons_line(const MpExplanation *e, int top)
{
	StringInfoData line;
	int			n = mp_explain_count(e, top);

	initStringInfo(&line);
	for (int i = 0; i < n; i++)
	{
		int			feature = e->order[i];
		char	   *name = mp_explain_feature(e, feature);

		if (i > 0)
			appendStringInfoString(&line, ", ");
		append_in_line(&line, name, strlen(name));
		appendStringInfoString(&line, " = ");
		append_value(&line, mp_explain_value(e, feature));
		append_contribution(&line, e->contribs[feature]);
	}
	return cstring_to_text_with_len(line.data, line.len);
}

PG_FUNCTION_INFO_V1(mp_predict_reasons);
Datum
mp_predict_reasons(PG_FUNCTION_ARGS)
{
	MpExplanation e;
	int			top;

	if (!get_top(fcinfo, &top) || !mp_explain_row(fcinfo, 2, NULL, &e))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(mp_reasons_line(&e, top));
}

/* For a call that forgot to say how many: three, as a trigger gives. */
PG_FUNCTION_INFO_V1(mp_predict_reasons_three);
Datum
mp_predict_reasons_three(PG_FUNCTION_ARGS)
{
	MpExplanation e;

	if (!mp_explain_row(fcinfo, 1, NULL, &e))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(mp_reasons_line(&e, 3));
}

PG_FUNCTION_INFO_V1(mp_predict_reasons_array);
Datum
mp_predict_reasons_array(PG_FUNCTION_ARGS)
{
	MpExplanation e;
	Datum	   *names;
	int			top;
	int			n;

	if (!get_top(fcinfo, &top) || !mp_explain_row(fcinfo, 2, NULL, &e))
		PG_RETURN_NULL();
	n = mp_explain_count(&e, top);
	names = palloc(sizeof(Datum) * Max(n, 1));
	for (int i = 0; i < n; i++)
		names[i] = CStringGetTextDatum(mp_explain_feature(&e, e.order[i]));
	PG_RETURN_ARRAYTYPE_P(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* jsonb, piece by piece */

static void
push_key(JsonbInState *state, const char *key)
{
	JsonbValue	v = {.type = jbvString};

	v.val.string.val = unconstify(char *, key);
	v.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &v);
}

static void
push_text(JsonbInState *state, const char *key, const char *text)
{
	JsonbValue	v = {.type = jbvString};

	push_key(state, key);
	v.val.string.val = unconstify(char *, text);
	v.val.string.len = strlen(text);
	pushJsonbValue(state, WJB_VALUE, &v);
}

/* The shortest number that is this one in the model's precision; JSON has none for infinities and NaN. */
static void
push_number(JsonbInState *state, const MpExplanation *e, const char *key, double number)
{
	JsonbValue	v = {.type = jbvNull};
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	push_key(state, key);
	if (isfinite(number))
	{
		if (e->row->model->wide)
			double_to_shortest_decimal_buf(number, digits);
		else
			float_to_shortest_decimal_buf((float) number, digits);
		v.type = jbvNumeric;
		v.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in,
															CStringGetDatum(digits),
															ObjectIdGetDatum(InvalidOid),
															Int32GetDatum(-1)));
	}
	pushJsonbValue(state, WJB_VALUE, &v);
}

static void
push_model(JsonbInState *state, const MpModel *model)
{
	JsonbValue	v = {.type = jbvNumeric};

	push_text(state, "model", model->name);
	push_key(state, "version");
	v.val.numeric = int64_to_numeric(model->version);
	pushJsonbValue(state, WJB_VALUE, &v);
}

static void
push_outcome(JsonbInState *state, const MpExplanation *e)
{
	MpOutcome	outcome;

	if (e->class >= 0)
	{
		push_text(state, "predicted_class", mp_score_label(e->row->model, mp_score_class(e->row)));
		push_text(state, "explained_class", mp_score_label(e->row->model, e->class));
	}
	if (mp_explain_outcome(e, &outcome))
	{
		bool		p = outcome.is_probability;

		push_number(state, e, p ? "probability" : "prediction", outcome.row);
		push_number(state, e, p ? "base_probability" : "base_prediction", outcome.base);
	}
	push_number(state, e, "margin", e->margin);
	push_number(state, e, "bias", e->bias);
}

static void
push_reasons(JsonbInState *state, const MpExplanation *e, int n)
{
	double		rest = 0;

	push_key(state, "reasons");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < n; i++)
	{
		int			feature = e->order[i];

		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		push_text(state, "feature", mp_explain_feature(e, feature));
		push_text(state, "value", mp_explain_value(e, feature));
		push_number(state, e, "contribution", e->contribs[feature]);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	for (int i = n; i < e->n; i++)
		rest += e->contribs[e->order[i]];
	push_number(state, e, "rest", rest);
}

PG_FUNCTION_INFO_V1(mp_predict_reasons_json);
Datum
mp_predict_reasons_json(PG_FUNCTION_ARGS)
{
	MpExplanation e;
	JsonbInState state = {0};
	int			top;

	if (!get_top(fcinfo, &top) || !mp_explain_row(fcinfo, 2, NULL, &e))
		PG_RETURN_NULL();
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_model(&state, e.row->model);
	push_outcome(&state, &e);
	push_reasons(&state, &e, mp_explain_count(&e, top));
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(state.result));
}
