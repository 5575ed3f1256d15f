/*
 * load_tree.h: reads one tree of a JSON or UBJSON document.
 */
#ifndef MP_CORE_LOAD_TREE_H
#define MP_CORE_LOAD_TREE_H

#include "core/xgboost/tree.h"
#include "core/text/doc.h"

extern bool mp_load_tree(MpDoc *doc, MpXgboostFile *file, MpTreeParts *parts);

#endif
