/*
 * draft_features.c: names, types and categories of the features: what the file
 * says and what the caller adds, held against each other.
 */
#include "core/draft/draft_features.h"
#include "core/text/number.h"

#include <stdio.h>
#include <string.h>

/* --- finding equal items: a merge sort of indices, which no input makes slow --- */

typedef struct Sorter Sorter;
struct Sorter
{
	const MpDraft *draft;
	int			(*compare) (const Sorter *sorter, uint32_t a, uint32_t b);
	const void *items;
	size_t		work;			/* steps, to poll now and then */
};

static MpString
span_text(const MpDraft *draft, MpSpan span)
{
	MpString	text = {(const char *) draft->strings.data + span.offset, span.length};

	return text;
}

static MpString
label_text(const MpDraft *draft, const MpCategory *category)
{
	MpSpan		span = {category->label, category->label_length};

	return span_text(draft, span);
}

static int
compare_texts(MpString a, MpString b)
{
	size_t		shorter = a.length < b.length ? a.length : b.length;
	int			order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;

	if (order == 0)
		order = (a.length > b.length) - (a.length < b.length);
	return order;
}

static int
compare_names(const Sorter *sorter, uint32_t a, uint32_t b)
{
	const MpSpan *names = sorter->items;

	return compare_texts(span_text(sorter->draft, names[a]), span_text(sorter->draft, names[b]));
}

static int
compare_labels(const Sorter *sorter, uint32_t a, uint32_t b)
{
	const MpCategory *categories = sorter->items;

	return compare_texts(label_text(sorter->draft, &categories[a]),
						 label_text(sorter->draft, &categories[b]));
}

static int
compare_numbers(const Sorter *sorter, uint32_t a, uint32_t b)
{
	const MpCategory *categories = sorter->items;

	return (categories[a].number > categories[b].number) -
		(categories[a].number < categories[b].number);
}

static void
merge(Sorter *sorter, const uint32_t *from, uint32_t *to, size_t low, size_t middle, size_t high)
{
	size_t		a = low;
	size_t		b = middle;

	for (size_t i = low; i < high; i++)
	{
		if (++sorter->work % 16384 == 0)
			mp_alloc_poll(sorter->draft->alloc);
		if (b >= high || (a < middle && sorter->compare(sorter, from[a], from[b]) <= 0))
			to[i] = from[a++];
		else
			to[i] = from[b++];
	}
}

/* Sorts indices[n] with scratch[n]; returns which of the two has the result. */
static uint32_t *
sort_indices(Sorter *sorter, uint32_t *indices, uint32_t *scratch, size_t n)
{
	for (size_t i = 0; i < n; i++)
		indices[i] = (uint32_t) i;
	for (size_t width = 1; width < n; width *= 2)
	{
		uint32_t   *swap = indices;

		for (size_t low = 0; low < n; low += 2 * width)
		{
			size_t		middle = low + width < n ? low + width : n;
			size_t		high = middle + width < n ? middle + width : n;

			merge(sorter, indices, scratch, low, middle, high);
		}
		indices = scratch;
		scratch = swap;
	}
	return indices;
}

/* *found: an item that comes twice among the n, or -1. False: no memory. */
static bool
find_twice(Sorter *sorter, size_t n, int64_t *found)
{
	MpAlloc    *alloc = sorter->draft->alloc;
	uint32_t   *indices;
	uint32_t   *sorted;
	size_t		i = 1;

	*found = -1;
	while (i < n && sorter->compare(sorter, (uint32_t) (i - 1), (uint32_t) i) < 0)
		i++;
	if (i >= n)
		return true;			/* in order as they are */

	indices = mp_alloc_get(alloc, 2 * n * sizeof(uint32_t));
	if (indices == NULL)
		return mp_fail_memory(sorter->draft->error, 2 * n * sizeof(uint32_t));
	sorted = sort_indices(sorter, indices, indices + n, n);
	for (i = 1; i < n && *found < 0; i++)
	{
		if (sorter->compare(sorter, sorted[i - 1], sorted[i]) == 0)
			*found = sorted[i];
	}
	mp_alloc_release(alloc, indices);
	return true;
}

/* --- names --- */

static bool
check_name_count(MpDraft *draft, size_t n, MpErrorCode code)
{
	if (n == (uint64_t) draft->n_features)
		return true;
	return mp_fail(draft->error, code, "expected %lld feature names, one for each feature, not %zu",
				   (long long) draft->n_features, n);
}

/* LightGBM stores the blanks of a name as underscores. */
static bool
is_name(const MpDraft *draft, MpString name, MpString given)
{
	if (draft->head.library != MP_LIBRARY_LIGHTGBM || name.length != given.length)
		return mp_string_equal(name, given);
	for (size_t i = 0; i < name.length; i++)
	{
		if (name.data[i] != given.data[i] && !(name.data[i] == '_' && given.data[i] == ' '))
			return false;
	}
	return true;
}

/* Names that the caller gives must be those of the file, if it has any. */
static bool
compare_given_names(MpDraft *draft)
{
	const MpLoadOptions *options = draft->options;

	for (size_t i = 0; i < options->n_feature_names; i++)
	{
		MpString	name = span_text(draft, *mp_vec_at(&draft->names, MpSpan, i));
		char		shown[2][60];

		if (is_name(draft, name, options->feature_names[i]))
			continue;
		mp_fail(draft->error, MP_ERROR_OPTION,
				"feature %zu is \"%s\" in the model, not \"%s\"", i + 1,
				mp_printable(shown[0], sizeof(shown[0]), name),
				mp_printable(shown[1], sizeof(shown[1]), options->feature_names[i]));
		mp_error_hint(draft->error, "Leave out the feature names: the model holds its own.");
		return false;
	}
	return true;
}

static bool
take_given_names(MpDraft *draft)
{
	const MpLoadOptions *options = draft->options;

	for (size_t i = 0; i < options->n_feature_names; i++)
	{
		MpSpan	   *span;

		if (!mp_utf8_valid(options->feature_names[i]))
			return mp_fail(draft->error, MP_ERROR_OPTION, "feature name %zu is not UTF-8", i + 1);
		span = mp_vec_add(&draft->names, sizeof(MpSpan));
		if (span == NULL)
			return mp_fail_memory(draft->error, sizeof(MpSpan));
		if (!mp_draft_string(draft, options->feature_names[i], span))
			return false;
	}
	return true;
}

static bool
check_names_differ(MpDraft *draft, MpErrorCode code)
{
	Sorter		sorter = {draft, compare_names, draft->names.data, 0};
	int64_t		twice;
	char		shown[100];

	if (!find_twice(&sorter, mp_vec_count(&draft->names, MpSpan), &twice))
		return false;
	if (twice < 0)
		return true;
	return mp_fail(draft->error, code, "feature name \"%s\" comes twice",
				   mp_printable(shown, sizeof(shown),
								span_text(draft, *mp_vec_at(&draft->names, MpSpan, twice))));
}

static bool
settle_names(MpDraft *draft)
{
	size_t		n = mp_vec_count(&draft->names, MpSpan);
	size_t		n_given = draft->options->n_feature_names;
	MpErrorCode code = MP_ERROR_INVALID;

	if (n > 0 && !check_name_count(draft, n, MP_ERROR_INVALID))
		return false;
	if (n_given > 0)
	{
		if (!check_name_count(draft, n_given, MP_ERROR_OPTION))
			return false;
		if (n > 0)
			return compare_given_names(draft);
		if (!take_given_names(draft))
			return false;
		code = MP_ERROR_OPTION;
	}
	return check_names_differ(draft, code);
}

/* --- categories --- */

/* Whether the label reads as a number, all of it. */
static bool
read_label(MpString label, double *number)
{
	const char *s = label.data;
	const char *end = label.data + label.length;
	const char *rest;

	return mp_number_double(s, end, number, &rest) == MP_NUMBER_OK && rest == end;
}

/*
 * Whether all labels of a feature are, or read as, numbers; those are written
 * beside them. Two labels of one number ("1" and "1.0") are text.
 */
static bool
find_numbers(MpDraft *draft, const MpDraftCategories *feature, bool *numeric)
{
	MpCategory *categories = mp_vec_at(&draft->categories, MpCategory, feature->first);
	Sorter		sorter = {draft, compare_numbers, categories, 0};
	int64_t		twice;

	*numeric = false;
	for (uint32_t i = 0; i < feature->count && !feature->numbers; i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		if (!read_label(label_text(draft, &categories[i]), &categories[i].number))
			return true;
	}
	if (!find_twice(&sorter, feature->count, &twice))
		return false;
	*numeric = twice < 0;
	return true;
}

/* The number of the feature of that name, or -1. */
static int64_t
find_feature(const MpDraft *draft, MpString name)
{
	for (size_t i = 0; i < mp_vec_count(&draft->names, MpSpan); i++)
	{
		if (is_name(draft, span_text(draft, *mp_vec_at(&draft->names, MpSpan, i)), name))
			return (int64_t) i;
	}
	return -1;
}

/* Makes room for categories of every feature, where the file holds none at all. */
static bool
prepare_categories(MpDraft *draft)
{
	size_t		size = (size_t) draft->n_features * sizeof(MpDraftCategories);

	if (draft->category_features.size > 0)
		return true;
	if (mp_vec_add(&draft->category_features, size) == NULL)
		return mp_fail_memory(draft->error, size);
	memset(draft->category_features.data, 0, size);
	return true;
}

static bool
add_labels(MpDraft *draft, const MpGivenCategories *given, MpDraftCategories *feature)
{
	feature->first = (uint32_t) mp_vec_count(&draft->categories, MpCategory);
	feature->count = (uint32_t) given->n_labels;
	feature->numbers = given->numbers != NULL;
	for (size_t i = 0; i < given->n_labels; i++)
	{
		MpCategory *category;
		MpSpan		span;

		if (!mp_utf8_valid(given->labels[i]))
			return mp_fail(draft->error, MP_ERROR_OPTION, "label %zu of a category is not UTF-8",
						   i + 1);
		if (!mp_draft_string(draft, given->labels[i], &span))
			return false;
		category = mp_vec_add(&draft->categories, sizeof(MpCategory));
		if (category == NULL)
			return mp_fail_memory(draft->error, sizeof(MpCategory));
		category->label = span.offset;
		category->label_length = span.length;
		category->number = given->numbers != NULL ? given->numbers[i] : 0;
	}
	return true;
}

/* Whether some split of the model takes the feature as a category. */
static bool
is_split_by_category(const MpDraft *draft, int64_t feature)
{
	const MpNode *nodes = draft->nodes.data;

	for (size_t i = 0; draft->head.has_categorical && i < mp_vec_count(&draft->nodes, MpNode); i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		if ((nodes[i].feature & MP_NODE_CATEGORICAL) &&
			(nodes[i].feature & MP_NODE_FEATURE_MASK) == (uint64_t) feature)
			return true;
	}
	return false;
}

/* Labels that the caller gives must be those of the file, if it has any. */
static bool
compare_given_labels(MpDraft *draft, const MpGivenCategories *given,
					 const MpDraftCategories *feature)
{
	const MpCategory *kept = mp_vec_at(&draft->categories, MpCategory, feature->first);
	bool		same = given->n_labels == feature->count;
	char		shown[100];

	for (uint32_t i = 0; same && i < feature->count; i++)
		same = mp_string_equal(given->labels[i], label_text(draft, &kept[i]));
	if (same)
		return true;
	mp_fail(draft->error, MP_ERROR_OPTION, "the model holds other categories for feature \"%s\"",
			mp_printable(shown, sizeof(shown), given->feature));
	mp_error_hint(draft->error, "Leave them out: the model's own count.");
	return false;
}

static bool
take_given_categories(MpDraft *draft, const MpGivenCategories *given)
{
	char		shown[100];
	int64_t		i = find_feature(draft, given->feature);
	MpDraftCategories *feature;

	mp_printable(shown, sizeof(shown), given->feature);
	if (i < 0)
		return mp_fail(draft->error, MP_ERROR_OPTION,
					   "categories for \"%s\", which is no feature of the model", shown);
	feature = mp_vec_at(&draft->category_features, MpDraftCategories, i);
	if (feature->count > 0)
		return compare_given_labels(draft, given, feature);
	if (draft->types.size > 0 &&
		*mp_vec_at(&draft->types, uint8_t, i) != MP_FEATURE_CATEGORICAL &&
		!is_split_by_category(draft, i))
		return mp_fail(draft->error, MP_ERROR_OPTION,
					   "categories for feature \"%s\", which is not categorical", shown);
	if (given->n_labels == 0 || given->n_labels > MP_MAX_CATEGORY)
		return mp_fail(draft->error, MP_ERROR_OPTION,
					   "expected 1 to %d categories for feature \"%s\", not %zu",
					   MP_MAX_CATEGORY, shown, given->n_labels);
	return add_labels(draft, given, feature);
}

static bool
check_labels(MpDraft *draft, int64_t i)
{
	const MpDraftCategories *feature = mp_vec_at(&draft->category_features, MpDraftCategories, i);
	Sorter		sorter = {
		draft, compare_labels, mp_vec_at(&draft->categories, MpCategory, feature->first), 0
	};
	int64_t		twice;
	char		shown[100];

	if (!find_twice(&sorter, feature->count, &twice))
		return false;
	if (twice < 0)
		return true;
	return mp_fail(draft->error, MP_ERROR_INVALID,
				   "category \"%s\" comes twice in feature %lld",
				   mp_printable(shown, sizeof(shown),
								label_text(draft, (const MpCategory *) sorter.items + twice)),
				   (long long) i + 1);
}

static uint32_t
largest_code(const MpDraft *draft, uint32_t set)
{
	const MpCatSet *s = mp_vec_at(&draft->catsets, MpCatSet, set);
	uint32_t	last = s->first + s->length - 1;
	uint32_t	word = *mp_vec_at(&draft->catwords, uint32_t, last);
	uint32_t	code = (s->length - 1) * 32;

	if (s->is_list)
		return word;
	while (word >>= 1)
		code++;
	return code;
}

/*
 * A code that the trees know and none of the labels given stands for: some are
 * lacking, and those that are there may be shifted.
 */
static bool
check_all_codes_have_labels(MpDraft *draft, size_t first_given)
{
	const MpNode *nodes = draft->nodes.data;

	for (size_t i = 0; draft->head.has_categorical && i < mp_vec_count(&draft->nodes, MpNode); i++)
	{
		uint32_t	feature = nodes[i].feature & MP_NODE_FEATURE_MASK;
		const MpDraftCategories *labels;
		uint32_t	code;
		char		shown[100];

		if (i % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		if (!(nodes[i].feature & MP_NODE_CATEGORICAL))
			continue;
		labels = mp_vec_at(&draft->category_features, MpDraftCategories, feature);
		code = largest_code(draft, nodes[i].value_bits);
		if (labels->count == 0 || labels->first < first_given || code < labels->count)
			continue;
		mp_fail(draft->error, MP_ERROR_OPTION,
				"the categories given for feature \"%s\" end before code %u, which the trees use",
				mp_printable(shown, sizeof(shown),
							 span_text(draft, *mp_vec_at(&draft->names, MpSpan, feature))),
				code);
		mp_error_hint(draft->error, "Give the labels of all codes from 0 on, in their order.");
		return false;
	}
	return true;
}

bool
mp_draft_settle_features(MpDraft *draft)
{
	const MpLoadOptions *options = draft->options;
	int64_t		n_kept = (int64_t) mp_vec_count(&draft->category_features, MpDraftCategories);
	size_t		n_labels_kept = mp_vec_count(&draft->categories, MpCategory);

	if (!settle_names(draft))
		return false;
	if (draft->types.size > 0 && (int64_t) draft->types.size != draft->n_features)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "expected %lld feature types, one for each feature, not %zu",
					   (long long) draft->n_features, draft->types.size);
	if (n_kept != 0 && n_kept != draft->n_features)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "expected categories of %lld features, not of %lld",
					   (long long) draft->n_features, (long long) n_kept);
	if (options->n_categories > 0 && !prepare_categories(draft))
		return false;
	for (size_t k = 0; k < options->n_categories; k++)
	{
		if (!take_given_categories(draft, &options->categories[k]))
			return false;
	}
	for (int64_t i = 0; i < (draft->categories.size > 0 ? draft->n_features : 0); i++)
	{
		if (!check_labels(draft, i))
			return false;
	}
	return options->n_categories == 0 || check_all_codes_have_labels(draft, n_labels_kept);
}

/*
 * Notes which splits of each feature take 0 for missing. A feature of linear
 * leaves, which add it up as it is, must not lose its zeros.
 */
static void
mark_zero_missing(MpDraft *draft, MpForest *forest, MpFeature *features)
{
	enum
	{
		SOME = 1, OTHERS = 2
	};
	static const MpZeroMissing meaning[] = {
		MP_ZERO_NEVER, MP_ZERO_ALWAYS, MP_ZERO_NEVER, MP_ZERO_MIXED
	};
	const MpNode *nodes = MP_SECTION(forest, MP_SECTION_NODES, MpNode);
	const MpLinearTerm *terms = draft->terms.data;

	if (!draft->head.has_zero_missing)
		return;
	for (size_t i = 0; i < MP_SECTION_LENGTH(forest, MP_SECTION_NODES, MpNode); i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		if (nodes[i].left != 0)
			features[nodes[i].feature & MP_NODE_FEATURE_MASK].zero_missing |=
				(nodes[i].feature & MP_NODE_ZERO_MISSING) ? SOME : OTHERS;
	}
	for (size_t i = 0; i < mp_vec_count(&draft->terms, MpLinearTerm); i++)
		features[terms[i].feature].zero_missing |= OTHERS;
	for (int64_t i = 0; i < draft->n_features; i++)
	{
		features[i].zero_missing = meaning[features[i].zero_missing];
		if (features[i].zero_missing == MP_ZERO_ALWAYS)
			forest->input |= MP_INPUT_ZERO_MISSING;
	}
}

bool
mp_draft_write_features(MpDraft *draft, MpForest *forest)
{
	const MpNode *nodes = MP_SECTION(forest, MP_SECTION_NODES, MpNode);
	size_t		n_nodes = MP_SECTION_LENGTH(forest, MP_SECTION_NODES, MpNode);
	MpFeature  *features = (MpFeature *) mp_forest_features(forest);

	memset(features, 0, (size_t) draft->n_features * sizeof(MpFeature));
	for (int64_t i = 0; i < draft->n_features; i++)
	{
		MpFeature  *feature = &features[i];

		if (draft->names.size > 0)
		{
			feature->name = mp_vec_at(&draft->names, MpSpan, i)->offset;
			feature->name_length = mp_vec_at(&draft->names, MpSpan, i)->length;
		}
		if (draft->types.size > 0)
			feature->type = *mp_vec_at(&draft->types, uint8_t, i);
		if (draft->categories.size > 0)
		{
			const MpDraftCategories *kept = mp_vec_at(&draft->category_features,
													  MpDraftCategories, i);
			bool		numeric;

			if (kept->count == 0)
				continue;
			if (!find_numbers(draft, kept, &numeric))
				return false;
			feature->type = MP_FEATURE_CATEGORICAL;
			feature->first_category = kept->first;
			feature->n_categories = kept->count;
			feature->numeric_categories = numeric;
		}
	}

	mark_zero_missing(draft, forest, features);

	/* files from before 1.4 hold no types, but their splits tell */
	for (size_t i = 0; draft->head.has_categorical && i < n_nodes; i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		if (nodes[i].feature & MP_NODE_CATEGORICAL)
			features[nodes[i].feature & MP_NODE_FEATURE_MASK].type = MP_FEATURE_CATEGORICAL;
	}
	return true;
}
