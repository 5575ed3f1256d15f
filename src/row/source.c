/*
 * source.c: how a row comes into a function and becomes a vector of features.
 *
 * The types of the arguments decide once which form the row has: one composite
 * is read by column name, one jsonb by key (row_json.c), one array and scalars by
 * position. What a form must know of one version (which column holds which
 * feature) is learned at the first row and kept until the call site resolves
 * anew; a composite's mapping belongs to the row's own type, since one call
 * site may see several. The planner turns a whole row of a table into its
 * columns, led by a null of its type that names them: see planner.c.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "core/base/unpack.h"
#include "glue/error.h"
#include "row/match.h"
#include "row/source.h"
#include "row/row_json.h"

typedef enum RowKind
{
	ROW_COMPOSITE,
	ROW_JSONB,
	ROW_JSON,
	ROW_ARRAY,
	ROW_COLUMNS,				/* a null of a row type, then its columns */
	ROW_SCALARS
} RowKind;

/* Which columns of one row type hold the features. */
typedef struct RowMap
{
	struct RowMap *next;
	Oid			type;
	int32		typmod;
	TypeCacheEntry *entry;		/* of a named type, whose columns may change between two rows; else NULL */
	uint64		identifier;		/* of the columns that the map was made for */
	TupleDesc	desc;			/* whole: since 15.20 a shorter one does not fit a named row type */
	Datum	   *values;			/* of a row */
	bool	   *nulls;
	int		   *column_of;		/* of each feature; -1: absent, so missing */
	MpValueType    *inputs;			/* of each feature */
} RowMap;

struct MpRowForm
{
	RowKind		kind;
	int			first;			/* argument where the row starts */
	int			n;				/* scalars */
	MpValueType    *inputs;			/* of each scalar, or one for the array's elements */
	int16		element_length;
	bool		element_by_value;
	char		element_align;
	bool		checked;		/* scalars, elements: types fit the version's features */
	MemoryContext context;		/* of the maps */
	RowMap	   *maps;			/* the last used first */
	/* the row read last, for mp_row_value: in the memory of that call */
	ArrayType  *array;
	Datum	   *elements;		/* NULL until asked for */
	bool	   *element_nulls;
	MpJsonRow	json;
};

pg_noreturn static void
bad_type(Oid type)
{
	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("a row cannot be read from type %s", format_type_be(type)),
			errhint("Pass a whole row such as c.*, a jsonb object, an array of numbers, or the values one by one; for a date or time, what the model was trained with, such as extract(epoch from x)."));
}

static void
array_form(MpRowForm *form, Oid element)
{
	form->kind = ROW_ARRAY;
	form->inputs = palloc(sizeof(MpValueType));
	form->inputs[0] = mp_value_type_of(element);
	if (form->inputs[0].kind == MP_VALUE_OTHER)
		bad_type(get_array_type(element));
	get_typlenbyvalalign(element, &form->element_length, &form->element_by_value, &form->element_align);
}

/* Whether the planner has expanded a whole row here. */
static bool
is_expanded(FunctionCallInfo fcinfo)
{
	Node	   *call = fcinfo->flinfo->fn_expr;

	return IsA(call, FuncExpr) && ((FuncExpr *) call)->funcformat == MP_EXPANDED_ROW;
}

static void
scalar_form(MpRowForm *form, FunctionCallInfo fcinfo)
{
	form->kind = ROW_SCALARS;
	form->inputs = palloc(sizeof(MpValueType) * form->n);
	for (int i = 0; i < form->n; i++)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, form->first + i);

		form->inputs[i] = mp_value_type_of(type);
		if (form->inputs[i].kind == MP_VALUE_OTHER && form->n > 1)
		{
			if (type_is_rowtype(getBaseType(type)))
				ereport(ERROR,
						errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("a row cannot be mixed with other arguments"),
						errdetail("Argument %d is of the row type %s.", form->first + i + 1, format_type_be(type)),
						errhint("Pass just one row, such as one of a subquery that adds columns, or all values one by one."));
			ereport(ERROR,
					errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("argument %d of type %s cannot be a feature", form->first + i + 1, format_type_be(type)),
					errhint("Pass a number, a boolean or a category's label; for a date or time, what the model was trained with, such as extract(epoch from x)."));
		}
	}
}

/* An untyped literal that looks like JSON or an array was meant as one. */
static void
check_lone_literal(FunctionCallInfo fcinfo, const MpRowForm *form)
{
	const char *literal;

	if (form->n != 1 || form->inputs[0].kind != MP_VALUE_UNKNOWN || PG_ARGISNULL(form->first))
		return;
	literal = PG_GETARG_CSTRING(form->first);
	if (literal[0] == '{' || literal[0] == '[')
		ereport(ERROR,
				errcode(ERRCODE_INDETERMINATE_DATATYPE),
				errmsg("the type of the row \"%s\" is not known", mp_shown(literal)),
				errhint("Cast it: '{...}'::jsonb for an object, '{...}'::real[] for an array."));
}

MpRowForm *
mp_row_form(FunctionCallInfo fcinfo, int first, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	MpRowForm  *form = palloc0(sizeof(MpRowForm));
	Oid			type;
	Oid			base;

	form->first = first;
	form->n = PG_NARGS() - first;
	if (fcinfo->flinfo->fn_expr == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INDETERMINATE_DATATYPE),
				errmsg("could not determine the types of the row's values"),
				errdetail("The function was called without an expression that tells them."));
	type = get_fn_expr_argtype(fcinfo->flinfo, first);
	base = getBaseType(type);
	if (get_fn_expr_variadic(fcinfo->flinfo))
		array_form(form, get_base_element_type(type));
	else if (is_expanded(fcinfo))
		form->kind = ROW_COLUMNS;
	else if (form->n > 1)
		scalar_form(form, fcinfo);
	else if (base == JSONBOID)
		form->kind = ROW_JSONB;
	else if (base == JSONOID)
		form->kind = ROW_JSON;
	else if (type_is_rowtype(base))
		form->kind = ROW_COMPOSITE;
	else if (OidIsValid(get_base_element_type(type)))
		array_form(form, get_base_element_type(type));
	else
	{
		scalar_form(form, fcinfo);
		if (form->inputs[0].kind == MP_VALUE_OTHER)
			bad_type(type);
	}
	form->context = AllocSetContextCreate(context, "model_predict row", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(old);
	return form;
}

void
mp_row_form_reset(MpRowForm *form)
{
	form->maps = NULL;
	form->checked = false;
	MemoryContextReset(form->context);
}

static void
check_count(const MpModel *model, int64 given, bool lone)
{
	int			n = model->n_inputs;

	if (given == n)
		return;
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg_plural("model \"%s\" version %d expects %d feature, not " INT64_FORMAT,
						  "model \"%s\" version %d expects %d features, not " INT64_FORMAT, n,
						  model->name, model->version, n, given),
			lone ? errhint("For a whole row write the table's name with a star, as in c.*: a table that has a column of its own name gives that column.") : 0);
}

/* A null scalar is a missing value. */
static bool
read_scalars(MpRowForm *form, FunctionCallInfo fcinfo, MpRow *row)
{
	bool		complete = true;

	if (!form->checked)
	{
		check_lone_literal(fcinfo, form);
		check_count(row->model, form->n, form->n == 1);
		for (int i = 0; i < form->n; i++)
			mp_value_check_type(row->model, i, form->inputs[i], NULL);
		form->checked = true;
	}
	for (int i = 0; i < form->n; i++)
	{
		NullableDatum *arg = &fcinfo->args[form->first + i];

		if (arg->isnull)
			row->x[i] = NAN;
		else if (!mp_value_read(row, i, form->inputs[i], arg->value, &row->x[i]))
			complete = false;
	}
	return complete;
}

/* As mp_unpack_floats. */
static bool
unpack_doubles(const float8 *values, const bits8 *present, int n, float *x)
{
	bool		infinite = false;

	for (int i = 0; i < n; i++)
	{
		x[i] = present == NULL || (present[i / 8] >> (i % 8) & 1) ? (float) *values++ : NAN;
		infinite |= fabsf(x[i]) > FLT_MAX;
	}
	return infinite;
}

/* Numbers for features that are all plain numbers: nothing to decide per value. */
static void
read_plain_array(const char *data, const bits8 *nulls, int n, bool is_double, const MpRow *row)
{
	float	   *x = row->x;
	bool		infinite = is_double ? unpack_doubles((const float8 *) data, nulls, n, x) :
		mp_unpack_floats((const float *) data, nulls, n, x);

	for (int i = 0; infinite && i < n; i++)
		if (fabsf(x[i]) > FLT_MAX)
			mp_value_infinite(row, i, &x[i]);
}

static bool
read_array(MpRowForm *form, ArrayType *array, MpRow *row)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	bits8	   *nulls = ARR_NULLBITMAP(array);
	char	   *data = ARR_DATA_PTR(array);
	bool		complete = true;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				errmsg("the array of features must have one dimension, not %d", ARR_NDIM(array)));
	check_count(row->model, n, false);
	if (!form->checked)
	{
		for (int i = 0; i < n; i++)
			mp_value_check_type(row->model, i, form->inputs[0], NULL);
		form->checked = true;
	}
	if (row->model->plain &&
		(form->inputs[0].kind == MP_VALUE_FLOAT4 || form->inputs[0].kind == MP_VALUE_FLOAT8))
	{
		read_plain_array(data, nulls, n, form->inputs[0].kind == MP_VALUE_FLOAT8, row);
		return true;
	}
	for (int i = 0; i < n; i++)
	{
		if (nulls && !(nulls[i / 8] & (1 << (i % 8))))
		{
			row->x[i] = NAN;
			continue;
		}
		if (!mp_value_read(row, i, form->inputs[0],
						   fetch_att(data, form->element_by_value, form->element_length),
						   &row->x[i]))
			complete = false;
		data = att_addlength_pointer(data, form->element_length, data);
		data = (char *) att_align_nominal(data, form->element_align);
	}
	return complete;
}

/* Whether all columns have the names that ROW(...) gives: f1, f2, ... */
static bool
is_anonymous(TupleDesc desc)
{
	if (desc->tdtypeid != RECORDOID)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		char		name[16];

		snprintf(name, sizeof(name), "f%d", i + 1);
		if (strcmp(name, NameStr(TupleDescAttr(desc, i)->attname)) != 0)
			return false;
	}
	return true;
}

/* Whether the row's columns, f1, f2, ..., are just the model's own names. */
static bool
names_are_all_there(const MpModel *model, int n)
{
		if (!model->has_names)
		return false;
	for (int i = 0; i < model->n_inputs; i++)
	{
		MpString	name = mp_input_name(&model->inputs[i]);
		char		text[16];
		int			number;

		if (name.length < 2 || name.length > 10 || name.data[0] != 'f')
			return false;
		memcpy(text, name.data + 1, name.length - 1);
		text[name.length - 1] = '\0';
		number = atoi(text);
		if (number < 1 || number > n || strcmp(psprintf("%d", number), text) != 0)
			return false;
	}
	return true;
}

static void
map_columns(RowMap *map, TupleDesc desc, const MpModel *model)
{
	int			n = desc->natts;

	if (is_anonymous(desc) && !names_are_all_there(model, n))
	{
		check_count(model, n, false);
		for (int i = 0; i < n; i++)
			map->column_of[i] = i;
	}
	else
	{
		const char **names = palloc(sizeof(char *) * Max(n, 1));

		for (int i = 0; i < n; i++)
			names[i] = TupleDescAttr(desc, i)->attisdropped ? NULL : NameStr(TupleDescAttr(desc, i)->attname);
		mp_match_columns(model, names, n, map->column_of);
	}
	for (int i = 0; i < model->n_inputs; i++)
		if (map->column_of[i] >= 0)
		{
			Form_pg_attribute att = TupleDescAttr(desc, map->column_of[i]);

			map->inputs[i] = mp_value_type_of(att->atttypid);
			mp_value_check_type(model, i, map->inputs[i], NameStr(att->attname));
		}
}

static RowMap *
make_map(MpRowForm *form, Oid type, int32 typmod, const MpModel *model)
{
	MemoryContext old = MemoryContextSwitchTo(form->context);
	TupleDesc	desc = lookup_rowtype_tupdesc(type, typmod);
	int			n_features = model->n_inputs;
	RowMap	   *map = palloc0(sizeof(RowMap));

	map->type = type;
	map->typmod = typmod;
	if (type != RECORDOID)
	{
		map->entry = lookup_type_cache(type, TYPECACHE_TUPDESC);
		map->identifier = map->entry->tupDesc_identifier;
	}
	map->column_of = palloc(sizeof(int) * Max(n_features, 1));
	map->inputs = palloc0(sizeof(MpValueType) * Max(n_features, 1));
	map->desc = CreateTupleDescCopy(desc);
	ReleaseTupleDesc(desc);
	map_columns(map, map->desc, model);
	map->values = palloc(sizeof(Datum) * Max(map->desc->natts, 1));
	map->nulls = palloc(sizeof(bool) * Max(map->desc->natts, 1));
	map->next = form->maps;
	form->maps = map;
	MemoryContextSwitchTo(old);
	return map;
}

/* Which argument holds which feature: the map's columns are those after the lead. */
static void
map_arguments(MpRowForm *form, FunctionCallInfo fcinfo, const MpModel *model)
{
	MemoryContext old = MemoryContextSwitchTo(form->context);
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, form->first);
	TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);
	int			n_features = model->n_inputs;
	RowMap	   *map = palloc0(sizeof(RowMap));
	const char **names = palloc(sizeof(char *) * Max(desc->natts, 1));
	int			n = 0;

	map->column_of = palloc(sizeof(int) * Max(n_features, 1));
	map->inputs = palloc0(sizeof(MpValueType) * Max(n_features, 1));
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			names[n++] = pstrdup(NameStr(TupleDescAttr(desc, i)->attname));
	ReleaseTupleDesc(desc);
	if (n != form->n - 1)
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("a row cannot be mixed with other arguments"),
				errdetail("Argument %d is of the row type %s.", form->first + 1, format_type_be(type)));
	mp_match_columns(model, names, n, map->column_of);
	for (int i = 0; i < n_features; i++)
		if (map->column_of[i] >= 0)
		{
			const char *name = names[map->column_of[i]];

			map->column_of[i] += form->first + 1;
			map->inputs[i] = mp_value_type_of(get_fn_expr_argtype(fcinfo->flinfo, map->column_of[i]));
			mp_value_check_type(model, i, map->inputs[i], name);
		}
	MemoryContextSwitchTo(old);
	form->maps = map;
}

static bool
read_columns(MpRowForm *form, FunctionCallInfo fcinfo, MpRow *row)
{
	bool		complete = true;
	RowMap	   *map;

	if (form->maps == NULL)
		map_arguments(form, fcinfo, row->model);
	map = form->maps;
	for (int i = 0; i < row->model->n_inputs; i++)
	{
		const NullableDatum *arg = &fcinfo->args[map->column_of[i]];

		if (map->column_of[i] < 0 || arg->isnull)
			row->x[i] = NAN;
		else if (!mp_value_read(row, i, map->inputs[i], arg->value, &row->x[i]))
			complete = false;
	}
	return complete;
}

/* Whether the map is for rows of this type as it is now. */
static inline bool
fits(const RowMap *map, Oid type, int32 typmod)
{
	return map->type == type && map->typmod == typmod &&
		(map->entry == NULL || map->entry->tupDesc_identifier == map->identifier);
}

static RowMap *
map_for(MpRowForm *form, Oid type, int32 typmod, const MpModel *model)
{
	RowMap	   *map;

	for (RowMap **link = &form->maps; (map = *link) != NULL; link = &map->next)
		if (map->type == type && map->typmod == typmod)
		{
			*link = map->next;	/* to the front: rows of one type come in runs */
			if (!fits(map, type, typmod))
				break;
			map->next = form->maps;
			form->maps = map;
			return map;
		}
	return make_map(form, type, typmod, model);
}

static bool
read_composite(MpRowForm *form, HeapTupleHeader header, MpRow *row)
{
	Oid			type = HeapTupleHeaderGetTypeId(header);
	int32		typmod = HeapTupleHeaderGetTypMod(header);
	RowMap	   *map = form->maps;
	HeapTupleData tuple;
	bool		complete = true;

	if (map == NULL || !fits(map, type, typmod))
		map = map_for(form, type, typmod, row->model);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, map->desc, map->values, map->nulls);
	for (int i = 0; i < row->model->n_inputs; i++)
	{
		int			column = map->column_of[i];

		if (column < 0 || map->nulls[column])
			row->x[i] = NAN;
		else if (!mp_value_read(row, i, map->inputs[i], map->values[column], &row->x[i]))
			complete = false;
	}
	return complete;
}

bool
mp_row_read_jsonb(Jsonb *object, MpRow *row)
{
	MpJsonRow	json;

	return mp_json_row_read(&json, object, row);
}

static Jsonb *
json_to_jsonb(text *json)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(json))));
}

static bool
read_row(MpRowForm *form, FunctionCallInfo fcinfo, MpRow *row)
{
	Datum		value = fcinfo->args[form->first].value;

	if (form->kind == ROW_SCALARS)
		return read_scalars(form, fcinfo, row);
	if (form->kind == ROW_COLUMNS)
		return read_columns(form, fcinfo, row);
	if (PG_ARGISNULL(form->first))
		return false;
	switch (form->kind)
	{
		case ROW_COMPOSITE:
			return read_composite(form, DatumGetHeapTupleHeader(value), row);
		case ROW_JSONB:
			return mp_json_row_read(&form->json, DatumGetJsonbP(value), row);
		case ROW_JSON:
			return mp_json_row_read(&form->json, json_to_jsonb(DatumGetTextPP(value)), row);
		case ROW_ARRAY:
			form->array = DatumGetArrayTypeP(value);
			form->elements = NULL;
			return read_array(form, form->array, row);
		case ROW_COLUMNS:
		case ROW_SCALARS:
			break;
	}
	return false;
}

static void
name_model(void *arg)
{
	const MpModel *model = arg;

	errcontext("reading a row for model \"%s\" version %d", model->name, model->version);
}

bool
mp_row_read(MpRowForm *form, FunctionCallInfo fcinfo, MpRow *row)
{
	ErrorContextCallback context = {error_context_stack, name_model, unconstify(MpModel *, row->model)};
	bool		complete;

	error_context_stack = &context;
	complete = read_row(form, fcinfo, row);
	error_context_stack = context.previous;
	return complete;
}

static bool
array_value(MpRowForm *form, int feature, MpValueType *input, Datum *value)
{
	int			n;

	if (form->elements == NULL)
		deconstruct_array(form->array, ARR_ELEMTYPE(form->array), form->element_length,
						  form->element_by_value, form->element_align,
						  &form->elements, &form->element_nulls, &n);
	*input = form->inputs[0];
	*value = form->elements[feature];
	return !form->element_nulls[feature];
}

bool
mp_row_value(MpRowForm *form, FunctionCallInfo fcinfo, const MpRow *row, int feature,
			 MpValueType *input, Datum *value)
{
	const RowMap *map = form->maps;
	int			column;

	switch (form->kind)
	{
		case ROW_SCALARS:
			column = form->first + feature;
			*input = form->inputs[feature];
			*value = fcinfo->args[column].value;
			return !fcinfo->args[column].isnull;
		case ROW_COLUMNS:
			column = map->column_of[feature];
			*input = map->inputs[feature];
			*value = column < 0 ? (Datum) 0 : fcinfo->args[column].value;
			return column >= 0 && !fcinfo->args[column].isnull;
		case ROW_COMPOSITE:
			column = map->column_of[feature];
			*input = map->inputs[feature];
			*value = column < 0 ? (Datum) 0 : map->values[column];
			return column >= 0 && !map->nulls[column];
		case ROW_ARRAY:
			return array_value(form, feature, input, value);
		case ROW_JSONB:
		case ROW_JSON:
			return mp_json_row_value(&form->json, row, feature, input, value);
	}
	return false;
}
