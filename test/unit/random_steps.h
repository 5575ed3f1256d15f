/*
 * random_steps.h: preprocessing documents made at random, and rows for them.
 */
#ifndef MP_TEST_RANDOM_STEPS_H
#define MP_TEST_RANDOM_STEPS_H

#include "random_forest.h"
#include "steps_twin.h"
#include "core/steps/steps_check.h"
#include "core/steps/steps_read.h"
#include "core/steps/steps_run.h"

/* Text of a sound document, terminated, to be released. */
extern MpVec mp_random_document(MpRandom *random);

/* A row for it, whose labels and edges come up often. */
extern void mp_random_input_row(MpRandom *random, const MpTwin *twin, MpTwinValue *row);

/* The same row in the slots of the document's program. */
extern void mp_random_slots(const MpSteps *steps, const MpTwinValue *row, MpSlot *slots);

#endif
