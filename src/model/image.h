/*
 * image.h: the compiled forms of a version, stored beside it. Include after
 * postgres.h.
 */
#ifndef MP_IMAGE_H
#define MP_IMAGE_H

#include "core/forest/forest.h"
#include "core/load/load.h"
#include "core/steps/steps.h"
#include "store/catalog.h"

/* What an image is of: the columns of a version's row. */
typedef struct MpImageSource
{
	int64		model;
	int32		version;
	Datum		data;			/* bytea, need not be detoasted */
	bytea	   *sha256;
	const MpLoadOptions *load;
	TransactionId xmin;			/* of that row; need not be known to store an image */
} MpImageSource;

typedef struct MpImage
{
	MpForest   *forest;
	bool		whole;			/* the forest has its trees */
	void	   *kernel;			/* NULL: no kernel serves the model */
	size_t		kernel_size;
	bytea	   *steps;			/* preprocessing, packed; NULL: it has none, or it is not asked for */
	Size		shared_bytes;	/* both lie in memory that all sessions share; 0: they do not */
} MpImage;

/* Between mp_writer_begin and mp_writer_end. Replaces what is stored. */
extern void mp_image_store(const MpImageSource *source, const MpImage *image);
/* `steps`: NULL, or what names the features */
extern void mp_image_insert_features(int64 model, int32 version, const MpForest *forest, const MpSteps *steps);

/*
 * Reads the stored image of a version into memory of `context`, or, if it is
 * large, maps it until `context` ends: the forest's head (the whole where there
 * is no kernel, or with `whole`) and the kernel image. False: none is stored, or it is not of these bytes, this format or
 * this machine, or it is damaged; the caller builds from the model's bytes.
 */
extern bool mp_image_load(const MpImageSource *source, Snapshot snapshot, bool whole,
						  MemoryContext context, MpAlloc *alloc, MpImage *image);

/* How what is stored differs from what the image would store, or NULL. */
extern const char *mp_image_compare(const MpImageSource *source, Snapshot snapshot, const MpImage *image);

#endif
