/*
 * forest.c: the layout of a forest, its checksums, and the check that lets a
 * stored one be trusted.
 */
#include "core/forest/forest.h"
#include "core/base/crc32c.h"

#include <math.h>
#include <string.h>

#define ALIGNMENT 64

static uint64_t
align(uint64_t size)
{
	return (size + ALIGNMENT - 1) & ~(uint64_t) (ALIGNMENT - 1);
}

MpForest *
mp_forest_new(MpVec *nodes, const MpForest *header, const uint64_t *sizes, MpError *error)
{
	MpForest	forest = *header;
	uint64_t	end = align(sizeof(MpForest));
	char	   *block;

	for (int id = 0; id < MP_SECTION_COUNT; id++)
	{
		forest.sections[id].offset = end;
		forest.sections[id].size = sizes[id];
		end = align(end + sizes[id]);
		if (id == MP_SECTION_LAST_OF_HEAD)
			forest.head_size = end;
	}
	forest.magic = MP_FOREST_MAGIC;
	forest.format = MP_FOREST_FORMAT;
	forest.byte_order = MP_FOREST_BYTE_ORDER;
	forest.size = end;
	block = nodes->alloc->resize(nodes->alloc, nodes->data, end);
	if (block == NULL)
	{
		mp_fail_memory(error, end);
		return NULL;
	}
	if (nodes->size > 0)
		memmove(block + forest.sections[MP_SECTION_NODES].offset, block, nodes->size);
	nodes->data = NULL;
	nodes->size = nodes->room = 0;

	/* the gaps between sections are part of the checksum */
	memset(block, 0, align(sizeof(MpForest)));
	memcpy(block, &forest, sizeof(forest));
	for (int id = 0; id < MP_SECTION_COUNT; id++)
	{
		uint64_t	used = forest.sections[id].offset + forest.sections[id].size;

		memset(block + used, 0, align(used) - used);
	}
	return (MpForest *) block;
}

/* The checksum of the head, as if both checksums in it were 0. */
static uint32_t
head_checksum(const MpForest *forest)
{
	MpForest	header = *forest;
	uint32_t	crc;

	header.head_checksum = 0;
	header.checksum = 0;
	crc = mp_crc32c(0, &header, sizeof(header));
	return mp_crc32c(crc, forest + 1, forest->head_size - sizeof(header));
}

static uint32_t
rest_checksum(const MpForest *forest)
{
	return mp_crc32c(0, (const char *) forest + forest->head_size,
					 forest->size - forest->head_size);
}

void
mp_forest_seal(MpForest *forest)
{
	forest->head_checksum = head_checksum(forest);
	forest->checksum = rest_checksum(forest);
}

const char *
mp_library_name(MpLibrary library)
{
	switch (library)
	{
		case MP_LIBRARY_XGBOOST:
			return "XGBoost";
		case MP_LIBRARY_LIGHTGBM:
			return "LightGBM";
		case MP_LIBRARY_SKLEARN:
			return "scikit-learn";
	}
	return "unknown";
}

const char *
mp_format_name(MpFormat format)
{
	switch (format)
	{
		case MP_FORMAT_UBJSON:
			return "ubj";
		case MP_FORMAT_JSON:
			return "json";
		case MP_FORMAT_BINARY:
			return "deprecated";
		case MP_FORMAT_TEXT:
			return "text";
	}
	return "unknown";
}

const char *
mp_booster_name(MpBoosterKind booster)
{
	switch (booster)
	{
		case MP_BOOSTER_GBTREE:
			return "gbtree";
		case MP_BOOSTER_DART:
			return "dart";
		case MP_BOOSTER_GBLINEAR:
			return "gblinear";
	}
	return "unknown";
}

double
mp_forest_threshold(const MpForest *f, const MpTree *tree, uint32_t node)
{
	double		value = mp_forest_value(f, tree, node);

	if (f->precision == MP_PRECISION_SINGLE || (value == INFINITY && (f->input & MP_INPUT_CLAMP)))
		return value;
	return nextafter(value, -INFINITY);
}

int32_t
mp_forest_node_id(const MpForest *f, const MpTree *tree, int32_t node)
{
	int32_t		number = mp_forest_number(f, tree, node);

	if (f->library == MP_LIBRARY_LIGHTGBM && mp_forest_nodes(f, tree)[node].left == 0)
		return -1 - number;
	return number;
}

/* --- the check --- */

static bool
bad(MpError *error, const char *what)
{
	return mp_fail(error, MP_ERROR_IMAGE, "the stored forest is damaged: %s", what);
}

static bool
bad_node(MpError *error, int32_t tree, int32_t node, const char *what)
{
	bad(error, what);
	error->tree = tree;
	error->node = node;
	return false;
}

static size_t
element_size(const MpForest *f, MpSectionId id)
{
	switch (id)
	{
		case MP_SECTION_BASE:
		case MP_SECTION_LEAVES:
		case MP_SECTION_COVER:
			return mp_forest_real_size(f);
		case MP_SECTION_FEATURES:
			return sizeof(MpFeature);
		case MP_SECTION_CATEGORIES:
			return sizeof(MpCategory);
		case MP_SECTION_STRINGS:
			return 1;
		case MP_SECTION_TREES:
			return sizeof(MpTree);
		case MP_SECTION_NODES:
			return sizeof(MpNode);
		case MP_SECTION_CATSETS:
			return sizeof(MpCatSet);
		case MP_SECTION_CATWORDS:
			return sizeof(uint32_t);
		case MP_SECTION_WEIGHTS:
		case MP_SECTION_GAIN:
			return sizeof(float);
		case MP_SECTION_VALUES:
			return sizeof(double);
		case MP_SECTION_NUMBERS:
			return sizeof(int32_t);
		case MP_SECTION_LINEAR:
			return sizeof(MpLinearLeaf);
		case MP_SECTION_TERMS:
			return sizeof(MpLinearTerm);
		case MP_SECTION_COUNT:
			break;
	}
	return 1;
}

/* Sections follow each other at the places that their sizes give, in whole elements. */
static bool
check_layout(const MpForest *f, size_t size, bool head_only, MpError *error)
{
	uint64_t	end = align(sizeof(MpForest));

	if (f->magic != MP_FOREST_MAGIC || f->byte_order != MP_FOREST_BYTE_ORDER ||
		f->format != MP_FOREST_FORMAT)
		return mp_fail(error, MP_ERROR_IMAGE,
					   "the stored forest is of another version or machine");
	for (int id = 0; id < MP_SECTION_COUNT; id++)
	{
		if (f->sections[id].offset != end || f->sections[id].size > SIZE_MAX / 2 ||
			f->sections[id].size % element_size(f, id) != 0)
			return bad(error, "layout");
		end = align(end + f->sections[id].size);
		if (end > SIZE_MAX / 2)
			return bad(error, "layout");
		if (id == MP_SECTION_LAST_OF_HEAD && f->head_size != end)
			return bad(error, "head size");
	}
	if (f->size != end)
		return bad(error, "size");
	if (head_only ? size < f->head_size : size != f->size)
		return bad(error, "length");
	return true;
}

static bool
is_flag(int32_t value)
{
	return value == 0 || value == 1;
}

static bool
is_within(int32_t value, int32_t first, int32_t last)
{
	return value >= first && value <= last;
}

/* What only one precision has. */
static bool
check_precision(const MpForest *f, MpError *error)
{
	if (f->precision == MP_PRECISION_DOUBLE ?
		f->link >= MP_LINK_ARGMAX && f->link <= MP_LINK_RISE :
		f->link >= MP_LINK_SIGNED_SQUARE)
		return bad(error, "link of another precision");
	if (f->precision == MP_PRECISION_DOUBLE)
		return (f->library != MP_LIBRARY_XGBOOST && f->booster != MP_BOOSTER_GBLINEAR) ||
			bad(error, "precision");
	if (f->input != 0 || f->divisor != 1 || f->link_factor != 1 || f->linear_leaf != 0 ||
		f->has_zero_missing != 0)
		return bad(error, "rules of another precision");
	return f->library == MP_LIBRARY_XGBOOST || bad(error, "precision");
}

static bool
check_kind(const MpForest *f, MpError *error)
{
	if (!is_within(f->library, MP_LIBRARY_XGBOOST, MP_LIBRARY_SKLEARN) ||
		!is_within(f->source, MP_FORMAT_UBJSON, MP_FORMAT_TEXT) ||
		!is_within(f->booster, MP_BOOSTER_GBTREE, MP_BOOSTER_GBLINEAR) ||
		!is_within(f->precision, MP_PRECISION_SINGLE, MP_PRECISION_DOUBLE) ||
		!is_within(f->link, 0, MP_LINK_COUNT - 1) ||
		!is_within(f->task, MP_TASK_VALUE, MP_TASK_CLASSES) ||
		(f->input & ~MP_INPUT_ALL) != 0 || f->divisor < 1 || !isfinite(f->link_factor) ||
		!is_flag(f->vector_leaf) || !is_flag(f->linear_leaf) || !is_flag(f->has_categorical) ||
		!is_flag(f->has_zero_missing) || !is_flag(f->has_stats) ||
		(f->vector_leaf && f->linear_leaf))
		return bad(error, "kind of model");
	return check_precision(f, error);
}

static bool
check_header(const MpForest *f, MpError *error)
{
	bool		linear = f->booster == MP_BOOSTER_GBLINEAR;
	uint64_t	n_trees = MP_SECTION_LENGTH(f, MP_SECTION_TREES, MpTree);

	if (!check_kind(f, error))
		return false;
	if (!is_within(f->n_features, 1, MP_MAX_FEATURES) ||
		!is_within(f->n_outputs, 1, MP_MAX_OUTPUTS) ||
		(f->n_outputs > 1 && f->task != MP_TASK_VALUES && f->task < MP_TASK_CLASS) ||
		(f->n_outputs == 1 && f->task == MP_TASK_VALUES) ||
		(f->task == MP_TASK_CLASS) != (f->link == MP_LINK_ARGMAX))
		return bad(error, "inputs and outputs");
	if (f->n_trees < 0 || (uint64_t) f->n_trees != n_trees ||
		f->n_trees_used < 0 || f->n_trees_used > f->n_trees ||
		f->n_rounds_used < 0 || f->n_rounds_used > f->n_rounds || f->best_iteration < -1 ||
		(linear && f->n_trees > 0))
		return bad(error, "number of trees");
	if (f->n_feature_names != 0 && f->n_feature_names != (uint32_t) f->n_features)
		return bad(error, "number of names");
	return true;
}

static bool
check_text(const MpForest *f, uint32_t offset, uint32_t length, MpError *error)
{
	uint64_t	size = f->sections[MP_SECTION_STRINGS].size;

	if (offset > size || length > size - offset)
		return bad(error, "text");
	if (!mp_utf8_valid(mp_forest_string(f, offset, length)))
		return bad(error, "text that is not UTF-8");
	return true;
}

static bool
check_inputs(MpAlloc *alloc, const MpForest *f, MpError *error)
{
	const MpFeature *features = mp_forest_features(f);
	const MpCategory *categories = MP_SECTION(f, MP_SECTION_CATEGORIES, MpCategory);
	uint64_t	n_categories = MP_SECTION_LENGTH(f, MP_SECTION_CATEGORIES, MpCategory);

	if (!check_text(f, f->objective, f->objective_length, error))
		return false;
	if (f->sections[MP_SECTION_BASE].size != (uint64_t) f->n_outputs * mp_forest_real_size(f) ||
		MP_SECTION_LENGTH(f, MP_SECTION_FEATURES, MpFeature) != (uint64_t) f->n_features)
		return bad(error, "number of features or outputs");
	for (int32_t i = 0; i < f->n_features; i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(alloc);
		if (!check_text(f, features[i].name, features[i].name_length, error))
			return false;
		if (features[i].type < MP_FEATURE_FLOAT || features[i].type > MP_FEATURE_CATEGORICAL ||
			!is_flag(features[i].numeric_categories) ||
			!is_within(features[i].zero_missing, MP_ZERO_NEVER,
					   f->has_zero_missing ? MP_ZERO_MIXED : MP_ZERO_NEVER) ||
			features[i].first_category > n_categories ||
			features[i].n_categories > n_categories - features[i].first_category)
			return bad(error, "feature");
	}
	for (uint64_t i = 0; i < n_categories; i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(alloc);
		if (!check_text(f, categories[i].label, categories[i].label_length, error))
			return false;
	}
	return true;
}

static bool
check_catsets(MpAlloc *alloc, const MpForest *f, MpError *error)
{
	const MpCatSet *sets = MP_SECTION(f, MP_SECTION_CATSETS, MpCatSet);
	const uint32_t *words = MP_SECTION(f, MP_SECTION_CATWORDS, uint32_t);
	uint64_t	n_words = MP_SECTION_LENGTH(f, MP_SECTION_CATWORDS, uint32_t);
	uint64_t	end = 0;

	for (uint64_t i = 0; i < MP_SECTION_LENGTH(f, MP_SECTION_CATSETS, MpCatSet); i++)
	{
		const MpCatSet *set = &sets[i];

		if (i % 1024 == 1023)
			mp_alloc_poll(alloc);
		if (set->first != end || set->length > n_words - end || set->length == 0 ||
			set->is_list > 1)
			return bad(error, "category set");
		end += set->length;
		if (!set->is_list && set->length > MP_MAX_CATEGORY / 32)
			return bad(error, "category set");
		for (uint32_t k = 0; set->is_list && k < set->length; k++)
		{
			uint32_t	code = words[set->first + k];

			if (k % 16384 == 16383)
				mp_alloc_poll(alloc);
			if (code >= MP_MAX_CATEGORY || (k > 0 && code <= words[set->first + k - 1]))
				return bad(error, "category code");
		}
	}
	return end == n_words || bad(error, "category sets");
}

/* Terms follow each other without gap or overlap, each of a feature that is there. */
static bool
check_linear_leaves(MpAlloc *alloc, const MpForest *f, MpError *error)
{
	const MpLinearLeaf *leaves = MP_SECTION(f, MP_SECTION_LINEAR, MpLinearLeaf);
	const MpLinearTerm *terms = MP_SECTION(f, MP_SECTION_TERMS, MpLinearTerm);
	uint64_t	n_leaves = MP_SECTION_LENGTH(f, MP_SECTION_LINEAR, MpLinearLeaf);
	uint64_t	n_terms = MP_SECTION_LENGTH(f, MP_SECTION_TERMS, MpLinearTerm);
	uint64_t	end = 0;

	if (!f->linear_leaf && n_leaves > 0)
		return bad(error, "linear leaves");
	for (uint64_t i = 0; i < n_leaves; i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(alloc);
		if (leaves[i].first != end || leaves[i].n_terms > n_terms - end)
			return bad(error, "linear leaves");
		end += leaves[i].n_terms;
	}
	for (uint64_t i = 0; i < n_terms; i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(alloc);
		if (terms[i].feature >= (uint32_t) f->n_features)
			return bad(error, "feature of a linear leaf");
	}
	return end == n_terms || bad(error, "linear leaves");
}

/* Whether what a leaf points to is there. */
static bool
leaf_is_sound(const MpForest *f, const MpNode *node)
{
	uint64_t	row_size = (uint64_t) f->n_outputs * mp_forest_real_size(f);

	if (node->feature != 0)
		return false;
	if (f->vector_leaf)
		return node->value_bits < f->sections[MP_SECTION_LEAVES].size / row_size;
	if (f->linear_leaf)
		return node->value_bits < MP_SECTION_LENGTH(f, MP_SECTION_LINEAR, MpLinearLeaf);
	return true;
}

static bool
split_is_sound(const MpForest *f, const MpTree *tree, const MpNode *node, int32_t i)
{
	if ((node->feature & MP_NODE_ZERO_MISSING) && !f->has_zero_missing)
		return false;
	if (node->feature & MP_NODE_CATEGORICAL)
		return f->has_categorical &&
			node->value_bits < MP_SECTION_LENGTH(f, MP_SECTION_CATSETS, MpCatSet);
	return !isnan(mp_forest_value(f, tree, (uint32_t) i));
}

/* One node: what it refers to is there, and its children were nobody's before. */
static bool
check_node(const MpForest *f, const MpTree *tree, int32_t t, int32_t i, int32_t *parents,
		   bool *ascending, MpError *error)
{
	const MpNode *node = mp_forest_nodes(f, tree) + i;
	uint32_t	n = tree->n_nodes;

	if (node->left == 0)
		return leaf_is_sound(f, node) || bad_node(error, t, i, "leaf");
	if (node->left < 0 || (uint32_t) node->left >= n - 1)
		return bad_node(error, t, i, "child");
	if (parents[node->left] >= 0 || parents[node->left + 1] >= 0)
		return bad_node(error, t, i, "child of two nodes");
	parents[node->left] = i;
	parents[node->left + 1] = i;
	*ascending &= node->left > i;
	if ((node->feature & MP_NODE_FEATURE_MASK) >= (uint32_t) f->n_features)
		return bad_node(error, t, i, "feature");
	return split_is_sound(f, tree, node, i) || bad_node(error, t, i, "split");
}

/* Whether the root reaches every node that has a parent: walks by the parents, without a stack. */
static bool
reaches_all(MpAlloc *alloc, const MpNode *nodes, const int32_t *parents, uint32_t n)
{
	uint32_t	n_children = 0;
	uint32_t	n_reached = 0;
	int32_t		i = 0;

	for (uint32_t k = 0; k < n; k++)
		n_children += parents[k] >= 0;
	for (;;)
	{
		if (nodes[i].left != 0)
			i = nodes[i].left;
		else
		{
			while (i != 0 && nodes[parents[i]].left != i)
				i = parents[i];
			if (i == 0)
				return n_reached == n_children;
			i++;
		}
		if (++n_reached % 16384 == 0)
			mp_alloc_poll(alloc);
	}
}

/* parents: room for one number per node */
static bool
check_tree(MpAlloc *alloc, const MpForest *f, int32_t t, int32_t *parents, MpError *error)
{
	const MpTree *tree = mp_forest_trees(f) + t;
	const MpNode *nodes = mp_forest_nodes(f, tree);
	bool		ascending = true;

	if (tree->output < 0 || tree->output >= f->n_outputs || (f->vector_leaf && tree->output != 0))
		return bad_node(error, t, -1, "output");
	for (uint32_t i = 0; i < tree->n_nodes; i++)
		parents[i] = -1;
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(alloc);
		if (!check_node(f, tree, t, (int32_t) i, parents, &ascending, error))
			return false;
	}
	for (uint32_t i = 1; i < tree->n_nodes; i++)
	{
		if (parents[i] < 0 && nodes[i].left != 0)
			return bad_node(error, t, (int32_t) i, "node that nothing leads to");
	}
	if (!ascending && !reaches_all(alloc, nodes, parents, tree->n_nodes))
		return bad_node(error, t, -1, "circle of nodes");
	return true;
}

/* Trees cut the nodes into pieces without gap or overlap; *largest: nodes of the largest. */
static bool
check_cuts(const MpForest *f, uint32_t *largest, MpError *error)
{
	const MpTree *trees = mp_forest_trees(f);
	uint64_t	n_nodes = MP_SECTION_LENGTH(f, MP_SECTION_NODES, MpNode);
	uint64_t	end = 0;

	*largest = 0;
	for (int32_t t = 0; t < f->n_trees; t++)
	{
		if (trees[t].first != end || trees[t].n_nodes == 0 || trees[t].n_nodes > n_nodes - end ||
			trees[t].n_nodes > INT32_MAX)
			return bad_node(error, t, -1, "nodes");
		end += trees[t].n_nodes;
		if (trees[t].n_nodes > *largest)
			*largest = trees[t].n_nodes;
	}
	if (end != n_nodes ||
		MP_SECTION_LENGTH(f, MP_SECTION_GAIN, float) != n_nodes ||
		f->sections[MP_SECTION_COVER].size != n_nodes * mp_forest_real_size(f) ||
		MP_SECTION_LENGTH(f, MP_SECTION_VALUES, double) !=
		(f->precision == MP_PRECISION_DOUBLE ? n_nodes : 0) ||
		(f->sections[MP_SECTION_NUMBERS].size != 0 &&
		 MP_SECTION_LENGTH(f, MP_SECTION_NUMBERS, int32_t) != n_nodes))
		return bad(error, "number of nodes");
	return true;
}

static bool
check_trees(MpAlloc *alloc, const MpForest *f, MpError *error)
{
	uint64_t	n_weights = f->booster == MP_BOOSTER_GBLINEAR ?
		((uint64_t) f->n_features + 1) * (uint64_t) f->n_outputs : 0;
	uint64_t	leaves_size = f->sections[MP_SECTION_LEAVES].size;
	uint32_t	largest;
	int32_t    *parents;
	bool		fine = true;

	if (MP_SECTION_LENGTH(f, MP_SECTION_WEIGHTS, float) != n_weights)
		return bad(error, "number of weights");
	if (f->vector_leaf ? leaves_size % ((uint64_t) f->n_outputs * mp_forest_real_size(f)) != 0 :
		leaves_size != 0)
		return bad(error, "leaf vectors");
	if (!check_linear_leaves(alloc, f, error) || !check_catsets(alloc, f, error) || !check_cuts(f, &largest, error))
		return false;

	parents = mp_alloc_get(alloc, (size_t) largest * sizeof(int32_t));
	if (parents == NULL)
		return mp_fail_memory(error, (size_t) largest * sizeof(int32_t));
	for (int32_t t = 0; fine && t < f->n_trees; t++)
	{
		mp_alloc_poll(alloc);
		fine = check_tree(alloc, f, t, parents, error);
	}
	mp_alloc_release(alloc, parents);
	return fine;
}

bool
mp_forest_check_content(MpAlloc *alloc, const MpForest *f, bool head_only, MpError *error)
{
	mp_error_clear(error);
	return check_header(f, error) && check_inputs(alloc, f, error) &&
		(head_only || check_trees(alloc, f, error));
}

bool
mp_forest_check(MpAlloc *alloc, const void *image, size_t size, bool head_only, MpError *error)
{
	const MpForest *f = image;

	mp_error_clear(error);
	if (size < sizeof(MpForest))
		return bad(error, "length");
	if (!check_layout(f, size, head_only, error))
		return false;
	if (f->head_checksum != head_checksum(f) ||
		(!head_only && f->checksum != rest_checksum(f)))
		return bad(error, "checksum");
	return mp_forest_check_content(alloc, f, head_only, error);
}
