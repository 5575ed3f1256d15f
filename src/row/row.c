/*
 * row.c: room for one row.
 */
#include "postgres.h"

#include "row/row.h"

static void *
make_room(void *room, Size size, MemoryContext context)
{
	if (room != NULL)
		pfree(room);
	return MemoryContextAllocHuge(context, size);
}

/* The room for features serves both kinds: x and wide begin at one place. */
void
mp_row_prepare(MpRow *row, const MpModel *model, MemoryContext context)
{
	int			features = Max(model->forest->n_features, 1) * (model->wide ? sizeof(double) : sizeof(float));
	int			n_outputs = model->forest->n_outputs + 1;
	int			n_slots = model->steps != NULL ? model->steps->n_slots : 0;

	row->model = NULL;			/* should memory run out */
	if (features > row->feature_room)
	{
		row->feature_room = 0;
		row->wide = make_room(row->wide, features, context);
		row->x = (float *) row->wide;
		row->feature_room = features;
	}
	if (n_outputs > row->output_room)
	{
		row->output_room = 0;
		row->margin = make_room(row->margin, sizeof(double) * n_outputs, context);
		row->answer = make_room(row->answer, sizeof(double) * n_outputs, context);
		row->narrow = make_room(row->narrow, sizeof(float) * n_outputs, context);
		row->output_room = n_outputs;
	}
	if (n_slots > row->slot_room)
	{
		row->slot_room = 0;
		row->slots = make_room(row->slots, sizeof(MpSlot) * n_slots, context);
		row->slot_room = n_slots;
	}
	row->model = model;
}

/* None is written over before it is read. */
void
mp_row_widen(double *numbers, Size n)
{
	const char *from = (const char *) numbers + n * sizeof(float);
	char	   *to = (char *) numbers;

	for (Size i = 0; i < n; i++)
	{
		float		narrow;
		double		wide;

		memcpy(&narrow, from + i * sizeof(narrow), sizeof(narrow));
		wide = narrow;
		memcpy(to + i * sizeof(wide), &wide, sizeof(wide));
	}
}
