/*
 * names.h: texts that are numbered as they come, each once. Equal are those of
 * equal bytes.
 */
#ifndef MP_CORE_NAMES_H
#define MP_CORE_NAMES_H

#include "core/base/base.h"

typedef struct MpNames
{
	MpAlloc    *alloc;
	MpVec		text;			/* bytes of all, one after the other */
	MpVec		ends;			/* size_t: where each ends there */
	uint32_t   *slots;			/* number + 1, by hash; 0: free */
	uint32_t	mask;			/* slots - 1 */
} MpNames;

extern void mp_names_begin(MpNames *names, MpAlloc *alloc);
extern void mp_names_end(MpNames *names);

/* The number of the text, which is new if it was not there. False: no memory. */
extern bool mp_names_find(MpNames *names, MpString text, uint32_t *number);

extern MpString mp_names_at(const MpNames *names, uint32_t number);

static inline uint32_t
mp_names_count(const MpNames *names)
{
	return (uint32_t) mp_vec_count(&names->ends, size_t);
}

/* -1, 0, 1, by bytes */
extern int	mp_string_compare(MpString a, MpString b);

#endif
