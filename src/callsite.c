/*
 * callsite.c: resolves a reference once for a statement, not once a row: the
 * answer is kept with the call site and holds for its moment (see moment.c).
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "callsite.h"

/* The function's memory goes: give the booster back. */
static void
release_site(void *arg)
{
	MpCallSite *site = arg;

	if (site->booster != NULL)
		mp_booster_unpin(site->booster);
	site->booster = NULL;
}

static MpCallSite *
create_site(FunctionCallInfo fcinfo, int first)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	MpCallSite *site = MemoryContextAllocZero(context, sizeof(MpCallSite));
	MemoryContextCallback *callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));

	site->context = context;
	site->form = mp_row_form(fcinfo, first, context);
	callback->func = release_site;
	callback->arg = site;
	MemoryContextRegisterResetCallback(context, callback);
	fcinfo->flinfo->fn_extra = site;
	return site;
}

static void
resolve(MpCallSite *site, text *reference)
{
	Snapshot	snapshot = GetActiveSnapshot();
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "model_predict resolve",
											   ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);
	MpBooster  *booster;
	MpModelRow	model;
	char	   *name;
	int32		version;

	/* an error on the way must not leave the old answer in force */
	release_site(site);
	mp_row_form_reset(site->form);
	version = mp_catalog_resolve(text_to_cstring(reference), GetUserId(), snapshot, &model, &name);
	booster = mp_cache_get(name, model.id, version, snapshot);
	if (VARSIZE_ANY_EXHDR(reference) > site->reference_room)
	{
		site->reference = MemoryContextAlloc(site->context, 2 * VARSIZE_ANY_EXHDR(reference));
		site->reference_room = 2 * VARSIZE_ANY_EXHDR(reference);
	}
	site->reference_length = VARSIZE_ANY_EXHDR(reference);
	memcpy(site->reference, VARDATA_ANY(reference), site->reference_length);
	mp_moment_set(&site->moment, site->context);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	mp_booster_pin(booster);
	site->booster = booster;
}

MpCallSite *
mp_callsite_get(FunctionCallInfo fcinfo, int first)
{
	MpCallSite *site = fcinfo->flinfo->fn_extra;
	text	   *reference = PG_GETARG_TEXT_PP(0);

	if (site == NULL)
		site = create_site(fcinfo, first);
	if (site->booster == NULL || site->booster->stale ||
		site->reference_length != VARSIZE_ANY_EXHDR(reference) ||
		memcmp(site->reference, VARDATA_ANY(reference), site->reference_length) != 0 ||
		!mp_moment_is_now(&site->moment))
		resolve(site, reference);
	return site;
}
