/*
 * plots.c: aggregates whose answer is a picture of scores.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"

#include "core/metrics/bins.h"
#include "core/metrics/curves.h"
#include "core/text/svg_plot.h"
#include "glue/memory.h"
#include "sql/metrics.h"
#include "sql/picture.h"

#define POINTS 200				/* of a curve: more are not seen */
#define CALIBRATION_BINS 10
#define COLUMNS 40

static const MpSvgAxis share_axis = {.low = 0, .high = 1, .percent = true};

static MpSvgAxis
axis(const char *name)
{
	MpSvgAxis	a = share_axis;

	a.name = mp_picture_string(name);
	return a;
}

/* 7043 as 7,043 */
static char *
with_commas(double n)
{
	return mp_svg_number(palloc(MP_SVG_NUMBER), n, 0, false);
}

/* "7,043 rows, 26.5% of them with the outcome" */
static char *
rows_of(MpRanking *ranking)
{
	double		totals[2];

	mp_ranking_totals(ranking, totals);
	if (totals[0] + totals[1] == 0)
		return "no rows";
	return psprintf("%s rows, %.3g%% of them with the outcome", with_commas(totals[0] + totals[1]),
					100 * totals[1] / (totals[0] + totals[1]));
}

/* The option of these aggregates is the width. */
static Datum
draw(MpSvgPlot *plot, const MpMetrics *metrics)
{
	MpVec		out = {mp_alloc_context(CurrentMemoryContext)};

	if (metrics->has_option &&
		(metrics->option < MP_SVG_MIN_WIDTH || metrics->option > MP_SVG_MAX_WIDTH))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a picture is %d to %d pixels wide, not %.0f", MP_SVG_MIN_WIDTH,
					   MP_SVG_MAX_WIDTH, metrics->option));
	if (metrics->has_option)
		plot->style.width = (int) metrics->option;
	PG_RETURN_TEXT_P(mp_picture_finish(mp_svg_plot(plot, &out), &out));
}

/* x[] and y[] of n points, in one block */
static double *
room_for(size_t n, double **y)
{
	double	   *x = palloc(sizeof(double) * 2 * (n + 1));

	*y = x + n + 1;
	return x;
}

PG_FUNCTION_INFO_V1(mp_roc_svg_final);
Datum
mp_roc_svg_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	MpRanking  *ranking = &metrics->of.ranking;
	MpVec		curve = {mp_alloc_context(CurrentMemoryContext)};
	MpSvgSeries series = {.kind = MP_SVG_LINE_KIND};
	MpSvgPlot	plot = {.diagonal = true, .series = &series, .n_series = 1};
	double	   *x;
	double	   *y;
	double		auc;

	mp_metrics_complete(mp_roc_auc(ranking, &auc));
	mp_metrics_complete(mp_roc_curve(ranking, POINTS, &curve));
	series.n = mp_vec_count(&curve, MpRocPoint);
	series.x = x = room_for(series.n, &y);
	series.y = y;
	for (size_t i = 0; i < series.n; i++)
	{
		x[i] = mp_vec_at(&curve, MpRocPoint, i)->false_positive_rate;
		y[i] = mp_vec_at(&curve, MpRocPoint, i)->true_positive_rate;
	}
	plot.title = mp_picture_string("ROC curve");
	plot.caption = mp_picture_string(isnan(auc) ? psprintf("Needs rows of both classes: %s.", rows_of(ranking)) :
									 psprintf("Area below it %.3f; %s.", auc, rows_of(ranking)));
	plot.x = axis("false positive rate");
	plot.y = axis("true positive rate");
	return draw(&plot, metrics);
}

PG_FUNCTION_INFO_V1(mp_gains_svg_final);
Datum
mp_gains_svg_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	MpRanking  *ranking = &metrics->of.ranking;
	MpVec		curve = {mp_alloc_context(CurrentMemoryContext)};
	MpVec		tenths = {mp_alloc_context(CurrentMemoryContext)};
	MpSvgSeries series = {.kind = MP_SVG_LINE_KIND};
	MpSvgPlot	plot = {.diagonal = true, .series = &series, .n_series = 1};
	double		totals[2];
	double	   *x;
	double	   *y;
	char	   *top = "";

	mp_ranking_totals(ranking, totals);
	mp_metrics_complete(mp_roc_curve(ranking, POINTS, &curve));
	mp_metrics_complete(mp_gains(ranking, 10, &tenths));
	series.n = mp_vec_count(&curve, MpRocPoint);
	series.x = x = room_for(series.n, &y);
	series.y = y;
	for (size_t i = 0; i < series.n; i++)
	{
		const MpRocPoint *point = mp_vec_at(&curve, MpRocPoint, i);
		double		without = totals[0] == 0 ? 0 : point->false_positive_rate * totals[0];

		x[i] = (without + point->true_positive_rate * totals[1]) / (totals[0] + totals[1]);
		y[i] = point->true_positive_rate;
	}
	if (totals[1] > 0 && tenths.size > 0)
		top = psprintf("The tenth with the highest scores holds %.3g%% of the outcome; ",
					   100 * mp_vec_at(&tenths, MpGain, 0)->captured);
	plot.title = mp_picture_string("Cumulative gains");
	plot.caption = mp_picture_string(psprintf("%s%s.", top, rows_of(ranking)));
	plot.x = axis("rows, highest scores first");
	plot.y = axis("share of the outcome");
	return draw(&plot, metrics);
}

PG_FUNCTION_INFO_V1(mp_calibration_svg_final);
Datum
mp_calibration_svg_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	MpRanking  *ranking = &metrics->of.ranking;
	MpVec		curve = {mp_alloc_context(CurrentMemoryContext)};
	MpSvgSeries series = {.kind = MP_SVG_POINTS};
	MpSvgPlot	plot = {.diagonal = true, .series = &series, .n_series = 1};
	double		totals[2];
	double		error = 0;
	double	   *x;
	double	   *y;

	mp_metrics_check_probabilities(ranking);
	mp_ranking_totals(ranking, totals);
	mp_metrics_complete(mp_calibration_curve(ranking, CALIBRATION_BINS, &curve));
	series.n = mp_vec_count(&curve, MpCalibrationBin);
	series.x = x = room_for(series.n, &y);
	series.y = y;
	for (size_t i = 0; i < series.n; i++)
	{
		const MpCalibrationBin *bin = mp_vec_at(&curve, MpCalibrationBin, i);

		x[i] = bin->mean_score;
		y[i] = bin->rate;
		error += fabs(bin->mean_score - bin->rate) * bin->rows / (totals[0] + totals[1]);
	}
	plot.title = mp_picture_string("Calibration");
	plot.caption = mp_picture_string(psprintf("On average %.3f away from the diagonal; %s.",
											  error, rows_of(ranking)));
	plot.x = axis("mean score");
	plot.y = axis("rate of the outcome");
	return draw(&plot, metrics);
}

/* (state, score [, width]): kept like scores of rows without an outcome */
PG_FUNCTION_INFO_V1(mp_scores_accum);
Datum
mp_scores_accum(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_state(fcinfo, MP_METRICS_RANKING, PG_NARGS() > 2 ? 2 : 0, 0);
	double		score;

	if (!mp_metrics_number(fcinfo, 1, &score))
		metrics->left_out++;
	else
		mp_metrics_added(metrics, mp_ranking_add(&metrics->of.ranking, false, score, 1),
						 mp_ranking_bytes(&metrics->of.ranking));
	PG_RETURN_POINTER(metrics);
}

/* From the lowest to the highest finite score; probabilities from 0 to 1. */
static void
range_of(MpRanking *ranking, double *low, double *high)
{
	MpRankingWalk walk;
	MpRankingStep step;

	*low = INFINITY;
	*high = -INFINITY;
	mp_ranking_walk(&walk, ranking);
	while (mp_ranking_next(&walk, &step))
	{
		if (isinf(step.score))
			continue;
		*low = fmin(*low, step.score);
		*high = fmax(*high, step.score);
	}
	if (*low >= 0 && *high <= 1)
	{
		*low = 0;
		*high = 1;
	}
	if (!(*low < *high))
	{
		*low = isinf(*low) ? 0 : *low - 0.5;
		*high = *low + 1;
	}
}

PG_FUNCTION_INFO_V1(mp_histogram_svg_final);
Datum
mp_histogram_svg_final(PG_FUNCTION_ARGS)
{
	MpMetrics  *metrics = mp_metrics_result(fcinfo, MP_METRICS_RANKING);
	MpRanking  *ranking = &metrics->of.ranking;
	MpSvgSeries series = {.kind = MP_SVG_COLUMNS, .n = COLUMNS};
	MpSvgPlot	plot = {.series = &series, .n_series = 1};
	MpRankingWalk walk;
	MpRankingStep step;
	MpSum		sum;
	double		totals[2];
	double		edges[COLUMNS + 1];
	double		counts[COLUMNS] = {0};
	double		low;
	double		high;

	range_of(ranking, &low, &high);
	mp_sum_begin(&sum, mp_alloc_context(CurrentMemoryContext));
	for (int i = 0; i <= COLUMNS; i++)
		edges[i] = low + (high - low) * mp_equal_edge(i, COLUMNS);
	mp_ranking_walk(&walk, ranking);
	while (mp_ranking_next(&walk, &step))
	{
		mp_metrics_complete(mp_sum_add_product(&sum, (double[]) {step.score, step.without}, 2));
		if (!isinf(step.score))
			counts[mp_equal_bin((step.score - low) / (high - low), COLUMNS)] += step.without;
	}
	mp_ranking_totals(ranking, totals);
	series.x = edges;
	series.y = counts;
	plot.title = mp_picture_string("Scores");
	plot.caption = mp_picture_string(totals[0] == 0 ? "No rows." :
									 psprintf("%s rows, mean %.4g.", with_commas(totals[0]), mp_sum_value(&sum) / totals[0]));
	plot.x = (MpSvgAxis) {mp_picture_string("score"), low, high, low == 0 && high == 1};
	plot.y = (MpSvgAxis) {mp_picture_string("rows"), 0, 1, false};
	for (int i = 0; i < COLUMNS; i++)
		plot.y.high = fmax(plot.y.high, counts[i]);
	return draw(&plot, metrics);
}
