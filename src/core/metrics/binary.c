/*
 * binary.c: measures of scores for two classes; see binary.h.
 */
#include "core/metrics/binary.h"
#include "core/metrics/bins.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define ECE_BINS 10

double
mp_log_loss_of(double score, bool outcome, bool single)
{
	if (single)
	{
		float		low = FLT_EPSILON;
		float		high = 1.0f - FLT_EPSILON;
		float		p = (float) score;

		p = p < low ? low : p > high ? high : p;
		p = outcome ? p : 1.0f - p;
		return -log((double) p);
	}
	else
	{
		double		p = score;

		p = p < DBL_EPSILON ? DBL_EPSILON : p > 1 - DBL_EPSILON ? 1 - DBL_EPSILON : p;
		return -log(outcome ? p : 1 - p);
	}
}

/* 0 where there is nothing to divide by, as scikit-learn has it */
static double
ratio(double part, double whole)
{
	return whole == 0 ? 0 : part / whole;
}

double
mp_confusion_accuracy(const MpConfusion *c)
{
	return (c->tp + c->tn) / (c->tp + c->tn + c->fp + c->fn);
}

/* The mean over those classes that there are. */
double
mp_confusion_balanced_accuracy(const MpConfusion *c)
{
	double		with = c->tp + c->fn;
	double		without = c->tn + c->fp;

	if (with == 0 || without == 0)
		return with == 0 ? c->tn / without : c->tp / with;
	return (c->tp / with + c->tn / without) / 2;
}

double
mp_confusion_precision(const MpConfusion *c)
{
	return ratio(c->tp, c->tp + c->fp);
}

double
mp_confusion_recall(const MpConfusion *c)
{
	return ratio(c->tp, c->tp + c->fn);
}

double
mp_confusion_specificity(const MpConfusion *c)
{
	return ratio(c->tn, c->tn + c->fp);
}

double
mp_confusion_f1(const MpConfusion *c)
{
	return ratio(2 * c->tp, 2 * c->tp + c->fp + c->fn);
}

double
mp_confusion_mcc(const MpConfusion *c)
{
	double		yes = sqrt(c->tp + c->fp) * sqrt(c->tp + c->fn);
	double		no = sqrt(c->tn + c->fp) * sqrt(c->tn + c->fn);

	if (yes == 0 || no == 0)
		return 0;
	return (c->tp / yes) * (c->tn / no) - (c->fp / yes) * (c->fn / no);
}

/* Sums over the steps of a walk. */
typedef struct Sums
{
	MpSum		area;
	uint64_t	counted_area;
	MpSum		precision;
	MpSum		log_loss;
	MpSum		squares;
	MpSum		outcomes[ECE_BINS];
	MpSum		scores[ECE_BINS];
} Sums;

static void
sums_begin(Sums *sums, MpAlloc *alloc)
{
	sums->counted_area = 0;
	mp_sum_begin(&sums->area, alloc);
	mp_sum_begin(&sums->precision, alloc);
	mp_sum_begin(&sums->log_loss, alloc);
	mp_sum_begin(&sums->squares, alloc);
	for (int i = 0; i < ECE_BINS; i++)
	{
		mp_sum_begin(&sums->outcomes[i], alloc);
		mp_sum_begin(&sums->scores[i], alloc);
	}
}

static void
sums_end(Sums *sums)
{
	mp_sum_end(&sums->area);
	mp_sum_end(&sums->precision);
	mp_sum_end(&sums->log_loss);
	mp_sum_end(&sums->squares);
	for (int i = 0; i < ECE_BINS; i++)
	{
		mp_sum_end(&sums->outcomes[i]);
		mp_sum_end(&sums->scores[i]);
	}
}

/* Whether counts of rows times counts of rows fit 64 bits: there are no weights. */
static bool
is_countable(const MpRanking *ranking)
{
	return ranking->kind != MP_RANKING_WEIGHTED && ranking->rows <= UINT32_MAX;
}

static double
area_of(Sums *sums, const double totals[2])
{
	if (totals[0] == 0 || totals[1] == 0)
		return NAN;
	return (mp_sum_value(&sums->area) + (double) sums->counted_area) / 2 / totals[0] / totals[1];
}

static bool
add_precision(Sums *sums, const MpRankingStep *step)
{
	return step->with == 0 ||
		mp_sum_add(&sums->precision, step->with * (step->tp / (step->tp + step->fp)));
}

/* NAN without rows; 0 without rows that have the outcome */
static double
precision_of(Sums *sums, const double totals[2])
{
	if (totals[1] == 0)
		return totals[0] == 0 ? NAN : 0;
	return mp_sum_value(&sums->precision) / totals[1];
}

/* What a step adds to the losses. */
static bool
add_losses(Sums *sums, const MpRankingStep *step, bool single)
{
	double		score = step->score;
	double		weight = step->with + step->without;
	int			bin = mp_equal_bin(score, ECE_BINS);

	if (step->with > 0 &&
		!mp_sum_add(&sums->log_loss, step->with * mp_log_loss_of(score, true, single)))
		return false;
	if (step->without > 0 &&
		!mp_sum_add(&sums->log_loss, step->without * mp_log_loss_of(score, false, single)))
		return false;
	return mp_sum_add(&sums->squares, step->with * ((1 - score) * (1 - score))) &&
		mp_sum_add(&sums->squares, step->without * (score * score)) &&
		mp_sum_add(&sums->outcomes[bin], step->with) &&
		mp_sum_add_product(&sums->scores[bin], (double[]) {weight, score}, 2);
}

/* Twice the area below a curve, in rows with times rows without the outcome. */
static bool
add_area(Sums *sums, const MpRankingStep *step, bool countable)
{
	double		area[2] = {step->without, step->tp + (step->tp - step->with)};

	if (!countable)
		return step->without == 0 || mp_sum_add_product(&sums->area, area, 2);
	sums->counted_area += (uint64_t) area[0] * (uint64_t) area[1];
	return true;
}

bool
mp_roc_auc(MpRanking *ranking, double *auc)
{
	MpRankingWalk walk;
	MpRankingStep step;
	Sums		sums;
	double		totals[2];
	bool		countable = is_countable(ranking);
	bool		complete = true;

	mp_ranking_totals(ranking, totals);
	sums_begin(&sums, ranking->scores[0].alloc);
	mp_ranking_walk(&walk, ranking);
	while (complete && mp_ranking_next(&walk, &step))
		complete = add_area(&sums, &step, countable);
	*auc = area_of(&sums, totals);
	sums_end(&sums);
	return complete;
}

bool
mp_average_precision(MpRanking *ranking, double *precision)
{
	MpRankingWalk walk;
	MpRankingStep step;
	Sums		sums;
	double		totals[2];
	bool		complete = true;

	mp_ranking_totals(ranking, totals);
	sums_begin(&sums, ranking->scores[0].alloc);
	mp_ranking_walk(&walk, ranking);
	while (complete && mp_ranking_next(&walk, &step))
		complete = add_precision(&sums, &step);
	*precision = precision_of(&sums, totals);
	sums_end(&sums);
	return complete;
}

bool
mp_binary_measure(MpRanking *ranking, double threshold, MpBinaryMeasures *measures)
{
	Sums		sums;
	MpRankingWalk walk;
	MpRankingStep step;
	MpConfusion *c = &measures->confusion;
	double		totals[2];
	double		all;
	MpTotal		below[2] = {{0, 0}, {0, 0}};
	bool		countable = is_countable(ranking);
	bool		probabilities = true;
	bool		complete = true;

	mp_ranking_totals(ranking, totals);
	all = totals[0] + totals[1];
	memset(measures, 0, sizeof(MpBinaryMeasures));
	measures->positives = totals[1];
	sums_begin(&sums, ranking->scores[0].alloc);
	mp_ranking_walk(&walk, ranking);
	while (complete && mp_ranking_next(&walk, &step))
	{
		double		gap = step.tp / totals[1] - step.fp / totals[0];

		probabilities = probabilities && step.score >= 0 && step.score <= 1;
		complete = add_area(&sums, &step, countable) && add_precision(&sums, &step) &&
			(!probabilities || add_losses(&sums, &step, ranking->all_floats));
		if (gap > measures->ks)
			measures->ks = gap;
		/* by themselves: what is left of a total may have lost its digits */
		if (step.score > threshold)
		{
			c->tp = step.tp;
			c->fp = step.fp;
		}
		else
		{
			mp_total_add(&below[0], step.without);
			mp_total_add(&below[1], step.with);
		}
	}
	c->tn = mp_total(&below[0]);
	c->fn = mp_total(&below[1]);
	measures->roc_auc = area_of(&sums, totals);
	measures->average_precision = precision_of(&sums, totals);
	measures->log_loss = mp_sum_value(&sums.log_loss) / all;
	measures->brier_score = mp_sum_value(&sums.squares) / all;
	for (int i = 0; i < ECE_BINS; i++)
		measures->ece += fabs(mp_sum_value(&sums.outcomes[i]) - mp_sum_value(&sums.scores[i]));
	measures->ece /= all;
	if (totals[0] == 0 || totals[1] == 0)
		measures->ks = NAN;
	if (!probabilities)
		measures->log_loss = measures->brier_score = measures->ece = NAN;
	sums_end(&sums);
	return complete;
}

void
mp_losses_begin(MpLosses *losses, MpAlloc *alloc)
{
	mp_sum_begin(&losses->weight, alloc);
	mp_sum_begin(&losses->log_loss_single, alloc);
	mp_sum_begin(&losses->log_loss_double, alloc);
	mp_sum_begin(&losses->squares, alloc);
	losses->all_floats = true;
	losses->rows = 0;
}

bool
mp_losses_add(MpLosses *losses, bool outcome, double score, double weight)
{
	double		miss = outcome ? 1 - score : score;

	losses->rows++;
	if ((double) (float) score != score)
		losses->all_floats = false;
	/* once a score is no float32 the sum for those is of no use */
	if (losses->all_floats &&
		!mp_sum_add_product(&losses->log_loss_single,
							(double[]) {weight, mp_log_loss_of(score, outcome, true)}, 2))
		return false;
	return mp_sum_add(&losses->weight, weight) &&
		mp_sum_add_product(&losses->log_loss_double,
						   (double[]) {weight, mp_log_loss_of(score, outcome, false)}, 2) &&
		mp_sum_add_product(&losses->squares, (double[]) {weight, miss * miss}, 2);
}

bool
mp_losses_merge(MpLosses *losses, MpLosses *other)
{
	losses->all_floats &= other->all_floats;
	losses->rows += other->rows;
	return mp_sum_add_sum(&losses->weight, &other->weight) &&
		mp_sum_add_sum(&losses->log_loss_single, &other->log_loss_single) &&
		mp_sum_add_sum(&losses->log_loss_double, &other->log_loss_double) &&
		mp_sum_add_sum(&losses->squares, &other->squares);
}

bool
mp_losses_write(MpLosses *losses, MpVec *out)
{
	return mp_metrics_write(out, &losses->all_floats, sizeof(bool)) &&
		mp_metrics_write(out, &losses->rows, sizeof(int64_t)) &&
		mp_sum_write(&losses->weight, out) && mp_sum_write(&losses->log_loss_single, out) &&
		mp_sum_write(&losses->log_loss_double, out) && mp_sum_write(&losses->squares, out);
}

bool
mp_losses_read(MpLosses *losses, MpString *in)
{
	return mp_metrics_read(in, &losses->all_floats, sizeof(bool)) &&
		mp_metrics_read(in, &losses->rows, sizeof(int64_t)) &&
		mp_sum_read(&losses->weight, in) && mp_sum_read(&losses->log_loss_single, in) &&
		mp_sum_read(&losses->log_loss_double, in) && mp_sum_read(&losses->squares, in);
}

double
mp_losses_log_loss(MpLosses *losses)
{
	return mp_sum_value(losses->all_floats ? &losses->log_loss_single : &losses->log_loss_double) /
		mp_sum_value(&losses->weight);
}

double
mp_losses_brier_score(MpLosses *losses)
{
	return mp_sum_value(&losses->squares) / mp_sum_value(&losses->weight);
}
