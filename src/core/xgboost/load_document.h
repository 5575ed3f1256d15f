/*
 * load_document.h: reads a model document, JSON or UBJSON.
 */
#ifndef MP_CORE_LOAD_DOCUMENT_H
#define MP_CORE_LOAD_DOCUMENT_H

#include "core/xgboost/file.h"
#include "core/text/doc.h"

extern bool mp_load_document(MpDoc *doc, MpXgboostFile *file);

#endif
