/* Squared error of logits against one-hot labels. */
#include "loss.h"

static double row_loss(const gyre_loss_shape *s, double scale, const float *weights, const float *z,
                       int best, cpu_row_target target, float *dx) {
    double sum = 0;
    (void)weights;
    (void)best;
    for (int j = 0; j < s->classes; j++) {
        double d = (double)z[j] - (j == target.label ? 1.0 : 0.0);
        sum += d * d;
        if (dx != NULL) dx[j] = (float)(scale * (2 * d / s->classes));
    }
    return sum / s->classes;
}

gyre_status cpu_squared_error_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                                   gyre_i32 labels, gyre_act dx, gyre_f32 stats) {
    return cpu_loss_of_rows(q, s, logits, labels, NULL, dx, stats, row_loss);
}
