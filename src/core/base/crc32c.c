/*
 * crc32c.c: CRC-32C (Castagnoli) of a block: with the processor's instruction
 * where it has one, else eight bytes at a time by tables.
 */
#include "core/base/crc32c.h"
#include "core/base/cpu.h"

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

/* Blocks of this size are done in three parts at once: an answer takes three cycles. */
#define LEAST_FOR_THREE 4096

/* a * b modulo the polynomial; the highest bit stands for x^0 */
static uint32_t
multiply(uint32_t a, uint32_t b)
{
	uint32_t	product = 0;

	for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1)
	{
		if (a & bit)
			product ^= b;
		b = (b >> 1) ^ (b & 1 ? POLYNOMIAL : 0);
	}
	return product;
}

/* What a checksum becomes by n zero bytes: times x^(8n). */
static uint32_t
skip_zeros(uint32_t crc, size_t n)
{
	uint32_t	power = 0x80000000u >> 8;

	for (; n != 0; n >>= 1)
	{
		if (n & 1)
			crc = multiply(crc, power);
		power = multiply(power, power);
	}
	return crc;
}

static uint64_t
word_at(const unsigned char *p)
{
	uint64_t	word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Three parts of n bytes, a multiple of 8. */
__attribute__((target("sse4.2")))
static uint32_t
crc32c_three(uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t	a = crc;
	uint64_t	b = 0;
	uint64_t	c = 0;

	for (size_t i = 0; i < n; i += 8)
	{
		a = _mm_crc32_u64(a, word_at(p + i));
		b = _mm_crc32_u64(b, word_at(p + n + i));
		c = _mm_crc32_u64(c, word_at(p + 2 * n + i));
	}
	crc = skip_zeros((uint32_t) a, n) ^ (uint32_t) b;
	return skip_zeros(crc, n) ^ (uint32_t) c;
}

__attribute__((target("sse4.2")))
static uint32_t
crc32c_sse42(uint32_t crc, const unsigned char *p, size_t size)
{
	uint64_t	wide;

	if (size >= LEAST_FOR_THREE)
	{
		size_t		n = size / 24 * 8;

		crc = crc32c_three(crc, p, n);
		p += 3 * n;
		size -= 3 * n;
	}
	wide = crc;
	for (; size >= 8; size -= 8, p += 8)
		wide = _mm_crc32_u64(wide, word_at(p));
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
	if (mp_cpu_features() & MP_CPU_SSE42)
		return ~crc32c_sse42(~crc, data, size);
#endif
	return mp_crc32c_portable(crc, data, size);
}
