/*
 * target.h: the columns that a scoring trigger fills. Include after
 * postgres.h.
 */
#ifndef MP_TARGET_H
#define MP_TARGET_H

#include "commands/trigger.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

#include "score/answer.h"

typedef struct MpTarget
{
	const MpAnswer *answer;
	const char *label;			/* of the class whose probability it is */
	int			class;			/* its index; -1: not looked up yet */
	int			top;			/* how many reasons */
	const char *name;			/* of the column */
	int			column;			/* its index */
	ExprState  *cast;			/* from the answer's type to the column's; NULL: none needed */
} MpTarget;

/* What the arguments of a trigger say. */
typedef struct MpTargets
{
	const char *reference;
	int			reference_length;
	bool		null_on_error;
	bool		only_if_changed;
	int			n;
	MpTarget   *targets;
	ExprContext *econtext;		/* of the casts */
} MpTargets;

/*
 * In the current memory context, which must outlive it. Errors where the
 * arguments or the table's columns do not fit.
 */
extern MpTargets *mp_targets_open(const Trigger *trigger, Relation rel);

extern bool mp_targets_have(const MpTargets *targets, int column);

/* From the answer's type to the column's; a NULL too, which a domain may refuse. */
extern void mp_target_cast(const MpTargets *targets, const MpTarget *target,
						   Datum *value, bool *isnull);

#endif
