/*
 * kernel_target_avx512.h: what functions of engines for AVX-512 begin with, and their ranks.
 */
#include "core/kernel/kernel_run.h"

#include <immintrin.h>

#define TARGET \
	__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vpopcntdq," \
						  "bmi,bmi2,popcnt")))
#define ENGINE MP_ENGINE TARGET
#define PASS MP_PASS TARGET

/* Ones from the rank on, as the floats ascend. */
ENGINE uint32_t
rank_in_block(const float *block, float x)
{
	return _tzcnt_u32(_mm512_cmp_ps_mask(_mm512_set1_ps(x), _mm512_loadu_ps(block), _CMP_NGE_UQ));
}

ENGINE uint32_t
rank_in_double_block(const double *block, double x)
{
	__m512d		v = _mm512_set1_pd(x);
	uint32_t	low = _mm512_cmp_pd_mask(v, _mm512_loadu_pd(block), _CMP_NGE_UQ);
	uint32_t	high = _mm512_cmp_pd_mask(v, _mm512_loadu_pd(block + 8), _CMP_NGE_UQ);

	return _tzcnt_u32(low | high << 8);
}

#define RANK_IN_BLOCK rank_in_block
