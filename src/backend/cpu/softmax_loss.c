/* Softmax and cross-entropy of labels. */
#include "gyre/realmath.h"
#include "loss.h"

/* Cross-entropy of one row against (1 - s) one-hot + s / classes. In double: the rows are few, and
 * so the loss has no rounding worth mentioning. All logits count from the largest one, which keeps
 * exp in range and large logits from cancelling. */
static double row_loss(const gyre_loss_shape *s, const float *z, int best, int label, float *dx) {
    int classes = s->classes;
    double smoothing = (double)s->smoothing, scale = (double)s->scale;
    double sum = 0, mean = 0, top = (double)z[best];
    for (int j = 0; j < classes; j++) {
        sum += gyre_exp((double)z[j] - top);
        mean += (double)z[j] - top;
    }
    mean /= classes;
    double log_sum = gyre_log(sum);
    for (int j = 0; dx != NULL && j < classes; j++) {
        double target = smoothing / classes + (j == label ? 1.0 - smoothing : 0.0);
        dx[j] = (float)(scale * (gyre_exp((double)z[j] - top - log_sum) - target));
    }
    return log_sum - (1.0 - smoothing) * ((double)z[label] - top) - smoothing * mean;
}

gyre_status cpu_softmax_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                             gyre_i32 labels, gyre_act dx, gyre_f32 stats) {
    return cpu_loss_of_rows(q, s, logits, labels, dx, stats, row_loss);
}
