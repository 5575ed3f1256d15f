/*
 * row_json.c: a row that is a jsonb object. A key belongs to the feature of
 * exactly its name; only where a feature has no such key, all keys are matched
 * by the rules for columns.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "row/match.h"
#include "row/row_json.h"

static bool
read_value(MpRow *row, int feature, const JsonbValue *value)
{
	bool		categorical = mp_input_is_category(&row->model->inputs[feature]);
	float	   *x = &row->x[feature];

	switch (value->type)
	{
		case jbvNull:
			*x = NAN;
			return true;
		case jbvNumeric:
			return mp_value_read(row, feature, (MpValueType) {MP_VALUE_NUMERIC, NUMERICOID},
								 NumericGetDatum(value->val.numeric), x);
		case jbvBool:
			return mp_value_read(row, feature, (MpValueType) {MP_VALUE_BOOL, BOOLOID},
								 BoolGetDatum(value->val.boolean), x);
		case jbvString:
			if (categorical)
				return mp_value_category_label(row, feature, value->val.string.val,
											   value->val.string.len, x);
			ereport(ERROR,
					errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("%s of model \"%s\" version %d is a number, not a JSON string",
						   mp_input_label(row->model, feature), row->model->name, row->model->version),
					errhint("Strings are never parsed as numbers. A missing value is null: to_jsonb() makes the string \"NaN\" of NaN."));
		default:
			break;
	}
	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("%s of model \"%s\" version %d must be a JSON number, string, boolean or null",
				   mp_input_label(row->model, feature), row->model->name, row->model->version),
			errhint("Nested objects and arrays are not read: give each feature a key of its own."));
}

/* Reads by matching all keys as if they were columns: for objects whose keys are not the features' exact names. */
static bool
read_matched(MpJsonRow *json, MpRow *row)
{
	int			n = JB_ROOT_COUNT(json->object);
	const char **names = palloc(sizeof(char *) * Max(n, 1));
	JsonbValue *values = palloc(sizeof(JsonbValue) * Max(n, 1));
	int		   *column_of = palloc(sizeof(int) * Max(row->model->n_inputs, 1));
	JsonbIterator *it = JsonbIteratorInit(&json->object->root);
	JsonbValue	v;
	JsonbIteratorToken token;
	bool		complete = true;
	int			i = -1;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			names[++i] = pnstrdup(v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE)
			values[i] = v;
	}
	mp_match_columns(row->model, names, n, column_of);
	json->values = values;
	json->column_of = column_of;
	for (int f = 0; f < row->model->n_inputs; f++)
	{
		if (column_of[f] < 0)
			row->x[f] = NAN;
		else if (!read_value(row, f, &values[column_of[f]]))
			complete = false;
	}
	return complete;
}

/* The value of the key that is exactly the feature's name. */
static bool
find_exact_key(Jsonb *object, const MpModel *model, int feature, JsonbValue *value)
{
	MpString	name = mp_input_name(&model->inputs[feature]);

	return getKeyJsonValueFromContainer(&object->root, name.data, name.length, value) != NULL;
}

bool
mp_json_row_read(MpJsonRow *json, Jsonb *object, MpRow *row)
{
	bool		complete = true;

	json->object = object;
	json->values = NULL;
	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a JSON row must be an object with a key for each feature"),
				errhint("Pass '{\"feature\": value, ...}'::jsonb; values by position go into an array such as '{1,2}'::real[]."));
	if (!row->model->has_names)
		return read_matched(json, row);
	for (int i = 0; i < row->model->n_inputs; i++)
	{
		JsonbValue	value;

		if (!find_exact_key(object, row->model, i, &value))
			return read_matched(json, row);
		if (!read_value(row, i, &value))
			complete = false;
	}
	return complete;
}

bool
mp_json_row_value(const MpJsonRow *json, const MpRow *row, int feature,
				  MpValueType *input, Datum *value)
{
	JsonbValue	v;

	if (json->values == NULL)
		find_exact_key(json->object, row->model, feature, &v);
	else if (json->column_of[feature] < 0)
		return false;
	else
		v = json->values[json->column_of[feature]];
	switch (v.type)
	{
		case jbvNumeric:
			*input = (MpValueType) {MP_VALUE_NUMERIC, NUMERICOID};
			*value = NumericGetDatum(v.val.numeric);
			return true;
		case jbvBool:
			*input = (MpValueType) {MP_VALUE_BOOL, BOOLOID};
			*value = BoolGetDatum(v.val.boolean);
			return true;
		case jbvString:
			*input = (MpValueType) {MP_VALUE_TEXT, TEXTOID};
			*value = PointerGetDatum(cstring_to_text_with_len(v.val.string.val, v.val.string.len));
			return true;
		default:				/* null: all else was refused when it was read */
			return false;
	}
}
