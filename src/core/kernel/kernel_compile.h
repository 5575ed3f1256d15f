/*
 * kernel_compile.h: from a forest to a kernel image.
 */
#ifndef MP_CORE_KERNEL_COMPILE_H
#define MP_CORE_KERNEL_COMPILE_H

#include "core/forest/forest.h"

/*
 * Builds what the kernels need from a checked forest. NULL with MP_OK: the
 * model is outside their shape and mp_eval_margin serves it.
 */
extern void *mp_kernel_compile(MpAlloc *alloc, const MpForest *forest, size_t *size,
							   MpError *error);

#define MP_ANY_WIDTH (-1)

/* The same, for tests: of one MpKernelWidth, whatever is best; NULL: it does not fit. */
extern void *mp_kernel_compile_as(MpAlloc *alloc, const MpForest *forest, int width,
								  size_t *size, MpError *error);

#endif
