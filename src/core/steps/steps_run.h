/*
 * steps_run.h: running a program over the slots of a row.
 */
#ifndef MP_CORE_STEPS_RUN_H
#define MP_CORE_STEPS_RUN_H

#include "core/steps/steps.h"

/* The code of a label input's value. A number that is NaN is missing. */
extern uint32_t mp_steps_text_code(const MpSteps *steps, uint32_t input, MpString text);
extern uint32_t mp_steps_number_code(const MpSteps *steps, uint32_t input, double number);

/* What was wrong with a row's values. */
typedef enum MpStepsFaultKind
{
	MP_STEPS_FINE,
	MP_STEPS_MISSING,			/* missing where the step cannot do without */
	MP_STEPS_UNKNOWN,			/* a label or number that the step does not know */
	MP_STEPS_NOT_POSITIVE		/* of Box-Cox */
} MpStepsFaultKind;

typedef struct MpStepsFault
{
	MpStepsFaultKind kind;
	uint32_t	step;
	uint32_t	slot;			/* the value at fault; see mp_steps_sources */
} MpStepsFault;

/* Runs the steps: fills every slot behind the inputs (and the slots of UTC). False: *fault says why. */
extern bool mp_steps_run(const MpSteps *steps, MpSlot *slots, MpStepsFault *fault);

/* The features after mp_steps_run, as doubles. */
extern void mp_steps_gather(const MpSteps *steps, const MpSlot *slots, double *features);

/* The same, each rounded once to float32; returns whether any is infinite then. */
extern bool mp_steps_gather_floats(const MpSteps *steps, const MpSlot *slots, float *features);

/*
 * The steps on a prediction of `width` numbers, in place. With two classes
 * `prediction` is the second one's probability (width 1); with more, all of them.
 */
extern void mp_steps_predict(const MpSteps *steps, double *prediction, uint32_t width);

/*
 * Marks in inputs[n_inputs] those that a slot's value derives from. Walks the
 * steps backwards: for messages, not for every row. `marks` has room for n_slots.
 */
extern void mp_steps_sources(const MpSteps *steps, uint32_t slot, bool *marks, bool *inputs);

#endif
