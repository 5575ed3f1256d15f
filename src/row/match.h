/*
 * match.h: which column holds which input. Include after postgres.h.
 */
#ifndef MP_MATCH_H
#define MP_MATCH_H

#include "model/model.h"

/*
 * column_of[n_inputs]: the index in names[n] (NULL: dropped), or -1 where the
 * version allows absent ones. Errors for absent and ambiguous ones.
 */
extern void mp_match_columns(const MpModel *model, const char *const *names, int n, int *column_of);

/* The same for a draft: no errors, -1 also for ambiguous ones; the model must have names. */
extern void mp_match_guess(const MpModel *model, const char *const *names, int n,
						   int *column_of);

#endif
