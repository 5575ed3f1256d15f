/*
 * load_categories.c: reads the categories that a document keeps since XGBoost
 * 3.1: "cats", with one entry per feature, empty where it is not categorical.
 *
 * Text comes as one run of bytes and the offsets that cut it, whole numbers
 * as a type and values. They may come in any order, so the places are noted
 * first and read afterwards.
 */
#include "core/xgboost/load_categories.h"

#include <stdio.h>
#include <string.h>

/* what XGBoost calls the types of whole numbers: int8 to uint64; 7 and 8 are floats */
#define FIRST_TYPE 9
#define LAST_TYPE 16

typedef struct Entry
{
	size_t		values_pos;		/* 0: not there */
	size_t		offsets_pos;
	int64_t		type;
} Entry;

typedef struct Cats
{
	MpDraft    *draft;
	MpVec		numbers;		/* int64_t or int32_t, scratch */
	MpVec		segments;		/* int32_t */
	size_t		segments_pos;
} Cats;

static bool
note_values(MpDoc *doc, void *context)
{
	((Entry *) context)->values_pos = doc->pos;
	return mp_doc_skip(doc);
}

static bool
note_offsets(MpDoc *doc, void *context)
{
	((Entry *) context)->offsets_pos = doc->pos;
	return mp_doc_skip(doc);
}

static const MpDocField entry_fields[] = {
	MP_DOC_CALLED("offsets", MP_OPTIONAL, note_offsets),
	MP_DOC_INTEGER_IN("type", MP_OPTIONAL, FIRST_TYPE, LAST_TYPE, Entry, type),
	MP_DOC_CALLED("values", MP_REQUIRED, note_values),
};

static bool
add_category(MpDraft *draft, MpSpan label, double number)
{
	MpCategory *category = mp_vec_add(&draft->categories, sizeof(MpCategory));

	if (category == NULL)
		return mp_fail_memory(draft->error, sizeof(MpCategory));
	category->label = label.offset;
	category->label_length = label.length;
	category->number = number;
	return true;
}

/* The labels that the offsets (in cats->numbers) cut from the text at `start` of the strings. */
static bool
cut_labels(MpDoc *doc, Cats *cats, size_t start)
{
	MpDraft    *draft = cats->draft;
	const int32_t *offsets = cats->numbers.data;
	size_t		n = mp_vec_count(&cats->numbers, int32_t);
	size_t		length = draft->strings.size - start;

	if (n == 0)
		return length == 0 ||
			mp_doc_fail(doc, MP_ERROR_INVALID, "labels of categories without offsets");
	if (offsets[0] != 0 || offsets[n - 1] < 0 || (size_t) offsets[n - 1] != length)
		return mp_doc_fail(doc, MP_ERROR_INVALID,
						   "offsets of categories from %d to %d in %zu bytes of labels",
						   offsets[0], offsets[n - 1], length);
	for (size_t k = 0; k + 1 < n; k++)
	{
		MpSpan		label = {
			(uint32_t) (start + offsets[k]), (uint32_t) (offsets[k + 1] - offsets[k])
		};
		MpString	text = {(const char *) draft->strings.data + label.offset, label.length};

		if (k % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		if (offsets[k + 1] < offsets[k] || (size_t) offsets[k + 1] > length)
			return mp_doc_fail(doc, MP_ERROR_INVALID, "offset %d of a category follows offset %d",
							   offsets[k + 1], offsets[k]);
		if (!mp_utf8_valid(text))
			return mp_doc_fail(doc, MP_ERROR_INVALID, "label of category %zu is not UTF-8", k);
		if (!add_category(draft, label, 0))
			return false;
	}
	return true;
}

static bool
read_labels(MpDoc *doc, Cats *cats, const Entry *entry)
{
	size_t		start = cats->draft->strings.size;

	doc->field = "offsets";
	doc->pos = entry->offsets_pos;
	if (!mp_doc_bulk(doc, MP_DOC_INT32S, &cats->numbers))
		return false;
	doc->field = "values";
	doc->pos = entry->values_pos;
	return mp_doc_bulk(doc, MP_DOC_BYTES, &cats->draft->strings) && cut_labels(doc, cats, start);
}

static bool
read_numbers(MpDoc *doc, Cats *cats, const Entry *entry)
{
	doc->pos = entry->values_pos;
	if (!mp_doc_bulk(doc, MP_DOC_INT64S, &cats->numbers))
		return false;
	for (size_t k = 0; k < mp_vec_count(&cats->numbers, int64_t); k++)
	{
		int64_t		number = *mp_vec_at(&cats->numbers, int64_t, k);
		char		text[32];
		MpString	label = {text, 0};
		MpSpan		span;

		if (k % 16384 == 16383)
			mp_alloc_poll(cats->draft->alloc);
		label.length = (size_t) snprintf(text, sizeof(text), "%lld", (long long) number);
		if (!mp_draft_string(cats->draft, label, &span) ||
			!add_category(cats->draft, span, (double) number))
			return false;
	}
	return true;
}

static bool
read_entry(MpDoc *doc, Cats *cats)
{
	MpDraft    *draft = cats->draft;
	Entry		entry = {0, 0, 0};
	MpDraftCategories *feature;
	size_t		first = mp_vec_count(&draft->categories, MpCategory);
	size_t		end;
	bool		fine;

	if (!mp_doc_fields(doc, entry_fields, sizeof(entry_fields) / sizeof(*entry_fields),
					   "enc", &entry, NULL))
		return false;
	if ((entry.offsets_pos == 0) == (entry.type == 0))
		return mp_doc_fail(doc, MP_ERROR_INVALID,
						   "expected either offsets or a type of categories");
	end = doc->pos;
	cats->numbers.size = 0;
	fine = entry.type == 0 ? read_labels(doc, cats, &entry) : read_numbers(doc, cats, &entry);
	if (!fine)
		return false;
	doc->pos = end;

	feature = mp_vec_add(&draft->category_features, sizeof(MpDraftCategories));
	if (feature == NULL)
		return mp_fail_memory(draft->error, sizeof(MpDraftCategories));
	feature->first = (uint32_t) first;
	feature->count = (uint32_t) (mp_vec_count(&draft->categories, MpCategory) - first);
	feature->numbers = entry.type != 0;
	if (mp_vec_count(&draft->categories, MpCategory) - first > MP_MAX_CATEGORY)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "a feature has more than %d categories",
						   MP_MAX_CATEGORY);
	return true;
}

static bool
read_enc(MpDoc *doc, void *context)
{
	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		if (!read_entry(doc, context))
			return false;
	}
	return mp_doc_ok(doc);
}

static bool
read_segments(MpDoc *doc, void *context)
{
	Cats	   *cats = context;

	cats->segments_pos = doc->pos;
	return mp_doc_bulk(doc, MP_DOC_INT32S, &cats->segments);
}

static const MpDocField cats_fields[] = {
	MP_DOC_CALLED("enc", MP_REQUIRED, read_enc),
	MP_DOC_CALLED("feature_segments", MP_REQUIRED, read_segments),
	MP_DOC_IGNORED("sorted_idx"),	/* for training on */
};

/* The segments say again how many categories each feature has. */
static bool
check_segments(MpDoc *doc, const Cats *cats)
{
	const MpDraft *draft = cats->draft;
	size_t		n = mp_vec_count(&draft->category_features, MpDraftCategories);
	const int32_t *segments = cats->segments.data;
	size_t		n_segments = mp_vec_count(&cats->segments, int32_t);

	if (n_segments == 0 && mp_vec_count(&draft->categories, MpCategory) == 0)
		return true;
	doc->pos = cats->segments_pos;
	doc->field = "feature_segments";
	if (n_segments != n + 1)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "expected %zu segments of categories, not %zu",
						   n + 1, n_segments);
	for (size_t i = 0; i < n; i++)
	{
		const MpDraftCategories *feature = mp_vec_at(&draft->category_features,
													 MpDraftCategories, i);

		if (segments[i] != (int64_t) feature->first ||
			segments[i + 1] != (int64_t) feature->first + feature->count)
			return mp_doc_fail(doc, MP_ERROR_INVALID,
							   "categories %d to %d of feature %zu, which has %u from %u",
							   segments[i], segments[i + 1], i, feature->count, feature->first);
	}
	return true;
}

bool
mp_load_categories(MpDoc *doc, MpDraft *draft)
{
	Cats		cats = {.draft = draft};
	size_t		end;
	bool		fine;

	cats.numbers.alloc = draft->alloc;
	cats.segments.alloc = draft->alloc;
	fine = mp_doc_fields(doc, cats_fields, sizeof(cats_fields) / sizeof(*cats_fields),
						 "cats", &cats, NULL);
	end = doc->pos;
	fine = fine && check_segments(doc, &cats);
	if (fine)
		doc->pos = end;
	mp_vec_release(&cats.numbers);
	mp_vec_release(&cats.segments);
	return fine;
}
