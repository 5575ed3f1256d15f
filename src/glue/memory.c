/*
 * memory.c: gives the core its memory from a memory context.
 *
 * Out of memory, a cancel or a terminate leave the core by a longjmp; the
 * context is then reset or deleted by whoever made it, so nothing leaks.
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "glue/memory.h"

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

/*
 * Has the system provide all pages of a large new block at once: a fault for
 * each of them costs more than filling it. Just a hint, which may fail.
 */
void
mp_memory_populate(void *block, Size size)
{
#ifdef MADV_POPULATE_WRITE
	uintptr_t	page = sysconf(_SC_PAGESIZE);
	uintptr_t	start = ((uintptr_t) block + page - 1) / page * page;
	uintptr_t	end = ((uintptr_t) block + size) / page * page;
	int			save = errno;

	if (size < 16 * page)
		return;
	(void) madvise((void *) start, end - start, MADV_POPULATE_WRITE);
	errno = save;
#endif
}

/* From here on this process can only read these whole pages. Again a hint. */
void
mp_memory_seal(void *pages, Size size)
{
	int			save = errno;

	(void) mprotect(pages, size, PROT_READ);
	errno = save;
}
