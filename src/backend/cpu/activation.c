/* Activations: gyre/activation.h says what they compute. */
#include "gyre/activation.h"

#include "act.h"
#include "cpu.h"

/* bf16 is worked on in f32 in chunks that stay in the cache, in the order of groups. */
enum { CHUNK = 8 * GROUP };

/* y may be x. */
CPU_CLONES
static void values(const gyre_activation_shape *s, size_t n, const float *x, float *y) {
    const float slope = s->slope;
#define VALUES(KIND, name, reads, about)                                                           \
    case GYRE_ACTIVATION_##KIND:                                                                   \
        CPU_SAME_INDEX                                                                             \
        for (size_t i = 0; i < n; i++) y[i] = gyre_##name(slope, x[i]);                            \
        break;
    switch (s->kind) { GYRE_ACTIVATIONS(VALUES) }
}

/* dx may be dy. */
CPU_CLONES
static void gradients(const gyre_activation_shape *s, size_t n, const float *v, const float *dy,
                      float *dx) {
    const float slope = s->slope;
#define GRADIENTS(KIND, name, reads, about)                                                        \
    case GYRE_ACTIVATION_##KIND:                                                                   \
        CPU_SAME_INDEX                                                                             \
        for (size_t i = 0; i < n; i++) dx[i] = gyre_##name##_dx(slope, v[i], dy[i]);               \
        break;
    switch (s->kind) { GYRE_ACTIVATIONS(GRADIENTS) }
}

ACT_LOOP void unpack_loop(bool bf16, size_t width, size_t begin, size_t end, const void *x,
                          float *groups) {
    for (size_t i = begin; i < end; i += GROUP) {
        group g;
        group_get(bf16, width, x, i, &g);
        memcpy(groups + i, &g, sizeof g);
    }
}

ACT_LOOP void pack_loop(bool bf16, size_t width, size_t begin, size_t end, const float *groups,
                        void *y) {
    for (size_t i = begin; i < end; i += GROUP) {
        group g;
        memcpy(&g, groups + i, sizeof g);
        group_put(bf16, width, &g, y, i);
    }
}

/* n numbers of bf16 as whole groups, the last one filled up with 0, and back. */
CPU_CLONES
static void unpack(size_t n, const void *x, float *groups) {
    ACT_CALL_GROUPS(true, n, unpack_loop, x, groups);
}
CPU_CLONES
static void pack(size_t n, const float *groups, void *y) {
    ACT_CALL_GROUPS(true, n, pack_loop, groups, y);
}

static size_t chunk_at(size_t n, size_t i) {
    return n - i < CHUNK ? n - i : CHUNK;
}
static size_t whole_groups(size_t n) {
    return (n + GROUP - 1) / GROUP * GROUP;
}

gyre_status cpu_activation(gyre_queue *q, const gyre_activation_shape *s, gyre_act x, gyre_act y) {
    if (!cpu_bf16(q)) {
        values(s, s->n, (const float *)(void *)x, (float *)(void *)y);
        return GYRE_OK;
    }
    float v[CHUNK] = {0};
    for (size_t i = 0; i < s->n; i += CHUNK) {
        size_t n = chunk_at(s->n, i);
        unpack(n, cpu_act_at(q, x, i), v);
        values(s, whole_groups(n), v, v);
        pack(n, v, cpu_act_at(q, y, i));
    }
    return GYRE_OK;
}

gyre_status cpu_activation_dx(gyre_queue *q, const gyre_activation_shape *s, gyre_act v,
                              gyre_act dy, gyre_act dx) {
    if (!cpu_bf16(q)) {
        gradients(s, s->n, (const float *)(void *)v, (const float *)(void *)dy,
                  (float *)(void *)dx);
        return GYRE_OK;
    }
    float read[CHUNK] = {0}, d[CHUNK] = {0};
    for (size_t i = 0; i < s->n; i += CHUNK) {
        size_t n = chunk_at(s->n, i);
        unpack(n, cpu_act_at(q, v, i), read);
        unpack(n, cpu_act_at(q, dy, i), d);
        gradients(s, whole_groups(n), read, d, d);
        pack(n, d, cpu_act_at(q, dx, i));
    }
    return GYRE_OK;
}
