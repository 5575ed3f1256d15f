/*
 * callsite.c: resolves a reference once for a statement, not once a row.
 *
 * fn_extra outlives statements (plpgsql keeps it to the end of a transaction),
 * a rollback to a savepoint can leave a snapshot that looks like an earlier
 * one, and SET ROLE changes who asks. So an answer holds only while the active
 * snapshot's contents, the user, and a counter raised at every end of a
 * transaction or subtransaction are what they were when it was found.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "callsite.h"

static uint64 epoch = 1;

static void
count_xact(XactEvent event, void *arg)
{
	epoch++;
}

static void
count_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event != SUBXACT_EVENT_START_SUB)
		epoch++;
}

void
mp_callsite_init(void)
{
	RegisterXactCallback(count_xact, NULL);
	RegisterSubXactCallback(count_subxact, NULL);
}

static bool
same_xids(const TransactionId *a, const TransactionId *b, int n)
{
	return n == 0 || memcmp(a, b, n * sizeof(TransactionId)) == 0;
}

/* Whether both see the same rows, within one epoch. */
static bool
same_snapshot(const SnapshotData *a, const SnapshotData *b)
{
	return a->curcid == b->curcid && a->xmin == b->xmin && a->xmax == b->xmax &&
		a->xcnt == b->xcnt && a->subxcnt == b->subxcnt &&
		a->snapshot_type == b->snapshot_type &&
		a->suboverflowed == b->suboverflowed &&
		a->takenDuringRecovery == b->takenDuringRecovery &&
		same_xids(a->xip, b->xip, a->xcnt) &&
		same_xids(a->subxip, b->subxip, a->subxcnt);
}

static TransactionId *
copy_xids(MemoryContext context, TransactionId *room, int *have, const TransactionId *from, int n)
{
	if (n > *have)
	{
		/* the old array stays until the function's memory goes: an error must not leave a dead pointer */
		room = MemoryContextAlloc(context, 2 * n * sizeof(TransactionId));
		*have = 2 * n;
	}
	if (n > 0)
		memcpy(room, from, n * sizeof(TransactionId));
	return room;
}

static void
remember_snapshot(MpCallSite *site, Snapshot snapshot)
{
	TransactionId *xip = copy_xids(site->context, site->snapshot.xip, &site->xid_room,
								   snapshot->xip, snapshot->xcnt);
	TransactionId *subxip = copy_xids(site->context, site->snapshot.subxip, &site->subxid_room,
									  snapshot->subxip, snapshot->subxcnt);

	site->snapshot = *snapshot;
	site->snapshot.xip = xip;
	site->snapshot.subxip = subxip;
}

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
	Oid			user = GetUserId();
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
	version = mp_catalog_resolve(text_to_cstring(reference), user, snapshot, &model, &name);
	booster = mp_cache_get(name, model.id, version, snapshot);
	if (VARSIZE_ANY_EXHDR(reference) > site->reference_room)
	{
		site->reference = MemoryContextAlloc(site->context, 2 * VARSIZE_ANY_EXHDR(reference));
		site->reference_room = 2 * VARSIZE_ANY_EXHDR(reference);
	}
	site->reference_length = VARSIZE_ANY_EXHDR(reference);
	memcpy(site->reference, VARDATA_ANY(reference), site->reference_length);
	remember_snapshot(site, snapshot);
	site->user = user;
	site->epoch = epoch;
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
	if (site->booster == NULL || site->epoch != epoch || site->user != GetUserId() ||
		site->booster->stale ||
		site->reference_length != VARSIZE_ANY_EXHDR(reference) ||
		memcmp(site->reference, VARDATA_ANY(reference), site->reference_length) != 0 ||
		!same_snapshot(&site->snapshot, GetActiveSnapshot()))
		resolve(site, reference);
	return site;
}
