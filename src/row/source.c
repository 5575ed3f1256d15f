/*
 * source.c: where a row comes from, and how it becomes the features of a model.
 *
 * The types of the arguments decide once which kind a call's rows are: one
 * composite is read by column name, one jsonb by key, one array and scalars by
 * position. What must be known of one model (where its inputs are) is learned at
 * the first row and kept until the call site resolves anew; a composite's map
 * belongs to the row's own type, since one call site may see several. The planner
 * turns a whole row of a table into its columns, led by a null of its type that
 * names them: see planner.c.
 *
 * Each kind brings its rows into one of three forms: arguments, columns, or
 * values of JSON. A getter gives an input's value of each, to the one loop that
 * reads a row and to those who show a value. An array of floats, where nothing is
 * to be decided for each of them, is read without it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "core/base/unpack.h"
#include "glue/error.h"
#include "row/features.h"
#include "row/json.h"
#include "row/source.h"
#include "store/catalog.h"

typedef enum SourceKind
{
	SOURCE_ARGUMENTS,			/* scalars; or the columns of a row, after a null of its type */
	SOURCE_RECORD,
	SOURCE_COLUMNS,				/* of a slot */
	SOURCE_ARRAY,
	SOURCE_JSONB,
	SOURCE_JSON
} SourceKind;

/* A row type that a call site has seen. */
typedef struct RecordType
{
	struct RecordType *next;
	Oid			type;
	int32		typmod;
	TypeCacheEntry *entry;		/* of a named type, whose columns may change between two rows; else NULL */
	uint64		identifier;		/* of the columns that the map was made for */
	TupleDesc	desc;			/* whole: since 15.20 a shorter one does not fit a named row type */
	Datum	   *values;			/* of a row */
	bool	   *nulls;
	MpInputMap *map;
} RecordType;

struct MpSource
{
	SourceKind	kind;
	int			first;			/* argument where the row starts */
	bool		is_named;		/* SOURCE_ARGUMENTS: names of columns come first */
	MpColumns	columns;		/* of SOURCE_ARGUMENTS and SOURCE_COLUMNS; the only type of an array's elements */
	int16		element_length;
	bool		element_by_value;
	char		element_align;
	/* what is learned of one model */
	MemoryContext context;
	MpInputMap *map;			/* NULL: nothing yet */
	RecordType *records;		/* the last used first */
	/* the row read last, in the memory of that call */
	const NullableDatum *arguments;
	Datum	   *values;
	bool	   *nulls;
	JsonbValue *json;			/* of each input */
	ArrayType  *array;
	bool		is_unpacked;	/* into values and nulls */
};

pg_noreturn static void
bad_type(Oid type)
{
	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("a row cannot be read from type %s", format_type_be(type)),
			errhint("Pass a whole row such as c.*, a jsonb object, an array of numbers, or the values one by one; for a date or time, what the model was trained with, such as extract(epoch from x)."));
}

static MpSource *
create(SourceKind kind, int first, MemoryContext context)
{
	MpSource   *source = MemoryContextAllocZero(context, sizeof(MpSource));

	source->kind = kind;
	source->first = first;
	source->context = AllocSetContextCreate(context, "model_predict row", ALLOCSET_SMALL_SIZES);
	return source;
}

static void
set_array(MpSource *source, Oid element)
{
	source->kind = SOURCE_ARRAY;
	source->columns.types = palloc(sizeof(MpValueType));
	source->columns.types[0] = mp_value_type_of(element);
	if (source->columns.types[0].kind == MP_VALUE_OTHER)
		bad_type(get_array_type(element));
	get_typlenbyvalalign(element, &source->element_length, &source->element_by_value,
						 &source->element_align);
}

Oid
mp_source_columns_type(void)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("columns"),
						   ObjectIdGetDatum(mp_catalog_schema()));
}

/* Whether names lead the values. Such a type is not among those of PostgreSQL itself. */
static bool
is_named(FunctionCallInfo fcinfo, int first, Oid type)
{
	return PG_NARGS() - first > 1 && type >= FirstNormalObjectId && type == mp_source_columns_type();
}

pg_noreturn static void
mixed_row(int argument, Oid type)
{
	ereport(ERROR,
			errcode(ERRCODE_DATATYPE_MISMATCH),
			errmsg("a row cannot be mixed with other arguments"),
			errdetail("Argument %d is of the row type %s.", argument, format_type_be(type)),
			errhint("Pass just one row, such as one of a subquery that adds columns, or all values one by one."));
}

static void
set_scalars(MpSource *source, FunctionCallInfo fcinfo)
{
	MpColumns  *columns = &source->columns;

	columns->by_position = true;
	columns->n = PG_NARGS() - source->first;
	columns->types = palloc(sizeof(MpValueType) * columns->n);
	for (int i = 0; i < columns->n; i++)
	{
		int			argument = source->first + i;
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argument);

		columns->types[i] = mp_value_type_of(type);
		if (columns->types[i].kind != MP_VALUE_OTHER)
			continue;
		if (columns->n == 1)
			bad_type(type);
		if (type_is_rowtype(getBaseType(type)))
			mixed_row(argument + 1, type);
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("argument %d of type %s cannot be a feature", argument + 1, format_type_be(type)),
				errhint("Pass a number, a boolean or a category's label; for a date or time, what the model was trained with, such as extract(epoch from x)."));
	}
}

/* The columns of a row, those in `hidden` without a name, dropped ones left out where the row has no place for them. */
static void
set_columns(MpColumns *columns, TupleDesc desc, const bool *hidden, bool with_dropped)
{
	columns->names = palloc(sizeof(char *) * Max(desc->natts, 1));
	columns->types = palloc0(sizeof(MpValueType) * Max(desc->natts, 1));
	columns->n = 0;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool		is_read = !att->attisdropped && !(hidden != NULL && hidden[i]);

		if (!is_read && !with_dropped)
			continue;
		columns->names[columns->n] = is_read ? pstrdup(NameStr(att->attname)) : NULL;
		if (is_read)
			columns->types[columns->n] = mp_value_type_of(att->atttypid);
		columns->n++;
	}
}

/* A row that the planner has expanded. */
static void
set_named(MpSource *source, FunctionCallInfo fcinfo)
{
	int			first = source->first;
	MpColumns  *columns = &source->columns;
	Datum	   *names;
	bool	   *nulls;

	if (PG_ARGISNULL(first) || !get_fn_expr_arg_stable(fcinfo->flinfo, first))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the names of columns must be a constant"));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(first), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &columns->n);
	if (columns->n != PG_NARGS() - first - 1)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("%d names of columns are followed by %d values", columns->n, PG_NARGS() - first - 1));
	columns->names = palloc(sizeof(char *) * Max(columns->n, 1));
	columns->types = palloc(sizeof(MpValueType) * Max(columns->n, 1));
	for (int i = 0; i < columns->n; i++)
	{
		columns->names[i] = nulls[i] ? NULL : TextDatumGetCString(names[i]);
		columns->types[i] = mp_value_type_of(get_fn_expr_argtype(fcinfo->flinfo, first + 1 + i));
	}
	source->is_named = true;
}

MpSource *
mp_source_of_call(FunctionCallInfo fcinfo, int first, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	MpSource   *source = create(SOURCE_ARGUMENTS, first, context);
	Oid			type;
	Oid			base;

	if (fcinfo->flinfo->fn_expr == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INDETERMINATE_DATATYPE),
				errmsg("could not determine the types of the row's values"),
				errdetail("The function was called without an expression that tells them."));
	type = get_fn_expr_argtype(fcinfo->flinfo, first);
	base = getBaseType(type);
	if (get_fn_expr_variadic(fcinfo->flinfo))
		set_array(source, get_base_element_type(type));
	else if (is_named(fcinfo, first, type))
		set_named(source, fcinfo);
	else if (PG_NARGS() - first > 1)
		set_scalars(source, fcinfo);
	else if (base == JSONBOID)
		source->kind = SOURCE_JSONB;
	else if (base == JSONOID)
		source->kind = SOURCE_JSON;
	else if (type_is_rowtype(base))
		source->kind = SOURCE_RECORD;
	else if (OidIsValid(get_base_element_type(type)))
		set_array(source, get_base_element_type(type));
	else
		set_scalars(source, fcinfo);
	MemoryContextSwitchTo(old);
	return source;
}

MpSource *
mp_source_of_columns(TupleDesc desc, const bool *hidden, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	MpSource   *source = create(SOURCE_COLUMNS, 0, context);

	set_columns(&source->columns, desc, hidden, true);
	MemoryContextSwitchTo(old);
	return source;
}

MpSource *
mp_source_of_jsonb(MemoryContext context)
{
	return create(SOURCE_JSONB, 0, context);
}

void
mp_source_reset(MpSource *source)
{
	source->map = NULL;
	source->records = NULL;
	source->json = NULL;
	source->values = NULL;
	source->nulls = NULL;
	MemoryContextReset(source->context);
}

static MpInputMap *
make_map(MpSource *source, const MpModel *model, const MpColumns *columns)
{
	MemoryContext old = MemoryContextSwitchTo(source->context);
	MpInputMap *map = mp_map_make(model, columns);

	MemoryContextSwitchTo(old);
	return map;
}

const MpInputMap *
mp_source_map(MpSource *source, const MpModel *model)
{
	if (source->map == NULL)
		source->map = make_map(source, model, &source->columns);
	return source->map;
}

/* Getters: the value of an input; false: null, or not there. */

static inline bool
get_argument(const MpSource *source, const MpModel *model, int input, MpValueType *type, Datum *value)
{
	const MpPlace *place = &source->map->places[input];
	const NullableDatum *argument = &source->arguments[place->column];

	if (place->column < 0 || argument->isnull)
		return false;
	*type = place->type;
	*value = argument->value;
	return true;
}

static inline bool
get_column(const MpSource *source, const MpModel *model, int input, MpValueType *type, Datum *value)
{
	const MpPlace *place = &source->map->places[input];

	if (place->column < 0 || source->nulls[place->column])
		return false;
	*type = place->type;
	*value = source->values[place->column];
	return true;
}

static inline bool
get_json(const MpSource *source, const MpModel *model, int input, MpValueType *type, Datum *value)
{
	return mp_json_value(model, input, &source->json[input], type, value);
}

typedef bool (*Getter) (const MpSource *source, const MpModel *model, int input,
						MpValueType *type, Datum *value);

/*
 * A fault of the steps: a value that is not known may be taken for missing, or
 * make the answer NULL; the rest is an error.
 */
static bool
settle_fault(const MpSource *source, MpRow *row, Getter get, const MpStepsFault *fault)
{
	const MpModel *model = row->model;
	MpValueType type;
	Datum		value;
	const char *text = NULL;
	int			culprit = mp_features_culprit(model, fault);

	if (fault->kind == MP_STEPS_UNKNOWN)
	{
		if (model->options.unseen_category == MP_UNSEEN_NULL)
			return false;
		if (model->options.unseen_category == MP_UNSEEN_MISSING && culprit >= 0 &&
			!mp_slot_is_missing(row, culprit))
		{
			mp_slot_missing(row, culprit);
			return true;
		}
		if (culprit >= 0 && get(source, model, culprit, &type, &value))
			text = mp_value_text(type, value);
	}
	return mp_features_fault(row, fault, culprit, text);
}

/* Runs the steps over the slots. */
static bool
make_features(const MpSource *source, MpRow *row, Getter get)
{
	MpStepsFault fault;

	/* each turn takes one more input for missing */
	while (!mp_steps_run(row->model->steps, row->slots, &fault))
		if (!settle_fault(source, row, get, &fault))
			return false;
	return mp_features_finish(row);
}

/* The loop of a model with preprocessing. */
static pg_attribute_always_inline bool
read_slots(const MpSource *source, MpRow *row, Getter get)
{
	const MpModel *model = row->model;
	bool		complete = true;

	for (int i = 0; i < model->n_inputs; i++)
	{
		MpValueType type;
		Datum		value;

		if (!get(source, model, i, &type, &value))
			mp_slot_missing(row, i);
		else if (!mp_slot_read(row, i, type, value))
		{
			mp_slot_missing(row, i);	/* not the last row's */
			complete = false;
		}
	}
	return complete && make_features(source, row, get);
}

/* The loop of one without: its inputs are its features, too. */
static pg_attribute_always_inline bool
read_numbers(const MpSource *source, MpRow *row, Getter get, bool wide)
{
	const MpModel *model = row->model;
	bool		complete = true;

	for (int i = 0; i < model->n_inputs; i++)
	{
		MpValueType type;
		Datum		value;
		double		x = NAN;

		if (get(source, model, i, &type, &value) &&
			!mp_value_read(row, i, type, value, wide, &x))
		{
			x = NAN;
			complete = false;
		}
		if (wide)
			row->wide[i] = x;
		else
			row->x[i] = (float) x;
	}
	return complete;
}

static pg_attribute_always_inline bool
read_inputs(const MpSource *source, MpRow *row, Getter get)
{
	if (row->model->steps != NULL)
		return read_slots(source, row, get);
	if (likely(!row->model->wide))
		return read_numbers(source, row, get, false);
	return read_numbers(source, row, get, true) && mp_features_prepare(row);
}

/* Arguments */

/* An untyped literal that looks like JSON or an array was meant as one. */
static void
check_lone_literal(FunctionCallInfo fcinfo, const MpSource *source)
{
	const char *literal;

	if (source->columns.n != 1 || source->columns.types[0].kind != MP_VALUE_UNKNOWN || PG_ARGISNULL(source->first))
		return;
	literal = PG_GETARG_CSTRING(source->first);
	if (literal[0] == '{' || literal[0] == '[')
		ereport(ERROR,
				errcode(ERRCODE_INDETERMINATE_DATATYPE),
				errmsg("the type of the row \"%s\" is not known", mp_shown(literal)),
				errhint("Cast it: '{...}'::jsonb for an object, '{...}'::real[] for an array."));
}

/* A null scalar is a missing value. */
static bool
read_arguments(MpSource *source, FunctionCallInfo fcinfo, MpRow *row)
{
	source->arguments = &fcinfo->args[source->first + source->is_named];
	if (unlikely(source->map == NULL))
	{
		if (source->columns.by_position)
		{
			check_lone_literal(fcinfo, source);
			if (source->columns.n == 1 && row->model->n_inputs > 1 && mp_value_is_time(source->columns.types[0].kind))
				bad_type(source->columns.types[0].type);
			mp_map_check_count(row->model, source->columns.n, source->columns.n == 1);
		}
		mp_source_map(source, row->model);
	}
	return read_inputs(source, row, get_argument);
}

/* Arrays */

/* As mp_unpack_floats. */
static bool
unpack_doubles(const float8 *values, const uint8 *present, int n, float *x)
{
	bool		infinite = false;

	for (int i = 0; i < n; i++)
	{
		x[i] = present == NULL || (present[i / 8] >> (i % 8) & 1) ? (float) *values++ : NAN;
		infinite |= fabsf(x[i]) > FLT_MAX;
	}
	return infinite;
}

static bool
read_wide_array(const char *data, const bits8 *present, int n, bool is_double, MpRow *row)
{
	for (int i = 0; i < n; i++)
	{
		double		x = NAN;

		if (present == NULL || (present[i / 8] >> (i % 8) & 1))
		{
			x = is_double ? *(const double *) data : *(const float *) data;
			data += is_double ? sizeof(double) : sizeof(float);
			if (unlikely(isinf(x)))
				mp_value_infinite(row, i, &x);
		}
		row->wide[i] = x;
	}
	return mp_features_prepare(row);
}

/* Numbers for features that are all plain numbers: nothing to decide per value. */
static bool
read_plain_array(ArrayType *array, int n, bool is_double, MpRow *row)
{
	const char *data = ARR_DATA_PTR(array);
	const uint8 *nulls = ARR_NULLBITMAP(array);
	float	   *x = row->x;
	bool		infinite;

	if (row->model->wide)
		return read_wide_array(data, nulls, n, is_double, row);
	infinite = is_double ? unpack_doubles((const float8 *) data, nulls, n, x) :
		mp_unpack_floats((const float *) data, nulls, n, x);
	for (int i = 0; infinite && i < n; i++)
		if (fabsf(x[i]) > FLT_MAX)
		{
			double		number = x[i];

			mp_value_infinite(row, i, &number);
			x[i] = (float) number;
		}
	return true;
}

static void
learn_elements(MpSource *source, const MpModel *model, int n)
{
	MpColumns	columns = {.n = n, .by_position = true};

	columns.types = MemoryContextAllocHuge(source->context, sizeof(MpValueType) * Max(n, 1));
	for (int i = 0; i < n; i++)
		columns.types[i] = source->columns.types[0];
	source->map = make_map(source, model, &columns);
	pfree(columns.types);
}

static void
unpack_array(MpSource *source)
{
	ArrayType  *array = source->array;
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const uint8 *present = ARR_NULLBITMAP(array);
	char	   *data = ARR_DATA_PTR(array);

	if (source->values == NULL)
	{
		source->values = MemoryContextAllocHuge(source->context, sizeof(Datum) * Max(n, 1));
		source->nulls = MemoryContextAllocHuge(source->context, sizeof(bool) * Max(n, 1));
	}
	for (int i = 0; i < n; i++)
	{
		source->nulls[i] = present != NULL && !(present[i / 8] & (1 << (i % 8)));
		if (source->nulls[i])
			continue;
		source->values[i] = fetch_att(data, source->element_by_value, source->element_length);
		data = att_addlength_pointer(data, source->element_length, data);
		data = (char *) att_align_nominal(data, source->element_align);
	}
	source->is_unpacked = true;
}

static bool
read_array(MpSource *source, ArrayType *array, MpRow *row)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	MpValueKind kind = source->columns.types[0].kind;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				errmsg("the array of features must have one dimension, not %d", ARR_NDIM(array)));
	mp_map_check_count(row->model, n, false);
	if (unlikely(source->map == NULL))
		learn_elements(source, row->model, n);
	source->array = array;
	source->is_unpacked = false;
	if (row->model->plain && (kind == MP_VALUE_FLOAT4 || kind == MP_VALUE_FLOAT8))
	{
		return read_plain_array(array, n, kind == MP_VALUE_FLOAT8, row);
	}
	unpack_array(source);
	return read_inputs(source, row, get_column);
}

/* Records */

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

static RecordType *
learn_record(MpSource *source, Oid type, int32 typmod, const MpModel *model)
{
	MemoryContext old = MemoryContextSwitchTo(source->context);
	TupleDesc	desc = lookup_rowtype_tupdesc(type, typmod);
	RecordType *record = palloc0(sizeof(RecordType));
	MpColumns	columns = {0};

	record->type = type;
	record->typmod = typmod;
	if (type != RECORDOID)
	{
		record->entry = lookup_type_cache(type, TYPECACHE_TUPDESC);
		record->identifier = record->entry->tupDesc_identifier;
	}
	record->desc = CreateTupleDescCopy(desc);
	ReleaseTupleDesc(desc);
	set_columns(&columns, record->desc, NULL, true);
	columns.by_position = is_anonymous(record->desc) && !names_are_all_there(model, columns.n);
	record->map = mp_map_make(model, &columns);
	record->values = palloc(sizeof(Datum) * Max(columns.n, 1));
	record->nulls = palloc(sizeof(bool) * Max(columns.n, 1));
	record->next = source->records;
	source->records = record;
	MemoryContextSwitchTo(old);
	return record;
}

/* Whether the record is of this type as it is now. */
static inline bool
fits(const RecordType *record, Oid type, int32 typmod)
{
	return record->type == type && record->typmod == typmod &&
		(record->entry == NULL || record->entry->tupDesc_identifier == record->identifier);
}

static RecordType *
find_record(MpSource *source, Oid type, int32 typmod, const MpModel *model)
{
	RecordType *record;

	for (RecordType **link = &source->records; (record = *link) != NULL; link = &record->next)
		if (record->type == type && record->typmod == typmod)
		{
			*link = record->next;	/* to the front: rows of one type come in runs */
			if (!fits(record, type, typmod))
				break;
			record->next = source->records;
			source->records = record;
			return record;
		}
	return learn_record(source, type, typmod, model);
}

static bool
read_record(MpSource *source, HeapTupleHeader header, MpRow *row)
{
	Oid			type = HeapTupleHeaderGetTypeId(header);
	int32		typmod = HeapTupleHeaderGetTypMod(header);
	RecordType *record = source->records;
	HeapTupleData tuple;

	if (record == NULL || !fits(record, type, typmod))
		record = find_record(source, type, typmod, row->model);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, record->desc, record->values, record->nulls);
	source->map = record->map;
	source->values = record->values;
	source->nulls = record->nulls;
	return read_inputs(source, row, get_column);
}

/* Everything */

static Jsonb *
json_to_jsonb(text *json)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(json))));
}

bool
mp_row_read_jsonb(MpSource *source, Jsonb *object, MpRow *row)
{
	if (source->json == NULL)
		source->json = MemoryContextAllocHuge(source->context, sizeof(JsonbValue) * Max(row->model->n_inputs, 1));
	mp_json_find(row->model, object, source->json);
	return read_inputs(source, row, get_json);
}

bool
mp_row_read_columns(MpSource *source, Datum *values, bool *nulls, MpRow *row)
{
	mp_source_map(source, row->model);
	source->values = values;
	source->nulls = nulls;
	return read_inputs(source, row, get_column);
}

static bool
read_row(MpSource *source, FunctionCallInfo fcinfo, MpRow *row)
{
	const NullableDatum *argument = &fcinfo->args[source->first];

	if (source->kind == SOURCE_ARGUMENTS)
		return read_arguments(source, fcinfo, row);
	if (argument->isnull)
		return false;
	switch (source->kind)
	{
		case SOURCE_RECORD:
			return read_record(source, DatumGetHeapTupleHeader(argument->value), row);
		case SOURCE_JSONB:
			return mp_row_read_jsonb(source, DatumGetJsonbP(argument->value), row);
		case SOURCE_JSON:
			return mp_row_read_jsonb(source, json_to_jsonb(DatumGetTextPP(argument->value)), row);
		case SOURCE_ARRAY:
			return read_array(source, DatumGetArrayTypeP(argument->value), row);
		case SOURCE_ARGUMENTS:
		case SOURCE_COLUMNS:
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
mp_row_read(MpSource *source, FunctionCallInfo fcinfo, MpRow *row)
{
	ErrorContextCallback context = {error_context_stack, name_model, unconstify(MpModel *, row->model)};
	bool		complete;

	error_context_stack = &context;
	complete = read_row(source, fcinfo, row);
	error_context_stack = context.previous;
	return complete;
}

bool
mp_source_value(MpSource *source, const MpModel *model, int input, MpValueType *type, Datum *value)
{
	switch (source->kind)
	{
		case SOURCE_ARGUMENTS:
			return get_argument(source, model, input, type, value);
		case SOURCE_ARRAY:
			if (!source->is_unpacked)
				unpack_array(source);
			return get_column(source, model, input, type, value);
		case SOURCE_RECORD:
		case SOURCE_COLUMNS:
			return get_column(source, model, input, type, value);
		case SOURCE_JSONB:
		case SOURCE_JSON:
			return get_json(source, model, input, type, value);
	}
	return false;
}
