/*
 * binary.h: how well scores tell rows with an outcome from those without.
 *
 * The answers are scikit-learn's, of its newest release where releases differ.
 * A measure that is not defined (roc_auc of one class, log_loss of scores that
 * are no probabilities) is NAN.
 */
#ifndef MP_CORE_BINARY_H
#define MP_CORE_BINARY_H

#include "core/metrics/ranking.h"

/* Counts, or sums of weights, at a threshold. */
typedef struct MpConfusion
{
	double		tp;
	double		fp;
	double		tn;
	double		fn;
} MpConfusion;

typedef struct MpBinaryMeasures
{
	double		positives;
	double		roc_auc;
	double		average_precision;
	double		ks;				/* the largest true positive rate less false positive rate */
	double		log_loss;
	double		brier_score;
	double		ece;			/* expected calibration error, of 10 bins */
	MpConfusion confusion;		/* a score above the threshold is a yes */
} MpBinaryMeasures;

/* These, and what is computed of both and more; false: no memory. */
extern bool mp_roc_auc(MpRanking *ranking, double *auc);
extern bool mp_average_precision(MpRanking *ranking, double *precision);
extern bool mp_binary_measure(MpRanking *ranking, double threshold, MpBinaryMeasures *measures);

extern double mp_confusion_accuracy(const MpConfusion *c);
extern double mp_confusion_balanced_accuracy(const MpConfusion *c);
extern double mp_confusion_precision(const MpConfusion *c);
extern double mp_confusion_recall(const MpConfusion *c);
extern double mp_confusion_specificity(const MpConfusion *c);
extern double mp_confusion_f1(const MpConfusion *c);
extern double mp_confusion_mcc(const MpConfusion *c);

/*
 * What a row adds to the log loss of its outcome. In single precision a score
 * is clipped where float32 ends, 1 - score is rounded to float32, and only the
 * logarithm is taken in double: what Python gets for XGBoost's scores.
 */
extern double mp_log_loss_of(double score, bool outcome, bool single);

/* Sums for log_loss and brier_score, which need no sorting. */
typedef struct MpLosses
{
	MpSum		weight;
	MpSum		log_loss_single;
	MpSum		log_loss_double;
	MpSum		squares;
	bool		all_floats;
	int64_t		rows;
} MpLosses;

extern void mp_losses_begin(MpLosses *losses, MpAlloc *alloc);
extern bool mp_losses_add(MpLosses *losses, bool outcome, double score, double weight);
extern bool mp_losses_merge(MpLosses *losses, MpLosses *other);
extern bool mp_losses_write(MpLosses *losses, MpVec *out);
extern bool mp_losses_read(MpLosses *losses, MpString *in);
extern double mp_losses_log_loss(MpLosses *losses);
extern double mp_losses_brier_score(MpLosses *losses);

#endif
