/*
 * test_objective.c: names, links and base scores. The links' bits are held
 * against XGBoost's recorded predictions elsewhere; here is what no recorded
 * model shows: versions, edges and refusals.
 */
#include "harness.h"
#include "core/forest/link.h"
#include "core/xgboost/objective.h"

#include <math.h>
#include <string.h>

static const int32_t v1_7[3] = {1, 7, 4};
static const int32_t v3_1[3] = {3, 1, 0};
static const int32_t v3_4[3] = {3, 4, 1};

static const MpObjective *
objective_of(const char *name)
{
	return mp_objective_find((MpString) {name, strlen(name)});
}

static MpForest
forest_of(const char *name, int n_outputs, const int32_t *version)
{
	return (MpForest) {
		.link = mp_objective_link(objective_of(name), version),
		.task = mp_objective_task(objective_of(name), n_outputs),
		.n_outputs = n_outputs
	};
}

MP_TEST(objective_names_both_ways)
{
	int			n = 0;

	for (; mp_objective_at(n) != NULL; n++)
		CHECK(objective_of(mp_objective_at(n)->name) == mp_objective_at(n));
	CHECK(n == 21);
	CHECK(mp_objective_find((MpString) {"reg:squarederro", 15}) == NULL);
	CHECK(mp_objective_find((MpString) {"", 0}) == NULL);
}

static float
base_of(const char *name, const int32_t *version, float score)
{
	MpError		error;

	return mp_objective_base_margin(objective_of(name), version, &score, 1, &error) ? score : NAN;
}

MP_TEST(objective_base_scores)
{
	CHECK(base_of("reg:squarederror", v1_7, 0.5f) == 0.5f);
	CHECK(base_of("binary:logistic", v1_7, 0.5f) == 0);
	CHECK(base_of("binary:logistic", v1_7, 0.2f) == -logf(1.0f / 0.2f - 1.0f));
	CHECK(base_of("binary:logitraw", v1_7, 0.5f) == 0.5f);
	CHECK(base_of("count:poisson", v1_7, 0.5f) == logf(0.5f));
	CHECK(base_of("reg:gamma", v3_4, 2.0f) == logf(2.0f));
	CHECK(base_of("survival:cox", v3_4, 1.0f) == 0);
}

MP_TEST(objective_base_score_limits_by_version)
{
	/* 3.2 began to take 0 and 1, and to keep a distance of 1e-6 */
	CHECK(isnan(base_of("binary:logistic", v1_7, 0)));
	CHECK(isnan(base_of("binary:logistic", v3_1, 1)));
	CHECK(base_of("binary:logistic", v3_4, 0) == -logf(1.0f / 1e-6f - 1.0f));
	CHECK(base_of("binary:logistic", v3_4, 1e-8f) == -logf(1.0f / 1e-6f - 1.0f));
	CHECK(base_of("binary:logistic", v3_1, 1e-8f) == -logf(1.0f / 1e-8f - 1.0f));
	CHECK(isnan(base_of("binary:logistic", v3_4, 1.5f)));
	CHECK(isnan(base_of("reg:gamma", v3_1, 0)));
	CHECK(base_of("reg:gamma", v1_7, 0) == -INFINITY);
	for (int i = 0; mp_objective_at(i) != NULL; i++)
	{
		CHECK(isnan(base_of(mp_objective_at(i)->name, v3_4, NAN)));
		CHECK(isnan(base_of(mp_objective_at(i)->name, v1_7, INFINITY)));
	}
}

MP_TEST(objective_expectiles_rise)
{
	MpForest	forest = forest_of("reg:expectileerror", 3, v3_4);
	float		scores[3] = {-1, 0.25f, 4};
	float		out[3];
	MpError		error;

	REQUIRE(mp_objective_base_margin(objective_of("reg:expectileerror"), v3_4, scores, 3, &error));
	CHECK(scores[0] == -1);
	mp_predict_from_margin(&forest, scores, out);
	CHECK(out[0] == -1);
	CHECK(fabsf(out[1] - 0.25f) < 1e-5f && fabsf(out[2] - 4) < 1e-5f);
}

MP_TEST(objective_quantiles_sorted_since_3_4)
{
	float		margin[3] = {2, 1, 3};
	float		out[3];
	MpForest	forest = forest_of("reg:quantileerror", 3, v3_4);

	mp_predict_from_margin(&forest, margin, out);
	CHECK(out[0] == 1 && out[1] == 2 && out[2] == 3);
	forest = forest_of("reg:quantileerror", 3, v3_1);
	mp_predict_from_margin(&forest, margin, out);
	CHECK(out[0] == 2 && out[1] == 1 && out[2] == 3);
}

MP_TEST(objective_links_at_the_edges)
{
	MpForest	hinge = forest_of("binary:hinge", 1, v1_7);
	MpForest	softmax = forest_of("multi:softmax", 3, v1_7);
	float		tie[3] = {1, 2, 2};
	float		one = 0;
	float		even[2] = {1000, 1000};

	CHECK(mp_sigmoid(0) == 0.5f);
	CHECK(mp_sigmoid(INFINITY) == 1);
	CHECK(mp_sigmoid(-INFINITY) > 0 && mp_sigmoid(-INFINITY) < 1e-38f);
	CHECK(isnan(mp_sigmoid(NAN)));
	mp_predict_from_margin(&hinge, &one, &one);
	CHECK(one == 0);
	mp_predict_from_margin(&softmax, tie, tie);	/* in place */
	CHECK(tie[0] == 1);
	mp_softmax(even, 2);
	CHECK(even[0] == 0.5f && even[1] == 0.5f);
}

MP_TEST(objective_tasks)
{
	MpForest	forest = forest_of("binary:logistic", 1, v1_7);

	CHECK(mp_forest_task(&forest, false) == MP_TASK_TWO_CLASSES);
	forest = forest_of("binary:logistic", 3, v1_7);
	CHECK(mp_forest_task(&forest, false) == MP_TASK_VALUES);
	forest = forest_of("reg:logistic", 1, v1_7);
	CHECK(mp_forest_task(&forest, false) == MP_TASK_VALUE);
	CHECK(mp_forest_task(&forest, true) == MP_TASK_TWO_CLASSES);
	forest = forest_of("multi:softmax", 4, v1_7);
	CHECK(mp_forest_task(&forest, false) == MP_TASK_CLASS);
	CHECK(mp_forest_n_predictions(&forest) == 1);
	forest = forest_of("multi:softprob", 4, v1_7);
	CHECK(mp_forest_task(&forest, false) == MP_TASK_CLASSES);
	CHECK(mp_forest_n_predictions(&forest) == 4);
}
