/*
 * callsite.h: what one place in a query remembers from row to row. Include
 * after postgres.h.
 */
#ifndef MP_CALLSITE_H
#define MP_CALLSITE_H

#include "row/source.h"

/* What a site remembers of one reference. */
typedef struct MpSiteReference
{
	char	   *text;			/* as written, not terminated */
	int			length;
	int			room;			/* of the text */
	uint32		hash;
	uint64		moment;			/* when it was resolved; 0: never */
	uint64		losses;			/* of the cache, when the model was last known to be there */
	const MpModel *model;
	/* how the arguments hold the row of this model, NULL: not known from arguments */
	MpSource   *source;
} MpSiteReference;

/* References that one site remembers. */
#define MP_SITE_REFERENCES 64

typedef struct MpCallSite
{
	/* what the row last asked for names */
	const MpModel *model;		/* pinned; NULL: nothing resolved */
	MpRow		row;			/* of that model */
	MpSource   *source;			/* how the arguments hold it, or set by who knows otherwise */
	MpSiteReference *current;
	/* all that it remembers */
	int			n_references;
	int			next;			/* to be replaced when there is no more room */
	MpSiteReference *references[MP_SITE_REFERENCES];
	MpSiteReference *recent[MP_SITE_REFERENCES];	/* by their hashes' last bits: where to look first */
	MemoryContext context;		/* of all this: the function's */
} MpCallSite;

/* An unresolved one, which gives its model back when the context goes. */
extern MpCallSite *mp_callsite_create(MemoryContext context);

/*
 * Makes site->model what the reference names at this moment. True: it is another
 * one than before, and what was learned of that is void.
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
