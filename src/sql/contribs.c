/*
 * contribs.c: contributions of features, and of pairs of them, as arrays.
 *
 * What SHAP needs of a model is made at the first explanation and kept with
 * the model in the cache, which then also holds the trees. A row takes no memory but its
 * result: 8 bytes for each output and each feature, for interactions each pair
 * of features; the bias counts as a feature.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "core/shap/shap_interactions.h"
#include "glue/error.h"
#include "model/cache.h"
#include "sql/contribs.h"

MpCallSite *
mp_contribs_read(FunctionCallInfo fcinfo, int first)
{
	MpCallSite *site = mp_callsite_get(fcinfo, first);

	return mp_row_read(site->source, fcinfo, &site->row) ? site : NULL;
}

/* An array to be filled in: `n` dimensions of `width`, once for each of several outputs. */
static ArrayType *
new_array(const MpModel *model, int n, int width)
{
	int			outputs = model->forest->n_outputs;
	int			n_dims = n + (outputs > 1);
	Size		numbers = (Size) outputs * width * (n > 1 ? width : 1);
	Size		size = ARR_OVERHEAD_NONULLS(n_dims) + numbers * sizeof(float8);
	ArrayType  *array;

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("the answer of model \"%s\" version %d has %zu numbers, more than an array can hold",
					   model->name, model->version, numbers));
	array = palloc(size);
	SET_VARSIZE(array, size);
	array->ndim = n_dims;
	array->dataoffset = 0;
	array->elemtype = FLOAT8OID;
	for (int i = 0; i < n_dims; i++)
	{
		ARR_DIMS(array)[i] = i == 0 && outputs > 1 ? outputs : width;
		ARR_LBOUND(array)[i] = 1;
	}
	return array;
}

/* Where floats for all numbers of the array may lie until they are widened: in the latter half of it. */
static float *
room_for_floats(ArrayType *array)
{
	return (float *) ARR_DATA_PTR(array) + ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}

static void
widen(ArrayType *array)
{
	mp_row_widen((double *) ARR_DATA_PTR(array), ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
}

PG_FUNCTION_INFO_V1(mp_predict_contribs);
Datum
mp_predict_contribs(PG_FUNCTION_ARGS)
{
	MpCallSite *site = mp_contribs_read(fcinfo, 1);
	const MpModel *model;
	MpShap	   *shap;
	ArrayType  *array;

	if (site == NULL)
		PG_RETURN_NULL();
	model = site->model;
	shap = mp_cache_shap(model, GetActiveSnapshot());
	array = new_array(model, 1, model->forest->n_features + 1);
	if (model->wide)
		mp_shap_contribs_wide(shap, site->row.wide, (double *) ARR_DATA_PTR(array));
	else
	{
		mp_shap_contribs(shap, site->row.x, room_for_floats(array));
		widen(array);
	}
	model->state->rows++;
	PG_RETURN_ARRAYTYPE_P(array);
}

PG_FUNCTION_INFO_V1(mp_predict_interactions);
Datum
mp_predict_interactions(PG_FUNCTION_ARGS)
{
	MpCallSite *site = mp_contribs_read(fcinfo, 1);
	const MpModel *model;
	MpShap	   *shap;
	ArrayType  *array;
	MpError		error;

	if (site == NULL)
		PG_RETURN_NULL();
	model = site->model;
	shap = mp_cache_shap(model, GetActiveSnapshot());
	array = new_array(model, 2, model->forest->n_features + 1);
	mp_error_clear(&error);
	if (!mp_shap_interactions(shap, site->row.x, room_for_floats(array), &error))
		mp_throw_unexplained(&error, model->name, model->version);
	widen(array);
	model->state->rows++;
	mp_cache_measure(model);
	PG_RETURN_ARRAYTYPE_P(array);
}
