/*
 * kernel_target_avx2.h: what functions of engines for AVX2 begin with, and their ranks.
 */
#include "core/kernel/kernel_run.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define ENGINE MP_ENGINE TARGET
#define PASS MP_PASS TARGET

/* As many ones as the rank says; packed, each float is two bits of the mask. */
ENGINE uint32_t
rank_in_block(const float *block, float x)
{
	__m256		v = _mm256_set1_ps(x);
	__m256		a = _mm256_cmp_ps(v, _mm256_loadu_ps(block), _CMP_GE_OQ);
	__m256		b = _mm256_cmp_ps(v, _mm256_loadu_ps(block + 8), _CMP_GE_OQ);
	__m256i		both = _mm256_packs_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b));

	return (uint32_t) _mm_popcnt_u32(_mm256_movemask_epi8(both)) / 2;
}

/* First in which half of 16 doubles. */
ENGINE uint32_t
rank_in_double_block(const double *block, double x)
{
	uint32_t	first = block[7] <= x ? 8 : 0;
	__m256d		v = _mm256_set1_pd(x);
	__m256d		low = _mm256_cmp_pd(v, _mm256_loadu_pd(block + first), _CMP_GE_OQ);
	__m256d		high = _mm256_cmp_pd(v, _mm256_loadu_pd(block + first + 4), _CMP_GE_OQ);

	return first + _mm_popcnt_u32(_mm256_movemask_pd(low) | _mm256_movemask_pd(high) << 4);
}

#define RANK_IN_BLOCK rank_in_block
