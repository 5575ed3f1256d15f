/*
 * details.c: what is told of a version beside its bytes and options: its inputs,
 * metrics and words, the last two also after it was registered.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "sql/details.h"
#include "sql/manage.h"
#include "store/limits.h"

/* The version that a reference names, whose model is held until the end of the transaction. */
static int32
lock_version(const MpWriter *writer, const char *reference, MpModelRow *model, char **name)
{
	MpReference ref = mp_reference_parse(reference);
	int32		version;

	mp_manage_lock(writer, ref.name, model);
	version = mp_lookup_version(&ref, model->id, GetActiveSnapshot());
	mp_manage_check_version(ref.name, model->id, version);
	*name = ref.name;
	return version;
}

void
mp_details_add_metrics(int64 model, int32 version, const char *name, Jsonb *metrics, Oid user)
{
	if (!JB_ROOT_IS_OBJECT(metrics))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("metrics must be a JSON object"),
				errhint("Write them as '{\"roc_auc\": 0.84}'."));
	mp_limit_size("metrics", JSONBOID, JsonbPGetDatum(metrics), MP_MAX_TAGS);
	mp_writer_run("INSERT INTO model_predict.stored_metrics (model, version, number, name, metrics, recorded, recorded_by)"
				  " SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, pg_catalog.clock_timestamp(), $5"
				  " FROM model_predict.stored_metrics WHERE model = $1 AND version = $2",
				  mp_int8(model), mp_int4(version), mp_text(name),
				  (MpParam) {JSONBOID, JsonbPGetDatum(metrics), false},
				  mp_text(GetUserNameFromId(user, false)));
}

PG_FUNCTION_INFO_V1(mp_record_metrics);
Datum
mp_record_metrics(PG_FUNCTION_ARGS)
{
	char	   *reference = mp_manage_text(fcinfo, 0, "reference to a model");
	char	   *name = mp_limited_words(fcinfo, 2, "name of metrics");
	char	   *model_name;
	MpWriter	writer;
	MpModelRow	model;
	int32		version;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("metrics must not be null"));
	mp_writer_begin(&writer, "record_metrics()");
	version = lock_version(&writer, reference, &model, &model_name);
	mp_details_add_metrics(model.id, version, name, PG_GETARG_JSONB_P(1), writer.user);
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(mp_describe);
Datum
mp_describe(PG_FUNCTION_ARGS)
{
	char	   *reference = mp_manage_text(fcinfo, 0, "reference to a model");
	char	   *description = mp_limited_words(fcinfo, 1, "description");
	bool		no_tags = PG_ARGISNULL(2);
	char	   *name;
	MpWriter	writer;
	MpModelRow	model;
	int32		version;

	if (!no_tags)
		mp_limit_size("option \"tags\"", JSONBOID, PG_GETARG_DATUM(2), MP_MAX_TAGS);
	mp_writer_begin(&writer, "describe()");
	version = lock_version(&writer, reference, &model, &name);
	mp_writer_run("UPDATE model_predict.stored_version SET description = coalesce($3, description),"
				  " tags = coalesce($4, tags) WHERE model = $1 AND version = $2",
				  mp_int8(model.id), mp_int4(version), mp_text(description),
				  (MpParam) {JSONBOID, no_tags ? (Datum) 0 : PG_GETARG_DATUM(2), no_tags});
	mp_manage_log(&writer, &(MpEvent) {.model = name, .model_id = model.id, .owner = model.owner,
									   .action = "describe", .new_version = version});
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}

/* Inputs */

static Datum
labels_of(const MpSteps *steps, const MpStepsInput *input)
{
	const MpStepsLabel *labels = MP_STEPS_SECTION(steps, MP_STEPS_LABELS, MpStepsLabel) + input->first_label;
	Datum	   *texts = palloc(sizeof(Datum) * Max(input->n_labels, 1));

	for (uint32 i = 0; i < input->n_labels; i++)
	{
		MpString	text = mp_steps_string(steps, labels[i].at, labels[i].length);

		if (labels[i].length == MP_LABEL_IS_NUMBER)
			texts[i] = CStringGetTextDatum(psprintf("%.15g", MP_STEPS_SECTION(steps, MP_STEPS_NUMBERS, double)[labels[i].at]));
		else
			texts[i] = PointerGetDatum(cstring_to_text_with_len(text.data, text.length));
	}
	return PointerGetDatum(construct_array(texts, input->n_labels, TEXTOID, -1, false, TYPALIGN_INT));
}

/* The features that the groups with this input hold, in their order. */
static Datum
features_of(const MpSteps *steps, uint32 input)
{
	const MpStepsFeature *features = mp_steps_features(steps);
	const MpStepsGroup *groups = mp_steps_groups(steps);
	const uint32 *words = mp_steps_words(steps);
	bool	   *has = palloc0(Max(steps->n_groups, 1));
	Datum	   *names = palloc(sizeof(Datum) * steps->n_features);
	int			n = 0;

	for (uint32 i = 0; i < steps->n_groups; i++)
		for (uint32 k = 0; k < groups[i].n; k++)
			has[i] |= words[groups[i].first + k] == input;
	for (uint32 i = 0; i < steps->n_features; i++)
	{
		MpString	name = mp_steps_string(steps, features[i].name, features[i].name_length);

		if (has[features[i].group])
			names[n++] = PointerGetDatum(cstring_to_text_with_len(name.data, name.length));
	}
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

void
mp_details_add_inputs(int64 model, int32 version, const MpSteps *steps)
{
	static const char *const types[] = {"number", "category", "time"};
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "model_predict inputs",
											   ALLOCSET_DEFAULT_SIZES);

	for (uint32 i = 0; i < steps->n_inputs; i++)
	{
		const MpStepsInput *input = mp_steps_inputs(steps) + i;
		MemoryContext old = MemoryContextSwitchTo(work);
		MpString	name = mp_steps_string(steps, input->name, input->name_length);

		CHECK_FOR_INTERRUPTS();
		mp_writer_run("INSERT INTO model_predict.stored_input (model, version, position, name, type, labels, features)"
					  " VALUES ($1, $2, $3, $4, $5, $6, $7)",
					  mp_int8(model), mp_int4(version), mp_int4(i + 1),
					  mp_text(pnstrdup(name.data, name.length)), mp_text(types[input->kind]),
					  (MpParam) {TEXTARRAYOID, labels_of(steps, input), input->n_labels == 0},
					  (MpParam) {TEXTARRAYOID, features_of(steps, i), false});
		MemoryContextSwitchTo(old);
		MemoryContextReset(work);
	}
	MemoryContextDelete(work);
}
