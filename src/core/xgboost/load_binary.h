/*
 * load_binary.h: reads the old binary format.
 */
#ifndef MP_CORE_LOAD_BINARY_H
#define MP_CORE_LOAD_BINARY_H

#include "core/xgboost/file.h"

extern bool mp_load_binary(MpXgboostFile *file, const void *data, size_t size);

#endif
