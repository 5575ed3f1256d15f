/*
 * error.c: errors of the core, which are values, become PostgreSQL's.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "glue/error.h"

#define MAX_SHOWN 100			/* bytes */

static int
sqlstate_of(MpErrorCode code)
{
	switch (code)
	{
		case MP_OK:
			break;
		case MP_ERROR_NOT_A_MODEL:
		case MP_ERROR_SYNTAX:
			return ERRCODE_INVALID_BINARY_REPRESENTATION;
		case MP_ERROR_INVALID:
			return ERRCODE_DATA_EXCEPTION;
		case MP_ERROR_UNSUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case MP_ERROR_OPTION:
		case MP_ERROR_AMBIGUOUS:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case MP_ERROR_MEMORY:
			return ERRCODE_OUT_OF_MEMORY;
		case MP_ERROR_IMAGE:
			return ERRCODE_DATA_CORRUPTED;
	}
	return ERRCODE_INTERNAL_ERROR;
}

const char *
mp_objective_name(const MpForest *forest)
{
	MpString	name = mp_forest_objective(forest);

	return pnstrdup(name.data, name.length);
}

/* The text, cut to what a message can bear. */
const char *
mp_shown(const char *text)
{
	int			length = strlen(text);

	if (length <= MAX_SHOWN)
		return text;
	return psprintf("%.*s...", pg_mbcliplen(text, length, MAX_SHOWN), text);
}

/* "; byte 123, tree 4, node 5" as far as they are known */
static char *
place_of(const MpError *error)
{
	StringInfoData place;
	const char *sep = "";

	initStringInfo(&place);
	/* at the first byte the sentence is about the whole */
	if (error->offset > 0)
	{
		appendStringInfo(&place, "byte %lld", (long long) error->offset);
		sep = ", ";
	}
	if (error->tree >= 0)
	{
		appendStringInfo(&place, "%stree %d", sep, error->tree);
		sep = ", ";
	}
	if (error->node >= 0)
		appendStringInfo(&place, "%snode %d", sep, error->node);
	return place.data;
}

/* `problem` says what cannot be done with the model. */
pg_noreturn static void
throw(const MpError *error, const char *problem)
{
	char	   *place = place_of(error);
	char	   *detail = pstrdup(error->detail);

	if (place[0] != '\0')
		detail = psprintf("%s%sPlace: %s.", detail, detail[0] ? " " : "", place);
	ereport(ERROR,
			errcode(sqlstate_of(error->code)),
			errmsg("%s: %s", problem, error->message),
			detail[0] ? errdetail_internal("%s", detail) : 0,
			error->hint[0] ? errhint("%s", error->hint) : 0);
}

/* version 0: the model has none yet */
void
mp_throw(const MpError *error, const char *model, int32 version)
{
	if (version > 0)
		throw(error, psprintf("model \"%s\" version %d cannot be loaded", model, version));
	throw(error, psprintf("model \"%s\" cannot be registered", model));
}

void
mp_throw_unexplained(const MpError *error, const char *model, int32 version)
{
	throw(error, psprintf("model \"%s\" version %d cannot be explained", model, version));
}
