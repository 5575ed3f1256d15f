/*
 * base.h: what every file of the core shares: memory, errors, strings, vectors.
 *
 * The core is plain C11 and knows nothing of PostgreSQL. It takes memory from
 * the caller's MpAlloc, returns false (or NULL) with an MpError filled in when
 * something is wrong, and keeps no state between calls.
 */
#ifndef MP_CORE_BASE_H
#define MP_CORE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where memory comes from. `resize` and `release` take only what `resize`
 * gave; a NULL pointer is a fresh block. `resize` returns NULL when there is no
 * memory, or does not return at all (a PostgreSQL error): the core therefore
 * owns nothing but memory of its MpAlloc while it calls out.
 * `poll` is called at least once per 64 KiB read or 16,384 nodes visited; it
 * may not return either. NULL: nothing to poll.
 */
typedef struct MpAlloc MpAlloc;
struct MpAlloc
{
	void	   *(*resize) (MpAlloc *alloc, void *block, size_t size);
	void		(*release) (MpAlloc *alloc, void *block);
	void		(*poll) (MpAlloc *alloc);
};

/* malloc and free; for tests, benches and fuzzers */
extern MpAlloc mp_alloc_malloc;

extern void *mp_alloc_get(MpAlloc *alloc, size_t size);	/* not zeroed; NULL: none */
extern void *mp_alloc_zero(MpAlloc *alloc, size_t size);
extern void mp_alloc_release(MpAlloc *alloc, void *block);	/* NULL is fine */
extern void mp_alloc_poll(MpAlloc *alloc);

typedef enum MpErrorCode
{
	MP_OK = 0,
	MP_ERROR_NOT_A_MODEL,		/* these bytes are something else (said what) */
	MP_ERROR_SYNTAX,			/* broken JSON, UBJSON or binary structure */
	MP_ERROR_INVALID,			/* well-formed, but no sound model */
	MP_ERROR_UNSUPPORTED,		/* newer than we know, or an unknown objective */
	MP_ERROR_OPTION,			/* an option does not fit the model */
	MP_ERROR_AMBIGUOUS,			/* trees = auto cannot tell */
	MP_ERROR_MEMORY,
	MP_ERROR_IMAGE				/* a stored image is damaged or foreign */
} MpErrorCode;

#define MP_MESSAGE_SIZE 256

/* offset, tree and node are -1 where they do not apply */
typedef struct MpError
{
	MpErrorCode code;
	int64_t		offset;			/* byte of the model file */
	int32_t		tree;
	int32_t		node;
	char		message[MP_MESSAGE_SIZE];	/* lower case, no period */
	char		detail[MP_MESSAGE_SIZE];	/* a sentence, or empty */
	char		hint[MP_MESSAGE_SIZE];	/* a sentence that says what to do, or empty */
} MpError;

#if defined(__GNUC__)
#define MP_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define MP_PRINTF(a, b)
#endif

extern void mp_error_clear(MpError *error);

/* Fills in the error and returns false. Names from a file must pass through mp_printable first. */
extern bool mp_fail(MpError *error, MpErrorCode code, const char *format,...) MP_PRINTF(3, 4);
extern bool mp_fail_memory(MpError *error, size_t size);
extern void mp_error_detail(MpError *error, const char *format,...) MP_PRINTF(2, 3);
extern void mp_error_hint(MpError *error, const char *format,...) MP_PRINTF(2, 3);

/* A piece of text, not terminated. */
typedef struct MpString
{
	const char *data;
	size_t		length;
} MpString;

extern bool mp_string_equal(MpString a, MpString b);
extern bool mp_string_is(MpString a, const char *literal);

/*
 * A printable copy of at most `size - 1` bytes, cut with "..." and without
 * splitting a UTF-8 sequence; control characters and invalid UTF-8 become '?'.
 */
extern const char *mp_printable(char *buffer, size_t size, MpString text);

/* Whether the text is well-formed UTF-8 without NUL. */
extern bool mp_utf8_valid(MpString text);

/*
 * A growing array of bytes: MpVec v = {alloc}; then mp_vec_add. Sizes are in
 * bytes. It grows by half, by 32 MiB at most, to keep the peak low.
 */
typedef struct MpVec
{
	MpAlloc    *alloc;
	void	   *data;
	size_t		size;			/* bytes used */
	size_t		room;			/* bytes had */
} MpVec;

/* room for `size` more bytes at the end, or NULL (out of memory); `size` counts as used at once */
extern void *mp_vec_add(MpVec *vec, size_t size);
extern void mp_vec_release(MpVec *vec);

#define mp_vec_count(vec, type) ((vec)->size / sizeof(type))
#define mp_vec_at(vec, type, i) (((type *) (vec)->data) + (i))

#endif
