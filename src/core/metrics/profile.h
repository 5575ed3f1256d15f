/*
 * profile.h: counts that describe many rows: of each input, and of the score.
 *
 * As a document:
 *
 *   {"format": 1, "model": "churn", "version": 3, "rows": 7043,
 *    "inputs": [{"name": "tenure", "kind": "number", "missing": 0,
 *                "shift": 0, "keys": [...], "counts": [...]},
 *               {"name": "contract", "kind": "category", "missing": 0, "unseen": 0,
 *                "truncated": 0, "labels": [...], "counts": [...]}],
 *    "score": {"kind": "number", ...}}
 *
 * Keys are as histogram.h has them. `unseen` counts labels that the model does
 * not know, `truncated` rows of labels beyond the MP_PROFILE_LABELS commonest.
 * A profile of rows of several versions has no "version".
 *
 * Functions return false where there is no memory, or with an MpError.
 */
#ifndef MP_CORE_PROFILE_H
#define MP_CORE_PROFILE_H

#include "core/metrics/histogram.h"
#include "core/metrics/names.h"

#define MP_PROFILE_LABELS 10000

typedef enum MpProfileKind
{
	MP_PROFILE_NUMBER,
	MP_PROFILE_CATEGORY
} MpProfileKind;

typedef struct MpProfileInput
{
	MpProfileKind kind;
	int64_t		missing;
	int64_t		unseen;
	int64_t		truncated;
	MpHistogram histogram;		/* by key or by number of a label */
	MpNames		labels;
} MpProfileInput;

typedef struct MpProfile
{
	MpAlloc    *alloc;
	MpNames		names;			/* of the inputs */
	MpVec		inputs;			/* MpProfileInput */
	bool		has_score;
	MpProfileInput score;
	int64_t		rows;
	MpVec		model;			/* its name; empty: rows of several models */
	int64_t		version;		/* 0: of several */
} MpProfile;

extern void mp_profile_begin(MpProfile *profile, MpAlloc *alloc);
extern bool mp_profile_model(MpProfile *profile, MpString name, int64_t version);

/* Another input, or NULL: no memory. It holds until the next one is added. */
extern MpProfileInput *mp_profile_add_input(MpProfile *profile, MpString name, MpProfileKind kind);
extern void mp_profile_add_score(MpProfile *profile, MpProfileKind kind);

/* Rows of a label. */
extern bool mp_profile_add_label(MpProfileInput *input, MpString label, int64_t count);

/* An error where an input is a number in one and a category in the other. */
extern bool mp_profile_merge(MpProfile *profile, const MpProfile *other, MpError *error);

/* Rows that an input was counted in. */
extern int64_t mp_profile_total(const MpProfileInput *input);

/*
 * Hides what only a few rows have: labels of fewer than MP_PROFILE_FEW rows count
 * as truncated, bins of fewer are joined with their neighbors.
 */
#define MP_PROFILE_FEW 5
extern bool mp_profile_pool(MpProfile *profile);

extern bool mp_profile_write(MpProfile *profile, MpVec *json);
extern bool mp_profile_read(MpProfile *profile, MpString json, MpError *error);

#endif
