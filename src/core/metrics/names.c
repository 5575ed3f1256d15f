/*
 * names.c: texts that are numbered as they come; see names.h.
 */
#include "core/metrics/names.h"
#include "core/metrics/murmur3.h"
#include "core/metrics/sum.h"

#include <string.h>

#define FIRST_SLOTS 16

void
mp_names_begin(MpNames *names, MpAlloc *alloc)
{
	memset(names, 0, sizeof(MpNames));
	names->alloc = names->text.alloc = names->ends.alloc = alloc;
}

void
mp_names_end(MpNames *names)
{
	mp_vec_release(&names->text);
	mp_vec_release(&names->ends);
	mp_alloc_release(names->alloc, names->slots);
	names->slots = NULL;
}

MpString
mp_names_at(const MpNames *names, uint32_t number)
{
	size_t		from = number == 0 ? 0 : *mp_vec_at(&names->ends, size_t, number - 1);

	return (MpString) {(const char *) names->text.data + from,
			*mp_vec_at(&names->ends, size_t, number) - from};
}

/* Where the text is, or the free slot where it would be. */
static uint32_t
slot_of(const MpNames *names, const uint32_t *slots, uint32_t mask, MpString text)
{
	uint32_t	slot = mp_murmur3(text.data, text.length, 0) & mask;

	while (slots[slot] != 0 && !mp_string_equal(mp_names_at(names, slots[slot] - 1), text))
		slot = (slot + 1) & mask;
	return slot;
}

/* Keeps the slots at most half full. */
static bool
make_room(MpNames *names)
{
	uint32_t	n = mp_names_count(names);
	uint32_t	size = names->slots == NULL ? FIRST_SLOTS : (names->mask + 1) * 2;
	uint32_t   *slots;

	if (names->slots != NULL && n * 2 <= names->mask)
		return true;
	slots = mp_alloc_zero(names->alloc, size * sizeof(uint32_t));
	if (slots == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++)
		slots[slot_of(names, slots, size - 1, mp_names_at(names, i))] = i + 1;
	mp_alloc_release(names->alloc, names->slots);
	names->slots = slots;
	names->mask = size - 1;
	return true;
}

bool
mp_names_find(MpNames *names, MpString text, uint32_t *number)
{
	uint32_t	slot;

	if (!make_room(names))
		return false;
	slot = slot_of(names, names->slots, names->mask, text);
	if (names->slots[slot] != 0)
	{
		*number = names->slots[slot] - 1;
		return true;
	}
	*number = mp_names_count(names);
	if (!mp_metrics_write(&names->text, text.data, text.length) ||
		!mp_metrics_write(&names->ends, &names->text.size, sizeof(size_t)))
		return false;
	names->slots[slot] = *number + 1;
	return true;
}

int
mp_string_compare(MpString a, MpString b)
{
	size_t		shorter = a.length < b.length ? a.length : b.length;
	int			order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}
