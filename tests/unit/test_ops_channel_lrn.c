/* Local response normalisation across channels against its definition in double, which itself
 * agrees with finite differences: windows odd and even, wider than the channels, powers by roots
 * and by exp and log. */
#include "ops.h"

typedef gyre_channel_lrn_shape shape;

typedef struct {
    shape s;
    size_t n;
    double *x, *dy, *y, *dx, *dx_scale;
} problem;

/* s of number i. */
static double scale_of(const problem *p, size_t i) {
    size_t c = (size_t)p->s.c;
    int channel = (int)(i % c), first = channel - p->s.size / 2;
    double sum = 0;
    for (int j = first; j < first + p->s.size; j++) {
        if (j >= 0 && j < p->s.c) sum += p->x[i / c * c + (size_t)j] * p->x[i / c * c + (size_t)j];
    }
    return (double)p->s.k + (double)p->s.alpha / p->s.size * sum;
}

static void forward(problem *p) {
    for (size_t i = 0; i < p->n; i++) p->y[i] = p->x[i] * pow(scale_of(p, i), -(double)p->s.beta);
}

/* Each number's share goes to the numbers of its window. */
static void backward(problem *p) {
    double beta = (double)p->s.beta, factor = 2 * beta * (double)p->s.alpha / p->s.size;
    for (size_t i = 0; i < p->n; i++) {
        size_t c = (size_t)p->s.c, pixel = i / c * c;
        int first = (int)(i % c) - p->s.size / 2;
        double s = scale_of(p, i), share = p->dy[i] * p->x[i] * pow(s, -beta - 1);
        p->dx[i] += p->dy[i] * pow(s, -beta);
        p->dx_scale[i] += fabs(p->dy[i] * pow(s, -beta));
        for (int j = first; j < first + p->s.size; j++) {
            if (j < 0 || j >= p->s.c) continue;
            double term = factor * p->x[pixel + (size_t)j] * share;
            p->dx[pixel + (size_t)j] -= term;
            p->dx_scale[pixel + (size_t)j] += fabs(term);
        }
    }
}

static problem problem_new(shape s) {
    size_t n = (size_t)(s.n * s.h * s.w * s.c);
    problem p = {s, n, randoms(1, n), randoms(2, n), zeros(n), zeros(n), zeros(n)};
    round_acts(p.x, n);
    round_acts(p.dy, n);
    forward(&p);
    backward(&p);
    return p;
}

static void problem_free(problem *p) {
    free(p->x), free(p->dy), free(p->y), free(p->dx), free(p->dx_scale);
}

/* A sum of squares, a power good to a few units, and in backward a sum of products of both. */
static void check(gyre_backend *b, shape s) {
    problem p = problem_new(s);
    buffer x = acts_of(b, p.x, p.n), dy = acts_of(b, p.dy, p.n);
    buffer y = acts_new(b, p.n), dx = acts_new(b, p.n);
    double bound = sum_bound(s.size) + 8 * HALF_ULP;
    OK(b->ops->channel_lrn(b->main, &s, A(x), A(y)));
    check_close("y", y, p.y, NULL, bound);
    OK(b->ops->channel_lrn_dx(b->main, &s, A(x), A(dy), A(dx)));
    check_close("dx", dx, p.dx, p.dx_scale, 4 * bound);
    OK(b->ops->channel_lrn_dx(b->main, &s, A(x), A(dy), A(dy))); /* over dy */
    void *apart = buffer_raw(dx), *over = buffer_raw(dy);
    assert_memory_equal(apart, over, p.n * dx.size);
    free(apart), free(over);
    buffer all[] = {x, dy, y, dx};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    problem_free(&p);
}

static void windows_match(void **state) {
    static const int channels[] = {1, 2, 7, 16, 33, 96}, windows[] = {1, 2, 3, 4, 5, 40};
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        for (size_t k = 0; k < sizeof windows / sizeof windows[0]; k++) {
            check(*state, (shape){2, 3, 2, channels[i], windows[k], 0.7f, 0.75f, 2});
            check(*state, (shape){1, 1, 3, channels[i], windows[k], 3, 0.6f, 1});
        }
    }
}

static double weighted_output(void *context) {
    problem *p = context;
    forward(p);
    return dot(p->y, p->dy, p->n);
}

static void reference_agrees_with_finite_differences(void **state) {
    (void)state;
    for (int size = 3; size < 5; size++) {
        problem p = problem_new((shape){2, 1, 2, 9, size, 0.9f, 0.75f, 1});
        check_gradient("dx", weighted_output, &p, p.x, p.n, p.dx);
        problem_free(&p);
    }
}

static void nan_reaches_its_window_only(void **state) {
    gyre_backend *b = *state;
    shape s = {1, 1, 2, 9, 3, 1, 0.75f, 1};
    double *x = randoms(1, 18);
    x[4] = NAN;
    buffer dev_x = acts_of(b, x, 18), y = acts_new(b, 18);
    OK(b->ops->channel_lrn(b->main, &s, A(dev_x), A(y)));
    float *have = buffer_read(y);
    for (int i = 0; i < 18; i++) assert_int_equal(isnan(have[i]) != 0, i >= 3 && i <= 5);
    free(have), free(x);
    buffer_free(dev_x);
    buffer_free(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(reference_agrees_with_finite_differences),
                                       cmocka_unit_test(windows_match),
                                       cmocka_unit_test(nan_reaches_its_window_only)};
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
