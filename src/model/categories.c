/*
 * categories.c: from a category's label, or its number, to its code.
 *
 * Per categorical feature an open hash of labels and, where all are numbers, a
 * sorted array of values. Built once per booster, in its context.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"

#include "glue/model_predict.h"

typedef struct NumberCode
{
	double		number;
	uint32		code;
} NumberCode;

typedef struct FeatureIndex
{
	uint32		mask;			/* slots - 1; 0: no categories known */
	uint32	   *slots;			/* code + 1; 0: empty */
	NumberCode *numbers;		/* sorted; NULL where labels are no numbers */
} FeatureIndex;

struct MpCategoryIndex
{
	const MpForest *forest;
	FeatureIndex features[FLEXIBLE_ARRAY_MEMBER];
};

static int
compare_numbers(const void *a, const void *b)
{
	const NumberCode *x = a;
	const NumberCode *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->code < y->code ? -1 : x->code > y->code;
}

static inline MpString
label_of(const MpForest *forest, const MpFeature *feature, uint32 code)
{
	const MpCategory *category = mp_forest_categories(forest, feature) + code;

	return mp_forest_string(forest, category->label, category->label_length);
}

static void
index_feature(FeatureIndex *index, const MpForest *forest, const MpFeature *feature)
{
	uint32		slots = 4;

	while (slots < 2 * feature->n_categories)
		slots *= 2;
	index->mask = slots - 1;
	index->slots = palloc0(sizeof(uint32) * slots);
	for (uint32 code = 0; code < feature->n_categories; code++)
	{
		MpString	label = label_of(forest, feature, code);
		uint32		slot = hash_bytes((const unsigned char *) label.data, label.length);

		while (index->slots[slot & index->mask] != 0)
			slot++;
		index->slots[slot & index->mask] = code + 1;
	}
	if (feature->numeric_categories)
	{
		index->numbers = palloc(sizeof(NumberCode) * feature->n_categories);
		for (uint32 code = 0; code < feature->n_categories; code++)
		{
			index->numbers[code].number = mp_forest_categories(forest, feature)[code].number;
			index->numbers[code].code = code;
		}
		qsort(index->numbers, feature->n_categories, sizeof(NumberCode), compare_numbers);
	}
}

MpCategoryIndex *
mp_categories_index(MemoryContext context, const MpForest *forest)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	MpCategoryIndex *index = NULL;

	for (int i = 0; i < forest->n_features; i++)
	{
		const MpFeature *feature = mp_forest_features(forest) + i;

		if (feature->n_categories == 0)
			continue;
		if (index == NULL)
		{
			index = palloc0(offsetof(MpCategoryIndex, features) +
							sizeof(FeatureIndex) * forest->n_features);
			index->forest = forest;
		}
		index_feature(&index->features[i], forest, feature);
	}
	MemoryContextSwitchTo(old);
	return index;
}

int64
mp_category_by_label(const MpCategoryIndex *index, int feature, const char *label, size_t length)
{
	const FeatureIndex *fi = &index->features[feature];
	uint32		slot = hash_bytes((const unsigned char *) label, length);
	uint32		entry;

	for (; (entry = fi->slots[slot & fi->mask]) != 0; slot++)
	{
		MpString	known = label_of(index->forest, mp_forest_features(index->forest) + feature, entry - 1);

		if (known.length == length && memcmp(known.data, label, length) == 0)
			return entry - 1;
	}
	return -1;
}

int64
mp_category_by_number(const MpCategoryIndex *index, int feature, double number)
{
	const NumberCode *numbers = index->features[feature].numbers;
	uint32		low = 0;
	uint32		high = mp_forest_features(index->forest)[feature].n_categories;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (numbers[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < mp_forest_features(index->forest)[feature].n_categories && numbers[low].number == number)
		return numbers[low].code;
	return -1;
}
