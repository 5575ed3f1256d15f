/*
 * lightgbm_categories.c: matches the nameless lists of pandas_categorical.
 */
#include "core/lightgbm/lightgbm_categories.h"
#include "core/lightgbm/lines.h"
#include "core/text/doc.h"
#include "core/text/number.h"

#include <string.h>

static bool
add_label(MpDraft *draft, MpString text, double number)
{
	MpSpan		span = {0, 0};
	MpCategory *category;

	if (!mp_draft_string(draft, text, &span))
		return false;
	category = mp_vec_add(&draft->categories, sizeof(MpCategory));
	if (category == NULL)
		return mp_fail_memory(draft->error, sizeof(MpCategory));
	category->label = span.offset;
	category->label_length = span.length;
	category->number = number;
	return true;
}

/* One label; *number: whether it is one. */
static bool
read_label(MpDoc *doc, MpDraft *draft, bool *number)
{
	size_t		start = doc->pos;
	MpString	text;
	const char *rest;
	double		value = 0;
	bool		truth;

	switch (mp_doc_kind(doc))
	{
		case MP_DOC_STRING:
			*number = false;
			if (!mp_doc_string(doc, &text))
				return false;
			if (!mp_utf8_valid(text))
				return mp_doc_fail(doc, MP_ERROR_INVALID, "label of a category is not UTF-8");
			return add_label(draft, text, 0);
		case MP_DOC_NUMBER:
			start = doc->pos;	/* blanks are passed */
			if (!mp_doc_skip(doc))
				return false;
			text = (MpString) {doc->data + start, doc->pos - start};
			if (mp_number_double(text.data, text.data + text.length, &value, &rest) != MP_NUMBER_OK)
				return mp_doc_fail(doc, MP_ERROR_INVALID, "label of a category is out of range");
			return add_label(draft, text, value);
		case MP_DOC_BOOLEAN:
			*number = false;
			return mp_doc_boolean(doc, &truth) &&
				add_label(draft, truth ? (MpString) {"true", 4} : (MpString) {"false", 5}, 0);
		case MP_DOC_OBJECT:
		case MP_DOC_ARRAY:
		case MP_DOC_NULL:
			return mp_doc_fail(doc, MP_ERROR_INVALID,
							   "expected a text or a number as the label of a category");
		case MP_DOC_NOTHING:
			break;
	}
	return false;
}

/* The lists, each as an entry of `lists`. */
static bool
read_lists(MpDoc *doc, MpDraft *draft, MpVec *lists)
{
	if (mp_doc_kind(doc) == MP_DOC_NULL)
		return mp_doc_skip(doc) && mp_doc_end(doc);
	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		MpDraftCategories list = {(uint32_t) mp_vec_count(&draft->categories, MpCategory), 0, true};
		MpDraftCategories *place;

		if (!mp_doc_enter_array(doc))
			return false;
		while (mp_doc_next(doc))
		{
			if (!read_label(doc, draft, &list.numbers))
				return false;
			if (++list.count > MP_MAX_CATEGORY)
				return mp_doc_fail(doc, MP_ERROR_INVALID, "a feature has more than %d categories",
								   MP_MAX_CATEGORY);
		}
		if (!mp_doc_ok(doc))
			return false;
		place = mp_vec_add(lists, sizeof(list));
		if (place == NULL)
			return mp_fail_memory(draft->error, sizeof(list));
		*place = list;
	}
	return mp_doc_ok(doc) && mp_doc_end(doc);
}

/* Room for categories of every feature, and for types. */
static bool
prepare(MpDraft *draft)
{
	size_t		size = (size_t) draft->n_features * sizeof(MpDraftCategories);

	if (mp_vec_add(&draft->category_features, size) == NULL)
		return mp_fail_memory(draft->error, size);
	memset(draft->category_features.data, 0, size);
	return true;
}

/* A number of the parameter; -1 where it is none, such as a name. */
static int64_t
feature_number(const MpDraft *draft, MpString word)
{
	int64_t		number;
	const char *rest;

	if (mp_number_integer(word.data, word.data + word.length, &number, &rest) != MP_NUMBER_OK ||
		rest != word.data + word.length || number < 0 || number >= draft->n_features)
		return -1;
	return number;
}

/* Gives the lists to the features that the parameter numbers; false: it does not tell. */
static bool
match_by_parameter(MpDraft *draft, const MpVec *lists, MpString features)
{
	size_t		n = mp_vec_count(lists, MpDraftCategories);
	MpDraftCategories *kept = draft->category_features.data;
	MpString	rest = features;
	MpString	word;
	int64_t		before = -1;
	size_t		count = 0;

	while (mp_lines_word(&rest, ',', &word))
	{
		int64_t		feature = feature_number(draft, word);

		if (feature <= before)
			return false;
		before = feature;
		count++;
	}
	if (count != n)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		mp_lines_word(&features, ',', &word);
		kept[feature_number(draft, word)] = *mp_vec_at(lists, MpDraftCategories, i);
	}
	return true;
}

static bool
same_name(MpString given, MpString name)
{
	if (given.length != name.length)
		return false;
	for (size_t i = 0; i < name.length; i++)
	{
		if (given.data[i] != name.data[i] && !(given.data[i] == ' ' && name.data[i] == '_'))
			return false;
	}
	return true;
}

static int64_t
find_feature(const MpDraft *draft, MpString name)
{
	for (int64_t i = 0; i < (int64_t) mp_vec_count(&draft->names, MpSpan); i++)
	{
		MpSpan		span = *mp_vec_at(&draft->names, MpSpan, i);

		if (same_name(name, (MpString) {(const char *) draft->strings.data + span.offset,
										span.length}))
			return i;
	}
	return -1;
}

/*
 * The features that the caller names, which must be as many as there are lists;
 * the lists come in the order of the features.
 */
static bool
match_by_option(MpDraft *draft, const MpVec *lists)
{
	const MpLoadOptions *options = draft->options;
	size_t		n = mp_vec_count(lists, MpDraftCategories);
	MpDraftCategories *kept = draft->category_features.data;
	size_t		list = 0;

	if (options->n_categories != n)
	{
		mp_fail(draft->error, options->n_categories == 0 ? MP_ERROR_AMBIGUOUS : MP_ERROR_OPTION,
				"the model keeps %zu lists of categories without saying for which features", n);
		mp_error_detail(draft->error, "Columns of ordered categories, or of one category, have a "
						"list too, though LightGBM takes them for numbers.");
		mp_error_hint(draft->error, "Give the categories of all %zu features by "
					  "categories => {\"feature\": [...], ...}.", n);
		return false;
	}
	for (size_t k = 0; k < n; k++)
	{
		int64_t		feature = find_feature(draft, options->categories[k].feature);
		char		shown[100];

		if (feature < 0)
			return mp_fail(draft->error, MP_ERROR_OPTION,
						   "categories for \"%s\", which is no feature of the model",
						   mp_printable(shown, sizeof(shown), options->categories[k].feature));
		kept[feature].numbers = true;	/* a mark, until the list is known */
	}
	for (int64_t i = 0; i < draft->n_features && list < n; i++)
	{
		if (kept[i].numbers)
			kept[i] = *mp_vec_at(lists, MpDraftCategories, list++);
	}
	return true;
}

bool
mp_lightgbm_categories(MpDraft *draft, MpString json, size_t offset, MpString features)
{
	MpVec		lists = {draft->alloc};
	MpDoc		doc;
	bool		fine;

	mp_doc_open(&doc, &mp_doc_json, draft->alloc, json.data, json.length, draft->error);
	fine = read_lists(&doc, draft, &lists);
	mp_doc_close(&doc);
	if (!fine)
	{
		draft->error->offset += (int64_t) offset;
		mp_vec_release(&lists);
		return false;
	}
	if (mp_vec_count(&lists, MpDraftCategories) > 0)
		fine = prepare(draft) && (match_by_parameter(draft, &lists, features) ||
								  match_by_option(draft, &lists));
	mp_vec_release(&lists);
	return fine;
}
