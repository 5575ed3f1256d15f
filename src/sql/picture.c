/*
 * picture.c: pictures: a row's reasons as a waterfall, a model's importances
 * as bars. What is drawn, and how, is core/svg.c's; here are the numbers and
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

#include "core/text/svg.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "score/score.h"
#include "sql/explain.h"
#include "store/catalog.h"
#include "store/lookup.h"

/* SQL_ASCII says nothing of what bytes mean: the core takes what is UTF-8. */
static MpString
string_of(const char *text)
{
	if (GetDatabaseEncoding() != PG_SQL_ASCII)
		text = pg_server_to_any(text, strlen(text), PG_UTF8);
	return (MpString) {text, strlen(text)};
}

static text *
finish(bool complete, const MpVec *out)
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

/* "churn version 3: Yes, probability 0.632" */
static char *
title_of(const MpExplanation *e, const MpOutcome *outcome)
{
	StringInfoData title;

	initStringInfo(&title);
	appendStringInfo(&title, "%s version %d: ", e->row->model->name, e->row->model->version);
	if (e->class >= 0)
		appendStringInfo(&title, "%s%s", e->row->model->options.n_classes > 0 ? "" : "class ",
						 mp_score_label(e->row->model, e->class));
	if (outcome && outcome->is_probability)
		appendStringInfo(&title, ", probability %.3f", outcome->row);
	else if (outcome)
		appendStringInfo(&title, "%.6g", outcome->row);
	return title.data;
}

/* What the bars' unit is; outcome: NULL: none is defined. */
static char *
caption_of(const MpExplanation *e, const MpOutcome *outcome)
{
	bool		one_margin = e->row->model->forest->n_outputs == 1;

	if (outcome && outcome->is_probability)
		return psprintf("What each feature adds to the %s; "
						"the average stands for a probability of %.3f.",
						one_margin ? "log-odds" : "margin of this class", outcome->base);
	if (outcome && outcome->row == (float) e->margin && outcome->base == (float) e->bias)
		return pstrdup("What each feature adds to the prediction.");
	if (outcome)
		return psprintf("What each feature adds to the margin; "
						"the average stands for a prediction of %.6g.", outcome->base);
	return pstrdup("What each feature adds to the margin.");
}

PG_FUNCTION_INFO_V1(mp_predict_explain_svg);
Datum
mp_predict_explain_svg(PG_FUNCTION_ARGS)
{
	MpVec		out = {mp_alloc_context(CurrentMemoryContext)};
	MpExplanation e;
	MpOutcome	outcome;
	bool		defined;
	MpSvgChart	chart;
	MpSvgBar   *bars;
	int			n;

	if (!mp_explain_row(fcinfo, 1, NULL, &e))
		PG_RETURN_NULL();
	defined = mp_explain_outcome(&e, &outcome);
	n = mp_explain_count(&e, e.row->model->forest->n_features);
	bars = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(MpSvgBar) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		int			feature = e.order[i];

		bars[i].label = string_of(mp_explain_feature(&e, feature));
		bars[i].value = string_of(mp_explain_value(&e, feature));
		bars[i].amount = e.contribs[feature];
	}
	chart.title = string_of(title_of(&e, defined ? &outcome : NULL));
	chart.caption = string_of(caption_of(&e, defined ? &outcome : NULL));
	chart.bars = bars;
	chart.n_bars = n;
	PG_RETURN_TEXT_P(finish(mp_svg_waterfall(&chart, e.bias, e.margin, &out), &out));
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
	mp_scan_begin(&scan, "feature", snapshot);
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
		bars[*n].label = string_of(no_name ? psprintf("f%d", position - 1) :
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

	mp_scan_begin(&scan, "version", snapshot);
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
	MpSvgChart	chart;

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
	chart.title = string_of(psprintf("%s version %d: importance of features", found.name, found.version));
	chart.caption = string_of(kind->caption);
	chart.bars = bars;
	chart.n_bars = n;
	PG_RETURN_TEXT_P(finish(mp_svg_bars(&chart, kind->adds_up, &out), &out));
}
