/*
 * depth.h: how deep a forest's trees are.
 */
#ifndef MP_CORE_DEPTH_H
#define MP_CORE_DEPTH_H

#include "core/forest/forest.h"

/* Splits on the longest way to a leaf of a tree in use; -1: no memory. */
extern int32_t mp_forest_depth(MpAlloc *alloc, const MpForest *forest);

#endif
