/* Sizes that come from outside (a file's header, a config, a count of ranks): products and sums
 * that cannot wrap, and narrowing that cannot lie. Whoever multiplies or casts such a number does
 * it here. */
#ifndef GYRE_SIZE_H
#define GYRE_SIZE_H

#include "gyre/status.h"
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* False: the result does not fit; *out is not to be used then. */
static inline bool gyre_size_multiply(size_t a, size_t b, size_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool gyre_size_add(size_t a, size_t b, size_t *out) {
    return !__builtin_add_overflow(a, b, out);
}

/* a * b for an allocation: SIZE_MAX, which no allocation gives, where the product does not fit. */
static inline size_t gyre_size_of(size_t count, size_t each) {
    size_t bytes = 0;
    return gyre_size_multiply(count, each, &bytes) ? bytes : SIZE_MAX;
}

/* The least size that is at least `needed`, from `size` (or `least` where it is 0) by doubling;
 * what is needed itself where doubling would wrap. */
static inline size_t gyre_size_double(size_t size, size_t least, size_t needed) {
    if (size < least) size = least;
    while (size < needed && size <= SIZE_MAX / 2) size *= 2;
    return size < needed ? needed : size;
}

/* The least multiple of `unit` that is at least `size`, for parts of an allocation: GYRE_ALIGNMENT
 * bytes are a cache line, and more than any vector load asks for. */
enum { GYRE_ALIGNMENT = 64 };
static inline size_t gyre_size_align(size_t size, size_t unit) {
    return (size + unit - 1) / unit * unit;
}

/* The same number as an int: `code` with a message that begins with `what` where it is greater than
 * `most`. */
gyre_status gyre_size_narrow(gyre_status code, const char *what, uint64_t value, int most,
                             int *out);

#ifdef __cplusplus
}
#endif

#endif
