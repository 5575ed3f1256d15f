/*
 * row.h: one row on its way through a model: features, margins, predictions.
 * Include after postgres.h.
 *
 * Whoever scores has one, or as many as rows are under way at once: a call
 * site, a batch, a trigger. Its vectors may be the owner's own (a batch points
 * them into its block); mp_row_prepare gives it room for any row of a model.
 */
#ifndef MP_ROW_H
#define MP_ROW_H

#include "model/model.h"

typedef struct MpRow
{
	const MpModel *model;		/* that it is for */
	bool		warn_of_faults; /* a fault of its values is a warning, and it has no answer */
	float	   *x;				/* [n_features]; NaN: missing */
	float	   *margin;			/* [n_outputs] */
	float	   *prediction;		/* [n_outputs + 1] */
	double	   *answer;			/* [n_outputs + 1]: the prediction after the steps on it */
	MpSlot	   *slots;			/* of the steps that make x; NULL: there are none */
	int			feature_room;
	int			output_room;
	int			slot_room;
} MpRow;

/* Makes it one of the model's, with room from the context, which must be the same each time. */
extern void mp_row_prepare(MpRow *row, const MpModel *model, MemoryContext context);

#endif
