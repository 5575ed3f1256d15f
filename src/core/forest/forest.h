/*
 * forest.h: a model in memory, ready to score: one flat block.
 *
 * A forest holds no pointers: sections are found by offset from its start, so
 * it can be stored, copied and mapped. mp_forest_check passes every index of
 * every section before anything walks it; code after that needs no bounds checks.
 *
 * The sections from BASE to STRINGS are the head: all that describes inputs
 * and outputs. The trees come after, so that the head can be read alone.
 *
 * Precision decides the type of four sections, written `real` below, and of
 * features, thresholds, leaves and sums: float in a single forest (XGBoost),
 * double in a double one (LightGBM, scikit-learn). A double forest keeps
 * thresholds and scalar leaves in VALUES, beside the nodes.
 */
#ifndef MP_CORE_FOREST_H
#define MP_CORE_FOREST_H

#include "core/forest/layout.h"

#define MP_SECTION(forest, id, type) \
	((const type *) ((const char *) (forest) + (forest)->sections[id].offset))
#define MP_SECTION_LENGTH(forest, id, type) \
	((forest)->sections[id].size / sizeof(type))

/* Bytes of a `real` of this forest. */
static inline size_t
mp_forest_real_size(const MpForest *f)
{
	return f->precision == MP_PRECISION_DOUBLE ? sizeof(double) : sizeof(float);
}

/* Element i of a section of reals. */
static inline double
mp_forest_real(const MpForest *f, MpSectionId id, size_t i)
{
	return f->precision == MP_PRECISION_DOUBLE ? MP_SECTION(f, id, double)[i] :
		MP_SECTION(f, id, float)[i];
}

/* Whether the sums of a row are divided by `divisor` to be its margins. */
static inline bool
mp_forest_margins_are_means(const MpForest *f)
{
	return f->library == MP_LIBRARY_SKLEARN && f->divisor != 1;
}

/* Makes margins of the sums of n rows. */
static inline void
mp_forest_average(const MpForest *f, size_t n, double *margin)
{
	if (!mp_forest_margins_are_means(f))
		return;
	for (size_t i = 0; i < n * f->n_outputs; i++)
		margin[i] /= f->divisor;
}

/* of a single forest */
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

/* The threshold of a split by number, or the value of a scalar leaf: node i of the tree. */
static inline double
mp_forest_value(const MpForest *f, const MpTree *tree, uint32_t i)
{
	return f->precision == MP_PRECISION_DOUBLE ?
		MP_SECTION(f, MP_SECTION_VALUES, double)[tree->first + i] :
		mp_forest_nodes(f, tree)[i].value;
}

/* The number that the library gives to node i of the tree. */
static inline int32_t
mp_forest_number(const MpForest *f, const MpTree *tree, int32_t i)
{
	return f->sections[MP_SECTION_NUMBERS].size == 0 ? i :
		MP_SECTION(f, MP_SECTION_NUMBERS, int32_t)[tree->first + (uint32_t) i];
}

static inline MpString
mp_forest_string(const MpForest *f, uint32_t offset, uint32_t length)
{
	MpString	s = {MP_SECTION(f, MP_SECTION_STRINGS, char) + offset, length};

	return s;
}

static inline MpString
mp_forest_objective(const MpForest *f)
{
	return mp_forest_string(f, f->objective, f->objective_length);
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

/*
 * The threshold of a split by number as the library has it: all but XGBoost's
 * are compared by x <= t.
 */
extern double mp_forest_threshold(const MpForest *forest, const MpTree *tree, uint32_t node);

/*
 * The library's number of a node; LightGBM numbers splits and leaves apart, so
 * that leaf n is -1 - n, as its own files have it.
 */
extern int32_t mp_forest_node_id(const MpForest *forest, const MpTree *tree, int32_t node);

/* Writes both checksums; the last step of building one. */
extern void mp_forest_seal(MpForest *forest);

extern const char *mp_library_name(MpLibrary library);	/* "XGBoost", "LightGBM", "scikit-learn" */
extern const char *mp_format_name(MpFormat format);		/* "ubj", "json", "deprecated", "text" */
extern const char *mp_booster_name(MpBoosterKind booster);	/* "gbtree", ... */

#endif
