/*
 * picture.h: what comes into a picture of the core's, and what leaves it.
 * Include after postgres.h.
 */
#ifndef MP_PICTURE_H
#define MP_PICTURE_H

#include "fmgr.h"

#include "core/text/svg.h"

/* As the core draws it, in UTF-8; SQL_ASCII says nothing of what bytes mean, and is taken as it is. */
extern MpString mp_picture_string(const char *text);

/* In the database's encoding; an error where it is not complete, for want of memory. */
extern text *mp_picture_finish(bool complete, const MpVec *out);

/* How a picture is to look: bars, width and theme, arguments from `first` on; what is null is as by default. */
extern MpSvgStyle mp_picture_style(FunctionCallInfo fcinfo, int first);

#endif
