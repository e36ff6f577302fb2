/* Batches on their way to a device: values of every type, augmented and normalised, and targets. */
#include "ops.h"

enum { IMAGES = 6, H = 5, W = 6, C = 3, PIXELS = H * W * C };

/* Pixel (y, x) of the augmented image, step by step: pad, crop, then mirror. */
static double augmented(const uint8_t *image, gyre_augment a, int y, int x, int c) {
    int row = y + a.dy, col = (a.mirror ? W - 1 - x : x) + a.dx;
    if (a.reflect) {
        if (row < 0) row = -row;
        if (col < 0) col = -col;
        if (row > H - 1) row = H - 1 - (row - (H - 1));
        if (col > W - 1) col = W - 1 - (col - (W - 1));
    }
    if (row < 0 || row >= H || col < 0 || col >= W) return 0;
    return image[(row * W + col) * C + c];
}

static bool shows_inside(gyre_augment a, int y, int x) {
    int row = y + a.dy, col = (a.mirror ? W - 1 - x : x) + a.dx;
    return row >= 0 && row < H && col >= 0 && col < W;
}

static void input_is_cropped_mirrored_normalised(void **state) {
    gyre_backend *b = *state;
    gyre_random r = gyre_random_open(3, GYRE_RANDOM_TEST, 0, 0);
    static const gyre_augment augments[IMAGES] = {
        {0, 0, 0, 0}, {2, -3, 0, 0}, {-4, 1, 1, 0}, {0, 0, 1, 0}, {-4, 5, 0, 1}, {3, -2, 1, 1}};
    uint8_t images[IMAGES * PIXELS];
    const int32_t labels[IMAGES] = {3, 0, -1, 9, 1, 2};
    for (int i = 0; i < IMAGES * PIXELS; i++) images[i] = (uint8_t)gyre_random_below(&r, 256);
    double mean[PIXELS], scale[C] = {0.5, 0.25, 1.0 / 128};
    for (int i = 0; i < PIXELS; i++) mean[i] = gyre_random_below(&r, 256);
    gyre_image_shape s = {IMAGES, H, W, C};
    buffer bmean = buffer_of(b, mean, PIXELS), bscale = buffer_of(b, scale, C);
    for (int augment = 0; augment < 2; augment++) {
        double want[IMAGES * PIXELS];
        gyre_augment none = {0};
        for (int i = 0; i < IMAGES * PIXELS; i++) {
            int c = i % C, x = i / C % W, y = i / C / W % H, n = i / PIXELS;
            want[i] = augmented(images + n * PIXELS, augment ? augments[n] : none, y, x, c);
            want[i] = (want[i] - mean[i % PIXELS]) * scale[c];
        }
        gyre_batch batch = {.count = IMAGES,
                            .images = images,
                            .targets = labels,
                            .target_values = 1,
                            .augment = augment ? augments : NULL};
        buffer x = acts_new(b, IMAGES * PIXELS), l = buffer_new(b, IMAGES);
        OK(b->ops->batch_load(b->main, &s, &batch, F(bmean), F(bscale), A(x), I(l)));
        check_close("x", x, want, NULL, 0); /* powers of two: exact */
        float *have = buffer_read(l);
        assert_memory_equal(have, labels, sizeof labels);
        free(have);
        buffer_free(x);
        buffer_free(l);
    }
    buffer_free(bmean);
    buffer_free(bscale);
}

/* Values of a rectangle are 0, or normal numbers; those around it are the pixels. Six rectangles
 * of noise have 3,600 numbers, whose mean and variance are within 4 of their deviations. */
static void a_part_is_erased_after_normalisation(void **state) {
    gyre_backend *b = *state;
    enum { N = 8, SIDE = 40, WIDTH = 20, ALL = N * SIDE * WIDTH * C };
    static uint8_t images[ALL];
    static double want[ALL], mean[SIDE * WIDTH * C];
    double scale[C] = {0.5, 0.25, 2}, sum = 0, squares = 0;
    int32_t labels[N] = {0};
    gyre_erase erase[N];
    for (int i = 0; i < ALL; i++) images[i] = (uint8_t)(i * 7 % 251);
    for (int n = 0; n < N; n++) {
        erase[n] = (gyre_erase){.y = 3, .x = 2 + n, .h = 20, .w = 10, .noise = n > 0};
        erase[n].key[0] = (uint32_t)n;
    }
    erase[N - 1].h = 0;
    gyre_image_shape s = {N, SIDE, WIDTH, C};
    gyre_batch batch = {
        .count = N, .images = images, .targets = labels, .target_values = 1, .erase = erase};
    buffer bmean = buffer_of(b, mean, SIDE * WIDTH * C), bscale = buffer_of(b, scale, C);
    buffer x = acts_new(b, ALL), l = buffer_new(b, N);
    OK(b->ops->batch_load(b->main, &s, &batch, F(bmean), F(bscale), A(x), I(l)));
    float *have = buffer_read(x);
    int noise = 0;
    for (int i = 0; i < ALL; i++) {
        int n = i / C / WIDTH / SIDE, y = i / C / WIDTH % SIDE, col = i / C % WIDTH;
        bool inside = n < N - 1 && y >= 3 && y < 23 && col >= 2 + n && col < 12 + n;
        want[i] = inside ? 0 : images[i] * scale[i % C];
        if (!inside || n == 0) continue;
        want[i] = (double)have[i];
        noise++;
        sum += (double)have[i];
        squares += (double)have[i] * (double)have[i];
    }
    assert_int_equal(noise, 6 * 600);
    check_close("x", x, want, NULL, 0);
    assert_true(fabs(sum / noise) < 4 / sqrt(noise));
    assert_true(fabs(squares / noise - 1) < 4 * sqrt(2.0 / noise));
    free(have);
    buffer_free(bmean);
    buffer_free(bscale);
    buffer_free(x);
    buffer_free(l);
}

/* With the sample before, moved and erased as that is; its label goes behind the labels. Sides of
 * the rectangle and shares are such that all is exact. */
static void samples_are_mixed_with_the_one_before(void **state) {
    gyre_backend *b = *state;
    enum { FIRST = 1, N = IMAGES - FIRST };
    static const gyre_augment augments[IMAGES] = {
        {0, 0, 0, 0}, {2, -3, 0, 0}, {-4, 1, 1, 0}, {0, 0, 1, 0}};
    static const gyre_erase erase[IMAGES] = {{1, 1, 3, 3, 0, {0, 0}}};
    static const gyre_mix mixes[] = {
        {1, 0, 0, H, W, 0.25f, 0.25f}, {1, 1, 2, 3, 2, 0, 0.75f}, {1, 0, 0, 0, 0, 0, 1}};
    uint8_t images[IMAGES * PIXELS];
    const int32_t labels[IMAGES] = {3, 0, 5, 9};
    double mean[PIXELS] = {0}, scale[C] = {0.5, 0.25, 1.0 / 128}, plain[IMAGES * PIXELS];
    for (int i = 0; i < IMAGES * PIXELS; i++) images[i] = (uint8_t)(i * 7 % 62 * 4);
    for (int i = 0; i < IMAGES * PIXELS; i++) {
        int c = i % C, x = i / C % W, y = i / C / W % H, n = i / PIXELS;
        bool erased = n == 0 && y >= 1 && y < 4 && x >= 1 && x < 4;
        plain[i] = erased ? 0 : augmented(images + n * PIXELS, augments[n], y, x, c) * scale[c];
    }
    gyre_image_shape s = {N, H, W, C};
    buffer bmean = buffer_of(b, mean, PIXELS), bscale = buffer_of(b, scale, C);
    for (size_t k = 0; k < sizeof mixes / sizeof *mixes; k++) {
        const gyre_mix *m = &mixes[k];
        double want[N * PIXELS];
        for (int i = 0; i < N * PIXELS; i++) {
            int x = i / C % W, y = i / C / W % H;
            bool inside = y >= m->y && y < m->y + m->h && x >= m->x && x < m->x + m->w;
            double share = inside ? (double)m->values : 1;
            want[i] = share * plain[i + FIRST * PIXELS] + (1 - share) * plain[i];
        }
        gyre_batch batch = {.count = N,
                            .images = images + FIRST * PIXELS,
                            .targets = labels + FIRST,
                            .target_values = 1,
                            .augment = augments + FIRST,
                            .erase = erase + FIRST,
                            .mix = *m};
        buffer x = acts_new(b, N * PIXELS), l = buffer_new(b, 3 * N);
        OK(b->ops->batch_load(b->main, &s, &batch, F(bmean), F(bscale), A(x), I(l)));
        check_close("x", x, want, NULL, 0);
        float *have = buffer_read(l);
        assert_memory_equal(have, labels + FIRST, N * sizeof *labels);
        for (int i = 0; i < N; i++) {
            assert_memory_equal(have + N + 2 * i, labels + i, sizeof *labels);
            assert_true(have[N + 2 * i + 1] == m->label);
        }
        free(have);
        buffer_free(x);
        buffer_free(l);
    }
    buffer_free(bmean);
    buffer_free(bscale);
}

/* Nobody waits for one batch before the next: a backend that sends them ahead must not send one
 * into memory from which an earlier one is still to be unpacked. */
static void batches_may_follow_unread(void **state) {
    enum { BATCHES = 6 };
    gyre_backend *b = *state;
    gyre_image_shape s = {IMAGES, H, W, C};
    double zero[PIXELS] = {0}, one[C] = {1, 1, 1}, want[IMAGES * PIXELS];
    buffer mean = buffer_of(b, zero, PIXELS), scale = buffer_of(b, one, C);
    buffer x[BATCHES], l[BATCHES];
    uint8_t images[BATCHES][IMAGES * PIXELS];
    int32_t labels[BATCHES][IMAGES];
    for (int i = 0; i < BATCHES; i++) {
        memset(images[i], i + 1, sizeof images[i]);
        for (int k = 0; k < IMAGES; k++) labels[i][k] = i;
        gyre_batch batch = {
            .count = IMAGES, .images = images[i], .targets = labels[i], .target_values = 1};
        x[i] = acts_new(b, IMAGES * PIXELS);
        l[i] = buffer_new(b, IMAGES);
        OK(b->ops->batch_load(b->main, &s, &batch, F(mean), F(scale), A(x[i]), I(l[i])));
    }
    for (int i = 0; i < BATCHES; i++) {
        for (int k = 0; k < IMAGES * PIXELS; k++) want[k] = i + 1;
        check_close("x", x[i], want, NULL, 0);
        float *have = buffer_read(l[i]);
        assert_memory_equal(have, labels[i], sizeof labels[i]);
        free(have);
        buffer_free(x[i]);
        buffer_free(l[i]);
    }
    buffer_free(mean);
    buffer_free(scale);
}

/* What element `e` holds of the number x, which all types have exactly. */
static void store(gyre_element e, int x, uint8_t *to) {
    const uint16_t u16 = (uint16_t)x;
    const int16_t i16 = (int16_t)x;
    const float f32 = (float)x;
    uint32_t bits;
    uint16_t half = 0;
    memcpy(&bits, &f32, sizeof bits);
    if (x != 0)
        half = (uint16_t)((bits >> 31 << 15) | (((bits >> 23 & 0xff) - 112) << 10) |
                          (bits >> 13 & 0x3ff));
    switch (e) {
    case GYRE_ELEMENT_U8: *to = (uint8_t)x; break;
    case GYRE_ELEMENT_U16: memcpy(to, &u16, sizeof u16); break;
    case GYRE_ELEMENT_I16: memcpy(to, &i16, sizeof i16); break;
    case GYRE_ELEMENT_F16: memcpy(to, &half, sizeof half); break;
    default: memcpy(to, &f32, sizeof f32); break;
    }
}

/* Negative ones, too, where the type has them. Targets of several values go along. */
static void values_of_every_type_are_loaded(void **state) {
    gyre_backend *b = *state;
    enum { TARGETS = 3, ALL = IMAGES * PIXELS };
    static const gyre_augment augments[IMAGES] = {
        {0, 0, 0, 0}, {1, -2, 0, 0}, {-4, 1, 1, 0}, {0, 0, 1, 0}, {4, -5, 1, 1}, {-1, 2, 0, 1}};
    gyre_image_shape s = {IMAGES, H, W, C};
    float targets[IMAGES * TARGETS];
    double mean[PIXELS], scale[C] = {0.5, 0.25, 2};
    for (int i = 0; i < PIXELS; i++) mean[i] = i % 50;
    for (int i = 0; i < IMAGES * TARGETS; i++) targets[i] = (float)i / 4 - 1;
    buffer bmean = buffer_of(b, mean, PIXELS), bscale = buffer_of(b, scale, C);
    for (int e = 0; e < GYRE_ELEMENTS; e++) {
        if (!gyre_element_of_samples((gyre_element)e)) continue;
        uint8_t stored[ALL * 4], plain[ALL];
        int shift = e == GYRE_ELEMENT_U8 || e == GYRE_ELEMENT_U16 ? 0 : 120;
        double want[ALL];
        for (int i = 0; i < ALL; i++) {
            plain[i] = (uint8_t)(i * 7 % 251);
            store((gyre_element)e, plain[i] - shift,
                  stored + (size_t)i * gyre_element_size((gyre_element)e));
        }
        for (int i = 0; i < ALL; i++) {
            int c = i % C, x = i / C % W, y = i / C / W % H, n = i / PIXELS;
            gyre_augment a = augments[n];
            bool inside = a.reflect || shows_inside(a, y, x);
            want[i] = inside ? augmented(plain + n * PIXELS, a, y, x, c) - shift : 0;
            want[i] = (want[i] - mean[i % PIXELS]) * scale[c];
        }
        gyre_batch batch = {.count = IMAGES,
                            .element = (gyre_element)e,
                            .images = stored,
                            .targets = targets,
                            .target_values = TARGETS,
                            .augment = augments};
        buffer x = acts_new(b, ALL), t = buffer_new(b, IMAGES * TARGETS);
        OK(b->ops->batch_load(b->main, &s, &batch, F(bmean), F(bscale), A(x), I(t)));
        check_close(gyre_element_name((gyre_element)e), x, want, NULL, 0);
        float *have = buffer_read(t);
        assert_memory_equal(have, targets, sizeof targets);
        free(have);
        buffer_free(x);
        buffer_free(t);
    }
    buffer_free(bmean);
    buffer_free(bscale);
}

static void a_number_that_is_no_type_is_none(void **state) {
    (void)state;
    for (int e = 0; e < GYRE_ELEMENTS; e++) {
        assert_true(gyre_element_size((gyre_element)e) > 0);
        assert_true(gyre_element_of_samples((gyre_element)e) ||
                    gyre_element_of_targets((gyre_element)e));
    }
    assert_false(gyre_element_of_samples(GYRE_ELEMENTS) || gyre_element_of_targets(GYRE_ELEMENTS));
    assert_false(gyre_element_of_samples((gyre_element)-1));
    assert_false(gyre_element_of_targets((gyre_element)-1));
}

/* All 65536 halves, against the definition. */
static void halves_are_widened_exactly(void **state) {
    (void)state;
    for (unsigned half = 0; half < 65536; half++) {
        int exponent = (int)(half >> 10 & 31), mantissa = (int)(half & 1023);
        float value = gyre_half_to_float((uint16_t)half);
        double want = exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024 + mantissa, exponent - 25);
        if (exponent == 31 && mantissa != 0) {
            assert_true(isnan(value));
            continue;
        }
        if (exponent == 31) want = (double)INFINITY;
        assert_true(fabs((double)value) == want && !signbit(value) == !(half >> 15));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_is_cropped_mirrored_normalised),
        cmocka_unit_test(a_part_is_erased_after_normalisation),
        cmocka_unit_test(samples_are_mixed_with_the_one_before),
        cmocka_unit_test(batches_may_follow_unread),
        cmocka_unit_test(values_of_every_type_are_loaded),
        cmocka_unit_test(a_number_that_is_no_type_is_none),
        cmocka_unit_test(halves_are_widened_exactly),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
