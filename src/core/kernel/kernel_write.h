/*
 * kernel_write.h: puts the sections of an image one behind the other.
 */
#ifndef MP_CORE_KERNEL_WRITE_H
#define MP_CORE_KERNEL_WRITE_H

#include "core/kernel/kernel_image.h"

/* Functions that return bool return false where there is no memory. */
extern bool mp_image_align(MpVec *image);	/* fills up to the next multiple of 64 */
extern bool mp_image_begin(MpVec *image, MpKernelSectionId id);
extern void mp_image_end(MpVec *image, MpKernelSectionId id);

/* Append zeroed bytes, or a vector's content; where they are, or 0: no memory. */
extern size_t mp_image_add(MpVec *image, size_t size);
extern size_t mp_image_add_vec(MpVec *image, const MpVec *content);

#endif
