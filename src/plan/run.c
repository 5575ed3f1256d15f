/*
 * run.c: what the executor is doing just now.
 *
 * A plan's node sees its own rows only. How many of the statement's rows are
 * asked for (FETCH 10, a loop in PL/pgSQL, a driver's limit) is known to
 * ExecutorRun, whose hook keeps it. Plans that run otherwise, to check a row
 * again or what is left over at the end, are not running in this sense.
 */
#include "postgres.h"

#include "executor/executor.h"

#include "glue/compat.h"
#include "plan/run.h"

static MpRun run;
static const EState *running = NULL;	/* forward; NULL: nothing is */
static uint64 last_number = 0;
static ExecutorRun_hook_type previous_run = NULL;

bool
mp_run_get(const EState *estate, MpRun *result)
{
	*result = run;
	return running == estate;
}

static void
run_executor(MP_RUN_PARAMETERS)
{
	MpRun		outer = run;
	const EState *outer_running = running;

	run = (MpRun){++last_number, count};
	running = ScanDirectionIsForward(direction) ? query->estate : NULL;
	PG_TRY();
	{
		if (previous_run != NULL)
			previous_run(MP_RUN_ARGUMENTS);
		else
			standard_ExecutorRun(MP_RUN_ARGUMENTS);
	}
	PG_FINALLY();
	{
		run = outer;
		running = outer_running;
	}
	PG_END_TRY();
}

void
mp_run_init(void)
{
	previous_run = ExecutorRun_hook;
	ExecutorRun_hook = run_executor;
}
