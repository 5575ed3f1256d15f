/*
 * batch_x86.c: batches for any x86-64, with SSE2: 128 rows at once.
 */
#include "core/batch/batch_run.h"

#if defined(MP_KERNEL_X86)

#include "core/kernel/kernel_target_x86.h"

#define WORD __m128i
#define LOAD(address) _mm_loadu_si128((const __m128i *) (address))
#define STORE(address, word) _mm_storeu_si128((__m128i *) (address), word)
#define BYTES(value) _mm_set1_epi8(value)
#define SHIFT_LEFT(word, n) _mm_slli_epi64(word, n)
#define SHIFT_RIGHT(word, n) _mm_srli_epi64(word, n)
#define SELECT(mask, a, b) _mm_xor_si128(b, _mm_and_si128(mask, _mm_xor_si128(a, b)))

/* Bounds are less than 255: greater than one is at least the next. */
PASS void
decide_cell(const uint8_t *column, bool less, const uint8_t *bounds, size_t n, char *planes)
{
	__m128i		ranks[MP_BATCH_ROWS / 16];

	for (int i = 0; i < MP_BATCH_ROWS / 16; i++)
		ranks[i] = _mm_sub_epi8(LOAD(column + 16 * i), BYTES(less));
	for (size_t c = 0; c < n; c++, planes += MP_BATCH_PLANE)
	{
		__m128i		next = BYTES((char) (bounds[c] + 1));

		MP_UNROLL(32)
		for (int i = 0; i < MP_BATCH_ROWS / 16; i++)
		{
			__m128i		right = _mm_cmpeq_epi8(_mm_max_epu8(next, ranks[i]), ranks[i]);
			uint16_t	bits = _mm_movemask_epi8(right);

			memcpy(planes + 2 * i, &bits, sizeof(bits));
		}
	}
}

#define DECIDE decide_cell
#include "core/batch/batch_lookup.h"

void
mp_batch_score_baseline(MpBatch *batch, const float *x, size_t n, float *margin)
{
	score(batch, x, n, margin);
}

#endif
