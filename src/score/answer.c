/*
 * answer.c: the one table of answers, and the functions of SQL that give them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "score/answer.h"
#include "score/score.h"

/* The array is the only allocation. */
static ArrayType *
new_array(int n)
{
	Size		size = ARR_OVERHEAD_NONULLS(1) + n * sizeof(float8);
	ArrayType  *array;

	if (n == 0)
		return construct_empty_array(FLOAT8OID);
	array = palloc(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = FLOAT8OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	return array;
}

Datum
mp_answer_array(const double *values, int n)
{
	ArrayType  *array = new_array(n);

	if (n > 0)
		memcpy(ARR_DATA_PTR(array), values, sizeof(float8) * n);
	return PointerGetDatum(array);
}

static Datum
give_value(MpRow *row, int class)
{
	return Float8GetDatum(mp_score_value(row));
}

static Datum
give_class(MpRow *row, int class)
{
	return CStringGetTextDatum(mp_score_label(row->model, mp_score_class(row)));
}

static Datum
give_probabilities(MpRow *row, int class)
{
	return mp_answer_array(row->answer, mp_score_probabilities(row));
}

static Datum
give_probability(MpRow *row, int class)
{
	mp_score_probabilities(row);
	return Float8GetDatum(row->answer[class]);
}

static Datum
give_all(MpRow *row, int class)
{
	return mp_answer_array(row->answer, mp_score_all(row));
}

static Datum
give_margin(MpRow *row, int class)
{
	return mp_answer_array(row->margin, row->model->forest->n_outputs);
}

static Datum
give_version(MpRow *row, int class)
{
	return Int32GetDatum(row->model->version);
}

const MpAnswer mp_answers[MP_ANSWER_COUNT] = {
	{MP_ANSWER_VALUE, "value", FLOAT8OID, MP_NEEDS_NOTHING, give_value},
	{MP_ANSWER_CLASS, "class", TEXTOID, MP_NEEDS_NOTHING, give_class},
	{MP_ANSWER_PROBABILITIES, "proba", FLOAT8ARRAYOID, MP_NEEDS_NOTHING, give_probabilities},
	{MP_ANSWER_PROBABILITY, "proba_of", FLOAT8OID, MP_NEEDS_CLASS, give_probability},
	{MP_ANSWER_ALL, "all", FLOAT8ARRAYOID, MP_NEEDS_NOTHING, give_all},
	{MP_ANSWER_MARGIN, "margin", FLOAT8ARRAYOID, MP_NEEDS_NOTHING, give_margin},
	{MP_ANSWER_REASONS, "reasons", TEXTOID, MP_NEEDS_NUMBER, NULL},
	{MP_ANSWER_VERSION, "version", INT4OID, MP_NEEDS_NOTHING, give_version}
};

const MpAnswer *
mp_answer_named(const char *name, size_t length)
{
	for (int i = 0; i < MP_ANSWER_COUNT; i++)
		if (strlen(mp_answers[i].name) == length && memcmp(mp_answers[i].name, name, length) == 0)
			return &mp_answers[i];
	return NULL;
}

int
mp_answer_class(const MpAnswer *answer, const MpModel *model, text *label)
{
	Assert(answer->needs == MP_NEEDS_CLASS);
	/* where no row has probabilities, that is the fault, and not the label */
	mp_score_check_probabilities(model);
	return mp_score_find_class(model, label);
}

Datum
mp_answer_call(const MpAnswer *answer, MpRow *row, FunctionCallInfo fcinfo)
{
	int			class = -1;

	if (answer->needs == MP_NEEDS_CLASS)
	{
		if (PG_ARGISNULL(1))
			PG_RETURN_NULL();
		class = mp_answer_class(answer, row->model, PG_GETARG_TEXT_PP(1));
	}
	return answer->give(row, class);
}

typedef struct Installed
{
	PGFunction	function;
	const MpAnswer *answer;
} Installed;

static Installed installed[16];
static int	n_installed;

void
mp_answer_install(PGFunction function, MpAnswerId id)
{
	Assert(n_installed < lengthof(installed));
	installed[n_installed++] = (Installed) {function, &mp_answers[id]};
}

const MpAnswer *
mp_answer_of(PGFunction function)
{
	for (int i = 0; i < n_installed; i++)
		if (installed[i].function == function)
			return installed[i].answer;
	return NULL;
}
