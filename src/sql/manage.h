/*
 * manage.h: what the managing functions have in common. Include after
 * postgres.h. All of it runs between mp_writer_begin() and mp_writer_end().
 */
#ifndef MP_MANAGE_H
#define MP_MANAGE_H

#include "store/lookup.h"
#include "store/roles.h"
#include "store/writer.h"

/* An entry of the history. */
typedef struct MpEvent
{
	const char *model;
	int64		model_id;
	Oid			owner;			/* of the model, for whom the entry is shown after a drop */
	const char *action;
	const char *alias;			/* NULL: none was moved */
	int32		old_version;	/* 0: none */
	int32		new_version;	/* 0: none */
	Oid			role;			/* MP_ROLE_NOBODY: none was concerned */
	const char *comment;		/* may be NULL */
} MpEvent;

extern void mp_manage_log(const MpWriter *writer, const MpEvent *event);

/*
 * Finds the model, checks that the caller may manage it, and holds it until
 * the end of the transaction: who else wants to change it waits, and then sees
 * what was done; in REPEATABLE READ they get a serialization failure.
 */
extern void mp_manage_lock(const MpWriter *writer, const char *name, MpModelRow *model);

/*
 * The same for a new version: the model is made, and belongs to the caller,
 * where there is none. Returns the version's number, which no version of this
 * name ever had.
 */
extern int32 mp_manage_next_version(const MpWriter *writer, const char *name,
									MpModelRow *model, bool *created);

/* The highest number that any version under this name ever had, dropped ones included. */
extern int32 mp_manage_highest_version(const char *name);

/* Points the alias at the version; returns where it pointed, 0: it is new. */
extern int32 mp_manage_point(int64 model, const char *alias, int32 version);

extern int32 mp_manage_alias(int64 model, const char *alias);	/* 0: there is none */
extern bool mp_manage_has_version(int64 model, int32 version);
extern void mp_manage_check_version(const char *name, int64 model, int32 version);	/* that it is there */

/* An argument that must not be null. */
extern char *mp_manage_text(FunctionCallInfo fcinfo, int arg, const char *what);
extern int32 mp_manage_number(FunctionCallInfo fcinfo, int arg, const char *what);

#endif
