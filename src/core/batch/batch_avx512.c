/*
 * batch_avx512.c: batches for processors with AVX-512 and its byte permute: 512 rows
 * at once, and the leaves of a tree are a table in registers.
 */
#include "core/batch/batch_run.h"

#if defined(MP_KERNEL_X86)

#include "core/kernel/kernel_target_avx512.h"

#define WORD __m512i
#define LOAD(address) _mm512_loadu_si512(address)
#define STORE(address, word) _mm512_storeu_si512(address, word)
#define BYTES(value) _mm512_set1_epi8(value)
#define SHIFT_LEFT(word, n) _mm512_slli_epi64(word, n)
#define SHIFT_RIGHT(word, n) _mm512_srli_epi64(word, n)
#define SELECT(mask, a, b) _mm512_ternarylogic_epi64(mask, a, b, 0xca)

/*
 * Sixteen rows are looked up together, each by one byte of 16 numbers of 4 bytes: the
 * i-th one's byte j, in word r that `transpose` leaves, is what bit 32i + 8j + r was.
 */
#define PLACE(row) ((row) % 16 * 32 + (row) / 16)

PASS void
decide_cell(const uint8_t *column, bool less, const uint8_t *bounds, size_t n, char *planes)
{
	__m512i		ranks[8];

	MP_UNROLL(8)
	for (int i = 0; i < 8; i++)
		ranks[i] = _mm512_sub_epi8(LOAD(column + 64 * i), BYTES(less));
	for (size_t c = 0; c < n; c++, planes += MP_BATCH_PLANE)
	{
		__m512i		bound = BYTES((char) bounds[c]);

		MP_UNROLL(8)
		for (int i = 0; i < 8; i++)
			_store_mask64((__mmask64 *) (planes + 8 * i),
						  _mm512_cmpgt_epu8_mask(ranks[i], bound));
	}
}

#define DECIDE decide_cell
#include "core/batch/batch_trees.h"

/* From places to the numbers of leaves. */
ENGINE void
number_leaves(const Tree *tree, uint8_t *numbers)
{
	numbers[0] = 0;
	for (uint32_t i = 0; i < tree->n_nodes; i++)
		numbers[tree->places[i]] = i + 1;
}

/* The same, as the table of a permute. */
typedef struct Numbers
{
	__m512i		parts[MP_BATCH_PLACES / 64];
} Numbers;

ENGINE Numbers
load_numbers(const uint8_t *numbers)
{
	Numbers		loaded;

	MP_UNROLL(4)
	for (int i = 0; i < MP_BATCH_PLACES / 64; i++)
		loaded.parts[i] = LOAD(numbers + 64 * i);
	return loaded;
}

ENGINE __m512i
number_of(const Numbers *numbers, __m512i places, int depth)
{
	__m512i		low;

	if (depth <= 6)
		return _mm512_permutexvar_epi8(places, numbers->parts[0]);
	low = _mm512_permutex2var_epi8(numbers->parts[0], places, numbers->parts[1]);
	if (depth <= 7)
		return low;
	return _mm512_mask_blend_epi8(_mm512_movepi8_mask(places), low,
								  _mm512_permutex2var_epi8(numbers->parts[2], places,
														   numbers->parts[3]));
}

/* Leaves of 16 rows, by the lowest byte of their numbers; value_n: out of 2^n. */
ENGINE __m512
value_5(const __m512 *leaves, __m512i numbers)
{
	return _mm512_permutex2var_ps(leaves[0], numbers, leaves[1]);
}

#define DEFINE_VALUE(n, below) \
	ENGINE __m512 \
	value_##n(const __m512 *leaves, __m512i numbers) \
	{ \
		__mmask16	right = _mm512_test_epi32_mask(numbers, _mm512_set1_epi32(1 << below)); \
		__m512		low = value_##below(leaves, numbers); \
		__m512		high = value_##below(leaves + (1 << below) / 16, numbers); \
		\
		return _mm512_mask_blend_ps(right, low, high); \
	}

DEFINE_VALUE(6, 5)
DEFINE_VALUE(7, 6)
DEFINE_VALUE(8, 7)

#undef DEFINE_VALUE

typedef __m512 (*ValueFunction) (const __m512 *leaves, __m512i numbers);

/* Adds a set of leaves, which fit into n registers. */
ENGINE void
add_leaves(float *sums, const float *values, const __m512i *numbers, int n, ValueFunction value)
{
	__m512		leaves[MP_BATCH_PLACES / 16];

	MP_UNROLL(16)
	for (int i = 0; i < n; i++)
		leaves[i] = _mm512_loadu_ps(values + 16 * i);
	MP_UNROLL(4)
	for (int j = 0; j < 4; j++)
	{
		for (int r = 0; r < 8; r++, sums += 16)
			_mm512_storeu_ps(sums, _mm512_add_ps(
				_mm512_loadu_ps(sums), value(leaves, _mm512_srli_epi32(numbers[r], 8 * j))));
	}
}

PASS void
add_32(float *sums, const float *values, const __m512i *numbers)
{
	add_leaves(sums, values, numbers, 2, value_5);
}

PASS void
add_64(float *sums, const float *values, const __m512i *numbers)
{
	add_leaves(sums, values, numbers, 4, value_6);
}

PASS void
add_128(float *sums, const float *values, const __m512i *numbers)
{
	add_leaves(sums, values, numbers, 8, value_7);
}

PASS void
add_256(float *sums, const float *values, const __m512i *numbers)
{
	add_leaves(sums, values, numbers, 16, value_8);
}

PASS void
find_numbers(const char *planes, const Tree *tree, __m512i *numbers)
{
	uint8_t		leaf_numbers[MP_BATCH_PLACES];
	Numbers		table;

	/* long before they are loaded: a load waits for stores of parts of it */
	number_leaves(tree, leaf_numbers);
	find_places(planes, tree, numbers);
	table = load_numbers(leaf_numbers);
	for (int i = 0; i < 8; i++)
	{
		if (tree->depth <= 6)
			numbers[i] = number_of(&table, numbers[i], 6);
		else if (tree->depth == 7)
			numbers[i] = number_of(&table, numbers[i], 7);
		else
			numbers[i] = number_of(&table, numbers[i], 8);
	}
}

/* Tree t of the model. */
ENGINE void
add_tree(MpBatch *batch, const Tree *tree, uint32_t t)
{
	__m512i		numbers[8];
	const float *values = tree->leaves;

	find_numbers(batch->planes, tree, numbers);
	for (uint32_t set = 0; set < batch->n_sets; set++, values += tree->n_nodes + 1)
	{
		size_t		output = mp_batch_output(batch->kernel, t, set);
		float	   *sums = batch->sums + output * MP_BATCH_ROWS;

		if (tree->n_nodes < 32)
			add_32(sums, values, numbers);
		else if (tree->n_nodes < 64)
			add_64(sums, values, numbers);
		else if (tree->n_nodes < 128)
			add_128(sums, values, numbers);
		else
			add_256(sums, values, numbers);
	}
}

TARGET void
mp_batch_score_avx512(MpBatch *batch, const float *x, size_t n, float *margin)
{
	Cursor		cursor = first_tree(batch);
	uint32_t	n_trees = batch->kernel->image->n_trees;
	Tree		trees[2];

	rank_rows(batch, x, n);
	decide(batch);
	start_sums(batch);
	next_tree(batch, &cursor, &trees[0]);
	for (uint32_t t = 0; t < n_trees; t++)
	{
		if (t + 1 < n_trees)
			next_tree(batch, &cursor, &trees[(t + 1) % 2]);
		add_tree(batch, &trees[t % 2], t);
	}
	finish_sums(batch, n, margin);
}

#endif
