/*
 * sum.h: exact sums of doubles, of products and of squares.
 *
 * A sum that is rounded at each step depends on the order of its terms, which
 * a parallel plan does not fix, and loses what cancels. Here it is a long
 * integer, in digits of 32 bits that each stand for a fixed power of two (a
 * superaccumulator), so that nothing is rounded before the end. It holds just
 * the digits between its smallest and its largest term: some ten for numbers of
 * similar size.
 *
 * Functions that add return false where there is no memory.
 */
#ifndef MP_CORE_SUM_H
#define MP_CORE_SUM_H

#include "core/base/base.h"

#include <math.h>

typedef struct MpSum
{
	MpVec		digits;			/* int64: digit i counts 2^(32 (first + i)) */
	int32_t		first;
	uint32_t	pending;		/* additions since carries were passed on */
	bool		is_nan;			/* infinities and NaN, which have no digits */
	bool		has_plus_infinity;
	bool		has_minus_infinity;
} MpSum;

extern void mp_sum_begin(MpSum *sum, MpAlloc *alloc);
extern bool mp_sum_add(MpSum *sum, double x);

/* Adds the product of up to three numbers, unrounded. */
extern bool mp_sum_add_product(MpSum *sum, const double *factors, int n_factors);

/* sum += other, sum -= other */
extern bool mp_sum_add_sum(MpSum *sum, MpSum *other);
extern bool mp_sum_subtract_sum(MpSum *sum, MpSum *other);

/* product = a * b, unrounded; it is a fresh sum. */
extern bool mp_sum_multiply(MpSum *product, MpSum *a, MpSum *b);

/* The double nearest to the sum. */
extern double mp_sum_value(MpSum *sum);

/*
 * The weighted sum of the products of deviations from the means, that is
 * (w * xy - x * y) / w, where w, x, y and xy are the sums of the weights, of
 * weight * x, of weight * y and of weight * x * y; with x = y for a variance.
 * Rounded once or twice, however much cancels.
 */
extern bool mp_sum_deviation(MpSum *w, MpSum *x, MpSum *y, MpSum *xy, double *deviation);

extern void mp_sum_end(MpSum *sum);

/*
 * A sum as it goes, in numbers that come in a fixed order: what is lost in
 * rounding is kept for the end (Neumaier).
 */
typedef struct MpTotal
{
	double		sum;
	double		lost;
} MpTotal;

static inline double
mp_total(const MpTotal *total)
{
	return total->sum + total->lost;
}

static inline void
mp_total_add(MpTotal *total, double x)
{
	double		sum = total->sum + x;

	if (fabs(total->sum) >= fabs(x))
		total->lost += (total->sum - sum) + x;
	else
		total->lost += (x - sum) + total->sum;
	total->sum = sum;
}

/* To bytes and back, for another process of the same machine. */
extern bool mp_sum_write(MpSum *sum, MpVec *out);
extern bool mp_sum_read(MpSum *sum, MpString *in);

/* The same for what has a fixed size; false where the bytes end too early. */
extern bool mp_metrics_write(MpVec *out, const void *data, size_t size);
extern bool mp_metrics_read(MpString *in, void *data, size_t size);

#endif
