/*
 * finish.c: holds the parts of one of XGBoost's files against each other:
 * outputs and base scores, trees and rounds.
 */
#include "core/xgboost/finish.h"

#include <string.h>

static bool
settle_outputs(MpXgboostFile *file)
{
	if (file->num_class > 1 && file->num_target > 1)
		return mp_fail(file->draft->error, MP_ERROR_INVALID,
					   "%lld classes of %lld targets: XGBoost has no such models",
					   (long long) file->num_class, (long long) file->num_target);
	if (file->objective->task >= MP_TASK_CLASS && file->num_class < 1)
		return mp_fail(file->draft->error, MP_ERROR_INVALID, "objective \"%s\" without num_class",
					   file->objective->name);
	file->n_outputs = file->num_class > file->num_target ? file->num_class : file->num_target;
	return true;
}

/*
 * Whether the base score is a default that training would replace: since 3.1
 * XGBoost then takes it for a margin, whatever the objective's link.
 */
static bool
is_unfitted(const MpXgboostFile *file)
{
	const int32_t *version = file->draft->head.version;

	if (version[0] < 3 || (version[0] == 3 && version[1] < 1))
		return false;
	if (file->boost_from_average == 0)
		return false;
	if (file->booster == MP_BOOSTER_GBLINEAR)
		return file->boosted_rounds == 0;
	return file->draft->trees.size == 0;
}

/* One margin per output: a single base score counts for all of them. */
static bool
settle_base(MpXgboostFile *file)
{
	static const MpObjective margin_already = {.base = MP_BASE_PLAIN};
	size_t		n = mp_vec_count(&file->draft->base, float);
	float	   *scores;

	if (n == 1 && file->n_outputs > 1)
	{
		size_t		size = (size_t) (file->n_outputs - 1) * sizeof(float);

		if (mp_vec_add(&file->draft->base, size) == NULL)
			return mp_fail_memory(file->draft->error, size);
		scores = file->draft->base.data;
		for (int64_t k = 1; k < file->n_outputs; k++)
			scores[k] = scores[0];
	}
	else if (n != (uint64_t) file->n_outputs)
		return mp_fail(file->draft->error, MP_ERROR_INVALID,
					   "base_score has %zu values for %lld outputs", n,
					   (long long) file->n_outputs);
	return mp_objective_base_margin(is_unfitted(file) || file->base_is_margin ? &margin_already : file->objective,
									file->draft->head.version, file->draft->base.data,
									(int) file->n_outputs, file->draft->error);
}

static bool
check_linear(MpXgboostFile *file)
{
	size_t		expected = (size_t) (file->n_features + 1) * (size_t) file->n_outputs;
	size_t		n = mp_vec_count(&file->draft->weights, float);

	if (file->draft->trees.size > 0 || file->has_drop_weights)
		return mp_fail(file->draft->error, MP_ERROR_INVALID, "trees in a linear model");
	if (n != expected)
		return mp_fail(file->draft->error, MP_ERROR_INVALID,
					   "expected %zu weights for %lld features and %lld outputs, not %zu", expected,
					   (long long) file->n_features, (long long) file->n_outputs, n);
	return true;
}

static bool
settle_tree_outputs(MpXgboostFile *file, int32_t n_trees)
{
	MpTree	   *trees = file->draft->trees.data;
	const int32_t *outputs = file->tree_outputs.data;
	int64_t		n_outputs = file->leaf_size > 1 ? 1 : file->n_outputs;

	if (mp_vec_count(&file->tree_outputs, int32_t) != (size_t) n_trees)
		return mp_fail(file->draft->error, MP_ERROR_INVALID,
					   "expected %d elements in \"tree_info\", one for each tree, not %zu", n_trees,
					   mp_vec_count(&file->tree_outputs, int32_t));
	for (int32_t t = 0; t < n_trees; t++)
	{
		if (outputs[t] < 0 || outputs[t] >= n_outputs)
		{
			mp_fail(file->draft->error, MP_ERROR_INVALID, "tree for output %d of %lld",
					outputs[t], (long long) n_outputs);
			file->draft->error->tree = t;
			return false;
		}
		trees[t].output = outputs[t];
	}
	return true;
}

static bool
settle_tree_weights(MpXgboostFile *file, int32_t n_trees)
{
	MpTree	   *trees = file->draft->trees.data;
	size_t		n = mp_vec_count(&file->drop_weights, float);

	if (!file->has_drop_weights)
	{
		if (file->booster == MP_BOOSTER_DART && n_trees > 0)
			return mp_fail(file->draft->error, MP_ERROR_INVALID,
						   "field \"weight_drop\" is missing in the booster \"dart\"");
		return true;
	}
	if (n != (size_t) n_trees)
		return mp_fail(file->draft->error, MP_ERROR_INVALID,
					   "expected %d elements in \"weight_drop\", one for each tree, not %zu",
					   n_trees, n);
	for (int32_t t = 0; t < n_trees; t++)
		trees[t].weight = *mp_vec_at(&file->drop_weights, float, t);
	file->booster = MP_BOOSTER_DART;
	return true;
}

static bool
check_trees(MpXgboostFile *file, int32_t n_trees)
{
	if (file->has_weights)
		return mp_fail(file->draft->error, MP_ERROR_INVALID, "linear weights in a model of trees");
	if (file->num_trees != n_trees)
		return mp_fail(file->draft->error, MP_ERROR_INVALID,
					   "expected %lld trees, as num_trees says, not %d",
					   (long long) file->num_trees, n_trees);
	if (file->leaf_size > 1 && file->leaf_size != file->n_outputs)
		return mp_fail(file->draft->error, MP_ERROR_INVALID, "leaves of %lld outputs in a model of %lld",
					   (long long) file->leaf_size, (long long) file->n_outputs);
	if (file->trees_features > file->n_features)
	{
		mp_fail(file->draft->error, MP_ERROR_INVALID, "tree for %lld features in a model of %lld",
				(long long) file->trees_features, (long long) file->n_features);
		file->draft->error->tree = file->trees_features_at;
		return false;
	}
	return settle_tree_outputs(file, n_trees) && settle_tree_weights(file, n_trees);
}

/* --- rounds --- */

/* The rounds that the file states: each begins where the one before ends. */
static bool
check_round_starts(MpXgboostFile *file, int32_t n_trees)
{
	const int32_t *starts = file->round_starts.data;
	size_t		n = mp_vec_count(&file->round_starts, int32_t);

	if (starts[0] != 0 || starts[n - 1] != n_trees)
		return mp_fail(file->draft->error, MP_ERROR_INVALID,
					   "rounds from tree %d to %d in a model of %d trees",
					   starts[0], starts[n - 1], n_trees);
	for (size_t i = 1; i < n; i++)
	{
		if (starts[i] < starts[i - 1])
			return mp_fail(file->draft->error, MP_ERROR_INVALID,
						   "round %zu ends at tree %d, before tree %d", i,
						   starts[i], starts[i - 1]);
	}
	return true;
}

/*
 * Trees of one round, in files that do not state the rounds. Before 1.4 the
 * number of parallel trees is not there either, but where training stopped
 * early, best_ntree_limit is that many times best_iteration + 1. XGBoost counts
 * the outputs that have trees.
 */
static int64_t
trees_per_round(const MpXgboostFile *file, int32_t n_trees)
{
	const MpTree *trees = file->draft->trees.data;
	int64_t		parallel = file->num_parallel_tree;
	int32_t		last_output = 0;

	if (parallel == 0)
	{
		parallel = 1;
		if (file->draft->best_iteration >= 0 && file->best_ntree_limit > 0 &&
			file->best_ntree_limit % (file->draft->best_iteration + 1) == 0)
			parallel = file->best_ntree_limit / (file->draft->best_iteration + 1);
	}
	for (int32_t t = 0; t < n_trees; t++)
	{
		if (trees[t].output > last_output)
			last_output = trees[t].output;
	}
	return parallel * (last_output + 1);
}

/* Trees up to and with a round; n_rounds was found before. */
static int32_t
trees_up_to(const MpXgboostFile *file, int32_t n_trees, int64_t round)
{
	if (file->round_starts.size > 0)
		return *mp_vec_at(&file->round_starts, int32_t, round + 1);
	return (int32_t) (trees_per_round(file, n_trees) * (round + 1));
}

static bool
count_rounds(MpXgboostFile *file, int32_t n_trees, int32_t *n_rounds)
{
	int64_t		per_round;

	if (file->round_starts.size > 0)
	{
		*n_rounds = (int32_t) mp_vec_count(&file->round_starts, int32_t) - 1;
		return check_round_starts(file, n_trees);
	}
	per_round = trees_per_round(file, n_trees);
	if (n_trees % per_round != 0)
		return mp_fail(file->draft->error, MP_ERROR_INVALID, "%d trees are no whole rounds of %lld",
					   n_trees, (long long) per_round);
	*n_rounds = (int32_t) (n_trees / per_round);
	return true;
}

static bool
settle_rounds(MpXgboostFile *file, int32_t n_trees)
{
	MpForest   *head = &file->draft->head;
	bool		best;

	if (!count_rounds(file, n_trees, &head->n_rounds) ||
		!mp_draft_choose_rounds(file->draft, head->n_rounds, &best))
		return false;
	head->n_rounds_used = head->n_rounds;
	head->n_trees_used = n_trees;
	if (best && head->n_rounds > 0)
	{
		head->n_rounds_used = (int32_t) file->draft->best_iteration + 1;
		head->n_trees_used = trees_up_to(file, n_trees, file->draft->best_iteration);
	}
	return true;
}

static void
fill_head(const MpXgboostFile *file)
{
	MpForest   *head = &file->draft->head;

	head->library = MP_LIBRARY_XGBOOST;
	head->precision = MP_PRECISION_SINGLE;
	head->booster = file->booster;
	head->link = mp_objective_link(file->objective, head->version);
	head->task = mp_objective_task(file->objective, (int) file->n_outputs);
	head->n_outputs = (int32_t) file->n_outputs;
	head->vector_leaf = file->leaf_size > 1;
	file->draft->n_features = file->n_features;
}

bool
mp_xgboost_finish(MpXgboostFile *file)
{
	int32_t		n_trees = (int32_t) mp_vec_count(&file->draft->trees, MpTree);

	if (!settle_outputs(file) || !settle_base(file))
		return false;
	if (file->booster == MP_BOOSTER_GBLINEAR)
	{
		/* its weights are those of all rounds */
		if (!check_linear(file))
			return false;
	}
	else if (!check_trees(file, n_trees) || !settle_rounds(file, n_trees))
		return false;
	fill_head(file);
	return true;
}
