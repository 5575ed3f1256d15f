/*
 * test_number.c: decimal text to float32, held against strtof.
 */
#include "harness.h"
#include "core/base/crc32c.h"
#include "core/forest/forest.h"
#include "core/text/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 88172645463325252u;

static uint64_t
random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void
check_as_strtof(const char *text)
{
	float		expected = strtof(text, NULL);
	float		got;
	const char *rest;
	MpNumberStatus status = mp_number_float(text, text + strlen(text), &got, &rest);

	if (isinf(expected))
		CHECK_SAY(status == MP_NUMBER_OUT_OF_RANGE, "%s should be out of range", text);
	else
		CHECK_SAY(status == MP_NUMBER_OK && memcmp(&got, &expected, 4) == 0 && *rest == '\0',
				  "%s: expected %a, got %a", text, expected, got);
}

MP_TEST(number_fixed_cases)
{
	static const char *const cases[] = {
		"0", "-0", "1", "0.5", "5E-1", "1e38", "3.4028235e38", "3.4028236e38", "1e39", "1e999",
		"1e-45", "7e-46", "7.1e-46", "1e-46", "1e-999", "1.17549435e-38", "1.1754942e-38", "0e999",
		"0.000000000000000000000000000000000000000000000000000000000000000000000000000000000001e84",
		"16777217", "16777219", "1.000000059604644775390625", "1.0000000596046447753906251",
		"1.0000000596046447753906249999999999", "123456789012345678901234567890e-20",
		"340282356779733661637539395458142568447", "340282356779733661637539395458142568448",
		"7.006492321624085354618e-46",
		"7.0064923216240853546186479164495806564013097093825788587853e-46",
		"2.00000000000000000000000000000000000000000000000000000000000000000000000001e0",
		"9.99999999999999999999999999999999999999999999999999999999999999999999999999999e-1"
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_as_strtof(cases[i]);
}

MP_TEST(number_random_texts)
{
	char		text[256];

	for (int i = 0; i < 400000; i++)
	{
		uint32_t	bits = (uint32_t) random_bits();
		float		x;
		double		middle;

		memcpy(&x, &bits, 4);
		if (!isfinite(x))
			continue;
		snprintf(text, sizeof(text), "%.*e", (int) (random_bits() % 20), x);
		check_as_strtof(text);

		/* exactly between two floats, and just beside */
		middle = ((double) x + (double) nextafterf(x, INFINITY)) / 2;
		snprintf(text, sizeof(text), "%.120e", middle);
		check_as_strtof(text);
		snprintf(text, sizeof(text), "%.17e", middle);
		check_as_strtof(text);
		snprintf(text, sizeof(text), "%.20e", nextafter(middle, i % 2 ? INFINITY : -INFINITY));
		check_as_strtof(text);
		snprintf(text, sizeof(text), "%llu.%llue%d", (unsigned long long) random_bits(),
				 (unsigned long long) random_bits(), (int) (random_bits() % 120) - 80);
		check_as_strtof(text);
	}
}

MP_TEST(number_many_digits)
{
	static char text[20000];

	/* a digit beyond all others decides between two floats */
	memset(text, '0', sizeof(text));
	memcpy(text, "1.000000059604644775390625", 26);
	strcpy(text + 10000, "1");
	check_as_strtof(text);
	strcpy(text + 10000, "0");
	check_as_strtof(text);
	memset(text, '9', 10000);
	strcpy(text + 10000, "e-10000");
	check_as_strtof(text);
}

MP_TEST(number_grammar)
{
	static const char *const bad[] = {
		"", "-", "+1", ".5", "1.", "01", "-01", "1e", "1e+", "e5", "abc", "--1", "-.5", "1.e5"
	};
	float		f;
	const char *rest;

	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++)
		CHECK_SAY(mp_number_float(bad[k], bad[k] + strlen(bad[k]), &f, &rest) ==
				  MP_NUMBER_MALFORMED, "\"%s\" was taken", bad[k]);
}

MP_TEST(number_integers)
{
	static const struct
	{
		const char *text;
		MpNumberStatus status;
		int64_t		value;
	}			cases[] = {
		{"0", MP_NUMBER_OK, 0},
		{"-0", MP_NUMBER_OK, 0},
		{"-17", MP_NUMBER_OK, -17},
		{"9223372036854775807", MP_NUMBER_OK, INT64_MAX},
		{"-9223372036854775808", MP_NUMBER_OK, INT64_MIN},
		{"9223372036854775808", MP_NUMBER_OUT_OF_RANGE, 0},
		{"-9223372036854775809", MP_NUMBER_OUT_OF_RANGE, 0},
		{"99999999999999999999", MP_NUMBER_OUT_OF_RANGE, 0},
		{"1e5", MP_NUMBER_MALFORMED, 0},
		{"1.0", MP_NUMBER_MALFORMED, 0},
	};

	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++)
	{
		int64_t		value;
		const char *rest;
		const char *text = cases[k].text;
		MpNumberStatus status = mp_number_integer(text, text + strlen(text), &value, &rest);

		CHECK_SAY(status == cases[k].status && value == cases[k].value, "%s", text);
	}
}

MP_TEST(crc32c_known_values)
{
	static unsigned char data[30000];

	/* the check value of the CRC catalogue, and 32 zero bytes of RFC 3720 */
	CHECK(mp_crc32c(0, "123456789", 9) == 0xe3069283u);
	CHECK(mp_crc32c_portable(0, "123456789", 9) == 0xe3069283u);
	memset(data, 0, 32);
	CHECK(mp_crc32c(0, data, 32) == 0x8a9136aau);
	for (int i = 0; i < (int) sizeof(data); i++)
		data[i] = (unsigned char) random_bits();
	for (int i = 20; i < (int) sizeof(data); i += 1 + i / 256)
	{
		uint32_t	expected = mp_crc32c_portable(0, data + i % 9, i - i % 9);

		CHECK(mp_crc32c(0, data + i % 9, i - i % 9) == expected);
		CHECK(mp_crc32c(mp_crc32c(0, data + i % 9, i / 3), data + i % 9 + i / 3,
						i - i % 9 - i / 3) == expected);
	}
}
