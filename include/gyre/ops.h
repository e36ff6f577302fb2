/* The operations of a backend: what they compute, on what, and the list of them. Device memory is
 * named by pointers to types that are never defined. See gyre/backend.h for the contract. */
#ifndef GYRE_OPS_H
#define GYRE_OPS_H

#include "gyre/shapes.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gyre_device_f32 *gyre_f32; /* float32 */
typedef struct gyre_device_act *gyre_act; /* the compute type */
typedef struct gyre_device_i32 *gyre_i32;
typedef struct gyre_device_raw *gyre_raw; /* bytes: packed weights, saved state */

typedef struct gyre_backend gyre_backend;
typedef struct gyre_queue gyre_queue;

/* p + i elements */
static inline gyre_f32 gyre_f32_at(gyre_f32 p, size_t i) {
    return (gyre_f32)(void *)((char *)p + i * sizeof(float));
}

/* ---- the list */

/* Every operation of the backend's table once: who needs its slots, declarations, rows or wrappers
 * makes them of this list. Beside its line here an operation is two files, src/backend/cpu/NAME.c
 * and cuda/NAME.cu, which define cpu_OP and gpu_OP for NAME and for what belongs to it (NAME_dx,
 * NAME_dw...):
 *     gyre_status OP(gyre_queue *q, const SHAPE *s, ARGUMENTS)     SHAPED(OP, SHAPE, ARGUMENTS)
 *     gyre_status OP(gyre_queue *q, size_t n, ARGUMENTS)           SIZED(OP, ARGUMENTS)
 * with arguments as (type, name). Forward writes y; _dx writes dx; _dw overwrites dw and db.
 * Weights come packed: in the layout and type that the kernels like, made once per step. */
#define GYRE_OPS(SHAPED, SIZED)                                                                    \
    SHAPED(conv_pack, gyre_conv_shape, (gyre_f32, w), (gyre_raw, packed))                          \
    SHAPED(conv, gyre_conv_shape, (gyre_act, x), (gyre_raw, packed), (gyre_f32, bias),             \
           (gyre_act, y))                                                                          \
    SHAPED(conv_dx, gyre_conv_shape, (gyre_act, dy), (gyre_raw, packed), (gyre_act, dx))           \
    SHAPED(conv_dw, gyre_conv_shape, (gyre_act, x), (gyre_act, dy), (gyre_f32, dw),                \
           (gyre_f32, db))                                                                         \
    SHAPED(linear_pack, gyre_linear_shape, (gyre_f32, w), (gyre_raw, packed))                      \
    SHAPED(linear, gyre_linear_shape, (gyre_act, x), (gyre_raw, packed), (gyre_f32, bias),         \
           (gyre_act, y))                                                                          \
    SHAPED(linear_dx, gyre_linear_shape, (gyre_act, dy), (gyre_raw, packed), (gyre_act, dx))       \
    SHAPED(linear_dw, gyre_linear_shape, (gyre_act, x), (gyre_act, dy), (gyre_f32, dw),            \
           (gyre_f32, db))                                                                         \
    /* saved(2c): what batch_norm_dx needs; moments(2c): mean and unbiased variance of this shard. \
     * residual is read only when s->add. */                                                       \
    SHAPED(batch_norm_train, gyre_batch_norm_shape, (gyre_act, x), (gyre_act, residual),           \
           (gyre_f32, gamma), (gyre_f32, beta), (gyre_f32, saved), (gyre_f32, moments),            \
           (gyre_act, y))                                                                          \
    /* running(2c): mean and variance. With s->frozen it also writes saved (may be NULL else). */  \
    SHAPED(batch_norm_eval, gyre_batch_norm_shape, (gyre_act, x), (gyre_act, residual),            \
           (gyre_f32, gamma), (gyre_f32, beta), (gyre_f32, running), (gyre_f32, saved),            \
           (gyre_act, y))                                                                          \
    /* dx may be dy. With s->add, dresidual gets dy behind the relu; dresidual may be dy. */       \
    SHAPED(batch_norm_dx, gyre_batch_norm_shape, (gyre_act, x), (gyre_act, y), (gyre_act, dy),     \
           (gyre_f32, gamma), (gyre_f32, saved), (gyre_act, dx), (gyre_act, dresidual),            \
           (gyre_f32, dgamma), (gyre_f32, dbeta))                                                  \
    /* saved(2 n h w): what layer_norm_dx needs: each pixel's mean, then each one's 1 / deviation; \
     * may be NULL. */                                                                             \
    SHAPED(layer_norm, gyre_layer_norm_shape, (gyre_act, x), (gyre_f32, gamma), (gyre_f32, beta),  \
           (gyre_f32, saved), (gyre_act, y))                                                       \
    /* dx may be dy */                                                                             \
    SHAPED(layer_norm_dx, gyre_layer_norm_shape, (gyre_act, x), (gyre_act, dy), (gyre_f32, gamma), \
           (gyre_f32, saved), (gyre_act, dx), (gyre_f32, dgamma), (gyre_f32, dbeta))               \
    /* saved(2 n groups): each sample's means by group, then 1 / deviation likewise; may be NULL   \
     */                                                                                            \
    SHAPED(group_norm, gyre_group_norm_shape, (gyre_act, x), (gyre_f32, gamma), (gyre_f32, beta),  \
           (gyre_f32, saved), (gyre_act, y))                                                       \
    /* dx may be dy */                                                                             \
    SHAPED(group_norm_dx, gyre_group_norm_shape, (gyre_act, x), (gyre_act, dy), (gyre_f32, gamma), \
           (gyre_f32, saved), (gyre_act, dx), (gyre_f32, dgamma), (gyre_f32, dbeta))               \
    SIZED(relu, (gyre_act, x), (gyre_act, y))                                                      \
    SIZED(relu_dx, (gyre_act, y), (gyre_act, dy), (gyre_act, dx))                                  \
    SHAPED(activation, gyre_activation_shape, (gyre_act, x), (gyre_act, y))                        \
    /* v: x or y, as GYRE_ACTIVATIONS says; dx may be dy */                                        \
    SHAPED(activation_dx, gyre_activation_shape, (gyre_act, v), (gyre_act, dy), (gyre_act, dx))    \
    /* y = a + b or a b; y may be a */                                                             \
    SHAPED(broadcast, gyre_broadcast_shape, (gyre_act, a), (gyre_act, b), (gyre_act, y))           \
    /* The gradient of b: dy, or dy a where s->multiply, summed over what b is spread over. */     \
    SHAPED(broadcast_db, gyre_broadcast_shape, (gyre_act, a), (gyre_act, dy), (gyre_act, db))      \
    /* draws: GYRE_DRAW_WORDS words; y may be x. Backward is the same of dy. */                    \
    SHAPED(dropout, gyre_dropout_shape, (gyre_i32, draws), (gyre_act, x), (gyre_act, y))           \
    SHAPED(copy_columns, gyre_copy_shape, (gyre_act, x), (gyre_act, y)) /* leaves the rest of y */ \
    SHAPED(transpose, gyre_transpose_shape, (gyre_act, x), (gyre_act, y))                          \
    SHAPED(upsample, gyre_upsample_shape, (gyre_act, x), (gyre_act, y))                            \
    SHAPED(upsample_dx, gyre_upsample_shape, (gyre_act, dy), (gyre_act, dx))                       \
    SHAPED(scale, gyre_scale_shape, (gyre_act, x), (gyre_f32, w), (gyre_act, y)) /* y may be x */  \
    SHAPED(scale_dw, gyre_scale_shape, (gyre_act, x), (gyre_act, dy), (gyre_f32, dw))              \
    SHAPED(pool, gyre_pool_shape, (gyre_act, x), (gyre_raw, saved), (gyre_act, y))                 \
    SHAPED(pool_dx, gyre_pool_shape, (gyre_act, dy), (gyre_raw, saved), (gyre_act, dx))            \
    SHAPED(adaptive_pool, gyre_adaptive_pool_shape, (gyre_act, x), (gyre_act, y))                  \
    SHAPED(adaptive_pool_dx, gyre_adaptive_pool_shape, (gyre_act, dy), (gyre_act, dx))             \
    SHAPED(lrn, gyre_lrn_shape, (gyre_act, x), (gyre_act, y))                                      \
    /* dx may be dy */                                                                             \
    SHAPED(lrn_dx, gyre_lrn_shape, (gyre_act, x), (gyre_act, dy), (gyre_act, dx))                  \
    SHAPED(channel_lrn, gyre_channel_lrn_shape, (gyre_act, x), (gyre_act, y))                      \
    /* dx may be dy */                                                                             \
    SHAPED(channel_lrn_dx, gyre_channel_lrn_shape, (gyre_act, x), (gyre_act, dy), (gyre_act, dx))  \
    SHAPED(shortcut, gyre_shortcut_shape, (gyre_act, x), (gyre_act, y))                            \
    SHAPED(shortcut_dx, gyre_shortcut_shape, (gyre_act, dy), (gyre_act, dx))                       \
    SIZED(accumulate, (gyre_act, x), (gyre_act, y)) /* y += x */                                   \
    /* A row of label -1 has no loss and no hit. stats(2) = {scale * sum of losses, hits of the    \
     * largest logit / pixels}; dx may be NULL (evaluation)                                        \
     */                                                                                            \
    SHAPED(softmax_loss, gyre_loss_shape, (gyre_act, logits), (gyre_i32, labels), (gyre_act, dx),  \
           (gyre_f32, stats))                                                                      \
    SHAPED(squared_error_loss, gyre_loss_shape, (gyre_act, logits), (gyre_i32, labels),            \
           (gyre_act, dx), (gyre_f32, stats))                                                      \
    /* stats(2) = {scale * sum of losses, sum of the shares of values that are right (BINARY)} */  \
    SHAPED(value_loss, gyre_value_loss_shape, (gyre_act, x), (gyre_f32, targets), (gyre_act, dx),  \
           (gyre_f32, stats))                                                                      \
    /* flat f32 vectors from here on */                                                            \
    SIZED(fill, (float, value), (gyre_f32, x))                                                     \
    SIZED(add, (gyre_f32, a), (gyre_f32, b), (gyre_f32, y)) /* y = a + b; y may be a */            \
    /* running = (1 - momentum) running + momentum (inv_shards moments) where the step is finite   \
     */                                                                                            \
    SIZED(update_statistics, (float, inv_shards), (float, momentum), (gyre_f32, moments),          \
          (gyre_f32, scalars), (gyre_f32, running))                                                \
    /* From the reduced gradient g(n) and stats(2) = {loss, its sum}: fills LOSS, SUM, NORM,       \
     * SHRINK and clears FINITE when loss or norm is not finite. Sums in a fixed tree. */          \
    SIZED(check_step, (gyre_f32, g), (gyre_f32, stats), (float, clip_norm), (gyre_f32, scalars))   \
    /* One segment. s2 is NULL where the rule has no second state. No-op when FINITE is 0. */      \
    SHAPED(update, gyre_update_shape, (size_t, n), (gyre_f32, g), (gyre_f32, s1), (gyre_f32, s2),  \
           (gyre_f32, w), (gyre_f32, scalars))

/* Bytes that operations need for what they pack or keep: size_t OP(gyre_backend *b, const SHAPE
 * *s).
 */
#define GYRE_OP_SIZES(SIZE)                                                                        \
    SIZE(conv_pack_size, gyre_conv_shape)                                                          \
    SIZE(linear_pack_size, gyre_linear_shape)                                                      \
    SIZE(pool_saved_size, gyre_pool_shape) /* 0 for average */

/* ---- what is made of the list: heads of functions, or of pointers to them, called `function` */

#define GYRE_SHAPED_HEAD(function, shape, ...)                                                     \
    gyre_status function(gyre_queue *q, const shape *s, GYRE_PARAMETERS(__VA_ARGS__))
#define GYRE_SIZED_HEAD(function, ...)                                                             \
    gyre_status function(gyre_queue *q, size_t n, GYRE_PARAMETERS(__VA_ARGS__))
#define GYRE_SIZE_HEAD(function, shape) size_t function(gyre_backend *b, const shape *s)

/* Of up to nine arguments (type, name): "type name, ...", "name, ...", and USE(type, name) of each.
 */
#define GYRE_PARAMETERS(...) GYRE_LIST(GYRE_PARAMETER, __VA_ARGS__)
#define GYRE_NAMES(...) GYRE_LIST(GYRE_NAME, __VA_ARGS__)
#define GYRE_PARAMETER(type, name) type name
#define GYRE_NAME(type, name) name
#define GYRE_COUNTED(a, b, c, d, e, f, g, h, i, count, ...) count
#define GYRE_COUNT(...) GYRE_COUNTED(__VA_ARGS__, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define GYRE_PASTE(a, b) a##b
#define GYRE_LIST_OF(count) GYRE_PASTE(GYRE_LIST_, count)
#define GYRE_LIST(USE, ...) GYRE_LIST_OF(GYRE_COUNT(__VA_ARGS__))(USE, __VA_ARGS__)
#define GYRE_LIST_1(USE, a) USE a
#define GYRE_LIST_2(USE, a, ...) USE a, GYRE_LIST_1(USE, __VA_ARGS__)
#define GYRE_LIST_3(USE, a, ...) USE a, GYRE_LIST_2(USE, __VA_ARGS__)
#define GYRE_LIST_4(USE, a, ...) USE a, GYRE_LIST_3(USE, __VA_ARGS__)
#define GYRE_LIST_5(USE, a, ...) USE a, GYRE_LIST_4(USE, __VA_ARGS__)
#define GYRE_LIST_6(USE, a, ...) USE a, GYRE_LIST_5(USE, __VA_ARGS__)
#define GYRE_LIST_7(USE, a, ...) USE a, GYRE_LIST_6(USE, __VA_ARGS__)
#define GYRE_LIST_8(USE, a, ...) USE a, GYRE_LIST_7(USE, __VA_ARGS__)
#define GYRE_LIST_9(USE, a, ...) USE a, GYRE_LIST_8(USE, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
