/*
 * lightgbm_objective.c: names, links and tasks of LightGBM's objectives.
 */
#include "core/lightgbm/lightgbm_objective.h"
#include "core/lightgbm/lines.h"
#include "core/text/number.h"

#include <string.h>

typedef struct Objective
{
	const char *name;
	MpLink		link;
	MpTask		task;
} Objective;

static const Objective objectives[] = {
	{"regression", MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"regression_l2", MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"regression_l1", MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"huber", MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"fair", MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"quantile", MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"mape", MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"poisson", MP_LINK_EXP, MP_TASK_VALUE},
	{"gamma", MP_LINK_EXP, MP_TASK_VALUE},
	{"tweedie", MP_LINK_EXP, MP_TASK_VALUE},
	{"binary", MP_LINK_LOGISTIC, MP_TASK_TWO_CLASSES},
	{"multiclass", MP_LINK_SOFTMAX, MP_TASK_CLASSES},
	{"multiclassova", MP_LINK_LOGISTIC, MP_TASK_CLASSES},
	{"cross_entropy", MP_LINK_LOGISTIC, MP_TASK_VALUE},
	{"xentropy", MP_LINK_LOGISTIC, MP_TASK_VALUE},
	{"cross_entropy_lambda", MP_LINK_LOG1P_EXP, MP_TASK_VALUE},
	{"xentlambda", MP_LINK_LOG1P_EXP, MP_TASK_VALUE},
	{"lambdarank", MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"rank_xendcg", MP_LINK_IDENTITY, MP_TASK_VALUE},
	{"custom", MP_LINK_IDENTITY, MP_TASK_VALUE},
};

#define N_OBJECTIVES (sizeof(objectives) / sizeof(*objectives))

static bool
fail_word(MpDraft *draft, MpString name, MpString word)
{
	char		shown[2][60];

	return mp_fail(draft->error, MP_ERROR_UNSUPPORTED, "objective \"%s\" has an unknown part \"%s\"",
				   mp_printable(shown[0], sizeof(shown[0]), name),
				   mp_printable(shown[1], sizeof(shown[1]), word));
}

/* "sigmoid:2.5": the part behind the colon */
static bool
take_after(MpString word, const char *name, MpString *rest)
{
	size_t		length = strlen(name);

	if (word.length <= length || memcmp(word.data, name, length) != 0)
		return false;
	rest->data = word.data + length;
	rest->length = word.length - length;
	return true;
}

/* What follows the name: the factor of the sigmoid, the number of classes, the square root. */
static bool
read_part(MpDraft *draft, MpString name, MpString word)
{
	MpForest   *head = &draft->head;
	MpString	text;
	const char *rest;
	int64_t		n;

	if (take_after(word, "sigmoid:", &text) && head->link == MP_LINK_LOGISTIC)
		return (mp_number_double(text.data, text.data + text.length, &head->link_factor,
								 &rest) == MP_NUMBER_OK &&
				rest == text.data + text.length && head->link_factor > 0) ||
			fail_word(draft, name, word);
	if (take_after(word, "num_class:", &text) && head->task == MP_TASK_CLASSES)
		return (mp_number_integer(text.data, text.data + text.length, &n, &rest) == MP_NUMBER_OK &&
				rest == text.data + text.length && n == head->n_outputs) ||
			fail_word(draft, name, word);
	if (mp_string_is(word, "sqrt") && head->link == MP_LINK_IDENTITY)
	{
		head->link = MP_LINK_SIGNED_SQUARE;
		return true;
	}
	return fail_word(draft, name, word);
}

bool
mp_lightgbm_objective(MpDraft *draft, MpString text)
{
	MpForest   *head = &draft->head;
	MpString	name;
	MpString	word;
	size_t		i = 0;
	char		shown[60];

	if (!mp_lines_word(&text, ' ', &name))
		name = (MpString) {"custom", 6};
	while (i < N_OBJECTIVES && !mp_string_is(name, objectives[i].name))
		i++;
	if (i == N_OBJECTIVES)
		return mp_fail(draft->error, MP_ERROR_UNSUPPORTED, "unknown objective \"%s\"",
					   mp_printable(shown, sizeof(shown), name));
	head->link = objectives[i].link;
	head->task = objectives[i].task;
	while (mp_lines_word(&text, ' ', &word))
	{
		if (!read_part(draft, name, word))
			return false;
	}
	if (head->n_outputs > 1 && head->task == MP_TASK_TWO_CLASSES)
		return mp_fail(draft->error, MP_ERROR_INVALID, "objective \"binary\" with %d outputs",
					   head->n_outputs);
	if (head->n_outputs > 1 && head->task == MP_TASK_VALUE)
		head->task = MP_TASK_VALUES;
	return mp_draft_objective(draft, name);
}
