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
	float	   *x;				/* [n_features]; NaN: missing; where the model is not wide */
	double	   *wide;			/* the same where it is */
	double	   *margin;			/* [n_outputs] */
	double	   *answer;			/* [n_outputs + 1]: the prediction, at last after the steps on it */
	float	   *narrow;			/* [n_outputs + 1]: where float32 is computed */
	MpSlot	   *slots;			/* of the steps that make features; NULL: there are none */
	int			feature_room;	/* bytes */
	int			output_room;
	int			slot_room;
} MpRow;

/* Makes it one of the model's, with room from the context, which must be the same each time. */
extern void mp_row_prepare(MpRow *row, const MpModel *model, MemoryContext context);

/* A feature as the trees see it. */
static inline double
mp_row_feature(const MpRow *row, int feature)
{
	return row->model->wide ? row->wide[feature] : row->x[feature];
}

/* Widens n floats, which lie in the latter half of the room for n doubles. */
extern void mp_row_widen(double *numbers, Size n);

#endif
