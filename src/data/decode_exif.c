/* The one thing of EXIF that changes what is seen: which corner the first pixel belongs to (EXIF
 * 2.32, 4.6.4: tag 0x0112 of the first directory). A camera writes it at any place, in either byte
 * order; what is out of bounds or range counts as not told. */
#include "decode.h"

#include <string.h>

typedef struct {
    const uint8_t *bytes;
    size_t size;
    bool big; /* endian */
} tiff_block;

static uint32_t number_at(const tiff_block *t, size_t at, size_t bytes) {
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | t->bytes[at + (t->big ? i : bytes - 1 - i)];
    }
    return value;
}

int data_exif_orientation(const uint8_t *tiff, size_t size) {
    enum { HEADER = 8, ENTRY = 12, TAG = 0x0112, SHORT = 3 };
    tiff_block t = {tiff, size, false};
    if (size < HEADER) return 1;
    t.big = memcmp(tiff, "MM\0*", 4) == 0;
    if (!t.big && memcmp(tiff, "II*\0", 4) != 0) return 1;
    size_t at = number_at(&t, 4, 4);
    if (at > size || size - at < 2) return 1;
    size_t entries = number_at(&t, at, 2), room = (size - at - 2) / ENTRY;
    if (entries > room) entries = room;
    for (at += 2; entries > 0; entries--, at += ENTRY) {
        if (number_at(&t, at, 2) != TAG || number_at(&t, at + 2, 2) != SHORT) continue;
        uint32_t value = number_at(&t, at + 8, 2);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
