/*
 * kernel_leaves.h: from the ways out of tops to the leaves, where that is the same
 * for all widths, or for bytes alone. Included by kernel_scalar.h, with ENGINE, PASS
 * and STEP_8 defined.
 */

/*
 * What a tree adds: kept for later, or, where all trees add to one output, added
 * at once.
 */
#define DELIVER(value) \
	do { \
		if (values != NULL) \
			values[t] = (value); \
		else \
			sum += mp_float_of(value); \
	} while (0)

/* Flat trees. Returns the sum, if values is NULL. */
ENGINE float
walk_flat_leaves(const uint32_t *leaves, size_t n_trees, int levels, const uint8_t *outs,
				 uint32_t *values, float sum)
{
	for (size_t t = 0; t < n_trees; t++)
		DELIVER(leaves[(t << levels) + outs[t]]);
	return sum;
}

PASS void
walk_flat_values(const uint32_t *leaves, size_t n_trees, int levels, const uint8_t *outs,
				 uint32_t *values)
{
	walk_flat_leaves(leaves, n_trees, levels, outs, values, 0);
}

PASS float
walk_flat_sum(const uint32_t *leaves, size_t n_trees, int levels, const uint8_t *outs, float sum)
{
	return walk_flat_leaves(leaves, n_trees, levels, outs, NULL, sum);
}

/* Trees with tips, likewise. */
ENGINE float
walk_tip_1_leaves(const MpTip1 *tips, size_t n_trees, const uint16_t *row, const uint8_t *outs,
				  uint32_t *values, float sum)
{
	for (size_t t = 0; t < n_trees; t++, tips += 1 << MP_BYTE_TOP_LEVELS)
	{
		const MpTip1 *tip = &tips[outs[t]];
		const uint8_t *nodes = (const uint8_t *) tip;
		size_t		leaf = 0;

		STEP_8(leaf, nodes, 1, 0, offsetof(MpTip1, bound), row);
		DELIVER(tip->leaves[leaf]);
	}
	return sum;
}

ENGINE float
walk_tip_3_leaves(const MpTips *where, const char *tips, size_t n_trees, const uint16_t *row,
				  const uint8_t *outs, uint32_t *values, float sum)
{
	for (size_t t = 0; t < n_trees; t++)
	{
		size_t		unit = where->first[t] + where->table[t][outs[t]];
		const MpTip3 *tip = (const MpTip3 *) (tips + unit * MP_TIP_UNIT);
		const uint8_t *nodes = (const uint8_t *) tip;
		size_t		leaf = 0;

		/* node 4, then 2 or 6, then 1, 3, 5 or 7 */
		STEP_8(leaf, nodes, 1, 4, sizeof(tip->cells), row);
		STEP_8(leaf, nodes, 4, 2, sizeof(tip->cells), row);
		STEP_8(leaf, nodes, 2, 1, sizeof(tip->cells), row);
		DELIVER(tip->leaves[leaf]);
	}
	return sum;
}

ENGINE float
walk_tip_leaves(const char *image, const MpKernelChunk *chunk, const uint16_t *row,
				const uint8_t *outs, uint32_t *values, float sum)
{
	const char *tips = image + chunk->blocks;

	if (chunk->form == MP_CHUNK_TIP_1)
		return walk_tip_1_leaves((const MpTip1 *) tips, chunk->n_trees, row, outs, values, sum);
	return walk_tip_3_leaves((const MpTips *) (image + chunk->tails), tips, chunk->n_trees, row,
							 outs, values, sum);
}

PASS void
walk_tip_values(const char *image, const MpKernelChunk *chunk, const uint16_t *row,
				const uint8_t *outs, uint32_t *values)
{
	walk_tip_leaves(image, chunk, row, outs, values, 0);
}

PASS float
walk_tip_sum(const char *image, const MpKernelChunk *chunk, const uint16_t *row,
			 const uint8_t *outs, float sum)
{
	return walk_tip_leaves(image, chunk, row, outs, NULL, sum);
}
