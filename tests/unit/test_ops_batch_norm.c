/* Batch norm with fused addition and ReLU, training, evaluation and frozen, against the textbook
 * formulas in double, which themselves agree with finite differences. */
#include "ops.h"

typedef gyre_batch_norm_shape shape;

/* Sums of 256 terms in f32 (the blocks of a channel's sum), then a handful of operations. Terms of
 * bf16 numbers are multiples of a coarse unit, so that their roundings are alike and add up to more
 * than the root of their number; 256 is the limit. */
static double bound(void) {
    return (8 + (precision == GYRE_PRECISION_BF16 ? 64 : 16)) * HALF_ULP;
}

typedef struct {
    shape s;
    size_t c, n;
    double *x, *residual, *gamma, *beta, *running, *dy; /* inputs */
    double *mean, *variance, *moments, *y;
    double *spread; /* |mean|, and what it is summed from: the first pixel and distances from it */
    double *dx, *dresidual, *dgamma, *dbeta;
    double *y_scale, *dx_scale, *dgamma_scale, *dbeta_scale; /* sums of absolute terms */
} problem;

static double rows_of(const problem *p) {
    return (double)(p->n / p->c);
}

static void reference_statistics(problem *p) {
    for (size_t j = 0; j < p->c; j++) {
        double sum = 0, squares = 0, rows = rows_of(p), terms = 0;
        for (size_t i = j; i < p->n; i += p->c) sum += p->x[i];
        for (size_t i = j; i < p->n; i += p->c) terms += fabs(p->x[i] - p->x[j]);
        for (size_t i = j; i < p->n; i += p->c) {
            squares += (p->x[i] - sum / rows) * (p->x[i] - sum / rows);
        }
        p->moments[j] = sum / rows;
        p->moments[p->c + j] = rows > 1 ? squares / (rows - 1) : 0;
        p->spread[j] = p->s.frozen ? fabs(p->running[j]) : fabs(p->x[j]) + terms / rows;
        p->mean[j] = p->s.frozen ? p->running[j] : sum / rows;
        p->variance[j] = p->s.frozen ? p->running[p->c + j] : squares / rows;
    }
}

static double inverse_of(const problem *p, size_t j) {
    return 1 / sqrt(p->variance[j] + (double)p->s.eps);
}

static void reference_forward(problem *p) {
    reference_statistics(p);
    for (size_t i = 0; i < p->n; i++) {
        size_t j = i % p->c;
        double a = p->gamma[j] * inverse_of(p, j), r = p->s.add ? p->residual[i] : 0;
        double y = a * (p->x[i] - p->mean[j]) + p->beta[j] + r;
        p->y[i] = p->s.relu && y < 0 ? 0 : y;
        p->y_scale[i] = fabs(a) * (fabs(p->x[i]) + p->spread[j]) + fabs(p->beta[j]) + fabs(r);
    }
}

static void reference_backward(problem *p) {
    double rows = rows_of(p);
    for (size_t j = 0; j < p->c; j++) {
        double inv = inverse_of(p, j), sum = 0, product = 0, size = 0, product_size = 0;
        for (size_t i = j; i < p->n; i += p->c) {
            double d = p->s.relu && p->y[i] <= 0 ? 0 : p->dy[i];
            double distance = fabs(p->x[i]) + p->spread[j];
            p->dresidual[i] = d;
            sum += d;
            size += fabs(d);
            product += d * (p->x[i] - p->mean[j]) * inv;
            product_size += fabs(d) * distance * inv;
        }
        p->dbeta[j] = sum;
        p->dbeta_scale[j] = size;
        p->dgamma[j] = product;
        p->dgamma_scale[j] = product_size;
        for (size_t i = j; i < p->n; i += p->c) {
            double hat = (p->x[i] - p->mean[j]) * inv, k = p->gamma[j] * inv;
            double hat_size = (fabs(p->x[i]) + p->spread[j]) * inv;
            double part = p->s.frozen ? 0 : (sum + hat * product) / rows;
            double part_size = p->s.frozen ? 0 : (size + hat_size * product_size) / rows;
            p->dx[i] = k * (p->dresidual[i] - part);
            p->dx_scale[i] = fabs(k) * (fabs(p->dresidual[i]) + part_size);
        }
    }
}

static problem problem_new(shape s, double offset) {
    size_t c = (size_t)s.c, n = (size_t)(s.n * s.h * s.w * s.c);
    problem p = {.s = s, .c = c, .n = n, .x = randoms(1, n), .residual = randoms(2, n)};
    for (size_t i = 0; i < n; i++) p.x[i] = (double)(float)(p.x[i] + offset);
    p.gamma = randoms(3, c);
    p.beta = randoms(4, c);
    p.dy = randoms(5, n);
    round_acts(p.x, n);
    round_acts(p.residual, n);
    round_acts(p.dy, n);
    p.running = randoms(6, 2 * c);
    for (size_t j = c; j < 2 * c; j++) p.running[j] = fabs(p.running[j]) + 0.5;
    for (size_t j = c; j < 2 * c; j++) p.running[j] = (double)(float)p.running[j];
    p.mean = zeros(c);
    p.variance = zeros(c);
    p.spread = zeros(c);
    p.moments = zeros(2 * c);
    p.y = zeros(n);
    p.dx = zeros(n);
    p.dresidual = zeros(n);
    p.dgamma = zeros(c);
    p.dbeta = zeros(c);
    p.y_scale = zeros(n);
    p.dx_scale = zeros(n);
    p.dgamma_scale = zeros(c);
    p.dbeta_scale = zeros(c);
    reference_forward(&p);
    reference_backward(&p);
    return p;
}

static void problem_free(problem *p) {
    double *all[] = {p->x,        p->residual,     p->gamma,       p->beta,    p->running,
                     p->dy,       p->mean,         p->variance,    p->moments, p->y,
                     p->dx,       p->dresidual,    p->dgamma,      p->dbeta,   p->y_scale,
                     p->dx_scale, p->dgamma_scale, p->dbeta_scale, p->spread};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

enum { SEPARATE, DX_IS_DY, DRESIDUAL_IS_DY, WAYS };

static void check_backward(gyre_backend *b, const problem *p, buffer x, buffer gamma, buffer saved,
                           int way) {
    const shape *s = &p->s;
    buffer y = acts_of(b, p->y, p->n), dy = acts_of(b, p->dy, p->n);
    buffer dx = acts_new(b, p->n), dresidual = acts_new(b, p->n);
    buffer dgamma = buffer_new(b, p->c), dbeta = buffer_new(b, p->c);
    buffer to_dx = way == DX_IS_DY ? dy : dx, to_res = way == DRESIDUAL_IS_DY ? dy : dresidual;
    OK(b->ops->batch_norm_dx(b->main, s, A(x), A(y), A(dy), F(gamma), F(saved), A(to_dx),
                             s->add ? A(to_res) : NULL, F(dgamma), F(dbeta)));
    check_close("dx", to_dx, p->dx, p->dx_scale, 2 * bound());
    check_close("dgamma", dgamma, p->dgamma, p->dgamma_scale, bound());
    check_close("dbeta", dbeta, p->dbeta, p->dbeta_scale, bound());
    if (s->add) check_close("dresidual", to_res, p->dresidual, NULL, 0);
    buffer all[] = {y, dy, dx, dresidual, dgamma, dbeta};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
}

/* Sums of absolute terms. A variance is summed from squared distances to the first pixel, so its
 * terms add up to the variance and the square of the first pixel's distance from the mean. */
static double *moment_scale(const problem *p) {
    double *scale = zeros(2 * p->c), rows = rows_of(p);
    for (size_t i = 0; i < p->n; i++) scale[i % p->c] += fabs(p->x[i]) / rows;
    for (size_t j = 0; j < p->c; j++) {
        double first = p->x[j] - p->mean[j];
        scale[p->c + j] = p->moments[p->c + j] + 2 * first * first;
    }
    return scale;
}

static void check_norm(gyre_backend *b, shape s) {
    problem p = problem_new(s, 0);
    buffer x = acts_of(b, p.x, p.n), residual = acts_of(b, p.residual, p.n);
    buffer gamma = buffer_of(b, p.gamma, p.c), beta = buffer_of(b, p.beta, p.c);
    buffer running = buffer_of(b, p.running, 2 * p.c);
    buffer saved = buffer_new(b, 2 * p.c), moments = buffer_new(b, 2 * p.c);
    buffer y = acts_new(b, p.n);
    gyre_act r = s.add ? A(residual) : NULL;
    if (s.frozen) {
        OK(b->ops->batch_norm_eval(b->main, &s, A(x), r, F(gamma), F(beta), F(running), F(saved),
                                   A(y)));
        shape plain = s; /* evaluation proper: nothing is saved */
        plain.frozen = false;
        buffer same = acts_new(b, p.n);
        OK(b->ops->batch_norm_eval(b->main, &plain, A(x), r, F(gamma), F(beta), F(running), NULL,
                                   A(same)));
        check_close("y of evaluation", same, p.y, p.y_scale, bound());
        buffer_free(same);
    } else {
        OK(b->ops->batch_norm_train(b->main, &s, A(x), r, F(gamma), F(beta), F(saved), F(moments),
                                    A(y)));
        double *scale = moment_scale(&p);
        check_close("moments", moments, p.moments, scale, bound());
        free(scale);
    }
    check_close("y", y, p.y, p.y_scale, bound());
    for (int way = 0; way < (s.add ? WAYS : DRESIDUAL_IS_DY); way++) {
        check_backward(b, &p, x, gamma, saved, way);
    }
    buffer all[] = {x, residual, gamma, beta, running, saved, moments, y};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    problem_free(&p);
}

static void norms_match(void **state) {
    static const int sizes[][4] = {{1, 1, 1, 5},  {2, 5, 5, 3},    {3, 7, 5, 17}, {2, 8, 8, 16},
                                   {1, 3, 3, 64}, {4, 16, 16, 33}, {9, 9, 9, 48}, {40, 1, 1, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int flags = 0; flags < 8; flags++) {
            check_norm(*state, (shape){sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], 1e-5f,
                                       flags & 1, flags & 2, flags & 4});
        }
    }
}

/* Mean 1000, deviation 1: E[x^2] - E[x]^2 in f32 would leave no digit of the variance. The mean
 * itself is rounded to half an ulp of 1000, 3e-5 deviations. */
static void a_large_mean_does_not_cancel(void **state) {
    gyre_backend *b = *state;
    problem p = problem_new((shape){4, 16, 16, 19, 1e-5f, false, false, false}, 1000);
    buffer x = acts_of(b, p.x, p.n), gamma = buffer_of(b, p.gamma, p.c);
    buffer beta = buffer_of(b, p.beta, p.c), y = acts_new(b, p.n);
    buffer saved = buffer_new(b, 2 * p.c), moments = buffer_new(b, 2 * p.c);
    OK(b->ops->batch_norm_train(b->main, &p.s, A(x), NULL, F(gamma), F(beta), F(saved), F(moments),
                                A(y)));
    check_close("moments", moments, p.moments, NULL, bound());
    for (size_t i = 0; i < p.n; i++) p.y_scale[i] = 3; /* gamma is below 3 */
    check_close("y", y, p.y, p.y_scale, 4e-5);
    buffer all[] = {x, gamma, beta, y, saved, moments};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    problem_free(&p);
}

static double weighted_output(void *context) {
    problem *p = context;
    reference_forward(p);
    return dot(p->y, p->dy, p->n);
}

static void references_agree_with_finite_differences(void **state) {
    (void)state;
    for (int flags = 0; flags < 8; flags++) {
        shape s = {3, 3, 2, 4, 1e-5f, flags & 1, flags & 2, flags & 4};
        problem p = problem_new(s, 0);
        check_gradient("dx", weighted_output, &p, p.x, p.n, p.dx);
        check_gradient("dgamma", weighted_output, &p, p.gamma, p.c, p.dgamma);
        check_gradient("dbeta", weighted_output, &p, p.beta, p.c, p.dbeta);
        if (s.add) check_gradient("dres", weighted_output, &p, p.residual, p.n, p.dresidual);
        problem_free(&p);
    }
}

static void check_nan(gyre_backend *b, bool relu, bool add) {
    problem p = problem_new((shape){2, 4, 4, 18, 1e-5f, relu, add, false}, 0);
    p.x[7] = NAN;
    buffer x = acts_of(b, p.x, p.n), gamma = buffer_of(b, p.gamma, p.c);
    buffer beta = buffer_of(b, p.beta, p.c), y = acts_new(b, p.n);
    buffer residual = acts_of(b, p.residual, p.n);
    buffer saved = buffer_new(b, 2 * p.c), moments = buffer_new(b, 2 * p.c);
    OK(b->ops->batch_norm_train(b->main, &p.s, A(x), A(residual), F(gamma), F(beta), F(saved),
                                F(moments), A(y)));
    float *have = buffer_read(y);
    for (size_t i = 0; i < p.n; i++) assert_int_equal(!isnan(have[i]), i % p.c != 7);
    free(have);
    buffer dresidual = acts_new(b, p.n);
    buffer dx = acts_new(b, p.n), dgamma = buffer_new(b, p.c), dbeta = buffer_new(b, p.c);
    buffer dy = acts_of(b, p.dy, p.n);
    OK(b->ops->batch_norm_dx(b->main, &p.s, A(x), A(y), A(dy), F(gamma), F(saved), A(dx),
                             A(dresidual), F(dgamma), F(dbeta)));
    have = buffer_read(dgamma);
    for (size_t j = 0; j < p.c; j++) assert_int_equal(!isnan(have[j]), j != 7);
    free(have);
    buffer all[] = {x, gamma, beta, y, saved, moments, dx, dgamma, dbeta, dy, residual, dresidual};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    problem_free(&p);
}

static void nan_spreads_over_its_channel_only(void **state) {
    for (int flags = 0; flags < 4; flags++) check_nan(*state, flags & 1, flags & 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_agree_with_finite_differences),
        cmocka_unit_test(norms_match),
        cmocka_unit_test(a_large_mean_does_not_cancel),
        cmocka_unit_test(nan_spreads_over_its_channel_only),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
