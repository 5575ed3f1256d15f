/*
 * json.h: a row that is a jsonb object. Include after postgres.h.
 */
#ifndef MP_JSON_H
#define MP_JSON_H

#include "catalog/pg_type_d.h"
#include "utils/jsonb.h"

#include "row/value.h"

/* values[n_inputs]: of the key that each input has in the object; jbvNull: none, or null. */
extern void mp_json_find(const MpModel *model, Jsonb *object, JsonbValue *values);

/* False: null. Errors where it is an array or an object. */
static inline bool
mp_json_value(const MpModel *model, int input, const JsonbValue *json, MpValueType *type, Datum *value)
{
	switch (json->type)
	{
		case jbvNull:
			return false;
		case jbvNumeric:
			*type = (MpValueType) {MP_VALUE_NUMERIC, NUMERICOID};
			*value = NumericGetDatum(json->val.numeric);
			return true;
		case jbvBool:
			*type = (MpValueType) {MP_VALUE_BOOL, BOOLOID};
			*value = BoolGetDatum(json->val.boolean);
			return true;
		case jbvString:
			*type = (MpValueType) {MP_VALUE_JSON_STRING, JSONBOID};
			*value = PointerGetDatum(json);
			return true;
		default:
			break;
	}
	mp_value_nested(model, input);
}

#endif
