/*
 * murmur3.c: MurmurHash3_x86_32; see murmur3.h.
 */
#include "core/metrics/murmur3.h"

static uint32_t
rotate(uint32_t x, int bits)
{
	return x << bits | x >> (32 - bits);
}

static uint32_t
scramble(uint32_t k)
{
	return rotate(k * UINT32_C(0xcc9e2d51), 15) * UINT32_C(0x1b873593);
}

/* Bytes are taken as little-endian numbers, whatever the machine. */
uint32_t
mp_murmur3(const void *data, size_t size, uint32_t seed)
{
	const unsigned char *bytes = data;
	uint32_t	h = seed;
	uint32_t	rest = 0;

	for (size_t i = 0; i + 4 <= size; i += 4)
	{
		uint32_t	k = bytes[i] | (uint32_t) bytes[i + 1] << 8 |
			(uint32_t) bytes[i + 2] << 16 | (uint32_t) bytes[i + 3] << 24;

		h = rotate(h ^ scramble(k), 13) * 5 + UINT32_C(0xe6546b64);
	}
	for (size_t i = size; i > size / 4 * 4; i--)
		rest = rest << 8 | bytes[i - 1];
	h ^= scramble(rest);
	h ^= (uint32_t) size;
	h = (h ^ h >> 16) * UINT32_C(0x85ebca6b);
	h = (h ^ h >> 13) * UINT32_C(0xc2b2ae35);
	return h ^ h >> 16;
}
