/*
 * input.h: what a library does to a row's numbers before its trees see them.
 */
#ifndef MP_CORE_INPUT_H
#define MP_CORE_INPUT_H

#include "core/forest/forest.h"

/*
 * Prepares x[n_features] of a double forest, in place, by the rules of
 * forest->input; doing it twice changes nothing.
 */
extern void mp_forest_prepare(const MpForest *forest, double *x);

#endif
