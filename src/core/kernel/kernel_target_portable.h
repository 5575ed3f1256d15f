/*
 * kernel_target_portable.h: what functions of engines in plain C begin with, and their ranks.
 */
#include "core/kernel/kernel_run.h"

#define ENGINE MP_ENGINE
#define PASS MP_PASS

/* Binary search; the last of the 16 is never <= x. */
ENGINE uint32_t
rank_in_block(const float *block, float x)
{
	uint32_t	rank = block[7] <= x ? 8 : 0;

	rank += block[rank + 3] <= x ? 4 : 0;
	rank += block[rank + 1] <= x ? 2 : 0;
	rank += block[rank] <= x ? 1 : 0;
	return rank;
}

ENGINE uint32_t
rank_in_double_block(const double *block, double x)
{
	uint32_t	rank = block[7] <= x ? 8 : 0;

	rank += block[rank + 3] <= x ? 4 : 0;
	rank += block[rank + 1] <= x ? 2 : 0;
	rank += block[rank] <= x ? 1 : 0;
	return rank;
}

#define RANK_IN_BLOCK rank_in_block
