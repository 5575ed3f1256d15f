/*
 * kernel_x86.c: the kernel for any x86-64: four instructions per step (see
 * kernel_step_x86.h), ranks with SSE2, which all of them have.
 */
#include "core/kernel/kernel_run.h"

#if defined(MP_KERNEL_X86)

#include "core/kernel/kernel_step_x86.h"
#include "core/kernel/kernel_target_x86.h"

#define SPREAD mp_spread_x86
#include "core/kernel/kernel_scalar.h"

void
mp_margin_baseline(MpKernel *kernel, const void *x, void *margin)
{
	margin_scalar(kernel, x, margin);
}

#endif
