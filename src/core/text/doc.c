/*
 * doc.c: the part of the document reader that both formats share: nesting,
 * messages, skipping, and objects read by a table of fields.
 */
#include "core/text/doc.h"
#include "core/text/number.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

void
mp_doc_open(MpDoc *doc, const MpDocFormat *format, MpAlloc *alloc,
			const void *data, size_t size, MpError *error)
{
	memset(doc, 0, sizeof(*doc));
	mp_error_clear(error);
	doc->format = format;
	doc->alloc = alloc;
	doc->error = error;
	doc->data = data;
	doc->size = size;
	doc->key_text.alloc = alloc;
	doc->value_text.alloc = alloc;
}

void
mp_doc_close(MpDoc *doc)
{
	mp_vec_release(&doc->key_text);
	mp_vec_release(&doc->value_text);
}

bool
mp_doc_fail(MpDoc *doc, MpErrorCode code, const char *format,...)
{
	char		message[MP_MESSAGE_SIZE];
	va_list		args;

	if (!mp_doc_ok(doc))
		return false;			/* the first fault is the one that counts */
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	mp_fail(doc->error, code, "%s", message);
	doc->error->offset = (int64_t) doc->pos;
	if (doc->field != NULL)
		mp_error_detail(doc->error, "It is in the field \"%s\".", doc->field);
	return false;
}

bool
mp_doc_fail_kind(MpDoc *doc, const char *expected)
{
	static const char *const names[] = {
		"an object", "an array", "a string", "a number", "a boolean", "null", "nothing"
	};
	MpDocKind	kind = mp_doc_kind(doc);

	if (kind == MP_DOC_NOTHING)
		return false;
	return mp_doc_fail(doc, MP_ERROR_INVALID, "expected %s, not %s", expected, names[kind]);
}

bool
mp_doc_push(MpDoc *doc, bool is_object)
{
	MpDocFrame *frame = &doc->frames[doc->depth];

	if (doc->depth == MP_DOC_DEPTH)
		return mp_doc_fail(doc, MP_ERROR_SYNTAX, "nesting is deeper than %d levels", MP_DOC_DEPTH);
	frame->is_object = is_object;
	frame->started = false;
	frame->type = 0;
	frame->remaining = -1;
	doc->depth++;
	return true;
}

MpDocKind
mp_doc_kind(MpDoc *doc)
{
	return mp_doc_ok(doc) ? doc->format->kind(doc) : MP_DOC_NOTHING;
}

bool
mp_doc_enter_object(MpDoc *doc)
{
	if (mp_doc_kind(doc) != MP_DOC_OBJECT)
		return mp_doc_fail_kind(doc, "an object");
	return doc->format->enter(doc);
}

bool
mp_doc_enter_array(MpDoc *doc)
{
	if (mp_doc_kind(doc) != MP_DOC_ARRAY)
		return mp_doc_fail_kind(doc, "an array");
	return doc->format->enter(doc);
}

/* The next element of the innermost container, or the end of it, which leaves it. */
static bool
next_element(MpDoc *doc, MpString *key)
{
	mp_doc_poll(doc);
	if (!mp_doc_ok(doc))
		return false;
	if (doc->format->next(doc, key))
		return true;
	if (mp_doc_ok(doc))
		doc->depth--;
	return false;
}

bool
mp_doc_next_key(MpDoc *doc, MpString *key)
{
	return next_element(doc, key);
}

bool
mp_doc_next(MpDoc *doc)
{
	return next_element(doc, NULL);
}

bool
mp_doc_string(MpDoc *doc, MpString *text)
{
	if (mp_doc_kind(doc) != MP_DOC_STRING)
		return mp_doc_fail_kind(doc, "a string");
	return doc->format->read_string(doc, text);
}

bool
mp_doc_float(MpDoc *doc, float *value)
{
	if (mp_doc_kind(doc) != MP_DOC_NUMBER)
		return mp_doc_fail_kind(doc, "a number");
	return doc->format->read_float(doc, value);
}

bool
mp_doc_double(MpDoc *doc, double *value)
{
	if (mp_doc_kind(doc) != MP_DOC_NUMBER)
		return mp_doc_fail_kind(doc, "a number");
	return doc->format->read_double(doc, value);
}

bool
mp_doc_integer(MpDoc *doc, int64_t low, int64_t high, int64_t *value)
{
	size_t		start = doc->pos;

	if (mp_doc_kind(doc) != MP_DOC_NUMBER)
		return mp_doc_fail_kind(doc, "a whole number");
	if (!doc->format->read_integer(doc, value))
		return false;
	if (*value < low || *value > high)
	{
		doc->pos = start;
		return mp_doc_fail(doc, MP_ERROR_INVALID, "expected a number from %lld to %lld, not %lld",
						   (long long) low, (long long) high, (long long) *value);
	}
	return true;
}

bool
mp_doc_boolean(MpDoc *doc, bool *value)
{
	if (mp_doc_kind(doc) != MP_DOC_BOOLEAN)
		return mp_doc_fail_kind(doc, "a boolean");
	return doc->format->read_boolean(doc, value);
}

/* One element of an array of numbers. */
static bool
bulk_element(MpDoc *doc, MpDocElement element, MpVec *out)
{
	int64_t		number = 0;
	float		value = 0;
	bool		boolean;
	void	   *place;

	if (element == MP_DOC_FLOATS)
	{
		if (!mp_doc_float(doc, &value))
			return false;
	}
	else if (element == MP_DOC_INT32S)
	{
		if (!mp_doc_integer(doc, INT32_MIN, INT32_MAX, &number))
			return false;
	}
	else if (element == MP_DOC_INT64S)
	{
		if (!mp_doc_integer(doc, INT64_MIN, INT64_MAX, &number))
			return false;
	}
	else if (mp_doc_kind(doc) == MP_DOC_BOOLEAN)
	{
		if (!mp_doc_boolean(doc, &boolean))
			return false;
		number = boolean;
	}
	else if (!mp_doc_integer(doc, SCHAR_MIN, UCHAR_MAX, &number))
		return false;

	place = mp_vec_add(out, element == MP_DOC_BYTES ? 1 : element == MP_DOC_INT64S ? 8 : 4);
	if (place == NULL)
		return mp_fail_memory(doc->error, out->size);
	switch (element)
	{
		case MP_DOC_FLOATS:
			*(float *) place = value;
			break;
		case MP_DOC_INT32S:
			*(int32_t *) place = (int32_t) number;
			break;
		case MP_DOC_INT64S:
			*(int64_t *) place = number;
			break;
		case MP_DOC_BYTES:
			*(uint8_t *) place = (uint8_t) number;
			break;
	}
	return true;
}

bool
mp_doc_bulk_each(MpDoc *doc, MpDocElement element, MpVec *out)
{
	if (!mp_doc_enter_array(doc))
		return false;
	while (mp_doc_next(doc))
	{
		if (!bulk_element(doc, element, out))
			return false;
	}
	return mp_doc_ok(doc);
}

bool
mp_doc_bulk(MpDoc *doc, MpDocElement element, MpVec *out)
{
	if (mp_doc_kind(doc) != MP_DOC_ARRAY)
		return mp_doc_fail_kind(doc, "an array");
	return doc->format->bulk(doc, element, out);
}

/* Passes over a value that is no container, or enters it. */
static bool
skip_step(MpDoc *doc)
{
	float		number;
	bool		boolean;

	switch (mp_doc_kind(doc))
	{
		case MP_DOC_OBJECT:
		case MP_DOC_ARRAY:
			if (!doc->format->enter(doc))
				return false;
			if (doc->format->skip_packed != NULL)
				doc->format->skip_packed(doc);
			return true;
		case MP_DOC_STRING:
			return doc->format->skip_string(doc);
		case MP_DOC_NUMBER:
			return doc->format->read_float(doc, &number);
		case MP_DOC_BOOLEAN:
			return doc->format->read_boolean(doc, &boolean);
		case MP_DOC_NULL:
			return doc->format->read_null(doc);
		case MP_DOC_NOTHING:
			break;
	}
	return false;
}

bool
mp_doc_skip(MpDoc *doc)
{
	int			depth = doc->depth;

	if (!skip_step(doc))
		return false;
	while (doc->depth > depth)
	{
		MpString	key;
		bool		is_object = doc->frames[doc->depth - 1].is_object;

		if (next_element(doc, is_object ? &key : NULL))
			skip_step(doc);
		if (!mp_doc_ok(doc))
			return false;
	}
	return true;
}

bool
mp_doc_end(MpDoc *doc)
{
	if (!mp_doc_ok(doc))
		return false;
	if (doc->format == &mp_doc_json)
	{
		while (doc->pos < doc->size && strchr(" \t\r\n", doc->data[doc->pos]) != NULL &&
			   doc->data[doc->pos] != '\0')
			doc->pos++;
	}
	if (doc->pos < doc->size)
		return mp_doc_fail(doc, MP_ERROR_SYNTAX, "bytes follow the end of the model: %zu",
						   doc->size - doc->pos);
	return true;
}

/* The field of that name; `hint` is where the last one was: files keep them in order. */
static int
find_field(const MpDocField *fields, int n_fields, int hint, MpString key)
{
	for (int i = 0; i < n_fields; i++)
	{
		int			at = (hint + i) % n_fields;

		if (mp_string_is(key, fields[at].name))
			return at;
	}
	return -1;
}

/* A number that documents of XGBoost keep as text. */
static bool
read_parameter(MpDoc *doc, int64_t low, int64_t high, int64_t *value)
{
	size_t		start = doc->pos;
	MpString	text;
	const char *end;
	const char *rest;
	char		shown[40];

	if (!mp_doc_string(doc, &text))
		return false;
	end = text.data + text.length;
	if (mp_number_integer(text.data, end, value, &rest) == MP_NUMBER_OK && rest == end &&
		*value >= low && *value <= high)
		return true;
	doc->pos = start;
	return mp_doc_fail(doc, MP_ERROR_INVALID, "expected a number from %lld to %lld, not \"%s\"",
					   (long long) low, (long long) high,
					   mp_printable(shown, sizeof(shown), text));
}

static bool
read_field(MpDoc *doc, const MpDocField *field, void *context)
{
	void	   *place = (char *) context + field->offset;

	if (field->flag != 0)
		*(bool *) ((char *) context + field->flag) = true;
	switch (field->kind)
	{
		case MP_FIELD_CALL:
			return field->read != NULL ? field->read(doc, context) : mp_doc_skip(doc);
		case MP_FIELD_BULK:
			return mp_doc_bulk(doc, field->element, place);
		case MP_FIELD_INTEGER:
			return mp_doc_integer(doc, field->low, field->high, place);
		case MP_FIELD_PARAMETER:
			return read_parameter(doc, field->low, field->high, place);
	}
	return false;
}

bool
mp_doc_fields(MpDoc *doc, const MpDocField *fields, int n_fields, const char *where,
			  void *context, uint64_t *seen)
{
	uint64_t	found = 0;
	int			at = 0;
	size_t		start = doc->pos;
	const char *outer = doc->field;
	MpString	key;

	doc->field = where;
	if (!mp_doc_enter_object(doc))
		return false;
	while (mp_doc_next_key(doc, &key))
	{
		char		name[64];

		at = find_field(fields, n_fields, at, key);
		if (at < 0)
		{
			mp_doc_fail(doc, MP_ERROR_UNSUPPORTED, "unknown field \"%s\" in \"%s\"",
						mp_printable(name, sizeof(name), key), where);
			mp_error_detail(doc->error, "The file may come from a newer XGBoost; "
							"a field that is not known may change what the model means.");
			return false;
		}
		if (found >> at & 1)
			return mp_doc_fail(doc, MP_ERROR_INVALID, "field \"%s\" comes twice in \"%s\"",
							   fields[at].name, where);
		found |= UINT64_C(1) << at;
		doc->field = fields[at].name;
		if (!read_field(doc, &fields[at], context))
			return false;
		doc->field = where;
	}
	if (!mp_doc_ok(doc))
		return false;

	for (int i = 0; i < n_fields; i++)
	{
		if (fields[i].required && !(found >> i & 1))
		{
			doc->pos = start;
			return mp_doc_fail(doc, MP_ERROR_INVALID, "field \"%s\" is missing in \"%s\"",
							   fields[i].name, where);
		}
	}
	doc->field = outer;
	if (seen != NULL)
		*seen = found;
	return true;
}
