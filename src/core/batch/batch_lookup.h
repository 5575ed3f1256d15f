/*
 * batch_lookup.h: a whole engine for batches where leaves are looked up one by one.
 *
 * Included by an engine after it has defined what batch_trees.h needs, but PLACE.
 */

/* Rows lie in words as `transpose` leaves them: bytes of words are rows in their order. */
#define PLACE(row) \
	((row) / WORD_ROWS * WORD_ROWS + (row) % (WORD_ROWS / 8) * 8 + \
	 (row) % WORD_ROWS / (WORD_ROWS / 8))

#include "core/batch/batch_trees.h"

/* Trees that are added together, so that sums are loaded and stored once. */
#define GROUP_TREES 4

typedef struct Group
{
	size_t		n_rows;			/* in whole words */
	Tree		trees[GROUP_TREES];
	uint8_t		places[GROUP_TREES][MP_BATCH_ROWS];	/* of the leaves that rows come to */
	float		leaves[GROUP_TREES][MP_BATCH_PLACES];
} Group;

PASS void
find_leaves(const char *planes, const Tree *tree, size_t n_rows, uint8_t *places)
{
	for (size_t row = 0; row < n_rows; row += WORD_ROWS)
	{
		WORD		words[8];

		find_places(planes + row / 8, tree, words);
		for (size_t i = 0; i < 8; i++)
			STORE(places + row + i * sizeof(WORD), words[i]);
	}
}

/* Puts a set of a tree's leaves where their places are. */
ENGINE void
place_leaves(const Tree *tree, uint32_t set, float *leaves)
{
	const float *values = tree->leaves + set * (tree->n_nodes + 1);

	leaves[0] = values[0];
	for (uint32_t i = 0; i < tree->n_nodes; i++)
		leaves[tree->places[i]] = values[i + 1];
}

PASS void
add_tree(float *sums, const float *leaves, const uint8_t *places, size_t n_rows)
{
	MP_UNROLL(4)
	for (size_t row = 0; row < n_rows; row++)
		sums[row] += leaves[places[row]];
}

PASS void
add_group(float *sums, const Group *group)
{
	for (size_t row = 0; row < group->n_rows; row++)
	{
		float		sum = sums[row];

		MP_UNROLL(4)
		for (int i = 0; i < GROUP_TREES; i++)
			sum += group->leaves[i][group->places[i][row]];
		sums[row] = sum;
	}
}

ENGINE void
add_sets(MpBatch *batch, Group *group, uint32_t i, uint32_t t)
{
	for (uint32_t set = 0; set < batch->n_sets; set++)
	{
		size_t		output = mp_batch_output(batch->kernel, t, set);
		float	   *sums = batch->sums + output * MP_BATCH_ROWS;

		place_leaves(&group->trees[i], set, group->leaves[i]);
		add_tree(sums, group->leaves[i], group->places[i], group->n_rows);
	}
}

/* n trees, from tree t of the model on */
ENGINE void
add_trees(MpBatch *batch, Cursor *cursor, Group *group, uint32_t t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		next_tree(batch, cursor, &group->trees[i]);
	for (uint32_t i = 0; i < n; i++)
		find_leaves(batch->planes, &group->trees[i], group->n_rows, group->places[i]);
	if (n == GROUP_TREES && batch->kernel->image->n_outputs == 1)
	{
		for (uint32_t i = 0; i < n; i++)
			place_leaves(&group->trees[i], 0, group->leaves[i]);
		add_group(batch->sums, group);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		add_sets(batch, group, i, t + i);
}

ENGINE void
score(MpBatch *batch, const float *x, size_t n, float *margin)
{
	Cursor		cursor = first_tree(batch);
	uint32_t	n_trees = batch->kernel->image->n_trees;
	Group		group;

	group.n_rows = (n + WORD_ROWS - 1) / WORD_ROWS * WORD_ROWS;
	rank_rows(batch, x, n);
	decide(batch);
	start_sums(batch);
	for (uint32_t t = 0; t < n_trees; t += GROUP_TREES)
		add_trees(batch, &cursor, &group, t,
				  n_trees - t < GROUP_TREES ? n_trees - t : GROUP_TREES);
	finish_sums(batch, n, margin);
}
