/*
 * batch.h: scores hundreds of rows at once, several times as fast as a kernel
 * does one after the other, and with the same bits.
 */
#ifndef MP_CORE_BATCH_H
#define MP_CORE_BATCH_H

#include "core/batch/batch_size.h"
#include "core/kernel/kernel.h"

/*
 * Made from a kernel's image, for the kernel's kind of processor; the kernel, its
 * image and its forest must outlive it. NULL with MP_OK: the model is outside its
 * shape, and rows are better scored one by one.
 */
extern MpBatch *mp_batch_open(MpAlloc *alloc, const MpKernel *kernel, MpError *error);

/* Only needed where the allocator does not release everything at once. */
extern void mp_batch_close(MpBatch *batch);

/* Memory that it takes, with its scratch. */
extern size_t mp_batch_bytes(const MpBatch *batch);

/*
 * n <= MP_BATCH_ROWS rows; x: n rows of n_features, margin: n rows of n_outputs; floats, or
 * doubles for a double forest.
 */
extern void mp_batch_margin(MpBatch *batch, const void *x, size_t n, void *margin);

#endif
