/*
 * load_xgboost.c: reads XGBoost's files, of every format, into a draft.
 */
#include "core/xgboost/load_xgboost.h"
#include "core/xgboost/file.h"
#include "core/xgboost/finish.h"
#include "core/xgboost/load_binary.h"
#include "core/xgboost/load_document.h"

static bool
read_document(MpXgboostFile *file, const MpDocFormat *format, const void *data, size_t size)
{
	MpDoc		doc;
	bool		fine;

	mp_doc_open(&doc, format, file->draft->alloc, data, size, file->draft->error);
	fine = mp_load_document(&doc, file);
	mp_doc_close(&doc);
	return fine;
}

static bool
read_file(MpXgboostFile *file, MpFormat format, const void *data, size_t size)
{
	switch (format)
	{
		case MP_FORMAT_JSON:
			return read_document(file, &mp_doc_json, data, size);
		case MP_FORMAT_UBJSON:
			return read_document(file, &mp_doc_ubjson, data, size);
		case MP_FORMAT_BINARY:
			return mp_load_binary(file, data, size);
		case MP_FORMAT_TEXT:
			break;
	}
	return false;
}

bool
mp_load_xgboost(MpDraft *draft, MpFormat format, const void *data, size_t size)
{
	MpXgboostFile file;
	bool		fine;

	mp_xgboost_file_init(&file, draft);
	draft->head.source = format;
	fine = read_file(&file, format, data, size) && mp_xgboost_finish(&file);
	mp_xgboost_file_release(&file);
	return fine;
}
