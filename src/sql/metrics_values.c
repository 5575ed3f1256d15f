/*
 * metrics_values.c: aggregates over actual and predicted numbers or classes,
 * over two scores of a row, and the bucket that a row falls in.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "glue/memory.h"
#include "core/metrics/murmur3.h"
#include "glue/compat.h"
#include "sql/metrics.h"

/* (state, actual, predicted [, weight]) */
PG_FUNCTION_INFO_V1(mp_regression_accum);
Datum
mp_regression_accum(PG_FUNCTION_ARGS)
{
	int			weight_argument = PG_NARGS() > 3 ? 3 : 0;
	MpMetrics  *metrics = mp_metrics_state(fcinfo, MP_METRICS_REGRESSION, 0, weight_argument);
	double		actual;
	double		predicted;
	double		weight;

	if (!mp_metrics_number(fcinfo, 1, &actual) || !mp_metrics_number(fcinfo, 2, &predicted) ||
		!mp_metrics_weight(fcinfo, weight_argument, &weight))
		metrics->left_out++;
	else
		mp_metrics_complete(mp_regression_add(&metrics->of.regression, actual, predicted, weight));
	PG_RETURN_POINTER(metrics);
}

static MpRegressionMeasures
measure_regression(FunctionCallInfo fcinfo)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_REGRESSION);
	MpRegressionMeasures measures;

	mp_metrics_complete(mp_regression_measure(&metrics->of.regression, &measures));
	return measures;
}

static Datum
number_or_null(FunctionCallInfo fcinfo, double number)
{
	if (isnan(number))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(number);
}

PG_FUNCTION_INFO_V1(mp_rmse_final);
Datum
mp_rmse_final(PG_FUNCTION_ARGS)
{
	return number_or_null(fcinfo, measure_regression(fcinfo).rmse);
}

PG_FUNCTION_INFO_V1(mp_mae_final);
Datum
mp_mae_final(PG_FUNCTION_ARGS)
{
	return number_or_null(fcinfo, measure_regression(fcinfo).mae);
}

PG_FUNCTION_INFO_V1(mp_mape_final);
Datum
mp_mape_final(PG_FUNCTION_ARGS)
{
	return number_or_null(fcinfo, measure_regression(fcinfo).mape);
}

PG_FUNCTION_INFO_V1(mp_r2_final);
Datum
mp_r2_final(PG_FUNCTION_ARGS)
{
	return number_or_null(fcinfo, measure_regression(fcinfo).r2);
}

PG_FUNCTION_INFO_V1(mp_evaluate_regression_final);
Datum
mp_evaluate_regression_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_REGRESSION);
	MpRegressionMeasures m;
	MpMetricsRow row;

	mp_metrics_complete(mp_regression_measure(&metrics->of.regression, &m));
	mp_metrics_row_begin(&row, fcinfo);
	mp_metrics_row_add(&row, metrics->of.regression.rows);
	mp_metrics_row_add(&row, metrics->left_out);
	mp_metrics_row_add(&row, m.rmse);
	mp_metrics_row_add(&row, m.mae);
	mp_metrics_row_add(&row, m.mape);
	mp_metrics_row_add(&row, m.r2);
	mp_metrics_row_add(&row, m.bias);
	mp_metrics_row_add(&row, m.explained_variance);
	return mp_metrics_row_end(&row);
}

/* (state, actual, predicted [, weight]) */
PG_FUNCTION_INFO_V1(mp_classes_accum);
Datum
mp_classes_accum(PG_FUNCTION_ARGS)
{
	int			weight_argument = PG_NARGS() > 3 ? 3 : 0;
	MpMetrics  *metrics = mp_metrics_state(fcinfo, MP_METRICS_CLASSES, 0, weight_argument);
	text	   *actual;
	text	   *predicted;
	double		weight;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) ||
		!mp_metrics_weight(fcinfo, weight_argument, &weight))
	{
		metrics->left_out++;
		PG_RETURN_POINTER(metrics);
	}
	actual = PG_GETARG_TEXT_PP(1);
	predicted = PG_GETARG_TEXT_PP(2);
	mp_metrics_added(metrics,
					 mp_classes_add(&metrics->of.classes,
									(MpString) {VARDATA_ANY(actual), VARSIZE_ANY_EXHDR(actual)},
									(MpString) {VARDATA_ANY(predicted), VARSIZE_ANY_EXHDR(predicted)},
									weight),
					 mp_classes_bytes(&metrics->of.classes));
	PG_RETURN_POINTER(metrics);
}

static void
push_text(JsonbInState *state, JsonbIteratorToken token, MpString text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text.data);
	value.val.string.len = (int) text.length;
	pushJsonbValue(state, token, &value);
}

/* {"actual": {"predicted": n}}; the pairs are sorted. */
static Jsonb *
confusion_of(MpClasses *classes)
{
	JsonbInState state = {0};
	int			n = mp_vec_count(&classes->pairs, MpClassPair);

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < n; i++)
	{
		MpClassPair *pair = mp_vec_at(&classes->pairs, MpClassPair, i);
		bool		first = i == 0 || pair->actual != (pair - 1)->actual;
		bool		last = i == n - 1 || pair->actual != (pair + 1)->actual;
		JsonbValue	count;

		if (first)
		{
			push_text(&state, WJB_KEY, mp_names_at(&classes->labels, pair->actual));
			pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		}
		push_text(&state, WJB_KEY, mp_names_at(&classes->labels, pair->predicted));
		count.type = jbvNumeric;
		count.val.numeric = DatumGetNumeric(classes->weighted ?
											DirectFunctionCall1(float8_numeric, Float8GetDatum(mp_class_pair_weight(classes, pair))) :
											DirectFunctionCall1(int8_numeric, Int64GetDatum(pair->rows)));
		pushJsonbValue(&state, WJB_VALUE, &count);
		if (last)
			pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(state.result);
}

PG_FUNCTION_INFO_V1(mp_evaluate_classes_final);
Datum
mp_evaluate_classes_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_CLASSES);
	bool		empty = metrics->of.classes.pairs.size == 0;
	MpClassMeasures m;
	MpMetricsRow row;

	mp_metrics_complete(mp_classes_measure(&metrics->of.classes, &m));
	mp_metrics_row_begin(&row, fcinfo);
	mp_metrics_row_add(&row, metrics->of.classes.rows);
	mp_metrics_row_add(&row, metrics->left_out);
	mp_metrics_row_add(&row, m.accuracy);
	mp_metrics_row_add(&row, m.balanced_accuracy);
	mp_metrics_row_add(&row, empty ? NAN : m.macro_precision);
	mp_metrics_row_add(&row, empty ? NAN : m.macro_recall);
	mp_metrics_row_add(&row, empty ? NAN : m.macro_f1);
	mp_metrics_row_add(&row, empty ? NAN : m.weighted_f1);
	mp_metrics_row_add(&row, empty ? NAN : m.mcc);
	mp_metrics_row_add(&row, m.kappa);
	mp_metrics_row_add_datum(&row, JsonbPGetDatum(confusion_of(&metrics->of.classes)));
	return mp_metrics_row_end(&row);
}

static Datum
add_agreement(FunctionCallInfo fcinfo, int option, int weight_argument)
{
	MpMetrics  *metrics = mp_metrics_state(fcinfo, MP_METRICS_AGREEMENT, option, weight_argument);
	MpAgreement *agreement = &metrics->of.agreement;
	double		a;
	double		b;
	double		weight;

	if (!mp_metrics_number(fcinfo, 1, &a) || !mp_metrics_number(fcinfo, 2, &b) ||
		!mp_metrics_weight(fcinfo, weight_argument, &weight))
		metrics->left_out++;
	else
		mp_metrics_added(metrics, mp_agreement_add(agreement, a, b, weight), agreement->scores.room);
	PG_RETURN_POINTER(metrics);
}

/* (state, a, b [, threshold [, weight]]) */
PG_FUNCTION_INFO_V1(mp_agreement_accum);
Datum
mp_agreement_accum(PG_FUNCTION_ARGS)
{
	return add_agreement(fcinfo, PG_NARGS() > 3 ? 3 : 0, PG_NARGS() > 4 ? 4 : 0);
}

PG_FUNCTION_INFO_V1(mp_agreement_final);
Datum
mp_agreement_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_AGREEMENT);
	MpAgreementMeasures m;
	MpMetricsRow row;

	mp_metrics_complete(mp_agreement_measure(&metrics->of.agreement,
											 metrics->has_option ? metrics->option : 0.5, &m));
	mp_metrics_row_begin(&row, fcinfo);
	mp_metrics_row_add(&row, metrics->of.agreement.rows);
	mp_metrics_row_add(&row, m.mean_difference);
	mp_metrics_row_add(&row, m.mean_abs_difference);
	mp_metrics_row_add(&row, m.max_abs_difference);
	mp_metrics_row_add(&row, m.correlation);
	mp_metrics_row_add(&row, m.rank_correlation);
	mp_metrics_row_add(&row, m.changed_class);
	mp_metrics_row_add(&row, m.psi);
	return mp_metrics_row_end(&row);
}

/*
 * murmur3(salt, 0, key) / 2^32, of the texts in UTF-8, so that databases of all
 * encodings agree.
 */
PG_FUNCTION_INFO_V1(mp_bucket);
Datum
mp_bucket(PG_FUNCTION_ARGS)
{
	text	   *key = PG_GETARG_TEXT_PP(0);
	text	   *salt = PG_GETARG_TEXT_PP(1);
	Size		salt_size = VARSIZE_ANY_EXHDR(salt);
	Size		key_size = VARSIZE_ANY_EXHDR(key);
	char		small[256];
	char	   *buffer = small;
	uint32		hash;

	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
	{
		if (salt_size + 1 + key_size > sizeof(small))
			buffer = palloc(salt_size + 1 + key_size);
		memcpy(buffer, VARDATA_ANY(salt), salt_size);
		buffer[salt_size] = '\0';
		memcpy(buffer + salt_size + 1, VARDATA_ANY(key), key_size);
	}
	else
	{
		const char *key_utf8 = pg_server_to_any(text_to_cstring(key), key_size, PG_UTF8);
		const char *salt_utf8 = pg_server_to_any(text_to_cstring(salt), salt_size, PG_UTF8);

		salt_size = strlen(salt_utf8);
		key_size = strlen(key_utf8);
		buffer = palloc(salt_size + 1 + key_size);
		memcpy(buffer, salt_utf8, salt_size + 1);
		memcpy(buffer + salt_size + 1, key_utf8, key_size);
	}
	hash = mp_murmur3(buffer, salt_size + 1 + key_size, 0);
	PG_RETURN_FLOAT8(hash / 4294967296.0);
}
