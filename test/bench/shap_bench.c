/*
 * shap_bench.c: microseconds per row of contributions and interactions, one
 * thread, without a server.
 *
 *     gcc -std=gnu11 -O2 -ffp-contract=off -Isrc/core -o shap_bench \
 *         test/bench/shap_bench.c src/core/[a-z]*.c -lm
 *     shap_bench DIR [NAME]...
 *
 * DIR is where make_models.py wrote NAME.ubj and NAME.f32. Prints the median of
 * the runs; the rows differ from call to call. shap_compare.py sets XGBoost's
 * own times beside these.
 */
#include "core/load/load.h"
#include "core/shap/shap_interactions.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS 11
#define ROWS 200

static double
microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void *
read_file(const char *folder, const char *name, const char *extension, size_t *size)
{
	char		path[1024];
	FILE	   *file;
	void	   *data;

	snprintf(path, sizeof(path), "%s/%s.%s", folder, name, extension);
	file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
	{
		perror(path);
		exit(1);
	}
	*size = ftell(file);
	rewind(file);
	data = malloc(*size);
	if (data == NULL || fread(data, 1, *size, file) != *size)
	{
		perror(path);
		exit(1);
	}
	fclose(file);
	return data;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

typedef struct Subject
{
	MpShap	   *shap;
	const float *rows;
	int			n_features;
	float	   *out;
} Subject;

static void
one_contribs(const Subject *s, int row)
{
	mp_shap_contribs(s->shap, s->rows + (size_t) row * s->n_features, s->out);
}

static void
one_interactions(const Subject *s, int row)
{
	MpError		error;

	mp_shap_interactions(s->shap, s->rows + (size_t) row * s->n_features, s->out, &error);
}

/* Median of RUNS of the time per row. */
static double
time_per_row(const Subject *s, void (*one) (const Subject *s, int row), int n_rows)
{
	double		times[RUNS];

	for (int run = 0; run < RUNS; run++)
	{
		double		start = microseconds();

		for (int row = 0; row < n_rows; row++)
			one(s, row);
		times[run] = (microseconds() - start) / n_rows;
	}
	qsort(times, RUNS, sizeof(double), compare_doubles);
	return times[RUNS / 2];
}

static void
bench(const char *folder, const char *name)
{
	MpLoadOptions options = {.trees = MP_TREES_ALL};
	MpForest   *forest;
	MpError		error;
	size_t		size;
	size_t		rows_size;
	size_t		width;
	double		start;
	double		open;
	void	   *model = read_file(folder, name, "ubj", &size);
	Subject		s = {.rows = read_file(folder, name, "f32", &rows_size)};

	if (!mp_model_load(&mp_alloc_malloc, model, size, &options, &forest, NULL, &error))
	{
		printf("%s: %s\n", name, error.message);
		exit(1);
	}
	start = microseconds();
	s.shap = mp_shap_open(&mp_alloc_malloc, forest, &error);
	open = microseconds() - start;
	if (s.shap == NULL)
	{
		printf("%s: %s\n", name, error.message);
		exit(1);
	}
	s.n_features = forest->n_features;
	width = (size_t) s.n_features + 1;
	s.out = malloc(forest->n_outputs * width * width * sizeof(float));
	if (rows_size / sizeof(float) / s.n_features < ROWS)
	{
		printf("%s: too few rows\n", name);
		exit(1);
	}
	printf("%s contribs %.1f interactions %.1f open %.0f\n", name,
		   time_per_row(&s, one_contribs, ROWS), time_per_row(&s, one_interactions, ROWS / 10),
		   open);
	mp_shap_close(s.shap);
	free(s.out);
	free((void *) s.rows);
	free(forest);
	free(model);
}

int
main(int argc, char **argv)
{
	static char *const all[] = {"small", "medium", "large", "multi"};

	if (argc < 2)
	{
		fprintf(stderr, "usage: shap_bench DIR [NAME]...\n");
		return 1;
	}
	if (argc > 2)
	{
		for (int i = 2; i < argc; i++)
			bench(argv[1], argv[i]);
	}
	else
	{
		for (int i = 0; i < 4; i++)
			bench(argv[1], all[i]);
	}
	return 0;
}
