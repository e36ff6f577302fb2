/* Pooling and the option-A shortcut against naive loops in double, with Caffe's ceil mode, ties
 * and NaN. */
#include "ops.h"

typedef gyre_pool_shape shape;

static size_t in_size(const shape *s) {
    return (size_t)(s->n * s->h * s->w * s->c);
}
static size_t out_size(const shape *s) {
    return (size_t)(s->n * gyre_pool_rows(s) * gyre_pool_columns(s) * s->c);
}

/* Forward when y is given; backward into dx when dx is given. */
static void reference(const shape *s, const double *x, double *y, const double *dy, double *dx) {
    int oh = gyre_pool_rows(s), ow = gyre_pool_columns(s);
    for (int o = 0; o < s->n * oh * ow * s->c; o++) {
        int c = o % s->c, j = o / s->c % ow, i = o / s->c / ow % oh, n = o / s->c / ow / oh;
        int best = -1, cells = 0;
        double sum = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int p = 0; p < s->r; p++) {
                for (int q = 0; q < s->s; q++) {
                    int row = i * s->stride_h + p - s->pad_h, col = j * s->stride_w + q - s->pad_w;
                    bool padded = row < s->h + s->pad_h && col < s->w + s->pad_w;
                    bool inside = row >= 0 && row < s->h && col >= 0 && col < s->w;
                    cells += pass == 0 && (inside || (s->count_pad && padded));
                    if (!inside) continue;
                    int at = ((n * s->h + row) * s->w + col) * s->c + c;
                    if (pass == 1 && dx != NULL && !s->max) dx[at] += dy[o] / cells;
                    if (pass == 1) continue;
                    if (best < 0 || x[at] > x[best]) best = at;
                    sum += x[at];
                }
            }
        }
        if (y != NULL) y[o] = s->max ? x[best] : sum / cells;
        if (dx != NULL && s->max) dx[best] += dy[o];
    }
}

static void check_pool(gyre_backend *b, shape s, bool tied) {
    size_t n = in_size(&s), m = out_size(&s);
    double *x = randoms(1, n), *dy = randoms(2, m), *y = zeros(m), *dx = zeros(n);
    double *y_scale = zeros(m), *dx_scale = zeros(n);
    for (size_t i = 0; tied && i < n; i++) x[i] = x[i] < 0.5 ? 0 : 1;
    round_acts(x, n);
    round_acts(dy, m);
    reference(&s, x, y, dy, dx);
    double *x_abs = absolutes(x, n), *dy_abs = absolutes(dy, m);
    reference(&s, x_abs, y_scale, NULL, NULL);
    reference(&s, x, NULL, dy_abs, dx_scale); /* the same cells get the gradient */
    buffer bx = acts_of(b, x, n), bdy = acts_of(b, dy, m), by = acts_new(b, m);
    buffer bdx = acts_new(b, n), saved = buffer_bytes(b, b->ops->pool_saved_size(b, &s));
    assert_true(s.max || saved.n == 0);
    OK(b->ops->pool(b->main, &s, A(bx), R(saved), A(by)));
    OK(b->ops->pool_dx(b->main, &s, A(bdy), R(saved), A(bdx)));
    check_close("y", by, y, y_scale, s.max ? 0 : sum_bound(s.r * s.s));
    check_close("dx", bdx, dx, dx_scale, sum_bound(s.r * s.s));
    buffer all[] = {bx, bdy, by, bdx, saved};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    double *arrays[] = {x, dy, y, dx, y_scale, dx_scale, x_abs, dy_abs};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
}

static void pools_match(void **state) {
    static const shape shapes[] = {
        /* n, h, w, c, r, s, stride_h, stride_w, pad_h, pad_w, max, ceil */
        {2, 7, 9, 5, 2, 3, 1, 2, 1, 2, false, false, false},
        {2, 6, 6, 5, 3, 3, 2, 2, 1, 1, false, true, false}, /* one window beyond the padding */
        {1, 9, 6, 17, 5, 1, 3, 1, 2, 0, false, true, false},
        {2, 5, 9, 8, 5, 9, 5, 9, 0, 0, false, false, false},
        {1, 3, 300, 2, 1, 299, 1, 1, 0, 7, false, false, false},
        {2, 32, 32, 32, 3, 3, 2, 2, 0, 0, false, true, false},
        {1, 16, 16, 16, 2, 2, 2, 2, 0, 0, false, false, false},
        {3, 5, 5, 3, 2, 2, 2, 2, 0, 0, false, true, false},
        {3, 5, 5, 3, 2, 2, 2, 2, 0, 0, false, false, false},
        {2, 7, 4, 17, 3, 3, 2, 2, 1, 1, false, true, false},
        {2, 8, 8, 64, 8, 8, 1, 1, 0, 0, false, false, false},
        {1, 1, 1, 5, 1, 1, 1, 1, 0, 0, false, false, false},
        {1, 4, 4, 7, 2, 2, 3, 3, 1, 1, false, true, false},
        {4, 6, 9, 33, 3, 3, 1, 1, 1, 1, false, false, false},
        {1, 5, 4, 150, 3, 3, 2, 2, 0, 0, false, true, false},
        {2, 3, 3, 5, 2, 2, 2, 2, 1, 1, false, true, false},
        {1, 2, 2, 4, 3, 3, 2, 2, 0, 0, false, true, false}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        shape s = shapes[i];
        check_pool(*state, s, false);
        s.count_pad = true;
        check_pool(*state, s, false);
        s.count_pad = false;
        s.max = true;
        check_pool(*state, s, false);
        check_pool(*state, s, true);
    }
}

/* Bins that overlap, that are even, and that are more than pixels. */
static void check_bins(gyre_backend *b, gyre_adaptive_pool_shape s) {
    size_t n = (size_t)(s.n * s.h * s.w * s.c), m = (size_t)(s.n * s.oh * s.ow * s.c);
    double *x = randoms(1, n), *dy = randoms(2, m), *y = zeros(m), *dx = zeros(n);
    double *y_scale = zeros(m), *dx_scale = zeros(n);
    round_acts(x, n);
    round_acts(dy, m);
    for (int at = 0; at < (int)m; at++) {
        int c = at % s.c, j = at / s.c % s.ow, i = at / s.c / s.ow % s.oh;
        int image = at / s.c / s.ow / s.oh, top = i * s.h / s.oh, left = j * s.w / s.ow;
        int rows = (int)ceil((i + 1) * s.h / (double)s.oh) - top;
        int columns = (int)ceil((j + 1) * s.w / (double)s.ow) - left, cells = rows * columns;
        for (int k = 0; k < cells; k++) {
            int from = ((image * s.h + top + k / columns) * s.w + left + k % columns) * s.c + c;
            y[at] += x[from] / cells;
            y_scale[at] += fabs(x[from]) / cells;
            dx[from] += dy[at] / cells;
            dx_scale[from] += fabs(dy[at]) / cells;
        }
    }
    buffer bx = acts_of(b, x, n), bdy = acts_of(b, dy, m), by = acts_new(b, m);
    buffer bdx = acts_new(b, n);
    OK(b->ops->adaptive_pool(b->main, &s, A(bx), A(by)));
    OK(b->ops->adaptive_pool_dx(b->main, &s, A(bdy), A(bdx)));
    check_close("y", by, y, y_scale, sum_bound(s.h * s.w));
    check_close("dx", bdx, dx, dx_scale, sum_bound(s.oh * s.ow));
    buffer all[] = {bx, bdy, by, bdx};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    double *arrays[] = {x, dy, y, dx, y_scale, dx_scale};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
}

static void bins_match(void **state) {
    static const gyre_adaptive_pool_shape shapes[] = {{2, 7, 9, 5, 3, 4},   {1, 6, 6, 16, 2, 3},
                                                      {2, 13, 13, 8, 6, 6}, {1, 5, 4, 33, 7, 9},
                                                      {3, 1, 1, 3, 1, 1},   {1, 8, 5, 24, 1, 5}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) check_bins(*state, shapes[i]);
}

/* Caffe: 32 -> 16 with window 3, stride 2; a window that would begin behind the padded image is
 * left out. */
static void sizes_are_caffes(void **state) {
    (void)state;
    static const struct {
        int size, r, stride, pad, floor, ceil;
    } cases[] = {{32, 3, 2, 0, 15, 16}, {16, 3, 2, 0, 7, 8}, {8, 3, 2, 0, 3, 4},
                 {24, 2, 2, 0, 12, 12}, {5, 2, 2, 0, 2, 3},  {4, 2, 3, 1, 2, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        shape s = {.h = cases[i].size,
                   .w = 1,
                   .r = cases[i].r,
                   .s = 1,
                   .stride_h = cases[i].stride,
                   .stride_w = 1,
                   .pad_h = cases[i].pad};
        assert_int_equal(gyre_pool_rows(&s), cases[i].floor);
        s.ceil = true;
        assert_int_equal(gyre_pool_rows(&s), cases[i].ceil);
    }
}

/* Windows laid one after another. Without ceil each lies within the padded image. With it windows
 * are laid until one reaches the end of the padding, where less than a stride may be missing from
 * the first; none begins in the padding behind the image. */
static int windows_laid(int size, int r, int stride, int pad, bool ceil_mode) {
    int count = 0;
    for (int start = 0;; start += stride) {
        bool inside = start + r <= size + 2 * pad, begins = start < size + pad;
        bool needed = start - stride + r < size + 2 * pad;
        if (!(ceil_mode ? begins && needed : inside)) return count;
        count++;
    }
}

static void sizes_are_those_of_windows_laid(void **state) {
    (void)state;
    assert_int_equal(windows_laid(3, 2, 2, 1, true), 2); /* PyTorch: 2 */
    assert_int_equal(windows_laid(3, 2, 2, 1, false), 2);
    for (int i = 0; i < 40 * 9 * 9 * 9 * 2; i++) {
        int size = 1 + i / 2 % 40, r = 1 + i / 80 % 9, stride = 1 + i / 720 % 9, pad = i / 6480 % 9;
        bool ceil_mode = i % 2 != 0;
        if (pad >= r) continue;
        int expected = windows_laid(size, r, stride, pad, ceil_mode);
        if (gyre_pool_size(size, r, stride, pad, ceil_mode) == expected) continue;
        fail_msg("size %d, window %d, stride %d, padding %d, ceil %d: %d, expected %d", size, r,
                 stride, pad, ceil_mode, gyre_pool_size(size, r, stride, pad, ceil_mode), expected);
    }
}

typedef struct {
    shape s;
    double *x, *weights, *y;
} weighted;

static double weighted_output(void *context) {
    weighted *w = context;
    reference(&w->s, w->x, w->y, NULL, NULL);
    return dot(w->y, w->weights, out_size(&w->s));
}

static void references_agree_with_finite_differences(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        weighted w = {.s = {2, 5, 6, 3, 3, 2, 2, 1, 1, 0, kind == 1, true, kind == 2}};
        size_t n = in_size(&w.s), m = out_size(&w.s);
        w.x = randoms(1, n);
        w.weights = randoms(2, m);
        w.y = zeros(m);
        double *dx = zeros(n);
        reference(&w.s, w.x, NULL, w.weights, dx);
        check_gradient("dx", weighted_output, &w, w.x, n, dx);
        double *arrays[] = {w.x, w.weights, w.y, dx};
        for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
    }
}

/* Wherever it lies in the window, and whatever follows it. */
static void the_maximum_of_nan_is_nan(void **state) {
    gyre_backend *b = *state;
    shape s = {1, 3, 3, 19, 3, 3, 1, 1, 0, 0, true, false, false};
    buffer saved = buffer_bytes(b, b->ops->pool_saved_size(b, &s)), y = acts_new(b, 19);
    for (int cell = 0; cell < 9; cell++) {
        double *x = randoms(5, 9 * 19);
        x[cell * 19 + 4] = NAN;
        buffer bx = acts_of(b, x, 9 * 19);
        OK(b->ops->pool(b->main, &s, A(bx), R(saved), A(y)));
        float *have = buffer_read(y);
        for (int c = 0; c < 19; c++) assert_int_equal(isnan(have[c]) != 0, c == 4);
        free(have);
        free(x);
        buffer_free(bx);
    }
    buffer_free(saved);
    buffer_free(y);
}

static void shortcuts_match(void **state) {
    gyre_backend *b = *state;
    static const gyre_shortcut_shape shapes[] = {
        {2, 8, 8, 16, 32, 2}, {1, 5, 5, 3, 10, 2}, {3, 7, 4, 5, 6, 2}, {2, 4, 4, 7, 7, 1}};
    for (size_t t = 0; t < sizeof shapes / sizeof shapes[0]; t++) {
        gyre_shortcut_shape s = shapes[t];
        int oh = (s.h + s.stride - 1) / s.stride, ow = (s.w + s.stride - 1) / s.stride;
        size_t n = (size_t)(s.n * s.h * s.w * s.c), m = (size_t)(s.n * oh * ow * s.k);
        double *x = randoms(1, n), *dy = randoms(2, m), *y = zeros(m), *dx = zeros(n);
        round_acts(x, n);
        round_acts(dy, m);
        for (int o = 0; o < (int)m; o++) {
            int c = o % s.k - (s.k - s.c) / 2, j = o / s.k % ow, i = o / s.k / ow % oh;
            int image = o / s.k / ow / oh;
            if (c < 0 || c >= s.c) continue;
            int at = ((image * s.h + i * s.stride) * s.w + j * s.stride) * s.c + c;
            y[o] = x[at];
            dx[at] = dy[o];
        }
        buffer bx = acts_of(b, x, n), bdy = acts_of(b, dy, m);
        buffer by = acts_new(b, m), bdx = acts_new(b, n);
        OK(b->ops->shortcut(b->main, &s, A(bx), A(by)));
        OK(b->ops->shortcut_dx(b->main, &s, A(bdy), A(bdx)));
        check_close("y", by, y, NULL, 0);
        check_close("dx", bdx, dx, NULL, 0);
        buffer all[] = {bx, bdy, by, bdx};
        for (size_t i = 0; i < 4; i++) buffer_free(all[i]);
        double *arrays[] = {x, dy, y, dx};
        for (size_t i = 0; i < 4; i++) free(arrays[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_agree_with_finite_differences),
        cmocka_unit_test(sizes_are_caffes),
        cmocka_unit_test(sizes_are_those_of_windows_laid),
        cmocka_unit_test(pools_match),
        cmocka_unit_test(bins_match),
        cmocka_unit_test(the_maximum_of_nan_is_nan),
        cmocka_unit_test(shortcuts_match),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
