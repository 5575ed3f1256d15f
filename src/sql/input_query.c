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

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "row/match.h"

#define LOOK " /* ? */"

typedef struct Column
{
	const char *name;			/* NULL: dropped */
	MpInputKind kind;
} Column;

typedef struct Draft
{
	MpBooster  *booster;
	int			n;
	Column	   *columns;
	StringInfoData sql;
} Draft;

static MpString
feature_name(const Draft *d, int feature)
{
	const MpFeature *f = mp_forest_features(d->booster->forest) + feature;

	return mp_forest_string(d->booster->forest, f->name, f->name_length);
}

static bool
is_number(MpInputKind kind)
{
	switch (kind)
	{
		case MP_INPUT_FLOAT4:
		case MP_INPUT_FLOAT8:
		case MP_INPUT_INT2:
		case MP_INPUT_INT4:
		case MP_INPUT_INT8:
		case MP_INPUT_NUMERIC:
			return true;
		case MP_INPUT_BOOL:
		case MP_INPUT_TEXT:
		case MP_INPUT_BPCHAR:
		case MP_INPUT_ENUM:
		case MP_INPUT_UNKNOWN:
		case MP_INPUT_OTHER:
			break;
	}
	return false;
}

/* Only text will do: a category whose labels do not read as numbers. */
static bool
wants_label(const MpFeature *f)
{
	return f->type == MP_FEATURE_CATEGORICAL && f->n_categories > 0 && !f->numeric_categories;
}

/* Whether the feature can be read from the column as it is. */
static bool
fits(const MpFeature *f, MpInputKind kind)
{
	if (kind == MP_INPUT_OTHER)
		return false;
	if (is_number(kind) || kind == MP_INPUT_BOOL)
		return !wants_label(f);
	return f->type == MP_FEATURE_CATEGORICAL;
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

/* Whether a column of this kind can be compared with the label. */
static bool
can_be_label(MpInputKind kind, const char *label)
{
	bool		ignored;

	if (kind == MP_INPUT_TEXT || kind == MP_INPUT_BPCHAR || kind == MP_INPUT_ENUM ||
		strcmp(label, "nan") == 0)
		return true;
	if (kind == MP_INPUT_BOOL)
		return parse_bool(label, &ignored);
	return is_number(kind) && reads_as_number(label);
}

/* The column with the longest name that "_" or "=" and a label make the feature's; or NULL. */
static const Column *
find_one_hot(const Draft *d, const char *name, const char **label)
{
	const Column *best = NULL;
	size_t		best_length = 0;
	bool		best_is_exact = false;

	for (int i = 0; i < d->n; i++)
	{
		const Column *c = &d->columns[i];
		size_t		length = c->name ? strlen(c->name) : 0;
		bool		is_exact;

		if (length == 0 || length < best_length || strlen(name) < length + 2 ||
			(name[length] != '_' && name[length] != '=') ||
			!same_folded(name, c->name, length) || !can_be_label(c->kind, name + length + 1))
			continue;
		is_exact = memcmp(name, c->name, length) == 0;
		if (best != NULL && length == best_length && best_is_exact)
			continue;
		best = c;
		best_length = length;
		best_is_exact = is_exact;
	}
	*label = best ? name + best_length + 1 : NULL;
	return best;
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
put_one_hot(Draft *d, const Column *column, const char *label)
{
	const char *name = quote_identifier(column->name);

	if (strcmp(label, "nan") == 0)
		appendStringInfo(&d->sql, "(%s IS NULL)::int", name);
	else if (is_number(column->kind))
		/* a label, or the second of several features made of one column */
		appendStringInfo(&d->sql, "(%s = %s)::int" LOOK, name, label);
	else
		appendStringInfo(&d->sql, "(%s%s = %s)::int", name,
						 column->kind == MP_INPUT_ENUM ? "::text" : "", quote_literal_cstr(label));
}

/* From a name that is no column's: false where it says nothing. */
static bool
put_guess(Draft *d, const MpFeature *f, const char *name)
{
	const char *plain = strstr(name, "__");
	const char *label;
	const Column *column = find_one_hot(d, name, &label);

	/* scikit-learn's ColumnTransformer puts its step's name first: num__tenure */
	if (column == NULL && plain != NULL)
		column = find_one_hot(d, plain + 2, &label);
	if (column != NULL && f->type != MP_FEATURE_CATEGORICAL)
	{
		put_one_hot(d, column, label);
		return true;
	}
	column = plain != NULL ? find_column(d, plain + 2) : NULL;
	if (column == NULL)
		return false;
	appendStringInfo(&d->sql, "%s" LOOK, quote_identifier(column->name));
	return true;
}

static void
put_value(Draft *d, int feature, const Column *column)
{
	const MpFeature *f = mp_forest_features(d->booster->forest) + feature;
	MpString	name = feature_name(d, feature);

	if (column != NULL)
		appendStringInfo(&d->sql, "%s%s", quote_identifier(column->name),
						 fits(f, column->kind) ? "" : LOOK);
	else if (d->booster->forest->n_feature_names == 0 ||
			 !put_guess(d, f, pnstrdup(name.data, name.length)))
		appendStringInfo(&d->sql, "NULL" LOOK "::%s", wants_label(f) ? "text" : "real");
}

/* Always in quotes, since it is the model's name; cut as PostgreSQL would, without its notice. */
static void
put_alias(Draft *d, int feature)
{
	MpString	name = feature_name(d, feature);
	int			length = name.length;

	/* columns f1, f2, ... are read by position */
	if (d->booster->forest->n_feature_names == 0)
	{
		appendStringInfo(&d->sql, " AS f%d", feature + 1);
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
		d->columns[i].kind = mp_input_of(att->atttypid).kind;
	}
}

static void
put_features(Draft *d)
{
	int			n = d->booster->forest->n_features;
	int		   *column_of = palloc(sizeof(int) * Max(n, 1));
	const char **names = palloc(sizeof(char *) * Max(d->n, 1));

	for (int i = 0; i < d->n; i++)
		names[i] = d->columns[i].name;
	for (int i = 0; i < n; i++)
		column_of[i] = -1;
	if (d->booster->forest->n_feature_names > 0)
		mp_match_guess(d->booster, names, d->n, column_of);
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
	MpModelRow	model;
	char	   *name;
	int32		version = mp_catalog_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)), GetUserId(),
											 snapshot, &model, &name);
	Relation	rel = open_table(PG_GETARG_OID(1));
	Draft		d;

	read_columns(&d, rel);
	d.booster = mp_cache_get(name, model.id, version, snapshot);
	if (d.booster->forest->n_features > MaxTupleAttributeNumber)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("model \"%s\" version %d has %d features, more than the %d columns that a SELECT can have",
					   d.booster->name, d.booster->version, d.booster->forest->n_features,
					   MaxTupleAttributeNumber),
				errhint("Score it with an array or a jsonb object."));
	initStringInfo(&d.sql);
	appendStringInfoString(&d.sql, "SELECT");
	put_features(&d);
	appendStringInfo(&d.sql, "\nFROM %s",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												RelationGetRelationName(rel)));
	relation_close(rel, AccessShareLock);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(d.sql.data, d.sql.len));
}
