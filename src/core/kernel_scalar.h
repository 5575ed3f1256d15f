/*
 * kernel_scalar.h: a whole engine out of ranks and steps: what remains of a
 * kernel when trees are walked one node after the other. Included by an engine
 * after it has defined ENGINE and RANK_IN_BLOCK, and STEP_16, RIGHT_16, STEP_32
 * and RIGHT_32 (see kernel_walk.h) for nodes of 16 and 32 bits.
 */
#include "kernel_rank.h"
#include "kernel_sum.h"

#define NODE uint16_t
#define BLOCK MpByteBlock
#define DEEP MpByteNode
#define EXIT uint16_t
#define WALK(name) walk_bytes_##name
#define STEP STEP_16
#define RIGHT RIGHT_16
#include "kernel_walk.h"

#define NODE uint32_t
#define BLOCK MpWideBlock
#define DEEP MpWideNode
#define EXIT uint32_t
#define WALK(name) walk_wide_##name
#define STEP STEP_32
#define RIGHT RIGHT_32
#include "kernel_walk.h"

ENGINE void
put_byte_node(void *row, uint32_t slot, uint32_t left)
{
	uint16_t   *cells = row;
	uint32_t	right = slot + MP_BYTE_SLOTS;

	cells[slot] = slot + (left << 8);
	cells[right] = right + ((left - 1) << 8);
}

ENGINE void
margin_bytes(MpKernel *kernel, const float *x, float *margin)
{
	const uint16_t *tops = kernel->tops;

	rank_row(kernel, x, put_byte_node);
	for (uint32_t c = 0; c < kernel->n_chunks; c++)
	{
		const MpKernelChunk *chunk = &kernel->chunks[c];
		uint32_t   *values = mp_values_of(kernel, c);

		tops = walk_bytes_chunk(kernel, chunk, tops, values);
		mp_add_values(kernel, values, c * MP_CHUNK_TREES, chunk->n_trees, margin);
	}
}

ENGINE void
put_wide_node(void *row, uint32_t slot, uint32_t left)
{
	uint32_t   *cells = row;

	cells[2 * slot] = 2 * slot + (left << 16);
	cells[2 * slot + 1] = 2 * slot + 1 + ((left - 1) << 16);
}

ENGINE void
margin_wide(MpKernel *kernel, const float *x, float *margin)
{
	rank_row(kernel, x, put_wide_node);
	for (uint32_t c = 0; c < kernel->n_chunks; c++)
	{
		const MpKernelChunk *chunk = &kernel->chunks[c];
		const char *tops = (const char *) kernel->image + chunk->tops;
		uint32_t   *values = mp_values_of(kernel, c);

		walk_wide_chunk(kernel, chunk, (const uint32_t *) tops, values);
		mp_add_values(kernel, values, c * MP_CHUNK_TREES, chunk->n_trees, margin);
	}
}

ENGINE void
margin_scalar(MpKernel *kernel, const float *x, float *margin)
{
	mp_start_margin(kernel, margin);
	if (kernel->image->wide)
		margin_wide(kernel, x, margin);
	else
		margin_bytes(kernel, x, margin);
	mp_finish_margin(kernel, margin);
}
