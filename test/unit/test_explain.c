/*
 * test_explain.c: contributions, interactions, importance and dumps of the
 * models of test/data/models against what XGBoost said of them.
 */
#include "golden.h"
#include "harness.h"
#include "core/forest/dump.h"
#include "core/forest/eval.h"
#include "core/forest/importance.h"
#include "core/shap/shap_interactions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* how far from XGBoost's, which is rounded at every step */
#define TOLERANCE(largest) (1e-4 * (largest) + 1e-5)

static int	n_checked;

static char *
read_text(const char *folder, const char *name)
{
	char		path[1100];
	size_t		size;
	char	   *data;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	data = mp_test_read(path, &size);
	if (data != NULL)
	{
		data = realloc(data, size + 1);
		data[size] = '\0';
	}
	return data;
}

/* One output's contributions of a row: near the expected ones, and their sum the margin. */
static void
check_contribs(const MpGolden *golden, size_t row, int first_column, const float *contribs,
			   int width, float margin)
{
	double		largest = 0;
	double		furthest = 0;
	double		sum = 0;

	for (int i = 0; i < width; i++)
	{
		char		column[32];
		float		expected;

		snprintf(column, sizeof(column), "contrib_%d", first_column + i);
		REQUIRE(mp_golden_expected(golden, row, column, &expected));
		largest = fmax(largest, fabs(expected));
		furthest = fmax(furthest, fabs(expected - contribs[i]));
		CHECK(isfinite(contribs[i]));
		sum += contribs[i];
	}
	CHECK_SAY(furthest <= TOLERANCE(largest), "%s row %zu: off by %g of %g",
			  golden->folder, row + 1, furthest, largest);
	CHECK_SAY(fabs(sum - margin) <= TOLERANCE(largest), "%s row %zu: sum %g, margin %g",
			  golden->folder, row + 1, sum, margin);
}

static void
check_contribs_of(const MpGolden *golden, const MpForest *forest, MpShap *shap)
{
	int			width = forest->n_features + 1;
	float	   *x = malloc(width * sizeof(float));
	float	   *margin = malloc(forest->n_outputs * sizeof(float));
	float	   *contribs = malloc(forest->n_outputs * width * sizeof(float));

	for (size_t row = 0; row < mp_golden_n_rows(golden); row++)
	{
		mp_golden_row(golden, forest, row, x);
		mp_eval_margin(forest, x, margin);
		mp_shap_contribs(shap, x, contribs);
		for (int k = 0; k < forest->n_outputs; k++)
			check_contribs(golden, row, k * width, contribs + k * width, width, margin[k]);
	}
	n_checked++;
	free(x);
	free(margin);
	free(contribs);
}

static void
check_interactions_of(const MpGolden *golden, const MpForest *forest, MpShap *shap)
{
	char	   *text = read_text(golden->folder, "interactions.csv");
	char	   *at = text;
	size_t		square = (size_t) (forest->n_features + 1) * (forest->n_features + 1);
	float	   *x = malloc(forest->n_features * sizeof(float));
	float	   *matrix = malloc(forest->n_outputs * square * sizeof(float));
	MpError		error;

	for (size_t row = 0; text != NULL && *at != '\0'; row++)
	{
		mp_golden_row(golden, forest, row, x);
		CHECK(mp_shap_interactions(shap, x, matrix, &error));
		for (int k = 0; k < forest->n_outputs; k++)
		{
			double		largest = 0;
			double		furthest = 0;

			for (size_t i = 0; i < square; i++)
			{
				double		expected = strtod(at, &at);

				if (i < square - 1)
					largest = fmax(largest, fabs(expected));
				furthest = fmax(furthest, fabs(expected - matrix[k * square + i]));
				at += *at != '\0';	/* the comma or the end of the line */
			}
			CHECK_SAY(furthest <= TOLERANCE(largest), "%s row %zu: off by %g of %g",
					  golden->folder, row + 1, furthest, largest);
		}
		n_checked += row == 0;
	}
	free(text);
	free(x);
	free(matrix);
}

static void
each_format(const char *folder, void (*check) (const MpGolden *, const MpForest *, MpShap *))
{
	static const char *const formats[] = {"ubj", "json", "deprecated"};
	MpGolden   *golden = mp_golden_open(folder);

	REQUIRE(golden != NULL);
	for (int i = 0; i < 3; i++)
	{
		MpError		error;
		MpForest   *forest = mp_golden_load(golden, formats[i], &error);
		MpShap	   *shap;

		if (forest == NULL)
			continue;
		shap = mp_shap_open(&mp_alloc_malloc, forest, &error);
		if (shap != NULL)
		{
			check(golden, forest, shap);
			mp_shap_close(shap);
		}
		else
			CHECK(forest->vector_leaf && forest->version[0] < 3);
		free(forest);
	}
	mp_golden_close(golden);
}

static void
contribs_of_folder(const char *folder)
{
	/* XGBoost was not asked for those of vector leaves */
	if (strstr(folder, "vector-leaf") == NULL)
		each_format(folder, check_contribs_of);
}

static void
interactions_of_folder(const char *folder)
{
	each_format(folder, check_interactions_of);
}

MP_TEST(explain_contribs_as_xgboost)
{
	n_checked = 0;
	mp_golden_walk(mp_test_models(), contribs_of_folder);
	CHECK(n_checked > 100);
}

MP_TEST(explain_interactions_as_xgboost)
{
	n_checked = 0;
	mp_golden_walk(mp_test_models(), interactions_of_folder);
	CHECK(n_checked > 10);
}

static bool
same_number(float got, float expected)
{
	return got == expected || (isnan(got) && isnan(expected));
}

static void
check_importance_of(const MpGolden *golden, const MpForest *forest, MpShap *shap)
{
	char	   *text = read_text(golden->folder, "importance.csv");
	char	   *at = text;
	MpImportance *got = malloc(forest->n_features * sizeof(MpImportance));
	int			n_splits = 0;
	MpError		error;

	if (text == NULL)
	{
		free(got);
		return;
	}
	REQUIRE(mp_forest_importance(&mp_alloc_malloc, forest, got, &error));
	at = strchr(text, '\n') + 1;
	while (*at != '\0')
	{
		MpImportance *one = &got[strtol(at, &at, 10)];
		const float *fields = (const float *) one;

		/* the columns are the struct's */
		for (int i = 0; i < 5; i++)
		{
			float		expected = *at == ',' ? strtof(at + 1, &at) : NAN;

			CHECK_SAY(same_number(fields[i], expected), "%s column %d: %.9g, not %.9g",
					  golden->folder, i + 1, fields[i], expected);
		}
		at += *at == '\n';
		one->weight = 0;
	}
	for (int i = 0; i < forest->n_features; i++)
		n_splits += got[i].weight != 0;
	CHECK(n_splits == 0);
	n_checked++;
	free(text);
	free(got);
}

static void
importance_of_folder(const char *folder)
{
	each_format(folder, check_importance_of);
}

MP_TEST(explain_importance_as_xgboost)
{
	n_checked = 0;
	mp_golden_walk(mp_test_models(), importance_of_folder);
	CHECK(n_checked > 10);
}

static bool
starts_number(const char *at)
{
	return (*at >= '0' && *at <= '9') || (*at == '-' && at[1] >= '0' && at[1] <= '9');
}

/* The same text, but for how a float32 is written. */
static bool
same_text(const char *got, const char *expected)
{
	while (*got != '\0' || *expected != '\0')
	{
		if (starts_number(got) && starts_number(expected))
		{
			if (strtof(got, (char **) &got) != strtof(expected, (char **) &expected))
				return false;
		}
		else if (*got++ != *expected++)
			return false;
	}
	return true;
}

static void
check_dump_of(const MpGolden *golden, const MpForest *forest, MpShap *shap)
{
	char	   *text = read_text(golden->folder, "dump.txt");
	MpVec		out = {&mp_alloc_malloc};
	bool		ok = true;

	/* the old binary format keeps no names for the conditions */
	if (text != NULL)
	{
		for (int t = 0; ok && t < 2; t++)
			ok = mp_text_format(&out, "tree %d\n", t) && mp_tree_text(forest, t, &out);
		CHECK(ok && mp_text_add(&out, "") && mp_vec_add(&out, 1) != NULL);
		((char *) out.data)[out.size - 1] = '\0';
		CHECK_SAY(same_text(out.data, text), "%s: dump differs", golden->folder);
		n_checked++;
	}
	mp_vec_release(&out);
	free(text);
}

static void
dump_of_folder(const char *folder)
{
	each_format(folder, check_dump_of);
}

MP_TEST(explain_dump_as_xgboost)
{
	n_checked = 0;
	mp_golden_walk(mp_test_models(), dump_of_folder);
	CHECK(n_checked > 8);
}
