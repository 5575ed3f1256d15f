/*
 * golden.h: folders of golden models: a model in several formats, rows, and
 * what XGBoost answered.
 */
#ifndef MP_TEST_GOLDEN_H
#define MP_TEST_GOLDEN_H

#include "core/forest/forest.h"
#include "core/load/load.h"

/* One folder, read: the rows stay text until a model says what they mean. */
typedef struct MpGolden
{
	char		folder[1024];
	char	   *rows_text;
	char	   *expected_text;
	char	   *meta_text;
	struct MpTable *rows;
	struct MpTable *expected;
	bool		best;			/* scored up to best_iteration */
	bool		keeps_categories;	/* the model file does, since 3.1 */
	MpGivenCategories *categories;
	size_t		n_categories;
	MpString   *names;
	size_t		n_names;
} MpGolden;

extern MpGolden *mp_golden_open(const char *folder);	/* NULL: no such folder */
extern void mp_golden_close(MpGolden *golden);

/* Loads golden's model in a format ("ubj"); NULL: not there, or *error says why not. */
extern MpForest *mp_golden_load(const MpGolden *golden, const char *format, MpError *error);

/* x[n_features] of a row */
extern bool mp_golden_row(const MpGolden *golden, const MpForest *forest, size_t row, float *x);
extern size_t mp_golden_n_rows(const MpGolden *golden);

/* A number of expected.csv; false: no such column. */
extern bool mp_golden_expected(const MpGolden *golden, size_t row, const char *column, float *value);

/*
 * Margins, predictions and leaves of all rows against the expected ones, bit
 * for bit, and the margins of every kernel. Returns the number of differences; the first goes to `first`.
 */
extern size_t mp_golden_compare(const MpGolden *golden, const MpForest *forest,
								char *first, size_t first_size);

/* Calls check for each folder with a meta.json below `path`, in order; returns how many. */
extern int mp_golden_walk(const char *path, void (*check) (const char *folder));

#endif
