/*
 * layout.h: a forest's bytes: its header, sections, nodes; see forest.h, which
 * is what others include.
 */
#ifndef MP_CORE_FOREST_LAYOUT_H
#define MP_CORE_FOREST_LAYOUT_H

#include "core/base/base.h"

#define MP_FOREST_MAGIC 0x3146504du		/* "MPF1" */
#define MP_FOREST_FORMAT 2				/* raised at every change of this file */
#define MP_FOREST_BYTE_ORDER 0x01020304u

#define MP_MAX_FEATURES 500000
#define MP_MAX_OUTPUTS 100000
#define MP_MAX_CATEGORY 16777216		/* XGBoost's OutOfRangeCat: the first code that is none */

typedef enum MpBoosterKind
{
	MP_BOOSTER_GBTREE,
	MP_BOOSTER_DART,
	MP_BOOSTER_GBLINEAR
} MpBoosterKind;

/* whose rules the model follows; order is part of the image: append only */
typedef enum MpLibrary
{
	MP_LIBRARY_XGBOOST,
	MP_LIBRARY_LIGHTGBM,
	MP_LIBRARY_SKLEARN
} MpLibrary;

/* the file format that the model came in */
typedef enum MpFormat
{
	MP_FORMAT_UBJSON,
	MP_FORMAT_JSON,
	MP_FORMAT_BINARY,			/* XGBoost's "deprecated", before 3.1 */
	MP_FORMAT_TEXT				/* LightGBM's */
} MpFormat;

typedef enum MpPrecision
{
	MP_PRECISION_SINGLE,
	MP_PRECISION_DOUBLE
} MpPrecision;

/*
 * From margins to predictions (link.c). The first ones are computed in the
 * forest's precision; order is part of the image: append only.
 */
typedef enum MpLink
{
	MP_LINK_IDENTITY,
	MP_LINK_LOGISTIC,			/* of each margin times link_factor */
	MP_LINK_SOFTMAX,
	MP_LINK_EXP,
	MP_LINK_ARGMAX,				/* the index of the largest margin: one prediction */
	MP_LINK_STEP,				/* 1 where the margin is greater than 0, else 0 */
	MP_LINK_EXP_ROUNDED,		/* exp in double, rounded to float */
	MP_LINK_SORT,				/* ascending */
	MP_LINK_RISE,				/* expectiles: all after the first are steps upwards */
	MP_LINK_SIGNED_SQUARE,
	MP_LINK_LOG1P_EXP,
	MP_LINK_COUNT
} MpLink;

/* What kind of answer a model gives: decides which SQL functions fit it. Append only. */
typedef enum MpTask
{
	MP_TASK_VALUE,				/* a number: regression, survival, counts, ranking */
	MP_TASK_VALUES,				/* several numbers: targets, quantiles, labels */
	MP_TASK_TWO_CLASSES,		/* prediction is the probability of the second class */
	MP_TASK_TWO_CLASSES_RAW,	/* prediction is the margin: binary:logitraw */
	MP_TASK_HINGE,				/* prediction is 0 or 1, no probability */
	MP_TASK_CLASS,				/* prediction is the index of the class: multi:softmax */
	MP_TASK_CLASSES				/* prediction is a probability each: multi:softprob */
} MpTask;

typedef enum MpFeatureType
{
	MP_FEATURE_FLOAT,			/* "float", "q", or none given */
	MP_FEATURE_INTEGER,			/* "int" */
	MP_FEATURE_INDICATOR,		/* "i" */
	MP_FEATURE_CATEGORICAL		/* "c" */
} MpFeatureType;

/*
 * One node. A split goes to `left` where x < value (numeric), where the code is
 * not in the set `value_bits` of the tree's sets (categorical), or where x is
 * missing and MP_NODE_DEFAULT_LEFT is set; else to `left + 1`. Missing is NaN,
 * and with MP_NODE_ZERO_MISSING also 0. A leaf has left = 0 (the root is
 * nobody's child) and adds `value`; with vector leaves the row `value_bits` of
 * LEAVES; with linear leaves what LINEAR says at `value_bits`. A threshold is
 * never NaN: the loader writes it as -Infinity, which no x is less than either.
 *
 * In a double forest `value` is unused (0) and VALUES has the double. A library
 * that compares x <= t is written as x < the next double after t. What goes
 * left there may go right here: NUMBERS keeps the library's own node numbers.
 */
typedef struct MpNode
{
	union
	{
		float		value;
		uint32_t	value_bits;
	};
	uint32_t	feature;		/* with the flags below */
	int32_t		left;			/* within the tree */
} MpNode;

#define MP_NODE_DEFAULT_LEFT 0x80000000u
#define MP_NODE_CATEGORICAL  0x40000000u
#define MP_NODE_ZERO_MISSING 0x20000000u
#define MP_NODE_FEATURE_MASK 0x1fffffffu

typedef struct MpTree
{
	uint32_t	first;			/* of its nodes, in NODES, GAIN and COVER */
	uint32_t	n_nodes;		/* deleted ones included, which nothing reaches */
	int32_t		output;			/* margin it adds to; 0 with vector leaves */
	float		weight;			/* dart; 1 otherwise */
} MpTree;

/*
 * A linear leaf: constant + the sum of coefficient * x over its terms, in their
 * order; where one of those x is NaN, the leaf's scalar value.
 */
typedef struct MpLinearLeaf
{
	double		constant;
	uint32_t	first;			/* in TERMS */
	uint32_t	n_terms;
} MpLinearLeaf;

typedef struct MpLinearTerm
{
	double		coefficient;
	uint32_t	feature;
	uint32_t	unused;
} MpLinearTerm;

/*
 * A set of category codes. Bits: bit c % 32 of word c / 32, codes past the end
 * are not in it. Where that would be longer than the codes themselves, the
 * codes, ascending: few splits of a feature with a million categories must not
 * need a hundred kilobytes each. Ask mp_catset_has.
 */
typedef struct MpCatSet
{
	uint32_t	first;			/* in CATWORDS */
	uint32_t	length;			/* words */
	uint32_t	is_list;		/* 1: a word per code; 0: bits */
} MpCatSet;

/* which splits of a feature take 0 for missing */
typedef enum MpZeroMissing
{
	MP_ZERO_NEVER,
	MP_ZERO_ALWAYS,				/* all: mp_forest_prepare turns the row's 0 into NaN */
	MP_ZERO_MIXED				/* some: only the nodes' flags tell */
} MpZeroMissing;

typedef struct MpFeature
{
	uint32_t	name;			/* in STRINGS; n_feature_names = 0: none have one */
	uint32_t	name_length;
	int32_t		type;			/* MpFeatureType */
	uint32_t	first_category; /* in CATEGORIES; the n-th has code n */
	uint32_t	n_categories;	/* 0: not known */
	int32_t		numeric_categories;	/* all of them are, or read as, numbers */
	int32_t		zero_missing;	/* MpZeroMissing */
} MpFeature;

typedef struct MpCategory
{
	uint32_t	label;			/* in STRINGS */
	uint32_t	label_length;
	double		number;			/* where the feature's numeric_categories is set */
} MpCategory;

typedef enum MpSectionId
{
	MP_SECTION_BASE,			/* real[n_outputs], margin scale */
	MP_SECTION_FEATURES,		/* MpFeature[n_features] */
	MP_SECTION_CATEGORIES,		/* MpCategory[] */
	MP_SECTION_STRINGS,			/* char[] */
	MP_SECTION_TREES,			/* MpTree[n_trees] */
	MP_SECTION_NODES,			/* MpNode[] */
	MP_SECTION_CATSETS,			/* MpCatSet[] */
	MP_SECTION_CATWORDS,		/* uint32_t[] */
	MP_SECTION_LEAVES,			/* real[][n_outputs]: vector leaves */
	MP_SECTION_WEIGHTS,			/* float[n_features + 1][n_outputs]: gblinear, bias last */
	MP_SECTION_GAIN,			/* float[] per node */
	MP_SECTION_COVER,			/* real[] per node: sum of hessians, or of rows */
	MP_SECTION_VALUES,			/* double[] per node: threshold or leaf; empty in a single forest */
	MP_SECTION_NUMBERS,			/* int32_t[] per node: the library's; empty: the places here */
	MP_SECTION_LINEAR,			/* MpLinearLeaf[] */
	MP_SECTION_TERMS,			/* MpLinearTerm[] */
	MP_SECTION_COUNT
} MpSectionId;

#define MP_SECTION_LAST_OF_HEAD MP_SECTION_STRINGS

typedef struct MpSection
{
	uint64_t	offset;			/* from the start of the forest, a multiple of 64 */
	uint64_t	size;			/* bytes */
} MpSection;

/* What happens to a row's numbers before the trees see them: mp_forest_prepare. */
#define MP_INPUT_ROUND 1u				/* rounded to float32 */
#define MP_INPUT_TINY_IS_ZERO 2u		/* |x| <= 1e-35f becomes 0 */
#define MP_INPUT_CLAMP 4u				/* x < Infinity holds of Infinity too: it becomes DBL_MAX */
#define MP_INPUT_TRUNCATE 8u			/* categories: towards zero; no code becomes NaN */
#define MP_INPUT_ZERO_MISSING 16u		/* some feature has MP_ZERO_ALWAYS */
#define MP_INPUT_NO_MISSING 32u			/* a missing value is a fault of the row */
#define MP_INPUT_ALL 63u

/* the forest's first bytes */
typedef struct MpForest
{
	uint32_t	magic;
	uint32_t	format;			/* MP_FOREST_FORMAT */
	uint32_t	byte_order;
	uint32_t	head_checksum;	/* CRC-32C of the head with both checksums 0 */
	uint32_t	checksum;		/* CRC-32C of everything after the head */
	uint32_t	n_feature_names;	/* 0 or n_features */
	uint64_t	head_size;		/* multiple of 64 */
	uint64_t	size;			/* multiple of 64 */
	int32_t		library;		/* MpLibrary */
	int32_t		version[3];		/* of the library that saved it; 0.0.0: not said */
	int32_t		source;			/* MpFormat */
	int32_t		booster;		/* MpBoosterKind */
	int32_t		precision;		/* MpPrecision */
	uint32_t	input;			/* MP_INPUT_... */
	int32_t		link;			/* MpLink */
	int32_t		task;			/* MpTask; see mp_forest_task */
	int32_t		divisor;		/* where trees are averaged: of LightGBM's margins before the
								 * link, of scikit-learn's sums, whose margins are means; else 1 */
	uint32_t	objective;		/* its name in the library, in STRINGS */
	uint32_t	objective_length;
	int32_t		n_features;
	int32_t		n_outputs;		/* margins per row */
	int32_t		n_trees;
	int32_t		n_trees_used;	/* the first ones; the others are kept for importance */
	int32_t		n_rounds;
	int32_t		n_rounds_used;
	int32_t		best_iteration; /* -1: not said */
	int32_t		vector_leaf;	/* 1: leaves are rows of LEAVES */
	int32_t		linear_leaf;	/* 1: leaves are entries of LINEAR */
	int32_t		has_categorical;	/* 1: some split is by category */
	int32_t		has_zero_missing;	/* 1: some split takes 0 for missing */
	int32_t		has_stats;		/* 1: GAIN and COVER are known; 0: they are all 0 */
	int32_t		unused;
	double		link_factor;	/* of MP_LINK_LOGISTIC; else 1 */
	MpSection	sections[MP_SECTION_COUNT];
} MpForest;

#endif
