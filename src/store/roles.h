/*
 * roles.h: the type model_predict.role. Include after postgres.h.
 */
#ifndef MP_ROLES_H
#define MP_ROLES_H

#define MP_ROLE_NOBODY InvalidOid
#define MP_ROLE_PUBLIC ((Oid) 0xFFFFFFFF)

extern Oid	mp_role_type(void);	/* of model_predict.role */
extern Oid	mp_role_find(const char *name); /* a role or public; errors where there is none */
extern char *mp_role_name(Oid role);	/* as the type shows it */

/* Whether the role is the other one or a member of it; a role that was dropped is nobody. */
extern bool mp_role_is(Oid role, Oid other);

#endif
