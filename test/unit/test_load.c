/*
 * test_load.c: what a loaded model says of itself, and the options that answer
 * what the file leaves open.
 */
#include "craft.h"
#include "core/forest/eval.h"
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) {literal, sizeof(literal) - 1}
#define ATTRIBUTES "learner.attributes"
#define FIVE_ROUNDS \
	"\"trees\":[" STUMP("0") "," STUMP("1") "," STUMP("2") "," STUMP("3") "," STUMP("4") "]"
#define STUMP(id) \
	"{\"base_weights\":[0E0],\"default_left\":[0],\"id\":" id ",\"left_children\":[-1]," \
	"\"loss_changes\":[0E0],\"parents\":[2147483647],\"right_children\":[-1]," \
	"\"split_conditions\":[7E-1],\"split_indices\":[0],\"sum_hessian\":[1E1]," \
	"\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"1\",\"num_nodes\":\"1\"," \
	"\"size_leaf_vector\":\"0\"}}"

/* a model of single leaves: parameters of the booster, outputs of the trees, attributes, classes */
#define SMALL(param, info, attributes, classes) \
	"{\"learner\":{\"attributes\":{" attributes "},\"gradient_booster\":{\"model\":{" \
	"\"gbtree_model_param\":{" param "\"num_trees\":\"5\"},\"tree_info\":" info "," FIVE_ROUNDS \
	"},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"0.500000\"," \
	"\"num_class\":\"" classes "\",\"num_feature\":\"1\"}," \
	"\"objective\":{\"name\":\"reg:squarederror\"}},\"version\":[1,3,3]}"

static MpOutcome
load(const char *json, const MpLoadOptions *options)
{
	return mp_craft_load(json, strlen(json), options, 0);
}

/* Loads with the option and expects these rounds and trees to count. */
static void
expect_rounds(const char *json, MpTreesOption trees, int n_rounds, int n_rounds_used,
			  int n_trees_used)
{
	MpLoadOptions options = {trees};
	MpOutcome	outcome = load(json, &options);
	const MpForest *f = outcome.forest;

	CHECK_SAY(f != NULL, "%s", outcome.error.message);
	if (f == NULL)
		return;
	CHECK_SAY(f->n_rounds == n_rounds && f->n_rounds_used == n_rounds_used &&
			  f->n_trees_used == n_trees_used && f->n_trees == 5,
			  "rounds %d, used %d, trees used %d", f->n_rounds, f->n_rounds_used, f->n_trees_used);
	mp_craft_check(&outcome, strlen(json), "rounds");
}

static void
expect_error(const char *json, const MpLoadOptions *options, MpErrorCode code, const char *message)
{
	MpOutcome	outcome = load(json, options);

	CHECK_SAY(outcome.error.code == code && strstr(outcome.error.message, message) != NULL,
			  "\"%s\" (code %d), expected \"%s\"", outcome.error.message, outcome.error.code,
			  message);
	mp_craft_check(&outcome, strlen(json), message);
}

MP_TEST(load_rounds)
{
	const char *plain = SMALL("", "[0,0,0,0,0]", "", "0");
	const char *forest = SMALL("\"num_parallel_tree\":\"5\",", "[0,0,0,0,0]", "", "0");
	const char *best = SMALL("", "[0,0,0,0,0]", "\"best_iteration\":\"2\"", "0");
	const char *last = SMALL("", "[0,0,0,0,0]", "\"best_iteration\":\"4\"", "0");
	const char *beyond = SMALL("", "[0,0,0,0,0]", "\"best_iteration\":\"5\"", "0");
	const char *python = SMALL("", "[0,0,0,0,0]",
							   "\"best_iteration\":\"2\",\"scikit_learn\":\"{}\"", "0");
	MpLoadOptions automatic = {MP_TREES_AUTO};
	MpLoadOptions to_best = {MP_TREES_BEST};

	expect_rounds(plain, MP_TREES_AUTO, 5, 5, 5);
	expect_rounds(plain, MP_TREES_ALL, 5, 5, 5);
	expect_error(plain, &to_best, MP_ERROR_OPTION, "no best_iteration");
	expect_rounds(forest, MP_TREES_AUTO, 1, 1, 5);
	expect_rounds(best, MP_TREES_ALL, 5, 5, 5);
	expect_rounds(best, MP_TREES_BEST, 5, 3, 3);
	expect_error(best, &automatic, MP_ERROR_AMBIGUOUS, "5 rounds and best_iteration 2");
	expect_rounds(python, MP_TREES_AUTO, 5, 3, 3);
	expect_rounds(python, MP_TREES_ALL, 5, 5, 5);
	expect_rounds(last, MP_TREES_AUTO, 5, 5, 5);
	expect_rounds(last, MP_TREES_BEST, 5, 5, 5);
	expect_rounds(beyond, MP_TREES_ALL, 5, 5, 5);
	expect_error(beyond, &automatic, MP_ERROR_AMBIGUOUS,
				 "best_iteration is 5 in a model of 5 rounds");
	expect_error(beyond, &to_best, MP_ERROR_OPTION, "best_iteration is 5");
}

/* Files from before 1.4 do not hold the number of parallel trees. */
MP_TEST(load_rounds_of_old_forests)
{
	expect_rounds(SMALL("", "[0,0,0,0,0]",
						"\"best_iteration\":\"0\",\"best_ntree_limit\":\"5\"", "0"),
				  MP_TREES_BEST, 1, 1, 5);
	expect_rounds(SMALL("", "[0,0,0,0,0]",
						"\"best_iteration\":\"1\",\"best_ntree_limit\":\"2\"", "0"),
				  MP_TREES_BEST, 5, 2, 2);
	/* outputs without trees do not count, as with XGBoost */
	expect_rounds(SMALL("", "[0,0,0,0,0]", "\"best_iteration\":\"1\"", "3"),
				  MP_TREES_BEST, 5, 2, 2);
	expect_error(SMALL("", "[0,1,0,1,0]", "", "2"), NULL, MP_ERROR_INVALID,
				 "5 trees are no whole rounds of 2");
}

MP_TEST(load_missing_of_scikit_learn)
{
	static const struct
	{
		const char *attribute;
		bool		has_missing;
		float		missing;
	}			cases[] = {
		{"{}", false, 0},
		{"{\\\"missing\\\": NaN}", false, 0},
		{"{\\\"missing\\\": null}", false, 0},
		{"{\\\"missing\\\": -999.0, \\\"n\\\": {\\\"a\\\": [1]}}", true, -999},
		{"{\\\"n\\\": 5, \\\"missing\\\": 0}", true, 0},
		{"{\\\"missing\\\": \\\"x\\\"}", false, 0},
		{"not json", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		char		text[200];
		MpBlob		blob;
		MpOutcome	outcome;

		snprintf(text, sizeof(text), "\"scikit_learn\":\"%s\"", cases[i].attribute);
		blob = mp_craft_edit(mp_craft_trees, ATTRIBUTES "+", text);
		outcome = mp_craft_load(blob.data, blob.size, NULL, 0);
		CHECK_SAY(outcome.forest != NULL, "%s", outcome.error.message);
		CHECK(outcome.info.has_scikit_learn);
		CHECK_SAY(outcome.info.has_missing == cases[i].has_missing &&
				  (!cases[i].has_missing || outcome.info.missing == cases[i].missing),
				  "%s", cases[i].attribute);
		mp_craft_check(&outcome, blob.size, "scikit_learn");
		mp_blob_free(&blob);
	}
}

MP_TEST(load_header)
{
	MpOutcome	outcome = load(mp_craft_trees, NULL);
	const MpForest *f = outcome.forest;
	const MpFeature *features;
	const MpCategory *category;

	REQUIRE(f != NULL);
	CHECK(f->source == MP_FORMAT_JSON && f->booster == MP_BOOSTER_GBTREE);
	CHECK(f->link == MP_LINK_LOGISTIC && f->task == MP_TASK_TWO_CLASSES);
	CHECK(mp_string_is(mp_forest_objective(f), "binary:logistic"));
	CHECK(f->library == MP_LIBRARY_XGBOOST && f->precision == MP_PRECISION_SINGLE);
	CHECK(f->n_features == 3 && f->n_outputs == 1);
	CHECK(f->version[0] == 3 && f->version[1] == 4 && f->version[2] == 1);
	CHECK(f->has_categorical && f->has_stats && !f->vector_leaf && f->best_iteration == -1);
	CHECK(f->n_feature_names == 3 && mp_forest_base(f)[0] == 0.0f);
	features = mp_forest_features(f);
	CHECK(mp_string_is(mp_forest_string(f, features[2].name, features[2].name_length), "c"));
	CHECK(features[0].type == MP_FEATURE_FLOAT && features[1].type == MP_FEATURE_INTEGER &&
		  features[2].type == MP_FEATURE_CATEGORICAL);
	CHECK(features[0].n_categories == 0 && features[2].n_categories == 4 &&
		  !features[2].numeric_categories);
	category = mp_forest_categories(f, &features[2]) + 2;
	CHECK(mp_string_is(mp_forest_string(f, category->label, category->label_length), "blue"));
	mp_craft_check(&outcome, strlen(mp_craft_trees), "header");

	/* whole numbers as categories */
	{
		MpBlob		blob = mp_craft_edit(mp_craft_trees,
										 "learner.gradient_booster.model.cats.enc[2]",
										 "{\"type\":15,\"values\":[30,-10,20,5]}");

		outcome = mp_craft_load(blob.data, blob.size, NULL, 0);
		REQUIRE(outcome.forest != NULL);
		features = mp_forest_features(outcome.forest);
		category = mp_forest_categories(outcome.forest, &features[2]) + 1;
		CHECK(features[2].numeric_categories && category->number == -10);
		CHECK(mp_string_is(mp_forest_string(outcome.forest, category->label,
											category->label_length), "-10"));
		mp_craft_check(&outcome, blob.size, "numbers");
		mp_blob_free(&blob);
	}
}

MP_TEST(load_given_names)
{
	static const MpString two[] = {TEXT("a"), TEXT("b")};
	static const MpString twice[] = {TEXT("a"), TEXT("a")};
	static const MpString broken[] = {TEXT("a"), TEXT("\xff")};
	static const MpString three[] = {TEXT("n0"), TEXT("n1"), TEXT("c")};
	static const MpString other[] = {TEXT("n0"), TEXT("c"), TEXT("n1")};
	MpLoadOptions options = {.trees = MP_TREES_ALL, .feature_names = two, .n_feature_names = 2};
	MpOutcome	outcome = load(mp_craft_dart, &options);

	REQUIRE(outcome.forest != NULL);
	CHECK(outcome.forest->n_feature_names == 2);
	mp_craft_check(&outcome, strlen(mp_craft_dart), "names");

	options.feature_names = twice;
	expect_error(mp_craft_dart, &options, MP_ERROR_OPTION, "feature name \"a\" comes twice");
	options.feature_names = broken;
	expect_error(mp_craft_dart, &options, MP_ERROR_OPTION, "feature name 2 is not UTF-8");
	options.n_feature_names = 1;
	expect_error(mp_craft_dart, &options, MP_ERROR_OPTION, "expected 2 feature names");

	options.feature_names = three;
	options.n_feature_names = 3;
	outcome = load(mp_craft_trees, &options);
	CHECK(outcome.forest != NULL);
	mp_craft_check(&outcome, strlen(mp_craft_trees), "the same names");
	options.feature_names = other;
	expect_error(mp_craft_trees, &options, MP_ERROR_OPTION,
				 "feature 2 is \"n1\" in the model, not \"c\"");
}

MP_TEST(load_given_categories)
{
	static const MpString labels[] = {TEXT("10"), TEXT("9"), TEXT("8"), TEXT("7"), TEXT("1e1x")};
	static const MpString equal[] = {TEXT("1"), TEXT("2"), TEXT("3"), TEXT("1.0")};
	static const MpString twice[] = {TEXT("x"), TEXT("x"), TEXT("y"), TEXT("z")};
	static const MpString own[] = {TEXT("red"), TEXT("green"), TEXT("blue"), TEXT("gold")};
	MpGivenCategories given = {TEXT("c"), labels, NULL, 4};
	MpLoadOptions options = {.trees = MP_TREES_ALL, .categories = &given, .n_categories = 1};
	MpBlob		blob = mp_craft_edit(mp_craft_trees, "learner.gradient_booster.model.cats",
									 "{\"enc\":[],\"feature_segments\":[],\"sorted_idx\":[]}");
	MpOutcome	outcome = mp_craft_load(blob.data, blob.size, &options, 0);
	const MpFeature *feature;

	REQUIRE(outcome.forest != NULL);
	feature = &mp_forest_features(outcome.forest)[2];
	CHECK(feature->n_categories == 4 && feature->numeric_categories);
	CHECK(mp_forest_categories(outcome.forest, feature)[1].number == 9);
	mp_craft_check(&outcome, blob.size, "categories");

	given.n_labels = 5;
	outcome = mp_craft_load(blob.data, blob.size, &options, 0);
	CHECK(outcome.forest != NULL && !mp_forest_features(outcome.forest)[2].numeric_categories);
	mp_craft_check(&outcome, blob.size, "text categories");

	/* two labels of one number cannot be told apart by value */
	given.labels = equal;
	given.n_labels = 4;
	outcome = mp_craft_load(blob.data, blob.size, &options, 0);
	CHECK(outcome.forest != NULL && !mp_forest_features(outcome.forest)[2].numeric_categories);
	mp_craft_check(&outcome, blob.size, "equal numbers");

	given.labels = twice;
	expect_error(blob.data, &options, MP_ERROR_INVALID, "category \"x\" comes twice in feature 3");
	given.n_labels = 0;
	expect_error(blob.data, &options, MP_ERROR_OPTION, "expected 1 to 16777216 categories");
	given.labels = labels;
	given.n_labels = 3;
	expect_error(blob.data, &options, MP_ERROR_OPTION,
				 "the categories given for feature \"c\" end before code 3,");
	given.n_labels = 4;
	given.feature = (MpString) TEXT("n0");
	expect_error(blob.data, &options, MP_ERROR_OPTION, "feature \"n0\", which is not categorical");
	given.feature = (MpString) TEXT("nobody");
	expect_error(blob.data, &options, MP_ERROR_OPTION, "\"nobody\", which is no feature");
	given.feature = (MpString) TEXT("c");
	expect_error(mp_craft_trees, &options, MP_ERROR_OPTION,
				 "the model holds other categories for feature \"c\"");
	given.labels = own;
	outcome = load(mp_craft_trees, &options);
	CHECK(outcome.forest != NULL && mp_forest_features(outcome.forest)[2].n_categories == 4);
	mp_craft_check(&outcome, strlen(mp_craft_trees), "the same categories");
	given.n_labels = 3;
	expect_error(mp_craft_trees, &options, MP_ERROR_OPTION,
				 "the model holds other categories for feature \"c\"");
	mp_blob_free(&blob);
}

/* The largest code of a set is found in bits and in lists. */
MP_TEST(load_category_codes_beyond_labels)
{
	static const struct
	{
		const char *codes;
		const char *count;
		const char *largest;	/* NULL: four labels are enough */
	}			cases[] = {
		{"[0]", "1", NULL},
		{"[0,3]", "2", NULL},
		{"[4]", "1", "code 4,"},
		{"[30,31]", "2", "code 31,"},
		{"[31,32]", "2", "code 32,"},
		{"[5,70,16777215]", "3", "code 16777215,"},
	};
	static const MpString labels[] = {TEXT("q"), TEXT("r"), TEXT("s"), TEXT("t")};
	MpGivenCategories given = {TEXT("c"), labels, NULL, 4};
	MpLoadOptions options = {.trees = MP_TREES_ALL, .categories = &given, .n_categories = 1};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		MpBlob		a = mp_craft_edit(mp_craft_trees, "learner.gradient_booster.model.cats",
									  "{\"enc\":[],\"feature_segments\":[],\"sorted_idx\":[]}");
		MpBlob		b = mp_craft_edit(a.data,
									  "learner.gradient_booster.model.trees[0].categories",
									  cases[i].codes);
		MpBlob		c = mp_craft_edit(b.data,
									  "learner.gradient_booster.model.trees[0].categories_sizes[0]",
									  cases[i].count);

		if (cases[i].largest != NULL)
			expect_error(c.data, &options, MP_ERROR_OPTION, cases[i].largest);
		else
		{
			MpOutcome	outcome = mp_craft_load(c.data, c.size, &options, 0);

			CHECK_SAY(outcome.forest != NULL, "%s", cases[i].codes);
			mp_craft_check(&outcome, c.size, "enough labels");
		}
		mp_blob_free(&a);
		mp_blob_free(&b);
		mp_blob_free(&c);
	}
}

/* Sparse codes are kept as a list, dense ones as bits; both answer alike. */
MP_TEST(load_category_sets)
{
	static const struct
	{
		const char *codes;
		const char *count;
		bool		is_list;
		uint32_t	length;
	}			cases[] = {
		{"[0]", "1", false, 1},
		{"[31,32]", "2", false, 2},
		{"[64]", "1", true, 1},
		{"[5,70,16777215]", "3", true, 3},
		{"[0,1,2,3,100]", "5", false, 4},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		MpBlob		a = mp_craft_edit(mp_craft_trees,
									  "learner.gradient_booster.model.trees[0].categories",
									  cases[i].codes);
		MpBlob		b = mp_craft_edit(a.data,
									  "learner.gradient_booster.model.trees[0].categories_sizes[0]",
									  cases[i].count);
		MpOutcome	outcome = mp_craft_load(b.data, b.size, NULL, 0);
		const MpCatSet *set;

		mp_blob_free(&a);
		REQUIRE(outcome.forest != NULL);
		set = MP_SECTION(outcome.forest, MP_SECTION_CATSETS, MpCatSet);
		CHECK_SAY(set->is_list == cases[i].is_list && set->length == cases[i].length,
				  "%s: list %d of %d", cases[i].codes, set->is_list, set->length);
		for (uint32_t code = 0; code < 200; code++)
		{
			char		number[16];
			const char *found;

			snprintf(number, sizeof(number), "%u", code);
			found = cases[i].codes;
			while ((found = strstr(found + 1, number)) != NULL)
			{
				size_t		n = strlen(number);

				if ((found[-1] == '[' || found[-1] == ',') && (found[n] == ',' || found[n] == ']'))
					break;
			}
			CHECK_SAY(mp_catset_has(outcome.forest, 0, code) == (found != NULL),
					  "%u in %s", code, cases[i].codes);
		}
		mp_craft_check(&outcome, b.size, "sets");
		mp_blob_free(&b);
	}
}

/* What pickles hold: the model beside its training parameters. */
MP_TEST(load_snapshot)
{
	size_t		size = strlen(mp_craft_trees) + 100;
	char	   *text = malloc(size);
	MpOutcome	outcome;

	snprintf(text, size, "{\"Config\":{\"x\":[1,2,{}]},\"Model\":%s}", mp_craft_trees);
	outcome = load(text, NULL);
	CHECK_SAY(outcome.forest != NULL, "%s", outcome.error.message);
	mp_craft_check(&outcome, size, "snapshot");
	snprintf(text, size, "{\"Config\":{}}");
	expect_error(text, NULL, MP_ERROR_INVALID, "field \"Model\" is missing in \"snapshot\"");
	free(text);
}

/* Escapes in names, and a key written with one. */
MP_TEST(load_escapes)
{
	MpBlob		a = mp_craft_edit(mp_craft_trees, "learner.feature_names[0]",
								  "\"t\\u00e4\\n\\\"\\\\\\/\\ud83c\\udf32\"");
	MpBlob		b = mp_craft_edit(a.data, "learner.feature_names!", "\"feature\\u005fnames\"");
	MpOutcome	outcome = mp_craft_load(b.data, b.size, NULL, 0);
	const MpFeature *feature;

	REQUIRE(outcome.forest != NULL);
	feature = mp_forest_features(outcome.forest);
	CHECK(mp_string_is(mp_forest_string(outcome.forest, feature->name, feature->name_length),
					   "t\xc3\xa4\n\"\\/\xf0\x9f\x8c\xb2"));
	mp_craft_check(&outcome, b.size, "escapes");
	mp_blob_free(&a);
	mp_blob_free(&b);
}

/* Files of a version to come are read as long as their fields are known. */
MP_TEST(load_newer_version)
{
	MpBlob		blob = mp_craft_edit(mp_craft_trees, "version", "[12,0,1]");
	MpOutcome	outcome = mp_craft_load(blob.data, blob.size, NULL, 0);

	CHECK(outcome.forest != NULL && outcome.forest->version[0] == 12);
	mp_craft_check(&outcome, blob.size, "a newer version");
	mp_blob_free(&blob);
}

/* White space wherever JSON allows it, as programs that print JSON nicely add it. */
MP_TEST(load_indented_json)
{
	size_t		n = strlen(mp_craft_trees);
	char	   *text = malloc(8 * n);
	size_t		size = 0;
	bool		quoted = false;
	MpOutcome	plain = load(mp_craft_trees, NULL);
	MpOutcome	outcome;

	for (size_t i = 0; i < n; i++)
	{
		char		c = mp_craft_trees[i];

		quoted ^= c == '"';
		if (!quoted && strchr("{}[],:", c) != NULL)
			size += (size_t) sprintf(text + size, " \n%c\r\n\t", c);
		else
			text[size++] = c;
	}
	outcome = mp_craft_load(text, size, NULL, 0);
	REQUIRE(outcome.forest != NULL && plain.forest != NULL);
	CHECK(outcome.forest->size == plain.forest->size &&
		  memcmp(outcome.forest, plain.forest, plain.forest->size) == 0);
	mp_craft_check(&outcome, size, "indented");
	mp_craft_check(&plain, n, "plain");
	free(text);
}

/* XGBoost compares x < NaN, which is never so: all that is not missing goes right. */
MP_TEST(load_nan_threshold)
{
	MpBlob		blob = mp_craft_edit(mp_craft_trees,
									 "learner.gradient_booster.model.trees[1].split_conditions[0]",
									 "NaN");
	MpOutcome	outcome = mp_craft_load(blob.data, blob.size, NULL, 0);
	static const float values[] = {-INFINITY, -3.4e38f, 0, 3.4e38f, INFINITY};
	int32_t		leaf[2];

	REQUIRE(outcome.forest != NULL);
	for (int i = 0; i < 5; i++)
	{
		float		x[3] = {0, values[i], 0};

		mp_eval_leaf(outcome.forest, x, leaf);
		CHECK(leaf[1] == 2);
	}
	mp_craft_check(&outcome, blob.size, "NaN");
	mp_blob_free(&blob);
}

/* Interrupts are served while a large file is read, in every format. */
MP_TEST(load_polls)
{
	size_t		size = 8 * 1024 * 1024;
	char	   *text = malloc(size);
	MpCounting	counting;
	MpForest   *forest;
	MpError		error;
	static const char *const starts[] = {
		"{\"learner\":{\"gradient_booster\":{\"model\":{\"trees\":[{\"split_conditions\":[1",
		"{\"learner\":{\"gradient_booster\":{\"model\":{\"trees\":[{\"base_weights\":[1",
		"{\"learner\":{\"feature_types\":[\"c",
		"{\"learner\":{\"objective\":{\"a\":[[1",
		"{                                    ",
	};
	static const char *const units[] = {",1", ",1", "\",\"c", "],[1", " "};

	for (int i = 0; i < 5; i++)
	{
		size_t		length = strlen(units[i]);

		memcpy(text, starts[i], strlen(starts[i]));
		for (size_t k = strlen(starts[i]); k < size; k++)
			text[k] = units[i][(k - strlen(starts[i])) % length];
		mp_counting_init(&counting);
		CHECK(!mp_model_load(&counting.alloc, text, size, NULL, &forest, NULL, &error));
		CHECK_SAY(counting.n_polls >= size / 65536 - 1, "%zu polls in case %d (%s)",
				  counting.n_polls, i, error.message);
	}
	free(text);
}

/*
 * Many categories of two bytes each would need more than four times their size
 * of memory; it is refused, not taken.
 */
MP_TEST(load_within_memory)
{
	enum
	{
		N_FEATURES = 20, N_LABELS = 60000
	};
	size_t		room = (size_t) N_FEATURES * N_LABELS * 2 + 100000;
	char	   *data = malloc(room);
	size_t		size = 0;
	MpOutcome	outcome;

#define PUT(text) (memcpy(data + size, text, sizeof(text) - 1), size += sizeof(text) - 1)
	PUT("{i\7learner{i\20gradient_booster{i\5model{i\4cats{i\3enc[");
	for (int f = 0; f < N_FEATURES; f++)
	{
		PUT("{i\4typei\13i\6values[$I#l\0\0\352\140");
		for (int k = 0; k < N_LABELS; k++)
		{
			data[size++] = (char) (k >> 8);
			data[size++] = (char) k;
		}
		PUT("}");
	}
	PUT("]}}}}}");
#undef PUT
	REQUIRE(size <= room);
	outcome = mp_craft_load(data, size, NULL, 0);
	CHECK_SAY(strstr(outcome.error.message, "that would need more than") != NULL, "%s",
			  outcome.error.message);
	mp_craft_check(&outcome, size, "many categories");
	free(data);
}

/* a model of no round: its version, base score, boost_from_average */
#define NO_TREES(version, base, average) \
	"{\"learner\":{\"attributes\":{},\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{" \
	"\"num_parallel_tree\":\"1\",\"num_trees\":\"0\"},\"iteration_indptr\":[0],\"tree_info\":[]," \
	"\"trees\":[]},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"" base "\"," \
	average "\"num_class\":\"0\",\"num_feature\":\"1\",\"num_target\":\"1\"}," \
	"\"objective\":{\"name\":\"binary:logistic\"}},\"version\":[" version "]}"

#define NO_WEIGHTS(version, base, average, rounds) \
	"{\"learner\":{\"attributes\":{},\"gradient_booster\":{\"model\":{" \
	"\"boosted_rounds\":" rounds ",\"weights\":[0E0,0E0]},\"name\":\"gblinear\"}," \
	"\"learner_model_param\":{\"base_score\":\"" base "\"," \
	average "\"num_class\":\"0\",\"num_feature\":\"1\",\"num_target\":\"1\"}," \
	"\"objective\":{\"name\":\"binary:logistic\"}},\"version\":[" version "]}"

#define AVERAGE(value) "\"boost_from_average\":\"" value "\","

/*
 * A base score that training would have replaced is a margin since 3.1, and was
 * a probability before, as one that was given always is. The numbers are those
 * of XGBoost 3.4.1 and 1.7.4.
 */
MP_TEST(load_unfitted)
{
	static const struct
	{
		const char *json;
		float		margin;
	}			cases[] = {
		{NO_TREES("3,4,1", "[3E-1]", AVERAGE("1")), 0.3f},
		{NO_TREES("3,4,1", "[3E-1]", ""), 0.3f},
		{NO_TREES("3,4,1", "[3E-1]", AVERAGE("0")), -0.8472978472709656f},
		{NO_TREES("1,7,4", "3E-1", AVERAGE("1")), -0.8472978472709656f},
		{NO_TREES("1,7,4", "3E-1", ""), -0.8472978472709656f},
		{NO_WEIGHTS("3,4,1", "[3E-1]", AVERAGE("1"), "0"), 0.3f},
		{NO_WEIGHTS("3,4,1", "[3E-1]", AVERAGE("0"), "0"), -0.8472978472709656f},
		{NO_WEIGHTS("3,4,1", "[3E-1]", AVERAGE("1"), "2"), -0.8472978472709656f},
		{NO_WEIGHTS("1,7,4", "3E-1", AVERAGE("1"), "0"), -0.8472978472709656f},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		MpOutcome	outcome = load(cases[i].json, NULL);
		float		x = 1;
		float		margin = 0;

		CHECK_SAY(outcome.forest != NULL, "case %zu: %s", i, outcome.error.message);
		if (outcome.forest == NULL)
			continue;
		mp_eval_margin(outcome.forest, &x, &margin);
		CHECK_SAY(margin == cases[i].margin, "case %zu: %.9g", i, margin);
		mp_craft_check(&outcome, strlen(cases[i].json), "unfitted");
	}
}
