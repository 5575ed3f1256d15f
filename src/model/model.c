/*
 * model.c: makes a model: a version ready to score.
 *
 * A model owns one memory context with all that belongs to it. It is made in
 * the caller's context and moved under the cache's only when it is complete,
 * so an error or a cancel on the way leaves nothing.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "glue/error.h"
#include "glue/memory.h"
#include "model/model.h"

int			mp_kernel_setting = MP_KERNEL_AUTO;

char *
mp_input_label(const MpModel *model, int input)
{
	const MpInput *i = &model->inputs[input];

	if (!model->has_names)
		return psprintf("feature %d", input + 1);
	return psprintf("feature \"%.*s\"", (int) i->name_length, i->name);
}

char *
mp_input_title(const MpModel *model, int input)
{
	const MpInput *i = &model->inputs[input];

	return model->has_names ? pnstrdup(i->name, i->name_length) : psprintf("f%d", input);
}

MpModel *
mp_model_begin(const char *name, int64 id, int32 version)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "model_predict model",
												  ALLOCSET_SMALL_SIZES);
	MpModel    *model = MemoryContextAllocZero(context, sizeof(MpModel));

	model->context = context;
	model->alloc = mp_alloc_context(context);
	model->id = id;
	model->version = version;
	model->name = MemoryContextStrdup(context, name);
	model->state = MemoryContextAllocZero(context, sizeof(MpModelState));
	MemoryContextSetIdentifier(context, model->name);
	return model;
}

static void
copy_options(MpModel *model, const MpRowOptions *options)
{
	model->options = *options;
	model->options.classes = NULL;
	if (options->n_classes > 0)
	{
		model->options.classes = palloc(sizeof(char *) * options->n_classes);
		for (int i = 0; i < options->n_classes; i++)
			model->options.classes[i] = pstrdup(options->classes[i]);
	}
}

void
mp_model_set_steps(MpModel *model, MpSteps *steps)
{
	model->steps = steps;
}

char *
mp_feature_title(const MpModel *model, int feature)
{
	const MpStepsFeature *f;
	MpString	name;

	if (model->steps == NULL)
		return mp_input_title(model, feature);
	f = mp_steps_features(model->steps) + feature;
	name = mp_steps_string(model->steps, f->name, f->name_length);
	return pnstrdup(name.data, name.length);
}

/* What the steps read. */
static void
make_inputs_of_steps(MpModel *model)
{
	const MpSteps *steps = model->steps;
	MpInput    *inputs = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(MpInput) * steps->n_inputs);

	if (steps->n_features != model->forest->n_features)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("preprocessing does not fit model \"%s\": it makes %u features, and the model has %d",
					   model->name, steps->n_features, model->forest->n_features));
	for (uint32 i = 0; i < steps->n_inputs; i++)
	{
		const MpStepsInput *given = mp_steps_inputs(steps) + i;

		inputs[i] = (MpInput) {
			.name = mp_steps_string(steps, given->name, given->name_length).data,
			.name_length = given->name_length,
			.type = given->kind == MP_STEPS_LABEL ? MP_FEATURE_CATEGORICAL : MP_FEATURE_FLOAT,
			.is_time = given->kind == MP_STEPS_TIME,
			.labels = given
		};
	}
	model->plain = false;
	model->n_inputs = steps->n_inputs;
	model->inputs = inputs;
	model->has_names = true;
}

/* Without steps the inputs are the features, one to one. */
static void
make_inputs(MpModel *model)
{
	const MpForest *forest = model->forest;
	const char *strings = mp_forest_string(forest, 0, 0).data;
	int			n = forest->n_features;
	MpInput    *inputs = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(MpInput) * Max(n, 1));

	model->wide = forest->precision == MP_PRECISION_DOUBLE;
	model->plain = !model->options.has_missing;
	for (int i = 0; i < n; i++)
	{
		const MpFeature *f = mp_forest_features(forest) + i;

		inputs[i] = (MpInput) {0};
		inputs[i].name = strings + f->name;
		inputs[i].name_length = f->name_length;
		inputs[i].type = f->type;
		if (f->n_categories > 0)
			inputs[i].categories = mp_categories_index(mp_forest_categories(forest, f), f->n_categories,
													   strings, f->numeric_categories);
		if (f->type == MP_FEATURE_CATEGORICAL)
			model->plain = false;
	}
	model->n_inputs = n;
	model->inputs = inputs;
	model->has_names = forest->n_feature_names > 0;
}

void
mp_model_finish(MpModel *model, MpForest *forest, bool whole, void *kernel_image,
				const MpRowOptions *options)
{
	MemoryContext old = MemoryContextSwitchTo(model->context);
	MpError		error;

	mp_error_clear(&error);
	copy_options(model, options);
	model->forest = forest;
	model->whole = whole;
	model->task = mp_forest_task(forest, options->n_classes > 0);
	model->kernel = mp_kernel_open(model->alloc, kernel_image, forest, mp_kernel_setting, &error);
	if (model->kernel == NULL)
		mp_throw(&error, model->name, model->version);
	if (model->steps != NULL)
		make_inputs_of_steps(model);
	else
		make_inputs(model);
	MemoryContextSetIdentifier(model->context, psprintf("%s@%d", model->name, model->version));
	MemoryContextSwitchTo(old);
}

void
mp_model_from_forest(MpModel *model, MpForest *forest, const MpRowOptions *options)
{
	MpError		error;
	size_t		size;
	void	   *image = NULL;

	mp_error_clear(&error);
	if (mp_kernel_setting != MP_KERNEL_REFERENCE)
		image = mp_kernel_compile(model->alloc, forest, &size, &error);
	if (image == NULL && error.code != MP_OK)
		mp_throw(&error, model->name, model->version);
	if (image != NULL)
	{
		MpForest   *head = MemoryContextAllocHuge(model->context, forest->head_size);

		memcpy(head, forest, forest->head_size);
		pfree(forest);
		forest = head;
	}
	mp_model_finish(model, forest, image == NULL, image, options);
}

void
mp_model_free(const MpModel *model)
{
	MemoryContextDelete(model->context);
}
