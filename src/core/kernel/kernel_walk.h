/*
 * kernel_walk.h: finding the leaves of a chunk of trees, one node after the other.
 *
 * Included once per width, with ENGINE and PASS (see kernel_scalar.h) and these
 * defined: WALK(name); NODE, the integer type of nodes and of the row's cells, and
 * DEEP, of the image; STEP(i, nodes, first, row), which goes from i to 2i, or to
 * 2i + 1 where the i-th node from the constant `first` on says right; RIGHT(node, row),
 * whether a node does; TAIL_VALUES and TAIL_SUM, what finds the leaves of trees of the
 * forms that not all widths have.
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
		size_t		i = first ? 1 : places[t]; \
		\
		STEP(i, tops, (t) << levels, row); \
		if (steps == 2) \
			STEP(i, tops, (t) << levels, row); \
		places[t] = i - less; \
	}

	for (; n_trees > 0; n_trees -= 8, tops += (size_t) 8 << levels, places += 8)
	{
		EACH_OF_8(DOWN)
	}
#undef DOWN
}

/* outs[t]: the exit, from 0, that tree t takes of its top. */
PASS void
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

/* Deep trees, eight at a time until all are at leaves, which lead to themselves. */
PASS void
WALK(deep_values) (const char *image, const MpKernelChunk *chunk, const NODE *row,
				   const uint8_t *outs, uint32_t *values)
{
#define START(t) \
	const DEEP *nodes##t = (const DEEP *) (data + tails[t].exits + (sizeof(NODE) << chunk->levels)); \
	uint32_t	i##t = ((const NODE *) (data + tails[t].exits))[outs[t]];
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

/* Adds the trees of chunk c to the margin, or keeps their values. Returns the end of its tops. */
ENGINE const NODE *
WALK(chunk) (const MpKernel *kernel, uint32_t c, const NODE *tops, void *margin)
{
	const char *image = (const char *) kernel->image;
	const MpKernelChunk *chunk = &kernel->chunks[c];
	const uint32_t *leaves = (const uint32_t *) (image + chunk->leaves);
	const NODE *row = kernel->row;
	uint8_t    *outs = kernel->outs;
	uint32_t   *values = mp_values_of(kernel, c);
	float	   *sum = margin;
	bool		one = kernel->image->sum == MP_SUM_ONE &&
		kernel->image->precision == MP_PRECISION_SINGLE;
	size_t		places = mp_chunk_places(chunk);
	size_t		n = chunk->n_trees;

	WALK(tops) (tops, places, chunk->levels, row, outs);
	switch ((MpChunkForm) chunk->form)
	{
		case MP_CHUNK_FLAT:
			if (one)
				sum[0] = walk_flat_sum(leaves, n, chunk->levels, outs, sum[0]);
			else
				walk_flat_values(leaves, n, chunk->levels, outs, values);
			break;
		case MP_CHUNK_SUBTREE_1:
		case MP_CHUNK_SUBTREE_3:
		case MP_CHUNK_SHORT:
			if (one)
				sum[0] = TAIL_SUM(image, chunk, row, outs, sum[0]);
			else
				TAIL_VALUES(image, chunk, row, outs, values);
			break;
		case MP_CHUNK_DEEP:
			WALK(deep_values) (image, chunk, row, outs, values);
			if (one)
				mp_add_one(values, n, sum);
			break;
	}
	if (!one)
		mp_add_values(kernel, values, (size_t) c * MP_CHUNK_TREES, n, margin);
	return tops + (places << chunk->levels);
}

#undef EACH_OF_8
#undef WALK
#undef NODE
#undef DEEP
#undef STEP
#undef RIGHT
#undef TAIL_VALUES
#undef TAIL_SUM
