/*
 * batch_read.c: from the trees of a kernel's image to those of a batch.
 *
 * An image that the check has taken may still have been made by hand: splits may name any
 * cell and bound, and those below a deep tree's top may be shared. What has no threshold
 * always goes left, and a tree with more nodes than it says is none.
 */
#include "core/batch/batch_read.h"

#define MOST_DEPTH 256			/* of a tree that is not walked */

/* A tree of the image. */
typedef struct Source
{
	const MpKernelImage *image;
	const MpKernelChunk *chunk;
	uint32_t	t;				/* number in the chunk */
	uint32_t	depth;			/* of what is complete: the top, and subtrees or blocks */
	uint32_t	most_nodes;
} Source;

/* A place in it: node i of a level, or, below a deep tree's top, of the tree. */
typedef struct Place
{
	uint32_t	level;
	uint32_t	i;
} Place;

/* What is there: a leaf, where there is no condition. */
typedef struct Found
{
	uint32_t	condition;		/* entry of the table + 1 */
	uint32_t	leaf;			/* bits */
	Place		left;
	Place		right;
} Found;

/* A split of the tree that is being read, and how deep it is. */
typedef struct Split
{
	MpBatchSplit split;
	uint32_t	depth;
} Split;

typedef struct Reader
{
	MpAlloc    *alloc;
	MpBatchTrees *trees;
	const MpConditionTable *table;
	Source		source;
	MpVec		splits;			/* Split[]: of the tree, each before those below it */
	MpVec		queue;			/* Place[] */
	size_t		first_leaf;		/* of the tree */
	bool		too_large;		/* to be read as one that is not walked */
	bool		no_memory;
} Reader;

static const char *
at(const Source *s, uint64_t offset)
{
	return (const char *) s->image + offset;
}

static const MpDeepTail *
deep_tail(const Source *s)
{
	return (const MpDeepTail *) at(s, s->chunk->tails) + s->t;
}

static Source
source_of(const MpKernel *kernel, uint32_t tree)
{
	const MpKernelChunk *chunk = &kernel->chunks[tree / MP_CHUNK_TREES];
	Source		source = {kernel->image, chunk, tree % MP_CHUNK_TREES, chunk->levels};

	switch ((MpChunkForm) chunk->form)
	{
		case MP_CHUNK_FLAT:
		case MP_CHUNK_DEEP:
			break;
		case MP_CHUNK_SUBTREE_1:
			source.depth += 1;
			break;
		case MP_CHUNK_SUBTREE_3:
			source.depth += 3;
			break;
		case MP_CHUNK_SHORT:
			source.depth += 2;
			break;
	}
	source.most_nodes = 2u << source.depth;
	if (chunk->form == MP_CHUNK_DEEP)
		source.most_nodes += 2 * deep_tail(&source)->n_nodes;
	return source;
}

static uint32_t
byte_node(uint32_t cell, uint32_t bound)
{
	return cell | bound << 8;
}

static uint32_t
top_node(const Source *s, size_t place)
{
	const uint8_t *bytes = (const uint8_t *) at(s, s->chunk->tops);

	if (s->image->width == MP_WIDE)
		return ((const uint32_t *) bytes)[place];
	bytes += mp_byte_place(place);
	return byte_node(bytes[0], bytes[MP_TOP_PLACES]);
}

static const MpSubtree1 *
subtree_1(const Source *s, uint32_t out)
{
	return (const MpSubtree1 *) at(s, s->chunk->blocks) + (s->t << MP_BYTE_TOP_LEVELS) + out;
}

static const MpSubtree3 *
subtree_3(const Source *s, uint32_t out)
{
	const MpSubtrees *where = (const MpSubtrees *) at(s, s->chunk->tails);
	size_t		unit = where->first[s->t] + where->table[s->t][out];

	return (const MpSubtree3 *) at(s, s->chunk->blocks + unit * MP_SUBTREE_UNIT);
}

static uint32_t
subtree_3_node(const Source *s, uint32_t below, uint32_t i)
{
	const MpSubtree3 *subtree = subtree_3(s, i >> below);
	uint32_t	node = (2 * (i & ((1u << below) - 1)) + 1) << (2 - below);

	return byte_node(subtree->cells[node], subtree->bounds[node]);
}

static const MpWideBlock *
block(const Source *s, uint32_t out)
{
	uint32_t	number = ((const uint8_t *) at(s, s->chunk->table))[s->t * MP_TOP_PLACES + out];

	if (number >= MP_TOP_PLACES)
		number += ((const MpShortTail *) at(s, s->chunk->tails))[s->t].block;
	return (const MpWideBlock *) at(s, s->chunk->blocks) + number;
}

/* Node i of a level that is complete: cell and bound. */
static uint32_t
node_at(const Source *s, uint32_t level, uint32_t i)
{
	uint32_t	below = level - s->chunk->levels;

	if (level < s->chunk->levels)
		return top_node(s, ((size_t) s->t << s->chunk->levels) + (1u << level) + i);
	if (s->chunk->form == MP_CHUNK_SUBTREE_1)
		return byte_node(subtree_1(s, i)->cell, subtree_1(s, i)->bound);
	if (s->chunk->form == MP_CHUNK_SUBTREE_3)
		return subtree_3_node(s, below, i);
	return block(s, i >> below)->nodes[(1u << below) - 1 + (i & ((1u << below) - 1))];
}

/* Bits of leaf i of what is complete. */
static uint32_t
leaf_at(const Source *s, uint32_t i)
{
	const uint32_t *leaves = (const uint32_t *) at(s, s->chunk->leaves);

	if (s->chunk->form == MP_CHUNK_SUBTREE_1)
		return subtree_1(s, i / 2)->leaves[i % 2];
	if (s->chunk->form == MP_CHUNK_SUBTREE_3)
		return subtree_3(s, i / 8)->leaves[i % 8];
	if (s->chunk->form == MP_CHUNK_SHORT)
		return leaves[((const MpShortTail *) at(s, s->chunk->tails))[s->t].leaf +
					  block(s, i / 4)->leaf + i % 4];
	return leaves[(s->t << s->chunk->levels) + i];
}

/* The condition of a node, as an entry of the table + 1; 0: always goes left. */
static uint32_t
condition_of(const MpConditionTable *table, uint32_t node)
{
	const MpKernelImage *image = table->kernel->image;
	bool		wide = image->width == MP_WIDE;
	uint32_t	cell = wide ? node & 0xffff : node & 0xff;
	uint32_t	bound = wide ? node >> 16 : node >> 8;
	bool		left = wide ? cell % 2 == 0 : cell < mp_byte_right(image);
	uint32_t	slot = wide ? cell / 2 : left ? cell : cell - mp_byte_right(image);
	uint32_t	n = slot < image->n_slots ? (table->first[slot + 1] - table->first[slot]) / 2 : 0;

	/* the bounds of left cells are greater by one */
	if (left)
		bound--;
	return bound < n ? table->first[slot] + 2 * bound + !left + 1 : 0;
}

static Found
found_deep(const Reader *r, uint32_t i)
{
	const Source *s = &r->source;
	const char *data = at(s, s->chunk->data);
	const MpDeepTail *tail = deep_tail(s);
	const char *nodes = data + tail->exits +
		(mp_kernel_node_size(s->image->width) << s->chunk->levels);
	uint32_t	node = s->image->width == MP_WIDE ? ((const MpWideNode *) nodes)[i].node
		: ((const MpByteNode *) nodes)[i].node;
	uint32_t	left = s->image->width == MP_WIDE ? ((const MpWideNode *) nodes)[i].left
		: ((const MpByteNode *) nodes)[i].left;
	Found		found = {0};

	if (left == i)
		found.leaf = ((const uint32_t *) (data + tail->values))[i];
	else
		found.condition = condition_of(r->table, node);
	found.left = (Place) {UINT32_MAX, left};
	found.right = (Place) {UINT32_MAX, left + 1};
	return found;
}

/* Where exit i of a deep tree's top leads. */
static Place
exit_at(const Source *s, uint32_t i)
{
	const char *exits = at(s, s->chunk->data + deep_tail(s)->exits);
	uint32_t	node = s->image->width == MP_WIDE ? ((const uint32_t *) exits)[i]
		: ((const uint16_t *) exits)[i];

	return (Place) {UINT32_MAX, node};
}

/* What is at a place, past the nodes that always go left. */
static Found
look(const Reader *r, Place p)
{
	const Source *s = &r->source;
	Found		found = {0};

	for (; p.level < s->depth; p = found.left)
	{
		found.condition = condition_of(r->table, node_at(s, p.level, p.i));
		found.left = (Place) {p.level + 1, 2 * p.i};
		found.right = (Place) {p.level + 1, 2 * p.i + 1};
		if (found.condition != 0)
			return found;
	}
	if (s->chunk->form != MP_CHUNK_DEEP)
	{
		found.leaf = leaf_at(s, p.i);
		return found;
	}
	if (p.level == s->depth)
		p = exit_at(s, p.i);
	for (;; p = found.left)
	{
		found = found_deep(r, p.i);
		if (found.condition != 0 || found.left.i == p.i)
			return found;
	}
}

static uint32_t
count_leaves(const Reader *r)
{
	return mp_vec_count(&r->trees->leaves, uint32_t) - r->first_leaf;
}

static void
add_leaf(Reader *r, uint32_t bits)
{
	uint32_t   *added = mp_vec_add(&r->trees->leaves, sizeof(bits));

	if (added != NULL)
		*added = bits;
	r->no_memory |= added == NULL;
}

/* Reads what is below a place, in the order of leaves. */
static void
read_below(Reader *r, Place place, uint32_t depth)
{
	Found		found = look(r, place);
	size_t		number = mp_vec_count(&r->splits, Split);
	Split		split;

	r->too_large |= depth > MOST_DEPTH || count_leaves(r) >= MP_BATCH_LEAVES;
	if (r->too_large || r->no_memory)
		return;
	if (found.condition == 0)
	{
		add_leaf(r, found.leaf);
		return;
	}
	if (mp_vec_add(&r->splits, sizeof(Split)) == NULL)
	{
		r->no_memory = true;
		return;
	}
	split.depth = depth;
	split.split.condition = found.condition - 1;
	split.split.low = count_leaves(r);
	read_below(r, found.left, depth + 1);
	split.split.middle = count_leaves(r);
	read_below(r, found.right, depth + 1);
	split.split.high = count_leaves(r);
	*mp_vec_at(&r->splits, Split, number) = split;
}

/*
 * Puts down the splits of a tree level by level: a boundary that was just written is not
 * there yet for the next split.
 */
static void
add_splits(Reader *r)
{
	uint32_t	starts[MOST_DEPTH + 2] = {0};
	const Split *splits = r->splits.data;
	uint32_t	n = mp_vec_count(&r->splits, Split);
	MpBatchSplit *added = mp_vec_add(&r->trees->splits, n * sizeof(MpBatchSplit));

	r->no_memory |= added == NULL;
	if (added == NULL)
		return;
	for (uint32_t i = 0; i < n; i++)
		starts[splits[i].depth + 1]++;
	for (int depth = 1; depth < MOST_DEPTH + 2; depth++)
		starts[depth] += starts[depth - 1];
	for (uint32_t i = 0; i < n; i++)
	{
		added[starts[splits[i].depth]++] = splits[i].split;
		r->table->numbers[splits[i].split.condition] = 1;
	}
}

static bool
enqueue(Reader *r, Place place)
{
	Place	   *added = mp_vec_add(&r->queue, sizeof(Place));

	if (added != NULL)
		*added = place;
	r->no_memory |= added == NULL;
	return added != NULL;
}

/* Reads a tree that is walked, level after level. False: it is none. */
static bool
read_nodes(Reader *r)
{
	r->trees->leaves.size = r->first_leaf * sizeof(uint32_t);
	r->queue.size = 0;
	enqueue(r, (Place) {0, 0});
	for (uint32_t i = 0; i < mp_vec_count(&r->queue, Place) && !r->no_memory; i++)
	{
		Found		found = look(r, *mp_vec_at(&r->queue, Place, i));
		MpBatchNode node = {MP_NO_CONDITION, i};
		MpBatchNode *added = mp_vec_add(&r->trees->nodes, sizeof(node));

		if (found.condition != 0)
		{
			node.condition = found.condition - 1;
			node.next = mp_vec_count(&r->queue, Place);
			r->table->numbers[node.condition] = 1;
			enqueue(r, found.left);
			enqueue(r, found.right);
		}
		add_leaf(r, found.condition == 0 ? found.leaf : 0);
		if (added != NULL)
			*added = node;
		r->no_memory |= added == NULL;
		if (i >= r->source.most_nodes)
			return false;
		if (i % 16384 == 0)
			mp_alloc_poll(r->alloc);
	}
	return true;
}

/* False: it is no tree. */
static bool
read_tree(Reader *r, uint32_t t)
{
	MpBatchTree *tree = mp_vec_add(&r->trees->trees, sizeof(MpBatchTree));

	r->source = source_of(r->table->kernel, t);
	r->first_leaf = mp_vec_count(&r->trees->leaves, uint32_t);
	r->splits.size = 0;
	r->too_large = false;
	r->no_memory |= tree == NULL;
	read_below(r, (Place) {0, 0}, 0);
	if (!r->too_large && !r->no_memory)
		add_splits(r);
	else if (!r->no_memory && !read_nodes(r))
		return false;
	if (!r->no_memory)
		*tree = (MpBatchTree) {count_leaves(r), r->too_large};
	return true;
}

bool
mp_batch_read(MpAlloc *alloc, const MpConditionTable *table, MpBatchTrees *trees, MpError *error)
{
	Reader		r = {alloc, trees, table, .splits = {alloc}, .queue = {alloc}};
	bool		ok = true;

	for (uint32_t t = 0; ok && !r.no_memory && t < (uint32_t) table->kernel->image->n_trees; t++)
	{
		if (t % 64 == 0)
			mp_alloc_poll(alloc);
		ok = read_tree(&r, t);
	}
	mp_vec_release(&r.splits);
	mp_vec_release(&r.queue);
	if (r.no_memory)
		mp_fail_memory(error, trees->leaves.size);
	return ok && !r.no_memory;
}
