/*
 * craft_models.c: small sound models: as JSON, and built byte by byte in the
 * old binary format.
 */
#include "craft.h"

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
	"{\"offsets\":[0,3,8,12,16],"
	"\"values\":[114,101,100,103,114,101,101,110,98,108,117,101,103,111,108,100]}],"
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
	"\"objective\":{\"name\":\"multi:softprob\","
	"\"softmax_multiclass_param\":{\"num_class\":\"3\"}}},"
	"\"version\":[2,1,4]}";

const char *const mp_craft_vectors =
	"{\"learner\":{\"attributes\":{},\"feature_names\":[],\"feature_types\":[],"
	"\"gradient_booster\":{\"model\":{"
	"\"cats\":{\"enc\":[],\"feature_segments\":[],\"sorted_idx\":[]},"
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

/* --- the old binary format --- */

static void
append_little(MpBlob *out, uint64_t value, int width)
{
	for (int i = 0; i < width; i++)
	{
		char		byte = (char) (value >> (8 * i));

		mp_blob_append(out, &byte, 1);
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
		mp_blob_append(out, "", 1);
}

static void
append_text(MpBlob *out, const char *text)
{
	append_little(out, strlen(text), 8);
	mp_blob_append(out, text, strlen(text));
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
	mp_blob_append(out, "binf", 4);
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
