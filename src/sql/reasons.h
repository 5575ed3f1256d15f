/*
 * reasons.h: the strongest reasons in a line of text. Include after postgres.h.
 */
#ifndef MP_REASONS_H
#define MP_REASONS_H

#include "sql/explain.h"

extern text *mp_reasons_line(const MpExplanation *e, int top);

#endif
