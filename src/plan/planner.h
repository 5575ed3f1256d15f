/*
 * planner.h: what the planner's questions about the scoring functions tell.
 * Include after postgres.h.
 */
#ifndef MP_PLANNER_H
#define MP_PLANNER_H

#include "score/answer.h"

/* How often the planner has asked; it asks about each call of each plan. */
extern uint64 mp_planner_questions(void);

/* How the function answers; NULL: it does not score rows. */
extern const MpAnswer *mp_planner_answer(Oid function);

/* Whether the function scores or explains rows: its first argument is a reference. */
extern bool mp_planner_supports(Oid function);

/* To be called before a plan is looked at: functions may have been made anew. */
extern void mp_planner_forget(void);

#endif
