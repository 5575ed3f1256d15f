/*
 * kernel_check.c: is a stored image one that can be evaluated safely?
 *
 * The checksum catches damage; what follows makes sure that an image made by
 * hand, with a right checksum, can give wrong scores at worst. Much needs no
 * check because it cannot point anywhere else: there are as many cells as bytes
 * can name, the exit of a top is always one that it has. The rest is passed in
 * one go, so that a new backend can afford it.
 */
#include "core/base/crc32c.h"
#include "core/kernel/kernel_check.h"
#include "core/kernel/kernel_image.h"
#include "core/kernel/kernel_types.h"

#include <math.h>
#include <string.h>

static bool
damaged(MpError *error, const char *what)
{
	return mp_fail(error, MP_ERROR_IMAGE, "stored kernel is damaged: %s", what);
}

static bool
within(uint64_t offset, uint64_t size, uint64_t total)
{
	return offset <= total && size <= total - offset;
}

static uint32_t
checksum_of(const MpKernelImage *image)
{
	size_t		at = offsetof(MpKernelImage, checksum);
	size_t		after = at + sizeof(image->checksum);
	uint32_t	zero = 0;
	uint32_t	crc = mp_crc32c(0, image, at);

	crc = mp_crc32c(crc, &zero, sizeof(zero));
	return mp_crc32c(crc, (const char *) image + after, image->size - after);
}

static bool
check_head(const MpKernelImage *image, size_t size, const MpForest *head, MpError *error)
{
	if (size < sizeof(MpKernelImage) || image->magic != MP_KERNEL_MAGIC)
		return mp_fail(error, MP_ERROR_IMAGE, "stored kernel is something else");
	if (image->byte_order != MP_FOREST_BYTE_ORDER)
		return mp_fail(error, MP_ERROR_IMAGE, "stored kernel is of another kind of processor");
	if (image->format != MP_KERNEL_FORMAT)
		return mp_fail(error, MP_ERROR_IMAGE, "stored kernel has format %u, expected %d",
					   image->format, MP_KERNEL_FORMAT);
	if (image->size != size || size % 64 != 0)
		return mp_fail(error, MP_ERROR_IMAGE, "stored kernel has %zu bytes, expected %llu",
					   size, (unsigned long long) image->size);
	if (checksum_of(image) != image->checksum)
		return damaged(error, "its checksum is wrong");
	if (image->head_checksum != head->head_checksum ||
		image->forest_checksum != head->checksum)
		return mp_fail(error, MP_ERROR_IMAGE, "stored kernel belongs to another model");
	if (image->n_features != head->n_features || image->n_outputs != head->n_outputs ||
		image->n_trees != head->n_trees_used || image->n_trees < 0 || image->n_outputs < 1)
		return damaged(error, "its counts are not the model's");
	if (image->precision != (uint32_t) head->precision || image->precision > MP_PRECISION_DOUBLE)
		return damaged(error, "its precision is not the model's");
	if (image->width > MP_WIDE)
		return damaged(error, "unknown width");
	for (int id = 0; id < MP_KERNEL_SECTION_COUNT; id++)
	{
		const MpSection *section = &image->sections[id];

		if (section->offset % 64 != 0 || !within(section->offset, section->size, size))
			return damaged(error, "a section lies outside");
	}
	return true;
}

/* Number i of an array of reals. */
static inline double
real_at(const MpKernelImage *image, const void *reals, uint64_t i)
{
	return image->precision == MP_PRECISION_DOUBLE ? ((const double *) reals)[i]
		: ((const float *) reals)[i];
}

static bool
same_real(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* Ascending, then nothing but NaN. */
static bool
block_ascends(const MpKernelImage *image, const void *reals, uint64_t first)
{
	bool		ok = true;

	for (int i = 1; i < MP_RANK_FANOUT; i++)
	{
		double		real = real_at(image, reals, first + i);

		ok &= (real_at(image, reals, first + i - 1) <= real) | (real != real);
	}
	return ok;
}

/*
 * One level of a slot's search tree, blocks `first` and on; `above` is the level above's
 * first one. *n_children: blocks that the next level must have.
 */
static bool
check_level(const MpKernelImage *image, uint64_t first, uint64_t n_blocks, bool root,
			uint64_t above, uint64_t *n_children)
{
	const void *reals = MP_SECTION(image, MP_KERNEL_THRESHOLDS, void);

	*n_children = 1;
	for (uint64_t j = 0; j < n_blocks; j++)
	{
		uint64_t	block = (first + j) * MP_RANK_FANOUT;

		if (!block_ascends(image, reals, block) ||
			(!root && !same_real(real_at(image, reals, above * MP_RANK_FANOUT + j),
								 real_at(image, reals, block + MP_RANK_FANOUT - 1))))
			return false;

		/* a child for each number, and one for all that is greater */
		for (int i = 0; i < MP_RANK_FANOUT; i++)
		{
			if (!isnan(real_at(image, reals, block + i)))
				*n_children = j * MP_RANK_FANOUT + i + 2;
		}
	}
	return isnan(real_at(image, reals, (first + n_blocks) * MP_RANK_FANOUT - 1));
}

static bool
check_slot(const MpKernelImage *image, uint32_t root, int levels, uint64_t total_blocks)
{
	const MpKernelSlot *slot = MP_SECTION(image, MP_KERNEL_SLOTS, MpKernelSlot) + root;
	uint64_t	above = root;
	uint64_t	n_blocks = 1;

	for (int level = 0; level < levels; level++)
	{
		uint64_t	first = level == 0 ? root : slot->first[level - 1];

		if (!within(first, n_blocks, total_blocks) ||
			!check_level(image, first, n_blocks, level == 0, above, &n_blocks))
			return false;
		above = first;
	}
	return true;
}

static bool
check_slots(const MpKernelImage *image, MpError *error)
{
	const MpKernelSlot *slots = MP_SECTION(image, MP_KERNEL_SLOTS, MpKernelSlot);
	uint64_t	n_blocks = image->sections[MP_KERNEL_THRESHOLDS].size /
		(MP_RANK_FANOUT * mp_kernel_real_size(image));
	uint64_t	slot = 0;

	if (image->n_slots > mp_kernel_most_slots(image->width) ||
		(image->n_slots == 0 && image->width != MP_BYTES) ||
		image->n_numeric > image->n_slots ||
		image->sections[MP_KERNEL_SLOTS].size != image->n_numeric * sizeof(MpKernelSlot))
		return damaged(error, "wrong number of slots");
	for (int levels = 1; levels <= MP_RANK_LEVELS; levels++)
	{
		uint64_t	end = slot + image->level_slots[levels - 1];

		if (end > image->n_numeric)
			return damaged(error, "wrong number of slots");
		for (; slot < end; slot++)
		{
			if (slots[slot].feature >= image->n_features ||
				!check_slot(image, slot, levels, n_blocks))
				return damaged(error, "wrong thresholds");
		}
	}
	if (slot != image->n_numeric)
		return damaged(error, "wrong number of slots");
	return true;
}

static bool
check_groups(const MpKernelImage *image, MpError *error)
{
	const MpKernelGroup *groups = MP_SECTION(image, MP_KERNEL_GROUPS, MpKernelGroup);
	uint64_t	n_groups = image->sections[MP_KERNEL_GROUPS].size / sizeof(MpKernelGroup);
	uint64_t	n_bytes = image->sections[MP_KERNEL_CODES].size;

	for (uint64_t i = 0; i < n_groups; i++)
	{
		const MpKernelGroup *g = &groups[i];

		if (g->feature >= image->n_features || g->listed > 1 ||
			!within(g->first_slot, g->n_tests, image->n_slots) ||
			g->row_bytes != (g->n_tests + 7) / 8 ||
			!within(g->codes * (uint64_t) 4, g->listed * (uint64_t) g->n_codes * 4, n_bytes) ||
			!within(g->bits * (uint64_t) 4, (uint64_t) g->n_codes * g->row_bytes, n_bytes))
			return damaged(error, "wrong category tests");
	}
	return true;
}

static bool
check_sum(const MpKernelImage *image, const MpForest *head, MpError *error)
{
	const uint32_t *outputs = MP_SECTION(image, MP_KERNEL_OUTPUTS, uint32_t);
	bool		ok = image->sum <= MP_SUM_VECTOR;

	ok = ok && (image->sum != MP_SUM_ONE || image->n_outputs == 1);
	ok = ok && (image->sum == MP_SUM_VECTOR) == (head->vector_leaf != 0);
	ok = ok && (!mp_kernel_leaves_are_numbers(image) || image->n_trees == 0 ||
				image->sections[MP_KERNEL_VECTORS].size / mp_kernel_real_size(image) >=
				mp_kernel_vector_length(image));
	if (ok && image->sum == MP_SUM_LIST)
	{
		ok = image->sections[MP_KERNEL_OUTPUTS].size == image->n_trees * sizeof(uint32_t);
		for (int t = 0; ok && t < image->n_trees; t++)
			ok = outputs[t] < image->n_outputs;
	}
	return ok || damaged(error, "wrong outputs");
}

static bool
check_leaves(const MpKernelImage *image, const MpKernelChunk *chunk)
{
	return chunk->leaves % 4 == 0 && chunk->n_leaves <= UINT32_MAX &&
		within(chunk->leaves, chunk->n_leaves * sizeof(float), image->size);
}

/* Number i of an array of nodes. */
static inline uint32_t
number_at(const void *array, size_t i, MpKernelWidth width)
{
	return width == MP_BYTES ? ((const uint16_t *) array)[i] : ((const uint32_t *) array)[i];
}

/* Whether the row has the cells of n nodes; all that bytes can name are there. */
static bool
check_nodes(const MpKernelImage *image, const void *nodes, size_t n)
{
	uint32_t	greatest = 0;

	if (image->width == MP_BYTES)
		return true;
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	cell = ((const uint32_t *) nodes)[i] & UINT16_MAX;

		greatest = cell > greatest ? cell : greatest;
	}
	return greatest < 2 * image->n_slots;
}

/* Whether no block leads further than any tree has leaves. */
static bool
check_blocks(const MpKernelImage *image, const MpKernelChunk *chunk)
{
	const MpWideBlock *blocks = (const MpWideBlock *) ((const char *) image + chunk->blocks);
	bool		ok = true;

	if (chunk->blocks % 8 != 0 || chunk->n_blocks < MP_TOP_PLACES ||
		!within(chunk->blocks, chunk->n_blocks * sizeof(MpWideBlock), image->size))
		return false;
	for (uint32_t i = 0; i < chunk->n_blocks; i++)
		ok &= blocks[i].leaf < MP_SHORT_LEAVES && check_nodes(image, blocks[i].nodes, 3);
	return ok;
}

/* Whether tree t has the blocks and leaves that its exits lead to. */
static bool
check_short_tail(const MpKernelImage *image, const MpKernelChunk *chunk, size_t t)
{
	const char *start = (const char *) image;
	const uint8_t *table = (const uint8_t *) start + chunk->table + t * MP_TOP_PLACES;
	MpShortTail tail = ((const MpShortTail *) (start + chunk->tails))[t];
	uint32_t	last = MP_TOP_PLACES - 1;

	for (int w = 0; w < MP_TOP_PLACES; w++)
		last = table[w] > last ? table[w] : last;
	return tail.block + last < chunk->n_blocks && last < 2 * MP_TOP_PLACES &&
		tail.leaf + MP_SHORT_LEAVES_ROOM <= chunk->n_leaves;
}

static bool
check_short_tails(const MpKernelImage *image, const MpKernelChunk *chunk)
{
	size_t		n = mp_chunk_places(chunk);
	bool		ok = chunk->tails % 2 == 0 &&
		within(chunk->table, n * MP_TOP_PLACES, image->size) &&
		within(chunk->tails, n * sizeof(MpShortTail), image->size);

	for (size_t t = 0; ok && t < n; t++)
		ok = check_short_tail(image, chunk, t);
	return ok;
}

/* Every node leads to greater ones, or is a leaf and leads to itself: so every walk ends. */
static inline bool
check_deep_nodes(const MpKernelImage *image, const void *exits, uint64_t n, MpKernelWidth width)
{
	uint64_t	mask = mp_kernel_none(width);
	int			bits = mp_kernel_cell_bits(width);
	uint64_t	n_cells = width == MP_BYTES ? MP_BYTE_CELLS : 2 * (uint64_t) image->n_slots;
	uint32_t	n_exits = mp_top_exits(width);
	bool		ok = true;

	for (uint32_t i = 0; i < n_exits; i++)
		ok &= number_at(exits, i, width) < n;
	for (uint64_t i = 0; i < n; i++)
	{
		uint64_t	node = number_at(exits, n_exits + 2 * i, width);
		uint64_t	left = number_at(exits, n_exits + 2 * i + 1, width);

		ok &= ((left > i) & (left < n - 1)) | ((left == i) & (node >> bits == mask));
		ok &= (node & mask) < n_cells;
	}
	return ok;
}

static bool
check_deep_tail(const MpKernelImage *image, const MpKernelChunk *chunk, const MpDeepTail *tail)
{
	const char *exits = (const char *) image + chunk->data + tail->exits;
	size_t		node_size = mp_kernel_node_size(image->width);
	uint64_t	n = tail->n_nodes;

	if (tail->exits % 8 != 0 ||
		!within(tail->exits, (mp_top_exits(image->width) + 2 * n) * node_size, chunk->data_size) ||
		tail->values % 4 != 0 || !within(tail->values, n * 4, chunk->data_size))
		return false;
	return image->width == MP_BYTES ? check_deep_nodes(image, exits, n, MP_BYTES)
		: check_deep_nodes(image, exits, n, MP_WIDE);
}

static bool
check_deep_tails(const MpKernelImage *image, const MpKernelChunk *chunk, const MpDeepTail *tails)
{
	bool		ok = true;

	for (uint32_t t = 0; ok && t < mp_chunk_places(chunk); t++)
	{
		/* the trees that fill up a chunk have the first one's tail */
		ok = t < chunk->n_trees ? check_deep_tail(image, chunk, &tails[t])
			: memcmp(&tails[t], &tails[0], sizeof(MpDeepTail)) == 0;
	}
	return ok;
}

/* Whether there is a subtree, as large as they come, wherever a tree's exits lead. */
static bool
check_subtree(const MpKernelChunk *chunk, const MpSubtrees *subtrees)
{
	bool		ok = true;

	for (size_t t = 0; t < mp_chunk_places(chunk); t++)
	{
		uint64_t	last = MP_SMALL_SUBTREE * __builtin_popcount(subtrees->there[t]) +
			(MP_LARGE_SUBTREE - MP_SMALL_SUBTREE) * __builtin_popcount(subtrees->large[t]);

		for (uint32_t w = 0; w < mp_top_exits(MP_BYTES); w++)
			last = subtrees->table[t][w] > last ? subtrees->table[t][w] : last;
		ok &= subtrees->first[t] + last + MP_LARGE_SUBTREE <= chunk->n_blocks;
	}
	return ok;
}

static bool
check_chunk(const MpKernelImage *image, const MpKernelChunk *chunk)
{
	const char *start = (const char *) image;
	uint64_t	n = mp_chunk_places(chunk);

	uint32_t	most_levels = mp_top_levels(image->width);

	if (chunk->levels < MP_LEAST_LEVELS || chunk->levels > most_levels ||
		(chunk->form != MP_CHUNK_FLAT && chunk->levels != most_levels) ||
		chunk->tops % 64 != 0 ||
		!within(chunk->tops, mp_chunk_tops_size(image, chunk), image->size) ||
		!check_nodes(image, start + chunk->tops, n << chunk->levels))
		return false;
	switch (chunk->form)
	{
		case MP_CHUNK_FLAT:
			return chunk->n_leaves == n << chunk->levels && check_leaves(image, chunk);
		case MP_CHUNK_SUBTREE_1:
			return image->width == MP_BYTES && chunk->blocks % 4 == 0 &&
				within(chunk->blocks, n * mp_top_exits(MP_BYTES) * sizeof(MpSubtree1), image->size);
		case MP_CHUNK_SUBTREE_3:
			return image->width == MP_BYTES && chunk->tails % 4 == 0 && chunk->blocks % 4 == 0 &&
				within(chunk->tails, sizeof(MpSubtrees), image->size) &&
				within(chunk->blocks, (uint64_t) chunk->n_blocks * MP_SUBTREE_UNIT, image->size) &&
				check_subtree(chunk, (const MpSubtrees *) (start + chunk->tails));
		case MP_CHUNK_SHORT:
			return image->width != MP_BYTES && check_leaves(image, chunk) && check_blocks(image, chunk) &&
				check_short_tails(image, chunk);
		case MP_CHUNK_DEEP:
			return chunk->tails % 4 == 0 && chunk->data % 8 == 0 &&
				within(chunk->tails, n * sizeof(MpDeepTail), image->size) &&
				within(chunk->data, chunk->data_size, image->size) &&
				check_deep_tails(image, chunk, (const MpDeepTail *) (start + chunk->tails));
	}
	return false;
}

static bool
check_chunks(const MpKernelImage *image, MpError *error)
{
	const MpKernelChunk *chunks = MP_SECTION(image, MP_KERNEL_CHUNKS, MpKernelChunk);
	uint64_t	n_chunks = ((uint64_t) image->n_trees + MP_CHUNK_TREES - 1) / MP_CHUNK_TREES;

	if (image->sections[MP_KERNEL_CHUNKS].size != n_chunks * sizeof(MpKernelChunk))
		return damaged(error, "wrong number of trees");
	for (uint64_t c = 0; c < n_chunks; c++)
	{
		uint64_t	left = image->n_trees - c * MP_CHUNK_TREES;

		if (chunks[c].n_trees != (left < MP_CHUNK_TREES ? left : MP_CHUNK_TREES) ||
			!check_chunk(image, &chunks[c]))
			return damaged(error, "wrong trees");
	}
	return true;
}

bool
mp_kernel_check(const void *bytes, size_t size, const MpForest *head, MpError *error)
{
	const MpKernelImage *image = bytes;

	mp_error_clear(error);
	return check_head(image, size, head, error) &&
		check_slots(image, error) &&
		check_groups(image, error) &&
		check_sum(image, head, error) &&
		check_chunks(image, error);
}
