/*
 * memory.h: memory of PostgreSQL's for the core, and of the system for large
 * blocks. Include after postgres.h.
 */
#ifndef MP_MEMORY_H
#define MP_MEMORY_H

#include "core/base/base.h"

extern MpAlloc *mp_alloc_context(MemoryContext context);
extern void mp_memory_populate(void *block, Size size);
extern void mp_memory_seal(void *pages, Size size);

#endif
