/*
 * kernel_rank.h: from a row of features to a row of cells.
 *
 * Included by each engine after it has defined RANK_IN_BLOCK(block, x): how many
 * of the 16 floats, ascending, are <= x; never all of them. rank_in_double_block is
 * the same of doubles. ENGINE is what
 * functions begin with: static inline, and the target where instructions need one.
 * `put` writes what becomes of a slot's left cell to the row.
 */
#include "core/kernel/kernel_run.h"

typedef void (*PutFunction) (void *row, uint32_t slot, uint32_t left);

#define REAL float
#define RANK(name) name##_float
#include "core/kernel/kernel_rank_reals.h"

#define REAL double
#define RANK(name) name##_double
#undef RANK_IN_BLOCK
#define RANK_IN_BLOCK rank_in_double_block
#include "core/kernel/kernel_rank_reals.h"
#undef RANK_IN_BLOCK
#define RANK_IN_BLOCK rank_in_block

ENGINE void
rank_row(const MpKernel *kernel, const void *x, void *row, PutFunction put)
{
	if (kernel->image->precision == MP_PRECISION_DOUBLE)
		rank_row_double(kernel, x, row, put);
	else
		rank_row_float(kernel, x, row, put);
}
