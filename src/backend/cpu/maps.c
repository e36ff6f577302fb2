/* Input, elementwise maps, shortcuts and the loss. */
#include "act.h"
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
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, row * sizeof(float), &work));
    for (int64_t i = 0; i < batch->count; i++) {
        gyre_augment a = batch->augment == NULL ? none : batch->augment[i];
        for (int y = 0; y < s->h; y++) {
            void *to = cpu_act_at(q, x, (size_t)i * image + (size_t)y * row);
            float *out = cpu_results(q, to, work);
            load_row(s, batch->images + (size_t)i * image, a, y, cpu_f32(mean) + (size_t)y * row,
                     cpu_f32(scale), out);
            cpu_finish(q, out, row, to);
        }
    }
    memcpy(cpu_i32(labels), batch->labels, (size_t)batch->count * sizeof(int32_t));
    return GYRE_OK;
}

/* A group is read before it is written, so results may take an operand's place. */
ACT_LOOP void relu_loop(bool bf16, size_t width, size_t begin, size_t end, const void *x, void *y) {
    for (size_t i = begin; i < end; i += GROUP) {
        group v;
        group_get(bf16, width, x, i, &v);
        rectify_lanes(&v.a);
        rectify_lanes(&v.b);
        group_put_exact(bf16, width, &v, y, i);
    }
}

CPU_CLONES
gyre_status cpu_relu(gyre_queue *q, size_t n, gyre_act x, gyre_act y) {
    ACT_CALL_GROUPS(cpu_bf16(q), n, relu_loop, x, y);
    return GYRE_OK;
}

ACT_LOOP void relu_dx_loop(bool bf16, size_t width, size_t begin, size_t end, const void *y,
                           const void *dy, void *dx) {
    for (size_t i = begin; i < end; i += GROUP) {
        group v, d;
        group_get(bf16, width, y, i, &v);
        group_get(bf16, width, dy, i, &d);
        mask_lanes(&d.a, &v.a);
        mask_lanes(&d.b, &v.b);
        group_put_exact(bf16, width, &d, dx, i);
    }
}

CPU_CLONES
gyre_status cpu_relu_dx(gyre_queue *q, size_t n, gyre_act y, gyre_act dy, gyre_act dx) {
    ACT_CALL_GROUPS(cpu_bf16(q), n, relu_dx_loop, y, dy, dx);
    return GYRE_OK;
}

ACT_LOOP void accumulate_loop(bool bf16, size_t width, size_t begin, size_t end, const void *x,
                              void *y) {
    for (size_t i = begin; i < end; i += GROUP) {
        group v, sum;
        group_get(bf16, width, x, i, &v);
        group_get(bf16, width, y, i, &sum);
        sum.a += v.a;
        sum.b += v.b;
        group_put(bf16, width, &sum, y, i);
    }
}

CPU_CLONES
gyre_status cpu_accumulate(gyre_queue *q, size_t n, gyre_act x, gyre_act y) {
    ACT_CALL_GROUPS(cpu_bf16(q), n, accumulate_loop, x, y);
    return GYRE_OK;
}

/* Sizes in bytes: a shortcut only copies. */
typedef struct {
    int oh, ow;
    size_t c, k, front, images;
} shortcut;

static shortcut shortcut_of(const gyre_queue *q, const gyre_shortcut_shape *s) {
    size_t one = q->backend->act_size, c = (size_t)s->c * one, k = (size_t)s->k * one;
    return (shortcut){gyre_shortcut_out(s->h, s->stride),
                      gyre_shortcut_out(s->w, s->stride),
                      c,
                      k,
                      (size_t)((s->k - s->c) / 2) * one,
                      (size_t)s->n};
}

/* Where in x the pixel (i, j) of image n of y comes from. */
static size_t source_of(const gyre_shortcut_shape *s, const shortcut *f, size_t n, int i, int j) {
    return ((n * (size_t)s->h + (size_t)(i * s->stride)) * (size_t)s->w + (size_t)(j * s->stride)) *
           f->c;
}

gyre_status cpu_shortcut(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act x, gyre_act y) {
    shortcut f = shortcut_of(q, s);
    const char *from = (const char *)(const void *)x;
    char *to = (char *)(void *)y;
    memset(to, 0, f.images * (size_t)f.oh * (size_t)f.ow * f.k);
    for (size_t n = 0; n < f.images; n++) {
        for (int i = 0; i < f.oh; i++) {
            for (int j = 0; j < f.ow; j++, to += f.k) {
                memcpy(to + f.front, from + source_of(s, &f, n, i, j), f.c);
            }
        }
    }
    return GYRE_OK;
}

gyre_status cpu_shortcut_dx(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act dy, gyre_act dx) {
    shortcut f = shortcut_of(q, s);
    const char *from = (const char *)(const void *)dy;
    char *to = (char *)(void *)dx;
    memset(to, 0, f.images * (size_t)s->h * (size_t)s->w * f.c);
    for (size_t n = 0; n < f.images; n++) {
        for (int i = 0; i < f.oh; i++) {
            for (int j = 0; j < f.ow; j++, from += f.k) {
                memcpy(to + source_of(s, &f, n, i, j), from + f.front, f.c);
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
