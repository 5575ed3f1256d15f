/*
 * doc.h: one pull reader over JSON and UBJSON documents.
 *
 * The caller walks the document and says what it expects next; nothing is
 * built in memory. After the first failure doc->error says what and where, and
 * every later call fails too. The bytes must outlive the reader.
 *
 *     mp_doc_enter_object(doc);
 *     while (mp_doc_next_key(doc, &key))
 *         ... read or skip one value ...
 *     return mp_doc_ok(doc);
 */
#ifndef MP_CORE_DOC_H
#define MP_CORE_DOC_H

#include "core/base/base.h"

#define MP_DOC_DEPTH 32			/* XGBoost's own documents need 8 */

typedef enum MpDocKind
{
	MP_DOC_OBJECT,
	MP_DOC_ARRAY,
	MP_DOC_STRING,
	MP_DOC_NUMBER,
	MP_DOC_BOOLEAN,
	MP_DOC_NULL,
	MP_DOC_NOTHING				/* broken, and the error is set */
} MpDocKind;

/* what mp_doc_bulk appends to a vector */
typedef enum MpDocElement
{
	MP_DOC_FLOATS,				/* float */
	MP_DOC_INT32S,				/* int32_t */
	MP_DOC_INT64S,				/* int64_t */
	MP_DOC_BYTES				/* uint8_t of -128 ... 255, true and false */
} MpDocElement;

typedef struct MpDocFrame
{
	bool		is_object;
	bool		started;		/* JSON: a comma comes before the next element */
	char		type;			/* UBJSON: type of all elements, 0: each has its own */
	int64_t		remaining;		/* UBJSON: elements to come; -1: up to the bracket */
} MpDocFrame;

typedef struct MpDoc MpDoc;

/* The two formats. Each function reads at doc->pos. */
typedef struct MpDocFormat
{
	MpDocKind	(*kind) (MpDoc *doc);
	bool		(*enter) (MpDoc *doc);
	bool		(*next) (MpDoc *doc, MpString *key);	/* key: NULL in arrays */
	bool		(*read_string) (MpDoc *doc, MpString *text);
	bool		(*read_float) (MpDoc *doc, float *value);
	bool		(*read_double) (MpDoc *doc, double *value);
	bool		(*read_integer) (MpDoc *doc, int64_t *value);
	bool		(*read_boolean) (MpDoc *doc, bool *value);
	bool		(*read_null) (MpDoc *doc);
	bool		(*bulk) (MpDoc *doc, MpDocElement element, MpVec *out);
	bool		(*skip_string) (MpDoc *doc);
	void		(*skip_packed) (MpDoc *doc);	/* the elements of an array of one type; or NULL */
} MpDocFormat;

struct MpDoc
{
	const MpDocFormat *format;
	MpAlloc    *alloc;
	MpError    *error;
	const char *data;
	size_t		size;
	size_t		pos;
	size_t		next_poll;
	const char *field;			/* the known field being read, for messages */
	int			depth;
	MpVec		key_text;		/* JSON: the last key, if it had escapes */
	MpVec		value_text;		/* and the last string */
	MpDocFrame	frames[MP_DOC_DEPTH];
};

extern const MpDocFormat mp_doc_json;
extern const MpDocFormat mp_doc_ubjson;

extern void mp_doc_open(MpDoc *doc, const MpDocFormat *format, MpAlloc *alloc,
						const void *data, size_t size, MpError *error);
extern void mp_doc_close(MpDoc *doc);

/* Nothing but the document was in the bytes. */
extern bool mp_doc_end(MpDoc *doc);

static inline bool
mp_doc_ok(const MpDoc *doc)
{
	return doc->error->code == MP_OK;
}

/* What comes next; MP_DOC_NOTHING sets the error. */
extern MpDocKind mp_doc_kind(MpDoc *doc);

extern bool mp_doc_enter_object(MpDoc *doc);
extern bool mp_doc_enter_array(MpDoc *doc);

/*
 * Whether there is another element; false also on a fault. A key holds until
 * the next key is read.
 */
extern bool mp_doc_next_key(MpDoc *doc, MpString *key);
extern bool mp_doc_next(MpDoc *doc);

/* A string holds until the next string is read. Numbers of the wrong kind are faults. */
extern bool mp_doc_string(MpDoc *doc, MpString *text);
extern bool mp_doc_float(MpDoc *doc, float *value);
extern bool mp_doc_double(MpDoc *doc, double *value);
extern bool mp_doc_integer(MpDoc *doc, int64_t low, int64_t high, int64_t *value);
extern bool mp_doc_boolean(MpDoc *doc, bool *value);

/* Appends a whole array of numbers. */
extern bool mp_doc_bulk(MpDoc *doc, MpDocElement element, MpVec *out);

/* Passes over one value of any kind, which must be well-formed. */
extern bool mp_doc_skip(MpDoc *doc);

/*
 * Reading an object by a table of what may be in it. A field that is not in the
 * table, or comes twice, is a fault. Most are simply put where `offset` of the
 * context says; `read` is for those where something is decided.
 */
typedef enum MpDocFieldKind
{
	MP_FIELD_CALL,				/* read(doc, context); NULL: it is skipped */
	MP_FIELD_BULK,				/* an array: `element` into the MpVec at `offset` */
	MP_FIELD_INTEGER,			/* low to high, into an int64_t */
	MP_FIELD_PARAMETER			/* the same in a string: "num_feature":"8" */
} MpDocFieldKind;

typedef struct MpDocField
{
	const char *name;
	bool		(*read) (MpDoc *doc, void *context);
	bool		required;
	MpDocFieldKind kind;
	MpDocElement element;
	size_t		offset;
	int64_t		low;
	int64_t		high;
	size_t		flag;			/* offset of a bool that says it was there; 0: none */
} MpDocField;

#define MP_REQUIRED true
#define MP_OPTIONAL false

/* rows of such a table */
#define MP_DOC_IGNORED(name) {name, NULL, MP_OPTIONAL}
#define MP_DOC_CALLED(name, required, read) {name, read, required}
#define MP_DOC_ARRAY_OF(name, required, element, type, member) \
	{name, NULL, required, MP_FIELD_BULK, element, offsetof(type, member)}
#define MP_DOC_FLAGGED_ARRAY(name, required, element, type, member, flag) \
	{name, NULL, required, MP_FIELD_BULK, element, offsetof(type, member), 0, 0, \
		offsetof(type, flag)}
#define MP_DOC_INTEGER_IN(name, required, low, high, type, member) \
	{name, NULL, required, MP_FIELD_INTEGER, 0, offsetof(type, member), low, high}
#define MP_DOC_PARAMETER_IN(name, required, low, high, type, member) \
	{name, NULL, required, MP_FIELD_PARAMETER, 0, offsetof(type, member), low, high}

#define MP_DOC_MAX_FIELDS 64

/* `where` names the object in messages: "learner". seen: bit i for fields[i], or NULL */
extern bool mp_doc_fields(MpDoc *doc, const MpDocField *fields, int n_fields, const char *where,
						  void *context, uint64_t *seen);

/* for the formats */
extern bool mp_doc_fail(MpDoc *doc, MpErrorCode code, const char *format,...) MP_PRINTF(3, 4);
extern bool mp_doc_fail_kind(MpDoc *doc, const char *expected);
extern bool mp_doc_push(MpDoc *doc, bool is_object);
extern bool mp_doc_bulk_each(MpDoc *doc, MpDocElement element, MpVec *out);

/* Serves interrupts once in 64 KiB. */
static inline void
mp_doc_poll(MpDoc *doc)
{
	if (doc->pos >= doc->next_poll)
	{
		doc->next_poll = doc->pos + 65536;
		mp_alloc_poll(doc->alloc);
	}
}

#endif
