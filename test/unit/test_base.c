/*
 * test_base.c: strings, vectors and packed floats.
 */
#include "harness.h"
#include "random_forest.h"
#include "core/base/unpack.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) ((MpString) {literal, sizeof(literal) - 1})

MP_TEST(base_printable)
{
	char		buffer[16];

	CHECK(strcmp(mp_printable(buffer, sizeof(buffer), TEXT("abc")), "abc") == 0);
	CHECK(strcmp(mp_printable(buffer, sizeof(buffer), TEXT("a\nb\0c\x7f")), "a?b?c?") == 0);
	CHECK(strcmp(mp_printable(buffer, sizeof(buffer), TEXT("\xff\xc3\xa4")), "?\xc3\xa4") == 0);
	CHECK(strcmp(mp_printable(buffer, sizeof(buffer), TEXT("123456789012345")),
				 "123456789012345") == 0);
	CHECK(strcmp(mp_printable(buffer, sizeof(buffer), TEXT("1234567890123456")),
				 "123456789012...") == 0);
	/* the cut does not split the two bytes of an umlaut */
	CHECK(strcmp(mp_printable(buffer, sizeof(buffer), TEXT("12345678901\xc3\xa4 5678")),
				 "12345678901...") == 0);
	CHECK(strcmp(mp_printable(buffer, sizeof(buffer), TEXT("")), "") == 0);
}

MP_TEST(base_utf8)
{
	CHECK(mp_utf8_valid(TEXT("")));
	CHECK(mp_utf8_valid(TEXT("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xb2")));
	CHECK(!mp_utf8_valid(TEXT("a\0b")));
	CHECK(!mp_utf8_valid(TEXT("\xc3")));
	CHECK(!mp_utf8_valid(TEXT("\xc0\x80")));
	CHECK(!mp_utf8_valid(TEXT("\xe0\x80\x80")));
	CHECK(!mp_utf8_valid(TEXT("\xed\xa0\x80")));
	CHECK(!mp_utf8_valid(TEXT("\xf4\x90\x80\x80")));
	CHECK(!mp_utf8_valid(TEXT("\xe2\x82")));
}

MP_TEST(base_vec)
{
	MpCounting	counting;
	MpVec		vec = {&counting.alloc};

	mp_counting_init(&counting);
	for (int i = 0; i < 100000; i++)
	{
		int		   *place = mp_vec_add(&vec, sizeof(int));

		REQUIRE(place != NULL);
		*place = i;
	}
	CHECK(mp_vec_count(&vec, int) == 100000);
	CHECK(*mp_vec_at(&vec, int, 77777) == 77777);
	CHECK(mp_vec_add(&vec, 0) != NULL);
	CHECK(mp_vec_add(&vec, SIZE_MAX - 1000) == NULL);
	CHECK(counting.held < 100000 * sizeof(int) * 3 / 2 + 256);
	counting.limit = counting.held;
	CHECK(mp_vec_add(&vec, vec.room) == NULL);
	CHECK(*mp_vec_at(&vec, int, 99999) == 99999);
	mp_vec_release(&vec);
	CHECK(counting.n_blocks == 0 && counting.held == 0);
}

typedef bool (*Unpack) (const float *values, const uint8_t *present, size_t n, float *x);

/* Blocks of just the size: the sanitizers see any byte beyond them. */
static void
check_unpack(MpRandom *random, Unpack unpack, size_t n, bool all, bool some_infinite)
{
	uint8_t    *present = malloc((n + 7) / 8);
	float	   *want = malloc(n * sizeof(float));
	float	   *got = malloc(n * sizeof(float));
	float	   *values;
	size_t		n_values = 0;
	bool		infinite = false;

	for (size_t i = 0; i < (n + 7) / 8; i++)
		present[i] = mp_random_chance(random, 0.3) ? 0xff : mp_random_below(random, 256);
	for (size_t i = 0; i < n; i++)
		n_values += all || (present[i / 8] >> (i % 8) & 1);
	values = malloc(n_values * sizeof(float));
	for (size_t i = 0, next = 0; i < n; i++)
	{
		want[i] = NAN;
		if (!all && !(present[i / 8] >> (i % 8) & 1))
			continue;
		want[i] = (float) mp_random_below(random, 1000) - 500;
		if (some_infinite && mp_random_chance(random, 0.02))
			want[i] = mp_random_chance(random, 0.5) ? INFINITY : -INFINITY;
		else if (mp_random_chance(random, 0.1))
			want[i] = mp_random_chance(random, 0.5) ? FLT_MAX : NAN;
		infinite |= isinf(want[i]);
		values[next++] = want[i];
	}
	memset(got, 0x55, n * sizeof(float));
	CHECK_SAY(unpack(values, all ? NULL : present, n, got) == infinite, "%zu: infinite", n);
	CHECK_SAY(memcmp(got, want, n * sizeof(float)) == 0, "%zu floats", n);
	free(values);
	free(got);
	free(want);
	free(present);
}

MP_TEST(base_unpack)
{
	Unpack		ways[] = {mp_unpack_floats, mp_unpack_floats_portable};
	MpRandom	random = {7};

	for (size_t n = 1; n < 2000; n += n < 150 ? 1 : 97)
	{
		for (int i = 0; i < 8; i++)
			check_unpack(&random, ways[i / 4], n, i & 1, i & 2);
	}
}
