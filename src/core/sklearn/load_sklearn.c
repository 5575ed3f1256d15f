/*
 * load_sklearn.c: reads the document of scikit-learn's trees.
 *
 * Fields come in any order; the trees, which need the others, are passed over
 * first and read at the end.
 */
#include "core/sklearn/load_sklearn.h"
#include "core/forest/link.h"
#include "core/sklearn/sklearn_tree.h"
#include "core/text/number.h"

#include <string.h>

#define FORMAT 1

typedef struct File
{
	MpDraft    *draft;
	int64_t		format;
	int64_t		n_features;
	int64_t		n_outputs;
	int64_t		divisor;
	bool		single;			/* features are rounded to float32 */
	bool		has_missing;
	bool		vector_leaves;
	MpLink		link;
	MpTask		task;
	double		factor;
	MpVec		initial;		/* double */
	MpVec		known;			/* MpSklearnCodes per feature */
	MpVec		codes;			/* int32_t */
	size_t		categories_pos; /* 0: not there */
	size_t		trees_pos;
} File;

/* One of the words, by its number. */
static bool
read_word(MpDoc *doc, const char *const *words, int *number)
{
	MpString	text;
	char		shown[40];

	if (!mp_doc_string(doc, &text))
		return false;
	for (*number = 0; words[*number] != NULL; (*number)++)
	{
		if (mp_string_is(text, words[*number]))
			return true;
	}
	return mp_doc_fail(doc, MP_ERROR_UNSUPPORTED, "unknown word \"%s\"",
					   mp_printable(shown, sizeof(shown), text));
}

static bool
read_library(MpDoc *doc, void *context)
{
	static const char *const words[] = {"scikit-learn", NULL};
	int			number;

	return read_word(doc, words, &number);
}

static bool
read_version(MpDoc *doc, void *context)
{
	File	   *file = context;
	MpString	text;
	const char *s;
	const char *end;

	if (!mp_doc_string(doc, &text))
		return false;
	s = text.data;
	end = text.data + text.length;
	for (int i = 0; i < 3 && s < end; i++)
	{
		int64_t		part;
		const char *rest;

		if (mp_number_integer(s, end, &part, &rest) == MP_NUMBER_MALFORMED || part < 0 ||
			part > 1000000)
			break;
		file->draft->head.version[i] = (int32_t) part;
		s = rest + 1;
	}
	return true;
}

static bool
read_estimator(MpDoc *doc, void *context)
{
	File	   *file = context;
	MpString	text;

	if (!mp_doc_string(doc, &text))
		return false;
	if (text.length == 0 || text.length > 200 || !mp_utf8_valid(text))
		return mp_doc_fail(doc, MP_ERROR_INVALID, "the name of the estimator is none");
	return mp_draft_objective(file->draft, text);
}

static bool
read_names(MpDoc *doc, void *context)
{
	File	   *file = context;
	MpString	name;

	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		if (!mp_doc_string(doc, &name) || !mp_draft_name(file->draft, name))
			return false;
	}
	return mp_doc_ok(doc);
}

static bool
read_features(MpDoc *doc, void *context)
{
	static const char *const words[] = {"float64", "float32", NULL};
	int			number;

	if (!read_word(doc, words, &number))
		return false;
	((File *) context)->single = number == 1;
	return true;
}

static bool
read_missing(MpDoc *doc, void *context)
{
	static const char *const words[] = {"error", "default", NULL};
	int			number;

	if (!read_word(doc, words, &number))
		return false;
	((File *) context)->has_missing = number == 1;
	return true;
}

static bool
read_vector_leaves(MpDoc *doc, void *context)
{
	return mp_doc_boolean(doc, &((File *) context)->vector_leaves);
}

static bool
read_initial(MpDoc *doc, void *context)
{
	return mp_sklearn_doubles(doc, false, &((File *) context)->initial);
}

static bool
read_link(MpDoc *doc, void *context)
{
	static const char *const words[] = {"identity", "logistic", "softmax", "exp", NULL};
	static const MpLink links[] = {
		MP_LINK_IDENTITY, MP_LINK_LOGISTIC, MP_LINK_SOFTMAX, MP_LINK_EXP
	};
	int			number;

	if (!read_word(doc, words, &number))
		return false;
	((File *) context)->link = links[number];
	return true;
}

static bool
read_factor(MpDoc *doc, void *context)
{
	File	   *file = context;
	const char *rest;
	size_t		start;

	if (mp_doc_kind(doc) != MP_DOC_NUMBER)
		return mp_doc_fail_kind(doc, "a number");
	start = doc->pos;
	return mp_doc_skip(doc) &&
		(mp_number_double(doc->data + start, doc->data + doc->pos, &file->factor,
						  &rest) == MP_NUMBER_OK ||
		 mp_doc_fail(doc, MP_ERROR_INVALID, "a number is out of range"));
}

static bool
read_task(MpDoc *doc, void *context)
{
	File	   *file = context;
	MpString	text;

	if (!mp_doc_string(doc, &text))
		return false;
	if (mp_task_find(text, &file->task) && file->task != MP_TASK_CLASS &&
		file->task != MP_TASK_HINGE && file->task != MP_TASK_TWO_CLASSES_RAW)
		return true;
	return mp_doc_fail(doc, MP_ERROR_UNSUPPORTED, "unknown task");
}

static bool
note_categories(MpDoc *doc, void *context)
{
	((File *) context)->categories_pos = doc->pos;
	return mp_doc_skip(doc);
}

static bool
note_trees(MpDoc *doc, void *context)
{
	((File *) context)->trees_pos = doc->pos;
	return mp_doc_skip(doc);
}

static const MpDocField fields[] = {
	MP_DOC_CALLED("categories", MP_OPTIONAL, note_categories),
	MP_DOC_INTEGER_IN("divisor", MP_REQUIRED, 1, INT32_MAX, File, divisor),
	MP_DOC_CALLED("estimator", MP_REQUIRED, read_estimator),
	MP_DOC_CALLED("feature_names", MP_OPTIONAL, read_names),
	MP_DOC_CALLED("features", MP_REQUIRED, read_features),
	MP_DOC_INTEGER_IN("format", MP_REQUIRED, FORMAT, FORMAT, File, format),
	MP_DOC_CALLED("initial", MP_REQUIRED, read_initial),
	MP_DOC_CALLED("library", MP_REQUIRED, read_library),
	MP_DOC_CALLED("link", MP_REQUIRED, read_link),
	MP_DOC_CALLED("link_factor", MP_OPTIONAL, read_factor),
	MP_DOC_CALLED("missing", MP_REQUIRED, read_missing),
	MP_DOC_INTEGER_IN("n_features", MP_REQUIRED, 1, MP_MAX_FEATURES, File, n_features),
	MP_DOC_INTEGER_IN("n_outputs", MP_REQUIRED, 1, MP_MAX_OUTPUTS, File, n_outputs),
	MP_DOC_CALLED("task", MP_REQUIRED, read_task),
	MP_DOC_CALLED("trees", MP_REQUIRED, note_trees),
	MP_DOC_CALLED("vector_leaves", MP_REQUIRED, read_vector_leaves),
	MP_DOC_CALLED("version", MP_REQUIRED, read_version),
};

/* {"3": [0, 1, 2]}: the known codes, by the number of the feature. */
static bool
read_categories(MpDoc *doc, File *file)
{
	size_t		size = (size_t) file->n_features * sizeof(MpSklearnCodes);
	MpSklearnCodes *known;
	MpString	key;

	if (file->categories_pos == 0)
		return true;
	known = mp_vec_add(&file->known, size);
	if (known == NULL)
		return mp_fail_memory(file->draft->error, size);
	memset(known, 0, size);
	doc->pos = file->categories_pos;
	doc->field = "categories";
	if (!mp_doc_enter_object(doc))
		return false;
	while (mp_doc_next_key(doc, &key))
	{
		const char *rest;
		int64_t		feature;
		uint32_t	first = (uint32_t) mp_vec_count(&file->codes, int32_t);

		if (mp_number_integer(key.data, key.data + key.length, &feature, &rest) != MP_NUMBER_OK ||
			rest != key.data + key.length || feature < 0 || feature >= file->n_features)
			return mp_doc_fail(doc, MP_ERROR_INVALID, "categories of what is no feature");
		if (known[feature].count > 0)
			return mp_doc_fail(doc, MP_ERROR_INVALID, "categories of feature %lld come twice",
							   (long long) feature);
		if (!mp_sklearn_codes(doc, &file->codes))
			return false;
		known[feature].first = first;
		known[feature].count = (uint32_t) mp_vec_count(&file->codes, int32_t) - first;
	}
	return mp_doc_ok(doc);
}

static bool
read_trees(MpDoc *doc, File *file)
{
	MpSklearnRules rules = {
		file->n_outputs, file->vector_leaves, file->has_missing, &file->known, &file->codes,
		false, false
	};
	MpSklearnTree tree;
	bool		fine = true;

	doc->pos = file->trees_pos;
	doc->field = "trees";
	if (!mp_doc_enter_array(doc))
		return false;
	mp_sklearn_tree_init(&tree, file->draft->alloc);
	while (fine && mp_doc_next(doc))
	{
		mp_alloc_poll(file->draft->alloc);
		fine = mp_sklearn_tree_read(&tree, doc, file->draft, &rules);
	}
	mp_sklearn_tree_release(&tree);
	if (rules.has_infinite)
		file->draft->head.input |= MP_INPUT_CLAMP;
	return fine && mp_doc_ok(doc);
}

static bool
settle_types(File *file)
{
	MpDraft    *draft = file->draft;
	uint8_t    *types;

	if (file->known.size == 0)
		return true;
	types = mp_vec_add(&draft->types, (size_t) file->n_features);
	if (types == NULL)
		return mp_fail_memory(draft->error, (size_t) file->n_features);
	for (int64_t i = 0; i < file->n_features; i++)
		types[i] = mp_vec_at(&file->known, MpSklearnCodes, i)->count > 0 ?
			MP_FEATURE_CATEGORICAL : MP_FEATURE_FLOAT;
	draft->head.input |= MP_INPUT_TRUNCATE;
	return true;
}

/* What the fields mean together. */
static bool
settle_head(File *file)
{
	MpForest   *head = &file->draft->head;
	bool		several = file->task == MP_TASK_VALUES || file->task == MP_TASK_CLASSES;

	if (file->n_outputs > 1 ? !several : file->task == MP_TASK_VALUES)
		return mp_fail(file->draft->error, MP_ERROR_INVALID, "%lld outputs of a task \"%s\"",
					   (long long) file->n_outputs, mp_task_word(file->task));
	if (mp_vec_count(&file->initial, double) != (uint64_t) file->n_outputs)
		return mp_fail(file->draft->error, MP_ERROR_INVALID,
					   "expected %lld elements in \"initial\", not %zu",
					   (long long) file->n_outputs, mp_vec_count(&file->initial, double));
	file->draft->n_features = file->n_features;
	head->library = MP_LIBRARY_SKLEARN;
	head->source = MP_FORMAT_JSON;
	head->booster = MP_BOOSTER_GBTREE;
	head->precision = MP_PRECISION_DOUBLE;
	head->input = (file->single ? MP_INPUT_ROUND : 0) |
		(file->has_missing ? 0 : MP_INPUT_NO_MISSING);
	head->link = file->link;
	head->link_factor = file->factor;
	head->task = file->task;
	head->divisor = (int32_t) file->divisor;
	head->n_outputs = (int32_t) file->n_outputs;
	head->vector_leaf = file->vector_leaves;
	return true;
}

/* A round is a tree, or a tree for each output. */
static bool
settle_rounds(File *file)
{
	MpForest   *head = &file->draft->head;
	int32_t		n_trees = (int32_t) mp_vec_count(&file->draft->trees, MpTree);
	int32_t		per_round = file->vector_leaves ? 1 : head->n_outputs;
	bool		best;

	if (n_trees % per_round != 0)
		return mp_fail(file->draft->error, MP_ERROR_INVALID, "%d trees are no whole rounds of %d",
					   n_trees, per_round);
	head->n_trees_used = n_trees;
	head->n_rounds = head->n_rounds_used = n_trees / per_round;
	return mp_draft_choose_rounds(file->draft, head->n_rounds, &best);
}

static bool
move_initial(File *file)
{
	void	   *base = mp_vec_add(&file->draft->base, file->initial.size);

	if (base == NULL)
		return mp_fail_memory(file->draft->error, file->initial.size);
	memcpy(base, file->initial.data, file->initial.size);
	return true;
}

static bool
read_file(MpDoc *doc, File *file)
{
	return mp_doc_fields(doc, fields, sizeof(fields) / sizeof(*fields), "model", file, NULL) &&
		mp_doc_end(doc) && settle_head(file) && read_categories(doc, file) &&
		settle_types(file) && read_trees(doc, file) && settle_rounds(file) && move_initial(file);
}

bool
mp_load_sklearn(MpDraft *draft, const void *data, size_t size)
{
	File		file = {.draft = draft, .factor = 1};
	MpDoc		doc;
	bool		fine;

	file.initial.alloc = file.known.alloc = file.codes.alloc = draft->alloc;
	mp_doc_open(&doc, &mp_doc_json, draft->alloc, data, size, draft->error);
	fine = read_file(&doc, &file);
	mp_doc_close(&doc);
	mp_vec_release(&file.initial);
	mp_vec_release(&file.known);
	mp_vec_release(&file.codes);
	return fine;
}
