/*
 * batch_plan.h: where plans score in batches. Include after postgres.h.
 */
#ifndef MP_BATCH_PLAN_H
#define MP_BATCH_PLAN_H

extern void mp_batch_plan_init(void);

#endif
