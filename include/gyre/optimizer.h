/* The update of all parameters from the reduced leaf: norm, clipping, rule, running statistics.
 *
 * The optimizer's state is flat vectors in the model's layout. Whether a step is good is decided on
 * the device (GYRE_SCALAR_FINITE), so a bad update is never applied although the host learns of it
 * one step later. */
#ifndef GYRE_OPTIMIZER_H
#define GYRE_OPTIMIZER_H

#include "gyre/net.h"
#include "gyre/schedule.h"

typedef struct gyre_optimizer gyre_optimizer;

gyre_status gyre_optimizer_open(const gyre_optimizer_settings *settings, gyre_weights *weights,
                                int shards, gyre_optimizer **out);
void gyre_optimizer_close(gyre_optimizer *o);

/* The first part of update t: uploads what differs from step to step, `rate` included. */
gyre_status gyre_optimizer_begin(gyre_optimizer *o, int64_t t, gyre_rate rate);
/* The second part, the same operations in each step of a phase, so that they may be recorded:
 * applies the reduced leaf, then packs the weights. */
gyre_status gyre_optimizer_apply(gyre_optimizer *o, int64_t t, gyre_f32 leaf);
/* The phase of update t: how many groups of parameters have ended before (gyre_param_group.until).
 * At most model->group_count. */
int gyre_optimizer_phase(const gyre_optimizer *o, int64_t t);

/* `running` (model->buffers) becomes the mean of the moments of batches 0 to `batch`, of which
 * those are the last, reduced; what is frozen stays. Nothing happens after a step that was not
 * finite. */
gyre_status gyre_optimizer_take_moments(const gyre_optimizer *o, gyre_f32 moments, int64_t batch,
                                        gyre_f32 running);

/* Begins anew after a step that was not finite. */
gyre_status gyre_optimizer_restart(gyre_optimizer *o);

/* The step's device scalars (GYRE_SCALAR_COUNT), for read_later. */
gyre_f32 gyre_optimizer_scalars(const gyre_optimizer *o);

/* How many vectors in the model's layout an optimizer keeps. */
int gyre_optimizer_states(const gyre_optimizer_settings *settings);
/* State vectors for the checkpoint: name ("momentum"; "exp_avg", "exp_avg_sq"; ...) and device
 * vector of model->parameters floats; NULL past the last. */
const char *gyre_optimizer_state(const gyre_optimizer *o, int index, gyre_f32 *vector);

#endif
