/*
 * kernel_x86.c: the kernel for any x86-64: four instructions per step (see
 * kernel_step_x86.h), ranks with SSE2, which all of them have.
 */
#include "kernel_run.h"

#if defined(MP_KERNEL_X86)

#include "kernel_step_x86.h"
#include "kernel_target_x86.h"

#define SPREAD mp_spread_x86
#define PUT_KEYS mp_put_keys_x86
#include "kernel_scalar.h"

void
mp_margin_baseline(MpKernel *kernel, const float *x, float *margin)
{
	margin_scalar(kernel, x, margin);
}

#endif
