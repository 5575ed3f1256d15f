/*
 * cpu.c: what the processor can do, asked without CPUID where possible: under
 * a hypervisor that instruction is a trap of some 20 us, and what compilers
 * build in asks ten times over, whenever the library is loaded. The C library
 * has asked when the process began.
 */
#include "core/base/cpu.h"

#include <stdint.h>

#if !defined(__x86_64__) || !defined(__GNUC__)

unsigned
mp_cpu_features(void)
{
	return 0;
}

#elif defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)

#include <sys/platform/x86.h>

/* As CPU_FEATURE_ACTIVE, which shifts a 1 into the sign: 32 features to a register, 4 of those to a leaf. */
#define ACTIVE(name) is_active(x86_cpu_##name)

static unsigned
is_active(unsigned feature)
{
	const struct cpuid_feature *leaf = __x86_get_cpuid_feature_leaf(feature / 128);

	return leaf->active_array[feature / 32 % 4] >> feature % 32 & 1;
}

unsigned
mp_cpu_features(void)
{
	unsigned	features = 0;

	if (ACTIVE(SSE4_2))
		features |= MP_CPU_SSE42;
	if (ACTIVE(AVX2) && ACTIVE(BMI1) && ACTIVE(BMI2) && ACTIVE(POPCNT))
		features |= MP_CPU_AVX2;
	if ((features & MP_CPU_AVX2) && ACTIVE(AVX512F) && ACTIVE(AVX512BW) &&
		ACTIVE(AVX512VL) && ACTIVE(AVX512DQ) && ACTIVE(AVX512_VBMI) &&
		ACTIVE(AVX512_VPOPCNTDQ))
		features |= MP_CPU_AVX512;
	return features;
}

#else

#include <cpuid.h>

/* what of the vector registers the operating system saves */
#define XCR0_AVX 0x06
#define XCR0_AVX512 0xe6

static uint64_t
xgetbv(void)
{
	uint32_t	low;
	uint32_t	high;

	__asm__ volatile ("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
	return (uint64_t) high << 32 | low;
}

unsigned
mp_cpu_features(void)
{
	unsigned	features = 0;
	uint32_t	a;
	uint32_t	b;
	uint32_t	c;
	uint32_t	d;
	uint64_t	saved;

	if (!__get_cpuid(1, &a, &b, &c, &d))
		return 0;
	if (c & bit_SSE4_2)
		features |= MP_CPU_SSE42;
	if (!(c & bit_OSXSAVE) || !(c & bit_POPCNT))
		return features;
	saved = xgetbv();
	if ((saved & XCR0_AVX) != XCR0_AVX || !__get_cpuid_count(7, 0, &a, &b, &c, &d) ||
		!(b & bit_AVX2) || !(b & bit_BMI) || !(b & bit_BMI2))
		return features;
	features |= MP_CPU_AVX2;
	if ((saved & XCR0_AVX512) == XCR0_AVX512 && (b & bit_AVX512F) && (b & bit_AVX512BW) &&
		(b & bit_AVX512VL) && (b & bit_AVX512DQ) && (c & bit_AVX512VBMI) &&
		(c & bit_AVX512VPOPCNTDQ))
		features |= MP_CPU_AVX512;
	return features;
}

#endif
