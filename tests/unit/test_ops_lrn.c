/* Local response normalisation against naive loops in double: images smaller than the window, one
 * row, one column, odd channels; with and without ReLU; dx over dy; NaN. */
#include "ops.h"

typedef gyre_lrn_shape shape;

static size_t size_of(const shape *s) {
    return (size_t)(s->n * s->h * s->w * s->c);
}

/* The index of cell `k` of the window around element `at`, or -1 outside the image. */
static int cell(const shape *s, int at, int k) {
    int c = at % s->c, x = at / s->c % s->w, y = at / s->c / s->w % s->h,
        n = at / s->c / s->w / s->h;
    y += k / s->size - s->size / 2;
    x += k % s->size - s->size / 2;
    if (y < 0 || x < 0 || y >= s->h || x >= s->w) return -1;
    return ((n * s->h + y) * s->w + x) * s->c + c;
}

static double rectified(const shape *s, const double *x, int at) {
    return s->relu && x[at] < 0 ? 0 : x[at];
}

static double s_at(const shape *s, const double *x, int at) {
    double sum = 0;
    for (int k = 0; k < s->size * s->size; k++) {
        int i = cell(s, at, k);
        if (i >= 0) sum += rectified(s, x, i) * rectified(s, x, i);
    }
    return 1 + (double)s->alpha / (s->size * s->size) * sum;
}

static void reference(const shape *s, const double *x, double *y) {
    for (int i = 0; i < (int)size_of(s); i++) {
        y[i] = rectified(s, x, i) * pow(s_at(s, x, i), -(double)s->beta);
    }
}

/* `scale` gets the sum of the absolute terms. */
static void reference_dx(const shape *s, const double *x, const double *dy, double *dx,
                         double *scale) {
    double beta = (double)s->beta, factor = 2 * beta * (double)s->alpha / (s->size * s->size);
    for (int i = 0; i < (int)size_of(s); i++) {
        dx[i] = dy[i] * pow(s_at(s, x, i), -beta);
        scale[i] = fabs(dx[i]);
        for (int k = 0; k < s->size * s->size; k++) { /* whose windows hold i */
            int j = cell(s, i, k);
            if (j < 0) continue;
            double share = dy[j] * rectified(s, x, j) * pow(s_at(s, x, j), -beta - 1);
            dx[i] -= factor * x[i] * share;
            scale[i] += fabs(factor * x[i] * share);
        }
        if (s->relu && x[i] <= 0) dx[i] = scale[i] = 0;
    }
}

/* s is a sum of positive terms, so it is good to about sum_bound(cells); the power, the products
 * and (backward) the division round some eight times more. */
static void check_lrn(gyre_backend *b, shape s, double magnitude) {
    size_t n = size_of(&s);
    double *x = randoms(1, n), *dy = randoms(2, n), *y = zeros(n), *dx = zeros(n);
    double *scale = zeros(n), bound = sum_bound(s.size * s.size) + 8 * HALF_ULP;
    for (size_t i = 0; i < n; i++) x[i] = (double)(float)(x[i] * magnitude);
    round_acts(x, n);
    round_acts(dy, n);
    reference(&s, x, y);
    reference_dx(&s, x, dy, dx, scale);
    buffer bx = acts_of(b, x, n), bdy = acts_of(b, dy, n);
    buffer by = acts_new(b, n), bdx = acts_new(b, n);
    OK(b->ops->lrn(b->main, &s, A(bx), A(by)));
    check_close("y", by, y, NULL, bound);
    OK(b->ops->lrn_dx(b->main, &s, A(bx), A(bdy), A(bdx)));
    check_close("dx", bdx, dx, scale, 2 * bound);
    OK(b->ops->lrn_dx(b->main, &s, A(bx), A(bdy), A(bdy)));
    check_close("dx over dy", bdy, dx, scale, 2 * bound);
    buffer all[] = {bx, bdy, by, bdx};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    double *arrays[] = {x, dy, y, dx, scale};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
}

static const shape shapes[] = {
    /* n, h, w, c, size, alpha, beta */
    {2, 16, 16, 32, 3, 5e-5f, 0.75f, false}, {1, 1, 1, 5, 3, 2, 0.75f, false},
    {3, 1, 7, 3, 3, 2, 0.75f, false},        {2, 6, 1, 17, 3, 2, 0.75f, false},
    {1, 2, 3, 4, 7, 3, 0.75f, false},        {2, 4, 5, 2, 1, 1, 0.75f, false},
    {1, 9, 8, 33, 5, 2, 0.75f, false},       {2, 5, 6, 3, 3, 2, 0.6f, false},
    {1, 3, 4, 7, 5, 2, 1.5f, false}};

static void shapes_match(void **state) {
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        shape s = shapes[i];
        for (int relu = 0; relu < 2; relu++) {
            s.relu = relu;
            check_lrn(*state, s, 1);
            check_lrn(*state, s, 300); /* as of raw pixels: s is large even with Caffe's alpha */
        }
    }
}

typedef struct {
    shape s;
    double *x, *weights, *y;
} weighted;

static double weighted_output(void *context) {
    weighted *w = context;
    reference(&w->s, w->x, w->y);
    return dot(w->y, w->weights, size_of(&w->s));
}

static void reference_agrees_with_finite_differences(void **state) {
    (void)state;
    for (int relu = 0; relu < 2; relu++) {
        weighted w = {.s = {2, 4, 5, 3, 3, 2, 0.75f, relu}};
        size_t n = size_of(&w.s);
        w.x = randoms(1, n);
        w.weights = randoms(2, n);
        w.y = zeros(n);
        double *dx = zeros(n), *scale = zeros(n);
        reference_dx(&w.s, w.x, w.weights, dx, scale);
        check_gradient("dx", weighted_output, &w, w.x, n, dx);
        double *arrays[] = {w.x, w.weights, w.y, dx, scale};
        for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
    }
}

/* It spreads over the pixels whose window holds it, in its own channel, ReLU or not. */
static void nan_is_seen(void **state) {
    gyre_backend *b = *state;
    for (int relu = 0; relu < 2; relu++) {
        shape s = {1, 4, 4, 3, 3, 5e-5f, 0.75f, relu};
        double *x = randoms(3, 48);
        x[(1 * 4 + 2) * 3 + 1] = NAN;
        buffer bx = acts_of(b, x, 48), y = acts_new(b, 48), dx = acts_of(b, x, 48);
        OK(b->ops->lrn(b->main, &s, A(bx), A(y)));
        OK(b->ops->lrn_dx(b->main, &s, A(bx), A(dx), A(dx)));
        float *have = buffer_read(y), *slope = buffer_read(dx);
        for (int i = 0; i < 48; i++) {
            int row = i / 12, column = i / 3 % 4;
            bool near = i % 3 == 1 && row <= 2 && column >= 1;
            assert_int_equal(isnan(have[i]) != 0, near);
            if (i == (1 * 4 + 2) * 3 + 1) assert_true(isnan(slope[i]));
        }
        free(have);
        free(slope);
        free(x);
        buffer_free(bx);
        buffer_free(y);
        buffer_free(dx);
    }
}

static void even_windows_are_refused(void **state) {
    gyre_backend *b = *state;
    shape s = {1, 4, 4, 1, 2, 1, 0.75f, false};
    buffer x = acts_new(b, 16);
    assert_int_equal(b->ops->lrn(b->main, &s, A(x), A(x)), GYRE_EDEVICE);
    s.size = 0;
    assert_int_equal(b->ops->lrn_dx(b->main, &s, A(x), A(x), A(x)), GYRE_EDEVICE);
    buffer_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(shapes_match),
        cmocka_unit_test(nan_is_seen),
        cmocka_unit_test(even_windows_are_refused),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
