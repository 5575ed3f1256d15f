/*
 * booster.h: making boosters; used by the cache and by registration. Include
 * after postgres.h.
 */
#ifndef MP_BOOSTER_H
#define MP_BOOSTER_H

#include "glue/model_predict.h"

extern MpBooster *mp_booster_begin(const char *name, int64 model, int32 version);
extern void mp_booster_finish(MpBooster *booster, MpForest *forest, bool whole, void *kernel_image,
							  const MpRowOptions *options);
extern void mp_booster_from_forest(MpBooster *booster, MpForest *forest, const MpRowOptions *options);
extern void mp_version_recompile(const char *name, int64 model, int32 version, Snapshot snapshot);
extern void mp_booster_free(MpBooster *booster);

#endif
