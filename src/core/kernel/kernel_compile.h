/*
 * kernel_compile.h: what the parts of the compiler share: kernel_slots.c finds
 * the distinct conditions of a forest and gives them slots, kernel_layout.c lays
 * out the trees, kernel_compile.c is the whole.
 *
 * Functions that return bool return false where there is no memory.
 */
#ifndef MP_CORE_KERNEL_COMPILE_H
#define MP_CORE_KERNEL_COMPILE_H

#include "core/kernel/kernel_image.h"

/* A distinct condition: a threshold of a feature, or a category test. */
typedef struct MpCondition
{
	uint64_t	threshold;		/* an integer of the same order; of a test: when it was found */
	uint32_t	feature;		/* tests have the highest bit */
	uint32_t	hash;
	uint32_t	set;			/* of a test */
} MpCondition;

/* What becomes of it. */
typedef struct MpConditionPlace
{
	uint32_t	slot;
	uint32_t	index;			/* bound on the slot's right cell; one more on the left */
} MpConditionPlace;

typedef struct MpConditions
{
	MpAlloc    *alloc;
	const MpForest *forest;
	MpVec		all;			/* MpCondition[], numbered as they were found */
	uint32_t   *table;			/* hash table: number + 1, or 0 */
	uint32_t	table_size;		/* a power of 2 */
	uint32_t   *sorted;			/* numbers, by key */
	MpConditionPlace *places;	/* by number */
	uint32_t	n_numeric;		/* the first ones of `sorted` */
	uint32_t	n_tests;
	uint64_t	n_codes;		/* in the sets of all category splits */
} MpConditions;

/* in kernel_slots.c */
extern bool mp_conditions_open(MpConditions *c, MpAlloc *alloc, const MpForest *forest);
extern void mp_conditions_close(MpConditions *c);
extern bool mp_conditions_add(MpConditions *c, const MpNode *split, double threshold,
							  uint32_t *number);
extern bool mp_conditions_sort(MpConditions *c);

/* Gives each condition its slot, and the image's head the counts; false: they do not fit. */
extern bool mp_conditions_assign(MpConditions *c, MpKernelImage *image);

/* Appends the sections SLOTS to CODES; *fits = false where they would be too large. */
extern bool mp_conditions_write(MpConditions *c, MpVec *image, bool *fits);

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
	MpVec		blocks;			/* of a short chunk; its tips of up to three levels */
	MpVec		leaves;			/* of a short chunk */
	MpVec		doubles;		/* double[]: what the leaves of a double forest add */
	MpVec		image;
	bool		unfit;			/* some split is */
	MpKernelWidth least_width;	/* that has numbers for all nodes of a deep tree */
	MpKernelWidth width;
} MpCompiler;

#define MP_ANY_WIDTH (-1)

/* As mp_kernel_compile, and for tests: of one width, whatever is best; NULL: it does not fit. */
extern void *mp_kernel_compile_as(MpAlloc *alloc, const MpForest *forest, int width,
								  size_t *size, MpError *error);

/* in kernel_layout.c: appends the section CHUNKS and the chunks */
extern bool mp_layout_chunks(MpCompiler *c);

/* The cell and the bound of a split, as one; without a split (-1), of a node that goes left. */
extern uint32_t mp_encode_node(const MpCompiler *c, const MpTree *tree, int32_t split);

/* What a leaf adds: a float, or the number of a double or of a leaf vector. */
extern uint32_t mp_leaf_bits(const MpCompiler *c, const MpTree *tree, const MpNode *leaf);

/*
 * In kernel_tips.c: the tips of the i-th tree of a chunk. outs[w] is the node at way
 * out w of its top, -1: none leads there. Tips of one level have their room in the
 * image before they are written; those of up to three are appended when the chunk ends.
 */
extern void mp_clear_tips_1(MpCompiler *c, const MpKernelChunk *chunk);
extern void mp_write_tips_1(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i,
							const MpTree *tree, const int32_t *outs);
extern bool mp_write_tips_3(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i,
							const MpTree *tree, const int32_t *outs);
extern bool mp_end_tips_3(MpCompiler *c, MpKernelChunk *chunk);

/* in kernel_compile.c */
extern bool mp_image_align(MpVec *image);	/* fills up to the next multiple of 64 */
extern bool mp_image_begin(MpVec *image, MpKernelSectionId id);
extern void mp_image_end(MpVec *image, MpKernelSectionId id);

/* Append zeroed bytes, or a vector's content; where they are, or 0: no memory. */
extern size_t mp_image_add(MpVec *image, size_t size);
extern size_t mp_image_add_vec(MpVec *image, const MpVec *content);

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

static inline MpCondition *
mp_condition(const MpConditions *c, uint32_t number)
{
	return mp_vec_at(&c->all, MpCondition, number);
}

#endif
