/*
 * kernel_compile.h: what the parts of the compiler share: kernel_slots.c finds
 * the distinct conditions of a forest and gives them slots, kernel_layout.c lays
 * out the trees, kernel_compile.c is the whole.
 *
 * Functions that return bool return false where there is no memory.
 */
#ifndef MP_CORE_KERNEL_COMPILE_H
#define MP_CORE_KERNEL_COMPILE_H

#include "kernel_image.h"

/* A distinct condition: a threshold of a feature, or a category test. */
typedef struct MpCondition
{
	uint64_t	key;			/* orders by kind, feature and threshold */
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
extern bool mp_conditions_add(MpConditions *c, const MpNode *split, uint32_t *number);
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
	uint32_t   *numbers;		/* condition of each node of NODES */
	MpTreeShape *shapes;		/* of each used tree */
	uint32_t   *queue;			/* room for the nodes of one tree */
	MpVec		blocks;			/* of a short chunk */
	MpVec		leaves;			/* likewise */
	MpVec		image;
	MpKernelWidth least_width;	/* that has numbers for all nodes of a deep tree */
	MpKernelWidth width;
} MpCompiler;

#define MP_ANY_WIDTH (-1)

/* As mp_kernel_compile, and for tests: of one width, whatever is best; NULL: it does not fit. */
extern void *mp_kernel_compile_as(MpAlloc *alloc, const MpForest *forest, int width,
								  size_t *size, MpError *error);

/* in kernel_layout.c: appends the section CHUNKS and the chunks */
extern bool mp_layout_chunks(MpCompiler *c);

/* in kernel_compile.c */
extern bool mp_image_align(MpVec *image);	/* fills up to the next multiple of 64 */
extern bool mp_image_begin(MpVec *image, MpKernelSectionId id);
extern void mp_image_end(MpVec *image, MpKernelSectionId id);

/* Appends zeroed bytes; where they are, or 0: no memory. */
extern size_t mp_image_add(MpVec *image, size_t size);

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
