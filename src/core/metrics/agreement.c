/*
 * agreement.c: two scores of the same rows; see agreement.h.
 */
#include "core/metrics/agreement.h"
#include "core/metrics/bins.h"
#include "core/metrics/keys.h"

#include <math.h>

void
mp_agreement_begin(MpAgreement *agreement, bool weighted, MpAlloc *alloc)
{
	memset(agreement, 0, sizeof(MpAgreement));
	agreement->scores.alloc = alloc;
	agreement->kind = weighted ? MP_AGREEMENT_WEIGHTED : MP_AGREEMENT_FLOATS;
}

static size_t
item_size(MpAgreementKind kind)
{
	switch (kind)
	{
		case MP_AGREEMENT_FLOATS:
			return sizeof(uint64_t);
		case MP_AGREEMENT_DOUBLES:
			return sizeof(MpKeyPair);
		case MP_AGREEMENT_WEIGHTED:
			return sizeof(MpKeyTriple);
	}
	return 0;
}

static size_t
count(const MpAgreement *agreement)
{
	return agreement->scores.size / item_size(agreement->kind);
}

static MpKeyPair
pair_of_floats(uint64_t both)
{
	return (MpKeyPair) {mp_key_of_double(mp_float_of_key(both >> 32)),
			mp_key_of_double(mp_float_of_key((uint32_t) both))};
}

/* From floats to doubles, in place, from the end on. */
static bool
widen(MpAgreement *agreement)
{
	MpVec	   *scores = &agreement->scores;
	size_t		n;

	if (agreement->kind != MP_AGREEMENT_FLOATS)
		return true;
	n = count(agreement);
	if (n > 0 && mp_vec_add(scores, scores->size) == NULL)
		return false;
	for (size_t i = n; i-- > 0;)
	{
		uint64_t	both = *mp_vec_at(scores, uint64_t, i);

		*mp_vec_at(scores, MpKeyPair, i) = pair_of_floats(both);
	}
	agreement->kind = MP_AGREEMENT_DOUBLES;
	return true;
}

static bool
is_float(double x)
{
	return isinf(x) || (fabs(x) < 1e38 && (double) (float) x == x);
}

bool
mp_agreement_add(MpAgreement *agreement, double a, double b, double weight)
{
	void	   *place;

	agreement->rows++;
	if (agreement->kind == MP_AGREEMENT_WEIGHTED && weight == 0)
		return true;
	if (!(is_float(a) && is_float(b)) && !widen(agreement))
		return false;
	place = mp_vec_add(&agreement->scores, item_size(agreement->kind));
	if (place == NULL)
		return false;
	switch (agreement->kind)
	{
		case MP_AGREEMENT_FLOATS:
			*(uint64_t *) place = (uint64_t) mp_key_of_float((float) a) << 32 |
				mp_key_of_float((float) b);
			break;
		case MP_AGREEMENT_DOUBLES:
			*(MpKeyPair *) place = (MpKeyPair) {mp_key_of_double(a), mp_key_of_double(b)};
			break;
		case MP_AGREEMENT_WEIGHTED:
			*(MpKeyTriple *) place = (MpKeyTriple) {mp_key_of_double(a), mp_key_of_double(b),
				mp_key_of_double(weight)};
			break;
	}
	return true;
}

bool
mp_agreement_merge(MpAgreement *agreement, const MpAgreement *other)
{
	const MpVec *from = &other->scores;

	if (other->kind == MP_AGREEMENT_DOUBLES && !widen(agreement))
		return false;
	if (other->kind == agreement->kind && from->size > 0 &&
		!mp_metrics_write(&agreement->scores, from->data, from->size))
		return false;
	/* theirs are still floats */
	for (size_t i = 0; other->kind != agreement->kind && i < count(other); i++)
	{
		MpKeyPair	pair = pair_of_floats(*mp_vec_at(from, uint64_t, i));

		if (!mp_metrics_write(&agreement->scores, &pair, sizeof(pair)))
			return false;
	}
	agreement->rows += other->rows;
	agreement->left_out += other->left_out;
	return true;
}

bool
mp_agreement_write(const MpAgreement *agreement, MpVec *out)
{
	uint64_t	head[4] = {agreement->rows, agreement->left_out, agreement->kind,
	agreement->scores.size};

	return mp_metrics_write(out, head, sizeof(head)) &&
		mp_metrics_write(out, agreement->scores.data, agreement->scores.size);
}

bool
mp_agreement_read(MpAgreement *agreement, MpString *in)
{
	uint64_t	head[4];

	if (!mp_metrics_read(in, head, sizeof(head)) || head[3] > in->length)
		return false;
	agreement->rows = head[0];
	agreement->left_out = head[1];
	agreement->kind = head[2];
	return head[3] == 0 || (mp_vec_add(&agreement->scores, head[3]) != NULL &&
							mp_metrics_read(in, agreement->scores.data, head[3]));
}

/* A row of whatever kind; a and b are keys or, later, ranks. */
static MpKeyTriple
get(const MpAgreement *agreement, size_t i)
{
	const MpVec *scores = &agreement->scores;
	MpKeyTriple row = {0, 0, 0};

	switch (agreement->kind)
	{
		case MP_AGREEMENT_FLOATS:
			row.first = *mp_vec_at(scores, uint64_t, i) >> 32;
			row.second = *mp_vec_at(scores, uint64_t, i) & UINT32_MAX;
			break;
		case MP_AGREEMENT_DOUBLES:
			row.first = mp_vec_at(scores, MpKeyPair, i)->first;
			row.second = mp_vec_at(scores, MpKeyPair, i)->second;
			break;
		case MP_AGREEMENT_WEIGHTED:
			return *mp_vec_at(scores, MpKeyTriple, i);
	}
	return row;
}

static void
put(MpAgreement *agreement, size_t i, MpKeyTriple row)
{
	MpVec	   *scores = &agreement->scores;

	switch (agreement->kind)
	{
		case MP_AGREEMENT_FLOATS:
			*mp_vec_at(scores, uint64_t, i) = row.first << 32 | row.second;
			break;
		case MP_AGREEMENT_DOUBLES:
			*mp_vec_at(scores, MpKeyPair, i) = (MpKeyPair) {row.first, row.second};
			break;
		case MP_AGREEMENT_WEIGHTED:
			*mp_vec_at(scores, MpKeyTriple, i) = row;
			break;
	}
}

static double
score(const MpAgreement *agreement, uint64_t key)
{
	return agreement->kind == MP_AGREEMENT_FLOATS ? mp_float_of_key((uint32_t) key) :
		mp_double_of_key(key);
}

static double
weight_of(const MpAgreement *agreement, const MpKeyTriple *row)
{
	return agreement->kind == MP_AGREEMENT_WEIGHTED ? mp_double_of_key(row->weight) : 1;
}

static void
sort(MpAgreement *agreement)
{
	MpVec	   *scores = &agreement->scores;

	switch (agreement->kind)
	{
		case MP_AGREEMENT_FLOATS:
			mp_sort_keys64(scores->data, count(agreement), scores->alloc);
			break;
		case MP_AGREEMENT_DOUBLES:
			mp_sort_pairs(scores->data, count(agreement), scores->alloc);
			break;
		case MP_AGREEMENT_WEIGHTED:
			mp_sort_triples(scores->data, count(agreement), scores->alloc);
			break;
	}
}

/*
 * Of sorted rows: puts in place of the first number twice its mean rank, less
 * one, an integer without weights; then changes the two numbers over.
 */
static void
rank_first(MpAgreement *agreement)
{
	size_t		n = count(agreement);
	double		below = 0;

	for (size_t from = 0, to; from < n; from = to)
	{
		uint64_t	key = get(agreement, from).first;
		double		weight = 0;
		uint64_t	rank;

		for (to = from; to < n; to++)
		{
			MpKeyTriple row = get(agreement, to);

			if (row.first != key)
				break;
			weight += weight_of(agreement, &row);
		}
		rank = agreement->kind == MP_AGREEMENT_WEIGHTED ? mp_key_of_double(2 * below + weight) :
			(uint64_t) (2 * below + weight);
		below += weight;
		for (size_t i = from; i < to; i++)
		{
			MpKeyTriple row = get(agreement, i);

			row.first = row.second;
			row.second = rank;
			put(agreement, i, row);
		}
		if (from / 16384 != to / 16384)
			mp_alloc_poll(agreement->scores.alloc);
	}
}

/* Sums that a correlation needs. */
typedef struct Moments
{
	MpSum		w;
	MpSum		a;
	MpSum		b;
	MpSum		aa;
	MpSum		ab;
	MpSum		bb;
} Moments;

static void
moments_begin(Moments *m, MpAlloc *alloc)
{
	mp_sum_begin(&m->w, alloc);
	mp_sum_begin(&m->a, alloc);
	mp_sum_begin(&m->b, alloc);
	mp_sum_begin(&m->aa, alloc);
	mp_sum_begin(&m->ab, alloc);
	mp_sum_begin(&m->bb, alloc);
}

static bool
moments_add(Moments *m, double a, double b, double w)
{
	return mp_sum_add(&m->w, w) &&
		mp_sum_add_product(&m->a, (double[]) {a, w}, 2) &&
		mp_sum_add_product(&m->b, (double[]) {b, w}, 2) &&
		mp_sum_add_product(&m->aa, (double[]) {a, a, w}, 3) &&
		mp_sum_add_product(&m->ab, (double[]) {a, b, w}, 3) &&
		mp_sum_add_product(&m->bb, (double[]) {b, b, w}, 3);
}

static bool
moments_correlation(Moments *m, double *correlation)
{
	double		aa;
	double		ab;
	double		bb;

	if (!mp_sum_deviation(&m->w, &m->a, &m->b, &m->ab, &ab) ||
		!mp_sum_deviation(&m->w, &m->a, &m->a, &m->aa, &aa) ||
		!mp_sum_deviation(&m->w, &m->b, &m->b, &m->bb, &bb))
		return false;
	*correlation = aa > 0 && bb > 0 ? ab / sqrt(aa) / sqrt(bb) : NAN;
	if (fabs(*correlation) > 1)
		*correlation = *correlation > 0 ? 1 : -1;
	return true;
}

static void
moments_end(Moments *m)
{
	mp_sum_end(&m->w);
	mp_sum_end(&m->a);
	mp_sum_end(&m->b);
	mp_sum_end(&m->aa);
	mp_sum_end(&m->ab);
	mp_sum_end(&m->bb);
}

/* The rows are sorted by their first score. */
static double
measure_psi(const MpAgreement *agreement, double total)
{
	MpBinning	binning;
	MpBinningMaker maker;
	size_t		n = count(agreement);
	size_t		n_keys = 0;
	double		first[MP_BINS_MAX] = {0};
	double		second[MP_BINS_MAX] = {0};

	for (size_t i = 0; i < n; i++)
		n_keys += i == 0 || get(agreement, i).first != get(agreement, i - 1).first;
	mp_binning_begin(&maker, &binning, total, n_keys);
	for (size_t from = 0, to; from < n; from = to)
	{
		uint64_t	key = get(agreement, from).first;
		double		weight = 0;

		for (to = from; to < n && get(agreement, to).first == key; to++)
		{
			MpKeyTriple row = get(agreement, to);

			weight += weight_of(agreement, &row);
		}
		mp_binning_add(&maker, key, weight);
	}
	for (size_t i = 0; i < n; i++)
	{
		MpKeyTriple row = get(agreement, i);
		double		weight = weight_of(agreement, &row);

		if (i % 16384 == 0)
			mp_alloc_poll(agreement->scores.alloc);
		first[mp_binning_find(&binning, row.first)] += weight;
		second[mp_binning_find(&binning, row.second)] += weight;
	}
	return mp_psi(second, first, binning.n + 1);
}

static bool
measure_scores(const MpAgreement *agreement, double threshold, MpAgreementMeasures *measures)
{
	MpAlloc    *alloc = agreement->scores.alloc;
	Moments		moments;
	MpSum		difference;
	MpSum		absolute;
	MpSum		changed;
	double		total;
	bool		complete = true;

	moments_begin(&moments, alloc);
	mp_sum_begin(&difference, alloc);
	mp_sum_begin(&absolute, alloc);
	mp_sum_begin(&changed, alloc);
	for (size_t i = 0; complete && i < count(agreement); i++)
	{
		MpKeyTriple row = get(agreement, i);
		double		a = score(agreement, row.first);
		double		b = score(agreement, row.second);
		double		w = weight_of(agreement, &row);
		double		d = a == b ? 0 : b - a;

		if (i % 16384 == 0)
			mp_alloc_poll(alloc);
		complete = moments_add(&moments, a, b, w) &&
			mp_sum_add_product(&difference, (double[]) {d, w}, 2) &&
			mp_sum_add_product(&absolute, (double[]) {fabs(d), w}, 2) &&
			((a > threshold) == (b > threshold) || mp_sum_add(&changed, w));
		measures->max_abs_difference = fmax(measures->max_abs_difference, fabs(d));
	}
	total = mp_sum_value(&moments.w);
	measures->mean_difference = mp_sum_value(&difference) / total;
	measures->mean_abs_difference = mp_sum_value(&absolute) / total;
	measures->changed_class = mp_sum_value(&changed) / total;
	complete = complete && moments_correlation(&moments, &measures->correlation);
	measures->psi = measure_psi(agreement, total);
	moments_end(&moments);
	mp_sum_end(&difference);
	mp_sum_end(&absolute);
	mp_sum_end(&changed);
	return complete;
}

static double
rank(const MpAgreement *agreement, uint64_t key)
{
	return agreement->kind == MP_AGREEMENT_WEIGHTED ? mp_double_of_key(key) : (double) key;
}

/* Replaces both scores by their ranks. */
static bool
measure_ranks(MpAgreement *agreement, MpAgreementMeasures *measures)
{
	Moments		moments;
	bool		complete = true;

	rank_first(agreement);
	sort(agreement);
	rank_first(agreement);
	moments_begin(&moments, agreement->scores.alloc);
	for (size_t i = 0; complete && i < count(agreement); i++)
	{
		MpKeyTriple row = get(agreement, i);

		if (i % 16384 == 0)
			mp_alloc_poll(agreement->scores.alloc);
		complete = moments_add(&moments, rank(agreement, row.first), rank(agreement, row.second),
							   weight_of(agreement, &row));
	}
	complete = complete && moments_correlation(&moments, &measures->rank_correlation);
	moments_end(&moments);
	return complete;
}

bool
mp_agreement_measure(const MpAgreement *agreement, double threshold, MpAgreementMeasures *measures)
{
	MpAgreement copy = *agreement;
	bool		complete;

	memset(measures, 0, sizeof(MpAgreementMeasures));
	copy.scores = (MpVec) {agreement->scores.alloc};
	if (!mp_metrics_write(&copy.scores, agreement->scores.data, agreement->scores.size))
		return false;
	sort(&copy);
	complete = measure_scores(&copy, threshold, measures) && measure_ranks(&copy, measures);
	if (count(&copy) == 0)
		measures->max_abs_difference = NAN;
	mp_vec_release(&copy.scores);
	return complete;
}
