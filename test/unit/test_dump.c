/*
 * test_dump.c: names from a model cannot break out of a dump's format.
 */
#include "harness.h"
#include "core/forest/dump.h"
#include "core/load/load.h"

#include <stdlib.h>
#include <string.h>

static const char evil_name[] = "a\\\"; n0 -> n1 [URL=\\\"x\\\"]\\\\N\\n<b>";

/* One split by a feature of an evil name, one by a category of an evil label. */
static MpForest *
evil_forest(void)
{
	static const char format[] =
		"{\"learner\":{\"attributes\":{},\"feature_names\":[\"%s\",\"c\"],"
		"\"feature_types\":[\"int\",\"c\"],\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{"
		"\"gbtree_model_param\":{\"num_parallel_tree\":\"1\",\"num_trees\":\"1\"},"
		"\"tree_info\":[0],\"trees\":[{\"base_weights\":[0,0,0,0,0],\"categories\":[0,2],"
		"\"categories_nodes\":[2],\"categories_segments\":[0],\"categories_sizes\":[2],"
		"\"default_left\":[1,0,0,0,0],\"id\":0,\"left_children\":[1,-1,3,-1,-1],"
		"\"loss_changes\":[2.5,0,1,0,0],\"parents\":[2147483647,0,0,2,2],"
		"\"right_children\":[2,-1,4,-1,-1],\"split_conditions\":[2.5,0.1,0,-1,3],"
		"\"split_indices\":[0,0,1,0,0],\"split_type\":[0,0,1,0,0],"
		"\"sum_hessian\":[10,4,6,5,1],\"tree_param\":{\"num_deleted\":\"0\","
		"\"num_feature\":\"2\",\"num_nodes\":\"5\",\"size_leaf_vector\":\"0\"}}]}},"
		"\"learner_model_param\":{\"base_score\":\"5E-1\",\"boost_from_average\":\"1\","
		"\"num_class\":\"0\",\"num_feature\":\"2\",\"num_target\":\"1\"},"
		"\"objective\":{\"name\":\"reg:squarederror\",\"reg_loss_param\":"
		"{\"scale_pos_weight\":\"1\"}}},\"version\":[1,7,4]}";
	static const MpString labels[3] = {{"x", 1}, {"y", 1}, {"\"]}\n", 4}};
	MpGivenCategories categories = {{"c", 1}, labels, NULL, 3};
	MpLoadOptions options = {.trees = MP_TREES_ALL, .categories = &categories, .n_categories = 1};
	char		json[4096];
	MpForest   *forest = NULL;
	MpError		error;

	snprintf(json, sizeof(json), format, evil_name);
	if (!mp_model_load(&mp_alloc_malloc, json, strlen(json), &options, &forest, NULL, &error))
		mp_test_failed(__FILE__, __LINE__, error.message);
	return forest;
}

static void
check_text(MpVec *out, const char *expected)
{
	CHECK(mp_vec_add(out, 1) != NULL);
	((char *) out->data)[out->size - 1] = '\0';
	CHECK_SAY(strcmp(out->data, expected) == 0, "%.600s", (char *) out->data);
	mp_vec_release(out);
}

MP_TEST(dump_text_of_odd_names)
{
	MpForest   *forest = evil_forest();
	MpVec		out = {&mp_alloc_malloc};

	REQUIRE(forest != NULL && mp_tree_text(forest, 0, &out));
	check_text(&out,
			   "0:[a\"; n0 -> n1 [URL=\"x\"]\\N?<b><3] yes=1,no=2,missing=1,gain=2.5,cover=10\n"
			   "\t1:leaf=0.1,cover=4\n"
			   "\t2:[c:{x,\"]}?}] yes=4,no=3,missing=4,gain=1,cover=6\n"
			   "\t\t3:leaf=-1,cover=5\n"
			   "\t\t4:leaf=3,cover=1\n");
	free(forest);
}

MP_TEST(dump_dot_of_odd_names)
{
	MpForest   *forest = evil_forest();
	MpVec		out = {&mp_alloc_malloc};

	REQUIRE(forest != NULL && mp_tree_dot(forest, 0, &out));
	check_text(&out,
			   "digraph \"tree 0\" {\n"
			   "\tnode [shape=box, style=rounded, fontname=\"sans-serif\"]\n"
			   "\tedge [fontname=\"sans-serif\"]\n"
			   "\tn0 [label=\"a\\\"; n0 -> n1 [URL=\\\"x\\\"]\\\\N?<b> < 3"
			   "\\ngain 2.5, cover 10\"]\n"
			   "\tn0 -> n1 [label=\"yes, missing\", style=bold]\n"
			   "\tn0 -> n2 [label=\"no\"]\n"
			   "\tn1 [shape=ellipse, label=\"0.1\\ncover 4\"]\n"
			   "\tn2 [label=\"c in {x, \\\"]}?}\\ngain 1, cover 6\"]\n"
			   "\tn2 -> n4 [label=\"yes, missing\", style=bold]\n"
			   "\tn2 -> n3 [label=\"no\"]\n"
			   "\tn3 [shape=ellipse, label=\"-1\\ncover 5\"]\n"
			   "\tn4 [shape=ellipse, label=\"3\\ncover 1\"]\n"
			   "}\n");
	free(forest);
}

MP_TEST(dump_floats_are_shortest)
{
	MpVec		out = {&mp_alloc_malloc};

	CHECK(mp_text_float(&out, 0.1f) && mp_text_add(&out, " ") && mp_text_float(&out, 1e10f) &&
		  mp_text_add(&out, " ") && mp_text_float(&out, 16777217.0f) &&
		  mp_text_add(&out, " ") && mp_text_float(&out, -0.31260684f));
	check_text(&out, "0.1 1e+10 16777216 -0.31260684");
}
