/*
 * views.c: the rows of our tables that the current role may see.
 *
 * The views are made of these functions, one for each table. They scan the
 * table themselves and check each model's right once, so a role needs no right
 * on the tables, and the planner, which knows nothing of their rows, cannot
 * tell in EXPLAIN how many there are for others. Columns are found by name: what
 * a function does not declare, such as a version's bytes, it does not return.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#include "glue/compat.h"
#include "store/lookup.h"
#include "store/roles.h"

/* What the current role may do with a model. */
typedef struct Sight
{
	int64		model;			/* the key */
	MpModelRow	row;
	bool		manages;
	bool		sees;
} Sight;

/* Which rows of a table are seen. */
typedef enum Rule
{
	BY_MODEL,					/* where the model is */
	BY_EVENT					/* of a model that is gone, and of its rights, by those who manage it */
} Rule;

typedef struct Viewer
{
	ReturnSetInfo *rsinfo;
	MpScan		scan;
	HTAB	   *models;
	AttrNumber *columns;		/* of each column of the result */
} Viewer;

/* Of these columns all may know the size, and only the owner the contents. */
static const struct
{
	const char *name;			/* of the result */
	const char *of;				/* of the table */
	bool		is_json;		/* an array, whose elements are counted; else bytes are */
}			sizes[] = {
	{"bytes", "data", false},
	{"examples", "examples", true}
};

static bool
reads_all(void)
{
	return mp_role_is(GetUserId(), ROLE_PG_READ_ALL_DATA);
}

static bool
manages(Oid owner)
{
	MpModelRow	row = {.owner = owner};

	return reads_all() || mp_lookup_may_manage(&row, GetUserId());
}

static HTAB *
find_models(Snapshot snapshot)
{
	HASHCTL		control = {.keysize = sizeof(int64), .entrysize = sizeof(Sight), .hcxt = CurrentMemoryContext};
	HTAB	   *models = hash_create("model_predict models", 64, &control,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	MpScan		scan;
	HeapTuple	tuple;

	mp_scan_begin(&scan, "stored_model", snapshot);
	while ((tuple = mp_scan_next(&scan)) != NULL)
	{
		int64		id = DatumGetInt64(mp_scan_value_not_null(&scan, tuple, "id"));
		Sight	   *sight = hash_search(models, &id, HASH_ENTER, NULL);

		CHECK_FOR_INTERRUPTS();
		sight->row.id = id;
		sight->row.owner = DatumGetObjectId(mp_scan_value_not_null(&scan, tuple, "owner"));
		sight->manages = manages(sight->row.owner);
		sight->sees = sight->manages || mp_lookup_permitted(id, GetUserId(), snapshot);
	}
	mp_scan_end(&scan);
	return models;
}

static bool
is_event_seen(Viewer *s, HeapTuple tuple, const Sight *sight)
{
	bool		isnull;

	if (sight == NULL)
		return manages(DatumGetObjectId(mp_scan_value_not_null(&s->scan, tuple, "owner")));
	mp_scan_value(&s->scan, tuple, "role", &isnull);
	return isnull ? sight->sees : sight->manages;
}

static bool
is_seen(Viewer *s, HeapTuple tuple, const char *key, Rule rule)
{
	int64		model = DatumGetInt64(mp_scan_value_not_null(&s->scan, tuple, key));
	const Sight *sight = hash_search(s->models, &model, HASH_FIND, NULL);

	if (rule == BY_EVENT)
		return is_event_seen(s, tuple, sight);
	return sight != NULL && sight->sees;
}

static int
find_size(const char *name)
{
	for (int i = 0; i < lengthof(sizes); i++)
		if (strcmp(name, sizes[i].name) == 0)
			return i;
	return -1;
}

/* The columns of the result, by name. */
static void
find_columns(Viewer *s)
{
	TupleDesc	desc = s->rsinfo->setDesc;

	s->columns = palloc(sizeof(AttrNumber) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);
		int			size = find_size(name);

		s->columns[i] = mp_catalog_column(s->scan.rel, size >= 0 ? sizes[size].of : name);
	}
}

static Datum
size_of(Datum value, bool is_json)
{
	struct varlena *head;

	if (!is_json)
		return Int32GetDatum(toast_raw_datum_size(value) - VARHDRSZ);
	head = PG_DETOAST_DATUM_SLICE(value, 0, sizeof(JsonbContainer));
	return Int32GetDatum(JsonContainerSize((JsonbContainer *) VARDATA_ANY(head)));
}

static void
put_row(Viewer *s, HeapTuple tuple)
{
	TupleDesc	desc = s->rsinfo->setDesc;
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);

	for (int i = 0; i < desc->natts; i++)
	{
		int			size = find_size(NameStr(TupleDescAttr(desc, i)->attname));

		values[i] = heap_getattr(tuple, s->columns[i], RelationGetDescr(s->scan.rel), &nulls[i]);
		if (size >= 0 && !nulls[i])
			values[i] = size_of(values[i], sizes[size].is_json);
	}
	tuplestore_putvalues(s->rsinfo->setResult, desc, values, nulls);
	pfree(values);
	pfree(nulls);
}

/* All rows of the table that the role may see; `key` is the column that names the model. */
static Datum
put_visible(FunctionCallInfo fcinfo, const char *table, const char *key, Rule rule)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	Viewer		s = {0};
	HeapTuple	tuple;

	InitMaterializedSRF(fcinfo, 0);
	s.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	s.models = find_models(snapshot);
	mp_scan_begin(&s.scan, table, snapshot);
	find_columns(&s);
	while ((tuple = mp_scan_next(&s.scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_seen(&s, tuple, key, rule))
			put_row(&s, tuple);
	}
	mp_scan_end(&s.scan);
	hash_destroy(s.models);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(mp_visible_models);
Datum
mp_visible_models(PG_FUNCTION_ARGS)
{
	return put_visible(fcinfo, "stored_model", "id", BY_MODEL);
}

PG_FUNCTION_INFO_V1(mp_visible_versions);
Datum
mp_visible_versions(PG_FUNCTION_ARGS)
{
	return put_visible(fcinfo, "stored_version", "model", BY_MODEL);
}

PG_FUNCTION_INFO_V1(mp_visible_aliases);
Datum
mp_visible_aliases(PG_FUNCTION_ARGS)
{
	return put_visible(fcinfo, "stored_alias", "model", BY_MODEL);
}

PG_FUNCTION_INFO_V1(mp_visible_features);
Datum
mp_visible_features(PG_FUNCTION_ARGS)
{
	return put_visible(fcinfo, "stored_feature", "model", BY_MODEL);
}

PG_FUNCTION_INFO_V1(mp_visible_inputs);
Datum
mp_visible_inputs(PG_FUNCTION_ARGS)
{
	return put_visible(fcinfo, "stored_input", "model", BY_MODEL);
}

PG_FUNCTION_INFO_V1(mp_visible_metrics);
Datum
mp_visible_metrics(PG_FUNCTION_ARGS)
{
	return put_visible(fcinfo, "stored_metrics", "model", BY_MODEL);
}

PG_FUNCTION_INFO_V1(mp_visible_events);
Datum
mp_visible_events(PG_FUNCTION_ARGS)
{
	return put_visible(fcinfo, "stored_event", "model_id", BY_EVENT);
}
