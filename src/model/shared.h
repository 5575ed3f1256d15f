/*
 * shared.h: memory in which all sessions keep one copy of an image. Include
 * after postgres.h.
 */
#ifndef MP_SHARED_H
#define MP_SHARED_H

#include "lib/ilist.h"
#include "storage/dsm.h"

#define MP_FINGERPRINT_SIZE 16

/*
 * Which contents: those of two values of a TOAST table, which are never changed
 * in place, as a row refers to them, and what they were found to be made of.
 * The numbers of values and transactions may come again after four billion
 * others, or when a superuser says so; then the hashes, which are of the source
 * and the format, still hold. No padding: compared as bytes.
 */
typedef struct MpSharedKey
{
	Oid			database;
	int32		version;
	int64		model;
	TransactionId version_xmin; /* of the version's row */
	Oid			data;			/* the value that has the model's bytes */
	TransactionId image_xmin;	/* of the image's row */
	Oid			pieces;			/* the TOAST table */
	Oid			forest;			/* the values in it */
	Oid			kernel;
	char		fingerprint[MP_FINGERPRINT_SIZE];	/* as the image's row says */
	char		source[MP_FINGERPRINT_SIZE];	/* a hash of the version's row */
} MpSharedKey;

/* A copy that this session maps. Lives in a memory context and is let go with it. */
typedef struct MpShared
{
	char	   *data;			/* aligned to 64; read-only once it was published */
	Size		size;
	dsm_segment *segment;		/* NULL: let go */
	dlist_node	node;
	MemoryContextCallback callback;
} MpShared;

extern void mp_shared_init(void);

/* NULL: no session has published such a copy, or it cannot be had. */
extern MpShared *mp_shared_find(const MpSharedKey *key, MemoryContext context);

/* Room for one, to be filled, checked and then published; NULL: there is none. */
extern MpShared *mp_shared_create(Size size, MemoryContext context);

/* May replace `data` by that of another session that was faster. */
extern void mp_shared_publish(MpShared *shared, const MpSharedKey *key);
extern void mp_shared_release(MpShared *shared);

/*
 * The one segment for counters, mapped for good, which the first session that
 * asks has made and filled by `begin`. NULL: it cannot be had.
 */
extern void *mp_shared_counters(Size size, void (*begin) (void *segment));

#endif
