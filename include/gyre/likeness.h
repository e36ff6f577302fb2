/* What samples of a network are like, beside pictures that it never saw: numbers that need no eye.
 *
 * Pure functions of distances and of features, which are the caller's. */
#ifndef GYRE_LIKENESS_H
#define GYRE_LIKENESS_H

#include <stddef.h>

/* Does the network copy? Then samples are nearer to its training pictures than other pictures are
 * (Meehan, Chaudhuri & Dasgupta 2020, arXiv 2004.05675, with a single cell). */
typedef struct {
    double nearer; /* of all pairs of a sample and a held-out picture, the share where the sample is
                      nearer to its nearest training picture; equal distances count half. 0.5 where
                      both are alike, 1 where each sample is a copy */
    double p;      /* of a share at least as high by chance: Mann & Whitney's U, its normal
                      approximation with ties; small where the network copies */
    double made, held; /* medians of the distances */
} gyre_copying;

/* Distances to the nearest training picture: of `made` samples and `held` others, at least one
 * each, none of them NaN. Sorts both. */
void gyre_copying_of(double *made, size_t made_count, double *held, size_t held_count,
                     gyre_copying *out);

/* Kernel distance of two sets in a space of features: the unbiased squared maximum mean discrepancy
 * with the kernel (x.y / d + 1)^3 (Binkowski et al. 2018, arXiv 1801.01401, section 4). It is 0 in
 * the mean where both are draws from one distribution, whatever their numbers, so it may be below
 * 0. */
typedef struct {
    double value;
    double error; /* standard error by the jackknife over both sets; NAN with 2 in one of them */
} gyre_kernel_distance;

/* x(n, d) and y(m, d), n and m at least 2. NAN without memory. */
gyre_kernel_distance gyre_kernel_distance_of(const float *x, size_t n, const float *y, size_t m,
                                             size_t d);

#endif
