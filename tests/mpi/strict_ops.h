/* The operations of strict.h: each is noted and handed on. */
#ifndef GYRE_TESTS_STRICT_OPS_H
#define GYRE_TESTS_STRICT_OPS_H

#include "gyre/backend.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

static bool strict_spoils; /* running statistics become NaN */

/* Of strict.h: notes a call's name, constants and pointers inside record(). */
static void note(const char *op, const void *constants, size_t size, const void *const *pointers,
                 size_t count);
static void note_bytes(const void *bytes, size_t size);

#define UNPACK(...) __VA_ARGS__
#define SHAPED(op, shape, last, params, ...)                                                       \
    static gyre_status strict_##op(gyre_queue *q, const shape *s, UNPACK params) {                 \
        const void *const p[] = {q, __VA_ARGS__};                                                  \
        note(#op, s, offsetof(shape, last) + sizeof s->last, p, sizeof p / sizeof p[0]);           \
        return gyre_cpu_ops.op(q, s, __VA_ARGS__);                                                 \
    }
#define CONV(op, params, ...) SHAPED(op, gyre_conv_shape, relu, params, __VA_ARGS__)
#define LINEAR(op, params, ...) SHAPED(op, gyre_linear_shape, relu, params, __VA_ARGS__)
#define NORM(op, params, ...) SHAPED(op, gyre_norm_shape, frozen, params, __VA_ARGS__)
#define POOL(op, params, ...) SHAPED(op, gyre_pool_shape, ceil, params, __VA_ARGS__)
#define LRN(op, params, ...) SHAPED(op, gyre_lrn_shape, relu, params, __VA_ARGS__)
#define SHORTCUT(op, params, ...) SHAPED(op, gyre_shortcut_shape, stride, params, __VA_ARGS__)

CONV(conv_pack, (gyre_f32 w, gyre_raw packed), w, packed)
CONV(conv, (gyre_act x, gyre_raw packed, gyre_f32 bias, gyre_act y), x, packed, bias, y)
CONV(conv_dx, (gyre_act dy, gyre_raw packed, gyre_act dx), dy, packed, dx)
CONV(conv_dw, (gyre_act x, gyre_act dy, gyre_f32 dw, gyre_f32 db), x, dy, dw, db)
LINEAR(linear_pack, (gyre_f32 w, gyre_raw packed), w, packed)
LINEAR(linear, (gyre_act x, gyre_raw packed, gyre_f32 bias, gyre_act y), x, packed, bias, y)
LINEAR(linear_dx, (gyre_act dy, gyre_raw packed, gyre_act dx), dy, packed, dx)
LINEAR(linear_dw, (gyre_act x, gyre_act dy, gyre_f32 dw, gyre_f32 db), x, dy, dw, db)
NORM(norm_train,
     (gyre_act x, gyre_act residual, gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved,
      gyre_f32 moments, gyre_act y),
     x, residual, gamma, beta, saved, moments, y)
NORM(norm_eval,
     (gyre_act x, gyre_act residual, gyre_f32 gamma, gyre_f32 beta, gyre_f32 running,
      gyre_f32 saved, gyre_act y),
     x, residual, gamma, beta, running, saved, y)
NORM(norm_dx,
     (gyre_act x, gyre_act y, gyre_act dy, gyre_f32 gamma, gyre_f32 saved, gyre_act dx,
      gyre_act dresidual, gyre_f32 dgamma, gyre_f32 dbeta),
     x, y, dy, gamma, saved, dx, dresidual, dgamma, dbeta)
POOL(pool, (gyre_act x, gyre_raw saved, gyre_act y), x, saved, y)
POOL(pool_dx, (gyre_act dy, gyre_raw saved, gyre_act dx), dy, saved, dx)
LRN(lrn, (gyre_act x, gyre_act y), x, y)
LRN(lrn_dx, (gyre_act x, gyre_act dy, gyre_act dx), x, dy, dx)
SHORTCUT(shortcut, (gyre_act x, gyre_act y), x, y)
SHORTCUT(shortcut_dx, (gyre_act dy, gyre_act dx), dy, dx)
SHAPED(softmax_loss, gyre_loss_shape, scale,
       (gyre_act logits, gyre_i32 labels, gyre_act dx, gyre_f32 stats), logits, labels, dx, stats)

#define SIZED(op, params, ...)                                                                     \
    static gyre_status strict_##op(gyre_queue *q, size_t n, UNPACK params) {                       \
        const void *const p[] = {q, __VA_ARGS__};                                                  \
        note(#op, &n, sizeof n, p, sizeof p / sizeof p[0]);                                        \
        return gyre_cpu_ops.op(q, n, __VA_ARGS__);                                                 \
    }
SIZED(relu, (gyre_act x, gyre_act y), x, y)
SIZED(relu_dx, (gyre_act y, gyre_act dy, gyre_act dx), y, dy, dx)
SIZED(accumulate, (gyre_act x, gyre_act y), x, y)
SIZED(add, (gyre_f32 a, gyre_f32 b, gyre_f32 y), a, b, y)

static gyre_status strict_fill(gyre_queue *q, size_t n, float value, gyre_f32 x) {
    const void *const p[] = {q, x};
    note("fill", &n, sizeof n, p, 2);
    note_bytes(&value, sizeof value);
    return gyre_cpu_ops.fill(q, n, value, x);
}

static gyre_status strict_running(gyre_queue *q, size_t n, float inv_shards, gyre_f32 moments,
                                  gyre_f32 scalars, gyre_f32 running) {
    const void *const p[] = {q, moments, scalars, running};
    note("running", &n, sizeof n, p, 4);
    note_bytes(&inv_shards, sizeof inv_shards);
    GYRE_TRY(gyre_cpu_ops.running(q, n, inv_shards, moments, scalars, running));
    return strict_spoils ? gyre_cpu_ops.fill(q, 1, NAN, running) : GYRE_OK;
}

static gyre_status strict_judge(gyre_queue *q, size_t n, gyre_f32 g, gyre_f32 stats,
                                float clip_norm, gyre_f32 scalars) {
    const void *const p[] = {q, g, stats, scalars};
    note("judge", &n, sizeof n, p, 4);
    note_bytes(&clip_norm, sizeof clip_norm);
    return gyre_cpu_ops.judge(q, n, g, stats, clip_norm, scalars);
}

static gyre_status strict_update(gyre_queue *q, const gyre_update_shape *s, size_t n, gyre_f32 g,
                                 gyre_f32 s1, gyre_f32 s2, gyre_f32 w, gyre_f32 scalars) {
    const void *const p[] = {q, g, s1, s2, w, scalars};
    const float constants[] = {(float)s->rule, s->nesterov,     s->lr_in_momentum, s->decoupled,
                               s->lr_mult,     s->weight_decay, s->square_decay,   s->eps};
    note("update", &n, sizeof n, p, 6);
    note_bytes(constants, sizeof constants);
    return gyre_cpu_ops.update(q, s, n, g, s1, s2, w, scalars);
}

static size_t strict_conv_pack_size(gyre_backend *b, const gyre_conv_shape *s) {
    return gyre_cpu_ops.conv_pack_size(b, s);
}
static size_t strict_linear_pack_size(gyre_backend *b, const gyre_linear_shape *s) {
    return gyre_cpu_ops.linear_pack_size(b, s);
}
static size_t strict_pool_saved_size(gyre_backend *b, const gyre_pool_shape *s) {
    return gyre_cpu_ops.pool_saved_size(b, s);
}

#endif
