/*
 * kernel_rank_reals.h: the ranks of floats, or of doubles. Included by kernel_rank.h with
 * REAL, RANK(name) and RANK_IN_BLOCK defined.
 */

/* The left cell of a slot, whose search tree has so many levels. */
ENGINE uint32_t
RANK(rank_value) (const MpKernel *kernel, uint32_t slot, int levels, REAL x)
{
	const REAL *thresholds = kernel->thresholds;
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
RANK(code_bits) (const MpKernel *kernel, const MpKernelGroup *group, REAL x)
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
RANK(rank_groups) (const MpKernel *kernel, const REAL *x, void *row, PutFunction put)
{
	for (uint32_t g = 0; g < kernel->n_groups; g++)
	{
		const MpKernelGroup *group = &kernel->groups[g];
		REAL		value = x[group->feature];
		uint32_t	present = value == value;
		const uint8_t *bits = RANK(code_bits) (kernel, group, value);

		for (uint32_t i = 0; i < group->n_tests; i++)
			put(row, group->first_slot + i,
				present + (bits != NULL ? bits[i / 8] >> (i % 8) & 1 : 0));
	}
}

/* All numeric slots whose search trees have so many levels. Returns the end. */
ENGINE uint32_t
RANK(rank_level) (const MpKernel *kernel, const REAL *x, uint32_t slot, int levels, void *row,
		   PutFunction put)
{
	uint32_t	end = slot + kernel->image->level_slots[levels - 1];

	for (; slot < end; slot++)
		put(row, slot, RANK(rank_value) (kernel, slot, levels, x[kernel->slots[slot].feature]));
	return end;
}

ENGINE void
RANK(rank_row) (const MpKernel *kernel, const REAL *x, void *row, PutFunction put)
{
	uint32_t	slot = RANK(rank_level) (kernel, x, 0, 1, row, put);

	slot = RANK(rank_level) (kernel, x, slot, 2, row, put);
	slot = RANK(rank_level) (kernel, x, slot, 3, row, put);
	RANK(rank_level) (kernel, x, slot, 4, row, put);
	RANK(rank_groups) (kernel, x, row, put);
}

#undef REAL
#undef RANK
