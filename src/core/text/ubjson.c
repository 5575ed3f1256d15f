/*
 * ubjson.c: the UBJSON side of the document reader (draft 12): what XGBoost
 * writes, with lengths of any integer type. Numbers are big-endian.
 *
 * Arrays of one type ("[$d#L...") are most of a model's bytes; they are read
 * in one go, after their length was held against the bytes that remain.
 */
#include "core/text/doc.h"

#include <string.h>

/* Bytes of a number of this type; 0: the marker is of no number. */
static int
type_width(char type)
{
	switch (type)
	{
		case 'i':
		case 'U':
			return 1;
		case 'I':
			return 2;
		case 'l':
		case 'd':
			return 4;
		case 'L':
		case 'D':
			return 8;
	}
	return 0;
}

static inline uint16_t
get16(const char *p)
{
	uint16_t	v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	return v;
}

static inline uint32_t
get32(const char *p)
{
	uint32_t	v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	return v;
}

static inline uint64_t
get64(const char *p)
{
	uint64_t	v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline float
get_float(const char *p)
{
	uint32_t	bits = get32(p);
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* A number of an integer type. */
static int64_t
get_integer(char type, const char *p)
{
	switch (type)
	{
		case 'i':
			return (signed char) *p;
		case 'U':
			return (unsigned char) *p;
		case 'I':
			return (int16_t) get16(p);
		case 'l':
			return (int32_t) get32(p);
		default:
			return (int64_t) get64(p);
	}
}

static bool
need(MpDoc *doc, size_t size)
{
	if (doc->size - doc->pos < size)
		return mp_doc_fail(doc, MP_ERROR_SYNTAX, "the file ends in the middle of a value");
	return true;
}

/* The type of the value at pos; '\0' with the error set at the end of the file. */
static char
value_type(MpDoc *doc)
{
	char		type = doc->depth > 0 ? doc->frames[doc->depth - 1].type : '\0';

	if (type == '\0' && need(doc, 1))
		type = doc->data[doc->pos];
	return type;
}

/* Moves past the marker of a value, if it has one of its own. */
static void
pass_marker(MpDoc *doc)
{
	if (doc->depth == 0 || doc->frames[doc->depth - 1].type == '\0')
		doc->pos++;
}

static bool
fail_marker(MpDoc *doc, const char *expected)
{
	char		shown[8];
	MpString	marker = {doc->data + doc->pos, 1};

	if (!need(doc, 1))
		return false;
	return mp_doc_fail(doc, MP_ERROR_SYNTAX, "expected %s, not the byte 0x%02x (\"%s\")", expected,
					   (unsigned char) *marker.data, mp_printable(shown, sizeof(shown), marker));
}

/* A length, which must fit in the bytes that remain at `width` bytes per element. */
static bool
take_length(MpDoc *doc, int width, int64_t *length)
{
	size_t		start = doc->pos;
	char		type;
	int			bytes;

	if (!need(doc, 1))
		return false;
	type = doc->data[doc->pos];
	bytes = type_width(type);
	if (bytes == 0 || type == 'd' || type == 'D')
		return fail_marker(doc, "a length");
	doc->pos++;
	if (!need(doc, bytes))
		return false;
	*length = get_integer(type, doc->data + doc->pos);
	doc->pos += bytes;
	if (*length < 0 || (uint64_t) *length > (doc->size - doc->pos) / width)
	{
		long long	given = *length;

		doc->pos = start;
		return mp_doc_fail(doc, MP_ERROR_SYNTAX,
						   "length %lld does not fit in the %zu bytes that remain",
						   given, doc->size - start);
	}
	return true;
}

static bool
take_string(MpDoc *doc, MpString *text)
{
	int64_t		length;

	if (!take_length(doc, 1, &length))
		return false;
	text->data = doc->data + doc->pos;
	text->length = (size_t) length;
	doc->pos += (size_t) length;
	return true;
}

static MpDocKind
ubjson_kind(MpDoc *doc)
{
	char		type = value_type(doc);

	switch (type)
	{
		case '{':
			return MP_DOC_OBJECT;
		case '[':
			return MP_DOC_ARRAY;
		case 'S':
			return MP_DOC_STRING;
		case 'T':
		case 'F':
			return MP_DOC_BOOLEAN;
		case 'Z':
			return MP_DOC_NULL;
	}
	if (type_width(type) > 0)
		return MP_DOC_NUMBER;
	if (mp_doc_ok(doc))
		fail_marker(doc, "a value");
	return MP_DOC_NOTHING;
}

/* Reads "$type" and "#count" behind the bracket of an array. */
static bool
take_header(MpDoc *doc, MpDocFrame *frame)
{
	int			width = 1;

	if (need(doc, 1) && doc->data[doc->pos] == '$')
	{
		doc->pos++;
		if (!need(doc, 1))
			return false;
		frame->type = doc->data[doc->pos];
		width = type_width(frame->type);
		if (width == 0)
			return fail_marker(doc, "the type of an array's numbers");
		doc->pos++;
		if (!need(doc, 1) || doc->data[doc->pos] != '#')
			return fail_marker(doc, "\"#\" behind the type of an array");
	}
	if (need(doc, 1) && doc->data[doc->pos] == '#')
	{
		doc->pos++;
		return take_length(doc, width, &frame->remaining);
	}
	return mp_doc_ok(doc);
}

static bool
ubjson_enter(MpDoc *doc)
{
	bool		is_object = doc->data[doc->pos] == '{';

	doc->pos++;
	if (!mp_doc_push(doc, is_object))
		return false;
	return is_object || take_header(doc, &doc->frames[doc->depth - 1]);
}

static bool
ubjson_next(MpDoc *doc, MpString *key)
{
	MpDocFrame *frame = &doc->frames[doc->depth - 1];

	if (frame->remaining >= 0)
	{
		if (frame->remaining == 0)
			return false;
		frame->remaining--;
		return true;
	}
	if (!need(doc, 1))
		return false;
	if (doc->data[doc->pos] == (frame->is_object ? '}' : ']'))
	{
		doc->pos++;
		return false;
	}
	return frame->is_object ? take_string(doc, key) : true;
}

static bool
ubjson_read_string(MpDoc *doc, MpString *text)
{
	pass_marker(doc);
	return take_string(doc, text);
}

static bool
ubjson_skip_string(MpDoc *doc)
{
	MpString	text;

	return ubjson_read_string(doc, &text);
}

static bool
ubjson_read_integer(MpDoc *doc, int64_t *value)
{
	char		type = value_type(doc);
	int			width = type_width(type);

	if (type == 'd' || type == 'D')
		return mp_doc_fail(doc, MP_ERROR_INVALID, "expected a whole number, not a float");
	pass_marker(doc);
	if (!need(doc, width))
		return false;
	*value = get_integer(type, doc->data + doc->pos);
	doc->pos += width;
	return true;
}

static bool
ubjson_read_double(MpDoc *doc, double *value)
{
	char		type = value_type(doc);
	int			width = type_width(type);
	const char *p;

	pass_marker(doc);
	if (!need(doc, width))
		return false;
	p = doc->data + doc->pos;
	if (type == 'd')
		*value = get_float(p);
	else if (type == 'D')
	{
		uint64_t	bits = get64(p);

		memcpy(value, &bits, sizeof(bits));
	}
	else
		*value = (double) get_integer(type, p);
	doc->pos += width;
	return true;
}

static bool
ubjson_read_float(MpDoc *doc, float *value)
{
	char		type = value_type(doc);
	double		wide;
	int64_t		whole;

	/* a whole number is rounded once, not by way of a double */
	if (type != 'd' && type != 'D')
	{
		if (!ubjson_read_integer(doc, &whole))
			return false;
		*value = (float) whole;
		return true;
	}
	if (!ubjson_read_double(doc, &wide))
		return false;
	*value = (float) wide;
	return true;
}

static bool
ubjson_read_boolean(MpDoc *doc, bool *value)
{
	*value = doc->data[doc->pos] == 'T';
	doc->pos++;
	return true;
}

static bool
ubjson_read_null(MpDoc *doc)
{
	doc->pos++;
	return true;
}

/* Whether an array of `type` holds exactly what is asked for, so that it is copied in bulk. */
static bool
is_same_type(char type, MpDocElement element)
{
	switch (element)
	{
		case MP_DOC_FLOATS:
			return type == 'd';
		case MP_DOC_INT32S:
			return type == 'l';
		case MP_DOC_INT64S:
			return type == 'L';
		case MP_DOC_BYTES:
			return type == 'i' || type == 'U';
	}
	return false;
}

static void
copy_numbers(void *out, const char *from, size_t count, int width)
{
	if (width == 1)
		memcpy(out, from, count);
	else if (width == 4)
	{
		uint32_t   *to = out;

		for (size_t i = 0; i < count; i++)
			to[i] = get32(from + i * 4);
	}
	else
	{
		uint64_t   *to = out;

		for (size_t i = 0; i < count; i++)
			to[i] = get64(from + i * 8);
	}
}

static bool
ubjson_bulk(MpDoc *doc, MpDocElement element, MpVec *out)
{
	MpDocFrame *frame;
	size_t		start = doc->pos;
	int			width;
	size_t		count;
	char	   *place;

	if (!ubjson_enter(doc))
		return false;
	frame = &doc->frames[doc->depth - 1];
	if (!is_same_type(frame->type, element))
	{
		/* begin again, number by number */
		doc->depth--;
		doc->pos = start;
		return mp_doc_bulk_each(doc, element, out);
	}

	width = type_width(frame->type);
	count = (size_t) frame->remaining;
	place = mp_vec_add(out, count * width);
	if (place == NULL)
		return mp_fail_memory(doc->error, count * width);
	while (count > 0)
	{
		size_t		part = count < 16384 ? count : 16384;

		copy_numbers(place, doc->data + doc->pos, part, width);
		place += part * width;
		doc->pos += part * width;
		count -= part;
		mp_doc_poll(doc);
	}
	doc->depth--;
	return true;
}

static void
ubjson_skip_packed(MpDoc *doc)
{
	MpDocFrame *frame = &doc->frames[doc->depth - 1];

	if (frame->type != '\0')
	{
		doc->pos += (size_t) frame->remaining * type_width(frame->type);
		frame->remaining = 0;
	}
}

const MpDocFormat mp_doc_ubjson = {
	ubjson_kind,
	ubjson_enter,
	ubjson_next,
	ubjson_read_string,
	ubjson_read_float,
	ubjson_read_double,
	ubjson_read_integer,
	ubjson_read_boolean,
	ubjson_read_null,
	ubjson_bulk,
	ubjson_skip_string,
	ubjson_skip_packed
};
