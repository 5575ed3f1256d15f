/*
 * details.h: what is told of a version beside its bytes and options. Include
 * after postgres.h.
 */
#ifndef MP_DETAILS_H
#define MP_DETAILS_H

#include "core/steps/steps.h"
#include "utils/jsonb.h"

/* Between mp_writer_begin and mp_writer_end. */
extern void mp_details_add_metrics(int64 model, int32 version, const char *name, Jsonb *metrics, Oid user);
extern void mp_details_add_inputs(int64 model, int32 version, const MpSteps *steps);

#endif
