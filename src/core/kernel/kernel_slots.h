/*
 * kernel_slots.h: the distinct conditions of a forest, and the slots that they get.
 *
 * Functions that return bool return false where there is no memory.
 */
#ifndef MP_CORE_KERNEL_SLOTS_H
#define MP_CORE_KERNEL_SLOTS_H

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

static inline MpCondition *
mp_condition(const MpConditions *c, uint32_t number)
{
	return mp_vec_at(&c->all, MpCondition, number);
}

extern bool mp_conditions_open(MpConditions *c, MpAlloc *alloc, const MpForest *forest);
extern void mp_conditions_close(MpConditions *c);
extern bool mp_conditions_add(MpConditions *c, const MpNode *split, double threshold,
							  uint32_t *number);
extern bool mp_conditions_sort(MpConditions *c);

/* Gives each condition its slot, and the image's head the counts; false: they do not fit. */
extern bool mp_conditions_assign(MpConditions *c, MpKernelImage *image);

/* Appends the sections SLOTS to CODES; *fits = false where they would be too large. */
extern bool mp_conditions_write(MpConditions *c, MpVec *image, bool *fits);

#endif
