/*
 * base.c: memory, errors, strings and vectors of the core.
 */
#include "core/base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GROWTH ((size_t) 32 * 1024 * 1024)

static void *
malloc_resize(MpAlloc *alloc, void *block, size_t size)
{
	return realloc(block, size);
}

static void
malloc_release(MpAlloc *alloc, void *block)
{
	free(block);
}

MpAlloc		mp_alloc_malloc = {malloc_resize, malloc_release, NULL};

void *
mp_alloc_get(MpAlloc *alloc, size_t size)
{
	return alloc->resize(alloc, NULL, size > 0 ? size : 1);
}

void *
mp_alloc_zero(MpAlloc *alloc, size_t size)
{
	void	   *block = mp_alloc_get(alloc, size);

	if (block != NULL)
		memset(block, 0, size);
	return block;
}

void
mp_alloc_release(MpAlloc *alloc, void *block)
{
	if (block != NULL)
		alloc->release(alloc, block);
}

void
mp_alloc_poll(MpAlloc *alloc)
{
	if (alloc->poll != NULL)
		alloc->poll(alloc);
}

void
mp_error_clear(MpError *error)
{
	error->code = MP_OK;
	error->offset = -1;
	error->tree = -1;
	error->node = -1;
	error->message[0] = '\0';
	error->detail[0] = '\0';
	error->hint[0] = '\0';
}

bool
mp_fail(MpError *error, MpErrorCode code, const char *format,...)
{
	va_list		args;

	mp_error_clear(error);
	error->code = code;
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	return false;
}

bool
mp_fail_memory(MpError *error, size_t size)
{
	return mp_fail(error, MP_ERROR_MEMORY, "out of memory: %zu bytes could not be had", size);
}

void
mp_error_detail(MpError *error, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(error->detail, sizeof(error->detail), format, args);
	va_end(args);
}

void
mp_error_hint(MpError *error, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(error->hint, sizeof(error->hint), format, args);
	va_end(args);
}

bool
mp_string_equal(MpString a, MpString b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

bool
mp_string_is(MpString a, const char *literal)
{
	MpString	b = {literal, strlen(literal)};

	return mp_string_equal(a, b);
}

/* Length of the well-formed UTF-8 sequence at `s`, 0 if there is none. */
static size_t
utf8_length(const unsigned char *s, size_t room)
{
	size_t		n;
	unsigned	low = 0x80;
	unsigned	high = 0xbf;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n > room)
		return 0;

	/* the second byte rules out overlong forms, surrogates and the far end */
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
	{
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

const char *
mp_printable(char *buffer, size_t size, MpString text)
{
	const unsigned char *s = (const unsigned char *) text.data;
	size_t		used = 0;
	size_t		fits = 0;		/* bytes that leave room for the dots */
	size_t		i = 0;

	while (i < text.length)
	{
		size_t		n = utf8_length(s + i, text.length - i);
		bool		plain = n > 1 || (n == 1 && s[i] >= 0x20 && s[i] != 0x7f);

		if (used + (n > 1 ? n : 1) >= size)
		{
			strcpy(buffer + fits, "...");
			return buffer;
		}
		if (plain)
			memcpy(buffer + used, s + i, n);
		else
			buffer[used] = '?';
		used += n > 1 ? n : 1;
		i += n > 1 ? n : 1;
		if (used + 4 <= size)
			fits = used;
	}
	buffer[used] = '\0';
	return buffer;
}

bool
mp_utf8_valid(MpString text)
{
	const unsigned char *s = (const unsigned char *) text.data;

	for (size_t i = 0; i < text.length;)
	{
		size_t		n = s[i] == 0 ? 0 : utf8_length(s + i, text.length - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

void *
mp_vec_add(MpVec *vec, size_t size)
{
	char	   *added;

	if (vec->data == NULL || size > vec->room - vec->size)
	{
		size_t		growth = vec->room / 2 < MAX_GROWTH ? vec->room / 2 : MAX_GROWTH;
		size_t		room;
		void	   *data;

		if (size > SIZE_MAX - vec->size - MAX_GROWTH)
			return NULL;
		if (growth < 256)
			growth = 256;
		room = vec->size + (size > growth ? size : growth);
		data = vec->alloc->resize(vec->alloc, vec->data, room);
		if (data == NULL)
			return NULL;
		vec->data = data;
		vec->room = room;
	}
	added = (char *) vec->data + vec->size;
	vec->size += size;
	return added;
}

void
mp_vec_release(MpVec *vec)
{
	mp_alloc_release(vec->alloc, vec->data);
	vec->data = NULL;
	vec->size = 0;
	vec->room = 0;
}
