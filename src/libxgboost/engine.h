/*
 * engine.h: native, or libxgboost as a second engine. Include after postgres.h.
 */
#ifndef MP_ENGINE_H
#define MP_ENGINE_H

#include "utils/snapshot.h"

#include "libxgboost/xgboost.h"

/* Which engine sums margins. */
typedef enum MpEngine
{
	MP_ENGINE_AUTO,				/* native; verify() may load libxgboost */
	MP_ENGINE_NATIVE,			/* native; nothing loads libxgboost */
	MP_ENGINE_XGBOOST			/* libxgboost, or an error */
} MpEngine;

extern int	mp_engine_setting;	/* MpEngine */

extern void mp_engine_init(void);

/*
 * Loads libxgboost, and the model into it, if that was not done
 * before. False with the fault where there is no library, or where it must not
 * or cannot read the model.
 */
extern bool mp_engine_open(const MpModel *model, Snapshot snapshot, MpXgboostFault *fault);

/* Whether the library is of the minor version that saved the model. */
extern bool mp_engine_same_minor(const MpModel *model);

/* Of n rows, as mp_xgboost_predict, once mp_engine_open was true. */
extern bool mp_engine_predict(const MpModel *model, const float *x, uint64 n, bool margin,
							  float *out, MpXgboostFault *fault);

#endif
