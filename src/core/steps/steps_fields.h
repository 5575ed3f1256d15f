/*
 * steps_fields.h: the fields of a step, and its atoms.
 */
#ifndef MP_CORE_STEPS_FIELDS_H
#define MP_CORE_STEPS_FIELDS_H

#include "core/steps/steps_draft.h"

extern bool mp_draft_read_fields(Draft *draft, MpDoc *doc);
extern bool mp_draft_read_string(Draft *draft, MpDoc *doc, uint64_t *atom);
extern MpString mp_draft_text(const Draft *draft, uint64_t atom);
extern bool mp_draft_is_text(uint64_t atom);
extern bool mp_draft_is_null(uint64_t atom);
extern double mp_draft_number(uint64_t atom);
extern const char *mp_draft_shown(const Draft *draft, uint64_t atom, char *buffer, size_t size);
extern const char *mp_field_name(FieldId id);
extern bool mp_draft_fail(Draft *draft, const char *format,...) MP_PRINTF(2, 3);
extern bool mp_draft_add(Draft *draft, MpVec *vec, const void *data, size_t size);
extern bool mp_draft_add_word(Draft *draft, MpVec *vec, uint32_t word);
extern bool mp_draft_add_string(Draft *draft, uint64_t atom, uint32_t *at, uint32_t *length);

#endif
