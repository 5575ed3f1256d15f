/*
 * test_forest.c: the check of stored forests: every damage is refused or
 * harmless, also where the checksums were made to fit.
 */
#include "craft.h"
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static bool
is_sound(const MpForest *forest, size_t size, bool head_only)
{
	MpError		error;
	bool		sound = mp_forest_check(&mp_alloc_malloc, forest, size, head_only, &error);

	CHECK(sound == (error.code == MP_OK));
	CHECK(sound || error.code == MP_ERROR_IMAGE);
	return sound;
}

static MpForest *
make_forest(const char *json)
{
	MpOutcome	outcome = mp_craft_load(json, strlen(json), NULL, 0);

	return outcome.forest;
}

static MpForest *
copy_forest(const MpForest *forest)
{
	MpForest   *copy = malloc(forest->size);

	memcpy(copy, forest, forest->size);
	return copy;
}

/* Each byte of the image changed once: the checksums see it. */
MP_TEST(forest_checksums)
{
	MpForest   *forest = make_forest(mp_craft_trees);

	REQUIRE(forest != NULL);
	CHECK(is_sound(forest, forest->size, false));
	for (size_t i = 0; i < forest->size; i++)
	{
		size_t		size = forest->size;
		unsigned char *byte = (unsigned char *) forest + i;

		*byte ^= 0x10;
		CHECK_SAY(!is_sound(forest, size, false), "byte %zu", i);
		*byte ^= 0x10;
	}
	CHECK(is_sound(forest, forest->size, false));
	free(forest);
}

MP_TEST(forest_lengths)
{
	MpForest   *forest = make_forest(mp_craft_trees);

	REQUIRE(forest != NULL);
	for (size_t size = 0; size < forest->size; size++)
	{
		/* a block of just that size, so that a sanitizer sees one byte too many */
		MpForest   *cut = malloc(size > 0 ? size : 1);

		memcpy(cut, forest, size);
		CHECK_SAY(!is_sound(cut, size, false), "%zu bytes", size);
		CHECK_SAY(is_sound(cut, size, true) == (size >= forest->head_size),
				  "%zu bytes of head", size);
		free(cut);
	}
	free(forest);
}

/* A checksum is no signature: fields that lie under a right one are refused too. */
MP_TEST(forest_fields)
{
	static const int32_t values[] = {-1, 1, 7, 1000000, INT32_MAX, INT32_MIN};
	const char *const models[] = {mp_craft_trees, mp_craft_dart, mp_craft_linear, mp_craft_vectors};

	for (int m = 0; m < 4; m++)
	{
		MpForest   *forest = make_forest(models[m]);

		REQUIRE(forest != NULL);
		for (size_t i = 0; i < forest->size / 4; i++)
		{
			for (size_t k = 0; k < sizeof(values) / sizeof(*values); k++)
			{
				MpForest   *copy = copy_forest(forest);
				uint64_t	size = copy->size;

				memcpy((char *) copy + i * 4, &values[k], 4);
				/* sealing reads by sizes, which must be the true ones for that */
				if (copy->size == size && copy->head_size == forest->head_size)
					mp_forest_seal(copy);
				if (is_sound(copy, size, false))
					mp_craft_score(copy, "a changed forest");
				free(copy);
			}
		}
		free(forest);
	}
}

/* Links between nodes that no tree may have. */
MP_TEST(forest_links)
{
	MpForest   *forest = make_forest(mp_craft_trees);
	static const struct
	{
		int			node;
		int			left;
		bool		sound;
	}			cases[] = {
		{1, 3, true},
		{1, 1, false},			/* its own child */
		{2, 1, false},			/* two parents */
		{1, 4, false},			/* past the end */
		{3, 1, false},			/* a circle */
		{0, 3, false},			/* 1 is out of reach, yet a split */
		{1, 0, true},			/* 3 and 4 are deleted, as it were */
	};

	REQUIRE(forest != NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		MpForest   *copy = copy_forest(forest);
		MpNode	   *node = (MpNode *) mp_forest_nodes(copy, mp_forest_trees(copy)) + cases[i].node;

		node->left = cases[i].left;
		node->feature = 0;
		node->value = 0;
		mp_forest_seal(copy);
		CHECK_SAY(is_sound(copy, copy->size, false) == cases[i].sound, "case %zu", i);
		free(copy);
	}
	free(forest);
}

/* Splits that only each other lead to, while the root is a leaf. */
MP_TEST(forest_circle)
{
	MpForest   *forest = make_forest(mp_craft_trees);
	MpNode	   *nodes;

	REQUIRE(forest != NULL);
	nodes = (MpNode *) mp_forest_nodes(forest, mp_forest_trees(forest));
	memset(nodes, 0, 5 * sizeof(MpNode));
	nodes[1].left = 3;
	nodes[3].left = 1;
	mp_forest_seal(forest);
	CHECK(!is_sound(forest, forest->size, false));
	free(forest);
}

/* Lists of codes that do not ascend could not be searched. */
MP_TEST(forest_category_lists)
{
	MpBlob		a = mp_craft_edit(mp_craft_trees,
								  "learner.gradient_booster.model.trees[0].categories",
								  "[70,700]");
	MpForest   *forest = make_forest(a.data);
	uint32_t   *words;

	mp_blob_free(&a);
	REQUIRE(forest != NULL);
	REQUIRE(MP_SECTION(forest, MP_SECTION_CATSETS, MpCatSet)->is_list);
	words = (uint32_t *) MP_SECTION(forest, MP_SECTION_CATWORDS, uint32_t);
	words[1] = MP_MAX_CATEGORY - 1;
	mp_forest_seal(forest);
	CHECK(is_sound(forest, forest->size, false));
	words[1] = 70;
	mp_forest_seal(forest);
	CHECK(!is_sound(forest, forest->size, false));
	words[1] = MP_MAX_CATEGORY;
	mp_forest_seal(forest);
	CHECK(!is_sound(forest, forest->size, false));
	free(forest);
}
