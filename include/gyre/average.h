/* Averages of a run's weights, which evaluation, sampling and exports take in the weights' place.
 *
 * Each is average += share (weights - average) for every parameter; the kinds differ in the share
 * alone, which depends on how many updates there were and on nothing else, so that a resume
 * continues with the same bits.
 *
 * ema: after each update. The share is 1 - decay; with a warm-up, (k + 1)^(-3/4) of update k where
 * that is more, which is diffusers' EMAModel with use_ema_warmup, inv_gamma 1 and power 3/4. The
 * first share is 1: the average begins as a copy. Running statistics of batch norm are averaged
 * alike (as timm's ModelEmaV2 does with a module's buffers).
 *
 * swa, minima: after the updates that are its members, with share 1 / (n + 1) of member n from 0:
 * the mean of the members (Izmailov et al. 2018, arXiv 1803.05407, as AveragedModel of
 * torch.optim.swa_utils; the members of minima are those of its cyclical form). Before the first
 * member the average is a copy of the weights. Running statistics that belong to a mean of weights
 * are no mean of theirs: they are made anew of training samples, as by update_bn there.
 *
 * schedule_free: x of the schedule-free optimizers (gyre/ops_step.h), which follows from the
 * weights y and the optimizer's state z - y: x = z - (z - y) / m. Running statistics as of swa. */
#ifndef GYRE_AVERAGE_H
#define GYRE_AVERAGE_H

#include "gyre/net.h"
#include "gyre/schedule.h"

typedef struct gyre_average gyre_average;

/* The share of the weights after update k, from 0, in their ema. */
double gyre_average_share(const gyre_average_settings *s, int64_t k);

/* Which weights an average is the mean of: those after so many completed updates, rising. */
typedef struct {
    int64_t *steps; /* free() it */
    size_t count;
} gyre_average_members;
/* Of swa or minima, for settings where start and every are steps, and the first minimum is given;
 * none of ema. */
gyre_status gyre_average_find_members(const gyre_average_settings *s, gyre_average_kind kind,
                                      const gyre_schedule *schedule, gyre_average_members *out);
/* How many of them there are after `completed` updates; *now: these weights are one. */
size_t gyre_average_taken(const gyre_average_members *m, int64_t completed, bool *now);

/* All averages are 0. The members stay the caller's, and where they are. `scalars` are the step's
 * (gyre_optimizer_scalars). */
gyre_status gyre_average_open(const gyre_average_settings *s, gyre_average_kind kind,
                              gyre_average_members members, gyre_weights *weights, gyre_f32 scalars,
                              gyre_average **out);
/* Of schedule_free, before it is settled: the optimizer's z - y, and its constant m. */
void gyre_average_follow(gyre_average *a, gyre_f32 ahead, double momentum);
void gyre_average_close(gyre_average *a);

/* The first part of update t, of ema: uploads its share. */
gyre_status gyre_average_begin(gyre_average *a, int64_t t);
/* The second part, after the optimizer's, the same operation in each step: takes the weights in,
 * unless the step was not finite. Nothing happens but with ema. */
gyre_status gyre_average_apply(gyre_average *a);
/* The third part, of the others: takes the weights after `completed` updates in if they are a
 * member, unless the step was not finite. */
gyre_status gyre_average_take(gyre_average *a, int64_t completed);

/* Before the averages of swa or minima are read after `completed` updates: has no member been taken
 * yet, they become a copy of the weights. *stale: the running statistics are to be made anew, in the
 * place where they are, since there is a member more than when they were; what is frozen of them is
 * the weights'. */
gyre_status gyre_average_settle(gyre_average *a, int64_t completed, bool *stale);

/* The averages as weights, for nets and evaluators: their `parameters` and `buffers` are the
 * averages. Mean, scale and the kernels' working copies are those of the trained weights, so that a
 * forward pass needs gyre_weights_pack() of these before, and of the trained ones after. */
gyre_weights *gyre_average_weights(gyre_average *a);

/* All averages to the host, or from there: (model->parameters + model->buffers). */
gyre_status gyre_average_download(const gyre_average *a, float *out);
gyre_status gyre_average_upload(gyre_average *a, const float *averages);

#endif
