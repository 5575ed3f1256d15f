/*
 * shapes.c: forests of every shape, for tests of what evaluates them.
 */
#include "random_forest.h"

#include <stdlib.h>
#include <string.h>

const MpShape mp_shapes[] = {
	/* name, features, trees, depth, leaves, cuts */
	{"no trees", 3, 0, 1, 1, 1},
	{"lone leaves", 3, 20, 0, 1, 1},
	{"stumps", 7, 300, 1, 2, 20, .missing = 0.1},
	{"depth 2", 7, 9, 2, 4, 20, .missing = 0.1},
	{"depth 3", 20, 130, 3, 8, 40, .missing = 0.1},
	{"depth 4", 20, 127, 4, 14, 40, .missing = 0.1},
	{"depth 5", 20, 128, 5, 30, 40, .missing = 0.1},
	{"depth 6", 30, 100, 6, 64, 250, .missing = 0.05},
	{"depth 6, sparse", 30, 129, 6, 20, 250, .missing = 0.05},
	{"depth 6, no missing value", 30, 20, 6, 64, 250},
	{"depth 6, all missing", 30, 20, 6, 64, 250, .missing = 1},
	{"one direction", 30, 20, 6, 64, 250, .missing = 0.2, .one_direction = true},
	{"one feature", 1, 20, 6, 64, 250, .missing = 0.2},
	{"one tree", 3, 1, 6, 64, 250, .missing = 0.2},
	{"depth 7", 50, 100, 7, 128, 250, .missing = 0.05},
	{"depth 8", 50, 140, 8, 256, 250, .missing = 0.05},
	{"depth 8, sparse", 64, 140, 8, 90, 300, .missing = 0.05},
	{"depth 8, very sparse", 65, 140, 8, 20, 100, .missing = 0.05},
	{"depth 9", 60, 33, 9, 300, 200, .missing = 0.05},
	{"depth 12", 100, 20, 12, 2000, 254, .missing = 0.05},
	{"leaf-wise", 100, 140, 40, 31, 254, .missing = 0.05},
	{"leaf-wise, deep", 100, 50, 40, 255, 254, .missing = 0.05, .skinny = true},
	{"more than 2,048 leaves", 20, 4, 14, 2060, 100, .missing = 0.05},
	{"large trees", 20, 3, 20, 70000, 255, .missing = 0.05},
	{"32 slots", 32, 50, 8, 128, 200, .missing = 0.05},
	{"33 slots", 33, 50, 8, 128, 200, .missing = 0.05},
	{"32 slots, deep", 32, 50, 12, 200, 200, .missing = 0.05},
	{"64 slots", 64, 50, 6, 64, 200, .missing = 0.05},
	{"65 slots", 65, 50, 6, 64, 200, .missing = 0.05},
	{"128 slots", 128, 50, 6, 64, 200, .missing = 0.05},
	{"129 slots", 129, 50, 6, 64, 200, .missing = 0.05},
	{"254 cuts", 20, 100, 6, 64, 290, .missing = 0.05},
	{"several slots per feature", 20, 200, 8, 256, 2000, .missing = 0.05},
	{"thousands of cuts", 40, 200, 8, 256, 5000, .missing = 0.05},
	{"tens of thousands of cuts", 1, 200, 8, 256, 1000000, .missing = 0.05},
	{"hundreds of thousands of cuts", 1, 2, 40, 60000, 1000000000, .missing = 0.05},
	{"many slots, depth 3", 300, 300, 3, 8, 20, .missing = 0.05},
	{"many slots, depth 6", 300, 200, 6, 64, 250, .missing = 0.05},
	{"many slots, depth 8", 1000, 100, 8, 200, 250, .missing = 0.05},
	{"many slots, leaf-wise", 1000, 60, 30, 200, 250, .missing = 0.05, .skinny = true},
	{"many splits", 140, 530, 8, 256, 250, .missing = 0.05},
	{"many splits and slots", 1500, 530, 8, 256, 250, .missing = 0.05},
	{"5,000 features", 5000, 100, 8, 256, 250, .missing = 0.05},
	{"5,000 features, few trees", 5000, 10, 6, 64, 250, .missing = 0.05},
	{"40,000 features", 40000, 300, 8, 256, 3, .missing = 0.05},
	{"3 classes", 10, 100, 6, 60, 100, .n_outputs = 3, .missing = 0.05},
	{"10 classes", 30, 300, 6, 60, 100, .n_outputs = 10, .missing = 0.05},
	{"40 classes", 10, 400, 6, 60, 100, .n_outputs = 40, .missing = 0.05},
	{"200 classes", 10, 400, 4, 10, 100, .n_outputs = 200, .missing = 0.05},
	{"classes by runs", 10, 200, 6, 60, 100, .n_outputs = 4, .outputs = MP_SHAPE_RUNS},
	{"outputs at random", 10, 200, 6, 60, 100, .n_outputs = 4, .outputs = MP_SHAPE_ANY},
	{"vector leaves", 10, 150, 6, 60, 100, .n_outputs = 5, .vector_leaf = true},
	{"vector leaves, depth 8", 10, 150, 8, 99, 100, .n_outputs = 3, .vector_leaf = true},
	{"vector leaves, deep", 10, 15, 12, 199, 100, .n_outputs = 3, .vector_leaf = true},
	{"dart", 10, 150, 6, 60, 100, .dart = true, .missing = 0.05},
	{"dart, classes", 10, 150, 7, 60, 100, .n_outputs = 3, .dart = true, .missing = 0.05},
	{"categories", 20, 100, 6, 60, 100, .n_categories = 5, .missing = 0.05},
	{"many categories", 12, 100, 7, 60, 100, .n_categories = 300, .missing = 0.05},
	{"far categories", 12, 30, 6, 60, 100, .n_categories = 5000000, .missing = 0.05},
	{"categories, many slots", 90, 100, 8, 99, 100, .n_categories = 70, .missing = 0.05},
	{"categories, deep", 90, 100, 20, 99, 100, .n_categories = 70, .missing = 0.05},
};

const size_t mp_n_shapes = sizeof(mp_shapes) / sizeof(mp_shapes[0]);

const MpShape *
mp_find_shape(const char *name)
{
	for (size_t i = 0; i < mp_n_shapes; i++)
	{
		if (strcmp(mp_shapes[i].name, name) == 0)
			return &mp_shapes[i];
	}
	abort();
}
