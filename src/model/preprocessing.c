/*
 * preprocessing.c: the document that says a version's preprocessing, and the
 * program that is made of it. The program lies in table forest beside what is
 * compiled from the model's bytes. It is led by a hash of its document, so that
 * another one's is not taken for it, and is checked when it is loaded.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/builtins.h"

#include "core/steps/steps_check.h"
#include "core/steps/steps_read.h"
#include "glue/error.h"
#include "model/preprocessing.h"

#define HASH_WORDS 2

static void
hash_document(Jsonb *document, uint64 *words)
{
	for (int i = 0; i < HASH_WORDS; i++)
		words[i] = hash_bytes_extended((const unsigned char *) VARDATA(document),
									   VARSIZE(document) - VARHDRSZ, MP_STEPS_FORMAT + i);
}

Jsonb *
mp_preprocessing_of(MpScan *scan, HeapTuple tuple)
{
	bool		isnull;
	Datum		value = mp_scan_value(scan, tuple, "preprocessing", &isnull);

	return isnull ? NULL : DatumGetJsonbP(value);
}

MpSteps *
mp_preprocessing_compile(Jsonb *document, const char *model, int32 version, MpAlloc *alloc)
{
	char	   *text = JsonbToCString(NULL, &document->root, VARSIZE(document));
	MpSteps    *steps;
	MpError		error;

	mp_error_clear(&error);
	if (!mp_steps_read(alloc, text, strlen(text), &steps, &error))
		ereport(ERROR,
				errcode(error.code == MP_ERROR_MEMORY ? ERRCODE_OUT_OF_MEMORY : ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the preprocessing of model \"%s\" cannot be used: %s", model, error.message),
				error.hint[0] ? errhint("%s", error.hint) : 0);
	pfree(text);
	return steps;
}

bytea *
mp_preprocessing_pack(Jsonb *document, const MpSteps *steps)
{
	uint64		words[HASH_WORDS];
	Size		size = VARHDRSZ + sizeof(words) + steps->size;
	bytea	   *packed = MemoryContextAllocHuge(CurrentMemoryContext, size);

	hash_document(document, words);
	SET_VARSIZE(packed, size);
	memcpy(VARDATA(packed), words, sizeof(words));
	memcpy(VARDATA(packed) + sizeof(words), steps, steps->size);
	return packed;
}

MpSteps *
mp_preprocessing_unpack(Jsonb *document, Datum stored, MpAlloc *alloc)
{
	bytea	   *packed = DatumGetByteaPP(stored);
	Size		size = VARSIZE_ANY_EXHDR(packed);
	uint64		words[HASH_WORDS];
	MpSteps    *steps;
	MpError		error;

	hash_document(document, words);
	if (size <= sizeof(words) || memcmp(VARDATA_ANY(packed), words, sizeof(words)) != 0)
		return NULL;
	size -= sizeof(words);
	steps = mp_alloc_get(alloc, size);
	memcpy(steps, VARDATA_ANY(packed) + sizeof(words), size);
	mp_error_clear(&error);
	if (mp_steps_check(alloc, steps, size, &error))
		return steps;
	ereport(DEBUG1, errmsg_internal("model_predict passes over a stored program: %s", error.message));
	mp_alloc_release(alloc, steps);
	return NULL;
}

MpSteps *
mp_preprocessing_load(Jsonb *document, const char *model, int64 id, int32 version, Snapshot snapshot,
					  MpAlloc *alloc)
{
	MpSteps    *steps = NULL;
	MpScan		scan;
	HeapTuple	tuple;

	mp_scan_begin(&scan, "stored_forest", snapshot);
	mp_scan_key_int8(&scan, "model", id);
	mp_scan_key_int4(&scan, "version", version);
	tuple = mp_scan_next(&scan);
	if (tuple != NULL)
	{
		bool		isnull;
		Datum		stored = mp_scan_value(&scan, tuple, "steps", &isnull);

		if (!isnull)
			steps = mp_preprocessing_unpack(document, stored, alloc);
	}
	mp_scan_end(&scan);
	return steps != NULL ? steps : mp_preprocessing_compile(document, model, version, alloc);
}
