/* Gated GELU: gyre/activation.h says what GELU computes. */
#include "cpu.h"
#include "gyre/activation.h"

/* bf16 is worked on in f32 in chunks that stay in the cache. */
enum { CHUNK = 256 };

CPU_CLONES
static void values(size_t n, const float *a, const float *b, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] * gyre_gelu(0, b[i]);
}

CPU_CLONES
static void gradients(size_t n, const float *a, const float *b, const float *dy, float *da,
                      float *db) {
    for (size_t i = 0; i < n; i++) {
        da[i] = dy[i] * gyre_gelu(0, b[i]);
        db[i] = gyre_gelu_dx(0, b[i], dy[i] * a[i]);
    }
}

static size_t pixels_of(const gyre_geglu_shape *s) {
    return (size_t)s->n * (size_t)s->h * (size_t)s->w;
}

/* From channel j of c on. */
static size_t chunk_at(size_t c, size_t j) {
    return c - j < CHUNK ? c - j : CHUNK;
}

gyre_status cpu_geglu(gyre_queue *q, const gyre_geglu_shape *s, gyre_act x, gyre_act y) {
    const size_t pixels = pixels_of(s), c = (size_t)s->c;
    float work[3][CHUNK];
    for (size_t i = 0; i < pixels; i++) {
        for (size_t j = 0; j < c; j += CHUNK) {
            const size_t n = chunk_at(c, j), at = 2 * i * c + j;
            const float *a = cpu_widened(q, cpu_act_at(q, x, at), n, work[0]);
            const float *b = cpu_widened(q, cpu_act_at(q, x, at + c), n, work[1]);
            void *to = cpu_act_at(q, y, i * c + j);
            float *results = cpu_results(q, to, work[2]);
            values(n, a, b, results);
            cpu_finish(q, results, n, to);
        }
    }
    return GYRE_OK;
}

gyre_status cpu_geglu_dx(gyre_queue *q, const gyre_geglu_shape *s, gyre_act x, gyre_act dy,
                         gyre_act dx) {
    const size_t pixels = pixels_of(s), c = (size_t)s->c;
    float work[5][CHUNK];
    for (size_t i = 0; i < pixels; i++) {
        for (size_t j = 0; j < c; j += CHUNK) {
            const size_t n = chunk_at(c, j), at = 2 * i * c + j;
            const float *a = cpu_widened(q, cpu_act_at(q, x, at), n, work[0]);
            const float *b = cpu_widened(q, cpu_act_at(q, x, at + c), n, work[1]);
            const float *d = cpu_widened(q, cpu_act_at(q, dy, i * c + j), n, work[2]);
            void *to_a = cpu_act_at(q, dx, at), *to_b = cpu_act_at(q, dx, at + c);
            float *da = cpu_results(q, to_a, work[3]), *db = cpu_results(q, to_b, work[4]);
            gradients(n, a, b, d, da, db);
            cpu_finish(q, da, n, to_a);
            cpu_finish(q, db, n, to_b);
        }
    }
    return GYRE_OK;
}
