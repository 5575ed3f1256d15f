/*
 * file.h: what only XGBoost's files say of a model, while one is read.
 */
#ifndef MP_CORE_XGBOOST_FILE_H
#define MP_CORE_XGBOOST_FILE_H

#include "core/draft/draft.h"
#include "core/xgboost/objective.h"

typedef struct MpXgboostFile
{
	MpDraft    *draft;
	const MpObjective *objective;	/* NULL: not read yet */
	int			booster;		/* MpBoosterKind; -1: not read yet */
	int64_t		n_features;
	int64_t		num_class;
	int64_t		num_target;
	int64_t		n_outputs;
	bool		base_is_margin; /* already, as the file has it */
	int64_t		boost_from_average; /* not 0: without a round, they are but a default */
	int64_t		num_trees;		/* as the file says; -1: it does not */
	int64_t		num_parallel_tree;	/* 0: not said */
	MpVec		tree_outputs;	/* int32_t per tree */
	MpVec		round_starts;	/* int32_t: iteration_indptr; empty: not said */
	MpVec		drop_weights;	/* float per tree: dart */
	bool		has_drop_weights;
	bool		has_weights;	/* of gblinear */
	int64_t		boosted_rounds;	/* of gblinear */
	int64_t		leaf_size;		/* 0: no tree yet */
	int64_t		trees_features; /* the most that a tree says it was made for */
	int32_t		trees_features_at;	/* that tree */
	int64_t		best_ntree_limit;	/* -1: not said */
} MpXgboostFile;

extern void mp_xgboost_file_init(MpXgboostFile *file, MpDraft *draft);
extern void mp_xgboost_file_release(MpXgboostFile *file);

/* parts that every format has, each taken as text */
extern bool mp_xgboost_base_scores(MpXgboostFile *file, MpString text);
extern bool mp_xgboost_objective(MpXgboostFile *file, MpString name);
extern bool mp_xgboost_booster(MpXgboostFile *file, MpString name);
extern bool mp_xgboost_attribute(MpXgboostFile *file, MpString name, MpString value);

#endif
