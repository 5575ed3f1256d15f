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
	const char *table;
	Relation	rel;			/* what this node holds of it */
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

/* Is told of each row that a scan finds; NULL: nobody is. */
extern void (*mp_scan_found) (const MpScan *scan, HeapTuple tuple);

extern AttrNumber mp_catalog_column(Relation rel, const char *name);

extern bool mp_catalog_installed(void);	/* in this database */
extern Oid	mp_catalog_schema(void);	/* errors where the extension is not installed */
extern Oid	mp_catalog_table(const char *name);
extern Snapshot mp_catalog_snapshot(void);	/* the active one */

#endif
