/*
 * kernel_walk.h: finding the leaves of a chunk of trees, one node after the other.
 *
 * Included once per width, with ENGINE (see kernel_rank.h), NODE (the integer
 * type), BLOCK, DEEP and EXIT (of the image), WALK(name) and two steps defined:
 * STEP(i, nodes, row) goes from i to 2i, or to 2i + 1 where the i-th node says
 * right; RIGHT(node, row) is whether it does.
 *
 * A row's cell holds its own number beside its rank, as nodes do: so nodes are
 * compared whole, and one load gets both parts.
 *
 * No step is a branch, and trees are independent. A processor has room for some
 * twenty steps that wait for their loads, and every tree's steps wait for each
 * other: so a pass over the chunk takes only two steps down each tree.
 */

#define EACH_OF_8(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)

/*
 * One pass over tops: `steps` (1 or 2) down, from the root if `first`. places[t]
 * is the node where tree t is; `less` is taken from it at the end.
 */
ENGINE void
WALK(pass) (const NODE *tops, size_t n_trees, int levels, bool first, int steps, int less,
			const NODE *row, uint8_t *places)
{
#define DOWN(t) \
	{ \
		const NODE *top = tops + ((size_t) (t) << levels); \
		size_t		i = first ? 1 : places[t]; \
		\
		STEP(i, top, row); \
		if (steps == 2) \
			STEP(i, top, row); \
		places[t] = i - less; \
	}

	for (; n_trees > 0; n_trees -= 8, tops += (size_t) 8 << levels, places += 8)
	{
		EACH_OF_8(DOWN)
	}
#undef DOWN
}

/* outs[t]: the way out, from 0, that tree t takes of its top. */
ENGINE void
WALK(tops) (const NODE *tops, size_t n_trees, int levels, const NODE *row, uint8_t *outs)
{
	switch (levels)
	{
		case 3:
			WALK(pass) (tops, n_trees, 3, true, 2, 0, row, outs);
			WALK(pass) (tops, n_trees, 3, false, 1, 8, row, outs);
			break;
		case 4:
			WALK(pass) (tops, n_trees, 4, true, 2, 0, row, outs);
			WALK(pass) (tops, n_trees, 4, false, 2, 16, row, outs);
			break;
		case 5:
			WALK(pass) (tops, n_trees, 5, true, 2, 0, row, outs);
			WALK(pass) (tops, n_trees, 5, false, 2, 0, row, outs);
			WALK(pass) (tops, n_trees, 5, false, 1, 32, row, outs);
			break;
		case 6:
			WALK(pass) (tops, n_trees, 6, true, 2, 0, row, outs);
			WALK(pass) (tops, n_trees, 6, false, 2, 0, row, outs);
			WALK(pass) (tops, n_trees, 6, false, 2, 64, row, outs);
			break;
	}
}

/* Flat trees: from the ways out to the leaves' values. */
ENGINE void
WALK(flat_values) (const uint32_t *leaves, size_t n_trees, int levels, const uint8_t *outs,
				   uint32_t *values)
{
	for (size_t t = 0; t < n_trees; t++)
		values[t] = leaves[(t << levels) + outs[t]];
}

/* Short trees, likewise. */
ENGINE void
WALK(short_values) (const char *image, const MpKernelChunk *chunk, const NODE *row,
					const uint8_t *outs, uint32_t *values)
{
	const uint8_t *table = (const uint8_t *) image + chunk->table;
	const MpShortTail *tails = (const MpShortTail *) (image + chunk->tails);
	const BLOCK *blocks = (const BLOCK *) (image + chunk->blocks);
	const uint32_t *leaves = (const uint32_t *) (image + chunk->leaves);

	for (size_t t = 0; t < chunk->n_trees; t++, table += MP_TOP_PLACES)
	{
		size_t		number = table[outs[t]];
		const BLOCK *block;
		const NODE *heap;
		size_t		i = 1;

		/* without a branch: the tree's blocks, or the ones of no tree */
		number += tails[t].block & -(number / MP_TOP_PLACES);
		block = &blocks[number];

		/* in heap order: the leaf's number stands in the idle place 0 */
		heap = (const NODE *) block;
		STEP(i, heap, row);
		STEP(i, heap, row);
		values[t] = leaves[tails[t].leaf + block->leaf + i - 4];
	}
}

/* Deep trees, eight at a time until all are at leaves, which lead to themselves. */
ENGINE void
WALK(deep_values) (const char *image, const MpKernelChunk *chunk, const NODE *row,
				   const uint8_t *outs, uint32_t *values)
{
#define START(t) \
	const DEEP *nodes##t = (const DEEP *) (data + tails[t].exits + MP_TOP_PLACES * sizeof(EXIT)); \
	uint32_t	i##t = ((const EXIT *) (data + tails[t].exits))[outs[t]];
#define DOWN(t) \
	next = nodes##t[i##t].left + RIGHT(nodes##t[i##t].node, row); \
	moved |= next ^ i##t; \
	i##t = next;
#define FINISH(t) values[t] = ((const uint32_t *) (data + tails[t].values))[i##t];

	const char *data = image + chunk->data;
	const MpDeepTail *tails = (const MpDeepTail *) (image + chunk->tails);

	for (uint32_t t = 0; t < chunk->n_trees; t += 8, tails += 8, outs += 8, values += 8)
	{
		EACH_OF_8(START)
		uint32_t	moved;
		uint32_t	next;

		do
		{
			moved = 0;
			EACH_OF_8(DOWN)
		} while (moved != 0);
		EACH_OF_8(FINISH)
	}

#undef START
#undef DOWN
#undef FINISH
}

/* The value of each tree of a chunk. Returns the end of its tops. */
ENGINE const NODE *
WALK(chunk) (const MpKernel *kernel, const MpKernelChunk *chunk, const NODE *tops,
			 uint32_t *values)
{
	const char *image = (const char *) kernel->image;
	const NODE *row = kernel->row;
	uint8_t    *outs = kernel->outs;
	size_t		n_trees = mp_chunk_places(chunk);

	WALK(tops) (tops, n_trees, chunk->levels, row, outs);
	switch ((MpChunkForm) chunk->form)
	{
		case MP_CHUNK_FLAT:
			WALK(flat_values) ((const uint32_t *) (image + chunk->leaves), chunk->n_trees,
							   chunk->levels, outs, values);
			break;
		case MP_CHUNK_SHORT:
			WALK(short_values) (image, chunk, row, outs, values);
			break;
		case MP_CHUNK_DEEP:
			WALK(deep_values) (image, chunk, row, outs, values);
			break;
	}
	return tops + (n_trees << chunk->levels);
}

#undef EACH_OF_8
#undef NODE
#undef BLOCK
#undef DEEP
#undef EXIT
#undef WALK
#undef STEP
#undef RIGHT
