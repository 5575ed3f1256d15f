/*
 * golden.c: reads folders of golden models and holds scores against them.
 */
#include "golden.h"
#include "harness.h"
#include "core/text/doc.h"
#include "core/forest/eval.h"
#include "core/batch/batch.h"
#include "core/kernel/kernel.h"
#include "core/forest/link.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- CSV: a table of pointers into the text --- */

typedef struct MpTable
{
	size_t		n_columns;
	size_t		n_rows;			/* without the header */
	char	  **cells;			/* the header's first */
} MpTable;

/* Cuts one cell out of the text at *place, in place; returns it, with *place behind it. */
static char *
cut_cell(char **place, char *delimiter)
{
	char	   *cell = *place;
	char	   *to = cell;
	char	   *from = cell;
	bool		quoted = *from == '"';

	if (quoted)
		from++;
	while (*from != '\0' && (quoted || (*from != ',' && *from != '\n')))
	{
		if (quoted && *from == '"')
		{
			from++;
			if (*from != '"')
			{
				quoted = false;
				continue;
			}
		}
		if (*from != '\r')
			*to++ = *from;
		from++;
	}
	*delimiter = *from;
	*place = *from != '\0' ? from + 1 : from;
	*to = '\0';
	return cell;
}

static MpTable *
read_table(char *text)
{
	MpTable    *table = calloc(1, sizeof(MpTable));
	size_t		n = 0;
	size_t		room = 0;

	while (*text != '\0')
	{
		char		delimiter;

		if (n == room)
		{
			room = room * 2 + 1024;
			table->cells = realloc(table->cells, room * sizeof(char *));
		}
		table->cells[n++] = cut_cell(&text, &delimiter);
		if (delimiter == '\n' && table->n_columns == 0)
			table->n_columns = n;
	}
	table->n_rows = n / table->n_columns - 1;
	return table;
}

static void
free_table(MpTable *table)
{
	if (table != NULL)
		free(table->cells);
	free(table);
}

static const char *
cell_at(const MpTable *table, size_t row, size_t column)
{
	return table->cells[(row + 1) * table->n_columns + column];
}

static int
find_column(const MpTable *table, MpString name)
{
	for (size_t i = 0; i < table->n_columns; i++)
	{
		if (mp_string_is(name, table->cells[i]))
			return (int) i;
	}
	return -1;
}

/* --- meta.json --- */

static MpString
copy_string(MpString text)
{
	char	   *copy = malloc(text.length + 1);

	memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	return (MpString) {copy, text.length};
}

static void
add_category(MpGolden *golden, MpDoc *doc, MpString feature)
{
	MpGivenCategories *given;
	MpString   *labels = NULL;
	double	   *numbers = NULL;
	size_t		n = 0;
	bool		numeric = true;

	feature = copy_string(feature);
	if (!mp_doc_enter_array(doc))
		return;
	while (mp_doc_next(doc))
	{
		MpString	label;
		char	   *end;

		if (!mp_doc_string(doc, &label))
			return;
		labels = realloc(labels, (n + 1) * sizeof(MpString));
		numbers = realloc(numbers, (n + 1) * sizeof(double));
		labels[n] = copy_string(label);
		numbers[n] = strtod(labels[n].data, &end);
		numeric &= *end == '\0' && end != labels[n].data;
		n++;
	}
	if (!numeric)
	{
		free(numbers);
		numbers = NULL;
	}
	golden->categories = realloc(golden->categories,
								 (golden->n_categories + 1) * sizeof(MpGivenCategories));
	given = &golden->categories[golden->n_categories++];
	*given = (MpGivenCategories) {feature, labels, numbers, n};
}

static void
read_meta(MpGolden *golden, MpDoc *doc)
{
	MpString	key;

	mp_doc_enter_object(doc);
	while (mp_doc_next_key(doc, &key))
	{
		if (mp_string_is(key, "xgboost"))
		{
			MpString	version;

			mp_doc_string(doc, &version);
			golden->keeps_categories = version.length > 2 &&
				(version.data[0] > '3' || (version.data[0] == '3' && version.data[2] >= '1'));
		}
		else if (mp_string_is(key, "categories") && mp_doc_kind(doc) == MP_DOC_OBJECT)
		{
			mp_doc_enter_object(doc);
			while (mp_doc_next_key(doc, &key))
				add_category(golden, doc, key);
		}
		else if (mp_string_is(key, "iteration_range") || mp_string_is(key, "best_iteration"))
		{
			golden->best = mp_doc_kind(doc) != MP_DOC_NULL;
			mp_doc_skip(doc);
		}
		else
			mp_doc_skip(doc);
	}
}

/* --- a folder --- */

static char *
read_in(const MpGolden *golden, const char *name, size_t *size)
{
	char		path[1200];

	snprintf(path, sizeof(path), "%s/%s", golden->folder, name);
	return mp_test_read(path, size);
}

MpGolden *
mp_golden_open(const char *folder)
{
	MpGolden   *golden = calloc(1, sizeof(MpGolden));
	size_t		size;
	MpDoc		doc;
	MpError		error;

	snprintf(golden->folder, sizeof(golden->folder), "%s", folder);
	golden->meta_text = read_in(golden, "meta.json", &size);
	golden->rows_text = read_in(golden, "X.csv", &size);
	if (golden->rows_text == NULL)
		golden->rows_text = read_in(golden, "table.csv", &size);
	golden->expected_text = read_in(golden, "expected.csv", &size);
	if (golden->meta_text == NULL || golden->rows_text == NULL || golden->expected_text == NULL)
	{
		mp_golden_close(golden);
		return NULL;
	}
	mp_doc_open(&doc, &mp_doc_json, &mp_alloc_malloc, golden->meta_text,
				strlen(golden->meta_text), &error);
	read_meta(golden, &doc);
	mp_doc_close(&doc);
	golden->rows = read_table(golden->rows_text);
	golden->expected = read_table(golden->expected_text);
	golden->n_names = golden->rows->n_columns;
	golden->names = malloc(golden->n_names * sizeof(MpString));
	for (size_t i = 0; i < golden->n_names; i++)
		golden->names[i] = (MpString) {golden->rows->cells[i], strlen(golden->rows->cells[i])};
	return golden;
}

void
mp_golden_close(MpGolden *golden)
{
	for (size_t i = 0; i < golden->n_categories; i++)
	{
		MpGivenCategories *given = &golden->categories[i];

		for (size_t k = 0; k < given->n_labels; k++)
			free((char *) given->labels[k].data);
		free((MpString *) given->labels);
		free((double *) given->numbers);
		free((char *) given->feature.data);
	}
	free(golden->categories);
	free(golden->names);
	free_table(golden->rows);
	free_table(golden->expected);
	free(golden->rows_text);
	free(golden->expected_text);
	free(golden->meta_text);
	free(golden);
}

size_t
mp_golden_n_rows(const MpGolden *golden)
{
	/* of the large tables only the first rows were scored */
	return golden->rows->n_rows < golden->expected->n_rows ?
		golden->rows->n_rows : golden->expected->n_rows;
}

MpForest *
mp_golden_load(const MpGolden *golden, const char *format, MpError *error)
{
	MpLoadOptions options = {golden->best ? MP_TREES_BEST : MP_TREES_ALL};
	char		name[64];
	size_t		size;
	char	   *data;
	MpForest   *forest;

	mp_error_clear(error);
	snprintf(name, sizeof(name), "model.%s", format);
	data = read_in(golden, name, &size);
	if (data == NULL)
		return NULL;
	if (!golden->keeps_categories && golden->n_categories > 0)
	{
		options.categories = golden->categories;
		options.n_categories = golden->n_categories;
	}
	if (!mp_model_load(&mp_alloc_malloc, data, size, &options, &forest, NULL, error) &&
		error->code == MP_ERROR_OPTION)
	{
		/* no names in the file */
		options.feature_names = golden->names;
		options.n_feature_names = golden->n_names;
		mp_model_load(&mp_alloc_malloc, data, size, &options, &forest, NULL, error);
	}
	free(data);
	return forest;
}

/* --- rows --- */

static bool
read_category(const MpForest *forest, const MpFeature *feature, const char *cell, float *x)
{
	const MpCategory *categories = mp_forest_categories(forest, feature);
	char	   *end;
	double		number = strtod(cell, &end);
	bool		numeric = feature->numeric_categories && *end == '\0';

	for (uint32_t i = 0; i < feature->n_categories; i++)
	{
		if (numeric ? categories[i].number == number :
			mp_string_is(mp_forest_string(forest, categories[i].label, categories[i].label_length),
						 cell))
		{
			*x = (float) i;
			return true;
		}
	}
	return false;
}

bool
mp_golden_row(const MpGolden *golden, const MpForest *forest, size_t row, float *x)
{
	for (int32_t i = 0; i < forest->n_features; i++)
	{
		const MpFeature *feature = &mp_forest_features(forest)[i];
		int			column = i;
		const char *cell;

		if (forest->n_feature_names > 0)
			column = find_column(golden->rows,
								 mp_forest_string(forest, feature->name, feature->name_length));
		if (column < 0 || (size_t) column >= golden->rows->n_columns)
			return false;
		cell = cell_at(golden->rows, row, column);
		if (*cell == '\0')
			x[i] = NAN;
		else if (feature->n_categories == 0)
			x[i] = strtof(cell, NULL);
		else if (!read_category(forest, feature, cell, &x[i]))
			return false;
	}
	return true;
}

static bool
is_same(float a, float b)
{
	return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

/* Numbers `prefix`0, `prefix`1, ... of a row against those expected. */
static size_t
compare_numbers(const MpGolden *golden, const char *prefix, size_t row, const float *got,
				int n, char *first, size_t first_size)
{
	size_t		n_wrong = 0;
	int			n_expected = 0;
	size_t		length = strlen(prefix);

	for (size_t c = 0; c < golden->expected->n_columns; c++)
	{
		const char *name = golden->expected->cells[c];
		const char *cell = cell_at(golden->expected, row, c);
		float		expected = *cell == '\0' ? NAN : strtof(cell, NULL);
		int			k;

		if (strncmp(name, prefix, length) != 0)
			continue;
		n_expected++;
		k = atoi(name + length);
		if (k < n && is_same(got[k], expected))
			continue;
		if (n_wrong++ == 0 && *first == '\0')
			snprintf(first, first_size, "row %zu: %s is %.9g, expected %.9g", row + 1, name,
					 k < n ? got[k] : NAN, expected);
	}
	if (n_expected != n && n_wrong++ == 0 && *first == '\0')
		snprintf(first, first_size, "%d of %s, expected %d", n, prefix, n_expected);
	return n_wrong;
}

static bool
has_column(const MpGolden *golden, const char *name)
{
	return find_column(golden->expected, (MpString) {name, strlen(name)}) >= 0;
}

bool
mp_golden_expected(const MpGolden *golden, size_t row, const char *column, float *value)
{
	int			c = find_column(golden->expected, (MpString) {column, strlen(column)});

	if (c >= 0)
		*value = strtof(cell_at(golden->expected, row, c), NULL);
	return c >= 0;
}

/* Every kernel and batch over one forest, where the model is of a shape that they know. */
typedef struct Kernels
{
	void	   *image;
	MpKernel   *kernels[MP_KERNEL_AVX512 + 1];
	MpBatch    *batches[MP_KERNEL_AVX512 + 1];
} Kernels;

static bool
open_kernels(Kernels *k, const MpForest *forest)
{
	MpError		error;
	size_t		size;

	memset(k, 0, sizeof(*k));
	k->image = mp_kernel_compile(&mp_alloc_malloc, forest, &size, &error);
	if (k->image == NULL)
		return error.code == MP_OK;
	if (!mp_kernel_check(k->image, size, forest, &error))
		return false;
	for (int kind = MP_KERNEL_PORTABLE; kind <= MP_KERNEL_AVX512; kind++)
	{
		k->kernels[kind] = mp_kernel_open(&mp_alloc_malloc, k->image, forest, kind, &error);
		k->batches[kind] = mp_batch_open(&mp_alloc_malloc, k->kernels[kind], &error);
	}
	return true;
}

static bool
are_same(const float *a, const float *b, int n)
{
	bool		same = true;

	for (int i = 0; i < n; i++)
		same = same && is_same(a[i], b[i]);
	return same;
}

/* Kernels whose margins for x, by themselves or in batches, differ from those given. */
static size_t
compare_kernels(const Kernels *k, const MpForest *forest, size_t row, const float *x,
				const float *margin, char *first, size_t first_size)
{
	float	   *got = malloc((forest->n_outputs + 1) * sizeof(float));
	size_t		n_wrong = 0;

	for (int kind = 0; kind <= MP_KERNEL_AVX512; kind++)
	{
		bool		same;

		if (k->kernels[kind] == NULL)
			continue;
		mp_kernel_margin(k->kernels[kind], x, got);
		same = are_same(got, margin, forest->n_outputs);
		if (k->batches[kind] != NULL)
		{
			mp_batch_margin(k->batches[kind], x, 1, got);
			same = same && are_same(got, margin, forest->n_outputs);
		}
		if (!same && n_wrong++ == 0 && *first == '\0')
			snprintf(first, first_size, "row %zu: kernel %s differs", row + 1,
					 mp_kernel_kind_name(kind));
	}
	free(got);
	return n_wrong;
}

static void
close_kernels(Kernels *k)
{
	for (int kind = 0; kind <= MP_KERNEL_AVX512; kind++)
	{
		mp_batch_close(k->batches[kind]);
		mp_kernel_close(k->kernels[kind]);
	}
	free(k->image);
}

size_t
mp_golden_compare(const MpGolden *golden, const MpForest *forest, char *first, size_t first_size)
{
	int			n_predictions = mp_forest_n_predictions(forest);
	float	   *x = malloc(forest->n_features * sizeof(float));
	float	   *margin = malloc((forest->n_outputs + 1) * sizeof(float));
	float	   *prediction = malloc((forest->n_outputs + 1) * sizeof(float));
	int32_t    *leaf = malloc((forest->n_trees_used + 1) * sizeof(int32_t));
	float	   *leaf_numbers = malloc((forest->n_trees_used + 1) * sizeof(float));
	size_t		n_wrong = 0;
	Kernels		kernels;

	*first = '\0';
	if (!open_kernels(&kernels, forest))
	{
		snprintf(first, first_size, "kernels cannot be opened");
		n_wrong++;
	}
	for (size_t row = 0; row < mp_golden_n_rows(golden); row++)
	{
		if (!mp_golden_row(golden, forest, row, x))
		{
			snprintf(first, first_size, "row %zu does not fit the model", row + 1);
			n_wrong++;
			break;
		}
		mp_eval_margin(forest, x, margin);
		mp_predict_from_margin(forest, margin, prediction);
		n_wrong += compare_numbers(golden, "margin_", row, margin, forest->n_outputs,
								   first, first_size);
		n_wrong += compare_numbers(golden, "pred_", row, prediction, n_predictions,
								   first, first_size);
		n_wrong += compare_kernels(&kernels, forest, row, x, margin, first, first_size);
		if (!has_column(golden, "leaf_0"))
			continue;
		mp_eval_leaf(forest, x, leaf);
		for (int32_t t = 0; t < forest->n_trees_used; t++)
			leaf_numbers[t] = (float) leaf[t];
		n_wrong += compare_numbers(golden, "leaf_", row, leaf_numbers, forest->n_trees_used,
								   first, first_size);
	}
	close_kernels(&kernels);
	free(x);
	free(margin);
	free(prediction);
	free(leaf);
	free(leaf_numbers);
	return n_wrong;
}

int
mp_golden_walk(const char *path, void (*check) (const char *folder))
{
	struct dirent **entries;
	int			n = scandir(path, &entries, NULL, alphasort);
	int			n_found = 0;

	for (int i = 0; i < n; i++)
	{
		char		inner[1024];

		if (strcmp(entries[i]->d_name, "meta.json") == 0)
		{
			check(path);
			n_found++;
		}
		else if (entries[i]->d_name[0] != '.' && strchr(entries[i]->d_name, '.') == NULL)
		{
			snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
			n_found += mp_golden_walk(inner, check);
		}
		else if (strncmp(entries[i]->d_name, "xgboost-", 8) == 0)
		{
			snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
			n_found += mp_golden_walk(inner, check);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return n_found;
}
