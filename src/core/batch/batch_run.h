/*
 * batch_run.h: a batch at work: the trees of a kernel's image by conditions.
 *
 * A *condition* is a (cell, bound) that some node has. There are fewer of them than
 * nodes, and each is decided once for all rows: a *plane*, one bit per row.
 * A tree is then logic: the root's plane is the first bit of the leaf numbers of all
 * rows at once, and chooses, row by row, among the planes of the nodes below. Such
 * choices are one or a few instructions for as many rows as a register has bits.
 *
 * Nodes that always go left are not kept. What remains of a tree is placed in a
 * complete tree of its depth, in the order of the leaves: the node at place p decides
 * between the leaves before p and those from p on. So the i-th node and the leaf
 * behind it, number i + 1, have one place: leaf 0 has place 0.
 */
#ifndef MP_CORE_BATCH_RUN_H
#define MP_CORE_BATCH_RUN_H

#include "core/batch/batch.h"
#include "core/kernel/kernel_run.h"

#define MP_BATCH_DEPTH 8
#define MP_BATCH_PLACES (1 << MP_BATCH_DEPTH)

/* Columns of ranks have some bytes more: else they would share cache sets. */
#define MP_BATCH_COLUMN (MP_BATCH_ROWS + 64)

#define MP_BATCH_PLANE (MP_BATCH_ROWS / 8)	/* bytes */

#if defined(__GNUC__)
#define MP_PREFETCH(address) __builtin_prefetch(address)
#else
#define MP_PREFETCH(address) ((void) (address))
#endif

typedef void (*MpBatchFunction) (MpBatch *batch, const float *x, size_t n, float *margin);

/* The conditions of one cell; they are numbered cell after cell. */
typedef struct MpBatchCell
{
	uint8_t		slot;
	uint8_t		less;			/* 1: a right cell */
	uint8_t		n;				/* conditions */
} MpBatchCell;

typedef struct MpBatchTree
{
	uint8_t		depth;			/* at least 1 */
	uint8_t		n_nodes;
} MpBatchTree;

struct MpBatch
{
	MpBatchFunction score;
	MpAlloc    *alloc;
	const MpKernel *kernel;
	size_t		bytes;
	uint32_t	n_cells;
	uint32_t	n_conditions;	/* without number 0, which nothing meets */
	uint32_t	n_nodes;		/* of all trees */
	uint32_t	n_sets;			/* of leaves per tree: one, or one for each output */

	MpBatchCell *cells;
	uint8_t    *bounds;			/* of conditions, from number 1 on */
	MpBatchTree *trees;
	uint16_t   *conditions;		/* of nodes, tree after tree */
	uint8_t    *places;			/* of nodes; ascending in a tree */
	float	   *leaves;			/* tree after tree, n_sets times n_nodes + 1 */

	/* scratch, each aligned to 64 */
	uint8_t    *ranks;			/* left cells of each slot: MP_BATCH_COLUMN each */
	char	   *planes;			/* of conditions, from number 0 on */
	float	   *sums;			/* of each output: MP_BATCH_ROWS */
};

/* Room behind the leaves, since engines load tables of 256 of them whole. */
#define MP_BATCH_LEAVES_ROOM MP_BATCH_PLACES

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
extern void mp_batch_score_portable(MpBatch *batch, const float *x, size_t n, float *margin);
#if defined(MP_KERNEL_X86)
extern void mp_batch_score_baseline(MpBatch *batch, const float *x, size_t n, float *margin);
extern void mp_batch_score_avx2(MpBatch *batch, const float *x, size_t n, float *margin);
extern void mp_batch_score_avx512(MpBatch *batch, const float *x, size_t n, float *margin);
#endif

#endif
