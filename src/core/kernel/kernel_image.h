/*
 * kernel_image.h: the trees of a forest, laid out for evaluation of one row.
 *
 * A tree of four levels, as it is laid out with a top of two:
 *
 *                     1             level 0   \
 *                 /       \                    the top: places 1 to 3, in heap order
 *               2           3       level 1   /
 *             /   \       /   \
 *            e0    e1    e2    e3             its exits
 *            |    / \    |    / \
 *            A   *   B   C   *   *            what is below: a leaf, or a subtree
 *               / \         / \ / \
 *              D   E       F  G H  I
 *
 * Words:
 *
 *     threshold rank: of a feature's value: how many of its distinct thresholds in the
 *         model are <= the value.
 *     slot: a feature with so many of its thresholds as a rank can count, or a category
 *         test: whether the feature's code is in a set.
 *     cell: where a row has a slot's rank; each slot has two, see below.
 *     bound: what a node compares a cell with.
 *     condition: a distinct question of nodes: cell and bound.
 *     level, place: of a node in a top: its depth, and its number in heap order.
 *     top: the complete tree of the first levels; exit: where one of its ways ends.
 *     subtree: what is below an exit that is no leaf. Leaf: what a tree adds.
 *     chunk: up to 128 trees of one form.
 *
 * A row is first reduced to ranks. x < t, for the i-th threshold t, is rank <= i: exactly
 * the same answer, in integers, also for zeros, denormals and infinities. A category
 * test is a slot whose rank is 0 or 1. One cell of each slot is for splits that send
 * missing values left, the other for those that send them right:
 *
 *     left cell:  missing 0,            else rank + 1
 *     right cell: missing the greatest, else rank
 *
 * A node goes right where bound < row[cell]. Bounds are i + 1 for left cells, i for
 * right ones, and the greatest number where a node only fills a place and always goes
 * left. A right cell is its left cell minus one, wrapping around: the AVX-512 kernel
 * depends on that.
 *
 * A node is both in one number, the cell below the bound. Its size is the width
 * of the image:
 *
 *     bytes: 8 bits each: at most 128 slots of 254 thresholds; left cell s,
 *         right cell 128 + s, or, with at most 32 slots, 160 + s: then left cells
 *         and right ones fit together into the table of one permute, which looks
 *         at 6 bits.
 *     wide: 16 bits each; left cell 2s, right cell 2s + 1.
 *
 * Bytes are used wherever they suffice: they are faster.
 *
 * All trees begin with a top: node i has children 2i and 2i + 1, the root is 1, place 0
 * is idle. A top of `levels` levels has 2^levels exits. The forms of chunks:
 *
 *     flat: the top, of 3 levels or more, is the tree; each exit is a leaf.
 *     subtrees: in images of bytes, depth 6 to 8: each exit of a top of 5 levels has
 *         the levels below it and their leaves, side by side in the cache.
 *     short: in wide images, depth 7 or 8: tops of 6 levels; the exits that are splits
 *         have a block with the nodes of 2 more levels.
 *     deep: any depth: tops of as many levels as can be, then explicit nodes.
 *
 * Tops have at most 5 levels in an image of bytes, else 6. Cells and bounds of
 * tops of bytes lie apart, as AVX-512 needs them: 64 cells, then their 64 bounds,
 * which are two tops of 5 levels, four of 4, eight of 3.
 *
 * Chunks are filled up to a multiple of 8 trees with ones that go left.
 * All offsets are in bytes from the start of the image.
 */
#ifndef MP_CORE_KERNEL_IMAGE_H
#define MP_CORE_KERNEL_IMAGE_H

#include "core/forest/forest.h"

#define MP_KERNEL_MAGIC 0x314b504du		/* "MPK1" */
#define MP_KERNEL_MAX_SIZE 0x7fffffff	/* some offsets have 32 bits */

#define MP_CHUNK_TREES 128
#define MP_BYTE_TOP_LEVELS 5
#define MP_TOP_LEVELS 6					/* in other images */
#define MP_LEAST_LEVELS 3
#define MP_TOP_PLACES 64				/* of a top of 6 levels, and of a group of tops of bytes */
#define MP_SHORT_DEPTH 8

typedef enum MpKernelWidth
{
	MP_BYTES,
	MP_WIDE
} MpKernelWidth;

#define MP_BYTE_SLOTS 128
#define MP_BYTE_CELLS 256
#define MP_BYTE_FEW_SLOTS 32
#define MP_BYTE_THRESHOLDS 254
#define MP_BYTE_NONE 255				/* the bound that nothing is greater than */

#define MP_WIDE_SLOTS 32767
#define MP_WIDE_THRESHOLDS 65534

#define MP_RANK_FANOUT 16
#define MP_RANK_LEVELS 4

/*
 * The numbers of a forest in double precision are doubles here too: thresholds, and what
 * leaves add. Nodes have ranks and look the same.
 *
 * Where the thresholds of a slot are: a search tree over them, with -Infinity
 * before the first one, so that what is found is the left cell: the number of
 * thresholds <= x, and one more unless x is missing. It consists of blocks of 16
 * numbers, ascending, filled up with NaN. The root of slot s is block s; `first[l
 * - 1]` is the first block of level l. The children of the j-th block of a level
 * are the 16j-th and on of the next, and the c-th float of a block is the last
 * one of its c-th child. The last float of the last block of a level is NaN: so
 * no search runs out of a block, nor needs the last float of one.
 */
typedef struct MpKernelSlot
{
	uint32_t	feature;
	uint32_t	first[MP_RANK_LEVELS - 1];
} MpKernelSlot;

/*
 * The category tests of one feature: slots first_slot and on. For each of
 * n_codes codes (0 and on, or those of a sorted list) a row of bits, test i being
 * bit i % 8 of byte i / 8: whether the code is in the test's set. The list and
 * the bits are in the section CODES, which counts in 4-byte words.
 */
typedef struct MpKernelGroup
{
	uint32_t	feature;
	uint32_t	first_slot;
	uint32_t	n_tests;
	uint32_t	row_bytes;		/* of a code's bits: n_tests / 8, rounded up */
	uint32_t	n_codes;
	uint32_t	listed;			/* 1: n_codes sorted codes at `codes` */
	uint32_t	codes;
	uint32_t	bits;
} MpKernelGroup;

typedef enum MpChunkForm
{
	MP_CHUNK_FLAT,
	MP_CHUNK_SUBTREE_1,				/* subtrees of one level */
	MP_CHUNK_SUBTREE_3,				/* of up to three */
	MP_CHUNK_SHORT,
	MP_CHUNK_DEEP
} MpChunkForm;

typedef struct MpKernelChunk
{
	uint32_t	form;			/* MpChunkForm */
	uint32_t	levels;			/* of the tops */
	uint32_t	n_trees;		/* 1 to MP_CHUNK_TREES */
	uint32_t	n_blocks;		/* short: with the first 64; subtrees of three levels: units */
	uint64_t	tops;			/* a multiple of 64 */
	uint64_t	table;			/* short: uint8_t[trees][64]: see MpWideBlock */
	uint64_t	tails;			/* subtrees: MpSubtrees; short, deep: Mp{Short,Deep}Tail[trees] */
	uint64_t	blocks;			/* MpSubtree1[trees][32]; MpSubtree3, close; MpWideBlock[n_blocks] */
	uint64_t	leaves;			/* flat: float[trees][2^levels]; short: float[n_leaves] */
	uint64_t	n_leaves;
	uint64_t	data;			/* deep: what tails count from */
	uint64_t	data_size;
} MpKernelChunk;

/*
 * Subtrees: what is below one exit. Where nothing is split, a node always goes left.
 * One level:
 */
typedef struct MpSubtree1
{
	uint8_t		cell;
	uint8_t		idle[2];
	uint8_t		bound;
	uint32_t	leaves[2];
} MpSubtree1;

/*
 * Up to three levels. Nodes have the order of their leaves: node i decides between
 * the leaves before i and those from i on, and the root is 4. A small subtree has two
 * levels at most, the root of which is node 2, and ends behind the fourth leaf.
 */
typedef struct MpSubtree3
{
	uint8_t		cells[8];		/* the first one is idle */
	uint8_t		bounds[8];
	uint32_t	leaves[8];
} MpSubtree3;

#define MP_SUBTREE_UNIT 16			/* bytes, in which subtrees of three levels are counted */
#define MP_SMALL_SUBTREE 2
#define MP_LARGE_SUBTREE 3

/*
 * Where they are: a tree's subtrees lie one behind the other in the order of the ways
 * out, without those that nothing leads to. `table` is for engines that cannot count
 * bits well.
 */
typedef struct MpSubtrees
{
	uint32_t	first[MP_CHUNK_TREES];	/* unit where a tree's subtrees begin */
	uint32_t	there[MP_CHUNK_TREES];	/* bit w: exit w has a subtree */
	uint32_t	large[MP_CHUNK_TREES];	/* bit w: a large one */
	uint8_t		table[MP_CHUNK_TREES][1 << MP_BYTE_TOP_LEVELS];	/* units from the first to w's */
} MpSubtrees;

/*
 * Short trees. A exit that is a leaf, or that nothing reaches, adds the leaf
 * numbered by the exits before it that are no splits either; in `table` it has
 * this number. One that is a split has a block, 3 nodes in heap order that lead
 * to the leaves leaf + 0 to leaf + 3; in `table` it has 64 and the number of
 * splits before it. Both numbers are the tree's own: its first leaf and block
 * are its tail's.
 *
 * The first 64 blocks of a chunk belong to no tree: block n always leads to leaf
 * n, so that table[w] numbers a block whatever the exit is.
 */
typedef struct MpShortTail
{
	uint16_t	block;			/* without the first 64 */
	uint16_t	leaf;
} MpShortTail;

typedef struct MpWideBlock
{
	uint32_t	leaf;
	uint32_t	nodes[3];
} MpWideBlock;

/* A tree has fewer leaves; room enough behind the first one makes every block safe. */
#define MP_SHORT_LEAVES 256
#define MP_SHORT_LEAVES_ROOM (MP_SHORT_LEAVES + 3)

/*
 * Deep trees. A tail says where, in the chunk's data, a tree's nodes are, behind
 * the numbers of those that the exits lead to. A node's children are left
 * and left + 1, which is greater than its own number; a leaf leads to itself and
 * has no bound.
 */
typedef struct MpDeepTail
{
	uint32_t	exits;			/* a number per exit, as large as nodes; Mp{Byte,Wide}Node[] */
	uint32_t	n_nodes;
	uint32_t	values;			/* the leaf at node i has its value at byte values + 4i */
} MpDeepTail;

typedef struct MpByteNode
{
	uint16_t	node;
	uint16_t	left;
} MpByteNode;

typedef struct MpWideNode
{
	uint32_t	node;
	uint32_t	left;
} MpWideNode;

#define MP_BYTE_DEEP_NODES 65536

/* how leaves are added to margins */
typedef enum MpKernelSum
{
	MP_SUM_ONE,					/* one output */
	MP_SUM_CYCLE,				/* tree t adds to output t % n_outputs */
	MP_SUM_LIST,				/* OUTPUTS has uint32_t[n_trees] */
	MP_SUM_VECTOR				/* a leaf is the number of a row of VECTORS */
} MpKernelSum;

typedef enum MpKernelSectionId
{
	MP_KERNEL_SLOTS,			/* MpKernelSlot[n_numeric] */
	MP_KERNEL_THRESHOLDS,		/* real[][16] */
	MP_KERNEL_GROUPS,			/* MpKernelGroup[] */
	MP_KERNEL_CODES,			/* uint32_t[] */
	MP_KERNEL_OUTPUTS,			/* uint32_t[n_trees], or nothing */
	MP_KERNEL_VECTORS,			/* real[][n_outputs]; with single leaves double[] or nothing */
	MP_KERNEL_CHUNKS,			/* MpKernelChunk[] */
	MP_KERNEL_SECTION_COUNT
} MpKernelSectionId;

typedef struct MpKernelImage
{
	uint32_t	magic;
	uint32_t	format;
	uint32_t	byte_order;
	uint32_t	checksum;		/* CRC-32C of the image with this field 0 */
	uint64_t	size;			/* a multiple of 64 */
	uint32_t	head_checksum;	/* of the forest it was made from ... */
	uint32_t	forest_checksum;	/* ... both checksums */
	int32_t		n_features;
	int32_t		n_outputs;
	int32_t		n_trees;
	uint32_t	width;			/* MpKernelWidth */
	uint32_t	sum;			/* MpKernelSum */
	uint32_t	n_slots;		/* with category tests */
	uint32_t	n_numeric;		/* the first ones, by thresholds; sorted by levels */
	uint32_t	level_slots[MP_RANK_LEVELS];	/* numeric slots with 1, 2, ... levels */
	uint32_t	precision;		/* MpPrecision */
	MpSection	sections[MP_KERNEL_SECTION_COUNT];
} MpKernelImage;

static inline uint32_t
mp_round_up(uint32_t n, uint32_t multiple)
{
	return (n + multiple - 1) / multiple * multiple;
}

/* Whether leaves are numbers of what VECTORS has: of rows of it, or of single doubles. */
static inline bool
mp_kernel_leaves_are_numbers(const MpKernelImage *image)
{
	return image->sum == MP_SUM_VECTOR || image->precision == MP_PRECISION_DOUBLE;
}

/* Numbers that each entry of VECTORS has. */
static inline uint32_t
mp_kernel_vector_length(const MpKernelImage *image)
{
	return image->sum == MP_SUM_VECTOR ? image->n_outputs : 1;
}

static inline size_t
mp_kernel_real_size(const MpKernelImage *image)
{
	return image->precision == MP_PRECISION_DOUBLE ? sizeof(double) : sizeof(float);
}

static inline size_t
mp_kernel_node_size(MpKernelWidth width)
{
	return (size_t) 2 << width;
}

static inline int
mp_kernel_cell_bits(MpKernelWidth width)
{
	return 8 << width;
}

static inline uint32_t
mp_kernel_most_slots(MpKernelWidth width)
{
	return width == MP_BYTES ? MP_BYTE_SLOTS : MP_WIDE_SLOTS;
}

/* that a slot can have */
static inline uint32_t
mp_kernel_most_thresholds(MpKernelWidth width)
{
	return width == MP_BYTES ? MP_BYTE_THRESHOLDS : MP_WIDE_THRESHOLDS;
}

/* the bound that nothing is greater than */
static inline uint32_t
mp_kernel_none(MpKernelWidth width)
{
	return width == MP_BYTES ? MP_BYTE_NONE : UINT16_MAX;
}

/* The first right cell, in an image of bytes. */
static inline uint32_t
mp_byte_right(const MpKernelImage *image)
{
	return MP_BYTE_SLOTS + (image->n_slots <= MP_BYTE_FEW_SLOTS ? MP_BYTE_FEW_SLOTS : 0);
}

/* The levels of tops of trees that go on below. */
static inline uint32_t
mp_top_levels(MpKernelWidth width)
{
	return width == MP_BYTES ? MP_BYTE_TOP_LEVELS : MP_TOP_LEVELS;
}

/* and their exits */
static inline uint32_t
mp_top_exits(MpKernelWidth width)
{
	return 1u << mp_top_levels(width);
}

/* trees of a chunk, filled up */
static inline size_t
mp_chunk_places(const MpKernelChunk *chunk)
{
	return mp_round_up(chunk->n_trees, 8);
}

/* bytes of the tops of a chunk; tops of bytes come in whole groups */
static inline size_t
mp_chunk_tops_size(const MpKernelImage *image, const MpKernelChunk *chunk)
{
	return (mp_chunk_places(chunk) << chunk->levels) * mp_kernel_node_size(image->width);
}

/* Where place i of a chunk's tops of bytes has its cell; its bound is MP_TOP_PLACES behind. */
static inline size_t
mp_byte_place(size_t i)
{
	return i / MP_TOP_PLACES * 2 * MP_TOP_PLACES + i % MP_TOP_PLACES;
}

#endif
