/*
 * xgboost.h: libxgboost as a second engine. Include after postgres.h.
 */
#ifndef MP_XGBOOST_H
#define MP_XGBOOST_H

#include "model_predict.h"

/* Which engine sums margins. */
typedef enum MpEngine
{
	MP_ENGINE_AUTO,				/* native; verify() may load libxgboost */
	MP_ENGINE_NATIVE,			/* native; nothing loads libxgboost */
	MP_ENGINE_XGBOOST			/* libxgboost, or an error */
} MpEngine;

extern int	mp_engine_setting;	/* MpEngine */

/* Why libxgboost cannot serve; the texts are palloc'd. */
typedef struct MpXgboostFault
{
	int			sqlstate;
	char	   *message;		/* NULL: it can */
	char	   *detail;			/* NULL: none */
	char	   *hint;			/* NULL: none */
} MpXgboostFault;

extern void mp_xgboost_init(void);

/* Version of the library that this backend has loaded, such as "1.7.4"; NULL: none is loaded. */
extern const char *mp_xgboost_version(void);

/*
 * Loads the library, and the booster's model into it, if that was not done
 * before. False with the fault where there is no library, or where it must not
 * or cannot read the model.
 */
extern bool mp_xgboost_open(MpBooster *booster, Snapshot snapshot, MpXgboostFault *fault);

/*
 * Of n rows x[n][n_features] the margins, out[n][n_outputs], or what
 * Booster.predict gives, out[n][n_predictions]. After mp_xgboost_open.
 */
extern bool mp_xgboost_predict(MpBooster *booster, const float *x, uint64 n, bool margin, float *out,
							   MpXgboostFault *fault);

/* Memory that the library holds for the booster; 0: none. */
extern Size mp_xgboost_bytes(const MpBooster *booster);

/* booster->x -> booster->margin, or an error */
extern void mp_xgboost_margin(MpBooster *booster);

#endif
