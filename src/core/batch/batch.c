/*
 * batch.c: makes a batch: its conditions and trees, from a kernel's image.
 */
#include "core/batch/batch.h"
#include "core/batch/batch_read.h"

#include <math.h>

#define MOST_OUTPUTS 1024
#define MOST_PLANE_BYTES (32 * 1024 * 1024)

/* Images up to this size are taken to stay in a cache while rows are scored one by one. */
#define CACHED_BYTES (8 * 1024 * 1024)

static bool
is_nan(const MpKernelImage *image, const void *reals, uint32_t i)
{
	return image->precision == MP_PRECISION_DOUBLE ? isnan(((const double *) reals)[i])
		: isnan(((const float *) reals)[i]);
}

/* The numbers of the last level of a slot's search tree. */
static MpBatchSlot
numbers_of(const MpKernel *kernel, uint32_t slot, int levels)
{
	const uint32_t *first = kernel->slots[slot].first;
	size_t		block = MP_RANK_FANOUT * mp_kernel_real_size(kernel->image);
	uint32_t	n = 1;			/* blocks, then numbers */
	const void *numbers = NULL;

	for (int level = 0; level < levels; level++)
	{
		numbers = (const char *) kernel->thresholds + (level == 0 ? slot : first[level - 1]) * block;
		n *= MP_RANK_FANOUT;
		while (n > 0 && is_nan(kernel->image, numbers, n - 1))
			n--;
		if (level + 1 < levels)
			n++;
	}
	return (MpBatchSlot) {numbers, n > 0 ? n - 1 : 0};
}

/* What is known of all slots; a category test is one, too: 1 where the code is in the set. */
static void
find_slots(const MpKernel *kernel, MpBatchSlot *slots)
{
	static const float one[] = {-INFINITY, 1};
	const MpKernelImage *image = kernel->image;
	uint32_t	slot = 0;

	for (int levels = 1; levels <= MP_RANK_LEVELS; levels++)
	{
		for (uint32_t end = slot + image->level_slots[levels - 1]; slot < end; slot++)
			slots[slot] = numbers_of(kernel, slot, levels);
	}
	for (; slot < image->n_slots; slot++)
		slots[slot] = (MpBatchSlot) {one, 1};
}

/* Numbers the conditions that are marked, and keeps which of them thresholds have. */
static void
number_conditions(MpBatch *batch, const MpBatchSlot *slots, const MpConditionTable *table,
				  uint8_t *flags)
{
	uint32_t	n = 0;

	for (uint32_t slot = 0; slot < batch->kernel->image->n_slots; slot++)
	{
		for (uint32_t i = slots[slot].n; i-- > 0;)
		{
			uint32_t   *numbers = table->numbers + table->first[slot] + 2 * i;

			*flags++ = (numbers[0] != 0 ? MP_BATCH_LEFT : 0) |
				(numbers[1] != 0 ? MP_BATCH_RIGHT : 0);
			for (int right = 0; right < 2; right++)
			{
				if (numbers[right] != 0)
					numbers[right] = ++n;
			}
		}
		if (slots[slot].n > batch->most_thresholds)
			batch->most_thresholds = slots[slot].n;
	}
	batch->n_conditions = n;
}

static void
count_trees(MpBatch *batch, const MpBatchTrees *trees)
{
	uint32_t	n_trees = mp_vec_count(&trees->trees, MpBatchTree);

	batch->n_splits = mp_vec_count(&trees->splits, MpBatchSplit);
	batch->n_nodes = mp_vec_count(&trees->nodes, MpBatchNode);
	batch->n_leaves = mp_vec_count(&trees->leaves, uint32_t);
	for (uint32_t t = 0; t < n_trees; t++)
	{
		const MpBatchTree *tree = mp_vec_at(&trees->trees, MpBatchTree, t);

		if (!tree->walked && tree->n_leaves > batch->most_leaves)
			batch->most_leaves = tree->n_leaves;
	}
}

/* A tree's sets of leaves. Returns their end. */
static char *
put_leaves(const MpBatch *batch, const uint32_t *bits, uint32_t n, char *to)
{
	const MpKernel *kernel = batch->kernel;
	size_t		real = mp_kernel_real_size(kernel->image);

	if (!mp_kernel_leaves_are_numbers(kernel->image))
	{
		memcpy(to, bits, n * sizeof(float));
		return to + n * sizeof(float);
	}
	for (uint32_t set = 0; set < batch->n_sets; set++)
	{
		for (uint32_t i = 0; i < n; i++, to += real)
		{
			/* not every number in an image has been checked */
			size_t		number = bits[i] < kernel->n_vectors ? bits[i] : 0;

			memcpy(to, (const char *) kernel->vectors + (number * batch->n_sets + set) * real,
				   real);
		}
	}
	return to;
}

/* Puts all trees down. */
static void
put_trees(const MpBatch *batch, const MpBatchTrees *trees, const MpConditionTable *table)
{
	const uint32_t *bits = trees->leaves.data;
	const MpBatchSplit *splits = trees->splits.data;
	const MpBatchNode *nodes = trees->nodes.data;
	char	   *leaves = batch->leaves;

	memcpy(batch->trees, trees->trees.data, trees->trees.size);
	for (uint32_t t = 0; t < mp_vec_count(&trees->trees, MpBatchTree); t++)
	{
		leaves = put_leaves(batch, bits, batch->trees[t].n_leaves, leaves);
		bits += batch->trees[t].n_leaves;
	}
	for (uint32_t i = 0; i < batch->n_splits; i++)
	{
		batch->splits[i] = splits[i];
		batch->splits[i].condition = table->numbers[splits[i].condition];
	}
	for (uint32_t i = 0; i < batch->n_nodes; i++)
	{
		uint32_t	condition = nodes[i].condition;

		batch->nodes[i] = nodes[i];
		batch->nodes[i].condition = condition == MP_NO_CONDITION ? 0 : table->numbers[condition];
	}
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
	size_t		n_leaves = (size_t) batch->n_leaves * batch->n_sets + MP_BATCH_LEAVES_ROOM;
	size_t		real = mp_kernel_real_size(image);
	size_t		used = 0;

	batch->slots = take(block, &used, image->n_slots * sizeof(MpBatchSlot));
	batch->flags = take(block, &used, batch->n_flags);
	batch->trees = take(block, &used, image->n_trees * sizeof(MpBatchTree));
	batch->splits = take(block, &used, (batch->n_splits + MP_BATCH_AHEAD) * sizeof(MpBatchSplit));
	batch->nodes = take(block, &used, batch->n_nodes * sizeof(MpBatchNode));
	batch->leaves = take(block, &used, n_leaves * real);
	/* planes are written twice where missing values go only one way: there is one behind them */
	batch->planes = take(block, &used, ((size_t) batch->n_conditions + 2) * MP_BATCH_PLANE);
	batch->boundaries = take(block, &used, ((size_t) batch->most_leaves + 1) * MP_BATCH_PLANE);
	batch->ranked = take(block, &used, ((size_t) batch->most_thresholds + 2) * MP_BATCH_PLANE);
	batch->columns = take(block, &used, MP_BATCH_GROUP * MP_BATCH_COLUMN * real);
	if (batch->n_sets == 1 && image->n_outputs <= MP_BATCH_MOST_WAITING &&
		(batch->kernel->kind != MP_KERNEL_AVX512 || image->precision == MP_PRECISION_DOUBLE))
		batch->waiting = take(block, &used, image->n_outputs * sizeof(MpBatchWaiting));
	batch->sums = take(block, &used, (size_t) image->n_outputs * MP_BATCH_ROWS * real);
	return used;
}

/* The batch with all that belongs to it in one block; `counted` has the numbers. */
static MpBatch *
new_batch(const MpBatch *counted, MpError *error)
{
	MpBatch		batch = *counted;
	size_t		size = sizeof(MpBatch) + 64 + place_parts(&batch, NULL);
	MpBatch    *made = mp_alloc_get(batch.alloc, size);

	if (made == NULL)
	{
		mp_fail_memory(error, size);
		return NULL;
	}
	batch.bytes = size;
	place_parts(&batch, (char *) (((uintptr_t) (made + 1) + 63) / 64 * 64));
	memset(batch.planes, 0, MP_BATCH_PLANE);
	memset(batch.splits + batch.n_splits, 0, MP_BATCH_AHEAD * sizeof(MpBatchSplit));
	for (int k = 0; batch.waiting != NULL && k < batch.kernel->image->n_outputs; k++)
		batch.waiting[k].n = 0;
	memset(batch.ranked, 0, ((size_t) batch.most_thresholds + 2) * MP_BATCH_PLANE);
	*made = batch;
	return made;
}

static MpBatchFunction
score_function(MpKernelKind kind)
{
#if defined(MP_KERNEL_X86)
	if (kind == MP_KERNEL_AVX512)
		return mp_batch_score_avx512;
	if (kind == MP_KERNEL_AVX2)
		return mp_batch_score_avx2;
#endif
	return mp_batch_score_portable;
}

/* Whether it is no waste to keep leaves that trees share many times, nor planes. */
static bool
is_small(const MpBatch *batch)
{
	uint64_t	leaves = (uint64_t) batch->n_leaves * batch->n_sets * mp_kernel_real_size(batch->kernel->image);

	return (uint64_t) batch->n_conditions * MP_BATCH_PLANE <= MOST_PLANE_BYTES &&
		(batch->n_sets == 1 || leaves <= 4 * batch->kernel->image->size);
}

/* What is needed while a batch is made. */
typedef struct Making
{
	MpBatchSlot *slots;
	uint8_t    *flags;
	MpConditionTable table;
	MpBatchTrees trees;
} Making;

static bool
begin(MpBatch *batch, Making *m)
{
	uint32_t	n_slots = batch->kernel->image->n_slots;
	uint32_t	n = 0;

	m->slots = mp_alloc_get(batch->alloc, (n_slots + 1) * sizeof(MpBatchSlot));
	m->table.first = mp_alloc_get(batch->alloc, (n_slots + 1) * sizeof(uint32_t));
	if (m->slots == NULL || m->table.first == NULL)
		return false;
	find_slots(batch->kernel, m->slots);
	for (uint32_t slot = 0; slot < n_slots; slot++)
	{
		m->slots[slot].first = n;
		m->table.first[slot] = 2 * n;
		n += m->slots[slot].n;
	}
	m->table.first[n_slots] = 2 * n;
	batch->n_flags = n;
	m->flags = mp_alloc_get(batch->alloc, n + 1);
	m->table.numbers = mp_alloc_zero(batch->alloc, (2 * (size_t) n + 1) * sizeof(uint32_t));
	return m->flags != NULL && m->table.numbers != NULL;
}

static void
end(MpAlloc *alloc, Making *m)
{
	mp_alloc_release(alloc, m->slots);
	mp_alloc_release(alloc, m->flags);
	mp_alloc_release(alloc, m->table.first);
	mp_alloc_release(alloc, m->table.numbers);
	mp_vec_release(&m->trees.trees);
	mp_vec_release(&m->trees.splits);
	mp_vec_release(&m->trees.nodes);
	mp_vec_release(&m->trees.leaves);
}

/*
 * Whether most of an image are trees that would be walked, and it stays in a cache: rows
 * take as long then one by one, and making the batch would be for nothing.
 */
static bool
gains_nothing(const MpKernel *kernel)
{
	const char *start = (const char *) kernel->image;
	uint64_t	large = 0;

	for (uint32_t c = 0; c < kernel->n_chunks; c++)
	{
		const MpKernelChunk *chunk = &kernel->chunks[c];
		const MpDeepTail *tails = (const MpDeepTail *) (start + chunk->tails);

		for (uint32_t t = 0; chunk->form == MP_CHUNK_DEEP && t < chunk->n_trees; t++)
		{
			if (tails[t].n_nodes > 2 * MP_BATCH_LEAVES)
				large += tails[t].n_nodes * 2 * mp_kernel_node_size(kernel->image->width);
		}
	}
	return kernel->image->size <= CACHED_BYTES && large > kernel->image->size / 2;
}

/* NULL with MP_OK: rows are better scored one by one. */
static MpBatch *
make_batch(MpBatch *counted, Making *m, MpError *error)
{
	MpBatch    *batch;

	if (!begin(counted, m))
	{
		mp_fail_memory(error, counted->n_flags);
		return NULL;
	}
	if (!mp_batch_read(counted->alloc, &m->table, &m->trees, error))
		return NULL;
	number_conditions(counted, m->slots, &m->table, m->flags);
	count_trees(counted, &m->trees);
	if (!is_small(counted))
		return NULL;
	batch = new_batch(counted, error);
	if (batch == NULL)
		return NULL;
	memcpy(batch->slots, m->slots, batch->kernel->image->n_slots * sizeof(MpBatchSlot));
	memcpy(batch->flags, m->flags, batch->n_flags);
	put_trees(batch, &m->trees, &m->table);
	return batch;
}

MpBatch *
mp_batch_open(MpAlloc *alloc, const MpKernel *kernel, MpError *error)
{
	const MpKernelImage *image = kernel->image;
	MpBatch		counted = {.alloc = alloc, .kernel = kernel, .n_sets = 1};
	Making		making = {
		.table = {kernel}, .trees = {{alloc}, {alloc}, {alloc}, {alloc}}
	};
	MpBatch    *batch;

	mp_error_clear(error);
	if (kernel->kind == MP_KERNEL_REFERENCE || image->n_outputs > MOST_OUTPUTS ||
		image->n_trees == 0 || gains_nothing(kernel))
		return NULL;
	if (image->sum == MP_SUM_VECTOR)
		counted.n_sets = image->n_outputs;
	counted.score = score_function(kernel->kind);
	batch = make_batch(&counted, &making, error);
	end(alloc, &making);
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
mp_batch_margin(MpBatch *batch, const void *x, size_t n, void *margin)
{
	if (n == 0)
		return;
	batch->score(batch, x, n, margin);
	mp_forest_average(batch->kernel->forest, n, margin);
}
