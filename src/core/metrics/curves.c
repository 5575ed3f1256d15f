/*
 * curves.c: ROC and precision-recall curves, calibration, gains; see curves.h.
 */
#include "core/metrics/curves.h"
#include "core/metrics/bins.h"

#include <math.h>
#include <string.h>

/* Walks the corners of a curve: each point is known to be one when the next is there. */
typedef struct Corners
{
	MpRankingWalk walk;
	MpRankingStep point;		/* the one to give out if it is a corner */
	MpRankingStep before;		/* with and without: what the point added */
	bool		more;			/* point is one */
	int			n;				/* points walked over */
	bool		by_recall;		/* corners of precision over recall */
} Corners;

static void
corners_begin(Corners *corners, MpRanking *ranking, bool by_recall)
{
	memset(corners, 0, sizeof(Corners));
	mp_ranking_walk(&corners->walk, ranking);
	corners->point.score = INFINITY;
	corners->more = true;
	corners->by_recall = by_recall;
}

static bool
corners_next(Corners *corners, MpRankingStep *corner)
{
	/* scikit-learn keeps the point of the highest score whatever comes before and after */
	int			first = corners->by_recall ? 1 : 2;

	while (corners->more)
	{
		MpRankingStep next;
		MpRankingStep point = corners->point;
		bool		is_corner;

		corners->more = mp_ranking_next(&corners->walk, &next);
		is_corner = corners->n++ < first || !corners->more;
		if (!is_corner && corners->by_recall)
			is_corner = next.with != 0 || point.with != 0;
		else if (!is_corner)
			is_corner = next.with != point.with || next.without != point.without;
		corners->point = next;
		if (is_corner)
		{
			*corner = point;
			return true;
		}
	}
	return false;
}

static bool
add_point(const MpRankingStep *corner, const double totals[2], MpVec *curve)
{
	MpRocPoint *point = mp_vec_add(curve, sizeof(MpRocPoint));

	if (point == NULL)
		return false;
	point->threshold = corner->score;
	point->false_positive_rate = totals[0] == 0 ? NAN : corner->fp / totals[0];
	point->true_positive_rate = totals[1] == 0 ? NAN : corner->tp / totals[1];
	point->precision = corner->tp + corner->fp == 0 ? 1 : corner->tp / (corner->tp + corner->fp);
	return true;
}

/* Steps along both axes from the start, 0, to the end, 2 or, of one class, 1. */
static double
position(const MpRankingStep *corner, const double totals[2])
{
	return (totals[0] == 0 ? 0 : corner->fp / totals[0]) +
		(totals[1] == 0 ? 0 : corner->tp / totals[1]);
}

/* Of two neighbors the nearer one to each step up to the second; each once. */
static bool
add_nearest(const MpRankingStep *before, const MpRankingStep *corner, const double totals[2],
			int points, int *given, MpVec *curve)
{
	double		end = (totals[0] > 0) + (totals[1] > 0);
	double		here = position(corner, totals);
	double		there = position(before, totals);

	while (*given < points - 1)
	{
		double		step = end * *given / (points - 1);
		const MpRankingStep *nearest = step - there < here - step ? before : corner;
		const MpRocPoint *latest = mp_vec_at(curve, MpRocPoint,
											 mp_vec_count(curve, MpRocPoint) - 1);

		if (step > here)
			break;
		if (nearest->score != latest->threshold && !add_point(nearest, totals, curve))
			return false;
		++*given;
	}
	return true;
}

static bool
draw(MpRanking *ranking, int points, bool by_recall, MpVec *curve)
{
	Corners		corners;
	MpRankingStep corner;
	MpRankingStep before = {0};
	double		totals[2];
	int64_t		n = 0;
	int			given = 1;

	mp_ranking_totals(ranking, totals);
	if (totals[0] == 0 && totals[1] == 0)
		return true;
	corners_begin(&corners, ranking, by_recall);
	while (corners_next(&corners, &corner))
		n++;
	corners_begin(&corners, ranking, by_recall);
	for (int64_t i = 0; corners_next(&corners, &corner); i++)
	{
		bool		complete;

		if (n <= points || i == 0 || i == n - 1)
			complete = add_point(&corner, totals, curve);
		else
			complete = add_nearest(&before, &corner, totals, points, &given, curve);
		if (!complete)
			return false;
		before = corner;
	}
	return true;
}

bool
mp_roc_curve(MpRanking *ranking, int points, MpVec *curve)
{
	return draw(ranking, points, false, curve);
}

bool
mp_precision_recall_curve(MpRanking *ranking, int points, MpVec *curve)
{
	return draw(ranking, points, true, curve);
}

bool
mp_ranking_is_probability(MpRanking *ranking)
{
	MpRankingWalk walk;
	MpRankingStep step;

	mp_ranking_walk(&walk, ranking);
	while (mp_ranking_next(&walk, &step))
		if (!(step.score >= 0 && step.score <= 1))
			return false;
	return true;
}

bool
mp_calibration_curve(MpRanking *ranking, int bins, MpVec *curve)
{
	MpRankingWalk walk;
	MpRankingStep step;
	MpSum		scores;
	int			bin = -1;
	bool		complete = true;
	bool		more;
	MpCalibrationBin current = {0};

	mp_sum_begin(&scores, ranking->scores[0].alloc);
	mp_ranking_walk(&walk, ranking);
	do
	{
		int			next = -1;

		more = mp_ranking_next(&walk, &step);
		if (more)
			next = mp_equal_bin(step.score, bins);
		if (next != bin && bin >= 0)
		{
			current.mean_score = mp_sum_value(&scores) / current.rows;
			current.rate = current.positives / current.rows;
			complete = mp_metrics_write(curve, &current, sizeof(current));
			mp_sum_end(&scores);
			mp_sum_begin(&scores, ranking->scores[0].alloc);
			memset(&current, 0, sizeof(current));
		}
		if (more)
		{
			double		weight = step.with + step.without;

			bin = next;
			current.bin = bin + 1;
			current.rows += weight;
			current.positives += step.with;
			complete = complete &&
				mp_sum_add_product(&scores, (double[]) {weight, step.score}, 2);
		}
	} while (more && complete);
	mp_sum_end(&scores);
	/* the walk came from the highest; a curve starts at the lowest */
	for (size_t i = 0, n = mp_vec_count(curve, MpCalibrationBin); i < n / 2; i++)
	{
		MpCalibrationBin *bin_at = curve->data;
		MpCalibrationBin other = bin_at[i];

		bin_at[i] = bin_at[n - 1 - i];
		bin_at[n - 1 - i] = other;
	}
	return complete;
}

/* The weight of the rows down to the end of a bucket. */
static double
cut(const MpRanking *ranking, double all, int bucket, int buckets)
{
	int64_t		n = (int64_t) all;

	if (bucket == buckets)
		return all;
	if (ranking->kind == MP_RANKING_WEIGHTED)
		return all * bucket / buckets;
	/* as ntile(): the first buckets take what is left over */
	return (double) (n / buckets * bucket + (bucket < n % buckets ? bucket : n % buckets));
}

static bool
end_bucket(MpGain *gain, const double totals[2], MpVec *gains)
{
	double		all = totals[0] + totals[1];

	if (gain->rows <= 0)
		return true;
	gain->rate = gain->positives / gain->rows;
	gain->lift = totals[1] == 0 ? NAN : gain->rate / (totals[1] / all);
	return mp_metrics_write(gains, gain, sizeof(MpGain));
}

bool
mp_gains(MpRanking *ranking, int buckets, MpVec *gains)
{
	MpRankingWalk walk;
	MpRankingStep step;
	MpGain		gain = {.bucket = 1};
	double		totals[2];
	double		all;
	double		captured = 0;
	double		end;

	mp_ranking_totals(ranking, totals);
	all = totals[0] + totals[1];
	end = cut(ranking, all, 1, buckets);
	mp_ranking_walk(&walk, ranking);
	while (mp_ranking_next(&walk, &step))
	{
		double		weight = step.with + step.without;
		double		before = step.tp + step.fp - weight;
		double		after = step.tp + step.fp;

		while (after > before)
		{
			double		stop = gain.bucket == buckets || after <= end ? after : end;
			double		share = (stop - before) / weight;

			if (gain.rows == 0)
				gain.score_to = step.score;
			gain.score_from = step.score;
			gain.rows += stop - before;
			gain.positives += step.with * share;
			captured = step.tp - step.with * ((after - stop) / weight);
			gain.captured = totals[1] == 0 ? NAN : captured / totals[1];
			before = stop;
			if (stop >= end && gain.bucket < buckets)
			{
				int			next = gain.bucket + 1;

				if (!end_bucket(&gain, totals, gains))
					return false;
				memset(&gain, 0, sizeof(gain));
				gain.bucket = next;
				end = cut(ranking, all, next, buckets);
			}
		}
	}
	return end_bucket(&gain, totals, gains);
}
