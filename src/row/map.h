/*
 * map.h: where in a source each input of a model is. Include after postgres.h.
 */
#ifndef MP_MAP_H
#define MP_MAP_H

#include "row/value.h"

typedef struct MpPlace
{
	int			column;			/* of the source; -1: absent, so missing */
	MpValueType type;
} MpPlace;

typedef struct MpInputMap
{
	int			n_columns;		/* up to the last that holds an input */
	MpPlace		places[FLEXIBLE_ARRAY_MEMBER];	/* [n_inputs] */
} MpInputMap;

/* What a row has, in its order. */
typedef struct MpColumns
{
	int			n;
	const char **names;			/* NULL: none has one; names[i] NULL: not to be read */
	MpValueType *types;
	bool		by_position;
} MpColumns;

/* In the current context. Errors where the columns do not fit the model. */
extern MpInputMap *mp_map_make(const MpModel *model, const MpColumns *columns);

/* An error unless that many values are the model's; `lone`: just one was given. */
extern void mp_map_check_count(const MpModel *model, int64 given, bool lone);

#endif
