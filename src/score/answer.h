/*
 * answer.h: the one table of answers that a model gives for a row. Include
 * after postgres.h.
 *
 * A function of SQL, a column that a trigger fills, and a row of a batch give
 * the same answer because they take it from here.
 */
#ifndef MP_ANSWER_H
#define MP_ANSWER_H

#include "fmgr.h"

#include "row/row.h"

typedef enum MpAnswerId
{
	MP_ANSWER_VALUE,
	MP_ANSWER_CLASS,
	MP_ANSWER_PROBABILITIES,
	MP_ANSWER_PROBABILITY,
	MP_ANSWER_ALL,
	MP_ANSWER_MARGIN,
	MP_ANSWER_REASONS,
	MP_ANSWER_VERSION,
	MP_ANSWER_COUNT
} MpAnswerId;

typedef enum MpAnswerNeeds
{
	MP_NEEDS_NOTHING,
	MP_NEEDS_CLASS,
	MP_NEEDS_NUMBER
} MpAnswerNeeds;

typedef struct MpAnswer
{
	MpAnswerId	id;
	const char *name;			/* predict_NAME in SQL, NAME in a trigger */
	Oid			type;
	MpAnswerNeeds needs;		/* beside the row; in a call before it */
	/* of a row with its margins; `class`: what is needed; NULL: it takes an explanation */
	Datum		(*give) (MpRow *row, int class);
} MpAnswer;

extern const MpAnswer mp_answers[MP_ANSWER_COUNT];

extern const MpAnswer *mp_answer_named(const char *name, size_t length);	/* NULL: none */

/* The class that an answer needs, by its label; errors where there is none. */
extern int	mp_answer_class(const MpAnswer *answer, const MpModel *model, text *label);

/* Of a call, in whose arguments stands what the answer needs. */
extern Datum mp_answer_call(const MpAnswer *answer, MpRow *row, FunctionCallInfo fcinfo);

/* The argument where the row of such a call starts. */
static inline int
mp_answer_first(const MpAnswer *answer)
{
	return answer->needs == MP_NEEDS_NOTHING ? 1 : 2;
}

/* Which functions of SQL give answers, so that plans know them. */
extern void mp_answer_install(PGFunction function, MpAnswerId id);
extern const MpAnswer *mp_answer_of(PGFunction function);	/* NULL: it gives none */

/* A double precision[] of one dimension. */
extern Datum mp_answer_array(const double *values, int n);

#endif
