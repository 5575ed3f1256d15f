/*
 * kernel_compile.c: from a forest to a kernel image.
 *
 * First pass: every used tree is walked once, for its depth and its conditions.
 * Then the image's width is chosen and the conditions get their slots
 * (kernel_slots.c). Second pass: the trees are laid out (kernel_layout.c).
 *
 * The image depends on the forest alone, never on the processor.
 */
#include "core/base/crc32c.h"
#include "core/kernel/kernel_compile.h"
#include "core/kernel/kernel_layout.h"
#include "core/kernel/kernel_types.h"
#include "core/kernel/kernel_write.h"

#include <string.h>

/* what a row would cost beyond this is no longer the trees' doing */
#define MAX_SET_CODES (64 * 1024 * 1024)

/*
 * A step of the reference evaluator costs about as much as so many levels of ranking: few
 * trees over thousands of features are walked as they are.
 */
#define RANKS_PER_STEP 5

#define FIRST_SIZE 8192			/* of an image, beside what its nodes take */

/* Of a double forest: gives leaf `n` of a tree a number, and keeps what it adds. */
static bool
add_double(MpCompiler *c, const MpTree *tree, uint32_t n)
{
	double	   *added;

	if (c->forest->precision != MP_PRECISION_DOUBLE || c->forest->vector_leaf)
		return true;
	c->numbers[tree->first + n] = mp_vec_count(&c->doubles, double);
	added = mp_vec_add(&c->doubles, sizeof(double));
	if (added != NULL)
		*added = mp_forest_value(c->forest, tree, n) * tree->weight;
	return added != NULL;
}

/* Whether 0 is missing for a split, but not for all of its feature: a rank cannot tell. */
static bool
is_unfit(const MpForest *forest, const MpNode *split)
{
	return (split->feature & MP_NODE_ZERO_MISSING) &&
		mp_forest_features(forest)[split->feature & MP_NODE_FEATURE_MASK].zero_missing != MP_ZERO_ALWAYS;
}

/* Learns the shape of a tree and the conditions of its nodes. */
static bool
scan_tree(MpCompiler *c, const MpTree *tree, MpTreeShape *shape)
{
	const MpNode *nodes = mp_forest_nodes(c->forest, tree);
	uint32_t   *queue = c->queue;
	uint32_t	level_end = 1;

	memset(shape, 0, sizeof(*shape));
	queue[0] = 0;
	shape->n_nodes = 1;
	for (uint32_t i = 0; i < shape->n_nodes; i++)
	{
		uint32_t	n = queue[i];

		if (i == level_end)
		{
			shape->depth++;
			level_end = shape->n_nodes;
		}
		if (nodes[n].left == 0)
		{
			if (!add_double(c, tree, n))
				return false;
			continue;
		}
		c->unfit |= is_unfit(c->forest, &nodes[n]);
		if (!mp_conditions_add(&c->conditions, &nodes[n], mp_forest_value(c->forest, tree, n),
							   &c->numbers[tree->first + n]))
			return false;
		queue[shape->n_nodes++] = nodes[n].left;
		queue[shape->n_nodes++] = nodes[n].left + 1;
	}
	mp_alloc_poll(c->alloc);
	return true;
}

static MpKernelSum
choose_sum(const MpForest *forest)
{
	const MpTree *trees = mp_forest_trees(forest);

	if (forest->vector_leaf)
		return MP_SUM_VECTOR;
	if (forest->n_outputs == 1)
		return MP_SUM_ONE;
	for (int t = 0; t < forest->n_trees_used; t++)
	{
		if (trees[t].output != t % forest->n_outputs)
			return MP_SUM_LIST;
	}
	return MP_SUM_CYCLE;
}

static bool
write_outputs(MpCompiler *c)
{
	const MpTree *trees = mp_forest_trees(c->forest);
	uint32_t   *outputs;

	if (!mp_image_begin(&c->image, MP_KERNEL_OUTPUTS))
		return false;
	if (mp_image_head(c)->sum == MP_SUM_LIST)
	{
		outputs = mp_vec_add(&c->image, c->forest->n_trees_used * sizeof(uint32_t));
		if (outputs == NULL)
			return false;
		for (int t = 0; t < c->forest->n_trees_used; t++)
			outputs[t] = trees[t].output;
	}
	mp_image_end(&c->image, MP_KERNEL_OUTPUTS);
	return true;
}

static bool
write_vectors(MpCompiler *c)
{
	bool		vectors = c->forest->vector_leaf != 0;
	size_t		size = vectors ? c->forest->sections[MP_SECTION_LEAVES].size : c->doubles.size;
	void	   *copy;

	if (!mp_image_begin(&c->image, MP_KERNEL_VECTORS))
		return false;
	copy = mp_vec_add(&c->image, size);
	if (copy == NULL)
		return false;
	if (size > 0)
		memcpy(copy, vectors ? MP_SECTION(c->forest, MP_SECTION_LEAVES, void) : c->doubles.data, size);
	mp_image_end(&c->image, MP_KERNEL_VECTORS);
	return true;
}

/* Whether trees are all of a kind that kernels know. */
static bool
trees_fit(const MpForest *forest)
{
	const MpTree *trees = mp_forest_trees(forest);

	if (forest->booster == MP_BOOSTER_GBLINEAR || forest->linear_leaf)
		return false;

	/* the weight would have to go into rows that trees may share */
	for (int t = 0; forest->vector_leaf && t < forest->n_trees_used; t++)
	{
		if (trees[t].weight != 1)
			return false;
	}
	return true;
}

/* First pass; *fits = false where scoring by kernels makes no sense. */
static bool
scan_forest(MpCompiler *c, bool *fits)
{
	const MpTree *trees = mp_forest_trees(c->forest);
	uint32_t	n_trees = c->forest->n_trees_used;
	uint32_t	most_nodes = 1;

	for (uint32_t t = 0; t < n_trees; t++)
	{
		if (trees[t].n_nodes > most_nodes)
			most_nodes = trees[t].n_nodes;
	}
	c->queue = mp_alloc_get(c->alloc, most_nodes * sizeof(uint32_t));
	c->shapes = mp_alloc_get(c->alloc, n_trees * sizeof(MpTreeShape));
	c->numbers = mp_alloc_get(c->alloc, c->forest->sections[MP_SECTION_NODES].size /
							  sizeof(MpNode) * sizeof(uint32_t));
	if (c->queue == NULL || c->shapes == NULL || c->numbers == NULL ||
		!mp_conditions_open(&c->conditions, c->alloc, c->forest))
		return false;

	for (uint32_t t = 0; t < n_trees; t++)
	{
		if (!scan_tree(c, &trees[t], &c->shapes[t]))
			return false;
		if (c->shapes[t].depth > MP_SHORT_DEPTH && c->shapes[t].n_nodes > MP_BYTE_DEEP_NODES)
			c->least_width = MP_WIDE;
		*fits = c->conditions.n_codes <= MAX_SET_CODES && !c->unfit;
		if (!*fits)
			return true;
	}
	return mp_conditions_sort(&c->conditions);
}

/* Gives the conditions slots of a width; false: they, or the trees, do not fit. */
static bool
use_width(MpCompiler *c, MpKernelImage *head, MpKernelWidth width)
{
	c->width = width;
	head->width = width;
	if (width < c->least_width || !mp_conditions_assign(&c->conditions, head))
		return false;
	return head->n_slots > 0 || width == MP_BYTES;	/* nodes without a split name cell 0 */
}

/* Whether ranking a row costs less than it saves on the way down the trees. */
static bool
ranks_pay(const MpCompiler *c, const MpKernelImage *head)
{
	uint64_t	steps = 0;
	uint64_t	ranks = 0;

	for (int t = 0; t < c->forest->n_trees_used; t++)
		steps += c->shapes[t].depth;
	for (int level = 0; level < MP_RANK_LEVELS; level++)
		ranks += (uint64_t) head->level_slots[level] * (level + 1);
	return ranks <= RANKS_PER_STEP * steps;
}

/* Bytes where they do. */
static bool
choose_width(MpCompiler *c, MpKernelImage *head, int wanted)
{
	if (wanted != MP_ANY_WIDTH)
		return use_width(c, head, wanted);
	return use_width(c, head, MP_BYTES) || (use_width(c, head, MP_WIDE) && ranks_pay(c, head));
}

static bool
write_image(MpCompiler *c, int width, bool *fits)
{
	MpKernelImage *head;

	/* most images are less than the nodes that they are made of, and need not grow */
	if (mp_vec_add(&c->image, c->forest->sections[MP_SECTION_NODES].size + FIRST_SIZE) == NULL)
		return false;
	c->image.size = 0;
	head = mp_vec_add(&c->image, mp_round_up(sizeof(MpKernelImage), 64));
	memset(head, 0, mp_round_up(sizeof(MpKernelImage), 64));
	head->magic = MP_KERNEL_MAGIC;
	head->format = MP_KERNEL_FORMAT;
	head->byte_order = MP_FOREST_BYTE_ORDER;
	head->head_checksum = c->forest->head_checksum;
	head->forest_checksum = c->forest->checksum;
	head->n_features = c->forest->n_features;
	head->n_outputs = c->forest->n_outputs;
	head->n_trees = c->forest->n_trees_used;
	head->sum = choose_sum(c->forest);
	head->precision = c->forest->precision;

	*fits = choose_width(c, head, width);
	if (!*fits)
		return true;
	if (!mp_conditions_write(&c->conditions, &c->image, fits))
		return false;
	if (!*fits)
		return true;
	if (!write_outputs(c) || !write_vectors(c) || !mp_layout_chunks(c))
		return false;
	*fits = c->image.size <= MP_KERNEL_MAX_SIZE;
	mp_image_head(c)->size = c->image.size;
	mp_image_head(c)->checksum = mp_crc32c(0, c->image.data, c->image.size);
	return true;
}

/* Gives back what the vector has beyond its content. */
static void *
trim(MpVec *vec)
{
	void	   *less = vec->alloc->resize(vec->alloc, vec->data, vec->size);

	return less != NULL ? less : vec->data;
}

void *
mp_kernel_compile_as(MpAlloc *alloc, const MpForest *forest, int width, size_t *size,
					 MpError *error)
{
	MpCompiler	c = {alloc, forest};
	bool		fits = true;
	bool		ok;

	mp_error_clear(error);
	if (!trees_fit(forest))
		return NULL;
	c.image.alloc = alloc;
	c.blocks.alloc = alloc;
	c.leaves.alloc = alloc;
	c.doubles.alloc = alloc;
	ok = scan_forest(&c, &fits) && (!fits || write_image(&c, width, &fits));
	mp_conditions_close(&c.conditions);
	mp_vec_release(&c.blocks);
	mp_vec_release(&c.leaves);
	mp_vec_release(&c.doubles);
	mp_alloc_release(alloc, c.queue);
	mp_alloc_release(alloc, c.shapes);
	mp_alloc_release(alloc, c.numbers);
	if (!ok)
		mp_fail_memory(error, c.image.size);
	if (!ok || !fits)
	{
		mp_vec_release(&c.image);
		return NULL;
	}
	*size = c.image.size;
	return trim(&c.image);
}

void *
mp_kernel_compile(MpAlloc *alloc, const MpForest *forest, size_t *size, MpError *error)
{
	return mp_kernel_compile_as(alloc, forest, MP_ANY_WIDTH, size, error);
}
