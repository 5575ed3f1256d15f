/*
 * kernel_avx512.c: the kernel for processors with AVX-512 and its byte permute.
 *
 * All 63 nodes of a tree's top are decided at once: one permute fetches the cell
 * of every node from the row, which fits into registers, one comparison makes 64
 * bits of it. Walking such a mask is shifts only, for 8 trees in one register.
 *
 * Deciding and walking are separate passes over a chunk: eight masks that are
 * reloaded as one register at once, before they are in the cache, stall.
 */
#include "kernel_run.h"

#if defined(MP_KERNEL_X86)

#include "kernel_step_x86.h"

#include <immintrin.h>

#define TARGET \
	__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vpopcntdq," \
						  "bmi,bmi2,popcnt")))
#define ENGINE MP_ENGINE TARGET
#define PASS MP_PASS TARGET

/* Ones from the rank on, as the floats ascend. */
ENGINE uint32_t
rank_in_block(const float *block, float x)
{
	return _tzcnt_u32(_mm512_cmp_ps_mask(_mm512_set1_ps(x), _mm512_loadu_ps(block), _CMP_NGE_UQ));
}

#define RANK_IN_BLOCK rank_in_block
#define SPREAD mp_spread_x86
#define PUT_KEYS mp_put_keys_x86
#include "kernel_scalar.h"

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
	__m512i		v = table.two ? _mm512_permutex2var_epi8(table.low, cells, table.high)
		: _mm512_permutexvar_epi8(cells, table.low);

	/* the permutes do not look at bit 7, which tells right cells */
	return _mm512_mask_sub_epi8(v, _mm512_movepi8_mask(cells), v, _mm512_set1_epi8(1));
}

/* Likewise for bytes of tops. */
ENGINE __m512i
look_up_top(Table table, __m512i cells)
{
	return table.few ? _mm512_permutexvar_epi8(cells, table.low) : look_up(table, cells);
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

		masks[i] = _mm512_cmpgt_epu8_mask(look_up_top(table, cells), bounds);
	}
}

/*
 * The ways out of 8 trees of 6 levels: two levels in four instructions. Of a
 * group's 3 bits, shifted down, a table makes both the number of the group below
 * it, times 3 as that is where it lies, and in the upper half of the lane the
 * number itself, which in the end is the way out. A rotation does not look at
 * the upper half.
 */
ENGINE __m512i
walk_6(const uint64_t *masks)
{
#define WAY(n) (3 + 3 * (n) + ((int64_t) (n) << 32))
	__m512i		ways = _mm512_setr_epi64(WAY(0), WAY(2), WAY(1), WAY(2),
										 WAY(0), WAY(3), WAY(1), WAY(3));
#undef WAY
	__m512i		m = _mm512_loadu_si512(masks);
	__m512i		group = _mm512_permutexvar_epi64(m, ways);

	MP_UNROLL(2)
	for (int i = 0; i < 2; i++)
	{
		__m512i		bits = _mm512_rorv_epi64(m, group);

		group = _mm512_add_epi64(_mm512_slli_epi64(group, 2),
								 _mm512_permutexvar_epi64(bits, ways));
	}
	return _mm512_srli_epi64(group, 32);
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

/* Flat trees of less than 6 levels, 16 at a time; the chunk has room for 8 more. */
ENGINE void
flat_values_16(const uint64_t *masks, const uint32_t *leaves, size_t n_trees, int levels,
			   uint32_t *values)
{
	__m512i		first = _mm512_slli_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
															12, 13, 14, 15), levels);

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
flat_values_6(const uint64_t *masks, const uint32_t *leaves, size_t n_trees, uint32_t *values)
{
	__m512i		first = _mm512_setr_epi64(0, 64, 128, 192, 256, 320, 384, 448);

	for (size_t t = 0; t < n_trees; t += 8, leaves += 8 * 64)
	{
		__m512i		at = _mm512_add_epi64(first, walk_6(masks + t));

		_mm256_storeu_si256((__m256i *) (values + t), _mm512_i64gather_epi32(at, leaves, 4));
	}
}

ENGINE void
flat_values(const uint64_t *masks, const uint32_t *leaves, size_t n_trees, int levels,
			uint32_t *values)
{
	switch (levels)
	{
		case 3:
			flat_values_16(masks, leaves, n_trees, 3, values);
			break;
		case 4:
			flat_values_16(masks, leaves, n_trees, 4, values);
			break;
		case 5:
			flat_values_16(masks, leaves, n_trees, 5, values);
			break;
		case 6:
			flat_values_6(masks, leaves, n_trees, values);
			break;
	}
}

/*
 * Which of the leaves 0 to 3 a block leads to, in each 64-bit lane: its nodes
 * are the words 1 to 3. A node is compared with its cell's rank in the place of
 * the bound; the node's own cell below it never makes the node less.
 */
ENGINE __m512i
walk_blocks(Table table, __m512i blocks)
{
	__m512i		ranks = _mm512_slli_epi16(look_up(table, blocks), 8);
	__mmask32	right = _mm512_cmplt_epu16_mask(blocks, ranks);
	__m512i		bits = _mm512_maskz_mov_epi16(right, _mm512_set1_epi64(0x0004000200010000));
	__m512i		answers = _mm512_sad_epu8(bits, _mm512_setzero_si512());

	/* by the answers of the root (1), its left child (2) and its right child (4) */
	return _mm512_permutexvar_epi64(answers, _mm512_setr_epi64(0, 2, 1, 2, 0, 3, 1, 3));
}

/* Short trees, 8 at a time. */
ENGINE void
short_values(const char *image, const MpKernelChunk *chunk, size_t first, size_t n,
			 const uint64_t *masks, Table table, uint32_t *values)
{
	const uint64_t *splits = (const uint64_t *) (image + chunk->splits);
	const MpShortTail *tails = (const MpShortTail *) (image + chunk->tails);
	const MpByteBlock *blocks = (const MpByteBlock *) (image + chunk->blocks) + MP_TOP_PLACES;
	const uint32_t *leaves = (const uint32_t *) (image + chunk->leaves);
	__m512i		low_word = _mm512_set1_epi64(0xffff);
	__m512i		one = _mm512_set1_epi64(1);

	splits += first;
	tails += first;
	for (size_t t = 0; t < n; t += 8)
	{
		__m512i		out = walk_6(masks + t);
		__m512i		bit = _mm512_sllv_epi64(one, out);
		__m512i		split = _mm512_loadu_si512(splits + t);
		__mmask8	is_split = _mm512_test_epi64_mask(split, bit);
		__m512i		before = _mm512_popcnt_epi64(
			_mm512_and_si512(split, _mm512_sub_epi64(bit, one)));
		__m512i		tail = _mm512_cvtepu32_epi64(
			_mm256_loadu_si256((const __m256i *) (tails + t)));
		__m512i		at = _mm512_add_epi64(_mm512_and_si512(tail, low_word), before);
		/* what is no split has a block that goes left, to the leaf of its number */
		__m512i		idle = _mm512_or_si512(_mm512_sub_epi64(out, before),
										   _mm512_set1_epi64(~INT64_C(0xffff)));
		__m512i		block = _mm512_mask_i64gather_epi64(idle, is_split, at, blocks, 8);
		__m512i		leaf = _mm512_add_epi64(_mm512_and_si512(block, low_word),
											walk_blocks(table, block));

		leaf = _mm512_add_epi64(leaf, _mm512_srli_epi64(tail, 16));
		_mm256_storeu_si256((__m256i *) (values + t), _mm512_i64gather_epi32(leaf, leaves, 4));
	}
}

/* The ways out of up to 16 trees of 6 levels, in 32-bit lanes. */
ENGINE __m512i
walk_6_twice(const uint64_t *masks, bool both)
{
	__m256i		low = _mm512_cvtepi64_epi32(walk_6(masks));
	__m256i		high = both ? _mm512_cvtepi64_epi32(walk_6(masks + 8)) : low;

	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
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
		bool		both = n_trees - t >= 16;
		__mmask16	there = both ? 0xffff : 0xff;
		__m512i		out = walk_6_twice(masks + t, both);
		__m512i		exits = _mm512_mask_i32gather_epi32(
			zero, there, index, (const char *) tails + offsetof(MpDeepTail, exits), 1);
		__m512i		at = _mm512_mask_i32gather_epi32(
			zero, there, index, (const char *) tails + offsetof(MpDeepTail, values), 1);
		__m512i		nodes = _mm512_add_epi32(exits, _mm512_set1_epi32(MP_TOP_PLACES * 2));
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
 * Trees are done in blocks of 32, and a block is decided before the one ahead
 * of it is walked: so its masks are in the cache in time, and the processor has
 * always two kinds of work to choose from.
 */
#define BLOCK_TREES 32

ENGINE void
decide_block(const MpKernel *kernel, const MpKernelChunk *chunk, size_t first, size_t n,
			 Table table)
{
	const uint8_t *tops = (const uint8_t *) kernel->image + chunk->tops;
	int			levels = chunk->levels;

	decide(tops + (first << levels) * 2, (n << levels) / MP_TOP_PLACES, table,
		   kernel->masks + (first << levels) / MP_TOP_PLACES);
}

ENGINE void
block_values(const MpKernel *kernel, const MpKernelChunk *chunk, size_t first, size_t n,
			 Table table, uint32_t *values)
{
	const char *image = (const char *) kernel->image;
	const uint32_t *leaves = (const uint32_t *) (image + chunk->leaves);
	int			levels = chunk->levels;
	const uint64_t *masks = kernel->masks + (first << levels) / MP_TOP_PLACES;

	switch ((MpChunkForm) chunk->form)
	{
		case MP_CHUNK_FLAT:
			flat_values(masks, leaves + (first << levels), n, levels, values);
			break;
		case MP_CHUNK_SHORT:
			short_values(image, chunk, first, n, masks, table, values);
			break;
		case MP_CHUNK_DEEP:
			deep_values(image, chunk, first, n, masks, table, values);
			break;
	}
}

ENGINE size_t
at_most(size_t n, size_t limit)
{
	return n < limit ? n : limit;
}

/* The values of all trees of chunk c, added up. */
ENGINE void
add_chunk(MpKernel *kernel, uint32_t c, Table table, float *margin)
{
	const MpKernelChunk *chunk = &kernel->chunks[c];
	uint32_t   *values = mp_values_of(kernel, c);
	size_t		places = mp_chunk_places(chunk);

	decide_block(kernel, chunk, 0, at_most(places, BLOCK_TREES), table);
	for (size_t t = 0; t < places; t += BLOCK_TREES)
	{
		size_t		n = at_most(places - t, BLOCK_TREES);

		if (t + n < places)
			decide_block(kernel, chunk, t + n, at_most(places - t - n, BLOCK_TREES), table);
		block_values(kernel, chunk, t, n, table, values + t);
		mp_add_values(kernel, values + t, c * MP_CHUNK_TREES + t,
					  at_most(chunk->n_trees - t, n), margin);
	}
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
margin_permute(MpKernel *kernel, bool few, bool two, float *margin)
{
	Table		table;

	table.low = few ? few_cells(kernel->ranks) : _mm512_loadu_si512(kernel->ranks);
	table.high = _mm512_loadu_si512(kernel->ranks + 64);
	table.two = two;
	table.few = few;
	for (uint32_t c = 0; c < kernel->n_chunks; c++)
		add_chunk(kernel, c, table, margin);
	mp_finish_margin(kernel, margin);
}

TARGET void
mp_margin_avx512(MpKernel *kernel, const float *x, float *margin)
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
