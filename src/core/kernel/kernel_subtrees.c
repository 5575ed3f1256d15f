/*
 * kernel_subtrees.c: lays out the subtrees of trees in images of bytes: see kernel_image.h.
 */
#include "core/kernel/kernel_subtrees.h"
#include "core/kernel/kernel_write.h"

#include <string.h>

/* A subtree while it is filled in. */
typedef struct Subtree
{
	const MpTree *tree;
	const MpNode *nodes;
	uint8_t    *cells;			/* of its node 1 and on */
	size_t		gap;			/* from cells to bounds */
	uint32_t   *leaves;
} Subtree;

/* Fills n leaves from `first` on, and the nodes between them, for node `node` of the tree. */
static void
fill_subtree(const MpCompiler *c, const Subtree *subtree, uint32_t first, uint32_t n, int32_t node)
{
	uint32_t	middle = first + n / 2;

	if (subtree->nodes[node].left == 0)
	{
		subtree->leaves[first] = mp_leaf_bits(c, subtree->tree, &subtree->nodes[node]);
		return;
	}
	mp_put_bytes(subtree->cells + middle - 1, subtree->gap, mp_encode_node(c, subtree->tree, node));
	fill_subtree(c, subtree, first, n / 2, subtree->nodes[node].left);
	fill_subtree(c, subtree, middle, n / 2, subtree->nodes[node].left + 1);
}

/* The subtrees of the i-th tree of a chunk, of one level. */
void
mp_write_subtrees_1(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree,
				const int32_t *outs)
{
	uint32_t	n = mp_top_exits(c->width);
	MpSubtree1	   *subtrees = (MpSubtree1 *) ((char *) c->image.data + chunk->blocks) + (size_t) i * n;

	for (uint32_t w = 0; w < n; w++)
	{
		Subtree			subtree = {tree, mp_forest_nodes(c->forest, tree)};

		subtree.cells = &subtrees[w].cell;
		subtree.gap = offsetof(MpSubtree1, bound) - offsetof(MpSubtree1, cell);
		subtree.leaves = subtrees[w].leaves;
		if (outs[w] >= 0)
			fill_subtree(c, &subtree, 0, 2, outs[w]);
	}
}

/* Nodes that all go left. */
void
mp_clear_subtrees_1(MpCompiler *c, const MpKernelChunk *chunk)
{
	MpSubtree1	   *subtrees = (MpSubtree1 *) ((char *) c->image.data + chunk->blocks);

	for (size_t i = 0; i < mp_chunk_places(chunk) * mp_top_exits(c->width); i++)
		subtrees[i].bound = MP_BYTE_NONE;
}

static uint32_t
depth_below(const MpNode *nodes, int32_t node)
{
	uint32_t	left;
	uint32_t	right;

	if (nodes[node].left == 0)
		return 0;
	left = depth_below(nodes, nodes[node].left);
	right = depth_below(nodes, nodes[node].left + 1);
	return 1 + (left > right ? left : right);
}

/* Appends room for a subtree of as many units to the chunk's, with nodes that all go left. */
static MpSubtree3 *
add_subtree_3(MpCompiler *c, uint32_t units)
{
	MpSubtree3	   *subtree = mp_vec_add(&c->blocks, (size_t) units * MP_SUBTREE_UNIT);

	if (subtree != NULL)
	{
		memset(subtree, 0, (size_t) units * MP_SUBTREE_UNIT);
		memset(subtree->bounds, MP_BYTE_NONE, sizeof(subtree->bounds));
	}
	return subtree;
}

/* Appends the subtrees of the i-th tree, of up to three levels. */
bool
mp_write_subtrees_3(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree,
				const int32_t *outs)
{
	MpSubtrees	   *subtrees = (MpSubtrees *) ((char *) c->image.data + chunk->tails);
	const MpNode *nodes = mp_forest_nodes(c->forest, tree);

	subtrees->first[i] = c->blocks.size / MP_SUBTREE_UNIT;
	for (uint32_t w = 0; w < mp_top_exits(c->width); w++)
	{
		Subtree			subtree = {tree, nodes};
		MpSubtree3	   *added;
		bool		large;

		subtrees->table[i][w] = c->blocks.size / MP_SUBTREE_UNIT - subtrees->first[i];
		if (outs[w] < 0)
			continue;
		large = depth_below(nodes, outs[w]) == 3;
		added = add_subtree_3(c, large ? MP_LARGE_SUBTREE : MP_SMALL_SUBTREE);
		if (added == NULL)
			return false;
		subtree.cells = added->cells + 1;
		subtree.gap = sizeof(added->cells);
		subtree.leaves = added->leaves;
		subtrees->there[i] |= UINT32_C(1) << w;
		subtrees->large[i] |= (uint32_t) large << w;
		fill_subtree(c, &subtree, 0, large ? 8 : 4, outs[w]);
	}
	return true;
}

/* Behind the last subtree there is room: wherever there is a unit, a large one may be read. */
bool
mp_end_subtrees_3(MpCompiler *c, MpKernelChunk *chunk)
{
	if (add_subtree_3(c, MP_LARGE_SUBTREE) == NULL || !mp_image_align(&c->image))
		return false;
	chunk->n_blocks = c->blocks.size / MP_SUBTREE_UNIT;
	chunk->blocks = mp_image_add_vec(&c->image, &c->blocks);
	return chunk->blocks != 0;
}
