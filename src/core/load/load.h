/*
 * load.h: from the bytes of a model file to a forest.
 *
 * Reads UBJSON, JSON and the old binary format of XGBoost, the text format of
 * LightGBM, and the document of scikit-learn's trees, told apart by content.
 * Nothing in the file is trusted: see load.c.
 */
#ifndef MP_CORE_LOAD_H
#define MP_CORE_LOAD_H

#include "core/draft/options.h"
#include "core/forest/forest.h"

/* Bytes of the largest file: offsets within have 32 bits. A bytea holds half of it. */
#define MP_MAX_MODEL_SIZE INT32_MAX

/*
 * On success *forest is one block of `alloc`, sealed and checked. Memory at
 * most 4 x size + 16 MB at any time. info may be NULL.
 */
extern bool mp_model_load(MpAlloc *alloc, const void *data, size_t size,
						  const MpLoadOptions *options, MpForest **forest,
						  MpModelInfo *info, MpError *error);

#endif
