/*
 * kernel_layout.c: lays out the trees of a kernel image, chunk after chunk, in
 * the smallest of the forms that holds all of a chunk's trees.
 */
#include "core/kernel/kernel_layout.h"
#include "core/kernel/kernel_subtrees.h"
#include "core/kernel/kernel_write.h"

#include <string.h>

/* Puts a number into an array of nodes. */
static void
put(const MpCompiler *c, void *array, size_t i, uint32_t number)
{
	if (c->width == MP_BYTES)
		((uint16_t *) array)[i] = number;
	else
		((uint32_t *) array)[i] = number;
}

/* The top of one tree while it is filled in. */
typedef struct Top
{
	const MpTree *tree;
	const MpNode *nodes;
	char	   *places;			/* of the chunk's tops */
	size_t		first;			/* the tree's idle place */
	uint32_t	levels;
	int32_t    *outs;			/* node at each exit, -1: none leads there */
} Top;

static void
put_top_node(const MpCompiler *c, const Top *top, uint32_t at, int32_t split)
{
	uint32_t	node = mp_encode_node(c, top->tree, split);

	if (c->width == MP_BYTES)
		mp_put_bytes((uint8_t *) top->places + mp_byte_place(top->first + at), MP_TOP_PLACES, node);
	else
		put(c, top->places, top->first + at, node);
}

/* Fills the subtree of places below `at`, for node `node` of the tree. */
static void
fill_top(const MpCompiler *c, const Top *top, uint32_t at, uint32_t node)
{
	/* a leaf above the last level: all places below it go left */
	if (top->nodes[node].left == 0)
	{
		while (at < 1u << top->levels)
			at *= 2;
	}
	if (at >= 1u << top->levels)
	{
		top->outs[at - (1u << top->levels)] = node;
		return;
	}
	put_top_node(c, top, at, node);
	fill_top(c, top, at * 2, top->nodes[node].left);
	fill_top(c, top, at * 2 + 1, top->nodes[node].left + 1);
}

static Top
top_of(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i)
{
	Top			top = {NULL};

	top.places = (char *) c->image.data + chunk->tops;
	top.first = (size_t) i << chunk->levels;
	top.levels = chunk->levels;
	return top;
}

/* Lays out the top of the i-th tree of a chunk. */
static void
write_top(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree, int32_t *outs)
{
	Top			top = top_of(c, chunk, i);

	top.tree = tree;
	top.nodes = mp_forest_nodes(c->forest, tree);
	top.outs = outs;
	for (uint32_t j = 0; j < 1u << chunk->levels; j++)
		outs[j] = -1;
	fill_top(c, &top, 1, 0);
}

/* Nodes that all go left. */
static void
clear_tops(MpCompiler *c, const MpKernelChunk *chunk)
{
	Top			top = top_of(c, chunk, 0);
	size_t		n = mp_chunk_places(chunk) << chunk->levels;

	for (size_t i = 0; i < n; i++)
		put_top_node(c, &top, i, -1);
}

static void
write_flat_leaves(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree,
				  const int32_t *outs)
{
	uint32_t	n = 1u << chunk->levels;
	uint32_t   *leaves = (uint32_t *) ((char *) c->image.data + chunk->leaves) + (size_t) i * n;

	for (uint32_t j = 0; j < n; j++)
	{
		if (outs[j] >= 0)
			leaves[j] = mp_leaf_bits(c, tree, mp_forest_nodes(c->forest, tree) + outs[j]);
	}
}

/* The last two levels of a short tree, below one exit. */
typedef struct Block
{
	int32_t		splits[3];		/* node, or -1: goes left */
	int32_t		leaves[4];		/* node, or -1: cannot be reached */
	uint32_t	n_leaves;
} Block;

/* A lone split takes the second place, so that its leaves are next to each other. */
static void
make_block(const MpNode *nodes, int32_t split, Block *block)
{
	int32_t		left = nodes[split].left;
	int32_t		right = left + 1;
	Block		b = {{-1, -1, -1}, {-1, -1, -1, -1}, 0};

	if (nodes[left].left == 0 && nodes[right].left == 0)
	{
		b.splits[1] = split;
		b.leaves[0] = left;
		b.leaves[1] = right;
		b.n_leaves = 2;
		*block = b;
		return;
	}
	b.splits[0] = split;
	b.leaves[0] = left;
	b.leaves[2] = right;
	b.n_leaves = 3;
	if (nodes[left].left != 0)
	{
		b.splits[1] = left;
		b.leaves[0] = nodes[left].left;
		b.leaves[1] = nodes[left].left + 1;
	}
	if (nodes[right].left != 0)
	{
		b.splits[2] = right;
		b.leaves[2] = nodes[right].left;
		b.leaves[3] = nodes[right].left + 1;
		b.n_leaves = 4;
	}
	*block = b;
}

/* Appends a block to the chunk's. */
static bool
add_block(MpCompiler *c, const MpTree *tree, const Block *block, uint32_t leaf)
{
	MpWideBlock *added = mp_vec_add(&c->blocks, sizeof(MpWideBlock));

	if (added == NULL)
		return false;
	added->leaf = leaf;
	for (int i = 0; i < 3; i++)
		added->nodes[i] = mp_encode_node(c, tree, block->splits[i]);
	return true;
}

static size_t
count_blocks(const MpCompiler *c)
{
	return mp_vec_count(&c->blocks, MpWideBlock);
}

/* Appends a leaf's value to the chunk's; node -1: a place that nothing leads to. */
static bool
add_leaf(MpCompiler *c, const MpTree *tree, int32_t node)
{
	uint32_t   *value = mp_vec_add(&c->leaves, sizeof(uint32_t));

	if (value != NULL)
		*value = node < 0 ? 0 : mp_leaf_bits(c, tree, mp_forest_nodes(c->forest, tree) + node);
	return value != NULL;
}

/* Appends blocks and leaves of the i-th tree of a short chunk, and says where they are. */
static bool
write_short_tail(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree,
				 const int32_t *outs)
{
	const MpNode *nodes = mp_forest_nodes(c->forest, tree);
	char	   *image = c->image.data;
	uint64_t	splits = 0;
	uint8_t    *table = (uint8_t *) image + chunk->table + i * MP_TOP_PLACES;
	MpShortTail *tail = (MpShortTail *) (image + chunk->tails) + i;
	uint32_t	n_splits = 0;
	uint32_t	n_leaves = 0;

	tail->block = count_blocks(c) - MP_TOP_PLACES;
	tail->leaf = mp_vec_count(&c->leaves, uint32_t);
	for (int w = 0; w < MP_TOP_PLACES; w++)
	{
		if (outs[w] >= 0 && nodes[outs[w]].left != 0)
		{
			splits |= UINT64_C(1) << w;
			table[w] = MP_TOP_PLACES + n_splits++;
		}
		else
		{
			table[w] = n_leaves++;
			if (!add_leaf(c, tree, outs[w]))
				return false;
		}
	}
	for (int w = 0; w < MP_TOP_PLACES; w++)
	{
		Block		block;

		if (!(splits >> w & 1))
			continue;
		make_block(nodes, outs[w], &block);
		if (!add_block(c, tree, &block, n_leaves))
			return false;
		n_leaves += block.n_leaves;
		for (uint32_t l = 0; l < block.n_leaves; l++)
		{
			if (!add_leaf(c, tree, block.leaves[l]))
				return false;
		}
	}
	return true;
}

/*
 * Numbers the nodes from the exits down, each level after the one above:
 * queue[i] is the tree's node that gets number i. Returns how many there are.
 */
static uint32_t
number_nodes(MpCompiler *c, const MpNode *nodes, const int32_t *outs, uint32_t *first_leaf)
{
	uint32_t	n = 0;

	for (uint32_t i = 0; i < mp_top_exits(c->width); i++)
	{
		if (outs[i] >= 0)
			c->queue[n++] = outs[i];
	}
	*first_leaf = UINT32_MAX;
	for (uint32_t i = 0; i < n; i++)
	{
		int32_t		left = nodes[c->queue[i]].left;

		if (left != 0)
		{
			c->queue[n++] = left;
			c->queue[n++] = left + 1;
		}
		else if (*first_leaf == UINT32_MAX)
			*first_leaf = i;
	}
	return n;
}

/* Appends exits, nodes and values of a deep tree to the chunk's data. */
static bool
write_deep_tail(MpCompiler *c, const MpKernelChunk *chunk, uint32_t t, const MpTree *tree,
				const int32_t *outs)
{
	const MpNode *nodes = mp_forest_nodes(c->forest, tree);
	size_t		node_size = mp_kernel_node_size(c->width);
	uint32_t	first_leaf;
	uint32_t	n = number_nodes(c, nodes, outs, &first_leaf);
	uint32_t	n_exits = mp_top_exits(c->width);
	size_t		values_at = (n_exits + 2 * (size_t) n) * node_size;
	size_t		values_size = (n - first_leaf) * sizeof(uint32_t);
	size_t		start = mp_image_add(&c->image, (values_at + values_size + 7) / 8 * 8);
	uint32_t	next = 0;		/* number of the next child, of the next exit before */
	MpDeepTail *tail;
	char	   *exits;
	char	   *deep;
	uint32_t   *values;

	if (start == 0)
		return false;
	tail = (MpDeepTail *) ((char *) c->image.data + chunk->tails) + t;
	exits = (char *) c->image.data + start;
	deep = exits + n_exits * node_size;
	values = (uint32_t *) (exits + values_at);
	tail->n_nodes = n;
	tail->exits = start - chunk->data;
	tail->values = tail->exits + values_at - first_leaf * sizeof(uint32_t);

	for (uint32_t i = 0; i < n_exits; i++)
		put(c, exits, i, outs[i] >= 0 ? next++ : 0);
	for (uint32_t i = 0; i < n; i++)
	{
		const MpNode *node = &nodes[c->queue[i]];

		put(c, deep, 2 * i, mp_encode_node(c, tree, node->left != 0 ? (int32_t) c->queue[i] : -1));
		put(c, deep, 2 * i + 1, node->left != 0 ? next : i);
		if (node->left != 0)
			next += 2;
		else
			values[i - first_leaf] = mp_leaf_bits(c, tree, node);
	}
	return true;
}

/* The form and the top's levels of the trees first .. first + n - 1. */
static void
choose_form(const MpCompiler *c, uint32_t first, MpKernelChunk *chunk)
{
	uint32_t	depth = 0;

	for (uint32_t i = 0; i < chunk->n_trees; i++)
	{
		if (c->shapes[first + i].depth > depth)
			depth = c->shapes[first + i].depth;
	}
	if (depth <= mp_top_levels(c->width))
		chunk->form = MP_CHUNK_FLAT;
	else if (depth > MP_SHORT_DEPTH)
		chunk->form = MP_CHUNK_DEEP;
	else if (c->width != MP_BYTES)
		chunk->form = MP_CHUNK_SHORT;
	else
		chunk->form = depth == MP_BYTE_TOP_LEVELS + 1 ? MP_CHUNK_SUBTREE_1 : MP_CHUNK_SUBTREE_3;
	chunk->levels = mp_top_levels(c->width);
	if (chunk->form == MP_CHUNK_FLAT)
		chunk->levels = depth < MP_LEAST_LEVELS ? MP_LEAST_LEVELS : depth;
}

/* The blocks that belong to no tree. */
static bool
add_idle_blocks(MpCompiler *c)
{
	static const Block idle = {{-1, -1, -1}};

	for (uint32_t i = 0; i < MP_TOP_PLACES; i++)
	{
		if (!add_block(c, NULL, &idle, i))
			return false;
	}
	return true;
}

/* Appends the room that a chunk of a known form needs before its trees are written. */
static bool
begin_chunk(MpCompiler *c, MpKernelChunk *chunk)
{
	size_t		n = mp_chunk_places(chunk);

	if (!mp_image_align(&c->image))
		return false;
	chunk->tops = mp_image_add(&c->image, mp_chunk_tops_size(mp_image_head(c), chunk));
	if (chunk->tops == 0)
		return false;
	clear_tops(c, chunk);

	switch ((MpChunkForm) chunk->form)
	{
		case MP_CHUNK_FLAT:
			chunk->n_leaves = n << chunk->levels;
			chunk->leaves = mp_image_add(&c->image, chunk->n_leaves * sizeof(uint32_t));
			return chunk->leaves != 0;
		case MP_CHUNK_SUBTREE_1:
			chunk->blocks = mp_image_add(&c->image,
										 n * mp_top_exits(c->width) * sizeof(MpSubtree1));
			if (chunk->blocks == 0)
				return false;
			mp_clear_subtrees_1(c, chunk);
			return true;
		case MP_CHUNK_SUBTREE_3:
			c->blocks.size = 0;
			chunk->tails = mp_image_add(&c->image, sizeof(MpSubtrees));
			return chunk->tails != 0;
		case MP_CHUNK_SHORT:
			c->leaves.size = 0;
			c->blocks.size = 0;
			chunk->table = mp_image_add(&c->image, n * MP_TOP_PLACES);
			chunk->tails = mp_image_add(&c->image, n * sizeof(MpShortTail));
			return chunk->table != 0 && chunk->tails != 0 && add_idle_blocks(c);
		case MP_CHUNK_DEEP:
			chunk->tails = mp_image_add(&c->image, n * sizeof(MpDeepTail));
			chunk->data = c->image.size;
			return chunk->tails != 0;
	}
	return false;
}

static bool
end_short_chunk(MpCompiler *c, MpKernelChunk *chunk)
{
	chunk->n_blocks = count_blocks(c);
	chunk->blocks = mp_image_add_vec(&c->image, &c->blocks);
	for (int i = 0; i < MP_SHORT_LEAVES_ROOM; i++)
	{
		if (!add_leaf(c, NULL, -1))
			return false;
	}
	chunk->n_leaves = mp_vec_count(&c->leaves, uint32_t);
	chunk->leaves = mp_image_add_vec(&c->image, &c->leaves);
	return chunk->blocks != 0 && chunk->leaves != 0;
}

/* Gives the trees that fill up a deep chunk the first one's tail. */
static bool
end_deep_chunk(MpCompiler *c, MpKernelChunk *chunk)
{
	MpDeepTail *tails = (MpDeepTail *) ((char *) c->image.data + chunk->tails);

	chunk->data_size = c->image.size - chunk->data;
	for (uint32_t i = chunk->n_trees; i < mp_chunk_places(chunk); i++)
		tails[i] = tails[0];
	return true;
}

static bool
write_tree(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree)
{
	int32_t		outs[MP_TOP_PLACES];

	mp_alloc_poll(c->alloc);
	write_top(c, chunk, i, tree, outs);
	switch ((MpChunkForm) chunk->form)
	{
		case MP_CHUNK_FLAT:
			write_flat_leaves(c, chunk, i, tree, outs);
			return true;
		case MP_CHUNK_SUBTREE_1:
			mp_write_subtrees_1(c, chunk, i, tree, outs);
			return true;
		case MP_CHUNK_SUBTREE_3:
			return mp_write_subtrees_3(c, chunk, i, tree, outs);
		case MP_CHUNK_SHORT:
			return write_short_tail(c, chunk, i, tree, outs);
		case MP_CHUNK_DEEP:
			return write_deep_tail(c, chunk, i, tree, outs);
	}
	return false;
}

static bool
write_chunk(MpCompiler *c, uint32_t first, MpKernelChunk *chunk)
{
	const MpTree *trees = mp_forest_trees(c->forest);

	if (!begin_chunk(c, chunk))
		return false;
	for (uint32_t i = 0; i < chunk->n_trees; i++)
	{
		if (!write_tree(c, chunk, i, &trees[first + i]))
			return false;
	}
	if (chunk->form == MP_CHUNK_SUBTREE_3)
		return mp_end_subtrees_3(c, chunk);
	if (chunk->form == MP_CHUNK_SHORT)
		return end_short_chunk(c, chunk);
	return chunk->form != MP_CHUNK_DEEP || end_deep_chunk(c, chunk);
}

bool
mp_layout_chunks(MpCompiler *c)
{
	uint32_t	n_trees = c->forest->n_trees_used;
	uint32_t	n_chunks = (n_trees + MP_CHUNK_TREES - 1) / MP_CHUNK_TREES;
	size_t		directory;

	if (!mp_image_begin(&c->image, MP_KERNEL_CHUNKS))
		return false;
	directory = mp_image_add(&c->image, n_chunks * sizeof(MpKernelChunk));
	mp_image_end(&c->image, MP_KERNEL_CHUNKS);
	for (uint32_t first = 0; first < n_trees; first += MP_CHUNK_TREES)
	{
		MpKernelChunk chunk = {0};

		chunk.n_trees = n_trees - first < MP_CHUNK_TREES ? n_trees - first : MP_CHUNK_TREES;
		choose_form(c, first, &chunk);
		if (!write_chunk(c, first, &chunk))
			return false;
		memcpy((char *) c->image.data + directory, &chunk, sizeof(chunk));
		directory += sizeof(chunk);
	}
	return mp_image_align(&c->image);
}
