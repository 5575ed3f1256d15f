/*
 * batch.c: makes a batch's trees and conditions from a kernel's image.
 *
 * An image that the check has taken may still have been made by hand: nodes may name
 * any cell. One that no slot fills is taken for a condition that nothing meets.
 */
#include "core/batch/batch_run.h"

#define N_TESTS 65536			/* (cell, bound), as 16 bits */
#define MOST_OUTPUTS 1024

/* Where the nodes of a tree of the image are, as those of a complete tree. */
typedef struct Source
{
	const char *image;
	const MpKernelChunk *chunk;
	uint32_t	t;				/* number in the chunk */
	uint32_t	depth;
} Source;

/* A reader of trees; what it finds is counted, and put down once there is room. */
typedef struct Reader
{
	MpBatch    *batch;
	Source		source;
	uint16_t   *numbers;		/* of conditions, by test */
	uint32_t	n_nodes;		/* of all trees so far */
	uint32_t	first;			/* number of the tree's first node */
	uint32_t	depth;			/* of the tree so far */
	uint32_t	leaves[MP_BATCH_PLACES];	/* of the tree; bits */
} Reader;

static Source
source_of(const MpKernel *kernel, uint32_t tree)
{
	const MpKernelChunk *chunk = &kernel->chunks[tree / MP_CHUNK_TREES];
	Source		source = {
		(const char *) kernel->image, chunk, tree % MP_CHUNK_TREES, chunk->levels
	};

	if (chunk->form == MP_CHUNK_TIP_1)
		source.depth += 1;
	else if (chunk->form == MP_CHUNK_TIP_3)
		source.depth += 3;
	return source;
}

static const MpTip1 *
tip_1(const Source *s, uint32_t out)
{
	return (const MpTip1 *) (s->image + s->chunk->blocks) + (s->t << MP_BYTE_TOP_LEVELS) + out;
}

static const MpTip3 *
tip_3(const Source *s, uint32_t out)
{
	const MpTips *where = (const MpTips *) (s->image + s->chunk->tails);
	size_t		unit = where->first[s->t] + where->table[s->t][out];

	return (const MpTip3 *) (s->image + s->chunk->blocks + unit * MP_TIP_UNIT);
}

/* Node i of a level, as the number of its test. */
static uint32_t
test_at(const Source *s, uint32_t level, uint32_t i)
{
	if (level < s->chunk->levels)
	{
		size_t		place = ((size_t) s->t << s->chunk->levels) + (1u << level) + i;
		const uint8_t *cell = (const uint8_t *) s->image + s->chunk->tops + mp_byte_place(place);

		return cell[0] << 8 | cell[MP_TOP_PLACES];
	}
	if (s->chunk->form == MP_CHUNK_TIP_1)
		return tip_1(s, i)->cell << 8 | tip_1(s, i)->bound;
	else
	{
		uint32_t	below = level - s->chunk->levels;
		const MpTip3 *tip = tip_3(s, i >> below);
		uint32_t	node = (2 * (i & ((1u << below) - 1)) + 1) << (2 - below);

		return tip->cells[node] << 8 | tip->bounds[node];
	}
}

/* Bits of leaf i, all ways down counted. */
static uint32_t
leaf_at(const Source *s, uint32_t i)
{
	const uint32_t *leaves = (const uint32_t *) (s->image + s->chunk->leaves);

	if (s->chunk->form == MP_CHUNK_TIP_1)
		return tip_1(s, i / 2)->leaves[i % 2];
	if (s->chunk->form == MP_CHUNK_TIP_3)
		return tip_3(s, i / 8)->leaves[i % 8];
	return leaves[(s->t << s->chunk->levels) + i];
}

/* Whether a test does anything but go left. */
static bool
is_condition(const MpKernelImage *image, uint32_t test)
{
	uint32_t	cell = test >> 8;
	uint32_t	right = mp_byte_right(image);

	return (test & 0xff) != MP_BYTE_NONE && (cell < right ? cell : cell - right) < image->n_slots;
}

static void
read_node(Reader *r, uint32_t test, uint32_t place)
{
	MpBatch    *batch = r->batch;

	if (batch->conditions != NULL)
	{
		batch->conditions[r->n_nodes] = r->numbers[test];
		batch->places[r->n_nodes] = place;
	}
	else
		r->numbers[test] = 1;
	r->n_nodes++;
}

/*
 * What is below node i of a level, in the order of leaves, for a complete tree in
 * which it has 2 * `half` leaves from place `first` on. Nodes that go left take no
 * level of it.
 */
static void
read_below(Reader *r, uint32_t level, uint32_t i, uint32_t first, uint32_t half, uint32_t depth)
{
	uint32_t	test;

	for (;; level++, i *= 2)
	{
		if (level == r->source.depth)
		{
			r->leaves[r->n_nodes - r->first] = leaf_at(&r->source, i);
			r->depth = depth > r->depth ? depth : r->depth;
			return;
		}
		test = test_at(&r->source, level, i);
		if (is_condition(r->batch->kernel->image, test))
			break;
	}
	read_below(r, level + 1, 2 * i, first, half / 2, depth + 1);
	read_node(r, test, first + half);
	read_below(r, level + 1, 2 * i + 1, first + half, half / 2, depth + 1);
}

/* Sets of leaves of tree t, which has been read. */
static void
put_leaves(const Reader *r, uint32_t t)
{
	const MpBatch *batch = r->batch;
	const MpKernel *kernel = batch->kernel;
	uint32_t	n = r->n_nodes - r->first + 1;
	float	   *to = batch->leaves + ((size_t) r->first + t) * batch->n_sets;

	if (kernel->image->sum != MP_SUM_VECTOR)
	{
		memcpy(to, r->leaves, n * sizeof(float));
		return;
	}
	for (uint32_t set = 0; set < batch->n_sets; set++)
	{
		for (uint32_t i = 0; i < n; i++)
		{
			/* not every number in an image has been checked */
			size_t		number = r->leaves[i] < kernel->n_vectors ? r->leaves[i] : 0;

			*to++ = kernel->vectors[number * batch->n_sets + set];
		}
	}
}

/* Puts tree t down, with its places as they are in a tree of its own depth. */
static void
put_tree(const Reader *r, uint32_t t)
{
	const MpBatch *batch = r->batch;
	uint32_t	depth = r->depth > 0 ? r->depth : 1;

	batch->trees[t].depth = depth;
	batch->trees[t].n_nodes = r->n_nodes - r->first;
	for (uint32_t i = r->first; i < r->n_nodes; i++)
		batch->places[i] >>= MP_BATCH_DEPTH - depth;
	put_leaves(r, t);
}

/* Counts nodes and marks conditions; once there is room, puts all down. */
static void
read_trees(MpBatch *batch, uint16_t *numbers)
{
	const MpKernel *kernel = batch->kernel;
	Reader		r = {batch, .numbers = numbers};

	for (uint32_t t = 0; t < (uint32_t) kernel->image->n_trees; t++)
	{
		if (t % 64 == 0)
			mp_alloc_poll(batch->alloc);
		r.source = source_of(kernel, t);
		r.first = r.n_nodes;
		r.depth = 0;
		read_below(&r, 0, 0, 0, MP_BATCH_PLACES / 2, 0);
		if (batch->trees != NULL)
			put_tree(&r, t);
	}
	batch->n_nodes = r.n_nodes;
}

/* Numbers the conditions that are marked, in order; once there is room, puts them down. */
static void
number_conditions(MpBatch *batch, uint16_t *numbers)
{
	uint32_t	right = mp_byte_right(batch->kernel->image);
	uint32_t	n = 0;
	uint32_t	n_cells = 0;

	for (uint32_t cell = 0; cell < MP_BYTE_CELLS; cell++)
	{
		uint32_t	before = n;

		for (uint32_t bound = 0; bound < MP_BYTE_NONE; bound++)
		{
			uint16_t   *number = &numbers[cell << 8 | bound];

			if (*number == 0)
				continue;
			if (batch->bounds != NULL)
				batch->bounds[n] = bound;
			*number = ++n;
		}
		if (n > before && batch->cells != NULL)
			batch->cells[n_cells] = (MpBatchCell) {
				cell < right ? cell : cell - right, cell >= right, n - before
			};
		n_cells += n > before;
	}
	batch->n_conditions = n;
	batch->n_cells = n_cells;
}

/* Takes the next `size` bytes, filled up to a multiple of 64; without a block, only counts. */
static void *
take(char *block, size_t *used, size_t size)
{
	void	   *taken = block != NULL ? block + *used : NULL;

	*used += (size + 63) / 64 * 64;
	return taken;
}

/* Lays out a batch whose parts have been counted. Returns the bytes needed. */
static size_t
place_parts(MpBatch *batch, char *block)
{
	const MpKernelImage *image = batch->kernel->image;
	size_t		n_leaves = ((size_t) batch->n_nodes + image->n_trees) * batch->n_sets;
	size_t		used = 0;

	batch->cells = take(block, &used, batch->n_cells * sizeof(MpBatchCell));
	batch->bounds = take(block, &used, batch->n_conditions);
	batch->trees = take(block, &used, image->n_trees * sizeof(MpBatchTree));
	batch->conditions = take(block, &used, batch->n_nodes * sizeof(uint16_t));
	batch->places = take(block, &used, batch->n_nodes);
	batch->leaves = take(block, &used, (n_leaves + MP_BATCH_LEAVES_ROOM) * sizeof(float));
	batch->ranks = take(block, &used, (size_t) image->n_slots * MP_BATCH_COLUMN);
	batch->planes = take(block, &used, ((size_t) batch->n_conditions + 1) * MP_BATCH_PLANE);
	batch->sums = take(block, &used, (size_t) image->n_outputs * MP_BATCH_ROWS * sizeof(float));
	return used;
}

/* The batch with all that belongs to it in one block; `counted` has the numbers. */
static MpBatch *
new_batch(const MpBatch *counted, MpError *error)
{
	MpBatch		batch = *counted;
	size_t		size = sizeof(MpBatch) + 64 + place_parts(&batch, NULL);
	MpBatch    *made = mp_alloc_zero(batch.alloc, size);

	if (made == NULL)
	{
		mp_fail_memory(error, size);
		return NULL;
	}
	batch.bytes = size;
	place_parts(&batch, (char *) (((uintptr_t) (made + 1) + 63) / 64 * 64));
	*made = batch;
	return made;
}

static bool
is_in_shape(const MpKernel *kernel)
{
	const MpKernelImage *image = kernel->image;

	if (kernel->kind == MP_KERNEL_REFERENCE || image->width != MP_BYTES ||
		image->n_outputs > MOST_OUTPUTS || image->n_trees == 0)
		return false;
	for (uint32_t c = 0; c < kernel->n_chunks; c++)
	{
		if (kernel->chunks[c].form == MP_CHUNK_DEEP)
			return false;
	}
	return true;
}

static MpBatchFunction
score_function(MpKernelKind kind)
{
	switch (kind)
	{
#if defined(MP_KERNEL_X86)
		case MP_KERNEL_BASELINE:
			return mp_batch_score_baseline;
		case MP_KERNEL_AVX2:
			return mp_batch_score_avx2;
		case MP_KERNEL_AVX512:
			return mp_batch_score_avx512;
#else
		case MP_KERNEL_BASELINE:
		case MP_KERNEL_AVX2:
		case MP_KERNEL_AVX512:
#endif
		case MP_KERNEL_AUTO:
		case MP_KERNEL_REFERENCE:
		case MP_KERNEL_PORTABLE:
			break;
	}
	return mp_batch_score_portable;
}

/* Vectors that many leaves share are kept many times: whether that is no waste. */
static bool
has_few_leaves(const MpBatch *batch)
{
	const MpKernelImage *image = batch->kernel->image;
	uint64_t	n_leaves = (uint64_t) batch->n_nodes + image->n_trees;

	return batch->n_sets == 1 || n_leaves * batch->n_sets * sizeof(float) <= 4 * image->size;
}

static MpBatch *
make_batch(MpBatch *counted, uint16_t *numbers, MpError *error)
{
	MpBatch    *batch;

	read_trees(counted, numbers);
	number_conditions(counted, numbers);
	if (!has_few_leaves(counted))
		return NULL;
	batch = new_batch(counted, error);
	if (batch == NULL)
		return NULL;
	number_conditions(batch, numbers);
	read_trees(batch, numbers);
	return batch;
}

MpBatch *
mp_batch_open(MpAlloc *alloc, const MpKernel *kernel, MpError *error)
{
	MpBatch		counted = {.alloc = alloc, .kernel = kernel, .n_sets = 1};
	MpBatch    *batch;
	uint16_t   *numbers;

	mp_error_clear(error);
	if (!is_in_shape(kernel))
		return NULL;
	if (kernel->image->sum == MP_SUM_VECTOR)
		counted.n_sets = kernel->image->n_outputs;
	counted.score = score_function(kernel->kind);
	numbers = mp_alloc_zero(alloc, N_TESTS * sizeof(uint16_t));
	if (numbers == NULL)
	{
		mp_fail_memory(error, N_TESTS * sizeof(uint16_t));
		return NULL;
	}
	batch = make_batch(&counted, numbers, error);
	mp_alloc_release(alloc, numbers);
	return batch;
}

void
mp_batch_close(MpBatch *batch)
{
	if (batch != NULL)
		mp_alloc_release(batch->alloc, batch);
}

size_t
mp_batch_bytes(const MpBatch *batch)
{
	return batch->bytes;
}

void
mp_batch_margin(MpBatch *batch, const float *x, size_t n, float *margin)
{
	if (n > 0)
		batch->score(batch, x, n, margin);
}
