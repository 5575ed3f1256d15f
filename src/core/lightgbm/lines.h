/*
 * lines.h: reads LightGBM's text files: lines, most of them key=value, with
 * lists of numbers separated by blanks.
 */
#ifndef MP_CORE_LINES_H
#define MP_CORE_LINES_H

#include "core/base/base.h"

typedef struct MpLines
{
	MpAlloc    *alloc;
	MpError    *error;
	const char *data;
	size_t		size;
	size_t		pos;			/* of the line after this one */
	size_t		next_poll;
	MpString	line;			/* this one, without its end */
	MpString	key;			/* what is before the first =; all of it where there is none */
	MpString	value;			/* what is behind it */
	bool		has_value;
} MpLines;

typedef enum MpListKind
{
	MP_LIST_INT32S,
	MP_LIST_UINT32S,
	MP_LIST_DOUBLES,
	MP_LIST_FLOATS,
	MP_LIST_COUNTS				/* double: whole numbers from 0 on */
} MpListKind;

/* False at the end of the file. */
extern bool mp_lines_next(MpLines *lines);

/* Fails at this line. */
extern bool mp_lines_fail(MpLines *lines, MpErrorCode code, const char *format,...)
			MP_PRINTF(3, 4);

/* The value of this line as a number, or as a list of them, appended to `out`. */
extern bool mp_lines_integer(MpLines *lines, int64_t low, int64_t high, int64_t *number);
extern bool mp_lines_list(MpLines *lines, MpListKind kind, MpVec *out);

/* Cuts the next word, which a separator ends, from the text; false where there is none. */
extern bool mp_lines_word(MpString *text, char separator, MpString *word);

#endif
