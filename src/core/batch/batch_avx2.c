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

#define WORD_BYTES 32
#define RANK_STEP 8
#define RANK_IN_STEP rank_in_step
#include "core/batch/batch_words.h"

TARGET void
mp_batch_score_avx2(MpBatch *batch, const float *x, size_t n, float *margin)
{
	score(batch, x, n, margin);
}

#endif
