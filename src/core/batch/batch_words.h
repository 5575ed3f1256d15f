/*
 * batch_words.h: an engine for batches, in vectors of any size.
 *
 * Included by an engine after it has defined ENGINE, PASS and RANK_IN_BLOCK (see
 * kernel_scalar.h), WORD_BYTES, the size of its registers, and, where it has
 * something better than the compiler makes of it,
 *
 *     OR_AND(a, b, c): a | (b & c);
 *     SELECT(mask, a, b): bits of a where the mask has ones, else of b;
 *     ADD_BY_BYTES(sums, leaves, n_leaves, bytes): adds the leaves of a tree of up to 256.
 *
 * A plane consists of words, a word of lanes of 32 bits. Rows lie in it so that as
 * many rows that follow each other as there are lanes have the same bit of each:
 * comparisons of floats then need no packing.
 */
#include "core/batch/batch_run.h"
#include "core/kernel/kernel_rank.h"

typedef uint32_t Word __attribute__((vector_size(WORD_BYTES), may_alias));
typedef float Floats __attribute__((vector_size(WORD_BYTES), may_alias));

#define N_WORDS (MP_BATCH_PLANE / WORD_BYTES)
#define N_LANES (WORD_BYTES / 4)

#if !defined(OR_AND)
#define OR_AND(a, b, c) ((a) | ((b) & (c)))
#define SELECT(mask, a, b) ((b) ^ ((mask) & ((a) ^ (b))))
#endif

/* How far apart are the floats that a row is compared with first. */
#if !defined(RANK_STEP)
#define RANK_STEP MP_RANK_FANOUT
#define RANK_IN_STEP RANK_IN_BLOCK
#endif

/* Slots with no more thresholds need no ranks: a row is compared with each. */
#if !defined(DIRECT_THRESHOLDS)
#define DIRECT_THRESHOLDS 24
#endif

#define EACH_WORD(w) MP_UNROLL(4) for (int w = 0; w < N_WORDS; w++)

/* Where a slot's feature stands, or its rank, for all rows. */
ENGINE float *
column_of(const MpBatch *batch, uint32_t slot)
{
	return batch->columns + slot % MP_BATCH_GROUP * MP_BATCH_COLUMN;
}

/* The planes of a slot's conditions, one after the other. */
ENGINE char *
put_planes(char *planes, uint32_t flags, const Word *right, const Word *missing)
{
	Word	   *to = (Word *) planes;

	EACH_WORD(w)
		to[w] = right[w];
	planes += (flags & MP_BATCH_LEFT) * MP_BATCH_PLANE;
	to = (Word *) planes;
	EACH_WORD(w)
		to[w] = right[w] | missing[w];
	return planes + flags / MP_BATCH_RIGHT * MP_BATCH_PLANE;
}

/* Which rows of a column are at least as great as each of two thresholds. */
ENGINE void
compare_2(const Floats *column, float first, float second, Word *a, Word *b)
{
	Word		zero = {0};
	Floats		t = first - (Floats) zero;
	Floats		u = second - (Floats) zero;

	EACH_WORD(w)
		a[w] = b[w] = zero;
	for (int q = 31; q >= 0; q--)
	{
		EACH_WORD(w)
		{
			Floats		x = column[w * 32 + q];

			a[w] = a[w] + a[w] - (Word) (x >= t);
			b[w] = b[w] + b[w] - (Word) (x >= u);
		}
	}
}

ENGINE void
find_missing(const Floats *column, Word *missing)
{
	Word		zero = {0};

	EACH_WORD(w)
		missing[w] = zero;
	for (int q = 31; q >= 0; q--)
	{
		EACH_WORD(w)
		{
			Floats		x = column[w * 32 + q];

			missing[w] = missing[w] + missing[w] - (Word) (x != x);
		}
	}
}

/* Planes of a slot with few thresholds, by its feature's column. */
PASS char *
compare_slot(const MpBatch *batch, const MpBatchSlot *slot, const float *column, char *planes)
{
	const uint8_t *flags = batch->flags + slot->first;
	const float *t = slot->thresholds + slot->n;
	Word		missing[N_WORDS];

	find_missing((const Floats *) column, missing);
	for (uint32_t i = 0; i < slot->n; i += 2)
	{
		bool		two = i + 1 < slot->n;
		Word		a[N_WORDS];
		Word		b[N_WORDS];

		t -= 1 + two;
		compare_2((const Floats *) column, t[two], t[0], a, b);
		planes = put_planes(planes, flags[i], a, missing);
		if (two)
			planes = put_planes(planes, flags[i + 1], b, missing);
	}
	return planes;
}

/* Sets each row's bit in the plane of its rank. */
ENGINE void
scatter(const uint32_t *ranks, char *ranked)
{
	for (int w = 0; w < N_WORDS; w++, ranked += WORD_BYTES)
	{
		for (int q = 0; q < 32; q++, ranks += N_LANES)
		{
			for (int lane = 0; lane < N_LANES; lane++)
			{
				uint32_t   *bits = (uint32_t *) (ranked + (size_t) ranks[lane] * MP_BATCH_PLANE);

				bits[lane] |= UINT32_C(1) << q;
			}
		}
	}
}

/* Planes of a slot, by the ranks of its rows. */
PASS char *
rank_slot(const MpBatch *batch, const MpBatchSlot *slot, const uint32_t *ranks, char *planes)
{
	const uint8_t *flags = batch->flags + slot->first;
	Word	   *ranked = (Word *) batch->ranked;
	Word		missing[N_WORDS];
	Word		right[N_WORDS];
	Word		zero = {0};

	scatter(ranks, batch->ranked);
	EACH_WORD(w)
	{
		missing[w] = ranked[w];
		right[w] = zero;
		ranked[w] = zero;
		ranked[N_WORDS + w] = zero;
	}

	/* rank 0 is missing, 1 less than all thresholds */
	ranked += (size_t) N_WORDS * (slot->n + 1);
	for (uint32_t i = 0; i < slot->n; i++, ranked -= N_WORDS)
	{
		EACH_WORD(w)
		{
			right[w] |= ranked[w];
			ranked[w] = zero;
		}
		planes = put_planes(planes, flags[i], right, missing);
	}
	return planes;
}

/* What the tests of slots first .. end - 1 say of a row's code. */
ENGINE void
test_row(const MpBatch *batch, const MpKernelGroup *group, float code, size_t row, uint32_t first,
		 uint32_t end)
{
	const uint8_t *bits = code_bits(batch->kernel, group, code);

	for (uint32_t slot = first; slot < end; slot++)
	{
		uint32_t	test = slot - group->first_slot;
		float		in = bits != NULL ? bits[test / 8] >> (test % 8) & 1 : 0;

		column_of(batch, slot)[row] = code == code ? in : code;
	}
}

/* Rows that the block does not have are missing. */
ENGINE void
clear_columns(const MpBatch *batch, size_t n, uint32_t first, uint32_t end)
{
	for (uint32_t slot = first; slot < end; slot++)
		memset(column_of(batch, slot) + n, 0, (MP_BATCH_ROWS - n) * sizeof(float));
}

/* The features of n_slots slots from `first` on, a column each. */
ENGINE void
fill_some(const MpBatch *batch, const float *x, size_t n, uint32_t first, uint32_t n_slots)
{
	const float *values[MP_BATCH_GROUP];
	float	   *columns[MP_BATCH_GROUP];
	size_t		n_features = batch->kernel->image->n_features;

	for (uint32_t i = 0; i < n_slots; i++)
	{
		values[i] = x + batch->kernel->slots[first + i].feature;
		columns[i] = column_of(batch, first + i);
	}
	for (size_t row = 0; row < n; row++)
	{
		MP_PREFETCH(values[0] + (row + 16) * n_features);
		MP_UNROLL(8)
		for (uint32_t i = 0; i < n_slots; i++)
			columns[i][row] = values[i][row * n_features];
	}
}

PASS void
fill_columns(const MpBatch *batch, const float *x, size_t n, uint32_t first, uint32_t end)
{
	clear_columns(batch, n, first, end);
	if (end - first == MP_BATCH_GROUP)
		fill_some(batch, x, n, first, MP_BATCH_GROUP);
	else
		fill_some(batch, x, n, first, end - first);
}

/*
 * Which block of RANK_STEP floats of a slot each row's rank lies in: as many as have a
 * last float that is not greater.
 */
ENGINE void
find_blocks(const float *floats, uint32_t n, const Floats *x, Word *blocks)
{
	for (int i = 0; i < MP_BATCH_ROWS / N_LANES; i += 4)
	{
		Word		found[4] = {{0}};

		for (uint32_t pivot = RANK_STEP - 1; pivot < n; pivot += RANK_STEP)
		{
			Floats		t = floats[pivot] - (Floats) {0};

			MP_UNROLL(4)
			for (int j = 0; j < 4; j++)
				found[j] -= (Word) (x[i + j] >= t);
		}
		MP_UNROLL(4)
		for (int j = 0; j < 4; j++)
			blocks[i + j] = found[j];
	}
}

/* Features become ranks: how many of the slot's floats, -Infinity first, are not greater. */
PASS void
rank_column(const MpBatch *batch, uint32_t slot, int levels, float *column)
{
	const float *floats = batch->slots[slot].thresholds - 1;
	uint32_t	n = batch->slots[slot].n + 1;
	uint32_t   *ranks = (uint32_t *) column;
	uint32_t	blocks[MP_BATCH_ROWS] __attribute__((aligned(64)));

	if (n > MP_BATCH_BLOCKS)
	{
		for (size_t row = 0; row < MP_BATCH_ROWS; row++)
			ranks[row] = rank_value(batch->kernel, slot, levels, column[row]);
		return;
	}
	find_blocks(floats, n, (const Floats *) column, (Word *) blocks);
	for (size_t row = 0; row < MP_BATCH_ROWS; row++)
	{
		uint32_t	first = blocks[row] * RANK_STEP;

		ranks[row] = first + RANK_IN_STEP(floats + first, column[row]);
	}
}

/* Planes of a numeric slot, the features of which are in its column. */
ENGINE char *
decide_slot(const MpBatch *batch, uint32_t number, int levels, char *planes)
{
	const MpBatchSlot *slot = &batch->slots[number];
	float	   *column = column_of(batch, number);

	if (slot->n <= DIRECT_THRESHOLDS)
		return compare_slot(batch, slot, column, planes);
	rank_column(batch, number, levels, column);
	return rank_slot(batch, slot, (const uint32_t *) column, planes);
}

/* The slots whose search trees have so many levels. */
ENGINE char *
decide_level(const MpBatch *batch, const float *x, size_t n, uint32_t *first, int levels,
			 char *planes)
{
	uint32_t	end = *first + batch->kernel->image->level_slots[levels - 1];

	while (*first < end)
	{
		uint32_t	stop = end - *first < MP_BATCH_GROUP ? end : *first + MP_BATCH_GROUP;

		fill_columns(batch, x, n, *first, stop);
		for (; *first < stop; (*first)++)
			planes = decide_slot(batch, *first, levels, planes);
	}
	return planes;
}

/* The category tests of a feature, a few at a time: 1 where the row's code is in the set, else 0. */
ENGINE char *
decide_tests(const MpBatch *batch, const MpKernelGroup *group, const float *x, size_t n,
			 char *planes)
{
	size_t		n_features = batch->kernel->image->n_features;
	uint32_t	last = group->first_slot + group->n_tests;

	for (uint32_t first = group->first_slot; first < last; first += MP_BATCH_GROUP)
	{
		uint32_t	end = last - first < MP_BATCH_GROUP ? last : first + MP_BATCH_GROUP;

		clear_columns(batch, n, first, end);
		for (size_t row = 0; row < n; row++)
			test_row(batch, group, x[row * n_features + group->feature], row, first, end);
		for (uint32_t slot = first; slot < end; slot++)
			planes = compare_slot(batch, &batch->slots[slot], column_of(batch, slot), planes);
	}
	return planes;
}

/* The planes of all conditions. */
PASS void
decide(const MpBatch *batch, const float *x, size_t n)
{
	char	   *planes = batch->planes + MP_BATCH_PLANE;
	uint32_t	slot = 0;

	planes = decide_level(batch, x, n, &slot, 1, planes);
	planes = decide_level(batch, x, n, &slot, 2, planes);
	planes = decide_level(batch, x, n, &slot, 3, planes);
	planes = decide_level(batch, x, n, &slot, 4, planes);
	for (uint32_t g = 0; g < batch->kernel->n_groups; g++)
		planes = decide_tests(batch, &batch->kernel->groups[g], x, n, planes);
}

/* Splits between asking for a plane and using it. */
#define AHEAD MP_BATCH_AHEAD

/* All boundaries of a tree. */
PASS void
find_boundaries(const char *planes, const MpBatchSplit *splits, uint32_t n_leaves,
				char *boundaries)
{
	Word	   *all = (Word *) boundaries;
	Word		zero = {0};

	EACH_WORD(w)
	{
		all[w] = ~zero;
		all[n_leaves * N_WORDS + w] = zero;
	}
	for (const MpBatchSplit *split = splits; split < splits + n_leaves - 1; split++)
	{
		const Word *plane = (const Word *) (planes + (size_t) split->condition * MP_BATCH_PLANE);
		const Word *low = all + (size_t) split->low * N_WORDS;
		const Word *high = all + (size_t) split->high * N_WORDS;
		Word	   *middle = all + (size_t) split->middle * N_WORDS;

		MP_PREFETCH(planes + (size_t) split[AHEAD].condition * MP_BATCH_PLANE);
		EACH_WORD(w)
			middle[w] = OR_AND(high[w], low[w], plane[w]);
	}
}

/* The exclusive or of each `step`-th boundary from `first` on. */
ENGINE void
fold_step(const char *boundaries, uint32_t n_leaves, uint32_t first, uint32_t step, Word *folded)
{
	const Word *all = (const Word *) boundaries;
	Word		zero = {0};

	EACH_WORD(w)
		folded[w] = zero;
	MP_UNROLL(4)
	for (uint32_t i = first; i < n_leaves; i += step)
	{
		EACH_WORD(w)
			folded[w] ^= all[i * N_WORDS + w];
	}
}

/* Swaps bits of two words, so that each has the mask's bits of both, side by side. */
ENGINE void
swap(Word *a, Word *b, int shift, uint32_t mask)
{
	Word		m = mask - (Word) {0};
	Word		low = SELECT(m, *a, *b << shift);

	*b = SELECT(m, *a >> shift, *b);
	*a = low;
}

/* Byte j of a lane of words[r] becomes what bit 8j + r of the lane was, in all words. */
ENGINE void
transpose(Word *words)
{
	MP_UNROLL(4)
	for (int i = 0; i < 4; i++)
		swap(&words[i], &words[i + 4], 4, 0x0f0f0f0f);
	MP_UNROLL(2)
	for (int i = 0; i < 8; i += 4)
	{
		swap(&words[i], &words[i + 2], 2, 0x33333333);
		swap(&words[i + 1], &words[i + 3], 2, 0x33333333);
	}
	MP_UNROLL(4)
	for (int i = 0; i < 8; i += 2)
		swap(&words[i], &words[i + 1], 1, 0x55555555);
}

/*
 * From boundaries to the bytes of the leaves' numbers, the low ones and, of trees of more than
 * 256 leaves, the high ones: bytes[b][w], as `transpose` has them.
 */
ENGINE void
find_bytes(const char *boundaries, uint32_t n_leaves, int n_bytes, Word (*bytes)[N_WORDS][8])
{
	Word		bits[16][N_WORDS];

	for (int bit = 0; bit < 8 * n_bytes; bit++)
		fold_step(boundaries, n_leaves, 1u << bit, 2u << bit, bits[bit]);

	/* so far without the boundaries that higher bits have, too */
	for (int bit = 8 * n_bytes - 1; bit > 0; bit--)
	{
		EACH_WORD(w)
			bits[bit - 1][w] ^= bits[bit][w];
	}
	for (int byte = 0; byte < n_bytes; byte++)
	{
		EACH_WORD(w)
		{
			for (int i = 0; i < 8; i++)
				bytes[byte][w][i] = bits[8 * byte + i][w];
			transpose(bytes[byte][w]);
		}
	}
}

PASS void
find_small(const char *boundaries, uint32_t n_leaves, Word (*bytes)[N_WORDS][8])
{
	find_bytes(boundaries, n_leaves, 1, bytes);
}

/* The numbers of the leaves that rows come to. */
PASS void
find_numbers(const char *boundaries, uint32_t n_leaves, Word *numbers)
{
	Word		bytes[2][N_WORDS][8];

	find_bytes(boundaries, n_leaves, 2, bytes);
	for (int w = 0; w < N_WORDS; w++)
	{
		for (int q = 0; q < 32; q++)
			*numbers++ = (bytes[0][w][q % 8] >> (q / 8 * 8) & 255) |
				(bytes[1][w][q % 8] >> (q / 8 * 8) & 255) << 8;
	}
}

/* Walks 8 rows down a tree until all are at leaves. */
ENGINE void
walk_8(const MpBatchNode *nodes, const char *planes, const uint32_t *bytes, const uint32_t *shifts,
	   uint32_t *numbers)
{
	uint32_t	moved;

	for (int i = 0; i < 8; i++)
		numbers[i] = 0;
	do
	{
		moved = 0;
		MP_UNROLL(8)
		for (int i = 0; i < 8; i++)
		{
			const MpBatchNode *node = &nodes[numbers[i]];
			uint32_t	plane = *(const uint32_t *) (planes + (size_t) node->condition *
													 MP_BATCH_PLANE + bytes[i]);
			uint32_t	next = node->next + (plane >> shifts[i] & 1);

			moved |= next ^ numbers[i];
			numbers[i] = next;
		}
	} while (moved != 0);
}

PASS void
walk(const MpBatch *batch, const MpBatchNode *nodes, uint32_t *numbers)
{
	for (size_t first = 0; first < MP_BATCH_ROWS; first += 8)
	{
		uint32_t	bytes[8];
		uint32_t	shifts[8];

		for (size_t i = 0; i < 8; i++)
		{
			size_t		row = first + i;

			bytes[i] = row / (8 * WORD_BYTES) * WORD_BYTES + row % N_LANES * 4;
			shifts[i] = row / N_LANES % 32;
		}
		walk_8(nodes, batch->planes, bytes, shifts, numbers + first);
	}
}

PASS void
add_by_numbers(float *sums, const float *leaves, const uint32_t *numbers)
{
	MP_UNROLL(4)
	for (size_t row = 0; row < MP_BATCH_ROWS; row++)
		sums[row] += leaves[numbers[row]];
}

/* Where the byte of the first of N_LANES rows is; the others' are 4 further each. */
#define BYTE_AT(row) \
	((row) / (8 * WORD_BYTES) * (8 * WORD_BYTES) + (row) / N_LANES % 8 * WORD_BYTES + \
	 (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 3 - (row) / N_LANES / 8 % 4 : (row) / N_LANES / 8 % 4))

/* Adds n trees of up to 256 leaves, so that sums are loaded and stored once. */
ENGINE void
add_by_bytes(float *sums, const float *const *leaves, const uint8_t (*bytes)[MP_BATCH_ROWS], int n)
{
	for (size_t first = 0; first < MP_BATCH_ROWS; first += N_LANES, sums += N_LANES)
	{
		size_t		at = BYTE_AT(first);

		MP_UNROLL(8)
		for (int lane = 0; lane < N_LANES; lane++)
		{
			float		sum = sums[lane];

			MP_UNROLL(4)
			for (int i = 0; i < n; i++)
				sum += leaves[i][bytes[i][at + 4 * lane]];
			sums[lane] = sum;
		}
	}
}

PASS void
add_one(float *sums, const float *leaves, const void *bytes)
{
	add_by_bytes(sums, &leaves, bytes, 1);
}

PASS void
add_waiting(float *sums, const MpBatchWaiting *waiting)
{
	add_by_bytes(sums, waiting->leaves, waiting->bytes, MP_BATCH_WAITING);
}

#if !defined(ADD_BY_BYTES)
#define ADD_BY_BYTES(sums, leaves, n_leaves, bytes) add_one(sums, leaves, bytes)
#endif

ENGINE float *
sums_of(const MpBatch *batch, uint32_t output)
{
	return batch->sums + (size_t) output * MP_BATCH_ROWS;
}

/* Adds the trees that wait for others of the same output. */
ENGINE void
add_rest(const MpBatch *batch, uint32_t output)
{
	MpBatchWaiting *waiting = &batch->waiting[output];

	for (uint32_t i = 0; i < waiting->n; i++)
		add_one(sums_of(batch, output), waiting->leaves[i], waiting->bytes[i]);
	waiting->n = 0;
}

/* Tree t of the model, one of up to 256 leaves; its boundaries are known. */
ENGINE void
add_small(const MpBatch *batch, uint32_t t, const float *leaves, uint32_t n_leaves)
{
	Word		bytes[1][N_WORDS][8];

	if (batch->waiting != NULL)
	{
		uint32_t	output = mp_batch_output(batch->kernel, t, 0);
		MpBatchWaiting *waiting = &batch->waiting[output];

		waiting->leaves[waiting->n] = leaves;
		find_small(batch->boundaries, n_leaves, (void *) waiting->bytes[waiting->n]);
		if (++waiting->n == MP_BATCH_WAITING)
		{
			add_waiting(sums_of(batch, output), waiting);
			waiting->n = 0;
		}
		return;
	}
	find_small(batch->boundaries, n_leaves, bytes);
	for (uint32_t set = 0; set < batch->n_sets; set++, leaves += n_leaves)
		ADD_BY_BYTES(sums_of(batch, mp_batch_output(batch->kernel, t, set)), leaves, n_leaves,
					 bytes);
}

/* Tree t, one that is walked or has more leaves; `numbers` are those of the rows' leaves. */
ENGINE void
add_large(const MpBatch *batch, uint32_t t, const float *leaves, uint32_t n_leaves,
		  const uint32_t *numbers)
{
	for (uint32_t set = 0; set < batch->n_sets; set++, leaves += n_leaves)
	{
		uint32_t	output = mp_batch_output(batch->kernel, t, set);

		if (batch->waiting != NULL)
			add_rest(batch, output);
		add_by_numbers(sums_of(batch, output), leaves, numbers);
	}
}

ENGINE void
add_trees(const MpBatch *batch)
{
	const MpBatchSplit *splits = batch->splits;
	const MpBatchNode *nodes = batch->nodes;
	const float *leaves = batch->leaves;
	Word		numbers[MP_BATCH_ROWS / N_LANES];

	for (uint32_t t = 0; t < (uint32_t) batch->kernel->image->n_trees; t++)
	{
		uint32_t	n_leaves = batch->trees[t].n_leaves;

		if (batch->trees[t].walked)
		{
			walk(batch, nodes, (uint32_t *) numbers);
			nodes += n_leaves;
		}
		else
		{
			find_boundaries(batch->planes, splits, n_leaves, batch->boundaries);
			splits += n_leaves - 1;
			if (n_leaves > 256)
				find_numbers(batch->boundaries, n_leaves, numbers);
		}
		if (n_leaves <= 256 && !batch->trees[t].walked)
			add_small(batch, t, leaves, n_leaves);
		else
			add_large(batch, t, leaves, n_leaves, (const uint32_t *) numbers);
		leaves += n_leaves * batch->n_sets;
	}
	for (int k = 0; batch->waiting != NULL && k < batch->kernel->image->n_outputs; k++)
		add_rest(batch, k);
}

ENGINE void
start_sums(MpBatch *batch)
{
	const float *base = mp_forest_base(batch->kernel->forest);
	float	   *sums = batch->sums;

	for (int k = 0; k < batch->kernel->image->n_outputs; k++)
	{
		for (int row = 0; row < MP_BATCH_ROWS; row++)
			*sums++ = base[k];
	}
}

ENGINE void
finish_sums(const MpBatch *batch, size_t n, float *margin)
{
	size_t		n_outputs = batch->kernel->image->n_outputs;

	for (size_t row = 0; row < n; row++)
	{
		for (size_t k = 0; k < n_outputs; k++)
			*margin++ = batch->sums[k * MP_BATCH_ROWS + row];
	}
}

ENGINE void
score(MpBatch *batch, const float *x, size_t n, float *margin)
{
	decide(batch, x, n);
	start_sums(batch);
	add_trees(batch);
	finish_sums(batch, n, margin);
}
