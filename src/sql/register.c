/*
 * register.c: model_predict.register(): from the bytes of a file to a version.
 *
 * Everything that can be wrong is found before anything is written: the file
 * is read and validated, its options are held against it, the examples are
 * scored. What is written then is one transaction's work like any other.
 */
#include "postgres.h"

#include <math.h>

#include "core/forest/depth.h"
#include "access/detoast.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "core/load/load.h"
#include "glue/error.h"
#include "glue/memory.h"
#include "glue/sha256.h"
#include "model/image.h"
#include "model/model.h"
#include "model/preprocessing.h"
#include "model/version.h"
#include "score/examples.h"
#include "score/score.h"
#include "sql/details.h"
#include "sql/manage.h"
#include "sql/register.h"
#include "store/limits.h"
#include "store/options.h"

/* The arguments of register(), in order; src of the array is the SQL script. */
enum
{
	ARG_NAME, ARG_MODEL, ARG_CLASSES, ARG_FEATURE_NAMES, ARG_CATEGORIES, ARG_TREES,
	ARG_THRESHOLD, ARG_MISSING, ARG_ABSENT, ARG_UNSEEN, ARG_INFINITY, ARG_EXAMPLES,
	ARG_DESCRIPTION, ARG_TAGS, ARG_PREPROCESSING, ARG_LINK,
	ARG_METRICS, N_ARGS
};

static int	max_model_size = 256 * 1024;	/* kB */

void
mp_register_init(void)
{
	DefineCustomIntVariable("model_predict.max_model_size",
							"Largest model file that can be registered.",
							"A row can be dumped while its text is below 1 GB: two letters a byte, and the options.",
							&max_model_size, 256 * 1024, 1, 500 * 1024,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
}

/* A word of an option that may not be null. */
static char *
word_arg(FunctionCallInfo fcinfo, int arg, const char *option)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("option \"%s\" must not be null", option),
				errhint("Leave it out for its default."));
	return text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

static void
check_size(Datum model)
{
	Size		size = toast_raw_datum_size(model) - VARHDRSZ;

	if (size > (Size) max_model_size * 1024)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("the model is too large: %zu bytes", size),
				errdetail("The limit is %d kB.", max_model_size),
				errhint("A superuser can raise model_predict.max_model_size."));
}

/* All options whose length is the caller's. */
static void
check_lengths(FunctionCallInfo fcinfo)
{
	static const struct
	{
		int			arg;
		const char *name;
		Oid			type;
		uint64		most;
	}			options[] = {
		{ARG_CLASSES, "option \"classes\"", TEXTARRAYOID, MP_MAX_OPTION},
		{ARG_FEATURE_NAMES, "option \"feature_names\"", TEXTARRAYOID, MP_MAX_NAMES},
		{ARG_CATEGORIES, "option \"categories\"", JSONBOID, MP_MAX_NAMES},
		{ARG_EXAMPLES, "option \"examples\"", JSONBOID, MP_MAX_OPTION},
		{ARG_DESCRIPTION, "option \"description\"", TEXTOID, MP_MAX_WORDS},
		{ARG_TAGS, "option \"tags\"", JSONBOID, MP_MAX_TAGS},
		{ARG_PREPROCESSING, "option \"preprocessing\"", JSONBOID, MP_STEPS_MAX_DOCUMENT}
	};

	for (int i = 0; i < lengthof(options); i++)
		if (!PG_ARGISNULL(options[i].arg))
			mp_limit_size(options[i].name, options[i].type, PG_GETARG_DATUM(options[i].arg),
						  options[i].most);
}

static void
read_arguments(FunctionCallInfo fcinfo, MpRowOptions *row, MpLoadOptions *load)
{
	memset(row, 0, sizeof(*row));
	memset(load, 0, sizeof(*load));
	load->trees = mp_option_trees(word_arg(fcinfo, ARG_TREES, "trees"));
	if (!PG_ARGISNULL(ARG_LINK))
		load->link = mp_option_link(word_arg(fcinfo, ARG_LINK, "link"));
	row->absent_feature = mp_option_absent(word_arg(fcinfo, ARG_ABSENT, "absent_feature"));
	row->unseen_category = mp_option_unseen(word_arg(fcinfo, ARG_UNSEEN, "unseen_category"));
	if (!PG_ARGISNULL(ARG_INFINITY))
		row->infinity = mp_option_infinity(word_arg(fcinfo, ARG_INFINITY, "infinity"));
	if (PG_ARGISNULL(ARG_THRESHOLD))
		word_arg(fcinfo, ARG_THRESHOLD, "threshold");
	row->threshold = PG_GETARG_FLOAT8(ARG_THRESHOLD);
	if (!(row->threshold >= 0 && row->threshold <= 1))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"threshold\" must be a probability from 0 to 1, not %g", row->threshold));
	if (!PG_ARGISNULL(ARG_MISSING) && !isnan(PG_GETARG_FLOAT4(ARG_MISSING)))
	{
		row->has_missing = true;
		row->missing = PG_GETARG_FLOAT4(ARG_MISSING);
	}
	if (!PG_ARGISNULL(ARG_CLASSES))
		mp_option_classes(PG_GETARG_ARRAYTYPE_P(ARG_CLASSES), row);
	if (!PG_ARGISNULL(ARG_FEATURE_NAMES))
		load->feature_names = mp_option_strings("feature_names", PG_GETARG_ARRAYTYPE_P(ARG_FEATURE_NAMES),
												&load->n_feature_names);
	if (!PG_ARGISNULL(ARG_CATEGORIES))
		load->categories = mp_option_categories(PG_GETARG_JSONB_P(ARG_CATEGORIES), &load->n_categories);
}

static void
check_classes(const MpRowOptions *row, const MpForest *forest)
{
	MpTask		task = mp_forest_task(forest, row->n_classes > 0);
	int			n = mp_task_n_classes(task, forest);
	char	  **sorted;

	if (row->n_classes == 0)
		return;
	if (n == 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"classes\" does not fit: the objective \"%s\" has no classes",
					   mp_objective_name(forest)));
	if (row->n_classes != n)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"classes\" must have %d labels, not %d", n, row->n_classes),
				errhint("Give them in the order of the model's classes, as scikit-learn's classes_ has them."));
	sorted = palloc(sizeof(char *) * n);
	memcpy(sorted, row->classes, sizeof(char *) * n);
	qsort(sorted, n, sizeof(char *), pg_qsort_strcmp);
	for (int i = 1; i < n; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("option \"classes\" has the label \"%s\" twice", mp_shown(sorted[i])));
	pfree(sorted);
}

/*
 * Before 3.1 files hold no labels. A row's numbers are taken for codes then,
 * which integer categories are not: 20 may be the label of code 1.
 */
static void
warn_of_codes(const MpForest *forest, const char *name)
{
	StringInfoData list;
	int			n = 0;

	initStringInfo(&list);
	for (int i = 0; i < forest->n_features; i++)
	{
		const MpFeature *f = mp_forest_features(forest) + i;

		if (f->type != MP_FEATURE_CATEGORICAL || f->n_categories > 0 || ++n > 10)
			continue;
		if (forest->n_feature_names > 0)
			appendStringInfo(&list, "%s\"%s\"", n > 1 ? ", " : "",
							 mp_shown(pnstrdup(mp_forest_string(forest, f->name, f->name_length).data, f->name_length)));
		else
			appendStringInfo(&list, "%snumber %d", n > 1 ? ", " : "", i + 1);
	}
	if (n > 10)
		appendStringInfo(&list, " and %d more", n - 10);
	if (n > 0)
		ereport(WARNING,
				errmsg("model \"%s\" does not hold the labels of its categorical features", name),
				errdetail("A row must bring their codes, whole numbers from 0 in the order of training's categories: %s.", list.data),
				errhint("Register it with categories => '{\"feature\": [label of code 0, label of code 1, ...]}'; in Python, X[feature].cat.categories has them."));
	pfree(list.data);
}

/* XGBoost 1.x saved scikit-learn's `missing` in an attribute. */
static void
honour_missing(MpRowOptions *row, const MpModelInfo *info, const char *name)
{
	if (!info->has_missing || isnan(info->missing) || row->has_missing)
		return;
	row->has_missing = true;
	row->missing = info->missing;
	ereport(NOTICE,
			errmsg("model \"%s\" was trained with missing = %g: that value counts as missing",
				   name, info->missing),
			errhint("Use the option missing => ... for another."));
}

static Datum
text_datum(const char *text)
{
	return CStringGetTextDatum(text);
}

static const char *
trees_word(const MpForest *forest, MpTreesOption asked)
{
	if (asked == MP_TREES_AUTO)
		return forest->n_rounds_used < forest->n_rounds ? "best" : "all";
	return asked == MP_TREES_BEST ? "best" : "all";
}

static const char *
absent_word(MpOnAbsent option)
{
	return option == MP_ABSENT_ERROR ? "error" : "missing";
}

/* pg_dump must be able to read the row. */
static void
check_row_size(const char *column, uint64 size)
{
	if (size > MP_MAX_DUMPED_ROW)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("the model and its options are too large together"),
				errdetail("As text, up to column \"%s\", they have " UINT64_FORMAT " bytes; pg_dump reads a row of at most %d.",
						  column, size, MP_MAX_DUMPED_ROW),
				errhint("Register it with fewer examples or a smaller model."));
}

/* LightGBM's files say the version of their format only. */
static const char *
library_version(const MpForest *forest)
{
	const int32 *v = forest->version;

	if (forest->library == MP_LIBRARY_LIGHTGBM)
		return psprintf("v%d", v[0]);
	return psprintf("%d.%d.%d", v[0], v[1], v[2]);
}

/* Inserts the row of table version; all arguments of register() and what the file says. */
static void
insert_version(FunctionCallInfo fcinfo, const MpWriter *writer, int64 model, int32 version,
			   bytea *blob, bytea *sha256, const MpForest *forest, const MpRowOptions *row,
			   const MpLoadOptions *load)
{
	struct
	{
		const char *column;
		MpParam		param;
	}			columns[] = {
		{"model", {INT8OID, Int64GetDatum(model)}},
		{"version", {INT4OID, Int32GetDatum(version)}},
		{"sha256", {BYTEAOID, PointerGetDatum(sha256)}},
		{"trees", {TEXTOID, text_datum(trees_word(forest, load->trees))}},
		{"classes", {TEXTARRAYOID, PG_GETARG_DATUM(ARG_CLASSES), PG_ARGISNULL(ARG_CLASSES)}},
		{"feature_names", {TEXTARRAYOID, PG_GETARG_DATUM(ARG_FEATURE_NAMES), PG_ARGISNULL(ARG_FEATURE_NAMES)}},
		{"categories", {JSONBOID, PG_GETARG_DATUM(ARG_CATEGORIES), PG_ARGISNULL(ARG_CATEGORIES)}},
		{"threshold", {FLOAT8OID, Float8GetDatum(row->threshold)}},
		{"missing", {FLOAT4OID, Float4GetDatum(row->missing), !row->has_missing}},
		{"absent_feature", {TEXTOID, text_datum(absent_word(row->absent_feature))}},
		{"unseen_category", {TEXTOID, PG_GETARG_DATUM(ARG_UNSEEN)}},
		{"infinity", {TEXTOID, text_datum(mp_option_infinity_word(row->infinity))}},
		{"examples", {JSONBOID, PG_GETARG_DATUM(ARG_EXAMPLES), PG_ARGISNULL(ARG_EXAMPLES)}},
		{"description", {TEXTOID, PG_GETARG_DATUM(ARG_DESCRIPTION), PG_ARGISNULL(ARG_DESCRIPTION)}},
		{"tags", {JSONBOID, PG_GETARG_DATUM(ARG_TAGS), PG_ARGISNULL(ARG_TAGS)}},
		{"preprocessing", {JSONBOID, PG_GETARG_DATUM(ARG_PREPROCESSING), PG_ARGISNULL(ARG_PREPROCESSING)}},
		{"link", {TEXTOID, PG_GETARG_DATUM(ARG_LINK), PG_ARGISNULL(ARG_LINK)}},
		{"format", {TEXTOID, text_datum(mp_format_name(forest->source))}},
		{"library", {TEXTOID, text_datum(mp_library_name(forest->library))}},
		{"library_version", {TEXTOID, text_datum(library_version(forest))}},
		{"objective", {TEXTOID, text_datum(mp_objective_name(forest))}},
		{"task", {TEXTOID, text_datum(mp_task_word(mp_forest_task(forest, row->n_classes > 0)))}},
		{"booster", {TEXTOID, text_datum(mp_booster_name(forest->booster))}},
		{"features", {INT4OID, Int32GetDatum(forest->n_features)}},
		{"outputs", {INT4OID, Int32GetDatum(forest->n_outputs)}},
		{"n_trees", {INT4OID, Int32GetDatum(forest->n_trees)}},
		{"rounds", {INT4OID, Int32GetDatum(forest->n_rounds)}},
		{"rounds_used", {INT4OID, Int32GetDatum(forest->n_rounds_used)}},
		{"max_depth", {INT4OID, Int32GetDatum(mp_forest_depth(mp_alloc_context(CurrentMemoryContext), forest))}},
		{"created", {TIMESTAMPTZOID, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp())}},
		{"created_by", {TEXTOID, text_datum(GetUserNameFromId(writer->user, false))}},
		{"data", {BYTEAOID, PointerGetDatum(blob)}}
	};
	StringInfoData sql;
	StringInfoData params;
	MpParam		values[lengthof(columns)];
	uint64		size = 0;

	initStringInfo(&sql);
	initStringInfo(&params);
	appendStringInfoString(&sql, "INSERT INTO model_predict.stored_version (");
	for (int i = 0; i < lengthof(columns); i++)
	{
		if (!columns[i].param.isnull)
			size += mp_dumped_size(columns[i].param.type, columns[i].param.value, MP_MAX_DUMPED_ROW);
		check_row_size(columns[i].column, size);
		appendStringInfo(&sql, "%s%s", i ? ", " : "", columns[i].column);
		appendStringInfo(&params, "%s$%d", i ? ", " : "", i + 1);
		values[i] = columns[i].param;
	}
	appendStringInfo(&sql, ") VALUES (%s)", params.data);
	mp_writer_execute(sql.data, lengthof(columns), values);
}

/* Refuses a null where the SQL declaration allows one but the meaning does not. */
static void
check_required(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(ARG_NAME))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("the model's name must not be null"));
	if (PG_ARGISNULL(ARG_MODEL))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("the model's bytes must not be null"));
	check_size(PG_GETARG_DATUM(ARG_MODEL));
	check_lengths(fcinfo);
}

/* The number that the version will have if nobody else registers one meanwhile: for messages. */
static int32
probable_version(const char *name)
{
	MpModelRow	model;

	if (mp_lookup_model(name, mp_catalog_snapshot(), &model))
		return model.last_version + 1;
	return mp_manage_highest_version(name) + 1;
}

static void
check_ascii(const char *name, const char *what, int feature, MpString text)
{
	for (uint32 i = 0; i < text.length; i++)
		if (IS_HIGHBIT_SET(text.data[i]))
			ereport(ERROR,
					errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("%s feature %d of model \"%s\" is not ASCII", what, feature + 1, name),
					errdetail("Models speak UTF-8, and this database's encoding is %s.", GetDatabaseEncodingName()),
					errhint("Give the model ASCII names and labels, or register it in a database of encoding UTF8."));
}

/* Letters beyond ASCII would be other ones in a database that does not speak UTF-8, or none at all. */
static void
check_letters(const char *name, const MpForest *forest)
{
	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return;
	for (int i = 0; i < forest->n_features; i++)
	{
		const MpFeature *f = mp_forest_features(forest) + i;

		if (forest->n_feature_names > 0)
			check_ascii(name, "the name of", i, mp_forest_string(forest, f->name, f->name_length));
		for (uint32 k = 0; k < f->n_categories; k++)
		{
			const MpCategory *c = mp_forest_categories(forest, f) + k;

			check_ascii(name, "a category of", i, mp_forest_string(forest, c->label, c->label_length));
		}
	}
}

/* Steps on the prediction are for what the objective gives. */
static void
check_output(const MpModel *model)
{
	const MpSteps *steps = model->steps;
	int			n = model->forest->n_outputs;
	bool		has_classes = mp_task_n_classes(model->task, model->forest) > 0 && model->task != MP_TASK_HINGE;

	if (steps == NULL || steps->output == MP_OUTPUT_NONE)
		return;
	if ((steps->output == MP_OUTPUT_CALIBRATED) != has_classes)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("preprocessing does not fit model \"%s\": its steps on the prediction are for %s, and the objective is \"%s\"",
					   model->name, has_classes ? "values" : "classes", mp_objective_name(model->forest)));
	if (steps->output_width > 0 && steps->output_width != n)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("preprocessing does not fit model \"%s\": its steps on the prediction are for %u outputs, and the model has %d",
					   model->name, steps->output_width, n));
}

/* Without the option, as the library does where a user calls it. */
static MpOnInfinity
choose_infinity(const MpForest *forest)
{
	if (forest->library == MP_LIBRARY_XGBOOST || (forest->input & MP_INPUT_ROUND))
		return MP_INFINITY_ERROR;
	return MP_INFINITY_SCORE;
}

/* The model that the examples are scored by; it also owns forest and kernel image. */
static MpModel *
load_to_register(const char *name, const bytea *blob, const MpLoadOptions *load,
				 bool infinity_given, MpRowOptions *row, Jsonb *preprocessing, MpImage *image)
{
	MpModel    *model = mp_model_begin(name, 0, probable_version(name));
	MpModelInfo info;
	MpError		error;

	mp_error_clear(&error);
	if (!mp_model_load(model->alloc, VARDATA_ANY(blob), VARSIZE_ANY_EXHDR(blob), load,
					   &image->forest, &info, &error))
		mp_throw(&error, name, 0);
	if (!infinity_given)
		row->infinity = choose_infinity(image->forest);
	check_classes(row, image->forest);
	check_letters(name, image->forest);
	if (preprocessing == NULL)
		warn_of_codes(image->forest, name);
	honour_missing(row, &info, name);
	image->kernel = mp_kernel_compile(model->alloc, image->forest, &image->kernel_size, &error);
	if (image->kernel == NULL && error.code != MP_OK)
		mp_throw(&error, name, 0);
	if (preprocessing != NULL)
	{
		MpSteps    *steps = mp_preprocessing_compile(preprocessing, name, 0, model->alloc);

		mp_model_set_steps(model, steps);
		image->steps = mp_preprocessing_pack(preprocessing, steps);
	}
	mp_model_finish(model, image->forest, true, image->kernel, row);
	check_output(model);
	return model;
}

/* What registers a model, for examples that may be of other trees. */
typedef struct Registration
{
	const char *name;
	const bytea *blob;
	const MpLoadOptions *load;
	MpRowOptions *row;
	const MpForest *forest;
	MpSteps    *steps;
} Registration;

static const MpModel *
with_other_trees(void *arg, const char **word)
{
	Registration *r = arg;
	MpLoadOptions load = *r->load;
	MpModel    *model;
	MpForest   *forest;
	MpError		error;

	if (r->forest->best_iteration < 0)
		return NULL;
	load.trees = r->forest->n_rounds_used < r->forest->n_rounds ? MP_TREES_ALL : MP_TREES_BEST;
	*word = load.trees == MP_TREES_ALL ? "all" : "best";
	model = mp_model_begin(r->name, 0, 0);
	mp_error_clear(&error);
	if (!mp_model_load(model->alloc, VARDATA_ANY(r->blob), VARSIZE_ANY_EXHDR(r->blob), &load, &forest, NULL, &error))
		mp_throw(&error, r->name, 0);
	mp_model_set_steps(model, r->steps);
	mp_model_from_forest(model, forest, r->row);
	return model;
}

/* The first version serves at once; later ones wait for deploy(). */
static void
record(const MpWriter *writer, const char *name, const MpModelRow *model, int32 version)
{
	int32		serving = mp_manage_alias(model->id, MP_DEFAULT_ALIAS);
	MpEvent		event = {
		.model = name, .model_id = model->id, .owner = model->owner,
		.action = "register", .new_version = version
	};

	if (serving == 0)
	{
		mp_manage_point(model->id, MP_DEFAULT_ALIAS, version);
		event.alias = MP_DEFAULT_ALIAS;
	}
	else
		ereport(NOTICE,
				errmsg("model \"%s\" version %d is registered; version %d still serves",
					   name, version, serving),
				errhint("SELECT model_predict.deploy(%s, %d);", quote_literal_cstr(name), version));
	mp_manage_log(writer, &event);
}

static Datum
register_version(FunctionCallInfo fcinfo)
{
	MpRowOptions row;
	MpLoadOptions load;
	MpImage		image = {0};
	MpModel    *candidate;
	Jsonb	   *preprocessing = NULL;
	char	   *name;
	bytea	   *blob;
	bytea	   *sha256;
	MpWriter	writer;
	MpModelRow	model;
	int32		version;
	bool		created;

	check_required(fcinfo);
	name = text_to_cstring(PG_GETARG_TEXT_PP(ARG_NAME));
	mp_check_name(name, "model");
	read_arguments(fcinfo, &row, &load);
	blob = PG_GETARG_BYTEA_PP(ARG_MODEL);
	if (!PG_ARGISNULL(ARG_PREPROCESSING))
		preprocessing = PG_GETARG_JSONB_P(ARG_PREPROCESSING);
	candidate = load_to_register(name, blob, &load, !PG_ARGISNULL(ARG_INFINITY), &row, preprocessing, &image);
	if (!PG_ARGISNULL(ARG_EXAMPLES))
		mp_examples_check(candidate, PG_GETARG_JSONB_P(ARG_EXAMPLES), with_other_trees,
						  &(Registration) {name, blob, &load, &row, image.forest, unconstify(MpSteps *, candidate->steps)});
	sha256 = mp_sha256(VARDATA_ANY(blob), VARSIZE_ANY_EXHDR(blob));
	mp_writer_begin(&writer, "register()");
	version = mp_manage_next_version(&writer, name, &model, &created);
	insert_version(fcinfo, &writer, model.id, version, blob, sha256, image.forest, &row, &load);
	mp_image_insert_features(model.id, version, image.forest, candidate->steps);
	mp_image_store(&(MpImageSource) {model.id, version, PointerGetDatum(blob), sha256, &load}, &image);
	if (candidate->steps != NULL)
		mp_details_add_inputs(model.id, version, candidate->steps);
	if (!PG_ARGISNULL(ARG_METRICS))
		mp_details_add_metrics(model.id, version, "training", PG_GETARG_JSONB_P(ARG_METRICS), writer.user);
	record(&writer, name, &model, version);
	mp_writer_end(&writer);
	mp_model_free(candidate);
	PG_RETURN_INT32(version);
}

PG_FUNCTION_INFO_V1(mp_register);
Datum
mp_register(PG_FUNCTION_ARGS)
{
	return register_version(fcinfo);
}

/* A new version */

/* Columns of a version's row that hold the options of register(), from ARG_CLASSES on. */
static const char *const option_columns[N_ARGS - ARG_CLASSES] = {
	"classes", "feature_names", "categories", "trees", "threshold", "missing", "absent_feature",
	"unseen_category", "infinity", "examples", "description", "tags", "preprocessing", "link", NULL
};

PG_FUNCTION_INFO_V1(mp_revise);
Datum
mp_revise(PG_FUNCTION_ARGS)
{
	LOCAL_FCINFO(call, N_ARGS);
	Snapshot	snapshot = mp_catalog_snapshot();
	MpFound		found = mp_lookup(mp_manage_text(fcinfo, 0, "reference to a model"), MP_RIGHT_MANAGE,
								  GetUserId(), snapshot);
	MpScan		scan;
	HeapTuple	tuple = mp_version_scan(&scan, found.name, found.model, found.version, snapshot);
	Datum		version;

	InitFunctionCallInfoData(*call, NULL, N_ARGS, InvalidOid, NULL, NULL);
	call->args[0] = (NullableDatum) {CStringGetTextDatum(found.name), false};
	call->args[1] = (NullableDatum) {mp_scan_value_not_null(&scan, tuple, "data"), false};
	for (int i = ARG_CLASSES; i < N_ARGS; i++)
	{
		NullableDatum *option = &call->args[i];

		/* what is given wins; null keeps what there is */
		*option = fcinfo->args[i - 1];
		if (option->isnull && option_columns[i - ARG_CLASSES] != NULL)
			option->value = mp_scan_value(&scan, tuple, option_columns[i - ARG_CLASSES], &option->isnull);
	}
	version = register_version(call);
	mp_scan_end(&scan);
	return version;
}
