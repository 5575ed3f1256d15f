/*
 * random_forest.c: see random_forest.h. Thresholds of a feature come from a
 * pool that is a function of feature and number, so nothing has to be stored
 * for rows to hit them.
 */
#include "random_forest.h"

#include "core/forest/eval.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t
mp_random(MpRandom *random)
{
	/* PCG, O'Neill 2014 */
	uint64_t	old = random->state;
	uint32_t	shifted = ((old >> 18) ^ old) >> 27;
	uint32_t	rotation = old >> 59;

	random->state = old * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return shifted >> rotation | shifted << (-rotation & 31);
}

uint32_t
mp_random_below(MpRandom *random, uint32_t n)
{
	return (uint64_t) mp_random(random) * n >> 32;
}

bool
mp_random_chance(MpRandom *random, double probability)
{
	return mp_random(random) < probability * UINT32_MAX;
}

static bool
is_categorical(const MpShape *shape, uint32_t feature)
{
	return shape->n_categories > 0 && feature % 3 == 1;
}

/* The n-th threshold of a feature. */
static float
threshold(uint32_t feature, uint32_t n)
{
	static const float special[] = {
		0.0f, -0.0f, FLT_TRUE_MIN, -FLT_TRUE_MIN, 1e-39f, FLT_MIN, FLT_MAX, -FLT_MAX,
		INFINITY, -INFINITY
	};
	MpRandom	random = {(uint64_t) feature << 32 | n};

	mp_random(&random);
	if (mp_random_chance(&random, 0.1))
		return special[mp_random_below(&random, sizeof(special) / sizeof(special[0]))];
	return ((int32_t) mp_random(&random)) / 1e9f;
}

/* The same of a double forest: mostly none that a float could hold. */
static double
double_threshold(uint32_t feature, uint32_t n)
{
	double		t = threshold(feature, n);

	return isfinite(t) && fabs(t) > 1e-3 && fabs(t) < 1e3 ? t * (1 + n % 1000 * 1e-12) : t;
}

/* A tree while it is made. */
typedef struct Maker
{
	MpRandom   *random;
	const MpShape *shape;
	MpForest   *forest;
	MpNode	   *nodes;
	double	   *values;			/* of a double forest, beside the nodes */
	int		   *depths;
	int		   *open;			/* leaves that may still be split */
	int			n_open;
	uint32_t   *pairs;			/* numbers of pairs of children, shuffled */
	uint32_t	n_pairs;
	uint32_t	next_set;
} Maker;

static void
make_leaf(Maker *m, uint32_t node, int depth)
{
	static uint32_t next_vector;

	m->nodes[node].left = 0;
	m->nodes[node].feature = 0;
	m->depths[node] = depth;
	if (m->shape->vector_leaf)
		m->nodes[node].value_bits = next_vector++ % MP_SECTION_LENGTH(m->forest, MP_SECTION_LEAVES,
																	  char[m->forest->n_outputs * mp_forest_real_size(m->forest)]);
	else if (m->shape->doubles)
		m->values[node] = mp_random_chance(m->random, 0.05) ? -0.0 : (int32_t) mp_random(m->random) / 3e9;
	else
		m->nodes[node].value = mp_random_chance(m->random, 0.05) ? -0.0f
			: (int32_t) mp_random(m->random) / 3e9f;
	if (depth < m->shape->max_depth)
		m->open[m->n_open++] = node;
}

static void
make_split(Maker *m, uint32_t node)
{
	uint32_t	left = 1 + 2 * m->pairs[--m->n_pairs];
	uint32_t	feature = mp_random_below(m->random, m->shape->n_features);

	m->nodes[node].left = left;
	m->nodes[node].feature = feature;
	if (is_categorical(m->shape, feature))
	{
		m->nodes[node].feature |= MP_NODE_CATEGORICAL;
		m->nodes[node].value_bits = mp_random_below(m->random, MP_SECTION_LENGTH(
			m->forest, MP_SECTION_CATSETS, MpCatSet));
	}
	else if (m->shape->doubles)
		m->values[node] = double_threshold(feature, mp_random_below(m->random, m->shape->n_cuts));
	else
		m->nodes[node].value = threshold(feature,
										 mp_random_below(m->random, m->shape->n_cuts));
	if (m->shape->one_direction || mp_random_chance(m->random, 0.5))
		m->nodes[node].feature |= MP_NODE_DEFAULT_LEFT;
	make_leaf(m, left, m->depths[node] + 1);
	make_leaf(m, left + 1, m->depths[node] + 1);
}

static void
make_tree(Maker *m, uint32_t n_nodes)
{
	uint32_t	n_splits = n_nodes / 2;

	m->n_pairs = n_splits;
	for (uint32_t i = 0; i < n_splits; i++)
		m->pairs[i] = i;
	for (uint32_t i = n_splits; i > 1; i--)
	{
		uint32_t	j = mp_random_below(m->random, i);
		uint32_t	swap = m->pairs[i - 1];

		m->pairs[i - 1] = m->pairs[j];
		m->pairs[j] = swap;
	}
	m->n_open = 0;
	make_leaf(m, 0, 0);
	while (m->n_open > 0 && m->n_pairs > 0)
	{
		int			i = m->shape->skinny && mp_random_chance(m->random, 0.8)
			? m->n_open - 1 : (int) mp_random_below(m->random, m->n_open);
		uint32_t	node = m->open[i];

		m->open[i] = m->open[--m->n_open];
		make_split(m, node);
	}

	/* what is left over is as a deleted node: nothing leads there */
	while (m->n_pairs > 0)
	{
		uint32_t	pair = m->pairs[--m->n_pairs];

		memset(&m->nodes[1 + 2 * pair], 0, 2 * sizeof(MpNode));
	}
}

/* Words that a category set takes at most. */
static uint32_t
set_words(const MpShape *shape)
{
	uint32_t	n = (shape->n_categories + 31) / 32;

	return n < 64 ? n : 64;
}

static void
fill_sets(MpRandom *random, const MpShape *shape, MpForest *forest)
{
	MpCatSet   *sets = (MpCatSet *) MP_SECTION(forest, MP_SECTION_CATSETS, MpCatSet);
	uint32_t   *words = (uint32_t *) MP_SECTION(forest, MP_SECTION_CATWORDS, uint32_t);
	uint32_t	n_words = set_words(shape);
	uint32_t	first = 0;

	for (uint32_t i = 0; i < MP_SECTION_LENGTH(forest, MP_SECTION_CATSETS, MpCatSet); i++)
	{
		sets[i].first = first;
		sets[i].is_list = n_words > 4 && mp_random_chance(random, 0.5);
		if (sets[i].is_list)
		{
			uint32_t	code = 0;

			/* ascending, and far apart, up to codes that no bits are kept for */
			for (sets[i].length = 0; sets[i].length < n_words; sets[i].length++)
			{
				code += 1 + mp_random_below(random, 2 * shape->n_categories / n_words);
				words[first + sets[i].length] = code;
			}
		}
		else
		{
			sets[i].length = mp_random_below(random, n_words + 1);
			for (uint32_t j = 0; j < sets[i].length; j++)
				words[first + j] = mp_random(random) & mp_random(random);
		}
		first += n_words;
	}
}

static void
place_section(MpForest *forest, MpSectionId id, size_t size)
{
	forest->sections[id].offset = forest->size;
	forest->sections[id].size = size;
	forest->size = (forest->size + size + 63) / 64 * 64;
}

static MpForest *
new_forest(MpRandom *random, const MpShape *shape, uint32_t n_nodes)
{
	MpForest	head = {0};
	MpForest   *forest;
	int			n_sets = shape->n_categories == 0 ? 0 : 1 + shape->n_trees / 10;
	size_t		real = shape->doubles ? sizeof(double) : sizeof(float);
	size_t		all_nodes = (size_t) shape->n_trees * n_nodes;

	head.magic = MP_FOREST_MAGIC;
	head.format = MP_FOREST_FORMAT;
	head.byte_order = MP_FOREST_BYTE_ORDER;
	head.head_checksum = mp_random(random);
	head.checksum = mp_random(random);
	head.divisor = 1;
	head.link_factor = 1;
	head.task = shape->n_outputs > 1 ? MP_TASK_VALUES : MP_TASK_VALUE;
	head.booster = shape->dart ? MP_BOOSTER_DART : MP_BOOSTER_GBTREE;
	head.n_features = shape->n_features;
	head.n_outputs = shape->n_outputs > 0 ? shape->n_outputs : 1;
	head.n_trees = shape->n_trees;
	head.n_trees_used = shape->n_trees;
	head.vector_leaf = shape->vector_leaf;
	head.precision = shape->doubles ? MP_PRECISION_DOUBLE : MP_PRECISION_SINGLE;
	head.has_categorical = shape->n_categories > 0;
	head.size = (sizeof(MpForest) + 63) / 64 * 64;
	place_section(&head, MP_SECTION_BASE, head.n_outputs * real);
	head.head_size = head.size;
	place_section(&head, MP_SECTION_TREES, shape->n_trees * sizeof(MpTree));
	place_section(&head, MP_SECTION_NODES, all_nodes * sizeof(MpNode));
	place_section(&head, MP_SECTION_CATSETS, n_sets * sizeof(MpCatSet));
	place_section(&head, MP_SECTION_CATWORDS,
				  (size_t) n_sets * set_words(shape) * sizeof(uint32_t));
	if (shape->vector_leaf)
		place_section(&head, MP_SECTION_LEAVES, 100 * head.n_outputs * real);
	if (shape->doubles)
		place_section(&head, MP_SECTION_VALUES, all_nodes * sizeof(double));

	forest = calloc(1, head.size);
	memcpy(forest, &head, sizeof(head));
	return forest;
}

static void
fill_reals(MpRandom *random, MpForest *forest, MpSectionId id, double divisor)
{
	size_t		n = forest->sections[id].size / mp_forest_real_size(forest);
	void	   *reals = (void *) MP_SECTION(forest, id, void);

	for (size_t i = 0; i < n; i++)
	{
		int32_t		number = mp_random(random);

		if (forest->precision == MP_PRECISION_DOUBLE)
			((double *) reals)[i] = number / divisor;
		else
			((float *) reals)[i] = number / (float) divisor;
	}
}

static int
choose_output(MpRandom *random, const MpShape *shape, const MpForest *forest, int tree)
{
	if (shape->vector_leaf)
		return 0;
	switch (shape->outputs)
	{
		case MP_SHAPE_CYCLE:
			return tree % forest->n_outputs;
		case MP_SHAPE_RUNS:
			return tree / 3 % forest->n_outputs;
		case MP_SHAPE_ANY:
			return mp_random_below(random, forest->n_outputs);
	}
	return 0;
}

MpForest *
mp_random_forest(MpRandom *random, const MpShape *shape)
{
	uint32_t	n_nodes = 2 * shape->max_leaves - 1;
	MpForest   *forest = new_forest(random, shape, n_nodes);
	MpTree	   *trees = (MpTree *) mp_forest_trees(forest);
	Maker		m = {random, shape, forest};

	m.depths = malloc(n_nodes * sizeof(int));
	m.open = malloc(n_nodes * sizeof(int));
	m.pairs = malloc(n_nodes * sizeof(uint32_t));
	fill_sets(random, shape, forest);
	fill_reals(random, forest, MP_SECTION_BASE, 1e9);
	fill_reals(random, forest, MP_SECTION_LEAVES, 3e9);
	for (int t = 0; t < shape->n_trees; t++)
	{
		trees[t].first = t * n_nodes;
		trees[t].n_nodes = n_nodes;
		trees[t].output = choose_output(random, shape, forest, t);
		trees[t].weight = shape->dart ? mp_random(random) / 4e9f : 1.0f;
		m.nodes = (MpNode *) mp_forest_nodes(forest, &trees[t]);
		m.values = (double *) MP_SECTION(forest, MP_SECTION_VALUES, double) + trees[t].first;
		make_tree(&m, n_nodes);
	}
	free(m.depths);
	free(m.open);
	free(m.pairs);
	return forest;
}

/* A value of feature i. */
static double
random_value(MpRandom *random, const MpShape *shape, int i)
{
	static const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, FLT_TRUE_MIN, -FLT_MAX};
	uint32_t	n = mp_random_below(random, shape->n_cuts);
	double		t = shape->doubles ? double_threshold(i, n) : threshold(i, n);

	if (mp_random_chance(random, shape->missing))
		return NAN;
	if (is_categorical(shape, i) && !mp_random_chance(random, 0.1))
		return mp_random_below(random, 3 * shape->n_categories);
	switch (mp_random_below(random, 5))
	{
		case 0:
			return t;
		case 1:
			return shape->doubles ? nextafter(t, INFINITY) : nextafterf(t, INFINITY);
		case 2:
			return shape->doubles ? nextafter(t, -INFINITY) : nextafterf(t, -INFINITY);
		case 3:
			return special[mp_random_below(random, 6)];
		default:
			return (int32_t) mp_random(random) / 1e9f;
	}
}

void
mp_random_row(MpRandom *random, const MpShape *shape, float *x)
{
	for (int i = 0; i < shape->n_features; i++)
		x[i] = random_value(random, shape, i);
}

void
mp_random_reals(MpRandom *random, const MpShape *shape, void *x)
{
	if (!shape->doubles)
	{
		mp_random_row(random, shape, x);
		return;
	}
	for (int i = 0; i < shape->n_features; i++)
		((double *) x)[i] = random_value(random, shape, i);
}

void
mp_expect(const MpForest *forest, const void *x, void *margin)
{
	if (forest->precision == MP_PRECISION_DOUBLE)
		mp_eval_margin_double(forest, x, margin);
	else
		mp_eval_margin(forest, x, margin);
}
