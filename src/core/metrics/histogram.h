/*
 * histogram.h: how often each key occurs, of so many keys at most.
 *
 * Keys of numbers are the order-preserving 32 bits of their float32 (keys.h),
 * shifted right by the smallest number of bits that leaves at most
 * MP_HISTOGRAM_KEYS different ones. That number depends on the set of keys
 * alone: adding and merging in any order ends with the same histogram.
 */
#ifndef MP_CORE_HISTOGRAM_H
#define MP_CORE_HISTOGRAM_H

#include "core/base/base.h"

#define MP_HISTOGRAM_KEYS 1024

typedef struct MpHistogramBin
{
	int64_t		count;			/* 0: a free slot */
	uint32_t	key;
} MpHistogramBin;

typedef struct MpHistogram
{
	MpAlloc    *alloc;
	MpHistogramBin *slots;		/* by hash */
	uint32_t	mask;			/* slots - 1 */
	uint32_t	n;				/* keys */
	uint32_t	limit;			/* of keys, before they are shifted; UINT32_MAX: never */
	int			shift;
} MpHistogram;

extern void mp_histogram_begin(MpHistogram *histogram, uint32_t limit, MpAlloc *alloc);
extern void mp_histogram_end(MpHistogram *histogram);

/* The key is not shifted yet. False: no memory. */
extern bool mp_histogram_add(MpHistogram *histogram, uint32_t key, int64_t count);

/* Shifts all keys so far, if they are not. */
extern bool mp_histogram_shift(MpHistogram *histogram, int shift);
extern bool mp_histogram_merge(MpHistogram *histogram, const MpHistogram *other);
extern int64_t mp_histogram_total(const MpHistogram *histogram);

/* The bins by ascending keys, which are shifted; to be released. NULL: no memory. */
extern MpHistogramBin *mp_histogram_sorted(const MpHistogram *histogram);

#endif
