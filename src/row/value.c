/*
 * value.c: from one SQL value to the float32 that a feature holds: types,
 * categories, infinities and the value that means missing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"

#include "row/value.h"

MpInput
mp_input_of(Oid type)
{
	MpInput		input = {MP_INPUT_OTHER, type};
	Oid			base = getBaseType(type);

	switch (base)
	{
		case FLOAT4OID:
			input.kind = MP_INPUT_FLOAT4;
			break;
		case FLOAT8OID:
			input.kind = MP_INPUT_FLOAT8;
			break;
		case INT2OID:
			input.kind = MP_INPUT_INT2;
			break;
		case INT4OID:
			input.kind = MP_INPUT_INT4;
			break;
		case INT8OID:
			input.kind = MP_INPUT_INT8;
			break;
		case BOOLOID:
			input.kind = MP_INPUT_BOOL;
			break;
		case NUMERICOID:
			input.kind = MP_INPUT_NUMERIC;
			break;
		case TEXTOID:
		case VARCHAROID:
			input.kind = MP_INPUT_TEXT;
			break;
		case BPCHAROID:
			input.kind = MP_INPUT_BPCHAR;
			break;
		case UNKNOWNOID:
			input.kind = MP_INPUT_UNKNOWN;
			break;
		default:
			if (OidIsValid(base) && type_is_enum(base))
				input.kind = MP_INPUT_ENUM;
	}
	return input;
}

char *
mp_feature_label(const MpForest *forest, int feature)
{
	const MpFeature *f = mp_forest_features(forest) + feature;
	MpString	name;

	if (forest->n_feature_names == 0)
		return psprintf("feature %d", feature + 1);
	name = mp_forest_string(forest, f->name, f->name_length);
	return psprintf("feature \"%.*s\"", (int) name.length, name.data);
}

/* A row's values, unlike their types, may be at fault in one row and not in the next. */
static int
fault_level(const MpBooster *booster)
{
	return booster->warn_of_faults ? WARNING : ERROR;
}

static bool
is_text(MpInputKind kind)
{
	return kind == MP_INPUT_TEXT || kind == MP_INPUT_BPCHAR || kind == MP_INPUT_ENUM ||
		kind == MP_INPUT_UNKNOWN;
}

/* " (column "x")", where the column's name says more than the feature's */
static const char *
where_from(const char *column)
{
	return column ? psprintf(" (column \"%s\")", column) : "";
}

void
mp_value_not_a_number(const MpBooster *booster, int feature, MpInput input, const char *column)
{
	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("%s of model \"%s\" version %d is a number, not type %s%s",
				   mp_feature_label(booster->forest, feature), booster->name, booster->version,
				   format_type_be(input.kind == MP_INPUT_UNKNOWN ? TEXTOID : input.type),
				   where_from(column)),
			errhint("Text is never parsed as a number: cast it, as in x::real."));
}

void
mp_input_check(const MpBooster *booster, int feature, MpInput input, const char *column)
{
	const MpFeature *f = mp_forest_features(booster->forest) + feature;

	if (input.kind == MP_INPUT_OTHER)
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("%s of model \"%s\" version %d cannot be read from type %s%s",
					   mp_feature_label(booster->forest, feature), booster->name, booster->version,
					   format_type_be(input.type), where_from(column)),
				errhint("Pass a number, a boolean or a category's label; for a date or time, what the model was trained with, such as extract(epoch from x)."));
	/* an untyped literal may be a null, which fits anything */
	if (f->type != MP_FEATURE_CATEGORICAL && is_text(input.kind) && input.kind != MP_INPUT_UNKNOWN)
		mp_value_not_a_number(booster, feature, input, column);
	if (f->type == MP_FEATURE_CATEGORICAL && !is_text(input.kind) &&
		f->n_categories > 0 && !f->numeric_categories)
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("%s of model \"%s\" version %d is a category with text labels, not type %s%s",
					   mp_feature_label(booster->forest, feature), booster->name, booster->version,
					   format_type_be(input.type), where_from(column)),
				errhint("Pass the label as text."));
}

float
mp_value_numeric(Datum value)
{
	return (float) DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
}

bool
mp_value_infinite(const MpBooster *booster, int feature, float *x)
{
	if (booster->options.has_missing && *x == booster->options.missing)
	{
		*x = NAN;
		return true;
	}
	/* an infinity may be the value that means missing: DMatrix then takes the other one as it is */
	if (booster->options.has_missing && isinf(booster->options.missing))
	{
		if (*x == booster->options.missing)
			*x = NAN;
		return true;
	}
	switch (booster->options.infinity)
	{
		case MP_INFINITY_SCORE:
			return true;
		case MP_INFINITY_MISSING:
			*x = NAN;
			return true;
		case MP_INFINITY_ERROR:
			break;
	}
	ereport(fault_level(booster),
			errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			errmsg("%s of model \"%s\" version %d is infinite as a float32",
				   mp_feature_label(booster->forest, feature), booster->name, booster->version),
			errdetail("XGBoost's DMatrix refuses infinities."),
			errhint("Pass NULL for missing, or register the model with infinity => 'score' (as scikit-learn's predict does) or 'missing'."));
	return false;
}

static bool
unseen(const MpBooster *booster, int feature, const char *shown, float *x)
{
	const MpFeature *f = mp_forest_features(booster->forest) + feature;
	StringInfoData known;

	switch (booster->options.unseen_category)
	{
		case MP_UNSEEN_MISSING:
			*x = NAN;
			return true;
		case MP_UNSEEN_NULL:
			return false;
		case MP_UNSEEN_ERROR:
			break;
	}
	initStringInfo(&known);
	for (uint32 i = 0; i < f->n_categories && i < 10; i++)
	{
		const MpCategory *c = mp_forest_categories(booster->forest, f) + i;
		MpString	label = mp_forest_string(booster->forest, c->label, c->label_length);
		int			length = pg_mbcliplen(label.data, label.length, 60);

		appendStringInfo(&known, "%s\"%.*s\"", i ? ", " : "", length, label.data);
	}
	if (f->n_categories > 10)
		appendStringInfo(&known, " and %u more", f->n_categories - 10);
	ereport(fault_level(booster),
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("%s of model \"%s\" version %d has no category %s",
				   mp_feature_label(booster->forest, feature), booster->name, booster->version, shown),
			f->n_categories > 0 ? errdetail("Its categories are %s.", known.data) :
			errdetail("Its categories are not known; a code is a whole number from 0 to %d.", MP_MAX_CATEGORY - 1),
			errhint("Register the model with unseen_category => 'missing' or 'null' if new categories are expected."));
	return false;
}

/* XGBoost compares codes with the value that means missing: with missing = 0 the first category is. */
static bool
give_code(const MpBooster *booster, float code, float *x)
{
	*x = code;
	if (booster->options.has_missing && *x == booster->options.missing)
		*x = NAN;
	return true;
}

bool
mp_value_category_label(const MpBooster *booster, int feature, const char *label, size_t length, float *x)
{
	const MpFeature *f = mp_forest_features(booster->forest) + feature;
	int64		code;

	if (f->n_categories == 0)
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("the categories of %s of model \"%s\" version %d are not known",
					   mp_feature_label(booster->forest, feature), booster->name, booster->version),
				errhint("Pass the category's code, or register the model with categories => '{\"feature\": [labels in the order of their codes]}'."));
	code = mp_category_by_label(booster->categories, feature, label, length);
	if (code < 0)
	{
		int			shown = pg_mbcliplen(label, length, 60);

		return unseen(booster, feature,
					  psprintf("\"%.*s%s\"", shown, label, shown < length ? "..." : ""), x);
	}
	return give_code(booster, (float) code, x);
}

/* By value where the categories are numbers; where none are known, it is the code. */
bool
mp_value_category_number(const MpBooster *booster, int feature, double number, float *x)
{
	const MpFeature *f = mp_forest_features(booster->forest) + feature;
	bool		means_missing = booster->options.has_missing && (float) number == booster->options.missing;

	if (isnan(number))
	{
		*x = NAN;
		return true;
	}
	if (f->n_categories == 0)
	{
		if (!means_missing && (number < 0 || number >= MP_MAX_CATEGORY || number != floor(number)))
			return unseen(booster, feature, psprintf("%g", number), x);
		return give_code(booster, (float) number, x);
	}
	if (f->numeric_categories)
	{
		int64		code = mp_category_by_number(booster->categories, feature, number);

		if (code < 0 && !means_missing)
			return unseen(booster, feature, psprintf("%.15g", number), x);
		return give_code(booster, code < 0 ? (float) number : (float) code, x);
	}
	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("%s of model \"%s\" version %d is a category with text labels, not a number",
				   mp_feature_label(booster->forest, feature), booster->name, booster->version),
			errhint("Pass the label as text."));
}

static bool
category_of_text(const MpBooster *booster, int feature, Datum value, bool blank_padded, float *x)
{
	text	   *label = DatumGetTextPP(value);
	int			length = VARSIZE_ANY_EXHDR(label);

	if (blank_padded)
		length = bpchartruelen(VARDATA_ANY(label), length);
	return mp_value_category_label(booster, feature, VARDATA_ANY(label), length, x);
}

static bool
category_of_enum(const MpBooster *booster, int feature, Datum value, float *x)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, value);
	NameData	label;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for enum %u", DatumGetObjectId(value));
	label = ((Form_pg_enum) GETSTRUCT(tuple))->enumlabel;
	ReleaseSysCache(tuple);
	return mp_value_category_label(booster, feature, NameStr(label), strlen(NameStr(label)), x);
}

bool
mp_value_category(const MpBooster *booster, int feature, MpInput input, Datum value, float *x)
{
	double		number = 0;

	switch (input.kind)
	{
		case MP_INPUT_TEXT:
			return category_of_text(booster, feature, value, false, x);
		case MP_INPUT_BPCHAR:
			return category_of_text(booster, feature, value, true, x);
		case MP_INPUT_ENUM:
			return category_of_enum(booster, feature, value, x);
		case MP_INPUT_UNKNOWN:
			return mp_value_category_label(booster, feature, DatumGetCString(value),
										   strlen(DatumGetCString(value)), x);
		case MP_INPUT_FLOAT4:
			number = DatumGetFloat4(value);
			break;
		case MP_INPUT_FLOAT8:
			number = DatumGetFloat8(value);
			break;
		case MP_INPUT_INT2:
			number = DatumGetInt16(value);
			break;
		case MP_INPUT_INT4:
			number = DatumGetInt32(value);
			break;
		case MP_INPUT_INT8:
			number = (double) DatumGetInt64(value);
			break;
		case MP_INPUT_BOOL:
			number = DatumGetBool(value);
			break;
		case MP_INPUT_NUMERIC:
			number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
			break;
		case MP_INPUT_OTHER:
			mp_input_check(booster, feature, input, NULL);
			return false;
	}
	return mp_value_category_number(booster, feature, number, x);
}

char *
mp_value_text(MpInput input, Datum value)
{
	text	   *padded;
	int			length;

	switch (input.kind)
	{
		case MP_INPUT_FLOAT4:
			return DatumGetCString(DirectFunctionCall1(float4out, value));
		case MP_INPUT_FLOAT8:
			return DatumGetCString(DirectFunctionCall1(float8out, value));
		case MP_INPUT_INT2:
			return DatumGetCString(DirectFunctionCall1(int2out, value));
		case MP_INPUT_INT4:
			return DatumGetCString(DirectFunctionCall1(int4out, value));
		case MP_INPUT_INT8:
			return DatumGetCString(DirectFunctionCall1(int8out, value));
		case MP_INPUT_BOOL:
			return pstrdup(DatumGetBool(value) ? "true" : "false");
		case MP_INPUT_NUMERIC:
			return DatumGetCString(DirectFunctionCall1(numeric_out, value));
		case MP_INPUT_TEXT:
			return TextDatumGetCString(value);
		case MP_INPUT_BPCHAR:
			padded = DatumGetTextPP(value);
			length = bpchartruelen(VARDATA_ANY(padded), VARSIZE_ANY_EXHDR(padded));
			return pnstrdup(VARDATA_ANY(padded), length);
		case MP_INPUT_ENUM:
			return DatumGetCString(DirectFunctionCall1(enum_out, value));
		case MP_INPUT_UNKNOWN:
			return pstrdup(DatumGetCString(value));
		case MP_INPUT_OTHER:
			break;
	}
	elog(ERROR, "a feature of type %u was read", input.type);
}
