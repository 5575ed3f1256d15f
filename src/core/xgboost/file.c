/*
 * file.c: the parts of a model that every format of XGBoost has, each taken as
 * text.
 */
#include "core/xgboost/file.h"
#include "core/text/doc.h"
#include "core/text/number.h"

#include <math.h>
#include <string.h>

void
mp_xgboost_file_init(MpXgboostFile *file, MpDraft *draft)
{
	memset(file, 0, sizeof(*file));
	file->draft = draft;
	file->tree_outputs.alloc = draft->alloc;
	file->round_starts.alloc = draft->alloc;
	file->drop_weights.alloc = draft->alloc;
	file->booster = -1;
	file->num_target = 1;
	file->boost_from_average = 1;
	file->num_trees = -1;
	file->best_ntree_limit = -1;
}

void
mp_xgboost_file_release(MpXgboostFile *file)
{
	mp_vec_release(&file->tree_outputs);
	mp_vec_release(&file->round_starts);
	mp_vec_release(&file->drop_weights);
}

/* "5E-1", or since 3.1 "[5E-1,2E0]" */
bool
mp_xgboost_base_scores(MpXgboostFile *file, MpString text)
{
	const char *s = text.data;
	const char *end = text.data + text.length;
	bool		is_list = text.length >= 2 && s[0] == '[' && end[-1] == ']';
	char		shown[64];

	if (is_list)
	{
		s++;
		end--;
	}
	for (;;)
	{
		const char *rest;
		float		score;
		float	   *place;

		if (mp_number_float(s, end, &score, &rest) != MP_NUMBER_OK ||
			(rest < end && (!is_list || *rest != ',')))
			return mp_fail(file->draft->error, MP_ERROR_INVALID, "base_score is no number: \"%s\"",
						   mp_printable(shown, sizeof(shown), text));
		place = mp_vec_add(&file->draft->base, sizeof(float));
		if (place == NULL)
			return mp_fail_memory(file->draft->error, sizeof(float));
		*place = score;
		if (rest == end)
			return true;
		s = rest + 1;
	}
}

/*
 * A custom objective. Python saves reg:squarederror in its place, whose margins
 * are the predictions; others save a name of their own.
 */
static bool
use_given_link(MpXgboostFile *file, MpLinkOption link, MpString name)
{
	static const MpObjective custom[] = {
		[MP_LINK_GIVEN_IDENTITY] = {"custom", MP_BASE_PLAIN, MP_LINK_IDENTITY, MP_TASK_VALUE},
		[MP_LINK_GIVEN_LOGISTIC] = {"custom", MP_BASE_PLAIN, MP_LINK_LOGISTIC, MP_TASK_TWO_CLASSES},
		[MP_LINK_GIVEN_SOFTMAX] = {"custom", MP_BASE_PLAIN, MP_LINK_SOFTMAX, MP_TASK_CLASSES},
		[MP_LINK_GIVEN_EXP] = {"custom", MP_BASE_PLAIN, MP_LINK_EXP, MP_TASK_VALUE}
	};
	const MpObjective *found = mp_objective_find(name);
	char		shown[64];

	if (found != NULL && (found->link != MP_LINK_IDENTITY || found->base != MP_BASE_PLAIN ||
						  found->task != MP_TASK_VALUE))
		return mp_fail(file->draft->error, MP_ERROR_OPTION,
					   "option \"link\" is for custom objectives, and the file's is \"%s\"",
					   mp_printable(shown, sizeof(shown), name));
	file->objective = &custom[link];
	return mp_draft_objective(file->draft, name);
}

bool
mp_xgboost_objective(MpXgboostFile *file, MpString name)
{
	const MpLoadOptions *options = file->draft->options;
	char		shown[64];

	if (options != NULL && options->link != MP_LINK_OF_FILE)
		return use_given_link(file, options->link, name);
	file->objective = mp_objective_find(name);
	if (file->objective != NULL)
		return mp_draft_objective(file->draft, name);
	mp_fail(file->draft->error, MP_ERROR_UNSUPPORTED, "unknown objective \"%s\"",
			mp_printable(shown, sizeof(shown), name));
	mp_error_hint(file->draft->error, "Those of XGBoost 3.4 and before are known: "
				  "for a newer one look for a newer model_predict, "
				  "for one of your own say what it makes of margins: link => 'identity'.");
	return false;
}

bool
mp_xgboost_booster(MpXgboostFile *file, MpString name)
{
	char		shown[64];

	for (int i = MP_BOOSTER_GBTREE; i <= MP_BOOSTER_GBLINEAR; i++)
	{
		if (mp_string_is(name, mp_booster_name((MpBoosterKind) i)))
		{
			file->booster = i;
			return true;
		}
	}
	return mp_fail(file->draft->error, MP_ERROR_UNSUPPORTED, "unknown booster \"%s\"",
				   mp_printable(shown, sizeof(shown), name));
}

/* The value that means missing, where the JSON of the attribute scikit_learn names one. */
static void
find_missing(MpXgboostFile *file, MpString json)
{
	MpDoc		doc;
	MpError		ignored;
	MpString	key;

	mp_doc_open(&doc, &mp_doc_json, file->draft->alloc, json.data, json.length, &ignored);
	if (mp_doc_enter_object(&doc))
	{
		while (mp_doc_next_key(&doc, &key))
		{
			float		missing;

			if (!mp_string_is(key, "missing") || mp_doc_kind(&doc) != MP_DOC_NUMBER)
				mp_doc_skip(&doc);
			else if (mp_doc_float(&doc, &missing) && !isnan(missing))
			{
				file->draft->info.has_missing = true;
				file->draft->info.missing = missing;
			}
		}
	}
	mp_doc_close(&doc);
}

/* 1.7 writes -1 into a model without rounds, which says as much as nothing */
static bool
take_iteration(MpXgboostFile *file, MpString name, MpString value, int64_t *iteration)
{
	const char *end = value.data + value.length;
	const char *rest;
	char		shown[2][32];

	if (*iteration >= 0)
		return mp_fail(file->draft->error, MP_ERROR_INVALID, "attribute \"%s\" comes twice",
					   mp_printable(shown[0], sizeof(shown[0]), name));
	if (mp_number_integer(value.data, end, iteration, &rest) != MP_NUMBER_OK ||
		rest != end || *iteration < -1 || *iteration > INT32_MAX)
		return mp_fail(file->draft->error, MP_ERROR_INVALID, "attribute \"%s\" is no round: \"%s\"",
					   mp_printable(shown[0], sizeof(shown[0]), name),
					   mp_printable(shown[1], sizeof(shown[1]), value));
	return true;
}

bool
mp_xgboost_attribute(MpXgboostFile *file, MpString name, MpString value)
{
	if (mp_string_is(name, "best_iteration"))
		return take_iteration(file, name, value, &file->draft->best_iteration);
	if (mp_string_is(name, "best_ntree_limit"))
		return take_iteration(file, name, value, &file->best_ntree_limit);
	if (mp_string_is(name, "scikit_learn"))
	{
		if (file->draft->info.has_scikit_learn)
			return mp_fail(file->draft->error, MP_ERROR_INVALID,
						   "attribute \"scikit_learn\" comes twice");
		file->draft->info.has_scikit_learn = true;
		find_missing(file, value);
	}
	return true;
}
