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

#define RANK_IN_BLOCK rank_in_block
