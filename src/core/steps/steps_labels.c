/*
 * steps_labels.c: the labels of inputs and their codes, and the tables that
 * steps look them up in.
 */
#include "core/steps/steps_fields.h"
#include "core/steps/steps_hash.h"
#include "core/steps/steps_labels.h"

#include <math.h>
#include <string.h>

/*
 * A step on labels has a table of all labels of its input, however few of them
 * it names. So that many small steps on an input of many labels take no more
 * memory than the document allows, the tables are bounded together.
 */
#define MAX_TABLE_WORDS(document_size) ((document_size) / 2 + 1000000)

#define NOT_LISTED 0xfffffffdu	/* no result is this */

static const DraftLabel *
label_at(const Draft *draft, uint32_t i)
{
	return (const DraftLabel *) draft->labels.data + i;
}

static uint32_t
hash_atom(const Draft *draft, uint32_t seed, uint64_t atom)
{
	MpString	text;

	if (!mp_draft_is_text(atom))
		return mp_steps_hash_number(seed, mp_draft_number(atom));
	text = mp_draft_text(draft, atom);
	return mp_steps_hash_text(seed, text.data, text.length);
}

/* Labels of all inputs are in one table. */
static uint32_t
hash_label(const Draft *draft, uint32_t seed, uint32_t input, uint64_t atom)
{
	return hash_atom(draft, seed, atom) + input * 0x9e3779b9u;
}

static bool
same_atom(const Draft *draft, uint64_t a, uint64_t b)
{
	if (mp_draft_is_text(a) != mp_draft_is_text(b))
		return false;
	if (mp_draft_is_text(a))
		return mp_string_equal(mp_draft_text(draft, a), mp_draft_text(draft, b));
	return mp_draft_number(a) == mp_draft_number(b);
}

static bool
place_label(Draft *draft, uint32_t item)
{
	DraftTable *table = &draft->label_table;
	uint32_t   *places = table->places.data;
	uint32_t	mask = (uint32_t) mp_vec_count(&table->places, uint32_t) - 1;
	const DraftLabel *label = label_at(draft, item);
	uint32_t	at = hash_label(draft, table->seed, label->input, label->atom);

	for (int i = 0; i < MP_STEPS_MAX_PROBE; i++, at++)
	{
		if (places[at & mask] == 0)
		{
			places[at & mask] = item + 1;
			return true;
		}
	}
	return false;
}

static bool
rebuild(Draft *draft)
{
	DraftTable *table = &draft->label_table;
	uint32_t	n = (uint32_t) mp_vec_count(&draft->labels, DraftLabel);
	uint32_t	size = mp_steps_table_size(n + 8);

	for (; table->seed < MP_STEPS_MAX_SEEDS; table->seed++)
	{
		uint32_t	item = 0;

		mp_vec_release(&table->places);
		if (mp_vec_add(&table->places, (size_t) size * sizeof(uint32_t)) == NULL)
			return mp_fail_memory(draft->error, (size_t) size * sizeof(uint32_t));
		memset(table->places.data, 0, table->places.size);
		while (item < n && place_label(draft, item))
		{
			if (++item % 16384 == 0)
				mp_alloc_poll(draft->alloc);
		}
		if (item == n)
			return true;
	}
	return mp_draft_fail(draft, "too many labels look alike to a hash table");
}

/* The label's code, a new one where it was not seen before. */
bool
mp_draft_label(Draft *draft, uint32_t input, uint64_t atom, uint32_t *code)
{
	DraftTable *table = &draft->label_table;
	MpStepsInput *of = (MpStepsInput *) draft->inputs.data + input;
	uint32_t   *places = table->places.data;
	size_t		size = mp_vec_count(&table->places, uint32_t);
	uint32_t	at = hash_label(draft, table->seed, input, atom);
	DraftLabel	label = {atom, input, of->n_labels + 1};
	uint32_t	n = (uint32_t) mp_vec_count(&draft->labels, DraftLabel);

	if (mp_draft_is_null(atom))
	{
		*code = MP_LABEL_MISSING;
		return true;
	}
	for (int i = 0; size > 0 && i < MP_STEPS_MAX_PROBE; i++, at++)
	{
		uint32_t	place = places[at & (size - 1)];

		if (place == 0)
			break;
		if (label_at(draft, place - 1)->input == input &&
			same_atom(draft, label_at(draft, place - 1)->atom, atom))
		{
			*code = label_at(draft, place - 1)->code;
			return true;
		}
	}
	*code = label.code;
	of->n_labels++;
	of->n_texts += mp_draft_is_text(atom);
	if (!mp_draft_add(draft, &draft->labels, &label, sizeof(label)))
		return false;
	if (2 * ((size_t) n + 1) > size || !place_label(draft, n))
		return rebuild(draft);
	return true;
}

/* --- when all labels are known --- */

/* Codes are in the order of the document, so each input's labels go to their places. */
static bool
place_labels(Draft *draft)
{
	MpStepsInput *inputs = draft->inputs.data;
	uint32_t	n = (uint32_t) mp_vec_count(&draft->labels, DraftLabel);
	uint32_t	end = 0;
	MpStepsLabel *placed;
	bool		done = true;

	if (n == 0)
		return true;
	placed = mp_alloc_zero(draft->alloc, n * sizeof(MpStepsLabel));
	if (placed == NULL)
		return mp_fail_memory(draft->error, n * sizeof(MpStepsLabel));
	for (uint32_t i = 0; i < draft->header.n_inputs; i++)
	{
		inputs[i].first_label = end;
		end += inputs[i].n_labels;
	}
	for (uint32_t i = 0; done && i < n; i++)
	{
		const DraftLabel *label = label_at(draft, i);
		MpStepsLabel *to = &placed[inputs[label->input].first_label + label->code - 1];
		double		number = mp_draft_number(label->atom);

		if (mp_draft_is_text(label->atom))
			done = mp_draft_add_string(draft, label->atom, &to->at, &to->length);
		else
		{
			to->at = (uint32_t) mp_vec_count(&draft->numbers, double);
			to->length = MP_LABEL_IS_NUMBER;
			done = mp_draft_add(draft, &draft->numbers, &number, sizeof(number));
		}
	}

	/* they take the place of the labels as read */
	if (done)
	{
		memcpy(draft->labels.data, placed, n * sizeof(MpStepsLabel));
		draft->labels.size = n * sizeof(MpStepsLabel);
	}
	mp_alloc_release(draft->alloc, placed);
	return done;
}

static uint32_t
hash_placed(const Draft *draft, uint32_t seed, const MpStepsLabel *label)
{
	if (label->length == MP_LABEL_IS_NUMBER)
		return mp_steps_hash_number(seed, ((const double *) draft->numbers.data)[label->at]);
	return mp_steps_hash_text(seed, (const char *) draft->strings.data + label->at, label->length);
}

/* Fills places[size], all 0; false: some key is too far from its own place. */
static bool
fill_labels(const Draft *draft, const MpStepsInput *input, uint32_t *places, uint32_t size)
{
	const MpStepsLabel *labels = (const MpStepsLabel *) draft->labels.data + input->first_label;

	for (uint32_t i = 0; i < input->n_labels; i++)
	{
		uint32_t	at = hash_placed(draft, input->seed, &labels[i]);
		int			n = 0;

		while (n < MP_STEPS_MAX_PROBE && places[at & (size - 1)] != 0)
			n++, at++;
		if (n == MP_STEPS_MAX_PROBE)
			return false;
		places[at & (size - 1)] = i + 1;
	}
	return true;
}

static bool
index_labels(Draft *draft, MpStepsInput *input)
{
	uint32_t	size = mp_steps_table_size(input->n_labels);
	uint32_t   *places;

	if (input->n_labels == 0)
		return true;
	input->table = (uint32_t) mp_vec_count(&draft->words, uint32_t);
	input->table_size = size;
	places = mp_vec_add(&draft->words, size * sizeof(uint32_t));
	if (places == NULL)
		return mp_fail_memory(draft->error, size * sizeof(uint32_t));
	for (input->seed = 0; input->seed < MP_STEPS_MAX_SEEDS; input->seed++)
	{
		mp_alloc_poll(draft->alloc);
		memset(places, 0, size * sizeof(uint32_t));
		if (fill_labels(draft, input, places, size))
			return true;
	}
	return mp_draft_fail(draft, "too many labels look alike to a hash table");
}

static bool
finish_table(Draft *draft, const LabelTable *table)
{
	const MpStepsInput *input = (const MpStepsInput *) draft->inputs.data + table->input;
	MpStep	   *step = (MpStep *) draft->steps.data + table->step;
	const LabelResult *results = (const LabelResult *) draft->results.data + table->first;
	size_t		size = (size_t) input->n_labels + 2;
	uint32_t   *words;

	draft->work += size;
	if (draft->work > MAX_TABLE_WORDS(draft->document.length))
		return mp_draft_fail(draft, "too many steps are on inputs of too many labels");
	step->words = (uint32_t) mp_vec_count(&draft->words, uint32_t);
	words = mp_vec_add(&draft->words, size * sizeof(uint32_t));
	if (words == NULL)
		return mp_fail_memory(draft->error, size * sizeof(uint32_t));
	for (size_t i = 0; i < size; i++)
		words[i] = NOT_LISTED;
	for (uint32_t i = 0; i < table->n; i++)
	{
		if (words[results[i].code] != NOT_LISTED)
			return mp_draft_fail(draft, "steps[%u] (%s): a label is listed twice", table->step,
								 mp_step_name((MpStepOp) step->op));
		words[results[i].code] = results[i].result;
	}
	for (size_t i = 0; i < size; i++)
	{
		if (words[i] == NOT_LISTED)
			words[i] = i == MP_LABEL_MISSING ? table->missing : table->unknown;
	}
	return true;
}

bool
mp_draft_finish_labels(Draft *draft)
{
	const LabelTable *tables = draft->label_tables.data;
	size_t		n = mp_vec_count(&draft->label_tables, LabelTable);

	mp_vec_release(&draft->label_table.places);
	if (!place_labels(draft))
		return false;
	for (uint32_t i = 0; i < draft->header.n_inputs; i++)
	{
		if (!index_labels(draft, (MpStepsInput *) draft->inputs.data + i))
			return false;
	}
	draft->work = 0;
	for (size_t i = 0; i < n; i++)
	{
		if (i % 1024 == 0)
			mp_alloc_poll(draft->alloc);
		if (!finish_table(draft, &tables[i]))
			return false;
	}
	return true;
}

/*
 * Appends to words the table that finds n numbers, which are all different,
 * and says its seed and size.
 */
bool
mp_draft_hash_numbers(Draft *draft, const double *keys, uint32_t n, uint32_t *seed, uint32_t *size)
{
	uint32_t   *places;

	*size = mp_steps_table_size(n);
	places = mp_vec_add(&draft->words, *size * sizeof(uint32_t));
	if (places == NULL)
		return mp_fail_memory(draft->error, *size * sizeof(uint32_t));
	for (*seed = 0; *seed < MP_STEPS_MAX_SEEDS; ++*seed)
	{
		uint32_t	i = 0;

		memset(places, 0, *size * sizeof(uint32_t));
		for (; i < n; i++)
		{
			uint32_t	at = mp_steps_hash_number(*seed, keys[i]);
			int			tries = 0;

			for (; tries < MP_STEPS_MAX_PROBE; tries++, at++)
			{
				uint32_t	place = places[at & (*size - 1)];

				if (place == 0)
					break;
				if (keys[place - 1] == keys[i])
					return mp_draft_fail(draft, "%.17g is listed twice", keys[i]);
			}
			if (tries == MP_STEPS_MAX_PROBE)
				break;
			places[at & (*size - 1)] = i + 1;
			if (i % 16384 == 16383)
				mp_alloc_poll(draft->alloc);
		}
		if (i == n)
			return true;
	}
	return mp_draft_fail(draft, "too many numbers look alike to a hash table");
}
