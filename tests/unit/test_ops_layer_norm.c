/* Layer norm against the textbook formulas in double, which themselves agree with finite
 * differences: rows and channels odd and even, fewer and more than a group, a run, a warp. */
#include "ops.h"

typedef gyre_layer_norm_shape shape;

/* As batch norm's: sums of 256 terms in f32, whose roundings are alike in bf16, then a handful of
 * operations. */
static double bound(void) {
    return (8 + (precision == GYRE_PRECISION_BF16 ? 64 : 16)) * HALF_ULP;
}

typedef struct {
    shape s;
    size_t c, rows, n;
    double *x, *gamma, *beta, *dy; /* inputs */
    double *mean, *inverse, *y, *dx, *dgamma, *dbeta;
    double
        *spread; /* |mean|, and what it is summed from: the first channel and distances from it */
    double *y_scale, *dx_scale, *dgamma_scale, *dbeta_scale; /* sums of absolute terms */
} problem;

static void reference_statistics(problem *p, size_t row) {
    const double *x = p->x + row * p->c, count = (double)p->c;
    double sum = 0, squares = 0, terms = 0;
    for (size_t j = 0; j < p->c; j++) sum += x[j];
    for (size_t j = 0; j < p->c; j++) terms += fabs(x[j] - x[0]);
    for (size_t j = 0; j < p->c; j++) squares += (x[j] - sum / count) * (x[j] - sum / count);
    p->mean[row] = sum / count;
    p->inverse[row] = 1 / sqrt(squares / count + (double)p->s.eps);
    p->spread[row] = fabs(x[0]) + terms / count;
}

static void reference_forward(problem *p) {
    for (size_t row = 0; row < p->rows; row++) reference_statistics(p, row);
    for (size_t i = 0; i < p->n; i++) {
        size_t row = i / p->c, j = i % p->c;
        double a = p->gamma[j] * p->inverse[row];
        p->y[i] = a * (p->x[i] - p->mean[row]) + p->beta[j];
        p->y_scale[i] = fabs(a) * (fabs(p->x[i]) + p->spread[row]) + fabs(p->beta[j]);
    }
}

static void reference_row_backward(problem *p, size_t row) {
    double inv = p->inverse[row], count = (double)p->c;
    double sum = 0, product = 0, size = 0, product_size = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t j = 0, i = row * p->c; j < p->c; j++, i++) {
            double d = p->dy[i] * p->gamma[j], hat = (p->x[i] - p->mean[row]) * inv;
            double hat_size = (fabs(p->x[i]) + p->spread[row]) * inv;
            if (pass == 0) {
                sum += d;
                size += fabs(d);
                product += d * hat;
                product_size += fabs(d) * hat_size;
                p->dbeta[j] += p->dy[i];
                p->dbeta_scale[j] += fabs(p->dy[i]);
                p->dgamma[j] += p->dy[i] * hat;
                p->dgamma_scale[j] += fabs(p->dy[i]) * hat_size;
            } else {
                p->dx[i] = inv * (d - (sum + hat * product) / count);
                p->dx_scale[i] = inv * (fabs(d) + (size + hat_size * product_size) / count);
            }
        }
    }
}

static problem problem_new(shape s, double offset) {
    size_t c = (size_t)s.c, rows = (size_t)(s.n * s.h * s.w), n = rows * c;
    problem p = {.s = s, .c = c, .rows = rows, .n = n, .x = randoms(1, n), .dy = randoms(2, n)};
    for (size_t i = 0; i < n; i++) p.x[i] = (double)(float)(p.x[i] + offset);
    round_acts(p.x, n);
    round_acts(p.dy, n);
    p.gamma = randoms(3, c);
    p.beta = randoms(4, c);
    p.mean = zeros(rows);
    p.inverse = zeros(rows);
    p.spread = zeros(rows);
    p.y = zeros(n);
    p.y_scale = zeros(n);
    p.dx = zeros(n);
    p.dx_scale = zeros(n);
    p.dgamma = zeros(c);
    p.dgamma_scale = zeros(c);
    p.dbeta = zeros(c);
    p.dbeta_scale = zeros(c);
    reference_forward(&p);
    for (size_t row = 0; row < rows; row++) reference_row_backward(&p, row);
    return p;
}

static void problem_free(problem *p) {
    double *all[] = {p->x,  p->gamma,    p->beta,   p->dy,           p->mean,
                     p->y,  p->inverse,  p->spread, p->y_scale,      p->dgamma,
                     p->dx, p->dx_scale, p->dbeta,  p->dgamma_scale, p->dbeta_scale};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

/* A problem's inputs and outputs on the device. */
typedef struct {
    buffer x, gamma, beta, dy, saved, y, dx, dgamma, dbeta;
} device;

static device device_new(gyre_backend *b, const problem *p) {
    return (device){
        acts_of(b, p->x, p->n),  buffer_of(b, p->gamma, p->c), buffer_of(b, p->beta, p->c),
        acts_of(b, p->dy, p->n), buffer_new(b, 2 * p->rows),   acts_new(b, p->n),
        acts_new(b, p->n),       buffer_new(b, p->c),          buffer_new(b, p->c)};
}

static void device_free(device *d) {
    buffer all[] = {d->x, d->gamma, d->beta, d->dy, d->saved, d->y, d->dx, d->dgamma, d->dbeta};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
}

static void forward(gyre_backend *b, const shape *s, const device *d) {
    OK(b->ops->layer_norm(b->main, s, A(d->x), F(d->gamma), F(d->beta), F(d->saved), A(d->y)));
}

static void backward(gyre_backend *b, const shape *s, const device *d, buffer dx) {
    OK(b->ops->layer_norm_dx(b->main, s, A(d->x), A(d->dy), F(d->gamma), F(d->saved), A(dx),
                             F(d->dgamma), F(d->dbeta)));
}

static void check_same(buffer a, buffer b) {
    void *first = buffer_raw(a), *second = buffer_raw(b);
    assert_memory_equal(first, second, a.n * a.size);
    free(first);
    free(second);
}

/* dx over dy, and y without keeping the statistics, are the same bits. */
static void check_layer_norm(gyre_backend *b, shape s) {
    problem p = problem_new(s, 0);
    device d = device_new(b, &p);
    buffer y = acts_new(b, p.n);
    forward(b, &s, &d);
    check_close("y", d.y, p.y, p.y_scale, bound());
    OK(b->ops->layer_norm(b->main, &s, A(d.x), F(d.gamma), F(d.beta), NULL, A(y)));
    check_same(y, d.y);
    backward(b, &s, &d, d.dx);
    check_close("dx", d.dx, p.dx, p.dx_scale, 2 * bound());
    check_close("dgamma", d.dgamma, p.dgamma, p.dgamma_scale, bound());
    check_close("dbeta", d.dbeta, p.dbeta, p.dbeta_scale, bound());
    backward(b, &s, &d, d.dy);
    check_same(d.dy, d.dx);
    buffer_free(y);
    device_free(&d);
    problem_free(&p);
}

static void shapes_match(void **state) {
    static const int channels[] = {1, 2, 3, 8, 16, 17, 31, 32, 33, 64, 100, 256, 1000};
    static const int pixels[][3] = {{1, 1, 1}, {7, 1, 1}, {2, 3, 5}, {3, 10, 10}};
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        for (size_t k = 0; k < sizeof pixels / sizeof pixels[0]; k++) {
            const int *n = pixels[k];
            check_layer_norm(*state, (shape){n[0], n[1], n[2], channels[i], 1e-5f});
        }
    }
    check_layer_norm(*state, (shape){1, 1, 3, 20011, 1e-5f});
    check_layer_norm(*state, (shape){1, 40, 50, 5, 0.5f});
}

/* One channel is its own mean: y = beta, and nothing depends on x. */
static void one_channel_is_its_mean(void **state) {
    gyre_backend *b = *state;
    shape s = {2, 3, 3, 1, 1e-5f};
    problem p = problem_new(s, 0);
    device d = device_new(b, &p);
    forward(b, &s, &d);
    backward(b, &s, &d, d.dx);
    float *dx = buffer_read(d.dx), *dgamma = buffer_read(d.dgamma), *beta = buffer_read(d.beta);
    double *want = zeros(p.n);
    for (size_t i = 0; i < p.n; i++) want[i] = (double)beta[0];
    check_close("y", d.y, want, NULL, 0);
    for (size_t i = 0; i < p.n; i++) assert_true(dx[i] == 0);
    assert_true(dgamma[0] == 0);
    free(dx), free(dgamma), free(beta), free(want);
    device_free(&d);
    problem_free(&p);
}

/* Mean 1000, deviation 1; the mean itself is rounded to half an ulp of 1000, 3e-5 deviations. */
static void a_large_mean_does_not_cancel(void **state) {
    gyre_backend *b = *state;
    problem p = problem_new((shape){2, 3, 3, 515, 1e-5f}, 1000);
    device d = device_new(b, &p);
    forward(b, &p.s, &d);
    float *saved = buffer_read(d.saved);
    for (size_t i = 0; i < p.rows; i++) {
        assert_true(fabs((double)saved[i] - p.mean[i]) <= 2 * HALF_ULP * 1000);
        assert_true(fabs((double)saved[p.rows + i] / p.inverse[i] - 1) <= bound());
    }
    for (size_t i = 0; i < p.n; i++) p.y_scale[i] = 5; /* |gamma| is below 5 */
    check_close("y", d.y, p.y, p.y_scale, 4e-5);
    free(saved);
    device_free(&d);
    problem_free(&p);
}

/* What becomes of a row does not depend on the others, nor on how many there are. */
static void rows_stand_alone(void **state) {
    gyre_backend *b = *state;
    static const int channels[] = {3, 40, 512};
    for (size_t k = 0; k < sizeof channels / sizeof channels[0]; k++) {
        problem p = problem_new((shape){5, 1, 7, channels[k], 1e-5f}, 0);
        device d = device_new(b, &p);
        shape one = {1, 1, 1, channels[k], 1e-5f};
        forward(b, &p.s, &d);
        void *all = buffer_raw(d.y);
        for (size_t row = 0; row < p.rows; row++) {
            buffer x = acts_of(b, p.x + row * p.c, p.c), y = acts_new(b, p.c);
            OK(b->ops->layer_norm(b->main, &one, A(x), F(d.gamma), F(d.beta), NULL, A(y)));
            void *alone = buffer_raw(y);
            assert_memory_equal(alone, (char *)all + row * p.c * y.size, p.c * y.size);
            free(alone);
            buffer_free(x);
            buffer_free(y);
        }
        free(all);
        device_free(&d);
        problem_free(&p);
    }
}

static double weighted_output(void *context) {
    problem *p = context;
    reference_forward(p);
    return dot(p->y, p->dy, p->n);
}

static void reference_agrees_with_finite_differences(void **state) {
    (void)state;
    problem p = problem_new((shape){3, 3, 2, 5, 1e-5f}, 0);
    check_gradient("dx", weighted_output, &p, p.x, p.n, p.dx);
    check_gradient("dgamma", weighted_output, &p, p.gamma, p.c, p.dgamma);
    check_gradient("dbeta", weighted_output, &p, p.beta, p.c, p.dbeta);
    problem_free(&p);
}

/* It spreads over its row, and from there over the gradient of every gamma. */
static void nan_spreads_over_its_row_only(void **state) {
    gyre_backend *b = *state;
    problem p = problem_new((shape){2, 4, 4, 18, 1e-5f}, 0);
    p.x[5 * 18 + 7] = NAN;
    device d = device_new(b, &p);
    forward(b, &p.s, &d);
    backward(b, &p.s, &d, d.dx);
    float *y = buffer_read(d.y), *dx = buffer_read(d.dx);
    float *dgamma = buffer_read(d.dgamma), *dbeta = buffer_read(d.dbeta);
    for (size_t i = 0; i < p.n; i++) {
        assert_int_equal(isnan(y[i]) != 0, i / 18 == 5);
        assert_int_equal(isnan(dx[i]) != 0, i / 18 == 5);
    }
    for (size_t j = 0; j < p.c; j++) assert_true(isnan(dgamma[j]) && !isnan(dbeta[j]));
    free(y), free(dx), free(dgamma), free(dbeta);
    device_free(&d);
    problem_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(shapes_match),
        cmocka_unit_test(one_channel_is_its_mean),
        cmocka_unit_test(a_large_mean_does_not_cancel),
        cmocka_unit_test(rows_stand_alone),
        cmocka_unit_test(nan_spreads_over_its_row_only),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
