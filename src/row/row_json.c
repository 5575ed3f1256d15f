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
read_value(MpBooster *booster, int feature, const JsonbValue *value)
{
	bool		categorical = mp_forest_features(booster->forest)[feature].type == MP_FEATURE_CATEGORICAL;
	float	   *x = &booster->x[feature];

	switch (value->type)
	{
		case jbvNull:
			*x = NAN;
			return true;
		case jbvNumeric:
			return mp_value_read(booster, feature, (MpInput) {MP_INPUT_NUMERIC, NUMERICOID},
								 NumericGetDatum(value->val.numeric), x);
		case jbvBool:
			return mp_value_read(booster, feature, (MpInput) {MP_INPUT_BOOL, BOOLOID},
								 BoolGetDatum(value->val.boolean), x);
		case jbvString:
			if (categorical)
				return mp_value_category_label(booster, feature, value->val.string.val,
											   value->val.string.len, x);
			ereport(ERROR,
					errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("%s of model \"%s\" version %d is a number, not a JSON string",
						   mp_feature_label(booster->forest, feature), booster->name, booster->version),
					errhint("Strings are never parsed as numbers. A missing value is null: to_jsonb() makes the string \"NaN\" of NaN."));
		default:
			break;
	}
	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("%s of model \"%s\" version %d must be a JSON number, string, boolean or null",
				   mp_feature_label(booster->forest, feature), booster->name, booster->version),
			errhint("Nested objects and arrays are not read: give each feature a key of its own."));
}

/* Reads by matching all keys as if they were columns: for objects whose keys are not the features' exact names. */
static bool
read_matched(MpJsonRow *json, MpBooster *booster)
{
	int			n = JB_ROOT_COUNT(json->object);
	const char **names = palloc(sizeof(char *) * Max(n, 1));
	JsonbValue *values = palloc(sizeof(JsonbValue) * Max(n, 1));
	int		   *column_of = palloc(sizeof(int) * Max(booster->forest->n_features, 1));
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
	mp_match_columns(booster, names, n, column_of);
	json->values = values;
	json->column_of = column_of;
	for (int f = 0; f < booster->forest->n_features; f++)
	{
		if (column_of[f] < 0)
			booster->x[f] = NAN;
		else if (!read_value(booster, f, &values[column_of[f]]))
			complete = false;
	}
	return complete;
}

/* The value of the key that is exactly the feature's name. */
static bool
find_exact_key(Jsonb *object, const MpForest *forest, int feature, JsonbValue *value)
{
	const MpFeature *f = mp_forest_features(forest) + feature;
	MpString	name = mp_forest_string(forest, f->name, f->name_length);

	return getKeyJsonValueFromContainer(&object->root, name.data, name.length, value) != NULL;
}

bool
mp_json_row_read(MpJsonRow *json, Jsonb *object, MpBooster *booster)
{
	bool		complete = true;

	json->object = object;
	json->values = NULL;
	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a JSON row must be an object with a key for each feature"),
				errhint("Pass '{\"feature\": value, ...}'::jsonb; values by position go into an array such as '{1,2}'::real[]."));
	if (booster->forest->n_feature_names == 0)
		return read_matched(json, booster);
	for (int i = 0; i < booster->forest->n_features; i++)
	{
		JsonbValue	value;

		if (!find_exact_key(object, booster->forest, i, &value))
			return read_matched(json, booster);
		if (!read_value(booster, i, &value))
			complete = false;
	}
	return complete;
}

bool
mp_json_row_value(const MpJsonRow *json, const MpBooster *booster, int feature,
				  MpInput *input, Datum *value)
{
	JsonbValue	v;

	if (json->values == NULL)
		find_exact_key(json->object, booster->forest, feature, &v);
	else if (json->column_of[feature] < 0)
		return false;
	else
		v = json->values[json->column_of[feature]];
	switch (v.type)
	{
		case jbvNumeric:
			*input = (MpInput) {MP_INPUT_NUMERIC, NUMERICOID};
			*value = NumericGetDatum(v.val.numeric);
			return true;
		case jbvBool:
			*input = (MpInput) {MP_INPUT_BOOL, BOOLOID};
			*value = BoolGetDatum(v.val.boolean);
			return true;
		case jbvString:
			*input = (MpInput) {MP_INPUT_TEXT, TEXTOID};
			*value = PointerGetDatum(cstring_to_text_with_len(v.val.string.val, v.val.string.len));
			return true;
		default:				/* null: all else was refused when it was read */
			return false;
	}
}
