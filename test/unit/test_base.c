/*
 * test_base.c: strings and vectors.
 */
#include "harness.h"

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
