/* Loss, verdict and column sums where f32 alone would fail: against the CPU backend's double. */
#include "kernels_rig.h"

#define CPU emulated_cpu_ops()

/* ---- softmax loss */

/* Rows of logits times `spread`; every third one is nearly sure of its label. */
static void *logits_of(gyre_backend *b, int n, int classes, double spread, const int32_t *labels) {
    size_t all = (size_t)n * (size_t)classes;
    double *z = randoms(7, all);
    char *out = malloc(all * b->act_size + 1);
    for (size_t i = 0; i < all; i++) {
        size_t row = i / (size_t)classes, j = i % (size_t)classes;
        float value = (float)(spread * z[i]);
        if (row % 3 == 0 && (int32_t)j == labels[row]) value = (float)(4 * spread + 9);
        if (b->act_size == 2) value = (float)bf16_of((double)value);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        bits = b->act_size == 2 ? bits >> 16 : bits;
        memcpy(out + i * b->act_size, &bits, b->act_size);
    }
    free(z);
    return out;
}

/* What dx is the difference of, p and the target; or 1 - p and the smoothing for a label that is
 * the likeliest class too. The CPU's own difference of doubles is off by up to 2^-53. */
static double slope_scale(const float *z, int classes, int j, int label, double smoothing) {
    double sum = 0, top = (double)z[0];
    int best = 0;
    for (int i = 1; i < classes; i++) {
        if ((double)z[i] > top) top = (double)z[i], best = i;
    }
    for (int i = 0; i < classes; i++) sum += exp((double)z[i] - top);
    double p = exp((double)z[j] - top) / sum;
    if (j == label && j == best) return (sum - 1) / sum + smoothing;
    return p + (j == label ? 1 : 0) + smoothing / classes;
}

/* Weights are up to 2, and as much again is for the roundings of products with them. */
static void check_loss(gyre_backend *b, int n, int classes, double spread, float smoothing,
                       bool weighted) {
    double weights[1000], larger = weighted ? 4 : 1;
    for (int j = 0; j < classes; j++) weights[j] = 0.25 * (1 + j % 8);
    gyre_loss_shape s = {n, classes, smoothing, 0.125f, 1, false};
    size_t all = (size_t)n * (size_t)classes;
    int32_t *labels = calloc((size_t)n + 1, sizeof *labels);
    for (int i = 0; i < n; i++) labels[i] = (i * 5 + 1) % classes;
    void *content = logits_of(b, n, classes, spread, labels);
    buffer z = buffer_from(b, content, all, b->act_size), l = buffer_labels(b, labels, (size_t)n);
    buffer dx = acts_new(b, all), want = acts_new(b, all), only = buffer_new(b, 2);
    buffer stats = buffer_new(b, 2), stats_want = buffer_new(b, 2);
    buffer factors = buffer_of(b, weights, (size_t)classes);
    gyre_f32 w = weighted ? F(factors) : NULL;
    OK(b->ops->softmax_loss(b->main, &s, A(z), I(l), w, A(dx), F(stats)));
    OK(b->ops->softmax_loss(b->main, &s, A(z), I(l), w, NULL, F(only)));
    OK(CPU->softmax_loss(b->main, &s, A(z), I(l), w, A(want), F(stats_want)));
    float *x = buffer_read(dx), *y = buffer_read(want), *wide = buffer_read(z);
    float *st = buffer_read(stats), *st_only = buffer_read(only),
          *st_want = buffer_read(stats_want);
    for (size_t i = 0; i < all; i++) {
        const float *row = wide + i / (size_t)classes * (size_t)classes;
        int j = (int)(i % (size_t)classes), label = labels[i / (size_t)classes];
        double scale = 0.125 * slope_scale(row, classes, j, label, (double)smoothing);
        double error = fabs((double)x[i] - (double)y[i]),
               allowed = 8 * HALF_ULP * larger * scale + 0x1p-53;
        if (b->act_size == 2) allowed += 0x1p-7 * fabs((double)y[i]);
        if (!(error <= allowed))
            fail_msg("dx[%zu]: got %.9g, want %.9g", i, (double)x[i], (double)y[i]);
    }
    double error = fabs((double)st[0] - (double)st_want[0]);
    if (!(error <= 8 * HALF_ULP * larger * fabs((double)st_want[0]) + n * 0x1p-52))
        fail_msg("loss %.9g, want %.9g", (double)st[0], (double)st_want[0]);
    assert_true(st[1] == st_want[1]);
    assert_memory_equal(st, st_only, 2 * sizeof *st);
    free(x), free(y), free(wide), free(st), free(st_only), free(st_want);
    free(content);
    free(labels);
    buffer all_buffers[] = {z, l, dx, want, only, stats, stats_want, factors};
    for (size_t i = 0; i < sizeof all_buffers / sizeof all_buffers[0]; i++)
        buffer_free(all_buffers[i]);
}

static void losses_are_as_exact_as_in_double(void **state) {
    static const int shapes[][2] = {{1, 1},   {1, 2},    {5, 10},  {3, 33},
                                    {4, 100}, {300, 10}, {2, 1000}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (double spread = 0.01; spread < 200; spread *= 10) {
            for (int k = 0; k < 4; k++) {
                float smoothing = k % 2 == 0 ? 0 : 0.1f;
                check_loss(*state, shapes[i][0], shapes[i][1], spread, smoothing, k > 1);
            }
        }
    }
}

static void no_samples_have_no_loss(void **state) {
    gyre_backend *b = *state;
    gyre_loss_shape s = {0, 10, 0, 1, 1, false};
    buffer stats = buffer_new(b, 2);
    OK(b->ops->softmax_loss(b->main, &s, NULL, NULL, NULL, NULL, F(stats)));
    float *got = buffer_read(stats);
    assert_true(got[0] == 0 && got[1] == 0);
    free(got);
    buffer_free(stats);
}

/* Where the first logit, another one, or the label's is not finite: losses and slopes are finite
 * where the CPU's are. */
static void bad_logits_are_seen(void **state) {
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    gyre_backend *b = *state;
    for (int k = 0; k < 9; k++) {
        float z[35] = {0};
        int32_t label = 3;
        int at[] = {0, 3, 34};
        for (int j = 0; j < 35; j++) z[j] = (float)(j % 5);
        z[at[k % 3]] = bad[k / 3];
        double wide[35];
        for (int j = 0; j < 35; j++) wide[j] = (double)z[j];
        gyre_loss_shape s = {1, 35, 0, 1, 1, false};
        buffer x = acts_of(b, wide, 35), l = buffer_labels(b, &label, 1);
        buffer dx = acts_new(b, 35), want = acts_new(b, 35);
        buffer stats = buffer_new(b, 2), stats_want = buffer_new(b, 2);
        OK(b->ops->softmax_loss(b->main, &s, A(x), I(l), NULL, A(dx), F(stats)));
        OK(CPU->softmax_loss(b->main, &s, A(x), I(l), NULL, A(want), F(stats_want)));
        float *got[] = {buffer_read(dx), buffer_read(stats)};
        float *wanted[] = {buffer_read(want), buffer_read(stats_want)};
        for (int j = 0; j < 35; j++) {
            if (isnan(got[0][j]) != isnan(wanted[0][j])) fail_msg("case %d, dx[%d]", k, j);
        }
        assert_int_equal(isfinite(got[1][0]), isfinite(wanted[1][0]));
        assert_true(got[1][1] == wanted[1][1]);
        for (int i = 0; i < 2; i++) free(got[i]), free(wanted[i]);
        buffer all[] = {x, l, dx, want, stats, stats_want};
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    }
}

/* ---- the verdict */

typedef struct {
    const char *name;
    double scale, every_fifth; /* of normal numbers; a factor on every fifth */
} magnitude;

/* A norm within 2 units of the CPU's, whatever the size of the numbers; scalars alike. */
static void check_check_step(size_t n, magnitude m, float clip, size_t shift, gyre_backend *b) {
    float *g = elements(8, n, sizeof(float), false), stats[2] = {0.5f, 3};
    for (size_t i = 0; i < n; i++) {
        g[i] = (float)((double)g[i] * m.scale * (i % 5 == 2 ? m.every_fifth : 1));
    }
    placed x = placed_from(g, n, sizeof(float), shift);
    float got[GYRE_SCALAR_COUNT] = {[GYRE_SCALAR_FINITE] = 1};
    float want[GYRE_SCALAR_COUNT] = {[GYRE_SCALAR_FINITE] = 1};
    OK(gpu_check_step(b->main, n, P(x), (gyre_f32)(void *)stats, clip, (gyre_f32)(void *)got));
    gyre_f32 handles[] = {(gyre_f32)(void *)g, (gyre_f32)(void *)stats, (gyre_f32)(void *)want};
    OK(CPU->check_step(b->main, n, handles[0], handles[1], clip, handles[2]));
    for (int i = 0; i < GYRE_SCALAR_COUNT; i++) {
        double error = fabs((double)got[i] - (double)want[i]);
        bool same = got[i] == want[i] || (isnan(got[i]) && isnan(want[i]));
        if (!same && !(error <= 4 * HALF_ULP * fabs((double)want[i]) + 0x1p-149)) {
            fail_msg("%s, %zu numbers, scalar %d: got %.9g, want %.9g", m.name, n, i,
                     (double)got[i], (double)want[i]);
        }
    }
    free(g);
    placed_free(x);
}

static void norms_neither_overflow_nor_vanish(void **state) {
    static const magnitude magnitudes[] = {{"plain", 1, 1},
                                           {"large", 1e25, 1},
                                           {"huge", 2e37, 1},
                                           {"small", 1e-25, 1},
                                           {"denormal", 1e-41, 1},
                                           {"large among plain", 1, 1e18},
                                           {"tiny among plain", 1, 1e-30},
                                           {"plain among small", 1e-14, 1e14},
                                           {"zero", 0, 0},
                                           {"infinite", 1, INFINITY},
                                           {"not a number", 1, NAN},
                                           {"both ends", 1e-30, 1e60}};
    static const size_t sizes[] = {1, 3, 4, 5, 1023, 5003};
    for (size_t i = 0; i < sizeof magnitudes / sizeof magnitudes[0]; i++) {
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            check_check_step(sizes[k], magnitudes[i], 0, 0, *state);
            check_check_step(sizes[k], magnitudes[i], 0.25f, 1, *state);
        }
    }
    check_check_step(0, magnitudes[0], 1, 0, *state);
    check_check_step(300001, magnitudes[0], 1, 0, *state);
}

/* ---- columns */

static void check_columns(gyre_backend *b, size_t rows, size_t columns) {
    size_t n = rows * columns;
    buffer x;
    void *content = elements(9, n, b->act_size, false);
    double *want = zeros(columns), *scale = zeros(columns);
    for (size_t i = 0; i < n; i++) {
        double value = (double)element_of(content, b->act_size, i);
        want[i % columns] += value;
        scale[i % columns] += fabs(value);
    }
    x = buffer_from(b, content, n, b->act_size);
    buffer db = buffer_new(b, columns);
    void *work = malloc(gpu_columns_work(columns));
    assert_int_equal(
        gpu_column_sum_launch(NULL, b->act_size == 2, rows, columns, A(x), work, (float *)F(db)),
        cudaSuccess);
    check_close("db", db, want, scale, sum_bound((double)(rows < 256 ? rows : 256)));
    free(work);
    free(content);
    free(want);
    free(scale);
    buffer_free(x);
    buffer_free(db);
}

static void columns_are_summed(void **state) {
    static const size_t shapes[][2] = {{0, 5},  {1, 1},    {1, 10},    {128, 10}, {3, 1000},
                                       {7, 64}, {4097, 3}, {2000, 40}, {70, 520}, {30000, 8}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check_columns(*state, shapes[i][0], shapes[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_as_exact_as_in_double),
        cmocka_unit_test(no_samples_have_no_loss),
        cmocka_unit_test(bad_logits_are_seen),
        cmocka_unit_test(norms_neither_overflow_nor_vanish),
        cmocka_unit_test(columns_are_summed),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
