/*
 * steps_read.h: from a preprocessing document to its program.
 */
#ifndef MP_CORE_STEPS_READ_H
#define MP_CORE_STEPS_READ_H

#include "core/steps/steps.h"

/*
 * Reads, checks and compiles a document; *steps is memory of `alloc`. Takes at
 * most 4 x size + 16 MiB at once.
 */
extern bool mp_steps_read(MpAlloc *alloc, const char *document, size_t size, MpSteps **steps,
						  MpError *error);

#endif
