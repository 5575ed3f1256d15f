/*
 * keys.c: sorting keys; see keys.h and, for the algorithm, sort_radix.h.
 */
#include "core/metrics/keys.h"

#define ITEM uint32_t
#define NAME(x) x##32
#define BYTE(item, d) ((item) >> (24 - 8 * (d)) & 0xff)
#define N_BYTES 4
#define LESS(a, b) ((a) < (b))
#include "core/metrics/sort_radix.h"

#define ITEM uint64_t
#define NAME(x) x##64
#define BYTE(item, d) ((item) >> (56 - 8 * (d)) & 0xff)
#define N_BYTES 8
#define LESS(a, b) ((a) < (b))
#include "core/metrics/sort_radix.h"

#define ITEM MpKeyPair
#define NAME(x) x##_pairs
#define BYTE(item, d) \
	(((d) < 8 ? (item).first >> (56 - 8 * (d)) : (item).second >> (120 - 8 * (d))) & 0xff)
#define N_BYTES 16
#define LESS(a, b) ((a).first < (b).first || ((a).first == (b).first && (a).second < (b).second))
#include "core/metrics/sort_radix.h"

#define ITEM MpKeyTriple
#define NAME(x) x##_triples
#define WORD(item, i) ((i) == 0 ? (item).first : (i) == 1 ? (item).second : (item).weight)
#define BYTE(item, d) (WORD(item, (d) / 8) >> (56 - 8 * ((d) % 8)) & 0xff)
#define N_BYTES 24
#define LESS(a, b) \
	((a).first != (b).first ? (a).first < (b).first : \
	 (a).second != (b).second ? (a).second < (b).second : (a).weight < (b).weight)
#include "core/metrics/sort_radix.h"

void
mp_sort_keys32(uint32_t *keys, size_t n, MpAlloc *alloc)
{
	if (n > 0)
		radix32(keys, n, 0, alloc);
}

void
mp_sort_keys64(uint64_t *keys, size_t n, MpAlloc *alloc)
{
	if (n > 0)
		radix64(keys, n, 0, alloc);
}

void
mp_sort_pairs(MpKeyPair *pairs, size_t n, MpAlloc *alloc)
{
	if (n > 0)
		radix_pairs(pairs, n, 0, alloc);
}

void
mp_sort_triples(MpKeyTriple *triples, size_t n, MpAlloc *alloc)
{
	if (n > 0)
		radix_triples(triples, n, 0, alloc);
}
