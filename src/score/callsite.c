/*
 * callsite.c: resolves a reference once for a statement, not once a row: the
 * answer is kept with the call site and holds for its moment (see moment.c).
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "model/cache.h"
#include "score/callsite.h"
#include "store/catalog.h"

/* The function's memory goes: give the model back. */
static void
release_site(void *arg)
{
	MpCallSite *site = arg;

	if (site->model != NULL)
		mp_cache_unpin(site->model);
	site->model = NULL;
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

static void
remember_reference(MpCallSite *site, const char *reference, int length)
{
	if (length > site->reference_room)
	{
		site->reference = MemoryContextAlloc(site->context, 2 * length);
		site->reference_room = 2 * length;
	}
	site->reference_length = length;
	memcpy(site->reference, reference, length);
}

static void
resolve(MpCallSite *site, const char *reference, int length)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "model_predict resolve",
											   ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);
	const MpModel *model;
	MpFound		found;

	/* an error on the way must not leave the old answer in force */
	release_site(site);
	found = mp_lookup(pnstrdup(reference, length), MP_RIGHT_PREDICT, GetUserId(), snapshot);
	model = mp_cache_get(&found, snapshot);
	remember_reference(site, reference, length);
	mp_moment_set(&site->moment, site->context);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	mp_row_prepare(&site->row, model, site->context);
	mp_cache_pin(model);
	site->model = model;
}

bool
mp_callsite_resolve(MpCallSite *site, const char *reference, int length)
{
	if (site->model != NULL && !site->model->state->stale &&
		site->reference_length == length &&
		memcmp(site->reference, reference, length) == 0 &&
		mp_moment_is_now(&site->moment))
		return false;
	resolve(site, reference, length);
	return true;
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

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("the model must not be null"));
	reference = PG_GETARG_TEXT_PP(argument);
	if (site == NULL)
	{
		site = mp_callsite_create(fcinfo->flinfo->fn_mcxt);
		site->source = mp_source_of_call(fcinfo, first, site->context);
		fcinfo->flinfo->fn_extra = site;
	}
	if (mp_callsite_resolve(site, VARDATA_ANY(reference), VARSIZE_ANY_EXHDR(reference)))
		mp_source_reset(site->source);
	return site;
}
