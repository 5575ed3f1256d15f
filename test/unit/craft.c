/*
 * craft.c: edits models as text, turns them into UBJSON, loads and scores them
 * with all promises held.
 */
#include "craft.h"
#include "core/text/doc.h"
#include "core/forest/eval.h"
#include "harness.h"
#include "core/forest/link.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- blobs --- */

MpBlob
mp_blob_copy(const void *data, size_t size)
{
	MpBlob		blob = {malloc(size + 1), size};

	memcpy(blob.data, data, size);
	blob.data[size] = '\0';
	return blob;
}

MpBlob
mp_blob_text(const char *text)
{
	return mp_blob_copy(text, strlen(text));
}

void
mp_blob_free(MpBlob *blob)
{
	free(blob->data);
	blob->data = NULL;
}

void
mp_blob_append(MpBlob *blob, const void *data, size_t size)
{
	blob->data = realloc(blob->data, blob->size + size + 1);
	memcpy(blob->data + blob->size, data, size);
	blob->size += size;
	blob->data[blob->size] = '\0';
}

uint64_t
mp_craft_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* --- editing JSON --- */

static void
no_such_path(const char *path)
{
	fprintf(stderr, "no path %s in the document\n", path);
	exit(2);
}

/* Moves the reader to the value at the path; *key_start: where its key is. */
static void
go_to(MpDoc *doc, const char *path, size_t *key_start)
{
	const char *p = path;

	while (*p != '\0' && *p != '!' && *p != '+')
	{
		bool		is_index = *p == '[';
		const char *name = is_index || *p == '.' ? p + 1 : p;
		size_t		length = strcspn(name, is_index ? "]" : ".[!+");
		MpString	wanted = {name, length};
		MpString	key;
		int			index = is_index ? atoi(name) : 0;
		bool		found = false;

		if (is_index)
		{
			mp_doc_enter_array(doc);
			while (!found && mp_doc_next(doc))
			{
				if (index-- == 0)
					found = true;
				else
					mp_doc_skip(doc);
			}
		}
		else
		{
			mp_doc_enter_object(doc);
			*key_start = doc->pos;
			while (!found && mp_doc_next_key(doc, &key))
			{
				found = mp_string_equal(key, wanted);
				if (found)
					*key_start = (size_t) (key.data - doc->data) - 1;
				else
					mp_doc_skip(doc);
			}
		}
		if (!found)
			no_such_path(path);
		p = name + length + is_index;
	}
}

MpBlob
mp_craft_edit(const char *json, const char *path, const char *text)
{
	MpBlob		blob = {NULL, 0};
	MpDoc		doc;
	MpError		error;
	size_t		from = 0;
	size_t		to;
	char		mode = path[strlen(path) - 1];

	mp_doc_open(&doc, &mp_doc_json, &mp_alloc_malloc, json, strlen(json), &error);
	go_to(&doc, path, &from);
	if (mode == '!')
	{
		to = from + 1 + strcspn(json + from + 1, "\"") + 1;
	}
	else if (mode == '+')
		from = to = doc.pos + 1;
	else
	{
		from = doc.pos;
		mp_doc_skip(&doc);
		to = doc.pos;
	}
	mp_doc_close(&doc);
	mp_blob_append(&blob, json, from);
	mp_blob_append(&blob, text, strlen(text));
	mp_blob_append(&blob, json + to, strlen(json + to));
	return blob;
}

/* --- JSON to UBJSON --- */

static void
append_big(MpBlob *out, uint64_t value, int width)
{
	for (int i = width - 1; i >= 0; i--)
	{
		char		byte = (char) (value >> (8 * i));

		mp_blob_append(out, &byte, 1);
	}
}

static void
append_length(MpBlob *out, size_t length)
{
	mp_blob_append(out, "L", 1);
	append_big(out, length, 8);
}

static void
append_float(MpBlob *out, float value)
{
	uint32_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	append_big(out, bits, 4);
}

static void
append_string(MpBlob *out, MpString text)
{
	append_length(out, text.length);
	mp_blob_append(out, text.data, text.length);
}

/* The type that XGBoost gives the array of that name, or '\0'. */
static char
array_type(MpString name)
{
	static const struct
	{
		const char *name;
		char		type;
	}			types[] = {
		{"base_weights", 'd'}, {"leaf_weights", 'd'}, {"loss_changes", 'd'},
		{"split_conditions", 'd'}, {"sum_hessian", 'd'}, {"weights", 'd'},
		{"left_children", 'l'}, {"right_children", 'l'}, {"parents", 'l'},
		{"split_indices", 'l'}, {"categories", 'l'}, {"categories_nodes", 'l'},
		{"offsets", 'l'}, {"feature_segments", 'l'}, {"sorted_idx", 'l'},
		{"categories_segments", 'L'}, {"categories_sizes", 'L'},
		{"default_left", 'U'}, {"split_type", 'U'}, {"values", 'i'},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
	{
		if (mp_string_is(name, types[i].name))
			return types[i].type;
	}
	return '\0';
}

/* Whether the next array holds but numbers that fit the type. */
static bool
fits_type(const MpDoc *at, char type)
{
	MpDoc		doc = *at;
	MpError		error = *at->error;
	bool		fits = true;

	doc.error = &error;
	if (type == '\0' || mp_doc_kind(&doc) != MP_DOC_ARRAY)
		return false;
	mp_doc_enter_array(&doc);
	while (fits && mp_doc_next(&doc))
	{
		int64_t		low = type == 'U' ? 0 : type == 'i' ? INT8_MIN :
			type == 'l' ? INT32_MIN : INT64_MIN;
		int64_t		high = type == 'U' ? UINT8_MAX : type == 'i' ? INT8_MAX :
			type == 'l' ? INT32_MAX : INT64_MAX;
		int64_t		number;
		float		value;

		fits = mp_doc_kind(&doc) == MP_DOC_NUMBER &&
			(type == 'd' ? mp_doc_float(&doc, &value) : mp_doc_integer(&doc, low, high, &number));
	}
	return fits;
}

static void
append_typed(MpDoc *doc, char type, MpBlob *out)
{
	MpBlob		body = {NULL, 0};
	size_t		n = 0;
	int			width = type == 'l' ? 4 : type == 'L' ? 8 : 1;

	mp_doc_enter_array(doc);
	while (mp_doc_next(doc))
	{
		int64_t		number;
		float		value;

		n++;
		if (type == 'd')
		{
			mp_doc_float(doc, &value);
			append_float(&body, value);
			continue;
		}
		mp_doc_integer(doc, INT64_MIN, INT64_MAX, &number);
		append_big(&body, (uint64_t) number, width);
	}
	mp_blob_append(out, "[$", 2);
	mp_blob_append(out, &type, 1);
	mp_blob_append(out, "#", 1);
	append_length(out, n);
	if (n > 0)
		mp_blob_append(out, body.data, body.size);
	free(body.data);
}

static void
append_number(MpDoc *doc, MpBlob *out)
{
	size_t		length = strcspn(doc->data + doc->pos, ",]} \n");
	bool		is_float = strcspn(doc->data + doc->pos, ".eEN") < length;
	int64_t		number;
	float		value;

	if (is_float)
	{
		mp_doc_float(doc, &value);
		mp_blob_append(out, "d", 1);
		append_float(out, value);
		return;
	}
	mp_doc_integer(doc, INT64_MIN, INT64_MAX, &number);
	mp_blob_append(out, number >= -128 && number < 128 ? "i" : "L", 1);
	append_big(out, (uint64_t) number, number >= -128 && number < 128 ? 1 : 8);
}

static void
append_value(MpDoc *doc, MpString name, MpBlob *out)
{
	MpString	text;
	MpString	none = {"", 0};
	MpBlob		body = {NULL, 0};
	size_t		n = 0;
	bool		boolean;

	if (fits_type(doc, array_type(name)))
	{
		append_typed(doc, array_type(name), out);
		return;
	}
	switch (mp_doc_kind(doc))
	{
		case MP_DOC_OBJECT:
			mp_blob_append(out, "{", 1);
			mp_doc_enter_object(doc);
			while (mp_doc_next_key(doc, &text))
			{
				append_string(out, text);
				append_value(doc, text, out);
			}
			mp_blob_append(out, "}", 1);
			break;
		case MP_DOC_ARRAY:
			mp_doc_enter_array(doc);
			for (; mp_doc_next(doc); n++)
				append_value(doc, none, &body);
			mp_blob_append(out, "[#", 2);
			append_length(out, n);
			if (n > 0)
				mp_blob_append(out, body.data, body.size);
			free(body.data);
			break;
		case MP_DOC_STRING:
			mp_doc_string(doc, &text);
			mp_blob_append(out, "S", 1);
			append_string(out, text);
			break;
		case MP_DOC_NUMBER:
			append_number(doc, out);
			break;
		case MP_DOC_BOOLEAN:
			mp_doc_boolean(doc, &boolean);
			mp_blob_append(out, boolean ? "T" : "F", 1);
			break;
		case MP_DOC_NULL:
			mp_doc_skip(doc);
			mp_blob_append(out, "Z", 1);
			break;
		case MP_DOC_NOTHING:
			break;
	}
}

MpBlob
mp_craft_ubjson(const char *json, size_t size)
{
	MpBlob		out = {NULL, 0};
	MpDoc		doc;
	MpError		error;

	mp_doc_open(&doc, &mp_doc_json, &mp_alloc_malloc, json, size, &error);
	append_value(&doc, (MpString) {"", 0}, &out);
	if (error.code != MP_OK)
	{
		fprintf(stderr, "cannot turn into UBJSON: %s\n", error.message);
		exit(2);
	}
	mp_doc_close(&doc);
	return out;
}

/* --- loading --- */

/*
 * With MP_KEEP_SPOILED = FOLDER in the environment, every refused model and
 * what was said of it go there, to be tried through SQL as well.
 */
static void
keep_refused(const void *data, size_t size, const MpError *error)
{
	static int	number;
	const char *folder = getenv("MP_KEEP_SPOILED");
	char		path[1024];
	FILE	   *file;

	if (folder == NULL || error->code == MP_OK)
		return;
	snprintf(path, sizeof(path), "%s/%05d.model", folder, ++number);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		exit(2);
	snprintf(path, sizeof(path), "%s/%05d.message", folder, number);
	file = fopen(path, "w");
	if (file == NULL || fprintf(file, "%s", error->message) < 0 || fclose(file) != 0)
		exit(2);
}

MpOutcome
mp_craft_load(const void *data, size_t size, const MpLoadOptions *options, size_t fail_at)
{
	static const MpLoadOptions all = {MP_TREES_ALL};
	MpOutcome	outcome;
	MpCounting	counting;
	MpForest   *forest;

	/* bytes at the end of a block of their own, so that a sanitizer sees one read too many */
	char	   *copy = malloc(size > 0 ? size : 1);

	if (size > 0)
		memcpy(copy, data, size);
	memset(&outcome, 0, sizeof(outcome));
	mp_counting_init(&counting);
	counting.fail_at = fail_at;
	if (mp_model_load(&counting.alloc, copy, size, options != NULL ? options : &all, &forest,
					  &outcome.info, &outcome.error))
	{
		outcome.forest = malloc(forest->size);
		memcpy(outcome.forest, forest, forest->size);
		counting.alloc.release(&counting.alloc, forest);
	}
	else if (options == NULL && fail_at == 0)
		keep_refused(data, size, &outcome.error);
	free(copy);
	outcome.peak = counting.peak;
	outcome.n_requests = counting.n_requests;
	outcome.leaked = counting.n_blocks != 0;
	return outcome;
}

void
mp_craft_score(const MpForest *forest, const char *what)
{
	uint64_t	state = 88172645463325252u;
	float	   *x = malloc(forest->n_features * sizeof(float));
	float	   *margin = malloc(forest->n_outputs * sizeof(float));
	float	   *prediction = malloc(forest->n_outputs * sizeof(float));
	int32_t    *leaf = malloc((forest->n_trees + 1) * sizeof(int32_t));

	for (int row = 0; row < 20; row++)
	{
		for (int i = 0; i < forest->n_features; i++)
		{
			uint64_t	bits = mp_craft_random(&state);

			x[i] = bits % 5 == 0 ? NAN : (float) ((int64_t) (bits >> 8) % 40) / 4.0f - 1.0f;
		}
		mp_eval_margin(forest, x, margin);
		mp_predict_from_margin(forest, margin, prediction);
		if (forest->booster == MP_BOOSTER_GBLINEAR)
			continue;
		mp_eval_leaf(forest, x, leaf);
		for (int t = 0; t < forest->n_trees_used; t++)
			CHECK_SAY(leaf[t] >= 0 &&
					  (uint32_t) leaf[t] < mp_forest_trees(forest)[t].n_nodes &&
					  mp_forest_nodes(forest, &mp_forest_trees(forest)[t])[leaf[t]].left == 0,
					  "%s: row ends at node %d of tree %d", what, leaf[t], t);
	}
	free(x);
	free(margin);
	free(prediction);
	free(leaf);
}

void
mp_craft_check(MpOutcome *outcome, size_t size, const char *what)
{
	MpError		error;

	CHECK_SAY(!outcome->leaked, "%s: memory was left behind", what);
	CHECK_SAY(outcome->peak <= size * 4 + 16 * 1024 * 1024 + 4096,
			  "%s: %zu bytes of memory for %zu", what, outcome->peak, size);
	if (outcome->forest == NULL)
	{
		CHECK_SAY(outcome->error.code != MP_OK && outcome->error.message[0] != '\0',
				  "%s: refused without a word", what);
		return;
	}
	CHECK_SAY(outcome->error.code == MP_OK, "%s: accepted with an error", what);
	CHECK_SAY(mp_forest_check(&mp_alloc_malloc, outcome->forest, outcome->forest->size, false,
							  &error), "%s: %s", what, error.message);
	mp_craft_score(outcome->forest, what);
	free(outcome->forest);
	outcome->forest = NULL;
}
