/*
 * row_json.h: a row that is a jsonb object. Include after postgres.h.
 */
#ifndef MP_ROW_JSON_H
#define MP_ROW_JSON_H

#include "utils/jsonb.h"

#include "row/value.h"

/* The object read last; values is NULL where all names are exact. */
typedef struct MpJsonRow
{
	Jsonb	   *object;
	JsonbValue *values;
	int		   *column_of;		/* of each feature, in values; -1: absent */
} MpJsonRow;

/* Reads the object into row->x. False: the answer is NULL, see source.h. */
extern bool mp_json_row_read(MpJsonRow *json, Jsonb *object, MpRow *row);

/* A feature's value as the object read last gave it. False: null, or not there. */
extern bool mp_json_row_value(const MpJsonRow *json, const MpRow *row, int feature,
							  MpValueType *input, Datum *value);

#endif
