/*
 * steps_ops.c: from the fields of a step to the step: one function per op.
 *
 * A builder appends what it keeps to `numbers`, behind the atoms, and to
 * `words`; build() then moves the numbers down over the atoms.
 */
#include "core/steps/steps_fields.h"
#include "core/steps/steps_labels.h"
#include "core/steps/steps_names.h"
#include "core/steps/steps_ops.h"

#include <math.h>
#include <string.h>

#define BIT(id) (UINT32_C(1) << FIELD_##id)
#define ALWAYS (BIT(OP) | BIT(PRECISION))

_Static_assert(FIELD_COUNT <= 32, "a mask holds all fields");

typedef struct Op
{
	const char *name;
	MpStepOp	op;
	uint32_t	required;
	uint32_t	optional;
	bool		elementwise;	/* as many outputs as inputs, each of its own */
	bool		(*build) (Draft *draft);
	int			function;		/* MpStepFunction of an output step, or -1 */
} Op;

static Field *
field(Draft *draft, FieldId id)
{
	return &draft->fields[id];
}

static bool
has(const Draft *draft, FieldId id)
{
	return draft->fields[id].shape != SHAPE_ABSENT;
}

static bool
is_single(const Draft *draft)
{
	return (draft->step.flags & MP_STEP_SINGLE) != 0;
}

static double
rounded(const Draft *draft, double x)
{
	return is_single(draft) ? (float) x : x;
}

static uint32_t
slot_word(const Draft *draft, uint32_t slot)
{
	return ((const uint32_t *) draft->slots.data)[slot];
}

static uint32_t
in_slot(const Draft *draft, uint32_t i)
{
	return ((const uint32_t *) draft->words.data)[draft->step.in + i];
}

static bool
keep_number(Draft *draft, double number)
{
	return mp_draft_add(draft, &draft->numbers, &number, sizeof(number));
}

static bool
keep_word(Draft *draft, uint32_t word)
{
	return mp_draft_add_word(draft, &draft->words, word);
}

/* --- what several ops have --- */

static bool
check_length(Draft *draft, FieldId id, uint32_t expected)
{
	uint32_t	n = field(draft, id)->shape == SHAPE_LISTS ? field(draft, id)->n_lists :
		field(draft, id)->n;

	if (n == expected)
		return true;
	return mp_draft_fail(draft, "field \"%s\" must have %u entries, not %u", mp_field_name(id),
						 expected, n);
}

/* Where a list of lists is empty, it looks like an empty list. */
static bool
check_lists(Draft *draft, FieldId id, uint32_t expected)
{
	if (field(draft, id)->shape != SHAPE_LISTS && field(draft, id)->n > 0)
		return mp_draft_fail(draft, "field \"%s\" must be a list of lists", mp_field_name(id));
	return check_length(draft, id, expected);
}

static uint32_t
list_length(const Draft *draft, FieldId id, uint32_t list)
{
	return ((const uint32_t *) draft->lists.data)[draft->fields[id].first_list + list];
}

/* Appends all numbers of a list. */
static bool
keep_list(Draft *draft, FieldId id, uint32_t expected)
{
	if (!check_length(draft, id, expected))
		return false;
	for (uint32_t i = 0; i < expected; i++)
	{
		if (!keep_number(draft, mp_draft_number(mp_draft_atom(draft, field(draft, id), i))))
			return false;
	}
	return true;
}

/*
 * All numbers of a list of lists, which can be most of a document and must not
 * be there twice: the atoms from there on stay as they are.
 */
static void
keep_in_place(Draft *draft, FieldId id)
{
	draft->kept = field(draft, id)->first;
}

/* Moves what is kept, from draft->kept on, to where the atoms began. */
static void
settle(Draft *draft)
{
	double	   *numbers = draft->numbers.data;
	size_t		n = mp_vec_count(&draft->numbers, double) - draft->kept;

	memmove(numbers + draft->atoms, numbers + draft->kept, n * sizeof(double));
	draft->numbers.size = (draft->atoms + n) * sizeof(double);
	draft->step.numbers = (uint32_t) draft->atoms;
}

/* The text of a scalar, in names[n]: *index of it. */
static bool
read_choice(Draft *draft, FieldId id, const char *const *names, int n, uint32_t *index)
{
	uint64_t	atom = mp_draft_atom(draft, field(draft, id), 0);
	char		shown[80];

	for (int i = 0; mp_draft_is_text(atom) && i < n; i++)
	{
		if (mp_string_is(mp_draft_text(draft, atom), names[i]))
		{
			*index = (uint32_t) i;
			return true;
		}
	}
	return mp_draft_fail(draft, "field \"%s\" may not be %s", mp_field_name(id),
						 mp_draft_shown(draft, atom, shown, sizeof(shown)));
}

/*
 * "error", "missing" or a number: *refuse, or the number, NaN for "missing".
 * Absent, it is "error".
 */
static bool
read_rule(Draft *draft, FieldId id, bool *refuse, double *number)
{
	static const char *const names[] = {"error", "missing"};
	uint32_t	index = 0;
	uint64_t	atom;

	*refuse = true;
	*number = NAN;
	if (!has(draft, id))
		return true;
	atom = mp_draft_atom(draft, field(draft, id), 0);
	if (!mp_draft_is_text(atom))
	{
		*refuse = false;
		*number = rounded(draft, mp_draft_number(atom));
		return true;
	}
	if (!read_choice(draft, id, names, 2, &index))
		return false;
	*refuse = index == 0;
	return true;
}

/* The field "missing" of ops on numbers. */
static bool
read_missing(Draft *draft, bool number_allowed)
{
	bool		refuse;

	if (!read_rule(draft, FIELD_MISSING, &refuse, &draft->step.value))
		return false;
	if (!refuse && !number_allowed && !isnan(draft->step.value))
		return mp_draft_fail(draft, "field \"missing\" may not be a number here");
	if (refuse)
		draft->step.flags |= MP_STEP_REFUSE_MISSING;
	return true;
}

/* All inputs are of one kind, which is among those in the mask. */
static bool
check_kinds(Draft *draft, unsigned kinds)
{
	static const char *const names[] = {"numbers", "labels", "times"};
	MpStep	   *step = &draft->step;
	uint32_t	kind = MP_SLOT_KIND(slot_word(draft, in_slot(draft, 0)));
	char		shown[80];

	for (uint32_t i = 0; i < step->n_in; i++)
	{
		uint32_t	other = MP_SLOT_KIND(slot_word(draft, in_slot(draft, i)));
		uint64_t	name = ((const uint64_t *) draft->names.data)[in_slot(draft, i)];

		if (!(kinds >> other & 1))
			return mp_draft_fail(draft, "it cannot take %s, which holds %s",
								 mp_draft_shown(draft, name, shown, sizeof(shown)), names[other]);
		if (other != kind)
			return mp_draft_fail(draft, "it cannot take %s and %s together", names[kind],
								 names[other]);
	}
	if (kind == MP_STEPS_LABEL)
		step->flags |= MP_STEP_LABELS;
	if (kind == MP_STEPS_TIME)
		step->flags |= MP_STEP_TIMES;
	return true;
}

#define TAKES_NUMBERS	(1u << MP_STEPS_NUMBER)
#define TAKES_LABELS	(1u << MP_STEPS_LABEL)
#define TAKES_TIMES		(1u << MP_STEPS_TIME)

/* The code of a label for the input that in[i] comes from. */
static bool
label_code(Draft *draft, uint32_t i, uint64_t atom, uint32_t *code)
{
	return mp_draft_label(draft, MP_SLOT_INPUT(slot_word(draft, in_slot(draft, i))), atom, code);
}

/* A number where labels could stand, too. */
static bool
need_number(Draft *draft, FieldId id, uint64_t atom)
{
	char		shown[80];

	if (!mp_draft_is_text(atom))
		return true;
	return mp_draft_fail(draft, "field \"%s\" holds %s, but the values are numbers",
						 mp_field_name(id), mp_draft_shown(draft, atom, shown, sizeof(shown)));
}

/* --- the ops --- */

/* The field "missing_value", of numbers: the sentinel. */
static bool
read_sentinel(Draft *draft)
{
	uint64_t	atom;

	if (!has(draft, FIELD_MISSING_VALUE))
		return true;
	atom = mp_draft_atom(draft, field(draft, FIELD_MISSING_VALUE), 0);
	if (!need_number(draft, FIELD_MISSING_VALUE, atom))
		return false;
	if (mp_draft_is_null(atom))
		return true;
	draft->step.flags |= MP_STEP_HAS_SENTINEL;
	draft->step.value = rounded(draft, mp_draft_number(atom));
	return true;
}

/* Appends the sentinel's code for in[i], or 0, which is missing anyway. */
static bool
keep_sentinel_code(Draft *draft, uint32_t i)
{
	uint32_t	code = MP_LABEL_MISSING;

	if (has(draft, FIELD_MISSING_VALUE) &&
		!label_code(draft, i, mp_draft_atom(draft, field(draft, FIELD_MISSING_VALUE), 0), &code))
		return false;
	return keep_word(draft, code);
}

static bool
build_impute(Draft *draft)
{
	MpStep	   *step = &draft->step;
	Field	   *values = field(draft, FIELD_VALUES);

	if (!check_kinds(draft, TAKES_NUMBERS | TAKES_LABELS) ||
		!check_length(draft, FIELD_VALUES, step->n_in))
		return false;
	if (!(step->flags & MP_STEP_LABELS) && !read_sentinel(draft))
		return false;
	for (uint32_t i = 0; i < step->n_in; i++)
	{
		uint64_t	atom = mp_draft_atom(draft, values, i);
		uint32_t	code;

		if (step->flags & MP_STEP_LABELS)
		{
			if (!label_code(draft, i, atom, &code) || !keep_word(draft, code) ||
				!keep_sentinel_code(draft, i))
				return false;
		}
		else if (!need_number(draft, FIELD_VALUES, atom) ||
				 !keep_number(draft, rounded(draft, mp_draft_number(atom))))
			return false;
	}
	return true;
}

static bool
build_is_missing(Draft *draft)
{
	MpStep	   *step = &draft->step;

	if (!check_kinds(draft, TAKES_NUMBERS | TAKES_LABELS | TAKES_TIMES))
		return false;
	if (step->flags & MP_STEP_TIMES)
		return !has(draft, FIELD_MISSING_VALUE) ||
			mp_draft_fail(draft, "field \"missing_value\" is not for times");
	if (!(step->flags & MP_STEP_LABELS))
		return read_sentinel(draft);
	for (uint32_t i = 0; i < step->n_in; i++)
	{
		if (!keep_sentinel_code(draft, i))
			return false;
	}
	return true;
}

/* n: entries of each list */
static bool
build_scaling(Draft *draft, uint32_t n)
{
	static const struct
	{
		FieldId		id;
		uint32_t	flag;
	}			parts[] = {
		{FIELD_SUBTRACT, MP_STEP_SUBTRACT},
		{FIELD_DIVIDE, MP_STEP_DIVIDE},
		{FIELD_MULTIPLY, MP_STEP_MULTIPLY},
		{FIELD_ADD, MP_STEP_ADD},
		{FIELD_CLIP, MP_STEP_CLIP}
	};

	for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++)
	{
		FieldId		id = parts[k].id;
		size_t		first = mp_vec_count(&draft->numbers, double);
		double	   *kept;

		if (!has(draft, id))
			continue;
		draft->step.flags |= parts[k].flag;
		if (!keep_list(draft, id, id == FIELD_CLIP ? 2 : n))
			return false;
		kept = (double *) draft->numbers.data + first;
		for (uint32_t i = 0; id == FIELD_DIVIDE && i < n; i++)
		{
			if (kept[i] == 0)
				return mp_draft_fail(draft, "field \"divide\" may not hold 0");
		}
		for (uint32_t i = 0; id == FIELD_CLIP && i < 2; i++)
			kept[i] = rounded(draft, kept[i]);
		if (id == FIELD_CLIP && !(kept[0] <= kept[1]))
			return mp_draft_fail(draft, "field \"clip\" must begin with the lower bound");
	}
	return true;
}

static bool
build_scale(Draft *draft)
{
	return check_kinds(draft, TAKES_NUMBERS) && build_scaling(draft, draft->step.n_in);
}

/*
 * Labels and numbers of one_hot and map on their way into a table: of labels,
 * results; of numbers, keys in `numbers` and their results in `words`.
 */
typedef struct Table
{
	LabelTable	labels;
	bool		has_missing;	/* null was listed */
} Table;

static bool
begin_table(Draft *draft, Table *table)
{
	uint32_t	n = (uint32_t) mp_vec_count(&draft->steps, MpStep);

	memset(table, 0, sizeof(*table));
	table->labels.step = n;
	table->labels.input = MP_SLOT_INPUT(slot_word(draft, in_slot(draft, 0)));
	table->labels.first = mp_vec_count(&draft->results, LabelResult);
	return true;
}

static bool
add_to_table(Draft *draft, Table *table, FieldId id, uint64_t atom, uint32_t result)
{
	LabelResult added = {MP_LABEL_MISSING, result};

	if (mp_draft_is_null(atom))
	{
		if (table->has_missing)
			return mp_draft_fail(draft, "null is listed twice");
		table->has_missing = true;
		table->labels.missing = result;
		return true;
	}
	if (draft->step.flags & MP_STEP_LABELS)
	{
		table->labels.n++;
		return label_code(draft, 0, atom, &added.code) &&
			mp_draft_add(draft, &draft->results, &added, sizeof(added));
	}
	if (!need_number(draft, id, atom))
		return false;
	draft->step.n++;
	return keep_number(draft, mp_draft_number(atom)) && keep_word(draft, result);
}

/* unknown, missing: what else there may be; missing only where null is not listed */
static bool
end_table(Draft *draft, Table *table, uint32_t missing, uint32_t unknown)
{
	MpStep	   *step = &draft->step;

	table->labels.unknown = unknown;
	if (!table->has_missing)
		table->labels.missing = missing;
	if (step->flags & MP_STEP_LABELS)
		return mp_draft_add(draft, &draft->label_tables, &table->labels, sizeof(LabelTable));
	return keep_word(draft, unknown) && keep_word(draft, table->labels.missing) &&
		mp_draft_hash_numbers(draft, (const double *) draft->numbers.data + step->numbers,
							  step->n, &step->seed, &step->table);
}

static bool
read_unknown_of_one_hot(Draft *draft, uint32_t *unknown)
{
	static const char *const names[] = {"error", "zero"};
	uint64_t	atom;
	double		number;
	uint32_t	index = 0;

	*unknown = MP_STEP_REFUSE;
	if (!has(draft, FIELD_UNKNOWN))
		return true;
	atom = mp_draft_atom(draft, field(draft, FIELD_UNKNOWN), 0);
	if (mp_draft_is_text(atom))
	{
		if (!read_choice(draft, FIELD_UNKNOWN, names, 2, &index))
			return false;
		*unknown = index == 0 ? MP_STEP_REFUSE : MP_ONE_HOT_NONE;
		return true;
	}
	number = mp_draft_number(atom);
	if (!(number >= 0 && number < draft->step.n_out && floor(number) == number))
		return mp_draft_fail(draft, "field \"unknown\" must be the number of an output, from 0 to %u",
							 draft->step.n_out - 1);
	*unknown = (uint32_t) number;
	return true;
}

static bool
build_one_hot(Draft *draft)
{
	Field	   *labels = field(draft, FIELD_LABELS);
	Field	   *zero = field(draft, FIELD_ZERO);
	uint32_t	unknown;
	uint32_t	at = 0;
	Table		table;

	if (!check_kinds(draft, TAKES_NUMBERS | TAKES_LABELS) ||
		!check_lists(draft, FIELD_LABELS, draft->step.n_out) ||
		!read_unknown_of_one_hot(draft, &unknown) || !begin_table(draft, &table))
		return false;
	for (uint32_t i = 0; i < draft->step.n_out; i++)
	{
		uint32_t	n = list_length(draft, FIELD_LABELS, i);

		for (uint32_t k = 0; k < n; k++, at++)
		{
			if (!add_to_table(draft, &table, FIELD_LABELS, mp_draft_atom(draft, labels, at), i))
				return false;
		}
	}
	for (uint32_t i = 0; i < zero->n; i++)
	{
		if (!add_to_table(draft, &table, FIELD_ZERO, mp_draft_atom(draft, zero, i),
						  MP_ONE_HOT_NONE))
			return false;
	}
	return end_table(draft, &table, unknown, unknown);
}

/* The values that map gives: after those of its labels, of an unknown and of a missing one. */
static bool
build_map(Draft *draft)
{
	Field	   *labels = field(draft, FIELD_LABELS);
	Field	   *values = field(draft, FIELD_VALUES);
	uint32_t	n = labels->n;
	bool		refuse_unknown;
	bool		refuse_missing;
	double		unknown;
	double		missing;
	Table		table;

	if (labels->shape == SHAPE_LISTS)
		return mp_draft_fail(draft, "field \"labels\" must be a plain list");
	if (!check_kinds(draft, TAKES_NUMBERS | TAKES_LABELS) ||
		!check_length(draft, FIELD_VALUES, n) ||
		!read_rule(draft, FIELD_UNKNOWN, &refuse_unknown, &unknown) ||
		!read_rule(draft, FIELD_MISSING, &refuse_missing, &missing) ||
		!begin_table(draft, &table))
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		if (!add_to_table(draft, &table, FIELD_LABELS, mp_draft_atom(draft, labels, i), i))
			return false;
	}
	if (table.has_missing && has(draft, FIELD_MISSING))
		return mp_draft_fail(draft, "field \"missing\" stands beside null in \"labels\"");
	draft->step.n_values = n + 2;
	if (!end_table(draft, &table, refuse_missing ? MP_STEP_REFUSE : n + 1,
				   refuse_unknown ? MP_STEP_REFUSE : n))
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		uint64_t	atom = mp_draft_atom(draft, values, i);

		if (!need_number(draft, FIELD_VALUES, atom) ||
			!keep_number(draft, rounded(draft, mp_draft_number(atom))))
			return false;
	}
	return keep_number(draft, unknown) && keep_number(draft, missing);
}

static bool
build_bin(Draft *draft)
{
	static const char *const names[] = {"left", "right"};
	MpStep	   *step = &draft->step;
	uint32_t	right = 0;
	uint32_t	at = 0;

	if (!check_kinds(draft, TAKES_NUMBERS) || !check_lists(draft, FIELD_EDGES, step->n_in) ||
		!read_missing(draft, true) ||
		(has(draft, FIELD_CLOSED) && !read_choice(draft, FIELD_CLOSED, names, 2, &right)) ||
		!keep_word(draft, 0))
		return false;
	if (right)
		step->flags |= MP_STEP_CLOSED_RIGHT;
	keep_in_place(draft, FIELD_EDGES);
	for (uint32_t i = 0; i < step->n_in; i++)
	{
		uint32_t	end = at + list_length(draft, FIELD_EDGES, i);
		double		last = -INFINITY;

		for (; at < end; at++)
		{
			double		edge = mp_draft_number(mp_draft_atom(draft, field(draft, FIELD_EDGES), at));

			if (edge < last)
				return mp_draft_fail(draft, "edges must ascend");
			last = edge;
		}
		if (!keep_word(draft, at))
			return false;
	}
	return true;
}

static bool
build_threshold(Draft *draft)
{
	Field	   *threshold = field(draft, FIELD_THRESHOLD);
	bool		scalar = threshold->shape == SHAPE_SCALAR;

	if (!check_kinds(draft, TAKES_NUMBERS) || !read_missing(draft, true) ||
		(!scalar && !check_length(draft, FIELD_THRESHOLD, draft->step.n_in)))
		return false;
	for (uint32_t i = 0; i < draft->step.n_in; i++)
	{
		double		t = mp_draft_number(mp_draft_atom(draft, threshold, scalar ? 0 : i));

		if (!keep_number(draft, rounded(draft, t)))
			return false;
	}
	return true;
}

static bool
build_function(Draft *draft)
{
	static const char *const names[MP_FUNCTION_COUNT] = {
		"abs", "sign", "sqrt", "square", "reciprocal", "floor", "ceil", "round", "cbrt", "log",
		"log2", "log10", "log1p", "exp", "expm1"
	};
	MpStep	   *step = &draft->step;

	if (!check_kinds(draft, TAKES_NUMBERS) ||
		!read_choice(draft, FIELD_FUNCTION, names, MP_FUNCTION_COUNT, &step->n))
		return false;
	if (is_single(draft) && step->n > MP_FUNCTION_LAST_EXACT)
	{
		mp_draft_fail(draft, "%s in single precision differs from machine to machine",
					  names[step->n]);
		mp_error_hint(draft->error, "Train the model on numbers that are cast to float64 first.");
		return false;
	}
	return true;
}

static bool
build_power(Draft *draft)
{
	static const char *const names[] = {"yeo-johnson", "box-cox"};
	uint32_t	box_cox = 0;

	if (!check_kinds(draft, TAKES_NUMBERS) ||
		!read_choice(draft, FIELD_METHOD, names, 2, &box_cox))
		return false;
	if (box_cox)
		draft->step.flags |= MP_STEP_BOX_COX;
	return keep_list(draft, FIELD_LAMBDAS, draft->step.n_in);
}

/* Words: where each output's factors begin and the last ones end; then the factors' slots. */
static bool
build_product(Draft *draft)
{
	MpStep	   *step = &draft->step;
	Field	   *factors = field(draft, FIELD_FACTORS);
	uint32_t	end = 0;

	if (!check_kinds(draft, TAKES_NUMBERS) || !check_lists(draft, FIELD_FACTORS, step->n_out) ||
		!read_missing(draft, false) || !keep_word(draft, 0))
		return false;
	for (uint32_t i = 0; i < step->n_out; i++)
	{
		end += list_length(draft, FIELD_FACTORS, i);
		if (!keep_word(draft, end))
			return false;
	}
	for (uint32_t i = 0; i < end; i++)
	{
		double		at = mp_draft_number(mp_draft_atom(draft, factors, i));

		if (!(at >= 0 && at < step->n_in && floor(at) == at))
			return mp_draft_fail(draft, "a factor must be a position in \"in\", from 0 to %u",
								 step->n_in - 1);
		if (!keep_word(draft, in_slot(draft, (uint32_t) at)))
			return false;
	}
	return true;
}

static bool
build_linear(Draft *draft)
{
	MpStep	   *step = &draft->step;

	if (!check_kinds(draft, TAKES_NUMBERS) || !read_missing(draft, false) ||
		!check_lists(draft, FIELD_MATRIX, step->n_out))
		return false;
	for (uint32_t i = 0; i < step->n_out; i++)
	{
		if (list_length(draft, FIELD_MATRIX, i) != step->n_in)
			return mp_draft_fail(draft, "each row of \"matrix\" must have %u numbers, not %u",
								 step->n_in, list_length(draft, FIELD_MATRIX, i));
	}
	keep_in_place(draft, FIELD_MATRIX);
	if (!has(draft, FIELD_OFFSET))
		return true;

	/* all that lies between the two is kept with them */
	step->flags |= MP_STEP_ADD;
	step->n = (uint32_t) (mp_vec_count(&draft->numbers, double) - draft->kept);
	return keep_list(draft, FIELD_OFFSET, step->n_out);
}

static bool
build_date_part(Draft *draft)
{
	static const char *const names[MP_PART_COUNT] = {
		"year", "quarter", "month", "day", "hour", "minute", "second", "dayofweek", "dayofyear",
		"epoch"
	};
	uint64_t   *zones = draft->zones.data;

	if (has(draft, FIELD_PRECISION))
		return mp_draft_fail(draft, "field \"precision\" is not for it");
	if (!check_kinds(draft, TAKES_TIMES) ||
		!read_choice(draft, FIELD_PART, names, MP_PART_COUNT, &draft->step.n))
		return false;
	for (uint32_t i = 0; has(draft, FIELD_TIME_ZONE) && i < draft->step.n_in; i++)
	{
		uint32_t	input = MP_SLOT_INPUT(slot_word(draft, in_slot(draft, i)));
		uint64_t	zone = mp_draft_atom(draft, field(draft, FIELD_TIME_ZONE), 0);
		MpString	text = mp_draft_text(draft, zone);

		if (text.length == 0)
			return mp_draft_fail(draft, "the time zone is empty");
		if (zones[input] != NO_ATOM &&
			!mp_string_equal(mp_draft_text(draft, zones[input]), text))
			return mp_draft_fail(draft, "an input is read in two time zones");
		zones[input] = zone;
	}
	return true;
}

/* --- steps on the prediction --- */

static bool
calibrates(Draft *draft, uint32_t n)
{
	if (n == 0 || n == 2)
		return mp_draft_fail(draft, "there must be an entry per class, or one where there are two classes");
	draft->step.n = n;
	draft->header.output = MP_OUTPUT_CALIBRATED;
	draft->header.output_width = n;
	return true;
}

static bool
build_output_scale(Draft *draft)
{
	uint32_t	n = 1;

	for (FieldId id = FIELD_SUBTRACT; id <= FIELD_ADD; id++)
	{
		if (field(draft, id)->n > n)
			n = field(draft, id)->n;
	}
	draft->step.n = n;
	if (n > 1 && draft->header.output_width > 0 && draft->header.output_width != n)
		return mp_draft_fail(draft, "it is for %u outputs, but an earlier step for %u", n,
							 draft->header.output_width);
	if (n > 1)
		draft->header.output_width = n;
	return build_scaling(draft, n);
}

static bool
build_output_function(Draft *draft)
{
	return true;
}

static bool
build_sigmoid(Draft *draft)
{
	uint32_t	n = field(draft, FIELD_A)->n;

	return calibrates(draft, n) && keep_list(draft, FIELD_A, n) && keep_list(draft, FIELD_B, n);
}

/* Words: where each class's points begin and the last ones end. Numbers: all x, then all y. */
static bool
build_isotonic(Draft *draft)
{
	Field	   *xs = field(draft, FIELD_X);
	Field	   *ys = field(draft, FIELD_Y);
	uint32_t	n = xs->n_lists;
	uint32_t	at = 0;

	if (!calibrates(draft, n) || !check_length(draft, FIELD_Y, n) || !keep_word(draft, 0))
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	end = at + list_length(draft, FIELD_X, i);
		double		last = -INFINITY;

		if (list_length(draft, FIELD_X, i) == 0 ||
			list_length(draft, FIELD_X, i) != list_length(draft, FIELD_Y, i))
			return mp_draft_fail(draft, "each class needs as many entries of \"y\" as of \"x\", and one at least");
		for (; at < end; at++)
		{
			double		x = rounded(draft, mp_draft_number(mp_draft_atom(draft, xs, at)));

			if (!(x > last))
				return mp_draft_fail(draft, "field \"x\" must ascend");
			last = x;
			if (!keep_number(draft, x))
				return false;
		}
		if (!keep_word(draft, at))
			return false;
	}
	for (uint32_t i = 0; i < ys->n; i++)
	{
		if (!keep_number(draft, rounded(draft, mp_draft_number(mp_draft_atom(draft, ys, i)))))
			return false;
	}
	return true;
}

/* --- the tables of ops --- */

#define ROW (BIT(IN) | BIT(OUT))
#define SCALING (BIT(SUBTRACT) | BIT(DIVIDE) | BIT(MULTIPLY) | BIT(ADD) | BIT(CLIP))

static const Op row_ops[] = {
	{"impute", MP_STEP_IMPUTE, ROW | BIT(VALUES), BIT(MISSING_VALUE), true, build_impute, -1},
	{"is_missing", MP_STEP_IS_MISSING, ROW, BIT(MISSING_VALUE), true, build_is_missing, -1},
	{"scale", MP_STEP_SCALE, ROW, SCALING, true, build_scale, -1},
	{"one_hot", MP_STEP_ONE_HOT, ROW | BIT(LABELS), BIT(ZERO) | BIT(UNKNOWN), false, build_one_hot, -1},
	{"map", MP_STEP_MAP, ROW | BIT(LABELS) | BIT(VALUES), BIT(UNKNOWN) | BIT(MISSING), true, build_map, -1},
	{"bin", MP_STEP_BIN, ROW | BIT(EDGES), BIT(CLOSED) | BIT(MISSING), true, build_bin, -1},
	{"threshold", MP_STEP_THRESHOLD, ROW | BIT(THRESHOLD), BIT(MISSING), true, build_threshold, -1},
	{"function", MP_STEP_FUNCTION, ROW | BIT(FUNCTION), 0, true, build_function, -1},
	{"power", MP_STEP_POWER, ROW | BIT(METHOD) | BIT(LAMBDAS), 0, true, build_power, -1},
	{"product", MP_STEP_PRODUCT, ROW | BIT(FACTORS), BIT(MISSING), false, build_product, -1},
	{"linear", MP_STEP_LINEAR, ROW | BIT(MATRIX), BIT(OFFSET) | BIT(MISSING), false, build_linear, -1},
	{"date_part", MP_STEP_DATE_PART, ROW | BIT(PART), BIT(TIME_ZONE), true, build_date_part, -1}
};

static const Op output_ops[] = {
	{"expm1", MP_STEP_FUNCTION, 0, 0, false, build_output_function, MP_FUNCTION_EXPM1},
	{"exp", MP_STEP_FUNCTION, 0, 0, false, build_output_function, MP_FUNCTION_EXP},
	{"square", MP_STEP_FUNCTION, 0, 0, false, build_output_function, MP_FUNCTION_SQUARE},
	{"scale", MP_STEP_SCALE, 0, SCALING, false, build_output_scale, -1},
	{"sigmoid", MP_STEP_SIGMOID, BIT(A) | BIT(B), 0, false, build_sigmoid, -1},
	{"isotonic", MP_STEP_ISOTONIC, BIT(X) | BIT(Y), 0, false, build_isotonic, -1}
};

#define COUNT_OF(array) ((int) (sizeof(array) / sizeof(*(array))))

static const Op *
find_op(Draft *draft, const Op *ops, int n)
{
	uint64_t	atom;
	char		shown[80];

	if (!has(draft, FIELD_OP))
	{
		mp_draft_fail(draft, "field \"op\" is missing");
		return NULL;
	}
	atom = mp_draft_atom(draft, field(draft, FIELD_OP), 0);
	for (int i = 0; i < n; i++)
	{
		if (mp_string_is(mp_draft_text(draft, atom), ops[i].name))
			return &ops[i];
	}
	mp_draft_fail(draft, "unknown op %s", mp_draft_shown(draft, atom, shown, sizeof(shown)));
	return NULL;
}

static bool
check_fields(Draft *draft, const Op *op)
{
	for (int id = 0; id < FIELD_COUNT; id++)
	{
		bool		there = has(draft, (FieldId) id);

		if (!there && (op->required >> id & 1))
			return mp_draft_fail(draft, "field \"%s\" is missing", mp_field_name((FieldId) id));
		if (there && !((op->required | op->optional | ALWAYS) >> id & 1))
			return mp_draft_fail(draft, "field \"%s\" is not for %s", mp_field_name((FieldId) id),
								 op->name);
	}
	return true;
}

/* Begins draft->step: the op, precision, and where its words and numbers will be. */
static bool
begin(Draft *draft, const Op *op)
{
	static const char *const names[] = {"double", "single"};
	uint32_t	single = 0;

	memset(&draft->step, 0, sizeof(draft->step));
	if (!check_fields(draft, op) ||
		(has(draft, FIELD_PRECISION) &&
		 !read_choice(draft, FIELD_PRECISION, names, 2, &single)))
		return false;
	draft->step.op = op->op;
	draft->step.flags = single ? MP_STEP_SINGLE : 0;
	return true;
}

static bool
read_in(Draft *draft, const Op *op)
{
	MpStep	   *step = &draft->step;
	uint32_t	slot;

	step->n_in = field(draft, FIELD_IN)->n;
	step->n_out = field(draft, FIELD_OUT)->n;
	if (step->n_in == 0 || step->n_out == 0)
		return mp_draft_fail(draft, "fields \"in\" and \"out\" may not be empty");
	if ((op->op == MP_STEP_ONE_HOT || op->op == MP_STEP_MAP) && step->n_in != 1)
		return mp_draft_fail(draft, "it takes one value, not %u", step->n_in);
	if (op->elementwise && step->n_in != step->n_out)
		return mp_draft_fail(draft, "fields \"in\" and \"out\" must have as many entries, not %u and %u",
							 step->n_in, step->n_out);
	step->in = (uint32_t) mp_vec_count(&draft->words, uint32_t);
	for (uint32_t i = 0; i < step->n_in; i++)
	{
		if (!mp_draft_find(draft, mp_draft_atom(draft, field(draft, FIELD_IN), i), &slot) ||
			!keep_word(draft, slot))
			return false;
	}
	return true;
}

static uint32_t
set_of(const Draft *draft, uint32_t slot)
{
	return ((const uint32_t *) draft->sets.data)[slot];
}

/* The inputs that output i derives from. */
static bool
find_set(Draft *draft, const Op *op, uint32_t i, uint32_t *set)
{
	const MpStep *step = &draft->step;
	const uint32_t *words = draft->words.data;

	if (op->op == MP_STEP_PRODUCT)
	{
		const uint32_t *bounds = words + step->words;

		return mp_draft_union(draft, bounds + step->n_out + 1 + bounds[i],
							  bounds[i + 1] - bounds[i], set);
	}
	if (op->op != MP_STEP_LINEAR)
		*set = set_of(draft, in_slot(draft, op->elementwise ? i : 0));
	else if (i == 0)
		return mp_draft_union(draft, words + step->in, step->n_in, set);
	return true;
}

/* The outs' atoms have been moved over: they come as a copy. */
static bool
define_outs(Draft *draft, const Op *op, const uint64_t *outs)
{
	MpStep	   *step = &draft->step;
	uint32_t	set = 0;

	step->out = (uint32_t) mp_vec_count(&draft->slots, uint32_t);
	for (uint32_t i = 0; i < step->n_out; i++)
	{
		bool		label = op->op == MP_STEP_IMPUTE && (step->flags & MP_STEP_LABELS);
		uint32_t	holds = label ? slot_word(draft, in_slot(draft, i)) :
			(uint32_t) MP_STEPS_NUMBER << 30;

		if (!find_set(draft, op, i, &set) || !mp_draft_define(draft, outs[i], holds, set))
			return false;
	}
	return true;
}

static bool
build_and_define(Draft *draft, const Op *op, uint64_t *outs)
{
	size_t		first = mp_vec_count(&draft->numbers, double);
	MpStep	   *step = &draft->step;

	memcpy(outs, (const uint64_t *) draft->numbers.data + field(draft, FIELD_OUT)->first,
		   step->n_out * sizeof(uint64_t));
	draft->kept = first;
	step->numbers = (uint32_t) first;
	step->words = (uint32_t) mp_vec_count(&draft->words, uint32_t);
	if (!op->build(draft))
		return false;
	settle(draft);
	return define_outs(draft, op, outs) &&
		mp_draft_add(draft, &draft->steps, step, sizeof(MpStep));
}

bool
mp_draft_build_step(Draft *draft)
{
	const Op   *op = find_op(draft, row_ops, COUNT_OF(row_ops));
	uint64_t   *outs;
	bool		built;

	if (op == NULL || !begin(draft, op) || !read_in(draft, op))
		return false;
	outs = mp_alloc_get(draft->alloc, draft->step.n_out * sizeof(uint64_t));
	if (outs == NULL)
		return mp_fail_memory(draft->error, draft->step.n_out * sizeof(uint64_t));
	built = build_and_define(draft, op, outs);
	mp_alloc_release(draft->alloc, outs);
	return built;
}

bool
mp_draft_build_output(Draft *draft)
{
	const Op   *op = find_op(draft, output_ops, COUNT_OF(output_ops));
	bool		calibration;
	size_t		first = mp_vec_count(&draft->numbers, double);

	if (op == NULL || !begin(draft, op))
		return false;
	calibration = op->op == MP_STEP_SIGMOID || op->op == MP_STEP_ISOTONIC;
	if (draft->header.output == MP_OUTPUT_CALIBRATED ||
		(calibration && draft->header.output != MP_OUTPUT_NONE))
		return mp_draft_fail(draft, "a calibration must be the only step on the prediction");
	draft->header.output = MP_OUTPUT_VALUES;
	draft->step.words = (uint32_t) mp_vec_count(&draft->words, uint32_t);
	draft->step.numbers = (uint32_t) first;
	draft->kept = first;
	if (op->function >= 0)
		draft->step.n = (uint32_t) op->function;
	if (!op->build(draft))
		return false;
	settle(draft);
	draft->header.n_output_steps++;
	return mp_draft_add(draft, &draft->steps, &draft->step, sizeof(MpStep));
}
