/*
 * deploy.c: the default alias: moving it on, and back.
 *
 * What was deployed is a stack: register() of the first version and deploy()
 * put a version on top, rollback() takes the top off, so that it walks back
 * and never toggles, and a deploy after a rollback goes on from there. The
 * stack is not stored; it is what the history, replayed, leaves. Versions that
 * were dropped since are passed over.
 *
 * deploy() refuses a version to which callers would have to adapt: other
 * classes, another kind of answer, other features. rollback() does not ask:
 * the way back to what once served must be open.
 */
#include "postgres.h"

#include "utils/array.h"

#include "core/forest/link.h"
#include "sql/manage.h"
#include "store/limits.h"

/* Differences */

static void
append_difference(StringInfo list, const char *format,...) pg_attribute_printf(2, 3);

static void
append_difference(StringInfo list, const char *format,...)
{
	va_list		args;
	int			needed;

	if (list->len > 0)
		appendStringInfoChar(list, '\n');
	do
	{
		va_start(args, format);
		needed = appendStringInfoVA(list, format, args);
		va_end(args);
		if (needed > 0)
			enlargeStringInfo(list, needed);
	} while (needed != 0);
}

/* What a prediction is, of the word in table version. */
static const char *
task_name(const char *word)
{
	MpTask		task;

	if (!mp_task_find((MpString) {word, strlen(word)}, &task))
		return word;
	switch (task)
	{
		case MP_TASK_VALUE:
			return "a number";
		case MP_TASK_VALUES:
			return "several numbers";
		case MP_TASK_TWO_CLASSES:
			return "the probability of the second of two classes";
		case MP_TASK_TWO_CLASSES_RAW:
			return "the margin of the second of two classes";
		case MP_TASK_HINGE:
			return "one of two classes, without a probability";
		case MP_TASK_CLASS:
			return "the index of a class";
		case MP_TASK_CLASSES:
			return "a probability of each class";
	}
	return NULL;
}

/* The columns of a version that say what it answers. */
typedef struct Answers
{
	char	   *objective;
	char	   *task;
	int32		outputs;
	char	   *classes;		/* as text, NULL: none given */
	char	   *link;			/* of a custom objective; NULL: it has none */
} Answers;

static Answers
answers_of(int64 model, int32 version)
{
	Answers		answers;
	bool		isnull;
	bool		task_isnull;
	Datum		classes;
	Datum		link;

	if (mp_writer_run("SELECT objective, outputs, classes::text, task, link FROM model_predict.stored_version"
					  " WHERE model = $1 AND version = $2",
					  mp_int8(model), mp_int4(version)) == 0)
		return (Answers){.objective = NULL};
	answers.objective = TextDatumGetCString(mp_writer_value(0, 1, &isnull));
	answers.outputs = DatumGetInt32(mp_writer_value(0, 2, &isnull));
	classes = mp_writer_value(0, 3, &isnull);
	answers.task = TextDatumGetCString(mp_writer_value(0, 4, &task_isnull));
	answers.classes = isnull ? NULL : TextDatumGetCString(classes);
	link = mp_writer_value(0, 5, &isnull);
	answers.link = isnull ? NULL : TextDatumGetCString(link);
	return answers;
}

static void
compare_answers(int64 model, int32 old, int32 new, StringInfo list)
{
	Answers		a = answers_of(model, old);
	Answers		b = answers_of(model, new);

	if (a.objective == NULL || b.objective == NULL)
		return;
	if (strcmp(a.task, b.task) != 0)
		append_difference(list, "The answer was %s (%s) and becomes %s (%s).",
						  task_name(a.task), a.objective, task_name(b.task), b.objective);
	if (strcmp(a.link ? a.link : "", b.link ? b.link : "") != 0)
		append_difference(list, "The link was %s and becomes %s.",
						  a.link ? a.link : "the objective's", b.link ? b.link : "the objective's");
	if (a.outputs != b.outputs)
		append_difference(list, "The number of outputs was %d and becomes %d.",
						  a.outputs, b.outputs);
	if (strcmp(a.classes ? a.classes : "", b.classes ? b.classes : "") != 0)
		append_difference(list, "The classes were %s and become %s.",
						  a.classes ? a.classes : "not named", b.classes ? b.classes : "not named");
}

static bool
has_names(int64 model, int32 version)
{
	return mp_writer_run("SELECT FROM model_predict.stored_feature"
						 " WHERE model = $1 AND version = $2 AND name IS NOT NULL LIMIT 1",
						 mp_int8(model), mp_int4(version)) > 0;
}

/*
 * What a row must bring: the inputs of preprocessing, else the features. They
 * pair by name; by position where either version has no names. All
 * numeric types read the same rows. Order of categories is no difference: rows
 * bring labels, not codes.
 */
static void
compare_features(int64 model, int32 old, int32 new, StringInfo list)
{
	uint64		n;

	/* rows with names cannot be read by a version without; the other way round they can */
	if (has_names(model, old) && !has_names(model, new))
		append_difference(list, "The features had names and have none.");
	n = mp_writer_run(
		"WITH g AS (SELECT v.version, p.position, f.name, coalesce(f.type, 'float') AS type,"
		"     (SELECT array_agg(c ORDER BY c) FROM unnest(f.categories) AS c) AS categories"
		"   FROM model_predict.stored_version v CROSS JOIN generate_series(1, v.features) AS p(position)"
		"     LEFT JOIN model_predict.stored_feature f"
		"       ON f.model = v.model AND f.version = v.version AND f.position = p.position"
		"   WHERE v.model = $1 AND v.version IN ($2, $3) AND v.preprocessing IS NULL"
		"   UNION ALL"
		"   SELECT version, position, name, CASE WHEN type = 'number' THEN 'float' ELSE type END,"
		"     (SELECT array_agg(c ORDER BY c) FROM unnest(labels) AS c)"
		"   FROM model_predict.stored_input WHERE model = $1 AND version IN ($2, $3)),"
		" f AS (SELECT version, position, type, categories,"
		"     CASE WHEN (SELECT bool_and(name IS NOT NULL) FROM g)"
		"       THEN '\"' || name || '\"' ELSE position::text END AS key FROM g)"
		" SELECT CASE"
		"   WHEN a.key IS NULL THEN format('Feature %s is new.', b.key)"
		"   WHEN b.key IS NULL THEN format('Feature %s is gone.', a.key)"
		"   WHEN (a.type = 'category') <> (b.type = 'category') THEN"
		"     format('Feature %s was of type %s and becomes %s.', a.key, a.type, b.type)"
		"   ELSE format('Feature %s had the categories %s and gets %s.', a.key,"
		"     coalesce(left(a.categories::text, 500), 'none'),"
		"     coalesce(left(b.categories::text, 500), 'none'))"
		"   END"
		" FROM (SELECT * FROM f WHERE version = $2) a"
		"   FULL JOIN (SELECT * FROM f WHERE version = $3) b ON a.key = b.key"
		" WHERE a.key IS NULL OR b.key IS NULL OR (a.type = 'category') <> (b.type = 'category')"
		"   OR a.categories IS DISTINCT FROM b.categories"
		" ORDER BY coalesce(a.position, b.position), a.key IS NULL",
		mp_int8(model), mp_int4(old), mp_int4(new));
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		append_difference(list, "%s", TextDatumGetCString(mp_writer_value(i, 1, &isnull)));
	}
}

/* Rows with names do not mind, but a caller by position would be answered wrongly without a word. */
static void
warn_of_order(const char *name, int64 model, int32 old, int32 new)
{
	bool		isnull;

	if (mp_writer_run("WITH g AS (SELECT f.version, f.position, f.name FROM model_predict.stored_feature f"
					  "   JOIN model_predict.stored_version v ON v.model = f.model AND v.version = f.version"
					  "   WHERE f.model = $1 AND f.version IN ($2, $3) AND v.preprocessing IS NULL"
					  "   UNION ALL SELECT version, position, name FROM model_predict.stored_input"
					  "   WHERE model = $1 AND version IN ($2, $3))"
					  " SELECT a.name, a.position, b.position FROM g a JOIN g b ON b.name = a.name"
					  " WHERE a.version = $2 AND b.version = $3 AND a.position <> b.position"
					  " ORDER BY a.position LIMIT 1",
					  mp_int8(model), mp_int4(old), mp_int4(new)) == 0)
		return;
	ereport(WARNING,
			errmsg("version %d of model \"%s\" has its features in another order than version %d",
				   new, name, old),
			errdetail("Feature \"%s\" was number %d and becomes number %d.",
					  TextDatumGetCString(mp_writer_value(0, 1, &isnull)),
					  DatumGetInt32(mp_writer_value(0, 2, &isnull)),
					  DatumGetInt32(mp_writer_value(0, 3, &isnull))),
			errhint("Rows and jsonb are read by name as before; calls with separate values or arrays must follow."));
}

static void
check_same_for_callers(const char *name, int64 model, int32 old, int32 new)
{
	StringInfoData list;

	initStringInfo(&list);
	compare_answers(model, old, new, &list);
	compare_features(model, old, new, &list);
	if (list.len > 0)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("version %d of model \"%s\" differs from version %d, which it would replace",
					   new, name, old),
				errdetail_internal("%s", list.data),
				errhint("Pass allow_changes => true if those who call it are ready for that."));
	warn_of_order(name, model, old, new);
}

/* The stack of what was deployed */

typedef struct Stack
{
	int32	   *versions;
	int			depth;
} Stack;

static Stack
deployed(const char *name, int64 model)
{
	uint64		n = mp_writer_run("SELECT action = 'rollback', coalesce(old_version, 0),"
								  " new_version FROM model_predict.stored_event"
								  " WHERE model = $1 AND model_id = $2 AND alias = 'default'"
								  " AND new_version IS NOT NULL ORDER BY id",
								  mp_text(name), mp_int8(model));
	Stack		stack = {palloc(sizeof(int32) * (n + 1)), 0};

	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		bool		back = DatumGetBool(mp_writer_value(i, 1, &isnull));
		int32		old = DatumGetInt32(mp_writer_value(i, 2, &isnull));
		int32		version = DatumGetInt32(mp_writer_value(i, 3, &isnull));

		if (back)
		{
			/* down to the nearest entry of that version, below the one that served */
			if (stack.depth > 0 && stack.versions[stack.depth - 1] == old)
				stack.depth--;
			while (stack.depth > 0 && stack.versions[stack.depth - 1] != version)
				stack.depth--;
		}
		if (!back || stack.depth == 0)
			stack.versions[stack.depth++] = version;
	}
	return stack;
}

/* The version to go back to, 0: none is left. */
static int32
previous_version(const char *name, int64 model, int32 current)
{
	Stack		stack = deployed(name, model);

	while (stack.depth > 0)
	{
		int32		version = stack.versions[--stack.depth];

		if (version != current && mp_manage_has_version(model, version))
			return version;
	}
	return 0;
}

/* Function deploy() */

static void
move_default(const MpWriter *writer, const char *name, const MpModelRow *model,
			 const char *action, int32 version, const char *comment)
{
	int32		old = mp_manage_point(model->id, MP_DEFAULT_ALIAS, version);

	mp_manage_log(writer, &(MpEvent){.model = name,
									 .model_id = model->id,
									 .owner = model->owner,
									 .action = action,
									 .alias = MP_DEFAULT_ALIAS,
									 .old_version = old,
									 .new_version = version,
									 .comment = comment});
}

/* Between mp_writer_begin and mp_writer_end. */
static void
deploy(const MpWriter *writer, const char *name, const MpModelRow *model, const char *action,
	   int32 version, const char *comment, bool allow_changes)
{
	int32		current = mp_manage_alias(model->id, MP_DEFAULT_ALIAS);

	if (current == version)
	{
		ereport(NOTICE,
				errmsg("version %d of model \"%s\" is deployed already", version, name));
		return;
	}
	if (current != 0 && !allow_changes)
		check_same_for_callers(name, model->id, current, version);
	move_default(writer, name, model, action, version, comment);
}

/* Deploys the version that an alias names. */
PG_FUNCTION_INFO_V1(mp_promote);
Datum
mp_promote(PG_FUNCTION_ARGS)
{
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	char	   *alias = mp_manage_text(fcinfo, 1, "alias");
	char	   *comment = mp_limited_words(fcinfo, 2, "comment");
	MpWriter	writer;
	MpModelRow	model;
	int32		version;

	mp_writer_begin(&writer, "promote()");
	mp_manage_lock(&writer, name, &model);
	version = mp_manage_alias(model.id, alias);
	if (version == 0)
		mp_lookup_no_alias(name, alias);
	deploy(&writer, name, &model, "promote", version, comment, false);
	mp_writer_end(&writer);
	PG_RETURN_INT32(version);
}

PG_FUNCTION_INFO_V1(mp_deploy);
Datum
mp_deploy(PG_FUNCTION_ARGS)
{
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	int32		version = mp_manage_number(fcinfo, 1, "version");
	char	   *comment = mp_limited_words(fcinfo, 2, "comment");
	bool		allow_changes = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	MpWriter	writer;
	MpModelRow	model;

	mp_writer_begin(&writer, "deploy()");
	mp_manage_lock(&writer, name, &model);
	mp_manage_check_version(name, model.id, version);
	deploy(&writer, name, &model, "deploy", version, comment, allow_changes);
	mp_writer_end(&writer);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(mp_rollback);
Datum
mp_rollback(PG_FUNCTION_ARGS)
{
	char	   *name = mp_manage_text(fcinfo, 0, "name of model");
	char	   *comment = mp_limited_words(fcinfo, 1, "comment");
	MpWriter	writer;
	MpModelRow	model;
	int32		current;
	int32		previous;

	mp_writer_begin(&writer, "rollback()");
	mp_manage_lock(&writer, name, &model);
	current = mp_manage_alias(model.id, MP_DEFAULT_ALIAS);
	previous = previous_version(name, model.id, current);
	if (previous == 0)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("model \"%s\" has no earlier deployed version to go back to", name),
				errhint("The view model_predict.history shows what was deployed; model_predict.deploy() takes any version."));
	move_default(&writer, name, &model, "rollback", previous, comment);
	mp_writer_end(&writer);
	PG_RETURN_INT32(previous);
}
