/*
 * catalog.h: scans of the extension's tables, for the glue files that read
 * them. Include after postgres.h.
 */
#ifndef MP_CATALOG_H
#define MP_CATALOG_H

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "utils/rel.h"

#include "utils/snapshot.h"

#include "glue/compat.h"

#define MP_SCHEMA "model_predict"

#define MP_SCAN_MAX_KEYS 2

/* A scan by equality: begin, keys, next until NULL, end. Tuples are valid until the next call. */
typedef struct MpScan
{
	Relation	rel;
	Snapshot	snapshot;
	int			nkeys;
	ScanKeyData keys[MP_SCAN_MAX_KEYS];
	SysScanDesc scan;
} MpScan;

extern void mp_scan_begin(MpScan *scan, const char *table, Snapshot snapshot);
extern void mp_scan_key_int8(MpScan *scan, const char *column, int64 value);
extern void mp_scan_key_int4(MpScan *scan, const char *column, int32 value);
extern void mp_scan_key_text(MpScan *scan, const char *column, const char *value);
extern HeapTuple mp_scan_next(MpScan *scan);
extern Datum mp_scan_value(MpScan *scan, HeapTuple tuple, const char *column, bool *isnull);
extern Datum mp_scan_value_not_null(MpScan *scan, HeapTuple tuple, const char *column);
extern void mp_scan_end(MpScan *scan);

extern AttrNumber mp_catalog_column(Relation rel, const char *name);

/* A row of model_predict.model. */
typedef struct MpModelRow
{
	int64		id;
	Oid			owner;
	int32		last_version;
} MpModelRow;

/* All read under the given snapshot, and need no right on the tables. */
extern bool mp_catalog_installed(void);	/* in this database */
extern Oid	mp_catalog_schema(void);	/* errors where the extension is not installed */
extern Oid	mp_catalog_table(const char *name);
extern Snapshot mp_catalog_snapshot(void);	/* the active one */
extern bool mp_catalog_model(const char *name, Snapshot snapshot, MpModelRow *row);
extern bool mp_catalog_alias(int64 model, const char *alias, Snapshot snapshot, int32 *version);
extern bool mp_catalog_permitted(int64 model, Oid role, Snapshot snapshot);
extern bool mp_catalog_may_predict(const MpModelRow *row, Oid role, Snapshot snapshot);

/* Whether there is a model of that name that the role may use; *model is set in any case. */
extern bool mp_catalog_find(const char *name, Oid role, Snapshot snapshot, MpModelRow *model);
extern bool mp_catalog_may_manage(const MpModelRow *row, Oid role);
extern bool mp_catalog_has_version(int64 model, int32 version, Snapshot snapshot);
pg_noreturn extern void mp_catalog_refuse(const char *name, Oid role);
pg_noreturn extern void mp_catalog_no_version(const char *name, int32 version);

/*
 * The version that the reference names for this role, or an error, the same one
 * whether it does not exist or may not be used.
 */
extern int32 mp_catalog_resolve(const char *reference, Oid role, Snapshot snapshot,
								MpModelRow *model, char **name);

#endif
