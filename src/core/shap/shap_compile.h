/*
 * shap_compile.h: from a forest's trees to those that contributions walk.
 */
#ifndef MP_CORE_SHAP_COMPILE_H
#define MP_CORE_SHAP_COMPILE_H

#include "core/shap/shap_tree.h"

/* Fills in everything but the scratch. */
extern bool mp_shap_compile(struct MpShap *shap, MpError *error);

#endif
