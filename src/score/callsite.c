/*
 * callsite.c: resolves a reference once for a statement, not once a row.
 *
 * A call may name another model for each row ('churn_' || region): a site
 * remembers what it has learned of the last of them. Only the model that is being
 * scored is pinned, so that the cache keeps its size; of the others the site
 * finds out whether they are still there.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "model/cache.h"
#include "model/usage.h"
#include "score/callsite.h"
#include "score/known.h"
#include "score/moment.h"

/* The function's memory goes: give the model back. */
static void
release_site(void *arg)
{
	MpCallSite *site = arg;

	if (site->model != NULL)
		mp_cache_unpin(site->model);
	site->model = NULL;
	site->current = NULL;
}

MpCallSite *
mp_callsite_create(MemoryContext context)
{
	MpCallSite *site = MemoryContextAllocZero(context, sizeof(MpCallSite));
	MemoryContextCallback *callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));

	site->context = context;
	callback->func = release_site;
	callback->arg = site;
	MemoryContextRegisterResetCallback(context, callback);
	return site;
}

static bool
is_reference(const MpSiteReference *known, const char *text, int length)
{
	return known->length == length && memcmp(known->text, text, length) == 0;
}

static MpSiteReference *
find_reference(MpCallSite *site, const char *text, int length, uint32 hash)
{
	MpSiteReference **recent = &site->recent[hash % MP_SITE_REFERENCES];

	if (*recent != NULL && (*recent)->hash == hash && is_reference(*recent, text, length))
		return *recent;
	for (int i = 0; i < site->n_references; i++)
		if (site->references[i]->hash == hash && is_reference(site->references[i], text, length))
			return *recent = site->references[i];
	return NULL;
}

/* A new one, or the oldest made new; its form stays, but not what it has learned. */
static MpSiteReference *
add_reference(MpCallSite *site, const char *text, int length, uint32 hash)
{
	MpSiteReference *known;

	if (site->n_references < MP_SITE_REFERENCES)
	{
		known = MemoryContextAllocZero(site->context, sizeof(MpSiteReference));
		site->references[site->n_references++] = known;
	}
	else
	{
		known = site->references[site->next];
		site->next = (site->next + 1) % MP_SITE_REFERENCES;
	}
	known->moment = 0;
	known->model = NULL;
	known->length = -1;			/* is nothing, should memory run out */
	if (length > known->room)
	{
		known->text = MemoryContextAlloc(site->context, 2 * length);
		known->room = 2 * length;
	}
	memcpy(known->text, text, length);
	known->length = length;
	known->hash = hash;
	return known;
}

/* Whether the model is what the reference names now, and still there. */
static bool
is_current(const MpCallSite *site, const MpSiteReference *known)
{
	if (known->model == NULL || known->moment != mp_moment_number())
		return false;
	if (known == site->current)
		return !known->model->state->stale;
	return known->losses == mp_cache_losses();
}

/* In case of an error nothing is in force. What was learned of the same model stays. */
static void
resolve(MpCallSite *site, MpSiteReference *known)
{
	const MpModel *before = known->model;
	bool		pinned = known == site->current;
	uint64		losses = pinned ? 0 : known->losses;
	const MpModel *model;

	known->model = NULL;
	model = mp_known_model(known->text, known->length);
	/* where one has gone, another may have taken its place in memory */
	if (known->source != NULL &&
		(model != before || !(pinned || losses == mp_cache_losses())))
		mp_source_reset(known->source);
	mp_usage_begin(model);
	known->moment = mp_moment_number();
	known->model = model;
}

static void
let_go(MpCallSite *site)
{
	if (site->model == NULL)
		return;
	site->current->losses = mp_cache_losses();
	if (site->current->model == site->model && site->model->state->stale)
		site->current->model = NULL;
	mp_cache_unpin(site->model);
}

static void
make_current(MpCallSite *site, MpSiteReference *known)
{
	mp_row_prepare(&site->row, known->model, site->context);
	mp_cache_pin(known->model);
	let_go(site);
	site->model = known->model;
	site->current = known;
	if (known->source != NULL)
		site->source = known->source;
}

static MpSiteReference *
select_reference(MpCallSite *site, const char *text, int length)
{
	uint32		hash;
	MpSiteReference *known;

	if (site->current != NULL && is_reference(site->current, text, length))
		return site->current;
	hash = hash_bytes((const unsigned char *) text, length);
	known = find_reference(site, text, length, hash);
	return known != NULL ? known : add_reference(site, text, length, hash);
}

bool
mp_callsite_resolve(MpCallSite *site, const char *reference, int length)
{
	const MpModel *before = site->model;
	MpSiteReference *known = select_reference(site, reference, length);

	if (!is_current(site, known))
		resolve(site, known);
	if (known != site->current || site->model != known->model)
		make_current(site, known);
	return site->model != before;
}

MpCallSite *
mp_callsite_get(FunctionCallInfo fcinfo, int first)
{
	return mp_callsite_get_at(fcinfo, 0, first);
}

MpCallSite *
mp_callsite_get_at(FunctionCallInfo fcinfo, int argument, int first)
{
	MpCallSite *site = fcinfo->flinfo->fn_extra;
	text	   *reference;
	MpSiteReference *known;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("the model must not be null"));
	reference = PG_GETARG_TEXT_PP(argument);
	if (site == NULL)
	{
		site = mp_callsite_create(fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = site;
	}
	known = select_reference(site, VARDATA_ANY(reference), VARSIZE_ANY_EXHDR(reference));
	if (known->source == NULL)
		known->source = mp_source_of_call(fcinfo, first, site->context);
	if (!is_current(site, known))
		resolve(site, known);
	if (known != site->current || site->model != known->model)
		make_current(site, known);
	return site;
}
