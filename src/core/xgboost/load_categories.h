/*
 * load_categories.h: reads the categories that a document keeps.
 */
#ifndef MP_CORE_LOAD_CATEGORIES_H
#define MP_CORE_LOAD_CATEGORIES_H

#include "core/draft/draft.h"
#include "core/text/doc.h"

extern bool mp_load_categories(MpDoc *doc, MpDraft *draft);

#endif
