/*
 * forest.h: a model in memory, ready to score: one flat block.
 *
 * A forest holds no pointers: sections are found by offset from its start, so
 * it can be stored, copied and mapped. It keeps XGBoost's own node numbers.
 * mp_forest_check passes every index of every section before anything walks
 * it; code after that needs no bounds checks.
 *
 * The sections from BASE to STRINGS are the head: all that describes inputs
 * and outputs. The trees come after, so that the head can be read alone.
 */
#ifndef MP_CORE_FOREST_H
#define MP_CORE_FOREST_H

#include "core/base/base.h"

#define MP_FOREST_MAGIC 0x3146504du		/* "MPF1" */
#define MP_FOREST_FORMAT 1				/* raised at every change of this file */
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

/* the file format that the model came in */
typedef enum MpFormat
{
	MP_FORMAT_UBJSON,
	MP_FORMAT_JSON,
	MP_FORMAT_BINARY			/* "deprecated", before 3.1 */
} MpFormat;

typedef enum MpFeatureType
{
	MP_FEATURE_FLOAT,			/* "float", "q", or none given */
	MP_FEATURE_INTEGER,			/* "int" */
	MP_FEATURE_INDICATOR,		/* "i" */
	MP_FEATURE_CATEGORICAL		/* "c" */
} MpFeatureType;

/* order is part of the image: append only */
typedef enum MpObjective
{
	MP_REG_SQUAREDERROR,
	MP_REG_LINEAR,
	MP_REG_SQUAREDLOGERROR,
	MP_REG_LOGISTIC,
	MP_REG_PSEUDOHUBERERROR,
	MP_REG_ABSOLUTEERROR,
	MP_REG_QUANTILEERROR,
	MP_REG_EXPECTILEERROR,
	MP_REG_GAMMA,
	MP_REG_TWEEDIE,
	MP_BINARY_LOGISTIC,
	MP_BINARY_LOGITRAW,
	MP_BINARY_HINGE,
	MP_COUNT_POISSON,
	MP_SURVIVAL_COX,
	MP_SURVIVAL_AFT,
	MP_MULTI_SOFTMAX,
	MP_MULTI_SOFTPROB,
	MP_RANK_PAIRWISE,
	MP_RANK_NDCG,
	MP_RANK_MAP,
	MP_OBJECTIVE_COUNT
} MpObjective;

/*
 * One node. A split goes to `left` where x < value (numeric), where the code is
 * not in the set `value_bits` of the tree's sets (categorical), or where x is
 * missing and MP_NODE_DEFAULT_LEFT is set; else to `left + 1`. A leaf has
 * left = 0 (the root is nobody's child) and adds `value`, or the leaf vector
 * numbered `value_bits`. A threshold is never NaN: the loader writes it as
 * -Infinity, which no x is less than either.
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
#define MP_NODE_FEATURE_MASK 0x3fffffffu

typedef struct MpTree
{
	uint32_t	first;			/* of its nodes, in NODES, GAIN and COVER */
	uint32_t	n_nodes;		/* deleted ones included, which nothing reaches */
	int32_t		output;			/* margin it adds to; 0 with vector leaves */
	float		weight;			/* dart; 1 otherwise */
} MpTree;

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

typedef struct MpFeature
{
	uint32_t	name;			/* in STRINGS; n_feature_names = 0: none have one */
	uint32_t	name_length;
	int32_t		type;			/* MpFeatureType */
	uint32_t	first_category; /* in CATEGORIES; the n-th has code n */
	uint32_t	n_categories;	/* 0: not known */
	int32_t		numeric_categories;	/* all of them are, or read as, numbers */
} MpFeature;

typedef struct MpCategory
{
	uint32_t	label;			/* in STRINGS */
	uint32_t	label_length;
	double		number;			/* where the feature's numeric_categories is set */
} MpCategory;

typedef enum MpSectionId
{
	MP_SECTION_BASE,			/* float[n_outputs], margin scale */
	MP_SECTION_FEATURES,		/* MpFeature[n_features] */
	MP_SECTION_CATEGORIES,		/* MpCategory[] */
	MP_SECTION_STRINGS,			/* char[] */
	MP_SECTION_TREES,			/* MpTree[n_trees] */
	MP_SECTION_NODES,			/* MpNode[] */
	MP_SECTION_CATSETS,			/* MpCatSet[] */
	MP_SECTION_CATWORDS,		/* uint32_t[] */
	MP_SECTION_LEAVES,			/* float[][n_outputs]: vector leaves */
	MP_SECTION_WEIGHTS,			/* float[n_features + 1][n_outputs]: gblinear, bias last */
	MP_SECTION_GAIN,			/* float[] per node; loss_changes */
	MP_SECTION_COVER,			/* float[] per node; sum_hessian */
	MP_SECTION_COUNT
} MpSectionId;

#define MP_SECTION_LAST_OF_HEAD MP_SECTION_STRINGS

typedef struct MpSection
{
	uint64_t	offset;			/* from the start of the forest, a multiple of 64 */
	uint64_t	size;			/* bytes */
} MpSection;

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
	int32_t		version[3];		/* of the XGBoost that saved it; 0.0.0: not said */
	int32_t		source;			/* MpFormat */
	int32_t		booster;		/* MpBoosterKind */
	int32_t		objective;		/* MpObjective */
	int32_t		n_features;
	int32_t		n_outputs;		/* margins per row */
	int32_t		num_class;		/* as the file says: 0 or the number of classes */
	int32_t		num_target;
	int32_t		n_trees;
	int32_t		n_trees_used;	/* the first ones; the others are kept for importance */
	int32_t		n_rounds;
	int32_t		n_rounds_used;
	int32_t		best_iteration; /* -1: not said */
	int32_t		vector_leaf;	/* 1: leaves are rows of LEAVES */
	int32_t		has_categorical;	/* 1: some split is by category */
	int32_t		has_stats;		/* 1: GAIN and COVER are known; 0: they are all 0 */
	MpSection	sections[MP_SECTION_COUNT];
} MpForest;

#define MP_SECTION(forest, id, type) \
	((const type *) ((const char *) (forest) + (forest)->sections[id].offset))
#define MP_SECTION_LENGTH(forest, id, type) \
	((forest)->sections[id].size / sizeof(type))

static inline const float *
mp_forest_base(const MpForest *f)
{
	return MP_SECTION(f, MP_SECTION_BASE, float);
}

static inline const MpFeature *
mp_forest_features(const MpForest *f)
{
	return MP_SECTION(f, MP_SECTION_FEATURES, MpFeature);
}

static inline const MpCategory *
mp_forest_categories(const MpForest *f, const MpFeature *feature)
{
	return MP_SECTION(f, MP_SECTION_CATEGORIES, MpCategory) + feature->first_category;
}

static inline const MpTree *
mp_forest_trees(const MpForest *f)
{
	return MP_SECTION(f, MP_SECTION_TREES, MpTree);
}

static inline const MpNode *
mp_forest_nodes(const MpForest *f, const MpTree *tree)
{
	return MP_SECTION(f, MP_SECTION_NODES, MpNode) + tree->first;
}

static inline MpString
mp_forest_string(const MpForest *f, uint32_t offset, uint32_t length)
{
	MpString	s = {MP_SECTION(f, MP_SECTION_STRINGS, char) + offset, length};

	return s;
}

/* Whether category code c (a whole number, not negative) is in the set. */
static inline bool
mp_catset_has(const MpForest *f, uint32_t set, uint32_t code)
{
	const MpCatSet *s = MP_SECTION(f, MP_SECTION_CATSETS, MpCatSet) + set;
	const uint32_t *words = MP_SECTION(f, MP_SECTION_CATWORDS, uint32_t) + s->first;
	uint32_t	low = 0;
	uint32_t	high = s->length;

	if (!s->is_list)
		return code / 32 < s->length && (words[code / 32] >> (code % 32) & 1);

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (words[middle] == code)
			return true;
		if (words[middle] < code)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/*
 * Whether `size` bytes at `image` (aligned to 8) are a sound forest of this
 * format and machine: checksums, every offset, index and count, no cycle.
 * With `head_only`, just the head, of which `size` bytes must be there.
 */
extern bool mp_forest_check(MpAlloc *alloc, const void *image, size_t size,
							bool head_only, MpError *error);

/* The same of a forest made by mp_forest_new, before it is sealed. */
extern bool mp_forest_check_content(MpAlloc *alloc, const MpForest *forest, bool head_only,
									MpError *error);

/*
 * A forest with this header and sections of these sizes (in bytes), for the
 * caller to fill. The nodes' memory becomes the forest's, with the nodes in
 * their place: they are the most of it, and need not be there twice. NULL: no
 * memory, and the nodes are as they were.
 */
extern MpForest *mp_forest_new(MpVec *nodes, const MpForest *header, const uint64_t *sizes,
							   MpError *error);

/* Writes both checksums; the last step of building one. */
extern void mp_forest_seal(MpForest *forest);

/* Splits on the longest way to a leaf of a tree in use; -1: no memory. */
extern int32_t mp_forest_depth(MpAlloc *alloc, const MpForest *forest);

/* CRC-32C of data that follows data of checksum `crc` (0 at the start) */
extern uint32_t mp_crc32c(uint32_t crc, const void *data, size_t size);
extern uint32_t mp_crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
