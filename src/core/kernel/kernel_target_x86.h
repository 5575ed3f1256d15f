/*
 * kernel_target_x86.h: what functions of engines for any x86-64 begin with, and their ranks.
 */
#include "core/kernel/kernel_run.h"

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

/* First in which half of 16 doubles, then likewise; two bits each. */
ENGINE uint32_t
rank_in_double_block(const double *block, double x)
{
	uint32_t	first = block[7] <= x ? 8 : 0;
	const double *half = block + first;
	__m128d		v = _mm_set1_pd(x);
	__m128i		a = _mm_castpd_si128(_mm_cmpnle_pd(_mm_loadu_pd(half), v));
	__m128i		b = _mm_castpd_si128(_mm_cmpnle_pd(_mm_loadu_pd(half + 2), v));
	__m128i		c = _mm_castpd_si128(_mm_cmpnle_pd(_mm_loadu_pd(half + 4), v));
	__m128i		d = _mm_castpd_si128(_mm_cmpnle_pd(_mm_loadu_pd(half + 6), v));
	__m128i		all = _mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));

	return first + __builtin_ctz(_mm_movemask_epi8(all)) / 2;
}

#define RANK_IN_BLOCK rank_in_block
