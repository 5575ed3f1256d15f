/*
 * steps_twin.h: preprocessing by the book: walks the document itself for every
 * row, looks names up by comparing them, and labels too. Slow, and it shares no
 * code with src/core/steps but the reader of JSON.
 */
#ifndef MP_TEST_STEPS_TWIN_H
#define MP_TEST_STEPS_TWIN_H

#include "core/base/base.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct MpTwin MpTwin;

/* A value of a row or of a step: a text, or a number, NaN is missing; a time is in microseconds. */
typedef struct MpTwinValue
{
	bool		is_text;
	bool		is_label;		/* of a category, or made from one */
	double		number;
	MpString	text;
	int64_t		time;			/* INT64_MIN: missing */
} MpTwinValue;

/* A document that mp_steps_read has taken. */
extern MpTwin *mp_twin_read(const char *document, size_t size);
extern void mp_twin_free(MpTwin *twin);

extern int	mp_twin_n_inputs(const MpTwin *twin);
extern int	mp_twin_n_features(const MpTwin *twin);

/* 'n', 'c' or 't' */
extern char mp_twin_input_type(const MpTwin *twin, int input);

/* A label that some step names, or a number; *n_labels of them there are. */
extern bool mp_twin_label(const MpTwin *twin, int k, MpTwinValue *value);

/* False: the row is at fault. */
extern bool mp_twin_run(const MpTwin *twin, const MpTwinValue *row, double *features);

#endif
