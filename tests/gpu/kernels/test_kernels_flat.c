/* Kernels over flat vectors at every alignment, with lengths that no vector or block divides: the
 * bits are the CPU backend's. */
#include "kernels_rig.h"

enum { OPERANDS = 4 };
static const size_t sizes[] = {0, 1, 2, 3, 7, 8, 9, 31, 255, 257, 2061};
/* how far each operand begins behind a boundary: together, and apart */
static const size_t shifts[][OPERANDS] = {{0, 0, 0, 0}, {1, 1, 1, 1}, {3, 3, 3, 3}, {5, 5, 5, 5},
                                          {7, 7, 7, 7}, {0, 1, 0, 0}, {2, 2, 2, 1}, {1, 2, 3, 0}};

/* One operation on `count` operands of n elements: by its kernel, or on the CPU. Operand 0 is
 * only read. */
typedef struct {
    const char *name;
    int count;
    bool f32, any_nan;
    void (*kernel)(gyre_backend *b, size_t n, void **x);
    void (*cpu)(gyre_backend *b, size_t n, void **x);
} operation;

#define CUDA_OK(call) assert_int_equal((call), cudaSuccess)
#define GPU(slot, ...) OK(gpu_##slot(b->main, __VA_ARGS__))
#define CPU(slot, ...) OK(emulated_cpu_ops()->slot(b->main, __VA_ARGS__))

static void relu(gyre_backend *b, size_t n, void **x) {
    GPU(relu, n, x[0], x[1]);
}
static void cpu_relu(gyre_backend *b, size_t n, void **x) {
    CPU(relu, n, x[0], x[1]);
}
static void relu_dx(gyre_backend *b, size_t n, void **x) {
    GPU(relu_dx, n, x[0], x[1], x[2]);
}
static void cpu_relu_dx(gyre_backend *b, size_t n, void **x) {
    CPU(relu_dx, n, x[0], x[1], x[2]);
}
static void relu_dx_in_place(gyre_backend *b, size_t n, void **x) {
    GPU(relu_dx, n, x[0], x[1], x[1]);
}
static void cpu_relu_dx_in_place(gyre_backend *b, size_t n, void **x) {
    CPU(relu_dx, n, x[0], x[1], x[1]);
}
static void accumulate(gyre_backend *b, size_t n, void **x) {
    GPU(accumulate, n, x[0], x[1]);
}
static void cpu_accumulate(gyre_backend *b, size_t n, void **x) {
    CPU(accumulate, n, x[0], x[1]);
}
static void fill(gyre_backend *b, size_t n, void **x) {
    GPU(fill, n, -2.5f, x[1]);
}
static void cpu_fill(gyre_backend *b, size_t n, void **x) {
    CPU(fill, n, -2.5f, x[1]);
}
static void add(gyre_backend *b, size_t n, void **x) {
    GPU(add, n, x[0], x[1], x[2]);
}
static void cpu_add(gyre_backend *b, size_t n, void **x) {
    CPU(add, n, x[0], x[1], x[2]);
}

/* the scalars of a step and, behind them, whether it is finite */
static const float scalars[GYRE_SCALAR_COUNT] = {
    [GYRE_SCALAR_LR] = 0.37f,     [GYRE_SCALAR_MOMENTUM] = 0.9f, [GYRE_SCALAR_BIAS1] = 0.271f,
    [GYRE_SCALAR_BIAS2] = 0.003f, [GYRE_SCALAR_FINITE] = 1,      [GYRE_SCALAR_SHRINK] = 0.7f,
    [GYRE_SCALAR_SHARE] = 0.019f, [GYRE_SCALAR_PULL] = 0.23f};
static const float bad_scalars[GYRE_SCALAR_COUNT] = {
    [GYRE_SCALAR_LR] = 0.37f, [GYRE_SCALAR_SHARE] = 0.019f};

static gyre_f32 constant(const float *x) {
    return (gyre_f32)(uintptr_t)x;
}

static void update_statistics(gyre_backend *b, size_t n, void **x) {
    GPU(update_statistics, n, 0.25f, 0.3f, x[0], constant(scalars), x[1]);
    GPU(update_statistics, n, 0.25f, 0.3f, x[0], constant(bad_scalars), x[1]);
}
static void cpu_update_statistics(gyre_backend *b, size_t n, void **x) {
    CPU(update_statistics, n, 0.25f, 0.3f, x[0], constant(scalars), x[1]);
}

static void update_average(gyre_backend *b, size_t n, void **x) {
    GPU(update_average, n, x[0], constant(scalars), x[1]);
    GPU(update_average, n, x[0], constant(bad_scalars), x[1]);
}
static void cpu_update_average(gyre_backend *b, size_t n, void **x) {
    CPU(update_average, n, x[0], constant(scalars), x[1]);
}

#define ACTIVATION(KIND, name, reads, about)                                                       \
    static void gpu_of_##name(gyre_backend *b, size_t n, void **x) {                               \
        gyre_activation_shape s = {n, GYRE_ACTIVATION_##KIND, 0.3f};                               \
        GPU(activation, &s, x[0], x[1]);                                                           \
        GPU(activation_dx, &s, x[0], x[2], x[3]);                                                  \
        GPU(activation_dx, &s, x[0], x[2], x[2]);                                                  \
    }                                                                                              \
    static void cpu_of_##name(gyre_backend *b, size_t n, void **x) {                               \
        gyre_activation_shape s = {n, GYRE_ACTIVATION_##KIND, 0.3f};                               \
        CPU(activation, &s, x[0], x[1]);                                                           \
        CPU(activation_dx, &s, x[0], x[2], x[3]);                                                  \
        CPU(activation_dx, &s, x[0], x[2], x[2]);                                                  \
    }
GYRE_ACTIVATIONS(ACTIVATION)
#define ACTIVATION_ROW(KIND, name, reads, about)                                                   \
    {#name, 4, false, true, gpu_of_##name, cpu_of_##name},

/* Half of the elements are a result. */
static void geglu(gyre_backend *b, size_t n, void **x) {
    gyre_geglu_shape s = {1, 1, 1, (int)(n / 2)};
    GPU(geglu, &s, x[0], x[1]);
    GPU(geglu_dx, &s, x[0], x[2], x[3]);
}
static void cpu_geglu(gyre_backend *b, size_t n, void **x) {
    gyre_geglu_shape s = {1, 1, 1, (int)(n / 2)};
    CPU(geglu, &s, x[0], x[1]);
    CPU(geglu_dx, &s, x[0], x[2], x[3]);
}

static const operation operations[] = {
    {"relu", 2, false, false, relu, cpu_relu},
    {"relu_dx", 3, false, false, relu_dx, cpu_relu_dx},
    {"relu_dx in place", 2, false, false, relu_dx_in_place, cpu_relu_dx_in_place},
    GYRE_ACTIVATIONS(ACTIVATION_ROW) /* each its value, its gradient, and that in place */
    {"geglu", 4, false, true, geglu, cpu_geglu},
    {"accumulate", 2, false, true, accumulate, cpu_accumulate},
    {"fill", 2, true, false, fill, cpu_fill},
    {"add", 3, true, true, add, cpu_add},
    {"update_statistics", 2, true, true, update_statistics, cpu_update_statistics},
    {"update_average", 2, true, true, update_average, cpu_update_average},
};

static void check_operation(gyre_backend *b, const operation *o, size_t n, const size_t *shift) {
    size_t size = o->f32 ? sizeof(float) : b->act_size;
    placed got[OPERANDS], want[OPERANDS];
    void *from_kernel[OPERANDS], *from_cpu[OPERANDS];
    for (int i = 0; i < o->count; i++) {
        void *content = elements((uint64_t)i, n, size, true);
        got[i] = placed_from(content, n, size, shift[i]);
        want[i] = placed_from(content, n, size, 0);
        from_kernel[i] = P(got[i]);
        from_cpu[i] = P(want[i]);
        free(content);
    }
    o->kernel(b, n, from_kernel);
    o->cpu(b, n, from_cpu);
    for (int i = 0; i < o->count; i++) {
        check_bits(o->name, P(got[i]), P(want[i]), n, size, o->any_nan);
        placed_free(got[i]);
        placed_free(want[i]);
    }
}

static void maps_have_the_bits_of_the_cpu(void **state) {
    uint64_t before = emulator_launches();
    for (size_t o = 0; o < sizeof operations / sizeof operations[0]; o++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (size_t k = 0; k < sizeof shifts / sizeof shifts[0]; k++) {
                check_operation(*state, &operations[o], sizes[i], shifts[k]);
            }
        }
    }
    assert_true(emulator_launches() > before);
}

/* ---- update rules */

static gyre_update_shape rule_shape(gyre_rule rule, int flags) {
    return (gyre_update_shape){.rule = rule,
                               .nesterov = flags & 1,
                               .lr_in_momentum = flags & 2,
                               .decoupled = flags & 4,
                               .lr_mult = 1.5f,
                               .weight_decay = 0.01f,
                               .square_decay = 0.97f,
                               .eps = 1e-6f};
}

static void check_update(gyre_backend *b, const gyre_update_shape *s, size_t n, const size_t *shift,
                         const float *step) {
    bool second = s->rule == GYRE_RULE_ADAM || s->rule == GYRE_RULE_ADADELTA ||
                  s->rule == GYRE_RULE_FREE_ADAM;
    placed got[OPERANDS], want[OPERANDS];
    for (int i = 0; i < OPERANDS; i++) { /* g, s1, s2, w */
        float *content = elements((uint64_t)i, n, sizeof(float), false);
        for (size_t j = 0; j < n && (i == 1 || i == 2); j++) content[j] = fabsf(content[j]);
        got[i] = placed_from(content, n, sizeof(float), shift[i]);
        want[i] = placed_from(content, n, sizeof(float), 0);
        free(content);
    }
    GPU(update, s, n, P(got[0]), P(got[1]), second ? P(got[2]) : NULL, P(got[3]), constant(step));
    CPU(update, s, n, P(want[0]), P(want[1]), second ? P(want[2]) : NULL, P(want[3]),
        constant(step));
    for (int i = 0; i < OPERANDS; i++) {
        check_bits("update", P(got[i]), P(want[i]), n, sizeof(float), false);
        placed_free(got[i]);
        placed_free(want[i]);
    }
}

static void update_rules_have_the_bits_of_the_cpu(void **state) {
    for (int rule = GYRE_RULE_SGD; rule <= GYRE_RULE_FREE_ADAM; rule++) {
        for (int flags = 0; flags < 8; flags++) {
            gyre_update_shape s = rule_shape((gyre_rule)rule, flags);
            for (size_t k = 0; k < sizeof shifts / sizeof shifts[0]; k++) {
                check_update(*state, &s, 517, shifts[k], scalars);
            }
            check_update(*state, &s, 1, shifts[1], scalars);
            check_update(*state, &s, 0, shifts[0], scalars);
            check_update(*state, &s, 100, shifts[0], bad_scalars);
        }
    }
}

/* ---- rounding, and the tree over ranks */

static void weights_are_rounded_to_nearest_even(void **state) {
    (void)state;
    static const float edges[] = {0x1.01p0f, 0x1.03p0f,   0x1.010002p0f,   -0x1.01p0f,
                                  0x1p-133f, 0x1.8p-134f, 0x1.fffffep127f, 0x1.fep127f,
                                  INFINITY,  -0.0f,       0x1.fefffep127f, 0x1.ffp127f};
    for (size_t k = 0; k < sizeof shifts / sizeof shifts[0]; k++) {
        size_t n = 1033, edge_count = sizeof edges / sizeof edges[0];
        float *content = elements(1, n, sizeof(float), false);
        memcpy(content, edges, sizeof edges);
        placed x = placed_from(content, n, sizeof(float), shifts[k][0]);
        placed y = placed_from(NULL, n, sizeof(uint16_t), shifts[k][1]);
        CUDA_OK(gpu_round_launch(NULL, n, P(x), P(y)));
        for (size_t i = 0; i < n; i++) {
            float got = element_of(P(y), 2, i), want = (float)bf16_of((double)content[i]);
            if (got != want)
                fail_msg("%a: got %a, want %a (edge %zu)", (double)content[i], (double)got,
                         (double)want, i < edge_count ? i : n);
        }
        free(content);
        placed_free(x);
        placed_free(y);
    }
}

static void check_tree(int ranks, size_t n, size_t stride, size_t shift, int into) {
    size_t all = (size_t)ranks * stride;
    float *content = elements(3, all, sizeof(float), false), *sum = malloc(all * sizeof *sum);
    memcpy(sum, content, all * sizeof *sum);
    for (size_t step = 1; step < (size_t)ranks; step *= 2) { /* neighbours first */
        for (size_t r = 0; r + step < (size_t)ranks; r += 2 * step) {
            for (size_t i = 0; i < n; i++) sum[r * stride + i] += sum[(r + step) * stride + i];
        }
    }
    placed x = placed_from(content, all, sizeof(float), shift);
    placed y = placed_from(NULL, n, sizeof(float), shift);
    float *to = into < 0 ? P(y) : (float *)P(x) + (size_t)into * stride;
    CUDA_OK(gpu_tree_launch(NULL, n, ranks, stride, P(x), to));
    check_bits("tree", to, sum, n, sizeof(float), false);
    for (size_t i = 0; i < all; i++) { /* the others stay */
        if (into >= 0 && i / stride == (size_t)into && i % stride < n) continue;
        assert_memory_equal((float *)P(x) + i, content + i, sizeof(float));
    }
    placed_free(x);
    placed_free(y);
    free(content);
    free(sum);
}

static void ranks_are_added_along_the_fixed_tree(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 1024; ranks *= 2) {
        size_t n = ranks > 64 ? 9 : 517;
        check_tree(ranks, n, n + 3, 1, -1);
        check_tree(ranks, n, 520, 0, ranks - 1);
        check_tree(ranks, n, 520, 2, 0);
        check_tree(ranks, 1, 1, 0, ranks / 2);
    }
    float none = 0;
    CUDA_OK(gpu_tree_launch(NULL, 0, 4, 0, &none, &none));
    assert_int_equal(gpu_tree_launch(NULL, 1, 3, 1, &none, &none), cudaErrorInvalidValue);
    assert_int_equal(gpu_tree_launch(NULL, 1, 2048, 1, &none, &none), cudaErrorInvalidValue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_have_the_bits_of_the_cpu),
        cmocka_unit_test(update_rules_have_the_bits_of_the_cpu),
        cmocka_unit_test(weights_are_rounded_to_nearest_even),
        cmocka_unit_test(ranks_are_added_along_the_fixed_tree),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
