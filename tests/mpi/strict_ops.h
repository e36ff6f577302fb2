/* The operations of strict.h: each is noted with all its arguments, and handed on. */
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

/* The last member of a shape: what comes behind it is padding. */
#define LAST_gyre_conv_shape relu
#define LAST_gyre_linear_shape relu
#define LAST_gyre_batch_norm_shape frozen
#define LAST_gyre_layer_norm_shape eps
#define LAST_gyre_group_norm_shape silu
#define LAST_gyre_attention_shape causal
#define LAST_gyre_geglu_shape c
#define LAST_gyre_positions_shape c
#define LAST_gyre_activation_shape slope
#define LAST_gyre_broadcast_shape multiply
#define LAST_gyre_dropout_shape factor
#define LAST_gyre_diffusion_shape offset
#define LAST_gyre_embedding_shape threshold
#define LAST_gyre_denoise_loss_shape scale
#define LAST_gyre_copy_shape y_begin
#define LAST_gyre_transpose_shape columns
#define LAST_gyre_upsample_shape factor
#define LAST_gyre_scale_shape c
#define LAST_gyre_pool_shape count_pad
#define LAST_gyre_lrn_shape relu
#define LAST_gyre_channel_lrn_shape k
#define LAST_gyre_adaptive_pool_shape ow
#define LAST_gyre_shortcut_shape stride
#define LAST_gyre_loss_shape mixed
#define LAST_gyre_value_loss_shape scale
#define LAST_gyre_update_shape rule /* which has padding inside: note_update */

#define END_OF(shape, last) (offsetof(shape, last) + sizeof((shape *)NULL)->last)
#define SIZE_OF(shape, last) END_OF(shape, last)
#define NOTE(type, name) note_bytes(&name, sizeof name)
#define NOTE_ALL(...) (void)(GYRE_LIST(NOTE, __VA_ARGS__))

#define STRICT_SHAPED(op, shape, ...)                                                              \
    static GYRE_SHAPED_HEAD(strict_##op, shape, __VA_ARGS__) {                                     \
        const void *const p[] = {q};                                                               \
        note(#op, s, SIZE_OF(shape, LAST_##shape), p, 1);                                          \
        NOTE_ALL(__VA_ARGS__);                                                                     \
        return gyre_cpu_ops.op(q, s, GYRE_NAMES(__VA_ARGS__));                                     \
    }
#define STRICT_SIZED(op, ...)                                                                      \
    static GYRE_SIZED_HEAD(strict_##op, __VA_ARGS__) {                                             \
        const void *const p[] = {q};                                                               \
        note(#op, &n, sizeof n, p, 1);                                                             \
        NOTE_ALL(__VA_ARGS__);                                                                     \
        return gyre_cpu_ops.op(q, n, GYRE_NAMES(__VA_ARGS__));                                     \
    }
#define STRICT_SIZE(op, shape)                                                                     \
    static GYRE_SIZE_HEAD(strict_##op, shape) {                                                    \
        return gyre_cpu_ops.op(b, s);                                                              \
    }
GYRE_OPS(STRICT_SHAPED, STRICT_SIZED)
GYRE_OP_SIZES(STRICT_SIZE)

static GYRE_SHAPED_HEAD(note_update, gyre_update_shape, (size_t, n), (gyre_f32, g), (gyre_f32, s1),
                        (gyre_f32, s2), (gyre_f32, w), (gyre_f32, scalars)) {
    const float constants[] = {s->nesterov,     s->lr_in_momentum, s->decoupled, s->lr_mult,
                               s->weight_decay, s->square_decay,   s->eps};
    note_bytes(constants, sizeof constants);
    return strict_update(q, s, n, g, s1, s2, w, scalars);
}

static GYRE_SIZED_HEAD(spoil_statistics, (float, inv_shards), (float, momentum),
                       (gyre_f32, moments), (gyre_f32, scalars), (gyre_f32, running)) {
    GYRE_TRY(strict_update_statistics(q, n, inv_shards, momentum, moments, scalars, running));
    return strict_spoils ? gyre_cpu_ops.fill(q, 1, NAN, running) : GYRE_OK;
}

#endif
