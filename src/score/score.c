/*
 * score.c: what each objective's margins mean as a value, a class and
 * probabilities, with the errors where they mean none.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "core/steps/steps_run.h"
#include "glue/error.h"
#include "glue/similar.h"
#include "score/score.h"

MpMarginFunction mp_score_other_engine = NULL;

void
mp_score_margin(MpRow *row)
{
	const MpModel *model = row->model;

	/* a version that is just being registered is not where another engine would get it from */
	if (unlikely(mp_score_other_engine != NULL) && model->id != 0)
		mp_score_other_engine(row);
	else
		mp_kernel_margin(model->kernel, row->x, row->margin);
	model->state->rows++;
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
no_such_answer(const MpModel *model, const char *what, const char *hint)
{
	ereport(ERROR,
			errcode(ERRCODE_WRONG_OBJECT_TYPE),
			errmsg("model \"%s\" version %d gives no %s: its objective is \"%s\"",
				   model->name, model->version, what, mp_objective_name(model->forest)),
			errhint("%s", hint));
}

/* row->prediction to row->answer, where the steps on it begin. */
static void
widen(MpRow *row, int n)
{
	for (int i = 0; i < n; i++)
		row->answer[i] = row->prediction[i];
}

static bool
is_calibrated(const MpModel *model)
{
	return model->steps != NULL && model->steps->output == MP_OUTPUT_CALIBRATED;
}

static bool
has_two_classes(const MpModel *model)
{
	return model->task == MP_TASK_TWO_CLASSES || model->task == MP_TASK_TWO_CLASSES_RAW;
}

/* The probabilities of a calibrated model: of the second of two classes alone, or of all. */
static int
calibrate(MpRow *row)
{
	const MpModel *model = row->model;
	int			n = model->forest->n_outputs;

	if (has_two_classes(model))
		row->prediction[0] = mp_sigmoid(row->margin[0]);
	else
	{
		memcpy(row->prediction, row->margin, sizeof(float) * n);
		mp_softmax(row->prediction, n);
	}
	widen(row, n);
	mp_steps_predict(model->steps, row->answer, n);
	return n;
}

static int
index_of_largest(const double *values, int n)
{
	int			best = 0;

	for (int i = 1; i < n; i++)
		if (values[i] > values[best])
			best = i;
	return best;
}

/* Of two classes the larger one, or, where a threshold was chosen, the second past it. */
static int
class_of_calibrated(MpRow *row)
{
	const MpModel *model = row->model;
	int			n = calibrate(row);

	if (!has_two_classes(model))
		return index_of_largest(row->answer, n);
	if (model->options.threshold == 0.5)
		return row->answer[0] > 1 - row->answer[0];
	return row->answer[0] > model->options.threshold;
}

int
mp_score_all(MpRow *row)
{
	const MpModel *model = row->model;
	int			n = mp_forest_n_predictions(model->forest);

	if (is_calibrated(model) && model->task != MP_TASK_CLASS)
		return calibrate(row);
	mp_predict_from_margin(model->forest, row->margin, row->prediction);
	widen(row, n);
	if (is_calibrated(model))
		row->answer[0] = class_of_calibrated(row);
	else if (model->steps != NULL)
		mp_steps_predict(model->steps, row->answer, n);
	return n;
}

double
mp_score_value(MpRow *row)
{
	const MpModel *model = row->model;
	int			n = mp_forest_n_predictions(model->forest);

	if (n != 1)
		ereport(ERROR,
				errcode(ERRCODE_WRONG_OBJECT_TYPE),
				errmsg("model \"%s\" version %d gives %d numbers for a row, not one",
					   model->name, model->version, n),
				errhint("%s", model->task == MP_TASK_CLASSES ?
						"Use predict_class() for the class, predict_proba_of() for the probability of one class, or predict_all() for all of them." :
						"Use predict_all()."));
	mp_score_all(row);
	return row->answer[0];
}

int
mp_score_class(MpRow *row)
{
	const MpModel *model = row->model;
	int			n = model->forest->n_outputs;

	if (is_calibrated(model))
		return class_of_calibrated(row);
	switch (model->task)
	{
		case MP_TASK_TWO_CLASSES:
			mp_predict_from_margin(model->forest, row->margin, row->prediction);
			return row->prediction[0] > model->options.threshold;
		case MP_TASK_TWO_CLASSES_RAW:
			return mp_sigmoid(row->margin[0]) > model->options.threshold;
		case MP_TASK_HINGE:
		case MP_TASK_CLASS:
			mp_predict_from_margin(model->forest, row->margin, row->prediction);
			return (int) row->prediction[0];
		case MP_TASK_CLASSES:
			mp_predict_from_margin(model->forest, row->margin, row->prediction);
			widen(row, n);
			return index_of_largest(row->answer, n);
		case MP_TASK_VALUE:
			no_such_answer(model, "class", "Use predict() for its value.");
		case MP_TASK_VALUES:
			no_such_answer(model, "class", "Use predict_all() for its values.");
	}
	return 0;
}

void
mp_score_check_probabilities(const MpModel *model)
{
	switch (model->task)
	{
		case MP_TASK_TWO_CLASSES:
		case MP_TASK_TWO_CLASSES_RAW:
		case MP_TASK_CLASS:
		case MP_TASK_CLASSES:
			break;
		case MP_TASK_HINGE:
			no_such_answer(model, "probability", "Use predict_class() for the class.");
		case MP_TASK_VALUE:
			no_such_answer(model, "probability", "Use predict() for its value.");
		case MP_TASK_VALUES:
			no_such_answer(model, "probability", "Use predict_all() for its values.");
	}
}

int
mp_score_probabilities(MpRow *row)
{
	const MpModel *model = row->model;
	int			n = model->forest->n_outputs;

	mp_score_check_probabilities(model);
	if (is_calibrated(model))
	{
		n = calibrate(row);
		if (!has_two_classes(model))
			return n;
		row->answer[1] = row->answer[0];
		row->answer[0] = 1 - row->answer[1];
		return 2;
	}
	if (has_two_classes(model))
	{
		float		p = mp_sigmoid(row->margin[0]);

		row->prediction[0] = 1.0f - p;
		row->prediction[1] = p;
		n = 2;
	}
	else
	{
		memcpy(row->prediction, row->margin, sizeof(float) * n);
		mp_softmax(row->prediction, n);
	}
	widen(row, n);
	return n;
}

/* Without `classes` the labels are '0', '1', ... */
char *
mp_score_label(const MpModel *model, int class)
{
	if (class < model->options.n_classes)
		return model->options.classes[class];
	return psprintf("%d", class);
}

int
mp_score_find_class(const MpModel *model, text *label)
{
	int			n = mp_task_n_classes(model->task, model->forest);
	int			length = VARSIZE_ANY_EXHDR(label);
	MpSimilar	similar;
	StringInfoData known;

	for (int i = 0; i < n; i++)
	{
		char		number[16];
		const char *name = number;

		if (i < model->options.n_classes)
			name = model->options.classes[i];
		else
			pg_ltoa(i, number);
		if (strlen(name) == length && memcmp(name, VARDATA_ANY(label), length) == 0)
			return i;
	}
	similar = mp_similar_to(text_to_cstring(label));
	initStringInfo(&known);
	for (int i = 0; i < n; i++)
	{
		const char *name = mp_score_label(model, i);

		mp_similar_offer(&similar, name, strlen(name));
		if (i < 20)
			appendStringInfo(&known, "%s\"%s\"", i ? ", " : "", mp_shown(name));
	}
	if (n > 20)
		appendStringInfo(&known, " and %d more", n - 20);
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("model \"%s\" version %d has no class \"%s\"",
				   model->name, model->version, mp_shown(text_to_cstring(label))),
			errdetail("Its classes are %s.", known.data),
			similar.best != NULL ? errhint("Did you mean \"%s\"?", similar.best) : 0);
}
