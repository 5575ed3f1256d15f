/*
 * options.h: the options of register(), from SQL values to C. Results point
 * into the arguments or are allocated in the current context. Include after
 * postgres.h.
 */
#ifndef MP_OPTIONS_H
#define MP_OPTIONS_H

#include "utils/array.h"
#include "utils/jsonb.h"

#include "glue/model_predict.h"

extern MpTreesOption mp_option_trees(const char *given);
extern MpOnAbsent mp_option_absent(const char *given);
extern MpOnUnseen mp_option_unseen(const char *given);
extern MpOnInfinity mp_option_infinity(const char *given);
extern MpString *mp_option_strings(const char *option, ArrayType *array, size_t *n);
extern MpGivenCategories *mp_option_categories(Jsonb *jsonb, size_t *n);
extern void mp_option_classes(ArrayType *array, MpRowOptions *options);

#endif
