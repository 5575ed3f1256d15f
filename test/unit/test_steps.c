/*
 * test_steps.c: preprocessing: programs against the plain twin, against what
 * scikit-learn and NumPy computed, and stored programs that are damaged.
 */
#include "harness.h"
#include "random_steps.h"
#include "core/text/doc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static MpSteps *
compile(const char *document, size_t size)
{
	MpSteps    *steps;
	MpError		error;

	if (!mp_steps_read(&mp_alloc_malloc, document, size, &steps, &error))
	{
		CHECK_SAY(false, "refused: %s\n%.1000s", error.message, document);
		return NULL;
	}
	if (!mp_steps_check(&mp_alloc_malloc, steps, steps->size, &error))
		CHECK_SAY(false, "%s\n%.1000s", error.message, document);
	return steps;
}

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

/* Runs a row through both; returns whether it had an answer. */
static bool
compare_with_twin(const MpSteps *steps, const MpTwin *twin, MpRandom *random, const char *document)
{
	MpTwinValue *row = calloc(steps->n_inputs, sizeof(MpTwinValue));
	MpSlot	   *slots = calloc(steps->n_slots, sizeof(MpSlot));
	double	   *expected = calloc(steps->n_features, sizeof(double));
	double	   *got = calloc(steps->n_features, sizeof(double));
	MpStepsFault fault;
	bool		fine;

	mp_random_input_row(random, twin, row);
	mp_random_slots(steps, row, slots);
	fine = mp_steps_run(steps, slots, &fault);
	CHECK_SAY(fine == mp_twin_run(twin, row, expected), "one of them refused the row: %.1000s", document);
	CHECK(fine == (fault.kind == MP_STEPS_FINE));
	if (fine)
		mp_steps_gather(steps, slots, got);
	for (uint32_t i = 0; fine && i < steps->n_features; i++)
		CHECK_SAY(same_bits(got[i], expected[i]), "feature %u: expected %a, not %a: %.1000s", i,
				  expected[i], got[i], document);
	free(row);
	free(slots);
	free(expected);
	free(got);
	return fine;
}

MP_TEST(steps_random_documents_as_the_twin)
{
	MpRandom	random = {20};
	int			answered = 0;

	for (int i = 0; i < 1000; i++)
	{
		MpVec		text = mp_random_document(&random);
		MpSteps    *steps = compile(text.data, text.size);
		MpTwin	   *twin;

		REQUIRE(steps != NULL);
		twin = mp_twin_read(text.data, text.size);
		for (int k = 0; k < 25; k++)
			answered += compare_with_twin(steps, twin, &random, text.data);
		mp_twin_free(twin);
		free(steps);
		mp_vec_release(&text);
	}
	CHECK_SAY(answered > 4000, "only %d rows were not refused", answered);
}

/* --- what Python computed --- */

typedef struct Recorded
{
	char		name[80];
	double		tolerance;		/* relative; 0: the same bits */
	MpSteps    *steps;
	MpSlot	   *slots;
	bool		fine;			/* the last row was not refused */
	int			n_checked;
} Recorded;

static void
read_row(Recorded *r, const char *json)
{
	MpError		error;
	MpDoc		doc;
	MpString	text;
	bool		truth;
	double		number;
	uint32_t	i = 0;
	MpStepsFault fault;

	mp_doc_open(&doc, &mp_doc_json, &mp_alloc_malloc, json, strlen(json), &error);
	mp_doc_enter_array(&doc);
	for (; mp_doc_next(&doc); i++)
	{
		const MpStepsInput *input = mp_steps_inputs(r->steps) + i;
		MpDocKind	kind = mp_doc_kind(&doc);

		number = NAN;
		if (kind == MP_DOC_STRING)
		{
			mp_doc_string(&doc, &text);
			r->slots[i].label = mp_steps_text_code(r->steps, i, text);
			continue;
		}
		if (kind == MP_DOC_NUMBER)
			mp_doc_double(&doc, &number);
		else if (kind == MP_DOC_BOOLEAN)
		{
			mp_doc_boolean(&doc, &truth);
			number = truth;
		}
		else
			mp_doc_skip(&doc);
		if (input->kind == MP_STEPS_NUMBER)
			r->slots[i].number = number;
		else if (input->kind == MP_STEPS_LABEL)
			r->slots[i].label = mp_steps_number_code(r->steps, i, number);
		else
			r->slots[i].time = r->slots[input->utc].time = isnan(number) ? MP_STEPS_NO_TIME :
				(int64_t) number;
	}
	CHECK(i == r->steps->n_inputs);
	mp_doc_close(&doc);
	r->fine = mp_steps_run(r->steps, r->slots, &fault);
}

/* Numbers of a line, as strtod reads them; returns how many. */
static uint32_t
read_numbers(const char *line, double *numbers, uint32_t most)
{
	uint32_t	n = 0;
	char	   *end;

	for (; n < most; line = end, n++)
	{
		numbers[n] = strtod(line, &end);
		if (end == line)
			break;
	}
	return n;
}

static void
check_numbers(Recorded *r, const double *got, const double *expected, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		CHECK_SAY((got[i] == expected[i] && !isnan(got[i])) || (isnan(got[i]) && isnan(expected[i])) ||
				  fabs(got[i] - expected[i]) <= r->tolerance * fabs(expected[i]),
				  "%s, number %u: expected %a, not %a", r->name, i, expected[i], got[i]);
	r->n_checked++;
}

static void
check_features(Recorded *r, const char *line)
{
	uint32_t	n = r->steps->n_features;
	double	   *expected = malloc((n + 1) * sizeof(double));
	double	   *got = malloc(n * sizeof(double));

	CHECK_SAY(r->fine, "%s: a row was refused", r->name);
	CHECK_SAY(read_numbers(line, expected, n + 1) == n, "%s: features", r->name);
	mp_steps_gather(r->steps, r->slots, got);
	check_numbers(r, got, expected, n);
	free(expected);
	free(got);
}

static void
check_prediction(Recorded *r, const char *line)
{
	double		got[400];
	double		expected[400];
	const char *arrow = strstr(line, "->");
	uint32_t	n = read_numbers(line, got, 400);

	CHECK(read_numbers(arrow + 2, expected, 400) == n);
	mp_steps_predict(r->steps, got, n);
	check_numbers(r, got, expected, n);
}

static void
forget(Recorded *r)
{
	CHECK_SAY(r->steps == NULL || r->n_checked > 0, "%s: nothing was checked", r->name);
	free(r->steps);
	free(r->slots);
	memset(r, 0, sizeof(*r));
}

static void
read_line(Recorded *r, const char *line)
{
	if (strncmp(line, "case ", 5) == 0)
	{
		forget(r);
		sscanf(line + 5, "%79s %lf", r->name, &r->tolerance);
	}
	else if (strncmp(line, "document ", 9) == 0)
	{
		r->steps = compile(line + 9, strlen(line + 9));
		r->slots = calloc(r->steps->n_slots, sizeof(MpSlot));
	}
	else if (strncmp(line, "row ", 4) == 0)
		read_row(r, line + 4);
	else if (strncmp(line, "features ", 9) == 0)
		check_features(r, line + 9);
	else if (strncmp(line, "predict ", 8) == 0)
		check_prediction(r, line + 8);
}

MP_TEST(steps_as_scikit_learn)
{
	char		path[1024];
	size_t		size;
	char	   *file;
	int			n_cases = 0;
	Recorded	r = {0};

	snprintf(path, sizeof(path), "%s/../steps/sklearn.txt", mp_test_models());
	file = mp_test_read(path, &size);
	REQUIRE(file != NULL);
	for (char *line = strtok(file, "\n"); line != NULL; line = strtok(NULL, "\n"))
	{
		n_cases += strncmp(line, "case ", 5) == 0;
		read_line(&r, line);
	}
	forget(&r);
	CHECK_SAY(n_cases > 80, "only %d cases", n_cases);
	free(file);
}

/* --- stored programs --- */

static void
run_some_rows(const MpSteps *steps, MpRandom *random)
{
	MpSlot	   *slots = calloc(steps->n_slots, sizeof(MpSlot));
	double	   *features = calloc(steps->n_features, sizeof(double));
	double		prediction[300] = {0.25, 0.5, 0.75};
	MpStepsFault fault;

	for (int k = 0; k < 3; k++)
	{
		for (uint32_t i = 0; i < steps->n_inputs; i++)
		{
			const MpStepsInput *input = mp_steps_inputs(steps) + i;

			if (input->kind == MP_STEPS_LABEL)
				slots[i].label = mp_random_below(random, input->n_labels + 2);
			else if (input->kind == MP_STEPS_TIME)
				slots[i].time = slots[input->utc].time =
					(int64_t) ((uint64_t) mp_random(random) << 32 | mp_random(random));
			else
				slots[i].number = mp_random_chance(random, 0.2) ? NAN : (int32_t) mp_random(random) / 1e8;
		}
		if (mp_steps_run(steps, slots, &fault))
			mp_steps_gather(steps, slots, features);
	}
	if (steps->output_width <= 300)
		mp_steps_predict(steps, prediction, steps->output_width > 0 ? steps->output_width : 1);
	free(slots);
	free(features);
}

/* Damage in any place, with the checksum made to fit, is found or harmless (a sanitizer looks on). */
MP_TEST(steps_damaged_programs)
{
	MpRandom	random = {5};
	MpError		error;
	int			found = 0;
	int			harmless = 0;

	for (int i = 0; i < 60; i++)
	{
		MpVec		text = mp_random_document(&random);
		MpSteps    *steps = compile(text.data, text.size);
		size_t		size = steps->size;
		char	   *copy = malloc(size);

		for (int k = 0; k < 300; k++)
		{
			static const uint32_t values[] = {0, 1, 2, 7, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
			size_t		at = mp_random_below(&random, size / 4) * 4;

			memcpy(copy, steps, size);
			if (mp_random_chance(&random, 0.5))
				*(uint32_t *) (copy + at) = values[mp_random_below(&random, 8)];
			else
				*(uint32_t *) (copy + at) += 1 - 2 * (int) mp_random_below(&random, 2);
			if (((MpSteps *) copy)->size == size)
				mp_steps_seal((MpSteps *) copy);
			if (!mp_steps_check(&mp_alloc_malloc, copy, size, &error))
			{
				CHECK(error.code == MP_ERROR_IMAGE);
				found++;
				continue;
			}
			harmless++;
			run_some_rows((MpSteps *) copy, &random);
		}
		CHECK(!mp_steps_check(&mp_alloc_malloc, steps, size - 8, &error));
		CHECK(!mp_steps_check(&mp_alloc_malloc, steps, sizeof(MpSteps) - 8, &error));
		((char *) steps)[size - 1] ^= 1;
		CHECK(!mp_steps_check(&mp_alloc_malloc, steps, size, &error));
		free(copy);
		free(steps);
		mp_vec_release(&text);
	}
	CHECK_SAY(found > 2000 && harmless > 500, "%d found, %d harmless", found, harmless);
}
