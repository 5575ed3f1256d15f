/*
 * kernel_types.h: what all parts of the kernels share.
 */
#ifndef MP_CORE_KERNEL_TYPES_H
#define MP_CORE_KERNEL_TYPES_H

#define MP_KERNEL_FORMAT 8				/* raised at every change of kernel_image.h */

typedef enum MpKernelKind
{
	MP_KERNEL_AUTO,
	MP_KERNEL_REFERENCE,		/* mp_eval_margin; serves every model */
	MP_KERNEL_PORTABLE,
	MP_KERNEL_BASELINE,			/* x86-64 */
	MP_KERNEL_AVX2,				/* the same for rows; batches have their own code */
	MP_KERNEL_AVX512			/* with BW, DQ, VL, VBMI and VPOPCNTDQ: Ice Lake, Zen 4 */
} MpKernelKind;

typedef struct MpKernel MpKernel;

#endif
