/*
 * steps_names.c: the names of values, and which inputs each derives from.
 */
#include "core/steps/steps_fields.h"
#include "core/steps/steps_hash.h"
#include "core/steps/steps_names.h"

#include <string.h>

/*
 * Sets of inputs: in all at most so many members, and so many looked at while
 * they are made. Sums over thousands of products of everything would otherwise
 * take time and memory beyond the document's size.
 */
#define MAX_SET_WORDS 1000000
#define MAX_SET_WORK 50000000

static uint64_t
name_of(const Draft *draft, uint32_t slot)
{
	return ((const uint64_t *) draft->names.data)[slot];
}

static InputSet
set_at(const Draft *draft, uint32_t set)
{
	return ((const InputSet *) draft->input_sets.data)[set];
}

static uint32_t
set_of_slot(const Draft *draft, uint32_t slot)
{
	return ((const uint32_t *) draft->sets.data)[slot];
}

/* Puts item number `item` (its hash is of table->seed) into a free place; false: too far from its own. */
static bool
place_name(Draft *draft, DraftTable *table, uint32_t item)
{
	uint32_t   *places = table->places.data;
	uint32_t	mask = (uint32_t) mp_vec_count(&table->places, uint32_t) - 1;
	MpString	text = mp_draft_text(draft, name_of(draft, item));
	uint32_t	at = mp_steps_hash_text(table->seed, text.data, text.length);

	for (int i = 0; i < MP_STEPS_MAX_PROBE; i++, at++)
	{
		if (places[at & mask] == 0)
		{
			places[at & mask] = item + 1;
			return true;
		}
	}
	return false;
}

/* Makes the table anew, for n names. */
static bool
rebuild(Draft *draft, DraftTable *table, uint32_t n)
{
	uint32_t	size = mp_steps_table_size(n + 8);

	for (uint32_t seed = table->seed; seed < MP_STEPS_MAX_SEEDS; seed++)
	{
		uint32_t	item = 0;

		mp_vec_release(&table->places);
		if (mp_vec_add(&table->places, (size_t) size * sizeof(uint32_t)) == NULL)
			return mp_fail_memory(draft->error, (size_t) size * sizeof(uint32_t));
		memset(table->places.data, 0, table->places.size);
		table->seed = seed;
		while (item < n && place_name(draft, table, item))
		{
			if (++item % 16384 == 0)
				mp_alloc_poll(draft->alloc);
		}
		if (item == n)
			return true;
	}
	return mp_draft_fail(draft, "too many names look alike to a hash table");
}

static bool
find(const Draft *draft, uint64_t name, uint32_t *slot)
{
	const DraftTable *table = &draft->name_table;
	const uint32_t *places = table->places.data;
	uint32_t	mask = (uint32_t) mp_vec_count(&table->places, uint32_t) - 1;
	MpString	text = mp_draft_text(draft, name);
	uint32_t	at = mp_steps_hash_text(table->seed, text.data, text.length);

	for (int i = 0; places != NULL && i < MP_STEPS_MAX_PROBE; i++, at++)
	{
		uint32_t	place = places[at & mask];

		if (place == 0)
			break;
		if (mp_string_equal(mp_draft_text(draft, name_of(draft, place - 1)), text))
		{
			*slot = place - 1;
			return true;
		}
	}
	return false;
}

bool
mp_draft_find(Draft *draft, uint64_t name, uint32_t *slot)
{
	char		shown[80];

	if (find(draft, name, slot))
		return true;
	return mp_draft_fail(draft, "no input or earlier step makes %s",
						 mp_draft_shown(draft, name, shown, sizeof(shown)));
}

/* A new slot. */
bool
mp_draft_define(Draft *draft, uint64_t name, uint32_t holds, uint32_t set)
{
	DraftTable *table = &draft->name_table;
	uint32_t	slot = (uint32_t) mp_vec_count(&draft->slots, uint32_t);
	uint32_t	ignored;
	char		shown[80];

	if (mp_draft_text(draft, name).length == 0)
		return mp_draft_fail(draft, "a name is empty");
	if (find(draft, name, &ignored))
		return mp_draft_fail(draft, "the name %s is given twice",
							 mp_draft_shown(draft, name, shown, sizeof(shown)));
	if (!mp_draft_add_word(draft, &draft->slots, holds) ||
		!mp_draft_add_word(draft, &draft->sets, set) ||
		!mp_draft_add(draft, &draft->names, &name, sizeof(name)))
		return false;
	if (2 * ((size_t) slot + 1) > mp_vec_count(&table->places, uint32_t) ||
		!place_name(draft, table, slot))
		return rebuild(draft, table, slot + 1);
	return true;
}

static bool
add_set(Draft *draft, uint32_t n, uint32_t *set)
{
	InputSet	added = {(uint32_t) mp_vec_count(&draft->set_words, uint32_t) - n, n};

	if (mp_vec_count(&draft->set_words, uint32_t) > MAX_SET_WORDS)
		return mp_draft_fail(draft, "too many values derive from too many inputs");
	*set = (uint32_t) mp_vec_count(&draft->input_sets, InputSet);
	return mp_draft_add(draft, &draft->input_sets, &added, sizeof(added));
}

bool
mp_draft_set_of_input(Draft *draft, uint32_t input, uint32_t *set)
{
	return mp_draft_add_word(draft, &draft->set_words, input) && add_set(draft, 1, set);
}

/* The inputs of all of these slots. */
bool
mp_draft_union(Draft *draft, const uint32_t *slots, uint32_t n, uint32_t *set)
{
	bool	   *marks = draft->marks;
	uint32_t	n_inputs = draft->header.n_inputs;
	uint32_t	count = 0;
	bool		same = n > 0;

	for (uint32_t i = 1; i < n && same; i++)
		same = set_of_slot(draft, slots[i]) == set_of_slot(draft, slots[0]);
	if (same)
	{
		*set = set_of_slot(draft, slots[0]);
		return true;
	}
	draft->work += n + n_inputs / 16;
	for (uint32_t i = 0; i < n; i++)
	{
		InputSet	member = set_at(draft, set_of_slot(draft, slots[i]));
		const uint32_t *words = (const uint32_t *) draft->set_words.data + member.first;

		draft->work += member.n;
		if (draft->work > MAX_SET_WORK)
			return mp_draft_fail(draft, "too many values derive from too many inputs");
		for (uint32_t k = 0; k < member.n; k++)
			marks[words[k]] = true;
	}
	mp_alloc_poll(draft->alloc);
	for (uint32_t input = 0; input < n_inputs; input++)
	{
		if (!marks[input])
			continue;
		marks[input] = false;
		count++;
		if (!mp_draft_add_word(draft, &draft->set_words, input))
			return false;
	}
	return add_set(draft, count, set);
}

/* The order of groups: by their first input, then the second, and so on. */
static int
compare_sets(const Draft *draft, uint32_t a, uint32_t b)
{
	InputSet	left = set_at(draft, a);
	InputSet	right = set_at(draft, b);
	const uint32_t *words = draft->set_words.data;

	for (uint32_t i = 0; i < left.n && i < right.n; i++)
	{
		uint32_t	l = words[left.first + i];
		uint32_t	r = words[right.first + i];

		if (l != r)
			return l < r ? -1 : 1;
	}
	return left.n < right.n ? -1 : left.n > right.n;
}

/* Merges the runs [0, middle) and [middle, n). */
static void
merge(const Draft *draft, uint32_t *sets, uint32_t *room, uint32_t middle, uint32_t n)
{
	uint32_t	i = 0;
	uint32_t	k = middle;

	for (uint32_t out = 0; out < n; out++)
		room[out] = i < middle && (k == n || compare_sets(draft, sets[i], sets[k]) <= 0) ?
			sets[i++] : sets[k++];
	memcpy(sets, room, n * sizeof(uint32_t));
}

static void
sort_sets(const Draft *draft, uint32_t *sets, uint32_t *room, uint32_t n)
{
	if (n < 2)
		return;
	mp_alloc_poll(draft->alloc);
	sort_sets(draft, sets, room, n / 2);
	sort_sets(draft, sets + n / 2, room, n - n / 2);
	merge(draft, sets, room, n / 2, n);
}

/* group_of: room for a number per set, whose group it becomes; sets, room: likewise */
static bool
number_groups(Draft *draft, uint32_t *group_of, uint32_t *sets, uint32_t *room)
{
	MpStepsFeature *features = draft->features.data;
	uint32_t	n_features = draft->header.n_features;
	uint32_t	n = 0;
	uint32_t	n_groups = 0;

	for (uint32_t i = 0; i < n_features; i++)
	{
		uint32_t	set = set_of_slot(draft, features[i].slot);

		if (group_of[set] == 0)
			sets[n++] = set;
		group_of[set] = 1;
	}
	sort_sets(draft, sets, room, n);
	for (uint32_t i = 0; i < n; i++)
	{
		InputSet	set = set_at(draft, sets[i]);
		MpStepsGroup group = {(uint32_t) mp_vec_count(&draft->words, uint32_t), set.n};

		if (i == 0 || compare_sets(draft, sets[i - 1], sets[i]) != 0)
		{
			const uint32_t *members = (const uint32_t *) draft->set_words.data + set.first;

			if (!mp_draft_add(draft, &draft->groups, &group, sizeof(group)) ||
				!mp_draft_add(draft, &draft->words, members, set.n * sizeof(uint32_t)))
				return false;
			n_groups++;
		}
		group_of[sets[i]] = n_groups - 1;
	}
	for (uint32_t i = 0; i < n_features; i++)
		features[i].group = group_of[set_of_slot(draft, features[i].slot)];
	draft->header.n_groups = n_groups;
	return true;
}

bool
mp_draft_group_features(Draft *draft)
{
	size_t		n = mp_vec_count(&draft->input_sets, InputSet);
	uint32_t   *room = mp_alloc_zero(draft->alloc, 3 * n * sizeof(uint32_t));
	bool		done;

	if (room == NULL)
		return mp_fail_memory(draft->error, 3 * n * sizeof(uint32_t));
	done = number_groups(draft, room, room + n, room + 2 * n);
	mp_alloc_release(draft->alloc, room);
	return done;
}
