/*
 * examples.h: rows with the answers that Python gave. Include after postgres.h.
 */
#ifndef MP_EXAMPLES_H
#define MP_EXAMPLES_H

#include "utils/jsonb.h"

#include "model/model.h"

/* Largest relative difference between an example's answer and ours that is no error. */
#define MP_EXAMPLE_TOLERANCE 1e-6

/*
 * Scores examples as ordinary rows: [{"row": {...}, "predict_all": [...]}, ...].
 * Errors at the first that differs, naming row, expected and got. Returns how
 * many there are.
 */
extern int	mp_examples_check(const MpModel *model, Jsonb *examples);

/* The same without an error: how many differ, of how many, and how the first does (NULL: none). */
extern int	mp_examples_count_different(const MpModel *model, Jsonb *examples, int *n, char **first);

#endif
