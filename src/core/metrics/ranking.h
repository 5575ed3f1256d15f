/*
 * ranking.h: outcomes and scores, kept to be sorted: what all measures of a
 * ranking, and their curves, are computed from.
 *
 * The scores of rows with and without the outcome stand in two arrays, as
 * keys of 4 bytes while all are float32 values, else of 8; with weights a row
 * takes 16 bytes. Nothing depends on the order in which rows come.
 */
#ifndef MP_CORE_RANKING_H
#define MP_CORE_RANKING_H

#include "core/base/base.h"
#include "core/metrics/sum.h"

typedef enum MpRankingKind
{
	MP_RANKING_FLOATS,			/* uint32_t */
	MP_RANKING_DOUBLES,			/* uint64_t */
	MP_RANKING_WEIGHTED			/* MpKeyPair: score, weight */
} MpRankingKind;

typedef struct MpRanking
{
	MpVec		scores[2];		/* by outcome */
	MpRankingKind kind;
	bool		all_floats;		/* float32 values, of whatever kind */
	bool		sorted;
	int64_t		rows;
	int64_t		left_out;		/* counted by the caller */
} MpRanking;

/* Starts without rows; `weighted` says what mp_ranking_add will be given. */
extern void mp_ranking_begin(MpRanking *ranking, bool weighted, MpAlloc *alloc);

/* The score is no NaN, the weight finite and not negative; false: no memory. */
extern bool mp_ranking_add(MpRanking *ranking, bool outcome, double score, double weight);
extern bool mp_ranking_merge(MpRanking *ranking, const MpRanking *other);
extern size_t mp_ranking_bytes(const MpRanking *ranking);
extern bool mp_ranking_write(const MpRanking *ranking, MpVec *out);
extern bool mp_ranking_read(MpRanking *ranking, MpString *in);

/* All rows of one score. */
typedef struct MpRankingStep
{
	double		score;
	double		with;			/* weight of rows with the outcome */
	double		without;
	double		tp;				/* weight of rows with the outcome and at least this score */
	double		fp;
} MpRankingStep;

/* A walk from the highest score to the lowest. */
typedef struct MpRankingWalk
{
	const MpRanking *ranking;
	MpAlloc    *alloc;
	size_t		left[2];		/* by outcome */
	MpTotal		totals[2];
	unsigned	steps;
} MpRankingWalk;

extern void mp_ranking_walk(MpRankingWalk *walk, MpRanking *ranking);	/* sorts at first */
extern bool mp_ranking_next(MpRankingWalk *walk, MpRankingStep *step);	/* false at the end */

/* Weights of all rows without and with the outcome. */
extern void mp_ranking_totals(MpRanking *ranking, double totals[2]);

#endif
