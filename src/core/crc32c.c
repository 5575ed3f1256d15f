/*
 * crc32c.c: CRC-32C (Castagnoli) of a block: with the processor's instruction
 * where it has one, else eight bytes at a time by tables.
 */
#include "forest.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u	/* reflected */

/*
 * tables[k][b]: the checksum of byte b followed by k zero bytes. They are made
 * anew at each call, which costs as much as 4 KB of data, and so nothing needs
 * to be kept or locked.
 */
static void
make_tables(uint32_t tables[8][256])
{
	for (uint32_t b = 0; b < 256; b++)
	{
		uint32_t	crc = b;

		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
		tables[0][b] = crc;
	}
	for (int k = 1; k < 8; k++)
	{
		for (int b = 0; b < 256; b++)
			tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xff];
	}
}

static uint32_t
crc32c_portable(uint32_t crc, const unsigned char *p, size_t size)
{
	uint32_t	tables[8][256];

	make_tables(tables);
	for (; size >= 8; size -= 8, p += 8)
	{
		crc ^= (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 |
			(uint32_t) p[3] << 24;
		crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^
			tables[5][crc >> 16 & 0xff] ^ tables[4][crc >> 24] ^
			tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
	}
	while (size-- > 0)
		crc = (crc >> 8) ^ tables[0][(crc ^ *p++) & 0xff];
	return crc;
}

#if defined(__x86_64__) && defined(__GNUC__)

#include <nmmintrin.h>

__attribute__((target("sse4.2")))
static uint32_t
crc32c_sse42(uint32_t crc, const unsigned char *p, size_t size)
{
	uint64_t	wide = crc;

	for (; size >= 8; size -= 8, p += 8)
	{
		uint64_t	word;

		memcpy(&word, p, sizeof(word));
		wide = _mm_crc32_u64(wide, word);
	}
	crc = (uint32_t) wide;
	while (size-- > 0)
		crc = _mm_crc32_u8(crc, *p++);
	return crc;
}

#endif

uint32_t
mp_crc32c_portable(uint32_t crc, const void *data, size_t size)
{
	return ~crc32c_portable(~crc, data, size);
}

uint32_t
mp_crc32c(uint32_t crc, const void *data, size_t size)
{
#if defined(__x86_64__) && defined(__GNUC__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_sse42(~crc, data, size);
#endif
	return mp_crc32c_portable(crc, data, size);
}
