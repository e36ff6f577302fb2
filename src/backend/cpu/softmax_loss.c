/* Softmax and cross-entropy of labels. */
#include "cpu.h"

#include "gyre/realmath.h"

/* Cross-entropy of one row against (1 - s) one-hot + s / classes; returns the loss. In double: the
 * rows are few, and so the loss has no rounding worth mentioning. All logits count from the largest
 * one, which keeps exp in range and large logits from cancelling. */
static double row_loss(const float *z, int classes, int label, double smoothing, double scale,
                       float *dx, bool *right) {
    int best = 0;
    double sum = 0, mean = 0;
    for (int j = 1; j < classes; j++) {
        if (z[j] > z[best]) best = j;
    }
    double top = (double)z[best];
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
    *right = best == label;
    return log_sum - (1.0 - smoothing) * ((double)z[label] - top) - smoothing * mean;
}

gyre_status cpu_softmax_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                             gyre_i32 labels, gyre_act dx, gyre_f32 stats) {
    double loss = 0;
    int64_t correct = 0;
    size_t classes = (size_t)s->classes;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, 2 * classes * sizeof(float), &work));
    float *z_work = work, *dx_work = z_work + classes;
    for (int i = 0; i < s->n; i++) {
        size_t at = (size_t)i * classes;
        void *to = dx == NULL ? NULL : cpu_act_at(q, dx, at);
        float *row = cpu_results(q, to, dx_work);
        bool right;
        loss += row_loss(cpu_widened(q, cpu_act_at(q, logits, at), classes, z_work), s->classes,
                         cpu_i32(labels)[i], (double)s->smoothing, (double)s->scale, row, &right);
        cpu_finish(q, row, classes, to);
        correct += right;
    }
    cpu_f32(stats)[0] = (float)((double)s->scale * loss);
    cpu_f32(stats)[1] = (float)correct;
    return GYRE_OK;
}
