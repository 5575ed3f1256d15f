/*
 * kernel_short.h: from the exits of short trees to their leaves. Included once
 * for each width that has such trees, with BLOCK defined and what kernel_walk.h needs.
 */

/* Where a short chunk's parts are; in memory, or gcc adds them up anew for every tree. */
typedef struct WALK(Short)
{
	const uint8_t *table;
	const MpShortTail *tails;
	const BLOCK *blocks;
	const uint32_t *leaves;
} WALK(Short);

ENGINE float
WALK(short_leaves) (const WALK(Short) *trees, size_t n_trees, const NODE *row,
					const uint8_t *outs, uint32_t *values, float sum)
{
	const uint8_t *table = trees->table;
	const MpShortTail *tails = trees->tails;
	const BLOCK *blocks = trees->blocks;
	const uint32_t *leaves = trees->leaves - 4;

	for (size_t t = 0; t < n_trees; t++, table += MP_TOP_PLACES)
	{
		size_t		number = table[outs[t]];
		const BLOCK *block;
		const NODE *heap;
		size_t		i = 1;

		/* without a branch: one of the tree's own blocks, or of those of no tree */
		number += tails[t].block & -(number / MP_TOP_PLACES);
		block = &blocks[number];

		/* in heap order: the leaf's number stands in the idle place 0 */
		heap = (const NODE *) block;
		STEP(i, heap, 0, row);
		STEP(i, heap, 0, row);
		DELIVER(leaves[(size_t) tails[t].leaf + block->leaf + i]);
	}
	return sum;
}

ENGINE WALK(Short)
WALK(short_parts) (const char *image, const MpKernelChunk *chunk)
{
	WALK(Short) trees;

	trees.table = (const uint8_t *) image + chunk->table;
	trees.tails = (const MpShortTail *) (image + chunk->tails);
	trees.blocks = (const BLOCK *) (image + chunk->blocks);
	trees.leaves = (const uint32_t *) (image + chunk->leaves);
	return trees;
}

PASS void
WALK(short_values) (const char *image, const MpKernelChunk *chunk, const NODE *row,
					const uint8_t *outs, uint32_t *values)
{
	WALK(Short) trees = WALK(short_parts) (image, chunk);

	WALK(short_leaves) (&trees, chunk->n_trees, row, outs, values, 0);
}

PASS float
WALK(short_sum) (const char *image, const MpKernelChunk *chunk, const NODE *row,
				 const uint8_t *outs, float sum)
{
	WALK(Short) trees = WALK(short_parts) (image, chunk);

	return WALK(short_leaves) (&trees, chunk->n_trees, row, outs, NULL, sum);
}
