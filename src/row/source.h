/*
 * source.h: how a row comes into a function and becomes a vector of features.
 * Include after postgres.h.
 */
#ifndef MP_SOURCE_H
#define MP_SOURCE_H

#include "utils/jsonb.h"

#include "row/value.h"

/* How a call looks whose whole row the planner has expanded: shown as any other, kept in plans, written by nobody. */
#define MP_EXPANDED_ROW COERCE_SQL_SYNTAX

/* What the arguments of a call hold, known from their types alone. */
typedef struct MpRowForm MpRowForm;

/* Allocated in `context`; the row's arguments start at `first`. Errors where the types cannot be a row. */
extern MpRowForm *mp_row_form(FunctionCallInfo fcinfo, int first, MemoryContext context);

/* Forgets what was learned of the row's types for one version. */
extern void mp_row_form_reset(MpRowForm *form);

/*
 * Reads the row of this call into row->x. False: the answer is NULL (a null
 * row, or an unseen category of a version that says 'null').
 */
extern bool mp_row_read(MpRowForm *form, FunctionCallInfo fcinfo, MpRow *row);

/*
 * A feature's value as the row of the last mp_row_read, which was in this call,
 * gave it. False: null, or not there.
 */
extern bool mp_row_value(MpRowForm *form, FunctionCallInfo fcinfo, const MpRow *row,
						 int feature, MpValueType *input, Datum *value);

/* mp_row_read from jsonb, without a call. */
extern bool mp_row_read_jsonb(Jsonb *object, MpRow *row);

#endif
