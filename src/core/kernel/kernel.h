/*
 * kernel.h: fast evaluators of one row, chosen by what the processor has and
 * what the model needs. All give the same bits as mp_eval_margin.
 *
 * A kernel is a flat, position-independent image, like a forest: it can be
 * stored and loaded by a new backend without the forest's trees.
 */
#ifndef MP_CORE_KERNEL_H
#define MP_CORE_KERNEL_H

#include "core/forest/forest.h"

#define MP_KERNEL_FORMAT 7				/* raised at every change of kernel_image.h */

typedef enum MpKernelKind
{
	MP_KERNEL_AUTO,
	MP_KERNEL_REFERENCE,		/* mp_eval_margin; serves every model */
	MP_KERNEL_PORTABLE,
	MP_KERNEL_BASELINE,			/* x86-64 */
	MP_KERNEL_AVX2,				/* the same for rows; blocks of rows have their own code */
	MP_KERNEL_AVX512			/* with BW, DQ, VL, VBMI and VPOPCNTDQ: Ice Lake, Zen 4 */
} MpKernelKind;

typedef struct MpKernel MpKernel;

/*
 * Builds what the kernels need from a checked forest. NULL with MP_OK: the
 * model is outside their shape and mp_eval_margin serves it.
 */
extern void *mp_kernel_compile(MpAlloc *alloc, const MpForest *forest, size_t *size,
							   MpError *error);

/* Whether the image is sound and belongs to the forest with this head. */
extern bool mp_kernel_check(const void *image, size_t size, const MpForest *head, MpError *error);

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
