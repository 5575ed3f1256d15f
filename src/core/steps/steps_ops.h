/*
 * steps_ops.h: from the fields of a step to the step.
 */
#ifndef MP_CORE_STEPS_OPS_H
#define MP_CORE_STEPS_OPS_H

#include "core/steps/steps_draft.h"

/* Makes the step whose fields have been read: one of a row, one on the prediction. */
extern bool mp_draft_build_step(Draft *draft);
extern bool mp_draft_build_output(Draft *draft);

#endif
