/*
 * test_probe.c: rows made from a model reach its thresholds: for every one some
 * row comes to a split that has it with a value just below, on and just above
 * it, and missing, except where a split before it leaves no way for such a
 * value. Seen by walking all trees with all rows.
 */
#include "core/forest/eval.h"
#include "golden.h"
#include "harness.h"
#include "core/forest/probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* what values came to a split */
#define BELOW 1
#define ON 2
#define ABOVE 4
#define MISSING 8
#define SIDES (BELOW | ON | ABOVE)

typedef struct Seen
{
	uint32_t	feature;
	float		threshold;
	int			values;
} Seen;

static int
value_seen(float x, float threshold)
{
	if (isnan(x))
		return MISSING;
	if (x == threshold)
		return ON;
	if (x == nextafterf(threshold, -INFINITY))
		return BELOW;
	return x == nextafterf(threshold, INFINITY) ? ABOVE : 0;
}

static void
walk(const MpForest *forest, const float *x, Seen *seen)
{
	for (int32_t t = 0; t < forest->n_trees_used; t++)
	{
		const MpTree *tree = mp_forest_trees(forest) + t;
		const MpNode *nodes = mp_forest_nodes(forest, tree);
		int32_t		i = 0;

		while (nodes[i].left != 0)
		{
			const MpNode *node = &nodes[i];
			float		value = x[node->feature & MP_NODE_FEATURE_MASK];
			Seen	   *s = &seen[tree->first + i];

			s->feature = node->feature;
			s->threshold = node->value;
			if (node->feature & MP_NODE_CATEGORICAL)
				s->values = SIDES | MISSING;
			else
				s->values |= value_seen(value, node->value);
			i = node->left + !mp_node_goes_left(forest, node, value);
		}
	}
}

static int
compare_seen(const void *a, const void *b)
{
	const Seen *x = a;
	const Seen *y = b;

	if (x->feature != y->feature)
		return x->feature < y->feature ? -1 : 1;
	return (x->threshold > y->threshold) - (x->threshold < y->threshold);
}

static size_t n_rows;
static size_t n_thresholds;
static size_t n_sides_unmet;
static size_t n_missing_unmet;

static void
count(Seen *seen, size_t n)
{
	qsort(seen, n, sizeof(Seen), compare_seen);
	for (size_t i = 0; i < n;)
	{
		size_t		j = i;
		int			values = 0;

		for (; j < n && compare_seen(&seen[i], &seen[j]) == 0; j++)
			values |= seen[j].values;
		/* a node that no row reached has said nothing of itself */
		if (values != 0)
		{
			n_thresholds++;
			n_sides_unmet += (values & SIDES) != SIDES;
			n_missing_unmet += (values & MISSING) == 0;
		}
		i = j;
	}
}

static void
check_folder(const char *folder)
{
	MpGolden   *golden = mp_golden_open(folder);
	MpError		error;
	MpForest   *forest = golden ? mp_golden_load(golden, "json", &error) : NULL;
	MpProbe    *probe;
	size_t		n_nodes;
	Seen	   *seen;
	float	   *x;

	REQUIRE(forest != NULL);
	n_nodes = MP_SECTION_LENGTH(forest, MP_SECTION_NODES, MpNode);
	seen = calloc(n_nodes + 1, sizeof(Seen));
	x = malloc(sizeof(float) * (forest->n_features + 1));
	probe = mp_probe_open(&mp_alloc_malloc, forest, UINT64_MAX, &error);
	REQUIRE(probe != NULL && seen != NULL && x != NULL);
	while (mp_probe_next(probe, x))
	{
		n_rows++;
		walk(forest, x, seen);
		for (int i = 0; i < forest->n_features; i++)
			CHECK(!isinf(x[i]));
	}
	CHECK(mp_probe_targets_tried(probe) == mp_probe_targets(probe));
	mp_probe_close(probe);
	count(seen, n_nodes);
	free(seen);
	free(x);
	free(forest);
	mp_golden_close(golden);
}

MP_TEST(probe_thresholds)
{
	n_rows = n_thresholds = n_sides_unmet = n_missing_unmet = 0;
	mp_golden_walk(mp_test_models(), check_folder);
	CHECK(n_rows > 10000 && n_thresholds > 10000);
	CHECK_SAY(n_sides_unmet <= n_thresholds / 1000,
			  "of %zu thresholds %zu are not met from all sides", n_thresholds, n_sides_unmet);
	CHECK_SAY(n_missing_unmet <= n_thresholds / 10,
			  "of %zu thresholds %zu are not met by a missing value", n_thresholds,
			  n_missing_unmet);
}

MP_TEST(probe_limit)
{
	MpGolden   *golden;
	MpForest   *forest;
	MpError		error;
	MpProbe    *probe;
	char		folder[1200];
	float		x[100];
	uint64_t	rows = 0;

	snprintf(folder, sizeof(folder), "%s/xgboost-1.7.4/categorical-partition", mp_test_models());
	golden = mp_golden_open(folder);
	REQUIRE(golden != NULL);
	forest = mp_golden_load(golden, "json", &error);
	REQUIRE(forest != NULL && forest->n_features <= 100);
	probe = mp_probe_open(&mp_alloc_malloc, forest, 10, &error);
	REQUIRE(probe != NULL);
	while (mp_probe_next(probe, x))
		rows++;
	CHECK(mp_probe_targets(probe) > 100);
	CHECK(mp_probe_targets_tried(probe) == 10);
	CHECK(rows >= 20 && rows <= 140);
	mp_probe_close(probe);
	free(forest);
	mp_golden_close(golden);
}

/* Every request of memory fails once: an error, and nothing stays. */
MP_TEST(probe_memory)
{
	MpGolden   *golden;
	MpForest   *forest;
	MpError		error;
	MpCounting	counting;
	MpProbe    *probe = NULL;
	char		folder[1200];

	snprintf(folder, sizeof(folder), "%s/xgboost-1.7.4/categorical-partition", mp_test_models());
	golden = mp_golden_open(folder);
	REQUIRE(golden != NULL);
	forest = mp_golden_load(golden, "json", &error);
	REQUIRE(forest != NULL);
	for (size_t fail_at = 1; probe == NULL && fail_at < 1000; fail_at++)
	{
		mp_counting_init(&counting);
		counting.fail_at = fail_at;
		probe = mp_probe_open(&counting.alloc, forest, 10, &error);
		if (probe == NULL)
			CHECK(error.code == MP_ERROR_MEMORY && counting.n_blocks == 0);
	}
	REQUIRE(probe != NULL);
	mp_probe_close(probe);
	CHECK(counting.n_blocks == 0);
	free(forest);
	mp_golden_close(golden);
}
