/* The copies that fakes make in device memory. Built with the thread sanitizer where the rest of
 * the fakes is not, so that exactly the program's own memory accesses are watched. */
#include "fake.h"

#include <cstring>

namespace fake {

#ifdef __SANITIZE_THREAD__
/* Byte loops that the compiler may not turn into the library's memcpy, which is not watched when
 * modules without instrumentation are ignored. */
void copy_bytes(void *to, const void *from, size_t bytes) {
    size_t i = 0;
    if (((uintptr_t)to | (uintptr_t)from) % 8 == 0) {
        for (; i + 8 <= bytes; i += 8) {
            *(volatile uint64_t *)((char *)to + i) =
                *(const volatile uint64_t *)((const char *)from + i);
        }
    }
    for (; i < bytes; i++) ((volatile char *)to)[i] = ((const volatile char *)from)[i];
}

void set_bytes(void *to, int value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) ((volatile char *)to)[i] = (char)value;
}
#else
void copy_bytes(void *to, const void *from, size_t bytes) {
    memcpy(to, from, bytes);
}

void set_bytes(void *to, int value, size_t bytes) {
    memset(to, value, bytes);
}
#endif

static float widen(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* To nearest even; a NaN stays one. */
static uint16_t narrow(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x) return 0x7fff;
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

void read_floats(float *to, const void *from, size_t n, size_t stride, bool bf16) {
    if (bf16) {
        for (size_t i = 0; i < n; i++) to[i] = widen(((const uint16_t *)from)[i * stride]);
    } else {
        for (size_t i = 0; i < n; i++) to[i] = ((const float *)from)[i * stride];
    }
}

void write_floats(void *to, const float *from, size_t n, size_t stride, bool bf16) {
    if (bf16) {
        for (size_t i = 0; i < n; i++) ((uint16_t *)to)[i * stride] = narrow(from[i]);
    } else {
        for (size_t i = 0; i < n; i++) ((float *)to)[i * stride] = from[i];
    }
}

} // namespace fake
