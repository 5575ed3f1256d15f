/*
 * draft.c: the parts of a model that every library has.
 */
#include "core/draft/draft.h"

#include <string.h>

_Static_assert(offsetof(MpDraft, terms) == offsetof(MpDraft, vectors[MP_SECTION_TERMS]),
			   "the vectors are named in the order of the sections");
_Static_assert(offsetof(MpDraft, category_features) ==
			   offsetof(MpDraft, vectors[MP_DRAFT_VECTORS - 1]), "all vectors have names");

void
mp_draft_init(MpDraft *draft, MpAlloc *alloc, const MpLoadOptions *options, MpError *error)
{
	memset(draft, 0, sizeof(*draft));
	mp_error_clear(error);
	for (int i = 0; i < MP_DRAFT_VECTORS; i++)
		draft->vectors[i].alloc = alloc;
	draft->alloc = alloc;
	draft->error = error;
	draft->options = options;
	draft->best_iteration = -1;
	draft->head.divisor = 1;
	draft->head.link_factor = 1;
}

void
mp_draft_release(MpDraft *draft)
{
	for (int i = 0; i < MP_DRAFT_VECTORS; i++)
		mp_vec_release(&draft->vectors[i]);
}

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

bool
mp_draft_name(MpDraft *draft, MpString name)
{
	MpSpan	   *span;

	if (!mp_utf8_valid(name))
		return mp_fail(draft->error, MP_ERROR_INVALID, "feature name is not UTF-8");
	span = mp_vec_add(&draft->names, sizeof(MpSpan));
	if (span == NULL)
		return mp_fail_memory(draft->error, sizeof(MpSpan));
	return mp_draft_string(draft, name, span);
}

bool
mp_draft_objective(MpDraft *draft, MpString name)
{
	MpSpan		span = {0, 0};

	if (!mp_draft_string(draft, name, &span))
		return false;
	draft->head.objective = span.offset;
	draft->head.objective_length = span.length;
	return true;
}

bool
mp_draft_add_set(MpDraft *draft, const int32_t *codes, size_t n_codes, uint32_t *set)
{
	size_t		n_words;
	bool		is_list;
	MpCatSet   *place;
	uint32_t   *words;

	n_words = n_codes > 0 ? (size_t) codes[n_codes - 1] / 32 + 1 : 1;
	is_list = n_codes > 0 && n_codes < n_words;
	if (is_list)
		n_words = n_codes;

	*set = (uint32_t) mp_vec_count(&draft->catsets, MpCatSet);
	place = mp_vec_add(&draft->catsets, sizeof(MpCatSet));
	if (place == NULL)
		return mp_fail_memory(draft->error, sizeof(MpCatSet));
	place->first = (uint32_t) mp_vec_count(&draft->catwords, uint32_t);
	place->length = (uint32_t) n_words;
	place->is_list = is_list;
	words = mp_vec_add(&draft->catwords, n_words * sizeof(uint32_t));
	if (words == NULL)
		return mp_fail_memory(draft->error, n_words * sizeof(uint32_t));
	if (is_list)
		memcpy(words, codes, n_words * sizeof(uint32_t));
	else
	{
		memset(words, 0, n_words * sizeof(uint32_t));
		for (size_t k = 0; k < n_codes; k++)
			words[codes[k] / 32] |= UINT32_C(1) << (codes[k] % 32);
	}
	return true;
}

/* auto: whether predictions of Python stop at best_iteration depends on what called them */
bool
mp_draft_choose_rounds(MpDraft *draft, int32_t n_rounds, bool *best)
{
	MpTreesOption option = draft->options->trees;
	long long	round = (long long) draft->best_iteration;

	*best = option == MP_TREES_BEST;
	if (*best && round < 0)
	{
		mp_fail(draft->error, MP_ERROR_OPTION, "the model has no best_iteration to stop after");
		mp_error_hint(draft->error, "Use trees => 'all'.");
		return false;
	}
	if (round >= n_rounds && n_rounds > 0 && option != MP_TREES_ALL)
	{
		mp_fail(draft->error, *best ? MP_ERROR_OPTION : MP_ERROR_AMBIGUOUS,
				"best_iteration is %lld in a model of %d rounds", round, n_rounds);
		mp_error_hint(draft->error, "Use trees => 'all' if all rounds are to count.");
		return false;
	}
	if (option != MP_TREES_AUTO || round < 0 || round >= n_rounds - 1)
		return true;
	if (draft->info.has_scikit_learn)
	{
		*best = true;
		return true;
	}
	mp_fail(draft->error, MP_ERROR_AMBIGUOUS,
			"the model has %d rounds and best_iteration %lld, and does not tell which count",
			n_rounds, round);
	mp_error_detail(draft->error,
					"Booster.predict uses all, scikit-learn's predict stops after round %lld.",
					round);
	mp_error_hint(draft->error, "Say trees => 'all' or trees => 'best', whichever your predictions "
				  "in Python used.");
	return false;
}
