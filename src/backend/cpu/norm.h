/* Loops by channel that batch norm and group norm share: sums of each channel over the rows of a
 * matrix (pixels x channels), and maps with numbers for each channel.
 *
 * The order of every sum is fixed by the source: a channel has its own accumulators, rows are added
 * in blocks, blocks in double. Channels run along the vector, so neither its width nor the type's
 * order in a group reorders anything. */
#ifndef GYRE_CPU_NORM_H
#define GYRE_CPU_NORM_H

#include "cpu.h"

/* Rows of `width` elements, whose channels repeat after `channels`: few channels are taken together
 * for several pixels, to fill a vector. */
typedef struct {
    size_t rows, width, channels;
} norm_extent;

norm_extent norm_extent_of(size_t pixels, size_t channels);

/* Two sums for each channel. */
typedef struct {
    double *first, *second;
} norm_sums;

/* Adds the sums of x - shift and (x - shift)^2. */
void norm_sum_moments(bool bf16, const void *x, norm_extent e, const float *shift, norm_sums out);

/* Numbers for each channel. The mean is taken off first: folded into b it would cancel when it is
 * large beside the deviation. */
typedef struct {
    const float *mean, *a, *b;
    bool relu;
} norm_affine;

/* y = act((x - mean) * a + b (+ residual, unless it is NULL)); y may be x. */
void norm_apply(bool bf16, const void *x, const void *residual, norm_extent e, norm_affine f,
                void *y);

/* What backward reads; y where relu. dy' is dy behind the ReLU. */
typedef struct {
    const void *x, *y, *dy;
    const float *mean;
    bool relu;
} norm_backward;

/* Adds the sums of dy' and dy' * (x - mean). */
void norm_sum_gradients(bool bf16, norm_backward f, norm_extent e, norm_sums out);

/* Factors for each channel. */
typedef struct {
    float *k, *m, *b;
} norm_slopes;

/* dx = k dy' + (m (x - mean) + b), and dresidual = dy' (unless it is NULL). Either may be dy: what
 * is overwritten was read before. */
void norm_apply_gradient(bool bf16, norm_backward f, norm_extent e, norm_slopes g, void *dx,
                         void *dresidual);

#endif
