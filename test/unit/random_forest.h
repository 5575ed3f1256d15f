/*
 * random_forest.h: forests and rows made by chance, for tests that hold one
 * evaluator against another: every shape of tree, thresholds and values where
 * comparisons are delicate, node numbers in any order.
 */
#ifndef MP_TEST_RANDOM_FOREST_H
#define MP_TEST_RANDOM_FOREST_H

#include "core/forest/forest.h"

typedef struct MpRandom
{
	uint64_t	state;
} MpRandom;

extern uint32_t mp_random(MpRandom *random);
extern uint32_t mp_random_below(MpRandom *random, uint32_t n);
extern bool mp_random_chance(MpRandom *random, double probability);

typedef enum MpShapeOutputs
{
	MP_SHAPE_CYCLE,				/* tree t adds to output t % n_outputs */
	MP_SHAPE_RUNS,				/* several trees in a row to one output */
	MP_SHAPE_ANY
} MpShapeOutputs;

typedef struct MpShape
{
	const char *name;
	int			n_features;
	int			n_trees;
	int			max_depth;
	int			max_leaves;		/* of one tree; splits are made until it is reached */
	int			n_cuts;			/* distinct thresholds per feature */
	bool		skinny;			/* split the deepest leaf rather than any */
	int			n_outputs;		/* 0: 1 */
	MpShapeOutputs outputs;
	bool		vector_leaf;
	bool		dart;
	int			n_categories;	/* of every third feature; 0: all are numbers */
	double		missing;		/* share of missing values in rows */
	bool		one_direction;	/* missing values all go left */
	bool		doubles;		/* a double forest */
} MpShape;

/* in shapes.c: one for each way that an evaluator may take */
extern const MpShape mp_shapes[];
extern const size_t mp_n_shapes;
extern const MpShape *mp_find_shape(const char *name);

/* To be released with free. */
extern MpForest *mp_random_forest(MpRandom *random, const MpShape *shape);

/* A row: thresholds of the forest, their neighbours, other numbers, categories, missing values. */
extern void mp_random_row(MpRandom *random, const MpShape *shape, float *x);

/* The same for either precision, and what the reference evaluator says of it. */
extern void mp_random_reals(MpRandom *random, const MpShape *shape, void *x);
extern void mp_expect(const MpForest *forest, const void *x, void *margin);

#endif
