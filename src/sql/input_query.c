/*
 * input_query.c: drafts the SELECT that feeds a model from a table.
 *
 * The draft has one line for each feature, in the model's order: the column of
 * its name; or, where the name is a column's and a label, as pandas and
 * scikit-learn name one-hot columns, the comparison; or NULL. What a person
 * must look at is marked with the comment "?". Names reach the text only as
 * quoted identifiers and literals, never inside a comment, which they could
 * end. Nothing is run.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "model/cache.h"
#include "row/match.h"
#include "row/value.h"
#include "store/catalog.h"

#define LOOK " /* ? */"

/* StandardScaler leaves nearly all values of a column between these. */
#define STANDARDIZED 5.0

typedef struct Column
{
	const char *name;			/* NULL: dropped */
	MpValueKind kind;
	bool		beyond;			/* by its statistics, most values are not within STANDARDIZED */
} Column;

/* A column and a label whose names make a feature's. */
typedef struct OneHot
{
	const Column *column;		/* NULL: none */
	const char *label;
	bool		ambiguous;		/* another column and label make it as well */
} OneHot;

typedef struct Draft
{
	const MpModel *model;
	int			n;
	Column	   *columns;
	OneHot	   *one_hot;		/* of each feature: what its name may be made of */
	bool	   *standardized;	/* each feature: its thresholds look like those of a scaled column */
	StringInfoData sql;
} Draft;

static bool
is_number(MpValueKind kind)
{
	switch (kind)
	{
		case MP_VALUE_FLOAT4:
		case MP_VALUE_FLOAT8:
		case MP_VALUE_INT2:
		case MP_VALUE_INT4:
		case MP_VALUE_INT8:
		case MP_VALUE_NUMERIC:
			return true;
		case MP_VALUE_BOOL:
		case MP_VALUE_TEXT:
		case MP_VALUE_BPCHAR:
		case MP_VALUE_ENUM:
		case MP_VALUE_UNKNOWN:
		case MP_VALUE_JSON_STRING:
		case MP_VALUE_DATE:
		case MP_VALUE_TIMESTAMP:
		case MP_VALUE_TIMESTAMPTZ:
		case MP_VALUE_OTHER:
			break;
	}
	return false;
}

/* Whether the input can be read from the column as it is. */
static bool
fits(const MpInput *input, MpValueKind kind)
{
	if (kind == MP_VALUE_OTHER || input->is_time || mp_value_is_time(kind))
		return input->is_time && mp_value_is_time(kind);
	if (kind == MP_VALUE_BOOL && mp_input_knows_booleans(input))
		return true;
	if (is_number(kind) || kind == MP_VALUE_BOOL)
		return !mp_input_wants_label(input);
	return mp_input_is_category(input);
}

/* One-hot names */

static bool
same_folded(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (pg_ascii_tolower((unsigned char) a[i]) != pg_ascii_tolower((unsigned char) b[i]))
			return false;
	return true;
}

static bool
reads_as_number(const char *text)
{
	bool		digits = false;
	bool		point = false;

	for (const char *p = text + (text[0] == '-'); *p; p++)
	{
		if (*p >= '0' && *p <= '9')
			digits = true;
		else if (*p == '.' && !point && digits)
			point = true;
		else
			return false;
	}
	return digits;
}

/* scikit-learn's name for all labels that were rare in training */
static bool
is_infrequent(const char *label)
{
	return strcmp(label, "infrequent_sklearn") == 0;
}

/* Whether a column of this kind can be compared with the label. */
static bool
can_be_label(MpValueKind kind, const char *label)
{
	bool		ignored;

	if (kind == MP_VALUE_TEXT || kind == MP_VALUE_BPCHAR || kind == MP_VALUE_ENUM ||
		strcmp(label, "nan") == 0 || (is_infrequent(label) && is_number(kind)))
		return true;
	if (kind == MP_VALUE_BOOL)
		return parse_bool(label, &ignored);
	return is_number(kind) && reads_as_number(label);
}

/* The column with the longest name that "_" or "=" and a label make the feature's. */
static OneHot
find_one_hot(const Draft *d, const char *name)
{
	OneHot		best = {NULL, NULL, false};
	size_t		best_length = 0;
	bool		best_is_exact = false;

	for (int i = 0; i < d->n; i++)
	{
		const Column *c = &d->columns[i];
		size_t		length = c->name ? strlen(c->name) : 0;
		bool		is_exact;

		if (length == 0 || strlen(name) < length + 2 ||
			(name[length] != '_' && name[length] != '=') ||
			!same_folded(name, c->name, length) || !can_be_label(c->kind, name + length + 1))
			continue;
		is_exact = memcmp(name, c->name, length) == 0;
		best.ambiguous = best.column != NULL && !(length == best_length && is_exact != best_is_exact);
		if (best.column != NULL &&
			(length < best_length || (length == best_length && best_is_exact)))
			continue;
		best.column = c;
		best_length = length;
		best_is_exact = is_exact;
	}
	best.label = best.column ? name + best_length + 1 : NULL;
	return best;
}

/* scikit-learn's ColumnTransformer puts its step's name first: num__tenure */
static const char *
without_step(const char *name)
{
	const char *plain = strstr(name, "__");

	return plain != NULL ? plain + 2 : NULL;
}

static OneHot
find_one_hot_of_step(const Draft *d, const char *name)
{
	OneHot		found = find_one_hot(d, name);

	if (found.column == NULL && without_step(name) != NULL)
		found = find_one_hot(d, without_step(name));
	return found;
}

static const Column *
find_column(const Draft *d, const char *name)
{
	for (int i = 0; i < d->n; i++)
		if (d->columns[i].name && strcmp(d->columns[i].name, name) == 0)
			return &d->columns[i];
	return NULL;
}

static void
put_label(Draft *d, const Column *column, const char *label)
{
	appendStringInfoString(&d->sql,
						   is_number(column->kind) ? label : quote_literal_cstr(label));
}

/* The column as something that a label can be compared with. */
static void
put_compared(Draft *d, const Column *column)
{
	appendStringInfo(&d->sql, "%s%s", quote_identifier(column->name),
					 column->kind == MP_VALUE_ENUM ? "::text" : "");
}

/*
 * scikit-learn's column of rare labels holds those that have no column of
 * their own; or, if it ignores unknown labels, only those that it saw.
 */
static void
put_infrequent(Draft *d, const Column *column)
{
	bool		first = true;

	appendStringInfoString(&d->sql, "COALESCE(");
	put_compared(d, column);
	for (int i = 0; i < d->model->n_inputs; i++)
	{
		OneHot		other = d->one_hot[i];

		if (other.column != column || is_infrequent(other.label) || strcmp(other.label, "nan") == 0)
			continue;
		appendStringInfoString(&d->sql, first ? " NOT IN (" : ", ");
		put_label(d, column, other.label);
		first = false;
	}
	appendStringInfoString(&d->sql, first ? " IS NOT NULL, false)::int" LOOK : "), false)::int" LOOK);
}

/* NULL is no label: Python's encoders write 0 for it. */
static void
put_one_hot(Draft *d, OneHot found)
{
	const Column *column = found.column;

	if (is_infrequent(found.label))
	{
		put_infrequent(d, column);
		return;
	}
	if (strcmp(found.label, "nan") == 0)
		appendStringInfo(&d->sql, "(%s IS NULL)::int", quote_identifier(column->name));
	else
	{
		appendStringInfoString(&d->sql, "COALESCE(");
		put_compared(d, column);
		appendStringInfoString(&d->sql, " = ");
		put_label(d, column, found.label);
		appendStringInfoString(&d->sql, ", false)::int");
	}
	/* a number may be a label, or the second of several features made of one column */
	if (found.ambiguous || (is_number(column->kind) && strcmp(found.label, "nan") != 0))
		appendStringInfoString(&d->sql, LOOK);
}

/* From a name that is no column's: false where it says nothing. */
static bool
put_guess(Draft *d, int number)
{
	const char *name = mp_input_title(d->model, number);
	const Column *column;

	if (d->one_hot[number].column != NULL)
	{
		put_one_hot(d, d->one_hot[number]);
		return true;
	}
	column = without_step(name) != NULL ? find_column(d, without_step(name)) : NULL;
	if (column == NULL)
		return false;
	appendStringInfo(&d->sql, "%s" LOOK, quote_identifier(column->name));
	return true;
}

static void
put_value(Draft *d, int number, const Column *column)
{
	const MpInput *input = &d->model->inputs[number];
	bool		look;

	if (column != NULL)
	{
		look = !fits(input, column->kind) || (d->standardized[number] && column->beyond);
		appendStringInfo(&d->sql, "%s%s", quote_identifier(column->name), look ? LOOK : "");
	}
	else if (!d->model->has_names || !put_guess(d, number))
		appendStringInfo(&d->sql, "NULL" LOOK "::%s", input->is_time ? "timestamp" : mp_input_wants_label(input) ? "text" : "real");
}

/* Always in quotes, since it is the model's name; cut as PostgreSQL would, without its notice. */
static void
put_alias(Draft *d, int number)
{
	MpString	name = mp_input_name(&d->model->inputs[number]);
	int			length = name.length;

	/* columns f1, f2, ... are read by position */
	if (!d->model->has_names)
	{
		appendStringInfo(&d->sql, " AS f%d", number + 1);
		return;
	}
	if (length >= NAMEDATALEN)
		length = pg_mbcliplen(name.data, length, NAMEDATALEN - 1);
	if (length == 0)
		return;
	appendStringInfoString(&d->sql, " AS \"");
	for (int i = 0; i < length; i++)
	{
		if (name.data[i] == '"')
			appendStringInfoChar(&d->sql, '"');
		appendStringInfoChar(&d->sql, name.data[i]);
	}
	appendStringInfoChar(&d->sql, '"');
}

static double
value_as_double(MpValueKind kind, Datum value)
{
	switch (kind)
	{
		case MP_VALUE_FLOAT4:
			return DatumGetFloat4(value);
		case MP_VALUE_FLOAT8:
			return DatumGetFloat8(value);
		case MP_VALUE_INT2:
			return DatumGetInt16(value);
		case MP_VALUE_INT4:
			return DatumGetInt32(value);
		case MP_VALUE_INT8:
			return DatumGetInt64(value);
		case MP_VALUE_NUMERIC:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
		default:
			return 0;
	}
}

/*
 * Whether ANALYZE found most values of a column beyond STANDARDIZED; false
 * where it did not run, or where this role may not see its findings.
 */
static bool
is_beyond(Relation rel, int number, MpValueKind kind)
{
	static const int kinds[] = {STATISTIC_KIND_HISTOGRAM, STATISTIC_KIND_MCV};
	Oid			table = RelationGetRelid(rel);
	HeapTuple	statistics;
	int			n = 0;
	int			n_beyond = 0;

	if (!is_number(kind) || check_enable_rls(table, InvalidOid, true) == RLS_ENABLED ||
		(pg_class_aclcheck(table, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		 pg_attribute_aclcheck(table, number, GetUserId(), ACL_SELECT) != ACLCHECK_OK))
		return false;
	statistics = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(table), Int16GetDatum(number),
								 BoolGetDatum(false));
	if (!HeapTupleIsValid(statistics))
		return false;
	for (int i = 0; i < lengthof(kinds); i++)
	{
		AttStatsSlot slot;

		if (!get_attstatsslot(&slot, statistics, kinds[i], InvalidOid, ATTSTATSSLOT_VALUES))
			continue;
		n += slot.nvalues;
		for (int k = 0; k < slot.nvalues; k++)
			n_beyond += fabs(value_as_double(kind, slot.values[k])) > STANDARDIZED;
		free_attstatsslot(&slot);
	}
	ReleaseSysCache(statistics);
	return n_beyond * 2 > n;
}

static void
read_columns(Draft *d, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	d->n = desc->natts;
	d->columns = palloc0(sizeof(Column) * Max(d->n, 1));
	for (int i = 0; i < d->n; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped)
			continue;
		d->columns[i].name = pstrdup(NameStr(att->attname));
		d->columns[i].kind = mp_value_type_of(att->atttypid).kind;
		d->columns[i].beyond = is_beyond(rel, i + 1, d->columns[i].kind);
	}
}

/* Whether nine in ten thresholds of a feature are where StandardScaler leaves values. */
static void
find_standardized(Draft *d, const MpForest *forest)
{
	int		   *within = palloc0(sizeof(int) * Max(forest->n_features, 1));
	int		   *all = palloc0(sizeof(int) * Max(forest->n_features, 1));

	for (int i = 0; i < forest->n_trees_used; i++)
	{
		const MpTree *tree = mp_forest_trees(forest) + i;
		const MpNode *nodes = mp_forest_nodes(forest, tree);

		CHECK_FOR_INTERRUPTS();
		for (uint32 k = 0; k < tree->n_nodes; k++)
		{
			int			feature = nodes[k].feature & MP_NODE_FEATURE_MASK;

			if (nodes[k].left == 0 || (nodes[k].feature & MP_NODE_CATEGORICAL))
				continue;
			all[feature]++;
			within[feature] += fabs(mp_forest_value(forest, tree, k)) <= STANDARDIZED;
		}
	}
	for (int i = 0; i < forest->n_features; i++)
		d->standardized[i] = all[i] > 0 && (int64) within[i] * 10 >= (int64) all[i] * 9;
}

static void
find_one_hots(Draft *d)
{
	const MpModel *model = d->model;

	for (int i = 0; i < model->n_inputs && model->has_names; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!mp_input_is_category(&model->inputs[i]))
			d->one_hot[i] = find_one_hot_of_step(d, mp_input_title(model, i));
	}
}

static void
put_inputs(Draft *d)
{
	int			n = d->model->n_inputs;
	int		   *column_of = palloc(sizeof(int) * Max(n, 1));
	const char **names = palloc(sizeof(char *) * Max(d->n, 1));

	for (int i = 0; i < d->n; i++)
		names[i] = d->columns[i].name;
	for (int i = 0; i < n; i++)
		column_of[i] = -1;
	if (d->model->has_names)
		mp_match_guess(d->model, names, d->n, column_of);
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(&d->sql, i ? ",\n    " : "\n    ");
		put_value(d, i, column_of[i] >= 0 ? &d->columns[column_of[i]] : NULL);
		put_alias(d, i);
	}
}

/* A relation that a SELECT reads, with its columns. */
static Relation
open_table(Oid table)
{
	char		kind = get_rel_relkind(table);

	if (kind == '\0')
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("relation with OID %u does not exist", table));
	if (!(kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_VIEW ||
		  kind == RELKIND_MATVIEW || kind == RELKIND_FOREIGN_TABLE))
		ereport(ERROR,
				errcode(ERRCODE_WRONG_OBJECT_TYPE),
				errmsg("\"%s\" is not a table or view", get_rel_name(table)));
	return relation_open(table, AccessShareLock);
}

PG_FUNCTION_INFO_V1(mp_input_query);
Datum
mp_input_query(PG_FUNCTION_ARGS)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	MpFound		found = mp_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)), MP_RIGHT_PREDICT,
								  GetUserId(), snapshot);
	Relation	rel = open_table(PG_GETARG_OID(1));
	Draft		d;

	read_columns(&d, rel);
	d.model = mp_cache_get(&found, snapshot);
	if (d.model->n_inputs > MaxTupleAttributeNumber)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("model \"%s\" version %d has %d features, more than the %d columns that a SELECT can have",
					   d.model->name, d.model->version, d.model->n_inputs,
					   MaxTupleAttributeNumber),
				errhint("Score it with an array or a jsonb object."));
	/* with preprocessing the inputs are columns as they are */
	d.standardized = palloc0(sizeof(bool) * Max(d.model->n_inputs, 1));
	d.one_hot = palloc0(sizeof(OneHot) * Max(d.model->n_inputs, 1));
	if (d.model->steps == NULL)
	{
		find_standardized(&d, mp_cache_trees(d.model, snapshot));
		find_one_hots(&d);
	}
	initStringInfo(&d.sql);
	appendStringInfoString(&d.sql, "SELECT");
	put_inputs(&d);
	appendStringInfo(&d.sql, "\nFROM %s",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												RelationGetRelationName(rel)));
	relation_close(rel, AccessShareLock);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(d.sql.data, d.sql.len));
}
