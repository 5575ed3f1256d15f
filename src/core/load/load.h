/*
 * load.h: from the bytes of a model file to a forest.
 *
 * Reads UBJSON, JSON and the old binary format, told apart by content, of
 * XGBoost 1.0 to 3.4. Nothing in the file is trusted: see load.c.
 */
#ifndef MP_CORE_LOAD_H
#define MP_CORE_LOAD_H

#include "core/forest/forest.h"

typedef enum MpTreesOption
{
	MP_TREES_AUTO,				/* all or best, where the file tells; else MP_ERROR_AMBIGUOUS */
	MP_TREES_ALL,
	MP_TREES_BEST				/* up to and with best_iteration */
} MpTreesOption;

/* Labels that the caller gives for a feature whose categories the file does not hold. */
typedef struct MpGivenCategories
{
	MpString	feature;
	const MpString *labels;		/* label of code 0, 1, ... */
	const double *numbers;		/* the labels as numbers, where all were given as such; or NULL */
	size_t		n_labels;
} MpGivenCategories;

typedef struct MpLoadOptions
{
	MpTreesOption trees;
	const MpString *feature_names;	/* for files that hold none; else they must agree */
	size_t		n_feature_names;
	const MpGivenCategories *categories;
	size_t		n_categories;
} MpLoadOptions;

/* What the file says beyond the forest. */
typedef struct MpModelInfo
{
	bool		has_scikit_learn;	/* attribute scikit_learn is there */
	bool		has_missing;	/* ... and names the value that means missing (1.x) */
	float		missing;
} MpModelInfo;

/* Bytes of the largest file: offsets within have 32 bits. A bytea holds half of it. */
#define MP_MAX_MODEL_SIZE INT32_MAX

/*
 * On success *forest is one block of `alloc`, sealed and checked. Memory at
 * most 4 x size + 16 MB at any time. info may be NULL.
 */
extern bool mp_model_load(MpAlloc *alloc, const void *data, size_t size,
						  const MpLoadOptions *options, MpForest **forest,
						  MpModelInfo *info, MpError *error);

extern const char *mp_format_name(MpFormat format);		/* "ubj", "json", "deprecated" */
extern const char *mp_booster_name(MpBoosterKind booster);	/* "gbtree", ... */

#endif
