/* What the losses over classes share: rows of logits, one after the other. */
#ifndef GYRE_CPU_LOSS_H
#define GYRE_CPU_LOSS_H

#include "cpu.h"

/* The target of a row: `share` of a label, the rest of a second one; second -1: there is none. */
typedef struct {
    int label, second;
    double share;
} cpu_row_target;

/* The loss of one row z(classes) whose largest element is z[best]; dx(classes) gets its gradient
 * times `scale`, unless it is NULL. weights(classes), NULL where there are none. */
typedef double cpu_row_loss(const gyre_loss_shape *s, double scale, const float *weights,
                            const float *z, int best, cpu_row_target target, float *dx);

gyre_status cpu_loss_of_rows(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                             gyre_i32 labels, gyre_f32 weights, gyre_act dx, gyre_f32 stats,
                             cpu_row_loss *row_loss);

#endif
