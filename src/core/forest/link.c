/*
 * link.c: from margins to predictions, in the precision of the forest.
 */
#include "core/forest/link.h"

#include <math.h>
#include <string.h>

MpTask
mp_forest_task(const MpForest *forest, bool has_classes)
{
	if (has_classes && forest->task == MP_TASK_VALUE && forest->link == MP_LINK_LOGISTIC)
		return MP_TASK_TWO_CLASSES;
	return (MpTask) forest->task;
}

static const char *const task_words[] = {
	[MP_TASK_VALUE] = "value",
	[MP_TASK_VALUES] = "values",
	[MP_TASK_TWO_CLASSES] = "two_classes",
	[MP_TASK_TWO_CLASSES_RAW] = "two_classes_raw",
	[MP_TASK_HINGE] = "hinge",
	[MP_TASK_CLASS] = "class",
	[MP_TASK_CLASSES] = "classes",
};

const char *
mp_task_word(MpTask task)
{
	return task_words[task];
}

bool
mp_task_find(MpString word, MpTask *task)
{
	for (size_t i = 0; i < sizeof(task_words) / sizeof(*task_words); i++)
	{
		if (mp_string_is(word, task_words[i]))
		{
			*task = (MpTask) i;
			return true;
		}
	}
	return false;
}

int
mp_forest_n_predictions(const MpForest *forest)
{
	return forest->link == MP_LINK_ARGMAX ? 1 : forest->n_outputs;
}

/* The bounds keep expf and the division finite; NaN stays NaN. */
float
mp_sigmoid(float x)
{
	float		y = -x;

	if (88.7f < y)
		y = 88.7f;
	return 1.0f / (expf(y) + 1.0f + 1e-16f);
}

double
mp_sigmoid_double(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

/* The sum is a double of float terms, rounded once before the divisions. */
void
mp_softmax(float *x, int n)
{
	float		max = x[0];
	double		sum = 0;

	for (int i = 1; i < n; i++)
		max = fmaxf(x[i], max);
	for (int i = 0; i < n; i++)
	{
		x[i] = expf(x[i] - max);
		sum += x[i];
	}
	for (int i = 0; i < n; i++)
		x[i] /= (float) sum;
}

void
mp_softmax_double(double *x, int n)
{
	double		max = x[0];
	double		sum = 0;

	for (int i = 1; i < n; i++)
		max = fmax(x[i], max);
	for (int i = 0; i < n; i++)
	{
		x[i] = exp(x[i] - max);
		sum += x[i];
	}
	for (int i = 0; i < n; i++)
		x[i] /= sum;
}

/* ln(1 + e^x) */
static float
softplus(float x)
{
	return x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

/* XGBoost's own order of steps: with NaN among the values the result depends on it. */
static void
sort_ascending(float *x, int n)
{
	for (int i = 1; i < n; i++)
	{
		float		value = x[i];
		int			j = i;

		for (; j > 0 && x[j - 1] > value; j--)
			x[j] = x[j - 1];
		x[j] = value;
	}
}

static void
rise(float *x, int n)
{
	float		sum = x[0];

	for (int i = 1; i < n; i++)
	{
		sum += MP_XGBOOST_EPSILON + softplus(x[i]);
		x[i] = sum;
	}
}

/* LightGBM's Sign(x) * x * x */
static double
signed_square(double x)
{
	return ((x > 0) - (x < 0)) * x * x;
}

void
mp_predict_from_margin(const MpForest *forest, const float *margin, float *prediction)
{
	int			n = forest->n_outputs;
	int			best = 0;

	if (forest->link != MP_LINK_ARGMAX)
		memmove(prediction, margin, n * sizeof(float));
	switch ((MpLink) forest->link)
	{
		case MP_LINK_LOGISTIC:
			for (int i = 0; i < n; i++)
				prediction[i] = mp_sigmoid(prediction[i]);
			break;
		case MP_LINK_SOFTMAX:
			mp_softmax(prediction, n);
			break;
		case MP_LINK_EXP:
			for (int i = 0; i < n; i++)
				prediction[i] = expf(prediction[i]);
			break;
		case MP_LINK_ARGMAX:
			for (int i = 1; i < n; i++)
			{
				if (margin[i] > margin[best])
					best = i;
			}
			prediction[0] = (float) best;
			break;
		case MP_LINK_STEP:
			for (int i = 0; i < n; i++)
				prediction[i] = prediction[i] > 0.0f ? 1.0f : 0.0f;
			break;
		case MP_LINK_EXP_ROUNDED:
			for (int i = 0; i < n; i++)
				prediction[i] = (float) exp((double) prediction[i]);
			break;
		case MP_LINK_SORT:
			sort_ascending(prediction, n);
			break;
		case MP_LINK_RISE:
			rise(prediction, n);
			break;
		case MP_LINK_IDENTITY:
		case MP_LINK_SIGNED_SQUARE:	/* this and the next are LightGBM's */
		case MP_LINK_LOG1P_EXP:
		case MP_LINK_COUNT:
			break;
	}
}

void
mp_predict_from_margin_double(const MpForest *forest, const double *margin, double *prediction)
{
	int			n = forest->n_outputs;

	int			divisor = mp_forest_margins_are_means(forest) ? 1 : forest->divisor;

	for (int i = 0; i < n; i++)
		prediction[i] = margin[i] / divisor;
	switch ((MpLink) forest->link)
	{
		case MP_LINK_LOGISTIC:
			for (int i = 0; i < n; i++)
				prediction[i] = mp_sigmoid_double(forest->link_factor * prediction[i]);
			break;
		case MP_LINK_SOFTMAX:
			mp_softmax_double(prediction, n);
			break;
		case MP_LINK_EXP:
			for (int i = 0; i < n; i++)
				prediction[i] = exp(prediction[i]);
			break;
		case MP_LINK_SIGNED_SQUARE:
			for (int i = 0; i < n; i++)
				prediction[i] = signed_square(prediction[i]);
			break;
		case MP_LINK_LOG1P_EXP:
			for (int i = 0; i < n; i++)
				prediction[i] = log1p(exp(prediction[i]));
			break;
		case MP_LINK_IDENTITY:
		case MP_LINK_ARGMAX:	/* this and the next ones are XGBoost's: mp_forest_check */
		case MP_LINK_STEP:
		case MP_LINK_EXP_ROUNDED:
		case MP_LINK_SORT:
		case MP_LINK_RISE:
		case MP_LINK_COUNT:
			break;
	}
}
