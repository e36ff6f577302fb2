/* Flat vectors: sums, the verdict on a step, the update rules against scalar formulas in double;
 * on three threads, with lengths that no block divides. */
#include "ops.h"

enum { N = 2 * 8192 + 37 };

static void fill_and_add(void **state) {
    gyre_backend *b = *state;
    double *x = randoms(1, N), *y = randoms(2, N), *want = zeros(N);
    buffer bx = buffer_of(b, x, N), by = buffer_of(b, y, N), sum = buffer_new(b, N);
    for (int i = 0; i < N; i++) want[i] = (double)((float)x[i] + (float)y[i]);
    OK(b->ops->add(b->main, N, F(bx), F(by), F(sum)));
    check_close("sum", sum, want, NULL, 0);
    OK(b->ops->add(b->main, N, F(bx), F(by), F(bx)));
    check_close("sum in place", bx, want, NULL, 0);
    for (int i = 0; i < N; i++) want[i] = -2.5;
    OK(b->ops->fill(b->main, N, -2.5f, F(sum)));
    check_close("filled", sum, want, NULL, 0);
    buffer_free(bx);
    buffer_free(by);
    buffer_free(sum);
    free(x);
    free(y);
    free(want);
}

static buffer scalars_of(gyre_backend *b, double lr, double momentum, double finite) {
    double values[GYRE_SCALAR_COUNT] = {0};
    values[GYRE_SCALAR_LR] = lr;
    values[GYRE_SCALAR_MOMENTUM] = momentum;
    values[GYRE_SCALAR_BIAS1] = (double)(1 - 0.9f * 0.9f * 0.9f);
    values[GYRE_SCALAR_BIAS2] = (double)(1 - 0.999f * 0.999f * 0.999f);
    values[GYRE_SCALAR_FINITE] = finite;
    values[GYRE_SCALAR_SHRINK] = 0.5;
    return buffer_of(b, values, GYRE_SCALAR_COUNT);
}

static void running_statistics(void **state) {
    gyre_backend *b = *state;
    double *moments = randoms(1, 100), *running = randoms(2, 100), *want = zeros(100);
    double *scale = zeros(100);
    for (int i = 0; i < 100; i++) {
        want[i] = 0.9 * running[i] + 0.1 * 0.25 * moments[i];
        scale[i] = fabs(running[i]) + fabs(moments[i]);
    }
    for (int finite = 0; finite < 2; finite++) {
        buffer m = buffer_of(b, moments, 100), r = buffer_of(b, running, 100);
        buffer s = scalars_of(b, 0.1, 0.9, finite);
        OK(b->ops->running(b->main, 100, 0.25f, F(m), F(s), F(r)));
        check_close("running", r, finite ? want : running, scale, finite ? 4 * HALF_ULP : 0);
        buffer_free(m);
        buffer_free(r);
        buffer_free(s);
    }
    free(moments);
    free(running);
    free(want);
    free(scale);
}

/* ---- verdicts */

static void judge(gyre_backend *b, const double *g, size_t n, double loss, float clip, buffer s,
                  float out[GYRE_SCALAR_COUNT]) {
    const double pair[2] = {loss, 17};
    buffer bg = buffer_of(b, g, n), stats = buffer_of(b, pair, 2);
    OK(b->ops->judge(b->main, n, F(bg), F(stats), clip, F(s)));
    float *have = buffer_read(s);
    memcpy(out, have, GYRE_SCALAR_COUNT * sizeof *out);
    free(have);
    buffer_free(bg);
    buffer_free(stats);
}

static void judge_measures_and_clips(void **state) {
    gyre_backend *b = *state;
    static const size_t sizes[] = {1, 15, 16, 8192, N};
    for (size_t t = 0; t < sizeof sizes / sizeof sizes[0]; t++) {
        size_t n = sizes[t];
        double *g = randoms(3, n), norm = sqrt(dot(g, g, n));
        buffer s = scalars_of(b, 0.1, 0.9, 1);
        float v[GYRE_SCALAR_COUNT];
        judge(b, g, n, 2.5, 0, s, v);
        assert_true(v[GYRE_SCALAR_LOSS] == 2.5f && v[GYRE_SCALAR_CORRECT] == 17);
        assert_true(v[GYRE_SCALAR_FINITE] == 1 && v[GYRE_SCALAR_SHRINK] == 1);
        assert_true(fabs((double)v[GYRE_SCALAR_NORM] - norm) <= 2 * HALF_ULP * norm);
        assert_true(v[GYRE_SCALAR_LR] == 0.1f && v[GYRE_SCALAR_MOMENTUM] == 0.9f);
        judge(b, g, n, 2.5, (float)(norm / 4), s, v);
        assert_true(fabs((double)v[GYRE_SCALAR_SHRINK] - 0.25) <= 4 * HALF_ULP * 0.25);
        judge(b, g, n, 2.5, (float)(norm * 4), s, v);
        assert_true(v[GYRE_SCALAR_SHRINK] == 1);
        buffer_free(s);
        free(g);
    }
}

static void one_bad_number_stops_for_ever(void **state) {
    gyre_backend *b = *state;
    static const struct {
        double g, loss;
    } cases[] = {{NAN, 1}, {INFINITY, 1}, {-INFINITY, 1}, {1, NAN}, {1, INFINITY}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double *g = randoms(4, N);
        buffer s = scalars_of(b, 0.1, 0.9, 1);
        float v[GYRE_SCALAR_COUNT];
        judge(b, g, N, 1, 0, s, v);
        assert_true(v[GYRE_SCALAR_FINITE] == 1);
        double healthy = g[N - 5];
        g[N - 5] = cases[i].g;
        judge(b, g, N, cases[i].loss, 1, s, v);
        assert_true(v[GYRE_SCALAR_FINITE] == 0);
        g[N - 5] = healthy;
        judge(b, g, N, 1, 0, s, v);
        assert_true(v[GYRE_SCALAR_FINITE] == 0);
        buffer_free(s);
        free(g);
    }
}

static void the_norm_does_not_depend_on_threads(void **state) {
    (void)state;
    double *g = randoms(5, 100003);
    float norms[3];
    for (int threads = 1; threads <= 3; threads++) {
        gyre_backend *b = open_backend(threads);
        buffer s = scalars_of(b, 0.1, 0.9, 1);
        float v[GYRE_SCALAR_COUNT];
        judge(b, g, 100003, 1, 0, s, v);
        norms[threads - 1] = v[GYRE_SCALAR_NORM];
        buffer_free(s);
        b->ops->close(b);
    }
    assert_true(norms[0] == norms[1] && norms[1] == norms[2]);
    free(g);
}

/* ---- update rules */

typedef struct {
    double *g, *s1, *s2, *w;
} vectors;

static vectors vectors_new(void) {
    vectors v = {randoms(1, N), randoms(2, N), randoms(3, N), randoms(4, N)};
    for (int i = 0; i < N; i++) v.s2[i] = fabs(v.s2[i]);
    return v;
}

static void vectors_free(vectors *v) {
    free(v->g);
    free(v->s1);
    free(v->s2);
    free(v->w);
}

/* The formulas of gyre_update_shape, one by one. Scales are sums of absolute terms. */
static void reference_update(const gyre_update_shape *s, const float *scalars, int i, vectors *v,
                             double *s1_scale, double *s2_scale, double *w_scale) {
    double lr = (double)scalars[GYRE_SCALAR_LR] * (double)s->lr_mult;
    double m = (double)scalars[GYRE_SCALAR_MOMENTUM], wd = (double)s->weight_decay;
    double shrunk = (double)scalars[GYRE_SCALAR_SHRINK] * v->g[i], w = v->w[i];
    double g = s->decoupled ? shrunk : shrunk + wd * w;
    double g_scale = fabs(shrunk) + fabs(wd * w), old = v->s1[i], step = 0;
    *w_scale = fabs(w);
    if (s->rule == GYRE_RULE_ADAM) {
        double beta2 = (double)s->beta2;
        v->s1[i] = m * old + (1 - m) * g;
        *s1_scale = fabs(m * old) + (1 - m) * g_scale;
        *s2_scale = beta2 * v->s2[i] + (1 - beta2) * g_scale * g_scale;
        v->s2[i] = beta2 * v->s2[i] + (1 - beta2) * g * g;
        double root = sqrt(v->s2[i] / (double)scalars[GYRE_SCALAR_BIAS2]) + (double)s->eps;
        step = lr * v->s1[i] / (double)scalars[GYRE_SCALAR_BIAS1] / root;
        *w_scale +=
            lr * *s1_scale / (double)scalars[GYRE_SCALAR_BIAS1] / root * (*s2_scale / v->s2[i]);
    } else if (s->lr_in_momentum) {
        v->s1[i] = m * old + lr * g;
        *s1_scale = fabs(m * old) + lr * g_scale;
        step = s->nesterov ? (1 + m) * v->s1[i] - m * old : v->s1[i];
        *w_scale += 2 * *s1_scale;
    } else {
        v->s1[i] = m * old + g;
        *s1_scale = fabs(m * old) + g_scale;
        step = lr * (s->nesterov ? g + m * v->s1[i] : v->s1[i]);
        *w_scale += 2 * lr * *s1_scale;
    }
    v->w[i] = w - step - (s->decoupled ? lr * wd * w : 0);
}

static void check_rule(gyre_backend *b, gyre_update_shape shape, bool finite) {
    vectors v = vectors_new();
    buffer g = buffer_of(b, v.g, N), s1 = buffer_of(b, v.s1, N), s2 = buffer_of(b, v.s2, N);
    buffer w = buffer_of(b, v.w, N), scalars = scalars_of(b, 0.05, 0.9, finite);
    bool adam = shape.rule == GYRE_RULE_ADAM;
    double *scales[3] = {zeros(N), zeros(N), zeros(N)};
    OK(b->ops->update(b->main, &shape, N, F(g), F(s1), adam ? F(s2) : NULL, F(w), F(scalars)));
    float *host = buffer_read(scalars);
    for (int i = 0; finite && i < N; i++) {
        reference_update(&shape, host, i, &v, &scales[0][i], &scales[1][i], &scales[2][i]);
    }
    free(host);
    check_close("first state", s1, v.s1, scales[0], 8 * HALF_ULP);
    check_close("second state", s2, v.s2, scales[1], 8 * HALF_ULP);
    check_close("weights", w, v.w, scales[2], 16 * HALF_ULP);
    buffer all[] = {g, s1, s2, w, scalars};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    for (int i = 0; i < 3; i++) free(scales[i]);
    vectors_free(&v);
}

static void update_rules_match(void **state) {
    for (int flags = 0; flags < 32; flags++) {
        gyre_update_shape s = {.rule = flags & 1 ? GYRE_RULE_ADAM : GYRE_RULE_SGD,
                               .nesterov = flags & 2,
                               .lr_in_momentum = flags & 4,
                               .decoupled = flags & 8,
                               .lr_mult = 2,
                               .weight_decay = flags & 16 ? 0.01f : 0,
                               .beta2 = 0.999f,
                               .eps = 1e-8f};
        check_rule(*state, s, true);
        check_rule(*state, s, false); /* not one bit moves */
    }
}

static int set_up(void **state) {
    *state = open_backend(3);
    return 0;
}

static int tear_down(void **state) {
    gyre_backend *b = *state;
    b->ops->close(b);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fill_and_add),
        cmocka_unit_test(running_statistics),
        cmocka_unit_test(judge_measures_and_clips),
        cmocka_unit_test(one_bad_number_stops_for_ever),
        cmocka_unit_test(the_norm_does_not_depend_on_threads),
        cmocka_unit_test(update_rules_match),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
