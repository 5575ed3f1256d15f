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

#define LANES 4
#define NAN_BITS 0x7fc00000u

typedef float Lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));
typedef int32_t Signs __attribute__((vector_size(LANES * sizeof(float))));

static bool
any_infinite(const float *x, size_t n)
{
	Signs		found = {0};
	bool		infinite = false;
	size_t		i = 0;

	for (; i + LANES <= n; i += LANES)
	{
		Lanes		v = *(const Lanes *) (x + i);

		found |= (v > FLT_MAX) | (v < -FLT_MAX);
	}
	for (; i < n; i++)
		infinite |= fabsf(x[i]) > FLT_MAX;
	for (int lane = 0; lane < LANES; lane++)
		infinite |= found[lane] != 0;
	return infinite;
}

static size_t
count_present(const uint8_t *present, size_t n)
{
	size_t		count = 0;

	for (size_t i = 0; i < n / 8; i++)
		count += (size_t) __builtin_popcount(present[i]);
	return count + (n % 8 == 0 ? 0 : (size_t) __builtin_popcount(present[n / 8] & ((1u << n % 8) - 1)));
}

bool
mp_unpack_floats_portable(const float *values, const uint8_t *present, size_t n, float *x)
{
	size_t		count = present == NULL ? n : count_present(present, n);
	const float *last = values + count - 1;

	if (present == NULL)
		memcpy(x, values, n * sizeof(float));
	for (size_t i = 0; present != NULL && count > 0 && i < n; i += 8)
	{
		uint32_t	bits = present[i / 8];
		size_t		end = n - i < 8 ? n - i : 8;

		if (bits == 0xff && end == 8)
		{
			memcpy(x + i, values, 8 * sizeof(float));
			values += 8;
			continue;
		}

		/* without a branch that depends on what is missing; nothing behind the last value is read */
		for (size_t j = 0; j < end; j++, bits >>= 1)
		{
			uint32_t	here = -(bits & 1);
			uint32_t	value;

			memcpy(&value, values <= last ? values : last, sizeof(value));
			value = (value & here) | (NAN_BITS & ~here);
			memcpy(x + i + j, &value, sizeof(value));
			values += bits & 1;
		}
	}
	for (size_t i = 0; count == 0 && i < n; i++)
		x[i] = NAN;
	return any_infinite(x, n);
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
