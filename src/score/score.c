/*
 * score.c: what each objective's margins mean as a value, a class and
 * probabilities, with the errors where they mean none.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "libxgboost/engine.h"
#include "score/score.h"

void
mp_score_margin(MpBooster *booster)
{
	/* a version that is just being registered is not where libxgboost would get it from */
	if (unlikely(mp_engine_setting == MP_ENGINE_XGBOOST) && booster->model != 0)
		mp_engine_margin(booster);
	else
		mp_kernel_margin(booster->kernel, booster->x, booster->margin);
	booster->rows++;
	/* one row of a huge model is long enough to be cancelled between rows only */
	CHECK_FOR_INTERRUPTS();
}

/* 0: the model is not a classifier */
int
mp_task_n_classes(MpTask task, const MpForest *forest)
{
	switch (task)
	{
		case MP_TASK_TWO_CLASSES:
		case MP_TASK_TWO_CLASSES_RAW:
		case MP_TASK_HINGE:
			return 2;
		case MP_TASK_CLASS:
		case MP_TASK_CLASSES:
			return forest->n_outputs;
		case MP_TASK_VALUE:
		case MP_TASK_VALUES:
			break;
	}
	return 0;
}

pg_noreturn static void
no_such_answer(const MpBooster *booster, const char *what, const char *hint)
{
	ereport(ERROR,
			errcode(ERRCODE_WRONG_OBJECT_TYPE),
			errmsg("model \"%s\" version %d gives no %s: its objective is \"%s\"",
				   booster->name, booster->version, what, mp_objective_name(booster->forest->objective)),
			errhint("%s", hint));
}

float
mp_score_value(MpBooster *booster)
{
	int			n = mp_forest_n_predictions(booster->forest);

	if (n != 1)
		ereport(ERROR,
				errcode(ERRCODE_WRONG_OBJECT_TYPE),
				errmsg("model \"%s\" version %d gives %d numbers for a row, not one",
					   booster->name, booster->version, n),
				errhint("%s", booster->task == MP_TASK_CLASSES ?
						"Use predict_class() for the class, predict_proba_of() for the probability of one class, or predict_all() for all of them." :
						"Use predict_all()."));
	mp_predict_from_margin(booster->forest, booster->margin, booster->prediction);
	return booster->prediction[0];
}

static int
index_of_largest(const float *values, int n)
{
	int			best = 0;

	for (int i = 1; i < n; i++)
		if (values[i] > values[best])
			best = i;
	return best;
}

int
mp_score_class(MpBooster *booster)
{
	int			n = booster->forest->n_outputs;

	switch (booster->task)
	{
		case MP_TASK_TWO_CLASSES:
			mp_predict_from_margin(booster->forest, booster->margin, booster->prediction);
			return booster->prediction[0] > booster->options.threshold;
		case MP_TASK_TWO_CLASSES_RAW:
			return mp_sigmoid(booster->margin[0]) > booster->options.threshold;
		case MP_TASK_HINGE:
		case MP_TASK_CLASS:
			mp_predict_from_margin(booster->forest, booster->margin, booster->prediction);
			return (int) booster->prediction[0];
		case MP_TASK_CLASSES:
			mp_predict_from_margin(booster->forest, booster->margin, booster->prediction);
			return index_of_largest(booster->prediction, n);
		case MP_TASK_VALUE:
			no_such_answer(booster, "class", "Use predict() for its value.");
		case MP_TASK_VALUES:
			no_such_answer(booster, "class", "Use predict_all() for its values.");
	}
	return 0;
}

int
mp_score_probabilities(MpBooster *booster)
{
	float		p;

	switch (booster->task)
	{
		case MP_TASK_TWO_CLASSES:
		case MP_TASK_TWO_CLASSES_RAW:
			p = mp_sigmoid(booster->margin[0]);
			booster->prediction[0] = 1.0f - p;
			booster->prediction[1] = p;
			return 2;
		case MP_TASK_CLASS:
		case MP_TASK_CLASSES:
			memcpy(booster->prediction, booster->margin, sizeof(float) * booster->forest->n_outputs);
			mp_softmax(booster->prediction, booster->forest->n_outputs);
			return booster->forest->n_outputs;
		case MP_TASK_HINGE:
			no_such_answer(booster, "probability", "Use predict_class() for the class.");
		case MP_TASK_VALUE:
			no_such_answer(booster, "probability", "Use predict() for its value.");
		case MP_TASK_VALUES:
			no_such_answer(booster, "probability", "Use predict_all() for its values.");
	}
	return 0;
}

/* Without `classes` the labels are '0', '1', ... */
char *
mp_score_label(const MpBooster *booster, int class)
{
	if (class < booster->options.n_classes)
		return booster->options.classes[class];
	return psprintf("%d", class);
}

int
mp_score_find_class(const MpBooster *booster, text *label)
{
	int			n = mp_task_n_classes(booster->task, booster->forest);
	int			length = VARSIZE_ANY_EXHDR(label);
	StringInfoData known;

	for (int i = 0; i < n; i++)
	{
		char		number[16];
		const char *name = number;

		if (i < booster->options.n_classes)
			name = booster->options.classes[i];
		else
			pg_ltoa(i, number);
		if (strlen(name) == length && memcmp(name, VARDATA_ANY(label), length) == 0)
			return i;
	}
	initStringInfo(&known);
	for (int i = 0; i < n && i < 20; i++)
		appendStringInfo(&known, "%s\"%s\"", i ? ", " : "", mp_shown(mp_score_label(booster, i)));
	if (n > 20)
		appendStringInfo(&known, " and %d more", n - 20);
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("model \"%s\" version %d has no class \"%s\"",
				   booster->name, booster->version, mp_shown(text_to_cstring(label))),
			errdetail("Its classes are %s.", known.data));
}
