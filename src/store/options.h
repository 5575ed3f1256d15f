/*
 * options.h: the options of register(), from SQL values to C. Results point
 * into the arguments or are allocated in the current context. Include after
 * postgres.h.
 */
#ifndef MP_OPTIONS_H
#define MP_OPTIONS_H

#include "utils/array.h"
#include "utils/jsonb.h"

#include "core/load/load.h"

typedef enum MpOnAbsent
{
	MP_ABSENT_ERROR,
	MP_ABSENT_MISSING
} MpOnAbsent;

typedef enum MpOnUnseen
{
	MP_UNSEEN_ERROR,
	MP_UNSEEN_MISSING,
	MP_UNSEEN_NULL
} MpOnUnseen;

typedef enum MpOnInfinity
{
	MP_INFINITY_ERROR,
	MP_INFINITY_SCORE,
	MP_INFINITY_MISSING
} MpOnInfinity;

/* How rows of a version are read: the options of register() beyond the file. */
typedef struct MpRowOptions
{
	MpOnAbsent	absent_feature;
	MpOnUnseen	unseen_category;
	MpOnInfinity infinity;
	bool		has_missing;
	float		missing;		/* a value that means missing, where has_missing */
	double		threshold;
	int			n_classes;		/* 0: not given */
	char	  **classes;
} MpRowOptions;

extern MpTreesOption mp_option_trees(const char *given);
extern MpLinkOption mp_option_link(const char *given);
extern MpOnAbsent mp_option_absent(const char *given);
extern MpOnUnseen mp_option_unseen(const char *given);
extern MpOnInfinity mp_option_infinity(const char *given);
extern const char *mp_option_infinity_word(MpOnInfinity option);
extern MpString *mp_option_strings(const char *option, ArrayType *array, size_t *n);
extern MpGivenCategories *mp_option_categories(Jsonb *jsonb, size_t *n);
extern void mp_option_classes(ArrayType *array, MpRowOptions *options);

#endif
