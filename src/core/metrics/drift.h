/*
 * drift.h: how far rows are from those of a baseline, input by input.
 *
 * The bins are the baseline's: a number's values where it has at most
 * MP_DECILES, else its deciles; a category's labels. What is missing and what
 * the baseline does not list are bins of their own.
 */
#ifndef MP_CORE_DRIFT_H
#define MP_CORE_DRIFT_H

#include "core/metrics/profile.h"

typedef enum MpVerdict
{
	MP_DRIFT_NONE,				/* psi < 0.1 */
	MP_DRIFT_MODERATE,			/* psi < 0.25 */
	MP_DRIFT_SIGNIFICANT,
	MP_DRIFT_TOO_FEW,			/* chance alone may make a psi of 0.05 */
	MP_DRIFT_NO_BASELINE		/* the baseline does not have the input */
} MpVerdict;

typedef struct MpDrift
{
	double		psi;			/* population stability index; NAN: not known */
	double		js_distance;	/* Jensen-Shannon, base 2 */
	double		noise;			/* what psi is expected to be without any change */
	int64_t		rows;
	double		missing;		/* shares of rows */
	double		baseline_missing;
	double		unseen;			/* not in the baseline, or not known to the model */
	MpVerdict	verdict;
} MpDrift;

/* `baseline` is NULL where there is none of the input. False: no memory. */
extern bool mp_drift(const MpProfileInput *input, const MpProfileInput *baseline, MpDrift *drift);

extern const char *mp_verdict_name(MpVerdict verdict);

#endif
