/*
 * value.h: from one SQL value to the float32 that a feature holds. Include
 * after postgres.h.
 */
#ifndef MP_VALUE_H
#define MP_VALUE_H

#include <float.h>
#include <math.h>

#include "glue/model_predict.h"

/* The types that can be a feature, once domains are taken off. */
typedef enum MpInputKind
{
	MP_INPUT_FLOAT4,
	MP_INPUT_FLOAT8,
	MP_INPUT_INT2,
	MP_INPUT_INT4,
	MP_INPUT_INT8,
	MP_INPUT_BOOL,
	MP_INPUT_NUMERIC,
	MP_INPUT_TEXT,				/* text, varchar, name-like varlena */
	MP_INPUT_BPCHAR,			/* char(n): trailing blanks are no part of it */
	MP_INPUT_ENUM,
	MP_INPUT_UNKNOWN,			/* an untyped literal: C string */
	MP_INPUT_OTHER				/* no feature can be this */
} MpInputKind;

typedef struct MpInput
{
	MpInputKind kind;
	Oid			type;			/* as declared, for messages */
} MpInput;

extern MpInput mp_input_of(Oid type);

/* Errors where a feature cannot be read from the type; `column` (or NULL) is what holds it. */
extern void mp_input_check(const MpBooster *booster, int feature, MpInput input, const char *column);

pg_noreturn extern void mp_value_not_a_number(const MpBooster *booster, int feature, MpInput input,
											  const char *column);

/* `feature "tenure"`, or `feature 3` where the model has no names; counted from 1 */
extern char *mp_feature_label(const MpForest *forest, int feature);

extern bool mp_value_category(const MpBooster *booster, int feature, MpInput input, Datum value, float *x);
extern bool mp_value_category_label(const MpBooster *booster, int feature, const char *label, size_t length, float *x);
extern bool mp_value_category_number(const MpBooster *booster, int feature, double number, float *x);
extern bool mp_value_infinite(const MpBooster *booster, int feature, float *x);
extern float mp_value_numeric(Datum value);

/* A value that is not null, as text for people: no padding, true and false, all digits. */
extern char *mp_value_text(MpInput input, Datum value);

/* A number of a numeric feature, after the cast to float32. */
static inline bool
mp_value_number(const MpBooster *booster, int feature, float *x)
{
	if (unlikely(fabsf(*x) > FLT_MAX))
		return mp_value_infinite(booster, feature, x);
	if (booster->options.has_missing && *x == booster->options.missing)
		*x = NAN;
	return true;
}

/* A value that is not null. False: the row's answer is NULL. */
static inline bool
mp_value_read(const MpBooster *booster, int feature, MpInput input, Datum value, float *x)
{
	if (!booster->plain && mp_forest_features(booster->forest)[feature].type == MP_FEATURE_CATEGORICAL)
		return mp_value_category(booster, feature, input, value, x);
	switch (input.kind)
	{
		case MP_INPUT_FLOAT4:
			*x = DatumGetFloat4(value);
			break;
		case MP_INPUT_FLOAT8:
			*x = (float) DatumGetFloat8(value);
			break;
		case MP_INPUT_INT2:
			*x = (float) DatumGetInt16(value);
			break;
		case MP_INPUT_INT4:
			*x = (float) DatumGetInt32(value);
			break;
		case MP_INPUT_INT8:
			*x = (float) DatumGetInt64(value);
			break;
		case MP_INPUT_BOOL:
			*x = DatumGetBool(value) ? 1.0f : 0.0f;
			break;
		case MP_INPUT_NUMERIC:
			*x = mp_value_numeric(value);
			break;
		case MP_INPUT_TEXT:
		case MP_INPUT_BPCHAR:
		case MP_INPUT_ENUM:
		case MP_INPUT_UNKNOWN:
		case MP_INPUT_OTHER:
			mp_value_not_a_number(booster, feature, input, NULL);
	}
	return mp_value_number(booster, feature, x);
}

#endif
