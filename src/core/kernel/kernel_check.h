/*
 * kernel_check.h: whether a stored kernel image can be trusted.
 */
#ifndef MP_CORE_KERNEL_CHECK_H
#define MP_CORE_KERNEL_CHECK_H

#include "core/forest/forest.h"

/* Whether the image is sound and belongs to the forest with this head. */
extern bool mp_kernel_check(const void *image, size_t size, const MpForest *head, MpError *error);

#endif
