/*
 * match.h: which column holds which feature. Include after postgres.h.
 */
#ifndef MP_MATCH_H
#define MP_MATCH_H

#include "row/value.h"

/*
 * column_of[n_features]: the index in names[n] (NULL: dropped), or -1 where the
 * version allows absent features. Errors for absent and ambiguous ones.
 */
extern void mp_match_columns(const MpBooster *booster, const char *const *names, int n, int *column_of);

/* The same for a draft: no errors, -1 also for ambiguous ones; the model must have feature names. */
extern void mp_match_guess(const MpBooster *booster, const char *const *names, int n,
						   int *column_of);

#endif
