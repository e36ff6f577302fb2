/* Operations that move numbers: columns copied, matrices transposed, pixels repeated. What comes
 * out is exact, guard bands and what lies beside are left alone, and NaN is moved as it is. */
#include "ops.h"

static void check_same(const char *what, buffer got, const double *want) {
    float *have = buffer_read(got);
    for (size_t i = 0; i < got.n; i++) {
        if ((double)have[i] != want[i] && !(isnan(have[i]) && isnan(want[i])))
            fail_msg("%s[%zu]: got %g, want %g", what, i, (double)have[i], want[i]);
    }
    free(have);
}

static double *numbers(uint64_t key, size_t n) {
    double *x = randoms(key, n);
    for (size_t i = 5; i < n; i += 11) x[i] = NAN;
    round_acts(x, n);
    return x;
}

static void check_columns(gyre_backend *b, gyre_copy_shape s) {
    size_t from = s.rows * (size_t)s.x_stride, to = s.rows * (size_t)s.y_stride;
    double *x = numbers(1, from), *y = numbers(2, to);
    buffer dev_x = acts_of(b, x, from), dev_y = acts_of(b, y, to);
    for (size_t i = 0; i < s.rows; i++) {
        for (size_t j = 0; j < (size_t)s.columns; j++) {
            y[i * (size_t)s.y_stride + (size_t)s.y_begin + j] =
                x[i * (size_t)s.x_stride + (size_t)s.x_begin + j];
        }
    }
    OK(b->ops->copy_columns(b->main, &s, A(dev_x), A(dev_y)));
    check_same("y", dev_y, y);
    buffer_free(dev_x);
    buffer_free(dev_y);
    free(x), free(y);
}

static void columns_are_copied(void **state) {
    static const gyre_copy_shape shapes[] = {
        {1, 1, 1, 0, 1, 0},        {7, 3, 3, 0, 8, 5},          {7, 3, 8, 5, 3, 0},
        {33, 16, 16, 0, 48, 16},   {33, 16, 48, 32, 16, 0},     {5, 8, 24, 9, 16, 3},
        {300, 40, 64, 8, 104, 56}, {1, 1031, 1031, 0, 1031, 0}, {0, 4, 4, 0, 4, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) check_columns(*state, shapes[i]);
}

static void check_transpose(gyre_backend *b, gyre_transpose_shape s) {
    size_t rows = (size_t)s.rows, columns = (size_t)s.columns, one = rows * columns;
    size_t n = (size_t)s.n * one;
    double *x = numbers(1, n), *y = zeros(n);
    buffer dev_x = acts_of(b, x, n), dev_y = acts_new(b, n);
    for (size_t i = 0; i < n; i++) {
        y[i / one * one + i % columns * rows + i % one / columns] = x[i];
    }
    OK(b->ops->transpose(b->main, &s, A(dev_x), A(dev_y)));
    check_same("y", dev_y, y);
    buffer_free(dev_x);
    buffer_free(dev_y);
    free(x), free(y);
}

static void matrices_are_transposed(void **state) {
    static const gyre_transpose_shape shapes[] = {{1, 1, 1},   {3, 4, 7},    {2, 49, 64},
                                                  {2, 16, 32}, {1, 33, 100}, {4, 1, 9}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check_transpose(*state, shapes[i]);
    }
}

/* A gradient is a sum in f32 in the order of lines, rounded once. */
static void check_upsample(gyre_backend *b, gyre_upsample_shape s) {
    size_t c = (size_t)s.c, w = (size_t)s.w, f = (size_t)s.factor;
    size_t n = (size_t)s.n * (size_t)s.h * w * c, out = n * f * f;
    double *x = numbers(1, n), *y = zeros(out), *dy = numbers(2, out), *dx = zeros(n);
    buffer dev_x = acts_of(b, x, n), dev_y = acts_new(b, out);
    buffer dev_dy = acts_of(b, dy, out), dev_dx = acts_new(b, n);
    for (size_t i = 0; i < out; i++) {
        size_t line = i / (w * f * c), column = i / c % (w * f);
        size_t at = (line / f * w + column / f) * c + i % c;
        y[i] = x[at];
        dx[at] = (double)((float)dx[at] + (float)dy[i]);
    }
    round_acts(dx, n);
    OK(b->ops->upsample(b->main, &s, A(dev_x), A(dev_y)));
    check_same("y", dev_y, y);
    OK(b->ops->upsample_dx(b->main, &s, A(dev_dy), A(dev_dx)));
    check_same("dx", dev_dx, dx);
    buffer all[] = {dev_x, dev_y, dev_dy, dev_dx};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(x), free(y), free(dy), free(dx);
}

static void pixels_are_repeated(void **state) {
    static const gyre_upsample_shape shapes[] = {
        {1, 1, 1, 1, 1}, {2, 3, 5, 3, 2}, {1, 4, 2, 16, 3}, {2, 2, 3, 24, 2}, {1, 5, 5, 1, 4}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) check_upsample(*state, shapes[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(columns_are_copied),
                                       cmocka_unit_test(matrices_are_transposed),
                                       cmocka_unit_test(pixels_are_repeated)};
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
