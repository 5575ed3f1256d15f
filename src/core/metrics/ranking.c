/*
 * ranking.c: outcomes and scores, kept to be sorted; see ranking.h.
 */
#include "core/metrics/ranking.h"
#include "core/metrics/keys.h"

#include <math.h>

void
mp_ranking_begin(MpRanking *ranking, bool weighted, MpAlloc *alloc)
{
	memset(ranking, 0, sizeof(MpRanking));
	ranking->scores[0].alloc = ranking->scores[1].alloc = alloc;
	ranking->kind = weighted ? MP_RANKING_WEIGHTED : MP_RANKING_FLOATS;
	ranking->all_floats = true;
}

static size_t
item_size(MpRankingKind kind)
{
	switch (kind)
	{
		case MP_RANKING_FLOATS:
			return sizeof(uint32_t);
		case MP_RANKING_DOUBLES:
			return sizeof(uint64_t);
		case MP_RANKING_WEIGHTED:
			return sizeof(MpKeyPair);
	}
	return 0;
}

static size_t
count(const MpRanking *ranking, int outcome)
{
	return ranking->scores[outcome].size / item_size(ranking->kind);
}

/* From keys of 4 bytes to keys of 8, in place, from the end on. */
static bool
widen(MpRanking *ranking)
{
	if (ranking->kind != MP_RANKING_FLOATS)
		return true;
	for (int outcome = 0; outcome < 2; outcome++)
	{
		MpVec	   *scores = &ranking->scores[outcome];
		size_t		n = mp_vec_count(scores, uint32_t);

		if (n == 0)
			continue;
		if (mp_vec_add(scores, scores->size) == NULL)
			return false;
		for (size_t i = n; i-- > 0;)
			*mp_vec_at(scores, uint64_t, i) =
				mp_key_of_double(mp_float_of_key(*mp_vec_at(scores, uint32_t, i)));
	}
	ranking->kind = MP_RANKING_DOUBLES;
	return true;
}

bool
mp_ranking_add(MpRanking *ranking, bool outcome, double score, double weight)
{
	MpVec	   *scores = &ranking->scores[outcome];
	bool		is_float = isinf(score) || (fabs(score) < 1e38 && (double) (float) score == score);
	void	   *place;

	ranking->rows++;
	ranking->sorted = false;
	ranking->all_floats = ranking->all_floats && is_float;
	if (ranking->kind == MP_RANKING_WEIGHTED && weight == 0)
		return true;
	if (!is_float && !widen(ranking))
		return false;
	place = mp_vec_add(scores, item_size(ranking->kind));
	if (place == NULL)
		return false;
	switch (ranking->kind)
	{
		case MP_RANKING_FLOATS:
			*(uint32_t *) place = mp_key_of_float((float) score);
			break;
		case MP_RANKING_DOUBLES:
			*(uint64_t *) place = mp_key_of_double(score);
			break;
		case MP_RANKING_WEIGHTED:
			((MpKeyPair *) place)->first = mp_key_of_double(score);
			((MpKeyPair *) place)->second = mp_key_of_double(weight);
			break;
	}
	return true;
}

bool
mp_ranking_merge(MpRanking *ranking, const MpRanking *other)
{
	if (other->kind == MP_RANKING_DOUBLES && !widen(ranking))
		return false;
	for (int outcome = 0; outcome < 2; outcome++)
	{
		const MpVec *from = &other->scores[outcome];
		MpVec	   *to = &ranking->scores[outcome];

		if (other->kind == ranking->kind)
		{
			if (from->size > 0 && !mp_metrics_write(to, from->data, from->size))
				return false;
			continue;
		}
		/* theirs are still of 4 bytes */
		for (size_t i = 0; i < mp_vec_count(from, uint32_t); i++)
		{
			uint64_t	key = mp_key_of_double(mp_float_of_key(*mp_vec_at(from, uint32_t, i)));

			if (!mp_metrics_write(to, &key, sizeof(key)))
				return false;
		}
	}
	ranking->rows += other->rows;
	ranking->left_out += other->left_out;
	ranking->all_floats &= other->all_floats;
	ranking->sorted = false;
	return true;
}

size_t
mp_ranking_bytes(const MpRanking *ranking)
{
	return ranking->scores[0].room + ranking->scores[1].room;
}

/* What precedes the scores when a ranking is written. */
typedef struct Head
{
	int64_t		rows;
	int64_t		left_out;
	uint64_t	sizes[2];
	uint32_t	kind;
	uint32_t	all_floats;
} Head;

bool
mp_ranking_write(const MpRanking *ranking, MpVec *out)
{
	Head		head = {ranking->rows, ranking->left_out,
	{ranking->scores[0].size, ranking->scores[1].size}, ranking->kind, ranking->all_floats};

	return mp_metrics_write(out, &head, sizeof(head)) &&
		mp_metrics_write(out, ranking->scores[0].data, ranking->scores[0].size) &&
		mp_metrics_write(out, ranking->scores[1].data, ranking->scores[1].size);
}

bool
mp_ranking_read(MpRanking *ranking, MpString *in)
{
	Head		head;

	if (!mp_metrics_read(in, &head, sizeof(head)))
		return false;
	ranking->rows = head.rows;
	ranking->left_out = head.left_out;
	ranking->kind = head.kind;
	ranking->all_floats = head.all_floats;
	for (int outcome = 0; outcome < 2; outcome++)
	{
		MpVec	   *scores = &ranking->scores[outcome];

		if (head.sizes[outcome] == 0)
			continue;
		if (head.sizes[outcome] > in->length || mp_vec_add(scores, head.sizes[outcome]) == NULL ||
			!mp_metrics_read(in, scores->data, scores->size))
			return false;
	}
	return true;
}

static void
sort(MpRanking *ranking)
{
	for (int outcome = 0; outcome < 2; outcome++)
	{
		MpVec	   *scores = &ranking->scores[outcome];

		switch (ranking->kind)
		{
			case MP_RANKING_FLOATS:
				mp_sort_keys32(scores->data, count(ranking, outcome), scores->alloc);
				break;
			case MP_RANKING_DOUBLES:
				mp_sort_keys64(scores->data, count(ranking, outcome), scores->alloc);
				break;
			case MP_RANKING_WEIGHTED:
				mp_sort_pairs(scores->data, count(ranking, outcome), scores->alloc);
				break;
		}
	}
	ranking->sorted = true;
}

void
mp_ranking_walk(MpRankingWalk *walk, MpRanking *ranking)
{
	if (!ranking->sorted)
		sort(ranking);
	memset(walk, 0, sizeof(MpRankingWalk));
	walk->ranking = ranking;
	walk->alloc = ranking->scores[0].alloc;
	walk->left[0] = count(ranking, 0);
	walk->left[1] = count(ranking, 1);
}

/* The key of the highest score of this outcome that is left, as one of 8 bytes. */
static uint64_t
key_at(const MpRanking *ranking, int outcome, size_t i)
{
	const MpVec *scores = &ranking->scores[outcome];

	switch (ranking->kind)
	{
		case MP_RANKING_FLOATS:
			return *mp_vec_at(scores, uint32_t, i);
		case MP_RANKING_DOUBLES:
			return *mp_vec_at(scores, uint64_t, i);
		case MP_RANKING_WEIGHTED:
			return mp_vec_at(scores, MpKeyPair, i)->first;
	}
	return 0;
}

bool
mp_ranking_next(MpRankingWalk *walk, MpRankingStep *step)
{
	const MpRanking *ranking = walk->ranking;
	uint64_t	key = 0;
	double		weights[2] = {0, 0};

	if (walk->left[0] == 0 && walk->left[1] == 0)
		return false;
	if (walk->steps++ % 16384 == 0)
		mp_alloc_poll(walk->alloc);
	for (int outcome = 0; outcome < 2; outcome++)
	{
		if (walk->left[outcome] > 0)
		{
			uint64_t	highest = key_at(ranking, outcome, walk->left[outcome] - 1);

			key = highest > key ? highest : key;
		}
	}
	for (int outcome = 0; outcome < 2; outcome++)
	{
		MpTotal		total = {0, 0};
		size_t	   *left = &walk->left[outcome];
		size_t		before = *left;

		while (*left > 0 && key_at(ranking, outcome, *left - 1) == key)
		{
			--*left;
			if (ranking->kind == MP_RANKING_WEIGHTED)
				mp_total_add(&total, mp_double_of_key(mp_vec_at(&ranking->scores[outcome], MpKeyPair,
															 *left)->second));
		}
		weights[outcome] = ranking->kind == MP_RANKING_WEIGHTED ? mp_total(&total) :
			(double) (before - *left);
		mp_total_add(&walk->totals[outcome], weights[outcome]);
	}
	step->score = ranking->kind == MP_RANKING_FLOATS ? mp_float_of_key((uint32_t) key) :
		mp_double_of_key(key);
	step->without = weights[0];
	step->with = weights[1];
	step->fp = mp_total(&walk->totals[0]);
	step->tp = mp_total(&walk->totals[1]);
	return true;
}

void
mp_ranking_totals(MpRanking *ranking, double totals[2])
{
	for (int outcome = 0; outcome < 2; outcome++)
	{
		MpTotal		total = {0, 0};

		if (ranking->kind != MP_RANKING_WEIGHTED)
			total.sum = count(ranking, outcome);
		else
		{
			if (!ranking->sorted)
				sort(ranking);
			for (size_t i = count(ranking, outcome); i-- > 0;)
				mp_total_add(&total, mp_double_of_key(mp_vec_at(&ranking->scores[outcome], MpKeyPair,
															 i)->second));
		}
		totals[outcome] = mp_total(&total);
	}
}
