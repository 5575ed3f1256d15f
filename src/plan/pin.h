/*
 * pin.h: one version for a statement that runs on several nodes. Include after
 * postgres.h.
 */
#ifndef MP_PIN_H
#define MP_PIN_H

#include "nodes/params.h"
#include "nodes/parsenodes.h"

/*
 * Where the query reads tables that Citus keeps and scores, the query with each
 * reference naming a version, and *pinned; else the query as it is. Errors where
 * a reference is not known yet, and where Citus would not send a row whole.
 */
extern Query *mp_pin_references(Query *query, ParamListInfo params, bool *pinned);

/* The table that a plan of a pinned query depends on. */
extern Oid	mp_pin_table(void);

#endif
