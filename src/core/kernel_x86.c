/*
 * kernel_x86.c: the kernel for any x86-64: four instructions per step (see
 * kernel_step_x86.h), ranks with SSE2, which all of them have.
 */
#include "kernel_run.h"

#if defined(MP_KERNEL_X86)

#include "kernel_step_x86.h"

#include <emmintrin.h>

#define ENGINE MP_ENGINE
#define PASS MP_PASS

/* The answers of 16 comparisons as bits: ones from the rank on, as the floats ascend. */
ENGINE uint32_t
rank_in_block(const float *block, float x)
{
	__m128		v = _mm_set1_ps(x);
	__m128i		a = _mm_castps_si128(_mm_cmpnle_ps(_mm_loadu_ps(block), v));
	__m128i		b = _mm_castps_si128(_mm_cmpnle_ps(_mm_loadu_ps(block + 4), v));
	__m128i		c = _mm_castps_si128(_mm_cmpnle_ps(_mm_loadu_ps(block + 8), v));
	__m128i		d = _mm_castps_si128(_mm_cmpnle_ps(_mm_loadu_ps(block + 12), v));
	__m128i		all = _mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));

	return __builtin_ctz(_mm_movemask_epi8(all));
}

#define RANK_IN_BLOCK rank_in_block
#define SPREAD mp_spread_x86
#define PUT_KEYS mp_put_keys_x86
#include "kernel_scalar.h"

void
mp_margin_baseline(MpKernel *kernel, const float *x, float *margin)
{
	margin_scalar(kernel, x, margin);
}

#endif
