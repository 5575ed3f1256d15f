/*
 * roles.c: the type model_predict.role: who owns a model, who may use it.
 *
 * An oid within, so that it survives a rename and is not inherited by a role
 * that is made anew under the same name; a name without, so that a dump
 * restores where oids differ. Text that names no role of this cluster becomes
 * nobody, with a warning, because a restore must not fail for it. The oid of
 * a dropped role reads as nobody too.
 *
 * Text: - is nobody, public is everybody, all else an identifier, quoted
 * where quote_identifier() says so, and then never one of these two.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "store/catalog.h"
#include "store/roles.h"

Oid
mp_role_type(void)
{
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("role"),
									   ObjectIdGetDatum(mp_catalog_schema()));

	if (!OidIsValid(type))
		elog(ERROR, "type \"%s.role\" does not exist", MP_SCHEMA);
	return type;
}

Oid
mp_role_find(const char *name)
{
	return strcmp(name, "public") == 0 ? MP_ROLE_PUBLIC : get_role_oid(name, false);
}

char *
mp_role_name(Oid role)
{
	HeapTuple	tuple;
	const char *name;
	char	   *result;

	if (role == MP_ROLE_PUBLIC)
		return pstrdup("public");
	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	if (!HeapTupleIsValid(tuple))
		return pstrdup("-");
	name = NameStr(((Form_pg_authid) GETSTRUCT(tuple))->rolname);
	/* PostgreSQL reserves the name public; should it ever not, we still tell them apart */
	result = strcmp(name, "public") == 0 ? pstrdup("\"public\"") : pstrdup(quote_identifier(name));
	ReleaseSysCache(tuple);
	return result;
}

/* A session outlives its role, and PostgreSQL grants each role itself. */
bool
mp_role_is(Oid role, Oid other)
{
	return SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)) && has_privs_of_role(role, other);
}

/* The one identifier that the text is; NULL: it is none. */
static char *
identifier(const char *text)
{
	List	   *names;

	if (!SplitIdentifierString(pstrdup(text), '.', &names) || list_length(names) != 1)
		return NULL;
	return linitial(names);
}

PG_FUNCTION_INFO_V1(mp_role_in);
Datum
mp_role_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	char	   *name;
	Oid			role;

	if (strcmp(text, "-") == 0)
		PG_RETURN_OID(MP_ROLE_NOBODY);
	if (strcmp(text, "public") == 0)
		PG_RETURN_OID(MP_ROLE_PUBLIC);
	name = identifier(text);
	if (name == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				errmsg("invalid input syntax for type %s: \"%s\"", "model_predict.role", text),
				errdetail("A role is written as an identifier, or as public, or as - for nobody."));
	role = get_role_oid(name, true);
	if (!OidIsValid(role))
		ereport(WARNING,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("role \"%s\" does not exist, nobody is put in its place", name),
				errhint("A superuser can set it right by model_predict.set_owner() or model_predict.grant_predict()."));
	PG_RETURN_OID(role);
}

PG_FUNCTION_INFO_V1(mp_role_out);
Datum
mp_role_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(mp_role_name(PG_GETARG_OID(0)));
}
