/*
 * lookup.h: which version a reference names, and whether a role has the right
 * to it. Include after postgres.h. All is read under the given snapshot, and
 * needs no right on the tables.
 */
#ifndef MP_LOOKUP_H
#define MP_LOOKUP_H

#include "store/catalog.h"
#include "store/reference.h"

typedef enum MpRight
{
	MP_RIGHT_SEE,				/* what the views show */
	MP_RIGHT_PREDICT,
	MP_RIGHT_READ_TREES,		/* what the model consists of */
	MP_RIGHT_READ_BYTES,
	MP_RIGHT_MANAGE
} MpRight;

/* A row of model_predict.stored_model. */
typedef struct MpModelRow
{
	int64		id;
	Oid			owner;
	int32		last_version;
} MpModelRow;

/* What a reference names. */
typedef struct MpFound
{
	int64		model;
	int32		version;
	char	   *name;
} MpFound;

/* An error, the same one whether the model does not exist or may not be used, if the role has not the right. */
extern MpFound mp_lookup(const char *reference, MpRight right, Oid role, Snapshot snapshot);

/* Its parts. A model that is not there has id 0 and is nobody's. */
extern bool mp_lookup_model(const char *name, Snapshot snapshot, MpModelRow *row);
extern void mp_lookup_check(const char *name, const MpModelRow *model, MpRight right, Oid role,
							Snapshot snapshot);
extern int32 mp_lookup_version(const MpReference *ref, int64 model, Snapshot snapshot);

/* Without errors. */
extern bool mp_lookup_is_there(const char *reference, Oid role, Snapshot snapshot);	/* a version that the role may predict with */
extern bool mp_lookup_find(const char *name, Oid role, Snapshot snapshot, MpModelRow *model);
extern bool mp_lookup_alias(int64 model, const char *alias, Snapshot snapshot, int32 *version);
extern bool mp_lookup_has_right(const MpModelRow *model, MpRight right, Oid role, Snapshot snapshot);
extern bool mp_lookup_permitted(int64 model, Oid role, Snapshot snapshot);	/* was granted it, or one of its roles was */
extern bool mp_lookup_may_manage(const MpModelRow *row, Oid role);
extern bool mp_lookup_may_see(int64 model); /* for the current role */

pg_noreturn extern void mp_lookup_refuse(const char *name, Oid role);
pg_noreturn extern void mp_lookup_no_alias(const char *name, const char *alias);
pg_noreturn extern void mp_lookup_no_version(const char *name, int32 version);

#endif
