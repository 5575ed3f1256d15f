/*
 * classes.c: actual and predicted classes; see classes.h.
 */
#include "core/metrics/classes.h"
#include "core/metrics/murmur3.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 16

void
mp_classes_begin(MpClasses *classes, bool weighted, MpAlloc *alloc)
{
	memset(classes, 0, sizeof(MpClasses));
	classes->alloc = alloc;
	classes->weighted = weighted;
	classes->pairs.alloc = alloc;
	mp_names_begin(&classes->labels, alloc);
}

static uint32_t
n_pairs(const MpClasses *classes)
{
	return (uint32_t) mp_vec_count(&classes->pairs, MpClassPair);
}

static uint32_t
hash_of_pair(const MpClasses *classes, uint32_t pair)
{
	return mp_murmur3(mp_vec_at(&classes->pairs, MpClassPair, pair), 2 * sizeof(uint32_t), 0);
}

/* Keeps the slots at most half full. */
static bool
make_room(MpClasses *classes)
{
	uint32_t	n = n_pairs(classes);
	uint32_t	size = FIRST_SLOTS;
	uint32_t   *slots;

	if (classes->pair_slots != NULL && n * 2 <= classes->pair_mask)
		return true;
	while (size < (n + 1) * 3)
		size *= 2;
	slots = mp_alloc_zero(classes->alloc, size * sizeof(uint32_t));
	if (slots == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	slot = hash_of_pair(classes, i) & (size - 1);

		while (slots[slot] != 0)
			slot = (slot + 1) & (size - 1);
		slots[slot] = i + 1;
	}
	mp_alloc_release(classes->alloc, classes->pair_slots);
	classes->pair_slots = slots;
	classes->pair_mask = size - 1;
	return true;
}

static MpClassPair *
find_pair(MpClasses *classes, uint32_t actual, uint32_t predicted)
{
	uint32_t	key[2] = {actual, predicted};
	MpClassPair *pair;
	uint32_t	slot;

	if (!make_room(classes))
		return NULL;
	slot = mp_murmur3(key, sizeof(key), 0) & classes->pair_mask;
	for (; classes->pair_slots[slot] != 0; slot = (slot + 1) & classes->pair_mask)
	{
		pair = mp_vec_at(&classes->pairs, MpClassPair, classes->pair_slots[slot] - 1);
		if (pair->actual == actual && pair->predicted == predicted)
			return pair;
	}
	pair = mp_vec_add(&classes->pairs, sizeof(MpClassPair));
	if (pair == NULL)
		return NULL;
	pair->actual = actual;
	pair->predicted = predicted;
	pair->rows = 0;
	mp_sum_begin(&pair->weight, classes->alloc);
	classes->pair_slots[slot] = n_pairs(classes);
	return pair;
}

bool
mp_classes_add(MpClasses *classes, MpString actual, MpString predicted, double weight)
{
	uint32_t	a;
	uint32_t	p;
	MpClassPair *pair;

	classes->rows++;
	if (!mp_names_find(&classes->labels, actual, &a) || !mp_names_find(&classes->labels, predicted, &p))
		return false;
	pair = find_pair(classes, a, p);
	if (pair == NULL)
		return false;
	pair->rows++;
	return !classes->weighted || mp_sum_add(&pair->weight, weight);
}

bool
mp_classes_merge(MpClasses *classes, MpClasses *other)
{
	for (uint32_t i = 0; i < n_pairs(other); i++)
	{
		MpClassPair *from = mp_vec_at(&other->pairs, MpClassPair, i);
		MpClassPair *to;
		uint32_t	a;
		uint32_t	p;

		if (!mp_names_find(&classes->labels, mp_names_at(&other->labels, from->actual), &a) ||
			!mp_names_find(&classes->labels, mp_names_at(&other->labels, from->predicted), &p))
			return false;
		to = find_pair(classes, a, p);
		if (to == NULL || !mp_sum_add_sum(&to->weight, &from->weight))
			return false;
		to->rows += from->rows;
	}
	classes->rows += other->rows;
	classes->left_out += other->left_out;
	return true;
}

size_t
mp_classes_bytes(const MpClasses *classes)
{
	return classes->labels.text.room + classes->labels.ends.room + classes->pairs.room +
		(size_t) n_pairs(classes) * (classes->weighted ? 256 : 0);
}

bool
mp_classes_write(MpClasses *classes, MpVec *out)
{
	uint64_t	head[4] = {classes->rows, classes->left_out, n_pairs(classes), classes->weighted};

	if (!mp_metrics_write(out, head, sizeof(head)))
		return false;
	for (uint32_t i = 0; i < n_pairs(classes); i++)
	{
		MpClassPair *pair = mp_vec_at(&classes->pairs, MpClassPair, i);
		MpString	labels[2] = {mp_names_at(&classes->labels, pair->actual),
		mp_names_at(&classes->labels, pair->predicted)};

		for (int j = 0; j < 2; j++)
			if (!mp_metrics_write(out, &labels[j].length, sizeof(size_t)) ||
				!mp_metrics_write(out, labels[j].data, labels[j].length))
				return false;
		if (!mp_metrics_write(out, &pair->rows, sizeof(int64_t)) ||
			!mp_sum_write(&pair->weight, out))
			return false;
	}
	return true;
}

bool
mp_classes_read(MpClasses *classes, MpString *in)
{
	uint64_t	head[4];

	if (!mp_metrics_read(in, head, sizeof(head)))
		return false;
	classes->rows = head[0];
	classes->left_out = head[1];
	classes->weighted = head[3];
	for (uint64_t i = 0; i < head[2]; i++)
	{
		uint32_t	labels[2];
		MpClassPair *pair;

		for (int j = 0; j < 2; j++)
		{
			MpString	text;

			if (!mp_metrics_read(in, &text.length, sizeof(size_t)) || text.length > in->length)
				return false;
			text.data = in->data;
			in->data += text.length;
			in->length -= text.length;
			if (!mp_names_find(&classes->labels, text, &labels[j]))
				return false;
		}
		pair = find_pair(classes, labels[0], labels[1]);
		if (pair == NULL || !mp_metrics_read(in, &pair->rows, sizeof(int64_t)) ||
			!mp_sum_read(&pair->weight, in))
			return false;
	}
	return true;
}

double
mp_class_pair_weight(const MpClasses *classes, MpClassPair *pair)
{
	return classes->weighted ? mp_sum_value(&pair->weight) : (double) pair->rows;
}

/* Where a label stands among all in the order of their bytes. */
typedef struct LabelOrder
{
	MpString	text;
	uint32_t	label;
} LabelOrder;

static int
compare_labels(const void *a, const void *b)
{
	return mp_string_compare(((const LabelOrder *) a)->text, ((const LabelOrder *) b)->text);
}

static int
compare_pairs(const void *a, const void *b)
{
	const MpClassPair *x = a;
	const MpClassPair *y = b;

	if (x->actual != y->actual)
		return x->actual < y->actual ? -1 : 1;
	return (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

bool
mp_classes_sort(MpClasses *classes)
{
	uint32_t	n = mp_names_count(&classes->labels);
	LabelOrder *order = mp_alloc_get(classes->alloc, (n + 1) * sizeof(LabelOrder));
	uint32_t   *number = mp_alloc_get(classes->alloc, (n + 1) * sizeof(uint32_t));
	MpNames		sorted;
	bool		complete = order != NULL && number != NULL;

	mp_names_begin(&sorted, classes->alloc);
	for (uint32_t i = 0; complete && i < n; i++)
	{
		order[i].text = mp_names_at(&classes->labels, i);
		order[i].label = i;
	}
	if (complete && n > 0)
		qsort(order, n, sizeof(LabelOrder), compare_labels);
	for (uint32_t i = 0; complete && i < n; i++)
		complete = mp_names_find(&sorted, order[i].text, &number[order[i].label]);
	for (uint32_t i = 0; complete && i < n_pairs(classes); i++)
	{
		MpClassPair *pair = mp_vec_at(&classes->pairs, MpClassPair, i);

		pair->actual = number[pair->actual];
		pair->predicted = number[pair->predicted];
	}
	if (complete && n_pairs(classes) > 0)
		qsort(classes->pairs.data, n_pairs(classes), sizeof(MpClassPair), compare_pairs);
	mp_alloc_release(classes->alloc, order);
	mp_alloc_release(classes->alloc, number);
	mp_names_end(complete ? &classes->labels : &sorted);
	if (!complete)
		return false;
	classes->labels = sorted;
	/* the slots are made again by the next that adds */
	mp_alloc_release(classes->alloc, classes->pair_slots);
	classes->pair_slots = NULL;
	return true;
}

/* Weights of a label. */
typedef struct LabelSums
{
	double		actual;
	double		predicted;
	double		hits;
} LabelSums;

static LabelSums *
sum_labels(MpClasses *classes)
{
	LabelSums  *sums = mp_alloc_zero(classes->alloc, (mp_names_count(&classes->labels) + 1) * sizeof(LabelSums));

	if (sums == NULL)
		return NULL;
	for (uint32_t i = 0; i < n_pairs(classes); i++)
	{
		MpClassPair *pair = mp_vec_at(&classes->pairs, MpClassPair, i);
		double		weight = mp_class_pair_weight(classes, pair);

		sums[pair->actual].actual += weight;
		sums[pair->predicted].predicted += weight;
		if (pair->actual == pair->predicted)
			sums[pair->actual].hits += weight;
	}
	return sums;
}

bool
mp_classes_measure(MpClasses *classes, MpClassMeasures *measures)
{
	LabelSums  *sums;
	uint32_t	n = mp_names_count(&classes->labels);
	uint32_t	n_actual = 0;
	double		all = 0;
	double		hits = 0;
	double		by_chance = 0;	/* sums of products of all labels' weights */
	double		actual_squares = 0;
	double		predicted_squares = 0;

	memset(measures, 0, sizeof(MpClassMeasures));
	if (!mp_classes_sort(classes) || (sums = sum_labels(classes)) == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++)
		all += sums[i].actual;
	for (uint32_t i = 0; i < n; i++)
	{
		const LabelSums *s = &sums[i];
		double		f1 = s->hits == 0 ? 0 : 2 * s->hits / (s->actual + s->predicted);

		measures->macro_precision += s->hits == 0 ? 0 : s->hits / s->predicted / n;
		measures->macro_recall += s->hits == 0 ? 0 : s->hits / s->actual / n;
		measures->macro_f1 += f1 / n;
		measures->weighted_f1 += f1 * s->actual / all;
		if (s->actual > 0)
		{
			measures->balanced_accuracy += s->hits / s->actual;
			n_actual++;
		}
		hits += s->hits;
		by_chance += s->actual * s->predicted;
		actual_squares += s->actual * s->actual;
		predicted_squares += s->predicted * s->predicted;
	}
	measures->balanced_accuracy /= n_actual;
	measures->accuracy = hits / all;
	if (all * all > actual_squares && all * all > predicted_squares)
		measures->mcc = (hits * all - by_chance) / sqrt(all * all - actual_squares) /
			sqrt(all * all - predicted_squares);
	/* NAN where all rows are of one class, and predicted so */
	measures->kappa = 1 - (all - hits) / (all - by_chance / all);
	mp_alloc_release(classes->alloc, sums);
	return true;
}
