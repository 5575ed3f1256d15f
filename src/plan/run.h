/*
 * run.h: what the executor is doing just now. Include after postgres.h.
 */
#ifndef MP_RUN_H
#define MP_RUN_H

#include "nodes/execnodes.h"

/* One of the times that ExecutorRun is called for a statement. */
typedef struct MpRun
{
	uint64		number;			/* no two have the same */
	uint64		count;			/* rows of the result that are asked for; 0: all */
} MpRun;

extern void mp_run_init(void);

/* False: the state's plan is not what is running, or not forward. */
extern bool mp_run_get(const EState *estate, MpRun *run);

#endif
