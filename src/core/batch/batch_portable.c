/*
 * batch_portable.c: batches for any processor, in vectors of 16 bytes: SSE2 on any x86-64,
 * NEON on any aarch64, and two plain numbers elsewhere.
 */
#include "core/kernel/kernel_run.h"

#if defined(MP_KERNEL_X86)
#include "core/kernel/kernel_target_x86.h"
#else
#include "core/kernel/kernel_target_portable.h"
#endif

#define WORD_BYTES 16
#include "core/batch/batch_words.h"

void
mp_batch_score_portable(MpBatch *batch, const void *x, size_t n, void *margin)
{
	score(batch, x, n, margin);
}
