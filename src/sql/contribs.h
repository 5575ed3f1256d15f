/*
 * contribs.h: the row of a function that explains. Include after postgres.h.
 */
#ifndef MP_CONTRIBS_H
#define MP_CONTRIBS_H

#include "score/callsite.h"

/* The call site, whose row has been read; NULL: the answer is NULL. */
extern MpCallSite *mp_contribs_read(FunctionCallInfo fcinfo, int first);

#endif
