/*
 * batch_avx512.c: batches for processors with AVX-512: 512 rows at once, and the
 * leaves of a tree are a table in registers.
 */
#include "core/kernel/kernel_run.h"

#if defined(MP_KERNEL_X86)

#include "core/kernel/kernel_target_avx512.h"

#include "core/batch/batch_run.h"

/* Of 8 doubles, ascending, how many are <= x. */
ENGINE uint32_t
rank_in_step(const double *doubles, double x)
{
	uint32_t	rest = _mm512_cmp_pd_mask(_mm512_set1_pd(x), _mm512_loadu_pd(doubles), _CMP_NGE_UQ);

	return _tzcnt_u32(rest | 256);
}

#define WORD_BYTES 64
#define STEP_float MP_RANK_FANOUT
#define RANK_IN_STEP_float RANK_IN_BLOCK
#define STEP_double 8
#define RANK_IN_STEP_double rank_in_step
#define DIRECT_THRESHOLDS 64
#define LOGIC(a, b, c, table) \
	((Word) _mm512_ternarylogic_epi32((__m512i) (a), (__m512i) (b), (__m512i) (c), table))
#define OR_AND(a, b, c) LOGIC(a, b, c, 0xf8)
#define SELECT(mask, a, b) LOGIC(mask, a, b, 0xca)

/* Leaves of 16 rows, by the lowest byte of their numbers; value_n: out of 2^n. */
ENGINE __m512
value_4(const __m512 *leaves, __m512i numbers)
{
	return _mm512_permutexvar_ps(numbers, leaves[0]);
}

ENGINE __m512
value_5(const __m512 *leaves, __m512i numbers)
{
	return _mm512_permutex2var_ps(leaves[0], numbers, leaves[1]);
}

#define DEFINE_VALUE(n, below) \
	ENGINE __m512 \
	value_##n(const __m512 *leaves, __m512i numbers) \
	{ \
		__mmask16	right = _mm512_test_epi32_mask(numbers, _mm512_set1_epi32(1 << below)); \
		__m512		low = value_##below(leaves, numbers); \
		__m512		high = value_##below(leaves + (1 << below) / 16, numbers); \
		\
		return _mm512_mask_blend_ps(right, low, high); \
	}

DEFINE_VALUE(6, 5)
DEFINE_VALUE(7, 6)
DEFINE_VALUE(8, 7)

#undef DEFINE_VALUE

/*
 * Adds the leaves of a tree that has up to 2^n; byte j of each lane of words[r] is the number
 * of a row's leaf, as `transpose` has them.
 */
#define DEFINE_ADD(n) \
	PASS void \
	add_##n(float *sums, const float *values, const __m512i *words) \
	{ \
		__m512		leaves[(1 << n) / 16]; \
		\
		MP_UNROLL(16) \
		for (uint32_t i = 0; i < (1 << n) / 16; i++) \
			leaves[i] = _mm512_loadu_ps(values + 16 * i); \
		MP_UNROLL(4) \
		for (int j = 0; j < 4; j++) \
		{ \
			for (int r = 0; r < 8; r++, sums += 16) \
				_mm512_storeu_ps(sums, _mm512_add_ps( \
					_mm512_loadu_ps(sums), value_##n(leaves, _mm512_srli_epi32(words[r], 8 * j)))); \
		} \
	}

DEFINE_ADD(4)
DEFINE_ADD(5)
DEFINE_ADD(6)
DEFINE_ADD(7)
DEFINE_ADD(8)

#undef DEFINE_ADD

ENGINE void
add_from_table(float *sums, const float *leaves, uint32_t n, const void *words)
{
	if (n <= 16)
		add_4(sums, leaves, words);
	else if (n <= 32)
		add_5(sums, leaves, words);
	else if (n <= 64)
		add_6(sums, leaves, words);
	else if (n <= 128)
		add_7(sums, leaves, words);
	else
		add_8(sums, leaves, words);
}

#define ADD_BY_BYTES_float add_from_table
#include "core/batch/batch_words.h"

TARGET void
mp_batch_score_avx512(MpBatch *batch, const void *x, size_t n, void *margin)
{
	score(batch, x, n, margin);
}

#endif
