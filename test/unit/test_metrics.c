/*
 * test_metrics.c: exact sums, sorting, rankings, bins and hashes. What the
 * measures themselves are is held against scikit-learn, by oracles/metrics.py.
 */
#include "harness.h"
#include "core/metrics/agreement.h"
#include "core/metrics/bins.h"
#include "core/metrics/binary.h"
#include "core/metrics/classes.h"
#include "core/metrics/curves.h"
#include "core/metrics/drift.h"
#include "core/metrics/keys.h"
#include "core/metrics/murmur3.h"
#include "core/metrics/regression.h"

#include <float.h>
#include <stdlib.h>

/*
 * As a memory context: states have no end of their own, all that was taken for
 * them is released at once. Refuses the `fail_at`-th request (0: none).
 */
typedef struct Pool
{
	MpAlloc		alloc;
	void	   *blocks[1000];
	size_t		n_blocks;
	size_t		n_requests;
	size_t		fail_at;
} Pool;

static void *
pool_resize(MpAlloc *alloc, void *block, size_t size)
{
	Pool	   *pool = (Pool *) alloc;
	void	   *resized;
	size_t		i = 0;

	if (++pool->n_requests == pool->fail_at || pool->n_blocks == 1000)
		return NULL;
	resized = realloc(block, size);
	while (i < pool->n_blocks && pool->blocks[i] != block)
		i++;
	if (i == pool->n_blocks)
		pool->n_blocks++;
	pool->blocks[i] = resized;
	return resized;
}

static void
pool_release(MpAlloc *alloc, void *block)
{
	Pool	   *pool = (Pool *) alloc;
	size_t		i = 0;

	while (pool->blocks[i] != block)
		i++;
	pool->blocks[i] = pool->blocks[--pool->n_blocks];
	free(block);
}

static void
pool_begin(Pool *pool, size_t fail_at)
{
	memset(pool, 0, sizeof(Pool));
	pool->alloc.resize = pool_resize;
	pool->alloc.release = pool_release;
	pool->fail_at = fail_at;
}

static void
pool_end(Pool *pool)
{
	while (pool->n_blocks > 0)
		free(pool->blocks[--pool->n_blocks]);
}

static double
sum_of(const double *x, int n, bool backwards)
{
	MpSum		sum;
	double		value;

	mp_sum_begin(&sum, &mp_alloc_malloc);
	for (int i = 0; i < n; i++)
		CHECK(mp_sum_add(&sum, x[backwards ? n - 1 - i : i]));
	value = mp_sum_value(&sum);
	mp_sum_end(&sum);
	return value;
}

#define SUM(...) \
	sum_of((double[]) {__VA_ARGS__}, sizeof((double[]) {__VA_ARGS__}) / sizeof(double), false)

MP_TEST(metrics_sum)
{
	CHECK(SUM(1e100, 1, -1e100) == 1);
	CHECK(SUM(1, 1e100, 1, -1e100) == 2);
	CHECK(SUM(DBL_MAX, DBL_MAX, -DBL_MAX, -DBL_MAX, DBL_TRUE_MIN) == DBL_TRUE_MIN);
	CHECK(SUM(DBL_MAX, DBL_MAX) == INFINITY);
	CHECK(SUM(-3, 1) == -2);
	CHECK(SUM(0, -0.0) == 0);
	/* half of the last place goes to the even neighbor, more than half away from it */
	CHECK(SUM(1, DBL_EPSILON / 2) == 1);
	CHECK(SUM(1, DBL_EPSILON / 2, DBL_TRUE_MIN) == 1 + DBL_EPSILON);
	CHECK(SUM(1 + DBL_EPSILON, DBL_EPSILON / 2) == 1 + 2 * DBL_EPSILON);
	CHECK(SUM(-1, -DBL_EPSILON / 2, -DBL_TRUE_MIN) == -1 - DBL_EPSILON);
	CHECK(SUM(INFINITY, 1, -1e300) == INFINITY);
	CHECK(isnan(SUM(INFINITY, -INFINITY)));
	CHECK(SUM(0x1p64, 0x1p32, 1, -0x1p64, -0x1p32) == 1);
}

MP_TEST(metrics_sum_order)
{
	double		x[2000];

	srand(1);
	for (int i = 0; i < 2000; i++)
		x[i] = ldexp(rand() / (double) RAND_MAX - 0.5, rand() % 200 - 100);
	CHECK(sum_of(x, 2000, false) == sum_of(x, 2000, true));
}

/* (2^53 - 1)^3 and the like have more digits than any double. */
MP_TEST(metrics_sum_products)
{
	MpSum		sum;
	double		big = 0x1p53 - 1;

	mp_sum_begin(&sum, &mp_alloc_malloc);
	CHECK(mp_sum_add_product(&sum, (double[]) {big, big, big}, 3));
	/* (2^53 - 1)^3 = 2^159 - 3 * 2^106 + 3 * 2^53 - 1 */
	CHECK(mp_sum_add(&sum, -0x1p159) && mp_sum_add(&sum, 3 * 0x1p106) &&
		  mp_sum_add(&sum, -3 * 0x1p53));
	CHECK(mp_sum_value(&sum) == -1);
	CHECK(mp_sum_add_product(&sum, (double[]) {1e-300, -1e-300}, 2));
	CHECK(mp_sum_add(&sum, 1));
	CHECK(mp_sum_value(&sum) == 0 || mp_sum_value(&sum) == -DBL_TRUE_MIN);
	CHECK(mp_sum_add_product(&sum, (double[]) {1e-300, 1e-300}, 2));
	CHECK(mp_sum_value(&sum) == 0);
	CHECK(mp_sum_add_product(&sum, (double[]) {0, 5}, 2) && mp_sum_value(&sum) == 0);
	CHECK(mp_sum_add_product(&sum, (double[]) {INFINITY, 0}, 2) && isnan(mp_sum_value(&sum)));
	mp_sum_end(&sum);
}

/* The variance of 1e15, 1e15 + 1, 1e15 + 2, of which any double loses the squares. */
MP_TEST(metrics_sum_deviation)
{
	MpSum		w;
	MpSum		x;
	MpSum		xx;
	MpSum		copy;
	MpVec		bytes = {&mp_alloc_malloc};
	MpString	in;
	double		deviation;

	mp_sum_begin(&w, &mp_alloc_malloc);
	mp_sum_begin(&x, &mp_alloc_malloc);
	mp_sum_begin(&xx, &mp_alloc_malloc);
	mp_sum_begin(&copy, &mp_alloc_malloc);
	for (int i = 0; i < 3; i++)
	{
		double		value = -1e15 - i;

		CHECK(mp_sum_add(&w, 1) && mp_sum_add(&x, value) &&
			  mp_sum_add_product(&xx, (double[]) {value, value}, 2));
	}
	CHECK(mp_sum_deviation(&w, &x, &x, &xx, &deviation) && deviation == 2);
	CHECK(mp_sum_value(&x) == -3e15 - 3);
	CHECK(mp_sum_write(&x, &bytes));
	in = (MpString) {bytes.data, bytes.size};
	CHECK(mp_sum_read(&copy, &in) && in.length == 0 && mp_sum_value(&copy) == -3e15 - 3);
	in = (MpString) {bytes.data, bytes.size - 1};
	CHECK(!mp_sum_read(&copy, &in));
	CHECK(mp_sum_subtract_sum(&x, &x) && mp_sum_value(&x) == 0);
	mp_sum_end(&w);
	mp_sum_end(&x);
	mp_sum_end(&xx);
	mp_sum_end(&copy);
	mp_vec_release(&bytes);
}

static int
compare64(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

MP_TEST(metrics_sort)
{
	enum {N = 20000};
	static uint64_t want[N];
	static uint64_t keys[N];
	static uint32_t small[N];
	static MpKeyPair pairs[N];

	srand(2);
	for (int spread = 1; spread <= 64; spread += 9)
	{
		bool		sorted = true;

		for (int i = 0; i < N; i++)
		{
			want[i] = keys[i] = ((uint64_t) rand() << 40 ^ (uint64_t) rand() << 20 ^ rand()) >>
				(64 - spread);
			small[i] = (uint32_t) (keys[i] >> (spread > 32 ? spread - 32 : 0));
			pairs[i] = (MpKeyPair) {keys[i] % 3, keys[i]};
		}
		qsort(want, N, sizeof(uint64_t), compare64);
		mp_sort_keys64(keys, N, &mp_alloc_malloc);
		mp_sort_keys32(small, N, &mp_alloc_malloc);
		mp_sort_pairs(pairs, N, &mp_alloc_malloc);
		CHECK(memcmp(want, keys, sizeof(keys)) == 0);
		for (int i = 0; i < N; i++)
			sorted = sorted && small[i] == (uint32_t) (want[i] >> (spread > 32 ? spread - 32 : 0));
		for (int i = 1; i < N; i++)
			sorted = sorted && (pairs[i - 1].first < pairs[i].first ||
								(pairs[i - 1].first == pairs[i].first &&
								 pairs[i - 1].second <= pairs[i].second));
		CHECK_SAY(sorted, "keys of %d bits", spread);
	}
	mp_sort_keys64(keys, 0, &mp_alloc_malloc);
}

MP_TEST(metrics_keys)
{
	double		x[] = {-INFINITY, -DBL_MAX, -1, -DBL_TRUE_MIN, 0, DBL_TRUE_MIN, 1, 1 + DBL_EPSILON,
	INFINITY};
	float		y[] = {-INFINITY, -FLT_MAX, -1, -1e-45f, 0, 1e-45f, 1, 1 + FLT_EPSILON, INFINITY};

	for (int i = 0; i < 9; i++)
	{
		CHECK(mp_double_of_key(mp_key_of_double(x[i])) == x[i]);
		CHECK(mp_float_of_key(mp_key_of_float(y[i])) == y[i]);
		CHECK(i == 0 || mp_key_of_double(x[i - 1]) < mp_key_of_double(x[i]));
		CHECK(i == 0 || mp_key_of_float(y[i - 1]) < mp_key_of_float(y[i]));
	}
	CHECK(mp_key_of_double(-0.0) == mp_key_of_double(0));
	CHECK(mp_key_of_float(-0.0f) == mp_key_of_float(0));
}

MP_TEST(metrics_murmur3)
{
	/* of the reference implementation */
	CHECK(mp_murmur3("", 0, 0) == 0);
	CHECK(mp_murmur3("", 0, 1) == 0x514e28b7);
	CHECK(mp_murmur3("\xff\xff\xff\xff", 4, 0) == 0x76293b50);
	CHECK(mp_murmur3("!Ce\x87", 4, 0) == 0xf55b516b);
	CHECK(mp_murmur3("!Ce", 3, 0) == 0x7e4a8634);
	CHECK(mp_murmur3("!C", 2, 0) == 0xa0f7b07a);
	CHECK(mp_murmur3("!", 1, 0) == 0x72661cf4);
	CHECK(mp_murmur3("aaaa", 4, 0x9747b28c) == 0x5a97808a);
	CHECK(mp_murmur3("Hello, world!", 13, 0x9747b28c) == 0x24884cba);
}

MP_TEST(metrics_bins)
{
	MpBinning	binning;
	MpBinningMaker maker;

	/* as numpy.searchsorted(numpy.linspace(0, 1, 11)[1:-1], x) */
	CHECK(mp_equal_bin(0, 10) == 0 && mp_equal_bin(0.1, 10) == 0 && mp_equal_bin(1, 10) == 9);
	CHECK(mp_equal_bin(nextafter(0.1, 1), 10) == 1);
	CHECK(mp_equal_bin(0.3, 10) == 2 && mp_equal_bin(0.30000000000000004, 10) == 2);
	CHECK(mp_equal_bin(0.30000000000000010, 10) == 3);

	mp_binning_begin(&maker, &binning, 6, 3);
	mp_binning_add(&maker, 3, 1);
	mp_binning_add(&maker, 5, 2);
	mp_binning_add(&maker, 9, 3);
	CHECK(binning.listed && binning.n == 3);
	CHECK(mp_binning_find(&binning, 5) == 1 && mp_binning_find(&binning, 9) == 2);
	CHECK(mp_binning_find(&binning, 4) == 3);

	/* 0 to 19, but half of all rows are of 7: five tenths are reached there */
	mp_binning_begin(&maker, &binning, 38, 20);
	for (int i = 0; i < 20; i++)
		mp_binning_add(&maker, i, i == 7 ? 19 : 1);
	CHECK(!binning.listed);
	CHECK(binning.keys[0] == 3 && binning.keys[1] == 7);
	CHECK(mp_binning_find(&binning, 3) == 0 && mp_binning_find(&binning, 4) == 1);
	CHECK(mp_binning_find(&binning, 7) == 1 && mp_binning_find(&binning, 8) == 2);
	CHECK(mp_binning_find(&binning, 100) == binning.n - 1);

	CHECK(mp_psi((double[]) {1, 1}, (double[]) {2, 2}, 2) == 0);
	CHECK(fabs(mp_psi((double[]) {1, 0}, (double[]) {1, 1}, 2) -
			   (0.5 * log(2) + (0.0001 - 0.5) * log(0.0001 / 0.5))) < 1e-15);
	CHECK(mp_js_distance((double[]) {1, 0}, (double[]) {0, 7}, 2) == 1);
	CHECK(isnan(mp_psi((double[]) {0, 0}, (double[]) {1, 1}, 2)));
}

/* Merged in whatever parts, and sent as bytes, the answer is the same. */
MP_TEST(metrics_merge)
{
	MpRanking	whole;
	MpRanking	parts[3];
	MpBinaryMeasures want;
	MpBinaryMeasures got;
	MpVec		bytes = {NULL};
	MpString	in;
	Pool		pool;

	pool_begin(&pool, 0);
	bytes.alloc = &pool.alloc;
	srand(3);
	mp_ranking_begin(&whole, false, &pool.alloc);
	for (int p = 0; p < 3; p++)
		mp_ranking_begin(&parts[p], false, &pool.alloc);
	for (int i = 0; i < 3000; i++)
	{
		/* just the last part has scores that are no floats */
		double		score = i < 2000 ? (float) (rand() % 1000) / 1000.0f : rand() % 1000 / 1000.0;
		bool		outcome = rand() % 1000 < score * 1000;

		CHECK(mp_ranking_add(&whole, outcome, score, 1));
		CHECK(mp_ranking_add(&parts[i / 1000], outcome, score, 1));
	}
	CHECK(parts[0].kind == MP_RANKING_FLOATS && whole.kind == MP_RANKING_DOUBLES);
	CHECK(parts[0].scores[0].size + parts[0].scores[1].size == 4000);
	CHECK(mp_binary_measure(&whole, 0.5, &want));
	CHECK(mp_ranking_merge(&parts[0], &parts[2]) && mp_ranking_write(&parts[0], &bytes));
	in = (MpString) {bytes.data, bytes.size};
	mp_ranking_begin(&parts[2], false, &pool.alloc);
	CHECK(mp_ranking_read(&parts[2], &in) && in.length == 0);
	CHECK(mp_ranking_merge(&parts[1], &parts[2]) && mp_binary_measure(&parts[1], 0.5, &got));
	CHECK(memcmp(&want, &got, sizeof(got)) == 0);
	CHECK(want.roc_auc > 0.7 && want.roc_auc < 0.9);
	in = (MpString) {bytes.data, bytes.size - 1};
	CHECK(!mp_ranking_read(&parts[2], &in));
	pool_end(&pool);
}

/* Without memory all say so, and none crashes. */
MP_TEST(metrics_no_memory)
{
	for (size_t fail_at = 1; fail_at < 40; fail_at++)
	{
		Pool		pool;
		MpRanking	ranking;
		MpAgreement agreement;
		MpClasses	classes;
		MpRegression regression;
		MpBinaryMeasures binary;
		MpAgreementMeasures agreed;
		MpClassMeasures classed;
		bool		complete;

		pool_begin(&pool, fail_at);
		mp_ranking_begin(&ranking, false, &pool.alloc);
		mp_agreement_begin(&agreement, true, &pool.alloc);
		mp_classes_begin(&classes, true, &pool.alloc);
		mp_regression_begin(&regression, &pool.alloc);
		complete = mp_ranking_add(&ranking, true, 0.5, 1) && mp_ranking_add(&ranking, false, 0.1, 1) &&
			mp_agreement_add(&agreement, 1, 2, 1) && mp_regression_add(&regression, 1, 2, 0.1) &&
			mp_classes_add(&classes, (MpString) {"a", 1}, (MpString) {"b", 1}, 0.1) &&
			mp_binary_measure(&ranking, 0.5, &binary) &&
			mp_agreement_measure(&agreement, 0.5, &agreed) && mp_classes_measure(&classes, &classed);
		CHECK_SAY(!complete || pool.n_requests < fail_at, "request %zu", fail_at);
		pool_end(&pool);
	}
}

/* 5,000 numbers in either order: the same keys, shifted by as many bits. */
MP_TEST(metrics_histogram)
{
	MpHistogram up;
	MpHistogram down;
	MpHistogram merged;
	MpHistogramBin *bins;
	MpHistogramBin *others;
	bool		same = true;

	mp_histogram_begin(&up, MP_HISTOGRAM_KEYS, &mp_alloc_malloc);
	mp_histogram_begin(&down, MP_HISTOGRAM_KEYS, &mp_alloc_malloc);
	mp_histogram_begin(&merged, MP_HISTOGRAM_KEYS, &mp_alloc_malloc);
	for (int i = 0; i < 5000; i++)
	{
		CHECK(mp_histogram_add(&up, mp_key_of_float(i), 1));
		CHECK(mp_histogram_add(i < 1000 ? &merged : &down, mp_key_of_float(4999 - i), 1));
		CHECK(i != 1000 || merged.shift == 0);
	}
	CHECK(mp_histogram_merge(&merged, &down));
	CHECK(up.n <= MP_HISTOGRAM_KEYS && up.n > MP_HISTOGRAM_KEYS / 4 && up.shift > 0);
	CHECK(up.n == merged.n && up.shift == merged.shift && mp_histogram_total(&merged) == 5000);
	bins = mp_histogram_sorted(&merged);
	others = mp_histogram_sorted(&up);
	for (uint32_t i = 0; i < merged.n; i++)
	{
		CHECK(i == 0 || bins[i - 1].key < bins[i].key);
		same = same && bins[i].key == others[i].key && bins[i].count == others[i].count;
	}
	CHECK(same);
	mp_alloc_release(&mp_alloc_malloc, others);
	mp_alloc_release(&mp_alloc_malloc, bins);
	mp_histogram_end(&up);
	mp_histogram_end(&down);
	mp_histogram_end(&merged);
}

/* A profile survives being written and read; cut anywhere it is an error, without memory too. */
MP_TEST(metrics_profile)
{
	Pool		pool;
	MpProfile	profile;
	MpProfile	copy;
	MpVec		json;
	MpVec		again;
	MpError		error;
	MpProfileInput *input;
	MpDrift		drift;

	pool_begin(&pool, 0);
	json = again = (MpVec) {&pool.alloc};
	mp_profile_begin(&profile, &pool.alloc);
	CHECK(mp_profile_model(&profile, (MpString) {"m", 1}, 3));
	input = mp_profile_add_input(&profile, (MpString) {"x\"\n", 3}, MP_PROFILE_NUMBER);
	for (int i = 0; i < 2000; i++)
		CHECK(mp_histogram_add(&input->histogram, mp_key_of_float(i / 3.0f), 1));
	input->missing = 7;
	input = mp_profile_add_input(&profile, (MpString) {"y", 1}, MP_PROFILE_CATEGORY);
	CHECK(mp_profile_add_label(input, (MpString) {"b", 1}, 3));
	CHECK(mp_profile_add_label(input, (MpString) {"a", 1}, 9));
	mp_profile_add_score(&profile, MP_PROFILE_NUMBER);
	profile.rows = 2007;
	CHECK(mp_profile_write(&profile, &json));
	mp_profile_begin(&copy, &pool.alloc);
	CHECK(mp_profile_read(&copy, (MpString) {json.data, json.size}, &error));
	CHECK(mp_profile_write(&copy, &again));
	CHECK(json.size == again.size && memcmp(json.data, again.data, json.size) == 0);
	CHECK(mp_drift(mp_vec_at(&copy.inputs, MpProfileInput, 0),
				   mp_vec_at(&profile.inputs, MpProfileInput, 0), &drift));
	CHECK(drift.psi == 0 && drift.js_distance == 0 && drift.verdict == MP_DRIFT_NONE);

	CHECK(mp_profile_pool(&copy));
	input = mp_vec_at(&copy.inputs, MpProfileInput, 1);
	CHECK(input->truncated == 3 && input->histogram.n == 1);
	input = mp_vec_at(&copy.inputs, MpProfileInput, 0);
	CHECK(mp_histogram_total(&input->histogram) == 2000);
	for (uint32_t i = 0; i <= input->histogram.mask; i++)
		CHECK(input->histogram.slots[i].count == 0 || input->histogram.slots[i].count >= MP_PROFILE_FEW);

	for (size_t size = 0; size < json.size; size += 1 + size / 50)
	{
		mp_profile_begin(&copy, &pool.alloc);
		CHECK(!mp_profile_read(&copy, (MpString) {json.data, size}, &error) && error.code != MP_OK);
	}
	for (size_t fail_at = 1; fail_at < 60; fail_at++)
	{
		Pool		poor;

		pool_begin(&poor, fail_at);
		mp_profile_begin(&copy, &poor.alloc);
		if (!mp_profile_read(&copy, (MpString) {json.data, json.size}, &error))
			CHECK(error.code != MP_OK);
		else
			CHECK(poor.n_requests < fail_at);
		pool_end(&poor);
	}
	pool_end(&pool);
}
