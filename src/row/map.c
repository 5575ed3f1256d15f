/*
 * map.c: where in a source each input of a model is: by name, or by position.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "row/map.h"
#include "row/match.h"

void
mp_map_check_count(const MpModel *model, int64 given, bool lone)
{
	int			n = model->n_inputs;

	if (given == n)
		return;
	ereport(ERROR,
			errcode(ERRCODE_CARDINALITY_VIOLATION),
			errmsg_plural("model \"%s\" version %d expects %d feature, not " INT64_FORMAT,
						  "model \"%s\" version %d expects %d features, not " INT64_FORMAT, n,
						  model->name, model->version, n, given),
			lone ? errhint("For a whole row write the table's name with a star, as in c.*: a table that has a column of its own name gives that column.") : 0);
}

MpInputMap *
mp_map_make(const MpModel *model, const MpColumns *columns)
{
	int			n = model->n_inputs;
	MpInputMap *map = MemoryContextAllocHuge(CurrentMemoryContext, offsetof(MpInputMap, places) +
											 sizeof(MpPlace) * n);
	int		   *column_of = NULL;

	map->n_columns = 0;
	if (columns->by_position)
		mp_map_check_count(model, columns->n, false);
	else
	{
		column_of = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * Max(n, 1));
		mp_match_columns(model, columns->names, columns->n, column_of);
	}
	for (int i = 0; i < n; i++)
	{
		MpPlace    *place = &map->places[i];

		place->column = column_of != NULL ? column_of[i] : i;
		if (place->column < 0)
			continue;
		place->type = columns->types[place->column];
		mp_value_check_type(model, i, place->type,
							columns->names != NULL ? columns->names[place->column] : NULL);
		map->n_columns = Max(map->n_columns, place->column + 1);
	}
	if (column_of != NULL)
		pfree(column_of);
	return map;
}
