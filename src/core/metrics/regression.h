/*
 * regression.h: how far numbers are from what they predict.
 */
#ifndef MP_CORE_REGRESSION_H
#define MP_CORE_REGRESSION_H

#include "core/metrics/sum.h"

/* Sums over rows; an error is predicted - actual. */
typedef struct MpRegression
{
	MpSum		weight;
	MpSum		error;
	MpSum		error_squared;
	MpSum		error_absolute;
	MpSum		error_relative;	/* absolute, divided by the actual number */
	MpSum		actual;
	MpSum		actual_squared;
	int64_t		rows;
	int64_t		left_out;		/* counted by the caller */
} MpRegression;

/* What is not defined is NAN. */
typedef struct MpRegressionMeasures
{
	double		rmse;
	double		mae;
	double		mape;
	double		r2;
	double		bias;			/* the mean of predicted - actual */
	double		explained_variance;
} MpRegressionMeasures;

extern void mp_regression_begin(MpRegression *regression, MpAlloc *alloc);
extern bool mp_regression_add(MpRegression *regression, double actual, double predicted,
							  double weight);
extern bool mp_regression_merge(MpRegression *regression, MpRegression *other);
extern bool mp_regression_write(MpRegression *regression, MpVec *out);
extern bool mp_regression_read(MpRegression *regression, MpString *in);
extern bool mp_regression_measure(MpRegression *regression, MpRegressionMeasures *measures);

#endif
