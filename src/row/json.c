/*
 * json.c: a row that is a jsonb object. A key belongs to the input of exactly
 * its name; only where an input has no such key, all keys are matched by the
 * rules for columns.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "row/json.h"
#include "row/match.h"

/* Matches all keys as if they were columns. */
static void
match_keys(const MpModel *model, Jsonb *object, JsonbValue *values)
{
	int			n = JB_ROOT_COUNT(object);
	const char **names = palloc(sizeof(char *) * Max(n, 1));
	JsonbValue *given = palloc(sizeof(JsonbValue) * Max(n, 1));
	int		   *column_of = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * Max(model->n_inputs, 1));
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbValue	v;
	JsonbIteratorToken token;
	int			i = -1;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			names[++i] = pnstrdup(v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE)
			given[i] = v;
	}
	mp_match_columns(model, names, n, column_of);
	for (int k = 0; k < model->n_inputs; k++)
		values[k] = column_of[k] >= 0 ? given[column_of[k]] : (JsonbValue) {.type = jbvNull};
}

void
mp_json_find(const MpModel *model, Jsonb *object, JsonbValue *values)
{
	bool		all = model->has_names;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				errcode(ERRCODE_SQL_JSON_OBJECT_NOT_FOUND),
				errmsg("a JSON row must be an object with a key for each feature"),
				errhint("Pass '{\"feature\": value, ...}'::jsonb; values by position go into an array such as '{1,2}'::real[]."));
	for (int i = 0; all && i < model->n_inputs; i++)
	{
		MpString	name = mp_input_name(&model->inputs[i]);

		all = getKeyJsonValueFromContainer(&object->root, name.data, name.length, &values[i]) != NULL;
	}
	if (!all)
		match_keys(model, object, values);
}
