/*
 * writer.h: SQL on the extension's tables, run as their owner.
 */
#ifndef MP_WRITER_H
#define MP_WRITER_H

#include "executor/spi.h"
#include "catalog/pg_type_d.h"
#include "utils/builtins.h"

/* Who called, to be restored; lives on the stack of the SQL function. */
typedef struct MpWriter
{
	Oid			user;			/* whose rights decide */
	int			sec_context;
	int			guc_level;
} MpWriter;

typedef struct MpParam
{
	Oid			type;
	Datum		value;
	bool		isnull;
} MpParam;

static inline MpParam
mp_int8(int64 value)
{
	return (MpParam){INT8OID, Int64GetDatum(value), false};
}

static inline MpParam
mp_int4(int32 value)
{
	return (MpParam){INT4OID, Int32GetDatum(value), false};
}

/* 0 stands for null: versions are counted from 1 */
static inline MpParam
mp_version(int32 value)
{
	return (MpParam){INT4OID, Int32GetDatum(value), value == 0};
}

static inline MpParam
mp_text(const char *value)
{
	return (MpParam){TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL};
}

/*
 * From begin to end SPI is connected and the current user is the owner of our
 * tables. Check nothing by GetUserId() in between: writer->user is who called.
 * An error in between needs no cleanup, the (sub)transaction's abort does it.
 */
extern void mp_writer_begin(MpWriter *writer, const char *function);
extern void mp_writer_end(const MpWriter *writer);

/* Runs one statement under a fresh snapshot; rows found or changed are in SPI_tuptable. */
extern uint64 mp_writer_execute(const char *sql, int nparams, const MpParam *params);

#define mp_writer_run(sql, ...) \
	mp_writer_execute(sql, lengthof(((MpParam[]){__VA_ARGS__})), (MpParam[]){__VA_ARGS__})

/* Column of a row of the last statement, counted from 1; not copied. */
extern Datum mp_writer_value(uint64 row, int column, bool *isnull);

#endif
