/*
 * kernel_nodes.h: what the compiler knows of a forest, and how it writes nodes and leaves.
 */
#ifndef MP_CORE_KERNEL_NODES_H
#define MP_CORE_KERNEL_NODES_H

#include "core/kernel/kernel_slots.h"

typedef struct MpTreeShape
{
	uint32_t	depth;			/* splits on the longest way */
	uint32_t	n_nodes;		/* that can be reached */
} MpTreeShape;

typedef struct MpCompiler
{
	MpAlloc    *alloc;
	const MpForest *forest;
	MpConditions conditions;
	uint32_t   *numbers;		/* of each node of NODES: its condition, or a leaf's double */
	MpTreeShape *shapes;		/* of each used tree */
	uint32_t   *queue;			/* room for the nodes of one tree */
	MpVec		blocks;			/* of a short chunk; its subtrees of up to three levels */
	MpVec		leaves;			/* of a short chunk */
	MpVec		doubles;		/* double[]: what the leaves of a double forest add */
	MpVec		image;
	bool		unfit;			/* some split is */
	MpKernelWidth least_width;	/* that has numbers for all nodes of a deep tree */
	MpKernelWidth width;
} MpCompiler;

/* The cell and the bound of a split, as one; without a split (-1), of a node that goes left. */
extern uint32_t mp_encode_node(const MpCompiler *c, const MpTree *tree, int32_t split);

/* What a leaf adds: a float, or the number of a double or of a leaf vector. */
extern uint32_t mp_leaf_bits(const MpCompiler *c, const MpTree *tree, const MpNode *leaf);

/* Puts a node of bytes where its cell and its bound, `gap` bytes behind, lie apart. */
static inline void
mp_put_bytes(uint8_t *cell, size_t gap, uint32_t node)
{
	cell[0] = node;
	cell[gap] = node >> 8;
}

static inline MpKernelImage *
mp_image_head(MpCompiler *c)
{
	return c->image.data;
}

#endif
