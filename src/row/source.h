/*
 * source.h: where a row comes from, and how it becomes the features of a
 * model. Include after postgres.h.
 */
#ifndef MP_SOURCE_H
#define MP_SOURCE_H

#include "access/tupdesc.h"
#include "fmgr.h"
#include "utils/jsonb.h"

#include "row/map.h"
#include "row/row.h"

/*
 * The type of names that lead values in place of a row, which is what the planner
 * makes of a whole row; InvalidOid: it is not installed.
 */
extern Oid	mp_source_columns_type(void);

/* A kind of row, known from types alone; and the row read last. All in one context. */
typedef struct MpSource MpSource;

/* The arguments of a call, from `first` on. Errors where their types cannot be a row. */
extern MpSource *mp_source_of_call(FunctionCallInfo fcinfo, int first, MemoryContext context);

/* Rows of these columns, of which those in `hidden` are not read. */
extern MpSource *mp_source_of_columns(TupleDesc desc, const bool *hidden, MemoryContext context);
extern MpSource *mp_source_of_jsonb(MemoryContext context);

/* Forgets what was learned of the row's types for one model. */
extern void mp_source_reset(MpSource *source);

/* Where the inputs of the model are, of a source of columns; made at first need. */
extern const MpInputMap *mp_source_map(MpSource *source, const MpModel *model);

/*
 * Reads a row into row->x. False: the answer is NULL (a null row, a fault that
 * is just a warning, or an unseen category of a version that says 'null').
 */
extern bool mp_row_read(MpSource *source, FunctionCallInfo fcinfo, MpRow *row);
extern bool mp_row_read_columns(MpSource *source, Datum *values, bool *nulls, MpRow *row);
extern bool mp_row_read_jsonb(MpSource *source, Jsonb *object, MpRow *row);

/* An input's value as the row read last gave it. False: null, or not there. */
extern bool mp_source_value(MpSource *source, const MpModel *model, int input,
							MpValueType *type, Datum *value);

#endif
