/*
 * moment.h: how long an answer from the tables holds. Include after postgres.h.
 */
#ifndef MP_MOMENT_H
#define MP_MOMENT_H

#include "utils/snapshot.h"

/* All zero is a moment that never was. */
typedef struct MpMoment
{
	uint64		epoch;			/* raised at every end of a (sub)transaction; 0: never */
	Oid			user;
	SnapshotData snapshot;		/* a copy of the active one's contents */
	int			xid_room;		/* of the arrays that snapshot.xip and subxip point to */
	int			subxid_room;
} MpMoment;

extern void mp_moment_init(void);

/* Sets the moment to now, with the active snapshot and the current user; room comes from the context. */
extern void mp_moment_set(MpMoment *moment, MemoryContext context);

/* Whether whoever asks now sees what was seen then. */
extern bool mp_moment_is_now(const MpMoment *moment);

/*
 * A number for now: the same as that of an earlier moment only where whoever asks
 * now sees what was seen then. Never 0.
 */
extern uint64 mp_moment_number(void);

#endif
