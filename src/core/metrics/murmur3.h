/*
 * murmur3.h: MurmurHash3 of 32 bits for x86 (Austin Appleby, public domain), by
 * which rows are divided into buckets: the same on every machine, for ever.
 */
#ifndef MP_CORE_MURMUR3_H
#define MP_CORE_MURMUR3_H

#include <stddef.h>
#include <stdint.h>

extern uint32_t mp_murmur3(const void *data, size_t size, uint32_t seed);

#endif
