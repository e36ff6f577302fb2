/* What the decoders of JPEG and of PNG files share. */
#include "decode.h"

gyre_status data_pixels_check(uint32_t h, uint32_t w, bool held) {
    const uint64_t most = held ? 1u << 26 : 1u << 28;
    if ((uint64_t)h * w <= most) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO, "claims %u x %u pixels, more than the %llu million taken from a picture%s", h, w,
        (unsigned long long)(most / 1000000), held ? " that is progressive or interlaced" : "");
}
