/*
 * fuzz_forest.c: stored images of forests. Checksums and sizes are made to
 * fit, as someone who writes the tables directly could make them, so that the
 * checks behind them are reached.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static bool
check(const MpForest *image, size_t size, bool head_only)
{
	MpError		error;
	bool		sound = mp_forest_check(&mp_alloc_malloc, image, size, head_only, &error);

	MP_FUZZ_REQUIRE(sound == (error.code == MP_OK));
	MP_FUZZ_REQUIRE(sound || error.message[0] != '\0');
	return sound;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MpForest   *image;

	/* a block of its own: aligned, and a sanitizer sees its end */
	image = malloc(size > 0 ? size : 1);
	memcpy(image, data, size);
	check(image, size, true);
	if (!check(image, size, false) && size >= sizeof(MpForest) &&
		image->head_size >= sizeof(MpForest) && image->head_size <= size)
	{
		image->magic = MP_FOREST_MAGIC;
		image->format = MP_FOREST_FORMAT;
		image->byte_order = MP_FOREST_BYTE_ORDER;
		image->size = size;
		mp_forest_seal(image);
	}
	if (check(image, size, false))
		mp_fuzz_score(image);
	free(image);
	return 0;
}
