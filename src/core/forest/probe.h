/*
 * probe.h: rows made from a model itself, to hold one evaluator against
 * another where they would differ first: at its thresholds.
 *
 * For every threshold of a feature there is a split that is led to by a row:
 * the features on the way are set so that the row comes there, and its own
 * feature is just below the threshold, exactly on it, just above it, and
 * missing. For every category of a feature likewise, and for one that no split
 * knows. The features that do not matter for the way take values of other
 * splits. The same forest always gives the same rows.
 */
#ifndef MP_CORE_PROBE_H
#define MP_CORE_PROBE_H

#include "core/forest/forest.h"

typedef struct MpProbe MpProbe;

/*
 * For a whole, checked forest, which must outlive it. Where there are more than
 * `limit` thresholds and categories, that many of them, evenly spread. NULL:
 * no memory.
 */
extern MpProbe *mp_probe_open(MpAlloc *alloc, const MpForest *forest, uint64_t limit,
							  MpError *error);

/* Writes the next row to x[n_features]; false: there are no more. */
extern bool mp_probe_next(MpProbe *probe, float *x);

/* thresholds and categories of the trees that are used */
extern uint64_t mp_probe_targets(const MpProbe *probe);
extern uint64_t mp_probe_targets_tried(const MpProbe *probe);
extern void mp_probe_close(MpProbe *probe);

#endif
