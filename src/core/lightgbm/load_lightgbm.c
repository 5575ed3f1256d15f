/*
 * load_lightgbm.c: reads LightGBM's text files: a header of key=value lines,
 * the trees, and what the Python package appends.
 *
 * LightGBM finds the trees by tree_sizes and checks next to nothing; here they
 * are read line by line, and what is not known is refused.
 */
#include "core/lightgbm/load_lightgbm.h"
#include "core/lightgbm/lightgbm_categories.h"
#include "core/lightgbm/lightgbm_objective.h"
#include "core/lightgbm/lightgbm_tree.h"
#include "core/lightgbm/lines.h"

#include <string.h>

enum
{
	VERSION, NUM_CLASS, TREES_PER_ROUND, LABEL_INDEX, MAX_FEATURE, OBJECTIVE, NAMES, INFOS,
	TREE_SIZES, AVERAGE, MONOTONE
};

static const char *const keys[] = {
	[VERSION] = "version",
	[NUM_CLASS] = "num_class",
	[TREES_PER_ROUND] = "num_tree_per_iteration",
	[LABEL_INDEX] = "label_index",
	[MAX_FEATURE] = "max_feature_idx",
	[OBJECTIVE] = "objective",
	[NAMES] = "feature_names",
	[INFOS] = "feature_infos",
	[TREE_SIZES] = "tree_sizes",
	[AVERAGE] = "average_output",
	[MONOTONE] = "monotone_constraints",
};

#define N_KEYS ((int) (sizeof(keys) / sizeof(*keys)))

typedef struct File
{
	MpDraft    *draft;
	MpLines		lines;
	uint64_t	seen;			/* bit i: keys[i] */
	int64_t		num_class;
	int64_t		trees_per_round;
	int64_t		max_feature;
	int64_t		n_sizes;		/* trees, as tree_sizes says */
	MpString	objective;
	MpString	names;
	MpString	infos;
	MpString	pandas;			/* JSON */
	MpString	categorical;	/* the parameter categorical_feature */
} File;

#define HAS(file, key) (((file)->seen >> (key) & 1) != 0)

static int64_t
count_words(MpString text)
{
	MpString	word;
	int64_t		n = 0;

	while (mp_lines_word(&text, ' ', &word))
		n++;
	return n;
}

/* --- the header --- */

static bool
read_version(File *file)
{
	MpString	value = file->lines.value;
	char		shown[40];

	if (value.length == 2 && value.data[0] == 'v' && value.data[1] >= '2' && value.data[1] <= '4')
	{
		file->draft->head.version[0] = value.data[1] - '0';
		return true;
	}
	mp_lines_fail(&file->lines, MP_ERROR_UNSUPPORTED, "unknown version \"%s\" of LightGBM's format",
				  mp_printable(shown, sizeof(shown), value));
	mp_error_hint(file->draft->error, "Those of LightGBM 2.1 to 4 are known: v2, v3 and v4.");
	return false;
}

static bool
read_key(File *file, int key)
{
	MpLines    *lines = &file->lines;

	switch (key)
	{
		case VERSION:
			return read_version(file);
		case NUM_CLASS:
			return mp_lines_integer(lines, 1, MP_MAX_OUTPUTS, &file->num_class);
		case TREES_PER_ROUND:
			return mp_lines_integer(lines, 1, MP_MAX_OUTPUTS, &file->trees_per_round);
		case MAX_FEATURE:
			return mp_lines_integer(lines, 0, MP_MAX_FEATURES - 1, &file->max_feature);
		case OBJECTIVE:
			file->objective = lines->value;
			return true;
		case NAMES:
			file->names = lines->value;
			return true;
		case INFOS:
			file->infos = lines->value;
			return true;
		case TREE_SIZES:
			file->n_sizes = count_words(lines->value);
			return true;
		default:
			return true;
	}
}

/* A line of the header, other than an empty one. */
static bool
read_header_line(File *file)
{
	MpLines    *lines = &file->lines;
	int			key = 0;
	char		shown[40];

	while (key < N_KEYS && !mp_string_is(lines->key, keys[key]))
		key++;
	if (key == N_KEYS || lines->has_value != (key != AVERAGE))
	{
		mp_lines_fail(lines, MP_ERROR_UNSUPPORTED, "unknown line \"%s\" in the header",
					  mp_printable(shown, sizeof(shown), lines->key));
		mp_error_detail(lines->error, "The file may come from a newer LightGBM; "
						"a line that is not known may change what the model means.");
		return false;
	}
	if (HAS(file, key))
		return mp_lines_fail(lines, MP_ERROR_INVALID, "\"%s\" comes twice", keys[key]);
	file->seen |= UINT64_C(1) << key;
	return read_key(file, key);
}

static bool
is_tree(MpString key)
{
	return mp_string_is(key, "Tree");
}

/* Up to the first tree, or to what follows the trees where there are none. */
static bool
read_header(File *file)
{
	MpLines    *lines = &file->lines;

	if (!mp_lines_next(lines) || !mp_string_is(lines->line, "tree"))
		return mp_lines_fail(lines, MP_ERROR_NOT_A_MODEL, "expected \"tree\" as the first line");
	while (mp_lines_next(lines))
	{
		if (is_tree(lines->key) || mp_string_is(lines->line, "end of trees"))
			return true;
		if (lines->line.length > 0 && !read_header_line(file))
			return false;
	}
	return mp_lines_fail(lines, MP_ERROR_SYNTAX, "the file ends before its trees");
}

static bool
settle_header(File *file)
{
	static const int required[] = {VERSION, NUM_CLASS, MAX_FEATURE, NAMES};
	MpDraft    *draft = file->draft;

	for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++)
	{
		if (!HAS(file, required[i]))
			return mp_fail(draft->error, MP_ERROR_INVALID, "line \"%s\" is missing",
						   keys[required[i]]);
	}
	if (!HAS(file, TREES_PER_ROUND))
		file->trees_per_round = file->num_class;
	if (file->num_class != file->trees_per_round)
		return mp_fail(draft->error, MP_ERROR_INVALID, "%lld trees in a round of %lld classes",
					   (long long) file->trees_per_round, (long long) file->num_class);
	draft->n_features = file->max_feature + 1;
	draft->head.library = MP_LIBRARY_LIGHTGBM;
	draft->head.source = MP_FORMAT_TEXT;
	draft->head.booster = MP_BOOSTER_GBTREE;
	draft->head.precision = MP_PRECISION_DOUBLE;
	draft->head.input = MP_INPUT_TINY_IS_ZERO | MP_INPUT_TRUNCATE;
	draft->head.n_outputs = (int32_t) file->trees_per_round;
	return mp_lightgbm_objective(draft, file->objective);
}

/* Names that LightGBM makes up say nothing: Column_0, Column_1, ... */
static bool
is_made_up(MpString name, int64_t i)
{
	static const char prefix[] = "Column_";
	size_t		length = sizeof(prefix) - 1;
	int64_t		number = 0;

	if (name.length <= length || memcmp(name.data, prefix, length) != 0)
		return false;
	for (size_t k = length; k < name.length; k++)
	{
		if (name.data[k] < '0' || name.data[k] > '9' || number > MP_MAX_FEATURES)
			return false;
		number = number * 10 + (name.data[k] - '0');
	}
	return number == i;
}

static bool
settle_names(File *file)
{
	MpDraft    *draft = file->draft;
	MpString	rest = file->names;
	MpString	word;
	bool		made_up = true;
	int64_t		n = 0;

	for (; mp_lines_word(&rest, ' ', &word); n++)
		made_up &= is_made_up(word, n);
	if (n != draft->n_features)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "expected %lld feature names, one for each feature, not %lld",
					   (long long) draft->n_features, (long long) n);
	rest = file->names;
	while (!made_up && mp_lines_word(&rest, ' ', &word))
	{
		if (!mp_draft_name(draft, word))
			return false;
	}
	return true;
}

/* Ranges in brackets are of numbers, lists of codes are of categories. */
static bool
settle_types(File *file)
{
	MpDraft    *draft = file->draft;
	MpString	rest = file->infos;
	MpString	word;
	uint8_t    *types = mp_vec_add(&draft->types, (size_t) draft->n_features);
	int64_t		n = 0;

	if (types == NULL)
		return mp_fail_memory(draft->error, (size_t) draft->n_features);
	memset(types, MP_FEATURE_FLOAT, (size_t) draft->n_features);
	for (; mp_lines_word(&rest, ' ', &word); n++)
	{
		if (n < draft->n_features && word.data[0] != '[' && !mp_string_is(word, "none"))
			types[n] = MP_FEATURE_CATEGORICAL;
	}
	if (HAS(file, INFOS) && n != draft->n_features)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "expected %lld elements in \"feature_infos\", one for each feature, not %lld",
					   (long long) draft->n_features, (long long) n);
	return true;
}

/* --- the trees --- */

static bool
ends_trees(MpString line)
{
	return mp_string_is(line, "end of trees") || mp_string_is(line, "feature importances:") ||
		mp_string_is(line, "feature_importances:");
}

static bool
read_trees(File *file)
{
	MpLines    *lines = &file->lines;
	MpDraft    *draft = file->draft;
	MpLightgbmTree tree;
	bool		fine = true;
	char		shown[40];

	mp_lightgbm_tree_init(&tree, draft->alloc);
	while (fine && !ends_trees(lines->line))
	{
		int32_t		n = (int32_t) mp_vec_count(&draft->trees, MpTree);

		mp_alloc_poll(draft->alloc);
		if (is_tree(lines->key))
			fine = mp_lightgbm_tree_read(&tree, lines, draft,
										 (int32_t) (n % file->trees_per_round));
		else if (lines->line.length > 0)
			fine = mp_lines_fail(lines, MP_ERROR_INVALID, "expected a tree, not \"%s\"",
								 mp_printable(shown, sizeof(shown), lines->line));
		if (fine && !mp_lines_next(lines))
			fine = mp_lines_fail(lines, MP_ERROR_SYNTAX, "the file ends in the middle of its trees");
	}
	mp_lightgbm_tree_release(&tree);
	return fine;
}

static bool
settle_rounds(File *file)
{
	MpDraft    *draft = file->draft;
	MpForest   *head = &draft->head;
	int64_t		n_trees = (int64_t) mp_vec_count(&draft->trees, MpTree);
	bool		best;

	if (HAS(file, TREE_SIZES) && file->n_sizes != n_trees)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "expected %lld trees, as tree_sizes says, not %lld",
					   (long long) file->n_sizes, (long long) n_trees);
	if (n_trees % file->trees_per_round != 0)
		return mp_fail(draft->error, MP_ERROR_INVALID, "%lld trees are no whole rounds of %lld",
					   (long long) n_trees, (long long) file->trees_per_round);
	head->n_rounds = head->n_rounds_used = (int32_t) (n_trees / file->trees_per_round);
	head->n_trees_used = (int32_t) n_trees;
	if (HAS(file, AVERAGE) && head->n_rounds > 0)
		head->divisor = head->n_rounds;
	return mp_draft_choose_rounds(draft, head->n_rounds, &best);
}

/* What is not needed where all leaves are constants. */
static void
drop_linear(MpDraft *draft)
{
	MpNode	   *nodes = draft->nodes.data;

	if (draft->head.linear_leaf)
		return;
	mp_vec_release(&draft->linear);
	mp_vec_release(&draft->terms);
	for (size_t i = 0; i < mp_vec_count(&draft->nodes, MpNode); i++)
	{
		if (nodes[i].left == 0)
			nodes[i].value_bits = 0;
	}
}

/* A feature is compared with numbers or looked up in sets, never both. */
static bool
check_kinds(MpDraft *draft)
{
	const MpNode *nodes = draft->nodes.data;
	uint8_t    *kinds = mp_alloc_zero(draft->alloc, (size_t) draft->n_features);
	bool		fine = true;

	if (kinds == NULL)
		return mp_fail_memory(draft->error, (size_t) draft->n_features);
	for (size_t i = 0; fine && i < mp_vec_count(&draft->nodes, MpNode); i++)
	{
		uint32_t	feature = nodes[i].feature & MP_NODE_FEATURE_MASK;

		if (i % 16384 == 16383)
			mp_alloc_poll(draft->alloc);
		if (nodes[i].left == 0)
			continue;
		kinds[feature] |= (nodes[i].feature & MP_NODE_CATEGORICAL) ? 2 : 1;
		if (kinds[feature] == 3)
			fine = mp_fail(draft->error, MP_ERROR_INVALID,
						   "feature %u is split by number and by category", feature + 1);
	}
	mp_alloc_release(draft->alloc, kinds);
	return fine;
}

/* --- what follows the trees --- */

static bool
starts_with(MpString text, const char *prefix, MpString *rest)
{
	size_t		length = strlen(prefix);

	if (text.length < length || memcmp(text.data, prefix, length) != 0)
		return false;
	*rest = (MpString) {text.data + length, text.length - length};
	return true;
}

/* Importances say nothing new; of the parameters one tells which features are categories. */
static bool
read_tail(File *file)
{
	static const char parameter[] = "[categorical_feature: ";
	MpLines    *lines = &file->lines;
	bool		in_parameters = false;
	MpString	rest;

	while (mp_lines_next(lines))
	{
		if (mp_string_is(lines->line, "parameters:"))
			in_parameters = true;
		else if (mp_string_is(lines->line, "end of parameters"))
			in_parameters = false;
		else if (in_parameters && starts_with(lines->line, parameter, &rest) && rest.length > 0)
			file->categorical = (MpString) {rest.data, rest.length - 1};
		else if (!in_parameters && starts_with(lines->line, "pandas_categorical:", &rest))
			file->pandas = rest;
	}
	return !in_parameters ||
		mp_lines_fail(lines, MP_ERROR_SYNTAX, "the file ends in the middle of its parameters");
}

static bool
settle_categories(File *file)
{
	if (file->pandas.length == 0)
		return true;
	return mp_lightgbm_categories(file->draft, file->pandas,
								  (size_t) (file->pandas.data - file->lines.data),
								  file->categorical);
}

static bool
add_base(MpDraft *draft)
{
	size_t		size = (size_t) draft->head.n_outputs * sizeof(double);
	void	   *base = mp_vec_add(&draft->base, size);

	if (base == NULL)
		return mp_fail_memory(draft->error, size);
	memset(base, 0, size);
	return true;
}

bool
mp_load_lightgbm(MpDraft *draft, const void *data, size_t size)
{
	File		file = {.draft = draft};

	file.lines.alloc = draft->alloc;
	file.lines.error = draft->error;
	file.lines.data = data;
	file.lines.size = size;
	file.lines.line.data = data;
	if (!read_header(&file) || !settle_header(&file) || !settle_names(&file) ||
		!settle_types(&file) || !read_trees(&file) || !settle_rounds(&file) || !read_tail(&file))
		return false;
	drop_linear(draft);
	return check_kinds(draft) && settle_categories(&file) && add_base(draft);
}
