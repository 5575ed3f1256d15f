/*
 * kernel_avx512.c: the kernel for processors with AVX-512 and its byte permute.
 *
 * All 63 nodes of a tree's top are decided at once: one permute fetches the cell
 * of every node from the row, which fits into registers, one comparison makes 64
 * bits of it. Walking such a mask is shifts only, for 8 trees in one register.
 */
#include "core/kernel/kernel_run.h"

#if defined(MP_KERNEL_X86)

#include "core/kernel/kernel_step_x86.h"
#include "core/kernel/kernel_target_avx512.h"

#define SPREAD mp_spread_x86
#include "core/kernel/kernel_scalar.h"

/* The row, as the table of a permute: left cells; right ones are one less. */
typedef struct Table
{
	__m512i		low;
	__m512i		high;
	bool		two;			/* more than 64 slots */
	bool		few;			/* at most 32: right cells are behind the left ones */
} Table;

/* The row's cells for bytes that name them. */
ENGINE __m512i
look_up(Table table, __m512i cells)
{
	__m512i		v;

	if (table.few)
		return _mm512_permutexvar_epi8(cells, table.low);
	v = table.two ? _mm512_permutex2var_epi8(table.low, cells, table.high)
		: _mm512_permutexvar_epi8(cells, table.low);

	/* the permutes do not look at bit 7, which tells right cells */
	return _mm512_mask_sub_epi8(v, _mm512_movepi8_mask(cells), v, _mm512_set1_epi8(1));
}

/* What each node of a chunk's tops says, in groups of 64. */
ENGINE void
decide(const uint8_t *tops, size_t n_groups, Table table, uint64_t *masks)
{
	MP_UNROLL(4)
	for (size_t i = 0; i < n_groups; i++, tops += 2 * MP_TOP_PLACES)
	{
		__m512i		cells = _mm512_loadu_si512(tops);
		__m512i		bounds = _mm512_loadu_si512(tops + MP_TOP_PLACES);

		masks[i] = _mm512_cmpgt_epu8_mask(look_up(table, cells), bounds);
	}
}

/* i -> 2i + bit i of the mask, in every lane */
#define MASK_STEP(masks, i, one) \
	_mm512_ternarylogic_epi32(_mm512_add_epi32(i, i), _mm512_srlv_epi32(masks, i), one, 0xf8)

/* of 16 trees of 5 levels */
ENGINE __m512i
walk_5(const uint64_t *masks)
{
	__m512i		one = _mm512_set1_epi32(1);
	__m512i		m = _mm512_loadu_si512(masks);
	__m512i		i = one;

	MP_UNROLL(5)
	for (int level = 0; level < 5; level++)
		i = MASK_STEP(m, i, one);
	return _mm512_xor_si512(i, _mm512_set1_epi32(32));
}

/* of 16 trees of 3 or 4 levels, whose masks are bytes or words */
ENGINE __m512i
walk_4(const uint64_t *masks, int levels)
{
	__m512i		one = _mm512_set1_epi32(1);
	__m512i		m = levels == 4
		? _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *) masks))
		: _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *) masks));
	__m512i		i = one;

	MP_UNROLL(4)
	for (int level = 0; level < levels; level++)
		i = MASK_STEP(m, i, one);
	return _mm512_xor_si512(i, _mm512_set1_epi32(1 << levels));
}

/* The number of the first exit of each of 16 trees. */
ENGINE __m512i
first_outs(int levels)
{
	return _mm512_slli_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
											   15), levels);
}

/* Flat trees, 16 at a time; where values go there is room for 8 more. */
ENGINE void
flat_values_of(const uint64_t *masks, const uint32_t *leaves, size_t n_trees, int levels,
			   uint32_t *values)
{
	__m512i		first = first_outs(levels);

	for (size_t t = 0; t < n_trees; t += 16, leaves += 16 << levels)
	{
		__mmask16	there = n_trees - t >= 16 ? 0xffff : 0xff;
		const uint64_t *m = masks + (t << levels) / 64;
		__m512i		outs = levels == 5 ? walk_5(m) : walk_4(m, levels);
		__m512i		at = _mm512_add_epi32(first, outs);

		_mm512_storeu_si512(values + t, _mm512_mask_i32gather_epi32(at, there, at, leaves, 4));
	}
}

ENGINE void
flat_values(const uint64_t *masks, const uint32_t *leaves, size_t n_trees, int levels,
			uint32_t *values)
{
	switch (levels)
	{
		case 3:
			flat_values_of(masks, leaves, n_trees, 3, values);
			break;
		case 4:
			flat_values_of(masks, leaves, n_trees, 4, values);
			break;
		case 5:
			flat_values_of(masks, leaves, n_trees, 5, values);
			break;
	}
}

ENGINE __m512i
times_3(__m512i n)
{
	return _mm512_add_epi32(n, _mm512_add_epi32(n, n));
}

/* Trees with subtrees of one level, 16 at a time. */
ENGINE void
subtree_1_values(const uint64_t *masks, const MpSubtree1 *subtrees, size_t n_trees, Table table,
			 uint32_t *values)
{
	_Static_assert(sizeof(MpSubtree1) == 3 * sizeof(uint32_t),
				   "subtrees of one level are counted in words");

	for (size_t t = 0; t < n_trees; t += 16, subtrees += 16 << MP_BYTE_TOP_LEVELS)
	{
		__mmask16	there = n_trees - t >= 16 ? 0xffff : 0xff;
		__m512i		at = times_3(_mm512_add_epi32(first_outs(MP_BYTE_TOP_LEVELS),
												 walk_5(masks + t / 2)));
		__m512i		node = _mm512_mask_i32gather_epi32(at, there, at, subtrees, 4);

		/* the cell is the node's lowest byte, its bound the highest */
		__m512i		rank = _mm512_slli_epi32(look_up(table, node), 24);
		__mmask16	right = _mm512_cmpgt_epu32_mask(rank, node);

		at = _mm512_mask_add_epi32(at, right, at, _mm512_set1_epi32(1));
		_mm512_storeu_si512(values + t, _mm512_mask_i32gather_epi32(at, there, at,
																	subtrees->leaves, 4));
	}
}

/* In which units the subtrees of up to three levels are that 16 trees lead to, from tree `t` on. */
ENGINE __m512i
find_subtree_3(const MpSubtrees *where, size_t t, __m512i outs)
{
	__m512i		one = _mm512_set1_epi32(1);
	__m512i		before = _mm512_sub_epi32(_mm512_sllv_epi32(one, outs), one);
	__m512i		there = _mm512_and_si512(_mm512_loadu_si512(where->there + t), before);
	__m512i		large = _mm512_and_si512(_mm512_loadu_si512(where->large + t), before);
	__m512i		n = _mm512_popcnt_epi32(there);
	__m512i		units = _mm512_add_epi32(_mm512_add_epi32(n, n), _mm512_popcnt_epi32(large));

	_Static_assert(MP_SMALL_SUBTREE == 2 && MP_LARGE_SUBTREE == 3, "n + n + those that are large");
	return _mm512_add_epi32(_mm512_loadu_si512(where->first + t), units);
}

/* What subtrees of up to three levels add, for 8 trees; `at`: where they are, in units. */
ENGINE __m256i
subtree_3_values_8(const MpSubtree3 *subtrees, __m256i at, Table table)
{
	__m256i		twice = _mm256_add_epi32(at, at);
	__m512i		cells = _mm512_i32gather_epi64(twice, subtrees->cells, MP_SUBTREE_UNIT / 2);
	__m512i		bounds = _mm512_i32gather_epi64(twice, subtrees->bounds, MP_SUBTREE_UNIT / 2);
	__mmask64	right = _mm512_cmpgt_epu8_mask(look_up(table, cells), bounds);

	/* bit i - 1 of a lane: what its node i says */
	__m512i		bits = _mm512_sad_epu8(
		_mm512_maskz_mov_epi8(right, _mm512_set1_epi64(0x4020100804020100)),
		_mm512_setzero_si512());

	/* the root is node 4, then comes the leaf so far + 2, then that + 1 */
	__m512i		leaf = _mm512_and_si512(_mm512_srli_epi64(bits, 1), _mm512_set1_epi64(4));

	leaf = _mm512_ternarylogic_epi64(leaf, _mm512_srlv_epi64(bits, leaf),
									 _mm512_set1_epi64(2), 0xf8);
	leaf = _mm512_ternarylogic_epi64(leaf, _mm512_srlv_epi64(bits, leaf),
									 _mm512_set1_epi64(1), 0xf8);
	at = _mm256_add_epi32(_mm256_add_epi32(twice, twice), _mm512_cvtepi64_epi32(leaf));
	return _mm256_i32gather_epi32((const int *) subtrees->leaves, at, MP_SUBTREE_UNIT / 4);
}

/* Trees with subtrees of up to three levels, 16 at a time. */
ENGINE void
subtree_3_values(const uint64_t *masks, const MpSubtrees *where, size_t first,
				 const MpSubtree3 *subtrees, size_t n_trees, Table table, uint32_t *values)
{
	for (size_t t = 0; t < n_trees; t += 16)
	{
		__m512i		at = find_subtree_3(where, first + t, walk_5(masks + t / 2));

		_mm256_storeu_si256((__m256i *) (values + t),
							subtree_3_values_8(subtrees, _mm512_castsi512_si256(at), table));
		if (n_trees - t >= 16)
			_mm256_storeu_si256((__m256i *) (values + t + 8),
								subtree_3_values_8(subtrees, _mm512_extracti64x4_epi64(at, 1), table));
	}
}

/* Deep trees, 16 at a time, until all are at leaves, which lead to themselves. */
ENGINE void
deep_values(const char *image, const MpKernelChunk *chunk, size_t first, size_t n_trees,
			const uint64_t *masks, Table table, uint32_t *values)
{
	const char *data = image + chunk->data;
	const MpDeepTail *tails = (const MpDeepTail *) (image + chunk->tails);
	__m512i		index = _mm512_mullo_epi32(
		_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
		_mm512_set1_epi32(sizeof(MpDeepTail)));
	__m512i		zero = _mm512_setzero_si512();

	tails += first;
	for (size_t t = 0; t < n_trees; t += 16, tails += 16)
	{
		__mmask16	there = n_trees - t >= 16 ? 0xffff : 0xff;
		__m512i		out = walk_5(masks + t / 2);
		__m512i		exits = _mm512_mask_i32gather_epi32(
			zero, there, index, (const char *) tails + offsetof(MpDeepTail, exits), 1);
		__m512i		at = _mm512_mask_i32gather_epi32(
			zero, there, index, (const char *) tails + offsetof(MpDeepTail, values), 1);
		__m512i		nodes = _mm512_add_epi32(
			exits, _mm512_set1_epi32((1 << MP_BYTE_TOP_LEVELS) * sizeof(uint16_t)));
		__m512i		i = _mm512_mask_i32gather_epi32(
			zero, there, _mm512_add_epi32(exits, _mm512_add_epi32(out, out)), data, 1);
		__mmask16	moved;

		i = _mm512_and_si512(i, _mm512_set1_epi32(0xffff));
		do
		{
			__m512i		node = _mm512_mask_i32gather_epi32(
				zero, there, _mm512_add_epi32(nodes, _mm512_slli_epi32(i, 2)), data, 1);
			__m512i		rank = look_up(table, node);
			__mmask16	right = _mm512_cmplt_epu32_mask(_mm512_slli_epi32(node, 16),
														_mm512_slli_epi32(rank, 24));
			__m512i		next = _mm512_srli_epi32(node, 16);

			next = _mm512_mask_add_epi32(next, right, next, _mm512_set1_epi32(1));
			moved = _mm512_mask_cmpneq_epu32_mask(there, next, i);
			i = next;
		} while (moved != 0);
		_mm512_storeu_si512(values + t, _mm512_mask_i32gather_epi32(
			zero, there, _mm512_add_epi32(at, _mm512_slli_epi32(i, 2)), data, 1));
	}
}

/*
 * Trees are done in blocks of 32, in three steps: what a block's tops say, what
 * its trees add, adding that. While one block is at its second step, the one
 * ahead of it is at its first and the one behind it at its last: so what a step
 * reads is in the cache in time (eight masks that are read back as one register
 * before they are there stall), and the processor has always three kinds of work
 * to choose from.
 */
#define BLOCK_TREES 32

typedef struct Block
{
	uint32_t	c;				/* the chunk */
	uint32_t	first;			/* of the chunk's trees */
	uint32_t	n;				/* with those that fill up the chunk */
	uint32_t	number;			/* of the block */
} Block;

ENGINE uint32_t
at_most(size_t n, size_t limit)
{
	return n < limit ? n : limit;
}

ENGINE Block
block_at(const MpKernel *kernel, uint32_t c, uint32_t first, uint32_t number)
{
	Block		block = {c, first, 0, number};

	if (c < kernel->n_chunks)
		block.n = at_most(mp_chunk_places(&kernel->chunks[c]) - first, BLOCK_TREES);
	return block;
}

/* The one behind it; none: n is 0. */
ENGINE Block
next_block(const MpKernel *kernel, Block block)
{
	uint32_t	end = block.first + block.n;

	if (end < mp_chunk_places(&kernel->chunks[block.c]))
		return block_at(kernel, block.c, end, block.number + 1);
	return block_at(kernel, block.c + 1, 0, block.number + 1);
}

ENGINE uint64_t *
masks_of(const MpKernel *kernel, Block block)
{
	return kernel->masks + block.number % 2 * BLOCK_TREES;
}

/* With several outputs in turn all are kept until a round is complete. */
ENGINE uint32_t *
values_of(const MpKernel *kernel, Block block)
{
	if (mp_adds_rounds(kernel))
		return kernel->values + block.c * MP_CHUNK_TREES + block.first;
	return kernel->values + block.number % 2 * BLOCK_TREES;
}

ENGINE void
decide_block(const MpKernel *kernel, Block block, Table table)
{
	const MpKernelChunk *chunk = &kernel->chunks[block.c];
	const uint8_t *tops = (const uint8_t *) kernel->image + chunk->tops;
	int			levels = chunk->levels;

	decide(tops + ((size_t) block.first << levels) * 2, (block.n << levels) / MP_TOP_PLACES,
		   table, masks_of(kernel, block));
}

ENGINE void
find_block(const MpKernel *kernel, Block block, Table table)
{
	const MpKernelChunk *chunk = &kernel->chunks[block.c];
	const char *image = (const char *) kernel->image;
	const uint32_t *leaves = (const uint32_t *) (image + chunk->leaves);
	const uint64_t *masks = masks_of(kernel, block);
	uint32_t   *values = values_of(kernel, block);
	size_t		subtree = (size_t) block.first << MP_BYTE_TOP_LEVELS;
	int			levels = chunk->levels;

	switch ((MpChunkForm) chunk->form)
	{
		case MP_CHUNK_FLAT:
			flat_values(masks, leaves + ((size_t) block.first << levels), block.n, levels, values);
			break;
		case MP_CHUNK_SUBTREE_1:
			subtree_1_values(masks, (const MpSubtree1 *) (image + chunk->blocks) + subtree, block.n, table,
						 values);
			break;
		case MP_CHUNK_SUBTREE_3:
			subtree_3_values(masks, (const MpSubtrees *) (image + chunk->tails), block.first,
						 (const MpSubtree3 *) (image + chunk->blocks), block.n, table, values);
			break;
		case MP_CHUNK_SHORT:
			break;				/* not in an image of bytes */
		case MP_CHUNK_DEEP:
			deep_values(image, chunk, block.first, block.n, masks, table, values);
			break;
	}
}

/* Adds whole rounds to up to 16 of the outputs, as long as n trees are enough. */
ENGINE void
add_strip(const uint32_t *values, size_t n, size_t n_outputs, size_t width, float *margin)
{
	__mmask16	there = _bzhi_u32(0xffff, width);
	__m512		sums = _mm512_maskz_loadu_ps(there, margin);

	for (; n >= n_outputs; n -= n_outputs, values += n_outputs)
		sums = _mm512_add_ps(sums, _mm512_maskz_loadu_ps(there, values));
	_mm512_mask_storeu_ps(margin, there, sums);
}

/* Adds the rounds that are complete with the first n trees; `added` trees have been. */
ENGINE size_t
add_rounds(const MpKernel *kernel, size_t added, size_t n, float *margin)
{
	size_t		n_outputs = kernel->image->n_outputs;
	const uint32_t *values = kernel->values + added;

	for (size_t k = 0; k < n_outputs; k += 16)
		add_strip(values + k, n - added, n_outputs, at_most(n_outputs - k, 16), margin + k);
	while (n - added >= n_outputs)
		added += n_outputs;
	return added;
}

/* The trees of a last round that does not reach all outputs. */
ENGINE void
add_rest(const MpKernel *kernel, size_t added, float *margin)
{
	for (size_t t = added; t < (size_t) kernel->image->n_trees; t++)
		margin[t - added] += mp_float_of(kernel->values[t]);
}

/*
 * Adds what a block's trees add, or, in rounds, after a chunk's last block, what they
 * all add. `added`: in rounds, how many trees' values have been added.
 */
ENGINE size_t
add_block(const MpKernel *kernel, Block block, size_t added, void *margin)
{
	const MpKernelChunk *chunk = &kernel->chunks[block.c];
	size_t		first = (size_t) block.c * MP_CHUNK_TREES;
	bool		last = block.first + block.n == mp_chunk_places(chunk);

	if (mp_adds_rounds(kernel))
		return last ? add_rounds(kernel, added, first + chunk->n_trees, margin) : added;
	mp_add_values(kernel, values_of(kernel, block), first + block.first,
				  at_most(chunk->n_trees - block.first, block.n), margin);
	return added;
}

/* Adds all trees. */
ENGINE void
add_trees(const MpKernel *kernel, Table table, void *margin)
{
	Block		block = block_at(kernel, 0, 0, 0);
	Block		behind = {0};
	size_t		added = 0;

	if (block.n > 0)
		decide_block(kernel, block, table);
	while (block.n > 0)
	{
		Block		ahead = next_block(kernel, block);

		if (ahead.n > 0)
			decide_block(kernel, ahead, table);
		find_block(kernel, block, table);
		if (behind.n > 0)
			added = add_block(kernel, behind, added, margin);
		behind = block;
		block = ahead;
	}
	if (behind.n > 0)
		added = add_block(kernel, behind, added, margin);
	/* a last round may be incomplete */
	if (mp_adds_rounds(kernel))
		add_rest(kernel, added, margin);
}

/* The table of few slots has 32 left cells, then their right ones. */
ENGINE __m512i
few_cells(const uint8_t *ranks)
{
	__m256i		left = _mm256_loadu_si256((const __m256i *) ranks);
	__m256i		right = _mm256_sub_epi8(left, _mm256_set1_epi8(1));

	return _mm512_inserti64x4(_mm512_castsi256_si512(left), right, 1);
}

/* `few` and `two` are for the compiler: what depends on them is decided once. */
ENGINE void
margin_permute(MpKernel *kernel, bool few, bool two, void *margin)
{
	Table		table;

	table.low = few ? few_cells(kernel->ranks) : _mm512_loadu_si512(kernel->ranks);
	table.high = _mm512_loadu_si512(kernel->ranks + 64);
	table.two = two;
	table.few = few;
	add_trees(kernel, table, margin);
}

TARGET void
mp_margin_avx512(MpKernel *kernel, const void *x, void *margin)
{
	if (kernel->image->width != MP_BYTES)
	{
		margin_scalar(kernel, x, margin);
		return;
	}
	mp_start_margin(kernel, margin);
	rank_row(kernel, x, kernel->ranks, put_byte_cell);
	if (kernel->image->n_slots <= MP_BYTE_FEW_SLOTS)
		margin_permute(kernel, true, false, margin);
	else if (kernel->image->n_slots <= 64)
		margin_permute(kernel, false, false, margin);
	else
		margin_permute(kernel, false, true, margin);
}

#endif
