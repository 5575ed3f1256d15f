/*
 * row.c: room for one row.
 */
#include "postgres.h"

#include "row/row.h"

static float *
make_room(float *room, Size n, MemoryContext context)
{
	if (room != NULL)
		pfree(room);
	return MemoryContextAllocHuge(context, sizeof(float) * n);
}

void
mp_row_prepare(MpRow *row, const MpModel *model, MemoryContext context)
{
	int			n_features = Max(model->forest->n_features, 1);
	int			n_outputs = model->forest->n_outputs + 1;

	row->model = NULL;			/* should memory run out */
	if (n_features > row->feature_room)
	{
		row->feature_room = 0;
		row->x = make_room(row->x, n_features, context);
		row->feature_room = n_features;
	}
	if (n_outputs > row->output_room)
	{
		row->output_room = 0;
		row->margin = make_room(row->margin, n_outputs, context);
		row->prediction = make_room(row->prediction, n_outputs, context);
		row->output_room = n_outputs;
	}
	row->model = model;
}
