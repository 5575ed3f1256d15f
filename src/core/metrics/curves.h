/*
 * curves.h: what is drawn of scores for two classes: ROC and precision-recall
 * curves, calibration, gains. Arrays are of the ranking's MpAlloc; functions
 * return false where there is no memory.
 */
#ifndef MP_CORE_CURVES_H
#define MP_CORE_CURVES_H

#include "core/metrics/ranking.h"

/* A row of score > threshold or more counts as a yes, so that both start at 0. */
typedef struct MpRocPoint
{
	double		threshold;		/* infinite in the first point, where no row counts */
	double		false_positive_rate;	/* NAN without such rows */
	double		true_positive_rate;
	double		precision;		/* 1 in the first point */
} MpRocPoint;

/*
 * The corners of the curve from (0, 0) to (1, 1): as scikit-learn's roc_curve,
 * points in the middle of two equal steps are dropped. Where there are more
 * than `points` corners, those nearest to equal steps along both axes.
 */
extern bool mp_roc_curve(MpRanking *ranking, int points, MpVec *curve);

/*
 * The same of precision over recall: points between which only rows without
 * the outcome were added are dropped.
 */
extern bool mp_precision_recall_curve(MpRanking *ranking, int points, MpVec *curve);

typedef struct MpCalibrationBin
{
	int			bin;			/* from 1; empty ones are not there */
	double		rows;
	double		positives;
	double		mean_score;
	double		rate;
} MpCalibrationBin;

/* Equal bins from 0 to 1; scores must be in that range. */
extern bool mp_calibration_curve(MpRanking *ranking, int bins, MpVec *curve);

/* Whether all scores are from 0 to 1. */
extern bool mp_ranking_is_probability(MpRanking *ranking);

typedef struct MpGain
{
	int			bucket;			/* from 1, of the highest scores, on */
	double		rows;
	double		positives;
	double		rate;
	double		lift;			/* the rate divided by that of all; NAN without positives */
	double		captured;		/* share of all positives down to here; NAN without any */
	double		score_from;		/* lowest score */
	double		score_to;
} MpGain;

/*
 * Buckets of equal weight (without weights: of equal numbers, but for one
 * row), the first of the highest scores. Rows of one score that a cut divides
 * count for both sides by their share.
 */
extern bool mp_gains(MpRanking *ranking, int buckets, MpVec *gains);

#endif
