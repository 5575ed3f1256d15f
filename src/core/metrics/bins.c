/*
 * bins.c: numbers in bins; see bins.h.
 */
#include "core/metrics/bins.h"

#include <math.h>

double
mp_equal_edge(int i, int n)
{
	return i == n ? 1 : i * (1.0 / n);
}

int
mp_equal_bin(double x, int n)
{
	int			bin = (int) ceil(x * n) - 1;

	bin = bin < 0 ? 0 : bin > n - 1 ? n - 1 : bin;
	while (bin > 0 && !(mp_equal_edge(bin, n) < x))
		bin--;
	while (bin < n - 1 && mp_equal_edge(bin + 1, n) < x)
		bin++;
	return bin;
}

void
mp_binning_begin(MpBinningMaker *maker, MpBinning *binning, double total, size_t n_keys)
{
	binning->listed = n_keys <= MP_DECILES;
	binning->n = binning->listed ? 0 : 1;
	maker->binning = binning;
	maker->total = total;
	maker->below = (MpTotal) {0, 0};
	maker->left = n_keys;
	maker->tenth = 1;
}

void
mp_binning_add(MpBinningMaker *maker, uint64_t key, double weight)
{
	MpBinning  *binning = maker->binning;
	double		below;

	maker->left--;
	mp_total_add(&maker->below, weight);
	below = mp_total(&maker->below) * MP_DECILES;
	if (binning->listed)
	{
		binning->keys[binning->n++] = key;
		return;
	}
	/* the highest key is no edge: the set has nothing above it */
	if (maker->left == 0 || maker->tenth == MP_DECILES ||
		below < maker->total * maker->tenth)
		return;
	binning->keys[binning->n++ - 1] = key;
	while (maker->tenth < MP_DECILES && below >= maker->total * maker->tenth)
		maker->tenth++;
}

int
mp_binning_find(const MpBinning *binning, uint64_t key)
{
	int			bin = 0;

	if (binning->listed)
	{
		while (bin < binning->n && binning->keys[bin] != key)
			bin++;
		return bin;
	}
	while (bin < binning->n - 1 && binning->keys[bin] < key)
		bin++;
	return bin;
}

static double
total_of(const double *weights, int n)
{
	double		total = 0;

	for (int i = 0; i < n; i++)
		total += weights[i];
	return total;
}

double
mp_psi(const double *actual, const double *expected, int n)
{
	double		actual_total = total_of(actual, n);
	double		expected_total = total_of(expected, n);
	double		psi = 0;

	if (actual_total == 0 || expected_total == 0)
		return NAN;
	for (int i = 0; i < n; i++)
	{
		double		a = actual[i] == 0 ? MP_EMPTY_SHARE : actual[i] / actual_total;
		double		e = expected[i] == 0 ? MP_EMPTY_SHARE : expected[i] / expected_total;

		psi += (a - e) * log(a / e);
	}
	return psi;
}

double
mp_js_distance(const double *actual, const double *expected, int n)
{
	double		actual_total = total_of(actual, n);
	double		expected_total = total_of(expected, n);
	double		divergence = 0;

	if (actual_total == 0 || expected_total == 0)
		return NAN;
	for (int i = 0; i < n; i++)
	{
		double		a = actual[i] / actual_total;
		double		e = expected[i] / expected_total;
		double		mean = (a + e) / 2;

		if (a > 0)
			divergence += a * log2(a / mean) / 2;
		if (e > 0)
			divergence += e * log2(e / mean) / 2;
	}
	return sqrt(fmax(divergence, 0));
}
