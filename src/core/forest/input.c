/*
 * input.c: what a library does to a row's numbers before its trees see them.
 */
#include "core/forest/input.h"

#include <float.h>
#include <math.h>

/* LightGBM's kZeroThreshold, a float there too */
#define TINY ((double) 1e-35f)

static double
prepare_number(uint32_t rules, double x)
{
	if (rules & MP_INPUT_ROUND)
		x = (float) x;
	if ((rules & MP_INPUT_TINY_IS_ZERO) && fabs(x) <= TINY)
		x = 0;
	if ((rules & MP_INPUT_CLAMP) && x > DBL_MAX)
		x = DBL_MAX;
	return x;
}

static double
prepare_category(double x)
{
	double		code = trunc(x);

	return code >= 0 && code < MP_MAX_CATEGORY ? code + 0.0 : NAN;
}

void
mp_forest_prepare(const MpForest *forest, double *x)
{
	const MpFeature *features = mp_forest_features(forest);
	uint32_t	numeric = MP_INPUT_ROUND | MP_INPUT_TINY_IS_ZERO | MP_INPUT_CLAMP;
	uint32_t	rules = forest->input;

	/* linear leaves take Infinity as it is */
	if (forest->linear_leaf)
		rules &= ~MP_INPUT_CLAMP;
	if (rules & numeric)
	{
		for (int32_t i = 0; i < forest->n_features; i++)
			x[i] = prepare_number(rules, x[i]);
	}
	if ((rules & ~numeric) == 0)
		return;
	for (int32_t i = 0; i < forest->n_features; i++)
	{
		if ((rules & MP_INPUT_TRUNCATE) && features[i].type == MP_FEATURE_CATEGORICAL)
			x[i] = prepare_category(x[i]);
		else if ((rules & MP_INPUT_ZERO_MISSING) &&
				 features[i].zero_missing == MP_ZERO_ALWAYS && x[i] == 0)
			x[i] = NAN;
	}
}
