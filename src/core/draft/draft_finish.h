/*
 * draft_finish.h: from a complete draft to a forest.
 */
#ifndef MP_CORE_DRAFT_FINISH_H
#define MP_CORE_DRAFT_FINISH_H

#include "core/draft/draft.h"

/* The forest, neither checked nor sealed yet; also on failure the caller releases what is there. */
extern bool mp_draft_finish(MpDraft *draft, MpForest **forest);

#endif
