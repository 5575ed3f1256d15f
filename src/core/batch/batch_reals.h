/*
 * batch_reals.h: what an engine does with features and with what leaves add: with floats, or
 * with doubles. Included by batch_words.h with REAL, WHOLE, an integer as wide, and OF(name)
 * defined.
 */

typedef REAL OF(Reals) __attribute__((vector_size(WORD_BYTES), may_alias));
typedef WHOLE OF(Wholes) __attribute__((vector_size(WORD_BYTES), may_alias));

#define N_REALS (WORD_BYTES / sizeof(REAL))

/* Where a slot's feature stands, for all rows. */
ENGINE REAL *
OF(column_of) (const MpBatch *batch, uint32_t slot)
{
	return (REAL *) batch->columns + slot % MP_BATCH_GROUP * MP_BATCH_COLUMN;
}

/* Rows that the block does not have are 0. */
ENGINE void
OF(clear_columns) (const MpBatch *batch, size_t n, uint32_t first, uint32_t end)
{
	for (uint32_t slot = first; slot < end; slot++)
		memset(OF(column_of) (batch, slot) + n, 0, (MP_BATCH_ROWS - n) * sizeof(REAL));
}

/* The features of n_slots slots from `first` on, a column each. */
ENGINE void
OF(fill_some) (const MpBatch *batch, const REAL *x, size_t n, uint32_t first, uint32_t n_slots)
{
	const REAL *values[MP_BATCH_GROUP];
	REAL	   *columns[MP_BATCH_GROUP];
	size_t		n_features = batch->kernel->image->n_features;

	for (uint32_t i = 0; i < n_slots; i++)
	{
		values[i] = x + batch->kernel->slots[first + i].feature;
		columns[i] = OF(column_of) (batch, first + i);
	}
	for (size_t row = 0; row < n; row++)
	{
		MP_PREFETCH(values[0] + (row + 16) * n_features);
		MP_UNROLL(8)
		for (uint32_t i = 0; i < n_slots; i++)
			columns[i][row] = values[i][row * n_features];
	}
}

PASS void
OF(fill_columns) (const MpBatch *batch, const REAL *x, size_t n, uint32_t first, uint32_t end)
{
	OF(clear_columns) (batch, n, first, end);
	if (end - first == MP_BATCH_GROUP)
		OF(fill_some) (batch, x, n, first, MP_BATCH_GROUP);
	else
		OF(fill_some) (batch, x, n, first, end - first);
}

/*
 * Which step of a slot's numbers each row's rank lies in: as many as have a last number that
 * is not greater.
 */
ENGINE void
OF(find_steps) (const REAL *numbers, uint32_t n, const OF(Reals) *x, OF(Wholes) *steps)
{
	for (size_t i = 0; i < MP_BATCH_ROWS / N_REALS; i += 4)
	{
		OF(Wholes)	found[4] = {{0}};

		for (uint32_t last = OF(STEP) - 1; last < n; last += OF(STEP))
		{
			OF(Reals)	t = numbers[last] - (OF(Reals)) {0};

			MP_UNROLL(4)
			for (int j = 0; j < 4; j++)
				found[j] -= (OF(Wholes)) (x[i + j] >= t);
		}
		MP_UNROLL(4)
		for (int j = 0; j < 4; j++)
			steps[i + j] = found[j];
	}
}

/* How many of the slot's numbers, -Infinity first, are not greater than each row's feature. */
PASS void
OF(find_ranks) (const MpBatch *batch, uint32_t slot, int levels, const REAL *column,
				uint32_t *ranks)
{
	const REAL *numbers = batch->slots[slot].numbers;
	uint32_t	n = batch->slots[slot].n + 1;
	WHOLE		steps[MP_BATCH_ROWS] __attribute__((aligned(64)));

	if (n > MP_BATCH_STEPPED)
	{
		for (size_t row = 0; row < MP_BATCH_ROWS; row++)
			ranks[row] = OF(rank_value) (batch->kernel, slot, levels, column[row]);
		return;
	}
	OF(find_steps) (numbers, n, (const OF(Reals) *) column, (OF(Wholes) *) steps);
	for (size_t row = 0; row < MP_BATCH_ROWS; row++)
	{
		uint32_t	first = steps[row] * OF(STEP);

		ranks[row] = first + OF(RANK_IN_STEP) (numbers + first, column[row]);
	}
}

/* Planes of a numeric slot, the feature of which is in its column. */
ENGINE char *
OF(decide_slot) (const MpBatch *batch, uint32_t number, int levels, char *planes)
{
	const MpBatchSlot *slot = &batch->slots[number];
	const REAL *column = OF(column_of) (batch, number);
	uint32_t	ranks[MP_BATCH_ROWS];

	if (sizeof(REAL) == sizeof(float) && slot->n <= DIRECT_THRESHOLDS)
		return compare_slot(batch, slot, (const float *) column, planes);
	OF(find_ranks) (batch, number, levels, column, ranks);
	return rank_slot(batch, slot, ranks, planes);
}

/* The slots whose search trees have so many levels. */
ENGINE char *
OF(decide_level) (const MpBatch *batch, const REAL *x, size_t n, uint32_t *first, int levels,
			 char *planes)
{
	uint32_t	end = *first + batch->kernel->image->level_slots[levels - 1];

	while (*first < end)
	{
		uint32_t	stop = end - *first < MP_BATCH_GROUP ? end : *first + MP_BATCH_GROUP;

		OF(fill_columns) (batch, x, n, *first, stop);
		for (; *first < stop; (*first)++)
			planes = OF(decide_slot) (batch, *first, levels, planes);
	}
	return planes;
}

/* What the tests of slots first .. end - 1 say of a row's code. */
ENGINE void
OF(test_row) (const MpBatch *batch, const MpKernelGroup *group, REAL code, size_t row,
			  uint32_t first, uint32_t end)
{
	const uint8_t *bits = OF(code_bits) (batch->kernel, group, code);

	for (uint32_t slot = first; slot < end; slot++)
	{
		uint32_t	test = slot - group->first_slot;
		float		in = bits != NULL ? bits[test / 8] >> (test % 8) & 1 : 0;

		test_column(batch, slot)[row] = code == code ? in : (float) code;
	}
}

/* The category tests of a feature, a few at a time. */
ENGINE char *
OF(decide_tests) (const MpBatch *batch, const MpKernelGroup *group, const REAL *x, size_t n,
				  char *planes)
{
	size_t		n_features = batch->kernel->image->n_features;
	uint32_t	last = group->first_slot + group->n_tests;

	for (uint32_t first = group->first_slot; first < last; first += MP_BATCH_GROUP)
	{
		uint32_t	end = last - first < MP_BATCH_GROUP ? last : first + MP_BATCH_GROUP;

		for (size_t row = 0; row < n; row++)
			OF(test_row) (batch, group, x[row * n_features + group->feature], row, first, end);
		for (uint32_t slot = first; slot < end; slot++)
		{
			float	   *column = test_column(batch, slot);

			memset(column + n, 0, (MP_BATCH_ROWS - n) * sizeof(float));
			planes = compare_slot(batch, &batch->slots[slot], column, planes);
		}
	}
	return planes;
}

/* The planes of all conditions. */
PASS void
OF(decide) (const MpBatch *batch, const REAL *x, size_t n)
{
	char	   *planes = batch->planes + MP_BATCH_PLANE;
	uint32_t	slot = 0;

	planes = OF(decide_level) (batch, x, n, &slot, 1, planes);
	planes = OF(decide_level) (batch, x, n, &slot, 2, planes);
	planes = OF(decide_level) (batch, x, n, &slot, 3, planes);
	planes = OF(decide_level) (batch, x, n, &slot, 4, planes);
	for (uint32_t g = 0; g < batch->kernel->n_groups; g++)
		planes = OF(decide_tests) (batch, &batch->kernel->groups[g], x, n, planes);
}

PASS void
OF(add_by_numbers) (REAL *sums, const REAL *leaves, const uint32_t *numbers)
{
	MP_UNROLL(4)
	for (size_t row = 0; row < MP_BATCH_ROWS; row++)
		sums[row] += leaves[numbers[row]];
}

/* Adds n trees of up to 256 leaves, so that sums are loaded and stored once. */
ENGINE void
OF(add_by_bytes) (REAL *sums, const REAL *const *leaves, const uint8_t (*bytes)[MP_BATCH_ROWS], int n)
{
	for (size_t first = 0; first < MP_BATCH_ROWS; first += N_LANES, sums += N_LANES)
	{
		size_t		at = BYTE_AT(first);

		MP_UNROLL(8)
		for (int lane = 0; lane < N_LANES; lane++)
		{
			REAL		sum = sums[lane];

			MP_UNROLL(4)
			for (int i = 0; i < n; i++)
				sum += leaves[i][bytes[i][at + 4 * lane]];
			sums[lane] = sum;
		}
	}
}

PASS void
OF(add_one) (REAL *sums, const REAL *leaves, const void *bytes)
{
	OF(add_by_bytes) (sums, &leaves, bytes, 1);
}

PASS void
OF(add_waiting) (REAL *sums, const MpBatchWaiting *waiting)
{
	OF(add_by_bytes) (sums, (const REAL *const *) waiting->leaves, waiting->bytes, MP_BATCH_WAITING);
}

ENGINE REAL *
OF(sums_of) (const MpBatch *batch, uint32_t output)
{
	return (REAL *) batch->sums + (size_t) output * MP_BATCH_ROWS;
}

/* Adds the trees that wait for others of the same output. */
ENGINE void
OF(add_rest) (const MpBatch *batch, uint32_t output)
{
	MpBatchWaiting *waiting = &batch->waiting[output];

	for (uint32_t i = 0; i < waiting->n; i++)
		OF(add_one) (OF(sums_of) (batch, output), waiting->leaves[i], waiting->bytes[i]);
	waiting->n = 0;
}

/* Tree t of the model, one of up to 256 leaves; its boundaries are known. */
ENGINE void
OF(add_small) (const MpBatch *batch, uint32_t t, const REAL *leaves, uint32_t n_leaves)
{
	Word		bytes[1][N_WORDS][8];

	if (batch->waiting != NULL)
	{
		uint32_t	output = mp_batch_output(batch->kernel, t, 0);
		MpBatchWaiting *waiting = &batch->waiting[output];

		waiting->leaves[waiting->n] = leaves;
		find_small(batch->boundaries, n_leaves, (void *) waiting->bytes[waiting->n]);
		if (++waiting->n == MP_BATCH_WAITING)
		{
			OF(add_waiting) (OF(sums_of) (batch, output), waiting);
			waiting->n = 0;
		}
		return;
	}
	find_small(batch->boundaries, n_leaves, bytes);
	for (uint32_t set = 0; set < batch->n_sets; set++, leaves += n_leaves)
		OF(ADD_BY_BYTES) (OF(sums_of) (batch, mp_batch_output(batch->kernel, t, set)), leaves, n_leaves,
					 bytes);
}

/* Tree t, one that is walked or has more leaves; `numbers` are those of the rows' leaves. */
ENGINE void
OF(add_large) (const MpBatch *batch, uint32_t t, const REAL *leaves, uint32_t n_leaves,
		  const uint32_t *numbers)
{
	for (uint32_t set = 0; set < batch->n_sets; set++, leaves += n_leaves)
	{
		uint32_t	output = mp_batch_output(batch->kernel, t, set);

		if (batch->waiting != NULL)
			OF(add_rest) (batch, output);
		OF(add_by_numbers) (OF(sums_of) (batch, output), leaves, numbers);
	}
}

ENGINE void
OF(add_trees) (const MpBatch *batch)
{
	const MpBatchSplit *splits = batch->splits;
	const MpBatchNode *nodes = batch->nodes;
	const REAL *leaves = batch->leaves;
	Word		numbers[MP_BATCH_ROWS / N_LANES];

	for (uint32_t t = 0; t < (uint32_t) batch->kernel->image->n_trees; t++)
	{
		uint32_t	n_leaves = batch->trees[t].n_leaves;

		if (batch->trees[t].walked)
		{
			walk(batch, nodes, (uint32_t *) numbers);
			nodes += n_leaves;
		}
		else
		{
			find_boundaries(batch->planes, splits, n_leaves, batch->boundaries);
			splits += n_leaves - 1;
			if (n_leaves > 256)
				find_numbers(batch->boundaries, n_leaves, numbers);
		}
		if (n_leaves <= 256 && !batch->trees[t].walked)
			OF(add_small) (batch, t, leaves, n_leaves);
		else
			OF(add_large) (batch, t, leaves, n_leaves, (const uint32_t *) numbers);
		leaves += n_leaves * batch->n_sets;
	}
	for (int k = 0; batch->waiting != NULL && k < batch->kernel->image->n_outputs; k++)
		OF(add_rest) (batch, k);
}

ENGINE void
OF(start_sums) (MpBatch *batch)
{
	const REAL *base = MP_SECTION(batch->kernel->forest, MP_SECTION_BASE, REAL);
	REAL	   *sums = batch->sums;

	for (int k = 0; k < batch->kernel->image->n_outputs; k++)
	{
		for (int row = 0; row < MP_BATCH_ROWS; row++)
			*sums++ = base[k];
	}
}

ENGINE void
OF(finish_sums) (const MpBatch *batch, size_t n, REAL *margin)
{
	size_t		n_outputs = batch->kernel->image->n_outputs;
	const REAL *sums = batch->sums;

	for (size_t row = 0; row < n; row++)
	{
		for (size_t k = 0; k < n_outputs; k++)
			*margin++ = sums[k * MP_BATCH_ROWS + row];
	}
}

ENGINE void
OF(score) (MpBatch *batch, const REAL *x, size_t n, REAL *margin)
{
	OF(decide) (batch, x, n);
	OF(start_sums) (batch);
	OF(add_trees) (batch);
	OF(finish_sums) (batch, n, margin);
}

#undef REAL
#undef WHOLE
#undef OF
#undef N_REALS
