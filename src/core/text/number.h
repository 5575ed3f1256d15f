/*
 * number.h: decimal text to the nearest float32, as strtof does it in the C
 * locale: once rounded, never through a double.
 */
#ifndef MP_CORE_NUMBER_H
#define MP_CORE_NUMBER_H

#include "core/base/base.h"

typedef enum MpNumberStatus
{
	MP_NUMBER_OK,
	MP_NUMBER_MALFORMED,
	MP_NUMBER_OUT_OF_RANGE
} MpNumberStatus;

/*
 * Reads a number in JSON's grammar from the start of [s, end). *rest is set
 * behind it, or to the offending byte.
 */
extern MpNumberStatus mp_number_float(const char *s, const char *end, float *value,
									  const char **rest);
extern MpNumberStatus mp_number_double(const char *s, const char *end, double *value,
									   const char **rest);

/* Whole numbers only; a fraction or an exponent is malformed. */
extern MpNumberStatus mp_number_integer(const char *s, const char *end, int64_t *value,
										const char **rest);

#endif
