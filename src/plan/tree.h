/*
 * tree.h: the parts of a plan's node. Include after postgres.h.
 */
#ifndef MP_TREE_H
#define MP_TREE_H

#include "nodes/plannodes.h"

/*
 * All expressions of the node that the executor evaluates for it, in a new list;
 * `complete`: whether the kind of node is known, so that none is left out.
 */
extern List *mp_plan_expressions(const Plan *plan, bool *complete);

/* Adds the columns, numbers from 1, of its outer plan that the node needs beside its expressions. */
extern void mp_plan_input_columns(const Plan *plan, Bitmapset **numbers);

/* Children that are neither outer nor inner: those of Append and others. */
extern List *mp_plan_members(const Plan *plan);

#endif
