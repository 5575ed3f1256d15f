/*
 * predict.c: the scoring functions of SQL.
 *
 * Each resolves its call site, reads the row, sums the margins and
 * takes the answer from the table (score/answer.c). A row that is NULL, or has
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
#include "score/answer.h"
#include "score/score.h"
#include "sql/predict.h"

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

static Datum
answer(FunctionCallInfo fcinfo, MpAnswerId id)
{
	const MpAnswer *answer = &mp_answers[id];
	MpRow	   *row = margins(fcinfo, mp_answer_first(answer));

	if (row == NULL)
		PG_RETURN_NULL();
	return mp_answer_call(answer, row, fcinfo);
}

PG_FUNCTION_INFO_V1(mp_predict);
Datum
mp_predict(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, MP_ANSWER_VALUE);
}

/* Registered as (text, jsonb): the same function, whose argument is jsonb whatever the driver sends. */
PG_FUNCTION_INFO_V1(mp_predict_json);
Datum
mp_predict_json(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, MP_ANSWER_VALUE);
}

PG_FUNCTION_INFO_V1(mp_predict_class);
Datum
mp_predict_class(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, MP_ANSWER_CLASS);
}

PG_FUNCTION_INFO_V1(mp_predict_proba);
Datum
mp_predict_proba(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, MP_ANSWER_PROBABILITIES);
}

PG_FUNCTION_INFO_V1(mp_predict_proba_of);
Datum
mp_predict_proba_of(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, MP_ANSWER_PROBABILITY);
}

PG_FUNCTION_INFO_V1(mp_predict_all);
Datum
mp_predict_all(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, MP_ANSWER_ALL);
}

PG_FUNCTION_INFO_V1(mp_predict_margin);
Datum
mp_predict_margin(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, MP_ANSWER_MARGIN);
}

void
mp_predict_init(void)
{
	mp_answer_install(mp_predict, MP_ANSWER_VALUE);
	mp_answer_install(mp_predict_json, MP_ANSWER_VALUE);
	mp_answer_install(mp_predict_class, MP_ANSWER_CLASS);
	mp_answer_install(mp_predict_proba, MP_ANSWER_PROBABILITIES);
	mp_answer_install(mp_predict_proba_of, MP_ANSWER_PROBABILITY);
	mp_answer_install(mp_predict_all, MP_ANSWER_ALL);
	mp_answer_install(mp_predict_margin, MP_ANSWER_MARGIN);
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
	if (row->model->wide)
		mp_eval_leaf_double(forest, row->wide, (int32 *) ARR_DATA_PTR(array));
	else
		mp_eval_leaf(forest, row->x, (int32 *) ARR_DATA_PTR(array));
	return PointerGetDatum(array);
}
