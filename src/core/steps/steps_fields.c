/*
 * steps_fields.c: the fields of one step as they are written: scalars, lists
 * and lists of lists, whatever the op. JSON keeps no order of fields, so the op
 * may come last; what the fields mean is for steps_ops.c.
 */
#include "core/steps/steps_fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BITS	UINT64_C(0xfff8000000000000)
#define DECODED_BIT	(UINT64_C(1) << 50)
#define PLACE_BITS	25			/* of an offset and of a length: MP_STEPS_MAX_DOCUMENT */
#define PLACE_MASK	((UINT64_C(1) << PLACE_BITS) - 1)

_Static_assert(MP_STEPS_MAX_DOCUMENT <= 1 << PLACE_BITS, "a string must fit into an atom");

/* what may stand in a field */
#define SCALAR	0x01
#define LIST	0x02
#define LISTS	0x04
#define NUMBERS	0x10
#define TEXTS	0x20
#define NULLS	0x40
#define TRUTHS	0x80			/* true and false, as 1 and 0 */

static const struct
{
	const char *name;
	int			allowed;
}			known[FIELD_COUNT] = {
	[FIELD_OP] = {"op", SCALAR | TEXTS},
	[FIELD_IN] = {"in", LIST | TEXTS},
	[FIELD_OUT] = {"out", LIST | TEXTS},
	[FIELD_PRECISION] = {"precision", SCALAR | TEXTS},
	[FIELD_VALUES] = {"values", LIST | NUMBERS | TEXTS | NULLS | TRUTHS},
	[FIELD_MISSING_VALUE] = {"missing_value", SCALAR | NUMBERS | TEXTS | NULLS | TRUTHS},
	[FIELD_SUBTRACT] = {"subtract", LIST | NUMBERS},
	[FIELD_DIVIDE] = {"divide", LIST | NUMBERS},
	[FIELD_MULTIPLY] = {"multiply", LIST | NUMBERS},
	[FIELD_ADD] = {"add", LIST | NUMBERS},
	[FIELD_CLIP] = {"clip", LIST | NUMBERS},
	[FIELD_LABELS] = {"labels", LIST | LISTS | NUMBERS | TEXTS | NULLS | TRUTHS},
	[FIELD_ZERO] = {"zero", LIST | NUMBERS | TEXTS | NULLS | TRUTHS},
	[FIELD_UNKNOWN] = {"unknown", SCALAR | NUMBERS | TEXTS},
	[FIELD_MISSING] = {"missing", SCALAR | NUMBERS | TEXTS},
	[FIELD_EDGES] = {"edges", LISTS | NUMBERS},
	[FIELD_CLOSED] = {"closed", SCALAR | TEXTS},
	[FIELD_THRESHOLD] = {"threshold", SCALAR | LIST | NUMBERS},
	[FIELD_FUNCTION] = {"function", SCALAR | TEXTS},
	[FIELD_METHOD] = {"method", SCALAR | TEXTS},
	[FIELD_LAMBDAS] = {"lambdas", LIST | NUMBERS},
	[FIELD_FACTORS] = {"factors", LISTS | NUMBERS},
	[FIELD_MATRIX] = {"matrix", LISTS | NUMBERS},
	[FIELD_OFFSET] = {"offset", LIST | NUMBERS},
	[FIELD_PART] = {"part", SCALAR | TEXTS},
	[FIELD_TIME_ZONE] = {"time_zone", SCALAR | TEXTS},
	[FIELD_A] = {"a", LIST | NUMBERS},
	[FIELD_B] = {"b", LIST | NUMBERS},
	[FIELD_X] = {"x", LISTS | NUMBERS},
	[FIELD_Y] = {"y", LISTS | NUMBERS},
};

const char *
mp_field_name(FieldId id)
{
	return known[id].name;
}

/* The first fault counts. Its place is put before it by the caller that knows it. */
bool
mp_draft_fail(Draft *draft, const char *format,...)
{
	char		message[MP_MESSAGE_SIZE];
	va_list		args;

	if (draft->error->code != MP_OK)
		return false;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return mp_fail(draft->error, MP_ERROR_OPTION, "%s", message);
}

bool
mp_draft_add(Draft *draft, MpVec *vec, const void *data, size_t size)
{
	void	   *place = mp_vec_add(vec, size);

	if (place == NULL)
		return mp_fail_memory(draft->error, size);
	if (size > 0)
		memcpy(place, data, size);
	return true;
}

bool
mp_draft_add_word(Draft *draft, MpVec *vec, uint32_t word)
{
	return mp_draft_add(draft, vec, &word, sizeof(word));
}

bool
mp_draft_is_text(uint64_t atom)
{
	return (atom & TEXT_BITS) == TEXT_BITS;
}

bool
mp_draft_is_null(uint64_t atom)
{
	return !mp_draft_is_text(atom) && isnan(mp_draft_number(atom));
}

double
mp_draft_number(uint64_t atom)
{
	double		number;

	memcpy(&number, &atom, sizeof(number));
	return number;
}

MpString
mp_draft_text(const Draft *draft, uint64_t atom)
{
	const char *base = atom & DECODED_BIT ? draft->decoded.data : draft->document.data;
	MpString	text = {base + (atom >> PLACE_BITS & PLACE_MASK), atom & PLACE_MASK};

	return text;
}

/* "red", 1.5 or null, for messages */
const char *
mp_draft_shown(const Draft *draft, uint64_t atom, char *buffer, size_t size)
{
	if (mp_draft_is_text(atom))
	{
		char		text[64];

		snprintf(buffer, size, "\"%s\"",
				 mp_printable(text, sizeof(text), mp_draft_text(draft, atom)));
	}
	else if (mp_draft_is_null(atom))
		snprintf(buffer, size, "null");
	else
		snprintf(buffer, size, "%.17g", mp_draft_number(atom));
	return buffer;
}

bool
mp_draft_add_string(Draft *draft, uint64_t atom, uint32_t *at, uint32_t *length)
{
	MpString	text = mp_draft_text(draft, atom);

	*at = (uint32_t) draft->strings.size;
	*length = (uint32_t) text.length;
	return mp_draft_add(draft, &draft->strings, text.data, text.length);
}

bool
mp_draft_read_string(Draft *draft, MpDoc *doc, uint64_t *atom)
{
	MpString	text;
	uint64_t	at;
	uint64_t	decoded = 0;

	if (!mp_doc_string(doc, &text))
		return false;
	if (!mp_utf8_valid(text))
		return mp_draft_fail(draft, "a string is not valid UTF-8, or has the character 0");
	if (text.data >= draft->document.data &&
		text.data <= draft->document.data + draft->document.length)
		at = (uint64_t) (text.data - draft->document.data);
	else
	{
		decoded = DECODED_BIT;
		at = draft->decoded.size;
		if (!mp_draft_add(draft, &draft->decoded, text.data, text.length))
			return false;
	}
	*atom = TEXT_BITS | decoded | at << PLACE_BITS | text.length;
	return true;
}

static bool
read_number(Draft *draft, MpDoc *doc, uint64_t *atom)
{
	double		number;

	if (!mp_doc_double(doc, &number))
		return false;
	if (!isfinite(number))
		return mp_draft_fail(draft, "a number must be finite");
	memcpy(atom, &number, sizeof(number));
	return true;
}

static bool
wrong_kind(Draft *draft, FieldId id, const char *what)
{
	return mp_draft_fail(draft, "field \"%s\" may not hold %s", known[id].name, what);
}

static bool
read_scalar(Draft *draft, MpDoc *doc, FieldId id)
{
	int			allowed = known[id].allowed;
	uint64_t	atom = 0;
	bool		truth;
	double		number = NAN;

	switch (mp_doc_kind(doc))
	{
		case MP_DOC_STRING:
			if (!(allowed & TEXTS))
				return wrong_kind(draft, id, "a string");
			if (!mp_draft_read_string(draft, doc, &atom))
				return false;
			break;
		case MP_DOC_NUMBER:
			if (!(allowed & NUMBERS))
				return wrong_kind(draft, id, "a number");
			if (!read_number(draft, doc, &atom))
				return false;
			break;
		case MP_DOC_BOOLEAN:
			if (!(allowed & TRUTHS))
				return wrong_kind(draft, id, "true or false");
			if (!mp_doc_boolean(doc, &truth))
				return false;
			number = truth;
			memcpy(&atom, &number, sizeof(atom));
			break;
		case MP_DOC_NULL:
			if (!(allowed & NULLS))
				return wrong_kind(draft, id, "null");
			if (!mp_doc_skip(doc))
				return false;
			memcpy(&atom, &number, sizeof(atom));
			break;
		case MP_DOC_ARRAY:
			return wrong_kind(draft, id, allowed & LISTS ? "lists of lists of lists" : "a list here");
		case MP_DOC_OBJECT:
			return wrong_kind(draft, id, "an object");
		case MP_DOC_NOTHING:
			return false;
	}
	draft->fields[id].n++;
	return mp_draft_add(draft, &draft->numbers, &atom, sizeof(atom));
}

static bool
read_list(Draft *draft, MpDoc *doc, FieldId id)
{
	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		if (!read_scalar(draft, doc, id))
			return false;
	}
	return mp_doc_ok(doc);
}

static bool
read_array(Draft *draft, MpDoc *doc, FieldId id)
{
	Field	   *field = &draft->fields[id];

	if (!mp_doc_enter_array(doc))
		return false;
	field->shape = known[id].allowed & LIST ? SHAPE_LIST : SHAPE_LISTS;
	while (mp_doc_next(doc))
	{
		uint32_t	before = field->n;

		if (mp_doc_kind(doc) != MP_DOC_ARRAY || !(known[id].allowed & LISTS))
		{
			if (!(known[id].allowed & LIST) || field->n_lists > 0)
				return mp_draft_fail(draft, "field \"%s\" must be a list of lists", known[id].name);
			if (!read_scalar(draft, doc, id))
				return false;
			continue;
		}
		if (before > 0 && field->n_lists == 0)
			return mp_draft_fail(draft, "field \"%s\" mixes lists and values", known[id].name);
		field->shape = SHAPE_LISTS;
		field->n_lists++;
		if (!read_list(draft, doc, id) ||
			!mp_draft_add_word(draft, &draft->lists, field->n - before))
			return false;
	}
	return mp_doc_ok(doc);
}

static bool
read_field(Draft *draft, MpDoc *doc, FieldId id)
{
	Field	   *field = &draft->fields[id];

	if (field->shape != SHAPE_ABSENT)
		return mp_draft_fail(draft, "field \"%s\" comes twice", known[id].name);
	field->first = mp_vec_count(&draft->numbers, double);
	field->first_list = mp_vec_count(&draft->lists, uint32_t);
	if (mp_doc_kind(doc) == MP_DOC_ARRAY)
		return known[id].allowed & (LIST | LISTS) ? read_array(draft, doc, id) :
			wrong_kind(draft, id, "a list");
	if (!(known[id].allowed & SCALAR))
		return mp_doc_ok(doc) && mp_draft_fail(draft, "field \"%s\" must be a list", known[id].name);
	field->shape = SHAPE_SCALAR;
	return read_scalar(draft, doc, id);
}

/* Reads the object at hand into draft->fields. */
bool
mp_draft_read_fields(Draft *draft, MpDoc *doc)
{
	MpString	key;

	memset(draft->fields, 0, sizeof(draft->fields));
	draft->lists.size = 0;
	draft->atoms = mp_vec_count(&draft->numbers, double);
	if (!mp_doc_enter_object(doc))
		return false;
	while (mp_doc_next_key(doc, &key))
	{
		int			id = 0;
		char		name[64];

		while (id < FIELD_COUNT && !mp_string_is(key, known[id].name))
			id++;
		if (id == FIELD_COUNT)
			return mp_draft_fail(draft, "unknown field \"%s\"",
								 mp_printable(name, sizeof(name), key));
		if (!read_field(draft, doc, (FieldId) id))
			return false;
	}
	return mp_doc_ok(doc);
}
