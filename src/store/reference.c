/*
 * reference.c: how SQL names a version: churn, churn@champion, churn@3.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "glue/error.h"
#include "store/reference.h"

/* Letters that are not seen, or that change the order in which others are: a name with them passes for another. */
static const struct
{
	pg_wchar	first;
	pg_wchar	last;
}			unseen[] = {
	{0x80, 0x9f}, {0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c}, {0x115f, 0x1160},
	{0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
	{0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb},
	{0xe0000, 0xe0fff}
};

static bool
is_unseen(pg_wchar letter)
{
	for (int i = 0; i < lengthof(unseen); i++)
		if (letter >= unseen[i].first && letter <= unseen[i].last)
			return true;
	return false;
}

static bool
has_unseen(const char *name)
{
	if (GetDatabaseEncoding() != PG_UTF8)
		return false;
	for (const unsigned char *p = (const unsigned char *) name; *p; p += pg_utf_mblen(p))
		if (is_unseen(utf8_to_unicode(p)))
			return true;
	return false;
}

/* Why `name` cannot name a model or an alias; NULL: it can. */
static const char *
name_fault(const char *name)
{
	const unsigned char *p;

	if (name[0] == '\0')
		return "must not be empty";
	if (strlen(name) >= NAMEDATALEN)
		return "must be at most 63 bytes long";
	if (strchr(name, '@') != NULL)
		return "must not contain \"@\"";
	if (name[0] == ' ' || name[strlen(name) - 1] == ' ')
		return "must not begin or end with a blank";
	for (p = (const unsigned char *) name; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			return "must not contain control characters";
	if (has_unseen(name))
		return "must not contain invisible characters or marks of direction";
	return NULL;
}

void
mp_check_name(const char *name, const char *what)
{
	const char *fault = name_fault(name);

	if (fault != NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_NAME),
				errmsg("invalid name of %s: \"%s\"", what, mp_shown(name)),
				errdetail("A name %s.", fault));
}

/* A whole positive number that fits an int32, or 0. */
static int32
version_number(const char *text)
{
	int64		n = 0;
	const char *p;

	for (p = text; *p; p++)
	{
		if (*p < '0' || *p > '9')
			return 0;
		n = n * 10 + (*p - '0');
		if (n > PG_INT32_MAX)
			return 0;
	}
	return (int32) n;
}

/* What is wrong with a reference, or NULL. */
static const char *
parse(const char *text, MpReference *ref)
{
	const char *at = strchr(text, '@');
	const char *fault;

	memset(ref, 0, sizeof(*ref));
	ref->name = at ? pnstrdup(text, at - text) : pstrdup(text);
	if ((fault = name_fault(ref->name)) != NULL)
		return psprintf("A model's name %s.", fault);
	if (at == NULL)
	{
		ref->alias = MP_DEFAULT_ALIAS;
		return NULL;
	}
	ref->version = version_number(at + 1);
	if (ref->version != 0)
		return NULL;
	ref->alias = pstrdup(at + 1);
	if ((fault = name_fault(ref->alias)) != NULL)
		return psprintf("What follows \"@\" %s.", fault);
	return NULL;
}

bool
mp_reference_try_parse(const char *text, MpReference *ref)
{
	return parse(text, ref) == NULL;
}

MpReference
mp_reference_parse(const char *text)
{
	MpReference ref;
	const char *fault = parse(text, &ref);

	if (fault != NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_NAME),
				errmsg("invalid reference to a model: \"%s\"", mp_shown(text)),
				errdetail("%s", fault),
				errhint("Write a model's name, or name@alias, or name@version, such as 'churn', 'churn@champion', 'churn@3'."));
	return ref;
}
