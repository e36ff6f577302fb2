/* Two denoisers that need no training, to set a network's error beside. Both know the training
 * images: the best linear one (Wiener's filter of their covariance), which a network must beat, and
 * the one that knows them by heart (Kadkhodaie et al. 2024, arXiv 2310.02557; Kamb & Ganguli 2025,
 * arXiv 2412.20292, equation 3), which is the optimum for the training loss and bad on new images.
 * x_t = a x_0 + s noise. Errors are mean squares, over the values of an image, of v told less v = a
 * noise - s x_0; errors of the noise told are a^2 times as large. Internal to src/denoise. */
#ifndef GYRE_DENOISE_BOUND_H
#define GYRE_DENOISE_BOUND_H

#include "gyre/comm.h"
#include "gyre/status.h"
#include <stddef.h>

/* Rows of images as a network reads them. */
typedef struct {
    const float *values; /* (count, width) */
    size_t count, width;
} denoise_rows;

/* ---- best linear */

enum { DENOISE_LINEAR_WIDTH_MAX = 4096 }; /* its time grows with the cube */

typedef struct denoise_linear denoise_linear;

/* Mean and covariance of the images, and its eigenvectors. Of 50,000 images of 3,072 values that
 * takes minutes, in which `watchdog` is told that the rank lives; it may be NULL. GYRE_EDEVICE: no
 * memory. */
gyre_status denoise_linear_open(denoise_rows train, gyre_watchdog *watchdog, denoise_linear **out);
void denoise_linear_close(denoise_linear *l); /* NULL is fine */
/* Squares of an image's coordinates in the eigenvectors, less the mean's: (width). Any thread.
 * GYRE_EDEVICE: no memory. */
gyre_status denoise_linear_squares(const denoise_linear *l, const float *image, double *squares);
/* The expected error over the noise for an image with these squares. */
double denoise_linear_error(const denoise_linear *l, const double *squares, double a, double s);

/* ---- by heart */

typedef struct denoise_memory denoise_memory;

/* `train` must stay. GYRE_EDEVICE: no memory. */
gyre_status denoise_memory_open(denoise_rows train, denoise_memory **out);
void denoise_memory_close(denoise_memory *m); /* NULL is fine */

/* Noised images, told together so that the training images are read once. */
typedef struct {
    size_t count;
    const float *const *images; /* (count) of (width): x_0 */
    const float *noised;        /* (count, width): x_t */
    const double *a, *s;        /* (count) */
    double *errors;             /* (count): filled in */
} denoise_batch;

/* Any thread. GYRE_EDEVICE: no memory. */
gyre_status denoise_memory_errors(const denoise_memory *m, const denoise_batch *batch);

#endif
