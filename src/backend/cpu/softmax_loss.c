/* Softmax and cross-entropy of labels. */
#include "gyre/realmath.h"
#include "loss.h"

/* What a label counts in the target. */
static double hit_of(double smoothing, const float *weights, int label) {
    return weights == NULL ? 1.0 - smoothing : (1.0 - smoothing) * (double)weights[label];
}

/* Cross-entropy of one row against (1 - s) one-hot + s / classes, each class's term times its
 * weight. In double: the rows are few, and so the loss has no rounding worth mentioning. All logits
 * count from the largest one, which keeps exp in range and large logits from cancelling. */
static double row_loss(const gyre_loss_shape *s, double scale, const float *weights, const float *z,
                       int best, cpu_row_target t, float *dx) {
    int classes = s->classes;
    double smoothing = (double)s->smoothing, sum = 0, mean = 0, all = 0, top = (double)z[best];
    for (int j = 0; j < classes; j++) {
        double w = weights == NULL ? 1 : (double)weights[j];
        sum += gyre_exp((double)z[j] - top);
        mean += w * ((double)z[j] - top);
        all += w;
    }
    mean /= classes;
    double log_sum = gyre_log(sum);
    double hit = hit_of(smoothing, weights, t.label), second = 0;
    if (t.second >= 0) {
        hit *= t.share;
        second = (1 - t.share) * hit_of(smoothing, weights, t.second);
    }
    double total = weights == NULL ? 1 : hit + second + smoothing * all / classes;
    for (int j = 0; dx != NULL && j < classes; j++) {
        double w = weights == NULL ? 1 : (double)weights[j];
        double target = smoothing / classes * w + (j == t.label ? hit : 0.0);
        if (j == t.second) target += second;
        dx[j] = (float)(scale * (total * gyre_exp((double)z[j] - top - log_sum) - target));
    }
    double known = hit * ((double)z[t.label] - top);
    if (t.second >= 0) known += second * ((double)z[t.second] - top);
    return total * log_sum - known - smoothing * mean;
}

gyre_status cpu_softmax_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                             gyre_i32 labels, gyre_f32 weights, gyre_act dx, gyre_f32 stats) {
    return cpu_loss_of_rows(q, s, logits, labels, weights, dx, stats, row_loss);
}
