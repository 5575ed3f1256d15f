/*
 * memory.c: gives the core its memory from a memory context.
 *
 * Out of memory, a cancel or a terminate leave the core by a longjmp; the
 * context is then reset or deleted by whoever made it, so nothing leaks.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "model_predict.h"

typedef struct ContextAlloc
{
	MpAlloc		alloc;
	MemoryContext context;
} ContextAlloc;

static void *
context_resize(MpAlloc *alloc, void *block, size_t size)
{
	MemoryContext context = ((ContextAlloc *) alloc)->context;

	if (block == NULL)
		return MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE);
	return repalloc_huge(block, size);
}

static void
context_release(MpAlloc *alloc, void *block)
{
	pfree(block);
}

static void
context_poll(MpAlloc *alloc)
{
	CHECK_FOR_INTERRUPTS();
}

/* Lives in the context itself. */
MpAlloc *
mp_alloc_context(MemoryContext context)
{
	ContextAlloc *alloc = MemoryContextAlloc(context, sizeof(ContextAlloc));

	alloc->alloc.resize = context_resize;
	alloc->alloc.release = context_release;
	alloc->alloc.poll = context_poll;
	alloc->context = context;
	return &alloc->alloc;
}
