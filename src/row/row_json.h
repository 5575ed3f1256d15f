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

/* Reads the object into booster->x. False: the answer is NULL, see row.h. */
extern bool mp_json_row_read(MpJsonRow *json, Jsonb *object, MpBooster *booster);

/* A feature's value as the object read last gave it. False: null, or not there. */
extern bool mp_json_row_value(const MpJsonRow *json, const MpBooster *booster, int feature,
							  MpInput *input, Datum *value);

#endif
