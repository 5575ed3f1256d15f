/*
 * classes.h: how often each class is predicted for rows of each class.
 *
 * Labels are texts, equal where their bytes are. Memory grows with the pairs
 * of labels that occur, not with rows.
 */
#ifndef MP_CORE_CLASSES_H
#define MP_CORE_CLASSES_H

#include "core/metrics/names.h"
#include "core/metrics/sum.h"

/* A pair of labels that occurs; without weights `weight` is not used. */
typedef struct MpClassPair
{
	uint32_t	actual;			/* numbers of labels */
	uint32_t	predicted;
	int64_t		rows;
	MpSum		weight;
} MpClassPair;

typedef struct MpClasses
{
	MpAlloc    *alloc;
	bool		weighted;
	MpNames		labels;
	MpVec		pairs;			/* MpClassPair */
	uint32_t   *pair_slots;		/* pair + 1, by hash; 0: free */
	uint32_t	pair_mask;		/* slots - 1 */
	int64_t		rows;
	int64_t		left_out;		/* counted by the caller */
} MpClasses;

typedef struct MpClassMeasures
{
	double		accuracy;
	double		balanced_accuracy;
	double		macro_precision;
	double		macro_recall;
	double		macro_f1;
	double		weighted_f1;
	double		mcc;
	double		kappa;
} MpClassMeasures;

extern void mp_classes_begin(MpClasses *classes, bool weighted, MpAlloc *alloc);
extern bool mp_classes_add(MpClasses *classes, MpString actual, MpString predicted, double weight);
extern bool mp_classes_merge(MpClasses *classes, MpClasses *other);
extern size_t mp_classes_bytes(const MpClasses *classes);
extern bool mp_classes_write(MpClasses *classes, MpVec *out);
extern bool mp_classes_read(MpClasses *classes, MpString *in);
extern bool mp_classes_measure(MpClasses *classes, MpClassMeasures *measures);

extern double mp_class_pair_weight(const MpClasses *classes, MpClassPair *pair);

/* Sorts the pairs by the bytes of their labels, actual ones first; measuring does it too. */
extern bool mp_classes_sort(MpClasses *classes);

#endif
