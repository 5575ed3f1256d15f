/*
 * predict.h: include after postgres.h.
 */
#ifndef MP_PREDICT_H
#define MP_PREDICT_H

extern void mp_predict_init(void);	/* tells plans which functions give answers */

#endif
