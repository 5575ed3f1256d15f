/*
 * batch_words.h: an engine for batches, in vectors of any size.
 *
 * Included by an engine after it has defined ENGINE, PASS and RANK_IN_BLOCK (see
 * kernel_scalar.h), WORD_BYTES, the size of its registers, and, where it has
 * something better than the compiler makes of it,
 *
 *     OR_AND(a, b, c): a | (b & c);
 *     SELECT(mask, a, b): bits of a where the mask has ones, else of b;
 *     ADD_BY_BYTES_float(sums, leaves, n_leaves, bytes): adds the leaves of a tree of up
 *         to 256, in single precision.
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

/*
 * How far apart are the numbers that a row is compared with first, and how many of so many
 * are <= x.
 */
#if !defined(STEP_float)
#define STEP_float MP_RANK_FANOUT
#define RANK_IN_STEP_float RANK_IN_BLOCK
#define STEP_double MP_RANK_FANOUT
#define RANK_IN_STEP_double rank_in_double_block
#endif

/* Slots with no more thresholds need no ranks: a row is compared with each. */
#if !defined(DIRECT_THRESHOLDS)
#define DIRECT_THRESHOLDS 24
#endif

#define EACH_WORD(w) MP_UNROLL(4) for (int w = 0; w < N_WORDS; w++)

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
	const float *t = (const float *) slot->numbers + 1 + slot->n;
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

/* Where the byte of the first of N_LANES rows is; the others' are 4 further each. */
#define BYTE_AT(row) \
	((row) / (8 * WORD_BYTES) * (8 * WORD_BYTES) + (row) / N_LANES % 8 * WORD_BYTES + \
	 (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 3 - (row) / N_LANES / 8 % 4 : (row) / N_LANES / 8 % 4))

#if !defined(ADD_BY_BYTES_float)
#define ADD_BY_BYTES_float(sums, leaves, n_leaves, bytes) add_one_float(sums, leaves, bytes)
#endif
#define ADD_BY_BYTES_double(sums, leaves, n_leaves, bytes) add_one_double(sums, leaves, bytes)

/* A category test's column: 1 where the row's code is in the set, else 0. */
ENGINE float *
test_column(const MpBatch *batch, uint32_t slot)
{
	return (float *) batch->columns + slot % MP_BATCH_GROUP * MP_BATCH_COLUMN;
}

#define REAL float
#define WHOLE uint32_t
#define OF(name) name##_float
#include "core/batch/batch_reals.h"

#define REAL double
#define WHOLE uint64_t
#define OF(name) name##_double
#include "core/batch/batch_reals.h"

ENGINE void
score(MpBatch *batch, const void *x, size_t n, void *margin)
{
	if (batch->kernel->image->precision == MP_PRECISION_DOUBLE)
		score_double(batch, x, n, margin);
	else
		score_float(batch, x, n, margin);
}
