/*
 * text.h: building texts in an MpVec, for dumps of trees and pictures.
 *
 * All return false when there is no memory. What comes from a model (names,
 * labels) goes through a function that escapes for the format at hand; control
 * characters and invalid UTF-8 come out as '?' everywhere.
 */
#ifndef MP_CORE_TEXT_H
#define MP_CORE_TEXT_H

#include "core/base/base.h"

typedef enum MpEscape
{
	MP_ESCAPE_NONE,				/* plain text */
	MP_ESCAPE_DOT,				/* inside a DOT string in double quotes */
	MP_ESCAPE_XML				/* text or attribute of XML */
} MpEscape;

extern bool mp_text_add(MpVec *vec, const char *literal);

/* At most 255 bytes of output. */
extern bool mp_text_format(MpVec *vec, const char *format,...) MP_PRINTF(2, 3);
extern bool mp_text_escaped(MpVec *vec, MpString text, MpEscape escape);

/* The shortest decimal that reads back as the same float. */
extern bool mp_text_float(MpVec *vec, float x);
extern bool mp_text_double(MpVec *vec, double x);

/* Bytes of the character at the start of the text: 1 to 4; 0 if it is not valid UTF-8. */
extern int	mp_utf8_length(MpString text);

#endif
