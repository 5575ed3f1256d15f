/*
 * unpack.c: rows of floats that stand packed, without their missing values.
 *
 * With AVX-512 sixteen at a time; elsewhere eight, where none of them is
 * missing, else one by one.
 */
#include "core/base/cpu.h"
#include "core/base/unpack.h"

#include <float.h>
#include <math.h>
#include <string.h>

bool
mp_unpack_floats_portable(const float *values, const uint8_t *present, size_t n, float *x)
{
	bool		infinite = false;
	size_t		i = 0;

	if (present == NULL)
	{
		memcpy(x, values, n * sizeof(float));
		i = n;
	}
	while (i < n)
	{
		if (i % 8 == 0 && n - i >= 8 && present[i / 8] == 0xff)
		{
			memcpy(x + i, values, 8 * sizeof(float));
			values += 8;
			i += 8;
			continue;
		}
		x[i] = present[i / 8] >> (i % 8) & 1 ? *values++ : NAN;
		i++;
	}
	for (i = 0; i < n; i++)
		infinite |= fabsf(x[i]) > FLT_MAX;
	return infinite;
}

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

__attribute__((target("avx512f,bmi2,popcnt")))
static bool
unpack_avx512(const float *values, const uint8_t *present, size_t n, float *x)
{
	__mmask16	infinite = 0;

	for (size_t i = 0; i < n; i += 16)
	{
		uint32_t	all = n - i < 16 ? _bzhi_u32(0xffff, (uint32_t) (n - i)) : 0xffff;
		uint32_t	here = all;
		uint32_t	count;
		__m512		v;

		if (present != NULL)
		{
			here = present[i / 8];
			if (n - i > 8)
				here |= (uint32_t) present[i / 8 + 1] << 8;
			here &= all;
		}
		count = _mm_popcnt_u32(here);
		v = _mm512_maskz_loadu_ps(_bzhi_u32(0xffff, count), values);
		v = _mm512_mask_expand_ps(_mm512_set1_ps(NAN), here, v);
		_mm512_mask_storeu_ps(x + i, all, v);
		infinite |= _mm512_cmp_ps_mask(_mm512_abs_ps(v), _mm512_set1_ps(FLT_MAX), _CMP_GT_OQ);
		values += count;
	}
	return infinite != 0;
}

bool
mp_unpack_floats(const float *values, const uint8_t *present, size_t n, float *x)
{
	static bool (*best) (const float *, const uint8_t *, size_t, float *);

	if (best == NULL)
		best = mp_cpu_features() & MP_CPU_AVX512 ? unpack_avx512 : mp_unpack_floats_portable;
	return best(values, present, n, x);
}

#else

bool
mp_unpack_floats(const float *values, const uint8_t *present, size_t n, float *x)
{
	return mp_unpack_floats_portable(values, present, n, x);
}

#endif
