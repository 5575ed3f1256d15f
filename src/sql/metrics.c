/*
 * metrics.c: aggregates over scores: their state, what is passed between
 * parallel workers, and their rows of results. What they compute is the core's.
 *
 * A state lives in the memory of its group, grows as rows come, and is never
 * written to disk: where all states of an aggregate take more than MEMORY_FACTOR
 * times what a hash table may, the statement fails and says what to set.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "core/metrics/curves.h"
#include "glue/memory.h"
#include "sql/metrics.h"

#define MEMORY_FACTOR 16

/* States smaller than this are not worth a look at the memory of all. */
#define SMALL_STATE (256 * 1024)

static MpMetrics *
make_state(MemoryContext context, MpMetricsKind kind, bool weighted)
{
	MpMetrics  *metrics = MemoryContextAllocZero(context, sizeof(MpMetrics));

	metrics->kind = kind;
	metrics->weighted = weighted;
	metrics->context = context;
	metrics->alloc = mp_alloc_context(context);
	switch (kind)
	{
		case MP_METRICS_RANKING:
			mp_ranking_begin(&metrics->of.ranking, weighted, metrics->alloc);
			break;
		case MP_METRICS_LOSSES:
			mp_losses_begin(&metrics->of.losses, metrics->alloc);
			break;
		case MP_METRICS_REGRESSION:
			mp_regression_begin(&metrics->of.regression, metrics->alloc);
			break;
		case MP_METRICS_CLASSES:
			mp_classes_begin(&metrics->of.classes, weighted, metrics->alloc);
			break;
		case MP_METRICS_AGREEMENT:
			mp_agreement_begin(&metrics->of.agreement, weighted, metrics->alloc);
			break;
		case MP_METRICS_PROFILE:
			mp_profile_begin(&metrics->of.profile, metrics->alloc);
			break;
	}
	return metrics;
}

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "a function of an aggregate was called outside of one");
	return context;
}

/* The option of all rows of a group, which must agree. */
static void
take_option(MpMetrics *metrics, FunctionCallInfo fcinfo, int argument)
{
	bool		null = PG_ARGISNULL(argument);
	double		option = 0;

	if (!null && get_fn_expr_argtype(fcinfo->flinfo, argument) == INT4OID)
		option = PG_GETARG_INT32(argument);
	else if (!null)
		option = PG_GETARG_FLOAT8(argument);
	if (null || isnan(option))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("the option of an aggregate over scores must not be null or NaN"));
	if (metrics->has_option && metrics->option != option)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the option of an aggregate over scores must be the same for all rows of a group, but is %g and %g",
					   metrics->option, option));
	metrics->has_option = true;
	metrics->option = option;
}

MpMetrics *
mp_metrics_state(FunctionCallInfo fcinfo, MpMetricsKind kind, int option, int weight)
{
	MpMetrics  *metrics;

	if (!PG_ARGISNULL(0))
		metrics = (MpMetrics *) PG_GETARG_POINTER(0);
	else
		metrics = make_state(aggregate_context(fcinfo), kind, weight > 0);
	if (option > 0)
		take_option(metrics, fcinfo, option);
	return metrics;
}

MpMetrics *
mp_metrics_result(FunctionCallInfo fcinfo, MpMetricsKind kind)
{
	if (!PG_ARGISNULL(0))
		return (MpMetrics *) PG_GETARG_POINTER(0);
	return make_state(CurrentMemoryContext, kind, false);
}

bool
mp_metrics_number(FunctionCallInfo fcinfo, int argument, double *number)
{
	if (PG_ARGISNULL(argument))
		return false;
	*number = PG_GETARG_FLOAT8(argument);
	return !isnan(*number);
}

bool
mp_metrics_weight(FunctionCallInfo fcinfo, int argument, double *weight)
{
	*weight = 1;
	if (argument == 0)
		return true;
	if (!mp_metrics_number(fcinfo, argument, weight))
		return false;
	if (*weight < 0 || isinf(*weight))
		ereport(ERROR,
				errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				errmsg("a weight must be finite and not negative, but is %g", *weight));
	return true;
}

void
mp_metrics_complete(bool complete)
{
	if (!complete)
		ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"));
}

void
mp_metrics_added(MpMetrics *metrics, bool complete, Size bytes)
{
	double		limit;
	double		used;

	mp_metrics_complete(complete);
	if (bytes <= metrics->checked || bytes < SMALL_STATE)
		return;
	metrics->checked = bytes;
	limit = work_mem * 1024.0 * hash_mem_multiplier * MEMORY_FACTOR;
	used = MemoryContextMemAllocated(metrics->context, true);
	if (used > limit)
		ereport(ERROR,
				errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				errmsg("scores to aggregate take %.0f MB, more than %d times work_mem * hash_mem_multiplier",
					   used / 1024 / 1024, MEMORY_FACTOR),
				errdetail("All scores of all groups are kept in memory until they are sorted at the end."),
				errhint("Set work_mem to at least %.0f kB, aggregate a sample, or fewer groups at once.",
						ceil(used * 1.5 / 1024 / hash_mem_multiplier / MEMORY_FACTOR)));
}

static bool
merge_profiles(MpProfile *to, const MpProfile *from)
{
	MpError		error = {MP_OK};

	if (mp_profile_merge(to, from, &error))
		return true;
	if (error.code != MP_OK)
		ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", error.message));
	return false;
}

static bool
merge(MpMetrics *to, MpMetrics *from)
{
	to->left_out += from->left_out;
	switch (to->kind)
	{
		case MP_METRICS_RANKING:
			return mp_ranking_merge(&to->of.ranking, &from->of.ranking);
		case MP_METRICS_LOSSES:
			return mp_losses_merge(&to->of.losses, &from->of.losses);
		case MP_METRICS_REGRESSION:
			return mp_regression_merge(&to->of.regression, &from->of.regression);
		case MP_METRICS_CLASSES:
			return mp_classes_merge(&to->of.classes, &from->of.classes);
		case MP_METRICS_AGREEMENT:
			return mp_agreement_merge(&to->of.agreement, &from->of.agreement);
		case MP_METRICS_PROFILE:
			return merge_profiles(&to->of.profile, &from->of.profile);
	}
	return false;
}

static Size
bytes_of(const MpMetrics *metrics)
{
	switch (metrics->kind)
	{
		case MP_METRICS_RANKING:
			return mp_ranking_bytes(&metrics->of.ranking);
		case MP_METRICS_CLASSES:
			return mp_classes_bytes(&metrics->of.classes);
		case MP_METRICS_AGREEMENT:
			return metrics->of.agreement.scores.room;
		case MP_METRICS_LOSSES:
		case MP_METRICS_REGRESSION:
		case MP_METRICS_PROFILE:
			break;
	}
	return 0;
}

void
mp_metrics_check_probabilities(MpRanking *ranking)
{
	if (!mp_ranking_is_probability(ranking))
		ereport(ERROR,
				errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				errmsg("calibration needs probabilities, but there are scores outside of 0 to 1"));
}

PG_FUNCTION_INFO_V1(mp_metrics_combine);
Datum
mp_metrics_combine(PG_FUNCTION_ARGS)
{
	MpMetrics  *to = PG_ARGISNULL(0) ? NULL : (MpMetrics *) PG_GETARG_POINTER(0);
	MpMetrics  *from = PG_ARGISNULL(1) ? NULL : (MpMetrics *) PG_GETARG_POINTER(1);
	MemoryContext context = aggregate_context(fcinfo);

	if (from == NULL && to == NULL)
		PG_RETURN_NULL();
	if (from == NULL)
		PG_RETURN_POINTER(to);
	if (to == NULL)
		to = make_state(context, from->kind, from->weighted);
	if (from->has_option)
	{
		to->has_option = true;
		to->option = from->option;
	}
	mp_metrics_added(to, merge(to, from), bytes_of(to));
	PG_RETURN_POINTER(to);
}

/* What precedes the core's bytes. */
typedef struct Head
{
	uint32		size;			/* as a varlena */
	uint32		kind;
	uint32		weighted;
	uint32		has_option;
	double		option;
	int64		left_out;
} Head;

PG_FUNCTION_INFO_V1(mp_metrics_serialize);
Datum
mp_metrics_serialize(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = (MpMetrics *) PG_GETARG_POINTER(0);
	Head		head = {0, metrics->kind, metrics->weighted, metrics->has_option, metrics->option,
	metrics->left_out};
	MpVec		out = {mp_alloc_context(CurrentMemoryContext)};
	bool		complete = mp_metrics_write(&out, &head, sizeof(head));

	(void) aggregate_context(fcinfo);
	if (bytes_of(metrics) > MaxAllocSize / 2)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("too many scores to pass between parallel workers"),
				errhint("Set max_parallel_workers_per_gather to 0, aggregate a sample, or by groups."));
	switch (metrics->kind)
	{
		case MP_METRICS_RANKING:
			complete = complete && mp_ranking_write(&metrics->of.ranking, &out);
			break;
		case MP_METRICS_LOSSES:
			complete = complete && mp_losses_write(&metrics->of.losses, &out);
			break;
		case MP_METRICS_REGRESSION:
			complete = complete && mp_regression_write(&metrics->of.regression, &out);
			break;
		case MP_METRICS_CLASSES:
			complete = complete && mp_classes_write(&metrics->of.classes, &out);
			break;
		case MP_METRICS_AGREEMENT:
			complete = complete && mp_agreement_write(&metrics->of.agreement, &out);
			break;
		case MP_METRICS_PROFILE:
			complete = complete && mp_profile_write(&metrics->of.profile, &out);
			break;
	}
	mp_metrics_complete(complete);
	SET_VARSIZE(out.data, out.size);
	PG_RETURN_BYTEA_P(out.data);
}

static bool
read_state(MpMetrics *metrics, MpString *in)
{
	MpError		error;

	switch (metrics->kind)
	{
		case MP_METRICS_RANKING:
			return mp_ranking_read(&metrics->of.ranking, in);
		case MP_METRICS_LOSSES:
			return mp_losses_read(&metrics->of.losses, in);
		case MP_METRICS_REGRESSION:
			return mp_regression_read(&metrics->of.regression, in);
		case MP_METRICS_CLASSES:
			return mp_classes_read(&metrics->of.classes, in);
		case MP_METRICS_AGREEMENT:
			return mp_agreement_read(&metrics->of.agreement, in);
		case MP_METRICS_PROFILE:
			return mp_profile_read(&metrics->of.profile, *in, &error);
	}
	return false;
}

PG_FUNCTION_INFO_V1(mp_metrics_deserialize);
Datum
mp_metrics_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	Head		head;
	MpString	in = {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)};
	MpMetrics  *metrics;

	(void) aggregate_context(fcinfo);
	if (!mp_metrics_read(&in, (char *) &head + VARHDRSZ, sizeof(head) - VARHDRSZ))
		elog(ERROR, "the state of an aggregate is too short");
	metrics = make_state(CurrentMemoryContext, head.kind, head.weighted);
	metrics->has_option = head.has_option;
	metrics->option = head.option;
	metrics->left_out = head.left_out;
	if (!read_state(metrics, &in))
		elog(ERROR, "the state of an aggregate is too short");
	PG_RETURN_POINTER(metrics);
}

void
mp_metrics_row_begin(MpMetricsRow *row, FunctionCallInfo fcinfo)
{
	Oid			type = get_func_rettype(fcinfo->flinfo->fn_oid);
	Oid			element = get_element_type(type);

	row->desc = lookup_rowtype_tupdesc_copy(OidIsValid(element) ? element : type, -1);
	row->values = palloc(sizeof(Datum) * row->desc->natts);
	row->nulls = palloc(sizeof(bool) * row->desc->natts);
	row->n = 0;
}

void
mp_metrics_row_add_datum(MpMetricsRow *row, Datum datum)
{
	Assert(row->n < row->desc->natts);
	row->values[row->n] = datum;
	row->nulls[row->n++] = false;
}

void
mp_metrics_row_add(MpMetricsRow *row, double number)
{
	Assert(row->n < row->desc->natts);
	if (TupleDescAttr(row->desc, row->n)->atttypid == INT8OID)
		row->values[row->n] = Int64GetDatum((int64) number);
	else if (TupleDescAttr(row->desc, row->n)->atttypid == INT4OID)
		row->values[row->n] = Int32GetDatum((int32) number);
	else
		row->values[row->n] = Float8GetDatum(number);
	row->nulls[row->n++] = isnan(number);
}

Datum
mp_metrics_row_end(MpMetricsRow *row)
{
	Assert(row->n == row->desc->natts);
	row->n = 0;
	return HeapTupleGetDatum(heap_form_tuple(row->desc, row->values, row->nulls));
}

Datum
mp_metrics_rows(MpMetricsRow *row, Datum *rows, int n)
{
	return PointerGetDatum(construct_array(rows, n, row->desc->tdtypeid, -1, false,
										   TYPALIGN_DOUBLE));
}
