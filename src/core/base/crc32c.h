/*
 * crc32c.h: the checksum of our own images.
 */
#ifndef MP_CORE_CRC32C_H
#define MP_CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C of data that follows data of checksum `crc` (0 at the start) */
extern uint32_t mp_crc32c(uint32_t crc, const void *data, size_t size);
extern uint32_t mp_crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
