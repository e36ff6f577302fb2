/* The checksum CRC-32C (Castagnoli), as iSCSI and TensorBoard's event files have it. */
#ifndef GYRE_CRC32C_H
#define GYRE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t gyre_crc32c(const void *bytes, size_t size);

#endif
