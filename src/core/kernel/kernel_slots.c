/*
 * kernel_slots.c: the conditions of a forest, and the slots that a row is
 * reduced to.
 *
 * Splits share thresholds: a model of 200,000 splits has some ten thousand
 * distinct ones. They are found with a hash table, sorted by feature and
 * threshold, and cut into slots. Category sets that are equal are one test.
 */
#include "core/kernel/kernel_slots.h"
#include "core/kernel/kernel_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_TABLE_SIZE 4096
#define TEST 0x80000000u

/* a table of codes up to this size need not be compact */
#define MAX_DENSE_BYTES 65536

/* beyond this, tables of codes are no gain over asking the sets */
#define MAX_CODE_WORDS (4 * 1024 * 1024)

/* double -> integer of the same order; both zeros are one */
static uint64_t
ordered_from_double(double threshold)
{
	uint64_t	bits;

	if (threshold == 0)
		threshold = 0.0;
	memcpy(&bits, &threshold, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static double
double_from_ordered(uint64_t ordered)
{
	uint64_t	bits = ordered >> 63 ? ordered & ~(UINT64_C(1) << 63) : ~ordered;
	double		threshold;

	memcpy(&threshold, &bits, sizeof(bits));
	return threshold;
}

static uint32_t
hash_key(uint64_t key)
{
	key *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t) (key >> 32) ^ (uint32_t) key;
}

/* The least code of the set that is >= code, or MP_MAX_CATEGORY. */
static uint32_t
next_code(const MpForest *forest, uint32_t set, uint32_t code)
{
	const MpCatSet *s = MP_SECTION(forest, MP_SECTION_CATSETS, MpCatSet) + set;
	const uint32_t *words = MP_SECTION(forest, MP_SECTION_CATWORDS, uint32_t) + s->first;

	if (s->is_list)
	{
		uint32_t	low = 0;

		for (uint32_t high = s->length; low < high;)
		{
			uint32_t	middle = low + (high - low) / 2;

			if (words[middle] < code)
				low = middle + 1;
			else
				high = middle;
		}
		return low < s->length ? words[low] : MP_MAX_CATEGORY;
	}
	while (code / 32 < s->length)
	{
		if (words[code / 32] >> (code % 32) & 1)
			return code;
		code = words[code / 32] >> (code % 32) == 0 ? (code / 32 + 1) * 32 : code + 1;
	}
	return MP_MAX_CATEGORY;
}

static bool
sets_equal(const MpForest *forest, uint32_t a, uint32_t b)
{
	uint32_t	code = 0;

	if (a == b)
		return true;
	while (code < MP_MAX_CATEGORY)
	{
		uint32_t	next = next_code(forest, a, code);

		if (next != next_code(forest, b, code))
			return false;
		code = next < MP_MAX_CATEGORY ? next + 1 : next;
	}
	return true;
}

/* Also counts the codes. */
static uint32_t
hash_set(const MpForest *forest, uint32_t set, uint32_t feature, uint64_t *n_codes)
{
	uint64_t	hash = feature;
	uint32_t	code = next_code(forest, set, 0);

	for (; code < MP_MAX_CATEGORY; code = next_code(forest, set, code + 1))
	{
		hash = (hash ^ code) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
		(*n_codes)++;
	}
	return hash_key(hash);
}

static uint32_t
feature_of(const MpCondition *condition)
{
	return condition->feature & MP_NODE_FEATURE_MASK;
}

bool
mp_conditions_open(MpConditions *c, MpAlloc *alloc, const MpForest *forest)
{
	memset(c, 0, sizeof(*c));
	c->alloc = alloc;
	c->forest = forest;
	c->all.alloc = alloc;
	c->table_size = FIRST_TABLE_SIZE;
	c->table = mp_alloc_zero(alloc, c->table_size * sizeof(uint32_t));
	return c->table != NULL;
}

void
mp_conditions_close(MpConditions *c)
{
	mp_vec_release(&c->all);
	mp_alloc_release(c->alloc, c->table);
	mp_alloc_release(c->alloc, c->sorted);
	mp_alloc_release(c->alloc, c->places);
}

static bool
grow_table(MpConditions *c)
{
	uint32_t	n = mp_vec_count(&c->all, MpCondition);
	uint32_t	size = c->table_size * 4;
	uint32_t   *table = mp_alloc_zero(c->alloc, size * sizeof(uint32_t));

	if (table == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	place = mp_condition(c, i)->hash & (size - 1);

		while (table[place] != 0)
			place = (place + 1) & (size - 1);
		table[place] = i + 1;
	}
	mp_alloc_release(c->alloc, c->table);
	c->table = table;
	c->table_size = size;
	return true;
}

static bool
condition_is(const MpConditions *c, const MpCondition *known, const MpCondition *wanted)
{
	if (known->hash != wanted->hash)
		return false;
	if (known->feature != wanted->feature)
		return false;
	if (wanted->feature & TEST)
		return sets_equal(c->forest, known->set, wanted->set);
	return known->threshold == wanted->threshold;
}

bool
mp_conditions_add(MpConditions *c, const MpNode *split, double threshold, uint32_t *number)
{
	uint32_t	feature = split->feature & MP_NODE_FEATURE_MASK;
	uint32_t	n = mp_vec_count(&c->all, MpCondition);
	uint32_t	place;
	MpCondition wanted = {0};
	MpCondition *added;

	if (split->feature & MP_NODE_CATEGORICAL)
	{
		wanted.feature = feature | TEST;
		wanted.threshold = n;
		wanted.set = split->value_bits;
		wanted.hash = hash_set(c->forest, wanted.set, feature, &c->n_codes);
	}
	else
	{
		wanted.feature = feature;
		wanted.threshold = ordered_from_double(threshold);
		wanted.hash = hash_key(wanted.threshold + feature);
	}

	for (place = wanted.hash & (c->table_size - 1); c->table[place] != 0;
		 place = (place + 1) & (c->table_size - 1))
	{
		*number = c->table[place] - 1;
		if (condition_is(c, mp_condition(c, *number), &wanted))
			return true;
	}

	added = mp_vec_add(&c->all, sizeof(MpCondition));
	if (added == NULL)
		return false;
	*added = wanted;
	*number = n;
	c->table[place] = n + 1;
	if (wanted.feature & TEST)
		c->n_tests++;
	else
		c->n_numeric++;
	return n + 1 < c->table_size / 2 || grow_table(c);
}

/* Byte 0 to 11 of what conditions are sorted by: threshold, feature, whether it is a test. */
static uint32_t
byte_of(const MpConditions *c, uint32_t number, int byte)
{
	const MpCondition *condition = mp_condition(c, number);

	return (byte < 8 ? condition->threshold >> (8 * byte)
			: condition->feature >> (8 * (byte - 8))) & 255;
}

/* One pass of a radix sort; false: all have the same byte there, nothing was done. */
static bool
sort_by_byte(const MpConditions *c, int byte, const uint32_t *from, uint32_t *to, uint32_t n)
{
	uint32_t	starts[256] = {0};
	uint32_t	sum = 0;

	for (uint32_t i = 0; i < n; i++)
		starts[byte_of(c, i, byte)]++;
	for (int i = 0; i < 256; i++)
	{
		uint32_t	count = starts[i];

		if (count == n)
			return false;
		starts[i] = sum;
		sum += count;
	}
	for (uint32_t i = 0; i < n; i++)
		to[starts[byte_of(c, from[i], byte)]++] = from[i];
	return true;
}

bool
mp_conditions_sort(MpConditions *c)
{
	uint32_t	n = mp_vec_count(&c->all, MpCondition);
	uint32_t   *other = mp_alloc_get(c->alloc, n * sizeof(uint32_t));

	c->sorted = mp_alloc_get(c->alloc, n * sizeof(uint32_t));
	c->places = mp_alloc_get(c->alloc, n * sizeof(MpConditionPlace));
	if (other == NULL || c->sorted == NULL || c->places == NULL)
	{
		mp_alloc_release(c->alloc, other);
		return false;
	}
	for (uint32_t i = 0; i < n; i++)
		c->sorted[i] = i;
	for (int byte = 0; byte < 12; byte++)
	{
		if (sort_by_byte(c, byte, c->sorted, other, n))
		{
			uint32_t   *swap = c->sorted;

			c->sorted = other;
			other = swap;
		}
	}
	mp_alloc_release(c->alloc, other);
	return true;
}

/* The thresholds from `start` that share a slot: how many. */
static uint32_t
slot_length(const MpConditions *c, uint32_t start, uint32_t limit)
{
	uint32_t	feature = feature_of(mp_condition(c, c->sorted[start]));
	uint32_t	n = 1;

	while (start + n < c->n_numeric && n < limit &&
		   feature_of(mp_condition(c, c->sorted[start + n])) == feature)
		n++;
	return n;
}

/* Levels of the search tree over n thresholds and the -Infinity before them. */
static int
rank_levels(uint32_t n)
{
	int			levels = 1;

	for (n++; n >= MP_RANK_FANOUT; n /= MP_RANK_FANOUT)
		levels++;
	return levels;
}

/* Numeric slots in all, and by levels. */
static void
count_slots(const MpConditions *c, MpKernelImage *image)
{
	uint32_t	n;

	image->n_numeric = 0;
	memset(image->level_slots, 0, sizeof(image->level_slots));
	for (uint32_t i = 0; i < c->n_numeric; i += n)
	{
		n = slot_length(c, i, mp_kernel_most_thresholds(image->width));
		image->n_numeric++;
		image->level_slots[rank_levels(n) - 1]++;
	}
	image->n_slots = image->n_numeric + c->n_tests;
}

bool
mp_conditions_assign(MpConditions *c, MpKernelImage *image)
{
	uint32_t	next[MP_RANK_LEVELS] = {0};
	uint32_t	n;

	count_slots(c, image);
	if (image->n_slots > mp_kernel_most_slots(image->width))
		return false;
	for (int level = 1; level < MP_RANK_LEVELS; level++)
		next[level] = next[level - 1] + image->level_slots[level - 1];
	for (uint32_t i = 0; i < c->n_numeric; i += n)
	{
		uint32_t	slot;

		n = slot_length(c, i, mp_kernel_most_thresholds(image->width));
		slot = next[rank_levels(n) - 1]++;
		for (uint32_t j = 0; j < n; j++)
			c->places[c->sorted[i + j]] = (MpConditionPlace) {slot, j};
	}
	for (uint32_t i = 0; i < c->n_tests; i++)
		c->places[c->sorted[c->n_numeric + i]] = (MpConditionPlace) {image->n_numeric + i, 0};
	return true;
}

/* Writes the i-th of a slot's numbers: -Infinity, then the thresholds from the start-th condition on. */
static void
write_real(const MpConditions *c, void *reals, uint32_t at, uint32_t start, uint64_t i, uint32_t n)
{
	double		real = NAN;

	if (i == 0)
		real = -INFINITY;
	else if (i <= n)
		real = double_from_ordered(mp_condition(c, c->sorted[start + i - 1])->threshold);
	if (c->forest->precision == MP_PRECISION_DOUBLE)
		((double *) reals)[at] = real;
	else
		((float *) reals)[at] = real;
}

/*
 * Writes the search tree over the n thresholds from the start-th condition on:
 * the root to its place, the other levels to the end.
 */
static bool
write_thresholds(const MpConditions *c, MpVec *blocks, uint32_t start, uint32_t n, uint32_t root,
				 MpKernelSlot *slot)
{
	int			levels = rank_levels(n);
	uint32_t	n_blocks = (n + 1) / MP_RANK_FANOUT + 1;
	uint32_t	stride = 1;		/* numbers that one of this level stands for */
	size_t		block = MP_RANK_FANOUT * mp_forest_real_size(c->forest);

	for (int level = levels - 1; level >= 0; level--)
	{
		uint32_t	first = root;

		if (level > 0)
		{
			first = blocks->size / block;
			slot->first[level - 1] = first;
			if (mp_vec_add(blocks, n_blocks * block) == NULL)
				return false;
		}
		for (uint32_t i = 0; i < n_blocks * MP_RANK_FANOUT; i++)
			write_real(c, (char *) blocks->data + first * block, i, start,
					   (uint64_t) (i + 1) * stride - 1, n);
		stride *= MP_RANK_FANOUT;
		n_blocks = (n_blocks + MP_RANK_FANOUT - 1) / MP_RANK_FANOUT;
	}
	return true;
}

static bool
write_numeric(const MpConditions *c, MpKernelImage *head, MpVec *slots, MpVec *blocks)
{
	uint32_t	n;

	if (mp_vec_add(slots, head->n_numeric * sizeof(MpKernelSlot)) == NULL ||
		mp_vec_add(blocks, head->n_numeric * MP_RANK_FANOUT * mp_forest_real_size(c->forest)) == NULL)
		return false;
	for (uint32_t i = 0; i < c->n_numeric; i += n)
	{
		uint32_t	number = c->places[c->sorted[i]].slot;
		MpKernelSlot *slot = mp_vec_at(slots, MpKernelSlot, number);

		memset(slot, 0, sizeof(*slot));
		slot->feature = feature_of(mp_condition(c, c->sorted[i]));
		n = slot_length(c, i, mp_kernel_most_thresholds(head->width));
		if (!write_thresholds(c, blocks, i, n, number, slot))
			return false;
		mp_alloc_poll(c->alloc);
	}
	return true;
}

static int
compare_codes(const void *a, const void *b)
{
	uint32_t	x = *(const uint32_t *) a;
	uint32_t	y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

/* All codes of the tests that are `sorted[first]` and on, ascending, each once. */
static bool
collect_codes(const MpConditions *c, uint32_t first, uint32_t n_tests, MpVec *codes)
{
	uint32_t   *all;
	uint32_t	n;
	uint32_t	n_distinct = 0;

	for (uint32_t i = 0; i < n_tests; i++)
	{
		uint32_t	set = mp_condition(c, c->sorted[first + i])->set;
		uint32_t	code = next_code(c->forest, set, 0);

		for (; code < MP_MAX_CATEGORY; code = next_code(c->forest, set, code + 1))
		{
			uint32_t   *added = mp_vec_add(codes, sizeof(uint32_t));

			if (added == NULL)
				return false;
			*added = code;
		}
		mp_alloc_poll(c->alloc);
	}
	all = codes->data;
	n = mp_vec_count(codes, uint32_t);
	if (n > 0)
		qsort(all, n, sizeof(uint32_t), compare_codes);
	for (uint32_t i = 0; i < n; i++)
	{
		if (n_distinct == 0 || all[i] != all[n_distinct - 1])
			all[n_distinct++] = all[i];
	}
	codes->size = n_distinct * sizeof(uint32_t);
	return true;
}

static uint32_t
code_row(const MpKernelGroup *group, const uint32_t *codes, uint32_t code)
{
	uint32_t	low = 0;

	if (!group->listed)
		return code;
	for (uint32_t high = group->n_codes - 1; low < high;)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (codes[middle] < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Appends the code list and the bits of a group to the section CODES. */
static bool
write_codes(const MpConditions *c, MpVec *data, uint32_t first, MpKernelGroup *group,
			const MpVec *codes)
{
	const uint32_t *list = codes->data;
	uint32_t	n = mp_vec_count(codes, uint32_t);
	size_t		dense = n == 0 ? 0 : ((size_t) list[n - 1] + 1) * group->row_bytes;
	size_t		size;
	uint8_t    *bits;

	group->listed = dense > MAX_DENSE_BYTES && dense > 4 * (size_t) n * (group->row_bytes + 4);
	group->n_codes = group->listed || n == 0 ? n : list[n - 1] + 1;
	group->codes = mp_vec_count(data, uint32_t);
	if (group->listed)
	{
		uint32_t   *copy = mp_vec_add(data, codes->size);

		if (copy == NULL)
			return false;
		memcpy(copy, list, codes->size);
	}

	group->bits = mp_vec_count(data, uint32_t);
	size = ((size_t) group->n_codes * group->row_bytes + 3) / 4 * 4;
	bits = mp_vec_add(data, size);
	if (bits == NULL)
		return false;
	memset(bits, 0, size);
	for (uint32_t i = 0; i < group->n_tests; i++)
	{
		uint32_t	set = mp_condition(c, c->sorted[first + i])->set;
		uint32_t	code = next_code(c->forest, set, 0);

		for (; code < MP_MAX_CATEGORY; code = next_code(c->forest, set, code + 1))
			bits[(size_t) code_row(group, list, code) * group->row_bytes + i / 8] |= 1 << (i % 8);
		mp_alloc_poll(c->alloc);
	}
	return true;
}

/* Makes the groups and their data, each a vector of its own. */
static bool
make_groups(const MpConditions *c, uint32_t first_slot, MpVec *groups, MpVec *data)
{
	MpVec		codes = {c->alloc};
	bool		ok = true;

	for (uint32_t i = 0; ok && i < c->n_tests;)
	{
		uint32_t	first = c->n_numeric + i;
		MpKernelGroup *group = mp_vec_add(groups, sizeof(MpKernelGroup));

		if (group == NULL)
		{
			ok = false;
			break;
		}
		memset(group, 0, sizeof(*group));
		group->feature = feature_of(mp_condition(c, c->sorted[first]));
		group->first_slot = first_slot + i;
		while (i < c->n_tests &&
			   feature_of(mp_condition(c, c->sorted[c->n_numeric + i])) == group->feature)
			i++;
		group->n_tests = c->n_numeric + i - first;
		group->row_bytes = (group->n_tests + 7) / 8;
		codes.size = 0;
		ok = collect_codes(c, first, group->n_tests, &codes) &&
			write_codes(c, data, first, group, &codes);
		if (mp_vec_count(data, uint32_t) > MAX_CODE_WORDS)
			break;
	}
	mp_vec_release(&codes);
	return ok;
}

static bool
write_section(MpVec *image, MpKernelSectionId id, const MpVec *data)
{
	void	   *copy;

	if (!mp_image_begin(image, id))
		return false;
	copy = mp_vec_add(image, data->size);
	if (copy == NULL)
		return false;
	if (data->size > 0)
		memcpy(copy, data->data, data->size);
	mp_image_end(image, id);
	return true;
}

bool
mp_conditions_write(MpConditions *c, MpVec *image, bool *fits)
{
	MpKernelImage head = *(MpKernelImage *) image->data;
	MpVec		slots = {c->alloc};
	MpVec		blocks = {c->alloc};
	MpVec		groups = {c->alloc};
	MpVec		codes = {c->alloc};
	bool		ok;

	ok = write_numeric(c, &head, &slots, &blocks) &&
		make_groups(c, head.n_numeric, &groups, &codes);
	*fits = mp_vec_count(&codes, uint32_t) <= MAX_CODE_WORDS;
	if (ok && *fits)
		ok = write_section(image, MP_KERNEL_SLOTS, &slots) &&
			write_section(image, MP_KERNEL_THRESHOLDS, &blocks) &&
			write_section(image, MP_KERNEL_GROUPS, &groups) &&
			write_section(image, MP_KERNEL_CODES, &codes);
	mp_vec_release(&slots);
	mp_vec_release(&blocks);
	mp_vec_release(&groups);
	mp_vec_release(&codes);
	return ok;
}
