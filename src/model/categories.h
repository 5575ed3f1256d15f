/*
 * categories.h: from a category's label, or its number, to its code. Include
 * after postgres.h.
 */
#ifndef MP_CATEGORIES_H
#define MP_CATEGORIES_H

#include "core/forest/forest.h"

typedef struct MpCategoryIndex MpCategoryIndex;

/*
 * In the current memory context; categories[n], whose labels are in `strings`,
 * must outlive it. `numeric`: all of them have numbers.
 */
extern MpCategoryIndex *mp_categories_index(const MpCategory *categories, uint32 n,
											const char *strings, bool numeric);

/* Codes, or -1 for a category that is not known; by number only where all are numbers. */
extern int64 mp_category_by_label(const MpCategoryIndex *index, const char *label, size_t length);
extern int64 mp_category_by_number(const MpCategoryIndex *index, double number);

/* Of a boolean: true or false as a label, as SQL, JSON or Python writes it, or as the number 1 or 0. */
extern int64 mp_category_by_boolean(const MpCategoryIndex *index, bool value);

extern uint32 mp_categories_count(const MpCategoryIndex *index);
extern bool mp_categories_are_numbers(const MpCategoryIndex *index);
extern MpString mp_category_label(const MpCategoryIndex *index, uint32 code);

#endif
