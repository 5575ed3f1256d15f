/*
 * metrics_binary.c: aggregates over outcomes and scores.
 */
#include "postgres.h"

#include <math.h>

#include "glue/memory.h"
#include "sql/metrics.h"
#include "core/metrics/curves.h"

#define DEFAULT_THRESHOLD 0.5
#define DEFAULT_POINTS 100
#define DEFAULT_BINS 10

/* Adds a row to scores that will be sorted. */
static Datum
add_score(FunctionCallInfo fcinfo, int option, int weight_argument)
{
	MpMetrics  *metrics = mp_metrics_state(fcinfo, MP_METRICS_RANKING, option, weight_argument);
	double		score;
	double		weight;

	if (PG_ARGISNULL(1) || !mp_metrics_number(fcinfo, 2, &score) ||
		!mp_metrics_weight(fcinfo, weight_argument, &weight))
		metrics->left_out++;
	else
		mp_metrics_added(metrics,
						 mp_ranking_add(&metrics->of.ranking, PG_GETARG_BOOL(1), score, weight),
						 mp_ranking_bytes(&metrics->of.ranking));
	PG_RETURN_POINTER(metrics);
}

/* (state, outcome, score [, weight]) */
PG_FUNCTION_INFO_V1(mp_ranking_accum);
Datum
mp_ranking_accum(PG_FUNCTION_ARGS)
{
	return add_score(fcinfo, 0, PG_NARGS() > 3 ? 3 : 0);
}

/* (state, outcome, score, option [, weight]) */
PG_FUNCTION_INFO_V1(mp_ranking_option_accum);
Datum
mp_ranking_option_accum(PG_FUNCTION_ARGS)
{
	return add_score(fcinfo, 3, PG_NARGS() > 4 ? 4 : 0);
}

/* (state, outcome, score [, weight]) */
PG_FUNCTION_INFO_V1(mp_losses_accum);
Datum
mp_losses_accum(PG_FUNCTION_ARGS)
{
	int			weight_argument = PG_NARGS() > 3 ? 3 : 0;
	MpMetrics  *metrics = mp_metrics_state(fcinfo, MP_METRICS_LOSSES, 0, weight_argument);
	double		score;
	double		weight;

	if (PG_ARGISNULL(1) || !mp_metrics_number(fcinfo, 2, &score) ||
		!mp_metrics_weight(fcinfo, weight_argument, &weight))
		PG_RETURN_POINTER(metrics);
	if (score < 0 || score > 1)
		ereport(ERROR,
				errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				errmsg("score %g is not a probability", score));
	mp_metrics_complete(mp_losses_add(&metrics->of.losses, PG_GETARG_BOOL(1), score, weight));
	PG_RETURN_POINTER(metrics);
}

static Datum
number_or_null(FunctionCallInfo fcinfo, double number)
{
	if (isnan(number))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(number);
}

PG_FUNCTION_INFO_V1(mp_log_loss_final);
Datum
mp_log_loss_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_LOSSES);

	return number_or_null(fcinfo, mp_losses_log_loss(&metrics->of.losses));
}

PG_FUNCTION_INFO_V1(mp_brier_score_final);
Datum
mp_brier_score_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_LOSSES);

	return number_or_null(fcinfo, mp_losses_brier_score(&metrics->of.losses));
}

PG_FUNCTION_INFO_V1(mp_roc_auc_final);
Datum
mp_roc_auc_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	double		auc;

	mp_metrics_complete(mp_roc_auc(&metrics->of.ranking, &auc));
	return number_or_null(fcinfo, auc);
}

PG_FUNCTION_INFO_V1(mp_average_precision_final);
Datum
mp_average_precision_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	double		precision;

	mp_metrics_complete(mp_average_precision(&metrics->of.ranking, &precision));
	return number_or_null(fcinfo, precision);
}

/* NAN without rows */
static void
add_confusion(MpMetricsRow *row, const MpConfusion *c)
{
	bool		empty = c->tp + c->fp + c->tn + c->fn == 0;

	mp_metrics_row_add(row, empty ? NAN : mp_confusion_accuracy(c));
	mp_metrics_row_add(row, empty ? NAN : mp_confusion_balanced_accuracy(c));
	mp_metrics_row_add(row, empty ? NAN : mp_confusion_precision(c));
	mp_metrics_row_add(row, empty ? NAN : mp_confusion_recall(c));
	mp_metrics_row_add(row, empty ? NAN : mp_confusion_specificity(c));
	mp_metrics_row_add(row, empty ? NAN : mp_confusion_f1(c));
	mp_metrics_row_add(row, empty ? NAN : mp_confusion_mcc(c));
	mp_metrics_row_add(row, c->tp);
	mp_metrics_row_add(row, c->fp);
	mp_metrics_row_add(row, c->tn);
	mp_metrics_row_add(row, c->fn);
}

PG_FUNCTION_INFO_V1(mp_evaluate_binary_final);
Datum
mp_evaluate_binary_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	double		threshold = metrics->has_option ? metrics->option : DEFAULT_THRESHOLD;
	MpBinaryMeasures m;
	MpMetricsRow row;

	mp_metrics_complete(mp_binary_measure(&metrics->of.ranking, threshold, &m));
	mp_metrics_row_begin(&row, fcinfo);
	mp_metrics_row_add(&row, metrics->of.ranking.rows);
	mp_metrics_row_add(&row, metrics->left_out);
	mp_metrics_row_add(&row, m.positives);
	mp_metrics_row_add(&row, m.roc_auc);
	mp_metrics_row_add(&row, m.average_precision);
	mp_metrics_row_add(&row, 2 * m.roc_auc - 1);
	mp_metrics_row_add(&row, m.ks);
	mp_metrics_row_add(&row, m.log_loss);
	mp_metrics_row_add(&row, m.brier_score);
	mp_metrics_row_add(&row, m.ece);
	add_confusion(&row, &m.confusion);
	return mp_metrics_row_end(&row);
}

/* The number of points, bins or buckets that was asked for. */
static int
count_option(const MpMetrics *metrics, int otherwise, int lowest, int highest, const char *what)
{
	if (!metrics->has_option)
		return otherwise;
	if (metrics->option < lowest || metrics->option > highest)
		ereport(ERROR,
				errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				errmsg("the number of %s must be from %d to %d, but is %.0f",
					   what, lowest, highest, metrics->option));
	return (int) metrics->option;
}

static int
point_count(const MpMetrics *metrics)
{
	return count_option(metrics, DEFAULT_POINTS, 2, 100000, "points");
}

static int
bin_count(const MpMetrics *metrics, const char *what)
{
	return count_option(metrics, DEFAULT_BINS, 1, 1000, what);
}

PG_FUNCTION_INFO_V1(mp_roc_curve_final);
Datum
mp_roc_curve_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	MpVec		curve = {mp_alloc_context(CurrentMemoryContext)};
	MpMetricsRow row;
	Datum	   *rows;
	int			n;

	mp_metrics_complete(mp_roc_curve(&metrics->of.ranking, point_count(metrics), &curve));
	n = mp_vec_count(&curve, MpRocPoint);
	rows = palloc(sizeof(Datum) * Max(n, 1));
	mp_metrics_row_begin(&row, fcinfo);
	for (int i = 0; i < n; i++)
	{
		const MpRocPoint *point = mp_vec_at(&curve, MpRocPoint, i);

		mp_metrics_row_add(&row, point->threshold);
		mp_metrics_row_add(&row, point->false_positive_rate);
		mp_metrics_row_add(&row, point->true_positive_rate);
		rows[i] = mp_metrics_row_end(&row);
	}
	return mp_metrics_rows(&row, rows, n);
}

/* As scikit-learn has it: from the lowest threshold on, the last point without one. */
PG_FUNCTION_INFO_V1(mp_precision_recall_curve_final);
Datum
mp_precision_recall_curve_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	MpVec		curve = {mp_alloc_context(CurrentMemoryContext)};
	MpMetricsRow row;
	Datum	   *rows;
	int			n;

	mp_metrics_complete(mp_precision_recall_curve(&metrics->of.ranking, point_count(metrics),
												  &curve));
	n = mp_vec_count(&curve, MpRocPoint);
	rows = palloc(sizeof(Datum) * Max(n, 1));
	mp_metrics_row_begin(&row, fcinfo);
	for (int i = 0; i < n; i++)
	{
		const MpRocPoint *point = mp_vec_at(&curve, MpRocPoint, n - 1 - i);

		mp_metrics_row_add(&row, i == n - 1 ? NAN : point->threshold);
		mp_metrics_row_add(&row, point->precision);
		mp_metrics_row_add(&row, point->true_positive_rate);
		rows[i] = mp_metrics_row_end(&row);
	}
	return mp_metrics_rows(&row, rows, n);
}

PG_FUNCTION_INFO_V1(mp_calibration_curve_final);
Datum
mp_calibration_curve_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	MpVec		curve = {mp_alloc_context(CurrentMemoryContext)};
	MpMetricsRow row;
	Datum	   *rows;
	int			n;

	mp_metrics_check_probabilities(&metrics->of.ranking);
	mp_metrics_complete(mp_calibration_curve(&metrics->of.ranking, bin_count(metrics, "bins"),
											 &curve));
	n = mp_vec_count(&curve, MpCalibrationBin);
	rows = palloc(sizeof(Datum) * Max(n, 1));
	mp_metrics_row_begin(&row, fcinfo);
	for (int i = 0; i < n; i++)
	{
		const MpCalibrationBin *bin = mp_vec_at(&curve, MpCalibrationBin, i);

		mp_metrics_row_add(&row, bin->bin);
		mp_metrics_row_add(&row, bin->rows);
		mp_metrics_row_add(&row, bin->positives);
		mp_metrics_row_add(&row, bin->mean_score);
		mp_metrics_row_add(&row, bin->rate);
		rows[i] = mp_metrics_row_end(&row);
	}
	return mp_metrics_rows(&row, rows, n);
}

PG_FUNCTION_INFO_V1(mp_gains_final);
Datum
mp_gains_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	MpVec		gains = {mp_alloc_context(CurrentMemoryContext)};
	MpMetricsRow row;
	Datum	   *rows;
	int			n;

	mp_metrics_complete(mp_gains(&metrics->of.ranking, bin_count(metrics, "buckets"), &gains));
	n = mp_vec_count(&gains, MpGain);
	rows = palloc(sizeof(Datum) * Max(n, 1));
	mp_metrics_row_begin(&row, fcinfo);
	for (int i = 0; i < n; i++)
	{
		const MpGain *gain = mp_vec_at(&gains, MpGain, i);

		mp_metrics_row_add(&row, gain->bucket);
		mp_metrics_row_add(&row, gain->rows);
		mp_metrics_row_add(&row, gain->positives);
		mp_metrics_row_add(&row, gain->rate);
		mp_metrics_row_add(&row, gain->lift);
		mp_metrics_row_add(&row, gain->captured);
		mp_metrics_row_add(&row, gain->score_from);
		mp_metrics_row_add(&row, gain->score_to);
		rows[i] = mp_metrics_row_end(&row);
	}
	return mp_metrics_rows(&row, rows, n);
}
