/*
 * depth.c: how deep a forest's trees are.
 */
#include "core/forest/depth.h"

/* Longest way from root to leaf, in splits, of one tree; `level` is room for its nodes. */
static int32_t
tree_depth(const MpForest *forest, const MpTree *tree, int32_t *level, int32_t *queue)
{
	const MpNode *nodes = mp_forest_nodes(forest, tree);
	int32_t		deepest = 0;
	uint32_t	head = 0;
	uint32_t	tail = 0;

	queue[tail++] = 0;
	level[0] = 0;
	while (head < tail)
	{
		int32_t		node = queue[head++];
		int32_t		left = nodes[node].left;

		if (left == 0)
		{
			if (level[node] > deepest)
				deepest = level[node];
			continue;
		}
		level[left] = level[left + 1] = level[node] + 1;
		queue[tail++] = left;
		queue[tail++] = left + 1;
	}
	return deepest;
}

int32_t
mp_forest_depth(MpAlloc *alloc, const MpForest *forest)
{
	const MpTree *trees = mp_forest_trees(forest);
	uint32_t	most = 1;
	int32_t		deepest = 0;
	int32_t    *room;

	for (int32_t t = 0; t < forest->n_trees_used; t++)
		if (trees[t].n_nodes > most)
			most = trees[t].n_nodes;
	room = mp_alloc_get(alloc, 2 * sizeof(int32_t) * most);
	if (room == NULL)
		return -1;
	for (int32_t t = 0; t < forest->n_trees_used; t++)
	{
		int32_t		depth = tree_depth(forest, &trees[t], room, room + most);

		if (depth > deepest)
			deepest = depth;
		mp_alloc_poll(alloc);
	}
	mp_alloc_release(alloc, room);
	return deepest;
}
