/*
 * callsite.h: what one place in a query remembers from row to row. Include
 * after postgres.h.
 */
#ifndef MP_CALLSITE_H
#define MP_CALLSITE_H

#include "row.h"

typedef struct MpCallSite
{
	/* the question */
	char	   *reference;		/* as written, not terminated */
	int			reference_length;
	int			reference_room;
	Oid			user;
	uint64		epoch;			/* raised at every end of a (sub)transaction */
	SnapshotData snapshot;		/* a copy of the active one's contents */
	int			xid_room;		/* of the arrays that snapshot.xip and subxip point to */
	int			subxid_room;
	/* the answer */
	MpBooster  *booster;		/* pinned; NULL: nothing resolved */
	/* how the arguments hold the row, see row.c */
	MpRowForm  *form;
	MemoryContext context;		/* of all this: the function's */
} MpCallSite;

/*
 * The call site of this function call, resolved for the reference in argument
 * 0, which is not null; the row starts at argument `first`.
 */
extern MpCallSite *mp_callsite_get(FunctionCallInfo fcinfo, int first);

#endif
