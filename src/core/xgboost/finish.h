/*
 * finish.h: holds the parts of one of XGBoost's files against each other.
 */
#ifndef MP_CORE_XGBOOST_FINISH_H
#define MP_CORE_XGBOOST_FINISH_H

#include "core/xgboost/file.h"

/* Fills in the draft's head: outputs, base, rounds and rules. */
extern bool mp_xgboost_finish(MpXgboostFile *file);

#endif
