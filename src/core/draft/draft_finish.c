/*
 * draft_finish.c: holds the parts of a model against each other and makes the
 * forest, not sealed yet.
 */
#include "core/draft/draft.h"

#include <string.h>

static bool
settle_outputs(MpDraft *draft)
{
	if (draft->num_class > 1 && draft->num_target > 1)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "%lld classes of %lld targets: XGBoost has no such models",
					   (long long) draft->num_class, (long long) draft->num_target);
	if (draft->objective->task >= MP_TASK_CLASS && draft->num_class < 1)
		return mp_fail(draft->error, MP_ERROR_INVALID, "objective \"%s\" without num_class",
					   draft->objective->name);
	draft->n_outputs = draft->num_class > draft->num_target ? draft->num_class : draft->num_target;
	return true;
}

/*
 * Whether the base score is a default that training would replace: since 3.1
 * XGBoost then takes it for a margin, whatever the objective's link.
 */
static bool
is_unfitted(const MpDraft *draft)
{
	if (draft->version[0] < 3 || (draft->version[0] == 3 && draft->version[1] < 1))
		return false;
	if (draft->boost_from_average == 0)
		return false;
	if (draft->booster == MP_BOOSTER_GBLINEAR)
		return draft->boosted_rounds == 0;
	return draft->trees.size == 0;
}

/* One margin per output: a single base score counts for all of them. */
static bool
settle_base(MpDraft *draft)
{
	static const MpObjective margin_already = {.base = MP_BASE_PLAIN};
	size_t		n = mp_vec_count(&draft->base_scores, float);
	float	   *scores;

	if (n == 1 && draft->n_outputs > 1)
	{
		size_t		size = (size_t) (draft->n_outputs - 1) * sizeof(float);

		if (mp_vec_add(&draft->base_scores, size) == NULL)
			return mp_fail_memory(draft->error, size);
		scores = draft->base_scores.data;
		for (int64_t k = 1; k < draft->n_outputs; k++)
			scores[k] = scores[0];
	}
	else if (n != (uint64_t) draft->n_outputs)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "base_score has %zu values for %lld outputs", n,
					   (long long) draft->n_outputs);
	return mp_objective_base_margin(is_unfitted(draft) ? &margin_already : draft->objective,
									draft->version, draft->base_scores.data,
									(int) draft->n_outputs, draft->error);
}

static bool
check_linear(MpDraft *draft)
{
	size_t		expected = (size_t) (draft->n_features + 1) * (size_t) draft->n_outputs;
	size_t		n = mp_vec_count(&draft->weights, float);

	if (draft->trees.size > 0 || draft->has_drop_weights)
		return mp_fail(draft->error, MP_ERROR_INVALID, "trees in a linear model");
	if (n != expected)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "expected %zu weights for %lld features and %lld outputs, not %zu", expected,
					   (long long) draft->n_features, (long long) draft->n_outputs, n);
	return true;
}

static bool
settle_tree_outputs(MpDraft *draft, int32_t n_trees)
{
	MpTree	   *trees = draft->trees.data;
	const int32_t *outputs = draft->tree_outputs.data;
	int64_t		n_outputs = draft->leaf_size > 1 ? 1 : draft->n_outputs;

	if (mp_vec_count(&draft->tree_outputs, int32_t) != (size_t) n_trees)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "expected %d elements in \"tree_info\", one for each tree, not %zu", n_trees,
					   mp_vec_count(&draft->tree_outputs, int32_t));
	for (int32_t t = 0; t < n_trees; t++)
	{
		if (outputs[t] < 0 || outputs[t] >= n_outputs)
		{
			mp_fail(draft->error, MP_ERROR_INVALID, "tree for output %d of %lld",
					outputs[t], (long long) n_outputs);
			draft->error->tree = t;
			return false;
		}
		trees[t].output = outputs[t];
	}
	return true;
}

static bool
settle_tree_weights(MpDraft *draft, int32_t n_trees)
{
	MpTree	   *trees = draft->trees.data;
	size_t		n = mp_vec_count(&draft->drop_weights, float);

	if (!draft->has_drop_weights)
	{
		if (draft->booster == MP_BOOSTER_DART && n_trees > 0)
			return mp_fail(draft->error, MP_ERROR_INVALID,
						   "field \"weight_drop\" is missing in the booster \"dart\"");
		return true;
	}
	if (n != (size_t) n_trees)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "expected %d elements in \"weight_drop\", one for each tree, not %zu",
					   n_trees, n);
	for (int32_t t = 0; t < n_trees; t++)
		trees[t].weight = *mp_vec_at(&draft->drop_weights, float, t);
	draft->booster = MP_BOOSTER_DART;
	return true;
}

static bool
check_trees(MpDraft *draft, int32_t n_trees)
{
	if (draft->has_weights)
		return mp_fail(draft->error, MP_ERROR_INVALID, "linear weights in a model of trees");
	if (draft->num_trees != n_trees)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "expected %lld trees, as num_trees says, not %d",
					   (long long) draft->num_trees, n_trees);
	if (draft->leaf_size > 1 && draft->leaf_size != draft->n_outputs)
		return mp_fail(draft->error, MP_ERROR_INVALID, "leaves of %lld outputs in a model of %lld",
					   (long long) draft->leaf_size, (long long) draft->n_outputs);
	if (draft->trees_features > draft->n_features)
	{
		mp_fail(draft->error, MP_ERROR_INVALID, "tree for %lld features in a model of %lld",
				(long long) draft->trees_features, (long long) draft->n_features);
		draft->error->tree = draft->trees_features_at;
		return false;
	}
	return settle_tree_outputs(draft, n_trees) && settle_tree_weights(draft, n_trees);
}

/* --- rounds --- */

/* The rounds that the file states: each begins where the one before ends. */
static bool
check_round_starts(MpDraft *draft, int32_t n_trees)
{
	const int32_t *starts = draft->round_starts.data;
	size_t		n = mp_vec_count(&draft->round_starts, int32_t);

	if (starts[0] != 0 || starts[n - 1] != n_trees)
		return mp_fail(draft->error, MP_ERROR_INVALID,
					   "rounds from tree %d to %d in a model of %d trees",
					   starts[0], starts[n - 1], n_trees);
	for (size_t i = 1; i < n; i++)
	{
		if (starts[i] < starts[i - 1])
			return mp_fail(draft->error, MP_ERROR_INVALID,
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
trees_per_round(const MpDraft *draft, int32_t n_trees)
{
	const MpTree *trees = draft->trees.data;
	int64_t		parallel = draft->num_parallel_tree;
	int32_t		last_output = 0;

	if (parallel == 0)
	{
		parallel = 1;
		if (draft->best_iteration >= 0 && draft->best_ntree_limit > 0 &&
			draft->best_ntree_limit % (draft->best_iteration + 1) == 0)
			parallel = draft->best_ntree_limit / (draft->best_iteration + 1);
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
trees_up_to(const MpDraft *draft, int32_t n_trees, int64_t round)
{
	if (draft->round_starts.size > 0)
		return *mp_vec_at(&draft->round_starts, int32_t, round + 1);
	return (int32_t) (trees_per_round(draft, n_trees) * (round + 1));
}

static bool
count_rounds(MpDraft *draft, int32_t n_trees, int32_t *n_rounds)
{
	int64_t		per_round;

	if (draft->round_starts.size > 0)
	{
		*n_rounds = (int32_t) mp_vec_count(&draft->round_starts, int32_t) - 1;
		return check_round_starts(draft, n_trees);
	}
	per_round = trees_per_round(draft, n_trees);
	if (n_trees % per_round != 0)
		return mp_fail(draft->error, MP_ERROR_INVALID, "%d trees are no whole rounds of %lld",
					   n_trees, (long long) per_round);
	*n_rounds = (int32_t) (n_trees / per_round);
	return true;
}

/* auto: whether predictions of Python stop at best_iteration depends on what called them */
static bool
choose_rounds(MpDraft *draft, int32_t n_rounds, bool *best)
{
	MpTreesOption option = draft->options->trees;
	long long	round = (long long) draft->best_iteration;

	*best = option == MP_TREES_BEST;
	if (*best && round < 0)
	{
		mp_fail(draft->error, MP_ERROR_OPTION, "the model has no best_iteration to stop after");
		mp_error_hint(draft->error, "Use trees => 'all'.");
		return false;
	}
	if (round >= n_rounds && n_rounds > 0 && option != MP_TREES_ALL)
	{
		mp_fail(draft->error, *best ? MP_ERROR_OPTION : MP_ERROR_AMBIGUOUS,
				"best_iteration is %lld in a model of %d rounds", round, n_rounds);
		mp_error_hint(draft->error, "Use trees => 'all' if all rounds are to count.");
		return false;
	}
	if (option != MP_TREES_AUTO || round < 0 || round >= n_rounds - 1)
		return true;
	if (draft->info.has_scikit_learn)
	{
		*best = true;
		return true;
	}
	mp_fail(draft->error, MP_ERROR_AMBIGUOUS,
			"the model has %d rounds and best_iteration %lld, and does not tell which count",
			n_rounds, round);
	mp_error_detail(draft->error,
					"Booster.predict uses all, scikit-learn's predict stops after round %lld.",
					round);
	mp_error_hint(draft->error, "Say trees => 'all' or trees => 'best', whichever your predictions "
				  "in Python used.");
	return false;
}

static bool
settle_rounds(MpDraft *draft, MpForest *forest)
{
	bool		best;

	if (draft->booster == MP_BOOSTER_GBLINEAR)
		return true;			/* its weights are those of all rounds */
	if (!count_rounds(draft, forest->n_trees, &forest->n_rounds) ||
		!choose_rounds(draft, forest->n_rounds, &best))
		return false;
	forest->n_rounds_used = forest->n_rounds;
	forest->n_trees_used = forest->n_trees;
	if (best && forest->n_rounds > 0)
	{
		forest->n_rounds_used = (int32_t) draft->best_iteration + 1;
		forest->n_trees_used = trees_up_to(draft, forest->n_trees, draft->best_iteration);
	}
	return true;
}

/* --- the forest --- */

/* Moves a vector to its section. */
static void
move_section(MpForest *forest, MpSectionId id, MpVec *vec)
{
	if (vec->size > 0)
		memcpy((char *) forest + forest->sections[id].offset, vec->data, vec->size);
	mp_vec_release(vec);
}

static void
fill_header(const MpDraft *draft, MpForest *forest)
{
	memcpy(forest->version, draft->version, sizeof(forest->version));
	forest->source = draft->source;
	forest->booster = draft->booster;
	forest->library = MP_LIBRARY_XGBOOST;
	forest->precision = MP_PRECISION_SINGLE;
	forest->link = mp_objective_link(draft->objective, draft->version);
	forest->link_factor = 1;
	forest->divisor = 1;
	forest->task = mp_objective_task(draft->objective, (int) draft->n_outputs);
	forest->objective = draft->objective_name.offset;
	forest->objective_length = draft->objective_name.length;
	forest->n_features = (int32_t) draft->n_features;
	forest->n_outputs = (int32_t) draft->n_outputs;
	forest->n_trees = (int32_t) mp_vec_count(&draft->trees, MpTree);
	forest->best_iteration = (int32_t) draft->best_iteration;
	forest->vector_leaf = draft->leaf_size > 1;
	forest->has_categorical = draft->has_categorical;
	forest->has_stats = !draft->lacks_stats && draft->booster != MP_BOOSTER_GBLINEAR;
	forest->n_feature_names = (uint32_t) mp_vec_count(&draft->names, MpSpan);
}

/* Bytes of each section. */
static void
measure(const MpDraft *draft, uint64_t *sizes)
{
	sizes[MP_SECTION_BASE] = draft->base_scores.size;
	sizes[MP_SECTION_FEATURES] = (uint64_t) draft->n_features * sizeof(MpFeature);
	sizes[MP_SECTION_CATEGORIES] = draft->categories.size;
	sizes[MP_SECTION_STRINGS] = draft->strings.size;
	sizes[MP_SECTION_TREES] = draft->trees.size;
	sizes[MP_SECTION_NODES] = draft->nodes.size;
	sizes[MP_SECTION_CATSETS] = draft->catsets.size;
	sizes[MP_SECTION_CATWORDS] = draft->catwords.size;
	sizes[MP_SECTION_LEAVES] = draft->leaves.size;
	sizes[MP_SECTION_WEIGHTS] = draft->weights.size;
	sizes[MP_SECTION_GAIN] = draft->gain.size;
	sizes[MP_SECTION_COVER] = draft->cover.size;
	sizes[MP_SECTION_VALUES] = 0;
	sizes[MP_SECTION_NUMBERS] = 0;
	sizes[MP_SECTION_LINEAR] = 0;
	sizes[MP_SECTION_TERMS] = 0;
}

static bool
build(MpDraft *draft, const MpForest *header, MpForest **result)
{
	uint64_t	sizes[MP_SECTION_COUNT];
	MpForest   *forest;

	measure(draft, sizes);
	forest = mp_forest_new(&draft->nodes, header, sizes, draft->error);
	if (forest == NULL)
		return false;
	*result = forest;			/* the caller releases it in any case */
	if (!mp_draft_write_features(draft, forest))
		return false;
	move_section(forest, MP_SECTION_BASE, &draft->base_scores);
	move_section(forest, MP_SECTION_CATEGORIES, &draft->categories);
	move_section(forest, MP_SECTION_STRINGS, &draft->strings);
	move_section(forest, MP_SECTION_TREES, &draft->trees);
	move_section(forest, MP_SECTION_CATSETS, &draft->catsets);
	move_section(forest, MP_SECTION_CATWORDS, &draft->catwords);
	move_section(forest, MP_SECTION_LEAVES, &draft->leaves);
	move_section(forest, MP_SECTION_WEIGHTS, &draft->weights);
	if (draft->lacks_stats)
	{
		memset(draft->gain.data, 0, draft->gain.size);
		memset(draft->cover.data, 0, draft->cover.size);
	}
	move_section(forest, MP_SECTION_GAIN, &draft->gain);
	move_section(forest, MP_SECTION_COVER, &draft->cover);
	return true;
}

bool
mp_draft_finish(MpDraft *draft, MpForest **forest)
{
	MpForest	header;
	bool		linear = draft->booster == MP_BOOSTER_GBLINEAR;
	int32_t		n_trees = (int32_t) mp_vec_count(&draft->trees, MpTree);

	memset(&header, 0, sizeof(header));
	if (!settle_outputs(draft) || !settle_base(draft))
		return false;
	if (!(linear ? check_linear(draft) : check_trees(draft, n_trees)))
		return false;
	if (!mp_draft_settle_features(draft))
		return false;
	fill_header(draft, &header);
	return settle_rounds(draft, &header) && build(draft, &header, forest);
}
