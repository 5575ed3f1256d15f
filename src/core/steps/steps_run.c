/*
 * steps_run.c: running a checked program over the slots of one row.
 */
#include "core/steps/steps_hash.h"
#include "core/steps/steps_run.h"

#include <float.h>
#include <math.h>

/* What the functions below share: a program and a row. */
typedef struct Run
{
	const MpSteps *s;
	const uint32_t *words;
	const double *numbers;
	MpSlot	   *slots;
	MpStepsFault *fault;
} Run;

static bool
fail(const Run *run, const MpStep *step, uint32_t slot, MpStepsFaultKind kind)
{
	run->fault->kind = kind;
	run->fault->slot = slot;
	run->fault->step = (uint32_t) (step - MP_STEPS_SECTION(run->s, MP_STEPS_STEPS, MpStep));
	return false;
}

static inline double
rounded(double x, bool single)
{
	return single ? (float) x : x;
}

static void
run_impute(const Run *run, const MpStep *step)
{
	const uint32_t *in = run->words + step->in;
	MpSlot	   *out = run->slots + step->out;
	bool		single = (step->flags & MP_STEP_SINGLE) != 0;

	if (step->flags & MP_STEP_LABELS)
	{
		const uint32_t *codes = run->words + step->words;

		for (uint32_t i = 0; i < step->n_in; i++)
		{
			uint32_t	code = run->slots[in[i]].label;

			if (code == MP_LABEL_MISSING || code == codes[2 * i + 1])
				code = codes[2 * i];
			out[i].label = code;
		}
		return;
	}
	for (uint32_t i = 0; i < step->n_in; i++)
	{
		double		x = rounded(run->slots[in[i]].number, single);

		if (isnan(x) || ((step->flags & MP_STEP_HAS_SENTINEL) && x == step->value))
			x = run->numbers[step->numbers + i];
		out[i].number = x;
	}
}

static void
run_is_missing(const Run *run, const MpStep *step)
{
	const uint32_t *in = run->words + step->in;
	MpSlot	   *out = run->slots + step->out;

	for (uint32_t i = 0; i < step->n_in; i++)
	{
		const MpSlot *slot = &run->slots[in[i]];
		bool		missing;

		if (step->flags & MP_STEP_LABELS)
			missing = slot->label == MP_LABEL_MISSING ||
				slot->label == run->words[step->words + i];
		else if (step->flags & MP_STEP_TIMES)
			missing = slot->time == MP_STEPS_NO_TIME;
		else
		{
			double		x = rounded(slot->number, (step->flags & MP_STEP_SINGLE) != 0);

			missing = isnan(x) || ((step->flags & MP_STEP_HAS_SENTINEL) && x == step->value);
		}
		out[i].number = missing;
	}
}

/* A number through subtract, divide, multiply, add and clip. `n` columns, of which it is number i. */
static double
scale(const MpStep *step, const double *operands, uint32_t n, uint32_t i, double x)
{
	bool		single = (step->flags & MP_STEP_SINGLE) != 0;

	x = rounded(x, single);
	if (step->flags & MP_STEP_SUBTRACT)
	{
		x = rounded(x - operands[i], single);
		operands += n;
	}
	if (step->flags & MP_STEP_DIVIDE)
	{
		x = rounded(x / operands[i], single);
		operands += n;
	}
	if (step->flags & MP_STEP_MULTIPLY)
	{
		x = rounded(x * operands[i], single);
		operands += n;
	}
	if (step->flags & MP_STEP_ADD)
	{
		x = rounded(x + operands[i], single);
		operands += n;
	}
	if (step->flags & MP_STEP_CLIP)
		x = x < operands[0] ? operands[0] : x > operands[1] ? operands[1] : x;
	return x;
}

#define SCALING (MP_STEP_SUBTRACT | MP_STEP_DIVIDE | MP_STEP_MULTIPLY | MP_STEP_ADD | MP_STEP_CLIP)

static void
run_scale(const Run *run, const MpStep *step)
{
	const uint32_t *in = run->words + step->in;
	const double *operands = run->numbers + step->numbers;

	/* the standard scaler of a float64 frame */
	if ((step->flags & (SCALING | MP_STEP_SINGLE)) == (MP_STEP_SUBTRACT | MP_STEP_DIVIDE))
	{
		for (uint32_t i = 0; i < step->n_in; i++)
			run->slots[step->out + i].number =
				(run->slots[in[i]].number - operands[i]) / operands[step->n_in + i];
		return;
	}

	for (uint32_t i = 0; i < step->n_in; i++)
		run->slots[step->out + i].number = scale(step, operands, step->n_in, i, run->slots[in[i]].number);
}

/* What the table of one_hot or map says of the step's input. */
static uint32_t
look_up(const Run *run, const MpStep *step)
{
	const MpSlot *slot = &run->slots[run->words[step->in]];
	const uint32_t *results = run->words + step->words;
	const double *keys = run->numbers + step->numbers;
	const uint32_t *places = results + step->n + 2;
	double		x;
	uint32_t	at;

	if (step->flags & MP_STEP_LABELS)
		return results[slot->label];
	x = rounded(slot->number, (step->flags & MP_STEP_SINGLE) != 0);
	if (isnan(x))
		return results[step->n + 1];
	at = mp_steps_hash_number(step->seed, x);
	for (int i = 0; i < MP_STEPS_MAX_PROBE; i++, at++)
	{
		uint32_t	place = places[at & (step->table - 1)];

		if (place == 0)
			break;
		if (keys[place - 1] == x)
			return results[place - 1];
	}
	return results[step->n];
}

static bool
refuse(const Run *run, const MpStep *step)
{
	uint32_t	slot = run->words[step->in];
	bool		missing = step->flags & MP_STEP_LABELS ?
		run->slots[slot].label == MP_LABEL_MISSING : isnan(run->slots[slot].number);

	return fail(run, step, slot, missing ? MP_STEPS_MISSING : MP_STEPS_UNKNOWN);
}

static bool
run_one_hot(const Run *run, const MpStep *step)
{
	uint32_t	result = look_up(run, step);

	if (result == MP_STEP_REFUSE)
		return refuse(run, step);
	for (uint32_t i = 0; i < step->n_out; i++)
		run->slots[step->out + i].number = 0;
	if (result != MP_ONE_HOT_NONE)
		run->slots[step->out + result].number = 1;
	return true;
}

static bool
run_map(const Run *run, const MpStep *step)
{
	uint32_t	result = look_up(run, step);

	if (result == MP_STEP_REFUSE)
		return refuse(run, step);
	run->slots[step->out].number = run->numbers[step->numbers + step->n + result];
	return true;
}

/* How many of the ascending edges are <= x, or < x. */
static uint32_t
count_edges(const double *edges, uint32_t n, double x, bool closed_right)
{
	uint32_t	low = 0;
	uint32_t	high = n;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (closed_right ? edges[middle] < x : edges[middle] <= x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* bin and threshold */
static bool
run_cut(const Run *run, const MpStep *step)
{
	const uint32_t *in = run->words + step->in;
	const double *cuts = run->numbers + step->numbers;

	for (uint32_t i = 0; i < step->n_in; i++)
	{
		double		x = rounded(run->slots[in[i]].number, (step->flags & MP_STEP_SINGLE) != 0);

		if (isnan(x))
		{
			if (step->flags & MP_STEP_REFUSE_MISSING)
				return fail(run, step, in[i], MP_STEPS_MISSING);
			x = step->value;
		}
		else if (step->op == MP_STEP_THRESHOLD)
			x = x > cuts[i];
		else
		{
			const uint32_t *bounds = run->words + step->words + i;

			x = count_edges(cuts + bounds[0], bounds[1] - bounds[0], x,
							(step->flags & MP_STEP_CLOSED_RIGHT) != 0);
		}
		run->slots[step->out + i].number = x;
	}
	return true;
}

static double
apply(MpStepFunction function, double x)
{
	switch (function)
	{
		case MP_FUNCTION_ABS:
			return fabs(x);
		case MP_FUNCTION_SIGN:
			return isnan(x) ? x : (x > 0) - (x < 0);
		case MP_FUNCTION_SQRT:
			return sqrt(x);
		case MP_FUNCTION_SQUARE:
			return x * x;
		case MP_FUNCTION_RECIPROCAL:
			return 1 / x;
		case MP_FUNCTION_FLOOR:
			return floor(x);
		case MP_FUNCTION_CEIL:
			return ceil(x);
		case MP_FUNCTION_ROUND:
			return nearbyint(x);	/* half to even, which is the mode that nobody changes */
		case MP_FUNCTION_CBRT:
			return cbrt(x);
		case MP_FUNCTION_LOG:
			return log(x);
		case MP_FUNCTION_LOG2:
			return log2(x);
		case MP_FUNCTION_LOG10:
			return log10(x);
		case MP_FUNCTION_LOG1P:
			return log1p(x);
		case MP_FUNCTION_EXP:
			return exp(x);
		case MP_FUNCTION_EXPM1:
			return expm1(x);
		case MP_FUNCTION_COUNT:
			break;
	}
	return NAN;
}

static void
run_function(const Run *run, const MpStep *step)
{
	const uint32_t *in = run->words + step->in;
	bool		single = (step->flags & MP_STEP_SINGLE) != 0;

	for (uint32_t i = 0; i < step->n_in; i++)
	{
		double		x = rounded(run->slots[in[i]].number, single);

		run->slots[step->out + i].number = rounded(apply((MpStepFunction) step->n, x), single);
	}
}

/* scikit-learn's PowerTransformer */
static double
yeo_johnson(double x, double lambda)
{
	double		tiny = ldexp(1, -52);	/* np.spacing(1.0) */

	if (x >= 0)
		return fabs(lambda) < tiny ? log1p(x) : (pow(x + 1, lambda) - 1) / lambda;
	if (fabs(lambda - 2) > tiny)
		return -(pow(-x + 1, 2 - lambda) - 1) / (2 - lambda);
	return -log1p(-x);
}

/* scipy.special.boxcox */
static double
box_cox(double x, double lambda)
{
	return fabs(lambda) < 1e-19 ? log(x) : expm1(lambda * log(x)) / lambda;
}

static bool
run_power(const Run *run, const MpStep *step)
{
	const uint32_t *in = run->words + step->in;
	bool		single = (step->flags & MP_STEP_SINGLE) != 0;

	for (uint32_t i = 0; i < step->n_in; i++)
	{
		double		x = rounded(run->slots[in[i]].number, single);
		double		lambda = run->numbers[step->numbers + i];

		if ((step->flags & MP_STEP_BOX_COX) && x <= 0)
			return fail(run, step, in[i], MP_STEPS_NOT_POSITIVE);
		if (!isnan(x))
			x = step->flags & MP_STEP_BOX_COX ? box_cox(x, lambda) : yeo_johnson(x, lambda);
		run->slots[step->out + i].number = rounded(x, single);
	}
	return true;
}

/* Whether the step may have these inputs: none is missing, or it does not mind. */
static bool
complete(const Run *run, const MpStep *step)
{
	const uint32_t *in = run->words + step->in;

	if (!(step->flags & MP_STEP_REFUSE_MISSING))
		return true;
	for (uint32_t i = 0; i < step->n_in; i++)
	{
		if (isnan(run->slots[in[i]].number))
			return fail(run, step, in[i], MP_STEPS_MISSING);
	}
	return true;
}

static bool
run_product(const Run *run, const MpStep *step)
{
	const uint32_t *bounds = run->words + step->words;
	const uint32_t *factors = bounds + step->n_out + 1;
	bool		single = (step->flags & MP_STEP_SINGLE) != 0;

	if (!complete(run, step))
		return false;
	for (uint32_t i = 0; i < step->n_out; i++)
	{
		double		product = 1;

		for (uint32_t k = bounds[i]; k < bounds[i + 1]; k++)
		{
			double		x = rounded(run->slots[factors[k]].number, single);

			product = k == bounds[i] ? x : rounded(product * x, single);
		}
		run->slots[step->out + i].number = product;
	}
	return true;
}

static bool
run_linear(const Run *run, const MpStep *step)
{
	const uint32_t *in = run->words + step->in;
	const double *row = run->numbers + step->numbers;
	const double *offset = row + step->n;
	bool		single = (step->flags & MP_STEP_SINGLE) != 0;

	if (!complete(run, step))
		return false;
	for (uint32_t i = 0; i < step->n_out; i++, row += step->n_in)
	{
		double		sum = 0;

		for (uint32_t k = 0; k < step->n_in; k++)
		{
			double		x = rounded(run->slots[in[k]].number, single);

			sum = rounded(sum + rounded(x * row[k], single), single);
		}
		if (step->flags & MP_STEP_ADD)
			sum = rounded(sum + offset[i], single);
		run->slots[step->out + i].number = sum;
	}
	return true;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

typedef struct Date
{
	int64_t		year;
	int			month;			/* 1 to 12 */
	int			day;			/* 1 to 31 */
	int			day_of_year;	/* 1 to 366 */
} Date;

/* The proleptic Gregorian calendar; days since 2000-01-01. */
static Date
date_of(int64_t days)
{
	static const int before_month[] = {0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337};
	int64_t		day = days + 730425;	/* since 0000-03-01, so that a leap day ends its year */
	int64_t		era = floor_div(day, 146097);
	int			of_era = (int) (day - era * 146097);
	int			year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int			of_year = of_era - (365 * year + year / 4 - year / 100);	/* from March */
	int			month = 11;
	bool		leap;
	Date		date;

	while (before_month[month] > of_year)
		month--;
	date.year = era * 400 + year + (month >= 10);
	date.month = month < 10 ? month + 3 : month - 9;
	date.day = of_year - before_month[month] + 1;
	leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
	date.day_of_year = month >= 10 ? of_year - 306 + 1 : of_year + 59 + leap + 1;
	return date;
}

#define MICROSECONDS 1000000
#define DAY (INT64_C(86400) * MICROSECONDS)
#define SECONDS_TO_2000 946684800	/* since 1970-01-01 */

/* Seconds since 1970-01-01; a double has the microseconds of any century near ours. */
static double
epoch(int64_t time)
{
	const int64_t shift = INT64_C(946684800) * MICROSECONDS;

	if (time < INT64_MAX - shift)
		return (double) (time + shift) / MICROSECONDS;
	return (double) time / MICROSECONDS + SECONDS_TO_2000;
}

static double
part_of(MpDatePart part, int64_t time)
{
	int64_t		days = floor_div(time, DAY);
	int64_t		second = (time - days * DAY) / MICROSECONDS;
	Date		date = date_of(days);

	switch (part)
	{
		case MP_PART_YEAR:
			return (double) date.year;
		case MP_PART_QUARTER:
			return (date.month + 2) / 3;
		case MP_PART_MONTH:
			return date.month;
		case MP_PART_DAY:
			return date.day;
		case MP_PART_HOUR:
			return (double) (second / 3600);
		case MP_PART_MINUTE:
			return (double) (second / 60 % 60);
		case MP_PART_SECOND:
			return (double) (second % 60);
		case MP_PART_DAYOFWEEK:
			return (double) (days + 5 - floor_div(days + 5, 7) * 7);	/* 2000-01-01 was a Saturday */
		case MP_PART_DAYOFYEAR:
			return date.day_of_year;
		case MP_PART_EPOCH:
		case MP_PART_COUNT:
			break;
	}
	return NAN;
}

static void
run_date_part(const Run *run, const MpStep *step)
{
	const uint32_t *in = run->words + step->in;

	for (uint32_t i = 0; i < step->n_in; i++)
	{
		uint32_t	utc = mp_steps_inputs(run->s)[in[i]].utc;
		double		x = NAN;

		if (run->slots[in[i]].time != MP_STEPS_NO_TIME)
			x = step->n == MP_PART_EPOCH ? epoch(run->slots[utc].time) :
				part_of((MpDatePart) step->n, run->slots[in[i]].time);
		run->slots[step->out + i].number = x;
	}
}

bool
mp_steps_run(const MpSteps *s, MpSlot *slots, MpStepsFault *fault)
{
	Run			run = {
		s, mp_steps_words(s), MP_STEPS_SECTION(s, MP_STEPS_NUMBERS, double), slots, fault
	};
	const MpStep *step = MP_STEPS_SECTION(s, MP_STEPS_STEPS, MpStep);
	bool		fine = true;

	fault->kind = MP_STEPS_FINE;
	for (uint32_t i = 0; fine && i < s->n_steps; i++, step++)
	{
		switch ((MpStepOp) step->op)
		{
			case MP_STEP_IMPUTE:
				run_impute(&run, step);
				break;
			case MP_STEP_IS_MISSING:
				run_is_missing(&run, step);
				break;
			case MP_STEP_SCALE:
				run_scale(&run, step);
				break;
			case MP_STEP_ONE_HOT:
				fine = run_one_hot(&run, step);
				break;
			case MP_STEP_MAP:
				fine = run_map(&run, step);
				break;
			case MP_STEP_BIN:
			case MP_STEP_THRESHOLD:
				fine = run_cut(&run, step);
				break;
			case MP_STEP_FUNCTION:
				run_function(&run, step);
				break;
			case MP_STEP_POWER:
				fine = run_power(&run, step);
				break;
			case MP_STEP_PRODUCT:
				fine = run_product(&run, step);
				break;
			case MP_STEP_LINEAR:
				fine = run_linear(&run, step);
				break;
			case MP_STEP_DATE_PART:
				run_date_part(&run, step);
				break;
			case MP_STEP_SIGMOID:
			case MP_STEP_ISOTONIC:
			case MP_STEP_OP_COUNT:
				break;
		}
	}
	return fine;
}

void
mp_steps_gather(const MpSteps *s, const MpSlot *slots, double *features)
{
	const MpStepsFeature *feature = mp_steps_features(s);

	for (uint32_t i = 0; i < s->n_features; i++)
	{
		double		x = slots[feature[i].slot].number;

		features[i] = s->sparse && x == 0 ? NAN : x;
	}
}

bool
mp_steps_gather_floats(const MpSteps *s, const MpSlot *slots, float *features)
{
	const MpStepsFeature *feature = mp_steps_features(s);
	uint32_t	n = s->n_features;
	bool		infinite = false;

	for (uint32_t i = 0; i < n; i++)
	{
		features[i] = (float) slots[feature[i].slot].number;
		infinite |= fabsf(features[i]) > FLT_MAX;
	}
	if (!s->sparse)
		return infinite;
	for (uint32_t i = 0; i < n; i++)
	{
		/* not of the float: a small number is not 0 for being rounded to it */
		if (slots[feature[i].slot].number == 0)
			features[i] = NAN;
	}
	return infinite;
}

/* --- the prediction --- */

static double
sigmoid(double t, double a, double b, bool single)
{
	if (single)
	{
		float		x = (float) a * (float) t;

		x += (float) b;
		return 1.0f / (1.0f + expf(x));
	}
	t = a * t;
	t = t + b;
	return 1 / (1 + exp(t));
}

/* scipy.interpolate.interp1d of single precision; see below */
static double
interpolate_single(const double *x, const double *y, uint32_t n, float t)
{
	uint32_t	i = count_edges(x, n, t, true);
	float		slope;
	float		x_low;
	float		y_low;
	float		result;

	i = i < 1 ? 1 : i > n - 1 ? n - 1 : i;
	x_low = (float) x[i - 1];
	y_low = (float) y[i - 1];
	slope = (float) y[i] - y_low;
	slope = slope / ((float) x[i] - x_low);
	result = t - x_low;
	result = slope * result;
	return result + y_low;
}

/* numpy.interp, which interp1d calls where both are double */
static double
interpolate(const double *x, const double *y, uint32_t n, double t)
{
	uint32_t	i = count_edges(x, n, t, false);	/* x[i - 1] <= t < x[i] */
	double		slope;

	if (i == 0 || x[i - 1] == t || i == n)
		return y[i == 0 ? 0 : i - 1];
	slope = (y[i] - y[i - 1]) / (x[i] - x[i - 1]);
	return slope * (t - x[i - 1]) + y[i - 1];
}

static double
isotonic(const double *x, const double *y, uint32_t n, double t, bool single)
{
	if (isnan(t) || n == 1)
		return isnan(t) ? t : y[0];
	t = rounded(t, single);
	t = t < x[0] ? x[0] : t > x[n - 1] ? x[n - 1] : t;
	return single ? interpolate_single(x, y, n, (float) t) : interpolate(x, y, n, t);
}

/*
 * The sum as NumPy has it for a row of a matrix: eight sums side by side, from
 * 129 numbers on of halves.
 */
static double
pairwise_sum(const double *x, uint32_t n)
{
	double		part[8];
	double		sum = 0;
	uint32_t	i = 0;

	if (n > 128)
	{
		uint32_t	half = n / 2 - n / 2 % 8;

		return pairwise_sum(x, half) + pairwise_sum(x + half, n - half);
	}
	if (n >= 8)
	{
		for (int k = 0; k < 8; k++)
			part[k] = x[k];
		for (i = 8; i < n - n % 8; i += 8)
		{
			for (int k = 0; k < 8; k++)
				part[k] += x[i + k];
		}
		sum = ((part[0] + part[1]) + (part[2] + part[3])) +
			((part[4] + part[5]) + (part[6] + part[7]));
	}
	for (; i < n; i++)
		sum += x[i];
	return sum;
}

static void
normalize(double *p, uint32_t n)
{
	double		sum = pairwise_sum(p, n);

	for (uint32_t i = 0; i < n; i++)
	{
		p[i] = sum != 0 ? p[i] / sum : 1.0 / n;
		if (p[i] > 1 && p[i] <= 1 + 1e-5)
			p[i] = 1;
	}
}

static void
calibrate(const MpSteps *s, const MpStep *step, double *p)
{
	const double *numbers = MP_STEPS_SECTION(s, MP_STEPS_NUMBERS, double) + step->numbers;
	const uint32_t *bounds = mp_steps_words(s) + step->words;
	bool		single = (step->flags & MP_STEP_SINGLE) != 0;

	for (uint32_t i = 0; i < step->n; i++)
	{
		if (step->op == MP_STEP_SIGMOID)
			p[i] = sigmoid(p[i], numbers[i], numbers[step->n + i], single);
		else
			p[i] = isotonic(numbers + bounds[i], numbers + bounds[step->n] + bounds[i],
							bounds[i + 1] - bounds[i], p[i], single);
	}
	if (step->n > 1)
		normalize(p, step->n);
	else if (p[0] > 1 && p[0] <= 1 + 1e-5)
		p[0] = 1;
}

void
mp_steps_predict(const MpSteps *s, double *prediction, uint32_t width)
{
	const MpStep *step = MP_STEPS_SECTION(s, MP_STEPS_STEPS, MpStep) + s->n_steps;
	const double *numbers = MP_STEPS_SECTION(s, MP_STEPS_NUMBERS, double);

	for (uint32_t k = 0; k < s->n_output_steps; k++, step++)
	{
		bool		single = (step->flags & MP_STEP_SINGLE) != 0;

		if (step->op == MP_STEP_SIGMOID || step->op == MP_STEP_ISOTONIC)
			calibrate(s, step, prediction);
		for (uint32_t i = 0; i < width && step->op == MP_STEP_FUNCTION; i++)
			prediction[i] = rounded(apply((MpStepFunction) step->n, rounded(prediction[i], single)),
									single);
		for (uint32_t i = 0; i < width && step->op == MP_STEP_SCALE; i++)
			prediction[i] = scale(step, numbers + step->numbers, step->n, step->n > 1 ? i : 0,
								  prediction[i]);
	}
}

/* --- codes and messages --- */

uint32_t
mp_steps_text_code(const MpSteps *s, uint32_t i, MpString text)
{
	const MpStepsInput *input = mp_steps_inputs(s) + i;
	const MpStepsLabel *labels = MP_STEPS_SECTION(s, MP_STEPS_LABELS, MpStepsLabel) +
		input->first_label;
	const uint32_t *places = mp_steps_words(s) + input->table;
	const char *strings = MP_STEPS_SECTION(s, MP_STEPS_STRINGS, char);
	uint32_t	hash = mp_steps_hash_text(input->seed, text.data, text.length);

	for (int k = 0; input->table_size > 0 && k < MP_STEPS_MAX_PROBE; k++, hash++)
	{
		uint32_t	code = places[hash & (input->table_size - 1)];
		const MpStepsLabel *label;

		if (code == 0)
			break;
		label = &labels[code - 1];
		if (label->length == text.length &&
			mp_steps_same_text(strings + label->at, text.data, text.length))
			return code;
	}
	return input->n_labels + 1;
}

uint32_t
mp_steps_number_code(const MpSteps *s, uint32_t i, double number)
{
	const MpStepsInput *input = mp_steps_inputs(s) + i;
	const MpStepsLabel *labels = MP_STEPS_SECTION(s, MP_STEPS_LABELS, MpStepsLabel) +
		input->first_label;
	const uint32_t *places = mp_steps_words(s) + input->table;
	const double *numbers = MP_STEPS_SECTION(s, MP_STEPS_NUMBERS, double);
	uint32_t	hash = mp_steps_hash_number(input->seed, number);

	if (isnan(number))
		return MP_LABEL_MISSING;
	for (int k = 0; input->table_size > 0 && k < MP_STEPS_MAX_PROBE; k++, hash++)
	{
		uint32_t	code = places[hash & (input->table_size - 1)];
		const MpStepsLabel *label;

		if (code == 0)
			break;
		label = &labels[code - 1];
		if (label->length == MP_LABEL_IS_NUMBER && numbers[label->at] == number)
			return code;
	}
	return input->n_labels + 1;
}

/* The factors of those outputs of a product that are marked. */
static void
mark_factors(const MpSteps *s, const MpStep *step, bool *marks)
{
	const uint32_t *bounds = mp_steps_words(s) + step->words;
	const uint32_t *factors = bounds + step->n_out + 1;

	for (uint32_t i = 0; i < step->n_out; i++)
	{
		for (uint32_t k = bounds[i]; marks[step->out + i] && k < bounds[i + 1]; k++)
			marks[factors[k]] = true;
	}
}

static void
mark_inputs(const MpSteps *s, const MpStep *step, bool *marks)
{
	const uint32_t *in = mp_steps_words(s) + step->in;

	if (step->op == MP_STEP_PRODUCT)
	{
		mark_factors(s, step, marks);
		return;
	}
	for (uint32_t i = 0; i < step->n_out; i++)
	{
		if (!marks[step->out + i])
			continue;
		if (step->op == MP_STEP_ONE_HOT)
			marks[in[0]] = true;
		else if (step->op != MP_STEP_LINEAR)
			marks[in[i]] = true;
		else
		{
			for (uint32_t k = 0; k < step->n_in; k++)
				marks[in[k]] = true;
			return;
		}
	}
}

void
mp_steps_sources(const MpSteps *s, uint32_t slot, bool *marks, bool *inputs)
{
	const MpStep *steps = MP_STEPS_SECTION(s, MP_STEPS_STEPS, MpStep);

	memset(marks, 0, s->n_slots * sizeof(bool));
	marks[slot] = true;
	for (uint32_t i = s->n_steps; i-- > 0;)
		mark_inputs(s, &steps[i], marks);
	memcpy(inputs, marks, s->n_inputs * sizeof(bool));
}
