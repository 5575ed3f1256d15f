/*
 * kernel_portable.c: the kernel in plain C, for processors that no other one
 * is written for.
 */
#include "core/kernel/kernel_target_portable.h"

ENGINE void
spread(const uint8_t *ranks, uint32_t n, uint32_t first_right, uint16_t *row)
{
	for (uint32_t slot = 0; slot < n; slot++)
	{
		uint32_t	right = slot + first_right;

		row[slot] = slot + (ranks[slot] << 8);
		row[right] = right + ((ranks[slot] - 1u) << 8);
	}
}

#define SPREAD spread

#define RIGHT_16(node, row) ((node) < (row)[(uint8_t) (node)])
#define RIGHT_32(node, row) ((node) < (row)[(uint16_t) (node)])
#define STEP_8(i, nodes, scale, at, gap, row) \
	((i) = 2 * (i) + ((nodes)[(scale) * (i) + (at) + (gap)] < \
					  (row)[(nodes)[(scale) * (i) + (at)]] >> 8))
#define STEP_16(i, nodes, first, row) ((i) = 2 * (i) + RIGHT_16((nodes)[(i) + (first)], row))
#define STEP_32(i, nodes, first, row) ((i) = 2 * (i) + RIGHT_32((nodes)[(i) + (first)], row))
#include "core/kernel/kernel_scalar.h"

void
mp_margin_portable(MpKernel *kernel, const void *x, void *margin)
{
	margin_scalar(kernel, x, margin);
}
