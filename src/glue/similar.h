/*
 * similar.h: the known name that is closest to one that is not known, for hints. Include
 * after postgres.h.
 */
#ifndef MP_GLUE_SIMILAR_H
#define MP_GLUE_SIMILAR_H

typedef struct MpSimilar
{
	const char *wanted;
	int			length;
	char	   *best;			/* NULL: none is close */
	int			distance;
} MpSimilar;

extern MpSimilar mp_similar_to(const char *wanted);

/* Whether the name would become the best; mp_similar_offer makes it so. */
extern bool mp_similar_is_closer(MpSimilar *similar, const char *name, int length);
extern void mp_similar_offer(MpSimilar *similar, const char *name, int length);

/* `Did you mean "name"? `, or an empty text: to begin a hint with. */
extern const char *mp_similar_hint(const MpSimilar *similar);

#endif
