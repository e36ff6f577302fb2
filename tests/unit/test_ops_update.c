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
    values[GYRE_SCALAR_PULL] = 0.3;
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
        OK(b->ops->update_statistics(b->main, 100, 0.25f, 0.1f, F(m), F(s), F(r)));
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

static void averages(void **state) {
    gyre_backend *b = *state;
    double *x = randoms(1, N), *average = randoms(2, N), *want = zeros(N), *scale = zeros(N);
    const double share = 0.125;
    x[7] = average[7]; /* what does not move stays as it is */
    for (int i = 0; i < N; i++) {
        want[i] = average[i] + share * (x[i] - average[i]);
        scale[i] = fabs(average[i]) + fabs(x[i]);
    }
    for (int finite = 0; finite < 2; finite++) {
        double values[GYRE_SCALAR_COUNT] = {
            [GYRE_SCALAR_SHARE] = share, [GYRE_SCALAR_FINITE] = finite};
        buffer bx = buffer_of(b, x, N), ba = buffer_of(b, average, N);
        buffer s = buffer_of(b, values, GYRE_SCALAR_COUNT);
        OK(b->ops->update_average(b->main, N, F(bx), F(s), F(ba)));
        check_close("average", ba, finite ? want : average, scale, finite ? 4 * HALF_ULP : 0);
        float *got = buffer_read(ba);
        assert_true(got[7] == (float)average[7]);
        free(got);
        buffer_free(bx);
        buffer_free(ba);
        buffer_free(s);
    }
    free(x);
    free(average);
    free(want);
    free(scale);
}

/* The whole of the weights goes into an average of nothing: their copy. */
static void the_first_average_is_a_copy(void **state) {
    gyre_backend *b = *state;
    double *x = randoms(3, N), *zero = zeros(N);
    double values[GYRE_SCALAR_COUNT] = {[GYRE_SCALAR_SHARE] = 1, [GYRE_SCALAR_FINITE] = 1};
    buffer bx = buffer_of(b, x, N), ba = buffer_of(b, zero, N);
    buffer s = buffer_of(b, values, GYRE_SCALAR_COUNT);
    OK(b->ops->update_average(b->main, N, F(bx), F(s), F(ba)));
    check_close("copy", ba, x, NULL, 0);
    buffer_free(bx);
    buffer_free(ba);
    buffer_free(s);
    free(x);
    free(zero);
}

/* ---- verdicts */

static void judge(gyre_backend *b, const double *g, size_t n, double loss, float clip, buffer s,
                  float out[GYRE_SCALAR_COUNT]) {
    const double pair[2] = {loss, 17};
    buffer bg = buffer_of(b, g, n), stats = buffer_of(b, pair, 2);
    OK(b->ops->check_step(b->main, n, F(bg), F(stats), clip, F(s)));
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
        assert_true(v[GYRE_SCALAR_LOSS] == 2.5f && v[GYRE_SCALAR_SUM] == 17);
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

static bool has_velocity(gyre_rule rule) {
    return rule == GYRE_RULE_SGD || rule == GYRE_RULE_ADAM || rule >= GYRE_RULE_FREE_SGD;
}

static vectors vectors_new(gyre_rule rule) {
    vectors v = {randoms(1, N), randoms(2, N), randoms(3, N), randoms(4, N)};
    for (int i = 0; i < N; i++) { /* averages of squares are positive */
        v.s2[i] = fabs(v.s2[i]);
        if (!has_velocity(rule)) v.s1[i] = fabs(v.s1[i]);
    }
    return v;
}

static void vectors_free(vectors *v) {
    free(v->g);
    free(v->s1);
    free(v->s2);
    free(v->w);
}

/* Sums of absolute terms, which rounding is measured by. */
typedef struct {
    double s1, s2, w;
} scales;

/* RMSProp, AdaGrad, AdaDelta: the step. The squares are sums of positive terms; so they are as good
 * as the gradient in them, whose terms may cancel (g_scale is their sum). */
static double square_step(const gyre_update_shape *s, double lr, double m, double g, double g_scale,
                          double *h, double *k, scales *out) {
    double old = m, fresh = 1 - m, eps = (double)s->eps, before = *h;
    if (s->rule == GYRE_RULE_RMSPROP) old = (double)s->square_decay, fresh = 1 - old;
    if (s->rule == GYRE_RULE_ADAGRAD) old = fresh = 1;
    *h = old * before + fresh * g * g;
    out->s1 = old * before + fresh * g_scale * g_scale;
    double factor = 1 / (sqrt(*h) + eps), blur = out->s1 / *h;
    if (s->rule == GYRE_RULE_ADADELTA) {
        factor = sqrt((eps + *k) / (eps + *h));
        double u = g * factor, u_scale = g_scale * factor * blur;
        out->s2 = old * *k + fresh * u_scale * u_scale;
        *k = old * *k + fresh * u * u;
    }
    out->w += lr * g_scale * factor * blur;
    return lr * g * factor;
}

/* The schedule-free rules by z and x, which the backend does not keep: y is w, z = y + s1, and x is
 * where y = (1 - m) z + m x has it. */
static void free_update(const gyre_update_shape *s, const float *scalars, int i, vectors *v,
                        scales *out) {
    double lr = (double)scalars[GYRE_SCALAR_LR] * (double)s->lr_mult;
    double m = (double)scalars[GYRE_SCALAR_MOMENTUM], wd = (double)s->weight_decay;
    double c = (double)scalars[GYRE_SCALAR_PULL], y = v->w[i], blur = 1;
    bool adam = s->rule == GYRE_RULE_FREE_ADAM, inside = !adam || !s->decoupled;
    double shrunk = (double)scalars[GYRE_SCALAR_SHRINK] * v->g[i];
    double d = shrunk + (inside ? wd * y : 0), d_scale = fabs(shrunk) + fabs(wd * y);
    if (adam) {
        double beta2 = (double)s->square_decay;
        out->s2 = beta2 * v->s2[i] + (1 - beta2) * d_scale * d_scale;
        v->s2[i] = beta2 * v->s2[i] + (1 - beta2) * d * d;
        double root = sqrt(v->s2[i] / (double)scalars[GYRE_SCALAR_BIAS2]) + (double)s->eps;
        blur = out->s2 / v->s2[i] / root;
        d = d / root + (inside ? 0 : wd * y);
    }
    double z = y + v->s1[i], x = (y - (1 - m) * z) / m;
    z -= lr * d;
    x = (1 - c) * x + c * z;
    y = (1 - m) * z + m * x;
    out->w = fabs(v->w[i]) + fabs(v->s1[i]) + lr * (d_scale * blur + fabs(wd * y));
    out->s1 = out->w;
    v->s1[i] = z - y;
    v->w[i] = y;
}

/* The formulas of gyre_update_shape, one by one. */
static scales reference_update(const gyre_update_shape *s, const float *scalars, int i,
                               vectors *v) {
    double lr = (double)scalars[GYRE_SCALAR_LR] * (double)s->lr_mult;
    double m = (double)scalars[GYRE_SCALAR_MOMENTUM], wd = (double)s->weight_decay;
    double shrunk = (double)scalars[GYRE_SCALAR_SHRINK] * v->g[i], w = v->w[i];
    double g = s->decoupled ? shrunk : shrunk + wd * w;
    double g_scale = fabs(shrunk) + fabs(wd * w), old = v->s1[i], step = 0;
    scales out = {.w = fabs(w)};
    if (s->rule >= GYRE_RULE_FREE_SGD) {
        free_update(s, scalars, i, v, &out);
        return out;
    }
    if (!has_velocity(s->rule)) {
        step = square_step(s, lr, m, g, g_scale, &v->s1[i], &v->s2[i], &out);
    } else if (s->rule == GYRE_RULE_ADAM) {
        double beta2 = (double)s->square_decay, bias1 = (double)scalars[GYRE_SCALAR_BIAS1];
        v->s1[i] = m * old + (1 - m) * g;
        out.s1 = fabs(m * old) + (1 - m) * g_scale;
        out.s2 = beta2 * v->s2[i] + (1 - beta2) * g_scale * g_scale;
        v->s2[i] = beta2 * v->s2[i] + (1 - beta2) * g * g;
        double root = sqrt(v->s2[i] / (double)scalars[GYRE_SCALAR_BIAS2]) + (double)s->eps;
        step = lr * v->s1[i] / bias1 / root;
        out.w += lr * out.s1 / bias1 / root * (out.s2 / v->s2[i]);
    } else if (s->lr_in_momentum) {
        v->s1[i] = m * old + lr * g;
        out.s1 = fabs(m * old) + lr * g_scale;
        step = s->nesterov ? (1 + m) * v->s1[i] - m * old : v->s1[i];
        out.w += 2 * out.s1;
    } else {
        v->s1[i] = m * old + g;
        out.s1 = fabs(m * old) + g_scale;
        step = lr * (s->nesterov ? g + m * v->s1[i] : v->s1[i]);
        out.w += 2 * lr * out.s1;
    }
    v->w[i] = w - step - (s->decoupled ? lr * wd * w : 0);
    return out;
}

static void check_rule(gyre_backend *b, gyre_update_shape shape, bool finite) {
    vectors v = vectors_new(shape.rule);
    buffer g = buffer_of(b, v.g, N), s1 = buffer_of(b, v.s1, N), s2 = buffer_of(b, v.s2, N);
    buffer w = buffer_of(b, v.w, N), scalars = scalars_of(b, 0.05, 0.9, finite);
    bool second = shape.rule == GYRE_RULE_ADAM || shape.rule == GYRE_RULE_ADADELTA ||
                  shape.rule == GYRE_RULE_FREE_ADAM;
    double *s1_scale = zeros(N), *s2_scale = zeros(N), *w_scale = zeros(N);
    OK(b->ops->update(b->main, &shape, N, F(g), F(s1), second ? F(s2) : NULL, F(w), F(scalars)));
    float *host = buffer_read(scalars);
    for (int i = 0; finite && i < N; i++) {
        scales terms = reference_update(&shape, host, i, &v);
        s1_scale[i] = terms.s1;
        s2_scale[i] = terms.s2;
        w_scale[i] = terms.w;
    }
    free(host);
    check_close("first state", s1, v.s1, s1_scale, 8 * HALF_ULP);
    check_close("second state", s2, v.s2, s2_scale, 8 * HALF_ULP);
    check_close("weights", w, v.w, w_scale, 16 * HALF_ULP);
    buffer all[] = {g, s1, s2, w, scalars};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(s1_scale);
    free(s2_scale);
    free(w_scale);
    vectors_free(&v);
}

static void update_rules_match(void **state) {
    for (int flags = 0; flags < 7 * 16; flags++) {
        gyre_rule rule = (gyre_rule)(flags / 16);
        gyre_update_shape s = {.rule = rule,
                               .nesterov = flags & 1,
                               .lr_in_momentum = flags & 2,
                               .decoupled = flags & 4,
                               .lr_mult = 2,
                               .weight_decay = flags & 8 ? 0.01f : 0,
                               .square_decay = has_velocity(rule) ? 0.999f : 0.9f,
                               .eps = has_velocity(rule) ? 1e-8f : 1e-3f};
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
        cmocka_unit_test(averages),
        cmocka_unit_test(the_first_average_is_a_copy),
        cmocka_unit_test(judge_measures_and_clips),
        cmocka_unit_test(one_bad_number_stops_for_ever),
        cmocka_unit_test(the_norm_does_not_depend_on_threads),
        cmocka_unit_test(update_rules_match),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
