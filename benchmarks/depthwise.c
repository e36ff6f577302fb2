/* Depthwise convolutions on one thread, against the memory's bandwidth: processor time of forward,
 * dx and dw, and how many times as long as a copy of the same bytes takes. Tensors are too many for
 * the caches, as in a step that comes to each of them once. depthwise [f32|bf16] [BATCH] [ROUNDS]
 */
#include "gyre/backend.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Blocks of mobilenet_v2 (3x3) and efficientnet_b0 (5x5) for images of 32x32 */
static const struct {
    int size, channels, r, stride;
} layers[] = {{16, 32, 3, 1}, {16, 96, 3, 2}, {8, 144, 3, 1}, {8, 144, 3, 2},
              {4, 192, 3, 1}, {2, 384, 3, 1}, {2, 576, 3, 1}, {1, 960, 3, 1},
              {8, 144, 5, 2}, {4, 240, 5, 1}, {2, 672, 5, 1}, {1, 1152, 5, 1}};
enum { LAYERS = sizeof layers / sizeof layers[0], ROUNDS_MAX = 99, CACHE_BYTES = 96 << 20 };

typedef struct {
    gyre_backend *b;
    gyre_conv_shape shape;
    size_t x_bytes, y_bytes;
    int sets;
    gyre_raw x, y, dx, dy; /* `sets` tensors in a row */
    gyre_raw packed, w, dw;
} problem;

typedef enum { FORWARD, DATA, WEIGHTS, COPY, KINDS } kind;

static gyre_raw at(gyre_raw p, size_t bytes, int i) {
    return (gyre_raw)(void *)((char *)(void *)p + bytes * (size_t)i);
}

static gyre_status run(const problem *p, kind k, int i) {
    const gyre_backend_ops *o = p->b->ops;
    gyre_queue *q = p->b->main;
    gyre_act x = (gyre_act)(void *)at(p->x, p->x_bytes, i);
    gyre_act y = (gyre_act)(void *)at(p->y, p->y_bytes, i);
    gyre_act dx = (gyre_act)(void *)at(p->dx, p->x_bytes, i);
    gyre_act dy = (gyre_act)(void *)at(p->dy, p->y_bytes, i);
    switch (k) {
    case FORWARD: return o->conv(q, &p->shape, x, p->packed, NULL, y);
    case DATA: return o->conv_dx(q, &p->shape, dy, p->packed, dx);
    case WEIGHTS: return o->conv_dw(q, &p->shape, x, dy, (gyre_f32)(void *)p->dw, NULL);
    default: memcpy((void *)dx, (const void *)x, p->x_bytes); return GYRE_OK;
    }
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

/* Median seconds of a call of each kind; kinds take turns. */
static gyre_status measure(const problem *p, int rounds, double out[KINDS]) {
    double seconds[KINDS][ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        for (kind k = 0; k < KINDS; k++) {
            if (i == 0) GYRE_TRY(run(p, k, 0));
            double begun = seconds_used();
            for (int set = 0; set < p->sets; set++) GYRE_TRY(run(p, k, set));
            seconds[k][i] = (seconds_used() - begun) / p->sets;
        }
    }
    for (kind k = 0; k < KINDS; k++) {
        qsort(seconds[k], (size_t)rounds, sizeof(double), ascending);
        out[k] = seconds[k][rounds / 2];
    }
    return GYRE_OK;
}

static gyre_status allocate(gyre_backend *b, size_t bytes, gyre_raw *out) {
    size_t floats = (bytes + sizeof(float) - 1) / sizeof(float);
    GYRE_TRY(b->ops->alloc(b, floats * sizeof(float), out));
    return b->ops->fill(b->main, floats, 0, (gyre_f32)(void *)*out);
}

static gyre_status one_layer(gyre_backend *b, int layer, int batch, int rounds) {
    int size = layers[layer].size, c = layers[layer].channels, r = layers[layer].r;
    problem p = {.b = b};
    p.shape = gyre_conv_square(batch, size, size, c, c, r, layers[layer].stride, r / 2);
    p.shape.groups = c;
    int out = gyre_conv_rows(&p.shape);
    p.x_bytes = (size_t)batch * (size_t)(size * size * c) * b->act_size;
    p.y_bytes = (size_t)batch * (size_t)(out * out * c) * b->act_size;
    p.sets = 1 + (int)(CACHE_BYTES / (p.x_bytes + p.y_bytes));
    size_t weights = (size_t)(r * r * c), sets = (size_t)p.sets;
    GYRE_TRY(allocate(b, p.x_bytes * sets, &p.x));
    GYRE_TRY(allocate(b, p.x_bytes * sets, &p.dx));
    GYRE_TRY(allocate(b, p.y_bytes * sets, &p.y));
    GYRE_TRY(allocate(b, p.y_bytes * sets, &p.dy));
    GYRE_TRY(allocate(b, weights * sizeof(float), &p.w));
    GYRE_TRY(allocate(b, weights * sizeof(float), &p.dw));
    GYRE_TRY(allocate(b, b->ops->conv_pack_size(b, &p.shape), &p.packed));
    GYRE_TRY(b->ops->conv_pack(b->main, &p.shape, (gyre_f32)(void *)p.w, p.packed));
    double seconds[KINDS];
    GYRE_TRY(measure(&p, rounds, seconds));
    double bound = seconds[COPY] / (double)(2 * p.x_bytes) * (double)(p.x_bytes + p.y_bytes);
    printf("| %dx%dx%d | %dx%d/%d |", size, size, c, r, r, layers[layer].stride);
    printf(" %.0f |", 1e6 * bound);
    for (kind k = 0; k < COPY; k++) printf(" %.0f (%.1f) |", 1e6 * seconds[k], seconds[k] / bound);
    printf("\n");
    fflush(stdout);
    gyre_raw all[] = {p.x, p.y, p.dx, p.dy, p.w, p.dw, p.packed};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) b->ops->release(b, all[i]);
    return GYRE_OK;
}

int main(int argc, char **argv) {
    gyre_backend *b = NULL;
    gyre_backend_options options = {.threads = 1};
    if (argc > 1 && strcmp(argv[1], "bf16") == 0) options.precision = GYRE_PRECISION_BF16;
    int batch = argc > 2 ? atoi(argv[2]) : 128, rounds = argc > 3 ? atoi(argv[3]) : 15;
    if (batch < 1 || rounds < 1 || rounds > ROUNDS_MAX) return GYRE_EUSAGE;
    gyre_status status = gyre_backend_open(GYRE_BACKEND_CPU, &options, NULL, &b);
    printf("| image | filter/stride | copy, us | forward, us (copies) | dx | dw |\n");
    printf("|---|---|---|---|---|---|\n");
    for (int i = 0; i < LAYERS && status == GYRE_OK; i++) status = one_layer(b, i, batch, rounds);
    if (status != GYRE_OK) fprintf(stderr, "depthwise: %s\n", gyre_error_text());
    if (b != NULL) b->ops->close(b);
    return (int)status;
}
