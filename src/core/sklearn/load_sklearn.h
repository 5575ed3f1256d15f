/*
 * load_sklearn.h: reads the document that the Python client makes of
 * scikit-learn's trees, forests and boosting, into a draft.
 *
 * One JSON object that begins with "library": "scikit-learn"; docs/models.md
 * describes its fields.
 */
#ifndef MP_CORE_LOAD_SKLEARN_H
#define MP_CORE_LOAD_SKLEARN_H

#include "core/draft/draft.h"

extern bool mp_load_sklearn(MpDraft *draft, const void *data, size_t size);

#endif
