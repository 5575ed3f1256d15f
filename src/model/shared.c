/*
 * shared.c: one copy of an image for all sessions.
 *
 * The first session that loads an image reads it into a segment of dynamic
 * shared memory, checks it, and enters it into a registry in PostgreSQL's main
 * shared memory; those that find it there just map it. A session still reads
 * the row that the image belongs to by its own snapshot: the registry is asked
 * for the very contents that the row refers to, so nothing has to be told when
 * rows change. Who maps a segment has it read-only.
 *
 * The registry's entries keep their segments alive (they are pinned) until they
 * are dropped: for newer contents of the version, or, least recently mapped
 * first, to keep within shared_cache_size. Sessions that map a dropped segment
 * keep it until they let go; the last one removes it. The postmaster removes
 * what is left when it stops or starts anew after a crash.
 *
 * Nothing here fails a query. Where the system has no room, the caller keeps
 * an image in its own memory, as it does in single-user mode.
 */
#include "postgres.h"

#ifdef __linux__
#include <sys/statvfs.h>
#endif

#include "miscadmin.h"
#include "storage/dsm_impl.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "glue/compat.h"
#include "glue/memory.h"
#include "model/shared.h"

/*
 * The number is raised at every change of what lies in shared memory, be it an
 * image's layout: until the server is restarted, sessions of an older and of a
 * newer library run side by side.
 */
#define REGISTRY_NAME "model_predict shared images, format 2"
#define MAX_ENTRIES 64			/* few beside the segments that PostgreSQL can have */
#define SKIP 100				/* loads, after the system had no room */

typedef struct Entry
{
	MpSharedKey key;
	dsm_handle	handle;			/* pinned */
	Size		size;
	uint64		used;			/* tick of the last mapping */
} Entry;

typedef struct Registry
{
	LWLock		lock;			/* of all that follows */
	uint64		tick;
	Size		total;			/* of the entries' sizes */
	bool		has_counters;
	dsm_handle	counters;		/* pinned, where has_counters */
	int			n_entries;
	Entry		entries[MAX_ENTRIES];
} Registry;

/* An operation on segments, which may fail. */
typedef struct Attempt
{
	Size		size;
	dsm_handle	handle;
	dsm_segment *segment;
} Attempt;

static int	shared_cache_size = 256 * 1024; /* kB */
static Registry *registry;		/* NULL: not yet asked for, or not to be had */
static int	loads_to_skip;		/* that are not to ask for a segment */
static dlist_head mapped = DLIST_STATIC_INIT(mapped);	/* all MpShared of this session */

#ifdef MP_SHMEM_REQUEST_HOOK
static shmem_request_hook_type next_request_hook;

static void
request_space(void)
{
	if (next_request_hook != NULL)
		next_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(Registry)));
}
#endif

void
mp_shared_init(void)
{
	DefineCustomIntVariable("model_predict.shared_cache_size",
							"Shared memory that models may take for all sessions.",
							"Least recently loaded models are forgotten first; a session keeps those that it uses."
							" With 0, each session has copies of its own.",
							&shared_cache_size, 256 * 1024, 0, MAX_KILOBYTES,
							PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
	if (!process_shared_preload_libraries_in_progress)
		return;					/* PostgreSQL keeps enough in reserve for libraries that come later */
#ifdef MP_SHMEM_REQUEST_HOOK
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request_space;
#else
	RequestAddinShmemSpace(MAXALIGN(sizeof(Registry)));
#endif
}

/*
 * Whether an operation came to its end. If it did not, its error is passed over
 * and its segment released. No cancel can be among such errors: it waits.
 */
static bool
succeeds(void (*operation) (Attempt *attempt), Attempt *attempt)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner outer = CurrentResourceOwner;
	ResourceOwner owner = ResourceOwnerCreate(outer, "model_predict shared image");
	uint32		interrupt_holdoff = InterruptHoldoffCount;
	uint32		cancel_holdoff = QueryCancelHoldoffCount;
	volatile bool ok = true;

	HOLD_INTERRUPTS();
	CurrentResourceOwner = owner;
	PG_TRY();
	{
		operation(attempt);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		/* an error sets them to 0, but the caller may hold a lock */
		InterruptHoldoffCount = interrupt_holdoff + 1;
		QueryCancelHoldoffCount = cancel_holdoff;
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		ereport(DEBUG1, errmsg_internal("model_predict does not share an image: %s", error->message));
		FreeErrorData(error);
		ok = false;
	}
	PG_END_TRY();
	CurrentResourceOwner = outer;
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, false, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_LOCKS, false, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, false, false);
	ResourceOwnerDelete(owner);
	RESUME_INTERRUPTS();
	return ok;
}

static void
open_registry(Attempt *attempt)
{
	bool		found;
	Registry   *r;

	r = ShmemInitStruct(REGISTRY_NAME, sizeof(Registry), &found);
	if (!found)
	{
		memset(r, 0, sizeof(Registry));
		LWLockInitialize(&r->lock, mp_new_tranche("model_predict"));
	}
	mp_name_tranche(r->lock.tranche, "model_predict");
	registry = r;
}

/* Whether there is a registry; asked for once in a session. */
static bool
have_registry(void)
{
	static bool asked = false;

	if (asked || !IsUnderPostmaster)
		return registry != NULL;
	asked = true;
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	(void) succeeds(open_registry, NULL);
	LWLockRelease(AddinShmemInitLock);
	return registry != NULL;
}

static void
create_segment(Attempt *attempt)
{
	attempt->segment = dsm_create(attempt->size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
	if (attempt->segment != NULL)
		dsm_pin_mapping(attempt->segment);
}

/* A session may map a segment just once. */
static void
attach_segment(Attempt *attempt)
{
	dsm_segment *segment = dsm_find_mapping(attempt->handle);

	if (segment == NULL)
		segment = dsm_attach(attempt->handle);
	if (segment != NULL)
		dsm_pin_mapping(segment);
	attempt->segment = segment;
}

static bool
is_referenced(const dsm_segment *segment)
{
	dlist_iter	iter;

	dlist_foreach(iter, &mapped)
	{
		if (dlist_container(MpShared, node, iter.cur)->segment == segment)
			return true;
	}
	return false;
}

void
mp_shared_release(MpShared *shared)
{
	dsm_segment *segment = shared->segment;

	if (segment == NULL)
		return;
	dlist_delete(&shared->node);
	shared->segment = NULL;
	shared->data = NULL;
	if (!is_referenced(segment))
		dsm_detach(segment);
}

static void
release(void *shared)
{
	mp_shared_release(shared);
}

/* Its memory is got, and its release arranged for, before there is anything to release. */
static MpShared *
new_shared(MemoryContext context)
{
	MpShared   *shared = MemoryContextAllocZero(context, sizeof(MpShared));

	shared->callback.func = release;
	shared->callback.arg = shared;
	MemoryContextRegisterResetCallback(context, &shared->callback);
	return shared;
}

/* Has it refer to this segment, and no longer to another one. */
static void
refer(MpShared *shared, dsm_segment *segment)
{
	mp_shared_release(shared);
	shared->segment = segment;
	shared->data = dsm_segment_address(segment);
	shared->size = dsm_segment_map_length(segment);
	dlist_push_head(&mapped, &shared->node);
}

/* A stray write must not reach other sessions. Part of the main shared memory stays as it is. */
static void
seal(MpShared *shared)
{
	if (!ShmemAddrIsValid(shared->data))
		mp_memory_seal(shared->data, shared->size);
}

static Entry *
lookup(const MpSharedKey *key)
{
	for (int i = 0; i < registry->n_entries; i++)
	{
		if (memcmp(&registry->entries[i].key, key, sizeof(MpSharedKey)) == 0)
			return &registry->entries[i];
	}
	return NULL;
}

static void
drop(Entry *entry)
{
	dsm_handle	handle = entry->handle;

	registry->total -= entry->size;
	*entry = registry->entries[--registry->n_entries];
	dsm_unpin_segment(handle);
}

static void
drop_superseded(const MpSharedKey *key)
{
	for (int i = registry->n_entries - 1; i >= 0; i--)
	{
		Entry	   *entry = &registry->entries[i];

		if (entry->key.database == key->database && entry->key.model == key->model &&
			entry->key.version == key->version)
			drop(entry);
	}
}

/* Drops entries until there are so few, and no more than `limit` bytes of them. */
static void
shrink(int n_entries, int64 limit)
{
	while (registry->n_entries > 0 &&
		   (registry->n_entries > n_entries || (int64) registry->total > limit))
	{
		Entry	   *oldest = &registry->entries[0];

		for (int i = 1; i < registry->n_entries; i++)
		{
			if (registry->entries[i].used < oldest->used)
				oldest = &registry->entries[i];
		}
		drop(oldest);
	}
}

static int64
limit_in_bytes(void)
{
	return (int64) shared_cache_size * 1024;
}

/*
 * What may be added where segments lie, or, if negative, should be taken away.
 * Parallel queries, which need the place and fail without it, keep half of it:
 * in containers all of it often is just 64 MB.
 */
static int64
room_of_system(void)
{
#ifdef __linux__
	struct statvfs fs;

	if (dynamic_shared_memory_type == DSM_IMPL_POSIX && statvfs("/dev/shm", &fs) == 0 &&
		fs.f_blocks > 0)
		return ((int64) fs.f_bavail - (int64) fs.f_blocks / 2) * (int64) fs.f_frsize;
#endif
	return MAX_KILOBYTES * INT64CONST(1024);
}

/* With the lock held: an entry that is dropped meanwhile might take its segment along. */
static bool
map_entry(MpShared *shared, Entry *entry)
{
	Attempt		attempt = {.handle = entry->handle};

	if (!succeeds(attach_segment, &attempt) || attempt.segment == NULL)
		return false;
	entry->used = ++registry->tick;
	refer(shared, attempt.segment);
	return true;
}

MpShared *
mp_shared_find(const MpSharedKey *key, MemoryContext context)
{
	MpShared   *shared;
	Entry	   *entry;

	if (!have_registry())
		return NULL;
	shared = new_shared(context);
	LWLockAcquire(&registry->lock, LW_EXCLUSIVE);
	shrink(MAX_ENTRIES, limit_in_bytes());	/* it may have been lowered */
	entry = lookup(key);
	if (entry != NULL && !map_entry(shared, entry))
		loads_to_skip = SKIP;	/* nor is another one to be had */
	LWLockRelease(&registry->lock);
	if (shared->segment == NULL)
		return NULL;
	seal(shared);
	return shared;
}

MpShared *
mp_shared_create(Size size, MemoryContext context)
{
	MpShared   *shared;
	Attempt		attempt = {.size = size};
	int64		room;

	if (!have_registry() || (int64) size > limit_in_bytes())
		return NULL;
	if (loads_to_skip > 0)
	{
		loads_to_skip--;
		return NULL;
	}
	LWLockAcquire(&registry->lock, LW_EXCLUSIVE);
	room = Min(limit_in_bytes(), (int64) registry->total + room_of_system());
	shrink(MAX_ENTRIES - 1, (int64) size <= room ? room - (int64) size : Max(room, 0));
	LWLockRelease(&registry->lock);
	if ((int64) size <= room)
	{
		shared = new_shared(context);
		if (succeeds(create_segment, &attempt) && attempt.segment != NULL)
		{
			refer(shared, attempt.segment);
			return shared;
		}
	}
	loads_to_skip = SKIP;
	ereport(DEBUG1, errmsg_internal("model_predict has no room to share an image of %zu bytes", size));
	return NULL;
}

void
mp_shared_publish(MpShared *shared, const MpSharedKey *key)
{
	Entry	   *entry;

	LWLockAcquire(&registry->lock, LW_EXCLUSIVE);
	entry = lookup(key);
	if (entry != NULL)
		map_entry(shared, entry);
	else
	{
		drop_superseded(key);
		shrink(MAX_ENTRIES - 1, Max(limit_in_bytes() - (int64) shared->size, 0));
		dsm_pin_segment(shared->segment);
		entry = &registry->entries[registry->n_entries++];
		entry->key = *key;
		entry->handle = dsm_segment_handle(shared->segment);
		entry->size = shared->size;
		entry->used = ++registry->tick;
		registry->total += shared->size;
	}
	LWLockRelease(&registry->lock);
	seal(shared);
}

void *
mp_shared_counters(Size size, void (*begin) (void *segment))
{
	Attempt		attempt = {.size = size};
	bool		ok;

	if (!have_registry())
		return NULL;
	LWLockAcquire(&registry->lock, LW_EXCLUSIVE);
	attempt.handle = registry->counters;
	ok = succeeds(registry->has_counters ? attach_segment : create_segment, &attempt) &&
		attempt.segment != NULL;
	if (ok && !registry->has_counters)
	{
		begin(dsm_segment_address(attempt.segment));
		dsm_pin_segment(attempt.segment);
		registry->counters = dsm_segment_handle(attempt.segment);
		registry->has_counters = true;
	}
	LWLockRelease(&registry->lock);
	return ok ? dsm_segment_address(attempt.segment) : NULL;
}
