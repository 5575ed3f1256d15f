/*
 * load_document.c: reads a model document, JSON or UBJSON, of XGBoost 1.0 to
 * 3.4: what may be in it, object by object, as tables of fields.
 *
 * Fields come in any order, and most refer to others, so here each is only
 * read and checked in itself. What is known to say nothing about scores is
 * skipped; a field that is not known is refused.
 */
#include "core/draft/draft.h"
#include "core/text/number.h"

#include <string.h>

#define FIELDS(table) table, (int) (sizeof(table) / sizeof(*(table)))

bool
mp_doc_parameter(MpDoc *doc, int64_t low, int64_t high, int64_t *value)
{
	size_t		start = doc->pos;
	MpString	text;
	const char *end;
	const char *rest;
	char		shown[40];

	if (!mp_doc_string(doc, &text))
		return false;
	end = text.data + text.length;
	if (mp_number_integer(text.data, end, value, &rest) == MP_NUMBER_OK && rest == end &&
		*value >= low && *value <= high)
		return true;
	doc->pos = start;
	return mp_doc_fail(doc, MP_ERROR_INVALID, "expected a number from %lld to %lld, not \"%s\"",
					   (long long) low, (long long) high,
					   mp_printable(shown, sizeof(shown), text));
}

/* --- learner.gradient_booster --- */

static bool
read_num_trees(MpDoc *doc, void *context)
{
	return mp_doc_parameter(doc, 0, INT32_MAX, &((MpDraft *) context)->num_trees);
}

static bool
read_num_parallel_tree(MpDoc *doc, void *context)
{
	return mp_doc_parameter(doc, 1, INT32_MAX, &((MpDraft *) context)->num_parallel_tree);
}

static const MpDocField gbtree_param_fields[] = {
	{"num_parallel_tree", read_num_parallel_tree, false},
	{"num_trees", read_num_trees, true},
	{"size_leaf_vector", NULL, false},	/* the trees say it */
};

static bool
read_gbtree_param(MpDoc *doc, void *context)
{
	return mp_doc_fields(doc, FIELDS(gbtree_param_fields), "gbtree_model_param", context, NULL);
}

static bool
read_trees(MpDoc *doc, void *context)
{
	MpDraft    *draft = context;
	MpTreeParts parts;
	bool		fine = true;

	if (!mp_doc_enter_array(doc))
		return false;
	mp_tree_parts_init(&parts, draft->alloc);
	while (fine && mp_doc_next(doc))
	{
		fine = mp_load_tree(doc, draft, &parts);
		mp_alloc_poll(draft->alloc);
	}
	mp_tree_parts_release(&parts);
	return mp_doc_ok(doc);
}

static bool
read_tree_info(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT32S, &((MpDraft *) context)->tree_outputs);
}

static bool
read_indptr(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT32S, &((MpDraft *) context)->round_starts);
}

static bool
read_cats(MpDoc *doc, void *context)
{
	return mp_load_categories(doc, context);
}

static bool
read_weight_drop(MpDoc *doc, void *context)
{
	MpDraft    *draft = context;

	if (draft->has_drop_weights)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "field \"weight_drop\" comes twice");
	draft->has_drop_weights = true;
	return mp_doc_bulk(doc, MP_DOC_FLOATS, &draft->drop_weights);
}

static bool
read_weights(MpDoc *doc, void *context)
{
	MpDraft    *draft = context;

	draft->has_weights = true;
	return mp_doc_bulk(doc, MP_DOC_FLOATS, &draft->weights);
}

static bool
read_boosted_rounds(MpDoc *doc, void *context)
{
	return mp_doc_integer(doc, INT32_MIN, INT32_MAX, &((MpDraft *) context)->boosted_rounds);
}

/* of trees and of linear models: which it is is said later */
static const MpDocField model_fields[] = {
	{"boosted_rounds", read_boosted_rounds, false},
	{"cats", read_cats, false},
	{"gbtree_model_param", read_gbtree_param, false},
	{"iteration_indptr", read_indptr, false},
	{"tree_info", read_tree_info, false},
	{"trees", read_trees, false},
	{"weight_drop", read_weight_drop, false},
	{"weights", read_weights, false},
};

static bool
read_model(MpDoc *doc, void *context)
{
	MpDraft    *draft = context;

	if (draft->num_trees >= 0 || draft->has_weights || draft->trees.size > 0)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "a second \"model\" in the booster");
	return mp_doc_fields(doc, FIELDS(model_fields), "model", context, NULL);
}

static bool
read_booster_name(MpDoc *doc, void *context)
{
	MpString	name;

	return mp_doc_string(doc, &name) && mp_draft_booster(context, name);
}

/* the trees of a dart model, which until 3.3 are a booster inside the booster */
static bool
check_inner_name(MpDoc *doc, void *context)
{
	MpString	name;

	if (!mp_doc_string(doc, &name))
		return false;
	return mp_string_is(name, "gbtree") ||
		mp_doc_fail(doc, MP_ERROR_INVALID, "expected a booster \"gbtree\" inside \"dart\"");
}

static const MpDocField inner_fields[] = {
	{"model", read_model, true},
	{"name", check_inner_name, true},
};

static bool
read_inner(MpDoc *doc, void *context)
{
	return mp_doc_fields(doc, FIELDS(inner_fields), "gbtree", context, NULL);
}

static const MpDocField booster_fields[] = {
	{"gbtree", read_inner, false},
	{"model", read_model, false},
	{"name", read_booster_name, true},
	{"weight_drop", read_weight_drop, false},
};

static bool
read_booster(MpDoc *doc, void *context)
{
	MpDraft    *draft = context;
	uint64_t	seen;

	if (!mp_doc_fields(doc, FIELDS(booster_fields), "gradient_booster", context, &seen))
		return false;

	/* the trees must be where XGBoost looks for them: fields 0 and 1 of the table */
	if ((seen & 3) == 3)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "two models in the booster");
	if ((seen & 1) != 0 && draft->booster != MP_BOOSTER_DART)
		return mp_doc_fail(doc, MP_ERROR_INVALID,
						   "a booster inside a booster that is not \"dart\"");
	if ((seen & 1) == 0 && draft->booster == MP_BOOSTER_DART)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "no field \"gbtree\" in the booster \"dart\"");
	if ((seen & 3) == 0)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "no model in the booster");
	return true;
}

/* --- the rest of the learner --- */

static bool
read_base_score(MpDoc *doc, void *context)
{
	MpString	text;
	MpDraft    *draft = context;
	size_t		start = doc->pos;

	if (!mp_doc_string(doc, &text))
		return false;
	if (mp_draft_base_scores(draft, text))
		return true;
	draft->error->offset = (int64_t) start;
	return false;
}

static bool
read_num_feature(MpDoc *doc, void *context)
{
	return mp_doc_parameter(doc, 1, MP_MAX_FEATURES, &((MpDraft *) context)->n_features);
}

static bool
read_num_class(MpDoc *doc, void *context)
{
	return mp_doc_parameter(doc, 0, MP_MAX_OUTPUTS, &((MpDraft *) context)->num_class);
}

static bool
read_num_target(MpDoc *doc, void *context)
{
	return mp_doc_parameter(doc, 1, MP_MAX_OUTPUTS, &((MpDraft *) context)->num_target);
}

static bool
read_boost_from_average(MpDoc *doc, void *context)
{
	return mp_doc_parameter(doc, INT32_MIN, INT32_MAX, &((MpDraft *) context)->boost_from_average);
}

static const MpDocField param_fields[] = {
	{"base_score", read_base_score, true},
	{"boost_from_average", read_boost_from_average, false},
	{"num_class", read_num_class, true},
	{"num_feature", read_num_feature, true},
	{"num_target", read_num_target, false},
};

static bool
read_param(MpDoc *doc, void *context)
{
	return mp_doc_fields(doc, FIELDS(param_fields), "learner_model_param", context, NULL);
}

/* Of the objective only its name counts: its parameters were for training. */
static bool
read_objective(MpDoc *doc, void *context)
{
	MpDraft    *draft = context;
	MpString	key;

	if (!mp_doc_enter_object(doc))
		return false;
	while (mp_doc_next_key(doc, &key))
	{
		size_t		start = doc->pos;
		MpString	name;

		if (!mp_string_is(key, "name"))
		{
			if (!mp_doc_skip(doc))
				return false;
			continue;
		}
		if (draft->objective != NULL)
			return mp_doc_fail(doc, MP_ERROR_INVALID, "the objective has two names");
		if (!mp_doc_string(doc, &name))
			return false;
		if (!mp_draft_objective(draft, name))
		{
			draft->error->offset = (int64_t) start;
			return false;
		}
	}
	if (!mp_doc_ok(doc))
		return false;
	return draft->objective != NULL ||
		mp_doc_fail(doc, MP_ERROR_INVALID, "field \"name\" is missing in \"objective\"");
}

static bool
read_attributes(MpDoc *doc, void *context)
{
	MpDraft    *draft = context;
	MpString	key;

	if (!mp_doc_enter_object(doc))
		return false;
	while (mp_doc_next_key(doc, &key))
	{
		size_t		start = doc->pos;
		MpString	value;

		if (!mp_doc_string(doc, &value))
			return false;
		if (!mp_draft_attribute(draft, key, value))
		{
			draft->error->offset = (int64_t) start;
			return false;
		}
	}
	return mp_doc_ok(doc);
}

static bool
read_feature_names(MpDoc *doc, void *context)
{
	MpDraft    *draft = context;

	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		size_t		start = doc->pos;
		MpString	name;
		MpSpan	   *span;

		if (!mp_doc_string(doc, &name))
			return false;
		if (!mp_utf8_valid(name))
		{
			doc->pos = start;
			return mp_doc_fail(doc, MP_ERROR_INVALID, "feature name is not UTF-8");
		}
		span = mp_vec_add(&draft->names, sizeof(MpSpan));
		if (span == NULL)
			return mp_fail_memory(draft->error, sizeof(MpSpan));
		if (!mp_draft_string(draft, name, span))
			return false;
	}
	return mp_doc_ok(doc);
}

static int
find_type(MpString name)
{
	static const struct
	{
		const char *name;
		MpFeatureType type;
	}			types[] = {
		{"float", MP_FEATURE_FLOAT},
		{"q", MP_FEATURE_FLOAT},
		{"int", MP_FEATURE_INTEGER},
		{"i", MP_FEATURE_INDICATOR},
		{"c", MP_FEATURE_CATEGORICAL},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
	{
		if (mp_string_is(name, types[i].name))
			return types[i].type;
	}
	return -1;
}

static bool
read_feature_types(MpDoc *doc, void *context)
{
	MpDraft    *draft = context;

	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		size_t		start = doc->pos;
		MpString	name;
		uint8_t    *place;
		int			type;

		if (!mp_doc_string(doc, &name))
			return false;
		type = find_type(name);
		if (type < 0)
		{
			char		shown[32];

			doc->pos = start;
			return mp_doc_fail(doc, MP_ERROR_UNSUPPORTED, "unknown feature type \"%s\"",
							   mp_printable(shown, sizeof(shown), name));
		}
		place = mp_vec_add(&draft->types, 1);
		if (place == NULL)
			return mp_fail_memory(draft->error, 1);
		*place = (uint8_t) type;
	}
	return mp_doc_ok(doc);
}

static const MpDocField learner_fields[] = {
	{"attributes", read_attributes, true},
	{"feature_names", read_feature_names, false},
	{"feature_types", read_feature_types, false},
	{"gradient_booster", read_booster, true},
	{"learner_model_param", read_param, true},
	{"objective", read_objective, true},
};

static bool
read_learner(MpDoc *doc, void *context)
{
	return mp_doc_fields(doc, FIELDS(learner_fields), "learner", context, NULL);
}

static bool
read_version(MpDoc *doc, void *context)
{
	MpDraft    *draft = context;
	int			n = 0;

	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		int64_t		part;

		if (!mp_doc_integer(doc, 0, 1000000, &part))
			return false;
		if (n < 3)
			draft->version[n] = (int32_t) part;
		n++;
	}
	if (!mp_doc_ok(doc))
		return false;
	return n == 3 ||
		mp_doc_fail(doc, MP_ERROR_INVALID, "expected 3 numbers of a version, not %d", n);
}

static const MpDocField document_fields[] = {
	{"learner", read_learner, true},
	{"version", read_version, false},
};

static bool
read_document(MpDoc *doc, void *context)
{
	return mp_doc_fields(doc, FIELDS(document_fields), "model", context, NULL);
}

/* what Booster.serialize gives, and pickles hold: the model beside its training parameters */
static const MpDocField snapshot_fields[] = {
	{"Config", NULL, false},
	{"Model", read_document, true},
};

/*
 * Looks at the document's first key and reads nothing: whether it is one of a
 * snapshot; false with an error if it is none of a model.
 */
static bool
look_ahead(const MpDoc *doc, bool *snapshot)
{
	MpDoc		ahead = *doc;
	MpString	key;
	char		shown[40];
	bool		fine = true;

	memset(&ahead.key_text, 0, sizeof(ahead.key_text));
	ahead.key_text.alloc = doc->alloc;
	*snapshot = false;
	if (mp_doc_enter_object(&ahead) && mp_doc_next_key(&ahead, &key))
	{
		*snapshot = mp_string_is(key, "Config") || mp_string_is(key, "Model");
		if (!*snapshot && !mp_string_is(key, "learner") && !mp_string_is(key, "version"))
		{
			fine = mp_fail(doc->error, MP_ERROR_NOT_A_MODEL,
						   "this is no XGBoost model: it is a document that begins with \"%s\"",
						   mp_printable(shown, sizeof(shown), key));
			doc->error->offset = 0;
		}
	}
	mp_vec_release(&ahead.key_text);
	return fine && mp_doc_ok(doc);
}

bool
mp_load_document(MpDoc *doc, MpDraft *draft)
{
	bool		snapshot;
	bool		fine;

	if (!look_ahead(doc, &snapshot))
		return false;
	fine = snapshot ?
		mp_doc_fields(doc, FIELDS(snapshot_fields), "snapshot", draft, NULL) :
		read_document(doc, draft);
	return fine && mp_doc_end(doc);
}
