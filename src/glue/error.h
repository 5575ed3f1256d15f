/*
 * error.h: the core's errors as PostgreSQL's. Include after postgres.h.
 */
#ifndef MP_ERROR_H
#define MP_ERROR_H

#include "core/forest/forest.h"
#include "glue/compat.h"

extern const char *mp_shown(const char *text);	/* what a caller gave, for a message */
extern const char *mp_objective_name(const MpForest *forest);	/* as the library calls it */

/* "model "churn" version 3 cannot be loaded: ..."; version 0, which it has not yet: "cannot be registered" */
pg_noreturn extern void mp_throw(const MpError *error, const char *model, int32 version);
pg_noreturn extern void mp_throw_unexplained(const MpError *error, const char *model, int32 version);

#endif
