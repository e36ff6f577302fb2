/* Averages of a run's weights, which evaluation, sampling and exports take in the weights' place.
 *
 * After each update, average += share (weights - average), for every parameter and every running
 * statistic of batch norm alike (as timm's ModelEmaV2 does with a module's buffers). The kinds
 * differ in the share alone, which depends on how many updates there were and on nothing else, so
 * that a resume continues with the same bits. The first share is 1: the average begins as a copy.
 *
 * ema: the share is 1 - decay; with a warm-up, (k + 1)^(-3/4) of update k where that is more, which
 * is diffusers' EMAModel with use_ema_warmup, inv_gamma 1 and power 3/4. */
#ifndef GYRE_AVERAGE_H
#define GYRE_AVERAGE_H

#include "gyre/net.h"

typedef struct gyre_average gyre_average;

/* "ema"; "" of none. */
const char *gyre_average_name(gyre_average_kind kind);
/* The share of the weights after update k, from 0, in their average. */
double gyre_average_share(const gyre_average_settings *s, int64_t k);

/* All averages are 0. `scalars` are the step's (gyre_optimizer_scalars). */
gyre_status gyre_average_open(const gyre_average_settings *s, gyre_weights *weights,
                              gyre_f32 scalars, gyre_average **out);
void gyre_average_close(gyre_average *a);

/* The first part of update t: uploads its share. */
gyre_status gyre_average_begin(gyre_average *a, int64_t t);
/* The second part, after the optimizer's, the same operation in each step: takes the weights in,
 * unless the step was not finite. */
gyre_status gyre_average_apply(gyre_average *a);

/* The averages as weights, for nets and evaluators: their `parameters` and `buffers` are the
 * averages. Mean, scale and the kernels' working copies are those of the trained weights, so that a
 * forward pass needs gyre_weights_pack() of these before, and of the trained ones after. */
gyre_weights *gyre_average_weights(gyre_average *a);

/* All averages to the host, or from there: (model->parameters + model->buffers). */
gyre_status gyre_average_download(const gyre_average *a, float *out);
gyre_status gyre_average_upload(gyre_average *a, const float *averages);

#endif
