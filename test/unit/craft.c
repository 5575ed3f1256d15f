/*
 * craft.c: small models made by hand, edited as text, and turned into the
 * other formats.
 */
#include "craft.h"
#include "doc.h"
#include "eval.h"
#include "harness.h"
#include "objective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Three features, the third categorical. Tree 0: node 0 splits n0 < 0.5, its
 * left child splits c by {1, 3}; tree 1 is a stump.
 */
const char *const mp_craft_trees =
	"{\"learner\":{\"attributes\":{},"
	"\"feature_names\":[\"n0\",\"n1\",\"c\"],\"feature_types\":[\"float\",\"int\",\"c\"],"
	"\"gradient_booster\":{\"model\":{"
	"\"cats\":{\"enc\":[{\"offsets\":[],\"values\":[]},{\"offsets\":[],\"values\":[]},"
	"{\"offsets\":[0,3,8,12,16],\"values\":[114,101,100,103,114,101,101,110,98,108,117,101,103,111,108,100]}],"
	"\"feature_segments\":[0,0,0,4],\"sorted_idx\":[2,3,1,0]},"
	"\"gbtree_model_param\":{\"num_parallel_tree\":\"1\",\"num_trees\":\"2\"},"
	"\"iteration_indptr\":[0,1,2],\"tree_info\":[0,0],"
	"\"trees\":[{\"base_weights\":[0E0,1E0,2E0,3E0,4E0],\"categories\":[1,3],"
	"\"categories_nodes\":[1],\"categories_segments\":[0],\"categories_sizes\":[2],"
	"\"default_left\":[1,0,0,0,0],\"id\":0,\"left_children\":[1,3,-1,-1,-1],"
	"\"loss_changes\":[9E0,4E0,0E0,0E0,0E0],\"parents\":[2147483647,0,0,1,1],"
	"\"right_children\":[2,4,-1,-1,-1],\"split_conditions\":[5E-1,1E-45,2.5E-1,-1E0,1E0],"
	"\"split_indices\":[0,2,0,0,0],\"split_type\":[0,1,0,0,0],"
	"\"sum_hessian\":[1E1,6E0,4E0,3E0,3E0],"
	"\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"3\",\"num_nodes\":\"5\","
	"\"size_leaf_vector\":\"1\"}},"
	"{\"base_weights\":[0E0,1E0,2E0],\"categories\":[],"
	"\"categories_nodes\":[],\"categories_segments\":[],\"categories_sizes\":[],"
	"\"default_left\":[0,0,0],\"id\":1,\"left_children\":[1,-1,-1],"
	"\"loss_changes\":[2E0,0E0,0E0],\"parents\":[2147483647,0,0],"
	"\"right_children\":[2,-1,-1],\"split_conditions\":[3E0,1E-1,-1E-1],"
	"\"split_indices\":[1,0,0],\"split_type\":[0,0,0],\"sum_hessian\":[1E1,5E0,5E0],"
	"\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"3\",\"num_nodes\":\"3\","
	"\"size_leaf_vector\":\"1\"}}]},\"name\":\"gbtree\"},"
	"\"learner_model_param\":{\"base_score\":\"[5E-1]\",\"boost_from_average\":\"1\","
	"\"num_class\":\"0\",\"num_feature\":\"3\",\"num_target\":\"1\"},"
	"\"objective\":{\"name\":\"binary:logistic\",\"reg_loss_param\":{\"scale_pos_weight\":\"1\"}}},"
	"\"version\":[3,4,1]}";

const char *const mp_craft_dart =
	"{\"learner\":{\"attributes\":{\"best_iteration\":\"1\",\"best_ntree_limit\":\"2\"},"
	"\"feature_names\":[],\"feature_types\":[],"
	"\"gradient_booster\":{\"gbtree\":{\"model\":{"
	"\"gbtree_model_param\":{\"num_parallel_tree\":\"1\",\"num_trees\":\"2\","
	"\"size_leaf_vector\":\"0\"},\"tree_info\":[0,0],"
	"\"trees\":[{\"base_weights\":[0E0,1E0,2E0],"
	"\"default_left\":[0,0,0],\"id\":0,\"left_children\":[1,-1,-1],"
	"\"loss_changes\":[2E0,0E0,0E0],\"parents\":[2147483647,0,0],"
	"\"right_children\":[2,-1,-1],\"split_conditions\":[3E0,1E-1,-1E-1],"
	"\"split_indices\":[1,0,0],\"sum_hessian\":[1E1,5E0,5E0],"
	"\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"2\",\"num_nodes\":\"3\","
	"\"size_leaf_vector\":\"0\"}},{\"base_weights\":[0E0],"
	"\"default_left\":[0],\"id\":1,\"left_children\":[-1],"
	"\"loss_changes\":[0E0],\"parents\":[2147483647],"
	"\"right_children\":[-1],\"split_conditions\":[7E-1],"
	"\"split_indices\":[0],\"sum_hessian\":[1E1],"
	"\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"2\",\"num_nodes\":\"1\","
	"\"size_leaf_vector\":\"0\"}}]},\"name\":\"gbtree\"},\"name\":\"dart\","
	"\"weight_drop\":[5E-1,1E0]},"
	"\"learner_model_param\":{\"base_score\":\"5E-1\",\"boost_from_average\":\"1\","
	"\"num_class\":\"0\",\"num_feature\":\"2\",\"num_target\":\"1\"},"
	"\"objective\":{\"name\":\"reg:squarederror\",\"reg_loss_param\":{}}},\"version\":[1,7,4]}";

const char *const mp_craft_linear =
	"{\"learner\":{\"attributes\":{},\"feature_names\":[],\"feature_types\":[],"
	"\"gradient_booster\":{\"model\":{\"boosted_rounds\":3,"
	"\"weights\":[1E0,2E0,3E0,4E0,5E0,6E0,7E0,8E0,9E0]},\"name\":\"gblinear\"},"
	"\"learner_model_param\":{\"base_score\":\"5E-1\",\"boost_from_average\":\"1\","
	"\"num_class\":\"3\",\"num_feature\":\"2\",\"num_target\":\"1\"},"
	"\"objective\":{\"name\":\"multi:softprob\",\"softmax_multiclass_param\":{\"num_class\":\"3\"}}},"
	"\"version\":[2,1,4]}";

const char *const mp_craft_vectors =
	"{\"learner\":{\"attributes\":{},\"feature_names\":[],\"feature_types\":[],"
	"\"gradient_booster\":{\"model\":{\"cats\":{\"enc\":[],\"feature_segments\":[],\"sorted_idx\":[]},"
	"\"gbtree_model_param\":{\"num_parallel_tree\":\"1\",\"num_trees\":\"1\"},"
	"\"iteration_indptr\":[0,1],\"tree_info\":[0],"
	"\"trees\":[{\"base_weights\":[0E0,0E0,1E0,2E0,3E0,4E0],\"categories\":[],"
	"\"categories_nodes\":[],\"categories_segments\":[],\"categories_sizes\":[],"
	"\"default_left\":[0,0,0],\"id\":0,\"leaf_weights\":[1E-1,2E-1,3E-1,4E-1],"
	"\"left_children\":[1,-1,-1],\"loss_changes\":[2E0,0E0,0E0],\"parents\":[-1,0,0],"
	"\"right_children\":[2,0,1],\"split_conditions\":[3E0,0E0,0E0],"
	"\"split_indices\":[1,0,0],\"split_type\":[0,0,0],\"sum_hessian\":[1E1,5E0,5E0],"
	"\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"2\",\"num_nodes\":\"3\","
	"\"size_leaf_vector\":\"2\"}}]},\"name\":\"gbtree\"},"
	"\"learner_model_param\":{\"base_score\":\"[5E-1,1E0]\",\"boost_from_average\":\"1\","
	"\"num_class\":\"0\",\"num_feature\":\"2\",\"num_target\":\"2\"},"
	"\"objective\":{\"name\":\"reg:squarederror\",\"reg_loss_param\":{}}},\"version\":[3,4,1]}";

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

static void
append(MpBlob *blob, const void *data, size_t size)
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
	append(&blob, json, from);
	append(&blob, text, strlen(text));
	append(&blob, json + to, strlen(json + to));
	return blob;
}

/* --- JSON to UBJSON --- */

static void
append_big(MpBlob *out, uint64_t value, int width)
{
	for (int i = width - 1; i >= 0; i--)
	{
		char		byte = (char) (value >> (8 * i));

		append(out, &byte, 1);
	}
}

static void
append_length(MpBlob *out, size_t length)
{
	append(out, "L", 1);
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
	append(out, text.data, text.length);
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
		int64_t		low = type == 'U' ? 0 : type == 'i' ? -128 : type == 'l' ? INT32_MIN : INT64_MIN;
		int64_t		high = type == 'U' ? 255 : type == 'i' ? 127 : type == 'l' ? INT32_MAX : INT64_MAX;
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
	append(out, "[$", 2);
	append(out, &type, 1);
	append(out, "#", 1);
	append_length(out, n);
	if (n > 0)
		append(out, body.data, body.size);
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
		append(out, "d", 1);
		append_float(out, value);
		return;
	}
	mp_doc_integer(doc, INT64_MIN, INT64_MAX, &number);
	append(out, number >= -128 && number < 128 ? "i" : "L", 1);
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
			append(out, "{", 1);
			mp_doc_enter_object(doc);
			while (mp_doc_next_key(doc, &text))
			{
				append_string(out, text);
				append_value(doc, text, out);
			}
			append(out, "}", 1);
			break;
		case MP_DOC_ARRAY:
			mp_doc_enter_array(doc);
			for (; mp_doc_next(doc); n++)
				append_value(doc, none, &body);
			append(out, "[#", 2);
			append_length(out, n);
			if (n > 0)
				append(out, body.data, body.size);
			free(body.data);
			break;
		case MP_DOC_STRING:
			mp_doc_string(doc, &text);
			append(out, "S", 1);
			append_string(out, text);
			break;
		case MP_DOC_NUMBER:
			append_number(doc, out);
			break;
		case MP_DOC_BOOLEAN:
			mp_doc_boolean(doc, &boolean);
			append(out, boolean ? "T" : "F", 1);
			break;
		case MP_DOC_NULL:
			mp_doc_skip(doc);
			append(out, "Z", 1);
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

/* --- the old binary format --- */

static void
append_little(MpBlob *out, uint64_t value, int width)
{
	for (int i = 0; i < width; i++)
	{
		char		byte = (char) (value >> (8 * i));

		append(out, &byte, 1);
	}
}

static void
append_little_float(MpBlob *out, float value)
{
	uint32_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	append_little(out, bits, 4);
}

static void
append_zeros(MpBlob *out, size_t n)
{
	while (n-- > 0)
		append(out, "", 1);
}

static void
append_text(MpBlob *out, const char *text)
{
	append_little(out, strlen(text), 8);
	append(out, text, strlen(text));
}

static void
append_model_param(MpBlob *out, int num_class)
{
	append_little_float(out, 0.5f);
	append_little(out, 3, 4);	/* num_feature */
	append_little(out, (uint64_t) num_class, 4);
	append_little(out, 1, 4);	/* has attributes */
	append_little(out, 0, 4);
	append_little(out, 1, 4);	/* version 1.7 */
	append_little(out, 7, 4);
	append_little(out, 1, 4);	/* num_target */
	append_little(out, 1, 4);
	append_zeros(out, 100);
}

/* parent, left, right, feature with the flag for missing, value */
static void
append_node(MpBlob *out, int parent, int left, int right, uint32_t feature, float value)
{
	append_little(out, (uint64_t) (int64_t) parent, 4);
	append_little(out, (uint64_t) (int64_t) left, 4);
	append_little(out, (uint64_t) (int64_t) right, 4);
	append_little(out, feature, 4);
	append_little_float(out, value);
}

static void
append_tree_param(MpBlob *out, int num_nodes, int num_deleted)
{
	append_little(out, 1, 4);	/* roots */
	append_little(out, (uint64_t) num_nodes, 4);
	append_little(out, (uint64_t) num_deleted, 4);
	append_little(out, 0, 4);
	append_little(out, 3, 4);	/* num_feature */
	append_zeros(out, 128);
}

static void
append_stats(MpBlob *out, int n)
{
	for (int i = 0; i < n; i++)
	{
		append_little_float(out, (float) (n - i));
		append_little_float(out, (float) (2 * n - i));
		append_zeros(out, 8);
	}
}

void
mp_craft_binary(MpCraftBinary *binary, bool dart)
{
	const int	left_child = INT32_MIN;
	MpBlob	   *out = &binary->blob;

	memset(binary, 0, sizeof(*binary));
	append(out, "binf", 4);
	binary->param = out->size;
	append_model_param(out, 0);
	binary->objective = out->size;
	append_text(out, "binary:logistic");
	binary->booster = out->size;
	append_text(out, dart ? "dart" : "gbtree");
	binary->gbtree = out->size;
	append_little(out, 2, 4);	/* trees */
	append_little(out, 1, 4);	/* in parallel */
	append_zeros(out, 152);

	/* five nodes in use, and two that the pruner deleted */
	binary->tree[0] = out->size;
	append_tree_param(out, 7, 2);
	append_node(out, -1, 1, 2, 0x80000000u, 0.5f);
	append_node(out, 0 | left_child, 3, 4, 1, 2.0f);
	append_node(out, 0, -1, -1, 0, 0.25f);
	append_node(out, 1 | left_child, -1, -1, 0, -1.0f);
	append_node(out, 1, -1, -1, 0, 1.0f);
	append_node(out, 2 | left_child, -1, -1, 0xffffffffu, 0.0f);
	append_node(out, 2, -1, -1, 0xffffffffu, 0.0f);
	append_stats(out, 7);
	binary->tree[1] = out->size;
	append_tree_param(out, 3, 0);
	append_node(out, -1, 1, 2, 2, 3.0f);
	append_node(out, 0 | left_child, -1, -1, 0, 0.1f);
	append_node(out, 0, -1, -1, 0, -0.1f);
	append_stats(out, 3);
	binary->outputs = out->size;
	append_zeros(out, 8);
	binary->weights = out->size;
	if (dart)
	{
		append_little(out, 2, 8);
		append_little_float(out, 0.5f);
		append_little_float(out, 1.0f);
	}
	binary->attributes = out->size;
	append_little(out, 2, 8);
	append_text(out, "best_iteration");
	append_text(out, "1");
	append_text(out, "objective");
	append_text(out, "{\"name\":\"binary:logistic\"}");
}

MpBlob
mp_craft_binary_linear(void)
{
	MpBlob		out = {NULL, 0};

	append_model_param(&out, 2);
	append_text(&out, "multi:softprob");
	append_text(&out, "gblinear");
	append_zeros(&out, 136);
	append_little(&out, 8, 8);
	for (int i = 0; i < 8; i++)
		append_little_float(&out, (float) i);
	append_little(&out, 0, 8);
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
	CHECK_SAY(mp_forest_check(&mp_alloc_malloc, outcome->forest, outcome->forest->size, false, &error),
			  "%s: %s", what, error.message);
	mp_craft_score(outcome->forest, what);
	free(outcome->forest);
	outcome->forest = NULL;
}
