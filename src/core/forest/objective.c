/*
 * objective.c: names, links and base scores of XGBoost's objectives.
 *
 * A link is part of a model's answer, so it follows the XGBoost that saved the
 * model where versions differ; files from before 1.7 are read as 1.7 reads
 * them. Which overload of exp an objective uses (float or double) decides the
 * last bit and is recorded here per objective.
 */
#include "core/forest/objective.h"

#include <math.h>
#include <string.h>

#define EPSILON 1e-6f			/* XGBoost's kRtEps */

static const char *const names[MP_OBJECTIVE_COUNT] = {
	[MP_REG_SQUAREDERROR] = "reg:squarederror",
	[MP_REG_LINEAR] = "reg:linear",
	[MP_REG_SQUAREDLOGERROR] = "reg:squaredlogerror",
	[MP_REG_LOGISTIC] = "reg:logistic",
	[MP_REG_PSEUDOHUBERERROR] = "reg:pseudohubererror",
	[MP_REG_ABSOLUTEERROR] = "reg:absoluteerror",
	[MP_REG_QUANTILEERROR] = "reg:quantileerror",
	[MP_REG_EXPECTILEERROR] = "reg:expectileerror",
	[MP_REG_GAMMA] = "reg:gamma",
	[MP_REG_TWEEDIE] = "reg:tweedie",
	[MP_BINARY_LOGISTIC] = "binary:logistic",
	[MP_BINARY_LOGITRAW] = "binary:logitraw",
	[MP_BINARY_HINGE] = "binary:hinge",
	[MP_COUNT_POISSON] = "count:poisson",
	[MP_SURVIVAL_COX] = "survival:cox",
	[MP_SURVIVAL_AFT] = "survival:aft",
	[MP_MULTI_SOFTMAX] = "multi:softmax",
	[MP_MULTI_SOFTPROB] = "multi:softprob",
	[MP_RANK_PAIRWISE] = "rank:pairwise",
	[MP_RANK_NDCG] = "rank:ndcg",
	[MP_RANK_MAP] = "rank:map",
};

int
mp_objective_find(MpString name)
{
	for (int i = 0; i < MP_OBJECTIVE_COUNT; i++)
	{
		if (mp_string_is(name, names[i]))
			return i;
	}
	return -1;
}

const char *
mp_objective_name(MpObjective objective)
{
	return names[objective];
}

static bool
version_at_least(const int32_t *version, int major, int minor)
{
	return version[0] > major || (version[0] == major && version[1] >= minor);
}

static float
logit(float p)
{
	return -logf(1.0f / p - 1.0f);
}

/* 3.2 began to accept 0 and 1 and to keep a distance from both. */
static bool
logit_base(const int32_t *version, float *score, MpError *error)
{
	float		p = *score;

	if (version_at_least(version, 3, 2))
	{
		if (!(p >= 0.0f && p <= 1.0f))
			return mp_fail(error, MP_ERROR_INVALID,
						   "base_score must be from 0 to 1 for logistic loss, not %.9g", p);
		if (p < EPSILON)
			p = EPSILON;
		if (p > 1.0f - EPSILON)
			p = 1.0f - EPSILON;
	}
	else if (!(p > 0.0f && p < 1.0f))
		return mp_fail(error, MP_ERROR_INVALID,
					   "base_score must be between 0 and 1 for logistic loss, not %.9g", p);
	*score = logit(p);
	return true;
}

/* ln(1 + e^x) */
static float
softplus(float x)
{
	return x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

static float
softplus_inverse(float x)
{
	if (x < EPSILON)
		x = EPSILON;
	return x + logf(-expm1f(-x));
}

/* All margins after the first are steps upwards, on a scale where any number is one. */
static void
expectile_base(float *scores, int n)
{
	for (int i = n - 1; i > 0; i--)
		scores[i] = softplus_inverse(scores[i] - scores[i - 1] - EPSILON);
}

static bool
check_finite(const float *scores, int n, MpError *error)
{
	for (int i = 0; i < n; i++)
	{
		if (!isfinite(scores[i]))
			return mp_fail(error, MP_ERROR_INVALID, "base_score must be a finite number");
	}
	return true;
}

/* Earlier versions computed the logarithm whatever the number was. */
static bool
log_base(MpObjective objective, const int32_t *version, float *score, MpError *error)
{
	if (objective == MP_REG_GAMMA && version_at_least(version, 3, 1) && !(*score > 0.0f))
		return mp_fail(error, MP_ERROR_INVALID,
					   "base_score must be greater than 0 for %s, not %.9g",
					   names[objective], *score);
	*score = logf(*score);
	return true;
}

bool
mp_objective_base_margin(MpObjective objective, const int32_t *version,
						 float *scores, int n_scores, MpError *error)
{
	if (!check_finite(scores, n_scores, error))
		return false;

	switch (objective)
	{
		case MP_REG_LOGISTIC:
		case MP_BINARY_LOGISTIC:
			for (int i = 0; i < n_scores; i++)
			{
				if (!logit_base(version, &scores[i], error))
					return false;
			}
			return true;
		case MP_REG_GAMMA:
		case MP_REG_TWEEDIE:
		case MP_COUNT_POISSON:
		case MP_SURVIVAL_COX:
		case MP_SURVIVAL_AFT:
			for (int i = 0; i < n_scores; i++)
			{
				if (!log_base(objective, version, &scores[i], error))
					return false;
			}
			return true;
		case MP_REG_EXPECTILEERROR:
			expectile_base(scores, n_scores);
			return true;
		case MP_REG_SQUAREDERROR:
		case MP_REG_LINEAR:
		case MP_REG_SQUAREDLOGERROR:
		case MP_REG_PSEUDOHUBERERROR:
		case MP_REG_ABSOLUTEERROR:
		case MP_REG_QUANTILEERROR:
		case MP_BINARY_LOGITRAW:
		case MP_BINARY_HINGE:
		case MP_MULTI_SOFTMAX:
		case MP_MULTI_SOFTPROB:
		case MP_RANK_PAIRWISE:
		case MP_RANK_NDCG:
		case MP_RANK_MAP:
		case MP_OBJECTIVE_COUNT:
			return true;
	}
	return true;
}

MpTask
mp_forest_task(const MpForest *forest, bool has_classes)
{
	bool		single = forest->n_outputs == 1;
	MpTask		plain = single ? MP_TASK_VALUE : MP_TASK_VALUES;

	switch ((MpObjective) forest->objective)
	{
		case MP_MULTI_SOFTMAX:
			return MP_TASK_CLASS;
		case MP_MULTI_SOFTPROB:
			return MP_TASK_CLASSES;
		case MP_BINARY_LOGISTIC:
			return single ? MP_TASK_TWO_CLASSES : plain;
		case MP_REG_LOGISTIC:
			return single && has_classes ? MP_TASK_TWO_CLASSES : plain;
		case MP_BINARY_LOGITRAW:
			return single ? MP_TASK_TWO_CLASSES_RAW : plain;
		case MP_BINARY_HINGE:
			return single ? MP_TASK_HINGE : plain;
		case MP_REG_SQUAREDERROR:
		case MP_REG_LINEAR:
		case MP_REG_SQUAREDLOGERROR:
		case MP_REG_PSEUDOHUBERERROR:
		case MP_REG_ABSOLUTEERROR:
		case MP_REG_QUANTILEERROR:
		case MP_REG_EXPECTILEERROR:
		case MP_REG_GAMMA:
		case MP_REG_TWEEDIE:
		case MP_COUNT_POISSON:
		case MP_SURVIVAL_COX:
		case MP_SURVIVAL_AFT:
		case MP_RANK_PAIRWISE:
		case MP_RANK_NDCG:
		case MP_RANK_MAP:
		case MP_OBJECTIVE_COUNT:
			return plain;
	}
	return plain;
}

int
mp_forest_n_predictions(const MpForest *forest)
{
	return forest->objective == MP_MULTI_SOFTMAX ? 1 : forest->n_outputs;
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

static int
index_of_largest(const float *x, int n)
{
	int			best = 0;

	for (int i = 1; i < n; i++)
	{
		if (x[i] > x[best])
			best = i;
	}
	return best;
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
expectile_predictions(float *x, int n)
{
	float		sum = x[0];

	for (int i = 1; i < n; i++)
	{
		sum += EPSILON + softplus(x[i]);
		x[i] = sum;
	}
}

void
mp_predict_from_margin(const MpForest *forest, const float *margin, float *prediction)
{
	int			n = forest->n_outputs;

	if (forest->objective == MP_MULTI_SOFTMAX)
	{
		prediction[0] = (float) index_of_largest(margin, n);
		return;
	}
	memmove(prediction, margin, n * sizeof(float));

	switch ((MpObjective) forest->objective)
	{
		case MP_REG_LOGISTIC:
		case MP_BINARY_LOGISTIC:
			for (int i = 0; i < n; i++)
				prediction[i] = mp_sigmoid(prediction[i]);
			break;
		case MP_REG_GAMMA:
		case MP_REG_TWEEDIE:
		case MP_COUNT_POISSON:
		case MP_SURVIVAL_COX:
			for (int i = 0; i < n; i++)
				prediction[i] = expf(prediction[i]);
			break;
		case MP_SURVIVAL_AFT:
			/* the one objective that computes in double */
			for (int i = 0; i < n; i++)
				prediction[i] = (float) exp((double) prediction[i]);
			break;
		case MP_BINARY_HINGE:
			for (int i = 0; i < n; i++)
				prediction[i] = prediction[i] > 0.0f ? 1.0f : 0.0f;
			break;
		case MP_MULTI_SOFTPROB:
			mp_softmax(prediction, n);
			break;
		case MP_REG_QUANTILEERROR:
			if (version_at_least(forest->version, 3, 4))
				sort_ascending(prediction, n);
			break;
		case MP_REG_EXPECTILEERROR:
			expectile_predictions(prediction, n);
			break;
		case MP_REG_SQUAREDERROR:
		case MP_REG_LINEAR:
		case MP_REG_SQUAREDLOGERROR:
		case MP_REG_PSEUDOHUBERERROR:
		case MP_REG_ABSOLUTEERROR:
		case MP_BINARY_LOGITRAW:
		case MP_MULTI_SOFTMAX:
		case MP_RANK_PAIRWISE:
		case MP_RANK_NDCG:
		case MP_RANK_MAP:
		case MP_OBJECTIVE_COUNT:
			break;
	}
}
