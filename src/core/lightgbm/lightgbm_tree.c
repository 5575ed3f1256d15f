/*
 * lightgbm_tree.c: reads, checks and rewrites one tree of a LightGBM file.
 *
 * LightGBM has splits and leaves in arrays of their own and compares x <= t; a
 * forest has one array, in which children are neighbors, and compares x < t. So
 * nodes are numbered anew, and NUMBERS keeps LightGBM's. A category in a set
 * goes left there and right here: the children of such a split change places.
 */
#include "core/lightgbm/lightgbm_tree.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DECISION_CATEGORICAL 1
#define DECISION_DEFAULT_LEFT 2
#define MISSING_TYPE(decision) ((decision) >> 2 & 3)
#define MISSING_NONE 0			/* NaN counts as 0 */
#define MISSING_ZERO 1			/* 0 and NaN are missing */
#define MISSING_NAN 2
#define LAST_DECISION 11

typedef enum FieldKind
{
	FIELD_LIST,
	FIELD_NUMBER,
	FIELD_IGNORED
} FieldKind;

/* for how many elements a list must have */
typedef enum FieldLength
{
	PER_SPLIT,
	PER_LEAF,
	PER_SET,					/* and one more */
	ANY_LENGTH
} FieldLength;

typedef struct Field
{
	const char *name;
	FieldKind	kind;
	size_t		offset;
	MpListKind	list;
	FieldLength length;
	int64_t		high;			/* of a number, which is at least 0 */
} Field;

#define LIST(name, kind, length) \
	{#name, FIELD_LIST, offsetof(MpLightgbmTree, name), kind, length}
#define NUMBER(name, high) {#name, FIELD_NUMBER, offsetof(MpLightgbmTree, name), 0, 0, high}
#define IGNORED(name) {#name, FIELD_IGNORED}

enum
{
	NUM_LEAVES, NUM_CAT, SPLIT_FEATURE, SPLIT_GAIN, THRESHOLD, DECISION_TYPE, LEFT_CHILD,
	RIGHT_CHILD, LEAF_VALUE, LEAF_COUNT, INTERNAL_COUNT, CAT_BOUNDARIES, CAT_THRESHOLD,
	IS_LINEAR, LEAF_CONST, NUM_FEATURES, LEAF_FEATURES, LEAF_COEFF
};

static const Field fields[] = {
	[NUM_LEAVES] = NUMBER(num_leaves, INT32_MAX / 2),
	[NUM_CAT] = NUMBER(num_cat, INT32_MAX / 2),
	[SPLIT_FEATURE] = LIST(split_feature, MP_LIST_INT32S, PER_SPLIT),
	[SPLIT_GAIN] = LIST(split_gain, MP_LIST_FLOATS, PER_SPLIT),
	[THRESHOLD] = LIST(threshold, MP_LIST_DOUBLES, PER_SPLIT),
	[DECISION_TYPE] = LIST(decision_type, MP_LIST_INT32S, PER_SPLIT),
	[LEFT_CHILD] = LIST(left_child, MP_LIST_INT32S, PER_SPLIT),
	[RIGHT_CHILD] = LIST(right_child, MP_LIST_INT32S, PER_SPLIT),
	[LEAF_VALUE] = LIST(leaf_value, MP_LIST_DOUBLES, PER_LEAF),
	[LEAF_COUNT] = LIST(leaf_count, MP_LIST_COUNTS, PER_LEAF),
	[INTERNAL_COUNT] = LIST(internal_count, MP_LIST_COUNTS, PER_SPLIT),
	[CAT_BOUNDARIES] = LIST(cat_boundaries, MP_LIST_INT32S, PER_SET),
	[CAT_THRESHOLD] = LIST(cat_threshold, MP_LIST_UINT32S, ANY_LENGTH),
	[IS_LINEAR] = NUMBER(is_linear, 1),
	[LEAF_CONST] = LIST(leaf_const, MP_LIST_DOUBLES, PER_LEAF),
	[NUM_FEATURES] = LIST(num_features, MP_LIST_INT32S, PER_LEAF),
	[LEAF_FEATURES] = LIST(leaf_features, MP_LIST_INT32S, ANY_LENGTH),
	[LEAF_COEFF] = LIST(leaf_coeff, MP_LIST_DOUBLES, ANY_LENGTH),
	IGNORED(leaf_weight),
	IGNORED(internal_value),
	IGNORED(internal_weight),
	IGNORED(leaf_parent),		/* v2 only */
	IGNORED(shrinkage),			/* the leaves have it in them */
};

#define N_FIELDS ((int) (sizeof(fields) / sizeof(*fields)))
#define HAS(tree, field) (((tree)->seen >> (field) & 1) != 0)

MP_PRINTF(4, 5)
static bool
fault(MpDraft *draft, const MpLightgbmTree *tree, int32_t node, const char *format,...)
{
	char		message[MP_MESSAGE_SIZE];
	va_list		args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	mp_fail(draft->error, MP_ERROR_INVALID, "%s", message);
	draft->error->offset = (int64_t) tree->offset;
	draft->error->tree = (int32_t) mp_vec_count(&draft->trees, MpTree);
	draft->error->node = node;
	return false;
}

void
mp_lightgbm_tree_init(MpLightgbmTree *tree, MpAlloc *alloc)
{
	memset(tree, 0, sizeof(*tree));
	for (MpVec *vec = &tree->split_feature; vec <= &tree->codes; vec++)
		vec->alloc = alloc;
}

void
mp_lightgbm_tree_release(MpLightgbmTree *tree)
{
	for (MpVec *vec = &tree->split_feature; vec <= &tree->codes; vec++)
		mp_vec_release(vec);
}

/* --- reading --- */

static int
find_field(MpString key)
{
	for (int i = 0; i < N_FIELDS; i++)
	{
		if (mp_string_is(key, fields[i].name))
			return i;
	}
	return -1;
}

static bool
read_field(MpLightgbmTree *tree, MpLines *lines)
{
	int			i = lines->has_value ? find_field(lines->key) : -1;
	void	   *place;
	char		shown[40];

	if (i < 0)
	{
		mp_lines_fail(lines, MP_ERROR_UNSUPPORTED, "unknown line \"%s\" in a tree",
					  mp_printable(shown, sizeof(shown), lines->key));
		mp_error_detail(lines->error, "The file may come from a newer LightGBM; "
						"a line that is not known may change what the model means.");
		return false;
	}
	if (HAS(tree, i))
		return mp_lines_fail(lines, MP_ERROR_INVALID, "\"%s\" comes twice in a tree",
							 fields[i].name);
	tree->seen |= UINT64_C(1) << i;
	place = (char *) tree + fields[i].offset;
	switch (fields[i].kind)
	{
		case FIELD_LIST:
			return mp_lines_list(lines, fields[i].list, place);
		case FIELD_NUMBER:
			return mp_lines_integer(lines, 0, fields[i].high, place);
		case FIELD_IGNORED:
			break;
	}
	return true;
}

static bool
read_fields(MpLightgbmTree *tree, MpLines *lines)
{
	for (MpVec *vec = &tree->split_feature; vec <= &tree->codes; vec++)
		vec->size = 0;
	tree->num_leaves = 0;
	tree->num_cat = 0;
	tree->is_linear = 0;
	tree->seen = 0;
	tree->offset = (size_t) (lines->line.data - lines->data);
	while (mp_lines_next(lines))
	{
		if (lines->line.length == 0)
			return true;
		if (!read_field(tree, lines))
			return false;
	}
	return mp_lines_fail(lines, MP_ERROR_SYNTAX, "the file ends in the middle of a tree");
}

/* --- checking --- */

static bool
check_length(MpDraft *draft, const MpLightgbmTree *tree, int field)
{
	const MpVec *vec = (const MpVec *) ((const char *) tree + fields[field].offset);
	bool		wide = fields[field].list == MP_LIST_DOUBLES || fields[field].list == MP_LIST_COUNTS;
	size_t		n = vec->size / (wide ? sizeof(double) : sizeof(float));
	int64_t		expected = 0;

	switch (fields[field].length)
	{
		case PER_SPLIT:
			expected = tree->num_leaves - 1;
			break;
		case PER_LEAF:
			expected = tree->num_leaves;
			break;
		case PER_SET:
			expected = tree->num_cat + 1;
			break;
		case ANY_LENGTH:
			return true;
	}
	if (n == (uint64_t) expected)
		return true;
	return fault(draft, tree, -1, "expected %lld elements in \"%s\", not %zu",
				 (long long) expected, fields[field].name, n);
}

/* The lines that a tree of this kind must have, and their lengths. */
static bool
check_lengths(MpDraft *draft, const MpLightgbmTree *tree)
{
	static const struct
	{
		int			field;
		bool		optional;
	}			lists[] = {
		{SPLIT_FEATURE}, {THRESHOLD}, {DECISION_TYPE}, {LEFT_CHILD}, {RIGHT_CHILD},
		{SPLIT_GAIN, true}, {INTERNAL_COUNT, true}, {LEAF_COUNT, true}
	};
	bool		single = tree->num_leaves == 1;

	if (!HAS(tree, NUM_LEAVES) || tree->num_leaves < 1)
		return fault(draft, tree, -1, "the tree does not say how many leaves it has");
	if (!HAS(tree, LEAF_VALUE))
		return fault(draft, tree, -1, "line \"leaf_value\" is missing in the tree");
	if (!check_length(draft, tree, LEAF_VALUE))
		return false;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
	{
		int			field = lists[i].field;
		const MpVec *vec = (const MpVec *) ((const char *) tree + fields[field].offset);

		/* a single leaf may come without its count */
		if (!HAS(tree, field) || (single && vec->size == 0))
		{
			if (!lists[i].optional && !single)
				return fault(draft, tree, -1, "line \"%s\" is missing in the tree",
							 fields[field].name);
			continue;
		}
		if (!check_length(draft, tree, field))
			return false;
	}
	return true;
}

/* The sets of categories: bounds that ascend from 0 to the number of words. */
static bool
check_sets(MpDraft *draft, const MpLightgbmTree *tree)
{
	const int32_t *bounds = tree->cat_boundaries.data;
	size_t		n_words = mp_vec_count(&tree->cat_threshold, uint32_t);

	if (tree->num_cat == 0)
		return true;
	if (!HAS(tree, CAT_BOUNDARIES) || !HAS(tree, CAT_THRESHOLD))
		return fault(draft, tree, -1, "splits by category without \"cat_boundaries\" or "
					 "\"cat_threshold\"");
	if (!check_length(draft, tree, CAT_BOUNDARIES))
		return false;
	if (bounds[0] != 0 || bounds[tree->num_cat] < 0 || (size_t) bounds[tree->num_cat] != n_words)
		return fault(draft, tree, -1, "category sets from word %d to %d of %zu", bounds[0],
					 bounds[tree->num_cat], n_words);
	for (int64_t i = 0; i < tree->num_cat; i++)
	{
		if (bounds[i + 1] < bounds[i] || bounds[i + 1] - bounds[i] > MP_MAX_CATEGORY / 32)
			return fault(draft, tree, -1, "a category set from word %d to %d", bounds[i],
						 bounds[i + 1]);
	}
	return true;
}

static bool
check_linear(MpDraft *draft, const MpLightgbmTree *tree)
{
	const int32_t *counts = tree->num_features.data;
	const int32_t *features = tree->leaf_features.data;
	size_t		n_features = mp_vec_count(&tree->leaf_features, int32_t);
	size_t		n = mp_vec_count(&tree->leaf_coeff, double);
	uint64_t	total = 0;

	if (!tree->is_linear)
		return true;
	if (!HAS(tree, LEAF_CONST) || !HAS(tree, NUM_FEATURES) || !HAS(tree, LEAF_FEATURES) ||
		!HAS(tree, LEAF_COEFF))
		return fault(draft, tree, -1, "linear leaves without their constants or coefficients");
	if (!check_length(draft, tree, LEAF_CONST) || !check_length(draft, tree, NUM_FEATURES))
		return false;
	for (int64_t i = 0; i < tree->num_leaves; i++)
	{
		if (counts[i] < 0)
			return fault(draft, tree, (int32_t) i, "linear leaf of %d features", counts[i]);
		total += (uint64_t) counts[i];
	}
	if (total != n || n_features != n)
		return fault(draft, tree, -1, "expected %llu features and coefficients of linear leaves, "
					 "not %zu and %zu", (unsigned long long) total, n_features, n);
	for (size_t i = 0; i < n; i++)
	{
		if (features[i] < 0 || features[i] >= draft->n_features)
			return fault(draft, tree, -1, "linear leaf with feature %d of %lld", features[i],
						 (long long) draft->n_features);
	}
	return true;
}

/* A child: a later or earlier split, or ~ a leaf. Counts how often each is one. */
static bool
count_child(MpDraft *draft, MpLightgbmTree *tree, int32_t split, int32_t child)
{
	int32_t    *parents = tree->parents.data;
	int64_t		n_splits = tree->num_leaves - 1;
	int64_t		place = child >= 0 ? child : n_splits + ~child;

	if (child >= 0 ? child >= n_splits : ~child >= tree->num_leaves)
		return fault(draft, tree, split, "child %d in a tree of %lld leaves", child,
					 (long long) tree->num_leaves);
	if (place == 0 && child >= 0)
		return fault(draft, tree, split, "the root is the child of a split");
	if (parents[place]++ > 0)
		return fault(draft, tree, split, "child %d has two parents", child);
	return true;
}

static bool
check_split(MpDraft *draft, MpLightgbmTree *tree, int32_t i)
{
	int32_t		feature = *mp_vec_at(&tree->split_feature, int32_t, i);
	int32_t		decision = *mp_vec_at(&tree->decision_type, int32_t, i);
	double		threshold = *mp_vec_at(&tree->threshold, double, i);

	if (feature < 0 || feature >= draft->n_features)
		return fault(draft, tree, i, "split by feature %d of %lld", feature,
					 (long long) draft->n_features);
	if (decision < 0 || decision > LAST_DECISION)
		return fault(draft, tree, i, "unknown decision type %d", decision);
	if (isnan(threshold))
		return fault(draft, tree, i, "threshold is not a number");
	if ((decision & DECISION_CATEGORICAL) &&
		!(threshold >= 0 && threshold < (double) tree->num_cat && threshold == floor(threshold)))
		return fault(draft, tree, i, "category set %g of %lld", threshold,
					 (long long) tree->num_cat);
	return count_child(draft, tree, i, *mp_vec_at(&tree->left_child, int32_t, i)) &&
		count_child(draft, tree, i, *mp_vec_at(&tree->right_child, int32_t, i));
}

/*
 * Every split but the root, and every leaf, is the child of one split: their
 * number says so, if none is of two. A circle is found when the tree is walked.
 */
static bool
check_splits(MpDraft *draft, MpLightgbmTree *tree)
{
	size_t		size = (size_t) (2 * tree->num_leaves - 1) * sizeof(int32_t);
	void	   *parents = mp_vec_add(&tree->parents, size);

	if (parents == NULL)
		return mp_fail_memory(draft->error, size);
	memset(parents, 0, size);
	for (int32_t i = 0; i < tree->num_leaves - 1; i++)
	{
		if (i % 4096 == 4095)
			mp_alloc_poll(draft->alloc);
		if (!check_split(draft, tree, i))
			return false;
	}
	for (int64_t i = 0; i < tree->num_leaves; i++)
	{
		if (!isfinite(*mp_vec_at(&tree->leaf_value, double, i)))
			return fault(draft, tree, (int32_t) i, "the value of a leaf is not a finite number");
	}
	return true;
}

/* --- writing --- */

/* The codes of a set, as the bits of its words say. */
static bool
add_set(MpDraft *draft, MpLightgbmTree *tree, size_t number, uint32_t *set)
{
	const int32_t *bounds = tree->cat_boundaries.data;
	const uint32_t *words = tree->cat_threshold.data;

	tree->codes.size = 0;
	for (int32_t w = bounds[number]; w < bounds[number + 1]; w++)
	{
		if (w % 512 == 511)
			mp_alloc_poll(draft->alloc);
		for (int bit = 0; bit < 32; bit++)
		{
			int32_t    *code;

			if (!(words[w] >> bit & 1))
				continue;
			code = mp_vec_add(&tree->codes, sizeof(int32_t));
			if (code == NULL)
				return mp_fail_memory(draft->error, sizeof(int32_t));
			*code = (w - bounds[number]) * 32 + bit;
		}
	}
	return mp_draft_add_set(draft, tree->codes.data, mp_vec_count(&tree->codes, int32_t), set);
}

/* Places of one new tree within the draft's vectors. */
typedef struct Target
{
	MpNode	   *nodes;
	double	   *values;
	int32_t    *numbers;
	float	   *gain;
	double	   *cover;
	size_t		first_linear;
} Target;

static bool
make_room(MpDraft *draft, const MpLightgbmTree *tree, Target *target)
{
	size_t		n = (size_t) (2 * tree->num_leaves - 1);

	if (n > INT32_MAX - mp_vec_count(&draft->nodes, MpNode))
		return fault(draft, tree, -1, "more than %d nodes", INT32_MAX);
	target->first_linear = mp_vec_count(&draft->linear, MpLinearLeaf);
	target->nodes = mp_vec_add(&draft->nodes, n * sizeof(MpNode));
	target->values = mp_vec_add(&draft->values, n * sizeof(double));
	target->numbers = mp_vec_add(&draft->numbers, n * sizeof(int32_t));
	target->gain = mp_vec_add(&draft->gain, n * sizeof(float));
	target->cover = mp_vec_add(&draft->cover, n * sizeof(double));
	if (target->nodes == NULL || target->values == NULL || target->numbers == NULL ||
		target->gain == NULL || target->cover == NULL)
		return mp_fail_memory(draft->error, n * sizeof(double));
	memset(target->nodes, 0, n * sizeof(MpNode));
	memset(target->values, 0, n * sizeof(double));
	memset(target->gain, 0, n * sizeof(float));
	memset(target->cover, 0, n * sizeof(double));
	return true;
}

static void
write_leaf(const MpLightgbmTree *tree, Target *target, int32_t node, int32_t leaf)
{
	target->numbers[node] = leaf;
	target->values[node] = *mp_vec_at(&tree->leaf_value, double, leaf);
	if (mp_vec_count(&tree->leaf_count, double) > (size_t) leaf)
		target->cover[node] = *mp_vec_at(&tree->leaf_count, double, leaf);
	target->nodes[node].value_bits = (uint32_t) (target->first_linear + (size_t) leaf);
}

static uint32_t
flags_of(int32_t decision, double threshold)
{
	bool		default_left = (decision & DECISION_DEFAULT_LEFT) != 0;
	uint32_t	flags = 0;

	if (decision & DECISION_CATEGORICAL)
		return MP_NODE_CATEGORICAL | MP_NODE_DEFAULT_LEFT;
	if (MISSING_TYPE(decision) == MISSING_NONE)
		default_left = 0 <= threshold;
	else if (MISSING_TYPE(decision) == MISSING_ZERO)
		flags = MP_NODE_ZERO_MISSING;
	return flags | (default_left ? MP_NODE_DEFAULT_LEFT : 0);
}

static bool
write_split(MpDraft *draft, MpLightgbmTree *tree, Target *target, int32_t node, int32_t split)
{
	int32_t		feature = *mp_vec_at(&tree->split_feature, int32_t, split);
	int32_t		decision = *mp_vec_at(&tree->decision_type, int32_t, split);
	double		threshold = *mp_vec_at(&tree->threshold, double, split);
	MpNode	   *place = &target->nodes[node];

	target->numbers[node] = split;
	if (tree->split_gain.size > 0)
		target->gain[node] = *mp_vec_at(&tree->split_gain, float, split);
	if (tree->internal_count.size > 0)
		target->cover[node] = *mp_vec_at(&tree->internal_count, double, split);
	place->feature = (uint32_t) feature | flags_of(decision, threshold);
	draft->head.has_zero_missing |= (place->feature & MP_NODE_ZERO_MISSING) != 0;
	if (place->feature & MP_NODE_CATEGORICAL)
	{
		draft->head.has_categorical = 1;
		return add_set(draft, tree, (size_t) threshold, &place->value_bits);
	}
	target->values[node] = nextafter(threshold, INFINITY);

	/* x <= Infinity holds of all numbers, x <= DBL_MAX of all but one */
	if (threshold == INFINITY)
		draft->head.input |= MP_INPUT_CLAMP;
	tree->has_largest |= threshold == DBL_MAX;
	if (tree->has_largest && (draft->head.input & MP_INPUT_CLAMP))
		return fault(draft, tree, split, "thresholds inf and %g in one model", DBL_MAX);
	return true;
}

/* Walks the tree from the root and gives its nodes their places, children as neighbors. */
static bool
write_nodes(MpDraft *draft, MpLightgbmTree *tree, Target *target)
{
	int32_t    *stack = mp_vec_add(&tree->stack, (size_t) (2 * tree->num_leaves) *
								   2 * sizeof(int32_t));
	size_t		depth = 0;
	int32_t		next = 1;

	if (stack == NULL)
		return mp_fail_memory(draft->error, (size_t) tree->num_leaves * 16);
	stack[depth++] = 0;
	stack[depth++] = tree->num_leaves > 1 ? 0 : ~0;
	while (depth > 0)
	{
		int32_t		child = stack[--depth];
		int32_t		node = stack[--depth];
		bool		swap;

		if (node % 4096 == 4095)
			mp_alloc_poll(draft->alloc);
		if (child < 0)
		{
			write_leaf(tree, target, node, ~child);
			continue;
		}
		if (!write_split(draft, tree, target, node, child))
			return false;
		swap = (target->nodes[node].feature & MP_NODE_CATEGORICAL) != 0;
		target->nodes[node].left = next;
		stack[depth++] = next + !swap;
		stack[depth++] = *mp_vec_at(&tree->right_child, int32_t, child);
		stack[depth++] = next + swap;
		stack[depth++] = *mp_vec_at(&tree->left_child, int32_t, child);
		next += 2;
	}
	if (next != 2 * tree->num_leaves - 1)
		return fault(draft, tree, -1, "some splits form a circle that the root does not reach");
	return true;
}

/* One entry per leaf, in LightGBM's order; trees with plain leaves in such a model: constants. */
static bool
write_linear(MpDraft *draft, const MpLightgbmTree *tree)
{
	size_t		n = (size_t) tree->num_leaves;
	size_t		n_terms = mp_vec_count(&tree->leaf_coeff, double);
	size_t		first = mp_vec_count(&draft->terms, MpLinearTerm);
	MpLinearLeaf *leaves = mp_vec_add(&draft->linear, n * sizeof(MpLinearLeaf));
	MpLinearTerm *terms = mp_vec_add(&draft->terms, n_terms * sizeof(MpLinearTerm));

	if (leaves == NULL || (terms == NULL && n_terms > 0))
		return mp_fail_memory(draft->error, n * sizeof(MpLinearLeaf));
	if (first + n_terms > UINT32_MAX)
		return fault(draft, tree, -1, "too many coefficients of linear leaves");
	for (size_t i = 0; i < n; i++)
	{
		leaves[i].constant = *mp_vec_at(tree->is_linear ? &tree->leaf_const : &tree->leaf_value,
										double, i);
		leaves[i].first = (uint32_t) first;
		leaves[i].n_terms = tree->is_linear ?
			(uint32_t) *mp_vec_at(&tree->num_features, int32_t, i) : 0;
		first += leaves[i].n_terms;
	}
	for (size_t i = 0; i < n_terms; i++)
	{
		terms[i].coefficient = *mp_vec_at(&tree->leaf_coeff, double, i);
		terms[i].feature = (uint32_t) *mp_vec_at(&tree->leaf_features, int32_t, i);
		terms[i].unused = 0;
	}
	return true;
}

static bool
add_tree(MpLightgbmTree *tree, MpDraft *draft, int32_t output)
{
	MpTree		added = {
		(uint32_t) mp_vec_count(&draft->nodes, MpNode), (uint32_t) (2 * tree->num_leaves - 1),
		output, 1.0f
	};
	Target		target = {NULL};
	MpTree	   *place;

	if (!make_room(draft, tree, &target) || !write_nodes(draft, tree, &target) ||
		!write_linear(draft, tree))
		return false;
	draft->head.linear_leaf |= tree->is_linear == 1;
	draft->lacks_stats |= tree->num_leaves > 1 &&
		(tree->leaf_count.size == 0 || tree->internal_count.size == 0);
	place = mp_vec_add(&draft->trees, sizeof(MpTree));
	if (place == NULL)
		return mp_fail_memory(draft->error, sizeof(MpTree));
	*place = added;
	return true;
}

bool
mp_lightgbm_tree_read(MpLightgbmTree *tree, MpLines *lines, MpDraft *draft, int32_t output)
{
	if (!read_fields(tree, lines))
	{
		draft->error->tree = (int32_t) mp_vec_count(&draft->trees, MpTree);
		return false;
	}
	if (!tree->is_linear)
		tree->leaf_coeff.size = tree->leaf_features.size = 0;
	return check_lengths(draft, tree) && check_sets(draft, tree) && check_linear(draft, tree) &&
		check_splits(draft, tree) && add_tree(tree, draft, output);
}
