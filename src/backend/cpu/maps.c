/* Input, elementwise maps, shortcuts and the loss. */
#include "cpu.h"

#include "gyre/realmath.h"
#include <math.h>
#include <string.h>

/* Row y of an augmented image: crop first, mirror second; outside pixels are raw 0. */
static void load_row(const gyre_image_shape *s, const uint8_t *image, gyre_augment a, int y,
                     const float *mean, const float *scale, float *out) {
    int from_y = y + a.dy;
    bool inside_y = from_y >= 0 && from_y < s->h;
    for (int x = 0; x < s->w; x++) {
        int from_x = (a.mirror ? s->w - 1 - x : x) + a.dx;
        bool inside = inside_y && from_x >= 0 && from_x < s->w;
        size_t pixel = inside ? (size_t)(from_y * s->w + from_x) * (size_t)s->c : 0;
        for (int c = 0; c < s->c; c++) {
            float raw = inside ? (float)image[pixel + (size_t)c] : 0.0f;
            out[x * s->c + c] = (raw - mean[x * s->c + c]) * scale[c];
        }
    }
}

gyre_status cpu_batch_load(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                           gyre_f32 mean, gyre_f32 scale, gyre_act x, gyre_i32 labels) {
    size_t row = (size_t)s->w * (size_t)s->c, image = row * (size_t)s->h;
    const gyre_augment none = {0};
    (void)q;
    for (int64_t i = 0; i < batch->count; i++) {
        gyre_augment a = batch->augment == NULL ? none : batch->augment[i];
        for (int y = 0; y < s->h; y++) {
            load_row(s, batch->images + (size_t)i * image, a, y, cpu_f32(mean) + (size_t)y * row,
                     cpu_f32(scale), cpu_act(x) + (size_t)i * image + (size_t)y * row);
        }
    }
    memcpy(cpu_i32(labels), batch->labels, (size_t)batch->count * sizeof(int32_t));
    return GYRE_OK;
}

CPU_CLONES
gyre_status cpu_relu(gyre_queue *q, size_t n, gyre_act x_, gyre_act y_) {
    const float *x = cpu_act(x_);
    float *y = cpu_act(y_);
    (void)q;
    CPU_SAME_INDEX
    for (size_t i = 0; i < n; i++) y[i] = x[i] < 0.0f ? 0.0f : x[i]; /* NaN stays NaN */
    return GYRE_OK;
}

CPU_CLONES
gyre_status cpu_relu_dx(gyre_queue *q, size_t n, gyre_act y_, gyre_act dy_, gyre_act dx_) {
    const float *y = cpu_act(y_), *dy = cpu_act(dy_);
    float *dx = cpu_act(dx_);
    (void)q;
    CPU_SAME_INDEX
    for (size_t i = 0; i < n; i++) dx[i] = y[i] <= 0.0f ? 0.0f : dy[i];
    return GYRE_OK;
}

CPU_CLONES
gyre_status cpu_accumulate(gyre_queue *q, size_t n, gyre_act x_, gyre_act y_) {
    const float *x = cpu_act(x_);
    float *y = cpu_act(y_);
    (void)q;
    CPU_SAME_INDEX
    for (size_t i = 0; i < n; i++) y[i] += x[i];
    return GYRE_OK;
}

gyre_status cpu_shortcut(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act x, gyre_act y) {
    int oh = (s->h + s->stride - 1) / s->stride, ow = (s->w + s->stride - 1) / s->stride;
    size_t c = (size_t)s->c, k = (size_t)s->k, front = (k - c) / 2;
    float *to = cpu_act(y);
    (void)q;
    memset(to, 0, (size_t)s->n * (size_t)oh * (size_t)ow * k * sizeof(float));
    for (int n = 0; n < s->n; n++) {
        for (int i = 0; i < oh; i++) {
            for (int j = 0; j < ow; j++, to += k) {
                size_t at = ((size_t)n * (size_t)s->h + (size_t)(i * s->stride)) * (size_t)s->w +
                            (size_t)(j * s->stride);
                memcpy(to + front, cpu_act(x) + at * c, c * sizeof(float));
            }
        }
    }
    return GYRE_OK;
}

gyre_status cpu_shortcut_dx(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act dy, gyre_act dx) {
    int oh = (s->h + s->stride - 1) / s->stride, ow = (s->w + s->stride - 1) / s->stride;
    size_t c = (size_t)s->c, k = (size_t)s->k, front = (k - c) / 2;
    const float *from = cpu_act(dy);
    (void)q;
    memset(cpu_act(dx), 0, (size_t)s->n * (size_t)s->h * (size_t)s->w * c * sizeof(float));
    for (int n = 0; n < s->n; n++) {
        for (int i = 0; i < oh; i++) {
            for (int j = 0; j < ow; j++, from += k) {
                size_t at = ((size_t)n * (size_t)s->h + (size_t)(i * s->stride)) * (size_t)s->w +
                            (size_t)(j * s->stride);
                memcpy(cpu_act(dx) + at * c, from + front, c * sizeof(float));
            }
        }
    }
    return GYRE_OK;
}

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
    (void)q;
    for (int i = 0; i < s->n; i++) {
        size_t at = (size_t)i * (size_t)s->classes;
        float *row = cpu_act(dx) == NULL ? NULL : cpu_act(dx) + at;
        bool right;
        loss += row_loss(cpu_act(logits) + at, s->classes, cpu_i32(labels)[i], (double)s->smoothing,
                         (double)s->scale, row, &right);
        correct += right;
    }
    cpu_f32(stats)[0] = (float)((double)s->scale * loss);
    cpu_f32(stats)[1] = (float)correct;
    return GYRE_OK;
}
