/*
 * draft.c: the parts of a model that every format has, each taken as text.
 */
#include "core/draft/draft.h"
#include "core/text/number.h"

#include <math.h>
#include <string.h>

void
mp_draft_init(MpDraft *draft, MpAlloc *alloc, const MpLoadOptions *options, MpError *error)
{
	MpVec	   *const vecs[] = {
		&draft->base_scores, &draft->trees, &draft->nodes, &draft->gain, &draft->cover,
		&draft->catsets, &draft->catwords, &draft->leaves, &draft->tree_outputs,
		&draft->round_starts, &draft->drop_weights, &draft->weights, &draft->strings,
		&draft->names, &draft->types, &draft->categories, &draft->category_features
	};

	memset(draft, 0, sizeof(*draft));
	mp_error_clear(error);
	for (size_t i = 0; i < sizeof(vecs) / sizeof(*vecs); i++)
		vecs[i]->alloc = alloc;
	draft->alloc = alloc;
	draft->error = error;
	draft->options = options;
	draft->booster = -1;
	draft->num_target = 1;
	draft->boost_from_average = 1;
	draft->num_trees = -1;
	draft->best_iteration = -1;
	draft->best_ntree_limit = -1;
}

void
mp_draft_release(MpDraft *draft)
{
	MpVec	   *const vecs[] = {
		&draft->base_scores, &draft->trees, &draft->nodes, &draft->gain, &draft->cover,
		&draft->catsets, &draft->catwords, &draft->leaves, &draft->tree_outputs,
		&draft->round_starts, &draft->drop_weights, &draft->weights, &draft->strings,
		&draft->names, &draft->types, &draft->categories, &draft->category_features
	};

	for (size_t i = 0; i < sizeof(vecs) / sizeof(*vecs); i++)
		mp_vec_release(vecs[i]);
}

/* Keeps a copy of the text. */
bool
mp_draft_string(MpDraft *draft, MpString text, MpSpan *span)
{
	size_t		offset = draft->strings.size;
	char	   *place;

	if (text.length > UINT32_MAX - offset)
		return mp_fail(draft->error, MP_ERROR_INVALID, "names and labels are too long");
	place = mp_vec_add(&draft->strings, text.length);
	if (place == NULL)
		return mp_fail_memory(draft->error, text.length);
	if (text.length > 0)
		memcpy(place, text.data, text.length);
	span->offset = (uint32_t) offset;
	span->length = (uint32_t) text.length;
	return true;
}

/* "5E-1", or since 3.1 "[5E-1,2E0]" */
bool
mp_draft_base_scores(MpDraft *draft, MpString text)
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
			return mp_fail(draft->error, MP_ERROR_INVALID, "base_score is no number: \"%s\"",
						   mp_printable(shown, sizeof(shown), text));
		place = mp_vec_add(&draft->base_scores, sizeof(float));
		if (place == NULL)
			return mp_fail_memory(draft->error, sizeof(float));
		*place = score;
		if (rest == end)
			return true;
		s = rest + 1;
	}
}

bool
mp_draft_objective(MpDraft *draft, MpString name)
{
	char		shown[64];

	draft->objective = mp_objective_find(name);
	if (draft->objective != NULL)
		return mp_draft_string(draft, name, &draft->objective_name);
	mp_fail(draft->error, MP_ERROR_UNSUPPORTED, "unknown objective \"%s\"",
			mp_printable(shown, sizeof(shown), name));
	mp_error_hint(draft->error, "Those of XGBoost 3.4 and before are known: "
				  "for a newer one look for a newer model_predict.");
	return false;
}

bool
mp_draft_booster(MpDraft *draft, MpString name)
{
	char		shown[64];

	for (int i = MP_BOOSTER_GBTREE; i <= MP_BOOSTER_GBLINEAR; i++)
	{
		if (mp_string_is(name, mp_booster_name((MpBoosterKind) i)))
		{
			draft->booster = i;
			return true;
		}
	}
	return mp_fail(draft->error, MP_ERROR_UNSUPPORTED, "unknown booster \"%s\"",
				   mp_printable(shown, sizeof(shown), name));
}

/* The value that means missing, where the JSON of the attribute scikit_learn names one. */
static void
find_missing(MpDraft *draft, MpString json)
{
	MpDoc		doc;
	MpError		ignored;
	MpString	key;

	mp_doc_open(&doc, &mp_doc_json, draft->alloc, json.data, json.length, &ignored);
	if (mp_doc_enter_object(&doc))
	{
		while (mp_doc_next_key(&doc, &key))
		{
			float		missing;

			if (!mp_string_is(key, "missing") || mp_doc_kind(&doc) != MP_DOC_NUMBER)
				mp_doc_skip(&doc);
			else if (mp_doc_float(&doc, &missing) && !isnan(missing))
			{
				draft->info.has_missing = true;
				draft->info.missing = missing;
			}
		}
	}
	mp_doc_close(&doc);
}

/* 1.7 writes -1 into a model without rounds, which says as much as nothing */
static bool
take_iteration(MpDraft *draft, MpString name, MpString value, int64_t *iteration)
{
	const char *end = value.data + value.length;
	const char *rest;
	char		shown[2][32];

	if (*iteration >= 0)
		return mp_fail(draft->error, MP_ERROR_INVALID, "attribute \"%s\" comes twice",
					   mp_printable(shown[0], sizeof(shown[0]), name));
	if (mp_number_integer(value.data, end, iteration, &rest) != MP_NUMBER_OK ||
		rest != end || *iteration < -1 || *iteration > INT32_MAX)
		return mp_fail(draft->error, MP_ERROR_INVALID, "attribute \"%s\" is no round: \"%s\"",
					   mp_printable(shown[0], sizeof(shown[0]), name),
					   mp_printable(shown[1], sizeof(shown[1]), value));
	return true;
}

bool
mp_draft_attribute(MpDraft *draft, MpString name, MpString value)
{
	if (mp_string_is(name, "best_iteration"))
		return take_iteration(draft, name, value, &draft->best_iteration);
	if (mp_string_is(name, "best_ntree_limit"))
		return take_iteration(draft, name, value, &draft->best_ntree_limit);
	if (mp_string_is(name, "scikit_learn"))
	{
		if (draft->info.has_scikit_learn)
			return mp_fail(draft->error, MP_ERROR_INVALID,
						   "attribute \"scikit_learn\" comes twice");
		draft->info.has_scikit_learn = true;
		find_missing(draft, value);
	}
	return true;
}
