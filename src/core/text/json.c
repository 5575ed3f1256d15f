/*
 * json.c: the JSON side of the document reader: RFC 8259, and the tokens NaN,
 * Infinity and -Infinity, which XGBoost and Python write.
 */
#include "core/text/doc.h"
#include "core/text/number.h"

#include <math.h>
#include <string.h>

static void
skip_space(MpDoc *doc)
{
	while (doc->pos < doc->size)
	{
		char		c = doc->data[doc->pos];

		if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
			break;
		doc->pos++;
		mp_doc_poll(doc);
	}
}

/* The next byte that is no space, left unread; '\0' at the end of the text. */
static char
peek(MpDoc *doc)
{
	skip_space(doc);
	return doc->pos < doc->size ? doc->data[doc->pos] : '\0';
}

static bool
fail_here(MpDoc *doc, const char *expected)
{
	char		shown[8];
	MpString	c = {doc->data + doc->pos, 1};

	if (doc->pos >= doc->size)
		return mp_doc_fail(doc, MP_ERROR_SYNTAX, "expected %s, not the end of the file", expected);
	return mp_doc_fail(doc, MP_ERROR_SYNTAX, "expected %s, not \"%s\"", expected,
					   mp_printable(shown, sizeof(shown), c));
}

/* Takes the word if it is next. */
static bool
take_word(MpDoc *doc, const char *word)
{
	size_t		length = strlen(word);

	if (doc->size - doc->pos < length || memcmp(doc->data + doc->pos, word, length) != 0)
		return false;
	doc->pos += length;
	return true;
}

static MpDocKind
json_kind(MpDoc *doc)
{
	char		c = peek(doc);

	switch (c)
	{
		case '{':
			return MP_DOC_OBJECT;
		case '[':
			return MP_DOC_ARRAY;
		case '"':
			return MP_DOC_STRING;
		case 't':
		case 'f':
			return MP_DOC_BOOLEAN;
		case 'n':
			return MP_DOC_NULL;
		case 'N':
		case 'I':
		case '-':
			return MP_DOC_NUMBER;
	}
	if (c >= '0' && c <= '9')
		return MP_DOC_NUMBER;
	fail_here(doc, "a value");
	return MP_DOC_NOTHING;
}

static bool
json_enter(MpDoc *doc)
{
	if (!mp_doc_push(doc, doc->data[doc->pos] == '{'))
		return false;
	doc->pos++;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Four hexadecimal digits at pos, or -1. */
static int
take_hex(MpDoc *doc)
{
	int			value = 0;

	if (doc->size - doc->pos < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		int			digit = hex_digit(doc->data[doc->pos + i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	doc->pos += 4;
	return value;
}

static int
encode_utf8(unsigned code, char *out)
{
	if (code < 0x80)
	{
		out[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (char) (0xc0 | code >> 6);
		out[1] = (char) (0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (char) (0xe0 | code >> 12);
		out[1] = (char) (0x80 | (code >> 6 & 0x3f));
		out[2] = (char) (0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char) (0xf0 | code >> 18);
	out[1] = (char) (0x80 | (code >> 12 & 0x3f));
	out[2] = (char) (0x80 | (code >> 6 & 0x3f));
	out[3] = (char) (0x80 | (code & 0x3f));
	return 4;
}

/* Reads what follows "\u" and writes it as UTF-8; returns its length, 0 if it is broken. */
static int
take_unicode(MpDoc *doc, char *out)
{
	int			code = take_hex(doc);

	if (code >= 0xd800 && code < 0xdc00)
	{
		int			low = take_word(doc, "\\u") ? take_hex(doc) : -1;

		if (low < 0xdc00 || low > 0xdfff)
			return 0;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	else if (code < 0 || (code >= 0xdc00 && code <= 0xdfff))
		return 0;
	return encode_utf8((unsigned) code, out);
}

/* Reads what follows a backslash; returns its length as text, 0 if it is broken. */
static int
take_escape(MpDoc *doc, char *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char		c;

	if (doc->pos >= doc->size)
		return 0;
	c = doc->data[doc->pos++];
	if (c == 'u')
		return take_unicode(doc, out);
	found = c != '\0' ? strchr(from, c) : NULL;
	if (found == NULL)
		return 0;
	out[0] = to[found - from];
	return 1;
}

/* Moves to the next byte that ends a plain run: a quote, a backslash or a control character. */
static void
scan_plain(MpDoc *doc)
{
	while (doc->pos < doc->size)
	{
		unsigned char c = (unsigned char) doc->data[doc->pos];

		if (c == '"' || c == '\\' || c < 0x20)
			break;
		doc->pos++;
		mp_doc_poll(doc);
	}
}

/*
 * Reads the string at the quote. Without escapes *text points into the file;
 * else it is put together in `decoded`. With decoded = NULL it is only passed.
 */
static bool
take_string(MpDoc *doc, MpVec *decoded, MpString *text)
{
	size_t		start = ++doc->pos;

	if (decoded != NULL)
		decoded->size = 0;
	for (;;)
	{
		size_t		run = doc->pos;
		bool		at_end;
		char		escape[4];
		int			length = 0;
		char	   *place;

		scan_plain(doc);
		if (doc->pos >= doc->size)
			return fail_here(doc, "the end of the string");
		at_end = doc->data[doc->pos] == '"';
		if (!at_end && doc->data[doc->pos] != '\\')
			return mp_doc_fail(doc, MP_ERROR_SYNTAX, "control character in a string");
		if (at_end && run == start)
		{
			text->data = doc->data + start;
			text->length = doc->pos++ - start;
			return true;
		}
		if (!at_end)
		{
			size_t		backslash = doc->pos++;

			length = take_escape(doc, escape);
			if (length == 0)
			{
				doc->pos = backslash;
				return mp_doc_fail(doc, MP_ERROR_SYNTAX, "broken escape sequence in a string");
			}
			if (decoded == NULL)
				continue;
			place = mp_vec_add(decoded, backslash - run + length);
			if (place == NULL)
				return mp_fail_memory(doc->error, backslash - run);
			memcpy(place, doc->data + run, backslash - run);
			memcpy(place + (backslash - run), escape, length);
			start = SIZE_MAX;	/* from here on it is not as in the file */
			continue;
		}
		if (decoded != NULL)
		{
			place = mp_vec_add(decoded, doc->pos - run);
			if (place == NULL)
				return mp_fail_memory(doc->error, doc->pos - run);
			memcpy(place, doc->data + run, doc->pos - run);
			text->data = decoded->data;
			text->length = decoded->size;
		}
		doc->pos++;
		return true;
	}
}

static bool
json_read_string(MpDoc *doc, MpString *text)
{
	return take_string(doc, &doc->value_text, text);
}

static bool
json_skip_string(MpDoc *doc)
{
	MpString	text;

	return take_string(doc, NULL, &text);
}

static bool
take_key(MpDoc *doc, MpString *key)
{
	if (peek(doc) != '"')
		return fail_here(doc, "a name in quotes");
	if (!take_string(doc, &doc->key_text, key))
		return false;
	if (peek(doc) != ':')
		return fail_here(doc, "\":\"");
	doc->pos++;
	return true;
}

static bool
json_next(MpDoc *doc, MpString *key)
{
	MpDocFrame *frame = &doc->frames[doc->depth - 1];
	char		close = frame->is_object ? '}' : ']';
	char		c = peek(doc);

	if (c == close)
	{
		doc->pos++;
		return false;
	}
	if (frame->started)
	{
		if (c != ',')
			return fail_here(doc, frame->is_object ? "\",\" or \"}\"" : "\",\" or \"]\"");
		doc->pos++;
	}
	frame->started = true;
	return frame->is_object ? take_key(doc, key) : true;
}

static bool
fail_number(MpDoc *doc, MpNumberStatus status, const char *kind)
{
	if (status == MP_NUMBER_OUT_OF_RANGE)
		return mp_doc_fail(doc, MP_ERROR_INVALID, "number is out of the range of a %s", kind);
	return mp_doc_fail(doc, MP_ERROR_SYNTAX, "malformed number");
}

/* Takes NaN, Infinity or -Infinity. */
static bool
take_special(MpDoc *doc, double *value)
{
	if (take_word(doc, "NaN"))
		*value = NAN;
	else if (take_word(doc, "Infinity"))
		*value = INFINITY;
	else if (take_word(doc, "-Infinity"))
		*value = -INFINITY;
	else
		return fail_here(doc, "NaN or Infinity");
	return true;
}

static bool
is_special(const MpDoc *doc)
{
	const char *start = doc->data + doc->pos;

	return *start == 'N' || *start == 'I' ||
		(*start == '-' && doc->pos + 1 < doc->size && start[1] == 'I');
}

static bool
json_read_float(MpDoc *doc, float *value)
{
	const char *rest;
	double		special;
	MpNumberStatus status;

	if (is_special(doc))
	{
		if (!take_special(doc, &special))
			return false;
		*value = (float) special;
		return true;
	}
	status = mp_number_float(doc->data + doc->pos, doc->data + doc->size, value, &rest);
	if (status == MP_NUMBER_OUT_OF_RANGE)
		return fail_number(doc, status, "32-bit float");
	doc->pos = (size_t) (rest - doc->data);
	return status == MP_NUMBER_OK || fail_number(doc, status, "");
}

static bool
json_read_double(MpDoc *doc, double *value)
{
	const char *rest;
	MpNumberStatus status;

	if (is_special(doc))
		return take_special(doc, value);
	status = mp_number_double(doc->data + doc->pos, doc->data + doc->size, value, &rest);
	if (status == MP_NUMBER_OUT_OF_RANGE)
		return fail_number(doc, status, "64-bit float");
	doc->pos = (size_t) (rest - doc->data);
	return status == MP_NUMBER_OK || fail_number(doc, status, "");
}

static bool
json_read_integer(MpDoc *doc, int64_t *value)
{
	const char *rest;
	MpNumberStatus status = mp_number_integer(doc->data + doc->pos, doc->data + doc->size,
											  value, &rest);

	if (status != MP_NUMBER_OK)
	{
		float		ignored;

		if (status == MP_NUMBER_OUT_OF_RANGE)
			return fail_number(doc, status, "64-bit integer");
		if (json_read_float(doc, &ignored))
			mp_doc_fail(doc, MP_ERROR_INVALID, "expected a whole number");
		return false;
	}
	doc->pos = (size_t) (rest - doc->data);
	return true;
}

static bool
json_read_boolean(MpDoc *doc, bool *value)
{
	*value = doc->data[doc->pos] == 't';
	return take_word(doc, *value ? "true" : "false") || fail_here(doc, "true or false");
}

static bool
json_read_null(MpDoc *doc)
{
	return take_word(doc, "null") || fail_here(doc, "null");
}

const MpDocFormat mp_doc_json = {
	json_kind,
	json_enter,
	json_next,
	json_read_string,
	json_read_float,
	json_read_double,
	json_read_integer,
	json_read_boolean,
	json_read_null,
	mp_doc_bulk_each,
	json_skip_string,
	NULL
};
