/* Primitives cached by (kind, shape) for each queue, and the queue's scratch memory. */
#include "cpu.h"

#include "gyre/size.h"
#include <stdlib.h>
#include <string.h>

/* A shape as ints: structs have padding bytes, which may differ between equal shapes. ReLU is not
 * part of it, since no primitive applies it. */
static void shape_key(dnn_kind kind, const void *shape, int key[CPU_SHAPE_INTS]) {
    memset(key, 0, CPU_SHAPE_INTS * sizeof(int));
    if (kind <= DNN_CONV_UNPACK) {
        const gyre_conv_shape *s = shape;
        memcpy(key, s, GYRE_CONV_INTS * sizeof(int));
        key[GYRE_CONV_INTS] = s->bias;
    } else {
        const gyre_linear_shape *s = shape;
        const int k[] = {s->n, s->in, s->out, s->bias};
        memcpy(key, k, sizeof k);
    }
}

gyre_status cpu_allocate(cpu_backend *b, size_t bytes, void **out) {
    size_t size = gyre_size_align(bytes, GYRE_ALIGNMENT);
    *out = aligned_alloc(GYRE_ALIGNMENT, size == 0 ? GYRE_ALIGNMENT : size);
    if (*out == NULL) {
        return gyre_no_memory("%.1f MiB for the CPU backend", (double)bytes / (1 << 20));
    }
    if (b->poison) memset(*out, 0xff, size); /* NaN in every float */
    __atomic_fetch_add(&b->allocations, 1, __ATOMIC_RELAXED);
    return GYRE_OK;
}

/* Primitive scratch first, then what the caller needs beside it: both are sized by the largest. */
static gyre_status grow(cpu_queue *q, size_t bytes) {
    if (bytes <= q->scratch_room) return GYRE_OK;
    void *fresh;
    GYRE_TRY(cpu_allocate(cpu_of(&q->base), bytes, &fresh));
    free(q->scratch);
    q->scratch = fresh;
    q->scratch_room = bytes;
    return GYRE_OK;
}

enum { SCRATCH_HALVES = 2 };

gyre_status cpu_scratch(cpu_queue *q, size_t bytes, void **out) {
    size_t half = gyre_size_align(bytes, GYRE_ALIGNMENT);
    if (q->scratch_room < SCRATCH_HALVES * half) GYRE_TRY(grow(q, SCRATCH_HALVES * half));
    *out = q->scratch + q->scratch_room / 2 / 64 * 64;
    return GYRE_OK;
}

static gyre_status add_entry(cpu_queue *q, dnn_kind kind, const void *shape, const int *key,
                             cpu_cached **out) {
    cpu_backend *b = cpu_of(&q->base);
    if (q->cache_count == q->cache_room) {
        int room = q->cache_room == 0 ? 64 : 2 * q->cache_room;
        cpu_cached *more = realloc(q->cache, (size_t)room * sizeof *more);
        if (more == NULL) return gyre_no_memory("the primitive cache");
        __atomic_fetch_add(&b->allocations, 1, __ATOMIC_RELAXED);
        q->cache = more;
        q->cache_room = room;
    }
    cpu_cached *entry = &q->cache[q->cache_count];
    entry->kind = kind;
    memcpy(entry->shape, key, sizeof entry->shape);
    gyre_status status = dnn_open(&b->device, kind, shape, &entry->op);
    if (status != GYRE_OK) {
        dnn_close(&entry->op);
        return status;
    }
    __atomic_fetch_add(&b->allocations, 1, __ATOMIC_RELAXED);
    q->cache_count++;
    *out = entry;
    return grow(q, SCRATCH_HALVES * gyre_size_align(entry->op.scratch, GYRE_ALIGNMENT));
}

/* A step runs the same primitives in the same order, so the search starts behind the last hit. */
gyre_status cpu_op(gyre_queue *base, dnn_kind kind, const void *shape, dnn_op **out) {
    cpu_queue *q = (cpu_queue *)(void *)base;
    int key[CPU_SHAPE_INTS];
    shape_key(kind, shape, key);
    for (int i = 0; i < q->cache_count; i++) {
        int at = (q->cache_next + i) % q->cache_count;
        cpu_cached *entry = &q->cache[at];
        if (entry->kind == kind && memcmp(entry->shape, key, sizeof key) == 0) {
            q->cache_next = at + 1;
            *out = &entry->op;
            return GYRE_OK;
        }
    }
    cpu_cached *entry = NULL;
    GYRE_TRY(add_entry(q, kind, shape, key, &entry));
    *out = &entry->op;
    return GYRE_OK;
}

gyre_status cpu_run(gyre_queue *base, dnn_kind kind, const void *shape, const dnn_arg *args,
                    int count) {
    cpu_queue *q = (cpu_queue *)(void *)base;
    dnn_op *op;
    GYRE_TRY(cpu_op(base, kind, shape, &op));
    return dnn_run(op, q->stream, q->scratch, args, count);
}
