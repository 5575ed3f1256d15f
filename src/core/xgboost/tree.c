/*
 * tree.c: from the arrays of one tree, as the file has them, to checked nodes.
 *
 * What comes out can be walked without bounds checks: every child exists, has
 * one parent, and the root reaches every node but those that XGBoost's pruner
 * deleted. Nothing here recurses: a tree may be a list of a million nodes.
 */
#include "core/xgboost/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* how a file marks a deleted node: this feature, and missing goes left */
#define DELETED_FEATURE INT32_MAX

/* what a file says of the root's parent: -1, or its lower 31 bits */
#define NO_PARENT INT32_MAX

typedef struct TreeView
{
	const int32_t *left;
	const int32_t *right;
	const int32_t *parent;
	const int32_t *feature;
	const float *condition;
	const uint8_t *default_left;
	const uint8_t *split_type;	/* NULL: all numeric */
	int32_t		n;
	bool		vector;
} TreeView;

MP_PRINTF(4, 5)
static bool
fault(MpDraft *draft, const MpTreeParts *parts, int32_t node, const char *format,...)
{
	char		message[MP_MESSAGE_SIZE];
	va_list		args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	mp_fail(draft->error, MP_ERROR_INVALID, "%s", message);
	draft->error->offset = (int64_t) parts->offset;
	draft->error->tree = (int32_t) mp_vec_count(&draft->trees, MpTree);
	draft->error->node = node;
	return false;
}

void
mp_xgboost_tree_parts_init(MpTreeParts *parts, MpAlloc *alloc)
{
	memset(parts, 0, sizeof(*parts));
	for (MpVec *vec = &parts->left; vec <= &parts->cat_sizes; vec++)
		vec->alloc = alloc;
}

void
mp_xgboost_tree_parts_clear(MpTreeParts *parts)
{
	for (MpVec *vec = &parts->left; vec <= &parts->cat_sizes; vec++)
		vec->size = 0;
	parts->num_nodes = 0;
	parts->num_feature = 0;
	parts->num_deleted = -1;
	parts->leaf_size = 1;
	parts->id = -1;
	parts->has_split_type = false;
	parts->has_leaf_vectors = false;
	parts->has_gain = false;
	parts->has_cover = false;
	parts->offset = 0;
	parts->weights_pos = 0;
}

void
mp_xgboost_tree_parts_release(MpTreeParts *parts)
{
	for (MpVec *vec = &parts->left; vec <= &parts->cat_sizes; vec++)
		mp_vec_release(vec);
}

static bool
check_length(MpDraft *draft, const MpTreeParts *parts, const char *name, size_t length)
{
	if ((uint64_t) parts->num_nodes != length)
		return fault(draft, parts, -1,
					 "expected %lld elements in \"%s\", as num_nodes says, not %zu",
					 (long long) parts->num_nodes, name, length);
	return true;
}

static bool
check_lengths(MpDraft *draft, const MpTreeParts *parts)
{
	size_t		n_before = mp_vec_count(&draft->nodes, MpNode);

	return check_length(draft, parts, "left_children", mp_vec_count(&parts->left, int32_t)) &&
		check_length(draft, parts, "right_children", mp_vec_count(&parts->right, int32_t)) &&
		check_length(draft, parts, "parents", mp_vec_count(&parts->parent, int32_t)) &&
		check_length(draft, parts, "split_indices", mp_vec_count(&parts->feature, int32_t)) &&
		check_length(draft, parts, "split_conditions", mp_vec_count(&parts->condition, float)) &&
		check_length(draft, parts, "default_left", parts->default_left.size) &&
		(!parts->has_split_type ||
		 check_length(draft, parts, "split_type", parts->split_type.size)) &&
		(!parts->has_gain ||
		 check_length(draft, parts, "loss_changes",
					  mp_vec_count(&draft->gain, float) - n_before)) &&
		(!parts->has_cover ||
		 check_length(draft, parts, "sum_hessian",
					  mp_vec_count(&draft->cover, float) - n_before));
}

static bool
is_deleted(const TreeView *tree, int32_t i)
{
	return i > 0 && !tree->vector && tree->feature[i] == DELETED_FEATURE &&
		tree->default_left[i] != 0;
}

static bool
is_split(const TreeView *tree, int32_t i)
{
	return tree->left[i] != -1 && !is_deleted(tree, i);
}

/* A split node: two neighbouring children that name it as their parent. */
static bool
check_split(MpDraft *draft, const MpTreeParts *parts, const TreeView *tree, int32_t i)
{
	int32_t		left = tree->left[i];
	int32_t		right = tree->right[i];

	if (left < 0 || left >= tree->n)
		return fault(draft, parts, i, "left child %d is not a node of a tree of %d nodes",
					 left, tree->n);
	if (right < 0 || right >= tree->n)
		return fault(draft, parts, i, "right child %d is not a node of a tree of %d nodes",
					 right, tree->n);
	if (left == 0)
		return fault(draft, parts, i, "the root is the child of a node");
	if (right != left + 1)
	{
		fault(draft, parts, i, "right child %d does not follow left child %d", right, left);
		mp_error_detail(draft->error, "XGBoost walks to the left child or to the node after it, "
						"and would never reach the right child that the file names.");
		return false;
	}
	for (int32_t child = left; child <= right; child++)
	{
		if (is_deleted(tree, child))
			return fault(draft, parts, i, "child %d is a deleted node", child);
		if (tree->parent[child] != i)
			return fault(draft, parts, i, "child %d has node %d as its parent",
						 child, tree->parent[child]);
	}
	if (tree->feature[i] < 0 || tree->feature[i] >= parts->num_feature)
		return fault(draft, parts, i, "split by feature %d in a tree for %lld features",
					 tree->feature[i], (long long) parts->num_feature);
	return true;
}

/* Any node but the root: its parent must be a split that has it as a child. */
static bool
check_parent(MpDraft *draft, const MpTreeParts *parts, const TreeView *tree, int32_t i)
{
	int32_t		parent = tree->parent[i];

	if (parent < 0 || parent >= tree->n)
		return fault(draft, parts, i, "parent %d is not a node of a tree of %d nodes",
					 parent, tree->n);
	if (!is_split(tree, parent) || (tree->left[parent] != i && tree->right[parent] != i))
		return fault(draft, parts, i, "no node leads to this one");
	return true;
}

/* Nodes that the root reaches; every node is known to have one parent. */
static int32_t
count_reached(const MpDraft *draft, const TreeView *tree)
{
	int32_t		count = 1;
	int32_t		i = 0;

	for (;;)
	{
		if (is_split(tree, i))
			i = tree->left[i];
		else
		{
			/* up to the first left child, and over to its sibling */
			while (i != 0 && tree->left[tree->parent[i]] != i)
				i = tree->parent[i];
			if (i == 0)
				return count;
			i++;
		}
		if (count++ % 16384 == 0)
			mp_alloc_poll(draft->alloc);
	}
}

/*
 * Whether the tree is as XGBoost writes nearly all: no deleted nodes, children
 * behind their parents, each child naming its parent. If each split has two
 * children that name it, and all nodes but the root are such children, then
 * every node has one parent; and since numbers fall on the way up, that way
 * ends at the root.
 */
static bool
is_plain(const MpDraft *draft, const TreeView *tree, int64_t n_features)
{
	int32_t		n = tree->n;
	int64_t		n_children = 0;
	uint8_t		directions = 0;
	bool		fine = tree->parent[0] == -1 || tree->parent[0] == NO_PARENT;

	for (int32_t i = 0; i < n; i++)
	{
		int32_t		left = tree->left[i];

		if (i % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		directions |= tree->default_left[i];
		if (left == -1)
		{
			fine &= tree->right[i] == -1 || tree->vector;
			fine &= tree->feature[i] != DELETED_FEATURE;
			continue;
		}
		if (left <= i || left >= n - 1)
			return false;
		n_children += 2;
		fine &= tree->right[i] == left + 1;
		fine &= tree->parent[left] == i && tree->parent[left + 1] == i;
		fine &= tree->feature[i] >= 0 && tree->feature[i] < n_features;
	}
	return fine && directions <= 1 && n_children == n - 1;
}

/* Checks node by node, to say which one is at fault. */
static bool
check_nodes(MpDraft *draft, const MpTreeParts *parts, const TreeView *tree,
			int32_t *n_deleted, bool *ascending)
{
	if (tree->parent[0] != -1 && tree->parent[0] != NO_PARENT)
		return fault(draft, parts, 0, "the root has node %d as its parent", tree->parent[0]);
	for (int32_t i = 0; i < tree->n; i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		if (tree->default_left[i] > 1)
			return fault(draft, parts, i, "default_left is %d, not 0 or 1",
						 tree->default_left[i]);
		if (is_deleted(tree, i))
		{
			(*n_deleted)++;
			continue;
		}
		if (is_split(tree, i))
		{
			if (!check_split(draft, parts, tree, i))
				return false;
			*ascending &= tree->left[i] > i;
		}
		else if (!tree->vector && tree->right[i] != -1)
			return fault(draft, parts, i, "a right child without a left child");
		if (i > 0 && !check_parent(draft, parts, tree, i))
			return false;
	}
	return true;
}

static bool
check_links(MpDraft *draft, const MpTreeParts *parts, const TreeView *tree)
{
	int32_t		n_deleted = 0;
	bool		ascending = true;

	if (!is_plain(draft, tree, parts->num_feature) &&
		!check_nodes(draft, parts, tree, &n_deleted, &ascending))
		return false;
	if (parts->num_deleted >= 0 && parts->num_deleted != n_deleted)
		return fault(draft, parts, -1, "expected %lld deleted nodes, as num_deleted says, not %d",
					 (long long) parts->num_deleted, n_deleted);

	/* only where a child is before its parent can there be a circle */
	if (!ascending && count_reached(draft, tree) != tree->n - n_deleted)
		return fault(draft, parts, -1, "some nodes form a circle that the root does not reach");
	return true;
}

/* The codes of one categorical split, ascending, as a set. */
static bool
add_catset(MpDraft *draft, const MpTreeParts *parts, int32_t node,
		   const int32_t *codes, size_t n_codes, uint32_t *set)
{
	for (size_t k = 0; k < n_codes; k++)
	{
		if (k % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		if (codes[k] < 0 || codes[k] >= MP_MAX_CATEGORY)
			return fault(draft, parts, node, "category code %d is not from 0 to %d",
						 codes[k], MP_MAX_CATEGORY - 1);
		if (k > 0 && codes[k] <= codes[k - 1])
			return fault(draft, parts, node, "category code %d does not ascend from %d",
						 codes[k], codes[k - 1]);
	}
	return mp_draft_add_set(draft, codes, n_codes, set);
}

/* That nodes, starts and sizes cut the codes into pieces without gap or overlap. */
static bool
check_categories(MpDraft *draft, const MpTreeParts *parts, const TreeView *tree)
{
	size_t		n = mp_vec_count(&parts->cat_nodes, int32_t);
	const int32_t *nodes = parts->cat_nodes.data;
	const int64_t *starts = parts->cat_starts.data;
	const int64_t *sizes = parts->cat_sizes.data;
	int64_t		total = (int64_t) mp_vec_count(&parts->categories, int32_t);
	int64_t		end = 0;

	if (mp_vec_count(&parts->cat_starts, int64_t) != n ||
		mp_vec_count(&parts->cat_sizes, int64_t) != n)
		return fault(draft, parts, -1, "categories_nodes, categories_segments and categories_sizes "
					 "have %zu, %zu and %zu elements", n,
					 mp_vec_count(&parts->cat_starts, int64_t),
					 mp_vec_count(&parts->cat_sizes, int64_t));
	for (size_t k = 0; k < n; k++)
	{
		if (nodes[k] < 0 || nodes[k] >= tree->n)
			return fault(draft, parts, -1, "categories of node %d in a tree of %d nodes",
						 nodes[k], tree->n);
		if (k > 0 && nodes[k] <= nodes[k - 1])
			return fault(draft, parts, nodes[k], "categories_nodes does not ascend");
		if (tree->split_type == NULL || tree->split_type[nodes[k]] != 1)
			return fault(draft, parts, nodes[k], "categories for a split that is by number");
		if (starts[k] != end || sizes[k] < 1 || sizes[k] > total - end)
			return fault(draft, parts, nodes[k],
						 "categories from %lld, %lld of them, where %lld to %lld were expected",
						 (long long) starts[k], (long long) sizes[k],
						 (long long) end, (long long) total);
		end += sizes[k];
	}
	if (end != total)
		return fault(draft, parts, -1, "%lld categories belong to no node",
					 (long long) (total - end));
	return true;
}

/* Makes a leaf of what the file has at node i. */
static bool
write_leaf(MpDraft *draft, const MpTreeParts *parts, const TreeView *tree, int32_t i,
		   size_t n_vectors, MpNode *node)
{
	size_t		row_size = (size_t) parts->leaf_size * sizeof(float);
	float	   *row;

	if (!tree->vector)
	{
		node->value = tree->condition[i];
		return true;
	}
	if (parts->has_leaf_vectors)
	{
		if (tree->right[i] < 0 || (size_t) tree->right[i] >= n_vectors)
			return fault(draft, parts, i, "leaf vector %d of %zu", tree->right[i], n_vectors);
		node->value_bits = (uint32_t) (draft->leaves.size / row_size - n_vectors + tree->right[i]);
		return true;
	}
	node->value_bits = (uint32_t) (draft->leaves.size / row_size);
	row = mp_vec_add(&draft->leaves, row_size);
	if (row == NULL)
		return mp_fail_memory(draft->error, row_size);
	memcpy(row, mp_vec_at(&parts->node_vectors, float, (size_t) i * parts->leaf_size), row_size);
	return true;
}

/* cat: the first set of the file that is not behind node i */
static bool
write_category(MpDraft *draft, const MpTreeParts *parts, int32_t i, size_t cat, MpNode *node)
{
	int64_t		start;
	int64_t		size;

	if (cat >= mp_vec_count(&parts->cat_nodes, int32_t) ||
		*mp_vec_at(&parts->cat_nodes, int32_t, cat) != i)
		return fault(draft, parts, i, "split by category without categories");
	start = *mp_vec_at(&parts->cat_starts, int64_t, cat);
	size = *mp_vec_at(&parts->cat_sizes, int64_t, cat);
	node->feature |= MP_NODE_CATEGORICAL;
	draft->head.has_categorical = true;
	return add_catset(draft, parts, i, mp_vec_at(&parts->categories, int32_t, start),
					  (size_t) size, &node->value_bits);
}

static void
write_split(const TreeView *tree, int32_t i, MpNode *node)
{
	node->left = tree->left[i];
	node->feature = (uint32_t) tree->feature[i] |
		(tree->default_left[i] ? MP_NODE_DEFAULT_LEFT : 0);

	/* no x is less than NaN, nor than -Infinity */
	node->value = isnan(tree->condition[i]) ? -INFINITY : tree->condition[i];
}

static bool
write_nodes(MpDraft *draft, const MpTreeParts *parts, const TreeView *tree, size_t n_vectors)
{
	size_t		n_cats = mp_vec_count(&parts->cat_nodes, int32_t);
	MpNode	   *nodes = mp_vec_add(&draft->nodes, (size_t) tree->n * sizeof(MpNode));
	size_t		cat = 0;

	if (nodes == NULL)
		return mp_fail_memory(draft->error, (size_t) tree->n * sizeof(MpNode));
	for (int32_t i = 0; i < tree->n; i++)
	{
		MpNode	   *node = &nodes[i];

		if (i % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		memset(node, 0, sizeof(*node));
		if (tree->split_type != NULL && tree->split_type[i] > 1)
			return fault(draft, parts, i, "unknown split type %d", tree->split_type[i]);
		if (is_split(tree, i))
		{
			write_split(tree, i, node);
			if (tree->split_type != NULL && tree->split_type[i] == 1 &&
				!write_category(draft, parts, i, cat, node))
				return false;
		}
		else if (!is_deleted(tree, i) &&
				 !write_leaf(draft, parts, tree, i, n_vectors, node))
			return false;

		/* a split that was pruned to a leaf keeps its categories in the file */
		if (cat < n_cats && *mp_vec_at(&parts->cat_nodes, int32_t, cat) == i)
			cat++;
	}
	return true;
}

/* Takes over the leaf vectors of trees that keep them apart from the nodes. */
static bool
add_leaf_vectors(MpDraft *draft, const MpTreeParts *parts, size_t *n_vectors)
{
	size_t		n = mp_vec_count(&parts->leaf_vectors, float);
	void	   *place;

	*n_vectors = n / (size_t) parts->leaf_size;
	if (n % (size_t) parts->leaf_size != 0 || *n_vectors > (size_t) parts->num_nodes)
		return fault(draft, parts, -1, "%zu leaf weights for leaves of %lld outputs", n,
					 (long long) parts->leaf_size);
	if (n == 0)
		return true;
	place = mp_vec_add(&draft->leaves, n * sizeof(float));
	if (place == NULL)
		return mp_fail_memory(draft->error, n * sizeof(float));
	memcpy(place, parts->leaf_vectors.data, n * sizeof(float));
	return true;
}

static bool
check_vectors(MpDraft *draft, const MpTreeParts *parts, size_t *n_vectors)
{
	*n_vectors = 0;
	if (parts->leaf_size == 1)
	{
		if (parts->has_leaf_vectors)
			return fault(draft, parts, -1, "leaf weights in a tree of scalar leaves");
		return true;
	}
	if (parts->has_leaf_vectors)
		return add_leaf_vectors(draft, parts, n_vectors);
	if (mp_vec_count(&parts->node_vectors, float) !=
		(uint64_t) parts->num_nodes * (uint64_t) parts->leaf_size)
		return fault(draft, parts, -1, "%zu base weights for %lld nodes of %lld outputs",
					 mp_vec_count(&parts->node_vectors, float), (long long) parts->num_nodes,
					 (long long) parts->leaf_size);
	return true;
}

/* Gain and cover that the file lacks become zeros, in step with the nodes. */
static bool
fill_stats(MpDraft *draft, const MpTreeParts *parts)
{
	size_t		size = (size_t) parts->num_nodes * sizeof(float);

	if (parts->has_gain && parts->has_cover)
		return true;
	if (parts->has_gain || parts->has_cover || parts->leaf_size == 1)
		return fault(draft, parts, -1, "field \"%s\" is missing",
					 parts->has_gain ? "sum_hessian" : "loss_changes");
	if (mp_vec_add(&draft->gain, size) == NULL || mp_vec_add(&draft->cover, size) == NULL)
		return mp_fail_memory(draft->error, size);
	memset((char *) draft->gain.data + draft->gain.size - size, 0, size);
	memset((char *) draft->cover.data + draft->cover.size - size, 0, size);
	draft->lacks_stats = true;
	return true;
}

static bool
check_header(const MpXgboostFile *file, const MpTreeParts *parts)
{
	MpDraft    *draft = file->draft;
	int64_t		index = (int64_t) mp_vec_count(&draft->trees, MpTree);

	if (parts->id >= 0 && parts->id != index)
		return fault(draft, parts, -1, "expected tree %lld, not one with the id %lld",
					 (long long) index, (long long) parts->id);
	if (parts->num_nodes > INT32_MAX - (int64_t) mp_vec_count(&draft->nodes, MpNode))
		return fault(draft, parts, -1, "more than %d nodes", INT32_MAX);
	if (file->leaf_size != 0 && file->leaf_size != parts->leaf_size)
		return fault(draft, parts, -1, "leaves of %lld outputs, where earlier trees have %lld",
					 (long long) parts->leaf_size, (long long) file->leaf_size);
	return true;
}

bool
mp_xgboost_tree_add(MpXgboostFile *file, MpTreeParts *parts)
{
	MpDraft    *draft = file->draft;
	TreeView	view = {
		parts->left.data, parts->right.data, parts->parent.data, parts->feature.data,
		parts->condition.data, parts->default_left.data,
		parts->has_split_type ? parts->split_type.data : NULL,
		(int32_t) parts->num_nodes, parts->leaf_size > 1
	};
	MpTree		tree = {
		(uint32_t) mp_vec_count(&draft->nodes, MpNode), (uint32_t) parts->num_nodes, 0, 1.0f
	};
	size_t		n_vectors;
	MpTree	   *place;

	if (!check_header(file, parts) || !check_lengths(draft, parts) ||
		!check_links(draft, parts, &view) || !check_categories(draft, parts, &view) ||
		!check_vectors(draft, parts, &n_vectors) ||
		!write_nodes(draft, parts, &view, n_vectors) || !fill_stats(draft, parts))
		return false;

	place = mp_vec_add(&draft->trees, sizeof(MpTree));
	if (place == NULL)
		return mp_fail_memory(draft->error, sizeof(MpTree));
	*place = tree;
	file->leaf_size = parts->leaf_size;
	if (parts->num_feature > file->trees_features)
	{
		file->trees_features = parts->num_feature;
		file->trees_features_at = (int32_t) mp_vec_count(&draft->trees, MpTree) - 1;
	}
	return true;
}
