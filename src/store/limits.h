/*
 * limits.h: how large the words that people give may be. Include after
 * postgres.h.
 *
 * pg_dump reads a row as text, and no text reaches 1 GB: a row that passed
 * these limits can be dumped.
 */
#ifndef MP_LIMITS_H
#define MP_LIMITS_H

#include "fmgr.h"

#define MP_MAX_WORDS (64 * 1024)	/* bytes of a comment or a description */
#define MP_MAX_TAGS (1024 * 1024)	/* bytes of tags as text */
#define MP_MAX_OPTION (16 * 1024 * 1024)	/* bytes of another option as text */
#define MP_MAX_NAMES (64 * 1024 * 1024)	/* bytes of names or labels as text: there may be 500,000 of them */
#define MP_MAX_PROFILE (128 * 1024 * 1024)	/* bytes of a profile as text: 5,000 inputs of a thousand keys each */
#define MP_MAX_DUMPED_ROW (1070 * 1000 * 1000)	/* bytes of a row of table version as text */

/*
 * Bytes of a value of type text, text[], jsonb or bytea in COPY's text format,
 * an upper bound; counting ends past `most`.
 */
extern uint64 mp_dumped_size(Oid type, Datum value, uint64 most);

/* Errors where the value's text is longer than `most` bytes; `what` is for the message. */
extern void mp_limit_size(const char *what, Oid type, Datum value, uint64 most);

/* Argument `arg` as text, or NULL; errors where it is longer than words may be. */
extern char *mp_limited_words(FunctionCallInfo fcinfo, int arg, const char *what);

#endif
