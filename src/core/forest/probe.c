/*
 * probe.c: rows made from a model itself; see probe.h.
 *
 * All splits that a row can reach are collected once, ordered by feature and
 * threshold, and those that are equal, in where they send missing values too,
 * fall together: what is left are the targets. Each
 * node knows its parent, so that a way is found by climbing from the target
 * to the root, narrowing an interval for each feature that is met.
 */
#include "core/forest/probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WAY 4096			/* splits of a way that are heeded */
#define MAX_CODES 4096			/* categories that are tried for a way */
#define N_PLAIN 100				/* rows that lead nowhere in particular */

typedef struct Split
{
	uint32_t	feature;		/* with the node's flags until the splits are grouped */
	uint32_t	bits;			/* threshold, or the number of the set */
	uint32_t	tree;
	uint32_t	node;
} Split;

/* The splits of one feature: numeric ones, ascending, then those by category. */
typedef struct Group
{
	uint64_t	first_target;
	uint32_t	feature;
	uint32_t	first;			/* in splits */
	uint32_t	n_numeric;
	uint32_t	n_categorical;
	uint32_t	n_codes;		/* categories to try: all that are known and one more */
} Group;

struct MpProbe
{
	MpAlloc    *alloc;
	const MpForest *forest;
	uint32_t   *parents;		/* of each node of the trees used */
	MpVec		splits;			/* Split */
	MpVec		groups;			/* Group */
	uint64_t	n_targets;
	uint64_t	n_tried;
	uint64_t	next;			/* target */
	int			variant;		/* of it */
	int			plain;			/* rows without a target still to come */
	uint64_t	random;
	float	   *row;			/* that leads to the target */
	float	   *low;			/* interval of each feature on the way */
	float	   *high;
	uint32_t	way[MAX_WAY];	/* features on it */
};

static float
threshold_of(const Split *split)
{
	float		threshold;

	memcpy(&threshold, &split->bits, sizeof(threshold));
	return threshold;
}

static bool
is_categorical(const MpNode *node)
{
	return (node->feature & MP_NODE_CATEGORICAL) != 0;
}

/* Collects the splits of a tree and its nodes' parents; `queue` is room for its nodes. */
static bool
collect_tree(MpProbe *probe, uint32_t t, uint32_t *queue)
{
	const MpTree *tree = mp_forest_trees(probe->forest) + t;
	const MpNode *nodes = mp_forest_nodes(probe->forest, tree);
	uint32_t   *parents = probe->parents + tree->first;
	uint32_t	head = 0;
	uint32_t	tail = 0;

	queue[tail++] = 0;
	while (head < tail)
	{
		uint32_t	i = queue[head++];
		Split	   *split;

		if (nodes[i].left == 0)
			continue;
		if (head % 16384 == 0)
			mp_alloc_poll(probe->alloc);
		parents[nodes[i].left] = parents[nodes[i].left + 1] = i;
		queue[tail++] = nodes[i].left;
		queue[tail++] = nodes[i].left + 1;
		split = mp_vec_add(&probe->splits, sizeof(Split));
		if (split == NULL)
			return false;
		split->feature = nodes[i].feature;
		split->bits = nodes[i].value_bits;
		split->tree = t;
		split->node = i;
	}
	return true;
}

static bool
collect(MpProbe *probe)
{
	const MpForest *forest = probe->forest;
	const MpTree *trees = mp_forest_trees(forest);
	uint32_t	most = 1;
	uint32_t   *queue;
	bool		ok = true;

	for (int32_t t = 0; t < forest->n_trees_used; t++)
		if (trees[t].n_nodes > most)
			most = trees[t].n_nodes;
	queue = mp_alloc_get(probe->alloc, sizeof(uint32_t) * most);
	if (queue == NULL)
		return false;
	for (int32_t t = 0; ok && t < forest->n_trees_used; t++)
		ok = collect_tree(probe, t, queue);
	mp_alloc_release(probe->alloc, queue);
	return ok;
}

/* By feature, numeric ones first; threshold or set; way of missing values; place. */
static int
compare_splits(const void *a, const void *b)
{
	const Split *x = a;
	const Split *y = b;
	uint32_t	x_feature = x->feature & MP_NODE_FEATURE_MASK;
	uint32_t	y_feature = y->feature & MP_NODE_FEATURE_MASK;

	if (x_feature != y_feature)
		return x_feature < y_feature ? -1 : 1;
	if ((x->feature ^ y->feature) & MP_NODE_CATEGORICAL)
		return x->feature & MP_NODE_CATEGORICAL ? 1 : -1;
	if (x->feature & MP_NODE_CATEGORICAL)
	{
		if (x->bits != y->bits)
			return x->bits < y->bits ? -1 : 1;
	}
	else if (threshold_of(x) != threshold_of(y))
		return threshold_of(x) < threshold_of(y) ? -1 : 1;
	if (x->feature != y->feature)
		return x->feature < y->feature ? -1 : 1;
	if (x->tree != y->tree)
		return x->tree < y->tree ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* The first code past the set: one more than the largest in it. */
static uint32_t
codes_of_set(const MpForest *forest, uint32_t set)
{
	const MpCatSet *s = MP_SECTION(forest, MP_SECTION_CATSETS, MpCatSet) + set;
	const uint32_t *words = MP_SECTION(forest, MP_SECTION_CATWORDS, uint32_t) + s->first;

	if (s->length == 0)
		return 0;
	return s->is_list ? words[s->length - 1] + 1 : s->length * 32;
}

static void
count_targets(MpProbe *probe, Group *group)
{
	group->first_target = probe->n_targets;
	probe->n_targets += group->n_numeric;
	if (group->n_categorical > 0)
		probe->n_targets += group->n_codes > group->n_categorical ?
			group->n_codes : group->n_categorical;
}

/* Drops thresholds that a feature has already, and makes the groups. */
static bool
group_splits(MpProbe *probe)
{
	Split	   *splits = probe->splits.data;
	size_t		n = mp_vec_count(&probe->splits, Split);
	size_t		kept = 0;
	uint32_t	last_flags = 0;
	Group	   *group = NULL;

	for (size_t i = 0; i < n; i++)
	{
		Split		split = splits[i];
		uint32_t	flags = split.feature & ~MP_NODE_FEATURE_MASK;
		bool		categorical = (flags & MP_NODE_CATEGORICAL) != 0;

		split.feature &= MP_NODE_FEATURE_MASK;
		if (group == NULL || group->feature != split.feature)
		{
			if (group != NULL)
				count_targets(probe, group);
			group = mp_vec_add(&probe->groups, sizeof(Group));
			if (group == NULL)
				return false;
			memset(group, 0, sizeof(Group));
			group->feature = split.feature;
			group->first = kept;
			group->n_codes = mp_forest_features(probe->forest)[split.feature].n_categories + 1;
		}
		if (categorical)
		{
			uint32_t	codes = codes_of_set(probe->forest, split.bits) + 1;

			group->n_categorical++;
			if (codes > group->n_codes)
				group->n_codes = codes;
		}
		else if (group->n_numeric > 0 && flags == last_flags &&
				 threshold_of(&splits[kept - 1]) == threshold_of(&split))
			continue;
		else
			group->n_numeric++;
		last_flags = flags;
		splits[kept++] = split;
	}
	if (group != NULL)
		count_targets(probe, group);
	return true;
}

static float *
floats(MpAlloc *alloc, int n, float value)
{
	float	   *result = mp_alloc_get(alloc, sizeof(float) * n);

	for (int i = 0; result != NULL && i < n; i++)
		result[i] = value;
	return result;
}

static bool
prepare(MpProbe *probe)
{
	const MpForest *forest = probe->forest;

	probe->row = floats(probe->alloc, forest->n_features, 0);
	probe->low = floats(probe->alloc, forest->n_features, -INFINITY);
	probe->high = floats(probe->alloc, forest->n_features, INFINITY);
	probe->parents = mp_alloc_get(probe->alloc, sizeof(uint32_t) *
								  MP_SECTION_LENGTH(forest, MP_SECTION_NODES, MpNode));
	if (probe->row == NULL || probe->low == NULL || probe->high == NULL || probe->parents == NULL ||
		!collect(probe))
		return false;
	if (probe->splits.size > 0)
		qsort(probe->splits.data, mp_vec_count(&probe->splits, Split), sizeof(Split),
			  compare_splits);
	return group_splits(probe);
}

MpProbe *
mp_probe_open(MpAlloc *alloc, const MpForest *forest, uint64_t limit, MpError *error)
{
	MpProbe    *probe = mp_alloc_zero(alloc, sizeof(MpProbe));

	if (probe != NULL)
	{
		probe->alloc = probe->splits.alloc = probe->groups.alloc = alloc;
		probe->forest = forest;
		probe->plain = N_PLAIN;
		probe->random = 88172645463325252u;
		if (prepare(probe))
		{
			probe->n_tried = probe->n_targets < limit ? probe->n_targets : limit;
			return probe;
		}
		mp_probe_close(probe);
	}
	mp_fail_memory(error, sizeof(MpProbe));
	return NULL;
}

void
mp_probe_close(MpProbe *probe)
{
	mp_alloc_release(probe->alloc, probe->row);
	mp_alloc_release(probe->alloc, probe->low);
	mp_alloc_release(probe->alloc, probe->high);
	mp_alloc_release(probe->alloc, probe->parents);
	mp_vec_release(&probe->splits);
	mp_vec_release(&probe->groups);
	mp_alloc_release(probe->alloc, probe);
}

uint64_t
mp_probe_targets(const MpProbe *probe)
{
	return probe->n_targets;
}

uint64_t
mp_probe_targets_tried(const MpProbe *probe)
{
	return probe->n_tried;
}

/* Marsaglia's xorshift64 */
static uint32_t
random_below(MpProbe *probe, uint32_t n)
{
	probe->random ^= probe->random << 13;
	probe->random ^= probe->random >> 7;
	probe->random ^= probe->random << 17;
	return (uint32_t) (probe->random >> 32) % n;
}

/* Just below (0), on (1) or just above (2) the threshold. */
static float
beside(float threshold, int side)
{
	if (side == 1)
		return threshold;
	return nextafterf(threshold, side == 0 ? -INFINITY : INFINITY);
}

/* A value that some split of the feature cares for. */
static float
random_value(MpProbe *probe, const Group *group)
{
	uint32_t	which = random_below(probe, group->n_numeric + group->n_categorical);
	float		value;

	if (random_below(probe, 8) == 0)
		return NAN;
	if (which >= group->n_numeric)
		return random_below(probe, group->n_codes);
	value = beside(threshold_of(mp_vec_at(&probe->splits, Split, group->first + which)),
				   random_below(probe, 3));
	return isfinite(value) ? value : 0;
}

static void
fill_row(MpProbe *probe)
{
	size_t		n = mp_vec_count(&probe->groups, Group);

	for (size_t i = 0; i < n; i++)
	{
		const Group *group = mp_vec_at(&probe->groups, Group, i);

		probe->row[group->feature] = random_value(probe, group);
	}
}

/* Whether all splits by category of the feature on the way to the target let the code pass. */
static bool
code_fits(const MpProbe *probe, const Split *target, uint32_t feature, uint32_t code)
{
	const MpTree *tree = mp_forest_trees(probe->forest) + target->tree;
	const MpNode *nodes = mp_forest_nodes(probe->forest, tree);
	const uint32_t *parents = probe->parents + tree->first;
	uint32_t	node = target->node;

	for (int step = 0; node != 0 && step < MAX_WAY; step++)
	{
		const MpNode *parent = &nodes[parents[node]];
		bool		right = node != (uint32_t) parent->left;

		node = parents[node];
		if (is_categorical(parent) && (parent->feature & MP_NODE_FEATURE_MASK) == feature &&
			mp_catset_has(probe->forest, parent->value_bits, code) != right)
			return false;
	}
	return true;
}

/* A code with which the row comes to the target; Infinity: none of those that are tried. */
static float
code_for(const MpProbe *probe, const Split *target, uint32_t feature, uint32_t n_codes)
{
	for (uint32_t code = 0; code < n_codes && code < MAX_CODES; code++)
		if (code_fits(probe, target, feature, code))
			return code;
	return INFINITY;
}

/* Sets the row so that it comes to the split, as far as features but the split's own decide. */
static void
lead(MpProbe *probe, const Split *target)
{
	const MpTree *tree = mp_forest_trees(probe->forest) + target->tree;
	const MpNode *nodes = mp_forest_nodes(probe->forest, tree);
	const uint32_t *parents = probe->parents + tree->first;
	uint32_t	node = target->node;
	int			n = 0;

	for (int step = 0; node != 0 && step < MAX_WAY; step++)
	{
		const MpNode *parent = &nodes[parents[node]];
		uint32_t	feature = parent->feature & MP_NODE_FEATURE_MASK;
		bool		right = node != (uint32_t) parent->left;

		node = parents[node];
		if (feature == target->feature)
			continue;
		probe->way[n++] = feature;
		if (is_categorical(parent))
		{
			/* the first split that is met looks for a code that all of them let pass */
			if (probe->low[feature] == -INFINITY)
				probe->low[feature] = code_for(probe, target, feature,
											   codes_of_set(probe->forest, parent->value_bits) + 1);
		}
		else if (right)
			probe->low[feature] = fmaxf(probe->low[feature], parent->value);
		else
			probe->high[feature] = fminf(probe->high[feature], parent->value);
	}
	while (n-- > 0)
	{
		uint32_t	feature = probe->way[n];
		float		low = probe->low[feature];
		float		high = probe->high[feature];

		probe->low[feature] = -INFINITY;
		probe->high[feature] = INFINITY;
		if (low == -INFINITY && high == INFINITY)
			continue;			/* the second time on this way */
		if (low >= high)
			probe->row[feature] = NAN;	/* only missing values come here */
		else if (isfinite(low) && (high == INFINITY || random_below(probe, 2) == 0))
			probe->row[feature] = low;
		else
			probe->row[feature] = isfinite(beside(high, 0)) ? beside(high, 0) : low;
		if (isinf(probe->row[feature]))
			probe->row[feature] = NAN;
	}
}

static const Group *
group_of_target(const MpProbe *probe, uint64_t target)
{
	size_t		low = 0;
	size_t		high = mp_vec_count(&probe->groups, Group);

	while (high - low > 1)
	{
		size_t		middle = low + (high - low) / 2;

		if (mp_vec_at(&probe->groups, Group, middle)->first_target <= target)
			low = middle;
		else
			high = middle;
	}
	return mp_vec_at(&probe->groups, Group, low);
}

/*
 * The next variant of the present target: false where that is none, as just
 * above the largest number.
 */
static bool
make_variant(MpProbe *probe, float *x)
{
	uint64_t	target = probe->n_tried == probe->n_targets ? probe->next :
		(uint64_t) ((double) probe->next * probe->n_targets / probe->n_tried);
	const Group *group = group_of_target(probe, target);
	uint64_t	which = target - group->first_target;
	bool		numeric = which < group->n_numeric;
	const Split *split;
	float		value;
	int			variant = probe->variant;

	if (!numeric)
		which -= group->n_numeric;
	split = mp_vec_at(&probe->splits, Split, group->first +
					  (numeric ? which : group->n_numeric + which % group->n_categorical));
	if (variant == 0)
	{
		mp_alloc_poll(probe->alloc);
		fill_row(probe);
		lead(probe, split);
	}
	probe->variant++;
	if (variant == 3 || (!numeric && variant == 1))
	{
		probe->variant = 0;
		probe->next++;
		value = NAN;
	}
	else if (numeric)
		value = beside(threshold_of(split), variant);
	else
		value = which % group->n_codes;
	if (isinf(value))
		return false;
	memcpy(x, probe->row, sizeof(float) * probe->forest->n_features);
	x[split->feature] = value;
	return true;
}

/* Rows for what has no splits, and the first two for all: nothing known, and zeros. */
static void
make_plain(MpProbe *probe, float *x)
{
	static const float values[] = {0.0f, -0.0f, 1.0f, -1.0f, 0.1f, 1e10f, 1e-40f, -3.5f};

	fill_row(probe);
	memcpy(x, probe->row, sizeof(float) * probe->forest->n_features);
	for (int i = 0; i < probe->forest->n_features; i++)
	{
		if (probe->plain == N_PLAIN)
			x[i] = NAN;
		else if (probe->plain == N_PLAIN - 1)
			x[i] = 0;
		else if (probe->groups.size == 0)
			x[i] = random_below(probe, 8) == 0 ? NAN : values[random_below(probe, 8)];
	}
	probe->plain--;
}

bool
mp_probe_next(MpProbe *probe, float *x)
{
	while (probe->next < probe->n_tried)
		if (make_variant(probe, x))
			return true;
	if (probe->plain == 0)
		return false;
	make_plain(probe, x);
	return true;
}
