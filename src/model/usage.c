/*
 * usage.c: how often versions are used, by all sessions.
 *
 * The counters are in one segment of dynamic shared memory, made by the first
 * session that needs it, so that the library need not be preloaded. A version
 * has a slot there, which it gets when a reference to it is resolved and keeps
 * until the server is restarted; slots never move. While rows are scored a session counts
 * for itself. What it has counted is added when its transaction ends,
 * committed or not: then nothing may fail, and atomic additions cannot.
 *
 * A crash of any session has the postmaster start with new shared memory, and
 * the counters anew. Where there is no segment, or no slot left, nothing is
 * counted and no statement fails.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/s_lock.h"
#include "storage/spin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "model/shared.h"
#include "model/usage.h"

#define N_SLOTS 8192			/* a power of 2 */
#define MAX_USED (N_SLOTS / 4 * 3)

typedef struct UsageKey
{
	int64		model;
	Oid			database;
	int32		version;
} UsageKey;

typedef struct UsageSlot
{
	UsageKey	key;			/* database 0: the slot is free */
	pg_atomic_uint64 statements;
	pg_atomic_uint64 rows;
	pg_atomic_uint64 loads;
	pg_atomic_uint64 last_use;	/* TimestampTz; 0: never */
	pg_atomic_uint64 since;		/* TimestampTz */
} UsageSlot;

/* The segment; all zero at first, but for what begin_counters makes. */
typedef struct Counters
{
	slock_t		lock;			/* of keys and of n_used: taken to add a slot, and to list them */
	int			n_used;
	UsageSlot	slots[N_SLOTS]; /* by hash */
} Counters;

/* What this session has counted of a version since it last ended a transaction. */
typedef struct LocalUsage
{
	UsageKey	key;			/* must be first */
	UsageSlot  *slot;			/* NULL: there is none */
	struct LocalUsage *next;	/* of those used in this transaction */
	bool		used;			/* it is one of them */
	uint64		statements;
	uint64		rows;
	uint64		loads;
	TimestampTz statement;		/* when the last one began */
	const MpModelState *state;	/* of the model that is loaded, or NULL */
	uint64		seen;			/* of its rows: those already counted */
} LocalUsage;

static Counters *counters;		/* NULL: not asked for yet, or not to be had */
static HTAB *local;
static LocalUsage *used;

static void
begin_counters(void *segment)
{
	Counters   *c = segment;

	memset(c, 0, sizeof(Counters));
	SpinLockInit(&c->lock);
	for (int i = 0; i < N_SLOTS; i++)
	{
		pg_atomic_init_u64(&c->slots[i].statements, 0);
		pg_atomic_init_u64(&c->slots[i].rows, 0);
		pg_atomic_init_u64(&c->slots[i].loads, 0);
		pg_atomic_init_u64(&c->slots[i].last_use, 0);
		pg_atomic_init_u64(&c->slots[i].since, 0);
	}
}

static bool
have_counters(void)
{
	static bool asked = false;

	if (!asked)
	{
		asked = true;
		counters = mp_shared_counters(sizeof(Counters), begin_counters);
	}
	return counters != NULL;
}

/* With the lock held: the key's slot, or the free one where it would be. */
static UsageSlot *
find_slot(const UsageKey *key)
{
	uint32		i = hash_bytes((const unsigned char *) key, sizeof(UsageKey)) & (N_SLOTS - 1);

	while (OidIsValid(counters->slots[i].key.database) &&
		   memcmp(&counters->slots[i].key, key, sizeof(UsageKey)) != 0)
		i = (i + 1) & (N_SLOTS - 1);
	return &counters->slots[i];
}

/* NULL: all are taken. */
static UsageSlot *
get_slot(const UsageKey *key, TimestampTz now)
{
	UsageSlot  *slot;

	SpinLockAcquire(&counters->lock);
	slot = find_slot(key);
	if (!OidIsValid(slot->key.database))
	{
		if (counters->n_used < MAX_USED)
		{
			counters->n_used++;
			pg_atomic_write_u64(&slot->since, (uint64) now);
			slot->key = *key;
		}
		else
			slot = NULL;
	}
	SpinLockRelease(&counters->lock);
	return slot;
}

/* What is counted of the model here; NULL: nothing is. */
static LocalUsage *
local_usage(const MpModel *model)
{
	UsageKey	key = {model->id, MyDatabaseId, model->version};
	LocalUsage *usage;
	bool		found;

	if (!IsUnderPostmaster || model->id == 0 || !have_counters())
		return NULL;
	if (local == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(UsageKey), .entrysize = sizeof(LocalUsage), .hcxt = TopMemoryContext};

		local = hash_create("model_predict usage", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	usage = hash_search(local, &key, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) usage + sizeof(UsageKey), 0, sizeof(LocalUsage) - sizeof(UsageKey));
		usage->slot = get_slot(&key, GetCurrentTimestamp());
	}
	return usage;
}

static void
mark_used(LocalUsage *usage)
{
	if (usage->used)
		return;
	usage->used = true;
	usage->next = used;
	used = usage;
}

/* Counts the rows that the loaded model has scored since. */
static void
take_rows(LocalUsage *usage)
{
	if (usage->state == NULL)
		return;
	usage->rows += usage->state->rows - usage->seen;
	usage->seen = usage->state->rows;
}

/* One of a client's statements counts once, whatever it does; a worker's is its leader's. */
void
mp_usage_begin(const MpModel *model)
{
	LocalUsage *usage = local_usage(model);
	TimestampTz statement = GetCurrentStatementStartTimestamp();

	if (usage == NULL)
		return;
	mark_used(usage);
	if (usage->state != model->state)
	{
		take_rows(usage);
		usage->state = model->state;
		usage->seen = model->state->rows;
	}
	if (!IsParallelWorker() && usage->statement != statement)
		usage->statements++;
	usage->statement = statement;
}

void
mp_usage_loaded(const MpModel *model)
{
	LocalUsage *usage = local_usage(model);

	if (usage == NULL)
		return;
	mark_used(usage);
	usage->loads++;
}

void
mp_usage_unloaded(const MpModel *model)
{
	UsageKey	key = {model->id, MyDatabaseId, model->version};
	LocalUsage *usage = local == NULL ? NULL : hash_search(local, &key, HASH_FIND, NULL);

	if (usage == NULL || usage->state != model->state)
		return;
	take_rows(usage);
	usage->state = NULL;
}

/* Nothing here can fail. */
static void
add_counts(LocalUsage *usage, TimestampTz now)
{
	UsageSlot  *slot = usage->slot;

	take_rows(usage);
	if (slot != NULL && (usage->statements > 0 || usage->rows > 0 || usage->loads > 0))
	{
		pg_atomic_fetch_add_u64(&slot->statements, usage->statements);
		pg_atomic_fetch_add_u64(&slot->rows, usage->rows);
		pg_atomic_fetch_add_u64(&slot->loads, usage->loads);
		pg_atomic_write_u64(&slot->last_use, (uint64) now);
	}
	usage->statements = usage->rows = usage->loads = 0;
	usage->used = false;
}

static void
end_transaction(XactEvent event, void *arg)
{
	TimestampTz now;

	if (used == NULL || event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PARALLEL_PRE_COMMIT ||
		event == XACT_EVENT_PRE_PREPARE)
		return;
	now = GetCurrentTimestamp();
	for (LocalUsage *usage = used; usage != NULL; usage = usage->next)
		add_counts(usage, now);
	used = NULL;
}

void
mp_usage_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
}

MpUsage *
mp_usage_list(int *n)
{
	MpUsage    *list = palloc(sizeof(MpUsage) * N_SLOTS);

	*n = 0;
	if (!IsUnderPostmaster || !have_counters())
		return list;
	for (int i = 0; i < N_SLOTS; i++)
	{
		UsageSlot  *slot = &counters->slots[i];
		UsageKey	key;

		SpinLockAcquire(&counters->lock);
		key = slot->key;
		SpinLockRelease(&counters->lock);
		if (key.database != MyDatabaseId)
			continue;
		list[(*n)++] = (MpUsage) {
			.model = key.model,
			.version = key.version,
			.statements = pg_atomic_read_u64(&slot->statements),
			.rows = pg_atomic_read_u64(&slot->rows),
			.loads = pg_atomic_read_u64(&slot->loads),
			.last_use = (TimestampTz) pg_atomic_read_u64(&slot->last_use),
			.since = (TimestampTz) pg_atomic_read_u64(&slot->since)
		};
	}
	return list;
}

void
mp_usage_reset(int64 model)
{
	if (!IsUnderPostmaster || !have_counters())
		return;
	for (int i = 0; i < N_SLOTS; i++)
	{
		UsageSlot  *slot = &counters->slots[i];
		UsageKey	key;

		SpinLockAcquire(&counters->lock);
		key = slot->key;
		SpinLockRelease(&counters->lock);
		if (key.database != MyDatabaseId || key.model != model)
			continue;
		pg_atomic_write_u64(&slot->statements, 0);
		pg_atomic_write_u64(&slot->rows, 0);
		pg_atomic_write_u64(&slot->loads, 0);
		pg_atomic_write_u64(&slot->last_use, 0);
		pg_atomic_write_u64(&slot->since, (uint64) GetCurrentTimestamp());
	}
}
