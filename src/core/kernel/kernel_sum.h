/*
 * kernel_sum.h: from the values of trees to margins, the same for every engine.
 *
 * Margins are added tree after tree, per output, from the base on: float32
 * addition in another order gives other bits.
 */
#ifndef MP_CORE_KERNEL_SUM_H
#define MP_CORE_KERNEL_SUM_H

#include "core/kernel/kernel_run.h"

#include <string.h>

static inline float
mp_float_of(uint32_t bits)
{
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* One output: n trees. */
MP_ENGINE void
mp_add_one(const uint32_t *values, size_t n, float *margin)
{
	float		sum = margin[0];

	MP_UNROLL(8)
	for (size_t t = 0; t < n; t++)
		sum += mp_float_of(values[t]);
	margin[0] = sum;
}

/* Outputs side by side, `width` of them, so that no sum waits for another. */
MP_ENGINE void
mp_add_strip(const uint32_t *values, size_t n_rounds, size_t n_outputs, int width, float *margin)
{
	float		sums[8];

	for (int k = 0; k < width; k++)
		sums[k] = margin[k];
	for (size_t round = 0; round < n_rounds; round++, values += n_outputs)
	{
		MP_UNROLL(8)
		for (int k = 0; k < width; k++)
			sums[k] += mp_float_of(values[k]);
	}
	for (int k = 0; k < width; k++)
		margin[k] = sums[k];
}

/* Tree t adds to output t % n_outputs: all trees of the model. */
MP_ENGINE void
mp_add_cycle(const uint32_t *values, size_t n, size_t n_outputs, float *margin)
{
	size_t		n_rounds = n / n_outputs;
	size_t		k = 0;

	for (; k + 8 <= n_outputs; k += 8)
		mp_add_strip(values + k, n_rounds, n_outputs, 8, margin + k);
	for (; k + 3 <= n_outputs; k += 3)
		mp_add_strip(values + k, n_rounds, n_outputs, 3, margin + k);
	for (; k < n_outputs; k++)
		mp_add_strip(values + k, n_rounds, n_outputs, 1, margin + k);

	/* a last round may be incomplete */
	for (size_t t = n_rounds * n_outputs; t < n; t++)
		margin[t % n_outputs] += mp_float_of(values[t]);
}

MP_ENGINE void
mp_add_list(const uint32_t *values, size_t n, const uint32_t *outputs, float *margin)
{
	for (size_t t = 0; t < n; t++)
		margin[outputs[t]] += mp_float_of(values[t]);
}

MP_ENGINE void
mp_add_vectors(const MpKernel *kernel, const uint32_t *values, size_t n, float *margin)
{
	size_t		n_outputs = kernel->image->n_outputs;

	for (size_t t = 0; t < n; t++)
	{
		/* not every number in an image has been checked */
		size_t		number = values[t] < kernel->n_vectors ? values[t] : 0;
		const float *vector = (const float *) kernel->vectors + number * n_outputs;

		for (size_t k = 0; k < n_outputs; k++)
			margin[k] += vector[k];
	}
}

/* Of a double forest, whose values are numbers of doubles, or of leaf vectors. */
MP_PASS void
mp_add_doubles(const MpKernel *kernel, const uint32_t *values, size_t first, size_t n,
			   double *margin)
{
	size_t		n_outputs = kernel->image->n_outputs;
	size_t		length = mp_kernel_vector_length(kernel->image);
	size_t		k = first % n_outputs;
	double		sum = margin[0];

	for (size_t t = 0; t < n; t++)
	{
		/* not every number in an image has been checked */
		size_t		number = values[t] < kernel->n_vectors ? values[t] : 0;
		const double *vector = (const double *) kernel->vectors + number * length;

		switch ((MpKernelSum) kernel->image->sum)
		{
			case MP_SUM_ONE:
				sum += vector[0];
				break;
			case MP_SUM_CYCLE:
				margin[k] += vector[0];
				k = k + 1 < n_outputs ? k + 1 : 0;
				break;
			case MP_SUM_LIST:
				margin[kernel->outputs[first + t]] += vector[0];
				break;
			case MP_SUM_VECTOR:
				for (size_t i = 0; i < length; i++)
					margin[i] += vector[i];
				break;
		}
	}
	if (kernel->image->sum == MP_SUM_ONE)
		margin[0] = sum;
}

/* Adds the values of n trees, the first of which is tree `first` of the model. */
MP_ENGINE void
mp_add_values(const MpKernel *kernel, const uint32_t *values, size_t first, size_t n,
			  void *margin)
{
	if (kernel->image->precision == MP_PRECISION_DOUBLE)
	{
		mp_add_doubles(kernel, values, first, n, margin);
		return;
	}
	switch ((MpKernelSum) kernel->image->sum)
	{
		case MP_SUM_ONE:
			mp_add_one(values, n, margin);
			break;
		case MP_SUM_CYCLE:
			break;				/* see mp_finish_margin */
		case MP_SUM_LIST:
			mp_add_list(values, n, kernel->outputs + first, margin);
			break;
		case MP_SUM_VECTOR:
			mp_add_vectors(kernel, values, n, margin);
			break;
	}
}

/* Whether trees add to outputs in turn, whole rounds at once. */
static inline bool
mp_adds_rounds(const MpKernel *kernel)
{
	return kernel->image->sum == MP_SUM_CYCLE && kernel->image->precision == MP_PRECISION_SINGLE;
}

/* Where the values of chunk c go: with several outputs in turn, all are kept until the end. */
static inline uint32_t *
mp_values_of(const MpKernel *kernel, uint32_t c)
{
	return kernel->values + (kernel->image->sum == MP_SUM_CYCLE ? c * MP_CHUNK_TREES : 0);
}

static inline void
mp_start_margin(const MpKernel *kernel, void *margin)
{
	memcpy(margin, MP_SECTION(kernel->forest, MP_SECTION_BASE, void),
		   kernel->image->n_outputs * mp_kernel_real_size(kernel->image));
}

MP_ENGINE void
mp_finish_margin(const MpKernel *kernel, void *margin)
{
	if (mp_adds_rounds(kernel))
		mp_add_cycle(kernel->values, kernel->image->n_trees, kernel->image->n_outputs, margin);
}

#endif
