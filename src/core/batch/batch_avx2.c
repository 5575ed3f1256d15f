/*
 * batch_avx2.c: batches for processors with AVX2: 256 rows at once.
 */
#include "core/kernel/kernel_run.h"

#if defined(MP_KERNEL_X86)

#include "core/kernel/kernel_target_avx2.h"

/* Of 8 floats, ascending, how many are <= x. */
ENGINE uint32_t
rank_in_step(const float *floats, float x)
{
	__m256		less = _mm256_cmp_ps(_mm256_set1_ps(x), _mm256_loadu_ps(floats), _CMP_GE_OQ);

	return _mm_popcnt_u32(_mm256_movemask_ps(less));
}

/* Likewise of 8 doubles. */
ENGINE uint32_t
rank_in_double_step(const double *doubles, double x)
{
	__m256d		v = _mm256_set1_pd(x);
	__m256d		low = _mm256_cmp_pd(v, _mm256_loadu_pd(doubles), _CMP_GE_OQ);
	__m256d		high = _mm256_cmp_pd(v, _mm256_loadu_pd(doubles + 4), _CMP_GE_OQ);

	return _mm_popcnt_u32(_mm256_movemask_pd(low) | _mm256_movemask_pd(high) << 4);
}

#define WORD_BYTES 32
#define STEP_float 8
#define RANK_IN_STEP_float rank_in_step
#define STEP_double 8
#define RANK_IN_STEP_double rank_in_double_step
#include "core/batch/batch_words.h"

TARGET void
mp_batch_score_avx2(MpBatch *batch, const void *x, size_t n, void *margin)
{
	score(batch, x, n, margin);
}

#endif
