/*
 * profile.c: counts that describe many rows; see profile.h.
 */
#include "core/metrics/profile.h"
#include "core/text/doc.h"
#include "core/text/text.h"

#include <stdlib.h>
#include <string.h>

/* A profile may come from anybody: counts are bounded so that no sum overflows. */
#define MAX_COUNT (INT64_C(1) << 48)
#define MAX_INPUTS 500000

static void
begin_input(MpProfileInput *input, MpProfileKind kind, MpAlloc *alloc)
{
	memset(input, 0, sizeof(MpProfileInput));
	input->kind = kind;
	mp_histogram_begin(&input->histogram,
					   kind == MP_PROFILE_NUMBER ? MP_HISTOGRAM_KEYS : UINT32_MAX, alloc);
	mp_names_begin(&input->labels, alloc);
}

void
mp_profile_begin(MpProfile *profile, MpAlloc *alloc)
{
	memset(profile, 0, sizeof(MpProfile));
	profile->alloc = profile->inputs.alloc = profile->model.alloc = alloc;
	mp_names_begin(&profile->names, alloc);
}

bool
mp_profile_model(MpProfile *profile, MpString name, int64_t version)
{
	char	   *place;

	profile->model.size = 0;
	profile->version = version;
	place = mp_vec_add(&profile->model, name.length);
	if (place == NULL)
		return false;
	if (name.length > 0)
		memcpy(place, name.data, name.length);
	return true;
}

MpProfileInput *
mp_profile_add_input(MpProfile *profile, MpString name, MpProfileKind kind)
{
	MpProfileInput *input;
	uint32_t	number;

	if (!mp_names_find(&profile->names, name, &number))
		return NULL;
	input = mp_vec_add(&profile->inputs, sizeof(MpProfileInput));
	if (input != NULL)
		begin_input(input, kind, profile->alloc);
	return input;
}

void
mp_profile_add_score(MpProfile *profile, MpProfileKind kind)
{
	profile->has_score = true;
	begin_input(&profile->score, kind, profile->alloc);
}

bool
mp_profile_add_label(MpProfileInput *input, MpString label, int64_t count)
{
	uint32_t	number;

	return mp_names_find(&input->labels, label, &number) &&
		mp_histogram_add(&input->histogram, number, count);
}

static bool
merge_input(MpProfileInput *to, const MpProfileInput *from, MpString name, MpError *error)
{
	MpHistogramBin *bins;
	bool		complete = true;

	if (to->kind != from->kind)
	{
		char		shown[64];

		return mp_fail(error, MP_ERROR_INVALID,
					   "\"%s\" is a number in one profile and a category in another",
					   mp_printable(shown, sizeof(shown), name));
	}
	to->missing += from->missing;
	to->unseen += from->unseen;
	to->truncated += from->truncated;
	if (to->kind == MP_PROFILE_NUMBER)
		return mp_histogram_merge(&to->histogram, &from->histogram);
	bins = mp_histogram_sorted(&from->histogram);
	if (bins == NULL)
		return false;
	for (uint32_t i = 0; complete && i < from->histogram.n; i++)
		complete = mp_profile_add_label(to, mp_names_at(&from->labels, bins[i].key), bins[i].count);
	mp_alloc_release(from->histogram.alloc, bins);
	return complete;
}

/* The model and version that both are of. */
static void
merge_identity(MpProfile *profile, const MpProfile *other)
{
	bool		empty = profile->rows == 0 && profile->inputs.size == 0;
	bool		same = profile->model.size == other->model.size &&
		(other->model.size == 0 ||
		 memcmp(profile->model.data, other->model.data, other->model.size) == 0);

	if (empty)
		(void) mp_profile_model(profile, (MpString) {other->model.data, other->model.size},
								other->version);
	else if (!same)
		profile->model.size = 0;
	if (!empty && (!same || profile->version != other->version))
		profile->version = 0;
}

bool
mp_profile_merge(MpProfile *profile, const MpProfile *other, MpError *error)
{
	merge_identity(profile, other);
	for (uint32_t i = 0; i < mp_names_count(&other->names); i++)
	{
		const MpProfileInput *from = mp_vec_at(&other->inputs, MpProfileInput, i);
		MpString	name = mp_names_at(&other->names, i);
		uint32_t	number;
		MpProfileInput *to;

		if (!mp_names_find(&profile->names, name, &number))
			return false;
		if (number < mp_vec_count(&profile->inputs, MpProfileInput))
			to = mp_vec_at(&profile->inputs, MpProfileInput, number);
		else if ((to = mp_profile_add_input(profile, name, from->kind)) == NULL)
			return false;
		if (!merge_input(to, from, name, error))
			return false;
	}
	if (other->has_score && !profile->has_score)
		mp_profile_add_score(profile, other->score.kind);
	if (other->has_score &&
		!merge_input(&profile->score, &other->score, (MpString) {"score", 5}, error))
		return false;
	profile->rows += other->rows;
	return true;
}

int64_t
mp_profile_total(const MpProfileInput *input)
{
	return input->missing + input->unseen + input->truncated + mp_histogram_total(&input->histogram);
}

/* A label with its count. */
typedef struct Label
{
	MpString	text;
	int64_t		count;
} Label;

static int
by_count(const void *a, const void *b)
{
	const Label *x = a;
	const Label *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return mp_string_compare(x->text, y->text);
}

static int
by_text(const void *a, const void *b)
{
	return mp_string_compare(((const Label *) a)->text, ((const Label *) b)->text);
}

/* The commonest labels of at least `few` rows, by their text; the others count as truncated. */
static Label *
list_labels(const MpProfileInput *input, int64_t few, uint32_t *n, int64_t *truncated)
{
	MpHistogramBin *bins = mp_histogram_sorted(&input->histogram);
	Label	   *labels = mp_alloc_get(input->histogram.alloc,
									  (input->histogram.n + 1) * sizeof(Label));

	*n = input->histogram.n;
	*truncated = input->truncated;
	for (uint32_t i = 0; bins != NULL && labels != NULL && i < *n; i++)
		labels[i] = (Label) {mp_names_at(&input->labels, bins[i].key), bins[i].count};
	mp_alloc_release(input->histogram.alloc, bins);
	if (bins == NULL || labels == NULL)
		return NULL;
	qsort(labels, *n, sizeof(Label), by_count);
	while (*n > MP_PROFILE_LABELS || (*n > 0 && labels[*n - 1].count < few))
		*truncated += labels[--*n].count;
	qsort(labels, *n, sizeof(Label), by_text);
	return labels;
}

static bool
pool_labels(MpProfileInput *input)
{
	MpAlloc    *alloc = input->histogram.alloc;
	MpProfileInput pooled;
	uint32_t	n;
	Label	   *labels;
	bool		complete = true;

	begin_input(&pooled, MP_PROFILE_CATEGORY, alloc);
	pooled.missing = input->missing;
	pooled.unseen = input->unseen;
	labels = list_labels(input, MP_PROFILE_FEW, &n, &pooled.truncated);
	if (labels == NULL)
		return false;
	for (uint32_t i = 0; complete && i < n; i++)
		complete = mp_profile_add_label(&pooled, labels[i].text, labels[i].count);
	mp_alloc_release(alloc, labels);
	mp_histogram_end(&input->histogram);
	mp_names_end(&input->labels);
	*input = pooled;
	return complete;
}

/*
 * The key for bins first to last, joined: that of one with rows enough to be
 * told, else one between the outermost, which may be no row's.
 */
static uint32_t
joined_key(const MpHistogramBin *bins, uint32_t first, uint32_t last)
{
	uint32_t	most = first;

	for (uint32_t i = first; i <= last; i++)
		if (bins[i].count > bins[most].count)
			most = i;
	if (bins[most].count >= MP_PROFILE_FEW)
		return bins[most].key;
	return bins[first].key + (bins[last].key - bins[first].key) / 2;
}

static bool
pool_numbers(MpProfileInput *input)
{
	MpHistogram pooled;
	uint32_t	n = input->histogram.n;
	int			shift = input->histogram.shift;
	MpHistogramBin *bins = mp_histogram_sorted(&input->histogram);
	bool		complete = bins != NULL;
	uint32_t	first = 0;
	int64_t		count = 0;
	int64_t		left = mp_histogram_total(&input->histogram);

	mp_histogram_begin(&pooled, MP_HISTOGRAM_KEYS, input->histogram.alloc);
	complete = complete && mp_histogram_shift(&pooled, shift);
	for (uint32_t i = 0; complete && i < n; i++)
	{
		count += bins[i].count;
		left -= bins[i].count;
		/* what is left would be too few by itself: it belongs to this one */
		if (count < MP_PROFILE_FEW || (left > 0 && left < MP_PROFILE_FEW))
			if (i + 1 < n)
				continue;
		if (count >= MP_PROFILE_FEW)
			complete = mp_histogram_add(&pooled, joined_key(bins, first, i) << shift, count);
		else
			input->truncated += count;
		count = 0;
		first = i + 1;
	}
	mp_alloc_release(input->histogram.alloc, bins);
	mp_histogram_end(&input->histogram);
	input->histogram = pooled;
	return complete;
}

bool
mp_profile_pool(MpProfile *profile)
{
	for (size_t i = 0; i < mp_vec_count(&profile->inputs, MpProfileInput); i++)
	{
		MpProfileInput *input = mp_vec_at(&profile->inputs, MpProfileInput, i);

		if (!(input->kind == MP_PROFILE_NUMBER ? pool_numbers(input) : pool_labels(input)))
			return false;
	}
	if (!profile->has_score)
		return true;
	return profile->score.kind == MP_PROFILE_NUMBER ? pool_numbers(&profile->score) :
		pool_labels(&profile->score);
}

static bool
write_string(MpVec *json, MpString text)
{
	if (!mp_text_add(json, "\""))
		return false;
	for (size_t i = 0; i < text.length; i++)
	{
		char		c = text.data[i];
		bool		written;

		if (i % 65536 == 65535)
			mp_alloc_poll(json->alloc);
		if (c == '"' || c == '\\')
			written = mp_text_format(json, "\\%c", c);
		else if ((unsigned char) c < 0x20)
			written = mp_text_format(json, "\\u%04x", c);
		else
		{
			char	   *place = mp_vec_add(json, 1);

			written = place != NULL;
			if (written)
				*place = c;
		}
		if (!written)
			return false;
	}
	return mp_text_add(json, "\"");
}

static bool
write_numbers(MpVec *json, const MpHistogram *histogram)
{
	MpHistogramBin *bins = mp_histogram_sorted(histogram);
	bool		complete = bins != NULL &&
		mp_text_format(json, ", \"shift\": %d, \"keys\": [", histogram->shift);

	for (uint32_t i = 0; complete && i < histogram->n; i++)
		complete = mp_text_format(json, "%s%lu", i > 0 ? ", " : "", (unsigned long) bins[i].key);
	complete = complete && mp_text_add(json, "], \"counts\": [");
	for (uint32_t i = 0; complete && i < histogram->n; i++)
		complete = mp_text_format(json, "%s%lld", i > 0 ? ", " : "", (long long) bins[i].count);
	mp_alloc_release(histogram->alloc, bins);
	return complete && mp_text_add(json, "]");
}

static bool
write_labels(MpVec *json, const MpProfileInput *input)
{
	uint32_t	n;
	int64_t		truncated;
	Label	   *labels = list_labels(input, 0, &n, &truncated);
	bool		complete = labels != NULL &&
		mp_text_format(json, ", \"unseen\": %lld, \"truncated\": %lld, \"labels\": [",
					   (long long) input->unseen, (long long) truncated);

	for (uint32_t i = 0; complete && i < n; i++)
		complete = (i == 0 || mp_text_add(json, ", ")) && write_string(json, labels[i].text);
	complete = complete && mp_text_add(json, "], \"counts\": [");
	for (uint32_t i = 0; complete && i < n; i++)
		complete = mp_text_format(json, "%s%lld", i > 0 ? ", " : "", (long long) labels[i].count);
	mp_alloc_release(input->histogram.alloc, labels);
	return complete && mp_text_add(json, "]");
}

static bool
write_input(MpVec *json, const MpProfileInput *input)
{
	bool		number = input->kind == MP_PROFILE_NUMBER;

	return mp_text_format(json, "\"kind\": \"%s\", \"missing\": %lld", number ? "number" : "category",
						  (long long) input->missing) &&
		(!number || input->truncated == 0 ||
		 mp_text_format(json, ", \"truncated\": %lld", (long long) input->truncated)) &&
		(number ? write_numbers(json, &input->histogram) : write_labels(json, input)) &&
		mp_text_add(json, "}");
}

bool
mp_profile_write(MpProfile *profile, MpVec *json)
{
	if (!mp_text_add(json, "{\"format\": 1"))
		return false;
	if (profile->model.size > 0 &&
		(!mp_text_add(json, ", \"model\": ") ||
		 !write_string(json, (MpString) {profile->model.data, profile->model.size})))
		return false;
	if (profile->version > 0 &&
		!mp_text_format(json, ", \"version\": %lld", (long long) profile->version))
		return false;
	if (!mp_text_format(json, ", \"rows\": %lld, \"inputs\": [", (long long) profile->rows))
		return false;
	for (uint32_t i = 0; i < mp_names_count(&profile->names); i++)
		if (!mp_text_add(json, i > 0 ? ", {\"name\": " : "{\"name\": ") ||
			!write_string(json, mp_names_at(&profile->names, i)) || !mp_text_add(json, ", ") ||
			!write_input(json, mp_vec_at(&profile->inputs, MpProfileInput, i)))
			return false;
	if (!mp_text_add(json, "]"))
		return false;
	if (profile->has_score &&
		(!mp_text_add(json, ", \"score\": {") || !write_input(json, &profile->score)))
		return false;
	return mp_text_add(json, "}");
}

/* An input as it is read: its fields come in any order. */
typedef struct Reading
{
	MpProfile  *profile;
	MpString	name;			/* in name_text */
	MpVec		name_text;
	int64_t		kind;			/* MpProfileKind; -1: not given */
	int64_t		missing;
	int64_t		unseen;
	int64_t		truncated;
	int64_t		shift;
	MpVec		keys;			/* int64_t */
	MpVec		counts;			/* int64_t */
	MpNames		labels;
	int64_t		format;
} Reading;

static bool
fail(MpDoc *doc, const char *what)
{
	return mp_fail(doc->error, MP_ERROR_INVALID, "%s", what);
}

static bool
read_count(MpDoc *doc, int64_t *count)
{
	return mp_doc_integer(doc, 0, MAX_COUNT, count);
}

static bool
read_name(MpDoc *doc, void *context)
{
	Reading    *r = context;
	MpString	text;
	char	   *place;

	if (!mp_doc_string(doc, &text))
		return false;
	place = mp_vec_add(&r->name_text, text.length);
	if (place == NULL)
		return mp_fail_memory(doc->error, text.length);
	if (text.length > 0)
		memcpy(place, text.data, text.length);
	r->name = (MpString) {r->name_text.data, r->name_text.size};
	return true;
}

static bool
read_kind(MpDoc *doc, void *context)
{
	Reading    *r = context;
	MpString	text;

	if (!mp_doc_string(doc, &text))
		return false;
	if (mp_string_is(text, "number"))
		r->kind = MP_PROFILE_NUMBER;
	else if (mp_string_is(text, "category"))
		r->kind = MP_PROFILE_CATEGORY;
	else
		return fail(doc, "an input is of kind \"number\" or \"category\"");
	return true;
}

static bool
read_missing(MpDoc *doc, void *context)
{
	return read_count(doc, &((Reading *) context)->missing);
}

static bool
read_unseen(MpDoc *doc, void *context)
{
	return read_count(doc, &((Reading *) context)->unseen);
}

static bool
read_truncated(MpDoc *doc, void *context)
{
	return read_count(doc, &((Reading *) context)->truncated);
}

static bool
read_shift(MpDoc *doc, void *context)
{
	return mp_doc_integer(doc, 0, 31, &((Reading *) context)->shift);
}

static bool
read_keys(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT64S, &((Reading *) context)->keys);
}

static bool
read_counts(MpDoc *doc, void *context)
{
	return mp_doc_bulk(doc, MP_DOC_INT64S, &((Reading *) context)->counts);
}

static bool
read_labels(MpDoc *doc, void *context)
{
	Reading    *r = context;
	uint32_t	n = 0;

	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		MpString	text;
		uint32_t	number;

		if (!mp_doc_string(doc, &text))
			return false;
		if (!mp_names_find(&r->labels, text, &number))
			return mp_fail_memory(doc->error, text.length);
		if (number != n++)
			return fail(doc, "a label is there twice");
	}
	return mp_doc_ok(doc);
}

static bool
fill_numbers(MpDoc *doc, Reading *r, MpProfileInput *input)
{
	size_t		n = mp_vec_count(&r->keys, int64_t);
	int64_t		before = -1;

	if (n != mp_vec_count(&r->counts, int64_t) || n > MP_HISTOGRAM_KEYS)
		return fail(doc, "an input has as many counts as keys, 1024 at most");
	if (!mp_histogram_shift(&input->histogram, (int) r->shift))
		return mp_fail_memory(doc->error, n);
	for (size_t i = 0; i < n; i++)
	{
		int64_t		key = *mp_vec_at(&r->keys, int64_t, i);
		int64_t		count = *mp_vec_at(&r->counts, int64_t, i);

		if (key <= before || key > (int64_t) (UINT32_MAX >> r->shift))
			return fail(doc, "keys ascend, and are of 32 bits less the shift");
		if (count < 1 || count > MAX_COUNT)
			return fail(doc, "a count is at least 1");
		if (!mp_histogram_add(&input->histogram, (uint32_t) key << r->shift, count))
			return mp_fail_memory(doc->error, n);
		before = key;
	}
	return true;
}

static bool
fill_labels(MpDoc *doc, Reading *r, MpProfileInput *input)
{
	uint32_t	n = mp_names_count(&r->labels);

	if (n != mp_vec_count(&r->counts, int64_t) || n > MP_PROFILE_LABELS)
		return fail(doc, "an input has as many counts as labels, 10000 at most");
	for (uint32_t i = 0; i < n; i++)
	{
		int64_t		count = *mp_vec_at(&r->counts, int64_t, i);

		if (count < 1 || count > MAX_COUNT)
			return fail(doc, "a count is at least 1");
		if (!mp_profile_add_label(input, mp_names_at(&r->labels, i), count))
			return mp_fail_memory(doc->error, n);
	}
	return true;
}

static bool
fill_input(MpDoc *doc, Reading *r, MpProfileInput *input)
{
	input->missing = r->missing;
	input->unseen = r->unseen;
	input->truncated = r->truncated;
	return r->kind == MP_PROFILE_NUMBER ? fill_numbers(doc, r, input) : fill_labels(doc, r, input);
}

static void
reading_begin(Reading *r, MpProfile *profile)
{
	memset(r, 0, sizeof(Reading));
	r->profile = profile;
	r->kind = -1;
	r->name_text.alloc = r->keys.alloc = r->counts.alloc = profile->alloc;
	mp_names_begin(&r->labels, profile->alloc);
}

static void
reading_end(Reading *r)
{
	mp_vec_release(&r->name_text);
	mp_vec_release(&r->keys);
	mp_vec_release(&r->counts);
	mp_names_end(&r->labels);
}

static const MpDocField input_fields[] = {
	MP_DOC_CALLED("name", false, read_name),
	MP_DOC_CALLED("kind", true, read_kind),
	MP_DOC_CALLED("missing", false, read_missing),
	MP_DOC_CALLED("unseen", false, read_unseen),
	MP_DOC_CALLED("truncated", false, read_truncated),
	MP_DOC_CALLED("shift", false, read_shift),
	MP_DOC_CALLED("keys", false, read_keys),
	MP_DOC_CALLED("labels", false, read_labels),
	MP_DOC_CALLED("counts", true, read_counts)
};

#define N_FIELDS(fields) (int) (sizeof(fields) / sizeof(fields[0]))

static bool
read_input(MpDoc *doc, MpProfile *profile)
{
	Reading		r;
	MpProfileInput *input;
	uint32_t	before = mp_names_count(&profile->names);
	bool		complete;

	reading_begin(&r, profile);
	complete = mp_doc_fields(doc, input_fields, N_FIELDS(input_fields), "inputs", &r, NULL);
	if (complete && before >= MAX_INPUTS)
		complete = fail(doc, "a profile has too many inputs");
	if (complete)
	{
		input = mp_profile_add_input(profile, r.name, r.kind);
		if (input == NULL)
			complete = mp_fail_memory(doc->error, sizeof(MpProfileInput));
		else if (mp_names_count(&profile->names) == before)
			complete = fail(doc, "an input is there twice");
		else
			complete = fill_input(doc, &r, input);
	}
	reading_end(&r);
	return complete;
}

static bool
read_inputs(MpDoc *doc, void *context)
{
	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
		if (!read_input(doc, ((Reading *) context)->profile))
			return false;
	return mp_doc_ok(doc);
}

static bool
read_score(MpDoc *doc, void *context)
{
	MpProfile  *profile = ((Reading *) context)->profile;
	Reading		r;
	bool		complete;

	reading_begin(&r, profile);
	complete = mp_doc_fields(doc, input_fields, N_FIELDS(input_fields), "score", &r, NULL);
	if (complete)
	{
		mp_profile_add_score(profile, r.kind);
		complete = fill_input(doc, &r, &profile->score);
	}
	reading_end(&r);
	return complete;
}

static bool
read_format(MpDoc *doc, void *context)
{
	int64_t		format;

	return mp_doc_integer(doc, 1, 1, &format);
}

static bool
read_model(MpDoc *doc, void *context)
{
	MpProfile  *profile = ((Reading *) context)->profile;
	MpString	text;

	return mp_doc_string(doc, &text) &&
		(mp_profile_model(profile, text, profile->version) || mp_fail_memory(doc->error, text.length));
}

static bool
read_version(MpDoc *doc, void *context)
{
	return mp_doc_integer(doc, 1, INT32_MAX, &((Reading *) context)->profile->version);
}

static bool
read_rows(MpDoc *doc, void *context)
{
	return read_count(doc, &((Reading *) context)->profile->rows);
}

static const MpDocField profile_fields[] = {
	MP_DOC_CALLED("format", true, read_format),
	MP_DOC_CALLED("model", false, read_model),
	MP_DOC_CALLED("version", false, read_version),
	MP_DOC_CALLED("rows", true, read_rows),
	MP_DOC_CALLED("inputs", true, read_inputs),
	MP_DOC_CALLED("score", false, read_score)
};

bool
mp_profile_read(MpProfile *profile, MpString json, MpError *error)
{
	MpDoc		doc;
	Reading		r;
	bool		complete;

	mp_error_clear(error);
	reading_begin(&r, profile);
	mp_doc_open(&doc, &mp_doc_json, profile->alloc, json.data, json.length, error);
	complete = mp_doc_fields(&doc, profile_fields, N_FIELDS(profile_fields), "profile", &r, NULL) &&
		mp_doc_end(&doc);
	mp_doc_close(&doc);
	reading_end(&r);
	return complete;
}
