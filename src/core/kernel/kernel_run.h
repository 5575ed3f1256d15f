/*
 * kernel_run.h: a kernel at work: where things are in its image, and its scratch.
 *
 * Every engine is one function that scores one row: it fills the row of cells, then
 * for each chunk of trees finds the leaves and adds them up, in passes over the chunk.
 */
#ifndef MP_CORE_KERNEL_RUN_H
#define MP_CORE_KERNEL_RUN_H

#include "core/kernel/kernel_image.h"
#include "core/kernel/kernel_types.h"

#include <string.h>

#if defined(__x86_64__)
#define MP_KERNEL_X86 1
#endif

/*
 * What engines are made of: inlined whatever the compiler thinks of the size,
 * since arguments such as a number of levels must become constants.
 */
#define MP_ENGINE static inline __attribute__((always_inline))
#define MP_PASS static __attribute__((noinline))

#define MP_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define MP_UNROLL(n) MP_PRAGMA(clang loop unroll_count(n))
#elif defined(__GNUC__)
#define MP_UNROLL(n) MP_PRAGMA(GCC unroll n)
#else
#define MP_UNROLL(n)
#endif

typedef void (*MpKernelFunction) (MpKernel *kernel, const void *x, void *margin);

struct MpKernel
{
	MpKernelFunction margin;
	MpAlloc    *alloc;
	const MpForest *forest;
	const MpKernelImage *image;
	const MpKernelSlot *slots;
	const void *thresholds;		/* reals */
	const MpKernelGroup *groups;
	const uint32_t *codes;
	const uint32_t *outputs;
	const void *vectors;		/* reals */
	const MpKernelChunk *chunks;
	uint32_t	n_groups;
	uint32_t	n_vectors;
	uint32_t	n_chunks;
	MpKernelKind kind;

	/* scratch, each aligned to 64 */
	uint8_t    *ranks;			/* bytes: left cells of all 128 slots */
	void	   *row;			/* of nodes, with what cells hold for bounds */
	uint64_t   *masks;			/* AVX-512: what the nodes of two blocks of trees say */
	uint16_t   *tops;			/* others, bytes: all tops, as nodes */
	uint8_t    *outs;			/* others: the exit that each tree of a chunk takes */
	uint32_t   *values;			/* what each tree adds: float, or number of a double or leaf vector */
};

/* the engines */
extern void mp_margin_portable(MpKernel *kernel, const void *x, void *margin);
#if defined(MP_KERNEL_X86)
extern void mp_margin_baseline(MpKernel *kernel, const void *x, void *margin);
extern void mp_margin_avx512(MpKernel *kernel, const void *x, void *margin);
#endif

#endif
