/*
 * cache.h: the models of this session. Include after postgres.h.
 *
 * A model stays where it is until the cache is next asked for one, and while it
 * is pinned.
 */
#ifndef MP_CACHE_H
#define MP_CACHE_H

#include "access/htup.h"
#include "utils/snapshot.h"

#include "core/batch/batch.h"
#include "core/shap/shap.h"
#include "model/model.h"
#include "store/lookup.h"

extern void mp_cache_init(void);

/* The model of a version as the snapshot sees it; an error where there is none. */
extern const MpModel *mp_cache_get(const MpFound *found, Snapshot snapshot);

/*
 * The model that was loaded from this very row of the table of versions, in this
 * file; NULL: it is not there. No table is read.
 */
extern const MpModel *mp_cache_find(const MpFound *found, Oid file, HeapTuple tuple);

/* A number that changes whenever a model that is not pinned may have gone. */
extern uint64 mp_cache_losses(void);
extern void mp_cache_pin(const MpModel *model);
extern void mp_cache_unpin(const MpModel *model);

/* What is made of a model when it is first asked for. */
extern const MpForest *mp_cache_trees(const MpModel *model, Snapshot snapshot);	/* the forest, with its trees */
extern MpShap *mp_cache_shap(const MpModel *model, Snapshot snapshot);	/* errors where it cannot be explained */

extern MpBatch *mp_cache_batch(const MpModel *model);	/* NULL: the kernel has none for it */

/* What another engine keeps of a model: in the model's context, and `bytes` more elsewhere. */
typedef struct MpAttachment
{
	void	   *data;			/* NULL: nothing yet */
	Size		bytes;
} MpAttachment;

extern MpAttachment *mp_cache_attachment(const MpModel *model);

/* To be called when anything of the model's may have grown. */
extern void mp_cache_measure(const MpModel *model);

#endif
