/*
 * load_tree.c: reads one tree of a JSON or UBJSON document.
 */
#include "core/xgboost/load_tree.h"

/* Needed for vector leaves only, and whether these are is said later: notes where it is. */
static bool
read_base_weights(MpDoc *doc, void *context)
{
	((MpTreeParts *) context)->weights_pos = doc->pos;
	return mp_doc_skip(doc);
}

/* Gain and cover go where all trees have theirs. */
static bool
read_gain(MpDoc *doc, void *context)
{
	MpTreeParts *parts = context;

	parts->has_gain = true;
	return mp_doc_bulk(doc, MP_DOC_FLOATS, parts->gain);
}

static bool
read_cover(MpDoc *doc, void *context)
{
	MpTreeParts *parts = context;

	parts->has_cover = true;
	return mp_doc_bulk(doc, MP_DOC_FLOATS, parts->cover);
}

static const MpDocField param_fields[] = {
	MP_DOC_PARAMETER_IN("num_deleted", MP_OPTIONAL, 0, INT32_MAX, MpTreeParts, num_deleted),
	MP_DOC_PARAMETER_IN("num_feature", MP_REQUIRED, 0, MP_MAX_FEATURES, MpTreeParts, num_feature),
	MP_DOC_PARAMETER_IN("num_nodes", MP_REQUIRED, 1, INT32_MAX, MpTreeParts, num_nodes),
	MP_DOC_PARAMETER_IN("size_leaf_vector", MP_OPTIONAL, 0, MP_MAX_OUTPUTS, MpTreeParts, leaf_size),
};

/* Leaf sizes 0 and 1 both mean scalar leaves. */
static bool
read_param(MpDoc *doc, void *context)
{
	MpTreeParts *parts = context;

	if (!mp_doc_fields(doc, param_fields, sizeof(param_fields) / sizeof(*param_fields),
					   "tree_param", context, NULL))
		return false;
	if (parts->leaf_size == 0)
		parts->leaf_size = 1;
	return true;
}

#define INT32S(name, member) \
	MP_DOC_ARRAY_OF(name, MP_REQUIRED, MP_DOC_INT32S, MpTreeParts, member)

static const MpDocField tree_fields[] = {
	MP_DOC_CALLED("base_weights", MP_REQUIRED, read_base_weights),
	MP_DOC_ARRAY_OF("categories", MP_OPTIONAL, MP_DOC_INT32S, MpTreeParts, categories),
	MP_DOC_ARRAY_OF("categories_nodes", MP_OPTIONAL, MP_DOC_INT32S, MpTreeParts, cat_nodes),
	MP_DOC_ARRAY_OF("categories_segments", MP_OPTIONAL, MP_DOC_INT64S, MpTreeParts, cat_starts),
	MP_DOC_ARRAY_OF("categories_sizes", MP_OPTIONAL, MP_DOC_INT64S, MpTreeParts, cat_sizes),
	MP_DOC_ARRAY_OF("default_left", MP_REQUIRED, MP_DOC_BYTES, MpTreeParts, default_left),
	MP_DOC_INTEGER_IN("id", MP_OPTIONAL, 0, INT32_MAX, MpTreeParts, id),
	MP_DOC_IGNORED("leaf_child_counts"),	/* 1.0 only; training's own */
	MP_DOC_FLAGGED_ARRAY("leaf_weights", MP_OPTIONAL, MP_DOC_FLOATS, MpTreeParts, leaf_vectors,
						 has_leaf_vectors),
	INT32S("left_children", left),
	MP_DOC_CALLED("loss_changes", MP_OPTIONAL, read_gain),
	INT32S("parents", parent),
	INT32S("right_children", right),
	MP_DOC_ARRAY_OF("split_conditions", MP_REQUIRED, MP_DOC_FLOATS, MpTreeParts, condition),
	INT32S("split_indices", feature),
	MP_DOC_FLAGGED_ARRAY("split_type", MP_OPTIONAL, MP_DOC_BYTES, MpTreeParts, split_type,
						 has_split_type),
	MP_DOC_CALLED("sum_hessian", MP_OPTIONAL, read_cover),
	MP_DOC_CALLED("tree_param", MP_REQUIRED, read_param),
};

/* Goes back for the base weights. */
static bool
reread_base_weights(MpDoc *doc, MpTreeParts *parts)
{
	size_t		end = doc->pos;

	doc->pos = parts->weights_pos;
	doc->field = "base_weights";
	if (!mp_doc_bulk(doc, MP_DOC_FLOATS, &parts->node_vectors))
		return false;
	doc->pos = end;
	return true;
}

bool
mp_load_tree(MpDoc *doc, MpXgboostFile *file, MpTreeParts *parts)
{
	mp_xgboost_tree_parts_clear(parts);
	parts->offset = doc->pos;
	parts->gain = &file->draft->gain;
	parts->cover = &file->draft->cover;
	if (!mp_doc_fields(doc, tree_fields, sizeof(tree_fields) / sizeof(*tree_fields),
					   "trees", parts, NULL) ||
		(parts->leaf_size > 1 && !parts->has_leaf_vectors && !reread_base_weights(doc, parts)))
	{
		doc->error->tree = (int32_t) mp_vec_count(&file->draft->trees, MpTree);
		return false;
	}
	return mp_xgboost_tree_add(file, parts);
}
