/*
 * load_xgboost.h: reads XGBoost's files, of every format, into a draft.
 */
#ifndef MP_CORE_LOAD_XGBOOST_H
#define MP_CORE_LOAD_XGBOOST_H

#include "core/draft/draft.h"

extern bool mp_load_xgboost(MpDraft *draft, MpFormat format, const void *data, size_t size);

#endif
