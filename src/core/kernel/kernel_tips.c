/*
 * kernel_tips.c: lays out the tips of trees in images of bytes: see kernel_image.h.
 */
#include "core/kernel/kernel_compile.h"

#include <string.h>

/* A tip while it is filled in. */
typedef struct Tip
{
	const MpTree *tree;
	const MpNode *nodes;
	uint8_t    *cells;			/* of its node 1 and on */
	size_t		gap;			/* from cells to bounds */
	uint32_t   *leaves;
} Tip;

/* Fills n leaves from `first` on, and the nodes between them, for node `node` of the tree. */
static void
fill_tip(const MpCompiler *c, const Tip *tip, uint32_t first, uint32_t n, int32_t node)
{
	uint32_t	middle = first + n / 2;

	if (tip->nodes[node].left == 0)
	{
		tip->leaves[first] = mp_leaf_bits(c, tip->tree, &tip->nodes[node]);
		return;
	}
	mp_put_bytes(tip->cells + middle - 1, tip->gap, mp_encode_node(c, tip->tree, node));
	fill_tip(c, tip, first, n / 2, tip->nodes[node].left);
	fill_tip(c, tip, middle, n / 2, tip->nodes[node].left + 1);
}

/* The tips of the i-th tree of a chunk, of one level. */
void
mp_write_tips_1(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree,
				const int32_t *outs)
{
	uint32_t	n = mp_top_exits(c->width);
	MpTip1	   *tips = (MpTip1 *) ((char *) c->image.data + chunk->blocks) + (size_t) i * n;

	for (uint32_t w = 0; w < n; w++)
	{
		Tip			tip = {tree, mp_forest_nodes(c->forest, tree)};

		tip.cells = &tips[w].cell;
		tip.gap = offsetof(MpTip1, bound) - offsetof(MpTip1, cell);
		tip.leaves = tips[w].leaves;
		if (outs[w] >= 0)
			fill_tip(c, &tip, 0, 2, outs[w]);
	}
}

/* Nodes that all go left. */
void
mp_clear_tips_1(MpCompiler *c, const MpKernelChunk *chunk)
{
	MpTip1	   *tips = (MpTip1 *) ((char *) c->image.data + chunk->blocks);

	for (size_t i = 0; i < mp_chunk_places(chunk) * mp_top_exits(c->width); i++)
		tips[i].bound = MP_BYTE_NONE;
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

/* Appends room for a tip of as many units to the chunk's, with nodes that all go left. */
static MpTip3 *
add_tip_3(MpCompiler *c, uint32_t units)
{
	MpTip3	   *tip = mp_vec_add(&c->blocks, (size_t) units * MP_TIP_UNIT);

	if (tip != NULL)
	{
		memset(tip, 0, (size_t) units * MP_TIP_UNIT);
		memset(tip->bounds, MP_BYTE_NONE, sizeof(tip->bounds));
	}
	return tip;
}

/* Appends the tips of the i-th tree, of up to three levels. */
bool
mp_write_tips_3(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree,
				const int32_t *outs)
{
	MpTips	   *tips = (MpTips *) ((char *) c->image.data + chunk->tails);
	const MpNode *nodes = mp_forest_nodes(c->forest, tree);

	tips->first[i] = c->blocks.size / MP_TIP_UNIT;
	for (uint32_t w = 0; w < mp_top_exits(c->width); w++)
	{
		Tip			tip = {tree, nodes};
		MpTip3	   *added;
		bool		large;

		tips->table[i][w] = c->blocks.size / MP_TIP_UNIT - tips->first[i];
		if (outs[w] < 0)
			continue;
		large = depth_below(nodes, outs[w]) == 3;
		added = add_tip_3(c, large ? MP_LARGE_TIP : MP_SMALL_TIP);
		if (added == NULL)
			return false;
		tip.cells = added->cells + 1;
		tip.gap = sizeof(added->cells);
		tip.leaves = added->leaves;
		tips->there[i] |= UINT32_C(1) << w;
		tips->large[i] |= (uint32_t) large << w;
		fill_tip(c, &tip, 0, large ? 8 : 4, outs[w]);
	}
	return true;
}

/* Behind the last tip there is room, so that wherever there is a unit, a large tip may be read. */
bool
mp_end_tips_3(MpCompiler *c, MpKernelChunk *chunk)
{
	if (add_tip_3(c, MP_LARGE_TIP) == NULL || !mp_image_align(&c->image))
		return false;
	chunk->n_blocks = c->blocks.size / MP_TIP_UNIT;
	chunk->blocks = mp_image_add_vec(&c->image, &c->blocks);
	return chunk->blocks != 0;
}
