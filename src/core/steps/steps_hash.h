/*
 * steps_hash.h: the hash tables of a program: open addressing with linear
 * probing, at most half full, so that a look-up always comes to an empty place.
 *
 * The hash is fixed, and a document could be made of keys that collide. So a
 * builder that must go past MP_STEPS_MAX_PROBE places takes another seed, and
 * gives up after a few: what is stored is quick, and building it is, too.
 */
#ifndef MP_CORE_STEPS_HASH_H
#define MP_CORE_STEPS_HASH_H

#include "core/base/base.h"

#include <string.h>

#define MP_STEPS_MAX_PROBE 128
#define MP_STEPS_MAX_SEEDS 16

static inline uint64_t
mp_steps_mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

/* Eight bytes at a time; the last ones overlap what was read before, or stand alone. */
static inline uint32_t
mp_steps_hash_text(uint32_t seed, const char *data, size_t length)
{
	uint64_t	h = (seed + length) * UINT64_C(0x9e3779b97f4a7c15);
	uint64_t	word = 0;

	if (length >= 8)
	{
		for (size_t i = 0; i + 8 < length; i += 8)
		{
			memcpy(&word, data + i, 8);
			h = (h ^ word) * UINT64_C(0xd6e8feb86659fd93);
			h ^= h >> 32;
		}
		memcpy(&word, data + length - 8, 8);
	}
	else if (length >= 4)
	{
		uint32_t	low;
		uint32_t	high;

		memcpy(&low, data, 4);
		memcpy(&high, data + length - 4, 4);
		word = (uint64_t) high << 32 | low;
	}
	else if (length > 0)
		word = (uint64_t) (unsigned char) data[0] << 16 |
			(uint64_t) (unsigned char) data[length / 2] << 8 |
			(unsigned char) data[length - 1];
	return (uint32_t) mp_steps_mix(h ^ word);
}

/* Whether two texts of that length are the same; short ones, as labels are, without a call. */
static inline bool
mp_steps_same_text(const char *a, const char *b, size_t length)
{
	uint64_t	x;
	uint64_t	y;

	if (length >= 8)
	{
		for (size_t i = 0; i + 8 < length; i += 8)
		{
			memcpy(&x, a + i, 8);
			memcpy(&y, b + i, 8);
			if (x != y)
				return false;
		}
		memcpy(&x, a + length - 8, 8);
		memcpy(&y, b + length - 8, 8);
		return x == y;
	}
	if (length >= 4)
	{
		uint32_t	low[2];
		uint32_t	high[2];

		memcpy(&low[0], a, 4);
		memcpy(&low[1], b, 4);
		memcpy(&high[0], a + length - 4, 4);
		memcpy(&high[1], b + length - 4, 4);
		return low[0] == low[1] && high[0] == high[1];
	}
	/* these are all of at most three */
	return length == 0 || (a[0] == b[0] && a[length / 2] == b[length / 2] && a[length - 1] == b[length - 1]);
}

/* -0 is 0. */
static inline uint32_t
mp_steps_hash_number(uint32_t seed, double number)
{
	uint64_t	bits;

	number += 0.0;
	memcpy(&bits, &number, 8);
	return (uint32_t) mp_steps_mix(bits ^ (seed + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15));
}

/* Places of a table for n keys: a power of two, at least twice as many. */
static inline uint32_t
mp_steps_table_size(uint32_t n)
{
	uint32_t	size = 2;

	while (size < 2 * n)
		size *= 2;
	return size;
}

#endif
