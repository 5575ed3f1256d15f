/*
 * batch_size.h: how many rows a batch has.
 */
#ifndef MP_CORE_BATCH_SIZE_H
#define MP_CORE_BATCH_SIZE_H

#define MP_BATCH_ROWS 512

typedef struct MpBatch MpBatch;

#endif
