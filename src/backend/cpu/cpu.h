/* The CPU backend's inside: worker threads, one queue per lane, a primitive cache per queue.
 *
 * A lane is one thread. What a lane computes never depends on the others, so the number of lanes
 * changes speed only. */
#ifndef GYRE_CPU_H
#define GYRE_CPU_H

#include "dnn.h"
#include "gyre/backend.h"
#include "gyre/clones.h"
#include "gyre/comm.h"
#include <pthread.h>

enum {
    CPU_SHAPE_INTS = GYRE_CONV_INTS + 1,
    CPU_TICKETS = 4,
    CPU_TICKET_FLOATS = 16,
    CPU_REDUCTIONS = 64
};

/* A cached primitive: kind and shape are its key. */
typedef struct {
    dnn_kind kind;
    int shape[CPU_SHAPE_INTS];
    dnn_op op;
} cpu_cached;

typedef struct {
    gyre_queue base; /* first */
    dnnl_stream_t stream;
    cpu_cached *cache;
    int cache_count, cache_room, cache_next; /* next: where the last hit was, plus one */
    char *scratch;
    size_t scratch_room;
} cpu_queue;

typedef struct {
    int n;
    bool open;
    float value[CPU_TICKET_FLOATS];
} cpu_ticket;

typedef struct cpu_workers cpu_workers;

typedef struct {
    gyre_backend base; /* first */
    gyre_comm *comm;
    dnn_device device;
    cpu_queue *queues; /* lanes + 1: the last one is main */
    cpu_workers *workers;
    gyre_reduce reduce;
    bool poison;
    cpu_ticket tickets[CPU_TICKETS];
    struct {
        float *x;
        size_t n;
    } reductions[CPU_REDUCTIONS]; /* begun, not yet done */
    int reduction_count;
    float *reduce_work;
    size_t reduce_room;
    uint64_t allowed;    /* bytes that this process may use; 0: not known */
    size_t held;         /* bytes that alloc gave and release has not taken */
    int64_t allocations; /* of the backend itself; constant once every shape was seen */
    char description[512];
} cpu_backend;

static inline cpu_backend *cpu_of(gyre_queue *q) {
    return (cpu_backend *)(void *)q->backend;
}

/* Counted allocation, 64-byte aligned; free() it. */
gyre_status cpu_allocate(cpu_backend *b, size_t bytes, void **out);

/* Runs the cached primitive for (kind, shape of `ints` ints), made at first use. */
gyre_status cpu_run(gyre_queue *base, dnn_kind kind, const void *shape, const dnn_arg *args,
                    int count);
/* The cached op itself, for its sizes. */
gyre_status cpu_op(gyre_queue *base, dnn_kind kind, const void *shape, dnn_op **out);
/* At least `bytes` of scratch of this queue beyond what primitives use at the same time. */
gyre_status cpu_scratch(cpu_queue *q, size_t bytes, void **out);

/* For loops that know f32 only: n activations as f32, themselves or widened into work(n); and where
 * n results may be put before cpu_finish rounds them to their place (NULL stays NULL). */
const float *cpu_widened(const gyre_queue *q, const void *x, size_t n, float *work);
float *cpu_results(const gyre_queue *q, void *y, float *work);
void cpu_finish(const gyre_queue *q, const float *results, size_t n, void *y);
/* y = x, rounded to bf16 */
void cpu_round(const float *x, size_t n, uint16_t *y);
/* To the nearest bf16, kept as f32: weight gradients of convolutions and linear layers in bf16. */
void cpu_round_in_place(float *x, size_t n);

/* out(columns) = sum over rows of a (rows, columns) times dy, or of dy alone where a is NULL, in
 * runs of 256 rows in f32, added in double. In scratch, until the queue's next operation. */
gyre_status cpu_column_products(gyre_queue *q, size_t rows, size_t columns, const void *a,
                                const void *dy, double **out);

gyre_status cpu_workers_open(cpu_backend *b, int lanes, cpu_workers **out);
void cpu_workers_close(cpu_workers *w);
gyre_status cpu_parallel(gyre_backend *b, int n, gyre_task task, void *context);

/* Runs body(context, begin, end) over blocks of [0, n): on main over all lanes, else here. The
 * blocks are fixed, CPU_BLOCK elements each, whatever the number of lanes. */
enum { CPU_BLOCK = 8192 };
typedef void (*cpu_body)(void *context, size_t begin, size_t end);
gyre_status cpu_for(gyre_queue *q, size_t n, cpu_body body, void *context);

/* Host pointers behind device handles: the CPU's own privilege. */
static inline float *cpu_f32(gyre_f32 p) {
    return (float *)(void *)p;
}
static inline int32_t *cpu_i32(gyre_i32 p) {
    return (int32_t *)(void *)p;
}

/* Are activations bf16? Else they are f32. */
static inline bool cpu_bf16(const gyre_queue *q) {
    return q->backend->act_size == sizeof(uint16_t);
}
/* p + i elements; act.h reads and writes what lies there */
static inline void *cpu_act_at(const gyre_queue *q, gyre_act p, size_t i) {
    return (char *)(void *)p + i * q->backend->act_size;
}

#define CPU_CLONES GYRE_CLONES

/* The loop below may be vectorised although its arrays may be one and the same: each element is
 * read before it is written, and no other. */
#if defined(__clang__)
#define CPU_SAME_INDEX _Pragma("clang loop vectorize(assume_safety)")
#else
#define CPU_SAME_INDEX _Pragma("GCC ivdep")
#endif

gyre_status cpu_batch_load(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                           gyre_f32 mean, gyre_f32 scale, gyre_act x, gyre_i32 labels);
#define CPU_SHAPED(op, ...) GYRE_SHAPED_HEAD(cpu_##op, __VA_ARGS__);
#define CPU_SIZED(op, ...) GYRE_SIZED_HEAD(cpu_##op, __VA_ARGS__);
#define CPU_SIZE(op, shape) GYRE_SIZE_HEAD(cpu_##op, shape);
GYRE_OPS(CPU_SHAPED, CPU_SIZED)
GYRE_OP_SIZES(CPU_SIZE)

/* Allocations so far, for the test that a steady step makes none. */
int64_t cpu_allocations(const gyre_backend *b);

#endif
