/*
 * test_shap.c: contributions and interactions against their definition.
 *
 * The twin is Shapley's formula over all subsets of features, with the value of
 * a subset computed as Lundberg, Erion & Lee (2018) define it: a walk down the
 * tree that follows the row at splits on known features and averages by cover
 * at the others. Nothing of it is shared with the code under test. The trees
 * are random: features repeat on paths, some splits are categorical, covers
 * can be 0.
 */
#include "harness.h"
#include "core/forest/eval.h"
#include "core/shap/shap_interactions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NODES 4096

/* A forest made by hand, and the means to make it. */
typedef struct Maker
{
	MpForest   *forest;
	uint64_t	random;
	int			n_features;
	int			n_outputs;
	int			n_trees;
	int			vector_leaf;
	MpTree		trees[64];
	MpNode		nodes[MAX_NODES];
	float		cover[MAX_NODES];
	float		leaves[MAX_NODES];
	int			n_nodes;
	int			n_leaves;
} Maker;

static double
next_random(Maker *m)
{
	m->random = m->random * 6364136223846793005u + 1442695040888963407u;
	return (m->random >> 11) / 9007199254740992.0;
}

/* Grows the tree that starts at node `first`. */
static void
grow(Maker *m, int first, int node, int depth)
{
	MpNode	   *n = &m->nodes[first + node];
	int			left = m->n_nodes - first;
	double		share = next_random(m);

	memset(n, 0, sizeof(*n));
	if (depth == 0 || next_random(m) < 0.15 || m->n_nodes + 2 > MAX_NODES)
	{
		if (!m->vector_leaf)
			n->value = (float) (next_random(m) * 2 - 1);
		else
		{
			n->value_bits = m->n_leaves++;
			for (int k = 0; k < m->n_outputs; k++)
				m->leaves[n->value_bits * m->n_outputs + k] = (float) next_random(m);
		}
		return;
	}

	n->feature = (uint32_t) (next_random(m) * m->n_features);
	n->feature |= next_random(m) < 0.5 ? MP_NODE_DEFAULT_LEFT : 0;
	if (next_random(m) < 0.2)
	{
		n->feature |= MP_NODE_CATEGORICAL;
		n->value_bits = 0;
	}
	else
		n->value = next_random(m) < 0.05 ? -INFINITY : (float) (next_random(m) * 4 - 0.5);
	n->left = left;
	m->n_nodes += 2;
	if (next_random(m) < 0.05)
		share = 0;
	m->cover[first + left] = (float) (m->cover[first + node] * share);
	m->cover[first + left + 1] = (float) (m->cover[first + node] * (1 - share));
	grow(m, first, left, depth - 1);
	grow(m, first, left + 1, depth - 1);
}

static void
place_section(MpForest *forest, MpSectionId id, const void *data, size_t size)
{
	MpSection  *section = &forest->sections[id];

	section->offset = forest->size;
	section->size = size;
	if (size > 0)
		memcpy((char *) forest + forest->size, data, size);
	forest->size += (size + 63) / 64 * 64;
}

static void
add_tree(Maker *m, int depth, int output, float weight)
{
	MpTree	   *tree = &m->trees[m->n_trees++];

	tree->first = m->n_nodes;
	tree->output = output;
	tree->weight = weight;
	m->cover[m->n_nodes] = 100;
	m->n_nodes++;
	grow(m, tree->first, 0, depth);
	tree->n_nodes = m->n_nodes - tree->first;
}

static const float bases[4] = {0.5f, -0.25f, 1, 2};

static MpForest *
make_forest(Maker *m)
{
	static const MpCatSet set = {0, 1, 0};
	static const uint32_t word = 0x5;	/* codes 0 and 2 */
	MpForest   *f = calloc(1, 1 << 20);

	f->size = (sizeof(MpForest) + 63) / 64 * 64;
	f->n_features = m->n_features;
	f->n_outputs = m->n_outputs;
	f->n_trees = m->n_trees;
	f->n_trees_used = m->n_trees;
	f->vector_leaf = m->vector_leaf;
	f->has_stats = 1;
	place_section(f, MP_SECTION_BASE, bases, m->n_outputs * sizeof(float));
	place_section(f, MP_SECTION_TREES, m->trees, m->n_trees * sizeof(MpTree));
	place_section(f, MP_SECTION_NODES, m->nodes, m->n_nodes * sizeof(MpNode));
	place_section(f, MP_SECTION_COVER, m->cover, m->n_nodes * sizeof(float));
	place_section(f, MP_SECTION_CATSETS, &set, sizeof(set));
	place_section(f, MP_SECTION_CATWORDS, &word, sizeof(word));
	place_section(f, MP_SECTION_LEAVES, m->leaves,
				  (size_t) m->n_leaves * m->n_outputs * sizeof(float));
	m->forest = f;
	return f;
}

static void
random_row(Maker *m, float *x)
{
	for (int i = 0; i < m->n_features; i++)
		x[i] = next_random(m) < 0.2 ? NAN : (float) (floor(next_random(m) * 8) / 2 - 0.5);
}

/* The value of a tree where only the features of the subset are known. */
static double
subset_value(const MpForest *f, const MpTree *tree, int output, int node,
			 const float *x, unsigned subset)
{
	const MpNode *n = mp_forest_nodes(f, tree) + node;
	const float *cover = MP_SECTION(f, MP_SECTION_COVER, float) + tree->first;
	int			feature = n->feature & MP_NODE_FEATURE_MASK;
	double		left = 0.5;
	double		right = 0.5;

	if (n->left == 0)
	{
		if (!f->vector_leaf)
			return n->value;
		return MP_SECTION(f, MP_SECTION_LEAVES, float)[n->value_bits * f->n_outputs + output];
	}
	if (subset >> feature & 1)
		return subset_value(f, tree, output, n->left + !mp_node_goes_left(f, n, x[feature]),
							x, subset);
	if (cover[node] > 0)
	{
		left = (double) cover[n->left] / cover[node];
		right = (double) cover[n->left + 1] / cover[node];
	}
	return left * subset_value(f, tree, output, n->left, x, subset) +
		right * subset_value(f, tree, output, n->left + 1, x, subset);
}

/* v[subset] for all subsets, of one output */
static void
all_values(const MpForest *f, int output, const float *x, double *v)
{
	for (unsigned subset = 0; subset < 1u << f->n_features; subset++)
	{
		v[subset] = bases[output];
		for (int t = 0; t < f->n_trees_used; t++)
		{
			const MpTree *tree = &mp_forest_trees(f)[t];

			if (f->vector_leaf || tree->output == output)
				v[subset] += tree->weight * subset_value(f, tree, output, 0, x, subset);
		}
	}
}

static double
factorial(int n)
{
	return n <= 1 ? 1 : n * factorial(n - 1);
}

static double
shapley(const double *v, int n, int i)
{
	double		sum = 0;

	for (unsigned s = 0; s < 1u << n; s++)
	{
		int			size = __builtin_popcount(s);

		if (!(s >> i & 1))
			sum += factorial(size) * factorial(n - 1 - size) / factorial(n) *
				(v[s | 1u << i] - v[s]);
	}
	return sum;
}

static double
interaction(const double *v, int n, int i, int j)
{
	double		sum = 0;
	unsigned	both = 1u << i | 1u << j;

	for (unsigned s = 0; s < 1u << n; s++)
	{
		int			size = __builtin_popcount(s);

		if (!(s & both))
			sum += factorial(size) * factorial(n - 2 - size) / (2 * factorial(n - 1)) *
				(v[s | both] - v[s | 1u << i] - v[s | 1u << j] + v[s]);
	}
	return sum;
}

static void
check_row(Maker *m, MpShap *shap, const float *x)
{
	int			n = m->n_features;
	int			width = n + 1;
	float		contribs[4 * 9];
	float		matrix[4 * 81];
	double		v[256];
	MpError		error;

	mp_shap_contribs(shap, x, contribs);
	REQUIRE(mp_shap_interactions(shap, x, matrix, &error));
	for (int k = 0; k < m->n_outputs; k++)
	{
		const float *phi = contribs + k * width;
		const float *pairs = matrix + k * width * width;

		all_values(m->forest, k, x, v);
		CHECK_SAY(fabs(phi[n] - v[0]) < 1e-5, "bias %g, not %g", phi[n], v[0]);
		CHECK(pairs[width * width - 1] == phi[n]);
		for (int i = 0; i < n; i++)
		{
			double		row_sum = pairs[i * width + i];

			CHECK_SAY(fabs(phi[i] - shapley(v, n, i)) < 1e-5, "feature %d: %g, not %g",
					  i, phi[i], shapley(v, n, i));
			CHECK(pairs[i * width + n] == 0 && pairs[n * width + i] == 0);
			for (int j = 0; j < n; j++)
			{
				if (i == j)
					continue;
				row_sum += pairs[i * width + j];
				CHECK(pairs[i * width + j] == pairs[j * width + i]);
				CHECK_SAY(fabs(pairs[i * width + j] - interaction(v, n, i, j)) < 1e-5,
						  "pair %d, %d: %g, not %g", i, j, pairs[i * width + j],
						  interaction(v, n, i, j));
			}
			CHECK(fabs(row_sum - phi[i]) < 1e-5);
		}
	}
}

static void
check_forest(Maker *m)
{
	MpCounting	counting;
	MpError		error;
	MpShap	   *shap;
	float		x[8];
	size_t		n_requests;

	mp_counting_init(&counting);
	make_forest(m);
	shap = mp_shap_open(&counting.alloc, m->forest, &error);
	REQUIRE(shap != NULL);
	for (int i = 0; i < m->n_features; i++)
		x[i] = NAN;
	check_row(m, shap, x);
	for (int i = 0; i < 10; i++)
	{
		random_row(m, x);
		check_row(m, shap, x);
	}

	/* a row takes no memory */
	n_requests = counting.n_requests;
	for (int i = 0; i < 4; i++)
	{
		float		contribs[4 * 9];

		mp_shap_contribs(shap, x, contribs);
	}
	CHECK(counting.n_requests == n_requests);
	mp_shap_close(shap);
	CHECK(counting.n_blocks == 0);
	free(m->forest);
}

MP_TEST(shap_is_shapleys_value)
{
	for (int round = 0; round < 24; round++)
	{
		Maker	   *m = calloc(1, sizeof(Maker));

		m->random = round + 1;
		m->n_features = 1 + round % 8;
		m->n_outputs = 1 + round % 3;
		for (int t = 0; t < 6; t++)
			add_tree(m, round % 7, (t + round) % m->n_outputs, t % 2 ? 1 : 0.25f);
		check_forest(m);
		free(m);
	}
}

MP_TEST(shap_of_vector_leaves)
{
	Maker	   *m = calloc(1, sizeof(Maker));

	m->random = 99;
	m->n_features = 6;
	m->n_outputs = 3;
	m->vector_leaf = 1;
	for (int t = 0; t < 5; t++)
		add_tree(m, 5, 0, 1);
	check_forest(m);
	free(m);
}

MP_TEST(shap_without_trees)
{
	Maker	   *m = calloc(1, sizeof(Maker));

	m->n_features = 3;
	m->n_outputs = 2;
	check_forest(m);
	free(m);
}

/*
 * A chain of `depth` splits, each on a feature of its own: more than one vector
 * of points, then more than there are. With half of the cover on each side and
 * 1 only at the end, Shapley's values have a closed form by symmetry: all
 * features that agree have the same.
 */
static void
check_chain(int depth)
{
	Maker	   *m = calloc(1, sizeof(Maker));
	float	   *x = calloc(depth, sizeof(float));
	float	   *contribs = calloc(depth + 1, sizeof(float));
	MpShap	   *shap;
	MpError		error;

	m->n_features = depth;
	m->n_outputs = 1;
	m->n_trees = 1;
	m->trees[0] = (MpTree) {0, 2 * depth + 1, 0, 1};
	m->n_nodes = 2 * depth + 1;
	m->cover[0] = 1;
	for (int i = 0; i < depth; i++)
	{
		m->nodes[2 * i] = (MpNode) {{.value = 0.5f}, i, 2 * i + 1};
		m->cover[2 * i + 1] = m->cover[2 * i] * 0.01f;
		m->cover[2 * i + 2] = m->cover[2 * i] * 0.99f;
	}
	m->nodes[2 * depth].value = 1;
	for (int i = 0; i < depth; i++)
		x[i] = 1;
	make_forest(m);
	shap = mp_shap_open(&mp_alloc_malloc, m->forest, &error);
	REQUIRE(shap != NULL);
	mp_shap_contribs(shap, x, contribs);
	CHECK(fabs(contribs[depth] - bases[0] - pow(0.99, depth)) < 1e-4);
	for (int i = 0; i < depth; i++)
		CHECK_SAY(fabs(contribs[i] * depth / (1 - pow(0.99, depth)) - 1) < 1e-4,
				  "depth %d, feature %d: %g", depth, i, contribs[i]);
	mp_shap_close(shap);
	free(m->forest);
	free(m);
	free(x);
	free(contribs);
}

MP_TEST(shap_of_long_paths)
{
	check_chain(1);
	check_chain(8);
	check_chain(9);
	check_chain(16);
	check_chain(17);
	check_chain(40);
	check_chain(300);
}

MP_TEST(shap_needs_covers)
{
	Maker	   *m = calloc(1, sizeof(Maker));
	MpError		error;

	m->random = 5;
	m->n_features = 2;
	m->n_outputs = 1;
	while (m->n_nodes < 3)
	{
		m->n_nodes = m->n_trees = 0;
		add_tree(m, 3, 0, 1);
	}
	make_forest(m)->has_stats = 0;
	CHECK(mp_shap_open(&mp_alloc_malloc, m->forest, &error) == NULL);
	CHECK(error.code == MP_ERROR_UNSUPPORTED);
	free(m->forest);
	free(m);
}

MP_TEST(shap_says_when_memory_is_out)
{
	Maker	   *m = calloc(1, sizeof(Maker));
	bool		opened = false;

	m->random = 3;
	m->n_features = 4;
	m->n_outputs = 2;
	for (int t = 0; t < 4; t++)
		add_tree(m, 5, t % 2, 1);
	make_forest(m);
	for (size_t at = 1; at < 200 && !opened; at++)
	{
		MpCounting	counting;
		MpError		error;
		MpShap	   *shap;
		float		x[4] = {0, 1, 2, NAN};
		float		matrix[2 * 25];

		mp_counting_init(&counting);
		counting.fail_at = at;
		shap = mp_shap_open(&counting.alloc, m->forest, &error);
		if (shap == NULL)
			CHECK(error.code == MP_ERROR_MEMORY);
		else
		{
			opened = mp_shap_interactions(shap, x, matrix, &error);
			CHECK(opened || error.code == MP_ERROR_MEMORY);
			mp_shap_close(shap);
		}
		CHECK(counting.n_blocks == 0);
	}
	CHECK(opened);
	free(m->forest);
	free(m);
}
