/*
 * test_hostile_binary.c: bad models in the old binary format: a sound one with
 * one field of four or eight bytes overwritten.
 */
#include "craft.h"
#include "core/forest/eval.h"
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NODES 148				/* from a tree's parameters to its nodes */
#define NODE(i) (NODES + 20 * (i))

typedef enum Where
{
	PARAM,
	OBJECTIVE,
	BOOSTER,
	GBTREE,
	TREE0,
	TREE1,
	OUTPUTS,
	WEIGHTS,
	ATTRIBUTES
} Where;

typedef struct Case
{
	Where		where;
	int			offset;
	int			width;
	int64_t		value;
	MpErrorCode code;
	int			tree;
	int			node;
	const char *message;
} Case;

#define INVALID MP_ERROR_INVALID
#define SYNTAX MP_ERROR_SYNTAX

static const Case cases[] = {
	/* the model's parameters */
	{PARAM, 0, 4, 0x7fc00000, INVALID, -1, -1, "base_score must be"},
	{PARAM, 0, 4, 0x7f800000, INVALID, -1, -1, "base_score must be"},
	{PARAM, 0, 4, 0x40000000, INVALID, -1, -1, "base_score must be"},
	{PARAM, 4, 4, 0, INVALID, -1, -1, "expected num_feature from 1 to 500000, not 0"},
	{PARAM, 4, 4, 2, INVALID, 0, -1, "tree for 3 features in a model of 2"},
	{PARAM, 4, 4, 2000000000, INVALID, -1, -1, "not 2000000000"},
	{PARAM, 4, 4, -1, INVALID, -1, -1, "not 4294967295"},
	{PARAM, 8, 4, -1, INVALID, -1, -1, "expected num_class from 0 to 100000, not -1"},
	{PARAM, 8, 4, 2000000000, INVALID, -1, -1, "not 2000000000"},
	{PARAM, 20, 4, -1, INVALID, -1, -1, "a major version from 0 to 100, not -1"},
	{PARAM, 20, 4, -7, INVALID, -1, -1, "expected a major version"},
	{PARAM, 24, 4, -7, INVALID, -1, -1, "expected a minor version"},
	{PARAM, 28, 4, 2000000000, INVALID, -1, -1, "expected num_target"},
	{PARAM, 12, 4, 0, SYNTAX, -1, -1, "bytes follow the end of the model"},

	/* names */
	{OBJECTIVE, 0, 8, -1, SYNTAX, -1, -1,
		"length 18446744073709551615 of the objective does not fit"},
	{OBJECTIVE, 0, 8, 1 << 30, SYNTAX, -1, -1, "length 1073741824 of the objective"},
	{OBJECTIVE, 0, 8, INT64_C(1) << 62, SYNTAX, -1, -1, "length 4611686018427387904"},
	{OBJECTIVE, 0, 8, 0, MP_ERROR_UNSUPPORTED, -1, -1, "unknown objective \"\""},
	{OBJECTIVE, 8, 4, 0x07070707, MP_ERROR_UNSUPPORTED, -1, -1,
		"unknown objective \"????ry:logistic\""},
	{BOOSTER, 0, 8, INT64_C(1) << 62, SYNTAX, -1, -1, "of the booster does not fit"},
	{BOOSTER, 8, 4, 0x41414141, MP_ERROR_UNSUPPORTED, -1, -1, "unknown booster \"AAAA"},

	/* the booster's parameters */
	{GBTREE, 0, 4, -1, INVALID, -1, -1, "expected num_trees from 0 to 2147483647, not -1"},
	{GBTREE, 0, 4, 2000000000, INVALID, -1, -1, "2000000000 trees do not fit in the"},
	{GBTREE, 0, 4, 3, SYNTAX, 2, -1, "the file ends in the middle of the parameters of a tree"},
	{GBTREE, 0, 4, 1, SYNTAX, -1, -1, "does not fit in the"},
	{GBTREE, 0, 4, 0, SYNTAX, -1, -1, "length"},
	{GBTREE, 4, 4, 0, INVALID, -1, -1, "expected num_parallel_tree from 1"},
	{GBTREE, 4, 4, 3, INVALID, -1, -1, "2 trees are no whole rounds of 3"},
	{GBTREE, 28, 4, 5, INVALID, -1, -1, "expected size_leaf_vector from 0 to 1, not 5"},

	/* a tree's parameters */
	{TREE0, 0, 4, 2, INVALID, 0, -1, "expected num_roots from 1 to 1, not 2"},
	{TREE0, 4, 4, 0, INVALID, 0, -1, "expected num_nodes from 1 to 2147483647, not 0"},
	{TREE0, 4, 4, -1, INVALID, 0, -1, "not -1"},
	{TREE0, 4, 4, 2000000000, INVALID, 0, -1, "2000000000 nodes do not fit in the"},
	{TREE1, 8, 4, 1, INVALID, 1, -1, "expected 1 deleted nodes, as num_deleted says, not 0"},
	{TREE0, 8, 4, -1, INVALID, 0, -1, "expected num_deleted from 0 to 7"},
	{TREE0, 8, 4, 0, INVALID, 0, -1, "expected 0 deleted nodes, as num_deleted says, not 2"},
	{TREE0, 16, 4, 1, INVALID, 0, 1, "split by feature 1 in a tree for 1 features"},
	{TREE0, 16, 4, -1, INVALID, 0, -1, "expected num_feature from 0"},
	{TREE0, 20, 4, 4, INVALID, 0, -1, "expected size_leaf_vector from 0 to 1, not 4"},

	/* nodes: parent, left, right, feature */
	{TREE0, NODE(0), 4, 3, INVALID, 0, 0, "the root has node 3 as its parent"},
	{TREE0, NODE(3), 4, 2, INVALID, 0, 1, "child 3 has node 2 as its parent"},
	{TREE0, NODE(0) + 4, 4, 7, INVALID, 0, 0, "left child 7 is not a node of a tree of 7 nodes"},
	{TREE0, NODE(0) + 4, 4, INT32_MAX, INVALID, 0, 0, "left child 2147483647"},
	{TREE0, NODE(0) + 4, 4, INT32_MIN, INVALID, 0, 0, "left child -2147483648"},
	{TREE0, NODE(1) + 4, 4, 0, INVALID, 0, 1, "the root is the child of a node"},
	{TREE0, NODE(1) + 4, 4, 1, INVALID, 0, 1, "right child 4 does not follow left child 1"},
	{TREE0, NODE(0) + 4, 4, -1, INVALID, 0, 0, "a right child without a left child"},
	{TREE0, NODE(0) + 8, 4, -1, INVALID, 0, 0, "right child -1 is not a node"},
	{TREE0, NODE(2) + 8, 4, 5, INVALID, 0, 2, "a right child without a left child"},
	{TREE0, NODE(0) + 12, 4, 3, INVALID, 0, 0, "split by feature 3 in a tree for 3 features"},
	{TREE0, NODE(0) + 12, 4, -1, INVALID, 0, 0, "split by feature 2147483647"},
	{TREE0, NODE(1) + 12, 4, -1, INVALID, 0, 0, "child 1 is a deleted node"},
	{TREE0, NODE(3) + 12, 4, -1, INVALID, 0, 1, "child 3 is a deleted node"},
	{TREE1, NODE(1) + 12, 4, -1, INVALID, 1, 0, "child 1 is a deleted node"},
	{TREE0, NODE(5) + 12, 4, 0, INVALID, 0, 5, "no node leads to this one"},

	/* behind the trees */
	{OUTPUTS, 0, 4, 1, INVALID, 0, -1, "tree for output 1 of 1"},
	{OUTPUTS, 4, 4, -1, INVALID, 1, -1, "tree for output -1 of 1"},
	{WEIGHTS, 0, 8, 1, INVALID, -1, -1, ""},
	{WEIGHTS, 0, 8, -1, SYNTAX, -1, -1, "of the weights of the trees does not fit"},
	{WEIGHTS, 0, 8, INT64_C(1) << 62, SYNTAX, -1, -1, "of the weights of the trees does not fit"},
	{ATTRIBUTES, 0, 8, 1, SYNTAX, -1, -1, "bytes follow the end of the model"},
	{ATTRIBUTES, 0, 8, 3, SYNTAX, -1, -1,
		"the file ends in the middle of the name of an attribute"},
	{ATTRIBUTES, 0, 8, INT64_C(1) << 62, SYNTAX, -1, -1, "of the attributes does not fit"},
	{ATTRIBUTES, 8, 8, -1, SYNTAX, -1, -1, "of the name of an attribute does not fit"},
	{ATTRIBUTES, 38, 1, 'x', INVALID, -1, -1, "attribute \"best_iteration\" is no round: \"x\""},
};

static size_t
find_place(const MpCraftBinary *binary, Where where)
{
	switch (where)
	{
		case PARAM:
			return binary->param;
		case OBJECTIVE:
			return binary->objective;
		case BOOSTER:
			return binary->booster;
		case GBTREE:
			return binary->gbtree;
		case TREE0:
			return binary->tree[0];
		case TREE1:
			return binary->tree[1];
		case OUTPUTS:
			return binary->outputs;
		case WEIGHTS:
			return binary->weights;
		case ATTRIBUTES:
			return binary->attributes;
	}
	return 0;
}

static void
check_case(size_t number)
{
	const Case *c = &cases[number];
	MpCraftBinary binary;
	MpOutcome	outcome;
	const MpError *error = &outcome.error;
	size_t		place;

	mp_craft_binary(&binary, c->where == WEIGHTS);
	place = find_place(&binary, c->where) + (size_t) c->offset;
	for (int i = 0; i < c->width; i++)
		binary.blob.data[place + i] = (char) (c->value >> (8 * i));
	outcome = mp_craft_load(binary.blob.data, binary.blob.size, NULL, 0);
	CHECK_SAY(strstr(error->message, c->message) != NULL &&
			  (error->code == c->code || (c->message[0] == '\0' && error->code != MP_OK)),
			  "case %zu: \"%s\" (code %d), expected \"%s\" (code %d)", number, error->message,
			  error->code, c->message, c->code);
	CHECK_SAY(error->tree == c->tree && error->node == c->node,
			  "case %zu: tree %d node %d, expected %d and %d (%s)", number, error->tree,
			  error->node, c->tree, c->node, error->message);
	mp_craft_check(&outcome, binary.blob.size, c->message);
	mp_blob_free(&binary.blob);
}

MP_TEST(hostile_binary_fields)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_case(i);
}

MP_TEST(hostile_binary_none)
{
	MpCraftBinary binary;
	MpBlob		linear = mp_craft_binary_linear();
	MpOutcome	outcome;
	float		x[3] = {0.25f, 3.0f, NAN};
	float		margin[2];

	for (int dart = 0; dart < 2; dart++)
	{
		mp_craft_binary(&binary, dart);
		outcome = mp_craft_load(binary.blob.data, binary.blob.size, NULL, 0);
		REQUIRE(outcome.forest != NULL);
		CHECK(outcome.forest->source == MP_FORMAT_BINARY && outcome.forest->version[1] == 7);
		mp_eval_margin(outcome.forest, x, margin);
		CHECK(margin[0] == 1.0f * (dart ? 0.5f : 1.0f) - 0.1f);
		mp_craft_check(&outcome, binary.blob.size, "a sound model");

		/* without the mark of 0.90 and later, and with the one of old pickles */
		outcome = mp_craft_load(binary.blob.data + 4, binary.blob.size - 4, NULL, 0);
		CHECK(outcome.forest != NULL);
		mp_craft_check(&outcome, binary.blob.size - 4, "a sound model without a mark");
		mp_blob_free(&binary.blob);
	}
	outcome = mp_craft_load(linear.data, linear.size, NULL, 0);
	REQUIRE(outcome.forest != NULL);
	mp_eval_margin(outcome.forest, x, margin);
	CHECK(margin[0] == 6.0f + 0.5f + 0.25f * 0.0f + 3.0f * 2.0f);
	mp_craft_check(&outcome, linear.size, "a linear model");
	mp_blob_free(&linear);
}

MP_TEST(hostile_binary_snapshot)
{
	MpCraftBinary binary;
	MpOutcome	outcome;
	char	   *data;
	size_t		size;

	mp_craft_binary(&binary, false);
	size = 14 + 8 + binary.blob.size + 2;
	data = malloc(size);
	memcpy(data, "CONFIG-offset:", 14);
	for (int i = 0; i < 8; i++)
		data[14 + i] = (char) (binary.blob.size >> (8 * i));
	memcpy(data + 22, binary.blob.data, binary.blob.size);
	memcpy(data + 22 + binary.blob.size, "{}", 2);
	outcome = mp_craft_load(data, size, NULL, 0);
	CHECK_SAY(outcome.forest != NULL, "%s", outcome.error.message);
	mp_craft_check(&outcome, size, "a snapshot");
	data[20] = 1;
	outcome = mp_craft_load(data, size, NULL, 0);
	CHECK(strstr(outcome.error.message, "of the model does not fit") != NULL);
	mp_craft_check(&outcome, size, "a snapshot that lies");
	free(data);
	mp_blob_free(&binary.blob);
}

MP_TEST(hostile_binary_truncated)
{
	for (int kind = 0; kind < 3; kind++)
	{
		MpCraftBinary binary;
		MpBlob		blob;

		if (kind < 2)
			mp_craft_binary(&binary, kind == 1);
		blob = kind < 2 ? binary.blob : mp_craft_binary_linear();
		for (size_t size = 0; size < blob.size; size++)
		{
			MpOutcome	outcome = mp_craft_load(blob.data, size, NULL, 0);

			CHECK_SAY(outcome.forest == NULL, "cut at byte %zu it was taken", size);
			CHECK_SAY(outcome.error.offset >= 0 && (size_t) outcome.error.offset <= size,
					  "cut at byte %zu: offset %lld", size, (long long) outcome.error.offset);
			mp_craft_check(&outcome, size, "cut");
		}
		mp_blob_free(&blob);
	}
}

MP_TEST(hostile_binary_random_bytes)
{
	uint64_t	state = 7;

	for (int kind = 0; kind < 3; kind++)
	{
		MpCraftBinary binary;
		MpBlob		blob;

		if (kind < 2)
			mp_craft_binary(&binary, kind == 1);
		blob = kind < 2 ? binary.blob : mp_craft_binary_linear();
		for (int round = 0; round < 5000; round++)
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

MP_TEST(hostile_binary_no_memory)
{
	MpCraftBinary binary;
	MpOutcome	outcome;
	size_t		n_requests;

	mp_craft_binary(&binary, true);
	outcome = mp_craft_load(binary.blob.data, binary.blob.size, NULL, 0);
	n_requests = outcome.n_requests;
	mp_craft_check(&outcome, binary.blob.size, "memory");
	for (size_t k = 1; k <= n_requests; k++)
	{
		outcome = mp_craft_load(binary.blob.data, binary.blob.size, NULL, k);
		CHECK(outcome.error.code == MP_ERROR_MEMORY);
		mp_craft_check(&outcome, binary.blob.size, "no memory");
	}
	mp_blob_free(&binary.blob);
}
