/*
 * kernel_avx2.c: the kernel for processors with AVX2: ranks with 8 comparisons
 * at once. Trees are walked as on any x86-64: deciding all nodes of a top at once
 * takes a byte permute over the whole row, which only AVX-512 has, and gathers
 * are no faster than the loads that they stand for.
 */
#include "core/kernel/kernel_run.h"

#if defined(MP_KERNEL_X86)

#include "core/kernel/kernel_step_x86.h"
#include "core/kernel/kernel_target_avx2.h"

#define SPREAD mp_spread_x86
#define PUT_KEYS mp_put_keys_x86
#include "core/kernel/kernel_scalar.h"

TARGET void
mp_margin_avx2(MpKernel *kernel, const float *x, float *margin)
{
	margin_scalar(kernel, x, margin);
}

#endif
