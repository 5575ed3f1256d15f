/*
 * moment.c: a moment: what is visible, and to whom.
 *
 * fn_extra outlives statements (plpgsql keeps it to the end of a transaction),
 * a rollback to a savepoint can leave a snapshot that looks like an earlier
 * one, and SET ROLE changes who asks. So what was found in the tables holds
 * only while the active snapshot's contents, the user, and a counter raised at
 * every end of a transaction or subtransaction are what they were then.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "score/moment.h"

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
mp_moment_init(void)
{
	RegisterXactCallback(count_xact, NULL);
	RegisterSubXactCallback(count_subxact, NULL);
}

static bool
same_xids(const TransactionId *a, const TransactionId *b, int n)
{
	return n == 0 || memcmp(a, b, n * sizeof(TransactionId)) == 0;
}

/* What a snapshot lists there: where there were too many it may count some and hold none. */
static int
n_subxids(const SnapshotData *snapshot)
{
	return snapshot->suboverflowed && !snapshot->takenDuringRecovery ? 0 : snapshot->subxcnt;
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
		same_xids(a->subxip, b->subxip, n_subxids(a));
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

void
mp_moment_set(MpMoment *moment, MemoryContext context)
{
	Snapshot	snapshot = GetActiveSnapshot();
	TransactionId *xip;
	TransactionId *subxip;

	moment->epoch = 0;			/* matches nothing, should memory run out */
	xip = copy_xids(context, moment->snapshot.xip, &moment->xid_room, snapshot->xip, snapshot->xcnt);
	moment->snapshot.xip = xip;
	subxip = copy_xids(context, moment->snapshot.subxip, &moment->subxid_room,
					   snapshot->subxip, n_subxids(snapshot));
	moment->snapshot = *snapshot;
	moment->snapshot.xip = xip;
	moment->snapshot.subxip = subxip;
	moment->user = GetUserId();
	moment->epoch = epoch;
}

bool
mp_moment_is_now(const MpMoment *moment)
{
	return moment->epoch == epoch && moment->user == GetUserId() && ActiveSnapshotSet() &&
		same_snapshot(&moment->snapshot, GetActiveSnapshot());
}

/* As many as may alternate: the statement's, and those of functions that it calls. */
#define KEPT_MOMENTS 4

uint64
mp_moment_number(void)
{
	static MpMoment moments[KEPT_MOMENTS];
	static uint64 numbers[KEPT_MOMENTS];
	static uint64 last = 0;
	static int	next = 0;

	for (int i = 0; i < KEPT_MOMENTS; i++)
	{
		int			at = (next + KEPT_MOMENTS - 1 - i) % KEPT_MOMENTS;

		if (mp_moment_is_now(&moments[at]))
			return numbers[at];
	}
	mp_moment_set(&moments[next], TopMemoryContext);
	numbers[next] = ++last;
	next = (next + 1) % KEPT_MOMENTS;
	return last;
}
