/*
 * load_document.c: reads a model document, JSON or UBJSON, of XGBoost 1.0 to
 * 3.4: what may be in it, object by object, as tables of fields.
 *
 * Fields come in any order, and most refer to others, so here each is only
 * read and checked in itself. What is known to say nothing about scores is
 * skipped; a field that is not known is refused.
 */
#include "core/xgboost/load_document.h"
#include "core/xgboost/load_categories.h"
#include "core/xgboost/load_tree.h"

#include <string.h>

#define FIELDS(table) table, (int) (sizeof(table) / sizeof(*(table)))

/* --- learner.gradient_booster --- */

static const MpDocField gbtree_param_fields[] = {
	MP_DOC_PARAMETER_IN("num_parallel_tree", MP_OPTIONAL, 1, INT32_MAX, MpXgboostFile,
						num_parallel_tree),
	MP_DOC_PARAMETER_IN("num_trees", MP_REQUIRED, 0, INT32_MAX, MpXgboostFile, num_trees),
	MP_DOC_IGNORED("size_leaf_vector"), /* the trees say it */
};

static bool
read_gbtree_param(MpDoc *doc, void *context)
{
	return mp_doc_fields(doc, FIELDS(gbtree_param_fields), "gbtree_model_param", context, NULL);
}

static bool
read_trees(MpDoc *doc, void *context)
{
	MpXgboostFile *file = context;
	MpTreeParts parts;
	bool		fine = true;

	if (!mp_doc_enter_array(doc))
		return false;
	mp_xgboost_tree_parts_init(&parts, file->draft->alloc);
	while (fine && mp_doc_next(doc))
	{
		fine = mp_load_tree(doc, file, &parts);
		mp_alloc_poll(file->draft->alloc);
	}
	mp_xgboost_tree_parts_release(&parts);
	return mp_doc_ok(doc);
}

static bool
read_cats(MpDoc *doc, void *context)
{
	return mp_load_categories(doc, ((MpXgboostFile *) context)->draft);
}

static bool
read_weight_drop(MpDoc *doc, void *context)
{
	MpXgboostFile *file = context;

	if (file->has_drop_weights)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "field \"weight_drop\" comes twice");
	file->has_drop_weights = true;
	return mp_doc_bulk(doc, MP_DOC_FLOATS, &file->drop_weights);
}

static bool
read_weights(MpDoc *doc, void *context)
{
	MpXgboostFile *file = context;

	file->has_weights = true;
	return mp_doc_bulk(doc, MP_DOC_FLOATS, &file->draft->weights);
}

/* of trees and of linear models: which it is is said later */
static const MpDocField model_fields[] = {
	MP_DOC_INTEGER_IN("boosted_rounds", MP_OPTIONAL, INT32_MIN, INT32_MAX, MpXgboostFile,
					  boosted_rounds),
	MP_DOC_CALLED("cats", MP_OPTIONAL, read_cats),
	MP_DOC_CALLED("gbtree_model_param", MP_OPTIONAL, read_gbtree_param),
	MP_DOC_ARRAY_OF("iteration_indptr", MP_OPTIONAL, MP_DOC_INT32S, MpXgboostFile, round_starts),
	MP_DOC_ARRAY_OF("tree_info", MP_OPTIONAL, MP_DOC_INT32S, MpXgboostFile, tree_outputs),
	MP_DOC_CALLED("trees", MP_OPTIONAL, read_trees),
	MP_DOC_CALLED("weight_drop", MP_OPTIONAL, read_weight_drop),
	MP_DOC_CALLED("weights", MP_OPTIONAL, read_weights),
};

static bool
read_model(MpDoc *doc, void *context)
{
	MpXgboostFile *file = context;

	if (file->num_trees >= 0 || file->has_weights || file->draft->trees.size > 0)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "a second \"model\" in the booster");
	return mp_doc_fields(doc, FIELDS(model_fields), "model", context, NULL);
}

static bool
read_booster_name(MpDoc *doc, void *context)
{
	MpString	name;

	return mp_doc_string(doc, &name) && mp_xgboost_booster(context, name);
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
	MP_DOC_CALLED("model", MP_REQUIRED, read_model),
	MP_DOC_CALLED("name", MP_REQUIRED, check_inner_name),
};

static bool
read_inner(MpDoc *doc, void *context)
{
	return mp_doc_fields(doc, FIELDS(inner_fields), "gbtree", context, NULL);
}

static const MpDocField booster_fields[] = {
	MP_DOC_CALLED("gbtree", MP_OPTIONAL, read_inner),
	MP_DOC_CALLED("model", MP_OPTIONAL, read_model),
	MP_DOC_CALLED("name", MP_REQUIRED, read_booster_name),
	MP_DOC_CALLED("weight_drop", MP_OPTIONAL, read_weight_drop),
};

static bool
read_booster(MpDoc *doc, void *context)
{
	MpXgboostFile *file = context;
	uint64_t	seen;

	if (!mp_doc_fields(doc, FIELDS(booster_fields), "gradient_booster", context, &seen))
		return false;

	/* the trees must be where XGBoost looks for them: fields 0 and 1 of the table */
	if ((seen & 3) == 3)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "two models in the booster");
	if ((seen & 1) != 0 && file->booster != MP_BOOSTER_DART)
		return mp_doc_fail(doc, MP_ERROR_INVALID,
						   "a booster inside a booster that is not \"dart\"");
	if ((seen & 1) == 0 && file->booster == MP_BOOSTER_DART)
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
	MpXgboostFile *file = context;
	size_t		start = doc->pos;

	if (!mp_doc_string(doc, &text))
		return false;
	if (mp_xgboost_base_scores(file, text))
		return true;
	file->draft->error->offset = (int64_t) start;
	return false;
}

static const MpDocField param_fields[] = {
	MP_DOC_CALLED("base_score", MP_REQUIRED, read_base_score),
	MP_DOC_PARAMETER_IN("boost_from_average", MP_OPTIONAL, INT32_MIN, INT32_MAX, MpXgboostFile,
						boost_from_average),
	MP_DOC_PARAMETER_IN("num_class", MP_REQUIRED, 0, MP_MAX_OUTPUTS, MpXgboostFile, num_class),
	MP_DOC_PARAMETER_IN("num_feature", MP_REQUIRED, 1, MP_MAX_FEATURES, MpXgboostFile, n_features),
	MP_DOC_PARAMETER_IN("num_target", MP_OPTIONAL, 1, MP_MAX_OUTPUTS, MpXgboostFile, num_target),
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
	MpXgboostFile *file = context;
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
		if (file->objective != NULL)
			return mp_doc_fail(doc, MP_ERROR_INVALID, "the objective has two names");
		if (!mp_doc_string(doc, &name))
			return false;
		if (!mp_xgboost_objective(file, name))
		{
			file->draft->error->offset = (int64_t) start;
			return false;
		}
	}
	if (!mp_doc_ok(doc))
		return false;
	return file->objective != NULL ||
		mp_doc_fail(doc, MP_ERROR_INVALID, "field \"name\" is missing in \"objective\"");
}

static bool
read_attributes(MpDoc *doc, void *context)
{
	MpXgboostFile *file = context;
	MpString	key;

	if (!mp_doc_enter_object(doc))
		return false;
	while (mp_doc_next_key(doc, &key))
	{
		size_t		start = doc->pos;
		MpString	value;

		if (!mp_doc_string(doc, &value))
			return false;
		if (!mp_xgboost_attribute(file, key, value))
		{
			file->draft->error->offset = (int64_t) start;
			return false;
		}
	}
	return mp_doc_ok(doc);
}

static bool
read_feature_names(MpDoc *doc, void *context)
{
	MpXgboostFile *file = context;

	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		size_t		start = doc->pos;
		MpString	name;

		if (!mp_doc_string(doc, &name))
			return false;
		if (!mp_draft_name(file->draft, name))
		{
			doc->error->offset = (int64_t) start;
			return false;
		}
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
	MpXgboostFile *file = context;

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
		place = mp_vec_add(&file->draft->types, 1);
		if (place == NULL)
			return mp_fail_memory(file->draft->error, 1);
		*place = (uint8_t) type;
	}
	return mp_doc_ok(doc);
}

static const MpDocField learner_fields[] = {
	MP_DOC_CALLED("attributes", MP_REQUIRED, read_attributes),
	MP_DOC_CALLED("feature_names", MP_OPTIONAL, read_feature_names),
	MP_DOC_CALLED("feature_types", MP_OPTIONAL, read_feature_types),
	MP_DOC_CALLED("gradient_booster", MP_REQUIRED, read_booster),
	MP_DOC_CALLED("learner_model_param", MP_REQUIRED, read_param),
	MP_DOC_CALLED("objective", MP_REQUIRED, read_objective),
};

static bool
read_learner(MpDoc *doc, void *context)
{
	return mp_doc_fields(doc, FIELDS(learner_fields), "learner", context, NULL);
}

static bool
read_version(MpDoc *doc, void *context)
{
	MpXgboostFile *file = context;
	int			n = 0;

	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		int64_t		part;

		if (!mp_doc_integer(doc, 0, 1000000, &part))
			return false;
		if (n < 3)
			file->draft->head.version[n] = (int32_t) part;
		n++;
	}
	if (!mp_doc_ok(doc))
		return false;
	return n == 3 ||
		mp_doc_fail(doc, MP_ERROR_INVALID, "expected 3 numbers of a version, not %d", n);
}

static const MpDocField document_fields[] = {
	MP_DOC_CALLED("learner", MP_REQUIRED, read_learner),
	MP_DOC_CALLED("version", MP_OPTIONAL, read_version),
};

static bool
read_document(MpDoc *doc, void *context)
{
	return mp_doc_fields(doc, FIELDS(document_fields), "model", context, NULL);
}

/* what Booster.serialize gives, and pickles hold: the model beside its training parameters */
static const MpDocField snapshot_fields[] = {
	MP_DOC_IGNORED("Config"),
	MP_DOC_CALLED("Model", MP_REQUIRED, read_document),
};

/* What other documents are, by their first key. */
static void
name_document(MpError *error, MpString key)
{
	static const struct
	{
		const char *key;
		const char *hint;
	}			others[] = {
		{"name", "If it is LightGBM's JSON dump: it does not hold all of a model. Save it as text: "
		 "booster.save_model('model.txt')."},
		{"tree_info", "If it is LightGBM's JSON dump: it does not hold all of a model. Save it as "
		 "text: booster.save_model('model.txt')."},
		{"class", "If it is metadata of a Spark model: register the file in its folder data/ or "
		 "model/, which holds the booster."},
		{"features_info", "If it is a CatBoost model: those are not read."},
		{"model_info", "If it is a CatBoost model: those are not read."},
		{"oblivious_trees", "If it is a CatBoost model: those are not read."},
		{"ctr_data", "If it is a CatBoost model: those are not read."},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
	{
		if (mp_string_is(key, others[i].key))
			mp_error_hint(error, "%s", others[i].hint);
	}
}

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
						   "this is no model: it is a document that begins with \"%s\"",
						   mp_printable(shown, sizeof(shown), key));
			doc->error->offset = 0;
			name_document(doc->error, key);
		}
	}
	mp_vec_release(&ahead.key_text);
	return fine && mp_doc_ok(doc);
}

bool
mp_load_document(MpDoc *doc, MpXgboostFile *file)
{
	bool		snapshot;
	bool		fine;

	if (!look_ahead(doc, &snapshot))
		return false;
	fine = snapshot ?
		mp_doc_fields(doc, FIELDS(snapshot_fields), "snapshot", file, NULL) :
		read_document(doc, file);
	return fine && mp_doc_end(doc);
}
