/*
 * known.c: which versions references name.
 *
 * What a reference names is looked up in our tables. The session remembers the
 * rows that decided; in the next statement, where these are still there (see
 * witness.c), it need not look up again. What is no row is asked anew: whether the
 * role may use the model. Only what was found is remembered, never that something
 * is missing.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "model/cache.h"
#include "score/known.h"
#include "score/moment.h"
#include "store/lookup.h"
#include "store/roles.h"
#include "store/witness.h"

#define MOST_KNOWN 256

typedef struct Known
{
	dlist_node	node;
	MemoryContext context;		/* of all this */
	uint64		moment;			/* when it last held */
	MpFound		found;
	MpModelRow	owner;			/* of the model */
	Oid			grantee;		/* who was granted it, where that decided; or nobody */
	MpWitnesses witnesses;
	int			length;
	char		reference[FLEXIBLE_ARRAY_MEMBER];
} Known;

static dlist_head all = DLIST_STATIC_INIT(all); /* the last used first */
static int	n_known = 0;

static Known *
find(const char *reference, int length)
{
	dlist_iter	iter;

	dlist_foreach(iter, &all)
	{
		Known	   *known = dlist_container(Known, node, iter.cur);

		if (known->length == length && memcmp(known->reference, reference, length) == 0)
		{
			dlist_move_head(&all, &known->node);
			return known;
		}
	}
	return NULL;
}

static void
forget(Known *known)
{
	dlist_delete(&known->node);
	n_known--;
	MemoryContextDelete(known->context);
}

/* Whether the role may use the model, of whose rights the witnesses tell. */
static bool
is_permitted(const Known *known)
{
	Oid			role = GetUserId();

	if (mp_lookup_may_manage(&known->owner, role))
		return true;
	if (known->grantee == MP_ROLE_NOBODY || !mp_role_is(role, role))
		return false;
	return known->grantee == MP_ROLE_PUBLIC || mp_role_is(role, known->grantee);
}

static bool
holds(Known *known, uint64 now, Snapshot snapshot)
{
	if (known->moment == now)
		return true;
	if (!mp_witness_holds(&known->witnesses, snapshot) || !is_permitted(known))
		return false;
	known->moment = now;
	return true;
}

static void
read_rights(Known *known)
{
	const MpWitness *model = mp_witness_of(&known->witnesses, "stored_model");
	const MpWitness *permission = mp_witness_of(&known->witnesses, "stored_permission");

	known->owner.owner = model == NULL ? MP_ROLE_NOBODY : DatumGetObjectId(mp_witness_value(model, "owner"));
	known->grantee = permission == NULL ? MP_ROLE_NOBODY : DatumGetObjectId(mp_witness_value(permission, "grantee"));
}

/* Looks up, and remembers what decided. */
static void
look_up(Known *known, Snapshot snapshot)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "model_predict resolve",
											   ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);

	mp_witness_begin(&known->witnesses, known->context);
	PG_TRY();
	{
		known->found = mp_lookup(pnstrdup(known->reference, known->length), MP_RIGHT_PREDICT, GetUserId(), snapshot);
	}
	PG_FINALLY();
	{
		mp_witness_end();
	}
	PG_END_TRY();
	known->found.name = MemoryContextStrdup(known->context, known->found.name);
	read_rights(known);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
}

/* One that is not remembered yet, in a context that goes in case of an error. */
static Known *
make(const char *reference, int length)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "model_predict reference",
												  ALLOCSET_SMALL_SIZES);
	Known	   *known = MemoryContextAllocZero(context, offsetof(Known, reference) + length);

	known->context = context;
	known->length = length;
	memcpy(known->reference, reference, length);
	return known;
}

static void
remember(Known *known, uint64 now)
{
	MemoryContextSetParent(known->context, TopMemoryContext);
	dlist_push_head(&all, &known->node);
	known->moment = now;
	if (++n_known > MOST_KNOWN)
		forget(dlist_tail_element(Known, node, &all));
}

const MpModel *
mp_known_model(const char *reference, int length)
{
	Snapshot	snapshot = mp_catalog_snapshot();
	uint64		now = mp_moment_number();
	Known	   *known = find(reference, length);
	const MpWitness *version;
	const MpModel *model = NULL;

	if (known != NULL && !holds(known, now, snapshot))
	{
		forget(known);
		known = NULL;
	}
	if (known == NULL)
	{
		known = make(reference, length);
		look_up(known, snapshot);
		remember(known, now);
	}
	version = mp_witness_of(&known->witnesses, "stored_version");
	if (version != NULL)
		model = mp_cache_find(&known->found, version->file, version->tuple);
	if (model == NULL)
		model = mp_cache_get(&known->found, snapshot);
	return model;
}
