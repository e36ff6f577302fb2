/* Filters that whiten, made from training images: "init": "whiten" of a network's nodes. */
#ifndef GYRE_RUN_WHITEN_H
#define GYRE_RUN_WHITEN_H

#include "gyre/model.h"
#include "gyre/resolve.h"

/* Writes the parameters that begin so. With the patches x of the first 5,000 training images, as
 * the network sees them without augmentation, and the eigenvectors v of the mean of x x^T with
 * their values l, greatest first: filter i is v / sqrt(l + 0.0005), and as many filters behind them
 * are their negatives. The entry of v that is largest in size is positive (the first one of
 * several). Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU", arXiv:2404.00498.
 * GYRE_EIO as gyre_images_read. */
gyre_status run_whiten(const gyre_resolved *resolved, const float *mean, const float *scale,
                       gyre_watchdog *watchdog, float *parameters);

#endif
