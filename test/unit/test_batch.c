/*
 * test_batch.c: rows scored at once have the bits of the reference evaluator, for
 * every kind of kernel and every number of rows.
 */
#include "harness.h"
#include "random_forest.h"

#include "core/batch/batch.h"
#include "core/forest/eval.h"
#include "core/kernel/kernel.h"
#include "core/kernel/kernel_image.h"

#include <stdlib.h>
#include <string.h>

/* What a forest gives for MP_BATCH_ROWS rows. */
typedef struct Rows
{
	size_t		row_size;		/* bytes of features */
	size_t		margin_size;	/* and of margins */
	char	   *x;
	char	   *expected;
} Rows;

static Rows
make_rows(const MpShape *shape, const MpForest *forest, uint64_t seed)
{
	MpRandom	random = {seed};
	size_t		real = mp_forest_real_size(forest);
	Rows		rows = {forest->n_features * real, forest->n_outputs * real};

	rows.x = malloc(MP_BATCH_ROWS * rows.row_size);
	rows.expected = malloc(MP_BATCH_ROWS * rows.margin_size);
	for (size_t i = 0; i < MP_BATCH_ROWS; i++)
	{
		mp_random_reals(&random, shape, rows.x + i * rows.row_size);
		mp_expect(forest, rows.x + i * rows.row_size, rows.expected + i * rows.margin_size);
	}
	return rows;
}

static void
free_rows(Rows rows)
{
	free(rows.x);
	free(rows.expected);
}

/* How many of n rows differ, the last n; what lies behind the margins must stay. */
static int
count_differences(MpBatch *batch, const Rows *rows, size_t n)
{
	size_t		first = MP_BATCH_ROWS - n;
	size_t		size = rows->margin_size;
	char	   *x = malloc(n * rows->row_size);
	char	   *margin = malloc((n + 1) * size);
	int			n_wrong = 0;

	memcpy(x, rows->x + first * rows->row_size, n * rows->row_size);
	memset(margin, 0x55, (n + 1) * size);
	mp_batch_margin(batch, x, n, margin);
	for (size_t i = 0; i < n; i++)
		n_wrong += memcmp(margin + i * size, rows->expected + (first + i) * size, size) != 0;
	for (size_t i = 0; i < size; i++)
		n_wrong += margin[n * size + i] != 0x55;
	free(x);
	free(margin);
	return n_wrong;
}

/* Whether there is a batch for the kind; if so, it must be right. */
static bool
check_kind(const MpShape *shape, const MpForest *forest, const void *image, const Rows *rows,
		   MpKernelKind kind)
{
	static const size_t sizes[] = {512, 1, 7, 64, 65, 511, 0, 512};
	MpError		error;
	MpKernel   *kernel = mp_kernel_open(&mp_alloc_malloc, image, forest, kind, &error);
	MpBatch    *batch = mp_batch_open(&mp_alloc_malloc, kernel, &error);

	CHECK_SAY(error.code == MP_OK, "%s: %s", shape->name, error.message);
	for (size_t i = 0; batch != NULL && i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		int			n = count_differences(batch, rows, sizes[i]);

		CHECK_SAY(n == 0, "%s: batch %s differs on %d of %zu rows", shape->name,
				  mp_kernel_kind_name(mp_kernel_kind(kernel)), n, sizes[i]);
	}
	CHECK(batch == NULL || mp_batch_bytes(batch) > 0);
	mp_batch_close(batch);
	mp_kernel_close(kernel);
	return batch != NULL;
}

/* Whether there is a batch for the shape, with every kind of kernel or with none. */
static bool
check_shape(const MpShape *shape, int width, uint64_t seed)
{
	MpRandom	random = {seed};
	MpForest   *forest = mp_random_forest(&random, shape);
	MpError		error;
	size_t		size;
	void	   *image = mp_kernel_compile_as(&mp_alloc_malloc, forest, width, &size, &error);
	int			n = 0;

	if (image != NULL)
	{
		Rows		rows = make_rows(shape, forest, seed);

		for (int kind = MP_KERNEL_PORTABLE; kind <= MP_KERNEL_AVX512; kind++)
			n += check_kind(shape, forest, image, &rows, kind);
		free_rows(rows);
	}
	CHECK_SAY(n == 0 || n == MP_KERNEL_AVX512 - MP_KERNEL_PORTABLE + 1,
			  "%s: %d kinds have a batch", shape->name, n);
	free(image);
	free(forest);
	return n > 0;
}

MP_TEST(batch_gives_the_bits_of_the_reference)
{
	int			n = 0;
	int			n_doubles = 0;

	for (size_t i = 0; i < mp_n_shapes; i++)
	{
		MpShape		doubles = mp_shapes[i];
		bool		bytes = check_shape(&mp_shapes[i], MP_BYTES, i);
		bool		wide = check_shape(&mp_shapes[i], MP_WIDE, i);

		n += bytes || wide;
		doubles.doubles = true;
		n_doubles += check_shape(&doubles, MP_BYTES, i) || check_shape(&doubles, MP_WIDE, i);
	}
	/* all but no trees, 40,000 features, and few trees so large that rows would only walk them */
	CHECK(n == mp_n_shapes - 4 && n_doubles >= mp_n_shapes - 4);
}

MP_TEST(batch_leaves_the_rest_to_the_kernel)
{
	MpRandom	random = {1};
	MpForest   *forest = mp_random_forest(&random, mp_find_shape("depth 6"));
	MpError		error;
	MpKernel   *kernel = mp_kernel_open(&mp_alloc_malloc, NULL, forest, MP_KERNEL_AUTO, &error);

	REQUIRE(kernel != NULL);
	CHECK(mp_batch_open(&mp_alloc_malloc, kernel, &error) == NULL && error.code == MP_OK);
	mp_kernel_close(kernel);
	free(forest);
}

/* Without memory there is an error, and nothing is left behind. */
MP_TEST(batch_survives_lack_of_memory)
{
	MpRandom	random = {1};
	MpForest   *forest = mp_random_forest(&random, mp_find_shape("depth 8, sparse"));
	MpError		error;
	size_t		size;
	void	   *image = mp_kernel_compile(&mp_alloc_malloc, forest, &size, &error);
	MpKernel   *kernel = mp_kernel_open(&mp_alloc_malloc, image, forest, MP_KERNEL_AUTO, &error);
	MpBatch    *batch = NULL;
	MpCounting	counting;

	for (int fail_at = 1; batch == NULL && fail_at < 100; fail_at++)
	{
		mp_counting_init(&counting);
		counting.fail_at = fail_at;
		batch = mp_batch_open(&counting.alloc, kernel, &error);
		CHECK(batch != NULL || (error.code == MP_ERROR_MEMORY && counting.n_blocks == 0));
	}
	REQUIRE(batch != NULL);
	CHECK(counting.n_requests > 1 && counting.n_blocks == 1 && counting.n_polls > 0);
	CHECK(counting.held == mp_batch_bytes(batch));
	mp_batch_close(batch);
	CHECK(counting.n_blocks == 0);
	mp_kernel_close(kernel);
	free(image);
	free(forest);
}
