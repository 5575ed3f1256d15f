/*
 * histogram.c: how often each key occurs; see histogram.h.
 */
#include "core/metrics/histogram.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

void
mp_histogram_begin(MpHistogram *histogram, uint32_t limit, MpAlloc *alloc)
{
	memset(histogram, 0, sizeof(MpHistogram));
	histogram->alloc = alloc;
	histogram->limit = limit;
}

void
mp_histogram_end(MpHistogram *histogram)
{
	mp_alloc_release(histogram->alloc, histogram->slots);
	histogram->slots = NULL;
	histogram->n = 0;
}

/* Where the key is, or the free slot where it would be. */
static MpHistogramBin *
find(MpHistogramBin *slots, uint32_t mask, uint32_t key)
{
	uint32_t	hash = key * UINT32_C(0x9e3779b1);
	uint32_t	slot = (hash ^ hash >> 16) & mask;

	while (slots[slot].count != 0 && slots[slot].key != key)
		slot = (slot + 1) & mask;
	return &slots[slot];
}

/* Into so many new slots, with keys shifted by so many bits more. */
static bool
rebuild(MpHistogram *histogram, uint32_t n_slots, int shift)
{
	MpHistogramBin *slots = mp_alloc_zero(histogram->alloc, n_slots * sizeof(MpHistogramBin));
	uint32_t	n = 0;

	if (slots == NULL)
		return false;
	for (uint32_t i = 0; histogram->slots != NULL && i <= histogram->mask; i++)
	{
		const MpHistogramBin *from = &histogram->slots[i];
		MpHistogramBin *to;

		if (from->count == 0)
			continue;
		to = find(slots, n_slots - 1, from->key >> shift);
		n += to->count == 0;
		to->key = from->key >> shift;
		to->count += from->count;
	}
	mp_alloc_release(histogram->alloc, histogram->slots);
	histogram->slots = slots;
	histogram->mask = n_slots - 1;
	histogram->n = n;
	histogram->shift += shift;
	return true;
}

bool
mp_histogram_shift(MpHistogram *histogram, int shift)
{
	if (shift <= histogram->shift)
		return true;
	return rebuild(histogram, histogram->slots == NULL ? FIRST_SLOTS : histogram->mask + 1,
				   shift - histogram->shift);
}

bool
mp_histogram_add(MpHistogram *histogram, uint32_t key, int64_t count)
{
	MpHistogramBin *bin;

	if (histogram->slots == NULL && !rebuild(histogram, FIRST_SLOTS, 0))
		return false;
	bin = find(histogram->slots, histogram->mask, key >> histogram->shift);
	while (bin->count == 0 && histogram->n >= histogram->limit)
	{
		if (!rebuild(histogram, histogram->mask + 1, 1))
			return false;
		bin = find(histogram->slots, histogram->mask, key >> histogram->shift);
	}
	if (bin->count == 0)
	{
		bin->key = key >> histogram->shift;
		histogram->n++;
	}
	bin->count += count;
	return histogram->n * 2 <= histogram->mask || rebuild(histogram, (histogram->mask + 1) * 2, 0);
}

bool
mp_histogram_merge(MpHistogram *histogram, const MpHistogram *other)
{
	if (!mp_histogram_shift(histogram, other->shift))
		return false;
	for (uint32_t i = 0; other->slots != NULL && i <= other->mask; i++)
	{
		const MpHistogramBin *bin = &other->slots[i];

		if (bin->count != 0 &&
			!mp_histogram_add(histogram, bin->key << other->shift, bin->count))
			return false;
	}
	return true;
}

int64_t
mp_histogram_total(const MpHistogram *histogram)
{
	int64_t		total = 0;

	for (uint32_t i = 0; histogram->slots != NULL && i <= histogram->mask; i++)
		total += histogram->slots[i].count;
	return total;
}

static int
compare_bins(const void *a, const void *b)
{
	uint32_t	x = ((const MpHistogramBin *) a)->key;
	uint32_t	y = ((const MpHistogramBin *) b)->key;

	return (x > y) - (x < y);
}

MpHistogramBin *
mp_histogram_sorted(const MpHistogram *histogram)
{
	MpHistogramBin *bins = mp_alloc_get(histogram->alloc,
										(histogram->n + 1) * sizeof(MpHistogramBin));
	uint32_t	n = 0;

	if (bins == NULL)
		return NULL;
	for (uint32_t i = 0; histogram->slots != NULL && i <= histogram->mask; i++)
		if (histogram->slots[i].count != 0)
			bins[n++] = histogram->slots[i];
	qsort(bins, n, sizeof(MpHistogramBin), compare_bins);
	return bins;
}
