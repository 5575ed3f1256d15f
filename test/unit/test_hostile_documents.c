/*
 * test_hostile_documents.c: bad models as JSON and as UBJSON, one fault each:
 * every one must be refused with a sentence that names it and, where it is in
 * a tree, the tree and the node.
 */
#include "craft.h"
#include "core/text/doc.h"
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#define MODEL "learner.gradient_booster.model"
#define T0 MODEL ".trees[0]."
#define T1 MODEL ".trees[1]."
#define PARAM "learner.learner_model_param."
#define INNER "learner.gradient_booster.gbtree.model"

typedef struct Case
{
	const char *path;
	const char *text;
	MpErrorCode code;
	int			tree;
	int			node;
	const char *message;		/* part of it */
} Case;

#define SYNTAX MP_ERROR_SYNTAX
#define INVALID MP_ERROR_INVALID
#define UNSUPPORTED MP_ERROR_UNSUPPORTED

static const Case tree_cases[] = {
	/* children */
	{T0 "left_children", "[1,0,-1,-1,-1]", INVALID, 0, 1, "the root is the child of a node"},
	{T0 "left_children", "[1,1,-1,-1,-1]", INVALID, 0, 1,
		"right child 4 does not follow left child 1"},
	{T0 "left_children[1]", "4", INVALID, 0, 1, "right child 4 does not follow left child 4"},
	{T0 "left_children[1]", "5", INVALID, 0, 1, "left child 5 is not a node of a tree of 5 nodes"},
	{T0 "left_children[1]", "-2", INVALID, 0, 1, "left child -2 is not a node"},
	{T0 "left_children[0]", "2147483647", INVALID, 0, 0, "left child 2147483647 is not a node"},
	{T0 "left_children[0]", "-2147483648", INVALID, 0, 0, "left child -2147483648 is not a node"},
	{T0 "left_children[0]", "2147483648", INVALID, 0, -1,
		"expected a number from -2147483648 to 2147483647, not 2147483648"},
	{T0 "left_children[0]", "-1", INVALID, 0, 0, "a right child without a left child"},
	{T0 "right_children[1]", "-1", INVALID, 0, 1, "right child -1 is not a node"},
	{T0 "right_children[1]", "5", INVALID, 0, 1, "right child 5 is not a node"},
	{T0 "right_children[1]", "3", INVALID, 0, 1, "right child 3 does not follow left child 3"},
	{T0 "right_children[2]", "3", INVALID, 0, 2, "a right child without a left child"},
	{T0 "parents[0]", "0", INVALID, 0, 0, "the root has node 0 as its parent"},
	{T0 "parents[3]", "0", INVALID, 0, 1, "child 3 has node 0 as its parent"},
	{T0 "parents[3]", "-1", INVALID, 0, 1, "child 3 has node -1 as its parent"},
	{T0 "parents[3]", "99", INVALID, 0, 1, "child 3 has node 99 as its parent"},

	/* splits */
	{T0 "split_indices[0]", "3", INVALID, 0, 0, "split by feature 3 in a tree for 3 features"},
	{T0 "split_indices[0]", "-1", INVALID, 0, 0, "split by feature -1"},
	{T0 "split_indices[0]", "2147483646", INVALID, 0, 0, "split by feature 2147483646"},
	{T0 "split_indices[0]", "2147483647", INVALID, 0, 0, "split by feature 2147483647"},
	{T0 "split_indices[0]", "4294967295", INVALID, 0, -1, "expected a number from -2147483648"},
	{T0 "split_type[0]", "2", INVALID, 0, 0, "unknown split type 2"},
	{T0 "split_type[0]", "1", INVALID, 0, 0, "split by category without categories"},
	{T0 "split_type[1]", "0", INVALID, 0, 1, "categories for a split that is by number"},
	{T0 "default_left[0]", "2", INVALID, 0, 0, "default_left is 2, not 0 or 1"},
	{T0 "default_left[0]", "-1", INVALID, 0, 0, "default_left is 255, not 0 or 1"},
	{T0 "default_left[0]", "256", INVALID, 0, -1, "expected a number from -128 to 255, not 256"},

	/* lengths */
	{T0 "left_children", "[1,3,-1,-1]", INVALID, 0, -1,
		"expected 5 elements in \"left_children\", as num_nodes says, not 4"},
	{T0 "right_children", "[2,4,-1,-1,-1,-1]", INVALID, 0, -1,
		"expected 5 elements in \"right_children\""},
	{T0 "parents", "[]", INVALID, 0, -1,
		"expected 5 elements in \"parents\", as num_nodes says, not 0"},
	{T0 "split_indices", "[0,2,0,0]", INVALID, 0, -1, "elements in \"split_indices\""},
	{T0 "split_conditions", "[5E-1]", INVALID, 0, -1, "elements in \"split_conditions\""},
	{T0 "split_type", "[0]", INVALID, 0, -1, "elements in \"split_type\""},
	{T0 "default_left", "[0,0,0,0,0,0]", INVALID, 0, -1, "elements in \"default_left\""},
	{T0 "loss_changes", "[1E0]", INVALID, 0, -1, "elements in \"loss_changes\""},
	{T1 "sum_hessian", "[1E0,2E0,3E0,4E0]", INVALID, 1, -1,
		"expected 3 elements in \"sum_hessian\", as num_nodes says, not 4"},
	{T0 "tree_param.num_nodes", "\"4\"", INVALID, 0, -1,
		"expected 4 elements in \"left_children\""},
	{T0 "tree_param.num_nodes", "\"2000000000\"", INVALID, 0, -1, "expected 2000000000 elements"},
	{T0 "tree_param.num_nodes", "\"0\"", INVALID, 0, -1,
		"expected a number from 1 to 2147483647, not \"0\""},
	{T0 "tree_param.num_nodes", "\"-1\"", INVALID, 0, -1, "not \"-1\""},
	{T0 "tree_param.num_nodes", "\"1e3\"", INVALID, 0, -1, "not \"1e3\""},
	{T0 "tree_param.num_nodes", "\" 5\"", INVALID, 0, -1, "not \" 5\""},
	{T0 "tree_param.num_nodes", "\"\"", INVALID, 0, -1, "not \"\""},
	{T0 "tree_param.num_nodes", "\"99999999999999999999\"", INVALID, 0, -1,
		"not \"99999999999999999999\""},
	{T0 "tree_param.num_feature", "\"4\"", INVALID, 0, -1, "tree for 4 features in a model of 3"},
	{T0 "tree_param.num_feature", "\"2\"", INVALID, 0, 1,
		"split by feature 2 in a tree for 2 features"},
	{T0 "tree_param.num_deleted", "\"1\"", INVALID, 0, -1,
		"expected 1 deleted nodes, as num_deleted says, not 0"},
	{T0 "tree_param.size_leaf_vector", "\"2\"", INVALID, 0, -1,
		"5 base weights for 5 nodes of 2 outputs"},
	{T1 "tree_param.size_leaf_vector", "\"200000\"", INVALID, 1, -1,
		"expected a number from 0 to 100000"},
	{T1 "id", "0", INVALID, 1, -1, "expected tree 1, not one with the id 0"},

	/* categories of splits */
	{T0 "categories[1]", "16777216", INVALID, 0, 1,
		"category code 16777216 is not from 0 to 16777215"},
	{T0 "categories[1]", "2147483647", INVALID, 0, 1, "category code 2147483647"},
	{T0 "categories[0]", "-1", INVALID, 0, 1, "category code -1 is not from 0"},
	{T0 "categories[1]", "1", INVALID, 0, 1, "category code 1 does not ascend from 1"},
	{T0 "categories", "[1]", INVALID, 0, 1,
		"categories from 0, 2 of them, where 0 to 1 were expected"},
	{T0 "categories", "[1,2,3]", INVALID, 0, -1, "1 categories belong to no node"},
	{T0 "categories_sizes[0]", "0", INVALID, 0, 1, "categories from 0, 0 of them"},
	{T0 "categories_sizes[0]", "-1", INVALID, 0, 1, "categories from 0, -1 of them"},
	{T0 "categories_sizes[0]", "4611686018427387904", INVALID, 0, 1, "4611686018427387904 of them"},
	{T0 "categories_segments[0]", "1", INVALID, 0, 1, "categories from 1, 2 of them"},
	{T0 "categories_segments[0]", "-9223372036854775808", INVALID, 0, 1,
		"categories from -9223372036854775808"},
	{T0 "categories_nodes[0]", "5", INVALID, 0, -1, "categories of node 5 in a tree of 5 nodes"},
	{T0 "categories_nodes[0]", "-1", INVALID, 0, -1, "categories of node -1"},
	{T0 "categories_nodes", "[1,1]", INVALID, 0, -1, "have 2, 1 and 1 elements"},
	{T0 "categories_nodes", "[]", INVALID, 0, -1, "have 0, 1 and 1 elements"},

	/* the booster */
	{MODEL ".gbtree_model_param.num_trees", "\"3\"", INVALID, -1, -1,
		"expected 3 trees, as num_trees says, not 2"},
	{MODEL ".gbtree_model_param.num_trees", "\"0\"", INVALID, -1, -1, "expected 0 trees"},
	{MODEL ".gbtree_model_param.num_trees", "\"2000000000\"", INVALID, -1, -1,
		"expected 2000000000 trees"},
	{MODEL ".gbtree_model_param.num_trees", "\"-2\"", INVALID, -1, -1, "not \"-2\""},
	{MODEL ".gbtree_model_param.num_parallel_tree", "\"0\"", INVALID, -1, -1,
		"expected a number from 1"},
	{MODEL ".trees", "[]", INVALID, -1, -1, "expected 2 trees, as num_trees says, not 0"},
	{MODEL ".tree_info", "[0]", INVALID, -1, -1,
		"expected 2 elements in \"tree_info\", one for each tree, not 1"},
	{MODEL ".tree_info[1]", "1", INVALID, 1, -1, "tree for output 1 of 1"},
	{MODEL ".tree_info[1]", "-1", INVALID, 1, -1, "tree for output -1 of 1"},
	{MODEL ".iteration_indptr", "[0,1]", INVALID, -1, -1,
		"rounds from tree 0 to 1 in a model of 2 trees"},
	{MODEL ".iteration_indptr", "[1,1,2]", INVALID, -1, -1, "rounds from tree 1 to 2"},
	{MODEL ".iteration_indptr", "[0,3,2]", INVALID, -1, -1,
		"round 2 ends at tree 2, before tree 3"},
	{MODEL ".iteration_indptr", "[0,-5,2]", INVALID, -1, -1, "round 1 ends at tree -5"},
	{"learner.gradient_booster.name", "\"gblinear\"", INVALID, -1, -1, "trees in a linear model"},
	{"learner.gradient_booster.name", "\"dart\"", INVALID, -1, -1,
		"no field \"gbtree\" in the booster \"dart\""},
	{"learner.gradient_booster.name", "\"gbforest\"", UNSUPPORTED, -1, -1,
		"unknown booster \"gbforest\""},
	{MODEL "+", "\"weight_drop\":[1E0],", INVALID, -1, -1,
		"expected 2 elements in \"weight_drop\""},
	{MODEL "+", "\"weights\":[1E0],", INVALID, -1, -1, "linear weights in a model of trees"},
	{"learner.gradient_booster+", "\"gbtree\":{\"model\":{},\"name\":\"gbtree\"},", INVALID, -1, -1,
		"two models in the booster"},

	/* the learner */
	{PARAM "base_score", "\"half\"", INVALID, -1, -1, "base_score is no number: \"half\""},
	{PARAM "base_score", "\"\"", INVALID, -1, -1, "base_score is no number"},
	{PARAM "base_score", "\"[]\"", INVALID, -1, -1, "base_score is no number"},
	{PARAM "base_score", "\"[5E-1\"", INVALID, -1, -1, "base_score is no number"},
	{PARAM "base_score", "\"[5E-1,]\"", INVALID, -1, -1, "base_score is no number"},
	{PARAM "base_score", "\"5E-1,5E-1\"", INVALID, -1, -1, "base_score is no number"},
	{PARAM "base_score", "\"[5E-1,5E-1]\"", INVALID, -1, -1,
		"base_score has 2 values for 1 outputs"},
	{PARAM "base_score", "\"NaN\"", INVALID, -1, -1, "base_score"},
	{PARAM "base_score", "\"1e999\"", INVALID, -1, -1, "base_score is no number"},
	{PARAM "base_score", "\"2E0\"", INVALID, -1, -1, "base_score"},
	{PARAM "num_feature", "\"0\"", INVALID, -1, -1,
		"expected a number from 1 to 500000, not \"0\""},
	{PARAM "num_feature", "\"2000000000\"", INVALID, -1, -1, "not \"2000000000\""},
	{PARAM "num_feature", "\"-3\"", INVALID, -1, -1, "not \"-3\""},
	{PARAM "num_feature", "\"2\"", INVALID, 0, -1, "tree for 3 features in a model of 2"},
	{PARAM "num_feature", "\"4\"", INVALID, -1, -1,
		"expected 4 feature names, one for each feature, not 3"},
	{PARAM "num_class", "\"-1\"", INVALID, -1, -1,
		"expected a number from 0 to 100000, not \"-1\""},
	{PARAM "num_class", "\"2000000000\"", INVALID, -1, -1, "not \"2000000000\""},
	{PARAM "num_target", "\"0\"", INVALID, -1, -1, "expected a number from 1"},
	{"learner.objective.name", "\"reg:magic\"", UNSUPPORTED, -1, -1,
		"unknown objective \"reg:magic\""},
	{"learner.objective.name", "\"multi:softmax\"", INVALID, -1, -1,
		"objective \"multi:softmax\" without num_class"},
	{"learner.objective.name", "\"a\\u0007\\u001b[31mb\"", UNSUPPORTED, -1, -1,
		"unknown objective \"a??[31mb\""},
	{"learner.objective+", "\"name\":\"reg:gamma\",", INVALID, -1, -1,
		"the objective has two names"},
	{"learner.feature_names", "[\"n0\",\"n1\"]", INVALID, -1, -1,
		"expected 3 feature names, one for each feature, not 2"},
	{"learner.feature_names", "[\"a\",\"b\",\"a\"]", INVALID, -1, -1,
		"feature name \"a\" comes twice"},
	{"learner.feature_names", "[\"\",\"\",\"a\"]", INVALID, -1, -1,
		"feature name \"\" comes twice"},
	{"learner.feature_names[0]", "\"a\\u0000b\"", INVALID, -1, -1, "feature name is not UTF-8"},
	{"learner.feature_types", "[\"float\"]", INVALID, -1, -1,
		"expected 3 feature types, one for each feature, not 1"},
	{"learner.feature_types[0]", "\"complex\"", UNSUPPORTED, -1, -1,
		"unknown feature type \"complex\""},
	{"learner.attributes+", "\"best_iteration\":\"x\"", INVALID, -1, -1,
		"attribute \"best_iteration\" is no round: \"x\""},
	{"learner.attributes+", "\"best_iteration\":\"99999999999\"", INVALID, -1, -1, "is no round"},
	{"learner.attributes+", "\"best_iteration\":\"0\",\"best_iteration\":\"1\"", INVALID, -1, -1,
		"comes twice"},
	{"version", "[3,4]", INVALID, -1, -1, "expected 3 numbers of a version, not 2"},
	{"version", "[3,-4,1]", INVALID, -1, -1, "expected a number from 0"},

	/* categories that the model keeps */
	{MODEL ".cats.enc", "[{\"offsets\":[],\"values\":[]}]", INVALID, -1, -1,
		"expected 2 segments of categories, not 4"},
	{MODEL ".cats.enc[2].offsets[0]", "1", INVALID, -1, -1,
		"offsets of categories from 1 to 16 in 16 bytes"},
	{MODEL ".cats.enc[2].offsets[4]", "17", INVALID, -1, -1, "from 0 to 17 in 16 bytes"},
	{MODEL ".cats.enc[2].offsets[2]", "2", INVALID, -1, -1,
		"offset 2 of a category follows offset 3"},
	{MODEL ".cats.enc[2].offsets[2]", "-1", INVALID, -1, -1, "offset -1 of a category"},
	{MODEL ".cats.enc[2].offsets[2]", "2147483647", INVALID, -1, -1, "offset 2147483647"},
	{MODEL ".cats.enc[2].offsets", "[]", INVALID, -1, -1, "labels of categories without offsets"},
	{MODEL ".cats.enc[2].values[0]", "-1", INVALID, -1, -1, "label of category 0 is not UTF-8"},
	{MODEL ".cats.enc[2].values[0]", "0", INVALID, -1, -1, "label of category 0 is not UTF-8"},
	{MODEL ".cats.enc[2].values[0]", "300", INVALID, -1, -1, "expected a number from -128 to 255"},
	{MODEL ".cats.enc[2]", "{\"values\":[]}", INVALID, -1, -1,
		"expected either offsets or a type of categories"},
	{MODEL ".cats.enc[2]", "{\"type\":8,\"values\":[1,2]}", INVALID, -1, -1,
		"expected a number from 9 to 16, not 8"},
	{MODEL ".cats.enc[2]", "{\"type\":15,\"values\":[1,2,3,3]}", INVALID, -1, -1,
		"category \"3\" comes twice in feature 3"},
	{MODEL ".cats.enc[2]", "{\"offsets\":[0,1,2,3,4],\"values\":[65,66,65,67]}", INVALID, -1, -1,
		"category \"A\" comes twice in feature 3"},
	{MODEL ".cats.feature_segments", "[0,0,0,5]", INVALID, -1, -1,
		"categories 0 to 5 of feature 2, which has 4 from 0"},
	{MODEL ".cats.feature_segments", "[0,0,0,0]", INVALID, -1, -1,
		"categories 0 to 0 of feature 2"},

	/* fields that are missing, double or not known */
	{T0 "left_children!", "\"left_kids\"", UNSUPPORTED, 0, -1,
		"unknown field \"left_kids\" in \"trees\""},
	{T0 "right_children!", "\"left_children\"", INVALID, 0, -1,
		"field \"left_children\" comes twice in \"trees\""},
	{T0 "loss_changes!", "\"leaf_child_counts\"", INVALID, 0, -1,
		"field \"loss_changes\" is missing"},
	{T0 "sum_hessian!", "\"leaf_child_counts\"", INVALID, 0, -1,
		"field \"sum_hessian\" is missing"},
	{T0 "base_weights!", "\"leaf_child_counts\"", INVALID, 0, -1,
		"field \"base_weights\" is missing in \"trees\""},
	{T0 "base_weights!", "\"leaf_weights\"", INVALID, 0, -1,
		"field \"base_weights\" is missing in \"trees\""},
	{T0 "tree_param+", "\"depth\":\"3\",", UNSUPPORTED, 0, -1,
		"unknown field \"depth\" in \"tree_param\""},
	{MODEL "+", "\"links\":[],", UNSUPPORTED, -1, -1, "unknown field \"links\" in \"model\""},
	{MODEL ".gbtree_model_param.num_trees!", "\"size_leaf_vector\"", INVALID, -1, -1,
		"field \"num_trees\" is missing in \"gbtree_model_param\""},
	{PARAM "num_target!", "\"num_output\"", UNSUPPORTED, -1, -1,
		"unknown field \"num_output\" in \"learner_model_param\""},
	{PARAM "num_class!", "\"base_score\"", INVALID, -1, -1, "field \"base_score\" comes twice"},
	{"learner.objective.name!", "\"nom\"", INVALID, -1, -1,
		"field \"name\" is missing in \"objective\""},
	{"learner+", "\"calibration\":{},", UNSUPPORTED, -1, -1,
		"unknown field \"calibration\" in \"learner\""},
	{"version!", "\"learner\"", INVALID, -1, -1, "field \"learner\" comes twice in \"model\""},
	{"learner!", "\"teacher\"", MP_ERROR_NOT_A_MODEL, -1, -1,
		"a document that begins with \"teacher\""},
};

static const Case dart_cases[] = {
	{"learner.gradient_booster.weight_drop", "[]", INVALID, -1, -1,
		"expected 2 elements in \"weight_drop\", one for each tree, not 0"},
	{"learner.gradient_booster.weight_drop", "[1E0,1E0,1E0]", INVALID, -1, -1, "not 3"},
	{"learner.gradient_booster.weight_drop[0]", "\"1\"", INVALID, -1, -1,
		"expected a number, not a string"},
	{INNER "+", "\"weight_drop\":[1E0,1E0],", INVALID, -1, -1, "field \"weight_drop\" comes twice"},
	{"learner.gradient_booster.gbtree.name", "\"gblinear\"", INVALID, -1, -1,
		"expected a booster \"gbtree\" inside \"dart\""},
	{"learner.gradient_booster.name", "\"gbtree\"", INVALID, -1, -1,
		"a booster inside a booster that is not \"dart\""},
	{"learner.gradient_booster.gbtree!", "\"forest\"", UNSUPPORTED, -1, -1,
		"unknown field \"forest\" in \"gradient_booster\""},
	{"learner.gradient_booster.weight_drop!", "\"model\"", INVALID, -1, -1,
		"a second \"model\" in the booster"},
	{INNER ".gbtree_model_param.num_parallel_tree", "\"3\"", INVALID, -1, -1,
		"2 trees are no whole rounds of 3"},
	{INNER ".gbtree_model_param.num_parallel_tree", "\"2000000000\"", INVALID, -1, -1,
		"no whole rounds of 2000000000"},
};

static const Case linear_cases[] = {
	{MODEL ".weights", "[1E0,2E0]", INVALID, -1, -1,
		"expected 9 weights for 2 features and 3 outputs, not 2"},
	{MODEL ".weights[8]", "true", INVALID, -1, -1, "expected a number, not a boolean"},
	{MODEL ".weights[0]", "1e999", INVALID, -1, -1, "number is out of the range of a 32-bit float"},
	{MODEL ".weights!", "\"boosted_rounds\"", INVALID, -1, -1, "comes twice"},
	{PARAM "num_feature", "\"500000\"", INVALID, -1, -1, "expected 1500003 weights"},
	{PARAM "num_class", "\"100000\"", INVALID, -1, -1, "expected 300000 weights"},
	{PARAM "num_target", "\"2\"", INVALID, -1, -1, "3 classes of 2 targets"},
	{PARAM "base_score", "\"[1E0,2E0]\"", INVALID, -1, -1, "base_score has 2 values for 3 outputs"},
};

static const Case vector_cases[] = {
	{T0 "right_children[1]", "2", INVALID, 0, 1, "leaf vector 2 of 2"},
	{T0 "right_children[1]", "-1", INVALID, 0, 1, "leaf vector -1 of 2"},
	{T0 "leaf_weights", "[1E0,2E0,3E0]", INVALID, 0, -1, "3 leaf weights for leaves of 2 outputs"},
	{T0 "leaf_weights", "[1E0,2E0,1E0,2E0,1E0,2E0,1E0,2E0]", INVALID, 0, -1, "8 leaf weights"},
	{T0 "leaf_weights", "[]", INVALID, 0, 1, "leaf vector 0 of 0"},
	{T0 "leaf_weights!", "\"leaf_child_counts\"", MP_OK, -1, -1, ""},
	{T0 "tree_param.size_leaf_vector", "\"3\"", INVALID, 0, -1,
		"4 leaf weights for leaves of 3 outputs"},
	{T0 "tree_param.size_leaf_vector", "\"1\"", INVALID, 0, 1,
		"a right child without a left child"},
	{T0 "tree_param.size_leaf_vector", "\"4\"", INVALID, 0, 2, "leaf vector 1 of 1"},
	{MODEL ".tree_info[0]", "1", INVALID, 0, -1, "tree for output 1 of 1"},
	{PARAM "num_target", "\"3\"", INVALID, -1, -1, "base_score has 2 values for 3 outputs"},
	{PARAM "base_score", "\"5E-1\"", MP_OK, -1, -1, ""},
};

static void
check_outcome(const Case *c, const char *format, MpBlob *blob)
{
	MpOutcome	outcome = mp_craft_load(blob->data, blob->size, NULL, 0);
	const MpError *error = &outcome.error;

	CHECK_SAY(error->code == c->code && strstr(error->message, c->message) != NULL,
			  "%s = %s as %s: \"%s\" (code %d), expected \"%s\" (code %d)", c->path,
			  c->text, format,
			  error->message, error->code, c->message, c->code);
	CHECK_SAY(error->tree == c->tree && error->node == c->node,
			  "%s = %s as %s: tree %d node %d, expected %d and %d (%s)", c->path, c->text, format,
			  error->tree, error->node, c->tree, c->node, error->message);
	mp_craft_check(&outcome, blob->size, c->path);
	mp_blob_free(blob);
}

static void
check_cases(const char *json, const Case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		MpBlob		edited = mp_craft_edit(json, cases[i].path, cases[i].text);
		MpBlob		ubjson;

		/* numbers that a float cannot hold exist as text only */
		if (strstr(cases[i].text, "1e999") == NULL || cases[i].text[0] == '"')
		{
			ubjson = mp_craft_ubjson(edited.data, edited.size);
			check_outcome(&cases[i], "UBJSON", &ubjson);
		}
		check_outcome(&cases[i], "JSON", &edited);
	}
}

#define CHECK_CASES(json, cases) check_cases(json, cases, sizeof(cases) / sizeof(*(cases)))

/* The models that the cases spoil are sound. */
MP_TEST(hostile_none)
{
	const char *const models[] = {mp_craft_trees, mp_craft_dart, mp_craft_linear, mp_craft_vectors};

	for (int i = 0; i < 4; i++)
	{
		MpBlob		ubjson = mp_craft_ubjson(models[i], strlen(models[i]));
		MpOutcome	outcome = mp_craft_load(models[i], strlen(models[i]), NULL, 0);

		CHECK_SAY(outcome.forest != NULL, "JSON %d: %s", i, outcome.error.message);
		mp_craft_check(&outcome, strlen(models[i]), "a sound model");
		outcome = mp_craft_load(ubjson.data, ubjson.size, NULL, 0);
		CHECK_SAY(outcome.forest != NULL, "UBJSON %d: %s", i, outcome.error.message);
		mp_craft_check(&outcome, ubjson.size, "a sound model");
		mp_blob_free(&ubjson);
	}
}

MP_TEST(hostile_trees)
{
	CHECK_CASES(mp_craft_trees, tree_cases);
}

MP_TEST(hostile_dart)
{
	CHECK_CASES(mp_craft_dart, dart_cases);
}

MP_TEST(hostile_linear)
{
	CHECK_CASES(mp_craft_linear, linear_cases);
}

MP_TEST(hostile_vectors)
{
	CHECK_CASES(mp_craft_vectors, vector_cases);
}

/* --- circles and shared nodes, which need several edits --- */

typedef struct Links
{
	const char *left;
	const char *right;
	const char *parents;
	const char *message;
} Links;

MP_TEST(hostile_circles)
{
	static const Links cases[] = {
		/* 3 and 4 hang on each other's children, the root reaches only 1 and 2 */
		{"[1,-1,-1,5,-1,3,-1]", "[2,-1,-1,6,-1,4,-1]", "[2147483647,0,0,5,5,3,3]", "circle"},
		/* a node that is its own child */
		{"[1,-1,-1,3,-1,-1,-1]", "[2,-1,-1,4,-1,-1,-1]", "[2147483647,0,0,3,3,0,0]",
		"no node leads"},
		/* two parents, one of which is named */
		{"[1,3,3,-1,-1,-1,-1]", "[2,4,4,-1,-1,-1,-1]", "[2147483647,0,0,1,1,0,0]",
		"child 3 has node 1"},
		/* nothing leads to 5 and 6 */
		{"[1,3,-1,-1,-1,-1,-1]", "[2,4,-1,-1,-1,-1,-1]", "[2147483647,0,0,1,1,2,2]",
		"no node leads"},
		/* back to the root */
		{"[1,3,-1,-1,0,-1,-1]", "[2,4,-1,-1,1,-1,-1]", "[4,4,0,1,1,2,2]", "the root has node 4"},
	};
	const char *const sevens = "[0,0,0,0,0,0,0]";

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		const char *const edits[][2] = {
			{T0 "left_children", cases[i].left}, {T0 "right_children", cases[i].right},
			{T0 "parents", cases[i].parents}, {T0 "tree_param.num_nodes", "\"7\""},
			{T0 "split_indices", sevens}, {T0 "split_type", sevens}, {T0 "default_left", sevens},
			{T0 "split_conditions", sevens}, {T0 "loss_changes", sevens},
			{T0 "sum_hessian", sevens}, {T0 "categories", "[]"}, {T0 "categories_nodes", "[]"},
			{T0 "categories_segments", "[]"}, {T0 "categories_sizes", "[]"},
		};
		MpBlob		blob = mp_blob_text(mp_craft_trees);
		MpOutcome	outcome;

		for (size_t k = 0; k < sizeof(edits) / sizeof(*edits); k++)
		{
			MpBlob		edited = mp_craft_edit(blob.data, edits[k][0], edits[k][1]);

			mp_blob_free(&blob);
			blob = edited;
		}
		outcome = mp_craft_load(blob.data, blob.size, NULL, 0);
		CHECK_SAY(outcome.error.code == MP_ERROR_INVALID && outcome.error.tree == 0 &&
				  strstr(outcome.error.message, cases[i].message) != NULL,
				  "circle %zu: %s", i, outcome.error.message);
		mp_craft_check(&outcome, blob.size, "circle");
		mp_blob_free(&blob);
	}
}

/* Children before their parents are unusual but sound, as are nodes that the pruner deleted. */
MP_TEST(hostile_but_sound)
{
	static const char *const edits[][2] = {
		{T0 "left_children", "[3,-1,-1,1,-1,-1,-1]"}, {T0 "right_children", "[4,-1,-1,2,-1,-1,-1]"},
		{T0 "parents", "[2147483647,3,3,0,0,4,4]"}, {T0 "tree_param.num_nodes", "\"7\""},
		{T0 "split_indices", "[0,0,0,1,0,2147483647,2147483647]"},
		{T0 "split_type", "[0,0,0,0,0,0,1]"}, {T0 "default_left", "[0,0,0,0,0,1,1]"},
		{T0 "split_conditions", "[NaN,1,2,-Infinity,4,5,6]"},
		{T0 "loss_changes", "[0,0,0,0,0,0,0]"}, {T0 "sum_hessian", "[0,0,0,0,0,0,0]"},
		{T0 "categories_nodes[0]", "6"}, {T0 "tree_param.num_deleted", "\"2\""},
	};
	MpBlob		blob = mp_blob_text(mp_craft_trees);
	MpOutcome	outcome;

	for (size_t k = 0; k < sizeof(edits) / sizeof(*edits); k++)
	{
		MpBlob		edited = mp_craft_edit(blob.data, edits[k][0], edits[k][1]);

		mp_blob_free(&blob);
		blob = edited;
	}
	outcome = mp_craft_load(blob.data, blob.size, NULL, 0);
	CHECK_SAY(outcome.forest != NULL, "%s", outcome.error.message);
	mp_craft_check(&outcome, blob.size, "children before parents");
	mp_blob_free(&blob);
}

/* --- everything, everywhere --- */

/* Calls `visit` with the place of every value of the document. */
static void
for_each_value(MpDoc *doc, void (*visit) (size_t from, size_t to))
{
	MpDoc		at = *doc;
	size_t		from;
	MpString	key;

	mp_doc_kind(&at);
	from = at.pos;
	mp_doc_skip(&at);
	visit(from, at.pos);
	switch (mp_doc_kind(doc))
	{
		case MP_DOC_OBJECT:
			mp_doc_enter_object(doc);
			while (mp_doc_next_key(doc, &key))
				for_each_value(doc, visit);
			break;
		case MP_DOC_ARRAY:
			mp_doc_enter_array(doc);
			while (mp_doc_next(doc))
				for_each_value(doc, visit);
			break;
		default:
			mp_doc_skip(doc);
	}
}

static const char *victim;
static int	n_spoiled;

static void
spoil(size_t from, size_t to)
{
	static const char *const values[] = {
		"null", "true", "\"x\"", "\"-1\"", "\"7\"", "-1", "7", "2000000000", "1.5", "NaN",
		"[]", "{}",
		"[[]]", "[0,1,2]", "{\"a\":1}"
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
	{
		char		what[200];
		size_t		size = from + strlen(values[i]) + strlen(victim + to);
		char	   *text = malloc(size + 1);
		MpBlob		ubjson;
		MpOutcome	outcome;

		snprintf(text, size + 1, "%.*s%s%s", (int) from, victim, values[i], victim + to);
		snprintf(what, sizeof(what), "%.40s -> %s", victim + from, values[i]);
		outcome = mp_craft_load(text, size, NULL, 0);
		mp_craft_check(&outcome, size, what);
		ubjson = mp_craft_ubjson(text, size);
		outcome = mp_craft_load(ubjson.data, ubjson.size, NULL, 0);
		mp_craft_check(&outcome, ubjson.size, what);
		mp_blob_free(&ubjson);
		free(text);
		n_spoiled++;
	}
}

MP_TEST(hostile_wrong_types_everywhere)
{
	const char *const models[] = {mp_craft_trees, mp_craft_dart, mp_craft_linear, mp_craft_vectors};

	n_spoiled = 0;
	for (int i = 0; i < 4; i++)
	{
		MpDoc		doc;
		MpError		error;

		victim = models[i];
		mp_doc_open(&doc, &mp_doc_json, &mp_alloc_malloc, victim, strlen(victim), &error);
		for_each_value(&doc, spoil);
		CHECK(error.code == MP_OK);
		mp_doc_close(&doc);
	}
	CHECK(n_spoiled > 4000);
}

MP_TEST(hostile_truncated)
{
	const char *const models[] = {mp_craft_trees, mp_craft_dart, mp_craft_linear, mp_craft_vectors};

	for (int i = 0; i < 8; i++)
	{
		MpBlob		blob = i < 4 ? mp_blob_text(models[i]) :
			mp_craft_ubjson(models[i - 4], strlen(models[i - 4]));

		for (size_t size = 0; size < blob.size; size++)
		{
			MpOutcome	outcome = mp_craft_load(blob.data, size, NULL, 0);

			CHECK_SAY(outcome.forest == NULL, "model %d cut at byte %zu was taken", i, size);
			CHECK_SAY(outcome.error.offset >= 0 && (size_t) outcome.error.offset <= size,
					  "model %d cut at byte %zu: offset %lld (%s)", i, size,
					  (long long) outcome.error.offset, outcome.error.message);
			mp_craft_check(&outcome, size, "cut");
		}
		mp_blob_free(&blob);
	}
}

MP_TEST(hostile_random_bytes)
{
	uint64_t	state = 42;
	const char *const models[] = {mp_craft_trees, mp_craft_dart, mp_craft_linear, mp_craft_vectors};

	for (int i = 0; i < 8; i++)
	{
		MpBlob		blob = i < 4 ? mp_blob_text(models[i]) :
			mp_craft_ubjson(models[i - 4], strlen(models[i - 4]));

		for (int round = 0; round < 3000; round++)
		{
			MpBlob		copy = mp_blob_copy(blob.data, blob.size);
			MpOutcome	outcome;

			for (int k = 0; k <= round % 3; k++)
				copy.data[mp_craft_random(&state) % copy.size] = (char) mp_craft_random(&state);
			outcome = mp_craft_load(copy.data, copy.size, NULL, 0);
			mp_craft_check(&outcome, copy.size, "random bytes");
			mp_blob_free(&copy);
		}
		mp_blob_free(&blob);
	}
}

/* Every allocation of a load fails once; nothing stays behind, and the error says so. */
MP_TEST(hostile_no_memory)
{
	const char *const models[] = {mp_craft_trees, mp_craft_dart, mp_craft_linear, mp_craft_vectors};

	for (int i = 0; i < 8; i++)
	{
		MpBlob		blob = i < 4 ? mp_blob_text(models[i]) :
			mp_craft_ubjson(models[i - 4], strlen(models[i - 4]));
		MpOutcome	outcome = mp_craft_load(blob.data, blob.size, NULL, 0);
		size_t		n_requests = outcome.n_requests;

		mp_craft_check(&outcome, blob.size, "memory");
		CHECK(n_requests > 2);
		for (size_t k = 1; k <= n_requests; k++)
		{
			outcome = mp_craft_load(blob.data, blob.size, NULL, k);
			CHECK_SAY(outcome.error.code == MP_ERROR_MEMORY, "allocation %zu of model %d: %s",
					  k, i, outcome.error.message);
			mp_craft_check(&outcome, blob.size, "no memory");
		}
		mp_blob_free(&blob);
	}
}
