/*
 * draft.h: a model while it is being read, of any library: the parts of the
 * forest to be, which a reader fills in the order of its file.
 *
 * A reader checks each part in itself and against the others, fills in `head`
 * (library, version, rules, outputs, rounds), and leaves the features' names,
 * types and categories to mp_draft_finish, which makes the forest.
 */
#ifndef MP_CORE_DRAFT_H
#define MP_CORE_DRAFT_H

#include "core/draft/options.h"
#include "core/forest/forest.h"

typedef struct MpSpan
{
	uint32_t	offset;			/* in strings */
	uint32_t	length;
} MpSpan;

/* categories that the file keeps for one feature */
typedef struct MpDraftCategories
{
	uint32_t	first;			/* in categories */
	uint32_t	count;
	bool		numbers;		/* the file holds them as whole numbers */
} MpDraftCategories;

/* Vectors of the features, which come after those of the sections. */
#define MP_DRAFT_VECTORS (MP_SECTION_COUNT + 3)

typedef struct MpDraft
{
	MpAlloc    *alloc;
	MpError    *error;
	const MpLoadOptions *options;
	MpForest	head;			/* n_features and what counts elements are settled at the end */
	union
	{
		MpVec		vectors[MP_DRAFT_VECTORS];
		struct					/* in the order of MpSectionId */
		{
			MpVec		base;
			MpVec		features;	/* stays empty: names, types and categories make it */
			MpVec		categories;
			MpVec		strings;
			MpVec		trees;
			MpVec		nodes;
			MpVec		catsets;
			MpVec		catwords;
			MpVec		leaves;
			MpVec		weights;
			MpVec		gain;
			MpVec		cover;
			MpVec		values;
			MpVec		numbers;
			MpVec		linear;
			MpVec		terms;
			/* of the features */
			MpVec		names;	/* MpSpan */
			MpVec		types;	/* uint8_t, MpFeatureType */
			MpVec		category_features;	/* MpDraftCategories per feature; empty: none kept */
		};
	};
	int64_t		n_features;
	int64_t		best_iteration; /* -1: not said */
	bool		lacks_stats;	/* some tree came without gain and cover */
	MpModelInfo info;
} MpDraft;

extern void mp_draft_init(MpDraft *draft, MpAlloc *alloc, const MpLoadOptions *options,
						  MpError *error);
extern void mp_draft_release(MpDraft *draft);

/* Keeps a copy of the text. */
extern bool mp_draft_string(MpDraft *draft, MpString text, MpSpan *span);

/* The name of one more feature, which must be UTF-8. */
extern bool mp_draft_name(MpDraft *draft, MpString name);

/* The objective's name, as the library calls it. */
extern bool mp_draft_objective(MpDraft *draft, MpString name);

/*
 * A set of the codes that take a split to the right, ascending, each from 0 to
 * MP_MAX_CATEGORY - 1; *set is its number.
 */
extern bool mp_draft_add_set(MpDraft *draft, const int32_t *codes, size_t n_codes, uint32_t *set);

/*
 * Whether the trees option stops after best_iteration, in a model of so many
 * rounds. MP_ERROR_AMBIGUOUS where neither file nor option tells.
 */
extern bool mp_draft_choose_rounds(MpDraft *draft, int32_t n_rounds, bool *best);

#endif
