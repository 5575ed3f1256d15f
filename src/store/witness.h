/*
 * witness.h: the rows of our tables that decided something, and whether they
 * are still there. Include after postgres.h.
 */
#ifndef MP_WITNESS_H
#define MP_WITNESS_H

#include "storage/buf.h"

#include "store/catalog.h"

#define MP_WITNESSES 8

typedef struct MpWitness
{
	const char *name;			/* of the table */
	Oid			table;			/* that this node held of it */
	Oid			file;			/* that it lay in */
	HeapTuple	tuple;			/* a copy */
	Buffer		recent;			/* where its page was last seen; or InvalidBuffer */
} MpWitness;

typedef struct MpWitnesses
{
	int			n;				/* more than MP_WITNESSES: some are not here */
	MpWitness	list[MP_WITNESSES];
	MemoryContext context;		/* of the copies */
} MpWitnesses;

/* From now on what scans find is a witness. To be ended in case of an error, too. */
extern void mp_witness_begin(MpWitnesses *witnesses, MemoryContext context);
extern void mp_witness_end(void);

/*
 * Whether the snapshot sees all of them, unchanged, in the tables that now have
 * their names. Locks these tables as a SELECT would.
 */
extern bool mp_witness_holds(MpWitnesses *witnesses, Snapshot snapshot);

/* The last one from the table; NULL: none. */
extern const MpWitness *mp_witness_of(const MpWitnesses *witnesses, const char *table);

/* A column of it, which must not be null. */
extern Datum mp_witness_value(const MpWitness *witness, const char *column);

#endif
