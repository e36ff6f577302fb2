/* Lookahead (Zhang et al. 2019, arXiv 1907.08610): slow weights follow those that the optimizer
 * moves, and every so many updates it begins anew from them.
 *
 * After n updates, at each n that `every` divides,
 *     slow = d slow + (1 - d) weights,    weights = slow,    d = decay (n / until)^power,
 * for all parameters and running statistics; slow begins as the first weights. After update
 * `until`, the run's last one unless settings say otherwise, weights = slow, and Lookahead has
 * ended. The optimizer's state is not touched. */
#ifndef GYRE_LOOKAHEAD_H
#define GYRE_LOOKAHEAD_H

#include "gyre/net.h"

typedef struct gyre_lookahead gyre_lookahead;

/* d after n updates. */
double gyre_lookahead_decay(const gyre_lookahead_settings *s, int64_t n);

/* `until` is in steps. `scalars` are the step's (gyre_optimizer_scalars). */
gyre_status gyre_lookahead_open(const gyre_lookahead_settings *s, gyre_weights *weights,
                                gyre_f32 scalars, gyre_lookahead **out);
void gyre_lookahead_close(gyre_lookahead *l);

/* After the optimizer's part of an update, outside record(): moves slow and weights where it is
 * time to, and packs the weights. Slow stays after a step that was not finite. */
gyre_status gyre_lookahead_apply(gyre_lookahead *l, int64_t completed);

/* The slow weights on the device, and running statistics that follow the same rule. */
void gyre_lookahead_slow(const gyre_lookahead *l, gyre_f32 *parameters, gyre_f32 *buffers);

/* The slow weights to the host, or from there: (model->parameters + model->buffers). */
gyre_status gyre_lookahead_download(const gyre_lookahead *l, float *out);
gyre_status gyre_lookahead_upload(gyre_lookahead *l, const float *slow);

#endif
