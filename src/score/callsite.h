/*
 * callsite.h: what one place in a query remembers from row to row. Include
 * after postgres.h.
 */
#ifndef MP_CALLSITE_H
#define MP_CALLSITE_H

#include "score/moment.h"
#include "row/source.h"

typedef struct MpCallSite
{
	/* the question */
	char	   *reference;		/* as written, not terminated */
	int			reference_length;
	int			reference_room;
	MpMoment	moment;
	/* the answer */
	const MpModel *model;		/* pinned; NULL: nothing resolved */
	MpRow		row;			/* of that model */
	/* how the arguments hold the row, NULL: not known from arguments */
	MpSource   *source;
	MemoryContext context;		/* of all this: the function's */
} MpCallSite;

/* An unresolved one, which gives its model back when the context goes. */
extern MpCallSite *mp_callsite_create(MemoryContext context);

/*
 * Makes site->model what the reference names at this moment. True: asked
 * anew, and what was learned of the model is void.
 */
extern bool mp_callsite_resolve(MpCallSite *site, const char *reference, int length);

/*
 * The call site of this function call, resolved for the reference in argument
 * 0, which must not be null; the row starts at argument `first`. The other one
 * is for functions that have the reference elsewhere.
 */
extern MpCallSite *mp_callsite_get(FunctionCallInfo fcinfo, int first);
extern MpCallSite *mp_callsite_get_at(FunctionCallInfo fcinfo, int reference, int first);

#endif
