/*
 * number.c: decimal text to numbers.
 *
 * The first 19 digits times a power of ten are computed in double, with a
 * relative error far below 2^-46. Two doubles of different nearest float32 lie
 * on two sides of a midpoint between floats, so the conversion is right unless
 * such a midpoint is within the error: then, and for denormal or huge values,
 * strtof decides.
 */
#include "core/text/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 19			/* that fit in 64 bits, whatever they are */
#define MAX_EXPONENT 99999

typedef struct Decimal
{
	bool		negative;
	bool		is_whole;		/* neither fraction nor exponent */
	bool		cut;			/* digits beyond MAX_DIGITS were left out */
	uint64_t	digits;
	int			n_digits;		/* in `digits`, without leading zeros */
	int			exponent;		/* value = digits x 10^exponent */
	const char *first;			/* the text of all digits, with the point */
	const char *last;
	int			written_exponent;
} Decimal;

static bool
is_digit(const char *s, const char *end)
{
	return s < end && *s >= '0' && *s <= '9';
}

/* Takes a run of digits; those past the point lower the exponent. */
static const char *
scan_digits(Decimal *d, const char *s, const char *end, bool fraction)
{
	for (; is_digit(s, end); s++)
	{
		if (d->n_digits < MAX_DIGITS)
		{
			d->digits = d->digits * 10 + (unsigned) (*s - '0');
			d->n_digits += d->digits != 0;
			d->exponent -= fraction;
		}
		else
		{
			d->cut = true;
			d->exponent += !fraction;
		}
	}
	return s;
}

static MpNumberStatus
scan_exponent(Decimal *d, const char *s, const char *end, const char **rest)
{
	int			exponent = 0;
	bool		negative = false;

	if (s < end && (*s == '+' || *s == '-'))
		negative = *s++ == '-';
	*rest = s;
	if (!is_digit(s, end))
		return MP_NUMBER_MALFORMED;
	for (; is_digit(s, end); s++)
	{
		if (exponent < MAX_EXPONENT)
			exponent = exponent * 10 + (*s - '0');
	}
	if (exponent > MAX_EXPONENT)
		exponent = MAX_EXPONENT;
	d->written_exponent = negative ? -exponent : exponent;
	*rest = s;
	return MP_NUMBER_OK;
}

static MpNumberStatus
scan(Decimal *d, const char *s, const char *end, const char **rest)
{
	memset(d, 0, sizeof(*d));
	d->is_whole = true;
	if (s < end && *s == '-')
	{
		d->negative = true;
		s++;
	}
	*rest = s;
	if (!is_digit(s, end))
		return MP_NUMBER_MALFORMED;
	d->first = s;
	if (*s == '0' && is_digit(s + 1, end))
		return MP_NUMBER_MALFORMED;
	s = scan_digits(d, s, end, false);
	if (s < end && *s == '.')
	{
		d->is_whole = false;
		*rest = s + 1;
		if (!is_digit(s + 1, end))
			return MP_NUMBER_MALFORMED;
		s = scan_digits(d, s + 1, end, true);
	}
	d->last = s;
	*rest = s;
	if (s < end && (*s == 'e' || *s == 'E'))
	{
		d->is_whole = false;
		if (scan_exponent(d, s + 1, end, rest) != MP_NUMBER_OK)
			return MP_NUMBER_MALFORMED;
	}
	d->exponent += d->written_exponent;
	return MP_NUMBER_OK;
}

/*
 * Writes the number for strtof and strtod: without a decimal point, which
 * depends on the locale. No midpoint between two doubles has more than 767
 * significant digits, so behind 800 of them one more says all that matters.
 */
#define MAX_SIGNIFICANT 800
#define TEXT_SIZE (MAX_SIGNIFICANT + 32)

static void
write_plain(const Decimal *d, char *text)
{
	int			n = 0;
	int64_t		exponent = d->written_exponent;
	bool		fraction = false;
	bool		sticky = false;

	for (const char *s = d->first; s < d->last; s++)
	{
		if (*s == '.')
		{
			fraction = true;
			continue;
		}
		if (n < MAX_SIGNIFICANT)
		{
			exponent -= fraction;
			if (n > 0 || *s != '0')
				text[n++] = *s;
		}
		else
		{
			sticky |= *s != '0';
			exponent += !fraction;
		}
	}
	if (n == 0)
		text[n++] = '0';
	if (sticky)
	{
		text[n++] = '1';
		exponent--;
	}
	sprintf(text + n, "e%lld", (long long) exponent);
}

/* digits x 10^exponent with a relative error below 2^-49; exponent within +-88 */
static double
approximate(uint64_t digits, int exponent)
{
	static const double powers[] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
		1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
	};
	double		value = (double) digits;

	for (; exponent < -22; exponent += 22)
		value /= powers[22];
	for (; exponent > 22; exponent -= 22)
		value *= powers[22];
	return exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
}

/* whether float32 of a double this near to the true value may be another float */
static bool
is_near_midpoint(double value)
{
	uint64_t	bits;
	uint64_t	tail;

	/* a float keeps the upper 23 of a double's 52 bits */
	memcpy(&bits, &value, sizeof(bits));
	tail = bits & ((UINT64_C(1) << 29) - 1);
	return tail - ((UINT64_C(1) << 28) - 64) <= 128;
}

MpNumberStatus
mp_number_float(const char *s, const char *end, float *value, const char **rest)
{
	Decimal		d;
	MpNumberStatus status = scan(&d, s, end, rest);
	float		result;

	*value = 0;
	if (status != MP_NUMBER_OK)
		return status;

	if (d.digits == 0)
		result = 0;
	else
	{
		double		near = d.exponent >= -88 && d.exponent <= 40 ?
			approximate(d.digits, d.exponent) : 0;

		if (near >= FLT_MIN && near < 3.4e38 && !is_near_midpoint(near))
			result = (float) near;
		else
		{
			char		text[TEXT_SIZE];

			write_plain(&d, text);
			result = strtof(text, NULL);
			if (isinf(result))
				return MP_NUMBER_OUT_OF_RANGE;
		}
	}
	*value = d.negative ? -result : result;
	return MP_NUMBER_OK;
}

MpNumberStatus
mp_number_double(const char *s, const char *end, double *value, const char **rest)
{
	Decimal		d;
	MpNumberStatus status = scan(&d, s, end, rest);
	char		text[TEXT_SIZE];
	double		result;

	*value = 0;
	if (status != MP_NUMBER_OK)
		return status;
	write_plain(&d, text);
	result = strtod(text, NULL);
	if (isinf(result))
		return MP_NUMBER_OUT_OF_RANGE;
	*value = d.negative ? -result : result;
	return MP_NUMBER_OK;
}

MpNumberStatus
mp_number_integer(const char *s, const char *end, int64_t *value, const char **rest)
{
	Decimal		d;
	MpNumberStatus status = scan(&d, s, end, rest);

	*value = 0;
	if (status != MP_NUMBER_OK)
		return status;
	if (!d.is_whole)
		return MP_NUMBER_MALFORMED;
	if (d.cut || d.digits > (uint64_t) INT64_MAX + d.negative)
		return MP_NUMBER_OUT_OF_RANGE;
	*value = d.negative ? (int64_t) (0 - d.digits) : (int64_t) d.digits;
	return MP_NUMBER_OK;
}
