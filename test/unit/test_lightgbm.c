/*
 * test_lightgbm.c: LightGBM's text format: a small model scored by hand, files
 * that are cut off at every line, and a wall of files with one fault each.
 */
#include "harness.h"
#include "core/forest/eval.h"
#include "core/forest/input.h"
#include "core/load/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER \
	"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n" \
	"max_feature_idx=2\nobjective=binary sigmoid:1\nfeature_names=a b_c d\n" \
	"feature_infos=[-1:1] [0:9] 0:1:2:40\ntree_sizes=1 1\n\n"
#define FIRST \
	"Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\nsplit_gain=2 1\n" \
	"threshold=0.5 1.0000000180025095e-35\ndecision_type=10 6\nleft_child=1 -1\n" \
	"right_child=-2 -3\nleaf_value=1 2 4\nleaf_weight=1 1 1\nleaf_count=5 6 7\n" \
	"internal_value=0 0\ninternal_weight=0 0\ninternal_count=18 12\nis_linear=0\nshrinkage=1\n\n\n"
#define SECOND \
	"Tree=1\nnum_leaves=2\nnum_cat=1\nsplit_feature=2\nsplit_gain=1\nthreshold=0\n" \
	"decision_type=1\nleft_child=-1\nright_child=-2\nleaf_value=0.25 0.5\nleaf_weight=1 1\n" \
	"leaf_count=9 9\ninternal_value=0\ninternal_weight=0\ninternal_count=18\n" \
	"cat_boundaries=0 2\ncat_threshold=2 256\nis_linear=0\nshrinkage=0.1\n\n\n"
#define TAIL "end of trees\n\nfeature_importances:\na=1\n\nparameters:\n[boosting: gbdt]\n\nend of parameters\n\npandas_categorical:null\n"

static const char model[] = HEADER FIRST SECOND TAIL;

static MpForest *
load(const char *text, size_t size, MpError *error)
{
	MpForest   *forest;

	mp_error_clear(error);
	return mp_model_load(&mp_alloc_malloc, text, size, NULL, &forest, NULL, error) ? forest : NULL;
}

static double
margin_of(const MpForest *forest, double a, double b, double d)
{
	double		x[3] = {a, b, d};
	double		margin;

	mp_forest_prepare(forest, x);
	mp_eval_margin_double(forest, x, &margin);
	return margin;
}

MP_TEST(lightgbm_scores)
{
	MpError		error;
	MpForest   *f = load(model, sizeof(model) - 1, &error);

	REQUIRE(f != NULL);
	CHECK(f->library == MP_LIBRARY_LIGHTGBM && f->precision == MP_PRECISION_DOUBLE);
	CHECK(f->task == MP_TASK_TWO_CLASSES && f->link == MP_LINK_LOGISTIC);
	/* x <= t goes left; NaN goes where the split says */
	CHECK(margin_of(f, 0.5, 1, 1) == 4 + 0.25);
	CHECK(margin_of(f, nextafter(0.5, 1), 1, 1) == 2 + 0.25);
	CHECK(margin_of(f, NAN, 1, 1) == 4 + 0.25);
	/* of the second split 0, what is nearly 0, and NaN are missing: left */
	CHECK(margin_of(f, 0, 0, 1) == 1 + 0.25);
	CHECK(margin_of(f, 0, 1e-36, 1) == 1 + 0.25);
	CHECK(margin_of(f, 0, NAN, 1) == 1 + 0.25);
	CHECK(margin_of(f, 0, -1, 1) == 1 + 0.25);
	/* codes 1 and 40 go left; fractions are cut off */
	CHECK(margin_of(f, 0, 0, 40) == 1 + 0.25);
	CHECK(margin_of(f, 0, 0, 1.9) == 1 + 0.25);
	CHECK(margin_of(f, 0, 0, 0) == 1 + 0.5);
	CHECK(margin_of(f, 0, 0, -0.5) == 1 + 0.5);
	CHECK(margin_of(f, 0, 0, -1) == 1 + 0.5);
	CHECK(margin_of(f, 0, 0, 1e9) == 1 + 0.5);
	CHECK(margin_of(f, 0, 0, NAN) == 1 + 0.5);
	free(f);
}

/* What is cut off before its trees end is no model; line ends of Windows are fine. */
MP_TEST(lightgbm_cut_off)
{
	size_t		trees_end = sizeof(HEADER FIRST SECOND) - 1;
	size_t		parameters = (size_t) (strstr(model, "parameters:\n[") - model);
	size_t		end = (size_t) (strstr(model, "end of parameters") - model);
	char	   *windows = malloc(2 * sizeof(model));
	size_t		n = 0;
	MpError		error;
	MpForest   *f;

	for (size_t i = 1; i < sizeof(model) - 1; i++)
	{
		if (model[i - 1] != '\n')
			continue;
		f = load(model, i, &error);
		CHECK((f != NULL) == (i > trees_end && (i <= parameters || i > end)));
		free(f);
	}
	for (size_t i = 0; i < sizeof(model) - 1; i++)
	{
		if (model[i] == '\n')
			windows[n++] = '\r';
		windows[n++] = model[i];
	}
	f = load(windows, n, &error);
	CHECK(f != NULL);
	free(f);
	free(windows);
}

typedef struct Fault
{
	const char *from;
	const char *to;
	const char *message;
} Fault;

static const Fault faults[] = {
	{"version=v4", "version=v5", "unknown version \"v5\""},
	{"version=v4\n", "", "line \"version\" is missing"},
	{"num_class=1\n", "", "line \"num_class\" is missing"},
	{"num_class=1\n", "num_class=1\nnum_class=1\n", "\"num_class\" comes twice"},
	{"num_class=1", "num_class=0", "expected \"num_class\" to be a number from 1"},
	{"num_class=1", "num_class=x", "expected \"num_class\" to be a number from 1"},
	{"num_class=1", "num_class=3", "1 trees in a round of 3 classes"},
	{"num_tree_per_iteration=1", "num_tree_per_iteration=2000000000", "from 1 to 100000"},
	{"max_feature_idx=2\n", "", "line \"max_feature_idx\" is missing"},
	{"max_feature_idx=2", "max_feature_idx=-1", "expected \"max_feature_idx\""},
	{"max_feature_idx=2", "max_feature_idx=499999999", "expected \"max_feature_idx\""},
	{"max_feature_idx=2", "max_feature_idx=3", "expected 4 feature names"},
	{"feature_names=a b_c d\n", "", "line \"feature_names\" is missing"},
	{"feature_names=a b_c d", "feature_names=a b_c a", "feature name \"a\" comes twice"},
	{"feature_names=a b_c d", "feature_names=a b_c \xff", "not UTF-8"},
	{"feature_infos=[-1:1] [0:9]", "feature_infos=[-1:1]", "expected 3 elements in \"feature_infos\""},
	{"tree_sizes=1 1", "tree_sizes=1 1 1", "expected 3 trees"},
	{"objective=binary", "objective=magic", "unknown objective \"magic\""},
	{"sigmoid:1", "sigmoid:x", "unknown part \"sigmoid:x\""},
	{"sigmoid:1", "sigmoid:-1", "unknown part"},
	{"sigmoid:1", "sqrt", "unknown part \"sqrt\""},
	{"label_index", "label_indices", "unknown line \"label_indices\" in the header"},
	{"num_leaves=3\n", "", "does not say how many leaves"},
	{"num_leaves=3", "num_leaves=0", "does not say how many leaves"},
	{"num_leaves=3", "num_leaves=-3", "expected \"num_leaves\""},
	{"num_leaves=3", "num_leaves=4", "expected 4 elements in \"leaf_value\""},
	{"num_leaves=3", "num_leaves=2000000000", "expected \"num_leaves\""},
	{"num_leaves=3", "num_leaves=3\nnum_leaves=3", "\"num_leaves\" comes twice"},
	{"leaf_value=1 2 4", "leaf_value=1 2", "expected 3 elements in \"leaf_value\", not 2"},
	{"leaf_value=1 2 4", "leaf_value=1 nan 4", "\"leaf_value\" holds \"nan\""},
	{"leaf_value=1 2 4", "leaf_value=1 inf 4", "not a finite number"},
	{"leaf_value=1 2 4", "leaf_value=1,2,4", "no number for it"},
	{"leaf_value=1 2 4\n", "", "line \"leaf_value\" is missing"},
	{"split_feature=0 1\n", "", "line \"split_feature\" is missing"},
	{"split_feature=0 1", "split_feature=0 3", "split by feature 3 of 3"},
	{"split_feature=0 1", "split_feature=0 -1", "split by feature -1 of 3"},
	{"split_feature=0 1", "split_feature=0 4294967296", "no number for it"},
	{"split_feature=0 1", "split_feature=0", "expected 2 elements in \"split_feature\""},
	{"split_feature=0 1", "split_feature=0 2", "is split by number and by category"},
	{"threshold=0.5 ", "threshold=nan ", "\"threshold\" holds \"nan\""},
	{"threshold=0.5 ", "threshold=1e999 ", "no number for it"},
	{"threshold=0.5 1.0000000180025095e-35", "threshold=inf 1.7976931348623157e308", "thresholds inf and"},
	{"threshold=0.5 1.0000000180025095e-35\n", "", "line \"threshold\" is missing"},
	{"decision_type=10 6", "decision_type=10 12", "unknown decision type 12"},
	{"decision_type=10 6", "decision_type=10 -1", "unknown decision type -1"},
	{"decision_type=10 6", "decision_type=10", "expected 2 elements in \"decision_type\""},
	{"decision_type=10 6", "decision_type=11 6", "category set 0.5 of 0"},
	{"left_child=1 -1", "left_child=1 -1 -1", "expected 2 elements in \"left_child\""},
	{"left_child=1 -1", "left_child=2 -1", "child 2 in a tree of 3 leaves"},
	{"left_child=1 -1", "left_child=1 -4", "child -4 in a tree of 3 leaves"},
	{"left_child=1 -1", "left_child=1 -2147483648", "child -2147483648"},
	{"left_child=1 -1", "left_child=0 -1", "the root is the child of a split"},
	{"left_child=1 -1", "left_child=1 -2", "child -2 has two parents"},
	{"left_child=1 -1", "left_child=1 1", "child 1 has two parents"},
	{"left_child=1 -1\nright_child=-2 -3", "left_child=-1 1\nright_child=-2 -3", "form a circle"},
	{"internal_count=18 12", "internal_count=18", "expected 2 elements in \"internal_count\""},
	{"leaf_count=5 6 7", "leaf_count=5 -6 7", "no number for it"},
	{"leaf_count=5 6 7", "leaf_count=5 6 7 8", "expected 3 elements in \"leaf_count\""},
	{"split_gain=2 1", "split_gain=2 x", "\"split_gain\" holds \"x\""},
	{"is_linear=0", "is_linear=2", "expected \"is_linear\""},
	{"is_linear=0", "is_linear=1", "linear leaves without"},
	{"is_linear=0", "is_linear=1\nleaf_const=1 2 3\nnum_features=0 0 1\nleaf_features=3\nleaf_coeff=1",
		"linear leaf with feature 3 of 3"},
	{"is_linear=0", "is_linear=1\nleaf_const=1 2 3\nnum_features=0 0 2\nleaf_features=1\nleaf_coeff=1",
		"expected 2 features and coefficients"},
	{"is_linear=0", "is_linear=1\nleaf_const=1 2 3\nnum_features=0 -1 1\nleaf_features=\nleaf_coeff=",
		"linear leaf of -1 features"},
	{"shrinkage=1", "shrinking=1", "unknown line \"shrinking\" in a tree"},
	{"\n\n\nTree=1", "\n\nSapling=1", "expected a tree, not"},
	{"cat_boundaries=0 2", "cat_boundaries=0 3", "category sets from word 0 to 3 of 2"},
	{"cat_boundaries=0 2", "cat_boundaries=1 2", "category sets from word 1"},
	{"cat_boundaries=0 2", "cat_boundaries=0 1 2", "expected 2 elements in \"cat_boundaries\""},
	{"cat_boundaries=0 2\n", "", "splits by category without"},
	{"num_cat=1", "num_cat=2", "expected 3 elements in \"cat_boundaries\""},
	{"num_cat=1", "num_cat=0", "category set 0 of 0"},
	{"threshold=0\n", "threshold=1\n", "category set 1 of 1"},
	{"threshold=0\n", "threshold=-1\n", "category set -1 of 1"},
	{"cat_threshold=2 256", "cat_threshold=2 4294967296", "no number for it"},
	{"pandas_categorical:null", "pandas_categorical:[[\"x\"]]", "without saying for which features"},
	{"pandas_categorical:null", "pandas_categorical:[[\"x\"", "not the end of the file"},
	{"pandas_categorical:null", "pandas_categorical:[[{}]]", "expected a text or a number"},
};

MP_TEST(lightgbm_faults)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
	{
		const Fault *fault = &faults[i];
		const char *at = strstr(model, fault->from);
		char	   *text = malloc(sizeof(model) + strlen(fault->to));
		MpForest   *f;
		MpError		error;

		REQUIRE(at != NULL);
		sprintf(text, "%.*s%s%s", (int) (at - model), model, fault->to, at + strlen(fault->from));
		f = load(text, strlen(text), &error);
		CHECK(f == NULL && strstr(error.message, fault->message) != NULL);
		if (f != NULL || strstr(error.message, fault->message) == NULL)
			printf("fault %zu (%s): %s\n", i, fault->message, f != NULL ? "none" : error.message);
		free(f);
		free(text);
	}
}
