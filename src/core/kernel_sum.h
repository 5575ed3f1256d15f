/*
 * kernel_sum.h: parts of a kernel that are the same for every engine.
 *
 * Margins are added tree after tree, per output, from the base on: float32
 * addition in another order gives other bits.
 */
#ifndef MP_CORE_KERNEL_SUM_H
#define MP_CORE_KERNEL_SUM_H

#include "kernel_run.h"

#include <string.h>

MP_ENGINE void
mp_add_one(const uint32_t *values, uint32_t n, float *margin)
{
	float		sum = margin[0];

	for (uint32_t t = 0; t < n; t++)
	{
		float		value;

		memcpy(&value, &values[t], sizeof(value));
		sum += value;
	}
	margin[0] = sum;
}

MP_ENGINE void
mp_add_cycle(const uint32_t *values, uint32_t n, uint32_t first_tree, uint32_t n_outputs,
			 float *margin)
{
	uint32_t	k = first_tree % n_outputs;

	for (uint32_t t = 0; t < n; t++)
	{
		float		value;

		memcpy(&value, &values[t], sizeof(value));
		margin[k] += value;
		if (++k == n_outputs)
			k = 0;
	}
}

MP_ENGINE void
mp_add_list(const uint32_t *values, uint32_t n, const uint32_t *outputs, float *margin)
{
	for (uint32_t t = 0; t < n; t++)
	{
		float		value;

		memcpy(&value, &values[t], sizeof(value));
		margin[outputs[t]] += value;
	}
}

MP_ENGINE void
mp_add_vectors(const MpKernel *kernel, uint32_t n, float *margin)
{
	uint32_t	n_outputs = kernel->image->n_outputs;

	for (uint32_t t = 0; t < n; t++)
	{
		/* not every number in an image has been checked */
		uint32_t	number = kernel->values[t] < kernel->n_vectors ? kernel->values[t] : 0;
		const float *vector = kernel->vectors + (size_t) number * n_outputs;

		for (uint32_t k = 0; k < n_outputs; k++)
			margin[k] += vector[k];
	}
}

/* Adds the values of chunk c. */
MP_ENGINE void
mp_add_values(const MpKernel *kernel, uint32_t c, float *margin)
{
	uint32_t	n = kernel->chunks[c].n_trees;
	uint32_t	first_tree = c * MP_CHUNK_TREES;

	switch ((MpKernelSum) kernel->image->sum)
	{
		case MP_SUM_ONE:
			mp_add_one(kernel->values, n, margin);
			break;
		case MP_SUM_CYCLE:
			mp_add_cycle(kernel->values, n, first_tree, kernel->image->n_outputs, margin);
			break;
		case MP_SUM_LIST:
			mp_add_list(kernel->values, n, kernel->outputs + first_tree, margin);
			break;
		case MP_SUM_VECTOR:
			mp_add_vectors(kernel, n, margin);
			break;
	}
}

MP_ENGINE void
mp_start_margin(const MpKernel *kernel, float *margin)
{
	memcpy(margin, mp_forest_base(kernel->forest), kernel->image->n_outputs * sizeof(float));
}

#endif
