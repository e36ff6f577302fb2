/* The operations of a backend: what they compute, on what, and the list of them. Device memory is
 * named by pointers to types that are never defined. See gyre/backend.h for the contract. */
#ifndef GYRE_OPS_H
#define GYRE_OPS_H

#include "gyre/ops_layers.h"
#include "gyre/ops_losses.h"
#include "gyre/ops_step.h"
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
 * makes them of this list. The line of an operation stands beside its shape, in ops_layers.h,
 * ops_losses.h or ops_step.h:
 *     gyre_status OP(gyre_queue *q, const SHAPE *s, ARGUMENTS)     SHAPED(OP, SHAPE, ARGUMENTS)
 *     gyre_status OP(gyre_queue *q, size_t n, ARGUMENTS)           SIZED(OP, ARGUMENTS)
 * with arguments as (type, name). Two files define it, src/backend/cpu/NAME.c and cuda/NAME.cu:
 * cpu_OP and gpu_OP for NAME and for what belongs to it (NAME_dx, NAME_dw...). Forward writes y;
 * _dx writes dx; _dw overwrites dw and db. Weights come packed: in the layout and type that the
 * kernels like, made once per step. */
#define GYRE_OPS(SHAPED, SIZED)                                                                    \
    GYRE_LAYER_OPS(SHAPED, SIZED)                                                                  \
    GYRE_LOSS_OPS(SHAPED, SIZED)                                                                   \
    GYRE_STEP_OPS(SHAPED, SIZED)

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
