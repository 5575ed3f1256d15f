/*
 * options.h: what the caller says beside the bytes of a model, and what the
 * bytes say beyond the forest.
 */
#ifndef MP_CORE_OPTIONS_H
#define MP_CORE_OPTIONS_H

#include "core/base/base.h"

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

/* What a custom objective makes of margins, which a file does not say. */
typedef enum MpLinkOption
{
	MP_LINK_OF_FILE,
	MP_LINK_GIVEN_IDENTITY,
	MP_LINK_GIVEN_LOGISTIC,
	MP_LINK_GIVEN_SOFTMAX,
	MP_LINK_GIVEN_EXP
} MpLinkOption;

typedef struct MpLoadOptions
{
	MpTreesOption trees;
	MpLinkOption link;
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

#endif
