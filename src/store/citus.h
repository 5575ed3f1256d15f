/*
 * citus.h: our tables where Citus has made them reference tables. Include after
 * postgres.h.
 *
 * A reference table has one shard, a copy of which every node holds as an
 * ordinary table of its own; the table itself is an empty shell on each node. Our
 * scans read the shard. Without Citus each of these functions costs a look-up in
 * a small table of this session.
 */
#ifndef MP_CITUS_H
#define MP_CITUS_H

/* What this node holds of the table: its shard where it is a reference table, else the table itself. */
extern Oid	mp_citus_local(Oid table);

/* Whether Citus keeps the relation, distributed or as a reference table. */
extern bool mp_citus_keeps(Oid relation);

/* An error where this table of ours is a reference table and this node is not the coordinator. */
extern void mp_citus_check_coordinator(Oid table, const char *function);

/*
 * Whether this session was opened by Citus on another node, to run part of a
 * statement, and this table of ours is a reference table: which versions the
 * statement means was decided there.
 */
extern bool mp_citus_runs_part(Oid table);

#endif
