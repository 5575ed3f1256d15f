/*
 * reference.h: how SQL names a version: churn, churn@champion, churn@3.
 * Include after postgres.h.
 */
#ifndef MP_REFERENCE_H
#define MP_REFERENCE_H

#define MP_DEFAULT_ALIAS "default"

typedef struct MpReference
{
	char	   *name;
	char	   *alias;			/* NULL where a version number was given */
	int32		version;
} MpReference;

extern MpReference mp_reference_parse(const char *text);	/* errors where it is no reference */
extern bool mp_reference_try_parse(const char *text, MpReference *ref);	/* false there */
extern void mp_check_name(const char *name, const char *what);	/* errors where it is no name for a model or alias */

#endif
