/* Kernels over images against the CPU backend: the same bits where both do the same operations in
 * the same order (input, pooling, shortcuts, LRN with beta 3/4), and few units in the last place
 * where the CPU has double precision. */
#include "kernels_rig.h"

#define CPU emulated_cpu_ops()

typedef struct {
    int n, h, w, c;
} size4;
/* channels below a vector, of whole vectors, and in between; several tiles across */
static const size4 images[] = {
    {1, 1, 1, 1}, {2, 5, 7, 3}, {3, 8, 8, 16}, {1, 9, 6, 12}, {1, 3, 3, 520}};
enum { IMAGES = sizeof images / sizeof images[0] };

static size_t count_of(size4 s) {
    return (size_t)s.n * (size_t)s.h * (size_t)s.w * (size_t)s.c;
}

static buffer from_elements(gyre_backend *b, uint64_t key, size_t n, bool special) {
    void *content = elements(key, n, b->act_size, special);
    buffer x = buffer_from(b, content, n, b->act_size);
    free(content);
    return x;
}

/* got and want are freed */
static void same_buffers(const char *what, buffer got, buffer want) {
    void *x = buffer_raw(got), *y = buffer_raw(want);
    check_bits(what, x, y, got.n, got.size, true);
    free(x);
    free(y);
    buffer_free(got);
    buffer_free(want);
}

/* ---- pooling */

static void check_pool(gyre_backend *b, gyre_pool_shape s) {
    size_t in = count_of((size4){s.n, s.h, s.w, s.c});
    size_t out = count_of((size4){s.n, gyre_pool_rows(&s), gyre_pool_columns(&s), s.c});
    buffer x = from_elements(b, 1, in, true), dy = from_elements(b, 2, out, true);
    buffer y[2], saved[2], dx[2];
    for (int i = 0; i < 2; i++) {
        const gyre_backend_ops *ops = i == 0 ? b->ops : CPU;
        y[i] = acts_new(b, out);
        saved[i] = buffer_from(b, NULL, s.max ? out : 0, sizeof(uint16_t));
        dx[i] = acts_new(b, in);
        OK(ops->pool(b->main, &s, A(x), R(saved[i]), A(y[i])));
        OK(ops->pool_dx(b->main, &s, A(dy), R(saved[i]), A(dx[i])));
    }
    same_buffers("y", y[0], y[1]);
    same_buffers("saved", saved[0], saved[1]);
    same_buffers("dx", dx[0], dx[1]);
    buffer_free(x);
    buffer_free(dy);
}

static void pooling_has_the_bits_of_the_cpu(void **state) {
    static const int windows[][6] = {{1, 1, 1, 1, 0, 0}, {2, 2, 2, 2, 0, 0}, {3, 3, 2, 2, 0, 0},
                                     {3, 3, 2, 2, 1, 1}, {3, 3, 1, 1, 1, 1}, {2, 2, 3, 3, 1, 1},
                                     {1, 3, 2, 1, 0, 2}, {3, 2, 1, 3, 1, 0}};
    for (int i = 0; i < IMAGES; i++) {
        for (size_t k = 0; k < sizeof windows / sizeof windows[0]; k++) {
            for (int flags = 0; flags < 8; flags++) {
                const int *v = windows[k];
                gyre_pool_shape s = {images[i].n, images[i].h, images[i].w, images[i].c, v[0],
                                     v[1],        v[2],        v[3],        v[4],        v[5],
                                     flags & 1,   flags & 2,   flags & 4};
                bool fits = s.r <= s.h + 2 * s.pad_h && s.s <= s.w + 2 * s.pad_w;
                if (fits) check_pool(*state, s);
            }
        }
    }
    gyre_pool_shape whole = {2, 6, 5, 8,     6,     5,    1,
                             1, 0, 0, false, false, false}; /* global average */
    check_pool(*state, whole);
}

static void bins_have_the_bits_of_the_cpu(void **state) {
    gyre_backend *b = *state;
    for (int i = 0; i < IMAGES; i++) {
        size4 m = images[i];
        gyre_adaptive_pool_shape s = {m.n, m.h, m.w, m.c, 3, 2};
        size_t in = count_of(m), out = count_of((size4){m.n, 3, 2, m.c});
        buffer x = from_elements(b, 1, in, true), dy = from_elements(b, 2, out, true);
        buffer y[2], dx[2];
        for (int k = 0; k < 2; k++) {
            const gyre_backend_ops *ops = k == 0 ? b->ops : CPU;
            y[k] = acts_new(b, out);
            dx[k] = acts_new(b, in);
            OK(ops->adaptive_pool(b->main, &s, A(x), A(y[k])));
            OK(ops->adaptive_pool_dx(b->main, &s, A(dy), A(dx[k])));
        }
        same_buffers("y", y[0], y[1]);
        same_buffers("dx", dx[0], dx[1]);
        buffer_free(x);
        buffer_free(dy);
    }
}

static void unsupported_windows_are_refused(void **state) {
    gyre_queue *q = ((gyre_backend *)*state)->main;
    gyre_pool_shape wide = {1, 300, 300, 1, 256, 256, 1, 1, 0, 0, true, false, false};
    gyre_pool_shape padded = {1, 4, 4, 1, 3, 2, 1, 1, 2, 2, true, false, false};
    gyre_lrn_shape even = {1, 4, 4, 1, 2, 1, 0.75f, false};
    assert_int_equal(gpu_pool(q, &wide, NULL, NULL, NULL), GYRE_EDEVICE);
    assert_int_equal(gpu_pool_dx(q, &padded, NULL, NULL, NULL), GYRE_EDEVICE);
    assert_int_equal(gpu_lrn(q, &even, NULL, NULL), GYRE_EDEVICE);
}

/* ---- shortcuts */

static void check_shortcut(gyre_backend *b, gyre_shortcut_shape s) {
    int oh = (s.h + s.stride - 1) / s.stride, ow = (s.w + s.stride - 1) / s.stride;
    size_t in = count_of((size4){s.n, s.h, s.w, s.c}), out = count_of((size4){s.n, oh, ow, s.k});
    buffer x = from_elements(b, 1, in, true), dy = from_elements(b, 2, out, true);
    buffer y = acts_new(b, out), y_want = acts_new(b, out);
    buffer dx = acts_new(b, in), dx_want = acts_new(b, in);
    OK(b->ops->shortcut(b->main, &s, A(x), A(y)));
    OK(CPU->shortcut(b->main, &s, A(x), A(y_want)));
    OK(b->ops->shortcut_dx(b->main, &s, A(dy), A(dx)));
    OK(CPU->shortcut_dx(b->main, &s, A(dy), A(dx_want)));
    same_buffers("y", y, y_want);
    same_buffers("dx", dx, dx_want);
    buffer_free(x);
    buffer_free(dy);
}

static void shortcuts_have_the_bits_of_the_cpu(void **state) {
    static const gyre_shortcut_shape shapes[] = {
        {2, 8, 8, 16, 32, 2}, {1, 7, 5, 3, 8, 2}, {2, 4, 4, 8, 8, 1},  {1, 5, 5, 8, 24, 3},
        {1, 1, 1, 1, 1, 2},   {0, 4, 4, 8, 8, 1}, {3, 4, 4, 4, 12, 2}, {1, 4, 4, 8, 11, 2}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) check_shortcut(*state, shapes[i]);
}

/* ---- sums and products of two tensors, factors of channels: their maps */

static void check_broadcast(gyre_backend *b, gyre_broadcast_shape s) {
    size_t n = count_of((size4){s.n, s.h, s.w, s.c});
    buffer x = from_elements(b, 1, n, true), z = from_elements(b, 2, n, true); /* or less of it */
    buffer y = acts_new(b, n), want = acts_new(b, n);
    OK(b->ops->broadcast(b->main, &s, A(x), A(z), A(y)));
    OK(CPU->broadcast(b->main, &s, A(x), A(z), A(want)));
    same_buffers("broadcast", y, want);
    buffer_free(x);
    buffer_free(z);
}

static void check_scale(gyre_backend *b, gyre_scale_shape s) {
    size_t n = count_of((size4){s.n, s.h, s.w, s.c});
    double *factors = randoms(2, (size_t)s.c);
    buffer x = from_elements(b, 1, n, true), w = buffer_of(b, factors, (size_t)s.c);
    buffer y = acts_new(b, n), want = acts_new(b, n);
    OK(b->ops->scale(b->main, &s, A(x), F(w), A(y)));
    OK(CPU->scale(b->main, &s, A(x), F(w), A(want)));
    same_buffers("scale", y, want);
    buffer_free(x);
    buffer_free(w);
    free(factors);
}

static void check_dropout(gyre_backend *b, size4 m, gyre_drop unit) {
    const int32_t words[GYRE_DRAW_WORDS] = {1, 2, 3};
    gyre_dropout_shape s = {m.n,  9,      (size_t)(m.h * m.w), (size_t)m.c,
                            unit, {4, 5}, 0x60000000,          1.6f};
    size_t n = count_of(m);
    buffer x = from_elements(b, 1, n, true), draws = buffer_labels(b, words, GYRE_DRAW_WORDS);
    buffer y = acts_new(b, n), want = acts_new(b, n);
    OK(b->ops->dropout(b->main, &s, I(draws), A(x), A(y)));
    OK(CPU->dropout(b->main, &s, I(draws), A(x), A(want)));
    same_buffers("dropout", y, want);
    buffer_free(x);
    buffer_free(draws);
}

static void check_channel_lrn(gyre_backend *b, gyre_channel_lrn_shape s) {
    size_t n = count_of((size4){s.n, s.h, s.w, s.c});
    buffer x = from_elements(b, 1, n, true), dy = from_elements(b, 2, n, true);
    buffer y = acts_new(b, n), want = acts_new(b, n), dx = acts_new(b, n), dx_want = acts_new(b, n);
    OK(b->ops->channel_lrn(b->main, &s, A(x), A(y)));
    OK(CPU->channel_lrn(b->main, &s, A(x), A(want)));
    OK(b->ops->channel_lrn_dx(b->main, &s, A(x), A(dy), A(dx)));
    OK(CPU->channel_lrn_dx(b->main, &s, A(x), A(dy), A(dx_want)));
    same_buffers("channel_lrn", y, want);
    same_buffers("channel_lrn_dx", dx, dx_want);
    buffer_free(x);
    buffer_free(dy);
}

static void maps_have_the_bits_of_the_cpu(void **state) {
    for (int i = 0; i < IMAGES; i++) {
        size4 m = images[i];
        for (int k = 1; k < 7; k++) { /* roots */
            gyre_channel_lrn_shape lrn = {m.n, m.h, m.w, m.c, k, 0.5f, 0.75f, 1};
            check_channel_lrn(*state, lrn);
        }
        for (int k = 0; k < 3; k++) check_dropout(*state, m, (gyre_drop)k);
        check_scale(*state, (gyre_scale_shape){m.n, m.h, m.w, m.c});
        for (int k = 0; k < 6; k++) {
            check_broadcast(
                *state, (gyre_broadcast_shape){m.n, m.h, m.w, m.c, (gyre_broadcast)(k / 2), k % 2});
        }
    }
}

/* ---- local response normalisation */

/* Behind a ReLU a zero gets no gradient. */
static buffer with_zeros(gyre_backend *b, size_t n) {
    double *x = randoms(1, n);
    for (size_t i = 0; i < n; i += 5) x[i] = i % 2 ? 0 : -0.0;
    round_acts(x, n);
    buffer out = acts_of(b, x, n);
    free(x);
    return out;
}

/* s^-beta by exp and log in f32 pairs is off by about 1 unit, the CPU's by half of one; it is a
 * factor of y, and dx is a difference of two terms with such factors, one of them summed over
 * neighbours: numbers of a few units. */
static void check_lrn(gyre_backend *b, gyre_lrn_shape s, double relative) {
    size_t n = count_of((size4){s.n, s.h, s.w, s.c});
    buffer x = with_zeros(b, n), dy = from_elements(b, 2, n, false);
    buffer y = acts_new(b, n), y_want = acts_new(b, n), dx = acts_new(b, n), want = acts_new(b, n);
    OK(b->ops->lrn(b->main, &s, A(x), A(y)));
    OK(CPU->lrn(b->main, &s, A(x), A(y_want)));
    OK(b->ops->lrn_dx(b->main, &s, A(x), A(dy), A(dx)));
    OK(CPU->lrn_dx(b->main, &s, A(x), A(dy), A(want)));
    float *have[] = {buffer_read(y), buffer_read(dx)};
    float *wanted[] = {buffer_read(y_want), buffer_read(want)};
    for (size_t i = 0; i < n; i++) {
        double scale[] = {fabs((double)wanted[0][i]), 4 + fabs((double)wanted[1][i])};
        for (int k = 0; k < 2; k++) {
            double error = fabs((double)have[k][i] - (double)wanted[k][i]);
            double allowed = relative * scale[k];
            /* a difference of the last bit may become one of a bf16's */
            if (b->act_size == 2 && relative > 0) allowed += 0x1p-8 * fabs((double)wanted[k][i]);
            if (!(error <= allowed))
                fail_msg("%s[%zu]: error %g > %g", k == 0 ? "y" : "dx", i, error, allowed);
        }
    }
    for (int k = 0; k < 2; k++) free(have[k]), free(wanted[k]);
    buffer all[] = {x, dy, y, y_want, dx, want};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
}

static void lrn_agrees_with_the_cpu(void **state) {
    for (int i = 0; i < IMAGES; i++) {
        for (int flags = 0; flags < 8; flags++) {
            size4 m = images[i];
            int size = flags & 2 ? 5 : 3;
            check_lrn(*state, (gyre_lrn_shape){m.n, m.h, m.w, m.c, size, 5e-1f, 0.75f, flags & 1},
                      0);
            check_lrn(*state, (gyre_lrn_shape){m.n, m.h, m.w, m.c, size, 30.0f, 0.9f, flags & 1},
                      0x1p-21);
            check_lrn(*state, (gyre_lrn_shape){m.n, m.h, m.w, m.c, 1, 1e4f, 2.0f, flags & 1},
                      0x1p-21);
        }
    }
}

/* ---- input */

enum { SAMPLES = 5, DATASET = 23 };

static void check_input(gyre_backend *b, size4 m, bool augmented, bool by_row, bool erased,
                        bool mixed) {
    size_t image = (size_t)m.h * (size_t)m.w * (size_t)m.c;
    uint8_t *images_ = malloc(DATASET * image), *chosen = malloc((1 + SAMPLES) * image);
    int64_t rows[SAMPLES + 2];
    int32_t labels[SAMPLES + 2];
    gyre_augment augment[SAMPLES + 2];
    gyre_erase erase[SAMPLES + 2];
    for (size_t i = 0; i < DATASET * image; i++) images_[i] = (uint8_t)(i * 37 + i / 251);
    for (int i = 0; i < SAMPLES + 2; i++) {
        rows[i] = (i * 7 + 3) % DATASET;
        labels[i] = i * i - 3;
        int y = i % m.h, x = (2 * i + 1) % m.w; /* a part that lies in the image */
        erase[i] = (gyre_erase){y, x, m.h - y, 1 + i % (m.w - x), i & 1, {(uint32_t)i, 7}};
        augment[i] = (gyre_augment){(int8_t)(i - 3), (int8_t)(2 - i), (uint8_t)(i & 1), 0};
        augment[i].reflect = abs(i - 3) < m.h && abs(2 - i) < m.w && i % 3 > 0;
    }
    enum { FIRST = 2 }; /* samples 2 to 6 of the slot */
    for (size_t i = 0; i < 1 + SAMPLES; i++) { /* and the one before them */
        size_t row = by_row ? (size_t)rows[FIRST - 1 + i] : FIRST - 1 + i;
        memcpy(chosen + i * image, images_ + row * image, image);
    }
    gyre_image_shape s = {SAMPLES, m.h, m.w, m.c};
    double *mean = randoms(5, image), *scale = randoms(6, (size_t)m.c);
    buffer bmean = buffer_of(b, mean, image), bscale = buffer_of(b, scale, (size_t)m.c);
    buffer x = acts_new(b, SAMPLES * image), want = acts_new(b, SAMPLES * image);
    buffer to = buffer_labels(b, NULL, 3 * SAMPLES), to_want = buffer_labels(b, NULL, 3 * SAMPLES);
    const gyre_mix mix = {mixed, 0, m.w / 3, (m.h + 1) / 2, m.w - m.w / 3, 0.3f, 0.3f};
    gpu_input_slot slot = {images_, by_row ? rows : NULL, labels, augmented ? augment : NULL,
                           erased ? erase : NULL, mix};
    gyre_batch batch = {.count = SAMPLES,
                        .images = chosen + image,
                        .targets = labels + FIRST,
                        .target_values = 1,
                        .augment = augmented ? augment + FIRST : NULL,
                        .erase = erased ? erase + FIRST : NULL,
                        .mix = mix};
    assert_int_equal(gpu_input_launch(NULL, b->act_size == 2, &s, &batch, &slot, FIRST,
                                      (float *)F(bmean), (float *)F(bscale), A(x)),
                     cudaSuccess);
    assert_int_equal(gpu_targets_launch(NULL, SAMPLES, 1, &slot, FIRST, (int32_t *)I(to)),
                     cudaSuccess);
    OK(CPU->batch_load(b->main, &s, &batch, F(bmean), F(bscale), A(want), I(to_want)));
    same_buffers("x", x, want);
    same_buffers("labels", to, to_want);
    buffer_free(bmean);
    buffer_free(bscale);
    free(mean);
    free(scale);
    free(images_);
    free(chosen);
}

static void input_has_the_bits_of_the_cpu(void **state) {
    for (int i = 0; i < IMAGES; i++) {
        for (int flags = 0; flags < 16; flags++) {
            check_input(*state, images[i], flags & 1, flags & 2, flags & 4, flags & 8);
        }
    }
}

/* ---- batch norm: sums of up to 256 rows are f32 on both sides, in different orders; they are of
 * (x - first)^2, which is a few times as large as the variance */

static void near_cpu(const char *what, buffer got, buffer want, double relative, double floor_) {
    float *x = buffer_read(got), *y = buffer_read(want);
    for (size_t i = 0; i < got.n; i++) {
        double error = fabs((double)x[i] - (double)y[i]);
        double allowed = relative * (fabs((double)y[i]) + floor_);
        if (got.size == 2) allowed += 0x1p-7 * fabs((double)y[i]);
        if (!(error <= allowed))
            fail_msg("%s[%zu]: got %.9g, want %.9g, error %g > %g", what, i, (double)x[i],
                     (double)y[i], error, allowed);
    }
    free(x);
    free(y);
    buffer_free(got);
    buffer_free(want);
}

static void check_norm(gyre_backend *b, size4 m, bool relu) {
    gyre_batch_norm_shape s = {m.n, m.h, m.w, m.c, 1e-5f, relu, false, false};
    size_t n = count_of(m), c = (size_t)m.c;
    double *gamma = randoms(1, c), *beta = randoms(2, c);
    buffer x = from_elements(b, 3, n, false), dy = from_elements(b, 4, n, false);
    buffer g = buffer_of(b, gamma, c), h = buffer_of(b, beta, c);
    buffer saved[2], moments[2], y[2], dx[2], dgamma[2], dbeta[2];
    for (int i = 0; i < 2; i++) {
        const gyre_backend_ops *ops = i == 0 ? b->ops : CPU;
        saved[i] = buffer_new(b, 2 * c), moments[i] = buffer_new(b, 2 * c), y[i] = acts_new(b, n);
        dx[i] = acts_new(b, n), dgamma[i] = buffer_new(b, c), dbeta[i] = buffer_new(b, c);
        OK(ops->batch_norm_train(b->main, &s, A(x), NULL, F(g), F(h), F(saved[i]), F(moments[i]),
                                 A(y[i])));
        /* backward from the same forward */
        OK(ops->batch_norm_dx(b->main, &s, A(x), A(y[0]), A(dy), F(g), F(saved[0]), A(dx[i]), NULL,
                              F(dgamma[i]), F(dbeta[i])));
    }
    double rows = (double)n / (double)c;
    near_cpu("moments", moments[0], moments[1], sum_bound(256), 4);
    near_cpu("saved", saved[0], saved[1], sum_bound(256), rows > 1 ? 4 : 1e3);
    near_cpu("dgamma", dgamma[0], dgamma[1], 16 * HALF_ULP, rows);
    near_cpu("dbeta", dbeta[0], dbeta[1], 16 * HALF_ULP, rows);
    near_cpu("y", y[0], y[1], 32 * HALF_ULP, 1);
    near_cpu("dx", dx[0], dx[1], 64 * HALF_ULP, rows > 1 ? 1 : 1e3);
    buffer all[] = {x, dy, g, h};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(gamma);
    free(beta);
}

static void norm_is_near_the_cpu(void **state) {
    for (int i = 0; i < IMAGES; i++) check_norm(*state, images[i], i % 2);
    check_norm(*state, (size4){8, 16, 16, 24}, true);
    check_norm(*state, (size4){4, 16, 16, 64}, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pooling_has_the_bits_of_the_cpu),
        cmocka_unit_test(unsupported_windows_are_refused),
        cmocka_unit_test(maps_have_the_bits_of_the_cpu),
        cmocka_unit_test(bins_have_the_bits_of_the_cpu),
        cmocka_unit_test(shortcuts_have_the_bits_of_the_cpu),
        cmocka_unit_test(lrn_agrees_with_the_cpu),
        cmocka_unit_test(input_has_the_bits_of_the_cpu),
        cmocka_unit_test(norm_is_near_the_cpu),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
