/*
 * kernel_bench.c: the kernels beside XGBoost's C API, in one process and run.
 *
 * usage: kernel_bench MODELS NAME...
 *
 * MODELS is the folder that make_models.py filled. From the repository's top:
 *
 *     gcc -O2 -std=gnu11 -ffp-contract=off -Isrc/core -o kernel_bench \
 *         test/bench/kernel_bench.c src/core/?*.c -lxgboost -lm
 *
 * Each round measures everything once, so that a slow phase of the machine meets
 * all alike. Figures are medians over rounds of the process's CPU time, with half
 * of the range; one thread. Rows are those of make_models.py in their order
 * (random), or the first of them over and over (repeated). Every kernel's margins
 * are compared with XGBoost's for all rows, bit for bit.
 */
#include "core/batch/batch.h"
#include "core/kernel/kernel.h"
#include "core/load/load.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xgboost/c_api.h>

#define ROUNDS 7
#define ONE_ROWS 1000				/* rows scored one by one by XGBoost */
#define MOST_ROWS 8192

typedef enum Measure
{
	XGB_ONE,
	XGB_BATCH_64,
	XGB_BATCH_1024,
	XGB_BATCH_ALL,
	XGB_REPEATED,
	KERNEL_FIRST,				/* random rows; one for each MpKernelKind */
	REPEATED_FIRST = KERNEL_FIRST + MP_KERNEL_AVX512 + 1,	/* repeated rows, likewise */
	BATCH_FIRST = REPEATED_FIRST + MP_KERNEL_AVX512 + 1,	/* random rows, MP_BATCH_ROWS at once */
	XGB_LOAD = BATCH_FIRST + MP_KERNEL_AVX512 + 1,
	LOAD,
	COMPILE,
	CHECK,
	OPEN,
	BATCH_OPEN,
	N_MEASURES
} Measure;

typedef struct Bench
{
	const char *name;
	void	   *model;
	size_t		model_size;
	float	   *rows;
	float	   *repeated;
	long		n_rows;
	BoosterHandle booster;
	size_t		booster_size;
	MpForest   *forest;
	void	   *image;			/* aligned to 64 */
	size_t		image_size;
	MpKernel   *kernels[MP_KERNEL_AVX512 + 1];
	MpBatch    *batches[MP_KERNEL_AVX512 + 1];	/* NULL: none for this model */
	size_t		kernel_size;	/* of the best one, image not counted */
	double		samples[N_MEASURES][ROUNDS];
	int			round;
} Bench;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void
check(int result)
{
	if (result != 0)
	{
		fprintf(stderr, "%s\n", XGBGetLastError());
		exit(1);
	}
}

static void
require(bool ok, const MpError *error)
{
	if (!ok)
	{
		fprintf(stderr, "%s\n", error->message);
		exit(1);
	}
}

static void *
read_file(const char *folder, const char *name, const char *suffix, size_t *size)
{
	char		path[4096];
	FILE	   *f;
	void	   *data;

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
	f = fopen(path, "rb");
	if (f == NULL || fseek(f, 0, SEEK_END) != 0)
	{
		perror(path);
		exit(1);
	}
	*size = ftell(f);
	rewind(f);
	data = aligned_alloc(64, (*size + 63) / 64 * 64);
	if (data == NULL || fread(data, 1, *size, f) != *size)
	{
		perror(path);
		exit(1);
	}
	fclose(f);
	return data;
}

static size_t
heap_used(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* XGBoost's answer for some rows: of type 0 (predictions) or 1 (margins) */
static const float *
predict(Bench *b, const float *rows, long n, int type)
{
	char		config[200];
	char		array[200];
	const bst_ulong *shape;
	bst_ulong	dim;
	const float *result;

	snprintf(config, sizeof(config),
			 "{\"type\": %d, \"training\": false, \"iteration_begin\": 0, \"iteration_end\": 0,"
			 " \"strict_shape\": false, \"missing\": NaN, \"cache_id\": 0}", type);
	snprintf(array, sizeof(array),
			 "{\"data\": [%zu, true], \"shape\": [%ld, %d], \"typestr\": \"<f4\", \"version\": 3}",
			 (size_t) rows, n, b->forest->n_features);
	check(XGBoosterPredictFromDense(b->booster, array, config, NULL, &shape, &dim, &result));
	return result;
}

static void
add(Bench *b, Measure measure, double microseconds)
{
	b->samples[measure][b->round] = microseconds;
}

/* us per row, in batches */
static double
time_batches(Bench *b, const float *rows, long n_rows, long batch)
{
	double		start = now();

	for (long i = 0; i + batch <= n_rows; i += batch)
		predict(b, rows + i * b->forest->n_features, batch, 0);
	return (now() - start) / (n_rows / batch * batch);
}

static double
time_kernel(Bench *b, MpKernel *kernel, const float *rows)
{
	float	   *margin = malloc(b->forest->n_outputs * sizeof(float));
	double		start = now();

	for (long i = 0; i < b->n_rows; i++)
		mp_kernel_margin(kernel, rows + i * b->forest->n_features, margin);
	free(margin);
	return (now() - start) / b->n_rows;
}

/* The margins of all rows, in batches. */
static void
score_batches(Bench *b, MpBatch *batch, float *margin)
{
	for (long i = 0; i < b->n_rows; i += MP_BATCH_ROWS)
		mp_batch_margin(batch, b->rows + i * b->forest->n_features,
						b->n_rows - i < MP_BATCH_ROWS ? b->n_rows - i : MP_BATCH_ROWS,
						margin + i * b->forest->n_outputs);
}

static double
time_batch(Bench *b, MpBatch *batch)
{
	float	   *margin = malloc(b->n_rows * b->forest->n_outputs * sizeof(float));
	double		start = now();

	score_batches(b, batch, margin);
	free(margin);
	return (now() - start) / b->n_rows;
}

static void
time_batch_open(Bench *b)
{
	MpError		error;
	double		start = now();
	MpBatch    *batch = mp_batch_open(&mp_alloc_malloc, b->kernels[MP_KERNEL_AVX512], &error);

	add(b, BATCH_OPEN, now() - start);
	mp_batch_close(batch);
}

static void
time_loads(Bench *b)
{
	BoosterHandle booster;
	MpForest   *forest;
	MpKernel   *kernel;
	MpError		error;
	MpLoadOptions options = {MP_TREES_ALL};
	double		start = now();
	size_t		size;
	void	   *image;

	check(XGBoosterCreate(NULL, 0, &booster));
	check(XGBoosterLoadModelFromBuffer(booster, b->model, b->model_size));
	add(b, XGB_LOAD, now() - start);
	check(XGBoosterFree(booster));

	start = now();
	require(mp_model_load(&mp_alloc_malloc, b->model, b->model_size, &options, &forest, NULL,
						  &error), &error);
	add(b, LOAD, now() - start);
	start = now();
	image = mp_kernel_compile(&mp_alloc_malloc, forest, &size, &error);
	add(b, COMPILE, now() - start);
	free(image);
	free(forest);

	start = now();
	require(mp_kernel_check(b->image, b->image_size, b->forest, &error), &error);
	add(b, CHECK, now() - start);
	start = now();
	kernel = mp_kernel_open(&mp_alloc_malloc, b->image, b->forest, MP_KERNEL_AUTO, &error);
	add(b, OPEN, now() - start);
	mp_kernel_close(kernel);
}

static void
run_round(Bench *b)
{
	add(b, XGB_ONE, time_batches(b, b->rows, ONE_ROWS, 1));
	add(b, XGB_BATCH_64, time_batches(b, b->rows, b->n_rows / 4, 64));
	add(b, XGB_BATCH_1024, time_batches(b, b->rows, b->n_rows, 1024));
	add(b, XGB_BATCH_ALL, time_batches(b, b->rows, b->n_rows, b->n_rows));
	add(b, XGB_REPEATED, time_batches(b, b->repeated, b->n_rows, 1024));
	for (int kind = MP_KERNEL_PORTABLE; kind <= MP_KERNEL_AVX512; kind++)
	{
		add(b, KERNEL_FIRST + kind, time_kernel(b, b->kernels[kind], b->rows));
		add(b, REPEATED_FIRST + kind, time_kernel(b, b->kernels[kind], b->repeated));
		if (b->batches[kind] != NULL)
			add(b, BATCH_FIRST + kind, time_batch(b, b->batches[kind]));
	}
	time_loads(b);
	time_batch_open(b);
}

/* Rows whose margin by a kernel is not XGBoost's, bit for bit. */
static long
count_differences(Bench *b, MpKernel *kernel)
{
	size_t		n = b->forest->n_outputs;
	const float *expected = predict(b, b->rows, b->n_rows, 1);
	float	   *margin = malloc(n * sizeof(float));
	long		n_wrong = 0;

	for (long i = 0; i < b->n_rows; i++)
	{
		mp_kernel_margin(kernel, b->rows + i * b->forest->n_features, margin);
		n_wrong += memcmp(margin, expected + i * n, n * sizeof(float)) != 0;
	}
	free(margin);
	return n_wrong;
}

static long
count_batch_differences(Bench *b, MpBatch *batch)
{
	size_t		n = b->forest->n_outputs;
	const float *expected = predict(b, b->rows, b->n_rows, 1);
	float	   *margin = malloc(b->n_rows * n * sizeof(float));
	long		n_wrong = 0;

	score_batches(b, batch, margin);
	for (long i = 0; i < b->n_rows; i++)
		n_wrong += memcmp(margin + i * n, expected + i * n, n * sizeof(float)) != 0;
	free(margin);
	return n_wrong;
}

static void
set_up(Bench *b, const char *folder, const char *name)
{
	MpLoadOptions options = {MP_TREES_ALL};
	MpError		error;
	size_t		size;
	size_t		before;
	void	   *image;

	b->name = name;
	b->model = read_file(folder, name, ".ubj", &b->model_size);
	before = heap_used();
	check(XGBoosterCreate(NULL, 0, &b->booster));
	check(XGBoosterLoadModelFromBuffer(b->booster, b->model, b->model_size));
	b->booster_size = heap_used() - before;
	check(XGBoosterSetParam(b->booster, "nthread", "1"));

	require(mp_model_load(&mp_alloc_malloc, b->model, b->model_size, &options, &b->forest, NULL,
						  &error), &error);
	b->rows = read_file(folder, name, ".f32", &size);
	b->n_rows = size / sizeof(float) / b->forest->n_features;
	b->n_rows = b->n_rows < MOST_ROWS ? b->n_rows : MOST_ROWS;
	b->repeated = malloc(size);
	for (long i = 0; i < b->n_rows; i++)
		memcpy(b->repeated + i * b->forest->n_features, b->rows,
			   b->forest->n_features * sizeof(float));

	image = mp_kernel_compile(&mp_alloc_malloc, b->forest, &b->image_size, &error);
	require(image != NULL, &error);
	b->image = aligned_alloc(64, b->image_size);
	memcpy(b->image, image, b->image_size);
	free(image);
	for (int kind = MP_KERNEL_PORTABLE; kind <= MP_KERNEL_AVX512; kind++)
	{
		before = heap_used();
		b->kernels[kind] = mp_kernel_open(&mp_alloc_malloc, b->image, b->forest, kind, &error);
		b->kernel_size = heap_used() - before;
		b->batches[kind] = mp_batch_open(&mp_alloc_malloc, b->kernels[kind], &error);
	}
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
median(Bench *b, Measure measure, double *half_range)
{
	double	   *samples = b->samples[measure];

	qsort(samples, ROUNDS, sizeof(double), compare);
	if (half_range != NULL)
		*half_range = (samples[ROUNDS - 1] - samples[0]) / 2;
	return samples[ROUNDS / 2];
}

static void
print_rows(Bench *b)
{
	double		spread;
	double		one = median(b, XGB_ONE, NULL);
	double		batch = median(b, XGB_BATCH_64, NULL);
	double		repeated = median(b, XGB_REPEATED, NULL);

	for (Measure m = XGB_BATCH_1024; m <= XGB_BATCH_ALL; m++)
		batch = median(b, m, NULL) < batch ? median(b, m, NULL) : batch;
	printf("%s: XGBoost one row %.2f us, best batch %.2f us, repeated rows %.2f us\n",
		   b->name, one, batch, repeated);
	for (int kind = MP_KERNEL_PORTABLE; kind <= MP_KERNEL_AVX512; kind++)
	{
		double		us = median(b, KERNEL_FIRST + kind, &spread);

		printf("  %-9s %7.3f us +- %.3f: x %.1f one row, x %.1f batch; repeated %.3f us, x %.1f;"
			   " %ld rows differ\n", mp_kernel_kind_name(mp_kernel_kind(b->kernels[kind])),
			   us, spread, one / us, batch / us, median(b, REPEATED_FIRST + kind, NULL),
			   repeated / median(b, REPEATED_FIRST + kind, NULL),
			   count_differences(b, b->kernels[kind]));
	}
}

static void
print_batches(Bench *b)
{
	double		spread;
	double		best = median(b, XGB_BATCH_64, NULL);

	for (Measure m = XGB_BATCH_1024; m <= XGB_BATCH_ALL; m++)
		best = median(b, m, NULL) < best ? median(b, m, NULL) : best;
	for (int kind = MP_KERNEL_PORTABLE; kind <= MP_KERNEL_AVX512; kind++)
	{
		double		us = median(b, BATCH_FIRST + kind, &spread);

		if (b->batches[kind] == NULL)
			continue;
		printf("  %s batch %.3f us +- %.3f: x %.1f XGBoost's best batch; %ld rows differ;"
			   " %.3f MB\n", mp_kernel_kind_name(mp_kernel_kind(b->kernels[kind])), us, spread,
			   best / us, count_batch_differences(b, b->batches[kind]),
			   mp_batch_bytes(b->batches[kind]) / 1e6);
	}
	printf("  batch: open %.3f ms\n", median(b, BATCH_OPEN, NULL) / 1e3);
}

static void
print_loads(Bench *b)
{
	double		xgb = median(b, XGB_LOAD, NULL);
	double		load = median(b, LOAD, NULL);
	double		compile = median(b, COMPILE, NULL);

	printf("  load: XGBoost %.2f ms; ours %.2f + compile %.2f ms: x %.1f, %.1f without compiling;"
		   " image: check %.3f + open %.3f ms\n", xgb / 1e3, load / 1e3, compile / 1e3,
		   xgb / (load + compile), xgb / load, median(b, CHECK, NULL) / 1e3,
		   median(b, OPEN, NULL) / 1e3);
	printf("  memory: file %.2f MB, XGBoost's booster %.2f MB, image %.3f + kernel %.3f MB:"
		   " x %.1f\n", b->model_size / 1e6, b->booster_size / 1e6, b->image_size / 1e6,
		   b->kernel_size / 1e6,
		   (double) b->booster_size / (b->image_size + b->kernel_size));
}

int
main(int argc, char **argv)
{
	if (argc < 3)
	{
		fprintf(stderr, "usage: kernel_bench MODELS NAME...\n");
		return 2;
	}
	for (int i = 2; i < argc; i++)
	{
		static Bench b;

		set_up(&b, argv[1], argv[i]);
		for (b.round = 0; b.round < ROUNDS; b.round++)
			run_round(&b);
		print_rows(&b);
		print_batches(&b);
		print_loads(&b);
		fflush(stdout);
	}
	return 0;
}
