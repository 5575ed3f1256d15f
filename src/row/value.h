/*
 * value.h: from one SQL value to the number that a feature holds: a float32,
 * kept as a double, or for a wide model a double. Include after postgres.h.
 */
#ifndef MP_VALUE_H
#define MP_VALUE_H

#include <float.h>
#include <math.h>

#include "glue/compat.h"
#include "row/row.h"

/* The types that can be a feature, once domains are taken off. */
typedef enum MpValueKind
{
	MP_VALUE_FLOAT4,
	MP_VALUE_FLOAT8,
	MP_VALUE_INT2,
	MP_VALUE_INT4,
	MP_VALUE_INT8,
	MP_VALUE_BOOL,
	MP_VALUE_NUMERIC,
	MP_VALUE_TEXT,				/* text, varchar, name-like varlena */
	MP_VALUE_BPCHAR,			/* char(n): trailing blanks are no part of it */
	MP_VALUE_ENUM,
	MP_VALUE_UNKNOWN,			/* an untyped literal: C string */
	MP_VALUE_JSON_STRING,		/* points to a JsonbValue */
	MP_VALUE_DATE,				/* for preprocessing only, as the next two */
	MP_VALUE_TIMESTAMP,
	MP_VALUE_TIMESTAMPTZ,
	MP_VALUE_OTHER				/* no feature can be this */
} MpValueKind;

typedef struct MpValueType
{
	MpValueKind kind;
	Oid			type;			/* as declared, for messages */
} MpValueType;

extern MpValueType mp_value_type_of(Oid type);

static inline bool
mp_value_is_time(MpValueKind kind)
{
	return kind == MP_VALUE_DATE || kind == MP_VALUE_TIMESTAMP || kind == MP_VALUE_TIMESTAMPTZ;
}

/* Errors where an input cannot be read from the type; `column` (or NULL) is what holds it. */
extern void mp_value_check_type(const MpModel *model, int input, MpValueType type, const char *column);

pg_noreturn extern void mp_value_not_a_number(const MpModel *model, int input, MpValueType type,
											  const char *column);

/* For what JSON nests. */
pg_noreturn extern void mp_value_nested(const MpModel *model, int input);

extern bool mp_value_category(const MpRow *row, int input, MpValueType type, Datum value, double *x);
extern bool mp_value_infinite(const MpRow *row, int input, double *x);
extern double mp_value_numeric(Datum value);

/* A value that is not null, as text for people: no padding, true and false, all digits. */
extern char *mp_value_text(MpValueType type, Datum value);

/* A number of a numeric feature, after the cast to float32 where the model is not wide. */
static inline bool
mp_value_number(const MpRow *row, int input, double *x)
{
	if (unlikely(isinf(*x)))
		return mp_value_infinite(row, input, x);
	if (row->model->options.has_missing && *x == row->model->options.missing)
		*x = NAN;
	return true;
}

/* A value that is not null. False: the row's answer is NULL. */
static pg_attribute_always_inline bool
mp_value_read(const MpRow *row, int input, MpValueType type, Datum value, bool wide, double *x)
{
	if (!row->model->plain && mp_input_is_category(&row->model->inputs[input]))
		return mp_value_category(row, input, type, value, x);
	switch (type.kind)
	{
		case MP_VALUE_FLOAT4:
			*x = DatumGetFloat4(value);
			break;
		case MP_VALUE_FLOAT8:
			*x = DatumGetFloat8(value);
			break;
		case MP_VALUE_INT2:
			*x = DatumGetInt16(value);
			break;
		case MP_VALUE_INT4:
			*x = DatumGetInt32(value);
			break;
		case MP_VALUE_INT8:
			*x = wide ? (double) DatumGetInt64(value) : (float) DatumGetInt64(value);	/* rounded once */
			break;
		case MP_VALUE_BOOL:
			*x = DatumGetBool(value) ? 1 : 0;
			break;
		case MP_VALUE_NUMERIC:
			*x = mp_value_numeric(value);
			break;
		case MP_VALUE_TEXT:
		case MP_VALUE_BPCHAR:
		case MP_VALUE_ENUM:
		case MP_VALUE_UNKNOWN:
		case MP_VALUE_JSON_STRING:
		case MP_VALUE_DATE:
		case MP_VALUE_TIMESTAMP:
		case MP_VALUE_TIMESTAMPTZ:
		case MP_VALUE_OTHER:
			mp_value_not_a_number(row->model, input, type, NULL);
	}
	if (!wide)
		*x = (float) *x;
	return mp_value_number(row, input, x);
}

#endif
