/*
 * categories.c: from a category's label, or its number, to its code.
 *
 * An open hash of labels and, where all are numbers, a sorted array of values.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "model/categories.h"

typedef struct NumberCode
{
	double		number;
	uint32		code;
} NumberCode;

struct MpCategoryIndex
{
	const MpCategory *categories;
	const char *strings;
	uint32		n;
	uint32		mask;			/* slots - 1 */
	uint32	   *slots;			/* code + 1; 0: empty */
	NumberCode *numbers;		/* sorted; NULL where labels are no numbers */
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

MpString
mp_category_label(const MpCategoryIndex *index, uint32 code)
{
	const MpCategory *category = &index->categories[code];

	return (MpString) {index->strings + category->label, category->label_length};
}

uint32
mp_categories_count(const MpCategoryIndex *index)
{
	return index->n;
}

bool
mp_categories_are_numbers(const MpCategoryIndex *index)
{
	return index->numbers != NULL;
}

MpCategoryIndex *
mp_categories_index(const MpCategory *categories, uint32 n, const char *strings, bool numeric)
{
	MpCategoryIndex *index = palloc0(sizeof(MpCategoryIndex));
	uint32		slots = 4;

	while (slots < 2 * n)
		slots *= 2;
	index->categories = categories;
	index->strings = strings;
	index->n = n;
	index->mask = slots - 1;
	index->slots = palloc0(sizeof(uint32) * slots);
	for (uint32 code = 0; code < n; code++)
	{
		MpString	label = mp_category_label(index, code);
		uint32		slot = hash_bytes((const unsigned char *) label.data, label.length);

		while (index->slots[slot & index->mask] != 0)
			slot++;
		index->slots[slot & index->mask] = code + 1;
	}
	if (numeric)
	{
		index->numbers = palloc(sizeof(NumberCode) * n);
		for (uint32 code = 0; code < n; code++)
			index->numbers[code] = (NumberCode) {categories[code].number, code};
		qsort(index->numbers, n, sizeof(NumberCode), compare_numbers);
	}
	return index;
}

int64
mp_category_by_label(const MpCategoryIndex *index, const char *label, size_t length)
{
	uint32		slot = hash_bytes((const unsigned char *) label, length);
	uint32		entry;

	for (; (entry = index->slots[slot & index->mask]) != 0; slot++)
	{
		MpString	known = mp_category_label(index, entry - 1);

		if (known.length == length && memcmp(known.data, label, length) == 0)
			return entry - 1;
	}
	return -1;
}

int64
mp_category_by_number(const MpCategoryIndex *index, double number)
{
	uint32		low = 0;
	uint32		high = index->n;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (index->numbers[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < index->n && index->numbers[low].number == number)
		return index->numbers[low].code;
	return -1;
}

int64
mp_category_by_boolean(const MpCategoryIndex *index, bool value)
{
	static const char *const labels[2][2] = {{"false", "False"}, {"true", "True"}};
	int64		code;

	if (index->numbers != NULL)
		return mp_category_by_number(index, value);
	code = mp_category_by_label(index, labels[value][0], strlen(labels[value][0]));
	if (code < 0)
		code = mp_category_by_label(index, labels[value][1], strlen(labels[value][1]));
	return code;
}
