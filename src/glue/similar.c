/*
 * similar.c: the closest of some names, by the letters that must be changed; another case
 * changes nothing.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "utils/formatting.h"
#include "utils/varlena.h"

#include "glue/similar.h"

#define MAX_LENGTH 100			/* bytes of names that are compared */
#define MAX_DISTANCE 3

MpSimilar
mp_similar_to(const char *wanted)
{
	int			length = strlen(wanted);

	/* of more than that nobody mistypes three letters; it is compared with nothing */
	if (length > MAX_LENGTH)
		length = 0;
	return (MpSimilar) {
		.wanted = str_tolower(wanted, length, DEFAULT_COLLATION_OID),
		.length = length,
		.distance = Min(MAX_DISTANCE, length / 2) + 1
	};
}

static int
distance_to(const MpSimilar *similar, const char *name, int length)
{
	char	   *lower;

	if (similar->length == 0 || length > MAX_LENGTH ||
		abs(length - similar->length) > MAX_DISTANCE * pg_database_encoding_max_length())
		return similar->distance;
	lower = str_tolower(name, length, DEFAULT_COLLATION_OID);
	return varstr_levenshtein_less_equal(similar->wanted, strlen(similar->wanted), lower, strlen(lower),
										 1, 1, 1, similar->distance, true);
}

bool
mp_similar_is_closer(MpSimilar *similar, const char *name, int length)
{
	return distance_to(similar, name, length) < similar->distance;
}

void
mp_similar_offer(MpSimilar *similar, const char *name, int length)
{
	int			distance = distance_to(similar, name, length);

	if (distance >= similar->distance)
		return;
	similar->distance = distance;
	similar->best = pnstrdup(name, length);
}

const char *
mp_similar_hint(const MpSimilar *similar)
{
	return similar->best != NULL ? psprintf("Did you mean \"%s\"? ", similar->best) : "";
}
