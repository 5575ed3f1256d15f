/*
 * kernel_subtrees.h: lays out the subtrees of trees in images of bytes: see kernel_image.h.
 */
#ifndef MP_CORE_KERNEL_SUBTREES_H
#define MP_CORE_KERNEL_SUBTREES_H

#include "core/kernel/kernel_nodes.h"

/*
 * The subtrees of the i-th tree of a chunk. outs[w] is the node at way
 * out w of its top, -1: none leads there. Subtrees of one level have their room in the
 * image before they are written; those of up to three are appended when the chunk ends.
 */
extern void mp_clear_subtrees_1(MpCompiler *c, const MpKernelChunk *chunk);
extern void mp_write_subtrees_1(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i,
							const MpTree *tree, const int32_t *outs);
extern bool mp_write_subtrees_3(MpCompiler *c, const MpKernelChunk *chunk, uint32_t i,
							const MpTree *tree, const int32_t *outs);
extern bool mp_end_subtrees_3(MpCompiler *c, MpKernelChunk *chunk);

#endif
