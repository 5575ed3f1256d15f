/*
 * predict.c: the scoring functions of SQL.
 *
 * Each resolves its call site, reads the row into its vector, sums
 * the margins by the kernel and shapes the answer. A row that is NULL, or has
 * an unseen category of a version that says so, is answered NULL. Where a scan
 * scores its rows in batches (batch_scan.c), only the shaping is done here.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"

#include "core/forest/eval.h"
#include "model/cache.h"
#include "score/callsite.h"
#include "score/score.h"

/* The row with its margins, or NULL where the answer is NULL. */
static MpRow *
margins(FunctionCallInfo fcinfo, int first)
{
	MpCallSite *site = mp_callsite_get(fcinfo, first);
	MpRow	   *row = &site->row;

	if (!mp_row_read(site->source, fcinfo, row))
		return NULL;
	mp_score_margin(row);
	return row;
}

/* A real[] of one dimension; lower is its only allocation. */
static Datum
real_array(const float *values, int n)
{
	Size		size = ARR_OVERHEAD_NONULLS(1) + n * sizeof(float4);
	ArrayType  *array;

	if (n == 0)
		return PointerGetDatum(construct_empty_array(FLOAT4OID));
	array = palloc(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = FLOAT4OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), values, n * sizeof(float4));
	return PointerGetDatum(array);
}

static Datum
answer_value(MpRow *row, FunctionCallInfo fcinfo)
{
	PG_RETURN_FLOAT8((double) mp_score_value(row));
}

static Datum
answer_class(MpRow *row, FunctionCallInfo fcinfo)
{
	PG_RETURN_TEXT_P(cstring_to_text(mp_score_label(row->model, mp_score_class(row))));
}

static Datum
answer_probabilities(MpRow *row, FunctionCallInfo fcinfo)
{
	int			n = mp_score_probabilities(row);

	return real_array(row->prediction, n);
}

static Datum
answer_probability(MpRow *row, FunctionCallInfo fcinfo)
{
	int			class;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	mp_score_probabilities(row);
	class = mp_score_find_class(row->model, PG_GETARG_TEXT_PP(1));
	PG_RETURN_FLOAT8((double) row->prediction[class]);
}

static Datum
answer_all(MpRow *row, FunctionCallInfo fcinfo)
{
	mp_predict_from_margin(row->model->forest, row->margin, row->prediction);
	return real_array(row->prediction, mp_forest_n_predictions(row->model->forest));
}

static Datum
answer_margin(MpRow *row, FunctionCallInfo fcinfo)
{
	return real_array(row->margin, row->model->forest->n_outputs);
}

static Datum
score(FunctionCallInfo fcinfo, int first, MpAnswerFunction answer)
{
	MpRow	   *row = margins(fcinfo, first);

	if (row == NULL)
		PG_RETURN_NULL();
	return answer(row, fcinfo);
}

PG_FUNCTION_INFO_V1(mp_predict);
Datum
mp_predict(PG_FUNCTION_ARGS)
{
	return score(fcinfo, 1, answer_value);
}

/* Registered as (text, jsonb): the same function, whose argument is jsonb whatever the driver sends. */
PG_FUNCTION_INFO_V1(mp_predict_json);
Datum
mp_predict_json(PG_FUNCTION_ARGS)
{
	return score(fcinfo, 1, answer_value);
}

PG_FUNCTION_INFO_V1(mp_predict_class);
Datum
mp_predict_class(PG_FUNCTION_ARGS)
{
	return score(fcinfo, 1, answer_class);
}

PG_FUNCTION_INFO_V1(mp_predict_proba);
Datum
mp_predict_proba(PG_FUNCTION_ARGS)
{
	return score(fcinfo, 1, answer_probabilities);
}

PG_FUNCTION_INFO_V1(mp_predict_proba_of);
Datum
mp_predict_proba_of(PG_FUNCTION_ARGS)
{
	return score(fcinfo, 2, answer_probability);
}

PG_FUNCTION_INFO_V1(mp_predict_all);
Datum
mp_predict_all(PG_FUNCTION_ARGS)
{
	return score(fcinfo, 1, answer_all);
}

PG_FUNCTION_INFO_V1(mp_predict_margin);
Datum
mp_predict_margin(PG_FUNCTION_ARGS)
{
	return score(fcinfo, 1, answer_margin);
}

const MpScorer *
mp_scorer_of(PGFunction function)
{
	static const MpScorer scorers[] = {
		{mp_predict, 1, answer_value},
		{mp_predict_json, 1, answer_value},
		{mp_predict_class, 1, answer_class},
		{mp_predict_proba, 1, answer_probabilities},
		{mp_predict_proba_of, 2, answer_probability},
		{mp_predict_all, 1, answer_all},
		{mp_predict_margin, 1, answer_margin}
	};

	for (int i = 0; i < lengthof(scorers); i++)
		if (scorers[i].function == function)
			return &scorers[i];
	return NULL;
}

PG_FUNCTION_INFO_V1(mp_predict_leaf);
Datum
mp_predict_leaf(PG_FUNCTION_ARGS)
{
	MpRow	   *row = margins(fcinfo, 1);
	const MpForest *forest;
	int			n;
	Size		size;
	ArrayType  *array;

	if (row == NULL)
		PG_RETURN_NULL();
	if (row->model->forest->booster == MP_BOOSTER_GBLINEAR)
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("model \"%s\" version %d has no trees: its booster is gblinear",
					   row->model->name, row->model->version));
	forest = mp_cache_trees(row->model, GetActiveSnapshot());
	n = forest->n_trees_used;
	if (n == 0)
		return PointerGetDatum(construct_empty_array(INT4OID));
	size = ARR_OVERHEAD_NONULLS(1) + n * sizeof(int32);
	array = palloc(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = INT4OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	mp_eval_leaf(forest, row->x, (int32 *) ARR_DATA_PTR(array));
	return PointerGetDatum(array);
}
