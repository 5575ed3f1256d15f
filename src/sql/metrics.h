/*
 * metrics.h: what aggregates over scores share: their state, and the passing of
 * it between processes.
 */
#ifndef MP_METRICS_H
#define MP_METRICS_H

#include "access/tupdesc.h"
#include "fmgr.h"

#include "core/metrics/agreement.h"
#include "core/metrics/binary.h"
#include "core/metrics/classes.h"
#include "core/metrics/profile.h"
#include "core/metrics/regression.h"

typedef enum MpMetricsKind
{
	MP_METRICS_RANKING,
	MP_METRICS_LOSSES,
	MP_METRICS_REGRESSION,
	MP_METRICS_CLASSES,
	MP_METRICS_AGREEMENT,
	MP_METRICS_PROFILE
} MpMetricsKind;

/* The state of an aggregate, in the memory context of its group. */
typedef struct MpMetrics
{
	MpMetricsKind kind;
	bool		weighted;
	bool		has_option;
	double		option;			/* a threshold, or a number of bins: one for the group */
	int64		left_out;
	MemoryContext context;
	MpAlloc    *alloc;
	Size		checked;		/* bytes when memory was last looked at */
	union
	{
		MpRanking	ranking;
		MpLosses	losses;
		MpRegression regression;
		MpClasses	classes;
		MpAgreement agreement;
		MpProfile	profile;
	}			of;
} MpMetrics;

/*
 * The state, of argument 0, made if it is not there yet. `option` and `weight`
 * are numbers of arguments, 0 where the aggregate has none.
 */
extern MpMetrics *mp_metrics_state(FunctionCallInfo fcinfo, MpMetricsKind kind, int option,
								   int weight);

/* The state for a final function; an empty one where there was no row. */
extern MpMetrics *mp_metrics_result(FunctionCallInfo fcinfo, MpMetricsKind kind);

/* A number, or false: the row is left out, because it is NULL or NaN. */
extern bool mp_metrics_number(FunctionCallInfo fcinfo, int argument, double *number);

/* The weight, 1 where there is none (argument 0), or false: left out. */
extern bool mp_metrics_weight(FunctionCallInfo fcinfo, int argument, double *weight);

/* After an addition: errors where it had no memory, or the state is far too large. */
extern void mp_metrics_added(MpMetrics *metrics, bool complete, Size bytes);

/* Errors where a core function had no memory. */
extern void mp_metrics_complete(bool complete);

/* Errors where scores cannot be calibrated. */
extern void mp_metrics_check_probabilities(MpRanking *ranking);

/* A row of the composite type that the function returns; NAN becomes NULL. */
typedef struct MpMetricsRow
{
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
	int			n;				/* columns filled in so far */
} MpMetricsRow;

extern void mp_metrics_row_begin(MpMetricsRow *row, FunctionCallInfo fcinfo);
extern void mp_metrics_row_add(MpMetricsRow *row, double number);
extern void mp_metrics_row_add_datum(MpMetricsRow *row, Datum datum);
extern Datum mp_metrics_row_end(MpMetricsRow *row);	/* and starts the next one */

/* An array of such rows, for functions that return one. */
extern Datum mp_metrics_rows(MpMetricsRow *row, Datum *rows, int n);

#endif
