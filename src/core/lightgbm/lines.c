/*
 * lines.c: lines, keys and lists of numbers.
 */
#include "core/lightgbm/lines.h"
#include "core/text/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void
split_line(MpLines *lines)
{
	const char *equals = memchr(lines->line.data, '=', lines->line.length);

	lines->key = lines->line;
	lines->has_value = equals != NULL;
	lines->value = (MpString) {lines->line.data + lines->line.length, 0};
	if (equals == NULL)
		return;
	lines->key.length = (size_t) (equals - lines->line.data);
	lines->value.data = equals + 1;
	lines->value.length = lines->line.length - lines->key.length - 1;
}

bool
mp_lines_next(MpLines *lines)
{
	const char *start = lines->data + lines->pos;
	size_t		left = lines->size - lines->pos;
	const char *end;

	if (left == 0)
		return false;
	if (lines->pos >= lines->next_poll)
	{
		lines->next_poll = lines->pos + 65536;
		mp_alloc_poll(lines->alloc);
	}
	end = memchr(start, '\n', left);
	lines->line.data = start;
	lines->line.length = end != NULL ? (size_t) (end - start) : left;
	lines->pos += lines->line.length + (end != NULL);
	if (lines->line.length > 0 && start[lines->line.length - 1] == '\r')
		lines->line.length--;
	split_line(lines);
	return true;
}

bool
mp_lines_fail(MpLines *lines, MpErrorCode code, const char *format,...)
{
	char		message[MP_MESSAGE_SIZE];
	va_list		args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	mp_fail(lines->error, code, "%s", message);
	lines->error->offset = (int64_t) (lines->line.data - lines->data);
	return false;
}

bool
mp_lines_word(MpString *text, char separator, MpString *word)
{
	const char *s = text->data;
	const char *end = text->data + text->length;

	while (s < end && *s == separator)
		s++;
	word->data = s;
	while (s < end && *s != separator)
		s++;
	word->length = (size_t) (s - word->data);
	text->length = (size_t) (end - s);
	text->data = s;
	return word->length > 0;
}

static bool
fail_number(MpLines *lines, MpString word)
{
	char		shown[2][40];

	return mp_lines_fail(lines, MP_ERROR_INVALID, "\"%s\" holds \"%s\", which is no number for it",
						 mp_printable(shown[0], sizeof(shown[0]), lines->key),
						 mp_printable(shown[1], sizeof(shown[1]), word));
}

static bool
read_integer(MpString word, int64_t low, int64_t high, int64_t *number)
{
	const char *end = word.data + word.length;
	const char *rest;

	return mp_number_integer(word.data, end, number, &rest) == MP_NUMBER_OK && rest == end &&
		*number >= low && *number <= high;
}

bool
mp_lines_integer(MpLines *lines, int64_t low, int64_t high, int64_t *number)
{
	char		shown[2][40];

	if (read_integer(lines->value, low, high, number))
		return true;
	return mp_lines_fail(lines, MP_ERROR_INVALID,
						 "expected \"%s\" to be a number from %lld to %lld, not \"%s\"",
						 mp_printable(shown[0], sizeof(shown[0]), lines->key),
						 (long long) low, (long long) high,
						 mp_printable(shown[1], sizeof(shown[1]), lines->value));
}

static size_t
width_of(MpListKind kind)
{
	return kind == MP_LIST_DOUBLES || kind == MP_LIST_COUNTS ? sizeof(double) : sizeof(float);
}

/* LightGBM writes a threshold between numbers and NaN as inf. */
static bool
read_double(MpString word, double *number)
{
	const char *rest;

	if (mp_string_is(word, "inf") || mp_string_is(word, "-inf"))
	{
		*number = word.length == 3 ? INFINITY : -INFINITY;
		return true;
	}
	return mp_number_double(word.data, word.data + word.length, number, &rest) == MP_NUMBER_OK &&
		rest == word.data + word.length;
}

static bool
read_element(MpString word, MpListKind kind, void *place)
{
	const char *end = word.data + word.length;
	const char *rest;
	int64_t		number;

	switch (kind)
	{
		case MP_LIST_INT32S:
			if (!read_integer(word, INT32_MIN, INT32_MAX, &number))
				return false;
			*(int32_t *) place = (int32_t) number;
			return true;
		case MP_LIST_UINT32S:
			if (!read_integer(word, 0, UINT32_MAX, &number))
				return false;
			*(uint32_t *) place = (uint32_t) number;
			return true;
		case MP_LIST_COUNTS:
			if (!read_integer(word, 0, INT64_C(1) << 53, &number))
				return false;
			*(double *) place = (double) number;
			return true;
		case MP_LIST_DOUBLES:
			return read_double(word, place);
		case MP_LIST_FLOATS:
			return mp_number_float(word.data, end, place, &rest) == MP_NUMBER_OK && rest == end;
	}
	return false;
}

bool
mp_lines_list(MpLines *lines, MpListKind kind, MpVec *out)
{
	MpString	rest = lines->value;
	MpString	word;

	for (size_t n = 0; mp_lines_word(&rest, ' ', &word); n++)
	{
		void	   *place = mp_vec_add(out, width_of(kind));

		if (place == NULL)
			return mp_fail_memory(lines->error, width_of(kind));
		if (n % 4096 == 4095)
			mp_alloc_poll(lines->alloc);
		if (!read_element(word, kind, place))
			return fail_number(lines, word);
	}
	return true;
}
