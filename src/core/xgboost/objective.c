/*
 * objective.c: names, base scores, links and tasks of XGBoost's objectives.
 *
 * A link is part of a model's answer, so it follows the XGBoost that saved the
 * model where versions differ; files from before 1.7 are read as 1.7 reads
 * them. Which overload of exp an objective uses (float or double) decides the
 * last bit: survival:aft is the one that computes in double.
 */
#include "core/xgboost/objective.h"
#include "core/forest/link.h"

#include <math.h>

static const MpObjective objectives[] = {
	{"reg:squarederror", MP_BASE_PLAIN, MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"reg:linear", MP_BASE_PLAIN, MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"reg:squaredlogerror", MP_BASE_PLAIN, MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"reg:logistic", MP_BASE_LOGIT, MP_LINK_LOGISTIC, MP_TASK_VALUE},
	{"reg:pseudohubererror", MP_BASE_PLAIN, MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"reg:absoluteerror", MP_BASE_PLAIN, MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"reg:quantileerror", MP_BASE_PLAIN, MP_LINK_SORT, MP_TASK_VALUE},
	{"reg:expectileerror", MP_BASE_RISE, MP_LINK_RISE, MP_TASK_VALUE},
	{"reg:gamma", MP_BASE_POSITIVE_LOG, MP_LINK_EXP, MP_TASK_VALUE},
	{"reg:tweedie", MP_BASE_LOG, MP_LINK_EXP, MP_TASK_VALUE},
	{"binary:logistic", MP_BASE_LOGIT, MP_LINK_LOGISTIC, MP_TASK_TWO_CLASSES},
	{"binary:logitraw", MP_BASE_PLAIN, MP_LINK_IDENTITY, MP_TASK_TWO_CLASSES_RAW},
	{"binary:hinge", MP_BASE_PLAIN, MP_LINK_STEP, MP_TASK_HINGE},
	{"count:poisson", MP_BASE_LOG, MP_LINK_EXP, MP_TASK_VALUE},
	{"survival:cox", MP_BASE_LOG, MP_LINK_EXP, MP_TASK_VALUE},
	{"survival:aft", MP_BASE_LOG, MP_LINK_EXP_ROUNDED, MP_TASK_VALUE},
	{"multi:softmax", MP_BASE_PLAIN, MP_LINK_ARGMAX, MP_TASK_CLASS},
	{"multi:softprob", MP_BASE_PLAIN, MP_LINK_SOFTMAX, MP_TASK_CLASSES},
	{"rank:pairwise", MP_BASE_PLAIN, MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"rank:ndcg", MP_BASE_PLAIN, MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"rank:map", MP_BASE_PLAIN, MP_LINK_IDENTITY, MP_TASK_VALUE},
};

#define N_OBJECTIVES ((int) (sizeof(objectives) / sizeof(*objectives)))

const MpObjective *
mp_objective_at(int i)
{
	return i < N_OBJECTIVES ? &objectives[i] : NULL;
}

const MpObjective *
mp_objective_find(MpString name)
{
	for (int i = 0; i < N_OBJECTIVES; i++)
	{
		if (mp_string_is(name, objectives[i].name))
			return &objectives[i];
	}
	return NULL;
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
		if (p < MP_XGBOOST_EPSILON)
			p = MP_XGBOOST_EPSILON;
		if (p > 1.0f - MP_XGBOOST_EPSILON)
			p = 1.0f - MP_XGBOOST_EPSILON;
	}
	else if (!(p > 0.0f && p < 1.0f))
		return mp_fail(error, MP_ERROR_INVALID,
					   "base_score must be between 0 and 1 for logistic loss, not %.9g", p);
	*score = logit(p);
	return true;
}

/* Earlier versions computed the logarithm whatever the number was. */
static bool
log_base(const MpObjective *objective, const int32_t *version, float *score, MpError *error)
{
	if (objective->base == MP_BASE_POSITIVE_LOG && version_at_least(version, 3, 1) &&
		!(*score > 0.0f))
		return mp_fail(error, MP_ERROR_INVALID,
					   "base_score must be greater than 0 for %s, not %.9g",
					   objective->name, *score);
	*score = logf(*score);
	return true;
}

static float
softplus_inverse(float x)
{
	if (x < MP_XGBOOST_EPSILON)
		x = MP_XGBOOST_EPSILON;
	return x + logf(-expm1f(-x));
}

/* All margins after the first are steps upwards, on a scale where any number is one. */
static void
rising_base(float *scores, int n)
{
	for (int i = n - 1; i > 0; i--)
		scores[i] = softplus_inverse(scores[i] - scores[i - 1] - MP_XGBOOST_EPSILON);
}

bool
mp_objective_base_margin(const MpObjective *objective, const int32_t *version,
						 float *scores, int n_scores, MpError *error)
{
	for (int i = 0; i < n_scores; i++)
	{
		if (!isfinite(scores[i]))
			return mp_fail(error, MP_ERROR_INVALID, "base_score must be a finite number");
	}
	switch (objective->base)
	{
		case MP_BASE_PLAIN:
			return true;
		case MP_BASE_LOGIT:
			for (int i = 0; i < n_scores; i++)
			{
				if (!logit_base(version, &scores[i], error))
					return false;
			}
			return true;
		case MP_BASE_LOG:
		case MP_BASE_POSITIVE_LOG:
			for (int i = 0; i < n_scores; i++)
			{
				if (!log_base(objective, version, &scores[i], error))
					return false;
			}
			return true;
		case MP_BASE_RISE:
			rising_base(scores, n_scores);
			return true;
	}
	return true;
}

/* 3.4 began to sort quantiles. */
MpLink
mp_objective_link(const MpObjective *objective, const int32_t *version)
{
	if (objective->link == MP_LINK_SORT && !version_at_least(version, 3, 4))
		return MP_LINK_IDENTITY;
	return objective->link;
}

MpTask
mp_objective_task(const MpObjective *objective, int n_outputs)
{
	if (n_outputs > 1 && objective->task < MP_TASK_CLASS)
		return MP_TASK_VALUES;
	return objective->task;
}
