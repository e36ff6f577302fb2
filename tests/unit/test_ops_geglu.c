/* Gated GELU against erfc in double, for fewer and more channels than a vector and a chunk, few and
 * many pixels. */
#include "ops.h"

typedef gyre_geglu_shape shape;

static double normal_of(double x) {
    return erfc(-x / sqrt(2)) / 2;
}
static double gelu(double x) {
    return x * normal_of(x);
}
static double gelu_slope(double x) {
    return normal_of(x) + x * exp(-x * x / 2) / sqrt(8 * atan(1));
}

typedef struct {
    shape s;
    size_t c, n; /* elements of y */
    double *x, *dy, *y, *dx;
} problem;

static size_t first_of(const problem *p, size_t i) {
    return i / p->c * 2 * p->c + i % p->c;
}

static void reference(problem *p) {
    for (size_t i = 0; i < p->n; i++) {
        size_t at = first_of(p, i);
        double a = p->x[at], b = p->x[at + p->c];
        p->y[i] = a * gelu(b);
        p->dx[at] = p->dy[i] * gelu(b);
        p->dx[at + p->c] = p->dy[i] * a * gelu_slope(b);
    }
}

static problem problem_new(shape s) {
    problem p = {.s = s, .c = (size_t)s.c, .n = (size_t)(s.n * s.h * s.w) * (size_t)s.c};
    p.x = randoms(1, 2 * p.n);
    p.dy = randoms(2, p.n);
    for (size_t i = 0; i < 2 * p.n; i++) p.x[i] = (double)(float)(3 * p.x[i]);
    round_acts(p.x, 2 * p.n);
    round_acts(p.dy, p.n);
    p.y = zeros(p.n);
    p.dx = zeros(2 * p.n);
    reference(&p);
    return p;
}

static void problem_free(problem *p) {
    free(p->x), free(p->dy), free(p->y), free(p->dx);
}

/* The normal distribution is right to 6 ulp, and three products round; its slope is a sum of two
 * terms, of which the second is at most 0.25 and is right to 2 ulp. */
static void check_geglu(gyre_backend *b, shape s) {
    problem p = problem_new(s);
    buffer x = acts_of(b, p.x, 2 * p.n), dy = acts_of(b, p.dy, p.n);
    buffer y = acts_new(b, p.n), dx = acts_new(b, 2 * p.n);
    double *size = zeros(2 * p.n);
    for (size_t i = 0; i < p.n; i++) {
        size_t at = first_of(&p, i);
        size[at] = fabs(p.dx[at]);
        size[at + p.c] = fabs(p.dy[i] * p.x[at]) * (fabs(gelu_slope(p.x[at + p.c])) + 0.25);
    }
    OK(b->ops->geglu(b->main, &s, A(x), A(y)));
    check_close("y", y, p.y, NULL, 16 * HALF_ULP);
    OK(b->ops->geglu_dx(b->main, &s, A(x), A(dy), A(dx)));
    check_close("dx", dx, p.dx, size, 16 * HALF_ULP);
    buffer all[] = {x, dy, y, dx};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(size);
    problem_free(&p);
}

static void shapes_match(void **state) {
    static const int channels[] = {1, 2, 3, 8, 15, 16, 33, 64, 256, 300, 520};
    static const int pixels[][3] = {{1, 1, 1}, {2, 3, 5}, {3, 10, 10}};
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        for (size_t k = 0; k < sizeof pixels / sizeof pixels[0]; k++) {
            const int *n = pixels[k];
            check_geglu(*state, (shape){n[0], n[1], n[2], channels[i]});
        }
    }
    check_geglu(*state, (shape){2, 64, 67, 8});
}

static double weighted_output(void *context) {
    problem *p = context;
    reference(p);
    return dot(p->y, p->dy, p->n);
}

static void reference_agrees_with_finite_differences(void **state) {
    (void)state;
    problem p = problem_new((shape){2, 3, 2, 5});
    double *dx = zeros(2 * p.n);
    memcpy(dx, p.dx, 2 * p.n * sizeof *dx);
    check_gradient("dx", weighted_output, &p, p.x, 2 * p.n, dx);
    free(dx);
    problem_free(&p);
}

/* Either half's NaN reaches its own result, and the gradients of both halves there. */
static void nan_stays_at_its_place(void **state) {
    gyre_backend *b = *state;
    enum { C = 40, N = 6 * C, AT = 3 * C + 7 };
    for (size_t half = 0; half < 2; half++) {
        problem p = problem_new((shape){1, 2, 3, C});
        p.x[first_of(&p, AT) + half * C] = NAN;
        buffer x = acts_of(b, p.x, 2 * N), dy = acts_of(b, p.dy, N);
        buffer y = acts_new(b, N), dx = acts_new(b, 2 * N);
        OK(b->ops->geglu(b->main, &p.s, A(x), A(y)));
        OK(b->ops->geglu_dx(b->main, &p.s, A(x), A(dy), A(dx)));
        float *values = buffer_read(y), *slopes = buffer_read(dx);
        for (size_t i = 0; i < N; i++) assert_int_equal(isnan(values[i]) != 0, i == AT);
        assert_true(isnan(slopes[first_of(&p, AT) + C]));
        free(values), free(slopes);
        buffer all[] = {x, dy, y, dx};
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
        problem_free(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(reference_agrees_with_finite_differences),
                                       cmocka_unit_test(shapes_match),
                                       cmocka_unit_test(nan_stays_at_its_place)};
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
