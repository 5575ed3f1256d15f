/*
 * draft_features.h: holds names, types and categories against each other and
 * against what the caller gives; then writes them.
 */
#ifndef MP_CORE_DRAFT_FEATURES_H
#define MP_CORE_DRAFT_FEATURES_H

#include "core/draft/draft.h"

extern bool mp_draft_settle_features(MpDraft *draft);
extern bool mp_draft_write_features(MpDraft *draft, MpForest *forest);

#endif
