/*
 * sum.c: exact sums of doubles; see sum.h.
 */
#include "core/metrics/sum.h"

#include <math.h>
#include <string.h>

#define DIGIT_BITS 32
#define DIGIT_MASK UINT64_C(0xffffffff)

/* Each addition changes a digit by less than 2^34, so that these fit 63 bits. */
#define MAX_PENDING (UINT32_C(1) << 28)

/* Words of 32 bits, low ones first: the product of three doubles. */
#define MAX_WORDS 6

void
mp_sum_begin(MpSum *sum, MpAlloc *alloc)
{
	memset(sum, 0, sizeof(MpSum));
	sum->digits.alloc = alloc;
}

void
mp_sum_end(MpSum *sum)
{
	mp_vec_release(&sum->digits);
}

static int64_t *
digit_at(const MpSum *sum, int32_t position)
{
	return mp_vec_at(&sum->digits, int64_t, position - sum->first);
}

static int32_t
end_of(const MpSum *sum)
{
	return sum->first + (int32_t) mp_vec_count(&sum->digits, int64_t);
}

/* Makes room for the digits from `from` to before `to`. */
static bool
cover(MpSum *sum, int32_t from, int32_t to)
{
	int32_t		end = end_of(sum);
	size_t		before;
	size_t		after;
	size_t		had = sum->digits.size;

	if (had == 0)
		sum->first = end = from;
	else if (from >= sum->first && to <= end)
		return true;
	before = from < sum->first ? sum->first - from : 0;
	after = to > end ? to - end : 0;
	if (mp_vec_add(&sum->digits, (before + after) * sizeof(int64_t)) == NULL)
		return false;
	memmove(mp_vec_at(&sum->digits, int64_t, before), sum->digits.data, had);
	memset(sum->digits.data, 0, before * sizeof(int64_t));
	memset((char *) sum->digits.data + sum->digits.size - after * sizeof(int64_t), 0,
		   after * sizeof(int64_t));
	sum->first -= before;
	return true;
}

/* Leaves digits from 0 to 2^32 - 1, but for the highest, which has the sign. */
static bool
carry(MpSum *sum)
{
	int64_t    *digits = sum->digits.data;
	size_t		n = mp_vec_count(&sum->digits, int64_t);
	int64_t		last;

	sum->pending = 0;
	if (n == 0)
		return true;
	for (size_t i = 0; i + 1 < n; i++)
	{
		int64_t		over = digits[i] >> DIGIT_BITS;

		digits[i] -= over * (INT64_C(1) << DIGIT_BITS);
		digits[i + 1] += over;
	}
	last = digits[n - 1];
	if (last >= INT32_MIN && last <= INT32_MAX)
		return true;
	if (!cover(sum, sum->first, end_of(sum) + 1))
		return false;
	digits = sum->digits.data;
	digits[n] = last >> DIGIT_BITS;
	digits[n - 1] -= digits[n] * (INT64_C(1) << DIGIT_BITS);
	return true;
}

/* Adds or subtracts the number of these words times 2^exponent. */
static bool
add_words(MpSum *sum, const uint32_t *words, int n, int32_t exponent, bool negative)
{
	int32_t		position = exponent >= 0 ? exponent / DIGIT_BITS :
		-((DIGIT_BITS - 1 - exponent) / DIGIT_BITS);
	int			shift = exponent - position * DIGIT_BITS;
	int64_t    *digit;

	if (!cover(sum, position, position + n + 1))
		return false;
	digit = digit_at(sum, position);
	for (int i = 0; i < n; i++)
	{
		uint64_t	shifted = (uint64_t) words[i] << shift;
		int64_t		low = shifted & DIGIT_MASK;
		int64_t		high = shifted >> DIGIT_BITS;

		digit[i] += negative ? -low : low;
		digit[i + 1] += negative ? -high : high;
	}
	return ++sum->pending < MAX_PENDING || carry(sum);
}

/* x is words * 2^exponent, negated or not; it is finite. */
static int32_t
take_apart(double x, uint32_t words[2], bool *negative)
{
	uint64_t	bits;
	uint64_t	fraction;
	int			exponent;

	memcpy(&bits, &x, sizeof(bits));
	*negative = bits >> 63;
	exponent = (bits >> 52) & 0x7ff;
	fraction = bits & ((UINT64_C(1) << 52) - 1);
	if (exponent != 0)
		fraction |= UINT64_C(1) << 52;
	else
		exponent = 1;
	words[0] = fraction & DIGIT_MASK;
	words[1] = fraction >> DIGIT_BITS;
	return exponent - 1075;
}

/* words[] *= factor[]; room for two more words */
static void
multiply_words(uint32_t *words, int n, const uint32_t factor[2])
{
	uint32_t	product[MAX_WORDS] = {0};

	for (int i = 0; i < n; i++)
	{
		uint64_t	over = 0;

		for (int j = 0; j < 2; j++)
		{
			uint64_t	t = (uint64_t) words[i] * factor[j] + product[i + j] + over;

			product[i + j] = t & DIGIT_MASK;
			over = t >> DIGIT_BITS;
		}
		product[i + 2] = over;
	}
	memcpy(words, product, (n + 2) * sizeof(uint32_t));
}

static void
add_special(MpSum *sum, double x)
{
	if (isnan(x))
		sum->is_nan = true;
	else if (x > 0)
		sum->has_plus_infinity = true;
	else
		sum->has_minus_infinity = true;
}

bool
mp_sum_add(MpSum *sum, double x)
{
	return mp_sum_add_product(sum, &x, 1);
}

bool
mp_sum_add_product(MpSum *sum, const double *factors, int n_factors)
{
	uint32_t	words[MAX_WORDS];
	int32_t		exponent = 0;
	bool		negative = false;
	double		product = 1;
	bool		finite = true;

	for (int i = 0; i < n_factors; i++)
	{
		product *= factors[i];
		finite = finite && isfinite(factors[i]);
	}
	if (!finite)
	{
		add_special(sum, product);
		return true;
	}
	for (int i = 0; i < n_factors; i++)
	{
		uint32_t	factor[2];
		bool		sign;

		if (factors[i] == 0)
			return true;
		exponent += take_apart(factors[i], factor, &sign);
		negative ^= sign;
		if (i == 0)
			memcpy(words, factor, sizeof(factor));
		else
			multiply_words(words, 2 * i, factor);
	}
	return add_words(sum, words, 2 * n_factors, exponent, negative);
}

static bool
add_scaled(MpSum *sum, MpSum *other, int sign)
{
	const int64_t *digits;
	size_t		n;

	sum->is_nan |= other->is_nan;
	sum->has_plus_infinity |= sign > 0 ? other->has_plus_infinity : other->has_minus_infinity;
	sum->has_minus_infinity |= sign > 0 ? other->has_minus_infinity : other->has_plus_infinity;
	if (other->digits.size == 0)
		return true;
	if (!carry(other) || !carry(sum) || !cover(sum, other->first, end_of(other)))
		return false;
	digits = other->digits.data;
	n = mp_vec_count(&other->digits, int64_t);
	for (size_t i = 0; i < n; i++)
		*digit_at(sum, other->first + (int32_t) i) += sign * digits[i];
	return carry(sum);
}

bool
mp_sum_add_sum(MpSum *sum, MpSum *other)
{
	return add_scaled(sum, other, 1);
}

bool
mp_sum_subtract_sum(MpSum *sum, MpSum *other)
{
	return add_scaled(sum, other, -1);
}

static bool
is_negative(const MpSum *sum)
{
	size_t		n = mp_vec_count(&sum->digits, int64_t);

	return n > 0 && *mp_vec_at(&sum->digits, int64_t, n - 1) < 0;
}

/* Passes carries on and makes all digits positive; tells the sign apart. */
static bool
to_magnitude(MpSum *sum, bool *negative)
{
	if (!carry(sum))
		return false;
	*negative = is_negative(sum);
	if (*negative)
	{
		size_t		n = mp_vec_count(&sum->digits, int64_t);

		for (size_t i = 0; i < n; i++)
			*mp_vec_at(&sum->digits, int64_t, i) *= -1;
		return carry(sum);
	}
	return true;
}

static void
negate(MpSum *sum)
{
	size_t		n = mp_vec_count(&sum->digits, int64_t);

	for (size_t i = 0; i < n; i++)
		*mp_vec_at(&sum->digits, int64_t, i) *= -1;
}

bool
mp_sum_multiply(MpSum *product, MpSum *a, MpSum *b)
{
	bool		a_negative;
	bool		b_negative;
	size_t		n_a;
	size_t		n_b;
	bool		same = a == b;

	if (a->is_nan || b->is_nan || a->has_plus_infinity || a->has_minus_infinity ||
		b->has_plus_infinity || b->has_minus_infinity)
	{
		add_special(product, mp_sum_value(a) * mp_sum_value(b));
		return true;
	}
	if (!to_magnitude(a, &a_negative))
		return false;
	b_negative = a_negative;
	if (!same && !to_magnitude(b, &b_negative))
		return false;
	n_a = mp_vec_count(&a->digits, int64_t);
	n_b = mp_vec_count(&b->digits, int64_t);
	if (n_a > 0 && n_b > 0 &&
		!cover(product, a->first + b->first, a->first + b->first + (int32_t) (n_a + n_b) + 1))
		return false;
	for (size_t i = 0; i < n_a; i++)
	{
		for (size_t j = 0; j < n_b; j++)
		{
			uint64_t	t = (uint64_t) *mp_vec_at(&a->digits, int64_t, i) *
				(uint64_t) *mp_vec_at(&b->digits, int64_t, j);
			int64_t    *digit = digit_at(product, a->first + b->first + (int32_t) (i + j));

			digit[0] += t & DIGIT_MASK;
			digit[1] += t >> DIGIT_BITS;
		}
	}
	if (a_negative != b_negative)
		negate(product);
	if (a_negative)
		negate(a);
	if (!same && b_negative)
		negate(b);
	return carry(a) && carry(b) && carry(product);
}

/*
 * The highest 64 bits, the lowest of which also stands for all below, are
 * enough to round from: a double has 53.
 */
double
mp_sum_value(MpSum *sum)
{
	bool		negative;
	uint64_t	top = 0;
	int			bits = 0;
	int32_t		position;
	double		value;

	if (sum->is_nan || (sum->has_plus_infinity && sum->has_minus_infinity))
		return NAN;
	if (sum->has_plus_infinity || sum->has_minus_infinity)
		return sum->has_plus_infinity ? INFINITY : -INFINITY;
	if (sum->digits.size == 0)
		return 0;
	if (!to_magnitude(sum, &negative))
		return NAN;
	position = end_of(sum) - 1;
	while (position > sum->first && *digit_at(sum, position) == 0)
		position--;
	while (position >= sum->first && bits < 64)
	{
		uint64_t	digit = *digit_at(sum, position);
		int			width = DIGIT_BITS;

		if (bits == 0)
			for (width = 0; width < DIGIT_BITS && digit >> width != 0;)
				width++;
		if (bits + width > 64)
			break;
		top = top << width | digit;
		bits += width;
		position--;
	}
	/* what is left of the 64 bits comes from the next digit */
	if (position >= sum->first)
	{
		uint64_t	digit = *digit_at(sum, position);
		int			width = 64 - bits;
		uint64_t	rest = digit & ((UINT64_C(1) << (DIGIT_BITS - width)) - 1);

		top = width > 0 ? top << width | digit >> (DIGIT_BITS - width) : top;
		value = 0;
		for (int32_t i = sum->first; i < position && rest == 0; i++)
			rest = *digit_at(sum, i);
		if (rest != 0)
			top |= 1;
		value = ldexp((double) top, position * DIGIT_BITS + DIGIT_BITS - width);
	}
	else
		value = ldexp((double) top, (position + 1) * DIGIT_BITS);
	if (negative)
	{
		negate(sum);
		(void) carry(sum);
	}
	return negative ? -value : value;
}

bool
mp_sum_deviation(MpSum *w, MpSum *x, MpSum *y, MpSum *xy, double *deviation)
{
	MpSum		left;
	MpSum		right;
	bool		complete;

	mp_sum_begin(&left, w->digits.alloc);
	mp_sum_begin(&right, w->digits.alloc);
	complete = mp_sum_multiply(&left, w, xy) && mp_sum_multiply(&right, x, y) &&
		mp_sum_subtract_sum(&left, &right);
	*deviation = mp_sum_value(&left) / mp_sum_value(w);
	mp_sum_end(&left);
	mp_sum_end(&right);
	return complete;
}

bool
mp_metrics_write(MpVec *out, const void *data, size_t size)
{
	void	   *place = mp_vec_add(out, size);

	if (place == NULL)
		return false;
	if (size > 0)
		memcpy(place, data, size);
	return true;
}

bool
mp_metrics_read(MpString *in, void *data, size_t size)
{
	if (size > in->length)
		return false;
	if (size > 0)
		memcpy(data, in->data, size);
	in->data += size;
	in->length -= size;
	return true;
}

bool
mp_sum_write(MpSum *sum, MpVec *out)
{
	uint32_t	head[3];

	if (!carry(sum))
		return false;
	head[0] = (uint32_t) sum->first;
	head[1] = (uint32_t) mp_vec_count(&sum->digits, int64_t);
	head[2] = sum->is_nan | sum->has_plus_infinity << 1 | sum->has_minus_infinity << 2;
	return mp_metrics_write(out, head, sizeof(head)) &&
		mp_metrics_write(out, sum->digits.data, sum->digits.size);
}

bool
mp_sum_read(MpSum *sum, MpString *in)
{
	uint32_t	head[3];
	size_t		size;

	if (!mp_metrics_read(in, head, sizeof(head)))
		return false;
	sum->first = (int32_t) head[0];
	sum->is_nan = head[2] & 1;
	sum->has_plus_infinity = head[2] & 2;
	sum->has_minus_infinity = head[2] & 4;
	size = head[1] * sizeof(int64_t);
	return size <= in->length && mp_vec_add(&sum->digits, size) != NULL &&
		mp_metrics_read(in, sum->digits.data, size);
}
