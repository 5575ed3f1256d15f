/*
 * load_tree.c: reads one tree of a JSON or UBJSON document.
 */
#include "core/draft/draft.h"

/* a tree and the model it goes to */
typedef struct TreeTarget
{
	MpDraft    *draft;
	MpTreeParts *parts;
} TreeTarget;

#define PARTS(context) (((TreeTarget *) (context))->parts)

static bool
read_left(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT32S, &PARTS(context)->left);
}

static bool
read_right(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT32S, &PARTS(context)->right);
}

static bool
read_parents(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT32S, &PARTS(context)->parent);
}

static bool
read_features(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT32S, &PARTS(context)->feature);
}

static bool
read_conditions(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_FLOATS, &PARTS(context)->condition);
}

static bool
read_default_left(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_BYTES, &PARTS(context)->default_left);
}

static bool
read_split_type(MpDoc *doc, void *context)
{
	PARTS(context)->has_split_type = true;
	return mp_doc_bulk(doc, MP_DOC_BYTES, &PARTS(context)->split_type);
}

static bool
read_leaf_weights(MpDoc *doc, void *context)
{
	PARTS(context)->has_leaf_vectors = true;
	return mp_doc_bulk(doc, MP_DOC_FLOATS, &PARTS(context)->leaf_vectors);
}

/* Needed for vector leaves only, and whether these are is said later: notes where it is. */
static bool
read_base_weights(MpDoc *doc, void *context)
{
	PARTS(context)->weights_pos = doc->pos;
	return mp_doc_skip(doc);
}

static bool
read_gain(MpDoc *doc, void *context)
{
	PARTS(context)->has_gain = true;
	return mp_doc_bulk(doc, MP_DOC_FLOATS, &((TreeTarget *) context)->draft->gain);
}

static bool
read_cover(MpDoc *doc, void *context)
{
	PARTS(context)->has_cover = true;
	return mp_doc_bulk(doc, MP_DOC_FLOATS, &((TreeTarget *) context)->draft->cover);
}

static bool
read_categories(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT32S, &PARTS(context)->categories);
}

static bool
read_cat_nodes(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT32S, &PARTS(context)->cat_nodes);
}

static bool
read_cat_starts(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT64S, &PARTS(context)->cat_starts);
}

static bool
read_cat_sizes(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT64S, &PARTS(context)->cat_sizes);
}

static bool
read_id(MpDoc *doc, void *context)
{
	return mp_doc_integer(doc, 0, INT32_MAX, &PARTS(context)->id);
}

static bool
read_num_nodes(MpDoc *doc, void *context)
{
	return mp_doc_parameter(doc, 1, INT32_MAX, &PARTS(context)->num_nodes);
}

static bool
read_num_feature(MpDoc *doc, void *context)
{
	return mp_doc_parameter(doc, 0, MP_MAX_FEATURES, &PARTS(context)->num_feature);
}

static bool
read_num_deleted(MpDoc *doc, void *context)
{
	return mp_doc_parameter(doc, 0, INT32_MAX, &PARTS(context)->num_deleted);
}

/* 0 and 1 both mean scalar leaves */
static bool
read_leaf_size(MpDoc *doc, void *context)
{
	MpTreeParts *parts = PARTS(context);

	if (!mp_doc_parameter(doc, 0, MP_MAX_OUTPUTS, &parts->leaf_size))
		return false;
	if (parts->leaf_size == 0)
		parts->leaf_size = 1;
	return true;
}

static const MpDocField param_fields[] = {
	{"num_deleted", read_num_deleted, false},
	{"num_feature", read_num_feature, true},
	{"num_nodes", read_num_nodes, true},
	{"size_leaf_vector", read_leaf_size, false},
};

static bool
read_param(MpDoc *doc, void *context)
{
	return mp_doc_fields(doc, param_fields, sizeof(param_fields) / sizeof(*param_fields),
						 "tree_param", context, NULL);
}

static const MpDocField tree_fields[] = {
	{"base_weights", read_base_weights, true},
	{"categories", read_categories, false},
	{"categories_nodes", read_cat_nodes, false},
	{"categories_segments", read_cat_starts, false},
	{"categories_sizes", read_cat_sizes, false},
	{"default_left", read_default_left, true},
	{"id", read_id, false},
	{"leaf_child_counts", NULL, false}, /* 1.0 only; training's own */
	{"leaf_weights", read_leaf_weights, false},
	{"left_children", read_left, true},
	{"loss_changes", read_gain, false},
	{"parents", read_parents, true},
	{"right_children", read_right, true},
	{"split_conditions", read_conditions, true},
	{"split_indices", read_features, true},
	{"split_type", read_split_type, false},
	{"sum_hessian", read_cover, false},
	{"tree_param", read_param, true},
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
mp_load_tree(MpDoc *doc, MpDraft *draft, MpTreeParts *parts)
{
	TreeTarget	target = {draft, parts};

	mp_tree_parts_clear(parts);
	parts->offset = doc->pos;
	if (!mp_doc_fields(doc, tree_fields, sizeof(tree_fields) / sizeof(*tree_fields),
					   "trees", &target, NULL) ||
		(parts->leaf_size > 1 && !parts->has_leaf_vectors && !reread_base_weights(doc, parts)))
	{
		draft->error->tree = (int32_t) mp_vec_count(&draft->trees, MpTree);
		return false;
	}
	return mp_tree_add(draft, parts);
}
