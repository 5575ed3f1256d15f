/*
 * kernel.c: chooses an engine and sets up its scratch.
 *
 * All engines read the same image, so one stored on this machine serves any
 * other of the same byte order, whatever its processor can do.
 */
#include "core/kernel/kernel.h"
#include "core/base/cpu.h"
#include "core/forest/eval.h"
#include "core/kernel/kernel_run.h"

#include <string.h>

/* The best kernel that this processor can run. */
static MpKernelKind
best_kind(void)
{
#if defined(MP_KERNEL_X86)
	unsigned	features = mp_cpu_features();

	if (features & MP_CPU_AVX512)
		return MP_KERNEL_AVX512;
	return features & MP_CPU_AVX2 ? MP_KERNEL_AVX2 : MP_KERNEL_BASELINE;
#else
	return MP_KERNEL_PORTABLE;
#endif
}

static void
margin_reference(MpKernel *kernel, const void *x, void *margin)
{
	if (kernel->forest->precision == MP_PRECISION_DOUBLE)
		mp_eval_margin_double(kernel->forest, x, margin);
	else
		mp_eval_margin(kernel->forest, x, margin);
}

static MpKernelFunction
margin_function(MpKernelKind kind)
{
	switch (kind)
	{
		case MP_KERNEL_AUTO:
		case MP_KERNEL_REFERENCE:
			return margin_reference;
		case MP_KERNEL_PORTABLE:
			return mp_margin_portable;
#if defined(MP_KERNEL_X86)
		case MP_KERNEL_BASELINE:
		case MP_KERNEL_AVX2:
			return mp_margin_baseline;
		case MP_KERNEL_AVX512:
			return mp_margin_avx512;
#else
		case MP_KERNEL_BASELINE:
		case MP_KERNEL_AVX2:
		case MP_KERNEL_AVX512:
			break;
#endif
	}
	return mp_margin_portable;
}

static void *
align_64(void *block)
{
	return (void *) (((uintptr_t) block + 63) / 64 * 64);
}

/* AVX-512 has a row of bytes in registers. */
static size_t
row_size(const MpKernelImage *image, MpKernelKind kind)
{
	if (image->width != MP_BYTES)
		return (size_t) image->n_slots * 2 * mp_kernel_node_size(image->width);
	return kind == MP_KERNEL_AVX512 ? 0 : MP_BYTE_CELLS * sizeof(uint16_t);
}

/* Bytes that a copy of the tops as nodes takes. */
static size_t
tops_size(const MpKernelImage *image, MpKernelKind kind)
{
	const MpKernelChunk *chunks = MP_SECTION(image, MP_KERNEL_CHUNKS, MpKernelChunk);
	size_t		size = 0;

	if (image->width != MP_BYTES || kind == MP_KERNEL_AVX512)
		return 0;
	for (size_t c = 0; c < MP_SECTION_LENGTH(image, MP_KERNEL_CHUNKS, MpKernelChunk); c++)
		size += mp_chunk_tops_size(image, &chunks[c]);
	return size;
}

static void
copy_tops(const MpKernelImage *image, uint16_t *nodes)
{
	const MpKernelChunk *chunks = MP_SECTION(image, MP_KERNEL_CHUNKS, MpKernelChunk);

	for (size_t c = 0; c < MP_SECTION_LENGTH(image, MP_KERNEL_CHUNKS, MpKernelChunk); c++)
	{
		const uint8_t *cells = (const uint8_t *) image + chunks[c].tops;
		size_t		n = mp_chunk_places(&chunks[c]) << chunks[c].levels;

		for (size_t i = 0; i < n; i++)
		{
			size_t		at = mp_byte_place(i);

			*nodes++ = cells[at] | cells[at + MP_TOP_PLACES] << 8;
		}
	}
}

static size_t
values_size(const MpKernelImage *image)
{
	size_t		n_chunks = MP_SECTION_LENGTH(image, MP_KERNEL_CHUNKS, MpKernelChunk);

	if (image->sum != MP_SUM_CYCLE)
		n_chunks = 1;
	return n_chunks * MP_CHUNK_TREES * sizeof(uint32_t);
}

/* Takes the next `size` bytes, filled up to a multiple of 64; without a block, only counts. */
static void *
take(char *block, size_t *used, size_t size)
{
	void	   *taken = block != NULL ? block + *used : NULL;

	*used += (size + 63) / 64 * 64;
	return taken;
}

/* Lays out the scratch of a kernel in a block, NULL: only counts. Returns the bytes needed. */
static size_t
place_scratch(MpKernel *kernel, const MpKernelImage *image, char *block)
{
	bool		permute = kernel->kind == MP_KERNEL_AVX512;
	size_t		used = 0;

	kernel->ranks = take(block, &used, MP_BYTE_SLOTS);
	kernel->row = take(block, &used, row_size(image, kernel->kind));
	kernel->masks = take(block, &used, permute ? MP_CHUNK_TREES * sizeof(uint64_t) : 0);
	kernel->outs = take(block, &used, MP_CHUNK_TREES);
	kernel->values = take(block, &used, values_size(image));
	kernel->tops = take(block, &used, tops_size(image, kernel->kind));
	return used;
}

/* The kernel with its scratch, in one block. */
static MpKernel *
new_kernel(MpAlloc *alloc, const MpKernelImage *image, MpKernelKind kind, MpError *error)
{
	MpKernel	counted = {.kind = kind};
	size_t		scratch = image != NULL ? place_scratch(&counted, image, NULL) : 0;
	size_t		size = sizeof(MpKernel) + 64 + scratch;
	MpKernel   *kernel = mp_alloc_get(alloc, size);

	if (kernel == NULL)
	{
		mp_fail_memory(error, size);
		return NULL;
	}
	memset(kernel, 0, sizeof(MpKernel));
	kernel->alloc = alloc;
	kernel->kind = kind;
	if (image == NULL)
		return kernel;
	place_scratch(kernel, image, align_64(kernel + 1));

	/* a node of bytes, made by hand, may name any cell */
	memset(kernel->ranks, 0, MP_BYTE_SLOTS);
	memset(kernel->row, 0, row_size(image, kind));
	if (tops_size(image, kind) > 0)
		copy_tops(image, kernel->tops);
	return kernel;
}

static void
use_image(MpKernel *kernel, const MpKernelImage *image)
{
	kernel->image = image;
	kernel->slots = MP_SECTION(image, MP_KERNEL_SLOTS, MpKernelSlot);
	kernel->thresholds = MP_SECTION(image, MP_KERNEL_THRESHOLDS, void);
	kernel->groups = MP_SECTION(image, MP_KERNEL_GROUPS, MpKernelGroup);
	kernel->n_groups = MP_SECTION_LENGTH(image, MP_KERNEL_GROUPS, MpKernelGroup);
	kernel->codes = MP_SECTION(image, MP_KERNEL_CODES, uint32_t);
	kernel->outputs = MP_SECTION(image, MP_KERNEL_OUTPUTS, uint32_t);
	kernel->vectors = MP_SECTION(image, MP_KERNEL_VECTORS, void);
	kernel->n_vectors = image->sections[MP_KERNEL_VECTORS].size / mp_kernel_real_size(image) /
		mp_kernel_vector_length(image);
	kernel->chunks = MP_SECTION(image, MP_KERNEL_CHUNKS, MpKernelChunk);
	kernel->n_chunks = MP_SECTION_LENGTH(image, MP_KERNEL_CHUNKS, MpKernelChunk);
}

MpKernel *
mp_kernel_open(MpAlloc *alloc, const void *image, const MpForest *forest, MpKernelKind kind,
			   MpError *error)
{
	MpKernel   *kernel;
	MpKernelKind best = best_kind();

	mp_error_clear(error);
	if (image == NULL)
		kind = MP_KERNEL_REFERENCE;
	else if (kind == MP_KERNEL_AUTO || kind > best)
		kind = best;
	kernel = new_kernel(alloc, kind == MP_KERNEL_REFERENCE ? NULL : image, kind, error);
	if (kernel == NULL)
		return NULL;
	kernel->forest = forest;
	kernel->margin = margin_function(kind);
	if (kind != MP_KERNEL_REFERENCE)
		use_image(kernel, image);
	return kernel;
}

void
mp_kernel_close(MpKernel *kernel)
{
	if (kernel != NULL)
		mp_alloc_release(kernel->alloc, kernel);
}

void
mp_kernel_margin(MpKernel *kernel, const void *x, void *margin)
{
	kernel->margin(kernel, x, margin);
	/* the reference has done so */
	if (kernel->kind != MP_KERNEL_REFERENCE)
		mp_forest_average(kernel->forest, 1, margin);
}

MpKernelKind
mp_kernel_kind(const MpKernel *kernel)
{
	return kernel->kind;
}

const char *
mp_kernel_kind_name(MpKernelKind kind)
{
	switch (kind)
	{
		case MP_KERNEL_AUTO:
			return "auto";
		case MP_KERNEL_REFERENCE:
			return "reference";
		case MP_KERNEL_PORTABLE:
			return "portable";
		case MP_KERNEL_BASELINE:
			return "x86-64";
		case MP_KERNEL_AVX2:
			return "avx2";
		case MP_KERNEL_AVX512:
			return "avx512";
	}
	return "unknown";
}
