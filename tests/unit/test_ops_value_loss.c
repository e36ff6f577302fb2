/* Losses of outputs against values, against plain formulas in double, which themselves agree with
 * finite differences. */
#include "ops.h"

typedef struct {
    gyre_value_loss_shape s;
    double *x, *targets, *dx;
    double own;
} problem;

/* `own`: what the output adds to the second sum. */
static double loss_of(gyre_value_loss_kind kind, double x, double t, double *slope, double *own) {
    double d = x - t;
    *own = fabs(d);
    switch (kind) {
    case GYRE_VALUE_LOSS_SQUARED: *slope = 2 * d; return d * d;
    case GYRE_VALUE_LOSS_ABSOLUTE: *slope = (d > 0) - (d < 0); return fabs(d);
    case GYRE_VALUE_LOSS_HUBER:
        *slope = fmin(fmax(d, -1), 1);
        return fabs(d) < 1 ? d * d / 2 : fabs(d) - 0.5;
    case GYRE_VALUE_LOSS_BINARY: break;
    }
    *slope = 1 / (1 + exp(-x)) - t;
    *own = (x > 0) == (t > 0.5);
    return fmax(x, 0) - x * t + log1p(exp(-fabs(x)));
}

static double reference(void *context) {
    problem *p = context;
    double sum = 0, scale = (double)p->s.scale / p->s.values;
    p->own = 0;
    for (int i = 0; i < p->s.n * p->s.values; i++) {
        double own;
        sum += scale * loss_of(p->s.kind, p->x[i], p->targets[i], &p->dx[i], &own);
        p->dx[i] *= scale;
        p->own += own;
    }
    p->own /= p->s.values;
    return sum;
}

/* The CPU takes sums in double, a GPU in pairs: what is left are roundings of a term. */
static void check(gyre_backend *b, gyre_value_loss_shape s) {
    size_t n = (size_t)s.n * (size_t)s.values;
    problem p = {s, randoms(1, n), randoms(2, n), zeros(n), 0};
    for (size_t i = 0; i < n; i++) {
        p.x[i] *= 4;
        if (s.kind == GYRE_VALUE_LOSS_BINARY)
            p.targets[i] = i % 7 == 0 ? 0.25 : (double)(i % 3 == 0);
    }
    round_acts(p.x, n);
    double value = reference(&p), own = p.own, *gradient = zeros(n), *scale = zeros(n);
    memcpy(gradient, p.dx, n * sizeof *gradient);
    check_gradient("value_loss", reference, &p, p.x, n, gradient);
    for (size_t i = 0; i < n; i++) {
        scale[i] = (double)s.scale / s.values * (1 + fabs(p.x[i]) + fabs(p.targets[i]));
    }
    buffer x = acts_of(b, p.x, n), targets = buffer_of(b, p.targets, n);
    buffer dx = acts_new(b, n), stats = buffer_new(b, 2);
    double want[2] = {value, own};
    OK(b->ops->value_loss(b->main, &s, A(x), F(targets), A(dx), F(stats)));
    check_close("stats", stats, want, NULL, 8 * HALF_ULP);
    check_close("dx", dx, gradient, scale, 4 * HALF_ULP);
    OK(b->ops->value_loss(b->main, &s, A(x), F(targets), NULL, F(stats)));
    check_close("stats without dx", stats, want, NULL, 8 * HALF_ULP);
    buffer all[] = {x, targets, dx, stats};
    for (size_t i = 0; i < 4; i++) buffer_free(all[i]);
    double *arrays[] = {p.x, p.targets, p.dx, gradient, scale};
    for (size_t i = 0; i < 5; i++) free(arrays[i]);
}

static void losses_match(void **state) {
    static const int sizes[][2] = {{1, 1}, {7, 1}, {33, 3}, {5, 129}, {2, 4096}};
    for (size_t t = 0; t < sizeof sizes / sizeof sizes[0]; t++) {
        for (int kind = 0; kind <= GYRE_VALUE_LOSS_BINARY; kind++) {
            check(*state, (gyre_value_loss_shape){(gyre_value_loss_kind)kind, sizes[t][0],
                                                  sizes[t][1], 1.0f / 24});
        }
    }
}

/* Outputs far out neither overflow nor lose the loss; a NaN shows in it and in the gradient. */
static void extreme_outputs(void **state) {
    gyre_backend *b = *state;
    static const struct {
        double x, t, loss, slope;
    } cases[] = {{1e30, 1, 0, 0}, {-1e30, 0, 0, 0}, {500, 0, 500, 1}, {-500, 1, 500, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double rounded = cases[i].x;
        round_acts(&rounded, 1);
        gyre_value_loss_shape s = {GYRE_VALUE_LOSS_BINARY, 1, 1, 1};
        buffer x = acts_of(b, &rounded, 1), t = buffer_of(b, &cases[i].t, 1);
        buffer dx = acts_new(b, 1), stats = buffer_new(b, 2);
        OK(b->ops->value_loss(b->main, &s, A(x), F(t), A(dx), F(stats)));
        float *have = buffer_read(stats), *slope = buffer_read(dx);
        assert_true(fabs((double)have[0] - cases[i].loss) <= 1e-6 * cases[i].loss);
        assert_true((double)slope[0] == cases[i].slope);
        free(have);
        free(slope);
        buffer all[] = {x, t, dx, stats};
        for (size_t k = 0; k < 4; k++) buffer_free(all[k]);
    }
    for (int kind = 0; kind <= GYRE_VALUE_LOSS_BINARY; kind++) {
        gyre_value_loss_shape s = {(gyre_value_loss_kind)kind, 1, 2, 1};
        const double bad[] = {0, NAN}, one[] = {1, 1};
        buffer x = acts_of(b, bad, 2), t = buffer_of(b, one, 2);
        buffer dx = acts_new(b, 2), stats = buffer_new(b, 2);
        OK(b->ops->value_loss(b->main, &s, A(x), F(t), A(dx), F(stats)));
        float *have = buffer_read(stats), *slope = buffer_read(dx);
        assert_true(isnan(have[0]) && isnan(slope[1]));
        free(have);
        free(slope);
        buffer all[] = {x, t, dx, stats};
        for (size_t k = 0; k < 4; k++) buffer_free(all[k]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_match),
        cmocka_unit_test(extreme_outputs),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
