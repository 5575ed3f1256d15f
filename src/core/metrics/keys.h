/*
 * keys.h: floats as unsigned integers of the same order, and sorting them.
 *
 * -0 becomes 0; NaN must not come here.
 */
#ifndef MP_CORE_KEYS_H
#define MP_CORE_KEYS_H

#include "core/base/base.h"

#include <string.h>

static inline uint32_t
mp_key_of_float(float x)
{
	uint32_t	bits;

	x += 0.0f;
	memcpy(&bits, &x, sizeof(bits));
	return bits ^ (bits >> 31 ? UINT32_MAX : UINT32_C(1) << 31);
}

static inline float
mp_float_of_key(uint32_t key)
{
	float		x;

	key ^= key >> 31 ? UINT32_C(1) << 31 : UINT32_MAX;
	memcpy(&x, &key, sizeof(x));
	return x;
}

static inline uint64_t
mp_key_of_double(double x)
{
	uint64_t	bits;

	x += 0.0;
	memcpy(&bits, &x, sizeof(bits));
	return bits ^ (bits >> 63 ? UINT64_MAX : UINT64_C(1) << 63);
}

static inline double
mp_double_of_key(uint64_t key)
{
	double		x;

	key ^= key >> 63 ? UINT64_C(1) << 63 : UINT64_MAX;
	memcpy(&x, &key, sizeof(x));
	return x;
}

/* Two numbers of a row, such as its score and its weight. */
typedef struct MpKeyPair
{
	uint64_t	first;
	uint64_t	second;
} MpKeyPair;

/* Two numbers of a row, and its weight. */
typedef struct MpKeyTriple
{
	uint64_t	first;
	uint64_t	second;
	uint64_t	weight;
} MpKeyTriple;

/*
 * Sort in place, ascending, by radix. Pairs and triples are ordered by all numbers, so
 * that equal sets give equal arrays. `alloc` is only polled.
 */
extern void mp_sort_keys32(uint32_t *keys, size_t n, MpAlloc *alloc);
extern void mp_sort_keys64(uint64_t *keys, size_t n, MpAlloc *alloc);
extern void mp_sort_pairs(MpKeyPair *pairs, size_t n, MpAlloc *alloc);
extern void mp_sort_triples(MpKeyTriple *triples, size_t n, MpAlloc *alloc);

#endif
