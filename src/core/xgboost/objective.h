/*
 * objective.h: XGBoost's objectives: names, base scores, links and tasks.
 */
#ifndef MP_CORE_XGBOOST_OBJECTIVE_H
#define MP_CORE_XGBOOST_OBJECTIVE_H

#include "core/forest/forest.h"

/* what a base score becomes on the margin's scale */
typedef enum MpBaseRule
{
	MP_BASE_PLAIN,
	MP_BASE_LOGIT,
	MP_BASE_LOG,
	MP_BASE_POSITIVE_LOG,		/* since 3.1 only of numbers greater than 0 */
	MP_BASE_RISE				/* expectiles */
} MpBaseRule;

typedef struct MpObjective
{
	const char *name;
	MpBaseRule	base;
	MpLink		link;
	MpTask		task;			/* with one output; several are MP_TASK_VALUES, but of classes */
} MpObjective;

/* NULL: no such objective */
extern const MpObjective *mp_objective_find(MpString name);

/* The objective number i; NULL past the last one. */
extern const MpObjective *mp_objective_at(int i);

/*
 * Base scores as a file has them, one for each output (a single one repeated
 * first) -> margins, in place, as the XGBoost of that version converts them;
 * false where it refuses them. version: major, minor, patch.
 */
extern bool mp_objective_base_margin(const MpObjective *objective, const int32_t *version,
									 float *scores, int n_scores, MpError *error);

/* The link of a model that this version saved. */
extern MpLink mp_objective_link(const MpObjective *objective, const int32_t *version);
extern MpTask mp_objective_task(const MpObjective *objective, int n_outputs);

#endif
