/*
 * profile.h: profiles that come as jsonb, and baselines. Include after
 * postgres.h.
 */
#ifndef MP_SQL_PROFILE_H
#define MP_SQL_PROFILE_H

#include "utils/jsonb.h"

#include "core/metrics/profile.h"
#include "store/lookup.h"

/* An error where it is no profile. */
extern void mp_profile_from_jsonb(MpProfile *profile, Jsonb *jsonb, MpAlloc *alloc);

/* A name or label of a profile, in the database's encoding. */
extern char *mp_profile_text(const char *data, Size size);

/* False: the version has none. */
extern bool mp_profile_baseline(const MpFound *found, Snapshot snapshot, MpProfile *baseline);

#endif
