/*
 * batch_portable.c: batches in plain C, for processors that no other engine is
 * written for.
 */
#include "core/kernel/kernel_target_portable.h"
#include "core/batch/batch_run.h"

#define WORD uint64_t
#define BYTES(value) ((value) * UINT64_C(0x0101010101010101))
#define SHIFT_LEFT(word, n) ((word) << (n))
#define SHIFT_RIGHT(word, n) ((word) >> (n))

ENGINE uint64_t
load(const void *address)
{
	uint64_t	word;

	memcpy(&word, address, sizeof(word));
	return word;
}

ENGINE void
store(void *address, uint64_t word)
{
	memcpy(address, &word, sizeof(word));
}

ENGINE uint64_t
select(uint64_t mask, uint64_t a, uint64_t b)
{
	return b ^ (mask & (a ^ b));
}

/* 8 bytes of a column, the first one lowest. */
ENGINE uint64_t
load_ranks(const uint8_t *column)
{
	uint64_t	word = 0;

	for (int i = 0; i < 8; i++)
		word |= (uint64_t) column[i] << (8 * i);
	return word;
}

/* of bytes */
ENGINE uint64_t
less_one(uint64_t word)
{
	uint64_t	high = BYTES(0x80);

	return ((word | high) - BYTES(1)) ^ (~word & high);
}

/* The bits of 8 comparisons of bytes: a > b. */
ENGINE uint64_t
greater(uint64_t a, uint64_t b)
{
	uint64_t	high = BYTES(0x80);
	uint64_t	low_bits = (b | high) - (a & ~high);
	uint64_t	not_greater = (b & ~a) | (~(a ^ b) & low_bits);

	/* the product brings bit 8i to bit 56 + i */
	return ((~not_greater & high) >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

PASS void
decide_cell(const uint8_t *column, bool less, const uint8_t *bounds, size_t n, char *planes)
{
	uint64_t	ranks[MP_BATCH_ROWS / 8];

	for (int i = 0; i < MP_BATCH_ROWS / 8; i++)
	{
		ranks[i] = load_ranks(column + 8 * i);
		ranks[i] = less ? less_one(ranks[i]) : ranks[i];
	}
	for (size_t c = 0; c < n; c++)
	{
		uint64_t	bound = BYTES(bounds[c]);

		for (int i = 0; i < MP_BATCH_ROWS / 8; i += 8, planes += sizeof(uint64_t))
		{
			uint64_t	plane = 0;

			MP_UNROLL(8)
			for (int j = 0; j < 8; j++)
				plane |= greater(ranks[i + j], bound) << (8 * j);
			store(planes, plane);
		}
	}
}

/* On a processor that has the highest byte first, the last byte of a word is the lowest. */
ENGINE void
store_bytes(void *address, uint64_t word)
{
	uint8_t    *bytes = address;

	for (int i = 0; i < 8; i++)
		bytes[i] = word >> (8 * i);
}

#define LOAD load
#define STORE store_bytes
#define SELECT select
#define DECIDE decide_cell
#include "core/batch/batch_lookup.h"

void
mp_batch_score_portable(MpBatch *batch, const float *x, size_t n, float *margin)
{
	score(batch, x, n, margin);
}
