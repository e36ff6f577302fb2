/* Group norm against the textbook formulas in double, which themselves agree with finite
 * differences: groups narrower and wider than a vector, one group, as many as channels, one pixel,
 * more pixels than a run, fewer and more samples than blocks. */
#include "ops.h"

typedef gyre_group_norm_shape shape;

/* As batch norm's, whose loops these are: sums of 256 terms in f32, whose roundings are alike in
 * bf16, then a handful of operations. */
static double bound(void) {
    return (8 + (precision == GYRE_PRECISION_BF16 ? 64 : 16)) * HALF_ULP;
}

typedef struct {
    shape s;
    size_t c, width, sample, groups, n; /* sample: its elements; groups: of all samples */
    double count;
    double *x, *gamma, *beta, *dy; /* inputs */
    double *mean, *inverse, *y, *dx, *dgamma, *dbeta;
    double
        *spread; /* |mean|, and what it is summed from: the first element and distances from it */
    double *du, *du_scale; /* of what SiLU reads; without it dy and its size */
    double *y_scale, *dx_scale, *dgamma_scale, *dbeta_scale; /* sums of absolute terms */
} problem;

static size_t group_of(const problem *p, size_t i) {
    return i / p->sample * (size_t)p->s.groups + i % p->c / p->width;
}

static size_t first_of(const problem *p, size_t group) {
    size_t groups = (size_t)p->s.groups;
    return group / groups * p->sample + group % groups * p->width;
}

/* From u, which is in y, to silu(u), and the gradient of u. Errors in units of bound(): one of u,
 * in bf16 with its own rounding, grows by SiLU's slope, at most 1.1, and changes the slope by at
 * most half of itself. */
static void apply_silu(problem *p, size_t i) {
    double u = p->y[i], logistic = 1 / (1 + exp(-u)), slope = logistic * (1 + u * (1 - logistic));
    double half = precision == GYRE_PRECISION_BF16 ? HALF_ULP_BF16 / bound() : 0;
    double error = p->y_scale[i] + half * fabs(u);
    p->y[i] = u * logistic;
    p->y_scale[i] = 1.1 * error + fabs(p->y[i]);
    p->du[i] = p->dy[i] * slope;
    p->du_scale[i] = fabs(p->dy[i]) * (0.5 * error + 1.1) + half * fabs(p->du[i]);
}

static void reference_forward(problem *p) {
    memset(p->mean, 0, p->groups * sizeof *p->mean);
    memset(p->spread, 0, p->groups * sizeof *p->spread);
    memset(p->inverse, 0, p->groups * sizeof *p->inverse);
    for (size_t i = 0; i < p->n; i++) {
        size_t g = group_of(p, i);
        p->mean[g] += p->x[i] / p->count;
        p->spread[g] += fabs(p->x[i] - p->x[first_of(p, g)]) / p->count;
    }
    for (size_t i = 0; i < p->n; i++) {
        double d = p->x[i] - p->mean[group_of(p, i)];
        p->inverse[group_of(p, i)] += d * d / p->count;
    }
    for (size_t g = 0; g < p->groups; g++) {
        p->inverse[g] = 1 / sqrt(p->inverse[g] + (double)p->s.eps);
        p->spread[g] += fabs(p->x[first_of(p, g)]);
    }
    for (size_t i = 0; i < p->n; i++) {
        size_t g = group_of(p, i), j = i % p->c;
        double a = p->gamma[j] * p->inverse[g];
        p->y[i] = a * (p->x[i] - p->mean[g]) + p->beta[j];
        p->y_scale[i] = fabs(a) * (fabs(p->x[i]) + p->spread[g]) + fabs(p->beta[j]);
        p->du[i] = p->dy[i];
        p->du_scale[i] = fabs(p->dy[i]);
        if (p->s.silu) apply_silu(p, i);
    }
}

static double hat(const problem *p, size_t i) {
    return (p->x[i] - p->mean[group_of(p, i)]) * p->inverse[group_of(p, i)];
}

static double hat_size(const problem *p, size_t i) {
    return (fabs(p->x[i]) + p->spread[group_of(p, i)]) * p->inverse[group_of(p, i)];
}

static void reference_backward(problem *p) {
    double *first = zeros(p->groups), *second = zeros(p->groups);
    double *first_size = zeros(p->groups), *second_size = zeros(p->groups);
    for (size_t i = 0; i < p->n; i++) {
        size_t g = group_of(p, i), j = i % p->c;
        double d = p->du[i] * p->gamma[j], size = p->du_scale[i] * fabs(p->gamma[j]);
        first[g] += d / p->count;
        first_size[g] += size / p->count;
        second[g] += d * hat(p, i) / p->count;
        second_size[g] += size * hat_size(p, i) / p->count;
        p->dbeta[j] += p->du[i];
        p->dbeta_scale[j] += p->du_scale[i];
        p->dgamma[j] += p->du[i] * hat(p, i);
        p->dgamma_scale[j] += p->du_scale[i] * hat_size(p, i);
    }
    for (size_t i = 0; i < p->n; i++) {
        size_t g = group_of(p, i);
        double factor = p->gamma[i % p->c], inverse = p->inverse[g];
        double d = p->du[i] * factor, size = p->du_scale[i] * fabs(factor);
        p->dx[i] = inverse * (d - (first[g] + hat(p, i) * second[g]));
        p->dx_scale[i] = inverse * (size + first_size[g] + hat_size(p, i) * second_size[g]);
    }
    free(first), free(second), free(first_size), free(second_size);
}

static problem problem_new(shape s, double offset) {
    size_t c = (size_t)s.c, sample = (size_t)(s.h * s.w) * c, n = (size_t)s.n * sample;
    size_t groups = (size_t)(s.n * s.groups), width = c / (size_t)s.groups;
    problem p = {.s = s, .c = c, .width = width, .sample = sample, .groups = groups, .n = n};
    p.count = (double)(s.h * s.w) * (double)width;
    p.x = randoms(1, n);
    p.dy = randoms(2, n);
    for (size_t i = 0; i < n; i++) p.x[i] = (double)(float)(p.x[i] + offset);
    round_acts(p.x, n);
    round_acts(p.dy, n);
    p.gamma = randoms(3, c);
    p.beta = randoms(4, c);
    double **by_group[] = {&p.mean, &p.inverse, &p.spread};
    double **by_element[] = {&p.y, &p.y_scale, &p.dx, &p.dx_scale, &p.du, &p.du_scale};
    double **by_channel[] = {&p.dgamma, &p.dgamma_scale, &p.dbeta, &p.dbeta_scale};
    for (size_t i = 0; i < 3; i++) *by_group[i] = zeros(groups);
    for (size_t i = 0; i < 6; i++) *by_element[i] = zeros(n);
    for (size_t i = 0; i < 4; i++) *by_channel[i] = zeros(c);
    reference_forward(&p);
    reference_backward(&p);
    return p;
}

static void problem_free(problem *p) {
    double *all[] = {p->x,  p->gamma,    p->beta,   p->dy,           p->mean,
                     p->y,  p->inverse,  p->spread, p->y_scale,      p->dgamma,
                     p->dx, p->dx_scale, p->dbeta,  p->dgamma_scale, p->dbeta_scale,
                     p->du, p->du_scale};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

/* A problem's inputs and outputs on the device. */
typedef struct {
    buffer x, gamma, beta, dy, saved, y, dx, dgamma, dbeta;
} device;

static device device_new(gyre_backend *b, const problem *p) {
    return (device){
        acts_of(b, p->x, p->n),  buffer_of(b, p->gamma, p->c), buffer_of(b, p->beta, p->c),
        acts_of(b, p->dy, p->n), buffer_new(b, 2 * p->groups), acts_new(b, p->n),
        acts_new(b, p->n),       buffer_new(b, p->c),          buffer_new(b, p->c)};
}

static void device_free(device *d) {
    buffer all[] = {d->x, d->gamma, d->beta, d->dy, d->saved, d->y, d->dx, d->dgamma, d->dbeta};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
}

static void forward(gyre_backend *b, const shape *s, const device *d) {
    OK(b->ops->group_norm(b->main, s, A(d->x), F(d->gamma), F(d->beta), F(d->saved), A(d->y)));
}

static void backward(gyre_backend *b, const shape *s, const device *d, buffer dx) {
    OK(b->ops->group_norm_dx(b->main, s, A(d->x), A(d->dy), F(d->gamma), F(d->beta), F(d->saved),
                             A(dx), F(d->dgamma), F(d->dbeta)));
}

static void check_same(buffer a, buffer b) {
    void *first = buffer_raw(a), *second = buffer_raw(b);
    assert_memory_equal(first, second, a.n * a.size);
    free(first);
    free(second);
}

/* dx over dy, and y without keeping the statistics, are the same bits. */
static void check_group_norm(gyre_backend *b, shape s) {
    problem p = problem_new(s, 0);
    device d = device_new(b, &p);
    buffer y = acts_new(b, p.n);
    forward(b, &s, &d);
    check_close("y", d.y, p.y, p.y_scale, bound());
    OK(b->ops->group_norm(b->main, &s, A(d.x), F(d.gamma), F(d.beta), NULL, A(y)));
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

/* Without SiLU and with it. */
static void check_both(gyre_backend *b, shape s) {
    check_group_norm(b, s);
    s.silu = true;
    check_group_norm(b, s);
}

/* Layer norm over the sample, groups of 2, 3 and 5 channels, instance norm. */
static void shapes_match(void **state) {
    static const int channels[][2] = {{1, 1},  {2, 1},   {3, 3},   {8, 2},    {10, 2},  {15, 3},
                                      {16, 8}, {16, 16}, {17, 17}, {32, 16},  {33, 11}, {64, 32},
                                      {64, 2}, {96, 3},  {100, 1}, {256, 256}};
    static const int pixels[][3] = {{1, 1, 1}, {7, 1, 1}, {2, 3, 5}, {3, 10, 10}};
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        for (size_t k = 0; k < sizeof pixels / sizeof pixels[0]; k++) {
            const int *n = pixels[k], *c = channels[i];
            check_both(*state, (shape){n[0], n[1], n[2], c[0], c[1], 1e-5f, false});
        }
    }
    check_both(*state, (shape){1, 1, 3, 20010, 29, 1e-5f, false});
    check_both(*state, (shape){2, 40, 51, 5, 5, 0.5f, false});
    check_both(*state, (shape){2, 81, 67, 24, 6, 0.5f, false});
    check_both(*state, (shape){300, 2, 1, 12, 4, 1e-5f, false});
}

/* Mean 1000, deviation 1; the mean itself is rounded to half an ulp of 1000, 3e-5 deviations. */
static void a_large_mean_does_not_cancel(void **state) {
    gyre_backend *b = *state;
    problem p = problem_new((shape){2, 9, 9, 15, 3, 1e-5f, false}, 1000);
    device d = device_new(b, &p);
    forward(b, &p.s, &d);
    float *saved = buffer_read(d.saved);
    for (size_t i = 0; i < p.groups; i++) {
        assert_true(fabs((double)saved[i] - p.mean[i]) <= 2 * HALF_ULP * 1000);
        assert_true(fabs((double)saved[p.groups + i] / p.inverse[i] - 1) <= bound());
    }
    for (size_t i = 0; i < p.n; i++) p.y_scale[i] = 5; /* |gamma| is below 5 */
    check_close("y", d.y, p.y, p.y_scale, 4e-5);
    free(saved);
    device_free(&d);
    problem_free(&p);
}

/* A first element far from the others: distances from it have a mean of 1000 deviations. */
static void an_unusual_first_element_does_not_cancel(void **state) {
    gyre_backend *b = *state;
    problem p = problem_new((shape){1, 64, 64, 4, 1, 1e-5f, false}, 0);
    for (size_t i = 0; i < p.n; i++) p.x[i] = bf16_of(0.01 * p.x[i]);
    p.x[0] = 16;
    reference_forward(&p);
    device d = device_new(b, &p);
    forward(b, &p.s, &d);
    float *saved = buffer_read(d.saved);
    assert_true(fabs((double)saved[1] / p.inverse[0] - 1) <= bound());
    free(saved);
    device_free(&d);
    problem_free(&p);
}

/* What becomes of a sample does not depend on the others, nor on how many there are. */
static void samples_stand_alone(void **state) {
    gyre_backend *b = *state;
    static const shape shapes[] = {{5, 1, 7, 12, 4, 1e-5f, true}, {3, 30, 31, 40, 8, 1e-5f, false}};
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        problem p = problem_new(shapes[k], 0);
        device d = device_new(b, &p);
        shape one = shapes[k];
        one.n = 1;
        forward(b, &p.s, &d);
        backward(b, &p.s, &d, d.dx);
        char *all = buffer_raw(d.y), *all_dx = buffer_raw(d.dx);
        for (size_t i = 0; i < (size_t)p.s.n; i++) {
            problem alone = problem_new(one, 0);
            memcpy(alone.x, p.x + i * p.sample, p.sample * sizeof *p.x);
            memcpy(alone.dy, p.dy + i * p.sample, p.sample * sizeof *p.dy);
            device e = device_new(b, &alone);
            forward(b, &one, &e);
            backward(b, &one, &e, e.dx);
            void *y = buffer_raw(e.y), *dx = buffer_raw(e.dx);
            assert_memory_equal(y, all + i * p.sample * e.y.size, p.sample * e.y.size);
            assert_memory_equal(dx, all_dx + i * p.sample * e.y.size, p.sample * e.y.size);
            free(y), free(dx);
            device_free(&e);
            problem_free(&alone);
        }
        free(all), free(all_dx);
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
    for (int silu = 0; silu < 2; silu++) {
        problem p = problem_new((shape){3, 3, 2, 6, 2, 1e-5f, silu == 1}, 0);
        check_gradient("dx", weighted_output, &p, p.x, p.n, p.dx);
        check_gradient("dgamma", weighted_output, &p, p.gamma, p.c, p.dgamma);
        check_gradient("dbeta", weighted_output, &p, p.beta, p.c, p.dbeta);
        problem_free(&p);
    }
}

/* The bits of a node silu behind it, where nothing is rounded in between. */
static void silu_is_that_of_a_node_behind(void **state) {
    gyre_backend *b = *state;
    if (precision == GYRE_PRECISION_BF16) return; /* a kernel need not round in between */
    const shape s = {3, 9, 7, 24, 6, 1e-5f, false}, fused = {3, 9, 7, 24, 6, 1e-5f, true};
    problem p = problem_new(s, 0);
    device one = device_new(b, &p), two = device_new(b, &p);
    const gyre_activation_shape silu = {.kind = GYRE_ACTIVATION_SILU, .n = p.n};
    forward(b, &fused, &one);
    forward(b, &s, &two);
    backward(b, &fused, &one, one.dx);
    OK(b->ops->activation_dx(b->main, &silu, A(two.y), A(two.dy), A(two.dy)));
    OK(b->ops->activation(b->main, &silu, A(two.y), A(two.y)));
    backward(b, &s, &two, two.dx);
    check_same(one.y, two.y);
    check_same(one.dx, two.dx);
    check_same(one.dgamma, two.dgamma);
    check_same(one.dbeta, two.dbeta);
    device_free(&one);
    device_free(&two);
    problem_free(&p);
}

/* It spreads over its group, and from there over the gradients of that group's gammas. */
static void nan_spreads_over_its_group_only(void **state) {
    gyre_backend *b = *state;
    enum { C = 18, GROUP = 1, SAMPLE = 4 * 4 * C };
    problem p = problem_new((shape){2, 4, 4, C, 3, 1e-5f, false}, 0);
    p.x[SAMPLE + 5 * C + 7] = NAN; /* of the second sample, in its second group */
    device d = device_new(b, &p);
    forward(b, &p.s, &d);
    backward(b, &p.s, &d, d.dx);
    float *y = buffer_read(d.y), *dx = buffer_read(d.dx);
    float *dgamma = buffer_read(d.dgamma), *dbeta = buffer_read(d.dbeta);
    for (size_t i = 0; i < p.n; i++) {
        bool inside = i / SAMPLE == 1 && i % C / 6 == GROUP;
        assert_int_equal(isnan(y[i]) != 0, inside);
        assert_int_equal(isnan(dx[i]) != 0, inside);
    }
    for (size_t j = 0; j < C; j++) {
        assert_int_equal(isnan(dgamma[j]) != 0, j / 6 == GROUP);
        assert_true(!isnan(dbeta[j]));
    }
    free(y), free(dx), free(dgamma), free(dbeta);
    device_free(&d);
    problem_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(shapes_match),
        cmocka_unit_test(a_large_mean_does_not_cancel),
        cmocka_unit_test(an_unusual_first_element_does_not_cancel),
        cmocka_unit_test(samples_stand_alone),
        cmocka_unit_test(silu_is_that_of_a_node_behind),
        cmocka_unit_test(nan_spreads_over_its_group_only),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
