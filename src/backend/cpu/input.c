/* Batches: stored values become normalised, augmented activations. */
#include "cpu.h"

#include "gyre/erase.h"
#include "gyre/move.h"
#include <string.h>

/* Row y of an augmented image. */
static void load_bytes(const gyre_image_shape *s, const uint8_t *image, gyre_augment a, int y,
                       const float *mean, const float *scale, float *out) {
    int from_y = gyre_move_row(a, y, s->h);
    for (int x = 0; x < s->w; x++) {
        int from_x = gyre_move_column(a, x, s->w);
        bool inside = from_y >= 0 && from_x >= 0;
        size_t pixel = inside ? (size_t)(from_y * s->w + from_x) * (size_t)s->c : 0;
        for (int c = 0; c < s->c; c++) {
            float raw = inside ? (float)image[pixel + (size_t)c] : 0.0f;
            out[x * s->c + c] = (raw - mean[x * s->c + c]) * scale[c];
        }
    }
}

/* The same of values of another type; those from outside are 0. */
static void load_values(const gyre_image_shape *s, gyre_element e, const void *image,
                        gyre_augment a, int y, const float *mean, const float *scale, float *out) {
    int from_y = gyre_move_row(a, y, s->h);
    size_t size = gyre_element_size(e), row = (size_t)s->w * (size_t)s->c;
    bool inside_y = from_y >= 0, moved = a.mirror != 0 || a.dx != 0;
    const char *from = (const char *)image + (inside_y ? (size_t)from_y * row * size : 0);
    if (inside_y && !moved) gyre_element_floats(e, from, row, out);
    for (int x = 0; x < s->w; x++) {
        float *pixel = out + (size_t)x * (size_t)s->c;
        int from_x = gyre_move_column(a, x, s->w);
        if (!inside_y || from_x < 0)
            memset(pixel, 0, (size_t)s->c * sizeof *pixel);
        else if (moved)
            gyre_element_floats(e, from + (size_t)from_x * (size_t)s->c * size, (size_t)s->c,
                                pixel);
        for (int c = 0; c < s->c; c++) pixel[c] = (pixel[c] - mean[x * s->c + c]) * scale[c];
    }
}

/* The part of row y that is erased. */
static void erase_row(const gyre_image_shape *s, const gyre_erase *e, int y, float *out) {
    const size_t c = (size_t)s->c, first = (size_t)y * (size_t)s->w * c;
    if (!gyre_erase_covers(e, y, e->x)) return;
    for (size_t i = (size_t)e->x * c; i < (size_t)(e->x + e->w) * c; i++) {
        out[i] = gyre_erase_value(e, first + i);
    }
}

/* Row y of sample i as the network sees it, but for what is mixed. */
static void load_row(const gyre_image_shape *s, const gyre_batch *batch, int64_t i, int y,
                     const float *mean, const float *scale, float *out) {
    const gyre_augment none = {0};
    size_t row = (size_t)s->w * (size_t)s->c, image = row * (size_t)s->h;
    gyre_augment a = batch->augment == NULL ? none : batch->augment[i];
    const uint8_t *from = batch->images + i * (int64_t)(image * gyre_element_size(batch->element));
    const float *row_mean = mean + (size_t)y * row;
    if (batch->element == GYRE_ELEMENT_U8)
        load_bytes(s, from, a, y, row_mean, scale, out);
    else
        load_values(s, batch->element, from, a, y, row_mean, scale, out);
    if (batch->erase != NULL) erase_row(s, &batch->erase[i], y, out);
}

/* Row y of a sample with that of the sample before it. */
static void mix_row(const gyre_image_shape *s, const gyre_mix *m, const float *other, float *out) {
    const size_t c = (size_t)s->c;
    for (size_t k = (size_t)m->x * c; k < (size_t)(m->x + m->w) * c; k++) {
        out[k] = gyre_mix_value(m, out[k], other[k]);
    }
}

/* A second label of each sample, and the share of its own. */
static void mix_labels(const gyre_batch *batch, int32_t *mix) {
    const int32_t *labels = batch->targets;
    for (int64_t i = 0; i < batch->count; i++) {
        mix[2 * i] = labels[i - 1];
        memcpy(mix + 2 * i + 1, &batch->mix.label, sizeof *mix);
    }
}

gyre_status cpu_batch_load(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                           gyre_f32 mean, gyre_f32 scale, gyre_act x, gyre_i32 targets) {
    size_t row = (size_t)s->w * (size_t)s->c, image = row * (size_t)s->h;
    const size_t values = (size_t)batch->count * (size_t)batch->target_values;
    const gyre_mix *m = &batch->mix;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, 2 * row * sizeof(float), &work));
    for (int64_t i = 0; i < batch->count; i++) {
        for (int y = 0; y < s->h; y++) {
            void *to = cpu_act_at(q, x, (size_t)i * image + (size_t)y * row);
            float *out = cpu_results(q, to, work), *other = (float *)work + row;
            load_row(s, batch, i, y, cpu_f32(mean), cpu_f32(scale), out);
            if (m->on && gyre_mix_covers(m, y, m->x)) {
                load_row(s, batch, i - 1, y, cpu_f32(mean), cpu_f32(scale), other);
                mix_row(s, m, other, out);
            }
            cpu_finish(q, out, row, to);
        }
    }
    memcpy(cpu_i32(targets), batch->targets, values * sizeof(int32_t));
    if (m->on) mix_labels(batch, cpu_i32(targets) + values);
    return GYRE_OK;
}
