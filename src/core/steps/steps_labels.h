/*
 * steps_labels.h: the labels of inputs, and tables of numbers.
 */
#ifndef MP_CORE_STEPS_LABELS_H
#define MP_CORE_STEPS_LABELS_H

#include "core/steps/steps_draft.h"

extern bool mp_draft_label(Draft *draft, uint32_t input, uint64_t atom, uint32_t *code);
extern bool mp_draft_finish_labels(Draft *draft);
extern bool mp_draft_hash_numbers(Draft *draft, const double *keys, uint32_t n, uint32_t *seed,
								  uint32_t *size);

#endif
