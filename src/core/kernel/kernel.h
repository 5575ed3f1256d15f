/*
 * kernel.h: fast evaluators of one row, chosen by what the processor has and
 * what the model needs. All give the same bits as mp_eval_margin.
 *
 * A kernel is a flat, position-independent image, like a forest: it can be
 * stored and loaded by a new backend without the forest's trees.
 */
#ifndef MP_CORE_KERNEL_H
#define MP_CORE_KERNEL_H

#include "core/kernel/kernel_check.h"
#include "core/kernel/kernel_compile.h"
#include "core/kernel/kernel_types.h"

/*
 * A kernel over a checked image, with its scratch; the image (and the forest,
 * for MP_KERNEL_REFERENCE the only one needed) must outlive it. A kind that the
 * processor or the model does not allow falls back to the next one.
 */
extern MpKernel *mp_kernel_open(MpAlloc *alloc, const void *image, const MpForest *forest,
								MpKernelKind kind, MpError *error);

/* Only needed where the allocator does not release everything at once. */
extern void mp_kernel_close(MpKernel *kernel);

/* x[n_features], margin[n_outputs]: floats, or doubles for a double forest */
extern void mp_kernel_margin(MpKernel *kernel, const void *x, void *margin);
extern MpKernelKind mp_kernel_kind(const MpKernel *kernel);
extern const char *mp_kernel_kind_name(MpKernelKind kind);

#endif
