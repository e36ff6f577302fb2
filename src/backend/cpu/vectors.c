/* Flat f32 vectors: filled, and added along the tree over shards. */
#include "cpu.h"

typedef struct {
    const float *a, *b;
    float *y, value;
} vectors;

static void fill_body(void *context, size_t begin, size_t end) {
    const vectors *v = context;
    for (size_t i = begin; i < end; i++) v->y[i] = v->value;
}

gyre_status cpu_fill(gyre_queue *q, size_t n, float value, gyre_f32 x) {
    vectors v = {.y = cpu_f32(x), .value = value};
    return cpu_for(q, n, fill_body, &v);
}

CPU_CLONES
static void add_body(void *context, size_t begin, size_t end) {
    const vectors *v = context;
    const float *a = v->a, *b = v->b;
    float *y = v->y;
    CPU_SAME_INDEX
    for (size_t i = begin; i < end; i++) y[i] = a[i] + b[i];
}

gyre_status cpu_add(gyre_queue *q, size_t n, gyre_f32 a, gyre_f32 b, gyre_f32 y) {
    vectors v = {.a = cpu_f32(a), .b = cpu_f32(b), .y = cpu_f32(y)};
    return cpu_for(q, n, add_body, &v);
}
