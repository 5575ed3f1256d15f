/*
 * unpack.h: rows of floats that stand packed, without their missing values.
 */
#ifndef MP_UNPACK_H
#define MP_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Fills x[n]: bit i of `present`, the least significant of a byte first, tells
 * whether there is an i-th value; where there is none, x is NaN. `values` has
 * as many as there are bits set among the first n; NULL for `present`: all n.
 * True: one of them is infinite.
 */
extern bool mp_unpack_floats(const float *values, const uint8_t *present, size_t n, float *x);

/* The same on any processor. */
extern bool mp_unpack_floats_portable(const float *values, const uint8_t *present, size_t n, float *x);

#endif
