/*
 * kernel_leaves.h: from the exits of tops to the leaves, where that is the same
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

/* Trees with subtrees, likewise. */
ENGINE float
walk_subtree_1_leaves(const MpSubtree1 *subtrees, size_t n_trees, const uint16_t *row,
					  const uint8_t *outs, uint32_t *values, float sum)
{
	for (size_t t = 0; t < n_trees; t++, subtrees += 1 << MP_BYTE_TOP_LEVELS)
	{
		const MpSubtree1 *subtree = &subtrees[outs[t]];
		const uint8_t *nodes = (const uint8_t *) subtree;
		size_t		leaf = 0;

		STEP_8(leaf, nodes, 1, 0, offsetof(MpSubtree1, bound), row);
		DELIVER(subtree->leaves[leaf]);
	}
	return sum;
}

ENGINE float
walk_subtree_3_leaves(const MpSubtrees *where, const char *subtrees, size_t n_trees,
					  const uint16_t *row, const uint8_t *outs, uint32_t *values, float sum)
{
	for (size_t t = 0; t < n_trees; t++)
	{
		size_t		unit = where->first[t] + where->table[t][outs[t]];
		const MpSubtree3 *subtree = (const MpSubtree3 *) (subtrees + unit * MP_SUBTREE_UNIT);
		const uint8_t *nodes = (const uint8_t *) subtree;
		size_t		leaf = 0;

		/* node 4, then 2 or 6, then 1, 3, 5 or 7 */
		STEP_8(leaf, nodes, 1, 4, sizeof(subtree->cells), row);
		STEP_8(leaf, nodes, 4, 2, sizeof(subtree->cells), row);
		STEP_8(leaf, nodes, 2, 1, sizeof(subtree->cells), row);
		DELIVER(subtree->leaves[leaf]);
	}
	return sum;
}

ENGINE float
walk_subtree_leaves(const char *image, const MpKernelChunk *chunk, const uint16_t *row,
				const uint8_t *outs, uint32_t *values, float sum)
{
	const char *subtrees = image + chunk->blocks;

	if (chunk->form == MP_CHUNK_SUBTREE_1)
		return walk_subtree_1_leaves((const MpSubtree1 *) subtrees, chunk->n_trees, row, outs,
									 values, sum);
	return walk_subtree_3_leaves((const MpSubtrees *) (image + chunk->tails), subtrees,
								 chunk->n_trees, row, outs, values, sum);
}

PASS void
walk_subtree_values(const char *image, const MpKernelChunk *chunk, const uint16_t *row,
				const uint8_t *outs, uint32_t *values)
{
	walk_subtree_leaves(image, chunk, row, outs, values, 0);
}

PASS float
walk_subtree_sum(const char *image, const MpKernelChunk *chunk, const uint16_t *row,
			 const uint8_t *outs, float sum)
{
	return walk_subtree_leaves(image, chunk, row, outs, NULL, sum);
}
