/*
 * value.c: from one SQL value to the number that a feature holds: types,
 * categories, infinities and the value that means missing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "glue/similar.h"
#include "row/value.h"

/* Of a type that is no domain. */
static MpValueKind
kind_of(Oid type)
{
	switch (type)
	{
		case FLOAT4OID:
			return MP_VALUE_FLOAT4;
		case FLOAT8OID:
			return MP_VALUE_FLOAT8;
		case INT2OID:
			return MP_VALUE_INT2;
		case INT4OID:
			return MP_VALUE_INT4;
		case INT8OID:
			return MP_VALUE_INT8;
		case BOOLOID:
			return MP_VALUE_BOOL;
		case NUMERICOID:
			return MP_VALUE_NUMERIC;
		case TEXTOID:
		case VARCHAROID:
			return MP_VALUE_TEXT;
		case BPCHAROID:
			return MP_VALUE_BPCHAR;
		case UNKNOWNOID:
			return MP_VALUE_UNKNOWN;
		case DATEOID:
			return MP_VALUE_DATE;
		case TIMESTAMPOID:
			return MP_VALUE_TIMESTAMP;
		case TIMESTAMPTZOID:
			return MP_VALUE_TIMESTAMPTZ;
		default:
			return OidIsValid(type) && type_is_enum(type) ? MP_VALUE_ENUM : MP_VALUE_OTHER;
	}
}

MpValueType
mp_value_type_of(Oid declared)
{
	MpValueType type = {kind_of(declared), declared};

	/* the common types are told without a look at the catalogs */
	if (type.kind == MP_VALUE_OTHER)
		type.kind = kind_of(getBaseType(declared));
	return type;
}

/* A row's values, unlike their types, may be at fault in one row and not in the next. */
static int
fault_level(const MpRow *row)
{
	return row->warn_of_faults ? WARNING : ERROR;
}

static bool
is_text(MpValueKind kind)
{
	return kind == MP_VALUE_TEXT || kind == MP_VALUE_BPCHAR || kind == MP_VALUE_ENUM ||
		kind == MP_VALUE_UNKNOWN || kind == MP_VALUE_JSON_STRING;
}

/* " (column "x")", where the column's name says more than the feature's */
static const char *
where_from(const char *column)
{
	return column ? psprintf(" (column \"%s\")", column) : "";
}

void
mp_value_not_a_number(const MpModel *model, int input, MpValueType type, const char *column)
{
	if (type.kind == MP_VALUE_JSON_STRING)
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("%s of model \"%s\" version %d is a number, not a JSON string",
					   mp_input_label(model, input), model->name, model->version),
				errhint("Strings are never parsed as numbers. A missing value is null: to_jsonb() makes the string \"NaN\" of NaN."));
	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("%s of model \"%s\" version %d is a number, not type %s%s",
				   mp_input_label(model, input), model->name, model->version,
				   format_type_be(type.kind == MP_VALUE_UNKNOWN ? TEXTOID : type.type),
				   where_from(column)),
			errhint("Text is never parsed as a number: cast it, as in x::real."));
}

void
mp_value_nested(const MpModel *model, int input)
{
	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("%s of model \"%s\" version %d must be a JSON number, string, boolean or null",
				   mp_input_label(model, input), model->name, model->version),
			errhint("Nested objects and arrays are not read: give each feature a key of its own."));
}

/* A date or timestamp, or what JSON has in its place. */
static void
check_time(const MpModel *model, int input, MpValueType type, const char *column)
{
	if (!mp_value_is_time(type.kind) && type.kind != MP_VALUE_JSON_STRING && type.kind != MP_VALUE_UNKNOWN)
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("%s of model \"%s\" version %d is a date or timestamp, not type %s%s",
					   mp_input_label(model, input), model->name, model->version,
					   format_type_be(type.type), where_from(column)));
	if (type.kind == MP_VALUE_TIMESTAMPTZ && model->inputs[input].labels->zone_length == 0)
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("%s of model \"%s\" version %d is a time without time zone, not type %s%s",
					   mp_input_label(model, input), model->name, model->version,
					   format_type_be(type.type), where_from(column)),
				errhint("Register the model with a \"time_zone\" in its date_part steps, or pass x AT TIME ZONE '...'."));
}

void
mp_value_check_type(const MpModel *model, int input, MpValueType type, const char *column)
{
	const MpInput *i = &model->inputs[input];

	if (i->is_time)
	{
		check_time(model, input, type, column);
		return;
	}
	if (type.kind == MP_VALUE_OTHER || mp_value_is_time(type.kind))
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("%s of model \"%s\" version %d cannot be read from type %s%s",
					   mp_input_label(model, input), model->name, model->version,
					   format_type_be(type.type), where_from(column)),
				errhint("Pass a number, a boolean or a category's label; for a date or time, what the model was trained with, such as extract(epoch from x)."));
	/* an untyped literal may be a null, which fits anything */
	if (!mp_input_is_category(i) && is_text(type.kind) && type.kind != MP_VALUE_UNKNOWN)
		mp_value_not_a_number(model, input, type, column);
	if (type.kind == MP_VALUE_BOOL && mp_input_knows_booleans(i))
		return;
	if (mp_input_wants_label(i) && !is_text(type.kind))
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("%s of model \"%s\" version %d is a category with text labels, not type %s%s",
					   mp_input_label(model, input), model->name, model->version,
					   format_type_be(type.type), where_from(column)),
				errhint("Pass the label as text."));
}

double
mp_value_numeric(Datum value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
}

bool
mp_value_infinite(const MpRow *row, int input, double *x)
{
	const MpModel *model = row->model;

	if (model->options.has_missing && *x == model->options.missing)
	{
		*x = NAN;
		return true;
	}
	/* an infinity may be the value that means missing: DMatrix then takes the other one as it is */
	if (model->options.has_missing && isinf(model->options.missing))
	{
		if (*x == model->options.missing)
			*x = NAN;
		return true;
	}
	switch (model->options.infinity)
	{
		case MP_INFINITY_SCORE:
			return true;
		case MP_INFINITY_MISSING:
			*x = NAN;
			return true;
		case MP_INFINITY_ERROR:
			break;
	}
	ereport(fault_level(row),
			errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			errmsg("%s of model \"%s\" version %d is infinite%s",
				   mp_input_label(model, input), model->name, model->version,
				   model->wide ? "" : " as a float32"),
			model->wide ? 0 : errdetail("XGBoost's DMatrix refuses infinities."),
			errhint("Pass NULL for missing, or register the model with infinity => 'score' (as scikit-learn's predict does) or 'missing'."));
	return false;
}

#define MAX_COMPARED 10000		/* labels that one may have been meant */

static bool
unseen(const MpRow *row, int input, const char *shown, double *x)
{
	const MpModel *model = row->model;
	const MpCategoryIndex *categories = model->inputs[input].categories;
	uint32		n = categories != NULL ? mp_categories_count(categories) : 0;
	char	   *label_given = pstrdup(shown + (shown[0] == '"'));
	MpSimilar	similar;
	StringInfoData known;

	switch (model->options.unseen_category)
	{
		case MP_UNSEEN_MISSING:
			*x = NAN;
			return true;
		case MP_UNSEEN_NULL:
			return false;
		case MP_UNSEEN_ERROR:
			break;
	}
	if (shown[0] == '"' && label_given[0] != '\0')
		label_given[strlen(label_given) - 1] = '\0';
	similar = mp_similar_to(label_given);
	initStringInfo(&known);
	for (uint32 i = 0; i < Min(n, MAX_COMPARED); i++)
	{
		MpString	label = mp_category_label(categories, i);
		int			length = pg_mbcliplen(label.data, label.length, 60);

		CHECK_FOR_INTERRUPTS();
		if (shown[0] == '"')		/* nobody mistypes numbers by letters */
			mp_similar_offer(&similar, label.data, label.length);
		if (i < 10)
			appendStringInfo(&known, "%s\"%.*s\"", i ? ", " : "", length, label.data);
	}
	if (n > 10)
		appendStringInfo(&known, " and %u more", n - 10);
	ereport(fault_level(row),
			errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			errmsg("%s of model \"%s\" version %d has no category %s",
				   mp_input_label(model, input), model->name, model->version, shown),
			n > 0 ? errdetail("Its categories are %s.", known.data) :
			errdetail("Its categories are not known; a code is a whole number from 0 to %d.", MP_MAX_CATEGORY - 1),
			errhint("%sRegister the model with unseen_category => 'missing' or 'null' if new categories are expected.",
					mp_similar_hint(&similar)));
	return false;
}

/* XGBoost compares codes with the value that means missing: with missing = 0 the first category is. */
static bool
give_code(const MpRow *row, double code, double *x)
{
	const MpRowOptions *options = &row->model->options;

	*x = options->has_missing && code == options->missing ? NAN : code;
	return true;
}

static bool
category_by_label(const MpRow *row, int input, const char *label, size_t length, double *x)
{
	const MpModel *model = row->model;
	const MpCategoryIndex *categories = model->inputs[input].categories;
	int64		code;

	if (categories == NULL)
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("the categories of %s of model \"%s\" version %d are not known",
					   mp_input_label(model, input), model->name, model->version),
				errhint("Pass the category's code, or register the model with categories => '{\"feature\": [labels in the order of their codes]}'."));
	code = mp_category_by_label(categories, label, length);
	if (code < 0)
	{
		int			shown = pg_mbcliplen(label, length, 60);

		return unseen(row, input,
					  psprintf("\"%.*s%s\"", shown, label, shown < length ? "..." : ""), x);
	}
	return give_code(row, code, x);
}

/* Whether the number, as the model would hold it, is the value that means missing. */
static bool
is_missing(const MpModel *model, double number)
{
	return model->options.has_missing &&
		(model->wide ? number : (float) number) == model->options.missing;
}

/* By value where the categories are numbers; where none are known, it is the code. */
static bool
category_by_number(const MpRow *row, int input, double number, double *x)
{
	const MpModel *model = row->model;
	const MpCategoryIndex *categories = model->inputs[input].categories;
	bool		means_missing = is_missing(model, number);

	if (isnan(number))
	{
		*x = NAN;
		return true;
	}
	if (categories == NULL)
	{
		/* LightGBM cuts fractions off, and takes what is no code for one that it does not know */
		if (model->forest->library == MP_LIBRARY_LIGHTGBM)
			return give_code(row, number, x);
		if (!means_missing && (number < 0 || number >= MP_MAX_CATEGORY || number != floor(number)))
			return unseen(row, input, psprintf("%g", number), x);
		return give_code(row, number, x);
	}
	if (mp_categories_are_numbers(categories))
	{
		int64		code = mp_category_by_number(categories, number);

		if (code < 0 && !means_missing)
			return unseen(row, input, psprintf("%.15g", number), x);
		return give_code(row, code < 0 ? number : (double) code, x);
	}
	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("%s of model \"%s\" version %d is a category with text labels, not a number",
				   mp_input_label(model, input), model->name, model->version),
			errhint("Pass the label as text."));
}

static bool
category_of_boolean(const MpRow *row, int input, bool value, double *x)
{
	const MpInput *i = &row->model->inputs[input];
	int64		code;

	if (!mp_input_knows_booleans(i))
		return category_by_number(row, input, value, x);
	code = mp_category_by_boolean(i->categories, value);
	return code >= 0 ? give_code(row, code, x) : unseen(row, input, value ? "true" : "false", x);
}

static bool
category_of_text(const MpRow *row, int input, Datum value, bool blank_padded, double *x)
{
	text	   *label = DatumGetTextPP(value);
	int			length = VARSIZE_ANY_EXHDR(label);

	if (blank_padded)
		length = bpchartruelen(VARDATA_ANY(label), length);
	return category_by_label(row, input, VARDATA_ANY(label), length, x);
}

static bool
category_of_enum(const MpRow *row, int input, Datum value, double *x)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, value);
	NameData	label;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for enum %u", DatumGetObjectId(value));
	label = ((Form_pg_enum) GETSTRUCT(tuple))->enumlabel;
	ReleaseSysCache(tuple);
	return category_by_label(row, input, NameStr(label), strlen(NameStr(label)), x);
}

bool
mp_value_category(const MpRow *row, int input, MpValueType type, Datum value, double *x)
{
	const JsonbValue *string;
	double		number = 0;

	switch (type.kind)
	{
		case MP_VALUE_TEXT:
			return category_of_text(row, input, value, false, x);
		case MP_VALUE_BPCHAR:
			return category_of_text(row, input, value, true, x);
		case MP_VALUE_ENUM:
			return category_of_enum(row, input, value, x);
		case MP_VALUE_UNKNOWN:
			return category_by_label(row, input, DatumGetCString(value),
										   strlen(DatumGetCString(value)), x);
		case MP_VALUE_JSON_STRING:
			string = (const JsonbValue *) DatumGetPointer(value);
			return category_by_label(row, input, string->val.string.val, string->val.string.len, x);
		case MP_VALUE_FLOAT4:
			number = DatumGetFloat4(value);
			break;
		case MP_VALUE_FLOAT8:
			number = DatumGetFloat8(value);
			break;
		case MP_VALUE_INT2:
			number = DatumGetInt16(value);
			break;
		case MP_VALUE_INT4:
			number = DatumGetInt32(value);
			break;
		case MP_VALUE_INT8:
			number = (double) DatumGetInt64(value);
			break;
		case MP_VALUE_BOOL:
			return category_of_boolean(row, input, DatumGetBool(value), x);
		case MP_VALUE_NUMERIC:
			number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
			break;
		case MP_VALUE_DATE:
		case MP_VALUE_TIMESTAMP:
		case MP_VALUE_TIMESTAMPTZ:
		case MP_VALUE_OTHER:
			mp_value_check_type(row->model, input, type, NULL);
			return false;
	}
	return category_by_number(row, input, number, x);
}

char *
mp_value_text(MpValueType type, Datum value)
{
	const JsonbValue *string;
	text	   *padded;
	int			length;

	switch (type.kind)
	{
		case MP_VALUE_FLOAT4:
			return DatumGetCString(DirectFunctionCall1(float4out, value));
		case MP_VALUE_FLOAT8:
			return DatumGetCString(DirectFunctionCall1(float8out, value));
		case MP_VALUE_INT2:
			return DatumGetCString(DirectFunctionCall1(int2out, value));
		case MP_VALUE_INT4:
			return DatumGetCString(DirectFunctionCall1(int4out, value));
		case MP_VALUE_INT8:
			return DatumGetCString(DirectFunctionCall1(int8out, value));
		case MP_VALUE_BOOL:
			return pstrdup(DatumGetBool(value) ? "true" : "false");
		case MP_VALUE_NUMERIC:
			return DatumGetCString(DirectFunctionCall1(numeric_out, value));
		case MP_VALUE_TEXT:
			return TextDatumGetCString(value);
		case MP_VALUE_BPCHAR:
			padded = DatumGetTextPP(value);
			length = bpchartruelen(VARDATA_ANY(padded), VARSIZE_ANY_EXHDR(padded));
			return pnstrdup(VARDATA_ANY(padded), length);
		case MP_VALUE_ENUM:
			return DatumGetCString(DirectFunctionCall1(enum_out, value));
		case MP_VALUE_UNKNOWN:
			return pstrdup(DatumGetCString(value));
		case MP_VALUE_JSON_STRING:
			string = (const JsonbValue *) DatumGetPointer(value);
			return pnstrdup(string->val.string.val, string->val.string.len);
		case MP_VALUE_DATE:
			return DatumGetCString(DirectFunctionCall1(date_out, value));
		case MP_VALUE_TIMESTAMP:
			return DatumGetCString(DirectFunctionCall1(timestamp_out, value));
		case MP_VALUE_TIMESTAMPTZ:
			return DatumGetCString(DirectFunctionCall1(timestamptz_out, value));
		case MP_VALUE_OTHER:
			break;
	}
	elog(ERROR, "a feature of type %u was read", type.type);
}
