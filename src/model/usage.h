/*
 * usage.h: how often versions are used, by all sessions. Include after
 * postgres.h.
 */
#ifndef MP_USAGE_H
#define MP_USAGE_H

#include "datatype/timestamp.h"

#include "model/model.h"

extern void mp_usage_init(void);

/* A statement has asked for the model, and may score rows with it. */
extern void mp_usage_begin(const MpModel *model);

/* The session has loaded it, and forgets what it counts of it (model->state). */
extern void mp_usage_loaded(const MpModel *model);
extern void mp_usage_unloaded(const MpModel *model);

/* What is known of a version. */
typedef struct MpUsage
{
	int64		model;
	int32		version;
	uint64		statements;
	uint64		rows;
	uint64		loads;
	TimestampTz last_use;		/* 0: never */
	TimestampTz since;
} MpUsage;

/* Of all versions of this database, in the current context; n: how many. */
extern MpUsage *mp_usage_list(int *n);

/* Has all versions of the model begin anew. */
extern void mp_usage_reset(int64 model);

#endif
