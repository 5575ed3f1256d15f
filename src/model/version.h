/*
 * version.h: from a version's row to a model. Include after postgres.h.
 */
#ifndef MP_VERSION_H
#define MP_VERSION_H

#include "model/model.h"
#include "store/catalog.h"

/* Begins a scan of the version's row, as the snapshot sees it; an error where there is none. */
extern HeapTuple mp_version_scan(MpScan *scan, const char *name, int64 id, int32 version,
								 Snapshot snapshot);

/* A hash of all that decides what the version answers. */
extern uint64 mp_version_fingerprint(MpScan *scan, HeapTuple tuple);

/* The model, below the current context; *shared_bytes: of it, in memory that all sessions share. */
extern MpModel *mp_version_load(const char *name, int64 id, int32 version, MpScan *scan,
								HeapTuple tuple, Size *shared_bytes);

/* The forest with its trees, of a model that has just the head. */
extern const MpForest *mp_version_trees(const MpModel *model, Snapshot snapshot, MemoryContext context);

/* The model's bytes, copied; an error where they are not those that were registered. */
extern bytea *mp_version_blob(const char *name, int64 id, int32 version, Snapshot snapshot);

/*
 * Compiles the version anew from its bytes and options and compares what is
 * stored: how it differs, or NULL; an error where the bytes are damaged.
 */
extern const char *mp_version_compare(const char *name, int64 id, int32 version, Snapshot snapshot);

/* Reads the version's bytes and stores what is compiled from them. Between mp_writer_begin and mp_writer_end. */
extern void mp_version_recompile(const char *name, int64 id, int32 version, Snapshot snapshot);

#endif
