/*
 * sort_radix.h: a radix sort in place, most significant byte first (American
 * flag sort), for the including file's type of item:
 *
 *   ITEM           the type
 *   NAME(x)        names of the functions
 *   BYTE(item, d)  the item's d-th byte, the most significant one is 0
 *   N_BYTES        how many there are
 *   LESS(a, b)     the order
 */

static void
NAME(insertion)(ITEM *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		ITEM		item = items[i];
		size_t		j = i;

		for (; j > 0 && LESS(item, items[j - 1]); j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

/* Puts each item into the part of its byte d; next[b] ends up where part b ends. */
static void
NAME(distribute)(ITEM *items, int d, size_t *next, const size_t *end)
{
	for (int b = 0; b < 256; b++)
	{
		while (next[b] < end[b])
		{
			ITEM		item = items[next[b]];
			int			home = BYTE(item, d);

			while (home != b)
			{
				ITEM		other = items[next[home]];

				items[next[home]++] = item;
				item = other;
				home = BYTE(item, d);
			}
			items[next[b]++] = item;
		}
	}
}

static void
NAME(radix)(ITEM *items, size_t n, int d, MpAlloc *alloc)
{
	size_t		count[256] = {0};
	size_t		next[256];
	size_t		end[256];
	size_t		sum = 0;

	if (n <= 32)
	{
		NAME(insertion)(items, n);
		return;
	}
	if (n >= 4096)
		mp_alloc_poll(alloc);
	for (size_t i = 0; i < n; i++)
		count[BYTE(items[i], d)]++;
	if (count[BYTE(items[0], d)] < n)
	{
		for (int b = 0; b < 256; b++)
		{
			next[b] = sum;
			end[b] = sum += count[b];
		}
		NAME(distribute)(items, d, next, end);
	}
	if (d + 1 == N_BYTES)
		return;
	sum = 0;
	for (int b = 0; b < 256; b++)
	{
		if (count[b] > 1)
			NAME(radix)(items + sum, count[b], d + 1, alloc);
		sum += count[b];
	}
}

#undef ITEM
#undef NAME
#undef BYTE
#undef N_BYTES
#undef LESS
