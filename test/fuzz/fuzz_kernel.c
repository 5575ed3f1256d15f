/*
 * fuzz_kernel.c: stored images of kernels. The checksum is made to fit, as is
 * the model that an image says it belongs to, so that the checks behind them
 * are reached. What is taken may score wrongly, but must do it safely.
 */
#include "fuzz.h"
#include "core/base/crc32c.h"
#include "core/batch/batch.h"
#include "core/kernel/kernel.h"
#include "core/kernel/kernel_image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N_ROWS 20

/* A forest without trees that has the inputs and outputs of the image. */
static MpForest *
make_head(const MpKernelImage *image)
{
	MpVec		no_nodes = {&mp_alloc_malloc};
	uint64_t	sizes[MP_SECTION_COUNT] = {0};
	MpForest	header;
	MpForest   *head;
	MpError		error;

	memset(&header, 0, sizeof(header));
	header.n_features = image->n_features;
	header.n_outputs = image->n_outputs;
	header.n_trees = image->n_trees;
	header.n_trees_used = image->n_trees;
	header.vector_leaf = image->sum == MP_SUM_VECTOR;
	header.precision = image->precision;
	sizes[MP_SECTION_BASE] = (uint64_t) image->n_outputs * mp_forest_real_size(&header);
	sizes[MP_SECTION_FEATURES] = (uint64_t) image->n_features * sizeof(MpFeature);
	head = mp_forest_new(&no_nodes, &header, sizes, &error);
	MP_FUZZ_REQUIRE(head != NULL);
	memset((void *) MP_SECTION(head, MP_SECTION_BASE, void), 0, sizes[MP_SECTION_BASE]);
	head->head_checksum = image->head_checksum;
	head->checksum = image->forest_checksum;
	return head;
}

static void
seal(MpKernelImage *image, size_t size)
{
	image->magic = MP_KERNEL_MAGIC;
	image->format = MP_KERNEL_FORMAT;
	image->byte_order = MP_FOREST_BYTE_ORDER;
	image->size = size;
	image->checksum = 0;
	image->checksum = mp_crc32c(0, image, size);
}

/* Row i of those that are scored, in a place for all. */
static void
fill_row(const MpForest *head, size_t i, size_t at, void *rows)
{
	static const float values[] = {NAN, 0, 1, -1, 0.5f, 7, 100, -3e38f, 3e38f, INFINITY, -0.0f};

	for (int32_t k = 0; k < head->n_features; k++)
	{
		float		value = values[i < 11 ? i : (i + (size_t) k * 7) % 11];
		size_t		place = at * head->n_features + k;

		if (head->precision == MP_PRECISION_DOUBLE)
			((double *) rows)[place] = value;
		else
			((float *) rows)[place] = value;
	}
}

static void
score_batch(const MpKernel *kernel, const MpForest *head)
{
	MpError		error;
	MpBatch    *batch = mp_batch_open(&mp_alloc_malloc, kernel, &error);
	void	   *x = malloc((size_t) N_ROWS * head->n_features * mp_forest_real_size(head));
	void	   *margin = malloc((size_t) N_ROWS * head->n_outputs * mp_forest_real_size(head));

	MP_FUZZ_REQUIRE(error.code == MP_OK);
	for (size_t i = 0; i < N_ROWS; i++)
		fill_row(head, i, i, x);
	if (batch != NULL)
		mp_batch_margin(batch, x, N_ROWS, margin);
	mp_batch_close(batch);
	free(x);
	free(margin);
}

static void
score(const MpKernelImage *image, const MpForest *head, MpKernelKind kind)
{
	MpError		error;
	MpKernel   *kernel = mp_kernel_open(&mp_alloc_malloc, image, head, kind, &error);
	void	   *x = malloc((size_t) head->n_features * mp_forest_real_size(head));
	void	   *margin = malloc((size_t) head->n_outputs * mp_forest_real_size(head));

	MP_FUZZ_REQUIRE(kernel != NULL);
	for (size_t i = 0; i < N_ROWS; i++)
	{
		fill_row(head, i, 0, x);
		mp_kernel_margin(kernel, x, margin);
	}
	score_batch(kernel, head);
	mp_kernel_close(kernel);
	free(x);
	free(margin);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MpKernelImage *image;
	MpForest   *head;
	MpError		error;

	size &= ~(size_t) 63;
	if (size < sizeof(MpKernelImage))
		return 0;
	image = aligned_alloc(64, size);
	memcpy(image, data, size);
	seal(image, size);
	if (image->n_features > 0 && image->n_features <= 2000 &&
		image->n_outputs > 0 && image->n_outputs <= 2000)
	{
		head = make_head(image);
		if (mp_kernel_check(image, size, head, &error))
		{
			for (int kind = MP_KERNEL_PORTABLE; kind <= MP_KERNEL_AVX512; kind++)
				score(image, head, (MpKernelKind) kind);
		}
		else
			MP_FUZZ_REQUIRE(error.code == MP_ERROR_IMAGE && error.message[0] != '\0');
		free(head);
	}
	free(image);
	return 0;
}
