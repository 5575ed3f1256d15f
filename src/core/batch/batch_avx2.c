/*
 * batch_avx2.c: batches for processors with AVX2: 256 rows at once.
 */
#include "core/batch/batch_run.h"

#if defined(MP_KERNEL_X86)

#include "core/kernel/kernel_target_avx2.h"

#define WORD __m256i
#define LOAD(address) _mm256_loadu_si256((const __m256i *) (address))
#define STORE(address, word) _mm256_storeu_si256((__m256i *) (address), word)
#define BYTES(value) _mm256_set1_epi8(value)
#define SHIFT_LEFT(word, n) _mm256_slli_epi64(word, n)
#define SHIFT_RIGHT(word, n) _mm256_srli_epi64(word, n)
#define SELECT(mask, a, b) _mm256_xor_si256(b, _mm256_and_si256(mask, _mm256_xor_si256(a, b)))

/* Bounds are less than 255: greater than one is at least the next. */
PASS void
decide_cell(const uint8_t *column, bool less, const uint8_t *bounds, size_t n, char *planes)
{
	__m256i		ranks[MP_BATCH_ROWS / 32];

	for (int i = 0; i < MP_BATCH_ROWS / 32; i++)
		ranks[i] = _mm256_sub_epi8(LOAD(column + 32 * i), BYTES(less));
	for (size_t c = 0; c < n; c++, planes += MP_BATCH_PLANE)
	{
		__m256i		next = BYTES((char) (bounds[c] + 1));

		MP_UNROLL(16)
		for (int i = 0; i < MP_BATCH_ROWS / 32; i++)
		{
			__m256i		right = _mm256_cmpeq_epi8(_mm256_max_epu8(next, ranks[i]), ranks[i]);
			uint32_t	bits = _mm256_movemask_epi8(right);

			memcpy(planes + 4 * i, &bits, sizeof(bits));
		}
	}
}

#define DECIDE decide_cell
#include "core/batch/batch_lookup.h"

TARGET void
mp_batch_score_avx2(MpBatch *batch, const float *x, size_t n, float *margin)
{
	score(batch, x, n, margin);
}

#endif
