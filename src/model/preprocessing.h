/*
 * preprocessing.h: a version's preprocessing, from its document to a program.
 * Include after postgres.h.
 */
#ifndef MP_PREPROCESSING_H
#define MP_PREPROCESSING_H

#include "utils/jsonb.h"

#include "core/steps/steps.h"
#include "store/catalog.h"

/* The document of a version's row, not copied; NULL: it has none. */
extern Jsonb *mp_preprocessing_of(MpScan *scan, HeapTuple tuple);

/* Compiles a document; an error where it is not sound. version 0: it has none yet */
extern MpSteps *mp_preprocessing_compile(Jsonb *document, const char *model, int32 version, MpAlloc *alloc);

/* What is stored beside the forest: the program, led by a hash of its document. */
extern bytea *mp_preprocessing_pack(Jsonb *document, const MpSteps *steps);

/* The stored program of the document in memory of `alloc`; NULL: what is stored does not serve. */
extern MpSteps *mp_preprocessing_unpack(Jsonb *document, Datum stored, MpAlloc *alloc);

/* The program of a version: as stored, or compiled. */
extern MpSteps *mp_preprocessing_load(Jsonb *document, const char *model, int64 id, int32 version,
									  Snapshot snapshot, MpAlloc *alloc);

#endif
