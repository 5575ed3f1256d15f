/*
 * kernel_portable.c: the kernel in plain C, for processors that no other one
 * is written for.
 */
#include "kernel_run.h"

#define ENGINE MP_ENGINE

/* Binary search; the last of the 16 is never <= x. */
ENGINE uint32_t
rank_in_block(const float *block, float x)
{
	uint32_t	rank = block[7] <= x ? 8 : 0;

	rank += block[rank + 3] <= x ? 4 : 0;
	rank += block[rank + 1] <= x ? 2 : 0;
	rank += block[rank] <= x ? 1 : 0;
	return rank;
}

#define RANK_IN_BLOCK rank_in_block

#define RIGHT_16(node, row) ((node) < (row)[(uint8_t) (node)])
#define RIGHT_32(node, row) ((node) < (row)[(uint16_t) (node)])
#define STEP_16(i, nodes, row) ((i) = 2 * (i) + RIGHT_16((nodes)[i], row))
#define STEP_32(i, nodes, row) ((i) = 2 * (i) + RIGHT_32((nodes)[i], row))
#include "kernel_scalar.h"

void
mp_margin_portable(MpKernel *kernel, const float *x, float *margin)
{
	margin_scalar(kernel, x, margin);
}
