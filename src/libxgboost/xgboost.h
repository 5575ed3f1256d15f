/*
 * xgboost.h: calls of libxgboost. Include after postgres.h. What fails returns
 * false with the fault; nothing is to be called before mp_xgboost_load.
 */
#ifndef MP_XGBOOST_H
#define MP_XGBOOST_H

#include "model/model.h"

/* A model in the library: its copy. */
typedef struct MpXgboost MpXgboost;

/* The texts are palloc'd. */
typedef struct MpXgboostFault
{
	int			sqlstate;
	char	   *message;
	char	   *detail;			/* NULL: none */
	char	   *hint;			/* NULL: none */
} MpXgboostFault;

extern void mp_xgboost_init(void);

/* Returns false. */
extern bool mp_xgboost_fail(MpXgboostFault *fault, int sqlstate, char *message, char *detail,
							char *hint);

/* Opens the library that the setting names, if that was not done before. */
extern bool mp_xgboost_load(MpXgboostFault *fault);

extern const char *mp_xgboost_version(void);	/* such as "1.7.4"; NULL: none is loaded */

/* Below 0: the library is older than that version, 0: the same, above 0: newer. */
extern int	mp_xgboost_compare_version(int major, int minor, int patch);

/* Holds no model yet; goes with the context. */
extern MpXgboost *mp_xgboost_create(MemoryContext context);

/* The model from its file, which must be one that the library may see. */
extern bool mp_xgboost_read(MpXgboost *copy, const MpModel *model, const bytea *blob,
							MpXgboostFault *fault);
extern bool mp_xgboost_is_read(const MpXgboost *copy); /* NULL: no */
extern void mp_xgboost_forget(MpXgboost *copy);

/* The model as the library saves it; the bytes stay until the copy is forgotten. */
extern bool mp_xgboost_save(MpXgboost *copy, const MpModel *model, const char **data,
							Size *size, MpXgboostFault *fault);

/*
 * Of n rows x[n][n_features] the margins, out[n][n_outputs], or what
 * Booster.predict gives, out[n][n_predictions].
 */
extern bool mp_xgboost_predict(MpXgboost *copy, const MpModel *model, const float *x, uint64 n,
							   bool margin, float *out, MpXgboostFault *fault);

#endif
