/* Attention on one thread: processor time of forward and backward. The layers of
 * attention_torch.py; tensors of all samples are more than the caches hold.
 * attention [f32|bf16] [ROUNDS] */
#include "gyre/backend.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
    int n, tokens, heads, d;
} layers[] = {{64, 64, 4, 64}, {64, 256, 4, 64}, {64, 64, 4, 32}, {64, 64, 3, 64}};
enum { LAYERS = sizeof layers / sizeof layers[0], ROUNDS_MAX = 99, TENSORS = 8 };

typedef struct {
    gyre_backend *b;
    gyre_attention_shape shape;
    gyre_act x[TENSORS]; /* query, key, value, y, dy, and three gradients */
    gyre_f32 saved;
} problem;

static gyre_status run(const problem *p, bool backward) {
    const gyre_backend_ops *o = p->b->ops;
    const gyre_act *x = p->x;
    if (!backward) return o->attention(p->b->main, &p->shape, x[0], x[1], x[2], p->saved, x[3]);
    return o->attention_dx(p->b->main, &p->shape, x[0], x[1], x[2], p->saved, x[3], x[4], x[5],
                           x[6], x[7]);
}

/* Of this thread alone, since other processes may run beside it. */
static double seconds_used(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median seconds of a call, forward and backward, which take turns. */
static gyre_status measure(const problem *p, int rounds, double out[2]) {
    double seconds[2][ROUNDS_MAX];
    for (int i = -1; i < rounds; i++) {
        for (int k = 0; k < 2; k++) {
            double begun = seconds_used();
            GYRE_TRY(run(p, k == 1));
            if (i >= 0) seconds[k][i] = seconds_used() - begun;
        }
    }
    for (int k = 0; k < 2; k++) {
        qsort(seconds[k], (size_t)rounds, sizeof(double), ascending);
        out[k] = seconds[k][rounds / 2];
    }
    return GYRE_OK;
}

/* Floats, of which numbers of the compute type take the whole or half. */
static gyre_status allocate(gyre_backend *b, size_t n, gyre_raw *out) {
    float *x = malloc(n * sizeof *x);
    gyre_status status;
    GYRE_GOTO(b->ops->alloc(b, n * sizeof(float), out));
    for (size_t i = 0; i < n; i++) x[i] = (float)(i * 2654435761u % 1021) / 510.5f - 1;
    status = b->ops->upload(b->main, (gyre_f32)(void *)*out, x, n);
out:
    free(x);
    return status;
}

static gyre_status one_layer(gyre_backend *b, int layer, int rounds) {
    const int n = layers[layer].n, tokens = layers[layer].tokens, heads = layers[layer].heads;
    const int d = layers[layer].d;
    const float scale = (float)(1 / sqrt(d));
    problem p = {.b = b, .shape = {n, tokens, tokens, heads, heads * d, scale, false}};
    const size_t floats = (size_t)(n * tokens * heads) * (size_t)d * b->act_size / sizeof(float);
    gyre_raw memory[TENSORS], saved;
    for (int i = 0; i < TENSORS; i++) {
        GYRE_TRY(allocate(b, floats, &memory[i]));
        p.x[i] = (gyre_act)(void *)memory[i];
    }
    GYRE_TRY(allocate(b, (size_t)(n * heads * tokens), &saved));
    p.saved = (gyre_f32)(void *)saved;
    double seconds[2], flop = 4.0 * n * tokens * tokens * heads * d;
    GYRE_TRY(measure(&p, rounds, seconds));
    printf("| %d | %d | %d | %d | %.2f | %.0f | %.2f | %.0f |\n", n, tokens, heads, d,
           1e3 * seconds[0], flop / seconds[0] / 1e9, 1e3 * seconds[1],
           2.5 * flop / seconds[1] / 1e9);
    fflush(stdout);
    for (int i = 0; i < TENSORS; i++) b->ops->release(b, memory[i]);
    b->ops->release(b, saved);
    return GYRE_OK;
}

int main(int argc, char **argv) {
    gyre_backend *b = NULL;
    gyre_backend_options options = {.threads = 1};
    if (argc > 1 && strcmp(argv[1], "bf16") == 0) options.precision = GYRE_PRECISION_BF16;
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    if (rounds < 1 || rounds > ROUNDS_MAX) return GYRE_EUSAGE;
    gyre_status status = gyre_backend_open(GYRE_BACKEND_CPU, &options, NULL, &b);
    printf("| n | tokens | heads | d | forward, ms | GFLOP/s | backward, ms | GFLOP/s |\n");
    printf("|---|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < LAYERS && status == GYRE_OK; i++) status = one_layer(b, i, rounds);
    if (status != GYRE_OK) fprintf(stderr, "attention: %s\n", gyre_error_text());
    if (b != NULL) b->ops->close(b);
    return (int)status;
}
