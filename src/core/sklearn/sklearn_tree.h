/*
 * sklearn_tree.h: one tree of a document of scikit-learn's.
 */
#ifndef MP_CORE_SKLEARN_TREE_H
#define MP_CORE_SKLEARN_TREE_H

#include "core/draft/draft.h"
#include "core/text/doc.h"

/* What all trees of a document share. */
typedef struct MpSklearnRules
{
	int64_t		n_outputs;
	bool		vector_leaves;
	bool		has_missing;	/* nodes say where a missing value goes */
	const MpVec *known;			/* [n_features] MpSklearnCodes; empty: no categories */
	const MpVec *codes;			/* int32_t, of those */
	bool		has_infinite;	/* some threshold so far is Infinity */
	bool		has_largest;	/* some is DBL_MAX */
} MpSklearnRules;

/* The codes of a feature that were known in training, ascending; count 0: it is numeric. */
typedef struct MpSklearnCodes
{
	uint32_t	first;
	uint32_t	count;
} MpSklearnCodes;

/* The arrays of one tree, kept from tree to tree for their room. */
typedef struct MpSklearnTree
{
	MpVec		left;			/* int32_t per node; -1: a leaf */
	MpVec		right;
	MpVec		feature;		/* int32_t */
	MpVec		threshold;		/* double */
	MpVec		missing_left;	/* uint8_t */
	MpVec		value;			/* double: per node, or n_outputs per node */
	MpVec		cover;			/* double */
	MpVec		gain;			/* double */
	MpVec		set_nodes;		/* int32_t: splits by category, ascending */
	MpVec		set_ends;		/* uint32_t: where their codes end */
	MpVec		set_codes;		/* int32_t */
	/* scratch */
	MpVec		parents;		/* uint8_t: is a child */
	MpVec		stack;			/* int32_t */
	MpVec		right_codes;	/* int32_t */
	int64_t		output;
	size_t		offset;			/* of the tree in the file */
} MpSklearnTree;

extern void mp_sklearn_tree_init(MpSklearnTree *tree, MpAlloc *alloc);
extern void mp_sklearn_tree_release(MpSklearnTree *tree);

/* Reads a tree, checks it and appends it to the draft. */
extern bool mp_sklearn_tree_read(MpSklearnTree *tree, MpDoc *doc, MpDraft *draft,
								 MpSklearnRules *rules);

/* Appends an array of numbers as doubles; with `infinite`, "inf" may stand for one. */
extern bool mp_sklearn_doubles(MpDoc *doc, bool infinite, MpVec *out);

/* Appends category codes, which must ascend. */
extern bool mp_sklearn_codes(MpDoc *doc, MpVec *out);

#endif
