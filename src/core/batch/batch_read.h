/*
 * batch_read.h: reads the trees of a kernel's image, whatever form they have there.
 */
#ifndef MP_CORE_BATCH_READ_H
#define MP_CORE_BATCH_READ_H

#include "core/batch/batch_run.h"

/* Conditions by what splits in the image say: slot, threshold, where missing values go. */
typedef struct MpConditionTable
{
	const MpKernel *kernel;
	uint32_t   *first;			/* n_slots + 1: of a slot's entries, two a threshold */
	uint32_t   *numbers;		/* 0: no split has it */
} MpConditionTable;

#define MP_NO_CONDITION UINT32_MAX

/* All trees; conditions are entries of the table, leaves are bits. */
typedef struct MpBatchTrees
{
	MpVec		trees;			/* MpBatchTree[] */
	MpVec		splits;			/* MpBatchSplit[] */
	MpVec		nodes;			/* MpBatchNode[] */
	MpVec		leaves;			/* uint32_t[] */
} MpBatchTrees;

/*
 * Reads all trees, and marks the conditions that they have. False: a tree is none, in
 * an image made by hand, or there is no memory.
 */
extern bool mp_batch_read(MpAlloc *alloc, const MpConditionTable *table, MpBatchTrees *trees,
						  MpError *error);

#endif
