/* Elementwise maps and the losses over classes against plain formulas in double. */
#include "ops.h"

static void maps_match(void **state) {
    gyre_backend *b = *state;
    static const size_t sizes[] = {1, 7, 16, 1000, 100003};
    for (size_t t = 0; t < sizeof sizes / sizeof sizes[0]; t++) {
        size_t n = sizes[t];
        double *x = randoms(1, n), *dy = randoms(2, n), *y = zeros(n), *dx = zeros(n);
        double *sum = zeros(n);
        x[n / 2] = 0;
        round_acts(x, n);
        round_acts(dy, n);
        for (size_t i = 0; i < n; i++) {
            y[i] = x[i] > 0 ? x[i] : 0;
            dx[i] = x[i] > 0 ? dy[i] : 0;
            sum[i] = (double)((float)x[i] + (float)dy[i]);
        }
        buffer bx = acts_of(b, x, n), bdy = acts_of(b, dy, n), by = acts_new(b, n);
        buffer bdx = acts_new(b, n);
        OK(b->ops->relu(b->main, n, A(bx), A(by)));
        OK(b->ops->relu_dx(b->main, n, A(by), A(bdy), A(bdx)));
        check_close("relu", by, y, NULL, 0);
        check_close("relu_dx", bdx, dx, NULL, 0);
        OK(b->ops->accumulate(b->main, n, A(bx), A(bdy)));
        check_close("accumulate", bdy, sum, NULL, 0);
        buffer all[] = {bx, bdy, by, bdx};
        for (size_t i = 0; i < 4; i++) buffer_free(all[i]);
        double *arrays[] = {x, dy, y, dx, sum};
        for (size_t i = 0; i < 5; i++) free(arrays[i]);
    }
}

/* NaN of either sign, infinities, both zeros, the least and the greatest numbers of either type. */
static void relu_keeps_nan(void **state) {
    gyre_backend *b = *state;
    const double values[] = {NAN,  -INFINITY, INFINITY,  -1,         -NAN,       0.0,
                             -0.0, 0x1p-126,  -0x1p-126, 0x1.fep127, -0x1.fep127};
    enum { COUNT = sizeof values / sizeof *values };
    double ones[COUNT];
    for (int i = 0; i < COUNT; i++) ones[i] = 1;
    buffer x = acts_of(b, values, COUNT), y = acts_new(b, COUNT);
    buffer dy = acts_of(b, ones, COUNT), dx = acts_new(b, COUNT);
    OK(b->ops->relu(b->main, COUNT, A(x), A(y)));
    OK(b->ops->relu_dx(b->main, COUNT, A(x), A(dy), A(dx))); /* of any y */
    float *have = buffer_read(y), *slope = buffer_read(dx);
    for (int i = 0; i < COUNT; i++) {
        bool kept = isnan(values[i]) || values[i] > 0;
        assert_true(isnan(values[i]) ? isnan(have[i]) : have[i] == (values[i] > 0 ? values[i] : 0));
        assert_true(slope[i] == (kept ? 1 : 0));
    }
    free(have);
    free(slope);
    buffer all[] = {x, y, dy, dx};
    for (size_t i = 0; i < 4; i++) buffer_free(all[i]);
}

/* ---- loss */

typedef struct {
    gyre_loss_shape s;
    const int32_t *labels;
    const double *weights; /* of the classes; NULL: 1 each */
    double *z, *dx;
    double correct;
} loss;

/* By how much a row counts more than it would if every row of its sample had a label. */
static double share_of(const loss *l, int row) {
    int labelled = 0, pixels = l->s.pixels, first = row / pixels * pixels;
    for (int i = first; i < first + pixels; i++) labelled += l->labels[i] >= 0;
    return (double)pixels / labelled;
}

static double reference_loss(void *context) {
    loss *l = context;
    double sum = 0, smoothing = (double)l->s.smoothing;
    int classes = l->s.classes;
    l->correct = 0;
    for (int i = 0; i < l->s.n; i++) {
        const double *z = l->z + i * classes;
        if (l->labels[i] < 0) continue;
        double share = share_of(l, i), scale = (double)l->s.scale * share;
        double exps = 0;
        int best = 0;
        for (int j = 1; j < classes; j++) best = z[j] > z[best] ? j : best;
        double top = z[best];
        for (int j = 0; j < classes; j++) exps += exp(z[j] - top);
        double *dx = l->dx + i * classes, total = 0;
        for (int j = 0; j < classes; j++) {
            double target = smoothing / classes + (j == l->labels[i] ? 1 - smoothing : 0);
            double log_p = z[j] - top - log(exps);
            if (l->weights != NULL) target *= l->weights[j];
            sum -= scale * target * log_p;
            total += target;
            dx[j] = -scale * target;
        }
        for (int j = 0; j < classes; j++) dx[j] += scale * total * exp(z[j] - top - log(exps));
        l->correct += best == l->labels[i] ? share : 0;
    }
    return sum;
}

static double reference_squared_error(void *context) {
    loss *l = context;
    double sum = 0;
    int classes = l->s.classes;
    l->correct = 0;
    for (int i = 0; i < l->s.n; i++) {
        int best = 0;
        if (l->labels[i] < 0) continue;
        double share = share_of(l, i), scale = (double)l->s.scale * share;
        for (int j = 0; j < classes; j++) {
            double d = l->z[i * classes + j] - (j == l->labels[i]);
            best = l->z[i * classes + j] > l->z[i * classes + best] ? j : best;
            sum += scale * d * d / classes;
            l->dx[i * classes + j] = scale * 2 * d / classes;
        }
        l->correct += best == l->labels[i] ? share : 0;
    }
    return sum;
}

static gyre_status run(gyre_backend *b, const loss *l, bool squared, buffer z, buffer labels,
                       gyre_f32 weights, gyre_act dx, buffer stats) {
    const gyre_backend_ops *o = b->ops;
    if (squared) return o->squared_error_loss(b->main, &l->s, A(z), I(labels), dx, F(stats));
    return o->softmax_loss(b->main, &l->s, A(z), I(labels), weights, dx, F(stats));
}

/* What a slope is known to a rounding of, on each side of its difference: of the scale. A weight is
 * a factor on both, and then there are two products and a sum more. Of squared errors: of the
 * slope itself, with two products. A share other than 1 is a quotient and a product more. */
static double slope_size(const loss *l, int row, bool squared, double slope) {
    double most = 0, share = l->labels[row] < 0 ? 1 : share_of(l, row);
    double scale = (double)l->s.scale * share * (share > 1 ? 2 : 1);
    if (squared) return (share > 1 ? 3 : 2) * fabs(slope);
    if (l->weights == NULL) return scale;
    for (int j = 0; j < l->s.classes; j++) most = fmax(most, l->weights[j]);
    return 3 * most * scale;
}

static void check_loss(gyre_backend *b, gyre_loss_shape s, bool squared, const double *weights) {
    size_t n = (size_t)(s.n * s.classes);
    int32_t labels[64];
    for (int i = 0; i < s.n; i++) labels[i] = (i * 7 + 1) % s.classes;
    for (int i = 2; i < s.n; i += 5) labels[i] = -1;                   /* no class */
    for (int i = 0; s.pixels > 1 && i < s.pixels; i++) labels[i] = -1; /* the first sample: none */
    loss l = {s, labels, weights, randoms(1, n), zeros(n), 0};
    double (*reference)(void *) = squared ? reference_squared_error : reference_loss;
    for (size_t i = 0; i < n; i++) l.z[i] *= 8;
    round_acts(l.z, n);
    double value = reference(&l);
    double *gradient = zeros(n);
    memcpy(gradient, l.dx, n * sizeof *gradient);
    check_gradient("loss", reference, &l, l.z, n, gradient);
    buffer z = acts_of(b, l.z, n), labels_there = buffer_labels(b, labels, (size_t)s.n);
    buffer dx = acts_new(b, n), stats = buffer_new(b, 2);
    buffer factors = {0};
    if (weights != NULL) factors = buffer_of(b, weights, (size_t)s.classes);
    OK(run(b, &l, squared, z, labels_there, F(factors), A(dx), stats));
    double want[2] = {value, l.correct / s.pixels};
    double exact = (weights == NULL ? 3 : 6) * HALF_ULP; /* as above */
    check_close("stats", stats, want, NULL, exact);
    double *scale = zeros(n);
    for (size_t i = 0; i < n; i++)
        scale[i] = slope_size(&l, (int)i / s.classes, squared, gradient[i]);
    check_close("dx", dx, gradient, scale, 2 * HALF_ULP);
    OK(run(b, &l, squared, z, labels_there, F(factors), NULL, stats));
    check_close("stats without dx", stats, want, NULL, exact);
    buffer all[] = {z, labels_there, dx, stats, factors};
    for (size_t i = 0; i < (weights == NULL ? 4 : 5); i++) buffer_free(all[i]);
    double *arrays[] = {l.z, l.dx, gradient, scale};
    for (size_t i = 0; i < 4; i++) free(arrays[i]);
}

static void losses_match(void **state) {
    gyre_backend *b = *state;
    static const gyre_loss_shape shapes[] = {{1, 2, 0, 1, 1, false},
                                             {32, 10, 0, 1.0f / 128, 1, false},
                                             {33, 10, 0.1f, 1.0f / 33, 11, false},
                                             {5, 1000, 0.1f, 1, 1, false}};
    double weights[1000];
    for (int j = 0; j < 1000; j++) weights[j] = 0.75 * (j % 4); /* 0 among them */
    for (size_t t = 0; t < sizeof shapes / sizeof shapes[0]; t++) {
        gyre_loss_shape s = shapes[t];
        check_loss(b, s, false, NULL);
        check_loss(b, s, false, weights);
        s.smoothing = 0;
        check_loss(b, s, true, NULL);
    }
}

/* A row with two labels: a share of the loss of each, and of its gradient. Where both are the same
 * it is that label's. Roundings are those of check_loss, of each of the two, and of their sum. */
static void check_mixed_loss(gyre_backend *b, const double *weights) {
    enum { N = 33, CLASSES = 10, ALL = N * CLASSES };
    const gyre_loss_shape s = {N, CLASSES, 0.1f, 1.0f / N, 1, true};
    int32_t labels[3 * N], others[N];
    double sums[2], correct, want[ALL] = {0}, scale[ALL];
    loss l = {{N, CLASSES, 0.1f, 1.0f / N, 1, false}, labels, weights, randoms(1, ALL), zeros(ALL), 0};
    for (int i = 0; i < ALL; i++) l.z[i] *= 8;
    round_acts(l.z, ALL);
    for (int i = 0; i < N; i++) {
        const float share = (float)(i % 9) / 8;
        labels[i] = (i * 7 + 1) % CLASSES;
        others[i] = labels[N + 2 * i] = i * 3 % CLASSES;
        memcpy(labels + N + 2 * i + 1, &share, sizeof share);
    }
    sums[0] = sums[1] = 0;
    correct = 0;
    for (int i = 0; i < N; i++) { /* row by row: each has its own share */
        const double share = i % 9 / 8.0;
        loss row = l;
        double dx[CLASSES];
        row.s.n = 1;
        row.z = l.z + i * CLASSES;
        row.dx = dx;
        for (int k = 0; k < 2; k++) {
            row.labels = (k == 0 ? labels : others) + i;
            sums[0] += (k == 0 ? share : 1 - share) * reference_loss(&row);
            if (k == 0) correct += row.correct;
            for (int j = 0; j < CLASSES; j++) {
                want[i * CLASSES + j] += (k == 0 ? share : 1 - share) * dx[j];
            }
        }
    }
    sums[1] = correct;
    for (int i = 0; i < ALL; i++) scale[i] = 2 * slope_size(&l, i / CLASSES, false, want[i]);
    buffer z = acts_of(b, l.z, ALL), there = buffer_labels(b, labels, 3 * N);
    buffer dx = acts_new(b, ALL), stats = buffer_new(b, 2), factors = {0};
    if (weights != NULL) factors = buffer_of(b, weights, CLASSES);
    OK(b->ops->softmax_loss(b->main, &s, A(z), I(there), F(factors), A(dx), F(stats)));
    check_close("stats", stats, sums, NULL, 12 * HALF_ULP);
    check_close("dx", dx, want, scale, 2 * HALF_ULP);
    buffer all[] = {z, there, dx, stats, factors};
    for (size_t i = 0; i < (weights == NULL ? 4 : 5); i++) buffer_free(all[i]);
    free(l.z);
    free(l.dx);
}

static void two_labels_share_a_row(void **state) {
    double weights[10];
    for (int j = 0; j < 10; j++) weights[j] = 0.75 * (j % 4);
    check_mixed_loss(*state, NULL);
    check_mixed_loss(*state, weights);
}

/* A sample whose labelled pixels are all right counts as 1, however many it has; not a bit more. */
static void right_pixels_are_a_whole_sample(void **state) {
    gyre_backend *b = *state;
    enum { SAMPLES = 3, PIXELS = 1009 };
    int32_t labels[SAMPLES * PIXELS];
    double z[2 * SAMPLES * PIXELS];
    for (int labelled = 1; labelled < PIXELS; labelled += 61) {
        for (int i = 0; i < SAMPLES * PIXELS; i++) {
            labels[i] = i % PIXELS < labelled + i / PIXELS ? i % 2 : -1;
            z[2 * i] = i % 2 == 0 ? 3 : -3;
            z[2 * i + 1] = -z[2 * i];
        }
        gyre_loss_shape s = {SAMPLES * PIXELS, 2, 0, 1.0f / PIXELS, PIXELS, false};
        buffer bz = acts_of(b, z, sizeof z / sizeof *z);
        buffer bl = buffer_labels(b, labels, SAMPLES * PIXELS), stats = buffer_new(b, 2);
        for (int squared = 0; squared < 2; squared++) {
            loss l = {.s = s};
            OK(run(b, &l, squared, bz, bl, NULL, NULL, stats));
            float *have = buffer_read(stats);
            assert_true(have[1] == SAMPLES);
            free(have);
        }
        buffer all[] = {bz, bl, stats};
        for (size_t k = 0; k < 3; k++) buffer_free(all[k]);
    }
}

/* Logits far apart neither overflow nor lose the loss; NaN and Inf show in it. */
static void extreme_logits(void **state) {
    gyre_backend *b = *state;
    static const struct {
        double z[3];
        int32_t label;
        double loss;
    } cases[] = {{{1e30, 0, -1e30}, 0, 0},   {{1e30, 0, 0}, 1, 1e30},
                 {{500, 0, 0}, 1, 500},      {{-3e38, -3e38, -3e38}, 2, 1.0986122886681098},
                 {{0, NAN, 0}, 0, NAN},      {{NAN, 0, 0}, 1, NAN},
                 {{0, 0, INFINITY}, 0, NAN}, {{-INFINITY, -INFINITY, -INFINITY}, 0, NAN}};
    gyre_loss_shape s = {1, 3, 0, 1, 1, false};
    /* 1e30 is no bf16 */
    double relative = precision == GYRE_PRECISION_BF16 ? HALF_ULP_BF16 : 2 * HALF_ULP;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer z = acts_of(b, cases[i].z, 3), label = buffer_labels(b, &cases[i].label, 1);
        buffer dx = acts_new(b, 3), stats = buffer_new(b, 2);
        OK(b->ops->softmax_loss(b->main, &s, A(z), I(label), NULL, A(dx), F(stats)));
        float *have = buffer_read(stats);
        if (isnan(cases[i].loss))
            assert_true(isnan(have[0]) || isinf(have[0]));
        else
            assert_true(fabs((double)have[0] - cases[i].loss) <= relative * cases[i].loss);
        free(have);
        buffer all[] = {z, label, dx, stats};
        for (size_t k = 0; k < 4; k++) buffer_free(all[k]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_match),     cmocka_unit_test(relu_keeps_nan),
        cmocka_unit_test(losses_match),   cmocka_unit_test(two_labels_share_a_row), cmocka_unit_test(right_pixels_are_a_whole_sample),
        cmocka_unit_test(extreme_logits),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
