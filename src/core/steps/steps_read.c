/*
 * steps_read.c: from a preprocessing document to its program.
 *
 * The parts of the document are found first and read in the order that they
 * need each other in: jsonb sorts them by the length of their names.
 */
#include "core/steps/steps_check.h"
#include "core/steps/steps_fields.h"
#include "core/steps/steps_labels.h"
#include "core/steps/steps_names.h"
#include "core/steps/steps_ops.h"
#include "core/steps/steps_read.h"

#include <stdio.h>
#include <string.h>

typedef enum PartId
{
	PART_FORMAT,
	PART_INPUTS,
	PART_STEPS,
	PART_FEATURES,
	PART_SPARSE,
	PART_OUTPUT,
	PART_COUNT
} PartId;

static const char *const part_names[PART_COUNT] = {
	"format", "inputs", "steps", "features", "sparse", "output"
};

/* Where a part's value is in the document; size 0: it is not there. */
typedef struct Part
{
	size_t		start;
	size_t		size;
} Part;

/* Puts the place before the message of the fault: steps[3] (one_hot): ... */
static bool
fail_in(Draft *draft, PartId part, int64_t element, bool say_op)
{
	MpError    *error = draft->error;
	char		message[MP_MESSAGE_SIZE];
	char		op[40] = "";
	char		place[80];

	if (error->code == MP_ERROR_MEMORY)
		return false;
	if (say_op && draft->fields[FIELD_OP].n == 1)
	{
		char		name[24];
		uint64_t	atom = mp_draft_atom(draft, &draft->fields[FIELD_OP], 0);

		/* the atoms may have been moved over already */
		if (mp_draft_is_text(atom))
			snprintf(op, sizeof(op), " (%s)",
					 mp_printable(name, sizeof(name), mp_draft_text(draft, atom)));
	}
	if (element >= 0)
		snprintf(place, sizeof(place), "%s[%lld]%s", part_names[part], (long long) element, op);
	else
		snprintf(place, sizeof(place), "%s", part_names[part]);
	memcpy(message, error->message, sizeof(message));
	snprintf(error->message, sizeof(error->message), "%s: %.*s", place,
			 (int) (sizeof(message) - sizeof(place) - 3), message);
	error->code = MP_ERROR_OPTION;
	error->offset = -1;
	error->detail[0] = '\0';
	return false;
}

static bool
find_parts(Draft *draft, Part *parts)
{
	MpDoc		doc;
	MpString	key;
	char		name[64];

	memset(parts, 0, PART_COUNT * sizeof(Part));
	mp_doc_open(&doc, &mp_doc_json, draft->alloc, draft->document.data, draft->document.length,
				draft->error);
	if (!mp_doc_enter_object(&doc))
		goto done;
	while (mp_doc_next_key(&doc, &key))
	{
		int			id = 0;

		while (id < PART_COUNT && !mp_string_is(key, part_names[id]))
			id++;
		if (id == PART_COUNT)
			mp_draft_fail(draft, "unknown field \"%s\"", mp_printable(name, sizeof(name), key));
		else if (parts[id].size > 0)
			mp_draft_fail(draft, "field \"%s\" comes twice", part_names[id]);
		else
		{
			parts[id].start = doc.pos;
			if (mp_doc_skip(&doc))
				parts[id].size = doc.pos - parts[id].start;
		}
		if (!mp_doc_ok(&doc))
			goto done;
	}
	if (mp_doc_ok(&doc))
		mp_doc_end(&doc);
	for (int id = 0; id <= PART_FEATURES; id++)
	{
		if (parts[id].size == 0)
			mp_draft_fail(draft, "field \"%s\" is missing", part_names[id]);
	}
done:
	mp_doc_close(&doc);
	return draft->error->code == MP_OK;
}

/* Reads one part: calls read for each element of the list, or once where it is no list. */
static bool
read_part(Draft *draft, const Part *part, PartId id, bool is_list,
		  bool (*read) (Draft *draft, MpDoc *doc, uint32_t element))
{
	MpDoc		doc;
	uint32_t	element = 0;
	bool		fine = true;

	if (part->size == 0)
		return true;
	draft->fields[FIELD_OP].n = 0;
	mp_doc_open(&doc, &mp_doc_json, draft->alloc, draft->document.data + part->start, part->size,
				draft->error);
	if (!is_list)
		fine = read(draft, &doc, 0);
	else if (mp_doc_enter_array(&doc))
	{
		while (fine && mp_doc_next(&doc))
		{
			fine = read(draft, &doc, element);
			element += fine;
		}
	}
	mp_doc_close(&doc);
	if (draft->error->code == MP_OK)
		return true;
	return fail_in(draft, id, fine || !is_list ? -1 : (int64_t) element,
				   id == PART_STEPS || id == PART_OUTPUT);
}

static bool
read_format(Draft *draft, MpDoc *doc, uint32_t element)
{
	int64_t		format;

	if (!mp_doc_integer(doc, INT64_MIN, INT64_MAX, &format))
		return false;
	return format == 1 ||
		mp_draft_fail(draft, "this release knows format 1, not %lld", (long long) format);
}

static bool
read_sparse(Draft *draft, MpDoc *doc, uint32_t element)
{
	bool		sparse = false;

	if (!mp_doc_boolean(doc, &sparse))
		return false;
	draft->header.sparse = sparse;
	return true;
}

/* {"name": ..., "type": ...} */
static bool
read_input_fields(Draft *draft, MpDoc *doc, uint64_t *name, uint64_t *type)
{
	MpString	key;

	*name = *type = NO_ATOM;
	if (!mp_doc_enter_object(doc))
		return false;
	while (mp_doc_next_key(doc, &key))
	{
		bool		is_name = mp_string_is(key, "name");
		uint64_t   *atom = is_name ? name : type;
		char		shown[64];

		if (!is_name && !mp_string_is(key, "type"))
			return mp_draft_fail(draft, "unknown field \"%s\"",
								 mp_printable(shown, sizeof(shown), key));
		if (*atom != NO_ATOM)
			return mp_draft_fail(draft, "field \"%s\" comes twice", is_name ? "name" : "type");
		if (!mp_draft_read_string(draft, doc, atom))
			return false;
	}
	if (!mp_doc_ok(doc))
		return false;
	if (*name == NO_ATOM || *type == NO_ATOM)
		return mp_draft_fail(draft, "field \"%s\" is missing", *name == NO_ATOM ? "name" : "type");
	return true;
}

static bool
read_input(Draft *draft, MpDoc *doc, uint32_t element)
{
	static const char *const kinds[] = {"number", "category", "time"};
	MpStepsInput input = {0};
	uint64_t	name;
	uint64_t	type;
	uint64_t	no_zone = NO_ATOM;
	uint32_t	set;
	char		shown[80];

	if (!read_input_fields(draft, doc, &name, &type))
		return false;
	while (input.kind < 3 && !mp_string_is(mp_draft_text(draft, type), kinds[input.kind]))
		input.kind++;
	if (input.kind == 3)
		return mp_draft_fail(draft, "the type must be \"number\", \"category\" or \"time\", not %s",
							 mp_draft_shown(draft, type, shown, sizeof(shown)));
	draft->header.n_inputs++;
	return mp_draft_add_string(draft, name, &input.name, &input.name_length) &&
		mp_draft_add(draft, &draft->inputs, &input, sizeof(input)) &&
		mp_draft_add(draft, &draft->zones, &no_zone, sizeof(no_zone)) &&
		mp_draft_set_of_input(draft, element, &set) &&
		mp_draft_define(draft, name, input.kind << 30 | element, set);
}

static bool
read_step(Draft *draft, MpDoc *doc, uint32_t element)
{
	if (!mp_draft_read_fields(draft, doc) || !mp_draft_build_step(draft))
		return false;
	draft->header.n_steps++;
	return true;
}

static bool
read_output(Draft *draft, MpDoc *doc, uint32_t element)
{
	return mp_draft_read_fields(draft, doc) && mp_draft_build_output(draft);
}

static bool
read_feature(Draft *draft, MpDoc *doc, uint32_t element)
{
	MpStepsFeature feature = {0};
	uint64_t	name;
	char		shown[80];

	if (!mp_draft_read_string(draft, doc, &name) || !mp_draft_find(draft, name, &feature.slot))
		return false;
	if (MP_SLOT_KIND(((const uint32_t *) draft->slots.data)[feature.slot]) != MP_STEPS_NUMBER)
	{
		mp_draft_fail(draft, "%s holds no numbers, which features are",
					  mp_draft_shown(draft, name, shown, sizeof(shown)));
		mp_error_hint(draft->error, "Make numbers of labels with one_hot or map, of times with date_part.");
		return false;
	}
	draft->header.n_features++;
	return mp_draft_add_string(draft, name, &feature.name, &feature.name_length) &&
		mp_draft_add(draft, &draft->features, &feature, sizeof(feature));
}

/*
 * Room for every number that the document can hold, so that the list of numbers
 * never moves: one per comma and bracket outside of strings.
 */
static bool
reserve_numbers(Draft *draft)
{
	const char *s = draft->document.data;
	size_t		n = 16;
	size_t		room;

	for (size_t i = 0; i < draft->document.length; i++)
	{
		n += s[i] == ',' || s[i] == '[';
		if (i % 65536 == 65535)
			mp_alloc_poll(draft->alloc);
	}
	if (n - 16 > MP_STEPS_MAX_VALUES(draft->document.length))
		return mp_draft_fail(draft, "a document of %zu bytes may hold %zu values, not %zu",
							 draft->document.length,
							 MP_STEPS_MAX_VALUES(draft->document.length), n - 16);
	room = n * sizeof(double);
	if (mp_vec_add(&draft->numbers, room) == NULL)
		return mp_fail_memory(draft->error, room);
	draft->numbers.size = 0;
	return true;
}

/* Gives back what is left of that room. */
static bool
shrink_numbers(Draft *draft)
{
	MpVec	   *numbers = &draft->numbers;
	size_t		room = numbers->size + sizeof(double);
	void	   *data = draft->alloc->resize(draft->alloc, numbers->data, room);

	if (data == NULL)
		return mp_fail_memory(draft->error, room);
	numbers->data = data;
	numbers->room = room;
	return true;
}

static bool
read_parts(Draft *draft, const Part *parts)
{
	if (!read_part(draft, &parts[PART_FORMAT], PART_FORMAT, false, read_format) ||
		!read_part(draft, &parts[PART_INPUTS], PART_INPUTS, true, read_input))
		return false;
	if (draft->header.n_inputs == 0)
		return mp_draft_fail(draft, "inputs: there are none");
	draft->marks = mp_alloc_zero(draft->alloc, draft->header.n_inputs);
	if (draft->marks == NULL)
		return mp_fail_memory(draft->error, draft->header.n_inputs);
	if (!read_part(draft, &parts[PART_STEPS], PART_STEPS, true, read_step) ||
		!read_part(draft, &parts[PART_FEATURES], PART_FEATURES, true, read_feature))
		return false;
	if (draft->header.n_features == 0)
		return mp_draft_fail(draft, "features: there are none");
	return read_part(draft, &parts[PART_SPARSE], PART_SPARSE, false, read_sparse) &&
		read_part(draft, &parts[PART_OUTPUT], PART_OUTPUT, true, read_output);
}

/* Time zones, and the slots of moments in UTC. */
static bool
finish_times(Draft *draft)
{
	MpStepsInput *inputs = draft->inputs.data;
	const uint64_t *zones = draft->zones.data;

	for (uint32_t i = 0; i < draft->header.n_inputs; i++)
	{
		if (inputs[i].kind != MP_STEPS_TIME)
			continue;
		inputs[i].utc = (uint32_t) mp_vec_count(&draft->slots, uint32_t);
		if (!mp_draft_add_word(draft, &draft->slots, (uint32_t) MP_STEPS_TIME << 30 | i) ||
			(zones[i] != NO_ATOM &&
			 !mp_draft_add_string(draft, zones[i], &inputs[i].zone, &inputs[i].zone_length)))
			return false;
	}
	return true;
}

static uint64_t
align(uint64_t size)
{
	return (size + 7) & ~UINT64_C(7);
}

/* The block of numbers becomes the program; the other parts are copied behind them. */
static MpSteps *
assemble(Draft *draft)
{
	const MpVec *parts[MP_STEPS_SECTION_COUNT] = {
		&draft->numbers, &draft->steps, &draft->inputs, &draft->labels, &draft->features,
		&draft->groups, &draft->slots, &draft->words, &draft->strings
	};
	MpSteps		header = draft->header;
	uint64_t	end = sizeof(MpSteps);
	char	   *block;

	header.magic = MP_STEPS_MAGIC;
	header.format = MP_STEPS_FORMAT;
	header.byte_order = MP_STEPS_BYTE_ORDER;
	header.n_slots = (uint32_t) mp_vec_count(&draft->slots, uint32_t);
	for (int id = 0; id < MP_STEPS_SECTION_COUNT; id++)
	{
		header.sections[id].offset = end;
		header.sections[id].size = parts[id]->size;
		end = align(end + parts[id]->size);
	}
	header.size = end;
	block = draft->alloc->resize(draft->alloc, draft->numbers.data, end);
	if (block == NULL)
	{
		mp_fail_memory(draft->error, end);
		return NULL;
	}
	draft->numbers.data = NULL;
	memmove(block + sizeof(MpSteps), block, draft->numbers.size);
	memcpy(block, &header, sizeof(MpSteps));
	for (int id = 1; id < MP_STEPS_SECTION_COUNT; id++)
	{
		uint64_t	used = header.sections[id].offset + parts[id]->size;

		if (parts[id]->size > 0)
			memcpy(block + header.sections[id].offset, parts[id]->data, parts[id]->size);
		memset(block + used, 0, align(used) - used);
	}
	return (MpSteps *) block;
}

#define N_VECS 20

static void
list_vecs(Draft *d, MpVec **all)
{
	MpVec	   *vecs[N_VECS] = {
		&d->numbers, &d->steps, &d->inputs, &d->features, &d->groups, &d->slots, &d->words,
		&d->strings, &d->names, &d->sets, &d->input_sets, &d->set_words, &d->name_table.places,
		&d->zones, &d->labels, &d->label_table.places, &d->results, &d->label_tables, &d->lists,
		&d->decoded
	};

	memcpy(all, vecs, sizeof(vecs));
}

static void
release(Draft *draft)
{
	MpVec	   *all[N_VECS];

	list_vecs(draft, all);
	for (int i = 0; i < N_VECS; i++)
		mp_vec_release(all[i]);
	mp_alloc_release(draft->alloc, draft->marks);
}

static void
prepare(Draft *draft, MpAlloc *alloc, const char *document, size_t size, MpError *error)
{
	MpVec	   *all[N_VECS];

	memset(draft, 0, sizeof(*draft));
	list_vecs(draft, all);
	for (int i = 0; i < N_VECS; i++)
		all[i]->alloc = alloc;
	draft->alloc = alloc;
	draft->error = error;
	draft->document.data = document;
	draft->document.length = size;
	mp_error_clear(error);
}

bool
mp_steps_read(MpAlloc *alloc, const char *document, size_t size, MpSteps **steps, MpError *error)
{
	Draft		draft;
	Part		parts[PART_COUNT];

	*steps = NULL;
	prepare(&draft, alloc, document, size, error);
	if (size > MP_STEPS_MAX_DOCUMENT)
		return mp_draft_fail(&draft, "the document has %zu bytes; at most %d are allowed", size,
							 MP_STEPS_MAX_DOCUMENT);
	if (find_parts(&draft, parts) && reserve_numbers(&draft) && read_parts(&draft, parts) &&
		shrink_numbers(&draft) && mp_draft_finish_labels(&draft) && finish_times(&draft) && mp_draft_group_features(&draft))
		*steps = assemble(&draft);
	release(&draft);
	if (*steps == NULL)
		return false;
	mp_steps_seal(*steps);
	return true;
}
