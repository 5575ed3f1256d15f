/*
 * sklearn_tree.c: reads, checks and rewrites one tree of a document of
 * scikit-learn's.
 *
 * scikit-learn compares x <= t; a forest compares x < t and has children side
 * by side, so nodes are numbered anew and NUMBERS keeps scikit-learn's. A split
 * by category sends codes that were not known in training where missing values
 * go. Here only codes of a set go right, so the children change places where
 * missing values go right.
 */
#include "core/sklearn/sklearn_tree.h"
#include "core/text/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

MP_PRINTF(4, 5)
static bool
fault(MpDraft *draft, const MpSklearnTree *tree, int32_t node, const char *format,...)
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
mp_sklearn_tree_init(MpSklearnTree *tree, MpAlloc *alloc)
{
	memset(tree, 0, sizeof(*tree));
	for (MpVec *vec = &tree->left; vec <= &tree->right_codes; vec++)
		vec->alloc = alloc;
}

void
mp_sklearn_tree_release(MpSklearnTree *tree)
{
	for (MpVec *vec = &tree->left; vec <= &tree->right_codes; vec++)
		mp_vec_release(vec);
}

/* --- reading --- */

static bool
read_double(MpDoc *doc, bool infinite, double *number)
{
	MpString	text;
	const char *rest;
	size_t		start;

	if (mp_doc_kind(doc) == MP_DOC_STRING && infinite)
	{
		if (!mp_doc_string(doc, &text))
			return false;
		*number = INFINITY;
		return mp_string_is(text, "inf") ||
			mp_doc_fail(doc, MP_ERROR_INVALID, "expected a number or \"inf\"");
	}
	if (mp_doc_kind(doc) != MP_DOC_NUMBER)
		return mp_doc_fail_kind(doc, "a number");
	start = doc->pos;
	if (!mp_doc_skip(doc))
		return false;
	if (mp_number_double(doc->data + start, doc->data + doc->pos, number, &rest) != MP_NUMBER_OK ||
		!isfinite(*number))
		return mp_doc_fail(doc, MP_ERROR_INVALID, "a number is out of range");
	return true;
}

bool
mp_sklearn_doubles(MpDoc *doc, bool infinite, MpVec *out)
{
	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		double	   *place = mp_vec_add(out, sizeof(double));

		if (place == NULL)
			return mp_fail_memory(doc->error, sizeof(double));
		if (!read_double(doc, infinite, place))
			return false;
	}
	return mp_doc_ok(doc);
}

bool
mp_sklearn_codes(MpDoc *doc, MpVec *out)
{
	int64_t		before = -1;

	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		int64_t		code;
		int32_t    *place;

		if (!mp_doc_integer(doc, 0, MP_MAX_CATEGORY - 1, &code))
			return false;
		if (code <= before)
			return mp_doc_fail(doc, MP_ERROR_INVALID, "category code %lld does not ascend",
							   (long long) code);
		before = code;
		place = mp_vec_add(out, sizeof(int32_t));
		if (place == NULL)
			return mp_fail_memory(doc->error, sizeof(int32_t));
		*place = (int32_t) code;
	}
	return mp_doc_ok(doc);
}

static bool
read_threshold(MpDoc *doc, void *context)
{
	return mp_sklearn_doubles(doc, true, &((MpSklearnTree *) context)->threshold);
}

static bool
read_value(MpDoc *doc, void *context)
{
	return mp_sklearn_doubles(doc, false, &((MpSklearnTree *) context)->value);
}

static bool
read_cover(MpDoc *doc, void *context)
{
	return mp_sklearn_doubles(doc, false, &((MpSklearnTree *) context)->cover);
}

static bool
read_gain(MpDoc *doc, void *context)
{
	return mp_sklearn_doubles(doc, false, &((MpSklearnTree *) context)->gain);
}

/* {"0": [1, 2], "5": [0]}: the codes that go left, by the number of the split. */
static bool
read_left_codes(MpDoc *doc, void *context)
{
	MpSklearnTree *tree = context;
	MpString	key;

	if (!mp_doc_enter_object(doc))
		return false;
	while (mp_doc_next_key(doc, &key))
	{
		const char *rest;
		int64_t		node;
		int32_t    *place = mp_vec_add(&tree->set_nodes, sizeof(int32_t));
		uint32_t   *end;

		if (place == NULL)
			return mp_fail_memory(doc->error, sizeof(int32_t));
		if (mp_number_integer(key.data, key.data + key.length, &node, &rest) != MP_NUMBER_OK ||
			rest != key.data + key.length || node < 0 || node > INT32_MAX)
			return mp_doc_fail(doc, MP_ERROR_INVALID, "a key of \"left_codes\" is no node");
		if (mp_vec_count(&tree->set_nodes, int32_t) > 1 && place[-1] >= node)
			return mp_doc_fail(doc, MP_ERROR_INVALID, "the nodes of \"left_codes\" do not ascend");
		*place = (int32_t) node;
		if (!mp_sklearn_codes(doc, &tree->set_codes))
			return false;
		end = mp_vec_add(&tree->set_ends, sizeof(uint32_t));
		if (end == NULL)
			return mp_fail_memory(doc->error, sizeof(uint32_t));
		*end = (uint32_t) mp_vec_count(&tree->set_codes, int32_t);
	}
	return mp_doc_ok(doc);
}

static const MpDocField tree_fields[] = {
	MP_DOC_CALLED("cover", MP_REQUIRED, read_cover),
	MP_DOC_ARRAY_OF("feature", MP_REQUIRED, MP_DOC_INT32S, MpSklearnTree, feature),
	MP_DOC_CALLED("gain", MP_OPTIONAL, read_gain),
	MP_DOC_ARRAY_OF("left", MP_REQUIRED, MP_DOC_INT32S, MpSklearnTree, left),
	MP_DOC_CALLED("left_codes", MP_OPTIONAL, read_left_codes),
	MP_DOC_ARRAY_OF("missing_left", MP_OPTIONAL, MP_DOC_BYTES, MpSklearnTree, missing_left),
	MP_DOC_INTEGER_IN("output", MP_REQUIRED, 0, MP_MAX_OUTPUTS, MpSklearnTree, output),
	MP_DOC_ARRAY_OF("right", MP_REQUIRED, MP_DOC_INT32S, MpSklearnTree, right),
	MP_DOC_CALLED("threshold", MP_REQUIRED, read_threshold),
	MP_DOC_CALLED("value", MP_REQUIRED, read_value),
};

/* --- checking --- */

static bool
check_length(MpDraft *draft, const MpSklearnTree *tree, const char *name, size_t n, size_t expected)
{
	return n == expected ||
		fault(draft, tree, -1, "expected %zu elements in \"%s\", not %zu", expected, name, n);
}

static bool
check_lengths(MpDraft *draft, const MpSklearnTree *tree, const MpSklearnRules *rules)
{
	size_t		n = mp_vec_count(&tree->left, int32_t);
	size_t		width = rules->vector_leaves ? (size_t) rules->n_outputs : 1;

	if (n == 0 || n > (size_t) INT32_MAX / 2)
		return fault(draft, tree, -1, "a tree of %zu nodes", n);
	return check_length(draft, tree, "right", mp_vec_count(&tree->right, int32_t), n) &&
		check_length(draft, tree, "feature", mp_vec_count(&tree->feature, int32_t), n) &&
		check_length(draft, tree, "threshold", mp_vec_count(&tree->threshold, double), n) &&
		check_length(draft, tree, "cover", mp_vec_count(&tree->cover, double), n) &&
		check_length(draft, tree, "value", mp_vec_count(&tree->value, double), n * width) &&
		(tree->gain.size == 0 ||
		 check_length(draft, tree, "gain", mp_vec_count(&tree->gain, double), n)) &&
		(!rules->has_missing || check_length(draft, tree, "missing_left",
											 tree->missing_left.size, n));
}

/* A child is a node, not the root, and of one split only. */
static bool
claim(MpDraft *draft, const MpSklearnTree *tree, int32_t split, int32_t child)
{
	uint8_t    *parents = tree->parents.data;

	if (child < 1 || (size_t) child >= mp_vec_count(&tree->left, int32_t))
		return fault(draft, tree, split, "child %d in a tree of %zu nodes", child,
					 mp_vec_count(&tree->left, int32_t));
	if (parents[child]++ > 0)
		return fault(draft, tree, split, "child %d has two parents", child);
	return true;
}

static bool
check_split(MpDraft *draft, const MpSklearnTree *tree, int32_t i)
{
	int32_t		feature = *mp_vec_at(&tree->feature, int32_t, i);

	if (feature < 0 || feature >= draft->n_features)
		return fault(draft, tree, i, "split by feature %d of %lld", feature,
					 (long long) draft->n_features);
	if (tree->missing_left.size > 0 && *mp_vec_at(&tree->missing_left, uint8_t, i) > 1)
		return fault(draft, tree, i, "missing_left is neither 0 nor 1");
	return claim(draft, tree, i, *mp_vec_at(&tree->left, int32_t, i)) &&
		claim(draft, tree, i, *mp_vec_at(&tree->right, int32_t, i));
}

static bool
check_nodes(MpDraft *draft, MpSklearnTree *tree)
{
	size_t		n = mp_vec_count(&tree->left, int32_t);
	void	   *parents = mp_vec_add(&tree->parents, n);

	if (parents == NULL)
		return mp_fail_memory(draft->error, n);
	memset(parents, 0, n);
	for (int32_t i = 0; (size_t) i < n; i++)
	{
		int32_t		left = *mp_vec_at(&tree->left, int32_t, i);

		if (i % 4096 == 4095)
			mp_alloc_poll(draft->alloc);
		if ((left == -1) != (*mp_vec_at(&tree->right, int32_t, i) == -1))
			return fault(draft, tree, i, "a split with one child");
		if (left != -1 && !check_split(draft, tree, i))
			return false;
		if (!(*mp_vec_at(&tree->cover, double, i) >= 0))
			return fault(draft, tree, i, "cover is less than 0");
	}
	return true;
}

/* --- writing --- */

typedef struct Target
{
	MpNode	   *nodes;
	double	   *values;
	int32_t    *numbers;
	float	   *gain;
	double	   *cover;
} Target;

static bool
make_room(MpDraft *draft, const MpSklearnTree *tree, Target *target)
{
	size_t		n = mp_vec_count(&tree->left, int32_t);

	if (n > INT32_MAX - mp_vec_count(&draft->nodes, MpNode))
		return fault(draft, tree, -1, "more than %d nodes", INT32_MAX);
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
	return true;
}

static bool
write_leaf(MpDraft *draft, const MpSklearnTree *tree, const MpSklearnRules *rules, Target *target,
		   int32_t node, int32_t i)
{
	size_t		size = (size_t) rules->n_outputs * sizeof(double);
	void	   *row;

	if (!rules->vector_leaves)
	{
		target->values[node] = *mp_vec_at(&tree->value, double, i);
		return true;
	}
	target->nodes[node].value_bits = (uint32_t) (draft->leaves.size / size);
	row = mp_vec_add(&draft->leaves, size);
	if (row == NULL)
		return mp_fail_memory(draft->error, size);
	memcpy(row, mp_vec_at(&tree->value, double, (size_t) i * rules->n_outputs), size);
	return true;
}

/* The set of a split by category; -1: it is by number. */
static int64_t
find_set(const MpSklearnTree *tree, int32_t i)
{
	int64_t		low = 0;
	int64_t		high = (int64_t) mp_vec_count(&tree->set_nodes, int32_t);

	while (low < high)
	{
		int64_t		middle = low + (high - low) / 2;
		int32_t		node = *mp_vec_at(&tree->set_nodes, int32_t, middle);

		if (node == i)
			return middle;
		if (node < i)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* The known codes of the feature that are not among those that go left. */
static bool
find_right_codes(MpDraft *draft, MpSklearnTree *tree, const MpSklearnRules *rules, int32_t feature,
				 const int32_t *left, size_t n_left)
{
	MpSklearnCodes known = *mp_vec_at(rules->known, MpSklearnCodes, feature);
	const int32_t *codes = mp_vec_at(rules->codes, int32_t, known.first);
	size_t		k = 0;

	tree->right_codes.size = 0;
	for (uint32_t i = 0; i < known.count; i++)
	{
		int32_t    *place;

		while (k < n_left && left[k] < codes[i])
			k++;
		if (k < n_left && left[k] == codes[i])
			continue;
		place = mp_vec_add(&tree->right_codes, sizeof(int32_t));
		if (place == NULL)
			return mp_fail_memory(draft->error, sizeof(int32_t));
		*place = codes[i];
	}
	return true;
}

/* *swap: the children change places. */
static bool
write_category(MpDraft *draft, MpSklearnTree *tree, const MpSklearnRules *rules, int32_t i,
			   int64_t set, bool missing_left, MpNode *node, bool *swap)
{
	int32_t		feature = *mp_vec_at(&tree->feature, int32_t, i);
	uint32_t	first = set == 0 ? 0 : *mp_vec_at(&tree->set_ends, uint32_t, set - 1);
	uint32_t	end = *mp_vec_at(&tree->set_ends, uint32_t, set);
	const int32_t *left = mp_vec_at(&tree->set_codes, int32_t, first);

	if (rules->known->size == 0 || mp_vec_at(rules->known, MpSklearnCodes, feature)->count == 0)
		return fault(draft, tree, i, "split by category of feature %d, which has none", feature);
	draft->head.has_categorical = 1;
	node->feature |= MP_NODE_CATEGORICAL | MP_NODE_DEFAULT_LEFT;
	*swap = !missing_left;
	if (!missing_left)
		return mp_draft_add_set(draft, left, end - first, &node->value_bits);
	return find_right_codes(draft, tree, rules, feature, left, end - first) &&
		mp_draft_add_set(draft, tree->right_codes.data,
						 mp_vec_count(&tree->right_codes, int32_t), &node->value_bits);
}

static bool
write_split(MpDraft *draft, MpSklearnTree *tree, MpSklearnRules *rules, Target *target,
			int32_t node, int32_t i, bool *swap)
{
	int32_t		feature = *mp_vec_at(&tree->feature, int32_t, i);
	double		threshold = *mp_vec_at(&tree->threshold, double, i);
	bool		missing_left = rules->has_missing && *mp_vec_at(&tree->missing_left, uint8_t, i);
	int64_t		set = find_set(tree, i);
	MpNode	   *place = &target->nodes[node];

	place->feature = (uint32_t) feature;
	if (set >= 0)
		return write_category(draft, tree, rules, i, set, missing_left, place, swap);
	if (rules->known->size > 0 && mp_vec_at(rules->known, MpSklearnCodes, feature)->count > 0)
		return fault(draft, tree, i, "split by number of feature %d, which has categories", feature);
	place->feature |= missing_left ? MP_NODE_DEFAULT_LEFT : 0;
	target->values[node] = nextafter(threshold, INFINITY);

	/* x <= Infinity holds of all numbers, x <= DBL_MAX of all but one */
	rules->has_infinite |= threshold == INFINITY;
	rules->has_largest |= threshold == DBL_MAX;
	return !(rules->has_infinite && rules->has_largest) ||
		fault(draft, tree, i, "thresholds inf and %g in one model", DBL_MAX);
}

static bool
write_nodes(MpDraft *draft, MpSklearnTree *tree, MpSklearnRules *rules, Target *target)
{
	size_t		n = mp_vec_count(&tree->left, int32_t);
	int32_t    *stack = mp_vec_add(&tree->stack, 2 * (n + 1) * sizeof(int32_t));
	size_t		depth = 0;
	int32_t		next = 1;

	if (stack == NULL)
		return mp_fail_memory(draft->error, 2 * n * sizeof(int32_t));
	stack[depth++] = 0;
	stack[depth++] = 0;
	while (depth > 0)
	{
		int32_t		i = stack[--depth];
		int32_t		node = stack[--depth];
		bool		swap = false;

		if (node % 4096 == 4095)
			mp_alloc_poll(draft->alloc);
		target->numbers[node] = i;
		target->cover[node] = *mp_vec_at(&tree->cover, double, i);
		if (*mp_vec_at(&tree->left, int32_t, i) == -1)
		{
			if (!write_leaf(draft, tree, rules, target, node, i))
				return false;
			continue;
		}
		if (tree->gain.size > 0)
			target->gain[node] = (float) *mp_vec_at(&tree->gain, double, i);
		if (!write_split(draft, tree, rules, target, node, i, &swap))
			return false;
		target->nodes[node].left = next;
		stack[depth++] = next + !swap;
		stack[depth++] = *mp_vec_at(&tree->right, int32_t, i);
		stack[depth++] = next + swap;
		stack[depth++] = *mp_vec_at(&tree->left, int32_t, i);
		next += 2;
	}
	if ((size_t) next != n)
		return fault(draft, tree, -1, "the root does not reach %zu nodes", n - (size_t) next);
	return true;
}

static bool
add_tree(MpSklearnTree *tree, MpDraft *draft, MpSklearnRules *rules)
{
	MpTree		added = {
		(uint32_t) mp_vec_count(&draft->nodes, MpNode),
		(uint32_t) mp_vec_count(&tree->left, int32_t), (int32_t) tree->output, 1.0f
	};
	Target		target = {NULL};
	MpTree	   *place;

	if (!make_room(draft, tree, &target) || !write_nodes(draft, tree, rules, &target))
		return false;
	place = mp_vec_add(&draft->trees, sizeof(MpTree));
	if (place == NULL)
		return mp_fail_memory(draft->error, sizeof(MpTree));
	*place = added;
	return true;
}

bool
mp_sklearn_tree_read(MpSklearnTree *tree, MpDoc *doc, MpDraft *draft, MpSklearnRules *rules)
{
	for (MpVec *vec = &tree->left; vec <= &tree->right_codes; vec++)
		vec->size = 0;
	tree->offset = doc->pos;
	if (!mp_doc_fields(doc, tree_fields, sizeof(tree_fields) / sizeof(*tree_fields), "trees",
					   tree, NULL))
	{
		draft->error->tree = (int32_t) mp_vec_count(&draft->trees, MpTree);
		return false;
	}
	if (tree->output >= (rules->vector_leaves ? 1 : rules->n_outputs))
		return fault(draft, tree, -1, "tree for output %lld of %lld", (long long) tree->output,
					 (long long) rules->n_outputs);
	return check_lengths(draft, tree, rules) && check_nodes(draft, tree) &&
		add_tree(tree, draft, rules);
}
