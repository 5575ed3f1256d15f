/*
 * rights.h: who may see and read a model. Include after postgres.h.
 */
#ifndef MP_RIGHTS_H
#define MP_RIGHTS_H

#include "store/catalog.h"

/*
 * As mp_catalog_resolve, for those who may read what the model consists of
 * (`what`: "bytes", "trees"), not just score with it; with NULL, for those who
 * see the model in the views.
 */
extern int32 mp_rights_resolve(const char *reference, const char *what, Snapshot snapshot,
							   MpModelRow *model, char **name);

extern bool mp_rights_may_see(int64 model); /* for the current role */

#endif
