/* Sums and products of two tensors with the second spread over pixels or channels, and factors of
 * channels, against loops in double; few and many pixels and channels, more than a run of 256. */
#include "ops.h"

typedef struct {
    int n, h, w, c;
} size4;
static const size4 images[] = {{1, 1, 1, 1}, {2, 5, 7, 3},   {3, 8, 8, 16}, {1, 9, 6, 12},
                               {2, 1, 1, 5}, {1, 2, 3, 520}, {2, 19, 17, 8}};
enum { IMAGES = sizeof images / sizeof images[0] };

static size_t count_of(size4 s) {
    return (size_t)s.n * (size_t)s.h * (size_t)s.w * (size_t)s.c;
}

/* Where element i of the first meets the second. */
static size_t place(const gyre_broadcast_shape *s, size_t i) {
    size_t c = (size_t)s->c, pixels = (size_t)s->h * (size_t)s->w;
    if (s->over == GYRE_BROADCAST_CHANNELS) return i / c;
    if (s->over == GYRE_BROADCAST_PIXELS) return i / c / pixels * c + i % c;
    return i;
}

static void check_same(buffer a, buffer b) {
    void *first = buffer_raw(a), *second = buffer_raw(b);
    assert_memory_equal(first, second, a.n * a.size);
    free(first);
    free(second);
}

/* y is one rounding; db a sum, whose bound counts its terms. */
static void check_broadcast(gyre_backend *b, gyre_broadcast_shape s) {
    size_t n = count_of((size4){s.n, s.h, s.w, s.c}), few = place(&s, n - 1) + 1;
    double *x = randoms(1, n), *z = randoms(2, few), *dy = randoms(3, n), *y = zeros(n);
    double *db = zeros(few), *size = zeros(few);
    round_acts(x, n), round_acts(z, few), round_acts(dy, n);
    for (size_t i = 0; i < n; i++) {
        size_t k = place(&s, i);
        double term = s.multiply ? dy[i] * x[i] : dy[i];
        y[i] = (double)(float)(s.multiply ? x[i] * z[k] : x[i] + z[k]);
        db[k] += term;
        size[k] += fabs(term);
    }
    buffer dev_x = acts_of(b, x, n), dev_z = acts_of(b, z, few), dev_dy = acts_of(b, dy, n);
    buffer dev_y = acts_new(b, n), dev_db = acts_new(b, few);
    OK(b->ops->broadcast(b->main, &s, A(dev_x), A(dev_z), A(dev_y)));
    check_close("y", dev_y, y, NULL, 0);
    OK(b->ops->broadcast_db(b->main, &s, A(dev_x), A(dev_dy), A(dev_db)));
    check_close("db", dev_db, db, size, sum_bound((double)n / (double)few));
    OK(b->ops->broadcast(b->main, &s, A(dev_x), A(dev_z), A(dev_x))); /* over a */
    check_same(dev_x, dev_y);
    buffer all[] = {dev_x, dev_z, dev_dy, dev_y, dev_db};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(x), free(z), free(dy), free(y), free(db), free(size);
}

static void spreads_match(void **state) {
    for (int i = 0; i < IMAGES; i++) {
        size4 m = images[i];
        for (int over = 0; over < 3; over++) {
            for (int multiply = 0; multiply < 2; multiply++) {
                check_broadcast(*state, (gyre_broadcast_shape){m.n, m.h, m.w, m.c,
                                                               (gyre_broadcast)over, multiply});
            }
        }
    }
}

static void check_scale(gyre_backend *b, gyre_scale_shape s) {
    size_t c = (size_t)s.c, n = count_of((size4){s.n, s.h, s.w, s.c});
    double *x = randoms(1, n), *w = randoms(2, c), *dy = randoms(3, n), *y = zeros(n);
    double *dw = zeros(c), *size = zeros(c);
    round_acts(x, n), round_acts(dy, n);
    for (size_t i = 0; i < n; i++) {
        y[i] = (double)(float)(x[i] * w[i % c]);
        dw[i % c] += dy[i] * x[i];
        size[i % c] += fabs(dy[i] * x[i]);
    }
    buffer dev_x = acts_of(b, x, n), dev_w = buffer_of(b, w, c), dev_dy = acts_of(b, dy, n);
    buffer dev_y = acts_new(b, n), dev_dw = buffer_new(b, c);
    OK(b->ops->scale(b->main, &s, A(dev_x), F(dev_w), A(dev_y)));
    check_close("y", dev_y, y, NULL, 0);
    OK(b->ops->scale_dw(b->main, &s, A(dev_x), A(dev_dy), F(dev_dw)));
    check_close("dw", dev_dw, dw, size, sum_bound((double)(n / c)));
    memset(dw, 0, c * sizeof *dw), memset(size, 0, c * sizeof *size);
    for (size_t i = 0; i < n; i++) dw[i % c] += dy[i], size[i % c] += fabs(dy[i]);
    OK(b->ops->scale_dw(b->main, &s, NULL, A(dev_dy), F(dev_dw)));
    check_close("sums of dy", dev_dw, dw, size, sum_bound((double)(n / c)));
    OK(b->ops->scale(b->main, &s, A(dev_x), F(dev_w), A(dev_x))); /* over x */
    check_same(dev_x, dev_y);
    buffer all[] = {dev_x, dev_w, dev_dy, dev_y, dev_dw};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(x), free(w), free(dy), free(y), free(dw), free(size);
}

static void factors_of_channels_match(void **state) {
    for (int i = 0; i < IMAGES; i++) {
        size4 m = images[i];
        check_scale(*state, (gyre_scale_shape){m.n, m.h, m.w, m.c});
    }
}

static void nan_reaches_what_it_is_spread_over(void **state) {
    gyre_backend *b = *state;
    gyre_broadcast_shape s = {2, 2, 2, 3, GYRE_BROADCAST_PIXELS, true};
    double *x = randoms(1, 24), *z = randoms(2, 6);
    z[4] = NAN; /* channel 1 of sample 1 */
    buffer dev_x = acts_of(b, x, 24), dev_z = acts_of(b, z, 6), y = acts_new(b, 24);
    OK(b->ops->broadcast(b->main, &s, A(dev_x), A(dev_z), A(y)));
    float *have = buffer_read(y);
    for (int i = 0; i < 24; i++) assert_int_equal(isnan(have[i]) != 0, i >= 12 && i % 3 == 1);
    buffer all[] = {dev_x, dev_z, y};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(x), free(z), free(have);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(spreads_match),
                                       cmocka_unit_test(factors_of_channels_match),
                                       cmocka_unit_test(nan_reaches_what_it_is_spread_over)};
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
