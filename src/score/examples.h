/*
 * examples.h: rows with the answers that Python gave. Include after postgres.h.
 */
#ifndef MP_EXAMPLES_H
#define MP_EXAMPLES_H

#include "utils/jsonb.h"

#include "model/model.h"

/* Largest relative difference between an example's answer and ours that is no error. */
#define MP_EXAMPLE_TOLERANCE 1e-6

/* The model with the other choice of trees, and the word for it; NULL: there is no other. */
typedef const MpModel *(*MpOtherTrees) (void *arg, const char **word);

/*
 * Scores examples as ordinary rows: [{"row": {...}, "predict_all": [...]}, ...].
 * Errors at the first that differs, naming row, expected and got, with the
 * option or the change that makes all of them agree where one of those that are
 * tried does. Returns how many there are.
 */
extern int	mp_examples_check(const MpModel *model, Jsonb *examples, MpOtherTrees other_trees, void *arg);

/* The same without an error: how many differ, of how many, and how the first does (NULL: none). */
extern int	mp_examples_count_different(const MpModel *model, Jsonb *examples, int *n, char **first);

#endif
