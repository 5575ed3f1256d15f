/*
 * batch_run.h: a batch at work: the trees of a kernel's image by conditions.
 *
 * A *condition* is a split's question: a threshold of a slot, or a category test,
 * and where missing values go. There are fewer of them than splits, and each is
 * decided once for all rows: a *plane*, one bit per row, 1 where the row goes right.
 *
 * The leaves of a tree are numbered from left to right. The *boundary* m of a tree
 * is a plane too: 1 where the row comes to a leaf from number m on. A split that
 * parts the leaves low .. middle - 1 from middle .. high - 1 makes one boundary of
 * two others and of its condition's plane:
 *
 *     boundary[middle] = boundary[high] | (boundary[low] & plane)
 *
 * with all ones as boundary 0 and none as the boundary behind the last leaf. So a
 * tree of any shape costs one such operation a split, for as many rows at once as
 * a register has bits. The number of a row's leaf is the number of boundaries that
 * are 1; the lowest bit of it is the exclusive or of all boundaries, the next one of
 * the even ones, and so on.
 *
 * Trees of very many leaves are walked instead, row by row: a row's bit of a plane
 * says where it goes.
 */
#ifndef MP_CORE_BATCH_RUN_H
#define MP_CORE_BATCH_RUN_H

#include "core/batch/batch_size.h"
#include "core/kernel/kernel_run.h"

#define MP_BATCH_PLANE (MP_BATCH_ROWS / 8)	/* bytes */

/* Of a tree that is not walked. Beyond it, walking is faster. */
#define MP_BATCH_LEAVES 2048

/* Trees of up to so many leaves have them in registers, where there are enough of these. */
#define MP_BATCH_TABLE 256

/* Slots that are decided together. */
#define MP_BATCH_GROUP 8

/* Columns have some rows more: else they would share cache sets. */
#define MP_BATCH_COLUMN (MP_BATCH_ROWS + 16)

/* A slot. */
typedef struct MpBatchSlot
{
	const void *numbers;		/* reals, ascending: -Infinity, then the thresholds */
	uint32_t	n;				/* thresholds */
	uint32_t	first;			/* number of its first flags */
} MpBatchSlot;

/* Slots with more numbers are searched level by level. */
#define MP_BATCH_STEPPED 512

/* The conditions that a threshold or a category test has. */
#define MP_BATCH_LEFT 1			/* missing values go left */
#define MP_BATCH_RIGHT 2

typedef struct MpBatchSplit
{
	uint32_t	condition;
	uint16_t	low;
	uint16_t	middle;
	uint16_t	high;
} MpBatchSplit;

/* A node of a tree that is walked: from it to `next`, or one further. A leaf leads to itself. */
typedef struct MpBatchNode
{
	uint32_t	condition;
	uint32_t	next;
} MpBatchNode;

typedef struct MpBatchTree
{
	uint32_t	n_leaves;		/* or nodes that have the place of one, where it is walked */
	bool		walked;
} MpBatchTree;

/*
 * Trees of one output that wait until there are enough of them to be added at once: sums
 * are loaded and stored once then. Bytes are the numbers of the leaves that rows come to.
 */
#define MP_BATCH_WAITING 4

typedef struct MpBatchWaiting
{
	uint8_t		bytes[MP_BATCH_WAITING][MP_BATCH_ROWS];
	const void *leaves[MP_BATCH_WAITING];
	uint32_t	n;
	char		unused[64 - MP_BATCH_WAITING * sizeof(float *) - sizeof(uint32_t)];
} MpBatchWaiting;

#define MP_BATCH_MOST_WAITING 64	/* outputs: all that waits should stay in a cache */

#if defined(__GNUC__)
#define MP_PREFETCH(address) __builtin_prefetch(address)
#else
#define MP_PREFETCH(address) ((void) (address))
#endif

typedef void (*MpBatchFunction) (MpBatch *batch, const void *x, size_t n, void *margin);

struct MpBatch
{
	MpBatchFunction score;
	MpAlloc    *alloc;
	const MpKernel *kernel;
	size_t		bytes;
	uint32_t	n_flags;
	uint32_t	n_conditions;	/* without number 0, which nothing meets */
	uint32_t	n_splits;		/* of all trees that are not walked */
	uint32_t	n_nodes;		/* of all that are */
	uint32_t	n_leaves;		/* of all trees */
	uint32_t	n_sets;			/* of leaves per tree: one, or one for each output */
	uint32_t	most_thresholds;	/* of a slot */
	uint32_t	most_leaves;	/* of a tree */

	MpBatchSlot *slots;			/* the image's */
	uint8_t    *flags;			/* by slot, its thresholds descending; MP_BATCH_LEFT and RIGHT */
	MpBatchTree *trees;
	MpBatchSplit *splits;		/* tree after tree, a split before those below it */
	MpBatchNode *nodes;			/* tree after tree */
	void	   *leaves;			/* reals, tree after tree, n_sets times n_leaves */

	/* scratch, each aligned to 64 */
	char	   *planes;			/* of conditions, from number 0 on */
	char	   *boundaries;		/* of a tree */
	char	   *ranked;			/* of a slot: plane r has the rows of rank r; between slots all 0 */
	void	   *columns;		/* reals, of a group of slots: features */
	MpBatchWaiting *waiting;	/* by output; NULL: trees do not wait */
	void	   *sums;			/* reals, of each output: MP_BATCH_ROWS */
};

/* Splits behind the last one, which the next planes are asked for of. */
#define MP_BATCH_AHEAD 8

/* Room behind the leaves, since tables of MP_BATCH_TABLE are loaded whole. */
#define MP_BATCH_LEAVES_ROOM MP_BATCH_TABLE

/* The output that set `set` of tree t's leaves is added to. */
static inline uint32_t
mp_batch_output(const MpKernel *kernel, uint32_t t, uint32_t set)
{
	switch ((MpKernelSum) kernel->image->sum)
	{
		case MP_SUM_ONE:
			return 0;
		case MP_SUM_CYCLE:
			return t % kernel->image->n_outputs;
		case MP_SUM_LIST:
			return kernel->outputs[t];
		case MP_SUM_VECTOR:
			return set;
	}
	return 0;
}

/* the engines */
extern void mp_batch_score_portable(MpBatch *batch, const void *x, size_t n, void *margin);
#if defined(MP_KERNEL_X86)
extern void mp_batch_score_avx2(MpBatch *batch, const void *x, size_t n, void *margin);
extern void mp_batch_score_avx512(MpBatch *batch, const void *x, size_t n, void *margin);
#endif

#endif
