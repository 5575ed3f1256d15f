/*
 * kernel_layout.h: lays out the trees of an image.
 */
#ifndef MP_CORE_KERNEL_LAYOUT_H
#define MP_CORE_KERNEL_LAYOUT_H

#include "core/kernel/kernel_nodes.h"

/* Appends the section CHUNKS and the chunks; false: no memory. */
extern bool mp_layout_chunks(MpCompiler *c);

#endif
