/*
 * agreement.h: two scores of the same rows, such as two versions' scores.
 *
 * Both are kept, in 8 bytes a row while all are float32 values, else in 16;
 * with weights in 24.
 */
#ifndef MP_CORE_AGREEMENT_H
#define MP_CORE_AGREEMENT_H

#include "core/metrics/sum.h"

typedef enum MpAgreementKind
{
	MP_AGREEMENT_FLOATS,		/* uint64_t: both keys, the first one's bits high */
	MP_AGREEMENT_DOUBLES,		/* MpKeyPair */
	MP_AGREEMENT_WEIGHTED		/* MpKeyTriple */
} MpAgreementKind;

typedef struct MpAgreement
{
	MpVec		scores;
	MpAgreementKind kind;
	int64_t		rows;
	int64_t		left_out;		/* counted by the caller */
} MpAgreement;

/* What is not defined (the correlation with a constant) is NAN. */
typedef struct MpAgreementMeasures
{
	double		mean_difference;	/* of b - a */
	double		mean_abs_difference;
	double		max_abs_difference;
	double		correlation;	/* Pearson's */
	double		rank_correlation;	/* Spearman's, of mean ranks */
	double		changed_class;	/* share of rows with just one score above the threshold */
	double		psi;			/* of b, over the deciles of a */
} MpAgreementMeasures;

extern void mp_agreement_begin(MpAgreement *agreement, bool weighted, MpAlloc *alloc);
extern bool mp_agreement_add(MpAgreement *agreement, double a, double b, double weight);
extern bool mp_agreement_merge(MpAgreement *agreement, const MpAgreement *other);
extern bool mp_agreement_write(const MpAgreement *agreement, MpVec *out);
extern bool mp_agreement_read(MpAgreement *agreement, MpString *in);

/* Works on a copy of the scores. */
extern bool mp_agreement_measure(const MpAgreement *agreement, double threshold,
								 MpAgreementMeasures *measures);

#endif
