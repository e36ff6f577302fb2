/* Batches: raw pixels become normalised, augmented activations. */
#include "cpu.h"

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
