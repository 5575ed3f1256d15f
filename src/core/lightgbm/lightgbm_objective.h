/*
 * lightgbm_objective.h: what LightGBM's objectives make of margins.
 */
#ifndef MP_CORE_LIGHTGBM_OBJECTIVE_H
#define MP_CORE_LIGHTGBM_OBJECTIVE_H

#include "core/draft/draft.h"

/*
 * Fills in link and task from what the file says, such as "binary sigmoid:1";
 * empty: an objective of the user's own, whose margins are the predictions.
 */
extern bool mp_lightgbm_objective(MpDraft *draft, MpString text);

#endif
