/*
 * load_lightgbm.h: reads LightGBM's text files, v2 to v4, into a draft.
 */
#ifndef MP_CORE_LOAD_LIGHTGBM_H
#define MP_CORE_LOAD_LIGHTGBM_H

#include "core/draft/draft.h"

extern bool mp_load_lightgbm(MpDraft *draft, const void *data, size_t size);

#endif
