/*
 * kernel_rank.h: from a row of floats to a row of cells.
 *
 * Included by each engine after it has defined RANK_IN_BLOCK(block, x): how many
 * of the 16 floats, ascending, are <= x; never all of them. ENGINE is what
 * functions begin with: static inline, and the target where instructions need one.
 * `put` writes what becomes of a slot's left cell to the row.
 */
#include "core/kernel/kernel_run.h"

typedef void (*PutFunction) (void *row, uint32_t slot, uint32_t left);

/* The left cell of a slot, whose search tree has so many levels. */
ENGINE uint32_t
rank_value(const MpKernel *kernel, uint32_t slot, int levels, float x)
{
	const float *thresholds = kernel->thresholds;
	const uint32_t *first = kernel->slots[slot].first;
	size_t		rank = RANK_IN_BLOCK(thresholds + (size_t) slot * MP_RANK_FANOUT, x);

	MP_UNROLL(3)
	for (int level = 1; level < levels; level++)
	{
		size_t		block = first[level - 1] + rank;

		rank = rank * MP_RANK_FANOUT + RANK_IN_BLOCK(thresholds + block * MP_RANK_FANOUT, x);
	}
	return rank;
}

/* The row of bits of a feature's value, NULL: it is in no set. */
ENGINE const uint8_t *
code_bits(const MpKernel *kernel, const MpKernelGroup *group, float x)
{
	const uint32_t *codes = kernel->codes + group->codes;
	const uint8_t *bits = (const uint8_t *) (kernel->codes + group->bits);
	uint32_t	code;
	uint32_t	low = 0;

	if (!(x >= 0 && x < MP_MAX_CATEGORY))
		return NULL;
	code = (uint32_t) x;
	if (!group->listed)
		return code < group->n_codes ? bits + (size_t) code * group->row_bytes : NULL;

	for (uint32_t high = group->n_codes; low < high;)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (codes[middle] < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < group->n_codes && codes[low] == code
		? bits + (size_t) low * group->row_bytes : NULL;
}

ENGINE void
rank_groups(const MpKernel *kernel, const float *x, void *row, PutFunction put)
{
	for (uint32_t g = 0; g < kernel->n_groups; g++)
	{
		const MpKernelGroup *group = &kernel->groups[g];
		float		value = x[group->feature];
		uint32_t	present = value == value;
		const uint8_t *bits = code_bits(kernel, group, value);

		for (uint32_t i = 0; i < group->n_tests; i++)
			put(row, group->first_slot + i,
				present + (bits != NULL ? bits[i / 8] >> (i % 8) & 1 : 0));
	}
}

/* All numeric slots whose search trees have so many levels. Returns the end. */
ENGINE uint32_t
rank_level(const MpKernel *kernel, const float *x, uint32_t slot, int levels, void *row,
		   PutFunction put)
{
	uint32_t	end = slot + kernel->image->level_slots[levels - 1];

	for (; slot < end; slot++)
		put(row, slot, rank_value(kernel, slot, levels, x[kernel->slots[slot].feature]));
	return end;
}

ENGINE void
rank_row(const MpKernel *kernel, const float *x, void *row, PutFunction put)
{
	uint32_t	slot = rank_level(kernel, x, 0, 1, row, put);

	slot = rank_level(kernel, x, slot, 2, row, put);
	slot = rank_level(kernel, x, slot, 3, row, put);
	rank_level(kernel, x, slot, 4, row, put);
	rank_groups(kernel, x, row, put);
}
