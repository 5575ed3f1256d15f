/*
 * c_api.c: what XGBoost's own C API needs for a row, one thread.
 *
 * usage: c_api MODEL.ubj ROWS.f32 N_FEATURES
 *
 * Prints {"one": us, "batch": us, "load_ms": ms}: one row a call, and the best
 * of some batches, by XGBoosterPredictFromDense, as medians over rounds. Links
 * with -lxgboost (Debian: libxgboost-dev).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xgboost/c_api.h>

#define ROUNDS 5

static const char *config =
	"{\"type\": 0, \"training\": false, \"iteration_begin\": 0, \"iteration_end\": 0,"
	" \"strict_shape\": false, \"missing\": NaN, \"cache_id\": 0}";

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

static void *
read_file(const char *path, size_t *size)
{
	FILE	   *f = fopen(path, "rb");
	void	   *data;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0)
	{
		perror(path);
		exit(1);
	}
	*size = ftell(f);
	rewind(f);
	data = malloc(*size);
	if (data == NULL || fread(data, 1, *size, f) != *size)
	{
		perror(path);
		exit(1);
	}
	fclose(f);
	return data;
}

/* us/row of all rows in batches of `batch` */
static double
score(BoosterHandle booster, const float *rows, long n_rows, long n_features, long batch)
{
	double		start = now();

	for (long i = 0; i + batch <= n_rows; i += batch)
	{
		char		array[256];
		const bst_ulong *shape;
		bst_ulong	dim;
		const float *result;

		snprintf(array, sizeof(array),
				 "{\"data\": [%zu, true], \"shape\": [%ld, %ld], \"typestr\": \"<f4\", \"version\": 3}",
				 (size_t) (rows + i * n_features), batch, n_features);
		check(XGBoosterPredictFromDense(booster, array, config, NULL, &shape, &dim, &result));
	}
	return (now() - start) / (n_rows / batch * batch);
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
median(double *values)
{
	qsort(values, ROUNDS, sizeof(double), compare);
	return values[ROUNDS / 2];
}

int
main(int argc, char **argv)
{
	static const long batches[] = {64, 1024, 20000};
	size_t		model_size;
	size_t		rows_size;
	void	   *model;
	float	   *rows;
	long		n_features;
	long		n_rows;
	BoosterHandle booster;
	double		one[ROUNDS];
	double		batch[ROUNDS];
	double		load[ROUNDS];

	if (argc != 4)
		return 2;
	model = read_file(argv[1], &model_size);
	rows = read_file(argv[2], &rows_size);
	n_features = atol(argv[3]);
	n_rows = rows_size / sizeof(float) / n_features;
	for (int round = 0; round < ROUNDS; round++)
	{
		double		start = now();

		check(XGBoosterCreate(NULL, 0, &booster));
		check(XGBoosterLoadModelFromBuffer(booster, model, model_size));
		load[round] = (now() - start) / 1e3;
		check(XGBoosterSetParam(booster, "nthread", "1"));
		score(booster, rows, 100, n_features, 1);
		one[round] = score(booster, rows, n_rows < 2000 ? n_rows : 2000, n_features, 1);
		batch[round] = 1e30;
		for (int b = 0; b < 3; b++)
		{
			double		us = score(booster, rows, n_rows, n_features, batches[b]);

			if (us < batch[round])
				batch[round] = us;
		}
		check(XGBoosterFree(booster));
	}
	printf("{\"one\": %.4f, \"batch\": %.4f, \"load_ms\": %.4f}\n", median(one), median(batch), median(load));
	return 0;
}
