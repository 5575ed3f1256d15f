/*
 * served.c: which version a reference names, and which one it named at some time.
 *
 * The history tells: its entries are dated while the model's row is locked, so
 * their order is the order in which changes took effect. A change that was made
 * in a transaction held open is dated before that transaction's end.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "glue/compat.h"
#include "store/lookup.h"

PG_FUNCTION_INFO_V1(mp_version_of);
Datum
mp_version_of(PG_FUNCTION_ARGS)
{
	MpFound		found = mp_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)), MP_RIGHT_SEE, GetUserId(),
								  mp_catalog_snapshot());

	PG_RETURN_INT32(found.version);
}

/* Whether an entry moved the alias of the model by then. */
static bool
is_move(MpScan *scan, HeapTuple tuple, int64 model, const char *alias, TimestampTz at)
{
	bool		isnull;
	Datum		moved = mp_scan_value(scan, tuple, "alias", &isnull);

	return !isnull && strcmp(TextDatumGetCString(moved), alias) == 0 &&
		DatumGetInt64(mp_scan_value_not_null(scan, tuple, "model_id")) == model &&
		DatumGetTimestampTz(mp_scan_value_not_null(scan, tuple, "at")) <= at;
}

/* The last such entry's new version; 0: there is none, or it dropped the alias. */
static int32
version_at(const char *name, int64 model, const char *alias, TimestampTz at, Snapshot snapshot)
{
	MpScan		scan;
	HeapTuple	tuple;
	int64		last = -1;
	int32		version = 0;

	mp_scan_begin(&scan, "stored_event", snapshot);
	mp_scan_key_text(&scan, "model", name);
	while ((tuple = mp_scan_next(&scan)) != NULL)
	{
		int64		id = DatumGetInt64(mp_scan_value_not_null(&scan, tuple, "id"));
		bool		isnull;
		Datum		moved_to;

		CHECK_FOR_INTERRUPTS();
		if (id < last || !is_move(&scan, tuple, model, alias, at))
			continue;
		moved_to = mp_scan_value(&scan, tuple, "new_version", &isnull);
		version = isnull ? 0 : DatumGetInt32(moved_to);
		last = id;
	}
	mp_scan_end(&scan);
	return version;
}

PG_FUNCTION_INFO_V1(mp_as_of);
Datum
mp_as_of(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Snapshot	snapshot = mp_catalog_snapshot();
	MpModelRow	model;
	int32		version;

	mp_check_name(name, "model");
	mp_lookup_model(name, snapshot, &model);
	mp_lookup_check(name, &model, MP_RIGHT_SEE, GetUserId(), snapshot);
	version = version_at(name, model.id, text_to_cstring(PG_GETARG_TEXT_PP(2)),
						 PG_GETARG_TIMESTAMPTZ(1), snapshot);
	if (version == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s@%d", name, version)));
}
