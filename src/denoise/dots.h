/* Products and sums of rows. Internal to src/denoise. */
#ifndef GYRE_DENOISE_DOTS_H
#define GYRE_DENOISE_DOTS_H

#include <stddef.h>

/* out(i, j) = sum over k of a(i, k) b(j, k), for rows of `width` values; `out` has `stride` numbers
 * a row. Sums are in f32 over at most 256 terms a lane, and in double over these. */
void denoise_dots(const float *a, size_t a_rows, const float *b, size_t b_rows, size_t width,
                  double *out, size_t stride);
/* out += factor row */
void denoise_add(double *out, double factor, const float *row, size_t width);

#endif
