/*
 * text.c: appending to texts.
 */
#include "core/text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
add_bytes(MpVec *vec, const char *data, size_t size)
{
	char	   *at = mp_vec_add(vec, size);

	if (at == NULL)
		return false;
	memcpy(at, data, size);
	return true;
}

bool
mp_text_add(MpVec *vec, const char *literal)
{
	return add_bytes(vec, literal, strlen(literal));
}

bool
mp_text_format(MpVec *vec, const char *format,...)
{
	char		buffer[256];
	va_list		args;
	int			length;

	va_start(args, format);
	length = vsnprintf(buffer, sizeof(buffer), format, args);
	va_end(args);
	if (length < 0)
		return false;
	return add_bytes(vec, buffer, length < sizeof(buffer) ? length : sizeof(buffer) - 1);
}

int
mp_utf8_length(MpString text)
{
	for (int length = 1; length <= 4 && length <= text.length; length++)
	{
		MpString	one = {text.data, length};

		if (mp_utf8_valid(one))
			return length;
	}
	return 0;
}

/* What a character is written as, or NULL: as it is. */
static const char *
replacement(char c, MpEscape escape)
{
	if ((unsigned char) c < 0x20 || c == 0x7f)
		return "?";
	switch (escape)
	{
		case MP_ESCAPE_NONE:
			return NULL;
		case MP_ESCAPE_DOT:
			/* a backslash begins an escape (\N is the node's name) */
			return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
		case MP_ESCAPE_XML:
			return c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" :
				c == '"' ? "&quot;" : c == '\'' ? "&#39;" : NULL;
	}
	return NULL;
}

/* U+FFFE and U+FFFF are UTF-8, but no characters of XML; C1 controls are no text. */
static bool
is_odd(const char *data, int length)
{
	const unsigned char *u = (const unsigned char *) data;

	if (length == 2)
		return u[0] == 0xc2 && u[1] < 0xa0;
	return length == 3 && u[0] == 0xef && u[1] == 0xbf && u[2] >= 0xbe;
}

bool
mp_text_escaped(MpVec *vec, MpString text, MpEscape escape)
{
	for (size_t i = 0; i < text.length;)
	{
		MpString	rest = {text.data + i, text.length - i};
		int			length = mp_utf8_length(rest);
		const char *other = "?";

		if (length == 1)
			other = replacement(*rest.data, escape);
		else if (length > 1 && !is_odd(rest.data, length))
			other = NULL;
		if (!(other != NULL ? mp_text_add(vec, other) : add_bytes(vec, rest.data, length)))
			return false;
		i += length > 0 ? length : 1;
	}
	return true;
}

bool
mp_text_double(MpVec *vec, double x)
{
	char		buffer[40];

	for (int digits = 6; digits <= 17; digits++)
	{
		snprintf(buffer, sizeof(buffer), "%.*g", digits, x);
		if (strtod(buffer, NULL) == x)
			break;
	}
	return mp_text_add(vec, buffer);
}

bool
mp_text_float(MpVec *vec, float x)
{
	char		buffer[32];

	for (int digits = 6; digits <= 9; digits++)
	{
		snprintf(buffer, sizeof(buffer), "%.*g", digits, x);
		if (strtof(buffer, NULL) == x)
			break;
	}
	return mp_text_add(vec, buffer);
}
