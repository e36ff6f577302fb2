/* Numbers of places, added to every sample, and the sums of their gradients, against loops in
 * double: one sample and more than a run of 256, odd and even numbers of channels. */
#include "ops.h"

typedef gyre_positions_shape shape;

/* y is one rounding; dw a sum, whose bound counts its terms. */
static void check_positions(gyre_backend *b, shape s) {
    size_t size = (size_t)(s.h * s.w) * (size_t)s.c, n = (size_t)s.n * size;
    double *x = randoms(1, n), *w = randoms(2, size), *dy = randoms(3, n), *y = zeros(n);
    double *dw = zeros(size), *scale = zeros(size);
    round_acts(x, n), round_acts(dy, n);
    for (size_t i = 0; i < n; i++) {
        y[i] = (double)(float)(x[i] + w[i % size]);
        dw[i % size] += dy[i];
        scale[i % size] += fabs(dy[i]);
    }
    buffer dev_x = acts_of(b, x, n), dev_w = buffer_of(b, w, size), dev_dy = acts_of(b, dy, n);
    buffer dev_y = acts_new(b, n), dev_dw = buffer_new(b, size);
    OK(b->ops->positions(b->main, &s, A(dev_x), F(dev_w), A(dev_y)));
    check_close("y", dev_y, y, NULL, 0);
    OK(b->ops->positions_dw(b->main, &s, A(dev_dy), F(dev_dw)));
    check_close("dw", dev_dw, dw, scale, sum_bound(s.n));
    OK(b->ops->positions(b->main, &s, A(dev_x), F(dev_w), A(dev_x))); /* over x */
    check_close("y over x", dev_x, y, NULL, 0);
    buffer all[] = {dev_x, dev_w, dev_dy, dev_y, dev_dw};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(x), free(w), free(dy), free(y), free(dw), free(scale);
}

static void shapes_match(void **state) {
    static const shape shapes[] = {{1, 1, 1, 1}, {2, 3, 5, 3},  {3, 8, 8, 16},  {1, 7, 1, 9},
                                   {5, 1, 1, 8}, {4, 2, 3, 40}, {300, 2, 1, 5}, {2, 40, 33, 24}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check_positions(*state, shapes[i]);
    }
}

static void nan_stays_at_its_place(void **state) {
    gyre_backend *b = *state;
    enum { SIZE = 3 * 5 * 7, N = 4 * SIZE, AT = 2 * SIZE + 33 };
    const shape s = {4, 3, 5, 7};
    double *x = randoms(1, N), *w = randoms(2, SIZE);
    x[AT] = NAN;
    buffer dev_x = acts_of(b, x, N), dev_w = buffer_of(b, w, SIZE);
    buffer dev_y = acts_new(b, N), dev_dw = buffer_new(b, SIZE);
    OK(b->ops->positions(b->main, &s, A(dev_x), F(dev_w), A(dev_y)));
    OK(b->ops->positions_dw(b->main, &s, A(dev_x), F(dev_dw)));
    float *y = buffer_read(dev_y), *dw = buffer_read(dev_dw);
    for (size_t i = 0; i < N; i++) assert_int_equal(isnan(y[i]) != 0, i == AT);
    for (size_t i = 0; i < SIZE; i++) assert_int_equal(isnan(dw[i]) != 0, i == AT % SIZE);
    buffer all[] = {dev_x, dev_w, dev_y, dev_dw};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(x), free(w), free(y), free(dw);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shapes_match),
                                       cmocka_unit_test(nan_stays_at_its_place)};
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
