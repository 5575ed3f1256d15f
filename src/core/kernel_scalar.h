/*
 * kernel_scalar.h: a whole engine out of ranks and steps: what remains of a
 * kernel when trees are walked one node after the other. Included by an engine
 * after it has defined ENGINE and RANK_IN_BLOCK, and STEP_n and RIGHT_n (see
 * kernel_walk.h) for nodes of 16, 32 and 64 bits; SPREAD(ranks, n, row), which
 * fills both cells of n slots of bytes; PUT_KEYS(slots, n, x, row), which fills
 * those of n slots of keys; and PASS, what functions begin with that are better
 * off with registers of their own.
 */
#include "kernel_rank.h"
#include "kernel_sum.h"

#define NODE uint16_t
#define BLOCK MpByteBlock
#define DEEP MpByteNode
#define WALK(name) walk_bytes_##name
#define STEP STEP_16
#define RIGHT RIGHT_16
#include "kernel_walk.h"

#define NODE uint32_t
#define BLOCK MpWideBlock
#define DEEP MpWideNode
#define WALK(name) walk_wide_##name
#define STEP STEP_32
#define RIGHT RIGHT_32
#include "kernel_walk.h"

/* As the ranks of byte cells are found, left ones, before SPREAD makes nodes of them. */
ENGINE void
put_byte_cell(void *row, uint32_t slot, uint32_t left)
{
	((uint8_t *) row)[slot] = left;
}

ENGINE void
margin_bytes(MpKernel *kernel, const float *x, float *margin)
{
	const uint16_t *tops = kernel->tops;

	rank_row(kernel, x, kernel->ranks, put_byte_cell);
	SPREAD(kernel->ranks, kernel->image->n_slots, kernel->row);
	for (uint32_t c = 0; c < kernel->n_chunks; c++)
		tops = walk_bytes_chunk(kernel, c, tops, margin);
}

#define NODE uint64_t
#define BLOCK MpKeyBlock
#define DEEP MpKeyNode
#define WALK(name) walk_keys_##name
#define STEP STEP_64
#define RIGHT RIGHT_64
#include "kernel_walk.h"

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
	rank_row(kernel, x, kernel->row, put_wide_node);
	for (uint32_t c = 0; c < kernel->n_chunks; c++)
	{
		const char *tops = (const char *) kernel->image + kernel->chunks[c].tops;

		walk_wide_chunk(kernel, c, (const uint32_t *) tops, margin);
	}
}

ENGINE void
margin_keys(MpKernel *kernel, const float *x, float *margin)
{
	PUT_KEYS(kernel->slots, kernel->image->n_numeric, x, kernel->row);
	rank_groups(kernel, x, kernel->row, mp_put_key_node);
	for (uint32_t c = 0; c < kernel->n_chunks; c++)
	{
		const char *tops = (const char *) kernel->image + kernel->chunks[c].tops;

		walk_keys_chunk(kernel, c, (const uint64_t *) tops, margin);
	}
}

ENGINE void
margin_scalar(MpKernel *kernel, const float *x, float *margin)
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
		case MP_KEYS:
			margin_keys(kernel, x, margin);
			break;
	}
	mp_finish_margin(kernel, margin);
}
