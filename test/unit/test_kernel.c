/*
 * test_kernel.c: every kernel gives the same bits as the reference evaluator,
 * on forests of every shape; an image that is damaged, or made by hand, is
 * refused or at worst gives wrong scores.
 */
#include "harness.h"
#include "random_forest.h"

#include "core/base/crc32c.h"
#include "core/batch/batch.h"
#include "core/forest/eval.h"
#include "core/kernel/kernel.h"
#include "core/kernel/kernel_image.h"

#include <stdlib.h>
#include <string.h>

#define N_ROWS 40

/* Rows on which the kernel's margin differs from the reference's in any bit. */
static int
count_differences(const MpShape *shape, const MpForest *forest, const void *image,
				  MpKernelKind kind, uint64_t seed)
{
	MpError		error;
	MpRandom	random = {seed};
	MpKernel   *kernel = mp_kernel_open(&mp_alloc_malloc, image, forest, kind, &error);
	size_t		real = mp_forest_real_size(forest);
	size_t		size = forest->n_outputs * real;
	void	   *x = malloc(shape->n_features * real);
	void	   *expected = malloc(size);
	void	   *margin = malloc(size);
	int			n = 0;

	for (int row = 0; row < N_ROWS; row++)
	{
		mp_random_reals(&random, shape, x);
		mp_expect(forest, x, expected);
		mp_kernel_margin(kernel, x, margin);
		n += memcmp(expected, margin, size) != 0;
	}
	mp_kernel_close(kernel);
	free(x);
	free(expected);
	free(margin);
	return n;
}

/* The image of one width on every kernel; false: the width does not hold the forest. */
static bool
check_width(const MpShape *shape, const MpForest *forest, int width, uint64_t seed)
{
	MpError		error;
	size_t		size;
	void	   *image = mp_kernel_compile_as(&mp_alloc_malloc, forest, width, &size, &error);

	if (image == NULL)
	{
		CHECK_SAY(error.code == MP_OK, "%s: %s", shape->name, error.message);
		return false;
	}
	CHECK_SAY(mp_kernel_check(image, size, forest, &error), "%s, width %d: %s", shape->name,
			  width, error.message);
	for (int kind = MP_KERNEL_AUTO; kind <= MP_KERNEL_AVX512; kind++)
	{
		int			n = count_differences(shape, forest, image, kind, seed);

		CHECK_SAY(n == 0, "%s, width %d: kernel %s differs on %d of %d rows", shape->name, width,
				  mp_kernel_kind_name(kind), n, N_ROWS);
	}
	free(image);
	return true;
}

/* In every width, whichever is the best. */
MP_TEST(kernel_gives_the_bits_of_the_reference)
{
	int			n_bytes = 0;
	int			n_wide = 0;

	for (size_t i = 0; i < 2 * mp_n_shapes; i++)
	{
		MpShape		shape = mp_shapes[i / 2];
		MpRandom	random = {i};
		MpForest   *forest;

		shape.doubles = i % 2 == 1;
		forest = mp_random_forest(&random, &shape);
		n_bytes += check_width(&shape, forest, MP_BYTES, i);
		n_wide += check_width(&shape, forest, MP_WIDE, i);
		free(forest);
	}
	CHECK(n_bytes > 60 && n_bytes < 2 * mp_n_shapes);
	/* not those without a split, nor 40,000 features */
	CHECK(n_wide == 2 * (mp_n_shapes - 3));
}

static void *
compile(const MpForest *forest, size_t *size)
{
	MpError		error;

	return mp_kernel_compile(&mp_alloc_malloc, forest, size, &error);
}

/* Which layout serves a shape: the width, and the form of the first chunk. */
static void
check_layout(const char *name, int width, int form)
{
	MpRandom	random = {1};
	MpForest   *forest = mp_random_forest(&random, mp_find_shape(name));
	size_t		size;
	MpKernelImage *image = compile(forest, &size);

	REQUIRE(image != NULL);
	CHECK_SAY(image->width == width, "%s: width %u", name, image->width);
	CHECK_SAY(MP_SECTION(image, MP_KERNEL_CHUNKS, MpKernelChunk)->form == form, "%s: form", name);
	free(image);
	free(forest);
}

/* Otherwise the shapes above might all be tested on one path. */
MP_TEST(kernel_chooses_the_layout)
{
	check_layout("depth 5", MP_BYTES, MP_CHUNK_FLAT);
	check_layout("depth 6", MP_BYTES, MP_CHUNK_SUBTREE_1);
	check_layout("depth 7", MP_BYTES, MP_CHUNK_SUBTREE_3);
	check_layout("depth 8", MP_BYTES, MP_CHUNK_SUBTREE_3);
	check_layout("leaf-wise, deep", MP_BYTES, MP_CHUNK_DEEP);
	check_layout("several slots per feature", MP_BYTES, MP_CHUNK_SUBTREE_3);
	check_layout("128 slots", MP_BYTES, MP_CHUNK_SUBTREE_1);
	check_layout("categories", MP_BYTES, MP_CHUNK_SUBTREE_1);
	check_layout("129 slots", MP_WIDE, MP_CHUNK_FLAT);
	check_layout("many slots, depth 8", MP_WIDE, MP_CHUNK_SHORT);
	check_layout("many slots, leaf-wise", MP_WIDE, MP_CHUNK_DEEP);
	check_layout("large trees", MP_WIDE, MP_CHUNK_DEEP);
	check_layout("categories, many slots", MP_WIDE, MP_CHUNK_SHORT);
	check_layout("many splits", MP_WIDE, MP_CHUNK_SHORT);
	check_layout("many splits and slots", MP_WIDE, MP_CHUNK_SHORT);
}

static void
check_reference_serves(const MpForest *forest)
{
	MpError		error;
	size_t		size;
	MpKernel   *kernel;

	CHECK(mp_kernel_compile(&mp_alloc_malloc, forest, &size, &error) == NULL);
	CHECK(error.code == MP_OK);
	kernel = mp_kernel_open(&mp_alloc_malloc, NULL, forest, MP_KERNEL_AUTO, &error);
	REQUIRE(kernel != NULL);
	CHECK(mp_kernel_kind(kernel) == MP_KERNEL_REFERENCE);
	mp_kernel_close(kernel);
}

MP_TEST(kernel_leaves_what_does_not_fit_to_the_reference)
{
	static const MpShape weighted = {"weighted vectors", 10, 20, 6, 60, 100, .n_outputs = 3,
		.vector_leaf = true, .dart = true};
	MpRandom	random = {1};
	MpForest   *forest = mp_random_forest(&random, mp_find_shape("no trees"));

	forest->booster = MP_BOOSTER_GBLINEAR;
	check_reference_serves(forest);
	free(forest);

	forest = mp_random_forest(&random, &weighted);
	check_reference_serves(forest);
	CHECK(count_differences(&weighted, forest, NULL, MP_KERNEL_AUTO, 1) == 0);
	free(forest);
}

static void
seal(MpKernelImage *image)
{
	image->checksum = 0;
	image->checksum = mp_crc32c(0, image, image->size);
}

MP_TEST(kernel_refuses_other_formats)
{
	MpRandom	random = {1};
	MpForest   *forest = mp_random_forest(&random, mp_find_shape("depth 6"));
	MpError		error;
	size_t		size;
	MpKernelImage *image = compile(forest, &size);

	REQUIRE(image != NULL);
	for (int change = -1; change <= 1; change++)
	{
		image->format = MP_KERNEL_FORMAT + change;
		seal(image);
		CHECK(mp_kernel_check(image, size, forest, &error) == (change == 0));
		CHECK(change == 0 || strstr(error.message, "format") != NULL);
	}
	free(image);
	free(forest);
}

/* Of a deep tree's last pair of nodes, the first is as far as a number may lead. */
MP_TEST(kernel_refuses_nodes_that_lead_outside)
{
	MpRandom	random = {1};
	MpForest   *forest = mp_random_forest(&random, mp_find_shape("leaf-wise"));
	MpError		error;
	size_t		size;
	MpKernelImage *image = mp_kernel_compile_as(&mp_alloc_malloc, forest, MP_WIDE, &size, &error);
	const MpKernelChunk *chunk;
	const MpDeepTail *tail;
	uint32_t   *exits;
	MpWideNode  *nodes;
	uint32_t	last = 0;

	REQUIRE(image != NULL);
	chunk = MP_SECTION(image, MP_KERNEL_CHUNKS, MpKernelChunk);
	REQUIRE(chunk->form == MP_CHUNK_DEEP);
	tail = (MpDeepTail *) ((char *) image + chunk->tails);
	exits = (uint32_t *) ((char *) image + chunk->data + tail->exits);
	nodes = (MpWideNode *) (exits + MP_TOP_PLACES);
	for (uint32_t i = 0; i < tail->n_nodes; i++)
	{
		if (nodes[i].left != i)
			last = i;
	}
	CHECK(last > 0 && nodes[last].left == tail->n_nodes - 2);
	for (uint32_t left = tail->n_nodes - 2; left <= tail->n_nodes; left++)
	{
		nodes[last].left = left;
		seal(image);
		CHECK(mp_kernel_check(image, size, forest, &error) == (left == tail->n_nodes - 2));
	}
	nodes[last].left = last;	/* round and round */
	seal(image);
	CHECK(!mp_kernel_check(image, size, forest, &error));
	nodes[last].left = tail->n_nodes - 2;
	exits[0] = tail->n_nodes;
	seal(image);
	CHECK(!mp_kernel_check(image, size, forest, &error));
	free(image);
	free(forest);
}

/* Behind the last subtree there is room for exactly one large one. */
MP_TEST(kernel_refuses_subtrees_that_lie_outside)
{
	MpRandom	random = {1};
	MpForest   *forest = mp_random_forest(&random, mp_find_shape("depth 8"));
	MpError		error;
	size_t		size;
	MpKernelImage *image = compile(forest, &size);
	const MpKernelChunk *chunk;
	MpSubtrees	   *subtrees;
	uint32_t   *first;
	uint32_t	end;

	REQUIRE(image != NULL);
	chunk = MP_SECTION(image, MP_KERNEL_CHUNKS, MpKernelChunk);
	REQUIRE(chunk->form == MP_CHUNK_SUBTREE_3 && chunk->n_trees == MP_CHUNK_TREES);
	subtrees = (MpSubtrees *) ((char *) image + chunk->tails);
	first = &subtrees->first[MP_CHUNK_TREES - 1];
	end = *first + MP_SMALL_SUBTREE * __builtin_popcount(subtrees->there[MP_CHUNK_TREES - 1]) +
		(MP_LARGE_SUBTREE - MP_SMALL_SUBTREE) * __builtin_popcount(subtrees->large[MP_CHUNK_TREES - 1]);
	CHECK(end + MP_LARGE_SUBTREE == chunk->n_blocks);
	for (uint32_t move = 0; move <= 1; move++)
	{
		*first += move;
		seal(image);
		CHECK(mp_kernel_check(image, size, forest, &error) == (move == 0));
		*first -= move;
	}
	for (uint32_t move = 0; move <= 1; move++)
	{
		subtrees->table[MP_CHUNK_TREES - 1][7] = end - *first + move;
		seal(image);
		CHECK(mp_kernel_check(image, size, forest, &error) == (move == 0));
	}
	free(image);
	free(forest);
}

MP_TEST(kernel_refuses_foreign_images)
{
	MpRandom	random = {1};
	MpForest   *forest = mp_random_forest(&random, mp_find_shape("depth 6"));
	MpForest   *other = mp_random_forest(&random, mp_find_shape("depth 6"));
	MpError		error;
	size_t		size;
	char	   *image = compile(forest, &size);

	REQUIRE(image != NULL);
	CHECK(!mp_kernel_check(image, size, other, &error) && error.code == MP_ERROR_IMAGE);
	CHECK(!mp_kernel_check(image, size - 64, forest, &error) && error.code == MP_ERROR_IMAGE);
	CHECK(!mp_kernel_check(image, 0, forest, &error) && error.code == MP_ERROR_IMAGE);
	for (size_t i = 0; i < size; i += 1 + size / 997)
	{
		image[i] ^= 1 << (i % 8);
		CHECK(!mp_kernel_check(image, size, forest, &error) && error.code == MP_ERROR_IMAGE);
		image[i] ^= 1 << (i % 8);
	}
	CHECK(mp_kernel_check(image, size, forest, &error));
	free(image);
	free(forest);
	free(other);
}

/* A number at random, near the old one or anywhere. */
static void
spoil(MpRandom *random, char *image, size_t from, size_t size)
{
	uint32_t   *word = (uint32_t *) image + (from + mp_random_below(random, size)) / 4;

	switch (mp_random_below(random, 4))
	{
		case 0:
			*word ^= 1u << mp_random_below(random, 32);
			break;
		case 1:
			*word += mp_random_below(random, 129) - 64;
			break;
		case 2:
			*word = mp_random(random);
			break;
		case 3:
			*word = mp_random_chance(random, 0.5) ? 0xffffffffu : 0;
			break;
	}
}

/* Scores some rows at once; whether there was a batch. */
static bool
score_batch(const MpShape *shape, const MpForest *forest, const void *image, MpKernelKind kind,
			uint64_t seed)
{
	MpError		error;
	MpRandom	random = {seed};
	MpKernel   *kernel = mp_kernel_open(&mp_alloc_malloc, image, forest, kind, &error);
	MpBatch    *batch = mp_batch_open(&mp_alloc_malloc, kernel, &error);
	size_t		real = mp_forest_real_size(forest);
	char	   *x = malloc(N_ROWS * shape->n_features * real);
	void	   *margin = malloc(N_ROWS * forest->n_outputs * real);

	for (int row = 0; row < N_ROWS; row++)
		mp_random_reals(&random, shape, x + row * shape->n_features * real);
	CHECK(error.code == MP_OK);
	if (batch != NULL)
		mp_batch_margin(batch, x, N_ROWS, margin);
	mp_batch_close(batch);
	mp_kernel_close(kernel);
	free(x);
	free(margin);
	return batch != NULL;
}

/* Scores with spoilt copies of an image; counts those that the check refused and took, and batches. */
static void
try_spoilt(MpRandom *random, const MpShape *shape, const MpForest *forest, const char *image,
		   size_t size, int counts[3])
{
	MpKernelImage *spoilt = malloc(size);
	MpError		error;

	for (int round = 0; round < 150; round++)
	{
		bool		taken;

		memcpy(spoilt, image, size);
		for (uint32_t j = mp_random_below(random, 3) + 1; j > 0; j--)
			spoil(random, (char *) spoilt, 0, mp_random_chance(random, 0.5) ? 512 : size);
		if (spoilt->size != size)
			continue;
		seal(spoilt);
		taken = mp_kernel_check(spoilt, size, forest, &error);
		counts[taken]++;
		for (int kind = MP_KERNEL_PORTABLE; taken && kind <= MP_KERNEL_AVX512; kind++)
		{
			count_differences(shape, forest, spoilt, kind, round);
			counts[2] += score_batch(shape, forest, spoilt, kind, round);
		}
	}
	free(spoilt);
}

/*
 * Images with a right checksum and anything else wrong. There is nothing to
 * compare: that the sanitizers find nothing is the test.
 */
MP_TEST(kernel_survives_images_made_by_hand)
{
	static const char *const names[] = {
		"depth 3", "depth 6", "depth 7", "depth 8", "leaf-wise", "many slots, depth 6", "many slots, depth 8",
		"many slots, leaf-wise", "thousands of cuts", "outputs at random", "vector leaves, depth 8",
		"categories", "many categories", "far categories", "classes by runs"
	};

	for (int width = MP_BYTES; width <= MP_WIDE; width++)
	{
		int			counts[3] = {0, 0, 0};

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		{
			MpShape		shape = *mp_find_shape(names[i]);
			MpRandom	random = {i};
			MpForest   *forest;
			MpError		error;
			size_t		size;
			char	   *image;

			shape.n_trees = shape.n_trees < 40 ? shape.n_trees : 40;
			shape.doubles = i % 3 == 2;
			forest = mp_random_forest(&random, &shape);
			image = mp_kernel_compile_as(&mp_alloc_malloc, forest, width, &size, &error);
			if (image != NULL)
				try_spoilt(&random, &shape, forest, image, size, counts);
			free(image);
			free(forest);
		}
		CHECK(counts[true] > 100 && counts[false] > 100);
		CHECK(counts[2] > 1000);
	}
}

/* Without memory there is an error, and nothing is left behind. */
MP_TEST(kernel_survives_lack_of_memory)
{
	static const char *const names[] = {
		"depth 8, sparse", "leaf-wise", "many categories", "many slots, depth 3", "many splits"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		MpRandom	random = {i};
		MpForest   *forest = mp_random_forest(&random, mp_find_shape(names[i]));
		MpCounting	counting;
		MpError		error;
		size_t		size;
		void	   *image = NULL;

		for (int fail_at = 1; image == NULL && fail_at < 1000; fail_at++)
		{
			mp_counting_init(&counting);
			counting.fail_at = fail_at;
			image = mp_kernel_compile(&counting.alloc, forest, &size, &error);
			CHECK(image != NULL || (error.code == MP_ERROR_MEMORY && counting.n_blocks == 0));
		}
		CHECK(image != NULL && counting.n_blocks == 1 && counting.n_polls > 0);
		mp_alloc_release(&counting.alloc, image);
		free(forest);
	}
}
