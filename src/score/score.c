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

static void
widen(const float *from, int n, double *to)
{
	for (int i = 0; i < n; i++)
		to[i] = from[i];
}

/* Margins that were single are so again. */
static float *
narrow_margins(MpRow *row)
{
	for (int i = 0; i < row->model->forest->n_outputs; i++)
		row->narrow[i] = (float) row->margin[i];
	return row->narrow;
}

void
mp_score_margin(MpRow *row)
{
	const MpModel *model = row->model;

	if (model->wide)
		mp_kernel_margin(model->kernel, row->wide, row->margin);
	else
	{
		/* a version that is just being registered is not where another engine would get it from */
		if (unlikely(mp_score_other_engine != NULL) && model->id != 0)
			mp_score_other_engine(row);
		else
			mp_kernel_margin(model->kernel, row->x, row->narrow);
		widen(row->narrow, model->forest->n_outputs, row->margin);
	}
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

/* The prediction, where the steps on it begin; returns its numbers. */
static int
predict(MpRow *row)
{
	const MpForest *forest = row->model->forest;
	int			n = mp_forest_n_predictions(forest);

	if (row->model->wide)
		mp_predict_from_margin_double(forest, row->margin, row->answer);
	else
	{
		mp_predict_from_margin(forest, narrow_margins(row), row->narrow);
		widen(row->narrow, n, row->answer);
	}
	return n;
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

/* Of the second of two classes alone, or of all: also where the prediction is none. */
static int
predict_probabilities(MpRow *row)
{
	const MpModel *model = row->model;
	int			n = model->forest->n_outputs;

	if (model->wide)
		return predict(row);
	if (has_two_classes(model))
		row->answer[0] = mp_sigmoid((float) row->margin[0]);
	else
	{
		mp_softmax(narrow_margins(row), n);
		widen(row->narrow, n, row->answer);
	}
	return n;
}

static int
calibrate(MpRow *row)
{
	int			n = predict_probabilities(row);

	mp_steps_predict(row->model->steps, row->answer, n);
	return n;
}

/* A forest of scikit-learn has an output for each of two classes. */
static bool
has_two_outputs_of_one(const MpModel *model)
{
	return model->forest->library == MP_LIBRARY_SKLEARN && model->task == MP_TASK_CLASSES &&
		model->forest->n_outputs == 2;
}

/* Strictly, and in float32 where the model computes in it. */
static bool
is_second(const MpModel *model, double p)
{
	double		threshold = model->options.threshold;

	return model->wide ? p > threshold : (float) p > (float) threshold;
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
	int			n;

	if (is_calibrated(model) && model->task != MP_TASK_CLASS)
		return calibrate(row);
	n = predict(row);
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
	bool		second = has_two_outputs_of_one(model);

	if (n != 1 && !second)
		ereport(ERROR,
				errcode(ERRCODE_WRONG_OBJECT_TYPE),
				errmsg("model \"%s\" version %d gives %d numbers for a row, not one",
					   model->name, model->version, n),
				errhint("%s", model->task == MP_TASK_CLASSES ?
						"Use predict_class() for the class, predict_proba_of() for the probability of one class, or predict_all() for all of them." :
						"Use predict_all()."));
	mp_score_all(row);
	return row->answer[second];
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
			predict(row);
			return is_second(model, row->answer[0]);
		case MP_TASK_TWO_CLASSES_RAW:
			return is_second(model, mp_sigmoid((float) row->margin[0]));
		case MP_TASK_HINGE:
		case MP_TASK_CLASS:
			predict(row);
			return (int) row->answer[0];
		case MP_TASK_CLASSES:
			predict(row);
			if (has_two_outputs_of_one(model) && model->options.threshold != 0.5)
				return is_second(model, row->answer[1]);
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
		calibrate(row);
	else if (has_two_classes(model) && !model->wide)
	{
		float		p = mp_sigmoid((float) row->margin[0]);

		row->answer[0] = 1.0f - p;
		row->answer[1] = p;
		return 2;
	}
	else
		predict_probabilities(row);
	if (!has_two_classes(model))
		return n;
	row->answer[1] = row->answer[0];
	row->answer[0] = 1 - row->answer[1];
	return 2;
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
