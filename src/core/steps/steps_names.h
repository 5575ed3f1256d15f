/*
 * steps_names.h: the names of values, and which inputs each derives from.
 */
#ifndef MP_CORE_STEPS_NAMES_H
#define MP_CORE_STEPS_NAMES_H

#include "core/steps/steps_draft.h"

extern bool mp_draft_define(Draft *draft, uint64_t name, uint32_t holds, uint32_t set);
extern bool mp_draft_find(Draft *draft, uint64_t name, uint32_t *slot);
extern bool mp_draft_set_of_input(Draft *draft, uint32_t input, uint32_t *set);
extern bool mp_draft_union(Draft *draft, const uint32_t *slots, uint32_t n, uint32_t *set);
extern bool mp_draft_group_features(Draft *draft);

#endif
