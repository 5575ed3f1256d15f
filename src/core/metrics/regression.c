/*
 * regression.c: measures of predicted numbers; see regression.h.
 */
#include "core/metrics/regression.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define N_SUMS 7

/* All sums, for what is done to each of them. */
static void
list_sums(MpRegression *r, MpSum *sums[N_SUMS])
{
	sums[0] = &r->weight;
	sums[1] = &r->error;
	sums[2] = &r->error_squared;
	sums[3] = &r->error_absolute;
	sums[4] = &r->error_relative;
	sums[5] = &r->actual;
	sums[6] = &r->actual_squared;
}

void
mp_regression_begin(MpRegression *regression, MpAlloc *alloc)
{
	MpSum	   *sums[N_SUMS];

	memset(regression, 0, sizeof(MpRegression));
	list_sums(regression, sums);
	for (int i = 0; i < N_SUMS; i++)
		mp_sum_begin(sums[i], alloc);
}

bool
mp_regression_add(MpRegression *r, double actual, double predicted, double weight)
{
	double		error = predicted - actual;
	double		relative = fabs(error) / fmax(fabs(actual), DBL_EPSILON);

	r->rows++;
	return mp_sum_add(&r->weight, weight) &&
		mp_sum_add_product(&r->error, (double[]) {error, weight}, 2) &&
		mp_sum_add_product(&r->error_squared, (double[]) {error, error, weight}, 3) &&
		mp_sum_add_product(&r->error_absolute, (double[]) {fabs(error), weight}, 2) &&
		mp_sum_add_product(&r->error_relative, (double[]) {relative, weight}, 2) &&
		mp_sum_add_product(&r->actual, (double[]) {actual, weight}, 2) &&
		mp_sum_add_product(&r->actual_squared, (double[]) {actual, actual, weight}, 3);
}

bool
mp_regression_merge(MpRegression *regression, MpRegression *other)
{
	MpSum	   *to[N_SUMS];
	MpSum	   *from[N_SUMS];

	list_sums(regression, to);
	list_sums(other, from);
	regression->rows += other->rows;
	regression->left_out += other->left_out;
	for (int i = 0; i < N_SUMS; i++)
		if (!mp_sum_add_sum(to[i], from[i]))
			return false;
	return true;
}

bool
mp_regression_write(MpRegression *regression, MpVec *out)
{
	MpSum	   *sums[N_SUMS];

	list_sums(regression, sums);
	for (int i = 0; i < N_SUMS; i++)
		if (!mp_sum_write(sums[i], out))
			return false;
	return mp_metrics_write(out, &regression->rows, sizeof(int64_t)) &&
		mp_metrics_write(out, &regression->left_out, sizeof(int64_t));
}

bool
mp_regression_read(MpRegression *regression, MpString *in)
{
	MpSum	   *sums[N_SUMS];

	list_sums(regression, sums);
	for (int i = 0; i < N_SUMS; i++)
		if (!mp_sum_read(sums[i], in))
			return false;
	return mp_metrics_read(in, &regression->rows, sizeof(int64_t)) &&
		mp_metrics_read(in, &regression->left_out, sizeof(int64_t));
}

/* 1 - unexplained / all; where there is nothing to explain, 1 if that was met, else 0 */
static double
explained(double unexplained, double all)
{
	if (all == 0)
		return unexplained == 0 ? 1 : 0;
	return 1 - unexplained / all;
}

bool
mp_regression_measure(MpRegression *r, MpRegressionMeasures *measures)
{
	double		weight = mp_sum_value(&r->weight);
	double		squared = mp_sum_value(&r->error_squared);
	double		variance;
	double		error_variance;

	if (!mp_sum_deviation(&r->weight, &r->actual, &r->actual, &r->actual_squared, &variance) ||
		!mp_sum_deviation(&r->weight, &r->error, &r->error, &r->error_squared, &error_variance))
		return false;

	measures->rmse = sqrt(squared / weight);
	measures->mae = mp_sum_value(&r->error_absolute) / weight;
	measures->mape = mp_sum_value(&r->error_relative) / weight;
	measures->bias = mp_sum_value(&r->error) / weight;
	measures->r2 = r->rows < 2 || weight == 0 ? NAN : explained(squared, variance);
	measures->explained_variance = weight == 0 ? NAN : explained(error_variance, variance);
	return true;
}
