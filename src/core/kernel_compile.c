/*
 * kernel_compile.c: from a forest to a kernel image.
 *
 * First pass: every used tree is walked once, for its depth and its conditions.
 * Then the conditions get their slots (kernel_slots.c), in bytes if they fit,
 * else in 16 bits. Second pass: chunk after chunk, the trees are laid out in
 * the smallest of the three forms that holds them all.
 *
 * The image depends on the forest alone, never on the processor.
 */
#include "kernel.h"
#include "kernel_compile.h"

#include <string.h>

/* what a row would cost beyond this is no longer the trees' doing */
#define MAX_SET_CODES (64 * 1024 * 1024)

#define FIRST_SIZE 8192			/* of an image, beside what its nodes take */

typedef struct TreeShape
{
	uint32_t	depth;			/* splits on the longest way */
	uint32_t	n_nodes;		/* that can be reached */
} TreeShape;

typedef struct Compiler
{
	MpAlloc    *alloc;
	const MpForest *forest;
	MpConditions conditions;
	uint32_t   *numbers;		/* condition of each node of NODES */
	TreeShape  *shapes;			/* of each used tree */
	uint32_t   *queue;			/* room for the nodes of one tree */
	MpVec		blocks;			/* of a short chunk */
	MpVec		leaves;			/* likewise */
	MpVec		image;
	bool		wide;
} Compiler;

static MpKernelImage *
head_of(Compiler *c)
{
	return c->image.data;
}

/* Fills up to the next multiple of 64. */
static bool
image_align(MpVec *image)
{
	size_t		gap = (64 - image->size % 64) % 64;
	void	   *added = mp_vec_add(image, gap);

	if (added == NULL)
		return false;
	memset(added, 0, gap);
	return true;
}

bool
mp_image_begin(MpVec *image, MpKernelSectionId id)
{
	if (!image_align(image))
		return false;
	((MpKernelImage *) image->data)->sections[id].offset = image->size;
	return true;
}

void
mp_image_end(MpVec *image, MpKernelSectionId id)
{
	MpSection  *section = &((MpKernelImage *) image->data)->sections[id];

	section->size = image->size - section->offset;
}

/* Appends zeroed bytes; where they are, or 0: no memory. */
static size_t
image_add(MpVec *image, size_t size)
{
	void	   *added = mp_vec_add(image, size);

	if (added == NULL)
		return 0;
	memset(added, 0, size);
	return image->size - size;
}

/* Learns the shape of a tree and the conditions of its nodes. */
static bool
scan_tree(Compiler *c, const MpTree *tree, TreeShape *shape)
{
	const MpNode *nodes = mp_forest_nodes(c->forest, tree);
	uint32_t   *queue = c->queue;
	uint32_t	level_end = 1;

	memset(shape, 0, sizeof(*shape));
	queue[0] = 0;
	shape->n_nodes = 1;
	for (uint32_t i = 0; i < shape->n_nodes; i++)
	{
		uint32_t	n = queue[i];

		if (i == level_end)
		{
			shape->depth++;
			level_end = shape->n_nodes;
		}
		if (nodes[n].left == 0)
			continue;
		if (!mp_conditions_add(&c->conditions, &nodes[n], &c->numbers[tree->first + n]))
			return false;
		queue[shape->n_nodes++] = nodes[n].left;
		queue[shape->n_nodes++] = nodes[n].left + 1;
	}
	mp_alloc_poll(c->alloc);
	return true;
}

/* The cell and the bound of a split. */
static void
encode_split(const Compiler *c, const MpTree *tree, uint32_t node, uint32_t *cell, uint32_t *bound)
{
	MpConditionPlace place = c->conditions.places[c->numbers[tree->first + node]];
	bool		left = (mp_forest_nodes(c->forest, tree)[node].feature & MP_NODE_DEFAULT_LEFT) != 0;

	*bound = place.index + (left ? 1 : 0);
	if (c->wide)
		*cell = place.slot * 2 + (left ? 0 : 1);
	else
		*cell = place.slot + (left ? 0 : MP_BYTE_SLOTS);
}

/* Cell and bound in one. Without a split, a node that goes left. */
static uint32_t
encode_node(const Compiler *c, const MpTree *tree, int32_t split)
{
	uint32_t	cell = 0;
	uint32_t	bound = c->wide ? MP_WIDE_NONE : MP_BYTE_NONE;

	if (split >= 0)
		encode_split(c, tree, split, &cell, &bound);
	return cell | bound << (c->wide ? 16 : 8);
}

static uint32_t
leaf_bits(const Compiler *c, const MpTree *tree, const MpNode *leaf)
{
	float		value;
	uint32_t	bits;

	if (c->forest->vector_leaf)
		return leaf->value_bits;
	value = leaf->value * tree->weight;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* The top of one tree while it is filled in. */
typedef struct Top
{
	const MpTree *tree;
	const MpNode *nodes;
	void	   *places;			/* of the tree, or of the group of 64 that it is part of */
	uint32_t	first;			/* its idle place there */
	uint32_t	levels;
	int32_t    *outs;			/* node at each way out, -1: none leads there */
} Top;

static void
put_top_node(const Compiler *c, const Top *top, uint32_t at, uint32_t node)
{
	uint8_t    *bytes = top->places;
	uint32_t	place = top->first + mp_top_place(top->levels, at);
	uint32_t	cell;
	uint32_t	bound;

	encode_split(c, top->tree, node, &cell, &bound);
	if (c->wide)
		((uint32_t *) top->places)[at] = cell | bound << 16;
	else
	{
		bytes[place] = cell;
		bytes[place + MP_TOP_PLACES] = bound;
	}
}

/* Fills the subtree of places below `at`, for node `node` of the tree. */
static void
fill_top(const Compiler *c, const Top *top, uint32_t at, uint32_t node)
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

/* Lays out the top of the i-th tree of a chunk. */
static void
write_top(Compiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree, int32_t *outs)
{
	char	   *tops = (char *) c->image.data + chunk->tops;
	uint32_t	per_group = MP_TOP_PLACES >> chunk->levels;
	Top			top;

	top.tree = tree;
	top.nodes = mp_forest_nodes(c->forest, tree);
	top.places = c->wide ? tops + ((size_t) i * sizeof(uint32_t) << chunk->levels)
		: tops + i / per_group * 2 * MP_TOP_PLACES;
	top.first = (i % per_group) << chunk->levels;
	top.levels = chunk->levels;
	top.outs = outs;
	for (uint32_t j = 0; j < 1u << chunk->levels; j++)
		outs[j] = -1;
	fill_top(c, &top, 1, 0);
}

/* Nodes that all go left. */
static void
clear_tops(Compiler *c, const MpKernelChunk *chunk)
{
	char	   *tops = (char *) c->image.data + chunk->tops;
	size_t		size = mp_chunk_tops_size(head_of(c), chunk);

	for (size_t i = 0; c->wide && i < size; i += sizeof(uint32_t))
		*(uint32_t *) (tops + i) = encode_node(c, NULL, -1);
	for (size_t i = 0; !c->wide && i < size; i += 2 * MP_TOP_PLACES)
		memset(tops + i + MP_TOP_PLACES, MP_BYTE_NONE, MP_TOP_PLACES);
}

static void
write_flat_leaves(Compiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree,
				  const int32_t *outs)
{
	uint32_t	n = 1u << chunk->levels;
	uint32_t   *leaves = (uint32_t *) ((char *) c->image.data + chunk->leaves) + (size_t) i * n;

	for (uint32_t j = 0; j < n; j++)
	{
		if (outs[j] >= 0)
			leaves[j] = leaf_bits(c, tree, mp_forest_nodes(c->forest, tree) + outs[j]);
	}
}

/* The last two levels of a short tree, below one way out. */
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
add_block(Compiler *c, const MpTree *tree, const Block *block, uint32_t leaf)
{
	if (c->wide)
	{
		MpWideBlock *wide = mp_vec_add(&c->blocks, sizeof(MpWideBlock));

		if (wide == NULL)
			return false;
		wide->leaf = leaf;
		for (int i = 0; i < 3; i++)
			wide->nodes[i] = encode_node(c, tree, block->splits[i]);
	}
	else
	{
		MpByteBlock *byte = mp_vec_add(&c->blocks, sizeof(MpByteBlock));

		if (byte == NULL)
			return false;
		byte->leaf = leaf;
		for (int i = 0; i < 3; i++)
			byte->nodes[i] = encode_node(c, tree, block->splits[i]);
	}
	return true;
}

static size_t
count_blocks(const Compiler *c)
{
	return c->blocks.size / (c->wide ? sizeof(MpWideBlock) : sizeof(MpByteBlock));
}

/* Appends a leaf's value to the chunk's; node -1: a place that nothing leads to. */
static bool
add_leaf(Compiler *c, const MpTree *tree, int32_t node)
{
	uint32_t   *value = mp_vec_add(&c->leaves, sizeof(uint32_t));

	if (value != NULL)
		*value = node < 0 ? 0 : leaf_bits(c, tree, mp_forest_nodes(c->forest, tree) + node);
	return value != NULL;
}

/* Appends blocks and leaves of the i-th tree of a short chunk, and says where they are. */
static bool
write_short_tail(Compiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree,
				 const int32_t *outs)
{
	const MpNode *nodes = mp_forest_nodes(c->forest, tree);
	char	   *image = c->image.data;
	uint64_t   *splits = (uint64_t *) (image + chunk->splits) + i;
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
			*splits |= UINT64_C(1) << w;
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

		if (!(*splits >> w & 1))
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
 * Numbers the nodes from the ways out down, each level after the one above:
 * queue[i] is the tree's node that gets number i. Returns how many there are.
 */
static uint32_t
number_nodes(Compiler *c, const MpNode *nodes, const int32_t *outs, uint32_t *first_leaf)
{
	uint32_t	n = 0;

	for (int i = 0; i < MP_TOP_PLACES; i++)
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

static void
write_deep_node(const Compiler *c, void *at, uint32_t i, uint32_t node, uint32_t left)
{
	if (c->wide)
		((MpWideNode *) at)[i] = (MpWideNode) {node, left};
	else
		((MpByteNode *) at)[i] = (MpByteNode) {node, left};
}

/* Appends exits, nodes and values of a deep tree to the chunk's data. */
static bool
write_deep_tail(Compiler *c, const MpKernelChunk *chunk, uint32_t t, const MpTree *tree,
				const int32_t *outs)
{
	const MpNode *nodes = mp_forest_nodes(c->forest, tree);
	uint32_t	first_leaf;
	uint32_t	n = number_nodes(c, nodes, outs, &first_leaf);
	size_t		exits_size = MP_TOP_PLACES * (c->wide ? sizeof(uint32_t) : sizeof(uint16_t));
	size_t		nodes_size = n * (c->wide ? sizeof(MpWideNode) : sizeof(MpByteNode));
	size_t		values_size = (n - first_leaf) * sizeof(uint32_t);
	size_t		start = image_add(&c->image, exits_size + nodes_size + values_size);
	uint32_t	next = 0;		/* number of the next child, of the next way out before */
	MpDeepTail *tail;
	char	   *exits;
	uint32_t   *values;

	if (start == 0)
		return false;
	tail = (MpDeepTail *) ((char *) c->image.data + chunk->tails) + t;
	exits = (char *) c->image.data + start;
	values = (uint32_t *) (exits + exits_size + nodes_size);
	tail->n_nodes = n;
	tail->exits = start - chunk->data;
	tail->values = tail->exits + exits_size + nodes_size - first_leaf * sizeof(uint32_t);

	for (int i = 0; i < MP_TOP_PLACES; i++)
	{
		uint32_t	number = outs[i] >= 0 ? next++ : 0;

		if (c->wide)
			((uint32_t *) exits)[i] = number;
		else
			((uint16_t *) exits)[i] = number;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		const MpNode *node = &nodes[c->queue[i]];

		if (node->left != 0)
		{
			write_deep_node(c, exits + exits_size, i, encode_node(c, tree, c->queue[i]), next);
			next += 2;
		}
		else
		{
			write_deep_node(c, exits + exits_size, i, encode_node(c, tree, -1), i);
			values[i - first_leaf] = leaf_bits(c, tree, node);
		}
	}
	return true;
}

/* The form and the top's levels of the trees first .. first + n - 1. */
static void
choose_form(const Compiler *c, uint32_t first, MpKernelChunk *chunk)
{
	uint32_t	depth = 0;

	for (uint32_t i = 0; i < chunk->n_trees; i++)
	{
		if (c->shapes[first + i].depth > depth)
			depth = c->shapes[first + i].depth;
	}
	chunk->form = depth <= MP_TOP_LEVELS ? MP_CHUNK_FLAT
		: depth <= MP_SHORT_DEPTH ? MP_CHUNK_SHORT : MP_CHUNK_DEEP;
	chunk->levels = depth < MP_LEAST_LEVELS ? MP_LEAST_LEVELS
		: depth < MP_TOP_LEVELS ? depth : MP_TOP_LEVELS;
}

/* The blocks that belong to no tree. */
static bool
add_idle_blocks(Compiler *c)
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
begin_chunk(Compiler *c, MpKernelChunk *chunk)
{
	size_t		n = mp_chunk_places(chunk);

	if (!image_align(&c->image))
		return false;
	chunk->tops = image_add(&c->image, mp_chunk_tops_size(head_of(c), chunk));
	if (chunk->tops == 0)
		return false;
	clear_tops(c, chunk);

	switch ((MpChunkForm) chunk->form)
	{
		case MP_CHUNK_FLAT:
			chunk->n_leaves = n << chunk->levels;
			chunk->leaves = image_add(&c->image, chunk->n_leaves * sizeof(uint32_t));
			return chunk->leaves != 0;
		case MP_CHUNK_SHORT:
			c->leaves.size = 0;
			c->blocks.size = 0;
			chunk->splits = image_add(&c->image, n * sizeof(uint64_t));
			chunk->table = image_add(&c->image, n * MP_TOP_PLACES);
			chunk->tails = image_add(&c->image, n * sizeof(MpShortTail));
			return chunk->splits != 0 && chunk->table != 0 && chunk->tails != 0 &&
				add_idle_blocks(c);
		case MP_CHUNK_DEEP:
			chunk->tails = image_add(&c->image, n * sizeof(MpDeepTail));
			chunk->data = c->image.size;
			return chunk->tails != 0;
	}
	return false;
}

/* Appends a vector's content; where it is, or 0. */
static size_t
image_add_vec(MpVec *image, const MpVec *content)
{
	size_t		at = image_add(image, content->size);

	if (at != 0)
		memcpy((char *) image->data + at, content->data, content->size);
	return at;
}

static bool
end_short_chunk(Compiler *c, MpKernelChunk *chunk)
{
	chunk->n_blocks = count_blocks(c);
	chunk->blocks = image_add_vec(&c->image, &c->blocks);
	for (int i = 0; i < MP_SHORT_LEAVES_ROOM; i++)
	{
		if (!add_leaf(c, NULL, -1))
			return false;
	}
	chunk->n_leaves = mp_vec_count(&c->leaves, uint32_t);
	chunk->leaves = image_add_vec(&c->image, &c->leaves);
	return chunk->blocks != 0 && chunk->leaves != 0;
}

/* Gives the trees that fill up a deep chunk the first one's tail. */
static bool
end_deep_chunk(Compiler *c, MpKernelChunk *chunk)
{
	MpDeepTail *tails = (MpDeepTail *) ((char *) c->image.data + chunk->tails);

	chunk->data_size = c->image.size - chunk->data;
	for (uint32_t i = chunk->n_trees; i < mp_chunk_places(chunk); i++)
		tails[i] = tails[0];
	return true;
}

static bool
write_tree(Compiler *c, const MpKernelChunk *chunk, uint32_t i, const MpTree *tree)
{
	int32_t		outs[MP_TOP_PLACES];

	mp_alloc_poll(c->alloc);
	write_top(c, chunk, i, tree, outs);
	switch ((MpChunkForm) chunk->form)
	{
		case MP_CHUNK_FLAT:
			write_flat_leaves(c, chunk, i, tree, outs);
			return true;
		case MP_CHUNK_SHORT:
			return write_short_tail(c, chunk, i, tree, outs);
		case MP_CHUNK_DEEP:
			return write_deep_tail(c, chunk, i, tree, outs);
	}
	return false;
}

static bool
write_chunk(Compiler *c, uint32_t first, MpKernelChunk *chunk)
{
	const MpTree *trees = mp_forest_trees(c->forest);

	if (!begin_chunk(c, chunk))
		return false;
	for (uint32_t i = 0; i < chunk->n_trees; i++)
	{
		if (!write_tree(c, chunk, i, &trees[first + i]))
			return false;
	}
	if (chunk->form == MP_CHUNK_SHORT)
		return end_short_chunk(c, chunk);
	return chunk->form != MP_CHUNK_DEEP || end_deep_chunk(c, chunk);
}

static bool
write_chunks(Compiler *c)
{
	uint32_t	n_trees = c->forest->n_trees_used;
	uint32_t	n_chunks = (n_trees + MP_CHUNK_TREES - 1) / MP_CHUNK_TREES;
	size_t		directory;

	if (!mp_image_begin(&c->image, MP_KERNEL_CHUNKS))
		return false;
	directory = image_add(&c->image, n_chunks * sizeof(MpKernelChunk));
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
	return image_align(&c->image);
}

static MpKernelSum
choose_sum(const MpForest *forest)
{
	const MpTree *trees = mp_forest_trees(forest);

	if (forest->vector_leaf)
		return MP_SUM_VECTOR;
	if (forest->n_outputs == 1)
		return MP_SUM_ONE;
	for (int t = 0; t < forest->n_trees_used; t++)
	{
		if (trees[t].output != t % forest->n_outputs)
			return MP_SUM_LIST;
	}
	return MP_SUM_CYCLE;
}

static bool
write_outputs(Compiler *c)
{
	const MpTree *trees = mp_forest_trees(c->forest);
	uint32_t   *outputs;

	if (!mp_image_begin(&c->image, MP_KERNEL_OUTPUTS))
		return false;
	if (head_of(c)->sum == MP_SUM_LIST)
	{
		outputs = mp_vec_add(&c->image, c->forest->n_trees_used * sizeof(uint32_t));
		if (outputs == NULL)
			return false;
		for (int t = 0; t < c->forest->n_trees_used; t++)
			outputs[t] = trees[t].output;
	}
	mp_image_end(&c->image, MP_KERNEL_OUTPUTS);
	return true;
}

static bool
write_vectors(Compiler *c)
{
	size_t		size = c->forest->sections[MP_SECTION_LEAVES].size;
	void	   *copy;

	if (!mp_image_begin(&c->image, MP_KERNEL_VECTORS))
		return false;
	if (c->forest->vector_leaf)
	{
		copy = mp_vec_add(&c->image, size);
		if (copy == NULL)
			return false;
		memcpy(copy, MP_SECTION(c->forest, MP_SECTION_LEAVES, char), size);
	}
	mp_image_end(&c->image, MP_KERNEL_VECTORS);
	return true;
}

/* Whether trees are all of a kind that kernels know. */
static bool
trees_fit(const MpForest *forest)
{
	const MpTree *trees = mp_forest_trees(forest);

	if (forest->booster == MP_BOOSTER_GBLINEAR)
		return false;

	/* the weight would have to go into rows that trees may share */
	for (int t = 0; forest->vector_leaf && t < forest->n_trees_used; t++)
	{
		if (trees[t].weight != 1)
			return false;
	}
	return true;
}

/* First pass; *fits = false where scoring by kernels makes no sense. */
static bool
scan_forest(Compiler *c, bool *fits)
{
	const MpTree *trees = mp_forest_trees(c->forest);
	uint32_t	n_trees = c->forest->n_trees_used;
	uint32_t	most_nodes = 1;

	for (uint32_t t = 0; t < n_trees; t++)
	{
		if (trees[t].n_nodes > most_nodes)
			most_nodes = trees[t].n_nodes;
	}
	c->queue = mp_alloc_get(c->alloc, most_nodes * sizeof(uint32_t));
	c->shapes = mp_alloc_get(c->alloc, n_trees * sizeof(TreeShape));
	c->numbers = mp_alloc_get(c->alloc, c->forest->sections[MP_SECTION_NODES].size /
							  sizeof(MpNode) * sizeof(uint32_t));
	if (c->queue == NULL || c->shapes == NULL || c->numbers == NULL ||
		!mp_conditions_open(&c->conditions, c->alloc, c->forest))
		return false;

	for (uint32_t t = 0; t < n_trees; t++)
	{
		if (!scan_tree(c, &trees[t], &c->shapes[t]))
			return false;
		if (c->shapes[t].depth > MP_SHORT_DEPTH && c->shapes[t].n_nodes > MP_BYTE_DEEP_NODES)
			c->wide = true;
		*fits = c->conditions.n_codes <= MAX_SET_CODES;
		if (!*fits)
			return true;
	}
	return mp_conditions_sort(&c->conditions);
}

static bool
write_image(Compiler *c, bool *fits)
{
	MpKernelImage *head;

	/* an image is less than the nodes that it is made of, so it need not grow */
	if (mp_vec_add(&c->image, c->forest->sections[MP_SECTION_NODES].size + FIRST_SIZE) == NULL)
		return false;
	c->image.size = 0;
	head = mp_vec_add(&c->image, mp_round_up(sizeof(MpKernelImage), 64));
	memset(head, 0, mp_round_up(sizeof(MpKernelImage), 64));
	head->magic = MP_KERNEL_MAGIC;
	head->format = MP_KERNEL_FORMAT;
	head->byte_order = MP_FOREST_BYTE_ORDER;
	head->head_checksum = c->forest->head_checksum;
	head->forest_checksum = c->forest->checksum;
	head->n_features = c->forest->n_features;
	head->n_outputs = c->forest->n_outputs;
	head->n_trees = c->forest->n_trees_used;
	head->sum = choose_sum(c->forest);

	head->wide = c->wide;
	if (!mp_conditions_assign(&c->conditions, head))
	{
		head->wide = 1;
		*fits = mp_conditions_assign(&c->conditions, head);
		if (!*fits)
			return true;
	}
	c->wide = head->wide;

	if (!mp_conditions_write(&c->conditions, &c->image, fits))
		return false;
	if (!*fits)
		return true;
	if (!write_outputs(c) || !write_vectors(c) || !write_chunks(c))
		return false;
	*fits = c->image.size <= MP_KERNEL_MAX_SIZE;
	head_of(c)->size = c->image.size;
	head_of(c)->checksum = mp_crc32c(0, c->image.data, c->image.size);
	return true;
}

/* Gives back what the vector has beyond its content. */
static void *
trim(MpVec *vec)
{
	void	   *less = vec->alloc->resize(vec->alloc, vec->data, vec->size);

	return less != NULL ? less : vec->data;
}

void *
mp_kernel_compile(MpAlloc *alloc, const MpForest *forest, size_t *size, MpError *error)
{
	Compiler	c = {alloc, forest};
	bool		fits = true;
	bool		ok;

	mp_error_clear(error);
	if (!trees_fit(forest))
		return NULL;
	c.image.alloc = alloc;
	c.blocks.alloc = alloc;
	c.leaves.alloc = alloc;
	ok = scan_forest(&c, &fits) && (!fits || write_image(&c, &fits));
	mp_conditions_close(&c.conditions);
	mp_vec_release(&c.blocks);
	mp_vec_release(&c.leaves);
	mp_alloc_release(alloc, c.queue);
	mp_alloc_release(alloc, c.shapes);
	mp_alloc_release(alloc, c.numbers);
	if (!ok)
		mp_fail_memory(error, c.image.size);
	if (!ok || !fits)
	{
		mp_vec_release(&c.image);
		return NULL;
	}
	*size = c.image.size;
	return trim(&c.image);
}
