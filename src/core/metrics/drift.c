/*
 * drift.c: how far rows are from those of a baseline; see drift.h.
 */
#include "core/metrics/drift.h"
#include "core/metrics/bins.h"

#include <math.h>
#include <string.h>

#define TOO_MUCH_NOISE 0.05
#define MODERATE 0.1
#define SIGNIFICANT 0.25

const char *
mp_verdict_name(MpVerdict verdict)
{
	switch (verdict)
	{
		case MP_DRIFT_NONE:
			return "none";
		case MP_DRIFT_MODERATE:
			return "moderate";
		case MP_DRIFT_SIGNIFICANT:
			return "significant";
		case MP_DRIFT_TOO_FEW:
			return "too few rows";
		case MP_DRIFT_NO_BASELINE:
			return "not in the baseline";
	}
	return "";
}

/* Rows by bin, of both; the bin before the last is what is not listed, the last what is missing. */
typedef struct Bins
{
	double	   *actual;
	double	   *expected;
	uint32_t	n;
} Bins;

static bool
bins_begin(Bins *bins, uint32_t listed, MpAlloc *alloc)
{
	bins->n = listed + 2;
	bins->actual = mp_alloc_zero(alloc, 2 * (size_t) bins->n * sizeof(double));
	bins->expected = bins->actual == NULL ? NULL : bins->actual + bins->n;
	return bins->actual != NULL;
}

/* A histogram with no smaller shift, sorted. */
static MpHistogramBin *
shifted(const MpHistogram *histogram, int shift, uint32_t *n)
{
	MpHistogram copy;
	MpHistogramBin *sorted = NULL;

	mp_histogram_begin(&copy, MP_HISTOGRAM_KEYS, histogram->alloc);
	if (mp_histogram_shift(&copy, shift) && mp_histogram_merge(&copy, histogram))
		sorted = mp_histogram_sorted(&copy);
	*n = copy.n;
	mp_histogram_end(&copy);
	return sorted;
}

static bool
count_numbers(const MpProfileInput *input, const MpProfileInput *baseline, Bins *bins)
{
	MpAlloc    *alloc = baseline->histogram.alloc;
	int			shift = input->histogram.shift > baseline->histogram.shift ?
		input->histogram.shift : baseline->histogram.shift;
	uint32_t	n_actual;
	uint32_t	n_expected;
	MpHistogramBin *actual = shifted(&input->histogram, shift, &n_actual);
	MpHistogramBin *expected = shifted(&baseline->histogram, shift, &n_expected);
	MpBinning	binning;
	MpBinningMaker maker;
	bool		complete = actual != NULL && expected != NULL;

	if (complete)
	{
		mp_binning_begin(&maker, &binning, (double) mp_histogram_total(&baseline->histogram),
						 n_expected);
		for (uint32_t i = 0; i < n_expected; i++)
			mp_binning_add(&maker, expected[i].key, (double) expected[i].count);
		complete = bins_begin(bins, binning.n, alloc);
	}
	for (uint32_t i = 0; complete && i < n_expected; i++)
		bins->expected[mp_binning_find(&binning, expected[i].key)] += expected[i].count;
	for (uint32_t i = 0; complete && i < n_actual; i++)
		bins->actual[mp_binning_find(&binning, actual[i].key)] += actual[i].count;
	mp_alloc_release(alloc, actual);
	mp_alloc_release(alloc, expected);
	return complete;
}

static bool
count_labels(const MpProfileInput *input, const MpProfileInput *baseline, Bins *bins)
{
	MpAlloc    *alloc = baseline->histogram.alloc;
	MpNames		names;
	MpHistogramBin *actual = mp_histogram_sorted(&input->histogram);
	MpHistogramBin *expected = mp_histogram_sorted(&baseline->histogram);
	uint32_t	n_listed = baseline->histogram.n;
	uint32_t	number;
	bool		complete = actual != NULL && expected != NULL && bins_begin(bins, n_listed, alloc);

	mp_names_begin(&names, alloc);
	for (uint32_t i = 0; complete && i < n_listed; i++)
	{
		complete = mp_names_find(&names, mp_names_at(&baseline->labels, expected[i].key), &number);
		if (complete)
			bins->expected[number] += expected[i].count;
	}
	for (uint32_t i = 0; complete && i < input->histogram.n; i++)
	{
		complete = mp_names_find(&names, mp_names_at(&input->labels, actual[i].key), &number);
		if (complete)
			bins->actual[number < n_listed ? number : n_listed] += actual[i].count;
	}
	mp_names_end(&names);
	mp_alloc_release(alloc, actual);
	mp_alloc_release(alloc, expected);
	return complete;
}

static MpVerdict
judge(const MpDrift *drift)
{
	if (isnan(drift->psi) || drift->noise > TOO_MUCH_NOISE)
		return MP_DRIFT_TOO_FEW;
	if (drift->psi < MODERATE)
		return MP_DRIFT_NONE;
	return drift->psi < SIGNIFICANT ? MP_DRIFT_MODERATE : MP_DRIFT_SIGNIFICANT;
}

static double
share(double part, double whole)
{
	return whole == 0 ? NAN : part / whole;
}

bool
mp_drift(const MpProfileInput *input, const MpProfileInput *baseline, MpDrift *drift)
{
	Bins		bins;
	double		rows = (double) mp_profile_total(input);
	double		baseline_rows;
	int			used = 0;
	uint32_t	unlisted;

	memset(drift, 0, sizeof(MpDrift));
	drift->rows = (int64_t) rows;
	drift->missing = share((double) input->missing, rows);
	drift->psi = drift->js_distance = drift->noise = drift->baseline_missing = drift->unseen = NAN;
	drift->verdict = MP_DRIFT_NO_BASELINE;
	if (baseline == NULL || baseline->kind != input->kind)
		return true;
	baseline_rows = (double) mp_profile_total(baseline);
	if (!(input->kind == MP_PROFILE_NUMBER ? count_numbers(input, baseline, &bins) :
		  count_labels(input, baseline, &bins)))
		return false;
	unlisted = bins.n - 2;
	bins.actual[unlisted] += input->unseen + input->truncated;
	bins.expected[unlisted] += baseline->unseen + baseline->truncated;
	bins.actual[bins.n - 1] = input->missing;
	bins.expected[bins.n - 1] = baseline->missing;
	for (uint32_t i = 0; i < bins.n; i++)
		used += bins.actual[i] > 0 || bins.expected[i] > 0;
	drift->psi = mp_psi(bins.actual, bins.expected, bins.n);
	drift->js_distance = mp_js_distance(bins.actual, bins.expected, bins.n);
	drift->noise = rows == 0 || baseline_rows == 0 ? NAN :
		(used - 1) * (1 / rows + 1 / baseline_rows);
	drift->baseline_missing = share((double) baseline->missing, baseline_rows);
	drift->unseen = share(bins.actual[unlisted], rows);
	drift->verdict = judge(drift);
	mp_alloc_release(baseline->histogram.alloc, bins.actual);
	return true;
}
