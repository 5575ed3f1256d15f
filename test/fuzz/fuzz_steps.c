/*
 * fuzz_steps.c: preprocessing: documents, which must give what the plain twin
 * gives; and, where the bytes are no document, stored programs, whose checksum
 * and size are made to fit.
 */
#include "fuzz.h"
#include "harness.h"
#include "random_steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N_ROWS 20
#define MAX_TWIN 20000			/* bytes of a document that the twin is asked about */

static bool
same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static void
compare(const MpSteps *steps, const char *document, size_t size)
{
	MpRandom	random = {steps->checksum};
	MpTwin	   *twin = mp_twin_read(document, size);
	MpTwinValue *row = calloc(steps->n_inputs, sizeof(MpTwinValue));
	MpSlot	   *slots = calloc(steps->n_slots, sizeof(MpSlot));
	double	   *expected = calloc(steps->n_features, sizeof(double));
	double	   *got = calloc(steps->n_features, sizeof(double));
	MpStepsFault fault;

	for (int i = 0; i < N_ROWS; i++)
	{
		bool		fine;

		mp_random_input_row(&random, twin, row);
		mp_random_slots(steps, row, slots);
		fine = mp_steps_run(steps, slots, &fault);
		MP_FUZZ_REQUIRE(fine == mp_twin_run(twin, row, expected));
		if (!fine)
			continue;
		mp_steps_gather(steps, slots, got);
		for (uint32_t k = 0; k < steps->n_features; k++)
			MP_FUZZ_REQUIRE(same(got[k], expected[k]));
	}
	mp_twin_free(twin);
	free(row);
	free(slots);
	free(expected);
	free(got);
}

static void
try_document(const char *document, size_t size)
{
	MpCounting	counting;
	MpSteps    *steps;
	MpError		error;

	mp_counting_init(&counting);
	counting.limit = 4 * size + 16 * 1024 * 1024;
	if (mp_steps_read(&counting.alloc, document, size, &steps, &error))
	{
		MP_FUZZ_REQUIRE(mp_steps_check(&counting.alloc, steps, steps->size, &error));
		if (size <= MAX_TWIN)
			compare(steps, document, size);
		mp_alloc_release(&counting.alloc, steps);
	}
	else
	{
		MP_FUZZ_REQUIRE(steps == NULL && error.code != MP_OK && error.message[0] != '\0');
		MP_FUZZ_REQUIRE(error.code != MP_ERROR_MEMORY);
	}
	MP_FUZZ_REQUIRE(counting.n_blocks == 0);
}

static void
run(const MpSteps *steps)
{
	MpRandom	random = {steps->checksum};
	MpSlot	   *slots = calloc(steps->n_slots, sizeof(MpSlot));
	double	   *features = calloc(steps->n_features, sizeof(double));
	uint32_t	width = steps->output_width > 0 ? steps->output_width : 1;
	double	   *prediction = calloc(width, sizeof(double));
	bool	   *marks = calloc(steps->n_slots, sizeof(bool));
	bool	   *inputs = calloc(steps->n_inputs, sizeof(bool));
	MpStepsFault fault;

	for (int i = 0; i < N_ROWS; i++)
	{
		for (uint32_t k = 0; k < steps->n_inputs; k++)
		{
			const MpStepsInput *input = mp_steps_inputs(steps) + k;
			MpString	text = {"abc", mp_random_below(&random, 4)};

			if (input->kind == MP_STEPS_LABEL)
				slots[k].label = i % 2 ? mp_steps_text_code(steps, k, text) :
					mp_steps_number_code(steps, k, mp_random_below(&random, 5));
			else if (input->kind == MP_STEPS_TIME)
				slots[k].time = slots[input->utc].time =
					(int64_t) ((uint64_t) mp_random(&random) << 32 | mp_random(&random));
			else
				slots[k].number = i == 0 ? NAN : (int32_t) mp_random(&random) / 1e8;
		}
		if (mp_steps_run(steps, slots, &fault))
			mp_steps_gather(steps, slots, features);
		else
			mp_steps_sources(steps, fault.slot, marks, inputs);
	}
	mp_steps_predict(steps, prediction, width);
	free(slots);
	free(features);
	free(prediction);
	free(marks);
	free(inputs);
}

static void
try_program(const uint8_t *data, size_t size)
{
	MpSteps    *steps = malloc(size);	/* a block of its own: a sanitizer sees its end */
	MpError		error;

	memcpy(steps, data, size);
	steps->magic = MP_STEPS_MAGIC;
	steps->format = MP_STEPS_FORMAT;
	steps->byte_order = MP_STEPS_BYTE_ORDER;
	steps->size = size;
	mp_steps_seal(steps);
	if (mp_steps_check(&mp_alloc_malloc, steps, size, &error))
	{
		if (steps->n_slots < 1000000 && steps->output_width < 1000000)
			run(steps);
	}
	else
		MP_FUZZ_REQUIRE(error.code == MP_ERROR_IMAGE);
	free(steps);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= sizeof(MpSteps) && data[0] == 'M')
		try_program(data, size);
	else
		try_document((const char *) data, size);
	return 0;
}
