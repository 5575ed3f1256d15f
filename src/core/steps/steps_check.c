/*
 * steps_check.c: the check that lets a stored program be trusted.
 *
 *	op				NUMBERS								WORDS
 *	impute			values[n_in]						of labels: {value, sentinel}[n_in]
 *	is_missing											of labels: sentinel[n_in]
 *	scale			n_in each of subtract, divide,
 *					multiply, add; low, high of clip
 *	one_hot			keys[n]								of labels: result[labels + 2], by code
 *														of numbers: result[n], of an unknown
 *														and of a missing one, places[table]
 *	map				keys[n], values[n_values]			as one_hot
 *	bin				edges								bounds[n_in + 1] of each list in them
 *	threshold		thresholds[n_in]
 *	power			lambdas[n_in]
 *	product												bounds[n_out + 1], slots of factors
 *	linear			matrix[n_out][n_in]; from n on
 *					offset[n_out]
 *	sigmoid			a[n], b[n]
 *	isotonic		all x, all y						bounds[n + 1] of each class in them
 */
#include "core/steps/steps_check.h"
#include "core/base/crc32c.h"

#include <string.h>

typedef struct Check
{
	MpAlloc    *alloc;
	const MpSteps *s;
	MpError    *error;
	const uint32_t *words;
	const uint32_t *slots;
	uint64_t	n_words;
	uint64_t	n_numbers;
	uint64_t	work;
} Check;

static bool
bad(const Check *c, const char *what)
{
	return mp_fail(c->error, MP_ERROR_IMAGE, "the stored preprocessing is damaged: %s", what);
}

static void
work(Check *c, uint64_t amount)
{
	if ((c->work + amount) / 16384 != c->work / 16384)
		mp_alloc_poll(c->alloc);
	c->work += amount;
}

static bool
has_words(const Check *c, uint64_t first, uint64_t n)
{
	return first <= c->n_words && n <= c->n_words - first;
}

static bool
has_numbers(const Check *c, uint64_t first, uint64_t n)
{
	return first <= c->n_numbers && n <= c->n_numbers - first;
}

static bool
has_text(const Check *c, uint64_t at, uint64_t length)
{
	uint64_t	size = c->s->sections[MP_STEPS_STRINGS].size;

	return at <= size && length <= size - at &&
		mp_utf8_valid(mp_steps_string(c->s, (uint32_t) at, (uint32_t) length));
}

static bool
is_power_of_two(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* Ascending bounds of n lists, of which each has at least `least` members; *end: of the last. */
static bool
check_bounds(Check *c, uint32_t first, uint32_t n, uint32_t least, uint32_t *end)
{
	if (!has_words(c, first, (uint64_t) n + 1) || c->words[first] != 0)
		return bad(c, "bounds");
	work(c, n);
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	from = c->words[first + i];
		uint32_t	to = c->words[first + i + 1];

		if (to < from || to - from < least)
			return bad(c, "bounds");
	}
	*end = c->words[first + n];
	return true;
}

static uint32_t
in_slot(const Check *c, const MpStep *step, uint32_t i)
{
	return c->words[step->in + i];
}

/* The labels of the input that in[i] comes from. */
static uint32_t
n_labels(const Check *c, const MpStep *step, uint32_t i)
{
	return mp_steps_inputs(c->s)[MP_SLOT_INPUT(c->slots[in_slot(c, step, i)])].n_labels;
}

static bool
check_codes(Check *c, const MpStep *step, uint32_t per_input)
{
	if (!has_words(c, step->words, (uint64_t) step->n_in * per_input))
		return bad(c, "labels");
	work(c, step->n_in);
	for (uint32_t i = 0; i < step->n_in * per_input; i++)
	{
		if (c->words[step->words + i] > n_labels(c, step, i / per_input))
			return bad(c, "label");
	}
	return true;
}

/* Results of one_hot and map: below `limit`, or one of the two that are none. */
static bool
check_results(Check *c, uint32_t first, uint64_t n, uint32_t limit, bool none_allowed)
{
	work(c, n);
	for (uint64_t i = 0; i < n; i++)
	{
		uint32_t	result = c->words[first + i];

		if (result >= limit && result != MP_STEP_REFUSE &&
			!(none_allowed && result == MP_ONE_HOT_NONE))
			return bad(c, "result");
	}
	return true;
}

static bool
check_table(Check *c, const MpStep *step)
{
	bool		one_hot = step->op == MP_STEP_ONE_HOT;
	uint32_t	limit = one_hot ? step->n_out : step->n_values;
	uint64_t	results = step->flags & MP_STEP_LABELS ? (uint64_t) n_labels(c, step, 0) + 2 :
		(uint64_t) step->n + 2;
	uint64_t	places = step->flags & MP_STEP_LABELS ? 0 : step->table;

	if (step->n_in != 1 || (!one_hot && step->n_out != 1))
		return bad(c, "shape");
	if (!has_words(c, step->words, results + places))
		return bad(c, "table");
	if (!has_numbers(c, step->numbers, (uint64_t) step->n + (one_hot ? 0 : step->n_values)))
		return bad(c, "values");
	if (!check_results(c, step->words, results, limit, one_hot))
		return false;
	if (step->flags & MP_STEP_LABELS)
		return step->n == 0 || bad(c, "table");
	if (!is_power_of_two(step->table))
		return bad(c, "table");
	work(c, places);
	for (uint64_t i = 0; i < places; i++)
	{
		if (c->words[step->words + results + i] > step->n)
			return bad(c, "table");
	}
	return true;
}

static bool
check_product(Check *c, const MpStep *step)
{
	uint32_t	end;

	if (!check_bounds(c, step->words, step->n_out, 0, &end))
		return false;
	if (!has_words(c, (uint64_t) step->words + step->n_out + 1, end))
		return bad(c, "factors");
	work(c, end);
	for (uint32_t i = 0; i < end; i++)
	{
		uint32_t	slot = c->words[step->words + step->n_out + 1 + i];

		if (slot >= step->out || MP_SLOT_KIND(c->slots[slot]) != MP_STEPS_NUMBER)
			return bad(c, "factor");
	}
	return true;
}

/* columns: of a step of the row its inputs, of one on the prediction its outputs */
static bool
check_scaling(Check *c, const MpStep *step, uint32_t columns)
{
	uint64_t	n = 0;

	for (uint32_t flag = MP_STEP_SUBTRACT; flag <= MP_STEP_ADD; flag <<= 1)
		n += step->flags & flag ? columns : 0;
	n += step->flags & MP_STEP_CLIP ? 2 : 0;
	return has_numbers(c, step->numbers, n) || bad(c, "scale");
}

/* What is an op's own; its inputs and outputs are sound. */
static bool
check_op(Check *c, const MpStep *step)
{
	bool		elementwise = step->n_in == step->n_out;
	uint32_t	end;

	switch ((MpStepOp) step->op)
	{
		case MP_STEP_IMPUTE:
			if (step->flags & MP_STEP_LABELS)
				return elementwise ? check_codes(c, step, 2) : bad(c, "shape");
			return (elementwise && has_numbers(c, step->numbers, step->n_in)) || bad(c, "values");
		case MP_STEP_IS_MISSING:
			if (step->flags & MP_STEP_LABELS)
				return elementwise ? check_codes(c, step, 1) : bad(c, "shape");
			return elementwise || bad(c, "shape");
		case MP_STEP_SCALE:
			return elementwise ? check_scaling(c, step, step->n_in) : bad(c, "shape");
		case MP_STEP_ONE_HOT:
		case MP_STEP_MAP:
			return check_table(c, step);
		case MP_STEP_BIN:
			return (elementwise || bad(c, "shape")) &&
				check_bounds(c, step->words, step->n_in, 0, &end) &&
				(has_numbers(c, step->numbers, end) || bad(c, "edges"));
		case MP_STEP_THRESHOLD:
		case MP_STEP_POWER:
			return (elementwise && has_numbers(c, step->numbers, step->n_in)) || bad(c, "values");
		case MP_STEP_FUNCTION:
			return (elementwise && step->n < MP_FUNCTION_COUNT) || bad(c, "function");
		case MP_STEP_PRODUCT:
			return check_product(c, step);
		case MP_STEP_LINEAR:
			return (has_numbers(c, step->numbers, (uint64_t) step->n_in * step->n_out) &&
					(!(step->flags & MP_STEP_ADD) ||
					 has_numbers(c, (uint64_t) step->numbers + step->n, step->n_out))) ||
				bad(c, "matrix");
		case MP_STEP_DATE_PART:
			return (elementwise && step->n < MP_PART_COUNT) || bad(c, "date part");
		case MP_STEP_SIGMOID:
		case MP_STEP_ISOTONIC:
		case MP_STEP_OP_COUNT:
			break;
	}
	return bad(c, "op");
}

/* Inputs are there before the step, all of the kind that its flags say and its op takes. */
static bool
check_in(Check *c, const MpStep *step)
{
	uint32_t	kind = step->flags & MP_STEP_LABELS ? MP_STEPS_LABEL :
		step->flags & MP_STEP_TIMES ? MP_STEPS_TIME : MP_STEPS_NUMBER;
	bool		takes_labels = step->op <= MP_STEP_IS_MISSING || step->op == MP_STEP_ONE_HOT ||
		step->op == MP_STEP_MAP;

	if (step->n_in == 0 || step->n_out == 0 || !has_words(c, step->in, step->n_in))
		return bad(c, "inputs of a step");
	if ((kind == MP_STEPS_LABEL && !takes_labels) ||
		(kind == MP_STEPS_TIME && step->op != MP_STEP_IS_MISSING && step->op != MP_STEP_DATE_PART) ||
		(kind != MP_STEPS_TIME && step->op == MP_STEP_DATE_PART))
		return bad(c, "kind of a step");
	work(c, step->n_in);
	for (uint32_t i = 0; i < step->n_in; i++)
	{
		uint32_t	slot = in_slot(c, step, i);

		if (slot >= step->out || MP_SLOT_KIND(c->slots[slot]) != kind ||
			MP_SLOT_INPUT(c->slots[slot]) >= c->s->n_inputs)
			return bad(c, "input of a step");
	}
	return true;
}

/* *next: the slot that the step's outputs must begin at */
static bool
check_step(Check *c, const MpStep *step, uint32_t *next)
{
	uint32_t	labels = step->op == MP_STEP_IMPUTE && step->flags & MP_STEP_LABELS;

	if (step->op >= MP_STEP_OP_COUNT || (step->flags & ~MP_STEP_FLAGS) != 0 ||
		step->out != *next || step->n_out > c->s->n_slots - *next)
		return bad(c, "step");
	if (!check_in(c, step) || !check_op(c, step))
		return false;
	work(c, step->n_out);
	for (uint32_t i = 0; i < step->n_out; i++)
	{
		uint32_t	holds = labels ? c->slots[in_slot(c, step, i)] :
			(uint32_t) MP_STEPS_NUMBER << 30;

		if (c->slots[step->out + i] != holds)
			return bad(c, "kind of a value");
	}
	*next += step->n_out;
	return true;
}

static bool
check_output(Check *c, const MpStep *step)
{
	uint32_t	width = c->s->output_width;
	bool		calibrates = c->s->output == MP_OUTPUT_CALIBRATED;
	uint32_t	end;

	if ((step->flags & ~MP_STEP_FLAGS) != 0 || step->n_in != 0 || step->n_out != 0)
		return bad(c, "output step");
	if (calibrates && (c->s->n_output_steps != 1 || step->n != width || width == 0))
		return bad(c, "calibration");
	if (calibrates && step->op == MP_STEP_SIGMOID)
		return has_numbers(c, step->numbers, 2 * (uint64_t) step->n) || bad(c, "calibration");
	if (calibrates && step->op == MP_STEP_ISOTONIC)
		return check_bounds(c, step->words, step->n, 1, &end) &&
			(has_numbers(c, step->numbers, 2 * (uint64_t) end) || bad(c, "calibration"));
	if (calibrates)
		return bad(c, "calibration");
	if (step->op == MP_STEP_FUNCTION)
		return step->n < MP_FUNCTION_COUNT || bad(c, "function");
	return (step->op == MP_STEP_SCALE && (step->n == 1 || step->n == width) &&
			check_scaling(c, step, step->n)) || bad(c, "output step");
}

static bool
check_steps(Check *c)
{
	const MpSteps *s = c->s;
	const MpStep *steps = MP_STEPS_SECTION(s, MP_STEPS_STEPS, MpStep);
	const MpStepsInput *inputs = mp_steps_inputs(s);
	uint32_t	next = s->n_inputs;

	if (MP_STEPS_LENGTH(s, MP_STEPS_STEPS, MpStep) != (uint64_t) s->n_steps + s->n_output_steps)
		return bad(c, "number of steps");
	for (uint32_t i = 0; i < s->n_steps; i++)
	{
		if (!check_step(c, &steps[i], &next))
			return false;
	}
	for (uint32_t i = 0; i < s->n_inputs; i++)
	{
		if (inputs[i].kind != MP_STEPS_TIME)
			continue;
		if (inputs[i].utc != next || next >= s->n_slots ||
			c->slots[next] != ((uint32_t) MP_STEPS_TIME << 30 | i))
			return bad(c, "time");
		next++;
	}
	if (next != s->n_slots)
		return bad(c, "number of values");
	if (s->output > MP_OUTPUT_CALIBRATED || (s->output == MP_OUTPUT_NONE) != (s->n_output_steps == 0))
		return bad(c, "output");
	for (uint32_t i = 0; i < s->n_output_steps; i++)
	{
		if (!check_output(c, &steps[s->n_steps + i]))
			return false;
	}
	return true;
}

static bool
check_input(Check *c, uint32_t i)
{
	const MpStepsInput *input = mp_steps_inputs(c->s) + i;
	const MpStepsLabel *labels = MP_STEPS_SECTION(c->s, MP_STEPS_LABELS, MpStepsLabel);
	uint64_t	all = MP_STEPS_LENGTH(c->s, MP_STEPS_LABELS, MpStepsLabel);

	if (!has_text(c, input->name, input->name_length) || input->name_length == 0 ||
		!has_text(c, input->zone, input->zone_length))
		return bad(c, "text of an input");
	if (input->kind > MP_STEPS_TIME || c->slots[i] != (input->kind << 30 | i))
		return bad(c, "kind of an input");
	if (input->first_label > all || input->n_labels > all - input->first_label ||
		input->n_texts > input->n_labels || (input->n_labels > 0) != (input->table_size > 0))
		return bad(c, "labels of an input");
	work(c, input->n_labels);
	for (uint32_t k = 0; k < input->n_labels; k++)
	{
		const MpStepsLabel *label = &labels[input->first_label + k];

		if (label->length == MP_LABEL_IS_NUMBER ? !has_numbers(c, label->at, 1) :
			!has_text(c, label->at, label->length))
			return bad(c, "label of an input");
	}
	if (input->n_labels == 0)
		return true;
	if (!is_power_of_two(input->table_size) || !has_words(c, input->table, input->table_size))
		return bad(c, "table of labels");
	work(c, input->table_size);
	for (uint32_t k = 0; k < input->table_size; k++)
	{
		if (c->words[input->table + k] > input->n_labels)
			return bad(c, "table of labels");
	}
	return true;
}

static bool
check_features(Check *c)
{
	const MpSteps *s = c->s;
	const MpStepsFeature *features = mp_steps_features(s);
	const MpStepsGroup *groups = mp_steps_groups(s);

	if (s->n_features == 0 || s->sparse > 1 ||
		MP_STEPS_LENGTH(s, MP_STEPS_FEATURES, MpStepsFeature) != s->n_features ||
		MP_STEPS_LENGTH(s, MP_STEPS_GROUPS, MpStepsGroup) != s->n_groups)
		return bad(c, "number of features");
	for (uint32_t i = 0; i < s->n_features; i++)
	{
		work(c, 1);
		if (features[i].slot >= s->n_slots ||
			MP_SLOT_KIND(c->slots[features[i].slot]) != MP_STEPS_NUMBER ||
			features[i].group >= s->n_groups ||
			!has_text(c, features[i].name, features[i].name_length))
			return bad(c, "feature");
	}
	for (uint32_t i = 0; i < s->n_groups; i++)
	{
		if (!has_words(c, groups[i].first, groups[i].n))
			return bad(c, "group");
		work(c, groups[i].n);
		for (uint32_t k = 0; k < groups[i].n; k++)
		{
			if (c->words[groups[i].first + k] >= s->n_inputs)
				return bad(c, "group");
		}
	}
	return true;
}

static uint32_t
checksum(const MpSteps *s)
{
	MpSteps		header = *s;
	uint32_t	crc;

	header.checksum = 0;
	crc = mp_crc32c(0, &header, sizeof(header));
	return mp_crc32c(crc, s + 1, s->size - sizeof(header));
}

void
mp_steps_seal(MpSteps *steps)
{
	steps->checksum = checksum(steps);
}

static bool
check_layout(const Check *c, size_t size)
{
	static const size_t element_sizes[MP_STEPS_SECTION_COUNT] = {
		sizeof(double), sizeof(MpStep), sizeof(MpStepsInput), sizeof(MpStepsLabel),
		sizeof(MpStepsFeature), sizeof(MpStepsGroup), sizeof(uint32_t), sizeof(uint32_t), 1
	};
	const MpSteps *s = c->s;
	uint64_t	end = sizeof(MpSteps);

	if (s->magic != MP_STEPS_MAGIC || s->byte_order != MP_STEPS_BYTE_ORDER ||
		s->format != MP_STEPS_FORMAT)
		return mp_fail(c->error, MP_ERROR_IMAGE,
					   "the stored preprocessing is of another version or machine");
	if (s->size != size)
		return bad(c, "length");
	for (int id = 0; id < MP_STEPS_SECTION_COUNT; id++)
	{
		if (s->sections[id].offset != end || s->sections[id].size > size ||
			s->sections[id].size % element_sizes[id] != 0 ||
			s->sections[id].size / element_sizes[id] > INT32_MAX)
			return bad(c, "layout");
		end = (end + s->sections[id].size + 7) & ~UINT64_C(7);
	}
	return end == size || bad(c, "size");
}

bool
mp_steps_check(MpAlloc *alloc, const void *program, size_t size, MpError *error)
{
	Check		check = {alloc, program, error};
	const MpSteps *s = program;

	mp_error_clear(error);
	if (size < sizeof(MpSteps))
		return bad(&check, "length");
	if (!check_layout(&check, size))
		return false;
	if (s->checksum != checksum(s))
		return bad(&check, "checksum");
	check.words = mp_steps_words(s);
	check.slots = MP_STEPS_SECTION(s, MP_STEPS_SLOTS, uint32_t);
	check.n_words = MP_STEPS_LENGTH(s, MP_STEPS_WORDS, uint32_t);
	check.n_numbers = MP_STEPS_LENGTH(s, MP_STEPS_NUMBERS, double);
	if (s->n_inputs == 0 || s->n_slots < s->n_inputs ||
		MP_STEPS_LENGTH(s, MP_STEPS_SLOTS, uint32_t) != s->n_slots ||
		MP_STEPS_LENGTH(s, MP_STEPS_INPUTS, MpStepsInput) != s->n_inputs)
		return bad(&check, "number of inputs");
	for (uint32_t i = 0; i < s->n_inputs; i++)
	{
		if (!check_input(&check, i))
			return false;
	}
	return check_steps(&check) && check_features(&check);
}
