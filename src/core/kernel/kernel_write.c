/*
 * kernel_write.c: see kernel_write.h.
 */
#include "core/kernel/kernel_write.h"

#include <string.h>

bool
mp_image_align(MpVec *image)
{
	size_t		gap = (64 - image->size % 64) % 64;
	void	   *added = mp_vec_add(image, gap);

	if (added == NULL)
		return false;
	memset(added, 0, gap);
	return true;
}

bool
mp_image_begin(MpVec *image, MpKernelSectionId id)
{
	if (!mp_image_align(image))
		return false;
	((MpKernelImage *) image->data)->sections[id].offset = image->size;
	return true;
}

void
mp_image_end(MpVec *image, MpKernelSectionId id)
{
	MpSection  *section = &((MpKernelImage *) image->data)->sections[id];

	section->size = image->size - section->offset;
}

size_t
mp_image_add(MpVec *image, size_t size)
{
	void	   *added = mp_vec_add(image, size);

	if (added == NULL)
		return 0;
	memset(added, 0, size);
	return image->size - size;
}

size_t
mp_image_add_vec(MpVec *image, const MpVec *content)
{
	size_t		at = mp_image_add(image, content->size);

	if (at != 0)
		memcpy((char *) image->data + at, content->data, content->size);
	return at;
}
