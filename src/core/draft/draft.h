/*
 * draft.h: a model while it is being read: the parts in the order of the file,
 * each checked in itself. mp_draft_finish holds them against each other and
 * makes the forest. Private to the loader.
 */
#ifndef MP_CORE_DRAFT_H
#define MP_CORE_DRAFT_H

#include "core/text/doc.h"
#include "core/load/load.h"
#include "core/xgboost/objective.h"

typedef struct MpSpan
{
	uint32_t	offset;			/* in strings */
	uint32_t	length;
} MpSpan;

/* categories that the file keeps for one feature */
typedef struct MpDraftCategories
{
	uint32_t	first;			/* in categories */
	uint32_t	count;
	bool		numbers;		/* the file holds them as whole numbers */
} MpDraftCategories;

typedef struct MpDraft
{
	MpAlloc    *alloc;
	MpError    *error;
	const MpLoadOptions *options;

	MpFormat	source;
	int32_t		version[3];
	int			booster;		/* MpBooster; -1: not read yet */
	const MpObjective *objective;	/* NULL: not read yet */
	MpSpan		objective_name;
	int64_t		n_features;
	int64_t		num_class;
	int64_t		num_target;
	int64_t		n_outputs;
	MpVec		base_scores;	/* float, as the file has them */
	int64_t		boost_from_average; /* not 0: without a round, they are but a default */

	int64_t		num_trees;		/* as the file says; -1: it does not */
	int64_t		num_parallel_tree;	/* 0: not said */
	MpVec		trees;			/* MpTree */
	MpVec		nodes;			/* MpNode */
	MpVec		gain;			/* float per node */
	MpVec		cover;
	MpVec		catsets;		/* MpCatSet */
	MpVec		catwords;
	MpVec		leaves;			/* float[][leaf_size] */
	MpVec		tree_outputs;	/* int32_t per tree */
	MpVec		round_starts;	/* int32_t: iteration_indptr; empty: not said */
	MpVec		drop_weights;	/* float per tree: dart */
	bool		has_drop_weights;
	MpVec		weights;		/* float: gblinear */
	int64_t		boosted_rounds;	/* of gblinear */
	bool		has_weights;
	int64_t		leaf_size;		/* 0: no tree yet */
	int64_t		trees_features; /* the most that a tree says it was made for */
	int32_t		trees_features_at;	/* that tree */
	bool		lacks_stats;	/* some tree came without gain and cover */
	bool		has_categorical;

	MpVec		strings;		/* char */
	MpVec		names;			/* MpSpan */
	MpVec		types;			/* uint8_t, MpFeatureType */
	MpVec		categories;		/* MpCategory */
	MpVec		category_features;	/* MpDraftCategories per feature; empty: none kept */

	int64_t		best_iteration; /* -1: not said */
	int64_t		best_ntree_limit;	/* -1: not said */
	MpModelInfo info;
} MpDraft;

/* in draft.c */
extern void mp_draft_init(MpDraft *draft, MpAlloc *alloc, const MpLoadOptions *options,
						  MpError *error);
extern void mp_draft_release(MpDraft *draft);
extern bool mp_draft_string(MpDraft *draft, MpString text, MpSpan *span);
extern bool mp_draft_base_scores(MpDraft *draft, MpString text);
extern bool mp_draft_objective(MpDraft *draft, MpString name);
extern bool mp_draft_booster(MpDraft *draft, MpString name);
extern bool mp_draft_attribute(MpDraft *draft, MpString name, MpString value);

/* in draft_finish.c */
extern bool mp_draft_finish(MpDraft *draft, MpForest **forest);

/*
 * in draft_features.c: holds names, types and categories against each other and
 * against what the caller gives; then, once num_feature is checked against the
 * trees, writes them.
 */
extern bool mp_draft_settle_features(MpDraft *draft);
extern bool mp_draft_write_features(MpDraft *draft, MpForest *forest);

/*
 * The arrays of one tree, as documents hold them. mp_tree_add checks them and
 * appends the tree; gain and cover were appended to the draft already.
 */
typedef struct MpTreeParts
{
	MpVec		left;			/* int32_t, like the next three */
	MpVec		right;
	MpVec		parent;
	MpVec		feature;
	MpVec		condition;		/* float */
	MpVec		default_left;	/* uint8_t */
	MpVec		split_type;		/* uint8_t; empty: all numeric */
	MpVec		node_vectors;	/* float: base_weights, where they are the leaves */
	MpVec		leaf_vectors;	/* float: leaf_weights */
	MpVec		categories;		/* int32_t */
	MpVec		cat_nodes;		/* int32_t */
	MpVec		cat_starts;		/* int64_t */
	MpVec		cat_sizes;		/* int64_t */
	int64_t		num_nodes;
	int64_t		num_feature;
	int64_t		num_deleted;	/* -1: not said */
	int64_t		leaf_size;
	int64_t		id;				/* -1: not said */
	bool		has_split_type;
	bool		has_leaf_vectors;
	bool		has_gain;
	bool		has_cover;
	size_t		offset;			/* of the tree in the file */
	size_t		weights_pos;	/* of the value of base_weights; 0: not there */
} MpTreeParts;

extern void mp_tree_parts_init(MpTreeParts *parts, MpAlloc *alloc);
extern void mp_tree_parts_clear(MpTreeParts *parts);	/* for the next tree */
extern void mp_tree_parts_release(MpTreeParts *parts);
extern bool mp_tree_add(MpDraft *draft, MpTreeParts *parts);

/* in load_tree.c, load_categories.c, load_document.c, load_binary.c */
extern bool mp_load_tree(MpDoc *doc, MpDraft *draft, MpTreeParts *parts);
extern bool mp_load_categories(MpDoc *doc, MpDraft *draft);
extern bool mp_load_document(MpDoc *doc, MpDraft *draft);
extern bool mp_load_binary(MpDraft *draft, const void *data, size_t size);

/* in sniff.c: the format of the bytes; fails with what they look like instead */
extern bool mp_sniff(const void *data, size_t size, MpFormat *format, MpError *error);

/* A parameter, which documents keep as text: "num_feature":"8". */
extern bool mp_doc_parameter(MpDoc *doc, int64_t low, int64_t high, int64_t *value);

#endif
