/*
 * steps_check.h: the checksum of a program, and the check that lets a stored one be trusted.
 */
#ifndef MP_CORE_STEPS_CHECK_H
#define MP_CORE_STEPS_CHECK_H

#include "core/steps/steps.h"

/* Whether `size` bytes at `program` (aligned to 8) are a sound program of this format and machine. */
extern bool mp_steps_check(MpAlloc *alloc, const void *program, size_t size, MpError *error);

/* Writes the checksum; the last step of building one. */
extern void mp_steps_seal(MpSteps *steps);

#endif
