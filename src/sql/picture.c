/*
 * picture.c: pictures: a row's reasons as a waterfall, a model's importances
 * as bars. What is drawn, and how, is core/text/svg_bars.c's; here are the numbers and
 * the words.
 *
 * The core draws UTF-8. In a database of another encoding what is not ASCII
 * leaves here as XML's references to characters, which every encoding has.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/text/svg_bars.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "score/score.h"
#include "sql/explain.h"
#include "sql/picture.h"
#include "store/catalog.h"
#include "store/lookup.h"

MpString
mp_picture_string(const char *text)
{
	if (GetDatabaseEncoding() != PG_SQL_ASCII)
		text = pg_server_to_any(text, strlen(text), PG_UTF8);
	return (MpString) {text, strlen(text)};
}

text *
mp_picture_finish(bool complete, const MpVec *out)
{
	StringInfoData ascii;

	if (!complete)
		ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"));
	if (GetDatabaseEncoding() == PG_UTF8)
		return cstring_to_text_with_len(out->data, out->size);
	initStringInfo(&ascii);
	for (const char *c = out->data, *end = c + out->size; c < end;)
	{
		if (!IS_HIGHBIT_SET(*c))
			appendStringInfoChar(&ascii, *c);
		else
			appendStringInfo(&ascii, "&#%u;",
							 (unsigned) utf8_to_unicode((const unsigned char *) c));
		c += pg_utf_mblen((const unsigned char *) c);
	}
	return cstring_to_text_with_len(ascii.data, ascii.len);
}

MpSvgStyle
mp_picture_style(FunctionCallInfo fcinfo, int first)
{
	MpSvgStyle	style = {0};
	char	   *theme = "auto";

	if (!PG_ARGISNULL(first))
		style.top = PG_GETARG_INT32(first);
	if (!PG_ARGISNULL(first + 1))
		style.width = PG_GETARG_INT32(first + 1);
	if (!PG_ARGISNULL(first + 2))
		theme = text_to_cstring(PG_GETARG_TEXT_PP(first + 2));
	if (!PG_ARGISNULL(first) && (style.top < 1 || style.top > MP_SVG_MAX_TOP))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a picture shows 1 to %d bars, not %d", MP_SVG_MAX_TOP, style.top));
	if (!PG_ARGISNULL(first + 1) && (style.width < MP_SVG_MIN_WIDTH || style.width > MP_SVG_MAX_WIDTH))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a picture is %d to %d pixels wide, not %d", MP_SVG_MIN_WIDTH, MP_SVG_MAX_WIDTH,
					   style.width));
	if (strcmp(theme, "light") == 0)
		style.theme = MP_SVG_LIGHT;
	else if (strcmp(theme, "dark") == 0)
		style.theme = MP_SVG_DARK;
	else if (strcmp(theme, "auto") != 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("unknown theme of a picture: \"%s\"", mp_shown(theme)),
				errhint("Themes are 'auto', 'light' and 'dark'."));
	return style;
}

/* 0.758 as 75.8%; more digits close to 0 and 1 */
static char *
percent(double p)
{
	return psprintf("%.*f%%", p > 0.999 || p < 0.001 ? 3 : 1, 100 * p);
}

static char *
shortest(double x)
{
	return mp_svg_shortest(palloc(MP_SVG_NUMBER), x);
}

static char *
label_of(const MpExplanation *e, int class)
{
	const MpModel *model = e->row->model;

	return psprintf("%s%s", model->options.n_classes > 0 ? "" : "class ", mp_score_label(model, class));
}

/* What was predicted: "churn version 3: No, 87.0%". */
static char *
title_of(const MpExplanation *e, const MpOutcome *outcome)
{
	const MpModel *model = e->row->model;
	char	   *predicted = "";

	if (e->class >= 0)
	{
		int			class = mp_score_class(e->row);

		predicted = label_of(e, class);
		/* where they differ there are two classes */
		if (outcome)
			predicted = psprintf("%s, %s", predicted,
								 percent(class == e->class ? outcome->row : 1 - outcome->row));
	}
	else if (outcome)
		predicted = shortest(outcome->row);
	return psprintf("%s version %d: %s", model->name, model->version, predicted);
}

static bool
is_exponential(const MpForest *forest)
{
	return forest->link == MP_LINK_EXP || forest->link == MP_LINK_EXP_ROUNDED;
}

/* The scale of the reasons. */
static char *
unit_of(const MpExplanation *e)
{
	const MpForest *forest = e->row->model->forest;

	if (e->class >= 0)
		return forest->n_outputs == 1 ? "log-odds" : "margin";
	if (is_exponential(forest))
		return "logarithm";
	return forest->link == MP_LINK_IDENTITY ? "" : "margin";
}

/* What the reasons are about, and where they start; outcome: NULL: there is none. */
static char *
caption_of(const MpExplanation *e, const MpOutcome *outcome)
{
	const MpForest *forest = e->row->model->forest;

	if (outcome && outcome->is_probability)
		return psprintf("Reasons for %s. On average its probability is %s.", label_of(e, e->class),
						percent(outcome->base));
	if (e->class >= 0)
		return psprintf("Reasons for %s.", label_of(e, e->class));
	if (outcome && forest->link == MP_LINK_IDENTITY)
		return "What each feature adds to the prediction.";
	if (outcome && is_exponential(forest))
		return psprintf("What each feature adds to the logarithm of the prediction, which on average is %s.",
						shortest(outcome->base));
	if (outcome)
		return psprintf("What each feature adds to the margin. On average the prediction is %s.",
						shortest(outcome->base));
	return "What each feature adds to the margin.";
}

/* Round predictions around those whose logarithms are low and high, at theirs. */
static int
exponential_ticks(double low, double high, MpSvgTick *ticks)
{
	double		power = pow(10, floor(low / log(10)));
	int			n;

	if (high - low < log(20))
	{
		n = mp_svg_ticks(exp(low) / 1.2, exp(high) * 1.2, 6, ticks);
		for (int i = 0; i < n; i++)
			ticks[i].at = log(ticks[i].at);
		return n;
	}
	for (n = 0; n < MP_SVG_TICKS; n++)
	{
		static const double steps[] = {1, 2, 5};
		double		value = power * pow(10, n / 3) * steps[n % 3];

		ticks[n].at = log(value);
		mp_svg_shortest(ticks[n].label, value);
	}
	return n;
}

/* Predictions and what margins they have, where one follows from the other. */
static int
second_ticks(const MpExplanation *e, const MpOutcome *outcome, MpSvgTick *ticks)
{
	static const double percents[] = {0.01, 0.1, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.9, 99.99};
	const MpForest *forest = e->row->model->forest;
	int			n = 0;

	if (outcome == NULL || forest->n_outputs != 1)
		return 0;
	if (outcome->is_probability)
	{
		for (int i = 0; i < lengthof(percents); i++, n++)
		{
			ticks[n].at = log(percents[i] / (100 - percents[i]));
			snprintf(ticks[n].label, MP_SVG_NUMBER, "%g%%", percents[i]);
		}
	}
	else if (is_exponential(forest))
		n = exponential_ticks(Min(e->bias, e->margin), Max(e->bias, e->margin), ticks);
	return n;
}

static Datum
explain_svg(FunctionCallInfo fcinfo, int first, const MpSvgStyle *style)
{
	MpVec		out = {mp_alloc_context(CurrentMemoryContext)};
	MpExplanation e;
	MpOutcome	outcome = {0};
	const MpOutcome *defined;
	MpSvgBars	chart = {.style = *style};
	MpSvgTick	ticks[19];
	MpSvgScale	second = {.ticks = ticks};
	MpSvgBar   *bars;
	int			n;

	if (!mp_explain_row(fcinfo, first, NULL, &e))
		PG_RETURN_NULL();
	defined = mp_explain_outcome(&e, &outcome) ? &outcome : NULL;
	n = mp_explain_count(&e, e.n);
	bars = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(MpSvgBar) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		int			feature = e.order[i];

		bars[i].label = mp_picture_string(mp_explain_feature(&e, feature));
		bars[i].value = mp_picture_string(mp_explain_value(&e, feature));
		bars[i].amount = e.contribs[feature];
	}
	chart.title = mp_picture_string(title_of(&e, defined));
	chart.caption = mp_picture_string(caption_of(&e, defined));
	chart.bars = bars;
	chart.n_bars = n;
	second.n_ticks = second_ticks(&e, defined, ticks);
	second.name = mp_picture_string(outcome.is_probability ? "probability" : "prediction");
	PG_RETURN_TEXT_P(mp_picture_finish(mp_svg_waterfall(&chart, e.bias, e.margin, mp_picture_string(unit_of(&e)),
											 second.n_ticks > 0 ? &second : NULL, &out), &out));
}

PG_FUNCTION_INFO_V1(mp_predict_explain_svg);
Datum
mp_predict_explain_svg(PG_FUNCTION_ARGS)
{
	MpSvgStyle	style = {0};

	return explain_svg(fcinfo, 1, &style);
}

PG_FUNCTION_INFO_V1(mp_predict_explain_svg_styled);
Datum
mp_predict_explain_svg_styled(PG_FUNCTION_ARGS)
{
	MpSvgStyle	style = mp_picture_style(fcinfo, 1);

	return explain_svg(fcinfo, 4, &style);
}

/* A kind of importance: a column of the table of features. */
typedef struct ImportanceKind
{
	const char *name;
	const char *caption;
	bool		adds_up;
} ImportanceKind;

static const ImportanceKind kinds[] = {
	{"gain", "Gain: how much a split on the feature improves the loss, on average.", false},
	{"weight", "Weight: the number of splits on the feature.", true},
	{"cover", "Cover: how much training data a split on the feature sees, on average.", false},
	{"total_gain", "Total gain: how much all splits on the feature improve the loss.", true},
	{"total_cover", "Total cover: how much training data all splits on the feature see.", true}
};

static const ImportanceKind linear_kind = {
	"weight", "Weight: the size of the feature's coefficient.", false
};

static const ImportanceKind *
find_kind(const char *name)
{
	for (int i = 0; i < lengthof(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("unknown kind of importance: \"%s\"", mp_shown(name)),
			errhint("Kinds are 'gain', 'weight', 'cover', 'total_gain' and 'total_cover'."));
}

/* Bars of the features that have the importance and one other than 0. */
static MpSvgBar *
read_bars(int64 model, int32 version, const char *column, Snapshot snapshot, int *n, bool *known)
{
	int			room = 64;
	MpSvgBar   *bars = palloc(sizeof(MpSvgBar) * room);
	MpScan		scan;
	HeapTuple	tuple;

	*n = 0;
	*known = false;
	mp_scan_begin(&scan, "stored_feature", snapshot);
	mp_scan_key_int8(&scan, "model", model);
	mp_scan_key_int4(&scan, "version", version);
	while ((tuple = mp_scan_next(&scan)) != NULL)
	{
		bool		no_amount;
		bool		no_name;
		float		amount = DatumGetFloat4(mp_scan_value(&scan, tuple, column, &no_amount));
		Datum		name = mp_scan_value(&scan, tuple, "name", &no_name);
		int			position = DatumGetInt32(mp_scan_value_not_null(&scan, tuple, "position"));

		if (no_amount)
			continue;
		*known = true;
		if (amount == 0)
			continue;
		if (*n == room)
			bars = repalloc_huge(bars, sizeof(MpSvgBar) * (room *= 2));
		bars[*n].label = mp_picture_string(no_name ? psprintf("f%d", position - 1) :
								   TextDatumGetCString(name));
		bars[*n].value = (MpString) {NULL, 0};
		bars[(*n)++].amount = fabsf(amount);
	}
	mp_scan_end(&scan);
	return bars;
}

static bool
is_linear(int64 model, int32 version, Snapshot snapshot)
{
	MpScan		scan;
	HeapTuple	tuple;
	bool		linear;

	mp_scan_begin(&scan, "stored_version", snapshot);
	mp_scan_key_int8(&scan, "model", model);
	mp_scan_key_int4(&scan, "version", version);
	tuple = mp_scan_next(&scan);
	linear = tuple != NULL &&
		strcmp(TextDatumGetCString(mp_scan_value_not_null(&scan, tuple, "booster")),
			   mp_booster_name(MP_BOOSTER_GBLINEAR)) == 0;
	mp_scan_end(&scan);
	return linear;
}

pg_noreturn static void
not_known(const char *name, int32 version, const ImportanceKind *kind, bool linear)
{
	ereport(ERROR,
			errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			errmsg("model \"%s\" version %d does not tell the %s of its features",
				   name, version, kind->name),
			linear ? errhint("A linear model of one output has 'weight', its coefficients.") :
			errhint("Use 'weight'."));
}

PG_FUNCTION_INFO_V1(mp_importance_svg);
Datum
mp_importance_svg(PG_FUNCTION_ARGS)
{
	MpVec		out = {mp_alloc_context(CurrentMemoryContext)};
	Snapshot	snapshot = mp_catalog_snapshot();
	const ImportanceKind *kind;
	MpFound		found;
	bool		linear;
	MpSvgBar   *bars;
	int			n;
	bool		known;
	MpSvgBars	chart = {.style = mp_picture_style(fcinfo, 2)};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	kind = find_kind(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	found = mp_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)), MP_RIGHT_SEE, GetUserId(), snapshot);
	linear = is_linear(found.model, found.version, snapshot);
	bars = read_bars(found.model, found.version, kind->name, snapshot, &n, &known);
	if (!known)
		not_known(found.name, found.version, kind, linear);
	if (linear)
		kind = &linear_kind;
	chart.title = mp_picture_string(psprintf("%s version %d: importance of features", found.name, found.version));
	chart.caption = mp_picture_string(kind->caption);
	chart.bars = bars;
	chart.n_bars = n;
	PG_RETURN_TEXT_P(mp_picture_finish(mp_svg_bars(&chart, kind->adds_up, &out), &out));
}
