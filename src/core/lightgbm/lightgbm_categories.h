/*
 * lightgbm_categories.h: the categories that LightGBM's Python package appends
 * to a model's file.
 */
#ifndef MP_CORE_LIGHTGBM_CATEGORIES_H
#define MP_CORE_LIGHTGBM_CATEGORIES_H

#include "core/draft/draft.h"

/*
 * Takes the lists of `json` ("pandas_categorical") for the features that they
 * belong to. They come without names, for every column of categories, also the
 * ordered ones that LightGBM takes for numbers: `features` is the value of the
 * parameter categorical_feature, which tells if it has as many numbers as there
 * are lists; else the caller's categories must.
 */
extern bool mp_lightgbm_categories(MpDraft *draft, MpString json, size_t offset,
								   MpString features);

#endif
