/*
 * sniff.h: what the bytes of a file are, by their beginning.
 */
#ifndef MP_CORE_SNIFF_H
#define MP_CORE_SNIFF_H

#include "core/forest/forest.h"

/* The format of the bytes; fails with what they look like instead. */
extern bool mp_sniff(const void *data, size_t size, MpFormat *format, MpError *error);

/* Whose file of this format the bytes are. */
extern MpLibrary mp_sniff_library(const void *data, size_t size, MpFormat format);

#endif
