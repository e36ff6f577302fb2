/* CRC-32C a byte at a time: a record of a training step has 150 bytes. */
#include "gyre/crc32c.h"

#include <pthread.h>

static uint32_t table[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(void) {
    const uint32_t polynomial = 0x82f63b78; /* 0x1edc6f41 with its bits reversed */
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? polynomial : 0);
        table[i] = value;
    }
}

uint32_t gyre_crc32c(const void *bytes, size_t size) {
    const unsigned char *b = bytes;
    uint32_t value = UINT32_MAX;
    pthread_once(&once, fill);
    for (size_t i = 0; i < size; i++) value = value >> 8 ^ table[(value ^ b[i]) & 0xff];
    return ~value;
}
