/* Two denoisers that need no training, scored at the times and with the noise of a network's
 * evaluation: what its denoising error is to be read against.
 *
 * The best linear denoiser (Wiener's filter) knows mean and covariance of the training images; a
 * network that learned something beats it. The other one knows the training images by heart and
 * takes a noised image for a mean of them (Kadkhodaie et al. 2024, arXiv 2310.02557): no training
 * loss is lower, and on new images it is bad at small times. */
#ifndef GYRE_BOUNDS_H
#define GYRE_BOUNDS_H

#include "gyre/backend.h"
#include "gyre/comm.h"
#include "gyre/dataset.h"
#include "gyre/metric.h"
#include "gyre/model.h"
#include "gyre/net.h"

typedef struct {
    double mean;
    double bands[GYRE_LOSS_BANDS_MAX]; /* as gyre_score has them */
} gyre_bound;

typedef struct {
    int64_t train;     /* images that both know */
    bool linear_known; /* images of more than 4096 values have none: it would take hours */
    gyre_bound linear; /* in expectation over the noise */
    gyre_bound memory;
} gyre_bounds;

typedef struct {
    const gyre_model *model;   /* its loss is denoise */
    const gyre_view *train;    /* what both know */
    const gyre_view *view;     /* what is scored */
    const float *mean, *scale; /* of the input: (h, w, c) and (c) */
    gyre_passes passes;        /* times of each sample */
} gyre_bounds_question;

/* Its time grows with the product of both views' samples. On all lanes of `b`. Errors: GYRE_EIO;
 * GYRE_EDEVICE: all images must fit into memory as 32-bit floats. Collective. */
gyre_status gyre_bounds_of(const gyre_bounds_question *q, gyre_backend *b, gyre_comm *comm,
                           gyre_bounds *out);

#endif
