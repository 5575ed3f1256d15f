/*
 * fuzz.c: loads and scores as the server would, and holds the core to its
 * promises.
 */
#include "fuzz.h"
#include "core/forest/depth.h"
#include "core/forest/eval.h"
#include "harness.h"
#include "core/forest/importance.h"
#include "core/kernel/kernel.h"
#include "core/forest/link.h"
#include "core/forest/probe.h"
#include "core/shap/shap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N_ROWS 100
#define N_ROWS_WIDE 5			/* of models with hundreds of features or outputs */
#define N_PROBES 50

void
mp_fuzz_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A value that may tell evaluators apart: missing, on or beside a threshold, a code, any bits. */
static float
random_value(const MpForest *forest, uint64_t *state)
{
	uint64_t	n_nodes = MP_SECTION_LENGTH(forest, MP_SECTION_NODES, MpNode);
	uint64_t	bits = next_random(state);
	uint32_t	pattern = (uint32_t) (bits >> 32);
	float		x;

	switch (bits % 8)
	{
		case 0:
			return NAN;
		case 1:
		case 2:
		case 3:
			if (n_nodes == 0)
				return 0;
			x = MP_SECTION(forest, MP_SECTION_NODES, MpNode)[(bits >> 8) % n_nodes].value;
			return bits % 8 == 1 ? x : nextafterf(x, bits % 8 == 2 ? INFINITY : -INFINITY);
		case 4:
			return (float) ((bits >> 8) % 100);
		case 5:
			return (float) (int64_t) ((bits >> 8) % 20000000);
		case 6:
			return ((float) (int64_t) ((bits >> 8) % 2000) - 1000) / 64;
	}
	memcpy(&x, &pattern, sizeof(x));
	return x;
}

#define N_KINDS (MP_KERNEL_AVX512 + 1)

/* Room for one row and all that comes of it, and what scores it. */
typedef struct Row
{
	float	   *x;
	float	   *margin;
	float	   *other_margin;
	float	   *prediction;
	int32_t    *leaf;
	void	   *image;
	MpKernel   *kernels[N_KINDS];	/* NULL: this machine has it not */
} Row;

static void
open_kernels(const MpForest *forest, Row *row)
{
	size_t		size;
	MpError		error;

	memset(row->kernels, 0, sizeof(row->kernels));
	row->image = mp_kernel_compile(&mp_alloc_malloc, forest, &size, &error);
	MP_FUZZ_REQUIRE(error.code == MP_OK);
	if (row->image == NULL)
		return;
	MP_FUZZ_REQUIRE(mp_kernel_check(row->image, size, forest, &error));
	for (int kind = MP_KERNEL_PORTABLE; kind < N_KINDS; kind++)
	{
		MpKernel   *kernel = mp_kernel_open(&mp_alloc_malloc, row->image, forest,
											(MpKernelKind) kind, &error);

		MP_FUZZ_REQUIRE(kernel != NULL);
		if (mp_kernel_kind(kernel) == (MpKernelKind) kind)
			row->kernels[kind] = kernel;
		else
			mp_kernel_close(kernel);
	}
}

static void
close_kernels(Row *row)
{
	for (int kind = 0; kind < N_KINDS; kind++)
		mp_kernel_close(row->kernels[kind]);
	mp_alloc_release(&mp_alloc_malloc, row->image);
}

/* Every kernel must give the reference's bits. */
static void
compare_kernels(const MpForest *forest, const Row *row)
{
	for (int kind = 0; kind < N_KINDS; kind++)
	{
		bool		same = true;

		if (row->kernels[kind] == NULL)
			continue;
		mp_kernel_margin(row->kernels[kind], row->x, row->other_margin);
		for (int32_t k = 0; k < forest->n_outputs; k++)
		{
			uint32_t	bits;
			uint32_t	other_bits;

			memcpy(&bits, &row->margin[k], sizeof(bits));
			memcpy(&other_bits, &row->other_margin[k], sizeof(bits));
			same &= bits == other_bits ||
				(isnan(row->margin[k]) && isnan(row->other_margin[k]));
		}
		MP_FUZZ_REQUIRE(same);
	}
}

static void
score_row(const MpForest *forest, const Row *row)
{
	mp_eval_margin(forest, row->x, row->margin);
	compare_kernels(forest, row);
	mp_predict_from_margin(forest, row->margin, row->prediction);
	if (forest->booster == MP_BOOSTER_GBLINEAR)
		return;
	mp_eval_leaf(forest, row->x, row->leaf);
	for (int32_t t = 0; t < forest->n_trees_used; t++)
	{
		const MpTree *tree = &mp_forest_trees(forest)[t];

		MP_FUZZ_REQUIRE(row->leaf[t] >= 0 && (uint32_t) row->leaf[t] < tree->n_nodes);
		MP_FUZZ_REQUIRE(mp_forest_nodes(forest, tree)[row->leaf[t]].left == 0);
	}
}

/* Rows made from the model itself: every threshold met, just below and just above. */
static void
score_probes(const MpForest *forest, const Row *row)
{
	MpError		error;
	MpProbe    *probe = mp_probe_open(&mp_alloc_malloc, forest, N_PROBES, &error);

	MP_FUZZ_REQUIRE(probe != NULL);
	while (mp_probe_next(probe, row->x))
		score_row(forest, row);
	mp_probe_close(probe);
}

/* A row of random values, the same ones again and again in a long one: making them costs most. */
static void
fill_row(const MpForest *forest, uint64_t *state, float *x)
{
	size_t		n = (size_t) forest->n_features;
	size_t		filled = n < 256 ? n : 256;

	for (size_t k = 0; k < filled; k++)
		x[k] = random_value(forest, state);
	while (filled < n)
	{
		size_t		more = n - filled < filled ? n - filled : filled;

		memcpy(x + filled, x, more * sizeof(float));
		filled += more;
	}
}

/* What is made of small forests to explain them. */
static void
explain(const MpForest *forest, const Row *row)
{
	size_t		n_values = (size_t) forest->n_outputs * ((size_t) forest->n_features + 1);
	MpImportance *importance = malloc((size_t) forest->n_features * sizeof(MpImportance));
	MpError		error;
	MpShap	   *shap;

	MP_FUZZ_REQUIRE(mp_forest_depth(&mp_alloc_malloc, forest) >= 0);
	MP_FUZZ_REQUIRE(mp_forest_importance(&mp_alloc_malloc, forest, importance, &error));
	free(importance);
	if (MP_SECTION_LENGTH(forest, MP_SECTION_NODES, MpNode) > 200 || n_values > 200)
		return;
	shap = mp_shap_open(&mp_alloc_malloc, forest, &error);
	if (shap != NULL)
	{
		float	   *contribs = malloc(n_values * sizeof(float));

		mp_shap_contribs(shap, row->x, contribs);
		mp_shap_close(shap);
		free(contribs);
	}
}

void
mp_fuzz_score(const MpForest *forest)
{
	uint64_t	state = 88172645463325252u;
	Row			row;
	int			n_rows = forest->n_features + forest->n_outputs > 200 ? N_ROWS_WIDE : N_ROWS;

	row.x = malloc((size_t) forest->n_features * sizeof(float));
	row.margin = malloc((size_t) forest->n_outputs * sizeof(float));
	row.other_margin = malloc((size_t) forest->n_outputs * sizeof(float));
	row.prediction = malloc((size_t) forest->n_outputs * sizeof(float));
	row.leaf = malloc(((size_t) forest->n_trees + 1) * sizeof(int32_t));
	open_kernels(forest, &row);
	for (int i = 0; i < n_rows; i++)
	{
		fill_row(forest, &state, row.x);
		score_row(forest, &row);
	}
	explain(forest, &row);
	if (n_rows == N_ROWS)
		score_probes(forest, &row);
	close_kernels(&row);
	free(row.x);
	free(row.margin);
	free(row.other_margin);
	free(row.prediction);
	free(row.leaf);
}

void
mp_fuzz_load(const uint8_t *data, size_t size)
{
	MpLoadOptions options = {
		size % 8 == 0 ? MP_TREES_AUTO : size % 8 == 1 ? MP_TREES_BEST : MP_TREES_ALL
	};
	MpCounting	counting;
	MpForest   *forest;
	MpModelInfo info;
	MpError		error;

	mp_counting_init(&counting);
	if (!mp_model_load(&counting.alloc, data, size, &options, &forest, &info, &error))
	{
		MP_FUZZ_REQUIRE(forest == NULL);
		MP_FUZZ_REQUIRE(error.code != MP_OK && error.code != MP_ERROR_IMAGE);
		MP_FUZZ_REQUIRE(error.message[0] != '\0');
		MP_FUZZ_REQUIRE(error.offset >= -1 && error.offset <= (int64_t) size);
	}
	else
	{
		MP_FUZZ_REQUIRE(mp_forest_check(&mp_alloc_malloc, forest, forest->size, false, &error));
		mp_fuzz_score(forest);
		counting.alloc.release(&counting.alloc, forest);
	}
	MP_FUZZ_REQUIRE(counting.n_blocks == 0);
	MP_FUZZ_REQUIRE(counting.peak <= 4 * size + 16 * 1024 * 1024 + 4096);
}
