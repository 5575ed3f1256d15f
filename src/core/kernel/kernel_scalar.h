/*
 * kernel_scalar.h: a whole engine out of ranks and steps: what remains of a
 * kernel when trees are walked one node after the other.
 *
 * Included by an engine after it has defined ENGINE and RANK_IN_BLOCK; PASS, what
 * functions begin with that are better off with registers of their own;
 * SPREAD(ranks, n, first_right, row), which fills the cells of n slots of bytes; and steps:
 *
 *     STEP_8(i, nodes, scale, at, gap, row): from i to 2i, or to 2i + 1 where the node
 *         of bytes says right whose cell is at nodes + scale * i + at, and its bound
 *         `gap` bytes behind it;
 *     STEP_16, STEP_32 and RIGHT_16, RIGHT_32, for nodes that are one number: see
 *         kernel_short.h and kernel_walk.h.
 *
 * A row's cell holds its own number beside its rank, as such nodes do: so they are
 * compared whole, and one load gets both parts.
 */
#include "core/kernel/kernel_rank.h"
#include "core/kernel/kernel_sum.h"
#include "core/kernel/kernel_leaves.h"

#define WALK(name) walk_bytes_##name
#define STEP STEP_16
#define NODE uint16_t
#define DEEP MpByteNode
#define RIGHT RIGHT_16
#define TAIL_VALUES walk_subtree_values
#define TAIL_SUM walk_subtree_sum
#include "core/kernel/kernel_walk.h"

/* As the ranks of byte cells are found, left ones, before SPREAD makes a row of them. */
ENGINE void
put_byte_cell(void *row, uint32_t slot, uint32_t left)
{
	((uint8_t *) row)[slot] = left;
}

ENGINE void
margin_bytes(MpKernel *kernel, const void *x, void *margin)
{
	const uint16_t *tops = kernel->tops;

	rank_row(kernel, x, kernel->ranks, put_byte_cell);
	SPREAD(kernel->ranks, kernel->image->n_slots, mp_byte_right(kernel->image), kernel->row);
	for (uint32_t c = 0; c < kernel->n_chunks; c++)
		tops = walk_bytes_chunk(kernel, c, tops, margin);
}

#define WALK(name) walk_wide_##name
#define NODE uint32_t
#define BLOCK MpWideBlock
#define STEP STEP_32
#include "core/kernel/kernel_short.h"
#define DEEP MpWideNode
#define RIGHT RIGHT_32
#define TAIL_VALUES walk_wide_short_values
#define TAIL_SUM walk_wide_short_sum
#include "core/kernel/kernel_walk.h"
#undef BLOCK

ENGINE void
put_wide_node(void *row, uint32_t slot, uint32_t left)
{
	uint32_t   *cells = row;

	cells[2 * slot] = 2 * slot + (left << 16);
	cells[2 * slot + 1] = 2 * slot + 1 + ((left - 1) << 16);
}

ENGINE void
margin_wide(MpKernel *kernel, const void *x, void *margin)
{
	rank_row(kernel, x, kernel->row, put_wide_node);
	for (uint32_t c = 0; c < kernel->n_chunks; c++)
	{
		const char *tops = (const char *) kernel->image + kernel->chunks[c].tops;

		walk_wide_chunk(kernel, c, (const uint32_t *) tops, margin);
	}
}

ENGINE void
margin_scalar(MpKernel *kernel, const void *x, void *margin)
{
	mp_start_margin(kernel, margin);
	switch ((MpKernelWidth) kernel->image->width)
	{
		case MP_BYTES:
			margin_bytes(kernel, x, margin);
			break;
		case MP_WIDE:
			margin_wide(kernel, x, margin);
			break;
	}
	mp_finish_margin(kernel, margin);
}
