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

void
mp_row_prepare(MpRow *row, const MpModel *model, MemoryContext context)
{
	int			n_features = Max(model->forest->n_features, 1);
	int			n_outputs = model->forest->n_outputs + 1;
	int			n_slots = model->steps != NULL ? model->steps->n_slots : 0;

	row->model = NULL;			/* should memory run out */
	if (n_features > row->feature_room)
	{
		row->feature_room = 0;
		row->x = make_room(row->x, sizeof(float) * n_features, context);
		row->feature_room = n_features;
	}
	if (n_outputs > row->output_room)
	{
		row->output_room = 0;
		row->margin = make_room(row->margin, sizeof(float) * n_outputs, context);
		row->prediction = make_room(row->prediction, sizeof(float) * n_outputs, context);
		row->answer = make_room(row->answer, sizeof(double) * n_outputs, context);
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
