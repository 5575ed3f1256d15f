/*
 * sha256.h: include after postgres.h.
 */
#ifndef MP_SHA256_H
#define MP_SHA256_H

extern bytea *mp_sha256(const void *data, Size size);

#endif
