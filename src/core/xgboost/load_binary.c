/*
 * load_binary.c: reads the old binary format, which XGBoost wrote until 3.0 and
 * calls deprecated: C structures as they lie in memory, little-endian.
 *
 *     ["binf"] parameters[136] objective booster
 *     trees:  parameters[160] (tree[148] nodes[20] statistics[16])* outputs,
 *             and for dart the weights
 *     linear: parameters[136] weights
 *     attributes
 *
 * Texts and lists are preceded by a 64-bit count. Files of before 1.0, which
 * say version 0, keep their base score as a margin. The format has no feature
 * names, types or categories.
 */
#include "core/xgboost/load_binary.h"
#include "core/xgboost/tree.h"

#include <stdio.h>
#include <string.h>

#define MODEL_PARAM_SIZE 136
#define GBTREE_PARAM_SIZE 160
#define TREE_PARAM_SIZE 148
#define LINEAR_PARAM_SIZE 136
#define NODE_SIZE 20
#define STAT_SIZE 16

#define SNAPSHOT_MARK "CONFIG-offset:"

typedef struct Reader
{
	MpXgboostFile *file;
	MpDraft    *draft;			/* the file's */
	const char *data;
	size_t		size;
	size_t		pos;
} Reader;

MP_PRINTF(3, 4)
static bool
fail_at(Reader *reader, size_t pos, const char *format,...)
{
	char		message[MP_MESSAGE_SIZE];
	va_list		args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	mp_fail(reader->draft->error, MP_ERROR_INVALID, "%s", message);
	reader->draft->error->offset = (int64_t) pos;
	return false;
}

static uint32_t
get32(const char *p)
{
	const unsigned char *b = (const unsigned char *) p;

	return (uint32_t) b[0] | (uint32_t) b[1] << 8 | (uint32_t) b[2] << 16 | (uint32_t) b[3] << 24;
}

static uint64_t
get64(const char *p)
{
	return get32(p) | (uint64_t) get32(p + 4) << 32;
}

static float
get_float(const char *p)
{
	uint32_t	bits = get32(p);
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The next bytes; NULL with the error set where they are not there. */
static const char *
take(Reader *reader, size_t size, const char *what)
{
	const char *p = reader->data + reader->pos;

	if (reader->size - reader->pos < size)
	{
		mp_fail(reader->draft->error, MP_ERROR_SYNTAX, "the file ends in the middle of %s", what);
		reader->draft->error->offset = (int64_t) reader->pos;
		return NULL;
	}
	reader->pos += size;
	return p;
}

/* A count of elements of at least `width` bytes each, which must be there. */
static bool
take_count(Reader *reader, size_t width, const char *what, uint64_t *count)
{
	size_t		start = reader->pos;
	const char *p = take(reader, 8, what);

	if (p == NULL)
		return false;
	*count = get64(p);
	if (*count > (reader->size - reader->pos) / width)
	{
		mp_fail(reader->draft->error, MP_ERROR_SYNTAX,
				"length %llu of %s does not fit in the %zu bytes that remain",
				(unsigned long long) *count, what, reader->size - reader->pos);
		reader->draft->error->offset = (int64_t) start;
		return false;
	}
	return true;
}

static bool
take_string(Reader *reader, const char *what, MpString *text)
{
	uint64_t	length;

	if (!take_count(reader, 1, what, &length))
		return false;
	text->length = (size_t) length;
	text->data = take(reader, text->length, what);
	return text->data != NULL;
}

static bool
take_floats(Reader *reader, const char *what, MpVec *out)
{
	uint64_t	count;
	const char *p;
	float	   *place;

	if (!take_count(reader, sizeof(float), what, &count))
		return false;
	p = take(reader, (size_t) count * sizeof(float), what);
	place = mp_vec_add(out, (size_t) count * sizeof(float));
	if (place == NULL)
		return mp_fail_memory(reader->draft->error, (size_t) count * sizeof(float));
	for (size_t i = 0; i < count; i++)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(reader->draft->alloc);
		place[i] = get_float(p + i * sizeof(float));
	}
	return true;
}

/* A parameter that must be within bounds. */
static bool
check_range(Reader *reader, size_t pos, const char *what, int64_t low, int64_t high, int64_t value)
{
	if (value < low || value > high)
		return fail_at(reader, pos, "expected %s from %lld to %lld, not %lld", what,
					   (long long) low, (long long) high, (long long) value);
	return true;
}

static bool
read_model_param(Reader *reader, bool *has_attributes)
{
	MpXgboostFile *file = reader->file;
	MpDraft    *draft = reader->draft;
	size_t		start = reader->pos;
	const char *p = take(reader, MODEL_PARAM_SIZE, "the model's parameters");
	float	   *score;

	if (p == NULL)
		return false;
	file->n_features = get32(p + 4);
	file->num_class = (int32_t) get32(p + 8);
	*has_attributes = get32(p + 12) != 0;
	draft->head.version[0] = (int32_t) get32(p + 20);
	draft->head.version[1] = (int32_t) get32(p + 24);
	file->num_target = get32(p + 28);
	if (file->num_target == 0)
		file->num_target = 1;	/* before 1.6 */

	/* before 1.0 the place of the version held zeros, and the base score was a margin */
	file->base_is_margin = draft->head.version[0] == 0;
	score = mp_vec_add(&draft->base, sizeof(float));
	if (score == NULL)
		return mp_fail_memory(draft->error, sizeof(float));
	*score = get_float(p);
	return check_range(reader, start + 4, "num_feature", 1, MP_MAX_FEATURES, file->n_features) &&
		check_range(reader, start + 8, "num_class", 0, MP_MAX_OUTPUTS, file->num_class) &&
		check_range(reader, start + 20, "a major version", 0, 100, draft->head.version[0]) &&
		check_range(reader, start + 24, "a minor version", 0, 10000, draft->head.version[1]) &&
		check_range(reader, start + 28, "num_target", 1, MP_MAX_OUTPUTS, file->num_target);
}

static bool
read_names(Reader *reader)
{
	MpXgboostFile *file = reader->file;
	size_t		start = reader->pos;
	MpString	name;

	if (!take_string(reader, "the objective", &name))
		return false;
	if (mp_xgboost_objective(file, name))
	{
		start = reader->pos;
		if (!take_string(reader, "the booster", &name))
			return false;
		if (mp_xgboost_booster(file, name))
			return true;
	}
	reader->draft->error->offset = (int64_t) start;
	return false;
}

/* Cuts the node structures into the arrays that documents have. */
static bool
read_nodes(Reader *reader, MpTreeParts *parts)
{
	MpAlloc    *alloc = reader->draft->alloc;
	size_t		n = (size_t) parts->num_nodes;
	const char *p = take(reader, n * NODE_SIZE, "the nodes of a tree");
	int32_t    *left = mp_vec_add(&parts->left, n * sizeof(int32_t));
	int32_t    *right = mp_vec_add(&parts->right, n * sizeof(int32_t));
	int32_t    *parent = mp_vec_add(&parts->parent, n * sizeof(int32_t));
	int32_t    *feature = mp_vec_add(&parts->feature, n * sizeof(int32_t));
	float	   *condition = mp_vec_add(&parts->condition, n * sizeof(float));
	uint8_t    *default_left = mp_vec_add(&parts->default_left, n);

	if (left == NULL || right == NULL || parent == NULL || feature == NULL ||
		condition == NULL || default_left == NULL)
		return mp_fail_memory(reader->draft->error, n * NODE_SIZE);
	for (size_t i = 0; i < n; i++, p += NODE_SIZE)
	{
		uint32_t	split = get32(p + 12);

		if (i % 16384 == 16383)
			mp_alloc_poll(alloc);
		/* the uppermost bits: is a left child, and missing goes left */
		parent[i] = (int32_t) (get32(p) & INT32_MAX);
		left[i] = (int32_t) get32(p + 4);
		right[i] = (int32_t) get32(p + 8);
		feature[i] = (int32_t) (split & INT32_MAX);
		default_left[i] = (uint8_t) (split >> 31);
		condition[i] = get_float(p + 16);
	}
	return true;
}

static bool
read_stats(Reader *reader, MpTreeParts *parts)
{
	MpDraft    *draft = reader->draft;
	size_t		n = (size_t) parts->num_nodes;
	const char *p = take(reader, n * STAT_SIZE, "the statistics of a tree");
	float	   *gain = mp_vec_add(&draft->gain, n * sizeof(float));
	float	   *cover = mp_vec_add(&draft->cover, n * sizeof(float));

	if (gain == NULL || cover == NULL)
		return mp_fail_memory(draft->error, n * sizeof(float));
	for (size_t i = 0; i < n; i++, p += STAT_SIZE)
	{
		if (i % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		gain[i] = get_float(p);
		cover[i] = get_float(p + 4);
	}
	parts->has_gain = true;
	parts->has_cover = true;
	return true;
}

static bool
read_tree(Reader *reader, MpTreeParts *parts)
{
	size_t		start = reader->pos;
	const char *p = take(reader, TREE_PARAM_SIZE, "the parameters of a tree");

	mp_xgboost_tree_parts_clear(parts);
	if (p == NULL)
		return false;
	parts->offset = start;
	parts->num_nodes = (int32_t) get32(p + 4);
	parts->num_deleted = (int32_t) get32(p + 8);
	parts->num_feature = get32(p + 16);
	if (!check_range(reader, start, "num_roots", 1, 1, (int32_t) get32(p)) ||
		!check_range(reader, start + 4, "num_nodes", 1, INT32_MAX, parts->num_nodes) ||
		!check_range(reader, start + 8, "num_deleted", 0, parts->num_nodes, parts->num_deleted) ||
		!check_range(reader, start + 16, "num_feature", 0, MP_MAX_FEATURES, parts->num_feature) ||
		!check_range(reader, start + 20, "size_leaf_vector", 0, 1, (int32_t) get32(p + 20)))
		return false;
	if ((uint64_t) parts->num_nodes > (reader->size - reader->pos) / (NODE_SIZE + STAT_SIZE))
		return fail_at(reader, start + 4, "%lld nodes do not fit in the %zu bytes that remain",
					   (long long) parts->num_nodes, reader->size - reader->pos);
	return read_nodes(reader, parts) && read_stats(reader, parts) &&
		mp_xgboost_tree_add(reader->file, parts);
}

static bool
read_trees(Reader *reader)
{
	MpXgboostFile *file = reader->file;
	MpDraft    *draft = reader->draft;
	MpTreeParts parts;
	bool		fine = true;

	mp_xgboost_tree_parts_init(&parts, draft->alloc);
	for (int64_t t = 0; fine && t < file->num_trees; t++)
	{
		mp_alloc_poll(draft->alloc);
		fine = read_tree(reader, &parts);
		if (!fine)
			draft->error->tree = (int32_t) t;
	}
	mp_xgboost_tree_parts_release(&parts);
	return fine;
}

static bool
read_tree_outputs(Reader *reader)
{
	MpXgboostFile *file = reader->file;
	MpDraft    *draft = reader->draft;
	size_t		n = (size_t) file->num_trees;
	const char *p = take(reader, n * sizeof(int32_t), "the outputs of the trees");
	int32_t    *outputs;

	if (p == NULL)
		return false;
	outputs = mp_vec_add(&file->tree_outputs, n * sizeof(int32_t));
	if (outputs == NULL)
		return mp_fail_memory(draft->error, n * sizeof(int32_t));
	for (size_t i = 0; i < n; i++)
		outputs[i] = (int32_t) get32(p + i * sizeof(int32_t));
	return true;
}

static bool
read_gbtree(Reader *reader)
{
	MpXgboostFile *file = reader->file;
	MpDraft    *draft = reader->draft;
	size_t		start = reader->pos;
	const char *p = take(reader, GBTREE_PARAM_SIZE, "the booster's parameters");

	if (p == NULL)
		return false;
	file->num_trees = (int32_t) get32(p);
	file->num_parallel_tree = (int32_t) get32(p + 4);
	if (draft->head.version[0] == 0 || (draft->head.version[0] == 1 && draft->head.version[1] < 4))
		file->num_parallel_tree = 0;	/* not kept yet: the place held a constant */
	else if (!check_range(reader, start + 4, "num_parallel_tree", 1, INT32_MAX,
						  file->num_parallel_tree))
		return false;
	if (!check_range(reader, start, "num_trees", 0, INT32_MAX, file->num_trees) ||
		!check_range(reader, start + 28, "size_leaf_vector", 0, 1, (int32_t) get32(p + 28)))
		return false;
	if ((uint64_t) file->num_trees >
		(reader->size - reader->pos) / (TREE_PARAM_SIZE + NODE_SIZE + STAT_SIZE))
		return fail_at(reader, start, "%lld trees do not fit in the %zu bytes that remain",
					   (long long) file->num_trees, reader->size - reader->pos);
	if (!read_trees(reader) || !read_tree_outputs(reader))
		return false;
	if (file->booster == MP_BOOSTER_DART && file->num_trees > 0)
	{
		file->has_drop_weights = true;
		return take_floats(reader, "the weights of the trees", &file->drop_weights);
	}
	return true;
}

static bool
read_gblinear(Reader *reader)
{
	reader->file->has_weights = true;
	return take(reader, LINEAR_PARAM_SIZE, "the booster's parameters") != NULL &&
		take_floats(reader, "the weights", &reader->draft->weights);
}

static bool
read_attributes(Reader *reader)
{
	uint64_t	count;

	if (!take_count(reader, 16, "the attributes", &count))
		return false;
	for (uint64_t i = 0; i < count; i++)
	{
		size_t		start = reader->pos;
		MpString	name;
		MpString	value;

		if (!take_string(reader, "the name of an attribute", &name) ||
			!take_string(reader, "an attribute", &value))
			return false;
		if (i % 1024 == 1023)
			mp_alloc_poll(reader->draft->alloc);
		if (!mp_xgboost_attribute(reader->file, name, value))
		{
			reader->draft->error->offset = (int64_t) start;
			return false;
		}
	}
	return true;
}

/*
 * What XGBoost up to 1.2 wrote into pickles: a mark, the length of the model,
 * the model, and training parameters, which are left aside.
 */
static bool
pass_snapshot_mark(Reader *reader)
{
	size_t		length = sizeof(SNAPSHOT_MARK) - 1;
	uint64_t	model_size;

	if (reader->size < length || memcmp(reader->data, SNAPSHOT_MARK, length) != 0)
		return true;
	reader->pos = length;
	if (!take_count(reader, 1, "the model", &model_size))
		return false;
	reader->size = reader->pos + (size_t) model_size;
	return true;
}

bool
mp_load_binary(MpXgboostFile *file, const void *data, size_t size)
{
	Reader		reader = {file, file->draft, data, size, 0};
	bool		has_attributes;

	if (!pass_snapshot_mark(&reader))
		return false;
	if (reader.size - reader.pos >= 4 && memcmp(reader.data + reader.pos, "binf", 4) == 0)
		reader.pos += 4;
	if (!read_model_param(&reader, &has_attributes) || !read_names(&reader) ||
		!(file->booster == MP_BOOSTER_GBLINEAR ? read_gblinear(&reader) : read_gbtree(&reader)) ||
		(has_attributes && !read_attributes(&reader)))
		return false;
	if (reader.pos < reader.size)
	{
		mp_fail(file->draft->error, MP_ERROR_SYNTAX, "bytes follow the end of the model: %zu",
				reader.size - reader.pos);
		file->draft->error->offset = (int64_t) reader.pos;
		return false;
	}
	return true;
}
