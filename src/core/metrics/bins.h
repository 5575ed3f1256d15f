/*
 * bins.h: numbers in bins, and how two distributions over the same bins differ.
 */
#ifndef MP_CORE_BINS_H
#define MP_CORE_BINS_H

#include "core/metrics/sum.h"

/* The bin of a number from 0 to 1 among n equal ones; an edge is in the lower. */
extern int	mp_equal_bin(double x, int n);

/* Where bin i starts, and bin i - 1 ends; as numpy.linspace(0, 1, n + 1)[i]. */
extern double mp_equal_edge(int i, int n);

#define MP_DECILES 10

/*
 * Bins of keys, made from one set of them. Where there are at most MP_DECILES
 * keys each is a bin; other keys are unlisted and share one more, number `n`.
 * Else keys[] are upper edges, where the cumulative share reaches each tenth,
 * without duplicates; an edge is in the bin below it, and the last of the `n`
 * bins has none.
 */
typedef struct MpBinning
{
	bool		listed;
	int			n;
	uint64_t	keys[MP_DECILES];
} MpBinning;

#define MP_BINS_MAX (MP_DECILES + 1)

/* A binning while it is made. */
typedef struct MpBinningMaker
{
	MpBinning  *binning;
	double		total;
	MpTotal		below;			/* weight of the keys given so far */
	size_t		left;			/* keys to come */
	int			tenth;			/* the next one to reach */
} MpBinningMaker;

/* Then each key is given once, in ascending order, with its weight. */
extern void mp_binning_begin(MpBinningMaker *maker, MpBinning *binning, double total,
							 size_t n_keys);
extern void mp_binning_add(MpBinningMaker *maker, uint64_t key, double weight);
extern int	mp_binning_find(const MpBinning *binning, uint64_t key);	/* 0 to n */

/* What a share of 0 counts as in a PSI. */
#define MP_EMPTY_SHARE 0.0001

/*
 * The population stability index of two sets of weights over the same bins,
 * and the Jensen-Shannon distance, base 2. NAN where one has no weight.
 */
extern double mp_psi(const double *actual, const double *expected, int n);
extern double mp_js_distance(const double *actual, const double *expected, int n);

#endif
