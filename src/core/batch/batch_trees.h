/*
 * batch_trees.h: what the engines of batches share: from ranks to planes, from
 * planes to the numbers of leaves.
 *
 * Included by an engine after it has defined ENGINE, PASS and RANK_IN_BLOCK (see
 * kernel_scalar.h) and
 *
 *     WORD, and LOAD(address) and STORE(address, word): a register and its bits;
 *     SELECT(mask, a, b): bits of a where the mask has ones, else of b;
 *     BYTES(value): a word of such bytes; SHIFT_LEFT(word, n), SHIFT_RIGHT(word, n):
 *         of bits, whatever comes from other bytes;
 *     PLACE(row): which bit of a plane a row has;
 *     DECIDE(column, less, bounds, n, planes): planes of the conditions of a cell.
 */
#include "core/batch/batch_run.h"
#include "core/kernel/kernel_rank.h"

#define WORD_ROWS (sizeof(WORD) * 8)

ENGINE void
put_rank(void *row, uint32_t slot, uint32_t left)
{
	((uint8_t *) row)[(size_t) slot * MP_BATCH_COLUMN] = left;
}

PASS void
rank_rows(MpBatch *batch, const float *x, size_t n)
{
	size_t		n_features = batch->kernel->image->n_features;

	for (size_t row = 0; row < n; row++)
		rank_row(batch->kernel, x + row * n_features, batch->ranks + PLACE(row), put_rank);
}

PASS void
decide(MpBatch *batch)
{
	const uint8_t *bounds = batch->bounds;
	char	   *planes = batch->planes + MP_BATCH_PLANE;

	for (uint32_t c = 0; c < batch->n_cells; c++)
	{
		MpBatchCell cell = batch->cells[c];

		DECIDE(batch->ranks + (size_t) cell.slot * MP_BATCH_COLUMN, cell.less, bounds, cell.n,
			   planes);
		bounds += cell.n;
		planes += cell.n * MP_BATCH_PLANE;
	}
}

/* A tree as it is walked. */
typedef struct Tree
{
	uint32_t	planes[MP_BATCH_PLACES];	/* where the nodes' ones are, in bytes */
	uint32_t	depth;
	uint32_t	n_nodes;
	const uint8_t *places;		/* of the nodes */
	const float *leaves;
} Tree;

/* Where the next tree is. */
typedef struct Cursor
{
	const MpBatchTree *tree;
	const uint16_t *conditions;
	const uint8_t *places;
	const float *leaves;
} Cursor;

ENGINE Cursor
first_tree(const MpBatch *batch)
{
	return (Cursor) {batch->trees, batch->conditions, batch->places, batch->leaves};
}

/* The next tree; what it needs comes into the cache while another one is walked. */
ENGINE void
next_tree(const MpBatch *batch, Cursor *cursor, Tree *tree)
{
	uint32_t	n = cursor->tree->n_nodes;

	tree->depth = cursor->tree->depth;
	tree->n_nodes = n;
	tree->places = cursor->places;
	tree->leaves = cursor->leaves;
	memset(tree->planes, 0, sizeof(uint32_t) << tree->depth);
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	plane = cursor->conditions[i] * (uint32_t) MP_BATCH_PLANE;

		tree->planes[cursor->places[i]] = plane;
		MP_PREFETCH(batch->planes + plane);
	}
	cursor->tree++;
	cursor->conditions += n;
	cursor->places += n;
	cursor->leaves += (n + 1) * batch->n_sets;
}

/*
 * What the nodes of a level say on each row's path, whose first n bits are known.
 * pick_n is for 2^n nodes, `gap` places from each other. The last bit, known last,
 * chooses last.
 */
ENGINE WORD
pick_0(const char *planes, const uint32_t *nodes, int at, int gap, const WORD *bits)
{
	return LOAD(planes + nodes[at]);
}

#define DEFINE_PICK(n, above) \
	ENGINE WORD \
	pick_##n(const char *planes, const uint32_t *nodes, int at, int gap, const WORD *bits) \
	{ \
		WORD		left = pick_##above(planes, nodes, at, 2 * gap, bits); \
		WORD		right = pick_##above(planes, nodes, at + gap, 2 * gap, bits); \
		\
		return SELECT(bits[n - 1], right, left); \
	}

DEFINE_PICK(1, 0)
DEFINE_PICK(2, 1)
DEFINE_PICK(3, 2)
DEFINE_PICK(4, 3)
DEFINE_PICK(5, 4)
DEFINE_PICK(6, 5)
DEFINE_PICK(7, 6)

#undef DEFINE_PICK

/* Swaps bits of two words, so that each has the mask's bits of both, side by side. */
ENGINE void
swap(WORD *a, WORD *b, int shift, WORD mask)
{
	WORD		low = SELECT(mask, *a, SHIFT_LEFT(*b, shift));

	*b = SELECT(mask, SHIFT_RIGHT(*a, shift), *b);
	*a = low;
}

/* Byte j of words[r] becomes what bit 8j + r of all words was. */
ENGINE void
transpose(WORD *words)
{
	MP_UNROLL(4)
	for (int i = 0; i < 4; i++)
		swap(&words[i], &words[i + 4], 4, BYTES(0x0f));
	MP_UNROLL(2)
	for (int i = 0; i < 8; i += 4)
	{
		swap(&words[i], &words[i + 2], 2, BYTES(0x33));
		swap(&words[i + 1], &words[i + 3], 2, BYTES(0x33));
	}
	MP_UNROLL(4)
	for (int i = 0; i < 8; i += 2)
		swap(&words[i], &words[i + 1], 1, BYTES(0x55));
}

/* The places of the leaves that a word of rows comes to, a byte each, as `transpose` has them. */
ENGINE void
find_places_of(const char *planes, const uint32_t *nodes, int depth, WORD *words)
{
	WORD		bits[MP_BATCH_DEPTH];

#define LEVEL(n) \
	if (depth > n) \
		bits[n] = pick_##n(planes, nodes, 1 << (depth - 1 - n), 1 << (depth - n), bits)

	LEVEL(0);
	LEVEL(1);
	LEVEL(2);
	LEVEL(3);
	LEVEL(4);
	LEVEL(5);
	LEVEL(6);
	LEVEL(7);
#undef LEVEL

	MP_UNROLL(8)
	for (int i = 0; i < MP_BATCH_DEPTH; i++)
		words[i] = i < depth ? bits[depth - 1 - i] : BYTES(0);
	transpose(words);
}

ENGINE void
find_places(const char *planes, const Tree *tree, WORD *words)
{
#define CASE(n) \
	case n: \
		find_places_of(planes, tree->planes, n, words); \
		break

	switch (tree->depth)
	{
		CASE(1);
		CASE(2);
		CASE(3);
		CASE(4);
		CASE(5);
		CASE(6);
		CASE(7);
		CASE(8);
	}
#undef CASE
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
